#!/usr/bin/env python3
"""Tests for the integration into Plaso."""

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import tempfile
import textwrap
import types
import unittest

import artifacts

from dfvfs.lib import definitions as dfvfs_definitions
from dfvfs.path import factory as path_spec_factory

from plaso.containers import artifacts as plaso_artifacts
from plaso.engine import engine
from plaso.engine import timeliner
from plaso.engine import yaml_timeliner_file
from plaso.lib import definitions as plaso_definitions
from plaso.output import mediator as output_mediator
from plaso.parsers import manager as parsers_manager
from plaso.parsers import mediator as parsers_mediator
from plaso.parsers import presets
from plaso.storage import factory as storage_factory
from plaso.storage.fake import writer as fake_writer

from plaso_atop import integration
from plaso_atop.commands import check
from plaso_atop.integration import hooks
from plaso_atop.integration import user_names

from scripts import timeliner as timeliner_script

from tests.lib import test_lib


def GetUsernameInWorker(system_configuration, user_identifier):
    """Retrieves the name of a user as a worker process of Plaso does.

    Args:
      system_configuration (SystemConfigurationArtifact): system configuration.
      user_identifier (int): user identifier (UID).

    Returns:
      tuple[int, str]: process identifier (PID) and name of the user.
    """
    parser_mediator = parsers_mediator.ParserMediator(
        system_configurations=[system_configuration]
    )
    return os.getpid(), user_names.GetUsername(parser_mediator, user_identifier)


class FileEntry:
    """File entry with nothing but a path specification.

    Attributes:
      path_spec (dfvfs.PathSpec): path specification.
    """

    def __init__(self, path_spec):
        """Initializes a file entry.

        Args:
          path_spec (dfvfs.PathSpec): path specification.
        """
        super().__init__()
        self.path_spec = path_spec


class HooksTest(test_lib.BaseTestCase):
    """Tests for extending a method."""

    class _Reader:
        """Class with a method to extend."""

        def Read(self, names):
            """Returns the names, or raises KeyError if there are none."""
            if not names:
                raise KeyError("no names")
            return names

    def _Extend(self, function, method=hooks.Method("Read", names=[])):
        """Extends a method.

        Args:
          function (function): generator.
          method (Optional[hooks.Method]): method.

        Returns:
          object: object with the method.
        """
        self.addCleanup(hooks.problems.pop, "test", None)

        hooks.Extends("test", "module.Reader", method)(function)
        hook = hooks.registered_hooks.pop()
        self.assertEqual((hook.extension, hook.module_name), ("test", "module"))

        reader_class = type("Reader", (self._Reader,), {})
        hook.function(types.SimpleNamespace(Reader=reader_class))
        return reader_class()

    def testExtends(self):
        """Tests what runs before and after the method."""

        def Extend(call):
            call.arguments.arguments["names"] = [*call.arguments.args[0], "added"]
            names = yield
            return [*names, type(call.object).__name__, *call.method(["original"])]

        reader = self._Extend(Extend)
        for _ in range(2):
            self.assertEqual(
                reader.Read(["first"]), ["first", "added", "Reader", "original"]
            )
        self.assertNotIn("test", hooks.problems)

    def testMethodFails(self):
        """Tests that what the method raises is no problem of the extension."""

        def Extend(unused_call):
            return (yield)

        reader = self._Extend(Extend)
        with self.assertRaises(KeyError):
            reader.Read([])
        self.assertNotIn("test", hooks.problems)

    def testExtensionFails(self):
        """Tests that the method works where an extension fails, before or after it."""

        def FailBefore(call):
            call.arguments.arguments["names"] = []
            raise ValueError("before")
            yield  # pylint: disable=unreachable

        def FailAfter(unused_call):
            yield
            raise ValueError("after")

        for function, message in ((FailBefore, "before"), (FailAfter, "after")):
            with self.subTest(message=message):
                reader = self._Extend(function)
                with self.assertLogs("plaso_atop", "WARNING") as logs:
                    for _ in range(2):
                        self.assertEqual(reader.Read(["first"]), ["first"])

                self.assertEqual(len(logs.output), 1)
                self.assertEqual(hooks.problems.pop("test"), f"ValueError: {message:s}")

    def testOtherMethod(self):
        """Tests that a method which takes other arguments is not extended."""

        def Fail(unused_call):
            raise ValueError("called")
            yield  # pylint: disable=unreachable

        with self.assertLogs("plaso_atop", "WARNING") as logs:
            reader = self._Extend(Fail, method=hooks.Method("Read", other=1))

        self.assertEqual(reader.Read(["first"]), ["first"])
        self.assertEqual(len(logs.output), 1)
        self.assertIn("Reader.Read: ", hooks.problems["test"])


