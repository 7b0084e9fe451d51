#!/usr/bin/env python3
"""Tests of the collection of atop's files: artifact definitions and filter file."""

import gzip
import os
import shutil
import subprocess
import tempfile
import unittest

from artifacts import reader
from artifacts import registry
from artifacts.scripts import validator

from plaso.cli import tools
from plaso.cli.helpers import filter_file
from plaso.engine import engine
from plaso.lib import errors

from plaso_atop import integration
from plaso_atop.integration import hooks

from tests.lib import end_to_end
from tests.lib import test_lib

# What the filters collect, and names beside it that they must not. Paths are those of
# the documentation of atop and of process accounting.
LOG_PATHS = (
    "var/log/atop/atop_20261120",
    "var/log/atop/atop_20261121.gz",
    "var/log/atop/daily.log",
    "var/log/atop/2026-10/atop_20261001.xz",
    "var/log/atop.log",
    "var/log/atop.log.1.gz",
    "var/log/atop_20100101",
)
ACCOUNTING_PATHS = (
    "run/pacct_shadow.d/0000000012.paf",
    "run/pacct_shadow.d/current",
    "run/pacct_source",
    "tmp/atop.d/atop.acct",
    "var/account/pacct",
    "var/account/pacct-20261120.gz",
    "var/cache/atop.d/atop.acct",
    "var/log/account/pacct",
    "var/log/account/pacct.1.gz",
    "var/log/pacct",
)
CONFIGURATION_PATHS = (
    "etc/atop/atop.daily",
    "etc/atoprc",
    "etc/cron.d/atop",
    "etc/default/atop",
    "etc/sysconfig/atop",
)
OTHER_PATHS = (
    "etc/atoprc.d/x",
    "etc/hostname",
    "etc/passwd",
    "home/alice/var/log/atop/atop_20261120",
    "run/pacct_source.d/x",
    "tmp/atop.txt",
    "usr/bin/atop",
    "var/log/atopacct/x",
    "var/log/auth.log",
    "var/log/syslog",
)


class ArtifactDefinitionsTest(test_lib.BaseTestCase):
    """Tests of the artifact definitions."""

    _PATH = os.path.join(test_lib.DATA_PATH, "artifacts.yaml")

    _NAMES = [
        "LinuxAtopConfigurationFiles",
        "LinuxAtopFiles",
        "LinuxAtopLogFiles",
        "LinuxProcessAccountingFiles",
    ]

    _DEFINITION = (
        "name: {0:s}\ndoc: Mine.\nsources:\n- type: FILE\n"
        "  attributes: {{paths: ['/mine']}}\nsupported_os: [Linux]\n"
    )

    def _BuildRegistry(self, *definitions):
        """Builds the registry as the tools of Plaso do.

        Args:
          definitions (list[str]): custom definitions.

        Returns:
          dict[str, list[str]]: documentation per name.
        """
        directory = self._MakeDirectory()
        path = os.path.join(directory, "artifacts.yaml")
        with open(path, "w", encoding="utf-8") as file_object:
            file_object.write(self._DEFINITION.format("First"))

        custom_path = None
        if definitions:
            custom_path = os.path.join(directory, "custom.yaml")
            with open(custom_path, "w", encoding="utf-8") as file_object:
                file_object.write("---\n".join(definitions))

        test_engine = engine.BaseEngine()
        test_engine.BuildArtifactsRegistry(path, custom_path)
        # pylint: disable=protected-access
        return {
            definition.name: definition.description
            for definition in test_engine._artifacts_registry.GetDefinitions()
        }

    def _MakeDirectory(self):
        """Makes a directory that is removed after the test.

        Returns:
          str: path of the directory.
        """
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory)
        return directory

    def testValid(self):
        """Tests that the validator of the artifacts package finds no fault."""
        self.assertTrue(validator.ArtifactDefinitionsValidator().CheckFile(self._PATH))

        test_registry = registry.ArtifactDefinitionsRegistry()
        test_registry.ReadFromFile(reader.YamlArtifactsReader(), self._PATH)
        self.assertEqual(
            [definition.name for definition in test_registry.GetDefinitions()],
            self._NAMES,
        )
        self.assertEqual(test_registry.GetUndefinedArtifacts(), set())

    def testBuildArtifactsRegistry(self):
        """Tests that ours stand beside those that are read, which win."""
        definitions = self._BuildRegistry()
        self.assertEqual(set(definitions), {"First", *self._NAMES})

        definitions = self._BuildRegistry(self._DEFINITION.format("Mine"))
        self.assertEqual(set(definitions), {"First", "Mine", *self._NAMES})

        definitions = self._BuildRegistry(self._DEFINITION.format("LinuxAtopLogFiles"))
        self.assertEqual(set(definitions), {"First", *self._NAMES})
        self.assertEqual(definitions["LinuxAtopLogFiles"], "Mine.")
        self.assertNotIn(hooks.ARTIFACTS, hooks.problems)

    def testBuildArtifactsRegistryFails(self):
        """Tests that errors in other definitions are reported as before."""
        with self.assertRaises(errors.BadConfigOption):
            self._BuildRegistry(self._DEFINITION.format("First"))
        with self.assertRaises(errors.BadConfigOption):
            engine.BaseEngine().BuildArtifactsRegistry(None, None)
        self.assertNotIn(hooks.ARTIFACTS, hooks.problems)


