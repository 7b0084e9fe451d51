#!/usr/bin/env python3
"""Tests for the conversion of Sigma rules."""

import contextlib
import os
import re
import subprocess
import sys
import unittest
from unittest import mock

import hypothesis
from hypothesis import strategies

from sigma import exceptions
from sigma import plugins
from sigma import rule as sigma_rule

from plaso_atop import parser
from plaso_atop import text
from plaso_atop.plugins import process
from plaso_atop.sigma import backend
from plaso_atop.sigma import pipeline

from tests.lib import sigma_test_lib
from tests.lib import test_lib

# Characters that event filters, regular expressions, SQL or Sigma treat specially, or
# that are escaped in events: the letters of an escape sequence are left out, see
# testPartOfEscape. So are capital letters that are not ASCII: SQLite's LIKE does not
# know that É and é are one letter, see testCase.
_CHARACTERS = "ghijkmGHJu41 -/.%_'\"\\^$|()[]{}+&;=~é日\n\t"

_FIELDS = {
    "CommandLine": "command_line",
    "ParentCommandLine": "parent_command_line",
    "User": "username",
}
_NAMES = {"Image": "process_name", "ParentImage": "parent_process_name"}

_EXPRESSIONS = (
    r"g+h",
    r"^[^g]*\.h",
    r"(g|h)\s[ij]{1,2}$",
    r"\\u41",
    r"[\\/]\S",
    r".k.",
    r"\bm\b",
    r"(?i)GH",
    r"^(?:gh|ij) ",
    r"[\n\t]g",
    r"\W\W",
    r"(?i)g.*h",
    r"[^-\s]+j",
)


@strategies.composite
def _CreateItem(draw, words):
    """Draws a field with its values.

    Args:
      draw (function): draws from a strategy.
      words (list[str]): words that events have as well.

    Returns:
      tuple[str, object]: field with modifiers, and values.
    """
    texts = strategies.lists(
        strategies.sampled_from(words) | strategies.sampled_from("*?"),
        min_size=1,
        max_size=3,
    ).map("".join)
    kind = draw(strategies.sampled_from("tttttinrex"))
    if kind == "i":
        field = draw(strategies.sampled_from(sorted(_NAMES)))
        name = draw(texts).replace("/", "")[:14]
        return draw(
            strategies.sampled_from(
                [
                    (f"{field:s}|endswith", f"/{name:s}"),
                    (f"{field:s}|endswith", name or "g"),
                    (f"{field:s}|contains", name or "g"),
                    (f"{field:s}|startswith", "/g"),
                    (field, f"/g/{name:s}"),
                ]
            )
        )
    field = draw(strategies.sampled_from(sorted(_FIELDS)))
    if kind == "n":
        return draw(strategies.sampled_from([(field, None), ("ProcessId", [1, 41])]))
    if kind == "e":
        return f"{field:s}|exists", draw(strategies.booleans())
    if kind == "r":
        return f"{field:s}|re", draw(strategies.sampled_from(_EXPRESSIONS))
    modifier = draw(
        strategies.sampled_from(["", "|contains", "|startswith", "|endswith"])
    )
    cased = draw(strategies.sampled_from(["", "", "|cased"]))
    values = draw(strategies.lists(texts, min_size=1, max_size=3))
    if kind == "x":
        return f"{field:s}{modifier:s}{cased:s}|neq", values
    linking = draw(strategies.sampled_from(["", "|all"])) if len(values) > 1 else ""
    return f"{field:s}{modifier:s}{cased:s}{linking:s}", values