class IntegrationTestCase(test_lib.BaseTestCase):
    """The integration test case."""

    # pylint: disable=protected-access

    def _WriteFile(self, name, text):
        """Writes a file in a directory that is removed after the test.

        Args:
          name (str): name of the file.
          text (str): contents of the file.

        Returns:
          str: path of the file.
        """
        directory = tempfile.mkdtemp()
        self.addCleanup(lambda: os.path.isdir(directory) and os.rmdir(directory))

        path = os.path.join(directory, name)
        with open(path, "w", encoding="utf-8") as file_object:
            file_object.write(text)

        self.addCleanup(os.remove, path)
        return path

    @property
    def _plaso_data_location(self):
        """str: path of the data files of Plaso."""
        return check._GetPlasoDataLocation()


class ParserTest(IntegrationTestCase):
    """Tests for the parser."""

    def testRegistered(self):
        """Tests that importing Plaso's parsers registers ours."""
        plugins = parsers_manager.ParsersManager.GetParserPluginsInformation("atop")
        names = {name for name, _ in plugins}
        self.assertLessEqual({"process", "session", "system"}, names)


class PresetTest(IntegrationTestCase):
    """Tests for the presets."""

    def _GetOwnParsers(self):
        """Retrieves the plugins that run by default, as a preset names them.

        Returns:
          list[str]: names of the parser and plugins.
        """
        parser = parsers_manager.ParsersManager.GetParserObjects("atop")["atop"]
        return [f"atop/{name:s}" for name in parser.GetPluginNames()]

    def _ReadPresets(self, text):
        """Reads presets.

        Args:
          text (str): contents of a presets file.

        Returns:
          dict[str, list[str]]: parsers per name of a preset.
        """
        presets_manager = presets.ParserPresetsManager()
        presets_manager.ReadFromFile(self._WriteFile("presets.yaml", text))
        return {
            name: presets_manager.GetPresetByName(name).parsers
            for name in presets_manager.GetNames()
        }

    def testPlasoPresets(self):
        """Tests that only the preset of Linux gets our plugins."""
        presets_manager = presets.ParserPresetsManager()
        path = os.path.join(self._plaso_data_location, "presets.yaml")
        for _ in range(2):
            presets_manager.ReadFromFile(path)
            for name in presets_manager.GetNames():
                atop_parsers = [
                    parser
                    for parser in presets_manager.GetParsersByPreset(name)
                    if parser.startswith("atop")
                ]
                expected_parsers = self._GetOwnParsers() if name == "linux" else []
                self.assertEqual(atop_parsers, expected_parsers)

        _, unknown = parsers_manager.ParsersManager.CheckFilterExpression(
            ",".join(self._GetOwnParsers())
        )
        self.assertEqual(unknown, set())

    def testNoPreset(self):
        """Tests that no preset is added."""
        self.assertEqual(
            self._ReadPresets("name: mine\nparsers:\n- utmp\n"), {"mine": ["utmp"]}
        )

    def testPresetWithPlugin(self):
        """Tests that a plugin is not added twice."""
        parsers = self._ReadPresets("name: linux\nparsers:\n- atop/system\n- utmp\n")
        self.assertEqual(parsers["linux"][:2], ["atop/system", "utmp"])
        self.assertEqual(sorted(parsers["linux"]), self._GetOwnParsers() + ["utmp"])

    def testPresetWithParser(self):
        """Tests that a preset with all of our plugins stays as it is."""
        self.assertEqual(
            self._ReadPresets("name: linux\nparsers:\n- atop\n- utmp\n"),
            {"linux": ["atop", "utmp"]},
        )


class TimelinerTest(IntegrationTestCase):
    """Tests for the timeliner configuration."""

    def testPlasoTimeliner(self):
        """Tests that the timeliner takes our definitions besides Plaso's."""
        test_timeliner = timeliner.EventDataTimeliner(
            data_location=self._plaso_data_location
        )
        # pylint: disable=protected-access
        attribute_mappings = test_timeliner._attribute_mappings
        self.assertIn("fs:stat", attribute_mappings)
        self.assertEqual(
            attribute_mappings["linux:atop:session"]["boot_time"], "Boot Time"
        )

    def testDataFile(self):
        """Tests that the data file has the dates and times that the docstrings name."""
        with open(timeliner_script.TIMELINER_PATH, encoding="utf-8") as file_object:
            text = file_object.read()

        self.assertEqual(
            timeliner_script.GetText(text),
            text,
            "outdated, to do: scripts/timeliner.py",
        )

    def testExistingDefinition(self):
        """Tests that a definition of the file that is read wins."""
        path = self._WriteFile(
            "timeliner.yaml",
            textwrap.dedent("""\
                data_type: 'linux:atop:session'
                attribute_mappings:
                - name: 'my_time'
                  description: 'My Time'
                """),
        )
        configuration_file = yaml_timeliner_file.YAMLTimelinerConfigurationFile()
        definitions = list(configuration_file.ReadFromFile(path))

        data_types = [definition.data_type for definition in definitions]
        self.assertEqual(len(data_types), len(set(data_types)))
        self.assertIn("linux:atop:process", data_types)
        self.assertEqual(data_types[0], "linux:atop:session")
        self.assertEqual(definitions[0].attribute_mappings, {"my_time": "My Time"})


