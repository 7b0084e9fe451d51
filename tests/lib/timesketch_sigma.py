"""Writes events for Sigma rules as JSON lines, with the tags of psort.

This runs where the package is installed, for the tests with a Timesketch server.
"""

import itertools
import json
import os
import sys
import tempfile

from plaso.engine import tagging_file

from plaso_atop.commands import sigma

from tests.lib import sigma_test_lib


def Main(lines_path, tags_path):
    """Writes the events, and the tags for Timesketch.

    Args:
      lines_path (str): path of the JSON lines.
      tags_path (str): path of the tags.

    Returns:
      int: exit code.
    """
    paths = sigma_test_lib.PATHS
    sigma.Convert(paths, tags_path, "timesketch")
    with open(tags_path, encoding="utf-8") as file_object:
        names = {line[:-2] for line in file_object if line.startswith("sigma_")}

    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "tag_sigma.txt")
        sigma.Convert(paths, path, "tagging")
        rules = tagging_file.TaggingFile(path).GetEventTaggingRules()

    with open(lines_path, "w", encoding="utf-8") as file_object:
        sigma_rules = map(sigma_test_lib.ReadConvertibleRules, paths)
        for rule in itertools.chain.from_iterable(sigma_rules):
            for event in sigma_test_lib.DeriveEvents(rule, 10):
                event_data = sigma_test_lib.CreateEventData(event)
                values = {name: getattr(event_data, name) for name in event}
                values.update(
                    {
                        "datetime": "2026-11-21T00:00:00+00:00",
                        "expected_tags": [
                            label
                            for label, rule_filters in rules.items()
                            # What Timesketch has not, see the report of the command.
                            if label in names
                            and any(
                                rule_filter.Match(None, event_data, None, None)
                                for rule_filter in rule_filters
                            )
                        ],
                        "message": "case",
                        "timestamp": 1795225000000000,
                        "timestamp_desc": "Start Time",
                    }
                )
                file_object.write(f"{json.dumps(values):s}\n")

    return 0


if __name__ == "__main__":
    sys.exit(Main(*sys.argv[1:]))