class FilterFileTest(test_lib.BaseTestCase):
    """Tests of how the filter file is found."""

    def _ParseOptions(self, name, data_location=None):
        """Parses the options of a tool.

        Args:
          name (str): filter file as given by the user.
          data_location (Optional[str]): data location of the tool.

        Returns:
          str: path of the filter file.
        """
        options = type("Options", (), {})()
        options.file_filter = name

        tool = tools.CLITool()
        # pylint: disable=protected-access
        tool._data_location = data_location
        filter_file.FilterFileArgumentsHelper.ParseOptions(options, tool)
        # pylint: disable-next=no-member
        return tool._filter_file

    def testName(self):
        """Tests that our file is found by its name, and another of that name first."""
        path = os.path.join(test_lib.DATA_PATH, "filter_atop.yaml")
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory)

        self.assertIsNone(self._ParseOptions(None))
        self.assertEqual(self._ParseOptions("filter_atop.yaml"), path)
        self.assertEqual(self._ParseOptions("filter_atop.yaml", directory), path)
        self.assertEqual(self._ParseOptions(path), path)

        for name in ("filter_none.yaml", "/nonexistent/filter_atop.yaml"):
            with self.assertRaises(errors.BadConfigOption):
                self._ParseOptions(name, directory)

        other_path = os.path.join(directory, "filter_atop.yaml")
        shutil.copy(path, other_path)
        self.assertEqual(self._ParseOptions("filter_atop.yaml", directory), other_path)
        self.assertNotIn(hooks.FILE_FILTER, hooks.problems)


