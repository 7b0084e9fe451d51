#!/usr/bin/env python
"""Writes data/timeliner.yaml.

Its source are the docstrings of the event data classes: the timeliner gets every
attribute that is a date and time.
"""

import os
import sys

import yaml

PROJECT_PATH = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
sys.path.insert(0, PROJECT_PATH)

# pylint: disable=wrong-import-position
from scripts import attributes

TIMELINER_PATH = os.path.join(PROJECT_PATH, "data", "timeliner.yaml")

_DATE_AND_TIME = "dfdatetime.DateTimeValues"

_HEADER = """\
# Date and time values of the atop raw log events, in addition to those of Plaso.
# Written by scripts/timeliner.py.
"""


def GetText(existing_text):
    """Retrieves the timeliner definitions.

    Args:
      existing_text (str): contents of data/timeliner.yaml, whose order of attributes is
          kept: it is the order of events of the same time.

    Returns:
      str: contents of data/timeliner.yaml as they should be.
    """
    existing_names = {}
    for definition in yaml.safe_load_all(existing_text):
        existing_names[definition["data_type"]] = [
            mapping["name"] for mapping in definition["attribute_mappings"]
        ]

    lines = []
    for event_data_class in attributes.GetEventDataClasses():
        data_type = event_data_class.DATA_TYPE
        names = [
            attribute.name
            for attribute in attributes.GetAttributes(event_data_class)
            if attribute.type == _DATE_AND_TIME
        ]
        order = existing_names.get(data_type, [])
        order = [name for name in order if name in names]
        order.extend(name for name in names if name not in order)

        lines.extend(["---", f"data_type: '{data_type:s}'", "attribute_mappings:"])
        for name in order:
            description = name.replace("_", " ").title()
            lines.extend([f"- name: '{name:s}'", f"  description: '{description:s}'"])
        lines.append("place_holder_event: true")

    return "\n".join([f"{_HEADER:s}{lines[0]:s}", *lines[1:], ""])


def Main():
    """Writes data/timeliner.yaml."""
    with open(TIMELINER_PATH, encoding="utf-8") as file_object:
        text = file_object.read()

    with open(TIMELINER_PATH, "w", encoding="utf-8") as file_object:
        file_object.write(GetText(text))


if __name__ == "__main__":
    Main()
