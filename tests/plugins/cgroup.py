"""Tests for the atop raw log cgroup plugin.

No real log has limits, memory or disk transfers of cgroups: these are tested with logs
that are built.
"""

import unittest

from plaso_atop import layouts

import log_builder
from tests.lib import test_lib
from tests.lib import sample_test_lib

# Versions that store control groups.
_VERSIONS = [
    version
    for version in layouts.VERSIONS
    if layouts.GetFileLayout(version, layouts.ABIS[0]).cstat
]


class AtopCgroupPluginTest(sample_test_lib.SamplePluginTestCase):
    """Tests for the atop raw log cgroup plugin."""

    PLUGIN_NAME = "cgroup"

    _TOTALS_ATTRIBUTE = "since_creation"

    _COMMON_ATTRIBUTES = frozenset(
        ["hostname", "interval_seconds", "offset", "sample_time", "since_creation"]
    )

    _INTERVAL = 600

    _MAXIMUM_NUMBER_OF_PIDS = 256

    _PAGE_SIZE = 4096

    _VERSION_WITH_CGROUPS = (2, 11)

    # What is -1 where there is none and -2 where it is not known, and its unit.
    _LIMITS = {
        "cpu_limit_percent": ("conf.cpumax", 1),
        "cpu_weight": ("conf.cpuweight", 1),
        "disk_weight": ("conf.dskweight", 1),
        "memory_limit_size": ("conf.memmax", _PAGE_SIZE),
        "swap_limit_size": ("conf.swpmax", _PAGE_SIZE),
    }

    # What is -1 where it is not known, and its unit.
    _SIZES = {
        "memory_anonymous_size": ("mem.anon", _PAGE_SIZE),
        "memory_file_size": ("mem.file", _PAGE_SIZE),
        "memory_kernel_size": ("mem.kernel", _PAGE_SIZE),
        "memory_shared_size": ("mem.shmem", _PAGE_SIZE),
        "memory_used_size": ("mem.current", _PAGE_SIZE),
        "number_of_processes": ("gen.nprocs", 1),
        "number_of_processes_below": ("gen.procsbelow", 1),
        "number_of_reads": ("dsk.rios", 1),
        "number_of_writes": ("dsk.wios", 1),
        "read_size": ("dsk.rbytes", 1),
        "written_size": ("dsk.wbytes", 1),
    }

    # Microseconds.
    _TIMES = {
        "cpu_pressure_full_time": "cpu.fullpres",
        "cpu_pressure_some_time": "cpu.somepres",
        "io_pressure_full_time": "dsk.fullpres",
        "io_pressure_some_time": "dsk.somepres",
        "memory_pressure_full_time": "mem.fullpres",
        "memory_pressure_some_time": "mem.somepres",
        "system_cpu_time": "cpu.stime",
        "user_cpu_time": "cpu.utime",
    }

    _ACTIVITY = frozenset(_TIMES).union(
        ["number_of_reads", "number_of_writes", "read_size", "written_size"]
    )

    def _GetExpectedCgroup(self, cgroup, is_boot, interval):
        """Determines the expected values of a cgroup.

        Args:
          cgroup (dict[str, object]): path, pids and values of the members.
          is_boot (bool): True if the sample is the first of a run of atop.
          interval (int): interval in seconds.

        Returns:
          dict[str, object]: values of the attributes, None if there must be no event.
        """
        values = {}
        for name, (member, unit) in {**self._LIMITS, **self._SIZES}.items():
            if cgroup[member] >= 0:
                values[name] = cgroup[member] * unit

        for name, member in self._TIMES.items():
            microseconds = cgroup[member]
            if microseconds >= 0:
                values[name] = microseconds // 1000
                if not is_boot and "pressure" in name:
                    share = microseconds / (interval * 1000000)
                    name = name.replace("time", "percent")
                    values[name] = min(100.0, round(share * 100, 1))

        # The first sample of a run also shows those that only hold processes.
        holds_processes = cgroup["gen.nprocs"] > 0 or cgroup["gen.procsbelow"] > 0
        if not any(values.get(name) for name in self._ACTIVITY) and not (
            is_boot and holds_processes
        ):
            return None

        if not is_boot and cgroup["cpu.utime"] >= 0 and cgroup["cpu.stime"] >= 0:
            microseconds = cgroup["cpu.utime"] + cgroup["cpu.stime"]
            values["cpu_percent"] = round(microseconds / (interval * 10000), 1)

        values["cgroup"] = cgroup["path"].decode("ascii")

        # A process that the kernel does not show in the namespace of atop is 0.
        pids = [pid for pid in cgroup["pids"] if pid]
        if pids:
            values["pids"] = pids[: self._MAXIMUM_NUMBER_OF_PIDS]
        return values

    def testLogs(self):
        """Tests that the events of all logs are what atop printed."""
        for log in test_lib.LOGS:
            with self.subTest(log=log.name):
                number_of_events = 0
                for sample, elements in self._GetSamples(log):
                    expected_values = [
                        self._GetExpectedCgroup(cgroup, sample.is_boot, sample.interval)
                        for cgroup in sample.cgroups
                    ]
                    self.assertEqual(
                        [self._GetMeasuredValues(element) for element in elements],
                        [values for values in expected_values if values],
                    )
                    number_of_events += len(elements)

                has_cgroups = log.version_tuple >= self._VERSION_WITH_CGROUPS
                self.assertEqual(number_of_events > 0, has_cgroups)

    def _GetDistinctCgroup(
        self, version=layouts.VERSIONS[-1], abi=layouts.ABIS[0], **overrides
    ):
        """Makes a cgroup with a different value for each metric and limit.

        Args:
          version (Optional[str]): version of atop.
          abi (Optional[layouts.ABI]): machine type.
          overrides (dict[str, int]): values of members that have another one, their
              name with two underscores in place of the dot.

        Returns:
          dict[str, int]: value per name of the member.
        """
        structure = layouts.GetFileLayout(version, abi).cstat
        values = log_builder.GetDistinctValues(structure, first_value=100000)
        values = {
            f"{part:s}.{member:s}": value
            for part in ("conf", "cpu", "dsk", "mem")
            for member, value in values[part].items()
        }
        values["gen.procsbelow"] = 7
        for name, value in overrides.items():
            values[name.replace("__", ".")] = value
        return values

    def _ParseCgroups(
        self, *cgroups, version=layouts.VERSIONS[-1], abi=layouts.ABIS[0], **kwargs
    ):
        """Retrieves the event data of a log with a sample that is not the first.

        Args:
          cgroups (list[log_builder.Cgroup]): cgroups.
          version (Optional[str]): version of atop.
          abi (Optional[layouts.ABI]): machine type.
          kwargs (dict[str, int]): flags and interval of the sample.

        Returns:
          list[EventData]: event data.
        """
        builder = log_builder.LogBuilder(version=version, abi=abi)
        kwargs.setdefault("interval", self._INTERVAL)
        # The first sample of a run. Its cgroup has no event.
        builder.AddSample(
            log_builder.T0 - self._INTERVAL,
            flags=1,
            cgroups=[log_builder.Cgroup(b"", -1, [], {})],
        )
        builder.AddSample(log_builder.T0, cgroups=cgroups, **kwargs)
        return self._GetBuiltEventData(builder)

    def testBuiltLogs(self):
        """Tests all members of cgroups of all versions and machine types."""
        for version in _VERSIONS:
            for abi in layouts.ABIS:
                for flags in (0, 1):
                    with self.subTest(version=version, abi=abi.name, flags=flags):
                        values = self._GetDistinctCgroup(version, abi)
                        elements = self._ParseCgroups(
                            log_builder.Cgroup(b"", -1, [], {}),
                            log_builder.Cgroup(b"user.slice", 0, [], {}),
                            log_builder.Cgroup(b"session-4.scope", 1, [42, 41], values),
                            flags=flags,
                            version=version,
                            abi=abi,
                        )
                        (event_data,) = elements
                        self.assertEqual(
                            self._GetMeasuredValues(event_data),
                            self._GetExpectedCgroup(
                                {
                                    **values,
                                    "gen.nprocs": 2,
                                    "path": b"/user.slice/session-4.scope",
                                    "pids": [42, 41],
                                },
                                bool(flags),
                                self._INTERVAL,
                            ),
                        )
                        self.assertEqual(event_data.since_creation, bool(flags) or None)

    def testUnknown(self):
        """Tests what is not limited and what is not known."""
        for value in (-1, -2):
            values = self._GetDistinctCgroup()
            values = {name: value for name in values}
            values["cpu.utime"] = 12345678
            (event_data,) = self._ParseCgroups(log_builder.Cgroup(b"", -1, [], values))
            self.assertEqual(
                self._GetMeasuredValues(event_data),
                {"cgroup": "/", "number_of_processes": 0, "user_cpu_time": 12345},
            )

        # More than fits in an event.
        values = self._GetDistinctCgroup(mem__current=1 << 62, cpu__fullpres=1 << 62)
        (event_data,) = self._ParseCgroups(log_builder.Cgroup(b"", -1, [], values))
        self.assertIsNone(event_data.memory_used_size)
        self.assertEqual(event_data.cpu_pressure_full_percent, 100.0)

        # All of the CPU time is needed for its share of the interval.
        for name in ("cpu__stime", "cpu__utime"):
            for value, percent in ((-1, None), (0, 0.0)):
                values = self._GetDistinctCgroup(
                    **{"cpu__stime": 1, "cpu__utime": 1, name: value}
                )
                cgroup = log_builder.Cgroup(b"", -1, [], values)
                (event_data,) = self._ParseCgroups(cgroup)
                self.assertEqual(event_data.cpu_percent, percent)

        (event_data,) = self._ParseCgroups(cgroup, interval=0)
        self.assertIsNone(event_data.cpu_percent)
        self.assertIsNone(event_data.cpu_pressure_full_percent)

    def testActivity(self):
        """Tests that later samples only show groups that used something."""
        idle_values = {
            name: 1 if name.startswith(("conf", "mem")) else 0
            for name in self._GetDistinctCgroup()
        }
        idle_values.update({"mem.fullpres": 0, "mem.somepres": 0})
        cgroup = log_builder.Cgroup(b"", -1, [1], idle_values)
        self.assertEqual(self._ParseCgroups(cgroup), [])

        for part in ("cpu", "dsk", "mem"):
            for member in ("fullpres", "somepres"):
                values = {**idle_values, f"{part:s}.{member:s}": 1000}
                self.assertEqual(
                    len(self._ParseCgroups(cgroup._replace(values=values))), 1
                )

                # Less than a millisecond.
                values = {**idle_values, f"{part:s}.{member:s}": 999}
                self.assertEqual(self._ParseCgroups(cgroup._replace(values=values)), [])

        for name, value in (
            ("cpu.stime", 1000),
            ("cpu.utime", 1000),
            ("dsk.rbytes", 1),
            ("dsk.rios", 1),
            ("dsk.wbytes", 1),
            ("dsk.wios", 1),
        ):
            values = {**idle_values, name: value}
            self.assertEqual(len(self._ParseCgroups(cgroup._replace(values=values))), 1)

    def testExistence(self):
        """Tests that the first sample of a run shows all groups with processes."""
        idle_values = {
            name: -1 if name.startswith("conf") else 0
            for name in self._GetDistinctCgroup()
        }
        cgroups = [
            log_builder.Cgroup(b"", -1, [], {**idle_values, "gen.procsbelow": 3}),
            log_builder.Cgroup(b"a", 0, [], {**idle_values, "gen.procsbelow": 2}),
            log_builder.Cgroup(b"b", 1, [42, 43], idle_values),
            log_builder.Cgroup(b"c", 0, [0], {**idle_values, "cpu.utime": -1}),
            log_builder.Cgroup(b"empty", 0, [], idle_values),
            log_builder.Cgroup(b"busy", 0, [], {**idle_values, "cpu.utime": 1000}),
        ]
        # No processes are known to be below it.
        cgroups[-2] = cgroups[-2]._replace(values={**idle_values, "gen.procsbelow": -1})

        def _GetPaths(*samples):
            """Retrieves the paths of the groups that events show.

            Args:
              samples (list[tuple[int, list[Cgroup]]]): flags and groups.

            Returns:
              list[list[str]]: paths of each sample.
            """
            builder = log_builder.LogBuilder()
            offsets = [
                builder.AddSample(
                    log_builder.T0 + 600 * index, flags=flags, cgroups=elements
                )
                for index, (flags, elements) in enumerate(samples)
            ]
            paths_per_offset = {offset: [] for offset in offsets}
            for event_data in self._GetBuiltEventData(builder):
                paths_per_offset[event_data.offset].append(event_data.cgroup)
            return list(paths_per_offset.values())

        every_path = ["/", "/a", "/a/b", "/c", "/busy"]
        self.assertEqual(
            _GetPaths((1, cgroups), (0, cgroups), (1, cgroups), (0, cgroups)),
            [every_path, ["/busy"], every_path, ["/busy"]],
        )
        # Where that of a run is lost or holds none, it is the first that holds some.
        self.assertEqual(_GetPaths((0, cgroups), (0, cgroups)), [every_path, ["/busy"]])
        self.assertEqual(
            _GetPaths((1, None), (0, cgroups), (0, cgroups)),
            [[], every_path, ["/busy"]],
        )

        # Groups that only exist have no counters but zeros.
        builder = log_builder.LogBuilder()
        builder.AddSample(log_builder.T0, flags=1, cgroups=cgroups)
        event_data = self._GetBuiltEventData(builder)[2]
        self.assertEqual(event_data.pids, [42, 43])
        self.assertEqual(event_data.user_cpu_time, 0)
        self.assertTrue(event_data.since_creation)
        self.assertEqual(
            self._GetMessages(event_data)[0],
            "Cgroup: /a/b since the creation of the cgroup Processes: 2",
        )

    def testPids(self):
        """Tests that the list of processes is bounded."""
        values = {"cpu.utime": 1000}
        pids = [0] + list(range(1, 5000))
        (event_data,) = self._ParseCgroups(log_builder.Cgroup(b"", -1, pids, values))
        self.assertEqual(event_data.number_of_processes, 5000)
        self.assertEqual(event_data.pids, list(range(1, 257)))

        (event_data,) = self._ParseCgroups(log_builder.Cgroup(b"", -1, [0, 0], values))
        self.assertEqual(event_data.number_of_processes, 2)
        self.assertIsNone(event_data.pids)

    def testMessage(self):
        """Tests the message."""
        (event_data,) = self._ParseCgroups(
            log_builder.Cgroup(b"", -1, [], {}),
            log_builder.Cgroup(
                b"=cmd()\x1b[2J",
                0,
                [1, 2],
                {
                    "conf.cpumax": 150,
                    "conf.memmax": 262144,
                    "cpu.stime": 60000000,
                    "cpu.somepres": 6000000,
                    "dsk.wbytes": 4096,
                    "dsk.wios": 1,
                    "mem.current": 256,
                },
            ),
        )
        self.assertEqual(
            self._GetMessages(event_data)[0],
            "Cgroup: /=cmd()\\x1b[2J in 600 s Processes: 2 CPU: 10.0% System "
            "CPU: 60000 ms CPU limit: 150% Memory: 1048576 bytes Memory limit: "
            "1073741824 bytes Written: 4096 bytes Writes: 1 CPU pressure: 1.0%",
        )

        values = {"conf.cpumax": -1, "conf.memmax": -1, "cpu.utime": 60000000}
        (event_data,) = self._ParseCgroups(
            log_builder.Cgroup(b"", -1, [], values), flags=1
        )
        self.assertEqual(
            self._GetMessages(event_data)[0],
            "Cgroup: / since the creation of the cgroup User CPU: 60000 ms",
        )


if __name__ == "__main__":
    unittest.main()
