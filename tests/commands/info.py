#!/usr/bin/env python3
"""Tests for the command that shows what logs hold."""

import bz2
import contextlib
import datetime
import gzip
import io
import lzma
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import zlib

from plaso_atop import compressed
from plaso_atop import parser
from plaso_atop import rawlog
from plaso_atop.commands import info

import log_builder
from tests.lib import mutations
from tests.lib import test_lib
from tests.lib import command_test_lib

ZSTD_DATA = b"\x28\xb5\x2f\xfd\x04\x00\x19\x00\x00abc\x00\x00\x00\x00"


class InfoTest(command_test_lib.CommandTestCase, test_lib.ParserTestCase):
    """Tests for the command that shows what logs hold."""

    # pylint: disable=protected-access

    _T0 = log_builder.T0

    def _BuildLog(self, samples, **header):
        """Builds a log.

        Args:
          samples (list[tuple[int, int, int]]): times relative to that of the first
              sample, intervals and flags of the samples.
          header (dict[str, object]): values of members of the header.

        Returns:
          bytes: contents of the log.
        """
        builder = log_builder.LogBuilder(**header)
        for curtime, interval, flags in samples:
            builder.AddSample(self._T0 + curtime, interval=interval, flags=flags)
        return builder.Build()

    def _GetBlock(self, data, **arguments):
        """Retrieves what the command shows of a log, which is all that it can be.

        Args:
          data (bytes): contents of the file.
          arguments (dict[str, object]): arguments of _Run.

        Returns:
          list[str]: lines, but the first.
        """
        path = self._WriteFile(data)
        process = self._Run("info", path, **{"exit_code": 0, **arguments})
        lines = process.stdout.splitlines()
        self.assertEqual(lines[0], path)
        return [line.strip() for line in lines[1:]]

    def _RunHere(self, *paths):
        """Runs the command in this process.

        Args:
          paths (list[str]): paths.

        Returns:
          tuple[bool, str, str]: result and what was written to the standard streams.
        """
        with contextlib.redirect_stdout(io.StringIO()) as output:
            with contextlib.redirect_stderr(io.StringIO()) as errors:
                result = info.Info(paths)
        return result, output.getvalue(), errors.getvalue()

    def testInfo(self):
        """Tests a log of every version and machine type."""
        paths = [log.path for log in test_lib.LOGS]
        process = self._Run("info", *paths, exit_code=0)
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
            # all others was a few seconds.
            number_of_runs = len({row[1] for row in rows if int(row[2]) > 60})
            (interval,) = {int(row[2]) for row in rows if int(row[2]) <= 60}
            number_of_samples = len(re.findall(rb"^SEP$", text, re.MULTILINE))

            for line in (
                f"Host name:          {hostname.decode('ascii'):s}",
                f"Version of atop:    {log.version:s}",
                "Clock ticks:        100 per second",
                "Page size:          4096 bytes",
                f"Starts of atop:     {number_of_runs:d}",
                f"Samples:            {number_of_samples:d}",
                f"Interval:           {interval:d} s",
                f"Earliest sample:    {min(times):%Y-%m-%d %H:%M:%S} UTC",
                f"Latest sample:      {max(times):%Y-%m-%d %H:%M:%S} UTC",
                "Process accounting: yes",
                "Gaps:               0",
                "Damages:            0",
            ):
                self.assertIn(f"  {line:s}\n", block)

            self.assertIn(f", {log.abi_name:s}\n", block)

    def testConverted(self):
        """Tests a log that atopconvert wrote, and to which atop added samples."""
        own_data = self._ReadTestFile(["atop-2.10.0.raw"])
        header_size = rawlog.RawLog(io.BytesIO(own_data)).layout.rawheader.size
        data = self._ReadTestFile(["atop-2.7.1-to-2.10.0.raw"])
        lines = self._GetBlock(data + own_data[header_size:])
        self.assertIn("Version of atop:    2.10", lines)
        self.assertIn("Samples:            16", lines)
        self.assertIn("Converted:          8 samples of 2.7", lines)
        self.assertNotIn("Converted", " ".join(self._GetBlock(own_data)))

    def testWithoutPlaso(self):
        """Tests that Plaso is not imported."""
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

    def testNoLogs(self):
        """Tests what is no log, with a log behind it."""
        data = self._ReadTestFile(["atop-2.12.1.raw"])
        missing_path = os.path.join(tempfile.gettempdir(), "no-such-file")
        for path, message in (
            (missing_path, "No such file or directory"),
            (self._WriteFile(b""), "empty"),
            (self._WriteFile(b"\x00"), "all zeros"),
            (self._WriteFile(bytes(200000)), "all zeros"),
            (self._WriteFile(gzip.compress(b"")), "empty"),
            (self._WriteFile(gzip.compress(bytes(200000))), "all zeros"),
            (
                self._WriteFile(bytes(200000) + b"a"),
                "Missing signature of an atop raw log",
            ),
            (self._WriteFile(b"#!/bin/sh\n"), "Missing signature of an atop raw log"),
            (
                self._WriteFile(ZSTD_DATA),
                "compressed with zstd, which Plaso does not read",
            ),
            (
                self._WriteFile(lzma.compress(b"#!/bin/sh\n" * 100)),
                "xz data that is no atop raw log",
            ),
            (self._WriteFile(data[:4]), "Header incomplete: 4 bytes"),
        ):
            with self.subTest(message=message):
                process = self._Run("info", path, test_lib.LOGS[0].path, exit_code=1)
                self.assertEqual(process.stderr, f"{path:s}: {message:s}\n")
                self.assertEqual(process.stdout.count("Host name:"), 1)
                self.assertIn("Version of atop:    1.23\n", process.stdout)

    def testSpecialFiles(self):
        """Tests files that are not read: a FIFO would wait for ever."""
        directory = self._MakeDirectory()
        fifo_path = os.path.join(directory, "fifo")
        os.mkfifo(fifo_path)
        socket_path = os.path.join(directory, "socket")
        with socket.socket(socket.AF_UNIX) as unix_socket:
            unix_socket.bind(socket_path)

        for path, message in (
            (fifo_path, "FIFO, not read"),
            (socket_path, "socket, not read"),
            ("/dev/zero", "character device, not read"),
        ):
            process = self._Run("info", path, test_lib.LOGS[0].path, exit_code=1)
            self.assertEqual(process.stderr, f"{path:s}: {message:s}\n")
            self.assertIn("Version of atop:    1.23\n", process.stdout)

        # Nor are they where they stand in a directory.
        process = self._Run("info", directory, exit_code=0)
        self.assertEqual(process.stderr, "")
        self.assertEqual(
            process.stdout,
            f"{directory:s}: 0 logs read, 0 not or in part, 2 other files\n",
        )

    def testDirectory(self):
        """Tests a directory, and one in it."""
        log = self._ReadTestFile(["atop-2.12.1.raw"])
        directory = self._MakeDirectory()
        nested_directory = os.path.join(directory, "atop_2026-10")
        os.mkdir(nested_directory)

        self._WriteFile(log, b"atop_20261121", directory)
        self._WriteFile(lzma.compress(log), b"atop_20261120.xz", directory)
        self._WriteFile(log, b"a log of some name", directory)
        self._WriteFile(log, b"atop_20261001", nested_directory)
        self._WriteFile(b"", b"dummy_after", directory)
        self._WriteFile(b"text", b"daily.log", directory)
        self._WriteFile(ZSTD_DATA, b"other.zst", directory)

        # A loop, and a link to what may be a file of the machine of the examiner.
        os.symlink("..", os.path.join(nested_directory, "atop_loop"))
        os.symlink(test_lib.LOGS[0].path, os.path.join(directory, "atop_link"))

        process = self._Run("info", directory, exit_code=0)
        self.assertEqual(process.stderr, "")
        self.assertEqual(
            re.findall("^[^ ].*", process.stdout, re.MULTILINE),
            [
                f"{directory:s}/a log of some name",
                f"{directory:s}/atop_2026-10/atop_20261001",
                f"{directory:s}/atop_20261120.xz",
                f"{directory:s}/atop_20261121",
                f"{directory:s}: 4 logs read, 0 not or in part, 5 other files",
            ],
        )
        self.assertEqual(process.stdout.count("Samples:            8\n"), 4)

        # The name of these says that they were logs.
        self._WriteFile(b"", b"atop_20261122", directory)
        self._WriteFile(bytes(1000), b"atop_20261123", directory)
        self._WriteFile(ZSTD_DATA, b"atop_20261124.zst", directory)
        # And the signature of this one.
        self._WriteFile(log[:100], b"x", directory)
        process = self._Run("info", directory, exit_code=1)
        self.assertEqual(
            process.stderr.splitlines(),
            [
                f"{directory:s}/atop_20261122: empty",
                f"{directory:s}/atop_20261123: all zeros",
                f"{directory:s}/atop_20261124.zst: compressed with zstd, which Plaso "
                f"does not read",
                f"{directory:s}/x: Header incomplete: 100 bytes",
            ],
        )
        self.assertIn(
            f"\n{directory:s}: 4 logs read, 4 not or in part, 5 other files\n",
            process.stdout,
        )

        # A directory may be given by a link.
        link_path = os.path.join(self._MakeDirectory(), "link")
        os.symlink(nested_directory, link_path)
        process = self._Run("info", link_path, exit_code=0)
        self.assertIn(f"{link_path:s}/atop_20261001\n", process.stdout)

    def testUnreadable(self):
        """Tests a file and a directory that cannot be read."""
        log = self._ReadTestFile(["atop-2.12.1.raw"])
        directory = self._MakeDirectory()
        nested_directory = os.path.join(directory, "b")
        os.mkdir(nested_directory)
        self._WriteFile(log, b"a", directory)
        unreadable_path = self._WriteFile(log, b"c", directory)
        self._WriteFile(log, b"d", directory)

        original_listdir = os.listdir

        def _ListDirectory(path):
            """Lists a directory."""
            if path == nested_directory:
                raise PermissionError(13, "Permission denied")
            return original_listdir(path)

        def _Open(path, mode):
            """Opens a file."""
            if path == unreadable_path:
                raise PermissionError(13, "Permission denied")
            return open(path, mode)  # pylint: disable=unspecified-encoding

        # Root can read all.
        with unittest.mock.patch.object(os, "listdir", _ListDirectory):
            with unittest.mock.patch.object(info, "open", _Open, create=True):
                result, output, errors = self._RunHere(directory)

        self.assertFalse(result)
        self.assertEqual(output.count("Samples:            8\n"), 2)
        self.assertTrue(
            output.endswith(": 2 logs read, 2 not or in part, 0 other files\n")
        )
        self.assertEqual(
            errors,
            f"{nested_directory:s}: Permission denied\n"
            f"{unreadable_path:s}: Permission denied\n",
        )

    def testFault(self):
        """Tests that the next file is read after a fault of the reader."""
        path = self._WriteFile(self._ReadTestFile(["atop-2.12.1.raw"]))
        original_cgroups = rawlog.Sample.cgroups
        calls = []

        def _ReadCgroups(sample):
            """Retrieves the cgroups, but those of the first sample."""
            calls.append(sample)
            if len(calls) == 1:
                raise KeyError("a\x1b[31m")
            return original_cgroups(sample)

        with unittest.mock.patch.object(rawlog.Sample, "cgroups", _ReadCgroups):
            result, output, errors = self._RunHere(path, test_lib.LOGS[0].path)

        self.assertFalse(result)
        self.assertEqual(errors, f"{path:s}: KeyError: 'a\\x5cx1b[31m'\n")
        self.assertIn("Version of atop:    1.23\n", output)

    def testRecoveredHeader(self):
        """Tests a log whose header is damaged, with a log behind it."""
        data = bytearray(self._ReadTestFile(["atop-2.12.1.raw"]))
        data[4:12] = bytes(8)
        path = self._WriteFile(data)
        process = self._Run("info", path, test_lib.LOGS[0].path, exit_code=0)
        self.assertEqual(process.stderr, "")
        self.assertRegex(
            process.stdout,
            r"\n  Version of atop:    .+, read as 2\.1[0-9]\n",
        )
        self.assertIn("  Samples:            8\n", process.stdout)
        self.assertIn(
            "  Damages:            1\n"
            "  Damage:             header damaged at offset: 0x00000000 of size: 480\n",
            process.stdout,
        )
        self.assertIn("Version of atop:    1.23\n", process.stdout)

    def testDamaged(self):
        """Tests damaged logs and one without samples."""
        data = self._ReadTestFile(["atop-2.12.1.raw"])
        lines = self._GetBlock(data[:-10])
        self.assertRegex(
            "\n".join(lines),
            r"\nDamages:            1\nDamage:             last sample incomplete at "
            r"offset: 0x0000[0-9a-f]{4} of size: [0-9]+$",
        )

        lines = self._GetBlock(data[:480])
        self.assertEqual(
            lines[-3:],
            ["Samples:            0", "Gaps:               0", "Damages:            0"],
        )

    def testMutations(self):
        """Tests that damages and gaps of mutated logs are those that Plaso gets."""
        directory = self._MakeDirectory()
        originals = [mutations.Original(log.name) for log in test_lib.LOGS]
        logs = {}
        for seed in range(100):
            data, _ = mutations.Mutator(originals, random.Random(seed)).Mutate()
            logs[f"atop_{seed:03d}"] = data
            self._WriteFile(data, f"atop_{seed:03d}".encode("ascii"), directory)

        process = self._Run("info", directory)
        blocks = {}
        for line in process.stdout.splitlines()[:-1]:
            if not line.startswith("  "):
                block = blocks[os.path.basename(line)] = []
            else:
                block.append(line.strip())
        errors = dict(
            line.removeprefix(f"{directory:s}/").split(": ", 1)
            for line in process.stderr.splitlines()
        )
        self.assertEqual(set(blocks) | set(errors), set(logs))
        self.assertGreater(len(blocks), 80)

        number_of_damages = 0
        number_of_gaps = 0
        for name, block in blocks.items():
            atop_parser = parser.AtopParser()
            atop_parser.EnablePlugins({"cgroup", "session", "system"})
            storage_writer = self._ParseData(logs[name], atop_parser)
            damages = [
                line.partition(" ")[2].strip()
                for line in block
                if line.startswith("Damage:")
            ]
            warnings = [
                message
                for message in self._GetWarnings(storage_writer)
                if " at offset: " in message
            ]
            self.assertEqual(damages, warnings, name)
            self.assertIn(f"Damages:            {len(damages):d}", block, name)
            number_of_damages += len(damages)

            gaps = self._GetEventData(storage_writer, "linux:atop:gap")
            self.assertIn(f"Gaps:               {len(gaps):d}", block, name)
            number_of_gaps += len(gaps)

        self.assertGreater(number_of_damages, 20)
        self.assertGreater(number_of_gaps, 20)

    def testGaps(self):
        """Tests the gaps of a log."""
        data = self._BuildLog(
            [
                (0, 5000, log_builder.FLAG_BOOT),
                (600, 600, 0),
                (1200, 600, 0),
                # Somebody stopped atop for an hour.
                (4800, 9800, log_builder.FLAG_BOOT),
                (5400, 600, 0),
                # Three samples are missing.
                (7800, 600, 0),
                # The clock is set back.
                (7000, 600, 0),
                (7600, 600, 0),
            ]
        )
        lines = self._GetBlock(data)
        self.assertEqual(
            lines[-5:],
            [
                "Gaps:               3",
                "Gap:                2026-11-21 01:56:40 UTC to "
                "2026-11-21 02:56:40 UTC, "
                "3600 s: atop not running",
                "Gap:                2026-11-21 03:06:40 UTC to "
                "2026-11-21 03:46:40 UTC, "
                "2400 s: samples missing or clock set forward",
                "Gap:                2026-11-21 03:46:40 UTC to "
                "2026-11-21 03:33:20 UTC, "
                "-800 s: clock set back",
                "Damages:            0",
            ],
        )

        # What comes first in the file, comes first: the first interval of a run is only
        # known to be too long at the end of the run. The last samples are gone.
        data = self._BuildLog(
            [
                (0, 5000, log_builder.FLAG_BOOT),
                (1200, 1200, 0),
                (1800, 600, 0),
                (3000, 600, 0),
                (3600, 600, 0),
            ]
        )
        lines = self._GetBlock(data + bytes(5000))
        self.assertEqual(
            [line for line in lines if line.startswith("Gap")],
            [
                "Gaps:               3",
                "Gap:                2026-11-21 01:36:40 UTC to "
                "2026-11-21 01:56:40 UTC, "
                "1200 s: sample delayed or clock set forward",
                "Gap:                2026-11-21 02:06:40 UTC to "
                "2026-11-21 02:26:40 UTC, "
                "1200 s: samples missing or clock set forward",
                "Gap:                after 2026-11-21 02:36:40 UTC: no sample readable",
            ],
        )

    def testBounds(self):
        """Tests a log that is full of gaps, and one that is full of damage."""
        samples = [(0, 5000, log_builder.FLAG_BOOT)]
        samples.extend((index * 1000, 10, 0) for index in range(1, 300))
        data = self._BuildLog(samples)
        lines = self._GetBlock(data)
        self.assertEqual(len(lines), 115)
        self.assertIn("Gaps:               299", lines)
        self.assertEqual(lines[-2], "Gap:                199 more")

        builder = log_builder.LogBuilder()
        for index in range(150):
            builder.AddSample(self._T0 + index * 600)
            builder._Append(bytes(1000))
        lines = self._GetBlock(builder.Build())
        self.assertIn("Damages:            150", lines)
        self.assertEqual(
            lines[-1], "Damage:             50 more, all are of size: 150000"
        )

    def testInterval(self):
        """Tests intervals and process accounting."""
        for samples, interval, accounting in (
            ([(0, 5000, log_builder.FLAG_BOOT)], "not known", "no"),
            (
                [(0, 5000, log_builder.FLAG_BOOT | log_builder.FLAG_ACCOUNTING)],
                "not known",
                "yes",
            ),
            ([(0, 5000, log_builder.FLAG_BOOT), (600, 600, 0)], "600 s", "no"),
            (
                [
                    (0, 5000, log_builder.FLAG_BOOT | log_builder.FLAG_ACCOUNTING),
                    (600, 600, log_builder.FLAG_ACCOUNTING),
                    (620, 5620, log_builder.FLAG_BOOT),
                    (630, 10, 0),
                    (640, 10, log_builder.FLAG_ACCOUNTING),
                ],
                "10 to 600 s",
                "in 3 of 5 samples",
            ),
        ):
            lines = self._GetBlock(self._BuildLog(samples))
            self.assertIn(f"Interval:           {interval:s}", lines)
            self.assertIn(f"Process accounting: {accounting:s}", lines)

    def testCompressed(self):
        """Tests compressed logs, whatever their name is."""
        data = self._ReadTestFile(["atop-2.12.1.raw"])
        expected_lines = self._GetBlock(data)

        middle = len(data) // 2
        for compression, compressed_data in (
            ("gzip", gzip.compress(data)),
            ("bzip2", bz2.compress(data)),
            ("xz", lzma.compress(data)),
            # What cat makes of two files.
            ("gzip", gzip.compress(data[:middle]) + gzip.compress(data[middle:])),
            ("bzip2", bz2.compress(data[:middle]) + bz2.compress(data[middle:])),
            ("xz", lzma.compress(data[:middle]) + lzma.compress(data[middle:])),
            # Padding.
            ("gzip", gzip.compress(data) + bytes(100000)),
            ("xz", lzma.compress(data) + bytes(512)),
        ):
            with self.subTest(compression=compression):
                lines = self._GetBlock(compressed_data)
                self.assertEqual(lines[0], f"Compression:        {compression:s}")
                self.assertEqual(lines[1:], expected_lines)

    def testCompressedDamaged(self):
        """Tests compressed logs that are cut or damaged."""
        data = self._ReadTestFile(["atop-2.12.1.raw"])
        log = rawlog.RawLog(io.BytesIO(data))
        samples = [(sample.offset, sample.end_offset) for sample in log.samples()]

        def _Flip(compressed_data, offset):
            """Flips a bit."""
            changed_data = bytearray(compressed_data)
            changed_data[offset] ^= 1
            return bytes(changed_data)

        compressed_data = gzip.compress(data)
        # What another program decompresses of the first half.
        half = zlib.decompressobj(wbits=31).decompress(
            compressed_data[: len(compressed_data) // 2]
        )
        number_of_samples = sum(end_offset <= len(half) for _, end_offset in samples)
        self.assertGreater(number_of_samples, 2)

        for compression, file_data, size, expected_samples, reason in (
            (
                "gzip",
                compressed_data[: len(compressed_data) // 2],
                len(half),
                # Half of a sample is shown, too.
                {number_of_samples, number_of_samples + 1},
                "file is cut",
            ),
            # The checksum of all data is wrong, but all data is there.
            (
                "gzip",
                _Flip(compressed_data, -8),
                len(data),
                {8},
                "incorrect data check",
            ),
            ("gzip", compressed_data + b"x", len(data), {8}, "file is cut"),
            ("gzip", compressed_data + b"xy", len(data), {8}, "incorrect header check"),
            (
                "bzip2",
                bz2.compress(data) + b"xy",
                len(data),
                {8},
                "Invalid data stream",
            ),
            ("xz", lzma.compress(data)[:-4], len(data), {8}, "file is cut"),
            (
                "xz",
                _Flip(lzma.compress(data), -1),
                len(data),
                {8},
                "Corrupt input data",
            ),
        ):
            with self.subTest(compression=compression, reason=reason):
                path = self._WriteFile(file_data)
                process = self._Run("info", path, exit_code=1)
                self.assertRegex(
                    process.stderr,
                    f"^{re.escape(path):s}: {compression:s} data can be read up to "
                    f"offset: 0x{size:08x} of the log: .*{reason:s}\n$",
                )
                self.assertIn(
                    f"\n  Compression:        {compression:s}, cut or damaged\n",
                    process.stdout,
                )
                (number,) = re.findall(r"\n  Samples: +([0-9]+)\n", process.stdout)
                self.assertIn(int(number), expected_samples)

        # Nothing is left of these.
        for file_data, message in (
            (compressed_data[:15], "nothing of the gzip data can be read: file is cut"),
            (b"BZhello", "nothing of the bzip2 data can be read: Invalid data stream"),
            (
                # What is decompressed is less than a header.
                gzip.compress(data[:100])[:-1],
                "Header incomplete: 100 bytes, gzip data can be read up to offset: "
                "0x00000064 of the log: file is cut",
            ),
        ):
            path = self._WriteFile(file_data)
            process = self._Run("info", path, test_lib.LOGS[0].path, exit_code=1)
            self.assertEqual(process.stderr, f"{path:s}: {message:s}\n")
            self.assertIn("Version of atop:    1.23\n", process.stdout)

    def testCompressedLarge(self):
        """Tests compressed files that are made to fill the disk or the memory."""
        data = self._ReadTestFile(["atop-2.12.1.raw"])
        path = self._WriteFile(gzip.compress(data + bytes(5000000)))
        with unittest.mock.patch.object(compressed, "_MINIMUM_SIZE_LIMIT", 100000):
            size = 32 * os.path.getsize(path)
            result, output, errors = self._RunHere(path)

        self.assertFalse(result)
        (offset,) = re.findall("0x([0-9a-f]{8}) of the log: more than a log", errors)
        self.assertTrue(size - 65536 < int(offset, 16) <= size, errors)
        self.assertIn("  Samples:            8\n", output)

        # Asks for 1 GiB of memory.
        compressed_data = bytearray(lzma.compress(data))
        header_size = 4 * (compressed_data[12] + 1)
        self.assertEqual(compressed_data[14:16], b"\x21\x01")
        compressed_data[16] = 36
        compressed_data[8 + header_size : 12 + header_size] = zlib.crc32(
            compressed_data[12 : 8 + header_size]
        ).to_bytes(4, "little")
        path = self._WriteFile(compressed_data)
        process = self._Run("info", path, exit_code=1)
        self.assertEqual(
            process.stderr,
            f"{path:s}: nothing of the xz data can be read: "
            f"Memory usage limit exceeded\n",
        )

    def testDiskFull(self):
        """Tests a compressed log for which there is no room."""
        path = self._WriteFile(gzip.compress(self._ReadTestFile(["atop-2.12.1.raw"])))
        script = (
            "import resource, signal, sys\n"
            "from plaso_atop import __main__\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
            "sys.exit(__main__.Main())\n"
        )
        process = subprocess.run(
            [sys.executable, "-c", script, "info", path],
            capture_output=True,
            check=False,
            cwd=test_lib.PROJECT_PATH,
            encoding="utf-8",
            timeout=60,
        )
        self.assertEqual(process.returncode, 1)
        self.assertRegex(
            process.stderr,
            f"^{re.escape(path):s}: gzip data can be read up to offset: 0x00004e20 of "
            f"the log: no room for a temporary file(: .*)?\n$",
        )
        self.assertIn("Damage:             last sample incomplete at", process.stdout)

    def testHostileLog(self):
        """Tests that nothing of a log reaches the terminal as it is."""
        data = self._ReadTestFile(["atop-2.12.1.raw"])
        # No dot, behind which the name would end.
        hostname = b"\x1b]0;a\x07\xff\xc2\x9b\xe2\x80\xae \\x41\xc3\xbc\r\n"
        offset = data.index(b"bastion\x00")
        data = data[:offset] + hostname.ljust(32, b"\x00") + data[offset + 32 :]

        for encoding, letter in (("ascii", "\\u00fc"), ("utf-8", "\xfc")):
            directory = self._MakeDirectory()
            self._WriteFile(data, b"\x1b[31m\xfe", directory)
            self._WriteFile(b"", b"atop\x1b[31m\xfe", directory)
            process = self._Run(
                "info",
                directory,
                environment={"PYTHONIOENCODING": encoding},
                exit_code=1,
            )
            text = process.stdout.replace("\n", "")
            self.assertTrue(text.isprintable(), text)
            self.assertEqual(text.isascii(), encoding == "ascii")
            self.assertIn("/\\x1b[31m\\xfe", text)
            self.assertIn(
                "Host name:          \\x1b]0;a\\x07\\xff\\u009b\\u202e \\x5cx41"
                f"{letter:s}\\x0d\\x0a",
                text,
            )
            self.assertEqual(
                process.stderr, f"{directory:s}/atop\\x1b[31m\\xfe: empty\n"
            )

    def testFormatTime(self):
        """Tests the _FormatTime function."""
        self.assertEqual(info._FormatTime(0), "1970-01-01 00:00:00 UTC")
        for timestamp in (1 << 40, 1 << 63, -(1 << 63)):
            self.assertEqual(info._FormatTime(timestamp), f"not valid ({timestamp:d})")


if __name__ == "__main__":
    unittest.main()
