"""Tests for logs that atopconvert wrote."""

import collections
import io
import unittest

from plaso_atop import parser
from plaso_atop import rawlog

from tests.lib import test_lib

# Originals, and what they were converted to.
LOGS = (
    ("atop-2.6.0", "atop-2.6.0-to-2.8.1"),
    ("atop-2.7.1", "atop-2.7.1-to-2.10.0"),
)

# What the version of the original stores under another name or in another way.
_OTHER_ATTRIBUTES = frozenset(
    [
        "atop_version",
        "container_identifier",
        "container_name",
        "number_of_uninterruptible_threads",
    ]
)


class ConvertedLogTest(test_lib.ParserTestCase):
    """Tests for logs that atopconvert wrote."""

    def _GetEvents(self, data):
        """Retrieves the events of a log.

        Args:
          data (bytes): contents of the log.

        Returns:
          list[dict[str, object]]: values per name of the attribute.
        """
        storage_writer = self._ParseData(data, parser.AtopParser())
        self.assertEqual(self._GetWarnings(storage_writer), [])
        events = self._GetEventValues(storage_writer)
        for event in events:
            event.pop("offset")
        return events

    def _CompareEvents(self, original_events, events):
        """Checks that events hold what those of the original hold.

        Args:
          original_events (list[dict[str, object]]): events of the original.
          events (list[dict[str, object]]): events of the converted log.

        Returns:
          collections.Counter: number of events that have an attribute which that of the
              original does not have, per name.
        """
        self.assertEqual(len(events), len(original_events))
        names = collections.Counter()
        for original_event, event in zip(original_events, events):
            for name in _OTHER_ATTRIBUTES:
                original_event.pop(name, None)
                event.pop(name, None)
            names.update(set(event).difference(original_event))
            self.assertEqual(
                {name: event.get(name) for name in original_event}, original_event
            )
        return names

    def testConvertedLogs(self):
        """Tests that every value is that of the original."""
        for original_name, name in LOGS:
            original = self._ReadTestFile([f"{original_name:s}.raw"])
            data = self._ReadTestFile([f"{name:s}.raw"])
            events = self._GetEvents(data)
            connections = [
                event["tcp_established_connections"]
                for event in events
                if event["data_type"] == "linux:atop:system"
            ]
            self.assertEqual(len(connections), 8)
            self.assertLess(max(connections), 5)

            # What only later versions store, and the original does not hold, is 0.
            names = self._CompareEvents(self._GetEvents(original), events)
            if original_name == "atop-2.6.0":
                self.assertEqual(
                    set(names),
                    {
                        "allocation_stalls",
                        "compaction_stalls",
                        "migrated_pages",
                        "numa_migrated_pages",
                    },
                )
            else:
                self.assertEqual(set(names), set())

    def testContinuedLog(self):
        """Tests a converted log to which atop appended samples of its own."""
        converted = self._ReadTestFile(["atop-2.7.1-to-2.10.0.raw"])
        original = self._ReadTestFile(["atop-2.10.0.raw"])
        header_size = rawlog.RawLog(io.BytesIO(original)).layout.rawheader.size

        expected = [
            event
            for data in (converted, original)
            for event in self._GetEvents(data)
            if event["data_type"] == "linux:atop:system"
        ]
        events = [
            event
            for event in self._GetEvents(converted + original[header_size:])
            if event["data_type"] == "linux:atop:system"
        ]
        # They are those of two hosts, the header is that of the first.
        for event in expected + events:
            event.pop("hostname")
        self.assertEqual(len(events), 16)
        self.assertEqual(events, expected)


if __name__ == "__main__":
    unittest.main()
