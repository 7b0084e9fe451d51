"""Shared functions and classes for testing."""

import collections
import errno
import functools
import io
import os
import shutil
import subprocess
import sys
import unittest

from dfdatetime import interface as dfdatetime_interface

from dfvfs.lib import definitions as dfvfs_definitions
from dfvfs.path import factory as path_spec_factory
from dfvfs.resolver import resolver as path_spec_resolver

from plaso.containers import artifacts
from plaso.containers import events
from plaso.output import mediator as output_mediator
from plaso.parsers import mediator as parsers_mediator
from plaso.storage.fake import writer as fake_writer

from scripts import attributes

# The path to top of the source tree.
PROJECT_PATH = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# The paths below are all derived from the project path directory.
DATA_PATH = os.path.join(PROJECT_PATH, "data")
TEST_DATA_PATH = os.path.join(PROJECT_PATH, "test_data")

# What a checkout may hold besides the files of the project.
# pylint: disable-next=invalid-name
IGNORED_NAMES = shutil.ignore_patterns(
    ".git",
    ".hypothesis",
    ".nox",
    ".pytest_cache",
    ".venv*",
    "*.egg-info",
    "__pycache__",
    "build",
    "dist",
)

_TYPES = {
    "bool": bool,
    "dfdatetime.DateTimeValues": dfdatetime_interface.DateTimeValues,
    "float": float,
    "int": int,
    "list[int]": list,
    "str": str,
}


class Log(collections.namedtuple("Log", ["name", "layout_version", "abi_name"])):
    """Real log in the test data, with what the atop that wrote it printed of it.

    Attributes:
      name (str): name of the file, without what follows the dot before "raw".
      layout_version (str): version as in layouts.VERSIONS.
      abi_name (str): name of the machine type as in layouts.ABIS.
    """

    __slots__ = ()

    @property
    def parseable_path(self):
        """str: path of what atop printed."""
        return GetTestFilePath([f"{self.name:s}.parseable.gz"])

    @property
    def path(self):
        """str: path of the log."""
        return GetTestFilePath([f"{self.name:s}.raw"])

    @property
    def version(self):
        """str: version as in the header."""
        return self.layout_version.partition("-")[0]

    @property
    def version_tuple(self):
        """tuple[int, int]: version as in the header."""
        return tuple(map(int, self.version.split(".")))


LOGS = (
    Log("atop-1.23", "1.23", "64-bit little-endian"),
    Log("atop-1.26", "1.26", "64-bit little-endian"),
    Log("atop-1.27.3", "1.27", "64-bit little-endian"),
    Log("atop-2.0.2", "2.0", "64-bit little-endian"),
    Log("atop-2.1", "2.1", "64-bit little-endian"),
    Log("atop-2.2", "2.2", "64-bit little-endian"),
    Log("atop-2.2-3", "2.2-3", "64-bit little-endian"),
    Log("atop-2.3.0", "2.3", "64-bit little-endian"),
    Log("atop-2.4.0", "2.4", "64-bit little-endian"),
    Log("atop-2.5.0", "2.5", "64-bit little-endian"),
    Log("atop-2.6.0", "2.6", "64-bit little-endian"),
    Log("atop-2.7.1", "2.7", "64-bit little-endian"),
    Log("atop-2.8.1", "2.8", "64-bit little-endian"),
    Log("atop-2.8.1-i386", "2.8", "i386"),
    Log("atop-2.8.1-kernel-threads", "2.8", "64-bit little-endian"),
    Log("atop-2.8.1-s390x", "2.8", "64-bit big-endian"),
    Log("atop-2.9.0", "2.9", "64-bit little-endian"),
    Log("atop-2.10.0", "2.10", "64-bit little-endian"),
    Log("atop-2.11.1", "2.11", "64-bit little-endian"),
    Log("atop-2.12.1", "2.12", "64-bit little-endian"),
    Log("atop-2.13.0", "2.13", "64-bit little-endian"),
)

# Version after the newest that is known.
UNKNOWN_VERSION_TUPLE = (LOGS[-1].version_tuple[0], LOGS[-1].version_tuple[1] + 1)
UNKNOWN_VERSION = ".".join(map(str, UNKNOWN_VERSION_TUPLE))


def FindProgram(name):
    """Finds a program that is not a part of Python.

    Args:
      name (str): name of the program.

    Returns:
      str: path of the program.

    Raises:
      SkipTest: if it is not installed.
    """
    # Debian has e2fsprogs where only root looks.
    path = shutil.which(name, path=f"{os.environ.get('PATH', ''):s}:/usr/sbin:/sbin")
    if not path:
        raise unittest.SkipTest(f"{name:s} is not installed")
    return path


