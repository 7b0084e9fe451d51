"""Two independent ways to select events with Sigma rules."""

import codecs
import contextlib
import json
import os
import re
import sqlite3
import subprocess
import urllib.request

import hypothesis
from hypothesis import strategies

import osmem_server

from plaso.filters import event_filter

from sigma import collection
from sigma import conditions
from sigma import exceptions
from sigma import types
from sigma.backends import sqlite

from plaso_atop import text
from plaso_atop.plugins import process
from plaso_atop.sigma import backend
from plaso_atop.sigma import pipeline

from tests.lib import test_lib

# Rules of the project, and those of the option --sigma.
PATHS = [test_lib.GetTestFilePath(["sigma"])]
if os.environ.get("PLASO_ATOP_SIGMA_RULES"):
    PATHS.append(os.environ["PLASO_ATOP_SIGMA_RULES"])

ATTRIBUTES = (
    "data_type",
    "command_line",
    "parent_command_line",
    "parent_process_name",
    "pid",
    "ppid",
    "previous_command_line",
    "process_name",
    "username",
)

_EVENT_DATA_CLASSES = {
    event_data_class.DATA_TYPE: event_data_class
    for event_data_class in (
        process.AtopProcessEventData,
        process.AtopProcessChangeEventData,
    )
}

_ESCAPE_RE = re.compile(r"(?:\\u[0-9a-f]{4})+|(?:\\x[0-9a-f]{2})+")

# What events have besides what a rule asks for.
_OTHER_TEXTS = ("", " ", " other ", "=", "/usr/share/", "\n", "ö")


class Table:
    """Table of events in a database, for pySigma's backend for SQLite."""

    def __init__(self, events):
        """Initializes a table.

        Args:
          events (list[dict[str, int|str]]): values of attributes that atop recorded.
        """
        super().__init__()
        self._connection = sqlite3.connect(":memory:")
        # SQLite has the operator, but not what it does.
        self._connection.create_function("REGEXP", 2, self._MatchExpression)
        self._connection.execute(f"CREATE TABLE logs (number,{','.join(ATTRIBUTES):s})")
        marks = ",".join("?" * (len(ATTRIBUTES) + 1))
        self._connection.executemany(
            f"INSERT INTO logs VALUES ({marks:s})",
            [
                [number, *(event.get(name) for name in ATTRIBUTES)]
                for number, event in enumerate(events)
            ],
        )

    def __enter__(self):
        """Makes the table a context.

        Returns:
          Table: this table.
        """
        return self

    def __exit__(self, *unused_arguments):
        """Closes the database."""
        self._connection.close()

    def _MatchExpression(self, expression, value):
        """Matches a regular expression.

        Args:
          expression (str): regular expression.
          value (str): value, None if it is not set.

        Returns:
          bool: True if it matches.
        """
        # pySigma reads them with RE2, to which a dollar sign is the end of the text. To
        # Python it is also the place before a line end there.
        expression = re.sub(r"(?<!\\)\$(?=\)|$)", r"\\Z", expression)
        return value is not None and bool(re.search(expression, value))

    def Select(self, query):
        """Selects events.

        Args:
          query (str): query.

        Returns:
          list[int]: numbers of the events that match.
        """
        return sorted(row[0] for row in self._connection.execute(query))


