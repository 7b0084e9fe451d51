"""Tests for the atop raw log cgroup plugin.

No real log has limits, memory or disk transfers of cgroups: these are tested with logs
that are built.
"""

import unittest

from tests import log_builder
from tests import test_lib
from tests.plugins import sample_test_lib


class AtopCgroupPluginTest(sample_test_lib.SamplePluginTestCase):
    """Tests for the atop raw log cgroup plugin."""

    PLUGIN_NAME = "cgroup"

    _TOTALS_ATTRIBUTE = "since_creation"

    _COMMON_ATTRIBUTES = frozenset(
        ["hostname", "offset", "sample_time", "since_creation"]
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
        """Determines what an event has to tell of a cgroup.

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

        if not any(values.get(name) for name in self._ACTIVITY):
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


if __name__ == "__main__":
    unittest.main()