class MessagesTest(IntegrationTestCase):
    """Tests for the message formatters."""

    _FORMATTER = textwrap.dedent("""\
        type: 'basic'
        data_type: 'linux:atop:session'
        message: '{hostname}'
        short_message: '{hostname}'
        short_source: 'LOG'
        source: 'My source'
        """)

    def _GetSource(self, mediator, data_type):
        """Retrieves the source that a message formatter gives.

        Args:
          mediator (OutputMediator): output mediator.
          data_type (str): data type.

        Returns:
          str: source.
        """
        _, source = mediator.GetSourceMapping(data_type)
        return source

    def testPlasoFormatters(self):
        """Tests that our formatters stand beside Plaso's."""
        mediator = output_mediator.OutputMediator(None)
        mediator.ReadMessageFormattersFromDirectory(
            os.path.join(self._plaso_data_location, "formatters")
        )
        self.assertIsNotNone(mediator.GetMessageFormatter("fs:stat"))
        self.assertIsNotNone(mediator.GetMessageFormatter("linux:atop:session"))

        # Those that the user gives come last and override.
        mediator.ReadMessageFormattersFromFile(
            self._WriteFile("custom.yaml", self._FORMATTER), override_existing=True
        )
        self.assertEqual(self._GetSource(mediator, "linux:atop:session"), "My source")

    def testExistingFormatter(self):
        """Tests that a formatter of the directory that is read wins."""
        path = self._WriteFile("linux.yaml", self._FORMATTER)

        mediator = output_mediator.OutputMediator(None)
        mediator.ReadMessageFormattersFromDirectory(os.path.dirname(path))
        self.assertEqual(self._GetSource(mediator, "linux:atop:session"), "My source")
        self.assertIsNotNone(mediator.GetMessageFormatter("linux:atop:process"))
        self.assertNotIn(hooks.MESSAGES, hooks.problems)


