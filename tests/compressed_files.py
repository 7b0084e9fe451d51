"""Tests for compressed logs."""

import bz2
import functools
import gzip
import lzma
import random
import tempfile
import unittest
from unittest import mock

from dfvfs.lib import definitions as dfvfs_definitions
from dfvfs.path import factory as path_spec_factory
from dfvfs.resolver import resolver as path_spec_resolver

from plaso_atop import compressed_files
from plaso_atop import parser
from plaso_atop import rawlog

import log_builder
from tests.lib import command_test_lib
from tests.lib import test_lib


class _RecordingFile:
    """File-like object that decompresses, and records how often it starts again.

    Attributes:
      number_of_restarts (int): number of times that it went back.
    """

    def __init__(self, opener):
        """Initializes a file-like object that is not open.

        Args:
          opener (function): opens a compressed file.
        """
        super().__init__()
        self._file_object = None
        self._opener = opener
        self.number_of_restarts = 0

    def Open(self, file_object):
        """Opens a compressed file.

        Args:
          file_object (file): file-like object of the compressed file.

        Returns:
          _RecordingFile: this file-like object.
        """
        self._file_object = self._opener(file_object)
        return self

    # Note: that the following functions do not follow the style guide
    # because they are part of the file-like object interface.
    # pylint: disable=invalid-name

    def read1(self, size):
        """Reads data.

        Args:
          size (int): size in bytes.

        Returns:
          bytes: data.
        """
        return self._file_object.read1(size)

    def seek(self, offset, whence=0):
        """Seeks an offset.

        Args:
          offset (int): offset in bytes.
          whence (Optional[int]): what the offset is relative to, see io.SEEK_SET.
        """
        self.number_of_restarts += offset < self._file_object.tell()
        self._file_object.seek(offset, whence)