class ImageTest(end_to_end.ToolsTestCase):
    """Tests with a disk image."""

    @classmethod
    def setUpClass(cls):
        """Makes an image."""
        super().setUpClass()
        with open(test_lib.GetTestFilePath(["atop-2.12.1.raw"]), "rb") as file_object:
            log = file_object.read()

        root = cls._GetPath("root")
        for index, path in enumerate(
            LOG_PATHS + ACCOUNTING_PATHS + CONFIGURATION_PATHS + OTHER_PATHS
        ):
            # Files of the same contents are exported once.
            data = b"%d\n" % index
            if path.startswith("var/log/atop/atop_"):
                data = gzip.compress(log) if path.endswith(".gz") else log

            path = os.path.join(root, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file_object:
                file_object.write(data)

        with open(os.path.join(root, "etc/passwd"), "wb") as file_object:
            file_object.write(b"www-data:x:33:33::/var/www:/usr/sbin/nologin\n")

        cls._image_path = cls._GetPath("image.raw")
        mke2fs = test_lib.FindProgram("mke2fs")
        subprocess.run(
            [mke2fs, "-q", "-t", "ext4", "-d", root, cls._image_path, "16M"],
            check=True,
        )

    def _Export(self, *arguments):
        """Exports files with image_export.

        Args:
          arguments (list[str]): arguments of image_export.

        Returns:
          set[str]: paths of the files.
        """
        export_path = tempfile.mkdtemp(dir=self._directory)
        self._RunQuietTool(
            "image_export",
            "-w",
            export_path,
            *arguments,
            self._image_path,
        )
        return {
            os.path.relpath(os.path.join(path, name), export_path)
            for path, _, names in os.walk(export_path)
            for name in names
            if name != "hashes.json"
        }

    def _GetFiles(self, name, *arguments):
        """Determines the files from which log2timeline extracted atop's events.

        Args:
          name (str): name of the storage file.
          arguments (list[str]): arguments of log2timeline.

        Returns:
          set[str]: paths of the files.
        """
        storage_path = self._Extract(self._image_path, name, *arguments)
        all_events = self._ReadEvents(storage_path)
        self.assertIn("www-data", {event.get("username") for event in all_events})
        return {
            event["display_name"].partition(":/")[2].partition(" ")[0]
            for event in all_events
        }

    def testImageExport(self):
        """Tests image_export with the name of a definition."""
        for names, expected_paths in (
            ("LinuxAtopLogFiles", LOG_PATHS),
            ("LinuxProcessAccountingFiles", ACCOUNTING_PATHS),
            ("LinuxAtopConfigurationFiles", CONFIGURATION_PATHS),
            ("LinuxAtopFiles", LOG_PATHS + ACCOUNTING_PATHS + CONFIGURATION_PATHS),
            ("LinuxAtopLogFiles,LinuxPasswdFile", LOG_PATHS + ("etc/passwd",)),
        ):
            self.assertEqual(
                self._Export("--artifact_filters", names), set(expected_paths), names
            )

    def testImageExportCustomDefinitions(self):
        """Tests that definitions of the user go on working, also with ours."""
        path = self._GetPath("custom.yaml")
        with open(path, "w", encoding="utf-8") as file_object:
            file_object.write(
                "name: Mine\ndoc: Mine.\nsources:\n- type: FILE\n  attributes:\n"
                "    paths: ['/etc/hostname']\n- type: ARTIFACT_GROUP\n"
                "  attributes: {names: ['LinuxAtopLogFiles']}\nsupported_os: [Linux]\n"
            )
        paths = self._Export(
            "--artifact_filters", "Mine", "--custom_artifact_definitions", path
        )
        self.assertEqual(paths, {"etc/hostname", *LOG_PATHS})

    def testImageExportFilterFile(self):
        """Tests image_export with the name of the filter file."""
        self.assertEqual(
            self._Export("--file_filter", "filter_atop.yaml"),
            set(LOG_PATHS + ACCOUNTING_PATHS + CONFIGURATION_PATHS),
        )

    def testLog2timeline(self):
        """Tests log2timeline with the name of a definition and of the filter file."""
        # A directory among the logs has an event of its own.
        expected_paths = {
            "var/log/atop/2026-10",
            *LOG_PATHS,
            *ACCOUNTING_PATHS,
            *CONFIGURATION_PATHS,
        }
        for index, arguments in enumerate(
            (
                ("--artifact_filters", "LinuxAtopFiles"),
                ("--file_filter", "filter_atop.yaml"),
            )
        ):
            paths = self._GetFiles(
                f"{index:d}.plaso", "--parsers", "atop,filestat", *arguments
            )
            self.assertEqual(paths, expected_paths)


# Where the tests run without the package being installed.
integration.Install()

if __name__ == "__main__":
    unittest.main()
