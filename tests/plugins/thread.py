"""Tests for the atop raw log thread plugin.

No real log has netatop: this is tested with logs that are built.
"""

import unittest

from tests import log_builder
from tests import test_lib
from tests.plugins import sample_test_lib
from tests.plugins import task_test_lib


class AtopThreadPluginTest(task_test_lib.TaskPluginTestCase):
    """Tests for the atop raw log thread plugin."""

    PLUGIN_NAME = "thread"

    def _GetExpectedThread(self, row, sample, version):
        """Determines what an event has to tell of a thread.

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


if __name__ == "__main__":
    unittest.main()