@strategies.composite
def _CreateRuleAndEvents(draw):
    """Draws a rule and events.

    Args:
      draw (function): draws from a strategy.

    Returns:
      tuple[dict[str, object], list[dict[str, int|str]]]: rule and events.
    """
    word = strategies.text(_CHARACTERS, min_size=1, max_size=3)
    words = draw(strategies.lists(word, min_size=2, max_size=5))

    selections = {}
    for name in draw(strategies.sampled_from([["a_1"], ["a_1", "a_2", "b"]])):
        items = draw(strategies.lists(_CreateItem(words), min_size=1, max_size=3))
        selection = dict(items)
        if draw(strategies.booleans()) and len(items) > 1:
            selection = [dict([item]) for item in items]
        if draw(strategies.integers(0, 9)) == 0:
            selection = draw(
                strategies.lists(strategies.sampled_from(words), min_size=1)
            )
        selections[name] = selection

    leaf = strategies.sampled_from(
        [*selections, "1 of a_*", "all of them", "1 of them", "all of a_*"]
    )
    condition = draw(
        strategies.recursive(
            leaf,
            lambda item: item.map(lambda item: f"not ({item:s})")
            | strategies.tuples(item, item).map(
                lambda items: f"({items[0]:s} and {items[1]:s})"
            )
            | strategies.tuples(item, item).map(
                lambda items: f"({items[0]:s} or {items[1]:s})"
            ),
            max_leaves=5,
        )
    )

    pieces = [
        *words,
        *(item.swapcase() for item in words if item.isascii()),
        " ",
        "/g/",
    ]
    texts = strategies.lists(
        strategies.sampled_from(pieces), min_size=1, max_size=4
    ).map("".join)
    event = strategies.fixed_dictionaries(
        {
            "data_type": strategies.sampled_from(
                ["linux:atop:process"] * 4 + ["linux:atop:process_change"]
            )
        },
        optional={
            "command_line": texts,
            "pid": strategies.sampled_from([1, 2, 41]),
            "process_name": texts.map(lambda name: name.replace("/", "")[:6] or "g"),
            "username": texts,
        },
    ).flatmap(
        lambda event: (
            strategies.fixed_dictionaries(
                {},
                optional={
                    "parent_command_line": texts,
                    "parent_process_name": texts.map(lambda name: name[:6]),
                },
            )
            if event["data_type"] == "linux:atop:process"
            else strategies.fixed_dictionaries(
                {}, optional={"previous_command_line": texts}
            )
        ).map(lambda others: {**event, **others})
    )
    events = draw(strategies.lists(event, min_size=4, max_size=12))
    rule = {
        "title": "A rule",
        "logsource": {"category": "process_creation", "product": "linux"},
        "detection": {**selections, "condition": condition},
    }
    return rule, events


def _CreateRule(selection, condition="selection", product="linux"):
    """Creates a rule.

    Args:
      selection (dict[str, object]): fields and values.
      condition (Optional[str]): condition.
      product (Optional[str]): product of the log source.

    Returns:
      SigmaRule: rule.
    """
    return sigma_rule.SigmaRule.from_dict(
        {
            "title": "A rule",
            "logsource": {"category": "process_creation", "product": product},
            "detection": {"condition": condition, "selection": selection},
        }
    )


