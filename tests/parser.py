"""Tests for the atop raw log parser."""

import gzip
import io
import os
import struct
import tempfile
import unittest

from dfdatetime import interface as dfdatetime_interface

from dfvfs.lib import definitions as dfvfs_definitions
from dfvfs.path import factory as path_spec_factory

from plaso.lib import errors
from plaso.parsers import manager

from plaso_atop import parser
from plaso_atop import plugins
from plaso_atop import rawlog
from plaso_atop.plugins import process

import log_builder
from tests.lib import test_lib


class AtopParserTest(test_lib.ParserTestCase):
    """Tests for the atop raw log parser."""

    _DEFAULT_PLUGIN_NAMES = ["network", "process", "session", "system"]

    def _GetDataTypes(self, storage_writer):
        """Retrieves the data types of the event data.

        Args:
          storage_writer (FakeStorageWriter): storage writer.

        Returns:
          set[str]: data types.
        """
        return {event.data_type for event in self._GetEventData(storage_writer)}

    def testDefinition(self):
        """Tests that the definition is only read when there is a log."""
        script = (
            "import sys\n"
            "from plaso.parsers import manager\n"
            "from plaso_atop import layouts, parser\n"
            "parser.AtopParser()\n"
            "print(layouts._GetBuilder.cache_info().misses)\n"
        )
        output = test_lib.RunScript(script)
        self.assertEqual(output, "0\n")

    def testGetFormatSpecification(self):
        """Tests the GetFormatSpecification function."""
        signatures = parser.AtopParser.GetFormatSpecification().signatures
        self.assertEqual(
            [(signature.pattern, signature.offset) for signature in signatures],
            [(b"\xef\xbe\xed\xfe", 0), (b"\xfe\xed\xbe\xef", 0)],
        )

    def testPlugins(self):
        """Tests which plugins there are and which run by default."""
        self.assertEqual(parser.AtopParser.GetPluginNames(), self._DEFAULT_PLUGIN_NAMES)
        names = {name for name, _ in parser.AtopParser.GetPlugins()}
        self.assertLess(set(self._DEFAULT_PLUGIN_NAMES), names)

        known, unknown = manager.ParsersManager.CheckFilterExpression(None)
        self.assertIn("atop/process", known)
        self.assertNotIn("atop/thread", known)
        self.assertEqual(unknown, set())

        known, unknown = manager.ParsersManager.CheckFilterExpression("atop")
        self.assertEqual(known, {f"atop/{name:s}" for name in names})
        self.assertEqual(unknown, set())

    def testPluginImports(self):
        """Tests that importing the parser registers the plugin of every module."""
        module_names = set()
        directory = os.path.dirname(plugins.__file__)
        for name in os.listdir(directory):
            if name.endswith(".py"):
                path = os.path.join(directory, name)
                with open(path, "r", encoding="utf-8") as file_object:
                    if "AtopParser.RegisterPlugin(" in file_object.read():
                        module_names.add(f"{plugins.__name__:s}.{name[:-3]:s}")

        # Here other tests have imported the modules.
        script = (
            "from plaso_atop import parser\n"
            "for _, plugin_class in parser.AtopParser.GetPlugins():\n"
            "    print(plugin_class.__module__)\n"
        )
        output = test_lib.RunScript(script)
        self.assertTrue(module_names)
        self.assertEqual(set(output.split()), module_names)

    def testParse(self):
        """Tests the Parse function."""
        for log in test_lib.LOGS:
            storage_writer = self._ParseFile([f"{log.name:s}.raw"], parser.AtopParser())
            with self.subTest(log=log.name):
                self.assertEqual(self._GetWarnings(storage_writer), [])
                data_types = self._GetDataTypes(storage_writer)
                for name in ("process", "session", "system"):
                    self.assertIn(f"linux:atop:{name:s}", data_types)

    def testParseGzip(self):
        """Tests the Parse function on a log of two members compressed with gzip."""
        data = self._ReadTestFile(["atop-2.8.1.raw"])
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "atop.log.1.gz")
            with open(path, "wb") as file_object:
                file_object.write(gzip.compress(data[:20000]))
                file_object.write(gzip.compress(data[20000:]))

            path_spec = path_spec_factory.Factory.NewPathSpec(
                dfvfs_definitions.TYPE_INDICATOR_OS, location=path
            )
            path_spec = path_spec_factory.Factory.NewPathSpec(
                dfvfs_definitions.TYPE_INDICATOR_GZIP, parent=path_spec
            )
            storage_writer = self._ParseFileByPathSpec(path_spec, parser.AtopParser())

        expected = self._ParseData(data, parser.AtopParser())
        self.assertEqual(self._GetWarnings(storage_writer), [])
        self.assertEqual(
            [event.__dict__.keys() for event in self._GetEventData(storage_writer)],
            [event.__dict__.keys() for event in self._GetEventData(expected)],
        )

    def testParseAbort(self):
        """Tests that an aborted parser writes what it knows."""
        data = self._ReadTestFile(["atop-2.8.1.raw"])
        file_object = io.BytesIO(data)
        file_object.get_size = lambda: len(data)

        storage_writer = self._CreateStorageWriter()
        parser_mediator = self._CreateParserMediator(storage_writer)
        atop_parser = parser.AtopParser()
        atop_parser.EnablePlugins({"process", "session", "system"})

        # pylint: disable-next=protected-access
        system_plugin = atop_parser._plugins_per_name["system"]
        original = system_plugin.ProcessSample
        samples = []

        def _ProcessSample(parser_mediator, sample):
            samples.append(sample)
            original(parser_mediator, sample)
            if len(samples) == 2:
                parser_mediator.SignalAbort()

        system_plugin.ProcessSample = _ProcessSample
        atop_parser.Parse(parser_mediator, file_object)

        self.assertEqual(len(samples), 2)
        (session,) = self._GetEventData(storage_writer, "linux:atop:session")
        self.assertEqual(session.number_of_samples, 2)
        self.assertGreater(
            len(self._GetEventData(storage_writer, "linux:atop:process")), 40
        )

    def testPluginFailure(self):
        """Tests that a plugin which fails costs the others nothing."""
        data = self._ReadTestFile(["atop-2.8.1.raw"])
        atop_parser = parser.AtopParser()

        def _ProcessSample(unused_parser_mediator, unused_sample):
            raise KeyError("defect")

        # pylint: disable-next=protected-access
        atop_parser._plugins_per_name["system"].ProcessSample = _ProcessSample
        storage_writer = self._ParseData(data, atop_parser)
        self.assertEqual(
            self._GetWarnings(storage_writer),
            ["plugin: system unable to parse atop raw log with error: 'defect'"],
        )
        data_types = self._GetDataTypes(storage_writer)
        self.assertNotIn("linux:atop:system", data_types)
        self.assertIn("linux:atop:process", data_types)
        self.assertIn("linux:atop:session", data_types)

    def testSystemBlock(self):
        """Tests that system blocks are inflated once, however many plugins run."""
        data = self._ReadTestFile(["atop-2.8.1.raw"])
        inflated_sizes = {}
        original = rawlog.Sample.Release

        def _Release(sample):
            inflated_sizes[plugin_name].append(sample.system_block.inflated_size)
            original(sample)

        rawlog.Sample.Release = _Release
        try:
            for plugin_name in ("process", "system", "*"):
                inflated_sizes[plugin_name] = []
                atop_parser = parser.AtopParser()
                atop_parser.EnablePlugins({plugin_name})
                self._ParseData(data, atop_parser)
        finally:
            rawlog.Sample.Release = original

        for sizes in inflated_sizes.values():
            self.assertEqual(sizes, [1021960] * 8)

    def testOtherFiles(self):
        """Tests files that are not atop raw logs, though they begin like one."""
        for data in (
            rawlog.MAGIC_LITTLE_ENDIAN + bytes(1000),
            rawlog.MAGIC_BIG_ENDIAN + b"\xff" * 1000,
            rawlog.MAGIC_LITTLE_ENDIAN + b"text that is no log" * 100,
            b"no signature" * 100,
        ):
            with self.assertRaises(errors.WrongParser):
                self._ParseData(data, parser.AtopParser())

    def testSmallFiles(self):
        """Tests files without a sample."""
        data = self._ReadTestFile(["atop-2.8.1.raw"])
        for size, expected in (
            (0, []),
            (4, ["Header incomplete: 4 bytes"]),
            (100, ["Header incomplete: 100 bytes"]),
            (480, ["atop raw log has no samples"]),
            (
                500,
                [
                    "last sample incomplete at offset: 0x000001e0 of size: 20",
                    "atop raw log has no samples",
                ],
            ),
        ):
            storage_writer = self._ParseData(data[:size], parser.AtopParser())
            self.assertEqual(self._GetEventData(storage_writer), [])
            self.assertEqual(self._GetWarnings(storage_writer), expected)

    def testUnknownLayout(self):
        """Tests logs of versions and with structures that are not known."""
        data = self._ReadTestFile(["atop-2.8.1.raw"])

        def _Parse(offset, format_string, value):
            """Parses the log with a member of its header overwritten."""
            overwritten = bytearray(data)
            struct.pack_into(format_string, overwritten, offset, value)
            # Samples that could be recovered would be.
            for name in (1,):
                sample_offset = 480 + 96 * name
                overwritten[sample_offset : sample_offset + 200] = bytes(200)
            return self._ParseData(bytes(overwritten), parser.AtopParser())

        # A size that no version has.
        storage_writer = _Parse(12, "<H", 100)
        self.assertEqual(self._GetEventData(storage_writer), [])
        self.assertEqual(
            self._GetWarnings(storage_writer),
            [
                "Unsupported layout: atop version 2.8 with a rawrecord of 100, a tstat "
                "of 968 and a sstat of 1021960 bytes"
            ],
        )

    def testOtherVersion(self):
        """Tests logs with the number of one version and the sizes of another one."""
        newest = test_lib.LOGS[-1]
        for name, version, assumed_version, message in (
            (
                newest.name,
                test_lib.UNKNOWN_VERSION_TUPLE,
                newest.version_tuple,
                f"{test_lib.UNKNOWN_VERSION:s} is not known, "
                f"read as {newest.version:s}",
            ),
            (
                newest.name,
                (3, 0),
                newest.version_tuple,
                f"3.0 is not known, read as {newest.version:s}",
            ),
            (
                "atop-2.13.0",
                (2, 12),
                (2, 13),
                "2.12 with the sizes of another is not known, read as 2.13",
            ),
            (
                "atop-2.7.1",
                (2, 6),
                (2, 7),
                "2.6 with the sizes of another is not known, read as 2.7",
            ),
        ):
            data = bytearray(self._ReadTestFile([f"{name:s}.raw"]))
            expected = self._GetEventValues(
                self._ParseData(bytes(data), parser.AtopParser())
            )
            struct.pack_into("<H", data, 4, 0x8000 | version[0] << 8 | version[1])
            log = rawlog.RawLog(io.BytesIO(bytes(data)))
            sizes = [sample.end_offset for sample in log.samples()]
            self.assertEqual(log.version_tuple, assumed_version)

            # All of the log, and no more than its first sample.
            for size in (len(data), sizes[0]):
                storage_writer = self._ParseData(
                    bytes(data[:size]), parser.AtopParser()
                )
                self.assertEqual(
                    self._GetWarnings(storage_writer), [f"atop version {message:s}"]
                )
                for event_data in self._GetEventData(storage_writer):
                    self.assertFalse(getattr(event_data, "_corrupted", False))
                    self.assertFalse(getattr(event_data, "_recovered", False))
                    if event_data.data_type == "linux:atop:session":
                        self.assertEqual(
                            event_data.atop_version, f"{version[0]:d}.{version[1]:d}"
                        )
                self.assertTrue(
                    self._GetEventData(storage_writer, "linux:atop:process")
                )

            # Nothing but the version in the session differs, and what the last of the
            # development versions brought.
            attributes = self._GetEventValues(
                self._ParseData(bytes(data), parser.AtopParser())
            )
            for event in expected + attributes:
                event.pop("atop_version", None)
                if version == (2, 12):
                    event.pop("oom_score", None)
                    event.pop("oom_score_adjustment", None)
            self.assertEqual(attributes, expected)

    def testUnknownSizes(self):
        """Tests logs of development versions, with structures of their own."""
        for member, data_types in (
            # The tasks are read all the same.
            (
                "sstat",
                {"linux:atop:session", "linux:atop:system", "linux:atop:process"},
            ),
            ("tstat", {"linux:atop:session", "linux:atop:system"}),
        ):
            builder = log_builder.LogBuilder(version="2.12")
            structure = getattr(builder.layout, member)
            structure_class = type(structure)
            larger = structure_class.__new__(structure_class)
            larger.__dict__.update(structure.__dict__)
            larger.size += 16
            builder.layout = builder.layout._replace(**{member: larger})
            for index in range(3):
                builder.AddSample(
                    1795225000 + index * 600,
                    flags=rawlog.FLAG_BOOT if not index else 0,
                    tasks=[
                        {"gen.pid": 1, "gen.tgid": 1, "gen.isproc": 1, "gen.btime": 9}
                    ],
                )
            data = bytearray(builder.Build())
            offset = 28 if member == "sstat" else 32
            struct.pack_into("<I", data, offset, larger.size)

            atop_parser = parser.AtopParser()
            atop_parser.EnablePlugins({"process", "session", "system"})
            storage_writer = self._ParseData(bytes(data), atop_parser)
            with self.subTest(member=member):
                (warning,) = self._GetWarnings(storage_writer)
                self.assertIn("Unsupported layout", warning)
                self.assertIn("atop version 2.12", warning)
                self.assertIn(f"{larger.size:d}", warning)
                self.assertEqual(self._GetDataTypes(storage_writer), data_types)
                for event in self._GetEventData(storage_writer, "linux:atop:system"):
                    self.assertEqual(event.load_average_1 is None, member == "sstat")

    def testTypes(self):
        """Tests that every attribute has one of the types that Plaso supports."""
        types = {}
        for log in test_lib.LOGS:
            storage_writer = self._ParseFile([f"{log.name:s}.raw"], parser.AtopParser())
            for event in self._GetEventData(storage_writer):
                for name, value in event.__dict__.items():
                    if (
                        name[0] == "_"
                        or value is None
                        or isinstance(value, dfdatetime_interface.DateTimeValues)
                    ):
                        continue
                    value_types = {type(value)}
                    if isinstance(value, list):
                        value_types = {type(element) for element in value}
                    types.setdefault(name, set()).update(value_types)

        for name, value_types in types.items():
            self.assertEqual(len(value_types), 1, name)
            self.assertLess(value_types, {bool, int, str, float})

        # pylint: disable-next=protected-access
        for name in process.AtopProcessPlugin._IDENTIFIERS:
            self.assertEqual(types[name[0]], {int})
        self.assertEqual(types["process_state"], {str})


if __name__ == "__main__":
    unittest.main()
