#!/usr/bin/env python3
"""Tests for the command that checks the installation."""

import os
import re
import shlex
import subprocess
import sys
import unittest

from tests.lib import test_lib
from tests.lib import command_test_lib


class CheckTest(command_test_lib.CommandTestCase):
    """Tests for the command that checks the installation."""

    def _CheckWidth(self, output):
        """Checks that output fits a terminal.

        Args:
          output (str): output.
        """
        for line in output.splitlines():
            # A path is not broken, or it could not be copied.
            words = line.removesuffix(" \\").split()
            self.assertTrue(len(line) <= 80 or len(words) == 1, line)

    def _GetRemedy(self, output):
        """Retrieves the command that the output says to run.

        Args:
          output (str): output.

        Returns:
          list[str]: words of the command, as a shell reads them.
        """
        self.assertEqual(output.count("to do:"), 1)
        # A shell joins the lines, shlex does not.
        return shlex.split(output.partition("to do:")[2].replace("\\\n", ""))

    def _RunScript(self, statements):
        """Runs the command after statements, with a Plaso that was not extended.

        Args:
          statements (str): statements.

        Returns:
          CompletedProcess: the process.
        """
        script = (
            "import os, sys\n"
            "from plaso_atop import __main__, integration\n"
            f"{statements:s}"
            "os.environ.pop('PLASO_ATOP_DISABLE', None)\n"
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
        self._CheckWidth(process.stdout)
        return process

    def testCheck(self):
        """Tests the command where all is well."""
        process = self._Run("check", exit_code=0)
        self.assertEqual(process.stderr, "")
        self._CheckWidth(process.stdout)
        self.assertEqual(
            re.findall("^([a-z].*?): +ok,", process.stdout, re.MULTILINE),
            [
                "start-up",
                "parser",
                "preset",
                "timeliner",
                "messages",
                "user names",
                "tagging",
                "analysis",
                "mappings",
                "artifacts",
                "file filter",
                "compression",
            ],
        )
        output = " ".join(process.stdout.split())
        self.assertIn("atop/process, atop/session, atop/system", output)

    def testCheckDisabled(self):
        """Tests the command where the package is switched off, which it says once."""
        process = self._Run(
            "check", environment={"PLASO_ATOP_DISABLE": "1"}, exit_code=1
        )
        self.assertEqual(process.stderr, "")
        self._CheckWidth(process.stdout)
        self.assertEqual(
            process.stdout.splitlines()[-2:],
            [
                "disabled:    PLASO_ATOP_DISABLE=1 is set",
                "to do: unset PLASO_ATOP_DISABLE",
            ],
        )
        self.assertEqual(process.stdout.count("PLASO_ATOP_DISABLE"), 2)
        self.assertNotIn("MISSING", process.stdout)

    def testCheckWithoutPlaso(self):
        """Tests the command where Plaso is missing."""
        process = self._RunScript("sys.modules['plaso'] = None\n")
        self.assertRegex(process.stdout, r"\nPlaso: +MISSING, ")
        self.assertEqual(
            self._GetRemedy(process.stdout),
            [sys.executable, "-m", "pip", "install", "plaso"],
        )

    def testCheckNotLoaded(self):
        """Tests the command where Python did not run our line at its start."""
        process = self._RunScript("import plaso\n")
        self.assertRegex(process.stdout, "\nstart-up: +MISSING, importing Plaso did ")
        # Nearly all is missing, one command brings it.
        self.assertGreater(process.stdout.count("MISSING"), 5)
        self.assertEqual(
            self._GetRemedy(process.stdout),
            [
                *(sys.executable, "-m", "pip", "install"),
                *("--force-reinstall", "--no-deps", "plaso-atop"),
            ],
        )

    def testCheckOtherPlaso(self):
        """Tests the check command with a Plaso that lacks what is needed."""
        for name, module_name, statement, reason in (
            (
                "preset",
                "plaso.parsers.presets",
                "del module.ParserPresetsManager.GetPresetByName",
                "ParserPresetsManager.GetPresetByName",
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
                "analysis",
                "plaso.analysis.manager",
                "del module.AnalysisPluginManager.RegisterPlugin",
                "no attribute 'RegisterPlugin'",
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
            (
                "compression",
                "dfvfs.file_io.compressed_stream_io",
                "del module.CompressedStream",
                "no attribute 'CompressedStream'",
            ),
        ):
            with self.subTest(name=name, statement=statement):
                process = self._RunScript(
                    f"import {module_name:s} as module\n{statement:s}\n"
                    "del os.environ['PLASO_ATOP_DISABLE']\n"
                    "integration.Install()\n"
                )
                names = re.findall("^(.*?): +MISSING,", process.stdout, re.MULTILINE)
                self.assertEqual(names, [name], process.stdout)
                output = " ".join(process.stdout.split())
                self.assertRegex(output, f"this Plaso lacks: .*{re.escape(reason):s}")
                self.assertEqual(
                    self._GetRemedy(process.stdout),
                    [
                        *(sys.executable, "-m", "pip", "install"),
                        *("--upgrade", "plaso", "plaso-atop"),
                    ],
                )


if __name__ == "__main__":
    unittest.main()