class ConversionTest(test_lib.ParserTestCase):
    """Tests that independent conversions select the same events.

    These are ours to event filters, pySigma's for SQLite, and ours to queries.
    """

    @classmethod
    def setUpClass(cls):
        """Starts the server of an index."""
        super().setUpClass()
        cls._index = sigma_test_lib.Index()
        cls.addClassCleanup(cls._index.Close)

    def _CheckEvents(self, rule, conversions, events):
        """Checks that all conversions of a rule select the same events.

        Args:
          rule (object): rule, for messages.
          conversions (list[str]): event filter, query of SQLite, and query of
              OpenSearch, None if there is none.
          events (list[dict[str, int|str]]): values of attributes.

        Returns:
          list[int]: numbers of the events that match.
        """
        expression, sqlite_query, query = conversions
        event_data = [sigma_test_lib.CreateEventData(event) for event in events]
        numbers = sigma_test_lib.SelectWithPlaso(expression, event_data)
        message = f"{rule!s}: {expression:s}"
        with sigma_test_lib.Table(events) as table:
            self.assertEqual(numbers, table.Select(sqlite_query), message)
        if query:
            message = f"{rule!s}: {query:s}"
            self.assertEqual(numbers, self._index.Select(query, event_data), message)
        return numbers

    def _ConvertRule(self, *rules):
        """Converts a rule in all ways.

        Args:
          rules (list[SigmaRule]): three copies of the rule, as a conversion changes it.

        Returns:
          list[str]: event filter, query of SQLite, and query of OpenSearch, None if
              there is none.
        """
        conversions = [
            sigma_test_lib.Convert(rules[0]),
            sigma_test_lib.ConvertToQuery(rules[1]),
            None,
        ]
        with contextlib.suppress(exceptions.SigmaError):
            conversions[2] = sigma_test_lib.Convert(rules[2], "timesketch")
        return conversions

    def _ConvertRules(self):
        """Converts all rules in all ways.

        Returns:
          list[tuple[SigmaRule, list[str]]]: rules to which the pipeline was applied,
              and conversions.
        """
        results = []
        for path in sigma_test_lib.PATHS:
            for rules in zip(*(sigma_test_lib.ReadRules(path) for _ in range(3))):
                with contextlib.suppress(exceptions.SigmaError):
                    results.append((rules[0], self._ConvertRule(*rules)))
        return results

    @hypothesis.settings(
        deadline=None,
        # The same rules in every run. What others found is in docs/sigma.md.
        derandomize=True,
        max_examples=400,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    @hypothesis.given(_CreateRuleAndEvents())
    def testRandomRules(self, rule_and_events):
        """Tests rules and events that have words in common."""
        rule, events = rule_and_events
        conversions = self._ConvertRule(
            *(sigma_rule.SigmaRule.from_dict(rule) for _ in range(3))
        )
        self._CheckEvents(rule, conversions, events)

    def testDerivedEvents(self):
        """Tests events that are made of what a rule asks for."""
        rules = self._ConvertRules()
        self.assertGreaterEqual(len(rules), 12)
        for rule, conversions in rules:
            with self.subTest(rule=rule.title):
                events = sigma_test_lib.DeriveEvents(rule)
                numbers = self._CheckEvents(rule.title, conversions, events)
                self.assertTrue(0 < len(numbers) < len(events))

    def testEscapes(self):
        """Tests that no part of what is escaped in an event is a character."""
        for selection, hits, misses in [
            ({"CommandLine|contains": "\\x"}, ["\\x", "\\x41"], ["\n", "x"]),
            ({"CommandLine|contains": "\\\\"}, ["\\", "\\n", "\\\n"], ["\n"]),
            ({"CommandLine|contains": "\\U0041"}, ["\\U0041", "\\u0041"], ["U0041"]),
            ({"CommandLine": "a?"}, ["a\n", "a\\"], ["a\\x", "a\\n"]),
            ({"CommandLine": "a??"}, ["a\nb", "a\\x", "a\\\n"], ["a\n", "a\\"]),
            ({"CommandLine": "a?x*"}, ["a\nx", "a\\x", "a\\xg"], ["a\n", "a\u200b"]),
            ({"CommandLine": "a?u*"}, ["a\nu", "a\\u"], ["a\u200b", "a\\n"]),
            ({"CommandLine|re": "g.*h"}, ["g\th", "g\\x h", "gh"], ["g\nh"]),
            ({"CommandLine|re": "g.+h"}, ["g\th", "g\\h"], ["g\nh", "gh"]),
            ({"CommandLine|re": r"a\S*-"}, ["a\\x-", "a\x01-"], ["a\t-", "a -"]),
            ({"CommandLine|re": r"a\W\W"}, ["a\\\n", "a  "], ["a\n", "a\\x"]),
            ({"CommandLine|re": "^a.{0,2}$"}, ["a", "a\tb", "a\\x"], ["a\n", "abcd"]),
            ({"CommandLine|re": r"g\n+h"}, ["g\n\nh"], ["gh"]),
            ({"CommandLine|re": "g\u200b?h"}, ["g\u200bh", "gh"], ["g\u200b\u200bh"]),
            ({"CommandLine|re": "^g(|k)h$"}, ["gh", "gkh"], ["g", "h"]),
            ({"CommandLine|re": "^(g)(k(l))h$"}, ["gklh"], ["gkh"]),
            ({"CommandLine|re": "ab$|^cd"}, ["xab", "cdx"], ["abx", "xcd"]),
        ]:
            with self.subTest(selection=selection):
                events = [
                    {"data_type": "linux:atop:process", "command_line": command_line}
                    for command_line in hits + misses
                ]
                conversions = self._ConvertRule(
                    *(_CreateRule(selection) for _ in range(3))
                )
                self.assertTrue(conversions[2])
                numbers = self._CheckEvents(selection, conversions, events)
                self.assertEqual(numbers, list(range(len(hits))))

    def testCase(self):
        """Tests letters that have several forms in one case.

        SQLite only knows the case of ASCII.
        """
        for value, command_lines in [
            ("Привет", ["ПРИВЕТ", "привет"]),
            ("ΟΔΟΣ", ["οδος", "οδοσ", "Οδος"]),
            ("straße", ["STRAẞE", "Straße"]),
        ]:
            with self.subTest(value=value):
                events = [
                    sigma_test_lib.CreateEventData(
                        {"data_type": "linux:atop:process", "command_line": text_value}
                    )
                    for text_value in [*command_lines, "x"]
                ]
                selection = {"CommandLine|contains": value}
                expression = sigma_test_lib.Convert(_CreateRule(selection))
                query = sigma_test_lib.Convert(_CreateRule(selection), "timesketch")
                hits = list(range(len(command_lines)))
                self.assertEqual(
                    sigma_test_lib.SelectWithPlaso(expression, events), hits
                )
                self.assertEqual(self._index.Select(query, events), hits)

    def testPartOfEscape(self):
        """Tests what only the index matches in a part of what is escaped."""
        for selection, command_line in [
            ({"CommandLine|re": "^a.{4}$"}, "a\t"),
            ({"CommandLine|re": "^a.{2,}$"}, "a\t"),
            ({"CommandLine|re": "^a(b|.)x"}, "a\t"),
            ({"CommandLine|re": "^a.*9"}, "a\t"),
            ({"CommandLine": "a???*"}, "a\t"),
        ]:
            with self.subTest(selection=selection):
                expression, _, query = self._ConvertRule(
                    *(_CreateRule(selection) for _ in range(3))
                )
                event = {
                    "data_type": "linux:atop:process",
                    "command_line": command_line,
                }
                events = [sigma_test_lib.CreateEventData(event)]
                self.assertFalse(sigma_test_lib.SelectWithPlaso(expression, events))
                self.assertTrue(self._index.Select(query, events))

    def testLogs(self):
        """Tests the events of real logs."""
        events = []
        for log in test_lib.LOGS:
            storage_writer = self._ParseFile([f"{log.name:s}.raw"], parser.AtopParser())
            for data_type in ("linux:atop:process", "linux:atop:process_change"):
                for event_data in self._GetEventData(storage_writer, data_type):
                    events.append(sigma_test_lib.GetValues(event_data))
        self.assertGreater(len(events), 1000)

        for rule, (expression, sqlite_query, _) in self._ConvertRules():
            self._CheckEvents(rule.title, (expression, sqlite_query, None), events)


class BackendTest(test_lib.BaseTestCase):
    """Tests for the backend and the pipeline."""

    _PREFIX = (
        '((data_type is "linux:atop:process" OR '
        '(data_type is "linux:atop:process_change" AND '
        'previous_command_line contains "")) AND '
    )

    def _CheckSelection(self, selection, hits, misses):
        """Checks what a selection selects.

        Args:
          selection (dict[str, object]): fields and values.
          hits (list[bytes]): command lines, as atop recorded them, that match.
          misses (list[bytes]): command lines that do not match.
        """
        expression = self._Convert(selection)
        for command_lines, is_hit in ((hits, True), (misses, False)):
            for command_line in command_lines:
                event_data = process.AtopProcessEventData()
                event_data.command_line = text.Escape(command_line) or None
                numbers = sigma_test_lib.SelectWithPlaso(expression, [event_data])
                self.assertEqual(bool(numbers), is_hit, (command_line, expression))

    def _Convert(self, selection, condition="selection"):
        """Converts a rule.

        Args:
          selection (dict[str, object]): fields and values.
          condition (Optional[str]): condition.

        Returns:
          str: event filter, without what it asks of the data type.
        """
        rule = _CreateRule(selection, condition=condition)
        expression = sigma_test_lib.Convert(rule)
        self.assertTrue(expression.startswith(self._PREFIX), expression)
        return expression.removeprefix(self._PREFIX)[:-1]

    def testApproximations(self):
        """Tests what is said to be only nearly the same."""
        for selection, words in [
            ({"CommandLine|contains": "x"}, []),
            ({"CommandLine": "x"}, []),
            ({"CommandLine|endswith": "x"}, ["command lines"]),
            ({"ParentCommandLine|re": "x$"}, ["command lines"]),
            ({"CommandLine|re": r"x\$"}, []),
            ({"User|endswith": "x"}, []),
            ({"Image|endswith": "/x"}, []),
            ({"Image|endswith": "/" + "x" * 15}, []),
            ({"Image|endswith": "/" + "x" * 16}, ["names"]),
            ({"Image|endswith": "/x*y"}, ["names", "directories"]),
            ({"Image|endswith": "x"}, ["names"]),
            ({"Image|startswith": "/x/"}, ["directories"]),
            ({"ParentImage": "/x/y"}, ["directories"]),
        ]:
            rule = _CreateRule(selection)
            sigma_test_lib.Convert(rule)
            (state,) = rule.get_conversion_states()
            approximations = state.processing_state["approximations"]
            self.assertEqual(
                [item.partition(" ")[0] for item in approximations],
                [item.partition(" ")[0] for item in words],
                selection,
            )

    def testCase(self):
        """Tests that the case matters only where a rule says so."""
        for modifiers in ("", "|contains", "|startswith", "|endswith"):
            field = f"CommandLine{modifiers:s}"
            self._CheckSelection({field: "Ab1"}, [b"Ab1", b"aB1"], [b"Ab"])
            self._CheckSelection({f"{field:s}|cased": "Ab1"}, [b"Ab1"], [b"aB1"])
            # SQLite does not know that these are the same letters.
            self._CheckSelection(
                {field: "Ébé"}, ["Ébé".encode(), "ÉBÉ".encode()], [b"b", b"EBE"]
            )
        self._CheckSelection({"CommandLine|re": "^aB"}, [b"aBc"], [b"ab", b"xaB"])
        self._CheckSelection({"CommandLine|re|i": "^aB"}, [b"aBc", b"Ab"], [b"xaB"])
        self._CheckSelection({"CommandLine|re": "a(?i:B)"}, [b"ab", b"aB"], [b"Ab"])
        # These are no flags.
        self._CheckSelection({"CommandLine|re": r"g\(?m[(?s)]"}, [b"gms"], [b"gm"])

    def testCharacters(self):
        """Tests characters that something treats specially."""
        for value, command_line in [
            ('"', b'"'),
            ("'", b"'"),
            ("%_", b"%_"),
            ("\n", b"\n"),
            ("\r\n\t", b"\r\n\t"),
            ("\\", b"\\"),
            ("\\\\", b"\\"),
            ("\\\\\\\\", b"\\\\"),
            ("\\x41", b"\\x41"),
            ("\\u0041", b"\\u0041"),
            ("\\*\\?", b"*?"),
            (".^$+{}[]|()", b".^$+{}[]|()"),
            ("ö日", "ö日".encode()),
            ("\u202e\xa0", "\u202e\xa0".encode()),
            (" # ", b" # "),
            ("not ", b"not "),
            (") OR (", b") OR ("),
        ]:
            for prefix in ("", "z"):
                for suffix in ("", "g"):
                    hit = prefix.encode() + command_line + suffix.encode()
                    selection = {"CommandLine|contains": value + suffix}
                    self._CheckSelection(selection, [hit], [b"", b"z", hit[:-1]])
                    selection = {"CommandLine|re": re.escape(hit.decode())}
                    self._CheckSelection(selection, [hit], [b"", b"z", hit[:-1]])

        # The backslash of an escape sequence is none of the text.
        self._CheckSelection({"CommandLine|contains": "\\"}, [b"\\n"], [b"\n", b"\xff"])
        self._CheckSelection(
            {"CommandLine|contains": "a?b"}, [b"a\nb", b"a\xffb"], [b"ab"]
        )
        self._CheckSelection(
            {"CommandLine|re": "^a.b"}, [b"a\tb"], [b"a\nb", b"a\t\tb"]
        )
        self._CheckSelection({"CommandLine|re": "^a.{2}$"}, [b"a\tb"], [b"a\t"])
        self._CheckSelection({"CommandLine|re": "^a.{4}$"}, [b"a\tbcd"], [b"a\t"])
        self._CheckSelection(
            {"CommandLine|re": r"a\sb"}, [b"a\tb", b"a b"], [b"a\x01b"]
        )
        self._CheckSelection({"CommandLine|re": r"a[^\s]b"}, [b"a\x01b"], [b"a\tb"])
        self._CheckSelection({"CommandLine|re": r"a\012b"}, [b"a\nb"], [b"a\x0012b"])
        # The edge of a word is also where an escape ends.
        self._CheckSelection(
            {"CommandLine|re": r"\bgh\b"},
            [b"gh", b"\ngh\n", "\u200bgh\u200b".encode(), b"\\gh"],
            [b"1gh", b"gh1", b"\n1gh"],
        )
        self._CheckSelection({"CommandLine|re": r"\b "}, [b"g "], [b"\n ", b" "])
        self._CheckSelection({"CommandLine|re": r"\Bgh"}, [b"1gh"], [b"gh", b"\ngh"])
        self._CheckSelection({"CommandLine|re": r"\B "}, [b"\n ", b"  "], [b"g "])

    def testExpressions(self):
        """Tests what is written."""
        for selection, expression in [
            ({"CommandLine|contains": "a b"}, 'command_line contains "a b"'),
            ({"CommandLine|startswith": "a"}, 'command_line iregexp "^a"'),
            ({"CommandLine": "a"}, 'command_line iregexp "^a$"'),
            ({"CommandLine|cased": 'a"'}, r'command_line is "a\""'),
            ({"CommandLine|contains|cased": "(a"}, r'command_line regexp "\\(a"'),
            ({"CommandLine|contains": ["a", "b"]}, 'command_line iregexp "a|b"'),
            (
                {"CommandLine|contains|all": ["a", "b"]},
                'command_line contains "a" AND command_line contains "b"',
            ),
            (["a"], '(command_line contains "a" OR process_name contains "a")'),
            (
                {"|all": ["a", "b"]},
                '(command_line contains "a" OR process_name contains "a") AND '
                '(command_line contains "b" OR process_name contains "b")',
            ),
            (
                {"Image|contains": "/a"},
                '(process_name iregexp "^a" OR '
                'command_line iregexp "^[^ ]*/a[^ ]*(?: |$)")',
            ),
            (
                {"Image|contains|neq": "/a"},
                '(process_name not contains "" OR process_name iregexp "^(?!a)") AND '
                '(command_line not contains "" OR '
                'command_line iregexp "^(?!.*(?:^[^ ]*/a[^ ]*(?: |$)))")',
            ),
            ({"CommandLine": None}, 'command_line not contains ""'),
            ({"CommandLine": ""}, 'command_line not contains ""'),
            ({"CommandLine": "*"}, 'command_line contains ""'),
            ({"CommandLine|exists": True}, 'command_line contains ""'),
            ({"CommandLine": 16}, 'command_line iregexp "^16$"'),
            ({"ProcessId": [16, 17]}, "(pid is 16 OR pid is 17)"),
            ({"ProcessId": ["16", 17]}, "(pid is 16 OR pid is 17)"),
            ({"User": "a"}, 'username iregexp "^a$"'),
            ({"Image|endswith": "/a"}, 'process_name iregexp "^a$"'),
            ({"ParentImage|endswith": "a"}, 'parent_process_name iregexp "a$"'),
            (
                {"Image|endswith": "/123456789abcdefgh"},
                'process_name iregexp "^123456789abcdef$"',
            ),
            ({"Image": "/bin/a"}, 'command_line iregexp "^(?:/bin/|-)?a(?: |$)"'),
            ({"Image": ""}, 'process_name not contains ""'),
            (
                {"ParentImage": ["", "*/a"]},
                '(parent_process_name not contains "" OR '
                'parent_process_name iregexp "^a$")',
            ),
            ({"Image|startswith": "/a/"}, 'command_line iregexp "^/a/[^ ]*(?: |$)"'),
        ]:
            self.assertEqual(self._Convert(selection), expression)

    def testNegation(self):
        """Tests that a condition that is negated matches where nothing is set."""
        for selection, expression in [
            ({"CommandLine|contains": "a"}, 'command_line not contains "a"'),
            ({"CommandLine|cased": "a"}, 'command_line not is "a"'),
            (
                {"CommandLine|startswith": "a"},
                '(command_line not contains "" OR command_line iregexp "^(?!a)")',
            ),
            (
                {"CommandLine|re": "a|b"},
                '(command_line not contains "" OR '
                'command_line regexp "^(?!.*(?:a|b))")',
            ),
            (
                {"CommandLine|contains|all": ["a", "b"]},
                '(command_line not contains "a" OR command_line not contains "b")',
            ),
            (
                {"CommandLine|contains": "a", "ProcessId": 1},
                '(command_line not contains "a" OR pid not is 1)',
            ),
            ({"CommandLine": None}, 'command_line contains ""'),
        ]:
            self.assertEqual(self._Convert(selection, "not selection"), expression)
            self.assertEqual(
                self._Convert(selection, "not (not (not selection))"), expression
            )
        self.assertEqual(
            self._Convert({"CommandLine|neq": ["a", "b"]}),
            '(command_line not contains "" OR command_line iregexp "^(?!(?:a|b)$)")',
        )

    def testPartOfEscape(self):
        """Tests the one way in which a rule matches what it should not.

        A text that begins like the end of an escape sequence is also found there.
        """
        self._CheckSelection({"CommandLine|contains": "0a"}, [b"0a", b"\n"], [b"x"])
        self._CheckSelection({"CommandLine|contains": "0ab"}, [b"0ab", b"\nb"], [b"\n"])

    def testQueries(self):
        """Tests the regular expressions of queries of the index.

        Lucene refuses those whose automaton is too large, which the server of these
        tests does not. One that has several texts with anything around each, or that
        repeats several parts, has a state for each combination of them.
        """
        for selection, expressions in [
            ({"CommandLine|contains": "1"}, [".*1.*"]),
            ({"CommandLine|contains": ["1", "2"]}, [".*(1|2).*"]),
            (
                {"CommandLine|contains": ["1*2", "3", "4*5", "6"]},
                [".*1.*2.*", ".*(3|6).*", ".*4.*5.*"],
            ),
            (
                {"CommandLine|contains": ["1" * 600, "2" * 600]},
                [f".*{'1' * 600:s}.*", f".*{'2' * 600:s}.*"],
            ),
            ({"CommandLine|re": "1|2$"}, [".*1.*", ".*2"]),
            ({"CommandLine|re": "(.){200,}"}, [".*.{200,}.*"]),
        ]:
            query = sigma_test_lib.Convert(_CreateRule(selection), "timesketch")
            self.assertEqual(
                re.findall("command_line.keyword:/(.*?)/", query), expressions
            )

    def testLargeRules(self):
        """Tests lists that are longer than Python's stack is deep."""
        words = [f"w{number:d}w" for number in range(3000)]
        for modifier, is_hit in (("contains|all", False), ("contains", True)):
            rule = _CreateRule({f"CommandLine|{modifier:s}": words})
            expression = sigma_test_lib.Convert(rule)
            event_data = process.AtopProcessEventData()
            event_data.command_line = " ".join(words)
            self.assertTrue(sigma_test_lib.SelectWithPlaso(expression, [event_data]))
            event_data.command_line = " ".join(words[:-1])
            numbers = sigma_test_lib.SelectWithPlaso(expression, [event_data])
            self.assertEqual(bool(numbers), is_hit)
            event_data.command_line = "w"
            self.assertFalse(sigma_test_lib.SelectWithPlaso(expression, [event_data]))

    def testOtherMeaning(self):
        """Tests that what Plaso would read in another way is refused."""
        with mock.patch.object(
            backend.PlasoBackend,
            "_WriteExpression",
            return_value="pid is 1 OR pid is 2",
        ):
            with self.assertRaisesRegex(exceptions.SigmaError, "something else"):
                self._Convert({"ProcessId": 1})
        with mock.patch.object(
            backend.PlasoBackend, "_WriteExpression", return_value="pid is"
        ):
            with self.assertRaisesRegex(exceptions.SigmaError, "does not compile"):
                self._Convert({"ProcessId": 1})

    def testRefusals(self):
        """Tests rules that cannot be converted."""
        for selection, reason in [
            ({"CurrentDirectory": "/tmp"}, "does not record CurrentDirectory"),
            ({"CommandLine|cidr": "192.0.2.0/24"}, "CIDRExpression"),
            ({"CommandLine|fieldref": "User"}, "FieldReference"),
            ({"ProcessId|gt": 5}, "CompareExpression"),
            ({"ProcessId": 0}, "number 0"),
            # What event filters and indexes make of a number that is text differs.
            ({"ProcessId": "1*"}, "only be compared with numbers"),
            ({"ProcessId|re": "1"}, "only be compared with numbers"),
            ({"ProcessId|exists": True}, "only be compared with numbers"),
            ({"ParentProcessId": None}, "only be compared with numbers"),
            ({"CommandLine|expand": "%words%"}, "placeholder"),
            ({"CommandLine|re|m": "^a"}, "several lines"),
            ({"CommandLine|re": "a(?m:^a)"}, "several lines"),
            ({"CommandLine|re": "a(?s:.)"}, "flags inside"),
            ({"CommandLine|re": "a(?i)b"}, "flags inside"),
            ({"CommandLine|re": "[[:alpha:]]"}, "named sets"),
            ({"CommandLine|re": r"\pL"}, "does not compile|invalid"),
            ({"Image|re": "a"}, "path of the executable"),
        ]:
            with self.assertRaisesRegex(exceptions.SigmaError, reason):
                self._Convert(selection)
        with self.assertRaisesRegex(
            exceptions.SigmaError, "not about process creation"
        ):
            sigma_test_lib.Convert(_CreateRule({"User": "a"}, product="windows"))


class PluginTest(test_lib.BaseTestCase):
    """Tests how pySigma and Plaso know the package."""

    def testDiscovery(self):
        """Tests that pySigma finds the backend and the pipeline."""
        installed = plugins.InstalledSigmaPlugins.autodiscover()
        self.assertIs(installed.backends["plaso"], backend.PlasoBackend)
        self.assertIs(installed.pipelines["plaso_atop"], pipeline.plaso_atop_pipeline)

    def testImport(self):
        """Tests that log2timeline and psort do without pySigma."""
        script = (
            "import sys\n"
            "from plaso.cli import log2timeline_tool, psort_tool\n"
            "assert 'plaso_atop.parser' in sys.modules\n"
            "names = {name.partition('.')[0] for name in sys.modules}\n"
            "sys.exit('sigma' in names or 'plaso_atop.sigma' in sys.modules)\n"
        )
        environment = {**os.environ}
        environment.pop("PLASO_ATOP_DISABLE", None)
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            cwd=test_lib.PROJECT_PATH,
            env=environment,
        )


if __name__ == "__main__":
    unittest.main()