class CompressedFilesTest(command_test_lib.CommandTestCase, test_lib.ParserTestCase):
    """Tests for compressed logs, larger than what dfVFS decompresses at a time."""

    _NUMBER_OF_SAMPLES = 76

    _BZIP2_PROPERTIES = {
        "type_indicator": dfvfs_definitions.TYPE_INDICATOR_COMPRESSED_STREAM,
        "compression_method": dfvfs_definitions.COMPRESSION_METHOD_BZIP2,
    }
    _GZIP_PROPERTIES = {"type_indicator": dfvfs_definitions.TYPE_INDICATOR_GZIP}
    _XZ_PROPERTIES = {
        "type_indicator": dfvfs_definitions.TYPE_INDICATOR_COMPRESSED_STREAM,
        "compression_method": dfvfs_definitions.COMPRESSION_METHOD_XZ,
    }

    def _BuildLog(self):
        """Builds a log that cannot be compressed.

        Returns:
          bytes: contents of the log, 25 MiB.
        """
        generator = random.Random(20261121)
        builder = log_builder.LogBuilder(version="2.12")
        sstat = builder.layout.sstat
        cpu = sstat.members["cpu"].structure.members["cpu"]

        # What stands behind the last CPU is not used.
        offset = sstat.members["cpu"].offset + cpu.offset + cpu.size
        size = cpu.size * (cpu.count - 1)

        for index in range(self._NUMBER_OF_SAMPLES):
            system = bytearray(log_builder.Pack(sstat, {"cpu.nrcpu": 1}))
            system[offset : offset + size] = generator.randbytes(size)
            builder.AddSample(
                1795225000 + 600 * index,
                flags=0 if index else rawlog.FLAG_BOOT,
                system=bytes(system),
                tasks=[
                    {
                        "gen.tgid": pid,
                        "gen.pid": pid,
                        "gen.isproc": 1,
                        "gen.state": b"S",
                        "gen.btime": 1795000000,
                        "gen.name": b"daemon",
                        "cpu.utime": index,
                    }
                    for pid in range(1, 6)
                ],
            )
        return builder.Build()

    def _CheckOffsets(self, path, data, **properties):
        """Checks that dfVFS, as the package mends it, finds offsets in a file.

        Args:
          path (str): path of the compressed file.
          data (bytes): what it holds.
          properties (dict[str, str]): properties of the path specification.
        """
        path_spec = path_spec_factory.Factory.NewPathSpec(
            parent=path_spec_factory.Factory.NewPathSpec(
                dfvfs_definitions.TYPE_INDICATOR_OS, location=path
            ),
            **properties,
        )
        file_object = path_spec_resolver.Resolver.OpenFileObject(path_spec)
        self.assertEqual(file_object.get_size(), len(data))
        for offset in (0, 1, len(data) - 500, 20000000, 480, 12000000, 0):
            file_object.seek(offset)
            self.assertEqual(file_object.read(480), data[offset : offset + 480], offset)

    def _GetEvents(self, path, **properties):
        """Retrieves the events of a log.

        Args:
          path (str): path of the log.
          properties (dict[str, str]): properties of the path specification if the log
              is compressed.

        Returns:
          tuple[list[dict[str, object]], list[str]]: values per name of the attribute,
              and warnings.
        """
        path_spec = path_spec_factory.Factory.NewPathSpec(
            dfvfs_definitions.TYPE_INDICATOR_OS, location=path
        )
        if properties:
            path_spec = path_spec_factory.Factory.NewPathSpec(
                parent=path_spec, **properties
            )
        storage_writer = self._ParseFileByPathSpec(path_spec, parser.AtopParser())
        events = self._GetEventValues(storage_writer)
        return events, self._GetWarnings(storage_writer)

    def _BuildLogOfLargeSamples(self):
        """Builds a log with large process lists.

        Returns:
          bytes: contents of the log, each sample has more than 1 MiB.
        """
        generator = random.Random(20261122)
        builder = log_builder.LogBuilder(version="2.12")
        for index in range(2):
            builder.AddSample(
                1795225000 + 600 * index,
                flags=0 if index else rawlog.FLAG_BOOT,
                system={"cpu.nrcpu": 1},
                tasks=[
                    {
                        "gen.tgid": pid,
                        "gen.pid": pid,
                        "gen.isproc": 1,
                        "gen.state": b"S",
                        "gen.btime": 1795000000,
                        "gen.wasinactive": 1,
                        "gen.cmdline": generator.randbytes(255),
                    }
                    for pid in range(1, 5000)
                ],
            )
        return builder.Build()

    def testSeveralStreams(self):
        """Tests logs that were compressed in parallel, as several streams."""
        data = self._ReadTestFile(["atop-2.12.1.raw"])
        size = len(data) // 3
        expected_events, _ = self._GetEvents(self._WriteFile(data))
        for name, compress, properties in (
            ("bz2", bz2.compress, self._BZIP2_PROPERTIES),
            ("gz", gzip.compress, self._GZIP_PROPERTIES),
            ("xz", lzma.compress, self._XZ_PROPERTIES),
        ):
            pieces = [
                compress(data[offset : offset + size])
                for offset in range(0, len(data), size)
            ]
            path = self._WriteFile(b"".join(pieces))
            events, warnings = self._GetEvents(path, **properties)
            with self.subTest(name=name):
                self.assertEqual(warnings, [])
                self.assertEqual(events, expected_events)

            # The last stream is cut. dfVFS opens no such gzip file.
            if name == "gz":
                continue
            path = self._WriteFile(b"".join(pieces[:-1]) + pieces[-1][:-20])
            events, warnings = self._GetEvents(path, **properties)
            with self.subTest(name=name, is_cut=True):
                self.assertGreater(len(events), len(expected_events) // 2)

    def testLargeSamples(self):
        """Tests that the samples of a large server are decompressed once."""
        data = self._BuildLogOfLargeSamples()
        self.assertGreater(len(data), 2 * 1024 * 1024)

        expected_events, _ = self._GetEvents(self._WriteFile(data))
        path = self._WriteFile(gzip.compress(data, compresslevel=0))

        # Without room for what is read last it is decompressed again.
        for error in (None, OSError("no room")):
            recording_file = _RecordingFile(gzip.open)
            with (
                mock.patch.object(compressed_files.gzip, "open", recording_file.Open),
                mock.patch.object(
                    compressed_files.tempfile,
                    "TemporaryFile",
                    wraps=tempfile.TemporaryFile,
                    side_effect=error,
                ),
            ):
                events, warnings = self._GetEvents(path, **self._GZIP_PROPERTIES)
            self.assertEqual(warnings, [])
            self.assertEqual(events, expected_events)
            self.assertEqual(recording_file.number_of_restarts > 0, bool(error))

    def testLargeLog(self):
        """Tests that a log gives the same events however it is compressed."""
        data = self._BuildLog()
        self.assertGreater(len(data), 25 * 1024 * 1024)

        expected_events, warnings = self._GetEvents(self._WriteFile(data))
        self.assertEqual(warnings, [])
        number_of_events = {}
        for event in expected_events:
            name = event["data_type"]
            number_of_events[name] = number_of_events.get(name, 0) + 1
        self.assertEqual(
            number_of_events,
            {
                "linux:atop:process": 5,
                "linux:atop:process_activity": 5 * (self._NUMBER_OF_SAMPLES - 1),
                "linux:atop:session": 1,
                "linux:atop:system": self._NUMBER_OF_SAMPLES,
            },
        )

        for name, compress, properties in (
            (
                "gz",
                functools.partial(gzip.compress, compresslevel=1),
                self._GZIP_PROPERTIES,
            ),
            (
                "bz2",
                functools.partial(bz2.compress, compresslevel=1),
                self._BZIP2_PROPERTIES,
            ),
            (
                "xz",
                functools.partial(lzma.compress, preset=0),
                self._XZ_PROPERTIES,
            ),
        ):
            # More than dfVFS decompresses at a time, of every format.
            compressed = compress(data)
            self.assertGreater(len(compressed), 16 * 1024 * 1024)
            compressed_path = self._WriteFile(compressed)

            # Without this Plaso does not recognize the log.
            if name != "gz":
                self._CheckOffsets(compressed_path, data, **properties)

            with self.subTest(name=name):
                events, warnings = self._GetEvents(compressed_path, **properties)
                self.assertEqual(warnings, [])
                self.assertEqual(events, expected_events)


if __name__ == "__main__":
    unittest.main()
