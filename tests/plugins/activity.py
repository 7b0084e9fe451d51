"""Tests for the atop raw log process activity plugin.

No real log has GPUs, netatop, the kernel patch of former times, limits of cgroups, wait
channels or proportional sizes: these are tested with logs that are built.
"""

import unittest

from plaso_atop import layouts
from plaso_atop.plugins import activity

import log_builder
from tests.lib import parseable_processes
from tests.lib import test_lib
from tests.lib import sample_test_lib
from tests.lib import task_test_lib


class AtopActivityPluginTest(task_test_lib.TaskPluginTestCase):
    """Tests for the atop raw log process activity plugin."""

    PLUGIN_NAME = "activity"

    _VERSION_WITH_GPU_REMAINS = (2, 6)
    _VERSION_WITH_CONTAINER_NAME = (2, 10)
    _VERSION_WITH_OOM_SCORE = (2, 13)

    # Idle threads are counted among those that cannot be interrupted.
    _VERSIONS_WITH_WRONG_THREADS = ((2, 7), (2, 8), (2, 9))

    _LIMITS = {
        "cgroup_cpu_limit_percent": ("cgcpumax", 1),
        "cgroup_effective_cpu_limit_percent": ("cgcpumaxr", 1),
        "cgroup_effective_memory_limit_size": ("cgmemmaxr", 1024),
        "cgroup_effective_swap_limit_size": ("cgswpmaxr", 1024),
        "cgroup_memory_limit_size": ("cgmemmax", 1024),
        "cgroup_swap_limit_size": ("cgswpmax", 1024),
    }

    _SIZES = {
        "data_size": "vdata",
        "executable_size": "vexec",
        "library_size": "vlibs",
        "locked_size": "vlock",
        "resident_size": "rmem",
        "resident_size_growth": "rgrow",
        "stack_size": "vstack",
        "swapped_size": "vswap",
        "virtual_size": "vmem",
        "virtual_size_growth": "vgrow",
    }

    def _GetExpectedProcess(self, row, sample, version):
        """Determines the expected values of a process.

        Args:
          row (dict[str, int|bytes|bool]): what atop printed of the process.
          sample (parseable.Sample): what atop printed of the sample.
          version (tuple[int, int]): version of atop.

        Returns:
          dict[str, object]: values of the attributes, None if there must be no event.
        """
        counters = self._GetExpectedCounters(row, version)
        is_exited = row["state"] == b"E"
        has_growth = not is_exited and (row["vgrow"] or row["rgrow"])
        if not any(counters.values()) and not has_growth:
            return None

        values = self._GetExpectedTask(row, sample)
        values.update(counters)
        values["process_name"] = row["name"].decode("ascii")
        values["process_state"] = row["state"].decode("ascii")
        # The log of s390x was made with an emulator, the kernel below it wrote the
        # accounting records of exited processes in the byte order of the real machine.
        if row["pid"] > 0:
            values["pid"] = row["pid"]
        if row["cmdline"]:
            values["command_line"] = parseable_processes.GetText(row["cmdline"])
        if row.get("container", b"-") != b"-":
            name = "container_identifier"
            if version >= self._VERSION_WITH_CONTAINER_NAME:
                name = "container_name"
            values[name] = row["container"].decode("ascii")
        if row["ppid"] or not is_exited:
            values["ppid"] = row["ppid"]

        if not is_exited:
            values.update(self._GetExpectedLivingProcess(row, sample, version))

        return values

    def _GetExpectedLivingProcess(self, row, sample, version):
        """Determines the expected values of a process that lives.

        Args:
          row (dict[str, int|bytes|bool]): what atop printed of the process.
          sample (parseable.Sample): what atop printed of the sample.
          version (tuple[int, int]): version of atop.

        Returns:
          dict[str, object]: values of the attributes.
        """
        values = {
            name: row[column] * 1024
            for name, column in self._SIZES.items()
            if column in row
        }
        values["number_of_running_threads"] = row["nthrrun"]
        values["number_of_sleeping_threads"] = row["nthrslpi"]
        values["number_of_threads"] = row["nthr"]
        if version not in self._VERSIONS_WITH_WRONG_THREADS:
            values["number_of_uninterruptible_threads"] = row["nthrslpu"]
        if "nthridle" in row:
            values["number_of_idle_threads"] = row["nthridle"]

        if row.get("pmem", 0) > 0:
            values["proportional_size"] = row["pmem"] * 1024

        for name, (column, unit) in self._LIMITS.items():
            if row.get(column, -3) >= 0:
                values[name] = row[column] * unit

        # Since 2.11 atop prints the last of several.
        path = row.get("cgroup", b"").decode("ascii")
        if version >= self._VERSION_WITH_CGROUP_LIST:
            path = self._GetCgroupPaths(sample).get(row["pid"])
        if path:
            values["cgroup"] = path

        # Not printed.
        if version >= self._VERSION_WITH_OOM_SCORE:
            values.update({"oom_score": None, "oom_score_adjustment": None})

        return values

    def _GetBuiltLiving(self, task, version):
        """Determines the expected values of a process that lives.

        Args:
          task (dict[str, dict[str, object]]): values of the members.
          version (tuple[int, int]): version of atop.

        Returns:
          dict[str, object]: values of the attributes, those of GPUs, containers and
              control groups excepted.
        """
        gen = task["gen"]
        values = {
            **self._GetBuiltCounters(task, version),
            **self._GetBuiltTask(task, version),
            "command_line": gen["cmdline"].decode("ascii"),
            "number_of_running_threads": gen["nthrrun"],
            "number_of_sleeping_threads": gen["nthrslpi"],
            "number_of_threads": gen["nthr"],
            "pid": gen["pid"],
            "ppid": gen["ppid"],
            "process_name": gen["name"].decode("ascii"),
            "process_state": "S",
        }
        for name, member in self._SIZES.items():
            if member == "vexec" and "shtext" in task["mem"]:
                member = "shtext"
            if member in task["mem"]:
                values[name] = task["mem"][member] * 1024

        if "pmem" in task["mem"]:
            values["proportional_size"] = task["mem"]["pmem"] * 1024
        if version not in self._VERSIONS_WITH_WRONG_THREADS:
            values["number_of_uninterruptible_threads"] = gen["nthrslpu"]
        if "nthridle" in gen:
            values["number_of_idle_threads"] = gen["nthridle"]
        if "vpid" in gen:
            values["vpid"] = gen["vpid"]
        if "ctid" in gen or "envid" in gen:
            values["ctid"] = gen.get("ctid", gen.get("envid"))
        if version >= self._VERSION_WITH_OOM_SCORE:
            values["oom_score"] = task["mem"]["oomscore"]
            values["oom_score_adjustment"] = task["mem"]["oomscoreadj"]
        return values

    def _GetThreads(self, task):
        """Makes the entries of two threads that did what a process did.

        Args:
          task (dict[str, dict[str, object]]): values of the members of the process.

        Returns:
          list[dict[str, dict[str, object]]]: values of the members of the threads. A
              process of a version without threads has none.
        """
        if "isproc" not in task["gen"]:
            return []

        threads = []
        for index in range(2):
            cpu = {}
            for member in ("blkdelay", "nivcsw", "nvcsw", "rundelay"):
                if member in task["cpu"]:
                    parts = divmod(task["cpu"][member], 3)
                    cpu[member] = sum(parts) if index else 2 * parts[0]

            threads.append(
                {
                    "gen.isproc": 0,
                    "gen.pid": task["gen"]["pid"] + index,
                    "gen.tgid": task["gen"]["pid"],
                    "cpu": cpu,
                }
            )
        return threads

    def testBuiltLogs(self):
        """Tests all members of entries of all versions and machine types."""
        for version, abi in sample_test_lib.VERSIONS_AND_ABIS:
            with self.subTest(version=version, abi=abi.name):
                version_tuple = layouts.GetVersionTuple(version)
                task = self._GetDistinctTask(version, abi)
                (event_data,) = self._ParseTasks(
                    task, *self._GetThreads(task), version=version, abi=abi
                )

                self.assertEqual(
                    self._GetMeasuredValues(event_data),
                    self._GetBuiltLiving(task, version_tuple),
                )

    def testExited(self):
        """Tests that an event of an exited process shows only what is known."""
        for version, abi in sample_test_lib.VERSIONS_AND_ABIS:
            with self.subTest(version=version, abi=abi.name):
                task = self._GetDistinctTask(version, abi, gen__state=b"E")
                gen = task["gen"]
                expected_values = {
                    "command_line": gen["cmdline"].decode("ascii"),
                    "cpu_percent": round(
                        (task["cpu"]["utime"] + task["cpu"]["stime"]) / self._INTERVAL,
                        1,
                    ),
                    "major_faults": task["mem"]["majflt"],
                    "minor_faults": task["mem"]["minflt"],
                    "pid": gen["pid"],
                    "ppid": gen["ppid"],
                    "process_name": gen["name"].decode("ascii"),
                    "process_state": "E",
                    "system_cpu_time": task["cpu"]["stime"] * 10,
                    "user_cpu_time": task["cpu"]["utime"] * 10,
                    "user_identifier": gen["ruid"],
                }
                flags = (
                    log_builder.FLAG_ACCOUNTING
                    | log_builder.FLAG_IOSTAT
                    | log_builder.FLAG_NETATOP
                )
                (event_data,) = self._ParseTasks(
                    task, version=version, abi=abi, flags=flags
                )
                self.assertEqual(self._GetMeasuredValues(event_data), expected_values)

                (event_data,) = self._ParseTasks(
                    task,
                    version=version,
                    abi=abi,
                    **self._GetNetworkArguments(version),
                )
                self.assertEqual(
                    self._GetMeasuredValues(event_data),
                    {**expected_values, **self._GetBuiltNetwork(task)},
                )

    def testNetwork(self):
        """Tests the network transfers of all versions and machine types."""
        names = set(task_test_lib.NETWORK_MEMBERS)
        for version, abi in sample_test_lib.VERSIONS_AND_ABIS:
            with self.subTest(version=version, abi=abi.name):
                task = self._GetDistinctTask(version, abi)
                (event_data,) = self._ParseTasks(
                    task,
                    version=version,
                    abi=abi,
                    **self._GetNetworkArguments(version),
                )
                values = self._GetMeasuredValues(event_data)
                self.assertEqual(
                    {name: value for name, value in values.items() if name in names},
                    self._GetBuiltNetwork(task),
                )

        # The header shows netatop-bpf. Exited processes need netatopd.
        for state, flags, support_flags, has_network in (
            (b"S", 0, 0x35, False),
            (b"S", log_builder.FLAG_NETATOP, 0x35, True),
            (b"S", 0, 0x35 | task_test_lib.SUPPORT_NETATOP_BPF, True),
            (b"E", log_builder.FLAG_NETATOP, 0x35, False),
            (b"E", log_builder.FLAG_NETATOPD, 0x35, True),
            (b"E", 0, 0x35 | task_test_lib.SUPPORT_NETATOP_BPF, True),
        ):
            with self.subTest(state=state, flags=flags, support_flags=support_flags):
                (event_data,) = self._ParseTasks(
                    self._GetDistinctTask(layouts.VERSIONS[-1], gen__state=state),
                    flags=flags,
                    supportflags=support_flags,
                )
                values = self._GetMeasuredValues(event_data)
                self.assertEqual(names.issubset(values), has_network)
                self.assertEqual(not names.isdisjoint(values), has_network)

    def testDiskTransfers(self):
        """Tests when events show disk transfers and requests."""
        sizes = {"read_size", "written_size"}
        requests = {"number_of_reads", "number_of_writes"}
        cancelled = {"cancelled_written_size"}
        names = sizes | requests | cancelled

        patch = task_test_lib.SUPPORT_PATCHSTAT
        iostat = task_test_lib.SUPPORT_IOSTAT
        for version, flags, support_flags, expected_names in (
            ("1.23", 0, 0, set()),
            ("1.23", 0, iostat, sizes | cancelled),
            ("1.23", 0, patch, sizes | requests),
            ("1.23", 0, patch | iostat, sizes | requests),
            ("1.27", 0, patch, sizes | requests),
            # Since 2.0 the bit has no meaning.
            ("2.0", 0, patch, set()),
            ("2.0", 0, iostat, sizes | cancelled),
            ("2.2", 0, iostat, sizes | cancelled),
            # 2.2.6 and later: the flag of the record decides.
            ("2.2-3", 0, 0x35, set()),
            (layouts.VERSIONS[-1], 0, 0x35, set()),
            (layouts.VERSIONS[-1], log_builder.FLAG_IOSTAT, 0x35, sizes | cancelled),
        ):
            with self.subTest(version=version, flags=flags, support=support_flags):
                task = self._GetDistinctTask(version)
                (event_data,) = self._ParseTasks(
                    task, version=version, flags=flags, supportflags=support_flags
                )
                values = self._GetMeasuredValues(event_data)
                self.assertEqual(names.intersection(values), expected_names)
                if requests <= expected_names:
                    self.assertEqual(event_data.number_of_reads, task["dsk"]["rio"])
                    self.assertEqual(event_data.number_of_writes, task["dsk"]["wio"])
                if sizes <= expected_names:
                    self.assertEqual(event_data.read_size, task["dsk"]["rsz"] * 512)

    def testContainer(self):
        """Tests the container and the control group."""
        flags = log_builder.FLAG_CONTAINERS | log_builder.FLAG_CGROUPS
        for version, name, member in (
            ("2.3", "container_identifier", "container"),
            ("2.9", "container_identifier", "container"),
            ("2.10", "container_name", "utsname"),
            (layouts.VERSIONS[-1], "container_name", "utsname"),
        ):
            with self.subTest(version=version):
                task = self._GetDistinctTask(version)
                (event_data,) = self._ParseTasks(task, version=version, flags=flags)
                self.assertEqual(
                    getattr(event_data, name), task["gen"][member].decode("ascii")
                )
                path = task["gen"].get("cgpath")
                self.assertEqual(event_data.cgroup, path and path.decode("ascii"))

                (event_data,) = self._ParseTasks(task, version=version, flags=0)
                self.assertIsNone(getattr(event_data, name))
                self.assertIsNone(event_data.cgroup)

    def testCgroupLimits(self):
        """Tests the limits of control groups."""
        limits = {**self._LIMITS, "cgroup_cpu_weight": ("cgcpuweight", 1)}
        flags = log_builder.FLAG_CGROUPS
        for version in ("2.8", "2.9", "2.10"):
            for abi in layouts.ABIS:
                with self.subTest(version=version, abi=abi.name):
                    task = self._GetDistinctTask(version, abi)
                    (event_data,) = self._ParseTasks(
                        task, version=version, abi=abi, flags=flags
                    )
                    for name, (member, unit) in limits.items():
                        part = "mem" if unit == 1024 else "cpu"
                        self.assertEqual(
                            getattr(event_data, name), task[part][member] * unit
                        )

            # There is none, or it is not known.
            for value in (-1, -2):
                for member, unit in limits.values():
                    task["mem" if unit == 1024 else "cpu"][member] = value
                (event_data,) = self._ParseTasks(
                    task, version=version, abi=abi, flags=flags
                )
                self.assertTrue(
                    set(limits).isdisjoint(self._GetMeasuredValues(event_data))
                )

        # In 2.7 and since 2.11 there are no such members.
        for version in ("2.7", "2.11"):
            task = self._GetDistinctTask(version)
            (event_data,) = self._ParseTasks(task, version=version, flags=flags)
            self.assertTrue(set(limits).isdisjoint(self._GetMeasuredValues(event_data)))

    def _GetGPU(self, task, version=layouts.VERSIONS[-1], flags=log_builder.FLAG_GPU):
        """Retrieves what an event shows of GPUs.

        Args:
          task (dict[str, dict[str, object]]): values of the members.
          version (Optional[str]): version of atop.
          flags (Optional[int]): flags of the record.

        Returns:
          dict[str, object]: values of the attributes.
        """
        (event_data,) = self._ParseTasks(task, version=version, flags=flags)
        return {
            name: value
            for name, value in self._GetMeasuredValues(event_data).items()
            if "gpu" in name
        }

    def testGPU(self):
        """Tests what processes used of GPUs."""
        values = {
            "gpu__gpulist": 0b101,
            "gpu__memcum": 1500,
            "gpu__nrgpus": 2,
            "gpu__sample": 7,
            "gpu__samples": 7,
        }
        expected_values = {
            "gpu_average_memory_size": 214 * 1024,
            "gpu_numbers": [0, 2],
            "number_of_gpus": 2,
        }
        for version in ("2.4", "2.6", "2.7", "2.10", "2.11"):
            for state in (b"A", b"E"):
                with self.subTest(version=version, state=state):
                    task = self._GetDistinctTask(version, gpu__state=state, **values)
                    self.assertEqual(
                        self._GetGPU(task, version=version),
                        {
                            **expected_values,
                            "gpu_lifetime_busy_percent": task["gpu"]["gpubusy"],
                            "gpu_lifetime_memory_busy_percent": task["gpu"]["membusy"],
                            "gpu_memory_size": task["gpu"]["memnow"] * 1024,
                            "gpu_time": task["gpu"]["timems"],
                        },
                    )

        for state in (b"A", b"E"):
            task = self._GetDistinctTask(
                layouts.VERSIONS[-1],
                gpu__state=state,
                gpu__gpubusycum=255,
                gpu__membusycum=33,
                gpu__type=b"G",
                **values,
            )
            self.assertEqual(
                self._GetGPU(task),
                {
                    **expected_values,
                    "gpu_busy_percent": 36.4,
                    "gpu_memory_busy_percent": 4.7,
                    "gpu_memory_size": task["gpu"]["memnow"] * 1024,
                    "gpu_type": "G",
                },
            )

        # A single sample, and as many GPUs as there can be.
        task = self._GetDistinctTask(
            layouts.VERSIONS[-1],
            gpu__state=b"A",
            gpu__gpubusycum=40,
            gpu__gpulist=-1,
            gpu__samples=1,
        )
        values_of_sample = self._GetGPU(task)
        self.assertEqual(values_of_sample["gpu_busy_percent"], 40.0)
        self.assertEqual(values_of_sample["gpu_numbers"], list(range(32)))

        # Without the flag of the record, or in another state, nothing is valid.
        self.assertEqual(self._GetGPU(task, flags=0), {})
        for state in (b"N", b"\x00", b"\xeb", b"S"):
            task = self._GetDistinctTask(
                layouts.VERSIONS[-1], gpu__state=state, **values
            )
            self.assertEqual(self._GetGPU(task), {})

    def testGPUOfSnapshots(self):
        """Tests what snapshots before 2.13 stored of GPUs, with the number of 2.12."""
        names = {
            "gpu_average_memory_size",
            "gpu_memory_size",
            "gpu_numbers",
            "number_of_gpus",
        }
        names_of_release = {
            "gpu_lifetime_busy_percent",
            "gpu_lifetime_memory_busy_percent",
            "gpu_time",
        }

        def _GetSnapshotTask(abi, **values):
            """Makes an entry of 2.12 with the GPU part of 2.13.

            Args:
              abi (layouts.ABI): machine type.
              values (dict[str, object]): values of members of the part of 2.13.

            Returns:
              dict[str, dict[str, object]]: values of the members.
            """
            gpu = {
                "state": b"A",
                "gpulist": 0b101,
                "memcum": 1500,
                "memnow": 200,
                "nrgpus": 2,
                "samples": 7,
                **values,
            }
            members = layouts.GetFileLayout("2.13", abi).tstat.members
            data = log_builder.Pack(members["gpu"].structure, gpu)

            members = layouts.GetFileLayout("2.12", abi).tstat.members
            structure = members["gpu"].structure
            self.assertEqual(len(data), structure.size)
            task = self._GetDistinctTask("2.12", abi)
            for name, member in structure.members.items():
                elements = member.unpacker.unpack_from(data, member.offset)
                task["gpu"][name] = elements[0] if len(elements) == 1 else elements
            return task

        def _GetValues(*tasks, abi=layouts.ABIS[0]):
            """Retrieves what events of a log of 2.12 show of GPUs.

            Args:
              tasks (list[dict[str, dict[str, object]]]): values of the members.
              abi (Optional[layouts.ABI]): machine type.

            Returns:
              list[dict[str, object]]: values per name of the attribute.
            """
            return [
                {
                    name: value
                    for name, value in self._GetMeasuredValues(event_data).items()
                    if "gpu" in name
                }
                for event_data in self._ParseTasks(
                    *tasks, version="2.12", abi=abi, flags=log_builder.FLAG_GPU
                )
            ]

        for abi in layouts.ABIS:
            for task_type in (b"C", b"G", b"U"):
                with self.subTest(abi=abi.name, task_type=task_type):
                    task = _GetSnapshotTask(
                        abi, type=task_type, gpubusycum=40, membusycum=33
                    )
                    (values,) = _GetValues(task, abi=abi)
                    self.assertEqual(
                        values,
                        {
                            "gpu_average_memory_size": 214 * 1024,
                            "gpu_memory_size": 200 * 1024,
                            "gpu_numbers": [0, 2],
                            "number_of_gpus": 2,
                        },
                    )

        # More than all the time of two GPUs, from where on the others are in doubt.
        for name in ("gpu__gpubusy", "gpu__membusy"):
            task = {
                "gpu__state": b"A",
                "gpu__gpubusy": 200,
                "gpu__membusy": 200,
                "gpu__nrgpus": 2,
            }
            release = self._GetDistinctTask("2.12", **task)
            wrong = self._GetDistinctTask("2.12", **{**task, name: 201})
            self.assertEqual(
                [set(values) for values in _GetValues(release, wrong, release)],
                [names | names_of_release, names, names],
            )

    def testGPUNotUsed(self):
        """Tests a process that does not use GPUs any more."""
        for version in ("2.4", "2.12", layouts.VERSIONS[-1]):
            for state in (b"A", b"E"):
                task = self._GetDistinctTask(version, gpu__state=state, gpu__nrgpus=0)
                self.assertEqual(self._GetGPU(task, version=version), {})

    def testGPUNotAvailable(self):
        """Tests values that GPUs do not provide."""
        names = {"gpu_memory_size", "gpu_numbers", "number_of_gpus"}
        task = self._GetDistinctTask(
            "2.12",
            gpu__state=b"A",
            gpu__gpubusy=-1,
            gpu__membusy=-1,
            gpu__sample=0,
            gpu__timems=0,
        )
        self.assertEqual(set(self._GetGPU(task, version="2.12")), names)

        values = {"gpu__samples": 4, "gpu__memcum": -1, "gpu__type": b"U"}
        task = self._GetDistinctTask(
            layouts.VERSIONS[-1],
            gpu__state=b"A",
            gpu__gpubusycum=-1,
            gpu__membusycum=0,
            **values,
        )
        self.assertEqual(set(self._GetGPU(task)), {*names, "gpu_memory_busy_percent"})

        # The difference of -1 and -1.
        task = self._GetDistinctTask(
            layouts.VERSIONS[-1],
            gen__state=b"E",
            gpu__state=b"E",
            gpu__gpubusycum=0,
            gpu__membusycum=0,
            **values,
        )
        self.assertEqual(set(self._GetGPU(task)), names)

        # In the first sample the interval is not known that the sums are of.
        task = self._GetDistinctTask(
            layouts.VERSIONS[-1], gpu__state=b"A", gpu__type=b"C"
        )
        flags = log_builder.FLAG_GPU | log_builder.FLAG_BOOT
        self.assertEqual(set(self._GetGPU(task, flags=flags)), {*names, "gpu_type"})

    def testActivity(self):
        """Tests that a process has an event only if there is something to show."""
        idle_task = {
            "gen.pid": 42,
            "gen.tgid": 42,
            "gen.isproc": 1,
            "gen.state": b"S",
            "mem.vmem": 1000,
            "mem.rmem": 100,
            "net.tcpsnd": 1,
            "gpu.memnow": 1,
            "gpu.state": b"N",
        }
        self.assertEqual(self._ParseTasks(idle_task), [])

        for member, value in (
            ("cpu.utime", 1),
            ("cpu.stime", 1),
            ("cpu.rundelay", 1000),
            ("cpu.blkdelay", 1),
            ("cpu.nvcsw", 1),
            ("cpu.nivcsw", 1),
            ("dsk.rsz", 1),
            ("dsk.wsz", 1),
            ("dsk.cwsz", 1),
            ("mem.minflt", 1),
            ("mem.majflt", 1),
            ("mem.vgrow", -1),
            ("mem.rgrow", 1),
        ):
            with self.subTest(member=member):
                task = {**idle_task, member: value}
                self.assertEqual(len(self._ParseTasks(task)), 1)

                # An inactive task, a thread, and an entry of a failed exit.
                for override in (
                    {"gen.wasinactive": 1},
                    {"gen.isproc": 0},
                    {"gen.pid": 0},
                    {"gen.pid": -1},
                ):
                    self.assertEqual(self._ParseTasks({**task, **override}), [])

                # An invalid value is nothing to show.
                if member.startswith("dsk."):
                    self.assertEqual(self._ParseTasks(task, flags=0), [])
                if not member.startswith(("dsk.", "mem.vgrow", "mem.rgrow")):
                    self.assertEqual(self._ParseTasks({**task, member: -1}), [])

        # Less than a microsecond.
        self.assertEqual(self._ParseTasks({**idle_task, "cpu.rundelay": 999}), [])

    def testSinceStart(self):
        """Tests the mark of counters that are not those of the interval."""
        new = log_builder.IS_NEW
        start = log_builder.T0 - self._INTERVAL
        for flags, state, excode, btime, is_marked in (
            (log_builder.FLAG_BOOT, b"S", new, start - 1000, True),
            (log_builder.FLAG_BOOT, b"S", 0, start + 10, True),
            # It was started in the interval, whatever the clock says.
            (0, b"S", new, start + 10, False),
            (0, b"S", new, start - 1000, False),
            (0, b"S", 0, start - 1000, False),
            # One that atop knew, one that it could not, and one that it did not.
            (0, b"E", 0, start - 1000, False),
            (0, b"E", new, start - 1, False),
            (0, b"E", new, start - 2, True),
        ):
            with self.subTest(flags=flags, state=state, excode=excode, btime=btime):
                task = self._GetDistinctTask(
                    layouts.VERSIONS[-1],
                    gen__state=state,
                    gen__excode=excode,
                    gen__btime=btime,
                )
                (event_data,) = self._ParseTasks(task, flags=flags)
                self.assertEqual(event_data.since_start, is_marked or None)
                self.assertEqual(event_data.cpu_percent is None, is_marked)

    def testWrapped(self):
        """Tests that a counter that went down is not taken for a large one."""
        wrapped = (1 << 32) - 1000
        members = {
            "cpu__stime": "system_cpu_time",
            "dsk__rsz": "read_size",
            "mem__majflt": "major_faults",
            "mem__minflt": "minor_faults",
        }
        for version in ("1.23", "1.27", "2.0", "2.6", "2.7", layouts.VERSIONS[-1]):
            with self.subTest(version=version):
                version_tuple = layouts.GetVersionTuple(version)
                task = self._GetDistinctTask(
                    version, **{name: wrapped for name in members}
                )
                threads = self._GetThreads(task)
                arguments = self._GetNetworkArguments(version)
                (event_data,) = self._ParseTasks(
                    task, *threads, version=version, **arguments
                )
                values = self._GetMeasuredValues(event_data)

                has_values = version_tuple >= (2, 7)
                for name in members.values():
                    self.assertEqual(name in values, has_values, name)
                self.assertEqual("cpu_percent" in values, has_values)
                self.assertIn("user_cpu_time", values)

                # In the first sample the value is a total, not a difference.
                task["gen"]["excode"] = log_builder.IS_NEW
                (event_data,) = self._ParseTasks(task, version=version, **arguments)
                self.assertEqual(event_data.minor_faults, wrapped)

                # Since 2.0 that was never done for the network.
                task = self._GetDistinctTask(version, net__tcprsz=wrapped)
                (event_data,) = self._ParseTasks(task, version=version, **arguments)
                self.assertEqual(
                    event_data.tcp_received_size,
                    wrapped if version_tuple >= (2, 0) else None,
                )

    def _ParseSamples(self, *samples, version=layouts.VERSIONS[-1]):
        """Retrieves the event data of a log of several samples.

        Args:
          samples (list[list[dict[str, object]]|bytes]): values of members of the
              entries of each sample, or "lost" for one that is overwritten. The first
              sample is the first of a run of atop.
          version (Optional[str]): version of atop.

        Returns:
          list[list[EventData]]: event data per sample.
        """
        builder = log_builder.LogBuilder(version=version)
        damages = []
        offsets = []
        for index, tasks in enumerate(samples):
            is_lost = tasks == b"lost"
            offset = builder.AddSample(
                log_builder.T0 + self._INTERVAL * index,
                interval=self._INTERVAL,
                flags=0 if index else log_builder.FLAG_BOOT,
                tasks=() if is_lost else tasks,
            )
            offsets.append(offset)
            if is_lost:
                damages.append((offset, len(builder.Build())))

        data = bytearray(builder.Build())
        for offset, end_offset in damages:
            data[offset:end_offset] = b"\xa5" * (end_offset - offset)

        elements_per_offset = {offset: [] for offset in offsets}
        for event_data in self._GetBuiltEventData(
            bytes(data), warnings=["no sample readable"] * len(damages)
        ):
            elements_per_offset[event_data.offset].append(event_data)
        return list(elements_per_offset.values())

    def testThreadSums(self):
        """Tests what of a process is the sum of what its threads did."""
        names = {
            "blkdelay": "block_io_delay_time",
            "nivcsw": "involuntary_context_switches",
            "nvcsw": "voluntary_context_switches",
            "rundelay": "run_delay_microseconds",
        }

        def _GetTask(pid, number, *thread_numbers, **gen):
            """Makes the entries of a process and its threads.

            Args:
              pid (int): process identifier.
              number (int): number in place of each of the sums.
              thread_numbers (list[int]): numbers of the threads, none if there is only
                  the main thread, which is not listed then.
              gen (dict[str, object]): values of other members of the process.

            Returns:
              list[dict[str, object]]: values of the members.
            """
            gen = {"nthr": max(1, len(thread_numbers)), **gen}
            tasks = [
                {
                    "gen.isproc": 1,
                    "gen.pid": pid,
                    "gen.state": b"S",
                    "gen.tgid": pid,
                    "mem.minflt": 1,
                    **{f"cpu.{member:s}": 1000 * number for member in names},
                    **{f"gen.{member:s}": value for member, value in gen.items()},
                }
            ]
            tasks.extend(
                {
                    "gen.isproc": 0,
                    "gen.nthr": 1,
                    "gen.pid": pid + index,
                    "gen.tgid": pid,
                    **{f"cpu.{member:s}": 1000 * number for member in names},
                }
                for index, number in enumerate(thread_numbers)
            )
            return tasks

        def _GetNumbers(elements):
            """Retrieves the sums that events show.

            Args:
              elements (list[EventData]): event data of a sample.

            Returns:
              list[int]: number as _GetTask takes it per process, None if not known.
            """
            numbers = []
            for element in elements:
                values = [
                    element.block_io_delay_time and element.block_io_delay_time // 10,
                    element.involuntary_context_switches,
                    element.run_delay_microseconds
                    and element.run_delay_microseconds * 1000,
                    element.voluntary_context_switches,
                ]
                self.assertEqual(len(set(values)), 1, values)
                numbers.append(values[0] and values[0] // 1000)
            return numbers

        new = {"excode": log_builder.IS_NEW}
        for version in ("2.9", layouts.VERSIONS[-1]):
            for samples, expected in (
                # All threads are listed.
                ([_GetTask(9, 7, 3, 4)], [[7]]),
                ([_GetTask(9, 7, 3, 4), _GetTask(9, 1, 1, 0)], [[7], [1]]),
                # One of them ended: the sum fell, by less or more than the others did.
                ([_GetTask(9, 7, 3, 4), _GetTask(9, 9, 1, 0)], [[7], [None]]),
                ([_GetTask(9, 7, 3, 4), _GetTask(9, 2, 3, 0)], [[7], [None]]),
                # Its threads are not listed.
                ([_GetTask(9, 7, 3, 4), _GetTask(9, 1, nthr=2)], [[7], [None]]),
                # The main thread is listed for the first time, with its totals.
                ([_GetTask(9, 7), _GetTask(9, 5, 9, 3)], [[7], [5]]),
                # None but the main thread are left, or never were.
                ([_GetTask(9, 7, 3, 4), _GetTask(9, 5)], [[7], [None]]),
                ([_GetTask(9, 7), _GetTask(9, 5)], [[7], [5]]),
                ([_GetTask(9, 7), [], _GetTask(9, 5)], [[7], [], [5]]),
                (
                    [_GetTask(9, 7, 3, 4), _GetTask(9, 5), _GetTask(9, 6)],
                    [[7], [None], [6]],
                ),
                # What is inactive keeps its threads.
                (
                    [
                        _GetTask(9, 7, 3, 4),
                        _GetTask(9, 0, 0, 0, wasinactive=1),
                        _GetTask(9, 5),
                    ],
                    [[7], [], [None]],
                ),
                # Another process with that identifier, and one that exited.
                ([_GetTask(9, 7, 3, 4), _GetTask(9, 5, **new)], [[7], [5]]),
                (
                    [
                        _GetTask(9, 7, 3, 4),
                        _GetTask(9, 0, state=b"E"),
                        _GetTask(9, 5, **new),
                        _GetTask(9, 6),
                    ],
                    [[7], [None], [5], [6]],
                ),
                # What it was before is lost, for a sample.
                (
                    [_GetTask(9, 7), b"lost", _GetTask(9, 5), _GetTask(9, 6)],
                    [[7], [], [None], [6]],
                ),
                (
                    [
                        _GetTask(9, 7),
                        b"lost",
                        _GetTask(9, 1, 1, 0),
                        _GetTask(9, 0, 0, 0, wasinactive=1),
                        _GetTask(9, 5),
                    ],
                    [[7], [], [1], [], [None]],
                ),
                (
                    [
                        _GetTask(9, 7, 3, 4),
                        b"lost",
                        _GetTask(9, 0, 0, 0, wasinactive=1),
                        _GetTask(9, 5),
                    ],
                    [[7], [], [], [None]],
                ),
                ([_GetTask(9, 7), b"lost", _GetTask(9, 5, **new)], [[7], [], [5]]),
                # Threads of another process, of two.
                (
                    [_GetTask(9, 7, 3, 4) + _GetTask(20, 5) + _GetTask(30, 9, 9, 0)],
                    [[7, 5, 9]],
                ),
                ([_GetTask(9, 7) + _GetTask(20, 5, 2, 3)[1:]], [[7]]),
            ):
                with self.subTest(version=version, expected=expected):
                    elements = self._ParseSamples(*samples, version=version)
                    numbers = [_GetNumbers(element) for element in elements]
                    self.assertEqual(numbers, expected)

        # 2.6 adds 2^32 where the sum fell.
        fallen = (1 << 32) - 2000000000
        process = {"gen.isproc": 1, "gen.nthr": 1, "gen.pid": 9, "gen.tgid": 9}
        process.update({"gen.state": b"S", "mem.minflt": 1})
        thread = {"gen.pid": 9, "gen.tgid": 9}
        samples = self._ParseSamples(
            [
                {**process, "gen.nthr": 2, "cpu.rundelay": 7000},
                {**thread, "cpu.rundelay": 3000},
                {**thread, "cpu.rundelay": 4000},
            ],
            [
                {**process, "gen.nthr": 2, "cpu.rundelay": fallen},
                {**thread, "cpu.rundelay": 1000},
                {**thread, "cpu.rundelay": 0},
            ],
            [{**process, "cpu.rundelay": fallen}],
            [{**process, "cpu.rundelay": 4000000000}],
            version="2.6",
        )
        self.assertEqual(
            [
                [element.run_delay_microseconds for element in elements]
                for elements in samples
            ],
            [[7], [None], [None], [4000000]],
        )

    def testThreadSumsBounds(self):
        """Tests that what is remembered of processes with threads is bounded."""

        def _GetTasks(number_of_threads, excode=0):
            """Makes entries of processes.

            Args:
              number_of_threads (int): number of threads of each.
              excode (Optional[int]): status, negative for those that are new.

            Returns:
              list[dict[str, object]]: values of the members.
            """
            return [
                {
                    "gen.excode": excode,
                    "gen.isproc": 1,
                    "gen.nthr": number_of_threads,
                    "gen.pid": pid,
                    "gen.tgid": pid,
                    "cpu.nvcsw": 5,
                    "mem.minflt": 1,
                }
                for pid in range(1, 9)
            ]

        plugin_class = activity.AtopActivityPlugin
        # pylint: disable=protected-access
        limit = plugin_class._MAXIMUM_NUMBER_OF_MULTITHREADED
        plugin_class._MAXIMUM_NUMBER_OF_MULTITHREADED = 4
        try:
            samples = self._ParseSamples(
                _GetTasks(2, excode=log_builder.IS_NEW),
                _GetTasks(1),
                _GetTasks(1),
                _GetTasks(1),
            )
        finally:
            plugin_class._MAXIMUM_NUMBER_OF_MULTITHREADED = limit

        # An event shows no value of a process that is not remembered.
        self.assertEqual(
            [
                {element.voluntary_context_switches for element in elements}
                for elements in samples
            ],
            [{5}, {None}, {5}, {5}],
        )

    def testInvalid(self):
        """Tests values that cannot be true."""
        names = (
            "cpu__blkdelay cpu__curcpu cpu__nivcsw cpu__nvcsw cpu__policy cpu__prio "
            "cpu__rtprio cpu__rundelay cpu__stime dsk__cwsz dsk__rsz dsk__wsz "
            "gen__nthr gen__nthridle gen__nthrrun gen__nthrslpi gen__nthrslpu "
            "gen__ppid "
            "mem__majflt mem__minflt mem__oomscore mem__pmem mem__rmem mem__vdata "
            "mem__vexec mem__vlibs mem__vlock mem__vmem mem__vstack mem__vswap "
            "net__tcprcv"
        ).split()
        task = self._GetDistinctTask(
            layouts.VERSIONS[-1],
            gen__ruid=-2,
            mem__oomscoreadj=-1000,
            mem__rgrow=-3,
            mem__vgrow=-(1 << 62),
            **{name: -1 for name in names},
        )
        arguments = self._GetNetworkArguments(layouts.VERSIONS[-1])
        (event_data,) = self._ParseTasks(task, **arguments)
        values = self._GetMeasuredValues(event_data)
        for name in task_test_lib.NETWORK_MEMBERS:
            if name != "tcp_received_packets":
                del values[name]

        gen = task["gen"]
        self.assertEqual(
            values,
            {
                "command_line": gen["cmdline"].decode("ascii"),
                "ctid": gen["ctid"],
                "nice_value": task["cpu"]["nice"],
                "oom_score_adjustment": -1000,
                "pid": gen["pid"],
                "process_name": gen["name"].decode("ascii"),
                "process_state": "S",
                "resident_size_growth": -3072,
                "user_cpu_time": task["cpu"]["utime"] * 10,
                "user_identifier": 4294967294,
                "vpid": gen["vpid"],
                "wait_channel": task["cpu"]["wchan"].decode("ascii"),
            },
        )

        # More than fits in an event.
        large_names = [
            name
            for name in names
            if name.startswith(("cpu__blk", "cpu__stime", "dsk", "mem__p", "mem__v"))
        ]
        task = self._GetDistinctTask(
            layouts.VERSIONS[-1], **{name: (1 << 63) - 1 for name in large_names}
        )
        (event_data,) = self._ParseTasks(task)
        self.assertIsNone(event_data.block_io_delay_time)
        self.assertIsNone(event_data.cpu_percent)
        self.assertIsNone(event_data.proportional_size)
        self.assertIsNone(event_data.system_cpu_time)
        self.assertIsNone(event_data.virtual_size)
        self.assertIsNone(event_data.written_size)

        # Neither the length of a tick nor that of the interval is known.
        task = self._GetDistinctTask(layouts.VERSIONS[-1])
        (event_data,) = self._ParseTasks(task, hertz=0, warnings=["header damaged"])
        self.assertIsNone(event_data.cpu_percent)
        self.assertIsNone(event_data.user_cpu_time)
        (event_data,) = self._ParseTasks(task, interval=0)
        self.assertIsNone(event_data.cpu_percent)

    def testGuessedExit(self):
        """Tests an exit for which process accounting names no process."""
        task = self._GetDistinctTask(
            layouts.VERSIONS[-1], gen__state=b"E", gen__tgid=0, gen__pid=0, gen__ppid=0
        )
        (event_data,) = self._ParseTasks(task)
        self.assertIsNone(event_data.pid)
        self.assertIsNone(event_data.ppid)

    def testWaitChannel(self):
        """Tests that what follows the name of a wait channel is not shown."""
        task = self._GetDistinctTask("2.6", cpu__wchan=b"pipe_read\x00junk!!")
        (event_data,) = self._ParseTasks(task, version="2.6")
        self.assertEqual(event_data.wait_channel, "pipe_read")

        task = self._GetDistinctTask("2.6", cpu__wchan=b"\x00garbage")
        (event_data,) = self._ParseTasks(task, version="2.6")
        self.assertIsNone(event_data.wait_channel)

    def testUsername(self):
        """Tests the names of users."""

        def _GetUsername(**overrides):
            """Retrieves the name of the user of a process.

            Args:
              overrides (dict[str, object]): values of members.

            Returns:
              str: name or None if not known.
            """
            return self._GetUsername(self._GetUserTask(**overrides))

        self.assertEqual(_GetUsername(), "www-data")
        self.assertEqual(_GetUsername(gen__ruid=0), "root")
        self.assertIsNone(_GetUsername(gen__ruid=1234))

        # A container has its own users. An exited process may have been in one: the log
        # does not show that.
        self.assertIsNone(_GetUsername(gen__ctid=101))
        self.assertIsNone(_GetUsername(gen__utsname=b"pod"))
        self.assertIsNone(_GetUsername(gen__cgpath=b"/system.slice/docker-0123.scope"))
        self.assertIsNone(_GetUsername(gen__state=b"E"))

        # Where the control group is not known, or not all of it, it may be a
        # container's.
        self.assertIsNone(_GetUsername(gen__cgpath=b""))
        self.assertIsNone(_GetUsername(gen__cgpath=b"/a.slice/".ljust(63, b"x")))
        self.assertEqual(
            _GetUsername(gen__cgpath=b"/a.slice/".ljust(62, b"x")), "www-data"
        )
        self._CheckUsernameOfCgroup(self._GetUserTask(version=layouts.VERSIONS[-1]))

    def testMessage(self):
        """Tests the messages."""
        task = {
            "gen.pid": 4711,
            "gen.ppid": 1,
            "gen.isproc": 1,
            "gen.state": b"S",
            "gen.name": b"=cmd()",
            "gen.cmdline": b"=cmd() \xff\x1b[2J",
            "gen.ruid": 33,
            "cpu.utime": 6000,
            "mem.rmem": 100,
            "mem.rgrow": -4,
        }
        (event_data,) = self._ParseTasks(task)
        self.assertEqual(
            self._GetMessages(event_data)[0],
            "Process activity: =cmd() in 600 s PID: 4711 UID: 33 Parent PID: 1 "
            "Command line: =cmd() \\xff\\x1b[2J CPU: 10.0% User CPU: 60000 ms "
            "Memory: 102400 bytes Memory growth: -4096 bytes",
        )

        task.update({"gen.state": b"E", "gen.excode": log_builder.IS_NEW})
        (event_data,) = self._ParseTasks(task, flags=log_builder.FLAG_BOOT)
        self.assertEqual(
            self._GetMessages(event_data)[0],
            "Process activity: =cmd() since the start of the process PID: 4711 UID: 33 "
            "Parent PID: 1 Command line: =cmd() \\xff\\x1b[2J State: exited User CPU: "
            "60000 ms",
        )

    def testLogs(self):
        """Tests that the events of all logs are what atop printed."""
        for log in test_lib.LOGS:
            with self.subTest(log=log.name):
                version = log.version_tuple
                number_of_events = 0
                for sample, elements in self._GetSamples(log):
                    # There was no GPU, all else that is printed are remains. Up to 2.6
                    # the state of inactive processes is one, too.
                    for row in sample.rows["PRE"]:
                        if version > self._VERSION_WITH_GPU_REMAINS:
                            self.assertEqual(row["gpustate"], b"N")

                    expected_values = []
                    for row in sample.GetTasks():
                        if row.get("isproc", True):
                            values = self._GetExpectedProcess(row, sample, version)
                            if values:
                                expected_values.append(values)

                    self.assertEqual(
                        [element.pid for element in elements],
                        [values.get("pid") for values in expected_values],
                    )
                    for element, values in zip(elements, expected_values):
                        measured_values = self._GetMeasuredValues(element)
                        for name, value in values.items():
                            if value is None:
                                self.assertIn(name, measured_values)
                                values[name] = measured_values[name]
                        self.assertEqual(measured_values, values)
                    number_of_events += len(elements)

                self.assertGreater(number_of_events, 0)


if __name__ == "__main__":
    unittest.main()
