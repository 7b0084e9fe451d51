"""Tests of the process plugin against what atop itself printed of the logs."""

import unittest

from dfdatetime import interface as dfdatetime_interface

from plaso_atop import parser

from tests.lib import parseable
from tests.lib import parseable_processes
from tests.lib import test_lib


def _GetValue(event_data, name):
    """Retrieves the value of an attribute.

    Args:
      event_data (EventData): event data.
      name (str): name of the attribute.

    Returns:
      object: value, where a date and time is given in seconds since the Epoch.
    """
    value = getattr(event_data, name, None)
    if isinstance(value, dfdatetime_interface.DateTimeValues):
        value = int(value.CopyToPosixTimestamp())
    return value


class ProcessOracleTest(test_lib.ParserTestCase):
    """Tests of the process plugin against what atop itself printed of the logs."""

    def _GetChanges(self, storage_writer):
        """Retrieves the changes of processes.

        Args:
          storage_writer (FakeStorageWriter): storage writer.

        Returns:
          list[dict[str, object]]: the pid, the time and the value before and after the
              change of every attribute that changed.
        """
        changes = []
        for event_data in self._GetEventData(
            storage_writer, data_type="linux:atop:process_change"
        ):
            change = {
                "pid": event_data.pid,
                "sample_time": _GetValue(event_data, "sample_time"),
            }
            for previous_name, previous_value in event_data.GetAttributes():
                name = previous_name.removeprefix("previous_")
                if name != previous_name and previous_value is not None:
                    change[name] = (previous_value, getattr(event_data, name))
            changes.append(change)

        return changes

    def _ReadLog(self, log):
        """Parses a log, and reads what atop printed of it.

        Args:
          log (test_lib.Log): log.

        Returns:
          tuple[FakeStorageWriter, parseable_processes.Processes]: storage writer and
              what is expected.
        """
        atop_parser = parser.AtopParser()
        atop_parser.EnablePlugins({"process"})
        storage_writer = self._ParseFile([f"{log.name:s}.raw"], atop_parser)
        self.assertEqual(self._GetWarnings(storage_writer), [])

        samples = parseable.ReadSamples(log.parseable_path, log.version_tuple)
        processes = parseable_processes.Processes(samples, log.version_tuple)
        return storage_writer, processes

    def testProcesses(self):
        """Tests that the processes of all logs are those that atop printed."""
        for log in test_lib.LOGS:
            with self.subTest(log=log.name):
                storage_writer, processes = self._ReadLog(log)

                expected_values = {}
                for process in processes.processes:
                    values = processes.GetExpectedValues(process)
                    key = (values["pid"], values["start_time"])
                    self.assertNotIn(key, expected_values)
                    expected_values[key] = values

                event_data_per_key = {}
                for event_data in self._GetEventData(
                    storage_writer, data_type="linux:atop:process"
                ):
                    key = (event_data.pid, _GetValue(event_data, "start_time"))
                    self.assertNotIn(key, event_data_per_key)
                    event_data_per_key[key] = event_data

                self.assertEqual(sorted(event_data_per_key), sorted(expected_values))

                for key, expected in expected_values.items():
                    event_data = event_data_per_key[key]
                    values = {name: _GetValue(event_data, name) for name in expected}
                    self.assertEqual(values, expected)

    def testChanges(self):
        """Tests that the changes of processes in all logs are those that happened."""
        # Where the logs were made one process executed another program, one renamed
        # itself and one gave up its privileges. 1.23 knows but the real identifiers.
        expected_names = [
            {"process_name", "command_line"},
            {"process_name"},
            {
                f"{kind:s}{owner:s}_identifier"
                for kind in ("", "effective_", "saved_", "file_system_")
                for owner in ("user", "group")
            },
        ]
        for log in test_lib.LOGS:
            with self.subTest(log=log.name):
                storage_writer, processes = self._ReadLog(log)
                changes = self._GetChanges(storage_writer)
                self.assertEqual(changes, processes.changes)

                # Kernel threads rename themselves all the time.
                if log.name == "atop-2.8.1-kernel-threads":
                    self.assertEqual(changes, [])
                    continue

                names = [set(change) - {"pid", "sample_time"} for change in changes]
                self.assertEqual(names[:2], expected_names[:2])
                if log.version == "1.23":
                    self.assertEqual(names[2], {"user_identifier", "group_identifier"})
                else:
                    self.assertEqual(names[2], expected_names[2])

                self.assertEqual(
                    [change.get("process_name") for change in changes],
                    [("python3", "sleep"), ("python3", "systemd-resolve"), None],
                )
                self.assertEqual(changes[2]["user_identifier"], (0, 65534))


if __name__ == "__main__":
    unittest.main()