class UserNamesTest(IntegrationTestCase):
    """Tests for the user names."""

    # pylint: disable=protected-access

    _PASSWD1 = (
        "root:x:0:0:root:/root:/bin/bash\n"
        "toor:x:0:0:root:/root:/bin/bash\n"
        "nobody:x:-2:-2:nobody:/:/bin/false\n"
        "alice:x:1000:1000::/home/alice:/bin/sh\n"
    )
    _PASSWD2 = "bob:x:1000:1000::/home/bob:/bin/sh\n"

    def _CreateParserMediator(self, system_configurations, path_spec=None):
        """Creates a parser mediator.

        Args:
          system_configurations (list[SystemConfigurationArtifact]): system
              configurations.
          path_spec (Optional[dfvfs.PathSpec]): path specification of the active file.

        Returns:
          ParserMediator: parser mediator.
        """
        parser_mediator = parsers_mediator.ParserMediator(
            system_configurations=system_configurations
        )
        if path_spec:
            parser_mediator.SetFileEntry(FileEntry(path_spec))

        return parser_mediator

    # pylint: disable-next=redefined-outer-name
    def _CreateSystemConfiguration(self, path_specs, user_names):
        """Creates a system configuration.

        Args:
          path_specs (list[dfvfs.PathSpec]): path specifications of the file systems.
          user_names (dict[str, str]): user names per user identifier (UID).

        Returns:
          SystemConfigurationArtifact: system configuration.
        """
        system_configuration = plaso_artifacts.SystemConfigurationArtifact()
        system_configuration.operating_system = "Linux"
        system_configuration.path_specs = path_specs
        system_configuration._atop_user_names = user_names
        return system_configuration

    def _GetVolume(self, number, sector_size=None):
        """Retrieves the path specification of a partition of an image.

        Args:
          number (int): number of the partition.
          sector_size (Optional[int]): sector size.

        Returns:
          dfvfs.PathSpec: path specification.
        """
        path_spec = path_spec_factory.Factory.NewPathSpec(
            dfvfs_definitions.TYPE_INDICATOR_OS, location="/evidence/image.raw"
        )
        path_spec = path_spec_factory.Factory.NewPathSpec(
            dfvfs_definitions.TYPE_INDICATOR_RAW, parent=path_spec
        )
        return path_spec_factory.Factory.NewPathSpec(
            dfvfs_definitions.TYPE_INDICATOR_TSK_PARTITION,
            location=f"/p{number:d}",
            parent=path_spec,
            part_index=number,
            sector_size=sector_size,
            start_offset=number << 20,
        )

    def _GetFile(self, volume, location):
        """Retrieves the path specification of a file.

        Args:
          volume (dfvfs.PathSpec): path specification of the volume.
          location (str): path in the volume.

        Returns:
          dfvfs.PathSpec: path specification.
        """
        return path_spec_factory.Factory.NewPathSpec(
            dfvfs_definitions.TYPE_INDICATOR_EXT, location=location, parent=volume
        )

    def _PreprocessSystems(self, storage_writer, *passwd_texts):
        """Preprocesses a source with several systems.

        Args:
          storage_writer (StorageWriter): storage writer.
          passwd_texts (list[str]): contents of the passwd file of every file system,
              None for one that is no system.

        Returns:
          list[SystemConfigurationArtifact]: system configurations.
        """
        path_specs = []
        for passwd_text in passwd_texts:
            # pylint: disable=consider-using-with
            temporary_directory = tempfile.TemporaryDirectory()
            self.addCleanup(temporary_directory.cleanup)

            if passwd_text is not None:
                # Plaso recognizes a system by this directory.
                path = os.path.join(temporary_directory.name, "etc")
                os.mkdir(path)
                path = os.path.join(path, "passwd")
                with open(path, "w", encoding="utf-8") as file_object:
                    file_object.write(passwd_text)

            path_specs.append(
                path_spec_factory.Factory.NewPathSpec(
                    dfvfs_definitions.TYPE_INDICATOR_OS,
                    location=temporary_directory.name,
                )
            )

        test_engine = engine.BaseEngine()
        test_engine.BuildArtifactsRegistry(self._GetArtifactDefinitionsPath(), None)
        system_configurations = test_engine.PreprocessSource(path_specs, storage_writer)
        self.assertNotIn(hooks.USER_NAMES, hooks.problems)
        return system_configurations

    def _GetArtifactDefinitionsPath(self):
        """Retrieves the path of the artifact definitions.

        Returns:
          str: path.
        """
        path = os.path.join(os.path.dirname(artifacts.__file__), "data")
        if not os.path.isdir(path):
            path = os.path.join(sys.prefix, "share", "artifacts")
        return path

    def testPreprocessSource(self):
        """Tests that system configurations carry the names of their own users."""
        storage_writer = fake_writer.FakeStorageWriter()
        storage_writer.Open()
        # Of an earlier source, whose events are in the same storage.
        storage_writer.AddAttributeContainer(
            plaso_artifacts.UserAccountArtifact(identifier="1002", username="eve")
        )

        system_configurations = self._PreprocessSystems(
            storage_writer, self._PASSWD1, None, self._PASSWD2
        )
        self.assertEqual(
            [configuration._atop_user_names for configuration in system_configurations],
            [
                {"0": "root", "1000": "alice", "4294967294": "nobody"},
                {"1000": "bob"},
            ],
        )

        # The volume does not distinguish these systems.
        parser_mediator = self._CreateParserMediator(
            system_configurations, path_spec=system_configurations[0].path_specs[0]
        )
        self.assertIsNone(user_names.GetUsername(parser_mediator, 1000))

    def testOtherAccounts(self):
        """Tests that accounts without a numeric identifier are left out."""
        storage_writer = fake_writer.FakeStorageWriter()
        storage_writer.Open()

        path_specs = user_names._PathSpecs(["volume"], storage_writer)
        for _ in path_specs:
            for identifier, username in (
                ("S-1-5-18", "SYSTEM"),
                (None, "none"),
                ("12", None),
                ("1_3", "underscore"),
                ("14", "fourteen"),
            ):
                storage_writer.AddAttributeContainer(
                    plaso_artifacts.UserAccountArtifact(
                        identifier=identifier, username=username
                    )
                )

        self.assertEqual(path_specs.GetUserNames(["volume"]), {"14": "fourteen"})

    def testNotIterated(self):
        """Tests that nothing is guessed where a Plaso works differently."""
        storage_writer = fake_writer.FakeStorageWriter()
        storage_writer.Open()

        path_specs = user_names._PathSpecs(["volume1", "volume2"], storage_writer)
        with self.assertRaises(RuntimeError):
            path_specs.GetUserNames(["volume1"])

    def testStorage(self):
        """Tests that the names are not written to the storage file."""
        # pylint: disable-next=consider-using-with
        temporary_directory = tempfile.TemporaryDirectory()
        self.addCleanup(temporary_directory.cleanup)
        path = os.path.join(temporary_directory.name, "storage.plaso")

        storage_writer = storage_factory.StorageFactory.CreateStorageWriter(
            plaso_definitions.STORAGE_FORMAT_SQLITE
        )
        storage_writer.Open(path=path)
        # pylint: disable-next=unbalanced-tuple-unpacking
        (system_configuration,) = self._PreprocessSystems(storage_writer, self._PASSWD1)
        storage_writer.AddAttributeContainer(system_configuration)
        storage_writer.Close()

        self.assertEqual(system_configuration._atop_user_names["1000"], "alice")
        storage_reader = storage_factory.StorageFactory.CreateStorageReaderForFile(path)
        (stored_system_configuration,) = storage_reader.GetAttributeContainers(
            "system_configuration"
        )
        self.assertEqual(stored_system_configuration.operating_system, "Linux")
        self.assertFalse(hasattr(stored_system_configuration, "_atop_user_names"))
        storage_reader.Close()

        with open(path, "rb") as file_object:
            self.assertNotIn(b"_atop", file_object.read())

    def testWorkerProcesses(self):
        """Tests that worker processes have the names, however they are started."""
        system_configuration = self._CreateSystemConfiguration(
            [self._GetFile(self._GetVolume(1), "/")], {"1000": "alice"}
        )
        for method in ("fork", "forkserver", "spawn"):
            with self.subTest(method=method):
                with concurrent.futures.ProcessPoolExecutor(
                    max_workers=1, mp_context=multiprocessing.get_context(method)
                ) as executor:
                    process_identifier, username = executor.submit(
                        GetUsernameInWorker, system_configuration, 1000
                    ).result(timeout=60)

                self.assertNotEqual(process_identifier, os.getpid())
                self.assertEqual(username, "alice")

    def testGetUsernameNoSystem(self):
        """Tests the GetUsername function without a system configuration."""
        for system_configurations in (None, []):
            parser_mediator = self._CreateParserMediator(system_configurations)
            self.assertIsNone(user_names.GetUsername(parser_mediator, 0))

        # One that no preprocessing made, for example.
        parser_mediator = self._CreateParserMediator(
            [plaso_artifacts.SystemConfigurationArtifact()]
        )
        self.assertIsNone(user_names.GetUsername(parser_mediator, 0))

    def testGetUsernameOneSystem(self):
        """Tests the GetUsername function with one system, whatever the volume."""
        system_configuration = self._CreateSystemConfiguration(
            [self._GetFile(self._GetVolume(1), "/")], {"0": "root"}
        )
        for path_spec in (
            None,
            self._GetFile(self._GetVolume(1), "/var/log/atop/atop_20261121"),
            self._GetFile(self._GetVolume(2), "/log/atop/atop_20261121"),
        ):
            parser_mediator = self._CreateParserMediator(
                [system_configuration], path_spec=path_spec
            )
            self.assertEqual(user_names.GetUsername(parser_mediator, 0), "root")
            self.assertIsNone(user_names.GetUsername(parser_mediator, 1))

    def testGetUsernameSeveralSystems(self):
        """Tests the GetUsername function with several systems."""
        # Only what preprocessing sees has a sector size.
        system_configurations = [
            self._CreateSystemConfiguration(
                [self._GetFile(self._GetVolume(number, sector_size=512), "/")],
                {"1000": username},
            )
            for number, username in ((1, "alice"), (2, "bob"))
        ]
        # A system without known accounts, for example Windows.
        system_configurations.append(
            self._CreateSystemConfiguration(
                [self._GetFile(self._GetVolume(3, sector_size=512), "/")], {}
            )
        )

        parser_mediator = self._CreateParserMediator(system_configurations)
        self.assertIsNone(user_names.GetUsername(parser_mediator, 1000))

        for number, expected_username in (
            (1, "alice"),
            (2, "bob"),
            (3, None),
            (4, None),
            (1, "alice"),
        ):
            path_spec = self._GetFile(self._GetVolume(number), "/var/log/atop/atop_1")
            compressed_path_spec = path_spec_factory.Factory.NewPathSpec(
                dfvfs_definitions.TYPE_INDICATOR_GZIP, parent=path_spec
            )
            member_path_spec = path_spec_factory.Factory.NewPathSpec(
                dfvfs_definitions.TYPE_INDICATOR_TAR,
                location="/atop_1",
                parent=compressed_path_spec,
            )
            # The mediator is the same for all files.
            for file_path_spec in (path_spec, compressed_path_spec, member_path_spec):
                parser_mediator.SetFileEntry(FileEntry(file_path_spec))
                for _ in range(2):
                    self.assertEqual(
                        user_names.GetUsername(parser_mediator, 1000),
                        expected_username,
                    )