class Index:
    """Index of events, of osmem, which speaks the API of OpenSearch."""

    def __init__(self):
        """Starts the server."""
        super().__init__()
        # pylint: disable=consider-using-with
        self._process = subprocess.Popen(
            [osmem_server.resolve_binary(), "-addr", "127.0.0.1:0", "-no-ja"],
            # It ends when its input does.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._url = json.loads(self._process.stdout.readline())["url"]
        self._number = 0

    def _Send(self, method, path, *lines):
        """Sends a request.

        Args:
          method (str): method.
          path (str): path, with the name of the index.
          lines (list[dict[str, object]]): lines of the request.

        Returns:
          dict[str, object]: response.
        """
        data = "".join(f"{json.dumps(line):s}\n" for line in lines)
        request = urllib.request.Request(
            f"{self._url:s}/events{self._number:d}{path:s}",
            data=data.encode("utf-8"),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    def Close(self):
        """Stops the server."""
        self._process.terminate()
        self._process.communicate(timeout=30)

    def Select(self, query, events):
        """Selects events.

        Args:
          query (str): query.
          events (list[EventData]): event data.

        Returns:
          list[int]: numbers of the events that match.
        """
        self._number += 1
        self._Send("PUT", "", {})
        lines = []
        for number, event_data in enumerate(events):
            values = {name: getattr(event_data, name, None) for name in ATTRIBUTES}
            lines.append({"index": {"_id": str(number)}})
            lines.append(
                {name: value for name, value in values.items() if value is not None}
            )
        self._Send("POST", "/_bulk?refresh=true", *lines)
        query = {"query": {"query_string": {"query": query}}, "size": 10000}
        hits = self._Send("POST", "/_search", query)["hits"]["hits"]
        self._Send("DELETE", "")
        return sorted(int(hit["_id"]) for hit in hits)


def Convert(rule, output_format="default"):
    """Converts a rule.

    Args:
      rule (SigmaRule): rule.
      output_format (Optional[str]): "default" or "timesketch".

    Returns:
      str: event filter, or query of OpenSearch.
    """
    plaso_backend = backend.PlasoBackend(pipeline.plaso_atop_pipeline())
    plaso_backend.init_processing_pipeline(output_format)
    expressions = plaso_backend.convert_rule(rule, output_format)
    if output_format == "timesketch":
        expressions = [query for _, query, _ in expressions]
    return " OR ".join(expressions)


def ConvertToQuery(rule):
    """Converts a rule for SQLite.

    Args:
      rule (SigmaRule): rule.

    Returns:
      str: query.
    """
    sqlite_backend = sqlite.sqliteBackend(pipeline.plaso_atop_pipeline())
    # Where the columns of a table do not say so, the equals sign minds the case.
    sqlite_backend.collate_nocase = True
    return " UNION ".join(sqlite_backend.convert_rule(rule))


def CreateEventData(values):
    """Creates an event as the parser does, in which text is escaped.

    Args:
      values (dict[str, int|str]): values of attributes, as atop recorded them.

    Returns:
      EventData: event data.
    """
    event_data = _EVENT_DATA_CLASSES[values["data_type"]]()
    for name, value in values.items():
        if isinstance(value, str) and name != "data_type":
            value = text.Escape(value.encode("utf-8"))
        setattr(event_data, name, value)
    return event_data


def _DecodeEscape(match):
    """Decodes what is escaped in an event.

    Args:
      match (re.Match): escape sequences of one kind.

    Returns:
      str: text, with one character for a byte that is not UTF-8.
    """
    data = bytes.fromhex(re.sub(r"\\[xu]", "", match[0]))
    encoding = "utf-16-be" if match[0][1] == "u" else "ascii"
    return codecs.decode(data, encoding, "replace")


def GetValues(event_data):
    """Retrieves what atop recorded from an event.

    Args:
      event_data (EventData): event data.

    Returns:
      dict[str, int|str]: values of attributes.
    """
    values = {}
    for name in ATTRIBUTES:
        value = getattr(event_data, name, None)
        if isinstance(value, str):
            value = _ESCAPE_RE.sub(_DecodeEscape, value)
        if value is not None:
            values[name] = value
    return values


def ReadConvertibleRules(path):
    """Reads rules that can be converted to event filters.

    Args:
      path (str): path of a file or directory.

    Yields:
      SigmaRule: rule to which the pipeline was applied.
    """
    for rule in ReadRules(path):
        with contextlib.suppress(exceptions.SigmaError):
            Convert(rule)
            yield rule


def ReadRules(path):
    """Reads rules.

    Args:
      path (str): path of a file or directory.

    Returns:
      list[SigmaRule]: rules.
    """
    return collection.SigmaCollection.load_ruleset([path], collect_errors=True).rules


def SelectWithPlaso(expression, events):
    """Selects events with an event filter.

    Args:
      expression (str): event filter.
      events (list[EventData]): event data.

    Returns:
      list[int]: numbers of the events that match.
    """
    filter_object = event_filter.EventObjectFilter()
    filter_object.CompileFilter(expression)
    return [
        number
        for number, event_data in enumerate(events)
        if filter_object.Match(None, event_data, None, None)
    ]


def _DeriveValues(draw, condition, is_wanted):
    """Derives values that attributes must have.

    Args:
      draw (function): draws from a strategy.
      condition (ConditionItem): condition of a rule whose fields are attributes.
      is_wanted (bool): True if the condition must match, False if it must not.

    Returns:
      dict[str, list[tuple[int, int|str]]]: position and value, per attribute. The
          position is 0 for what is at the start, 2 for what is at the end.
    """
    if isinstance(condition, conditions.ConditionNOT):
        return _DeriveValues(draw, condition.args[0], not is_wanted)

    values = {}
    if isinstance(condition, (conditions.ConditionAND, conditions.ConditionOR)):
        items = condition.args
        if isinstance(condition, conditions.ConditionOR) == is_wanted:
            items = [draw(strategies.sampled_from(items))]
        for item in items:
            for name, others in _DeriveValues(draw, item, is_wanted).items():
                values.setdefault(name, []).extend(others)
        return values

    value = condition.value
    if isinstance(value, types.SigmaExpansion):
        value = draw(strategies.sampled_from(value.values))

    position = 1
    if isinstance(value, types.SigmaNumber):
        value = value.number
    elif isinstance(value, types.SigmaString) and value.s:
        if value.s[0] != types.SpecialChars.WILDCARD_MULTI:
            position = 0
        elif value.s[-1] != types.SpecialChars.WILDCARD_MULTI:
            position = 2
        value = "".join(
            (
                part
                if isinstance(part, str)
                else draw(strategies.sampled_from(_OTHER_TEXTS))
            )
            for part in value.s
        )
    elif isinstance(value, types.SigmaRegularExpression):
        flags = re.IGNORECASE if value.flags else 0
        characters = strategies.characters(min_codepoint=0x20, max_codepoint=0x7E)
        value = draw(
            strategies.from_regex(
                re.compile(str(value.regexp), flags), alphabet=characters
            )
        )
    else:
        value = "something" if is_wanted == bool(getattr(value, "exists", 0)) else ""

    return {condition.field: [(position, value)]} if is_wanted else {}


@strategies.composite
def _DeriveEvent(draw, rule):  # pylint: disable=differing-param-doc,differing-type-doc
    """Derives an event from a rule, that matches more often than not.

    Args:
      draw (function): draws from a strategy.
      rule (SigmaRule): rule to which the pipeline was applied.

    Returns:
      dict[str, int|str]: values of attributes.
    """
    condition = draw(strategies.sampled_from(rule.detection.parsed_condition)).parsed
    is_wanted = draw(strategies.sampled_from([True, True, False]))
    derived = _DeriveValues(draw, condition, is_wanted)
    # What must match and what must not can be about the same attribute.
    event = {}
    for name, values in derived.items():
        values = [value for _, value in sorted(values, key=lambda item: item[0])]
        if isinstance(values[-1], int):
            event[name] = values[-1]
        else:
            glue = draw(strategies.sampled_from(_OTHER_TEXTS))
            # An index ignores keywords of more characters.
            event[name] = glue.join(values)[:255] or None

    event.setdefault("data_type", "linux:atop:process")
    event_data = _EVENT_DATA_CLASSES[event["data_type"]]()
    return {
        name: value
        for name, value in event.items()
        if value is not None and hasattr(event_data, name)
    }


def DeriveEvents(rule, number_of_lists=20):
    """Derives events from a rule, always the same.

    Args:
      rule (SigmaRule): rule to which the pipeline was applied.
      number_of_lists (Optional[int]): how many times ten events are derived.

    Returns:
      list[dict[str, int|str]]: values of attributes.
    """
    derived_events = []

    @hypothesis.settings(
        database=None,
        deadline=None,
        derandomize=True,
        max_examples=number_of_lists,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategies.lists(_DeriveEvent(rule), min_size=10, max_size=10))
    def _Derive(events):
        derived_events.extend(events)

    # hypothesis gives the argument.
    _Derive()  # pylint: disable=no-value-for-parameter
    return derived_events
