#!/usr/bin/env python3
"""Tests for the command line tool."""

import datetime
import gzip
import os
import re
import subprocess
import sys
import tempfile
import unittest

from plaso_atop import __main__ as main

from tests import test_lib


class MainTest(test_lib.BaseTestCase):
    """Tests for the command line tool."""

    # pylint: disable=protected-access

    def _Run(self, *arguments, environment=None):
        """Runs the tool.

        Args:
          arguments (list[str]): arguments.
          environment (Optional[dict[str, str]]): additional environment variables.

        Returns:
          CompletedProcess: the process.
        """
        process = subprocess.run(
            [sys.executable, "-m", "plaso_atop", *arguments],
            capture_output=True,
            check=False,
            cwd=test_lib.PROJECT_PATH,
            encoding="utf-8",
            env={**os.environ, **(environment or {})},
            timeout=60,
        )
        self.assertNotIn("Traceback", process.stderr)
        return process

    def _WriteLog(self, data, name=b"log"):
        """Writes a log in a directory that is removed after the test.

        Args:
          data (bytes): contents of the log.
          name (Optional[bytes]): name of the file.

        Returns:
          str: path of the log.
        """
        # pylint: disable=consider-using-with
        temporary_directory = tempfile.TemporaryDirectory()
        self.addCleanup(temporary_directory.cleanup)

        path = os.path.join(os.fsencode(temporary_directory.name), name)
        with open(path, "wb") as file_object:
            file_object.write(data)

        return os.fsdecode(path)

    def testCheck(self):
        """Tests the check command where all is well."""
        process = self._Run("check")
        self.assertEqual(process.returncode, 0, process.stdout)
        lines = process.stdout.splitlines()
        self.assertEqual(
            [line[:16] for line in lines[2:]],
            [
                f"{name + ':':<13s}ok,"
                for name in (
                    "start-up",
                    "parser",
                    "preset",
                    "timeliner",
                    "messages",
                    "user names",
                    "tagging",
                    "mappings",
                    "artifacts",
                    "file filter",
                )
            ],
        )
        self.assertIn("atop/process, atop/session, atop/system", process.stdout)

    def testCheckDisabled(self):
        """Tests the check command where the package is switched off."""
        process = self._Run("check", environment={"PLASO_ATOP_DISABLE": "1"})
        self.assertEqual(process.returncode, 1, process.stdout)
        self.assertIn("\ndisabled: PLASO_ATOP_DISABLE=1 is set\n", process.stdout)
        self.assertEqual(process.stdout.count("MISSING, "), 10)
        self.assertEqual(process.stdout.count("to do: unset PLASO_ATOP_DISABLE"), 10)

    def testCheckOtherPlaso(self):
        """Tests the check command with a Plaso that lacks what is needed."""
        for name, module_name, statement, reason in (
            (
                "preset",
                "plaso.parsers.presets",
                "del module.ParserPresetsManager.GetNames",
                "ParserPresetsManager.GetNames",
            ),
            (
                "timeliner",
                "plaso.engine.yaml_timeliner_file",
                "module.YAMLTimelinerConfigurationFile.ReadFromFile = lambda self: []",
                "YAMLTimelinerConfigurationFile.ReadFromFile",
            ),
            (
                "messages",
                "plaso.output.mediator",
                "del module.OutputMediator.ReadMessageFormattersFromFile",
                "OutputMediator.ReadMessageFormattersFromFile",
            ),
            (
                "user names",
                "plaso.parsers.mediator",
                "del module.ParserMediator.GetFileEntry",
                "ParserMediator.GetFileEntry",
            ),
            (
                "tagging",
                "plaso.engine.tagging_file",
                "module.TaggingFile.GetEventTaggingRules = lambda self, more: {}",
                "TaggingFile.GetEventTaggingRules: missing",
            ),
            (
                "tagging",
                "plaso.cli.helpers.tagging_analysis",
                "del module.TaggingAnalysisArgumentsHelper",
                "no attribute 'TaggingAnalysisArgumentsHelper'",
            ),
            (
                "mappings",
                "plaso.output.shared_opensearch",
                "del module.SharedOpenSearchOutputModule.SetMappings",
                "SharedOpenSearchOutputModule.SetMappings",
            ),
            (
                "artifacts",
                "plaso.engine.engine",
                "module.BaseEngine.BuildArtifactsRegistry = lambda self: None",
                "BaseEngine.BuildArtifactsRegistry: too many",
            ),
            (
                "file filter",
                "plaso.cli.helpers.filter_file",
                "del module.FilterFileArgumentsHelper",
                "no attribute 'FilterFileArgumentsHelper'",
            ),
        ):
            with self.subTest(name=name, statement=statement):
                script = (
                    "import os, sys\n"
                    f"import {module_name:s} as module\n"
                    f"{statement:s}\n"
                    "del os.environ['PLASO_ATOP_DISABLE']\n"
                    "from plaso_atop import __main__, integration\n"
                    "integration.Install()\n"
                    "sys.argv[1:] = ['check']\n"
                    "sys.exit(__main__.Main())\n"
                )
                process = subprocess.run(
                    [sys.executable, "-c", script],
                    capture_output=True,
                    check=False,
                    cwd=test_lib.PROJECT_PATH,
                    encoding="utf-8",
                    env={**os.environ, "PLASO_ATOP_DISABLE": "1"},
                    timeout=60,
                )
                self.assertNotIn("Traceback", process.stderr)
                self.assertEqual(process.returncode, 1, process.stdout)

                lines = process.stdout.splitlines()
                missing = [
                    index for index, line in enumerate(lines) if " MISSING, " in line
                ]
                names = [lines[index].partition(":")[0] for index in missing]
                self.assertEqual(names, [name], process.stdout)
                remedy = lines[missing[0] + 1].strip()
                self.assertRegex(
                    remedy, "^to do: .*-m pip install --upgrade plaso plaso-atop, "
                )
                self.assertIn(reason, remedy)

    def testInfo(self):
        """Tests the info command on a log of every version and machine type."""
        paths = [log.path for log in test_lib.LOGS]
        process = self._Run("info", *paths)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(process.stderr, "")

        blocks = process.stdout.split(test_lib.TEST_DATA_PATH)[1:]
        self.assertEqual(len(blocks), len(test_lib.LOGS))
        for log, block in zip(test_lib.LOGS, blocks):
            # What the atop that wrote the log printed of it.
            with gzip.open(log.parseable_path) as file_object:
                text = file_object.read()

            rows = re.findall(
                rb"^PRG (\S+) ([0-9]+) \S+ \S+ ([0-9]+) ", text, re.MULTILINE
            )
            (hostname,) = {row[0] for row in rows}
            times = [
                datetime.datetime.fromtimestamp(int(row[1]), datetime.timezone.utc)
                for row in rows
            ]
            # The interval of the first sample is how long the system was up, that of
            # all others was one second.
            number_of_runs = len({row[1] for row in rows if int(row[2]) > 60})
            number_of_samples = len(re.findall(rb"^SEP$", text, re.MULTILINE))

            for line in (
                f"Host name:       {hostname.decode('ascii'):s}",
                f"Version of atop: {log.version:s}",
                "Clock ticks:     100 per second",
                "Page size:       4096 bytes",
                f"Starts of atop:  {number_of_runs:d}",
                f"Samples:         {number_of_samples:d}",
                f"Earliest sample: {min(times):%Y-%m-%d %H:%M:%S} UTC",
                f"Latest sample:   {max(times):%Y-%m-%d %H:%M:%S} UTC",
                "Damages:         0",
            ):
                self.assertIn(f"  {line:s}\n", block)

            self.assertIn(f", {log.abi_name:s}\n", block)

    def testInfoWithoutPlaso(self):
        """Tests that the info command does not import Plaso."""
        script = (
            "import sys\n"
            "sys.modules['plaso'] = None\n"
            "from plaso_atop import __main__\n"
            "sys.exit(__main__.Main())\n"
        )
        process = subprocess.run(
            [sys.executable, "-c", script, "info", test_lib.LOGS[0].path],
            capture_output=True,
            check=False,
            cwd=test_lib.PROJECT_PATH,
            encoding="utf-8",
            timeout=60,
        )
        self.assertEqual(process.stderr, "")
        self.assertEqual(process.returncode, 0)

    def testInfoBadFiles(self):
        """Tests the info command on what is no log, with a log among it."""
        data = self._ReadTestFile(["atop-2.12.1.raw"])
        directory = tempfile.gettempdir()
        for path, message in (
            (os.path.join(directory, "no-such-file"), "No such file or directory"),
            (directory, "Is a directory"),
            (self._WriteLog(b""), "Missing signature of an atop raw log"),
            (self._WriteLog(b"#!/bin/sh\n"), "Missing signature of an atop raw log"),
            (self._WriteLog(data[:4]), "Header incomplete: 4 bytes"),
        ):
            process = self._Run("info", path, test_lib.LOGS[0].path)
            self.assertEqual(process.returncode, 1)
            self.assertEqual(process.stderr, f"{path:s}: {message:s}\n")
            self.assertIn("Version of atop: 1.23", process.stdout)

    def testInfoDamaged(self):
        """Tests the info command on a damaged log and on one without samples."""
        data = self._ReadTestFile(["atop-2.12.1.raw"])
        process = self._Run("info", self._WriteLog(data[:-10]))
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("  Damages:         1\n  Damage:          at ", process.stdout)

        process = self._Run("info", self._WriteLog(data[:480]))
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("  Samples:         0\n  Damages:         0\n", process.stdout)

    def testInfoHostileLog(self):
        """Tests that nothing of a log reaches the terminal as it is."""
        data = self._ReadTestFile(["atop-2.12.1.raw"])
        # No dot, behind which the name would end.
        hostname = b"\x1b]0;a\x07\xff\xc2\x9b\xe2\x80\xae \r\n"
        offset = data.index(b"bastion\x00")
        data = data[:offset] + hostname.ljust(32, b"\x00") + data[offset + 32 :]

        process = self._Run(
            "info",
            self._WriteLog(data, name=b"\x1b[31m\xfe"),
            environment={"PYTHONIOENCODING": "ascii"},
        )
        self.assertEqual(process.returncode, 0, process.stderr)
        text = process.stdout.replace("\n", "")
        self.assertTrue(text.isascii() and text.isprintable(), text)
        self.assertIn("/\\x1b[31m\\udcfe", text)
        self.assertIn(
            "Host name:       \\x1b]0;a\\x07\\xff\\x9b\\u202e \\x0d\\x0a", text
        )

    def testGetText(self):
        """Tests the _GetText function."""
        for value, expected_text in (
            (b"", ""),
            (b"web-1 a", "web-1 a"),
            ("w\u00fcrzburg \u4e2d".encode("utf-8"), "w\u00fcrzburg \u4e2d"),
            (b"\x1b[31m\x7f\x9b\xff", "\\x1b[31m\\x7f\\x9b\\xff"),
            ("\u0085\u00a0\u202e\u200b", "\\x85\\xa0\\u202e\\u200b"),
            ("\U000e0001", "\\ue0001"),
            ("\udcfe", "\\udcfe"),
            ("a\r\n\tb", "a\\x0d\\x0a\\x09b"),
        ):
            self.assertEqual(main._GetText(value), expected_text)

    def testFormatTime(self):
        """Tests the _FormatTime function."""
        self.assertEqual(main._FormatTime(0), "1970-01-01 00:00:00 UTC")
        for timestamp in (1 << 40, 1 << 63, -(1 << 63)):
            self.assertEqual(main._FormatTime(timestamp), f"not valid ({timestamp:d})")


if __name__ == "__main__":
    unittest.main()
