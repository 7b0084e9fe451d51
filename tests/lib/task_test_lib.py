"""Shared functions and classes for testing the plugins activity and thread."""

from plaso_atop import layouts

import log_builder
from tests.lib import sample_test_lib

# Flags of the header.
SUPPORT_PATCHSTAT = 0x0002
SUPPORT_IOSTAT = 0x0004
SUPPORT_PATCHACCT = 0x0008
SUPPORT_NETATOP_BPF = 0x1000

NETWORK_MEMBERS = {
    "tcp_received_packets": "tcprcv",
    "tcp_received_size": "tcprsz",
    "tcp_sent_packets": "tcpsnd",
    "tcp_sent_size": "tcpssz",
    "udp_received_packets": "udprcv",
    "udp_received_size": "udprsz",
    "udp_sent_packets": "udpsnd",
    "udp_sent_size": "udpssz",
}


class TaskPluginTestCase(sample_test_lib.SamplePluginTestCase):
    """Test case of a plugin that shows what tasks used."""

    # That also depends on the task.
    _TOTALS_ATTRIBUTE = None

    _COMMON_ATTRIBUTES = frozenset(
        ["hostname", "interval_seconds", "offset", "sample_time"]
    )

    _INTERVAL = 600

    # What the versions introduced.
    _VERSION_WITH_THREADS = (1, 27)
    _VERSION_WITH_RUN_DELAY = (2, 6)
    _VERSION_WITH_BLOCK_DELAY = (2, 8)
    _VERSION_WITH_CONTEXT_SWITCHES = (2, 9)
    _VERSION_WITH_CGROUP_LIST = (2, 11)

    def _GetExpectedCounters(self, row, version):
        """Determines the expected values of what a task used.

        Args:
          row (dict[str, int|bytes|bool]): what atop printed of the task.
          version (tuple[int, int]): version of atop.

        Returns:
          dict[str, int]: values of the attributes.
        """
        hertz = row["hertz"]
        counters = {
            "major_faults": row["majflt"],
            "minor_faults": row["minflt"],
            "system_cpu_time": row["stime"] * 1000 // hertz,
            "user_cpu_time": row["utime"] * 1000 // hertz,
        }

        # Neither netatop nor the kernel patch ran where the logs were made.
        self.assertFalse(row["has_network"])
        self.assertFalse(row["has_patch"])

        if row["state"] == b"E":
            return counters

        self.assertTrue(row["has_iostat"])
        counters["cancelled_written_size"] = row["cwsz"] * 512
        counters["read_size"] = row["rsz"] * 512
        counters["written_size"] = row["wsz"] * 512

        if version >= self._VERSION_WITH_RUN_DELAY:
            counters["run_delay_microseconds"] = row["rundelay"] // 1000
        if version >= self._VERSION_WITH_BLOCK_DELAY:
            counters["block_io_delay_time"] = row["blkdelay"] * 1000 // hertz
        if version >= self._VERSION_WITH_CONTEXT_SWITCHES:
            counters["involuntary_context_switches"] = row["nivcsw"]
            counters["voluntary_context_switches"] = row["nvcsw"]

        return counters

    def _GetExpectedTask(self, row, sample):
        """Determines what events of processes and threads have in common.

        Args:
          row (dict[str, int|bytes|bool]): what atop printed of the task.
          sample (parseable.Sample): what atop printed of the sample.

        Returns:
          dict[str, object]: values of the attributes.
        """
        values = {"user_identifier": row["ruid"] % (1 << 32)}

        if sample.is_boot or self._IsUnknownExit(row, sample):
            values["since_start"] = True
        else:
            ticks = row["utime"] + row["stime"]
            values["cpu_percent"] = round(
                ticks / row["hertz"] / sample.interval * 100, 1
            )

        if row["state"] != b"E":
            values["nice_value"] = row["nice"]
            values["scheduling_priority"] = row["prio"]
            values["processor_number"] = row["curcpu"]
            values["real_time_priority"] = row["rtprio"]
            values["scheduling_policy"] = row["policy"]
            if row.get("wchan"):
                values["wait_channel"] = row["wchan"].decode("ascii")

        return values

    def _IsUnknownExit(self, row, sample):
        """Determines if atop did not know a process that exited but should have.

        Args:
          row (dict[str, int|bytes|bool]): what atop printed of the task.
          sample (parseable.Sample): what atop printed of the sample.

        Returns:
          bool: True if it was started clearly before the interval, but has neither a
              command line nor anything else that atop knew.
        """
        return (
            row["state"] == b"E"
            and row["btime"] + 1 < sample.curtime - sample.interval
            and not row["cmdline"]
        )

    def _GetCgroupPaths(self, sample):
        """Determines the cgroup of each process.

        Args:
          sample (parseable.Sample): what atop printed of the sample, since 2.11.

        Returns:
          dict[int, str]: longest path per process identifier.
        """
        paths = {}
        for cgroup in sample.cgroups:
            path = cgroup["path"].decode("ascii")
            for pid in cgroup["pids"]:
                paths[pid] = max(paths.get(pid, ""), path, key=len)
        return paths

    def _GetBuiltCounters(self, task, version):
        """Determines the expected values of what a task used.

        Args:
          task (dict[str, dict[str, object]]): values of the members of a living task.
          version (tuple[int, int]): version of atop, the one with disk transfers and
              network but without the kernel patch.

        Returns:
          dict[str, int]: values of the attributes.
        """
        counters = {
            "cancelled_written_size": task["dsk"]["cwsz"] * 512,
            "major_faults": task["mem"]["majflt"],
            "minor_faults": task["mem"]["minflt"],
            "read_size": task["dsk"]["rsz"] * 512,
            "system_cpu_time": task["cpu"]["stime"] * 10,
            "user_cpu_time": task["cpu"]["utime"] * 10,
            "written_size": task["dsk"]["wsz"] * 512,
        }
        if version >= self._VERSION_WITH_RUN_DELAY:
            counters["run_delay_microseconds"] = task["cpu"]["rundelay"] // 1000
        if version >= self._VERSION_WITH_BLOCK_DELAY:
            counters["block_io_delay_time"] = task["cpu"]["blkdelay"] * 10
        if version >= self._VERSION_WITH_CONTEXT_SWITCHES:
            counters["involuntary_context_switches"] = task["cpu"]["nivcsw"]
            counters["voluntary_context_switches"] = task["cpu"]["nvcsw"]

        return counters

    def _GetBuiltNetwork(self, task):
        """Determines the expected values of the network transfers of a task.

        Args:
          task (dict[str, dict[str, object]]): values of the members.

        Returns:
          dict[str, int]: values of the attributes.
        """
        return {name: task["net"][member] for name, member in NETWORK_MEMBERS.items()}

    def _GetBuiltTask(self, task, version):
        """Determines what events of living processes and threads have in common.

        Args:
          task (dict[str, dict[str, object]]): values of the members.
          version (tuple[int, int]): version of atop.

        Returns:
          dict[str, object]: values of the attributes.
        """
        cpu = task["cpu"]
        percent = (cpu["utime"] + cpu["stime"]) / self._INTERVAL
        values = {
            "cpu_percent": round(percent, 1),
            "nice_value": cpu["nice"],
            "scheduling_priority": cpu["prio"],
            "processor_number": cpu["curcpu"],
            "real_time_priority": cpu["rtprio"],
            "scheduling_policy": cpu["policy"],
            "user_identifier": task["gen"]["ruid"],
        }
        if version >= self._VERSION_WITH_RUN_DELAY:
            values["wait_channel"] = cpu["wchan"].decode("ascii")
        return values

    def _GetDistinctTask(self, version, abi=layouts.ABIS[0], **overrides):
        """Makes an entry in which no two members have the same value.

        Args:
          version (str): version of atop.
          abi (Optional[layouts.ABI]): machine type.
          overrides (dict[str, object]): values of members that have another one, their
              name with two underscores in place of the dot. Those that the version does
              not have are passed over.

        Returns:
          dict[str, dict[str, object]]: values of the members of a process that is alive
              and was active.
        """
        structure = layouts.GetFileLayout(version, abi).tstat
        task = log_builder.GetDistinctValues(structure, first_value=100000)
        overrides = {
            "gen__excode": 0,
            "gen__isproc": 1,
            "gen__state": b"S",
            "gen__wasinactive": 0,
            **overrides,
        }
        for name, value in overrides.items():
            part, _, member = name.partition("__")
            if member in task.get(part, {}):
                task[part][member] = value
        return task

    def _GetNetworkArguments(self, version):
        """Determines how a log is built in which network transfers were recorded.

        Args:
          version (str): version of atop.

        Returns:
          dict[str, int]: arguments of _ParseTasks.
        """
        flags = (
            log_builder.FLAG_ACCOUNTING
            | log_builder.FLAG_IOSTAT
            | log_builder.FLAG_NETATOP
            | log_builder.FLAG_NETATOPD
        )
        if version in ("1.23", "1.26", "1.27"):
            return {"supportflags": SUPPORT_PATCHSTAT | SUPPORT_PATCHACCT}
        return {"flags": flags}

    def _GetUsername(self, *tasks, version="2.10", cgroups=None, is_damaged=False):
        """Retrieves the name of the user that an event shows.

        Args:
          tasks (list[dict[str, object]]): values of members of the entries. There has
              to be one event.
          version (Optional[str]): version of atop.
          cgroups (Optional[list[log_builder.Cgroup]]): control groups, since 2.11.
          is_damaged (Optional[bool]): True to overwrite the end of the control groups.

        Returns:
          str: name or None if not known.
        """
        builder = log_builder.LogBuilder(version=version)
        flags = log_builder.FLAG_CONTAINERS
        if version == "2.10":
            flags |= log_builder.FLAG_CGROUPS
        builder.AddSample(log_builder.T0, flags=flags, tasks=tasks, cgroups=cgroups)
        data = builder.Build()
        if is_damaged:
            data = data[:-8] + b"\xa5" * 8
        storage_writer = self._ParseData(
            data,
            self._CreateParser(),
            system_configurations=[
                self._CreateSystemConfiguration({"0": "root", "33": "www-data"})
            ],
        )
        (event_data,) = self._GetEventData(storage_writer)
        return event_data.username

    def _CheckUsernameOfCgroup(self, *tasks):
        """Checks when the control group shows that a process is in no container.

        Args:
          tasks (list[dict[str, object]]): values of members of the entries, of the
              newest version, of a process 42 of a user, and maybe its thread.
        """

        def _GetUsername(name, pid=42, **kwargs):
            """Retrieves the name of the user that an event shows.

            Args:
              name (bytes): name of a control group.
              pid (Optional[int]): identifier of the process in it.
              kwargs (dict[str, object]): other arguments of _GetUsername.

            Returns:
              str: name or None if not known.
            """
            cgroups = [
                log_builder.Cgroup(b"", -1, [], {}),
                log_builder.Cgroup(name, 0, [pid], {}),
            ]
            return self._GetUsername(
                *tasks, version=layouts.VERSIONS[-1], cgroups=cgroups, **kwargs
            )

        self.assertEqual(
            self._GetUsername(*tasks, version=layouts.VERSIONS[-1]), "www-data"
        )
        self.assertEqual(_GetUsername(b"cron.service"), "www-data")
        self.assertIsNone(_GetUsername(b"docker-0123.scope"))
        self.assertIsNone(_GetUsername(b"cron.service", pid=43))
        self.assertIsNone(_GetUsername(b"cron.service", is_damaged=True))

    def _GetUserTask(self, version="2.10", **overrides):
        """Makes an entry of a process of a user.

        Args:
          version (Optional[str]): version of atop.
          overrides (dict[str, object]): values of members that have another one.

        Returns:
          dict[str, dict[str, object]]: values of the members.
        """
        values = {
            "gen__cgpath": b"/system.slice/cron.service",
            "gen__ctid": 0,
            "gen__pid": 42,
            "gen__ruid": 33,
            "gen__tgid": 42,
            "gen__utsname": b"",
        }
        return self._GetDistinctTask(version, **{**values, **overrides})

    def _ParseTasks(
        self, *tasks, version=layouts.VERSIONS[-1], abi=layouts.ABIS[0], **kwargs
    ):
        """Retrieves the event data of a log with a sample that is not the first.

        Args:
          tasks (list[dict[str, object]]): values of members of the entries.
          version (Optional[str]): version of atop.
          abi (Optional[layouts.ABI]): machine type.
          kwargs (dict[str, object]): flags and interval of the sample, what the
              warnings have to start with, and values of the header.

        Returns:
          list[EventData]: event data.
        """
        flags = kwargs.pop(
            "flags", log_builder.FLAG_ACCOUNTING | log_builder.FLAG_IOSTAT
        )
        warnings = kwargs.pop("warnings", ())
        interval = kwargs.pop("interval", self._INTERVAL)
        builder = log_builder.LogBuilder(version=version, abi=abi, **kwargs)
        builder.AddSample(log_builder.T0 - interval, flags=log_builder.FLAG_BOOT)
        builder.AddSample(log_builder.T0, interval=interval, flags=flags, tasks=tasks)
        return self._GetBuiltEventData(builder, warnings)