class OtherPlasoTest(test_lib.BaseTestCase):
    """Tests with a Plaso that is not what the extensions build on.

    Each runs in a Python of its own, in which Plaso was changed before the hooks see
    it, and ends with what a working Plaso can do.
    """

    _PROLOGUE = textwrap.dedent("""\
        import logging
        import os
        import sys

        from plaso_atop import integration
        from plaso_atop.integration import user_names

        class Handler(logging.Handler):
            def emit(self, record):
                warnings.append(record.getMessage())

        warnings = []
        logging.getLogger("plaso_atop").addHandler(Handler())

        def Install():
            del os.environ["PLASO_ATOP_DISABLE"]
            integration.Install()
            # More is never done twice.
            integration.Install()

        """)

    def _Run(self, script):
        """Runs a script in a Python that has not loaded the integration.

        Args:
          script (str): script.

        Returns:
          list[str]: lines that the script printed.
        """
        process = subprocess.run(
            [sys.executable, "-c", self._PROLOGUE + textwrap.dedent(script)],
            capture_output=True,
            check=False,
            cwd=test_lib.PROJECT_PATH,
            encoding="utf-8",
            env={**os.environ, integration.DISABLE_VARIABLE: "1"},
            timeout=60,
        )
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertNotIn("Traceback", process.stderr)
        return process.stdout.splitlines()

    def testDisabled(self):
        """Tests what switches the integration off."""
        lines = self._Run("""\
            import plaso.parsers
            from plaso.parsers import manager

            for value in ("1", "yes", "0", ""):
                os.environ["PLASO_ATOP_DISABLE"] = value
                print(integration.IsDisabled())

            os.environ["PLASO_ATOP_DISABLE"] = "1"
            integration.Install()
            print(integration.IsInstalled(), "atop" in sys.modules)
            print("atop" in manager.ParsersManager.GetNamesOfParsersWithPlugins())
            print("wrapt" in sys.modules, warnings)
            """)
        self.assertEqual(
            lines,
            ["True", "True", "False", "False", "False False", "False", "False []"],
        )

    def testPlasoImportedBefore(self):
        """Tests that the hooks work where the modules are imported already."""
        lines = self._Run("""\
            import plaso.parsers
            from plaso.parsers import manager

            Install()
            print("atop" in manager.ParsersManager.GetNamesOfParsersWithPlugins())
            print(warnings)
            """)
        self.assertEqual(lines, ["True", "[]"])

    def testParserImportedFirst(self):
        """Tests that a program can import the parser before it imports Plaso."""
        lines = self._Run("""\
            Install()
            from plaso_atop import parser
            from plaso.parsers import manager

            parser_objects = manager.ParsersManager.GetParserObjects("atop")
            print(type(parser_objects["atop"]) is parser.AtopParser, warnings)
            """)
        self.assertEqual(lines, ["True []"])

    def testParserExists(self):
        """Tests a Plaso that has an atop parser of its own."""
        lines = self._Run("""\
            from plaso.parsers import interface
            from plaso.parsers import manager
            from plaso.parsers import presets

            class PlasoAtopParser(interface.FileObjectParser):
                NAME = "atop"
                def ParseFileObject(self, parser_mediator, file_object):
                    pass

            manager.ParsersManager.RegisterParser(PlasoAtopParser)
            Install()
            parser_objects = manager.ParsersManager.GetParserObjects("atop")
            print(type(parser_objects["atop"]) is PlasoAtopParser)

            from plaso_atop.commands import check
            path = os.path.join(check._GetPlasoDataLocation(), "presets.yaml")
            presets_manager = presets.ParserPresetsManager()
            presets_manager.ReadFromFile(path)
            linux = presets_manager.GetParsersByPreset("linux")
            print([name for name in linux if "atop" in name])
            print(*warnings, sep="\\n")
            """)
        self.assertEqual(lines[:2], ["True", "[]"])
        self.assertEqual(len(lines), 3, lines)
        self.assertIn("parser not available in this Plaso: KeyError", lines[2])

    def testParserFails(self):
        """Tests a parser and a plugin that cannot be imported."""
        for module_name, extensions in (
            ("plaso_atop.rawlog", [hooks.ANALYSIS, hooks.PARSER]),
            ("plaso_atop.plugins.session", [hooks.PARSER]),
        ):
            with self.subTest(module_name=module_name):
                lines = self._Run(f"""\
                    sys.modules[{module_name!r}] = None
                    Install()
                    from plaso.parsers import manager
                    from plaso.parsers import presets

                    parser_objects = manager.ParsersManager.GetParserObjects()
                    print("atop" in parser_objects, "utmp" in parser_objects)

                    from plaso_atop.commands import check
                    path = os.path.join(
                        check._GetPlasoDataLocation(), "presets.yaml")
                    presets_manager = presets.ParserPresetsManager()
                    presets_manager.ReadFromFile(path)
                    linux = presets_manager.GetParsersByPreset("linux")
                    print([name for name in linux if "atop" in name])
                    print(*warnings, sep="\\n")
                    """)
                self.assertEqual(lines[:2], ["False True", "[]"])
                self.assertEqual(
                    sorted(line.partition(" in this Plaso")[0] for line in lines[2:]),
                    [f"plaso-atop: {name:s} not available" for name in extensions],
                )

    def _TestMissing(self, module_name, change, extension, reason, use):
        """Tests a Plaso that lacks what an extension builds on.

        Args:
          module_name (str): name of the module that lacks something.
          change (str): statement that removes it from the module.
          extension (str): name of the extension.
          reason (str): what the warning must say.
          use (str): statements that use the module and print True where it works.
        """
        with self.subTest(change=change):
            lines = self._Run(f"""\
                import {module_name:s} as module
                {change:s}
                Install()
                {use:s}
                from plaso.parsers import manager
                print("atop" in manager.ParsersManager.GetNamesOfParsersWithPlugins())
                print(*warnings, sep="\\n")
                """)
            self.assertEqual(lines[:2], ["True", "True"])
            self.assertEqual(len(lines), 3, lines)
            self.assertIn(f"{extension:s} not available in this Plaso", lines[2])
            self.assertIn(reason, lines[2])

    def testPresetMissing(self):
        """Tests a Plaso with other presets."""
        self._TestMissing(
            "plaso.parsers.presets",
            "del module.ParserPresetsManager.ReadFromFile",
            hooks.PRESET,
            "ParserPresetsManager.ReadFromFile",
            "print(module.ParserPresetsManager().GetNames() == [])",
        )
        self._TestMissing(
            "plaso.parsers.presets",
            "del module.ParserPresetsManager",
            hooks.PRESET,
            "ParserPresetsManager",
            "print(bool(module.ParserPreset('name', [])))",
        )

    def testTimelinerMissing(self):
        """Tests a Plaso with another timeliner configuration."""
        self._TestMissing(
            "plaso.engine.yaml_timeliner_file",
            "module.YAMLTimelinerConfigurationFile.ReadFromFile = lambda self: [1]",
            hooks.TIMELINER,
            "YAMLTimelinerConfigurationFile.ReadFromFile: too many",
            "print(module.YAMLTimelinerConfigurationFile().ReadFromFile() == [1])",
        )

    def testMessagesMissing(self):
        """Tests a Plaso with other message formatters."""
        self._TestMissing(
            "plaso.output.mediator",
            "del module.OutputMediator.ReadMessageFormattersFromFile",
            hooks.MESSAGES,
            "OutputMediator.ReadMessageFormattersFromFile",
            "module.OutputMediator(None).ReadMessageFormattersFromDirectory('/none');"
            "print(True)",
        )

    def testUserNamesMissing(self):
        """Tests a Plaso with another preprocessing, and that there is one warning."""
        self._TestMissing(
            "plaso.engine.engine",
            "module.BaseEngine.PreprocessSource = lambda self, sources: sources;"
            "import plaso.parsers.mediator;"
            "del plaso.parsers.mediator.ParserMediator.GetFileEntry",
            hooks.USER_NAMES,
            "ParserMediator.GetFileEntry",
            "mediator = plaso.parsers.mediator.ParserMediator();"
            "print(module.BaseEngine().PreprocessSource([1]) == [1]"
            " and user_names.GetUsername(mediator, 0) is None)",
        )

    def testUserNamesFail(self):
        """Tests a Plaso whose preprocessing returns something else."""
        self._TestMissing(
            "plaso.engine.engine",
            "module.BaseEngine.PreprocessSource = (lambda self, "
            "file_system_path_specs, storage_writer: (1, *file_system_path_specs))",
            hooks.USER_NAMES,
            "AttributeError",
            "print(module.BaseEngine().PreprocessSource([2], None) == (1, 2))",
        )

    def testTaggingMissing(self):
        """Tests a Plaso with other tagging files and options for these."""
        self._TestMissing(
            "plaso.engine.tagging_file",
            "module.TaggingFile.GetEventTaggingRules = lambda self, more: more",
            hooks.TAGGING,
            "TaggingFile.GetEventTaggingRules: missing",
            "print(module.TaggingFile('tag_linux.txt').GetEventTaggingRules(7) == 7)",
        )
        self._TestMissing(
            "plaso.cli.helpers.tagging_analysis",
            "module.TaggingAnalysisArgumentsHelper.ParseOptions = staticmethod("
            "lambda options: options)",
            hooks.TAGGING,
            "TaggingAnalysisArgumentsHelper.ParseOptions: too many",
            "print(module.TaggingAnalysisArgumentsHelper.ParseOptions(7) == 7)",
        )

    def testTaggingFails(self):
        """Tests a Plaso whose tagging rules are something else."""
        self._TestMissing(
            "plaso.engine.tagging_file",
            "module.TaggingFile.GetEventTaggingRules = lambda self: 7",
            hooks.TAGGING,
            "TypeError",
            "print(module.TaggingFile('tag_linux.txt').GetEventTaggingRules() == 7)",
        )

    def testIndexMappingsMissing(self):
        """Tests a Plaso with other outputs to OpenSearch."""
        self._TestMissing(
            "plaso.output.shared_opensearch",
            "module.SharedOpenSearchOutputModule.SetMappings = lambda self: 7",
            hooks.INDEX_MAPPINGS,
            "SharedOpenSearchOutputModule.SetMappings: got an unexpected keyword",
            "print(module.SharedOpenSearchOutputModule().SetMappings() == 7)",
        )

    def testIndexMappingsFail(self):
        """Tests a Plaso whose mappings are something else."""
        self._TestMissing(
            "plaso.output.shared_opensearch",
            "pass",
            hooks.INDEX_MAPPINGS,
            "AttributeError",
            "output_module = module.SharedOpenSearchOutputModule();"
            "output_module.SetMappings(['pid']);"
            "print(output_module._mappings == ['pid'])",
        )

    def testArtifactsMissing(self):
        """Tests a Plaso with another registry of artifact definitions."""
        self._TestMissing(
            "plaso.engine.engine",
            "module.BaseEngine.BuildArtifactsRegistry = lambda self: 7",
            hooks.ARTIFACTS,
            "BaseEngine.BuildArtifactsRegistry: too many",
            "print(module.BaseEngine().BuildArtifactsRegistry() == 7)",
        )

    def testArtifactsFail(self):
        """Tests a Plaso whose engine keeps the registry elsewhere."""
        self._TestMissing(
            "plaso.engine.engine",
            "module.BaseEngine.BuildArtifactsRegistry = lambda self, path, more: path",
            hooks.ARTIFACTS,
            "AttributeError",
            "print(module.BaseEngine().BuildArtifactsRegistry(7, None) == 7)",
        )

    def testFileFilterMissing(self):
        """Tests a Plaso with another option for filter files."""
        self._TestMissing(
            "plaso.cli.helpers.filter_file",
            "module.FilterFileArgumentsHelper.ParseOptions = staticmethod("
            "lambda options: options)",
            hooks.FILE_FILTER,
            "FilterFileArgumentsHelper.ParseOptions: too many",
            "print(module.FilterFileArgumentsHelper.ParseOptions(7) == 7)",
        )

    def testAnalysisMissing(self):
        """Tests a Plaso that registers analysis plugins in another way."""
        self._TestMissing(
            "plaso.analysis.manager",
            "del module.AnalysisPluginManager.RegisterPlugin",
            hooks.ANALYSIS,
            "no attribute 'RegisterPlugin'",
            "print('tagging' in module.AnalysisPluginManager.GetPluginNames())",
        )

    def testModulesMissing(self):
        """Tests a Plaso with no module in its known place."""
        with tempfile.TemporaryDirectory() as temporary_directory:
            package_path = os.path.join(temporary_directory, "plaso")
            os.mkdir(package_path)
            path = os.path.join(package_path, "__init__.py")
            with open(path, "w", encoding="utf-8") as file_object:
                file_object.write("__version__ = '20991231'\n")

            lines = self._Run(f"""\
                sys.path.insert(0, {temporary_directory!r})
                Install()
                import plaso
                print(plaso.__version__)
                print(*warnings, sep="\\n")
                """)
        self.assertEqual(lines[0], "20991231")
        self.assertEqual(len(lines), 11, lines)
        for extension, line in zip(
            sorted(
                (
                    hooks.PARSER,
                    hooks.PRESET,
                    hooks.TIMELINER,
                    hooks.MESSAGES,
                    hooks.USER_NAMES,
                    hooks.TAGGING,
                    hooks.INDEX_MAPPINGS,
                    hooks.ARTIFACTS,
                    hooks.FILE_FILTER,
                    hooks.ANALYSIS,
                )
            ),
            sorted(lines[1:]),
        ):
            self.assertTrue(line.startswith(f"plaso-atop: {extension:s} not "), line)
            self.assertIn("No module named 'plaso.", line)


# Where the tests run without the package being installed.
integration.Install()

if __name__ == "__main__":
    unittest.main()
