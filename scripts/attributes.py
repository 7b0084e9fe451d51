#!/usr/bin/env python
"""Writes the tables of attributes in docs/attributes.md.

Their only source are the docstrings of the event data classes, and data/timeliner.yaml
for the names of the dates and times.
"""

import collections
import inspect
import os
import re
import sys

import yaml

PROJECT_PATH = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
sys.path.insert(0, PROJECT_PATH)

# pylint: disable=wrong-import-position
from plaso import parsers as _
from plaso.containers import events

DOCUMENT_PATH = os.path.join(PROJECT_PATH, "docs", "attributes.md")

_TIMELINER_PATH = os.path.join(PROJECT_PATH, "data", "timeliner.yaml")

_START_MARKER = "<!-- The tables below are written by scripts/attributes.py. -->\n"
_END_MARKER = "<!-- The tables above are written by scripts/attributes.py. -->\n"

_DATE_AND_TIME = "dfdatetime.DateTimeValues"

_ATTRIBUTES_RE = re.compile(r"^Attributes.*:\n", re.MULTILINE)

_ATTRIBUTE_RE = re.compile(
    r"^  (?P<name>\w+) \((?P<type>[^)]+)\): (?P<description>.*(?:\n {6}.*)*)",
    re.MULTILINE,
)

# Units by the words of a description. The first match counts.
_UNITS = (
    (re.compile(r"\bin bytes\b|^offset of "), "bytes"),
    (re.compile(r"\bin milliseconds\b"), "ms"),
    (re.compile(r"\bin microseconds\b"), "µs"),
    (re.compile(r"\bin seconds\b"), "s"),
    (re.compile(r"\bin megabits per second\b"), "Mbit/s"),
    (re.compile(r"^(percentage|share) |\bin percent\b"), "%"),
)


class Attribute(
    collections.namedtuple("Attribute", ["name", "type", "unit", "description"])
):
    """Attribute of event data, as documented.

    Attributes:
      name (str): name.
      type (str): type as in the docstring.
      unit (str): unit, empty if there is none.
      description (str): description, without line breaks.
    """

    __slots__ = ()


def _Join(text):
    """Joins the lines of a text.

    Args:
      text (str): text.

    Returns:
      str: text without line breaks and indentation.
    """
    return " ".join(text.split())


def GetEventDataClasses():
    """Retrieves the event data classes.

    Returns:
      list[type]: classes of event data that the parser produces, by data type.
    """
    found_classes = []
    classes = [events.EventData]
    while classes:
        subclasses = classes.pop().__subclasses__()
        classes.extend(subclasses)
        found_classes.extend(
            event_data_class
            for event_data_class in subclasses
            if event_data_class.__module__.startswith("plaso_atop.")
            and getattr(event_data_class, "DATA_TYPE", None)
        )
    return sorted(found_classes, key=lambda found_class: found_class.DATA_TYPE)


def _GetDocumentation(event_data_class):
    """Retrieves the docstrings of an event data class and what it is derived from.

    Args:
      event_data_class (type): event data class.

    Yields:
      tuple[list[str], str]: paragraphs after the summary, and what follows the heading
          of the attributes.

    Raises:
      ValueError: if a docstring has no attributes.
    """
    for documented_class in reversed(event_data_class.__mro__):
        if documented_class.__module__.startswith("plaso_atop."):
            # Since Python 3.13 docstrings are stored without indentation.
            docstring = inspect.cleandoc(documented_class.__doc__)
            parts = _ATTRIBUTES_RE.split(docstring)
            if len(parts) != 2:
                raise ValueError(f"No attributes: {documented_class.__name__:s}")

            paragraphs = [_Join(text) for text in parts[0].strip().split("\n\n")]
            yield paragraphs[1:], parts[1]


def GetAttributes(event_data_class):
    """Retrieves the attributes that the docstrings of event data describe.

    Args:
      event_data_class (type): event data class.

    Returns:
      list[Attribute]: attributes, by name.

    Raises:
      ValueError: if a docstring has no attributes or part of it is not understood.
    """
    attributes = []
    for _, text in _GetDocumentation(event_data_class):
        if _ATTRIBUTE_RE.sub("", text).strip():
            raise ValueError(f"No attribute: {_ATTRIBUTE_RE.sub('', text).strip():s}")

        for match in _ATTRIBUTE_RE.finditer(text):
            description = _Join(match["description"])
            units = [unit for regex, unit in _UNITS if regex.search(description)]
            is_number = match["type"] in ("float", "int")
            attributes.append(
                Attribute(
                    match["name"],
                    match["type"],
                    units[0] if units and is_number else "",
                    description,
                )
            )

    # Numbers at the end of names are put in their order.
    return sorted(
        attributes,
        key=lambda attribute: [
            int(part) if part.isdigit() else part
            for part in re.split(r"(\d+)", attribute.name)
        ],
    )


def _GetTimestampDescriptions():
    """Retrieves the names of the dates and times.

    Returns:
      dict[tuple[str, str], str]: timestamp descriptions per data type and attribute.
    """
    with open(_TIMELINER_PATH, encoding="utf-8") as file_object:
        return {
            (definition["data_type"], mapping["name"]): mapping["description"]
            for definition in yaml.safe_load_all(file_object)
            for mapping in definition["attribute_mappings"]
        }


def GetTables():
    """Makes the tables of attributes.

    Returns:
      str: a section per data type, in Markdown.
    """
    timestamp_descriptions = _GetTimestampDescriptions()

    lines = []
    for event_data_class in GetEventDataClasses():
        data_type = event_data_class.DATA_TYPE
        lines.extend([f"## `{data_type:s}`", ""])
        for paragraphs, _ in _GetDocumentation(event_data_class):
            for paragraph in paragraphs:
                lines.extend([paragraph, ""])

        lines.extend(["| attribute | type | unit | |", "| --- | --- | --- | --- |"])
        for attribute in GetAttributes(event_data_class):
            attribute_type, description = attribute.type, attribute.description
            if attribute_type == _DATE_AND_TIME:
                attribute_type = "date and time"
                name = timestamp_descriptions[data_type, attribute.name]
                description = f"{name:s}: {description:s}"

            description = description.replace("|", "\\|")
            lines.append(
                f"| `{attribute.name:s}` | {attribute_type:s} | {attribute.unit:s} | "
                f"{description:s} |"
            )
        lines.append("")

    return "\n".join(lines)


def ReplaceTables(text):
    """Replaces the tables of attributes.

    Args:
      text (str): contents of the document.

    Returns:
      str: contents with the tables as they should be.

    Raises:
      ValueError: if the markers of the tables are missing.
    """
    before, start_marker, text = text.partition(_START_MARKER)
    _, end_marker, after = text.partition(_END_MARKER)
    if not start_marker or not end_marker:
        raise ValueError("No markers of the tables.")

    return f"{before:s}{start_marker:s}\n{GetTables():s}\n{end_marker:s}{after:s}"


def Main():
    """Writes the tables of attributes."""
    with open(DOCUMENT_PATH, encoding="utf-8") as file_object:
        text = file_object.read()

    with open(DOCUMENT_PATH, "w", encoding="utf-8") as file_object:
        file_object.write(ReplaceTables(text))


if __name__ == "__main__":
    Main()