@functools.lru_cache(maxsize=None)
def GetDocumentedTypes(event_data_class):
    """Retrieves the types of attributes from the docstrings of event data.

    Args:
      event_data_class (type): event data class.

    Returns:
      dict[str, str]: type per name of the attribute.
    """
    return {
        attribute.name: attribute.type
        for attribute in attributes.GetAttributes(event_data_class)
    }


def GetTestFilePath(path_segments):
    """Retrieves the path of a file in the test data directory.

    Args:
      path_segments (list[str]): path segments inside the test data directory.

    Returns:
      str: path of the test file.
    """
    return os.path.join(TEST_DATA_PATH, *path_segments)


def RunScript(script):
    """Runs a script of Python where no test has imported anything.

    Args:
      script (str): script.

    Returns:
      str: what it printed.

    Raises:
      CalledProcessError: if it fails.
    """
    return subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        cwd=PROJECT_PATH,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


class UnreadableFile(io.BytesIO):
    """File with parts that cannot be read.

    Attributes:
      number_of_failures (int): number of reads that failed.
    """

    def __init__(self, data, *ranges):
        """Initializes a file.

        Args:
          data (bytes): contents of the file.
          ranges (tuple[int, int]): offset and size of each part that cannot be read.
        """
        super().__init__(data)
        self._ranges = ranges
        self.number_of_failures = 0

    def read(self, size=-1):
        """Reads data.

        Args:
          size (int): size in bytes.

        Returns:
          bytes: data.

        Raises:
          OSError: if the data cannot be read.
        """
        start = self.tell()
        for range_offset, range_size in self._ranges:
            if start < range_offset + range_size and start + size > range_offset:
                self.number_of_failures += 1
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size)


class BaseTestCase(unittest.TestCase):
    """The base test case."""

    # Show full diff results, part of TestCase so does not follow our naming
    # conventions.
    maxDiff = None

    def _GetTestFilePath(self, path_segments):
        """Retrieves the path of a file in the test data directory.

        Args:
          path_segments (list[str]): path segments inside the test data directory.

        Returns:
          str: path of the test file.
        """
        return GetTestFilePath(path_segments)

    def _ReadTestFile(self, path_segments):
        """Reads a file in the test data directory.

        Args:
          path_segments (list[str]): path segments inside the test data directory.

        Returns:
          bytes: contents of the test file.
        """
        with open(GetTestFilePath(path_segments), "rb") as file_object:
            return file_object.read()


