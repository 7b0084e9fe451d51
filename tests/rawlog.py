"""Tests for the reader of atop raw logs."""

import unittest

from plaso_atop import rawlog

from tests.lib import parseable
from tests.lib import test_lib


def _GetColumnExpressions(log, sample):
    """Retrieves how columns that atop prints of a task follow from what is stored.

    A column that is not among these is the member of the task with its name.

    Args:
      log (rawlog.RawLog): log.
      sample (rawlog.Sample): sample.

    Returns:
      dict[str, function]: function per column, that computes the column of a task.
    """
    version = log.version_tuple

    # A process can be in several cgroups. atop shows the last.
    cgroups = {pid: cgroup for cgroup in sample.cgroups() for pid in cgroup.pids}

    def GetCgroup(task):
        # Threads and processes that exited may have the pid of another process.
        return cgroups.get(task.pid) if task.isproc else None

    def GetCgroupPath(task):
        if version < (2, 11):
            return task.cgpath
        cgroup = GetCgroup(task)
        return cgroup.path if cgroup else b"-"

    def GetExitCode(task):
        if version < (2, 4):
            return task.excode
        if task.excode & 0xFF:
            return (task.excode & 0x7F) + 256
        return (task.excode >> 8) & 0xFF

    def GetLimit(name):
        def Get(task):
            if not sample.flags & rawlog.FLAG_CGROUPS:
                return -3
            if version < (2, 11):
                return getattr(task, f"cg{name:s}") if task.isproc else -2
            cgroup = GetCgroup(task)
            return getattr(cgroup.cstat, f"conf_{name:s}") if cgroup else -2

        return Get

    def GetMostRestrictiveLimit(name):
        # Not determined any more since 2.11.
        return GetLimit(name) if version < (2, 11) else lambda task: -2

    return {
        # Of the header, or of the flags of the record.
        "has_iostat": lambda task: sample.has_iostat,
        "has_network": lambda task: sample.has_network,
        "has_patch": lambda task: bool(log.support_flags & rawlog.SUPPORT_PATCHSTAT),
        "hertz": lambda task: log.hertz,
        "pagesize": lambda task: log.page_size,
        # Of the cgroups: what is stored with a task up to 2.10 is not shown where there
        # are no cgroups v2.
        "cgroup": GetCgroupPath,
        "cgcpumax": GetLimit("cpumax"),
        "cgcpumaxr": GetMostRestrictiveLimit("cpumaxr"),
        "cgmemmax": GetLimit("memmax"),
        "cgmemmaxr": GetMostRestrictiveLimit("memmaxr"),
        "cgswpmax": GetLimit("swpmax"),
        "cgswpmaxr": GetMostRestrictiveLimit("swpmaxr"),
        # Of several members, or of one in another form.
        "end_time": lambda task: (
            task.btime + task.elaps // log.hertz if task.state == b"E" else 0
        ),
        "excode": GetExitCode,
        "isproc": lambda task: bool(task.isproc),
        "new": lambda task: b"N" if task.excode < 0 else b"-",
        "pmem": lambda task: max(0, task.pmem),
        # Of members that have another name in some versions, or none.
        "container": lambda task: (
            (task.container if version < (2, 10) else task.utsname) or b"-"
        ),
        "rawrcv": lambda task: task.rawrcv or 0,
        "rawsnd": lambda task: task.rawsnd or 0,
        "tgid": lambda task: task.pid if version < (1, 27) else task.tgid,
        "unused": lambda task: False,
        "vexec": lambda task: task.shtext if version < (1, 27) else task.vexec,
    }


