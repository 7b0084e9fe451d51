"""Tests for logs that atopconvert wrote."""

import io
import re
import unittest

import log_builder

from plaso_atop import parser
from plaso_atop import rawlog

from tests.lib import test_lib

# Originals and versions that these were converted to, and a pattern for the names of
# attributes that atopconvert does not keep.
LOGS = (
    ("2.0.2", "2.13.0", None),
    ("2.1", "2.4.0", None),
    ("2.2-3", "2.10.0", None),
    ("2.3.0", "2.7.1", None),
    ("2.4.0", "2.12.1", "[a-z]+_pressure_[a-z0-9_]+"),
    ("2.6.0", "2.8.1", None),
    ("2.7.1", "2.10.0", None),
    ("2.7.1", "2.11.1", None),
    ("2.8.1", "2.9.0", None),
    ("2.9.0", "2.13.0", None),
    ("2.10.0", "2.11.1", "cgroup|systemd_unit"),
    ("2.12.1", "2.13.0", None),
)

# Types of events that each are of one sample.
SAMPLE_DATA_TYPES = frozenset(
    f"linux:atop:{name:s}"
    for name in ("disk", "network_interface", "process_activity", "system", "thread")
)


class ConvertedLogTest(test_lib.ParserTestCase):
    """Tests for logs that atopconvert wrote."""

    maxDiff = None

    def _GetEvents(self, data):
        """Retrieves the events of a log.

        Args:
          data (bytes): contents of the log.

        Returns:
          tuple[list[dict[str, object]], list[str]]: values per name of the attribute of
              each event, without those that differ between a log and its conversion,
              and warnings.
        """
        storage_writer = self._ParseData(data, parser.AtopParser())
        events = self._GetEventValues(storage_writer)
        for event in events:
            for name in ("atop_version", "offset"):
                event.pop(name, None)
        return events, self._GetWarnings(storage_writer)

    def _GetExpectedEvents(self, version, lost_names):
        """Retrieves the events of an original.

        Args:
          version (str): version of the original.
          lost_names (str): pattern for the names of attributes that atopconvert does
              not keep, None if there are none.

        Returns:
          list[dict[str, object]]: values per name of the attribute of each event.
        """
        data = self._ReadTestFile([f"atop-{version:s}.raw"])
        events, warnings = self._GetEvents(data)
        self.assertEqual(warnings, [])
        return [
            {
                name: value
                for name, value in event.items()
                if not re.fullmatch(lost_names or "", name)
            }
            for event in events
        ]

    def _ReadConvertedLog(self, original_version, version):
        """Reads a log that atopconvert wrote.

        Args:
          original_version (str): version of the original.
          version (str): version that it was converted to.

        Returns:
          bytes: contents.
        """
        return self._ReadTestFile([f"atop-{original_version:s}-to-{version:s}.raw"])

    def _SelectEventsOfSamples(self, events):
        """Selects events that each are of one sample.

        Args:
          events (list[dict[str, object]]): values per name of the attribute of each
              event.

        Returns:
          list[dict[str, object]]: the same of the selected ones, without the host: the
              header of a log has one only.
        """
        return [
            {name: value for name, value in event.items() if name != "hostname"}
            for event in events
            if event["data_type"] in SAMPLE_DATA_TYPES
        ]

    def testConvertedLogs(self):
        """Tests that the events are those of the original."""
        for original_version, version, lost_names in LOGS:
            with self.subTest(original=original_version, version=version):
                data = self._ReadConvertedLog(original_version, version)
                events, warnings = self._GetEvents(data)
                self.assertEqual(warnings, [])
                self.assertEqual(
                    events, self._GetExpectedEvents(original_version, lost_names)
                )

    def testContinuedLogs(self):
        """Tests converted logs to which atop appended samples of its own."""
        for original_version, version, lost_names in LOGS:
            with self.subTest(original=original_version, version=version):
                own_data = self._ReadTestFile([f"atop-{version:s}.raw"])
                header_size = rawlog.RawLog(io.BytesIO(own_data)).layout.rawheader.size
                data = self._ReadConvertedLog(original_version, version)
                events, warnings = self._GetEvents(data + own_data[header_size:])
                self.assertEqual(warnings, [])

                own_events, _ = self._GetEvents(own_data)
                expected_events = [
                    *self._GetExpectedEvents(original_version, lost_names),
                    *own_events,
                ]

                self.assertEqual(
                    self._SelectEventsOfSamples(events),
                    self._SelectEventsOfSamples(expected_events),
                )

    def testOwnLogs(self):
        """Tests that what atop itself recorded is not taken for something else."""
        for own_log in test_lib.LOGS:
            data = self._ReadTestFile([f"{own_log.name:s}.raw"])
            log = rawlog.RawLog(io.BytesIO(data))
            self.assertEqual(
                {sample.version for sample in log.samples()}, {log.layout.version}
            )

    def testFewTasks(self):
        """Tests samples of which no task has what it could have.

        A task that used the CPU mostly had to wait for it. Where one did not, samples
        before it tell that the version records how long.
        """
        builder = log_builder.LogBuilder(version="2.6")
        for index, rundelay in enumerate((0, 1000000, 0)):
            builder.AddSample(
                log_builder.T0 + 600 * index,
                system={"mem": {"physmem": 1000, "hugepagesz": 2048}},
                tasks=[
                    {
                        "gen": {"tgid": 1, "pid": 1, "isproc": 1, "state": b"S"},
                        "cpu": {"utime": 100, "rundelay": rundelay},
                    }
                ],
            )
        log = rawlog.RawLog(io.BytesIO(builder.Build()))
        rundelays = [
            [task.rundelay for task in sample.tasks()] for sample in log.samples()
        ]
        self.assertEqual(rundelays, [[None], [1000000], [0]])

    def testContainers(self):
        """Tests a container whose name was recorded when its identifier had been."""
        builder = log_builder.LogBuilder(version="2.10")
        for index, (memory, container) in enumerate(
            (
                ({"pagetables": 1}, b"0123456789ab"),
                ({"pagetables": 1, "availablemem": 1}, b"web-7f9c"),
                ({"pagetables": 1, "availablemem": 1}, b"web-7f9c"),
            )
        ):
            builder.AddSample(
                log_builder.T0 + 600 * index,
                flags=log_builder.FLAG_CONTAINERS,
                system={"mem": {"physmem": 1000, **memory}},
                tasks=[
                    {
                        "gen": {
                            **{"tgid": 9, "pid": 9, "isproc": 1, "state": b"S"},
                            **{"btime": log_builder.T0 - 5, "utsname": container},
                        },
                        "cpu": {"utime": 100},
                    }
                ],
            )
        events, warnings = self._GetEvents(builder.Build())
        self.assertEqual(warnings, [])
        (event,) = [
            event for event in events if event["data_type"] == "linux:atop:process"
        ]
        self.assertEqual(event["container_identifier"], "0123456789ab")
        self.assertNotIn("container_name", event)
        self.assertEqual(
            [
                (event.get("container_identifier"), event.get("container_name"))
                for event in events
                if event["data_type"] == "linux:atop:process_activity"
            ],
            [("0123456789ab", None), (None, "web-7f9c"), (None, "web-7f9c")],
        )
        self.assertNotIn(
            "linux:atop:process_change", [event["data_type"] for event in events]
        )

    def testWithoutNodes(self):
        """Tests samples of a kernel without NUMA, which has no nodes."""
        for oomkills, expected_version in ((0, "2.7"), (3, "2.7"), (-1, "2.6")):
            builder = log_builder.LogBuilder(version="2.7")
            system = {
                "mem": {"physmem": 1000, "hugepagesz": 2048, "oomkills": oomkills}
            }
            tasks = [
                {
                    "gen": {"tgid": 1, "pid": 1, "isproc": 1, "state": b"S"},
                    "cpu": {"utime": 100, "rundelay": 1},
                }
            ]
            builder.AddSample(log_builder.T0, system=system, tasks=tasks)
            (sample,) = rawlog.RawLog(io.BytesIO(builder.Build())).samples()
            self.assertEqual(sample.version, expected_version)

    def testDamagedSystemBlock(self):
        """Tests a sample that does not tell which version recorded it."""
        data = bytearray(self._ReadConvertedLog("2.1", "2.4.0"))
        samples = list(rawlog.RawLog(io.BytesIO(data)).samples())

        # It has as many entries as the host had tasks, but 30 of them are exits.
        sample = samples[3]
        self.assertEqual((sample.record.ntask, sample.number_of_tasks), (41, 41))
        data[sample.system_block.offset + 20] ^= 0xFF
        events, warnings = self._GetEvents(bytes(data))
        self.assertEqual(len(warnings), 1)

        expected_events = self._GetExpectedEvents("2.1", None)
        processes, expected_processes, numbers, expected_numbers = [
            [select(event) for event in some_events if event["data_type"] == data_type]
            for data_type, select in (
                ("linux:atop:process", dict),
                ("linux:atop:system", lambda event: event["number_of_processes"]),
            )
            for some_events in (events, expected_events)
        ]
        self.assertEqual(processes, expected_processes)
        self.assertEqual(numbers, expected_numbers)


if __name__ == "__main__":
    unittest.main()