class ParserTestCase(BaseTestCase):
    """Parser test case."""

    def _CheckTypes(self, event_data):
        """Checks that all attributes have their documented type.

        Args:
          event_data (EventData): event data.

        Returns:
          set[str]: names of the attributes that have a value.
        """
        types = GetDocumentedTypes(type(event_data))
        values = {
            name: value
            for name, value in event_data.GetAttributes()
            # Plaso's own start with an underscore.
            if not name.startswith("_") and name != "data_type"
        }
        for name, value in values.items():
            if name not in types:
                self.fail(f"{event_data.data_type:s}: {name:s} is not documented")

            value_type = _TYPES[types[name]]
            # A bool is an int as well.
            if value_type is dfdatetime_interface.DateTimeValues:
                self.assertIsInstance(value, value_type, name)
            else:
                self.assertIs(type(value), value_type, name)
            if types[name] == "list[int]":
                self.assertEqual({type(element) for element in value}, {int}, name)

        return set(values)

    def _CreateParserMediator(
        self, storage_writer, file_entry=None, system_configurations=None
    ):
        """Creates a parser mediator.

        Args:
          storage_writer (StorageWriter): storage writer.
          file_entry (Optional[dfvfs.FileEntry]): file entry object being parsed.
          system_configurations (Optional[list[SystemConfigurationArtifact]]): system
              configurations.

        Returns:
          ParserMediator: parser mediator.
        """
        parser_mediator = parsers_mediator.ParserMediator(
            system_configurations=system_configurations
        )
        parser_mediator.SetStorageWriter(storage_writer)

        if file_entry:
            parser_mediator.SetFileEntry(file_entry)

            event_data_stream = events.EventDataStream()
            event_data_stream.path_spec = file_entry.path_spec
            parser_mediator.ProduceEventDataStream(event_data_stream)

        return parser_mediator

    def _CreateSystemConfiguration(self, user_names):
        """Creates a system configuration with the names of users.

        Args:
          user_names (dict[str, str]): names of users per identifier.

        Returns:
          SystemConfigurationArtifact: system configuration.
        """
        configuration = artifacts.SystemConfigurationArtifact()
        configuration.path_specs = []
        # pylint: disable=protected-access
        configuration._atop_user_names = user_names
        return configuration

    def _CreateStorageWriter(self):
        """Creates a storage writer object.

        Returns:
          FakeStorageWriter: storage writer.
        """
        storage_writer = fake_writer.FakeStorageWriter()
        storage_writer.Open()
        return storage_writer

    def _GetEventData(self, storage_writer, data_type=None):
        """Retrieves the event data.

        Args:
          storage_writer (FakeStorageWriter): storage writer.
          data_type (Optional[str]): data type of the event data, None for all.

        Returns:
          list[EventData]: event data in the order they were produced.
        """
        return [
            event_data
            for event_data in storage_writer.GetAttributeContainers("event_data")
            if data_type in (None, event_data.data_type)
        ]

    def _GetEventValues(self, storage_writer):
        """Retrieves what the event data hold.

        Args:
          storage_writer (FakeStorageWriter): storage writer.

        Returns:
          list[dict[str, object]]: values per name of the attribute, of a date and time
              the timestamp.
        """
        return [
            {
                name: getattr(value, "timestamp", value)
                for name, value in event_data.__dict__.items()
                if name[0] != "_" and value is not None
            }
            for event_data in self._GetEventData(storage_writer)
        ]

    def _GetMessages(self, event_data):
        """Retrieves the messages of an event.

        Args:
          event_data (EventData): event data.

        Returns:
          tuple[str, str]: message and short message.
        """
        mediator = output_mediator.OutputMediator(None)
        mediator.ReadMessageFormattersFromFile(
            os.path.join(DATA_PATH, "formatters", "atop.yaml")
        )
        formatter = mediator.GetMessageFormatter(event_data.data_type)
        event_values = event_data.CopyToDict()
        formatter.FormatEventValues(mediator, event_values)
        return (
            formatter.GetMessage(event_values),
            formatter.GetMessageShort(event_values),
        )

    def _GetWarnings(self, storage_writer):
        """Retrieves the messages of the warnings.

        Args:
          storage_writer (FakeStorageWriter): storage writer.

        Returns:
          list[str]: messages of the extraction and of the recovery warnings.
        """
        return [
            warning.message
            for container_type in ("extraction_warning", "recovery_warning")
            for warning in storage_writer.GetAttributeContainers(container_type)
        ]

    def _ParseData(self, data, parser, system_configurations=None):
        """Parses data with a parser and writes results to a storage writer.

        Args:
          data (bytes): contents of a file.
          parser (FileObjectParser): parser.
          system_configurations (Optional[list[SystemConfigurationArtifact]]): system
              configurations.

        Returns:
          FakeStorageWriter: storage writer.
        """
        file_object = io.BytesIO(data)
        file_object.get_size = lambda: len(data)

        storage_writer = self._CreateStorageWriter()
        parser_mediator = self._CreateParserMediator(
            storage_writer, system_configurations=system_configurations
        )
        parser.Parse(parser_mediator, file_object)
        return storage_writer

    def _ParseFile(self, path_segments, parser, system_configurations=None):
        """Parses a file with a parser and writes results to a storage writer.

        Args:
          path_segments (list[str]): path segments inside the test data directory.
          parser (FileObjectParser): parser.
          system_configurations (Optional[list[SystemConfigurationArtifact]]): system
              configurations.

        Returns:
          FakeStorageWriter: storage writer.
        """
        path_spec = path_spec_factory.Factory.NewPathSpec(
            dfvfs_definitions.TYPE_INDICATOR_OS,
            location=self._GetTestFilePath(path_segments),
        )
        return self._ParseFileByPathSpec(
            path_spec, parser, system_configurations=system_configurations
        )

    def _ParseFileByPathSpec(self, path_spec, parser, system_configurations=None):
        """Parses a file with a parser and writes results to a storage writer.

        Args:
          path_spec (dfvfs.PathSpec): path specification.
          parser (FileObjectParser): parser.
          system_configurations (Optional[list[SystemConfigurationArtifact]]): system
              configurations.

        Returns:
          FakeStorageWriter: storage writer.
        """
        file_entry = path_spec_resolver.Resolver.OpenFileEntry(path_spec)

        storage_writer = self._CreateStorageWriter()
        parser_mediator = self._CreateParserMediator(
            storage_writer,
            file_entry=file_entry,
            system_configurations=system_configurations,
        )
        parser.Parse(parser_mediator, file_entry.GetFileObject())
        return storage_writer