class RawLogTest(test_lib.BaseTestCase):
    """Tests for the reader, as compared to what atop printed of the same logs."""

    def _CheckCgroups(self, log, sample, expected_sample):
        """Checks the cgroups of a sample.

        Args:
          log (rawlog.RawLog): log.
          sample (rawlog.Sample): sample.
          expected_sample (parseable.Sample): what atop printed of it.
        """
        cgroups = []
        for cgroup in sample.cgroups():
            values = {"path": cgroup.path, "pids": list(cgroup.pids)}
            for name in parseable.CGROUP_COLUMNS:
                values[name] = getattr(cgroup.cstat, name.replace(".", "_"))
            cgroups.append(values)

        self.assertEqual(cgroups, expected_sample.cgroups)
        self.assertEqual(bool(cgroups), log.version_tuple >= (2, 11))

    def _CheckSample(self, log, sample, expected_sample):
        """Checks a sample.

        Args:
          log (rawlog.RawLog): log.
          sample (rawlog.Sample): sample.
          expected_sample (parseable.Sample): what atop printed of it.
        """
        self.assertEqual(sample.curtime, expected_sample.curtime)
        self.assertEqual(sample.interval, expected_sample.interval)
        self.assertEqual(sample.is_boot, expected_sample.is_boot)

        rows = expected_sample.rows["PRG"]
        self.assertEqual(sample.number_of_tasks, len(rows))
        self.assertEqual(sample.record.nexit, sum(row["state"] == b"E" for row in rows))
        self.assertTrue(sample.has_accounting)
        self.assertTrue(sample.has_tasks)
        self.assertEqual(
            sample.has_all_processes, sample.is_boot or log.version_tuple >= (2, 3)
        )

        self.assertEqual(
            [(task.pid, task.btime) for task in sample.processes()],
            [(row["pid"], row["btime"]) for row in rows if row.get("isproc", True)],
        )

    def _CheckSystem(self, unused_log, sample, expected_sample):
        """Checks the system block of a sample.

        Args:
          unused_log (rawlog.RawLog): log.
          sample (rawlog.Sample): sample.
          expected_sample (parseable.Sample): what atop printed of it.
        """
        cpu = sample.system().cpu
        values = {name: getattr(cpu, name) for name in ("nrcpu", "csw", "devint")}
        for name in ("lavg1", "lavg5", "lavg15"):
            values[name] = b"%.2f" % getattr(cpu, name)

        self.assertEqual([values], expected_sample.rows["CPL"])

    def _CheckTasks(self, log, sample, expected_sample):
        """Checks every column of every task of a sample.

        Args:
          log (rawlog.RawLog): log.
          sample (rawlog.Sample): sample.
          expected_sample (parseable.Sample): what atop printed of it.
        """
        expressions = _GetColumnExpressions(log, sample)
        tasks = list(sample.tasks())

        for label in ("PRG", "PRC", "PRM", "PRD", "PRN"):
            rows = expected_sample.rows[label]
            self.assertEqual(len(tasks), len(rows))

            for task, row in zip(tasks, rows):
                values = {
                    name: (
                        expressions[name](task)
                        if name in expressions
                        else getattr(task, name)
                    )
                    for name in row
                }
                self.assertEqual(values, row, label)

    def _GetSamples(self, test_log):
        """Retrieves the samples of a log.

        Args:
          test_log (test_lib.Log): description of the log.

        Yields:
          tuple[rawlog.RawLog, rawlog.Sample, parseable.Sample]: log, sample and what
              atop printed of it.
        """
        expected_samples = parseable.ReadSamples(
            test_log.parseable_path, test_log.version_tuple
        )
        with open(test_log.path, "rb") as file_object:
            log = rawlog.RawLog(file_object)
            for sample, expected_sample in zip(
                log.samples(), expected_samples, strict=True
            ):
                yield log, sample, expected_sample

        self.assertEqual(log.damages, [])

    def testHeader(self):
        """Tests what is known of a log from its header."""
        for test_log in test_lib.LOGS:
            with self.subTest(log=test_log.name):
                log, _, expected_sample = next(self._GetSamples(test_log))

                self.assertEqual(log.version, test_log.version)
                self.assertEqual(log.version_tuple, test_log.version_tuple)
                self.assertEqual(log.layout.version, test_log.layout_version)
                self.assertEqual(log.abi.name, test_log.abi_name)

                rows = expected_sample.rows
                self.assertEqual(log.hostname, expected_sample.nodename)
                self.assertEqual(log.hertz, rows["PRC"][0]["hertz"])
                self.assertEqual(log.page_size, rows["PRM"][0]["pagesize"])

    def testSamples(self):
        """Tests all samples of all logs."""
        for test_log in test_lib.LOGS:
            with self.subTest(log=test_log.name):
                for values in self._GetSamples(test_log):
                    self._CheckSample(*values)
                    self._CheckTasks(*values)
                    self._CheckCgroups(*values)
                    self._CheckSystem(*values)

    def testMembersOfOtherVersions(self):
        """Tests that a member that a version lacks is None."""
        introduced = {
            "elaps": (1, 26),
            "isproc": (1, 27),
            "pmem": (2, 1),
            "ctid": (2, 2),
            "wasinactive": (2, 3),
            "gpu_state": (2, 4),
            "wchan": (2, 6),
            "blkdelay": (2, 8),
            "nvcsw": (2, 9),
            "utsname": (2, 10),
            "cgroupix": (2, 11),
            "oomscore": (2, 13),
        }
        removed = {
            "shtext": (1, 27),
            "rawsnd": (2, 0),
            "envid": (2, 2),
            "container": (2, 10),
            "cgpath": (2, 11),
            "gpu_timems": (2, 13),
        }

        for test_log in test_lib.LOGS:
            with self.subTest(log=test_log.name):
                _, sample, _ = next(self._GetSamples(test_log))
                task = next(sample.tasks())

                for name, version in introduced.items():
                    has_member = getattr(task, name) is not None
                    self.assertEqual(
                        has_member, test_log.version_tuple >= version, name
                    )
                for name, version in removed.items():
                    if test_log.version_tuple >= version:
                        self.assertIsNone(getattr(task, name), name)

                # What reserved members hold is undefined.
                for name in ("cfuture", "ifuture", "avail1"):
                    self.assertFalse(hasattr(task, name), name)

    def testSharedTasks(self):
        """Tests that only an entry that did not change is the same task again."""
        for test_log in test_lib.LOGS:
            with self.subTest(log=test_log.name):
                inactive_tasks = {}
                number_of_shared = 0
                for _, sample, _ in self._GetSamples(test_log):
                    tasks = list(sample.tasks())
                    for task in tasks:
                        key = (task.pid, task.isproc)
                        known_task = inactive_tasks.get(key)
                        if known_task and known_task.entry == task.entry:
                            self.assertIs(task, known_task)
                            number_of_shared += 1
                        else:
                            self.assertIsNot(task, known_task)
                        if task.wasinactive:
                            inactive_tasks[key] = task

                    entries = b"".join(task.entry for task in tasks)
                    self.assertEqual(entries, sample.tasks_block.GetData())

                # Before 2.3 tasks without activity were not stored.
                self.assertEqual(number_of_shared > 0, test_log.version_tuple >= (2, 3))


if __name__ == "__main__":
    unittest.main()
