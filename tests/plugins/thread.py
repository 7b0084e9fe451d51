"""Tests for the atop raw log thread plugin.

No real log has netatop: this is tested with logs that are built.
"""

import unittest

from plaso_atop import layouts

import log_builder

from tests.lib import sample_test_lib
from tests.lib import task_test_lib
from tests.lib import test_lib


class AtopThreadPluginTest(task_test_lib.TaskPluginTestCase):
    """Tests for the atop raw log thread plugin."""

    PLUGIN_NAME = "thread"

    def _GetExpectedThread(self, row, sample, version):
        """Determines the expected values of a thread.

        Args:
          row (dict[str, int|bytes|bool]): what atop printed of the thread.
          sample (parseable.Sample): what atop printed of the sample.
          version (tuple[int, int]): version of atop.

        Returns:
          dict[str, object]: values of the attributes, None if there must be no event.
        """
        counters = self._GetExpectedCounters(row, version)
        if not any(counters.values()):
            return None

        values = self._GetExpectedTask(row, sample)
        values.update(counters)
        values["pid"] = row["tgid"]
        values["thread_name"] = row["name"].decode("ascii")
        values["thread_state"] = row["state"].decode("ascii")
        values["tid"] = row["pid"]
        values["tgid"] = row["tgid"]

        for process_row in sample.GetTasks():
            if process_row["isproc"] and process_row["pid"] == row["tgid"]:
                values["process_name"] = process_row["name"].decode("ascii")
                path = process_row.get("cgroup", b"").decode("ascii")
                if version >= self._VERSION_WITH_CGROUP_LIST:
                    path = self._GetCgroupPaths(sample).get(row["tgid"])
                if path:
                    values["cgroup"] = path
                break

        return values

    def testLogs(self):
        """Tests that the events of all logs are what atop printed."""
        for log in test_lib.LOGS:
            with self.subTest(log=log.name):
                version = log.version_tuple
                number_of_events = 0
                for sample, elements in self._GetSamples(log):
                    expected_values = []
                    for row in sample.GetTasks():
                        if not row.get("isproc", True):
                            values = self._GetExpectedThread(row, sample, version)
                            if values:
                                expected_values.append(values)

                    self.assertEqual(
                        [self._GetMeasuredValues(element) for element in elements],
                        expected_values,
                    )
                    number_of_events += len(elements)

                # Where that log was made no process had several threads.
                has_threads = version >= self._VERSION_WITH_THREADS
                if log.name == "atop-2.8.1-kernel-threads":
                    has_threads = False
                self.assertEqual(number_of_events > 0, has_threads)

    def testBuiltLogs(self):
        """Tests all members of entries of all versions and machine types."""
        for version, abi in sample_test_lib.VERSIONS_AND_ABIS:
            with self.subTest(version=version, abi=abi.name):
                version_tuple = layouts.GetVersionTuple(version)
                task = self._GetDistinctTask(version, abi, gen__isproc=0)
                process = self._GetDistinctTask(
                    version,
                    abi,
                    gen__pid=task["gen"].get("tgid", 0),
                    gen__name=b"server",
                )
                elements = self._ParseTasks(
                    process,
                    task,
                    version=version,
                    abi=abi,
                    **self._GetNetworkArguments(version),
                )
                if version_tuple < self._VERSION_WITH_THREADS:
                    self.assertEqual(elements, [])
                    continue

                (event_data,) = elements
                expected_values = {
                    **self._GetBuiltCounters(task, version_tuple),
                    **self._GetBuiltTask(task, version_tuple),
                    **self._GetBuiltNetwork(task),
                    "pid": task["gen"]["tgid"],
                    "process_name": "server",
                    "thread_name": task["gen"]["name"].decode("ascii"),
                    "thread_state": "S",
                    "tgid": task["gen"]["tgid"],
                    "tid": task["gen"]["pid"],
                }
                if version == "1.27":
                    # With the kernel patch there are requests.
                    del expected_values["cancelled_written_size"]
                    expected_values["number_of_reads"] = task["dsk"]["rio"]
                    expected_values["number_of_writes"] = task["dsk"]["wio"]

                self.assertEqual(self._GetMeasuredValues(event_data), expected_values)

    def testActivity(self):
        """Tests that a thread has an event only if there is something to show."""
        idle_thread = {
            "gen.pid": 43,
            "gen.tgid": 42,
            "gen.state": b"S",
            "mem.rgrow": 1,
            "mem.rmem": 100,
            "mem.vgrow": 1,
            "mem.vmem": 1000,
            "net.tcpsnd": 1,
            "gpu.memnow": 1,
            "gpu.state": b"A",
        }
        self.assertEqual(self._ParseTasks(idle_thread), [])

        for member in (
            "cpu.utime cpu.stime cpu.blkdelay cpu.nvcsw cpu.nivcsw dsk.rsz dsk.wsz "
            "dsk.cwsz mem.minflt mem.majflt"
        ).split():
            with self.subTest(member=member):
                task = {**idle_thread, member: 1}
                (event_data,) = self._ParseTasks(task)
                self.assertIsNone(event_data.process_name)
                self.assertEqual(event_data.pid, 42)
                self.assertEqual(event_data.tid, 43)

                for override in (
                    {"gen.wasinactive": 1},
                    {"gen.wasinactive": 1 << 24},
                    {"gen.isproc": 1},
                    {"gen.pid": 0},
                    {"gen.pid": -1},
                    {member: -1},
                ):
                    self.assertEqual(self._ParseTasks({**task, **override}), [])

    def testProcess(self):
        """Tests which process a thread is of."""

        def _GetProcess(pid, **values):
            """Makes the entry of a process.

            Args:
              pid (int): process identifier.
              values (dict[str, object]): values of other members of gen.

            Returns:
              dict[str, object]: values of the members.
            """
            task = {"gen.pid": pid, "gen.tgid": pid, "gen.isproc": 1}
            task.update((f"gen.{name:s}", value) for name, value in values.items())
            return task

        def _GetThread(tid, pid):
            """Makes the entry of a thread.

            Args:
              tid (int): identifier of the thread.
              pid (int): process identifier.

            Returns:
              dict[str, object]: values of the members.
            """
            return {"gen.pid": tid, "gen.tgid": pid, "cpu.utime": 1}

        (event_data,) = self._ParseTasks(_GetThread(1, 1))
        self.assertEqual(event_data.tid, 1)
        self.assertIsNone(event_data.thread_state)

        elements = self._ParseTasks(
            _GetThread(11, 10),
            _GetProcess(10, name=b"first", cgpath=b"/first"),
            _GetThread(10, 10),
            _GetThread(11, 10),
            _GetProcess(20, name=b"second"),
            _GetThread(21, 20),
            # A process that is not listed, and one that was listed before.
            _GetThread(31, 30),
            _GetThread(22, 20),
            version="2.10",
            flags=log_builder.FLAG_CGROUPS,
        )
        self.assertEqual(
            [
                (element.pid, element.tid, element.process_name, element.cgroup)
                for element in elements
            ],
            [
                (10, 11, None, None),
                (10, 10, "first", "/first"),
                (10, 11, "first", "/first"),
                (20, 21, "second", None),
                (30, 31, None, None),
                (20, 22, None, None),
            ],
        )

    def testSinceStart(self):
        """Tests the mark of counters that are not those of the interval."""
        for flags, excode, is_marked in (
            (log_builder.FLAG_BOOT, log_builder.IS_NEW, True),
            (0, log_builder.IS_NEW, False),
            (0, 0, False),
        ):
            task = self._GetDistinctTask(
                layouts.VERSIONS[-1], gen__isproc=0, gen__excode=excode
            )
            (event_data,) = self._ParseTasks(task, flags=flags)
            self.assertEqual(event_data.since_start, is_marked or None)
            self.assertEqual(event_data.cpu_percent is None, is_marked)

    def testSinceStartOfMainThread(self):
        """Tests the mark of a main thread that was not listed as the only one."""
        new = log_builder.IS_NEW
        start = log_builder.T0 - self._INTERVAL
        for process_excode, excode, btime, marks in (
            # Its process got another thread in the interval, or already had one.
            (0, new, start - 1000, [True, None]),
            (0, 0, start - 1000, [None, None]),
            # Its process was started in the interval.
            (new, new, start + 10, [None, None]),
            # Its process is not listed.
            (None, new, start - 2, [True, None]),
            (None, new, start - 1, [None, None]),
        ):
            process = {"gen.pid": 10, "gen.tgid": 10, "gen.isproc": 1, "gen.nthr": 2}
            main_thread = {"gen.pid": 10, "gen.tgid": 10, "cpu.utime": 1}
            thread = {"gen.pid": 11, "gen.tgid": 10, "cpu.utime": 1}
            tasks = [
                {**main_thread, "gen.excode": excode, "gen.btime": btime},
                {**thread, "gen.excode": new, "gen.btime": start + 10},
            ]
            if process_excode is not None:
                tasks.insert(0, {**process, "gen.excode": process_excode})
            elements = self._ParseTasks(*tasks)
            self.assertEqual([element.since_start for element in elements], marks)
            self.assertEqual(
                [element.cpu_percent is None for element in elements],
                [mark or False for mark in marks],
            )

    def testCgroup(self):
        """Tests the control group of a thread since 2.11."""
        builder = log_builder.LogBuilder()
        builder.AddSample(
            log_builder.T0,
            tasks=[
                {"gen.pid": 10, "gen.tgid": 10, "gen.isproc": 1},
                {"gen.pid": 11, "gen.tgid": 10, "cpu.utime": 1},
            ],
            cgroups=[
                log_builder.Cgroup(b"", -1, [1, 10], {}),
                log_builder.Cgroup(b"system.slice", 0, [], {}),
                log_builder.Cgroup(b"db.service", 1, [10], {}),
                log_builder.Cgroup(b"cpu", 0, [10, 11], {}),
            ],
        )
        (event_data,) = self._GetBuiltEventData(builder)
        self.assertEqual(event_data.cgroup, "/system.slice/db.service")

    def testUsername(self):
        """Tests the names of users."""

        def _GetUsername(**overrides):
            """Retrieves the name of the user of a thread.

            Args:
              overrides (dict[str, object]): values of members of its process.

            Returns:
              str: name or None if not known.
            """
            # The entry of a thread does not show if it is in a container.
            thread = self._GetUserTask(gen__isproc=0, gen__pid=43, gen__cgpath=b"")
            return self._GetUsername(self._GetUserTask(**overrides), thread)

        self.assertEqual(_GetUsername(), "www-data")
        self.assertIsNone(_GetUsername(gen__ctid=101))
        self.assertIsNone(_GetUsername(gen__utsname=b"pod"))
        self.assertIsNone(_GetUsername(gen__cgpath=b"/system.slice/docker-0123.scope"))
        # Nor if its process is not listed.
        self.assertIsNone(_GetUsername(gen__pid=44))

        # Where the control group is not known, or not all of it, it may be a
        # container's.
        self.assertIsNone(_GetUsername(gen__cgpath=b""))
        self.assertIsNone(_GetUsername(gen__cgpath=b"/a.slice/".ljust(63, b"x")))
        self._CheckUsernameOfCgroup(
            self._GetUserTask(version=layouts.VERSIONS[-1]),
            self._GetUserTask(version=layouts.VERSIONS[-1], gen__isproc=0, gen__pid=43),
        )

    def testMessage(self):
        """Tests the message."""
        (event_data,) = self._ParseTasks(
            {"gen.pid": 10, "gen.tgid": 10, "gen.isproc": 1, "gen.name": b"java"},
            {
                "gen.pid": 11,
                "gen.tgid": 10,
                "gen.name": b"=C2 Compiler",
                "gen.state": b"R",
                "cpu.stime": 30000,
                "cpu.rundelay": 5000,
                "dsk.wsz": 1,
            },
        )
        self.assertEqual(
            self._GetMessages(event_data)[0],
            "Thread activity: =C2 Compiler in 600 s TID: 11 Process: java PID: 10 "
            "UID: 0 State: running CPU: 50.0% System CPU: 300000 ms Written: 512 "
            "bytes Waited for CPU: 5 us",
        )


if __name__ == "__main__":
    unittest.main()
