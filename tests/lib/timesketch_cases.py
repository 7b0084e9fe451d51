"""Writes the cases of the tagging rules as JSON lines, with the tags of psort.

This runs where the package is installed, for the tests with a Timesketch server.
"""

import json
import os
import sys

from plaso.containers import events
from plaso.engine import tagging_file

from tests.lib import tagging_test_lib
from tests.lib import test_lib


def Main(path):
    """Writes the cases.

    Args:
      path (str): path of the file.

    Returns:
      int: exit code.
    """
    rules = tagging_file.TaggingFile(
        os.path.join(test_lib.DATA_PATH, "tag_atop.txt")
    ).GetEventTaggingRules()

    event = events.EventObject()
    event.timestamp = 1795225000000000
    event.timestamp_desc = "Start Time"

    cases = [
        event_data
        for rule_cases in tagging_test_lib.ReadCases().values()
        for hits, misses in rule_cases
        for event_data in (*hits, *misses)
    ]
    with open(path, "w", encoding="utf-8") as file_object:
        for event_data in (*cases, *tagging_test_lib.ReadOrdinary()):
            values = {
                name: value
                for name, value in event_data.GetAttributes()
                if not name.startswith("_") and value is not None
            }
            values.update(
                {
                    "datetime": "2026-11-21T00:00:00+00:00",
                    "expected_tags": [
                        label
                        for label, (rule_filter,) in rules.items()
                        if rule_filter.Match(event, event_data, None, None)
                    ],
                    "message": "case",
                    "timestamp": event.timestamp,
                    "timestamp_desc": event.timestamp_desc,
                }
            )
            file_object.write(f"{json.dumps(values):s}\n")

    return 0


if __name__ == "__main__":
    sys.exit(Main(sys.argv[1]))
