#!/usr/bin/env python3
"""Tests for the command that converts Sigma rules."""

import os
import unittest

import yaml

from plaso.engine import tagging_file

from tests.lib import command_test_lib
from tests.lib import sigma_test_lib
from tests.lib import test_lib

_RULE = b"""
title: "A \\u202e rule"
logsource: {category: process_creation, product: linux}
detection: {condition: selection, selection: {CommandLine: a}}
"""


class SigmaTest(command_test_lib.CommandTestCase):
    """Tests for the command that converts Sigma rules."""

    def setUp(self):
        """Makes a directory for the output."""
        super().setUp()
        self._output = os.path.join(self._MakeDirectory(), "tag_sigma.txt")

    def _Convert(self, *paths, exit_code=0, output=None):
        """Converts rules.

        Args:
          paths (list[str]): paths.
          exit_code (Optional[int]): expected exit code.
          output (Optional[str]): path of the output.

        Returns:
          list[str]: lines of the report.
        """
        process = self._Run(
            *("sigma", *paths, "--output", output or self._output), exit_code=exit_code
        )
        self.assertEqual(process.stdout, "")
        return process.stderr.splitlines()

    def _ReadOutput(self):
        """Reads the output.

        Returns:
          str: text.
        """
        with open(self._output, encoding="utf-8") as file_object:
            return file_object.read()

    def testRules(self):
        """Tests the rules of the test data."""
        lines = self._Convert(*sigma_test_lib.PATHS[:1])
        self.assertEqual(
            lines[-1],
            "12 rules converted, 6 exactly and 6 approximately; 2 not converted, "
            "0 unreadable, 1 not about process creation on Linux",
        )
        path = os.path.join(sigma_test_lib.PATHS[0], "working_directory.yml")
        self.assertIn(
            f"{path:s}: not converted: atop does not record CurrentDirectory", lines
        )
        self.assertEqual(len(lines), 9)

        rules = tagging_file.TaggingFile(self._output).GetEventTaggingRules()
        self.assertEqual(len(rules), 12)
        self.assertIn(
            "# Download to a directory in memory\n"
            "# level medium; T1105; id 7d1c5f7e-7c1b-4c2e-9a51-0b5a3a1f0a02; "
            "author plaso_atop\n"
            "sigma_download_to_memory\n  (",
            self._ReadOutput(),
        )

    def testTimesketch(self):
        """Tests tags for Timesketch, which are YAML."""
        lines = self._Convert(*sigma_test_lib.PATHS[:1], "--format", "timesketch")
        self.assertTrue(lines[-1].startswith("11 rules converted, 5 exactly"), lines)
        self.assertIn(": not converted: OpenSearch has no such", "\n".join(lines))

        tags = yaml.safe_load(self._ReadOutput())
        self.assertEqual(len(tags), 11)
        for name, tag in tags.items():
            self.assertEqual(set(tag), {"query_string", "tags"})
            self.assertEqual(tag["tags"], [name])
            self.assertIn('data_type:"linux:atop:process" OR ', tag["query_string"])

    def testLabels(self):
        """Tests that rules of one name have their own labels."""
        directory = self._MakeDirectory()
        for name in (b"a", b"b"):
            os.mkdir(os.path.join(directory, name.decode()))
            self._WriteFile(_RULE, os.path.join(name, b"it's.yml"), directory=directory)
        self._WriteFile(_RULE + b"---" + _RULE, b"x.yaml", directory=directory)
        self._WriteFile(b"no rule", b"x.txt", directory=directory)

        lines = self._Convert(directory)
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith("4 rules converted, 4 exactly"), lines)
        rules = tagging_file.TaggingFile(self._output).GetEventTaggingRules()
        self.assertEqual(
            sorted(rules), ["sigma_it_s", "sigma_it_s_2", "sigma_x", "sigma_x_2"]
        )
        # What a rule says of itself reaches a terminal.
        self.assertIn("# A \\u202e rule\n", self._ReadOutput())

    def testConditions(self):
        """Tests a rule with two conditions. One of them must match."""
        path = self._WriteFile(
            _RULE.replace(
                b"condition: selection", b"condition: [selection, not selection]"
            )
        )
        self._Convert(path)
        self.assertEqual(self._ReadOutput().count("\n  ("), 2)

    def testFilters(self):
        """Tests a filter, and a correlation, beside the rules that they are about."""
        directory = self._MakeDirectory()
        rule = _RULE + b"name: a_rule\n"
        self._WriteFile(rule, b"rule.yml", directory=directory)
        self._WriteFile(
            b"title: A filter\n"
            b"logsource: {category: process_creation, product: linux}\n"
            b"filter: {rules: [a_rule], s: {User: b}, condition: not s}\n",
            b"filter.yml",
            directory=directory,
        )
        self._WriteFile(
            b"title: A correlation\n"
            b"correlation: {type: event_count, rules: [a_rule], group-by: [User], "
            b"timespan: 1h, condition: {gte: 5}}\n",
            b"correlation.yml",
            directory=directory,
        )
        lines = self._Convert(directory)
        self.assertIn("tagging rules cannot correlate events", lines[0])
        self.assertTrue(lines[1].startswith("1 rules converted, 1 exactly"), lines)
        self.assertIn('username iregexp "^(?!b$)"', self._ReadOutput())

        # The title is missing.
        self._WriteFile(b"filter: {rules: [a_rule]}\n", b"x.yml", directory=directory)
        lines = self._Convert(directory, exit_code=1)
        self.assertIn("1 unreadable", lines[-1])

    def testUnreadable(self):
        """Tests files that are no rules, beside one that is."""
        directory = self._MakeDirectory()
        for name, data in (
            (b"a.yml", b"title: [\n"),
            (b"b.yml", b"\xff\xfe\x00"),
            (b"c.yml", b"- 1\n"),
            (b"d.yml", _RULE.replace(b"condition: selection", b"condition: (a")),
            (b"e.yml", _RULE.replace(b"CommandLine", b"CommandLine|unknown")),
            (b"f.yml", _RULE.replace(b"selection: {Com", b"other: {Com")),
            (b"g.yml", _RULE),
        ):
            self._WriteFile(data, name, directory=directory)
        missing = os.path.join(directory, "\x1b[1m.yml")

        lines = self._Convert(directory, missing, exit_code=1)
        self.assertTrue(lines[-1].startswith("1 rules converted, 1 exactly"), lines)
        self.assertEqual(len(lines), 8, lines)
        self.assertIn("/\\x1b[1m.yml: unreadable: ", "\n".join(lines))
        self.assertEqual(self._ReadOutput().count("\nsigma_g\n"), 1)

    def testNothing(self):
        """Tests that no file is written where there is nothing to write."""
        lines = self._Convert(self._MakeDirectory(), exit_code=1)
        self.assertEqual(lines[-1], "No rule was converted")
        self.assertFalse(os.path.exists(self._output))

    def testOutput(self):
        """Tests a file that cannot be written."""
        path = self._WriteFile(_RULE)
        directory = os.path.dirname(path)
        for output, reason in (
            (directory, "Is a directory"),
            (os.path.join(directory, "missing", "tags"), "No such file or directory"),
        ):
            lines = self._Convert(path, exit_code=1, output=output)
            self.assertEqual(lines[-1], f"{output:s}: {reason:s}")

    def testMissing(self):
        """Tests the command without pySigma."""
        directory = self._MakeDirectory()
        os.mkdir(os.path.join(directory, "sigma"))
        self._WriteFile(
            b"", os.path.join(b"sigma", b"__init__.py"), directory=directory
        )
        process = self._Run(
            *("sigma", test_lib.TEST_DATA_PATH, "--output", self._output),
            environment={"PYTHONPATH": directory},
            exit_code=1,
        )
        self.assertEqual(
            process.stderr,
            "plaso-atop sigma needs pySigma: pip install 'plaso-atop[sigma]'\n",
        )


if __name__ == "__main__":
    unittest.main()
