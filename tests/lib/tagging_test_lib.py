"""Cases of the tagging rules."""

import os

import yaml

from plaso_atop.plugins import process

from tests.lib import test_lib

_ORDINARY_PATH = os.path.join(test_lib.TEST_DATA_PATH, "ordinary_processes.yaml")
_PATH = os.path.join(test_lib.TEST_DATA_PATH, "tagging.yaml")


def CreateEventData(command_line=None, process_name=None, change=False, **attributes):
    """Creates a process, or a change of a process, as the plugin does.

    Args:
      command_line (Optional[str]): command line.
      process_name (Optional[str]): name of the program, by default that of the command
          line.
      change (Optional[bool]): True for a change of a process.
      attributes (dict[str, object]): values of other attributes.

    Returns:
      EventData: event data.

    Raises:
      AttributeError: if the event data has no such attribute.
    """
    event_data = process.AtopProcessEventData()
    if change:
        event_data = process.AtopProcessChangeEventData()

    if process_name is None and command_line:
        process_name = os.path.basename(command_line.partition(" ")[0])

    attributes = {
        "command_line": command_line,
        "process_name": process_name and process_name[:15],
        **attributes,
    }
    for name, value in attributes.items():
        # Raises where a case has an attribute that no event has.
        getattr(event_data, name)
        setattr(event_data, name, value)

    return event_data


def _CreateAll(values):
    """Creates what a rule must match, or must not.

    Args:
      values (list[str|dict[str, object]]): command lines, or values of attributes.

    Returns:
      list[EventData]: event data.
    """
    return [
        CreateEventData(
            **(value if isinstance(value, dict) else {"command_line": value})
        )
        for value in values
    ]


def ReadCases():
    """Reads the cases.

    Returns:
      dict[str, list[tuple[list[EventData], list[EventData]]]]: what each rule must
          match and what it must not, per label and in the order of the rules.

    Raises:
      KeyError: if a rule has no hits or no misses.
    """
    with open(_PATH, encoding="utf-8") as file_object:
        cases = yaml.safe_load(file_object)
    return {
        label: [
            (_CreateAll(rule["hits"]), _CreateAll(rule["misses"])) for rule in rules
        ]
        for label, rules in cases.items()
    }


def ReadOrdinary():
    """Reads the processes that nothing but the rules of every process may match.

    Returns:
      list[EventData]: event data.
    """
    with open(_ORDINARY_PATH, encoding="utf-8") as file_object:
        return _CreateAll(yaml.safe_load(file_object))
