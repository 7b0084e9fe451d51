#!/usr/bin/env python3
"""Tests for the command that finds lost samples."""

import bz2
import contextlib
import datetime
import fcntl
import gzip
import hashlib
import io
import json
import lzma
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest
from unittest import mock

from plaso_atop import carver
from plaso_atop import parser
from plaso_atop import rawlog
from plaso_atop.commands import carve

import log_builder
from tests.lib import command_test_lib
from tests.lib import end_to_end
from tests.lib import test_lib
from tests.lib import volumes

# Logs of several versions and machine types, which are deleted, and which are not.
_DELETED = ("atop-1.26", "atop-2.4.0", "atop-2.8.1-s390x", "atop-2.12.1")
_KEPT = ("atop-2.8.1", "atop-2.8.1-i386", "atop-2.13.0")

_COMPRESSORS = {"bz2": bz2.compress, "gz": gzip.compress, "xz": lzma.compress}

# The command where an interrupt is not ignored, as it is in the background of a shell.
_INTERRUPTIBLE = (
    "import signal, sys; "
    "signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from plaso_atop import __main__; "
    "sys.exit(__main__.Main())"
)

_READER = """
import sys
logs = [open(path, "rb").read() for path in sys.argv[1:]]
print(len(logs), flush=True)
sys.stdin.read()
"""


def _ReadLog(name):
    """Reads a log of the test data.

    Args:
      name (str): name.

    Returns:
      bytes: log.
    """
    with open(test_lib.GetTestFilePath([f"{name:s}.raw"]), "rb") as file_object:
        return file_object.read()


class CarveTestCase(command_test_lib.CommandTestCase):
    """Shared functionality to carve."""

    def _RunProgram(self, name, *arguments):
        """Runs a tool.

        Args:
          name (str): name.
          arguments (list[str]): arguments.
        """
        subprocess.run(
            [test_lib.FindProgram(name), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _MakeImage(self, logs, deleted=(), other=b"", compressed=()):
        """Makes an image with a file system.

        Args:
          logs (dict[str, bytes]): logs per name.
          deleted (Optional[list[str]]): names of those that are deleted.
          other (Optional[bytes]): contents of a file that is written after that.
          compressed (Optional[list[tuple[str, str]]]): names of those that are kept
              compressed as well, and the extensions of these files.

        Returns:
          str: path.
        """
        directory = self._MakeDirectory()
        log_directory = os.path.join(directory, "root", "var", "log", "atop")
        os.makedirs(log_directory)
        for name, data in logs.items():
            self._WriteFile(data, os.fsencode(name), log_directory)
        for name, extension in compressed:
            data = _COMPRESSORS[extension](logs[name])
            self._WriteFile(data, os.fsencode(f"{name:s}.{extension:s}"), log_directory)
        # What is no log.
        for index in range(20):
            self._WriteFile(b"%d" % index * 1000, b"other%d" % index, log_directory)

        path = os.path.join(directory, "disk.raw")
        root = os.path.join(directory, "root")
        self._RunProgram("mke2fs", "-q", "-t", "ext4", "-d", root, path, "16M")
        for name in deleted:
            self._RunProgram("debugfs", "-w", "-R", f"rm /var/log/atop/{name:s}", path)
        if other:
            other_path = self._WriteFile(other)
            self._RunProgram("debugfs", "-w", "-R", f"write {other_path:s} other", path)
        return path

    def _Carve(self, path, *arguments, exit_code=0):
        """Runs the command.

        Args:
          path (str): path of the source.
          arguments (list[str]): more arguments.
          exit_code (Optional[int]): expected exit code.

        Returns:
          tuple[list[bytes], CompletedProcess]: logs, and the process.
        """
        directory = os.path.join(self._MakeDirectory(), "carved")
        process = self._Run(
            "carve", path, "--output", directory, *arguments, exit_code=exit_code
        )
        names = sorted(os.listdir(directory))
        logs = [name for name in names if name.endswith(".raw")]
        self.assertEqual(
            names, sorted(logs + [f"{name[:-4]:s}.jsonl" for name in logs])
        )
        # pylint: disable-next=attribute-defined-outside-init
        self._lines = []
        contents = []
        for name in logs:
            with open(os.path.join(directory, name), "rb") as file_object:
                contents.append(file_object.read())
            lines_path = os.path.join(directory, f"{name[:-4]:s}.jsonl")
            with open(lines_path, encoding="ascii") as file_object:
                self._lines.append([json.loads(line) for line in file_object])
        return contents, process


class CarveTest(CarveTestCase):
    """Tests for the command that finds lost samples."""

    @classmethod
    def setUpClass(cls):
        """Reads the logs."""
        super().setUpClass()
        cls._logs = {name: _ReadLog(name) for name in (*_DELETED, *_KEPT)}

    def _CheckLogs(self, found, names):
        """Checks that logs are found as they were.

        Args:
          found (list[bytes]): logs.
          names (list[str]): names of what they have to be.
        """
        expected = {hashlib.sha256(self._logs[name]).hexdigest() for name in names}
        self.assertEqual({hashlib.sha256(log).hexdigest() for log in found}, expected)
        self.assertEqual(len(found), len(names))

    def testDeleted(self):
        """Tests an image of which the half of the logs, or all, are deleted."""
        path = self._MakeImage(self._logs, _DELETED)
        with open(path, "rb") as file_object:
            data = file_object.read()

        logs, process = self._Carve(path)
        self._CheckLogs(logs, _DELETED)
        # No progress where there is no terminal.
        self.assertEqual(process.stderr, "")
        self.assertEqual(len(process.stdout.splitlines()), len(_DELETED) + 1)
        self.assertTrue(
            process.stdout.endswith(f"logs: {len(_DELETED):d}, samples: 32\n")
        )
        self.assertIn("host bastion, atop 2.12, ", process.stdout)

        # Every byte comes with where it is in the source.
        for log, lines in zip(logs, self._lines):
            offsets = []
            for line in lines:
                offset, size = line["offset"], line["size"]
                part = data[offset : offset + size]
                log_offset = line["log_offset"]
                self.assertTrue(part == log[log_offset : log_offset + size])
                self.assertEqual(line["sha256"], hashlib.sha256(part).hexdigest())
                self.assertEqual(log_offset, sum(offsets))
                self.assertIsNone(line["volume"])
                offsets.append(size)
            self.assertEqual(sum(offsets), len(log))
            self.assertEqual(
                [line["part"] for line in lines], ["header"] + ["sample"] * 8
            )
            times = [
                datetime.datetime.fromtimestamp(
                    sample.curtime, datetime.timezone.utc
                ).strftime("%Y-%m-%dT%H:%M:%SZ")
                for sample in rawlog.RawLog(io.BytesIO(log)).samples()
            ]
            self.assertEqual([line["time"] for line in lines[1:]], times)
            self.assertIsNone(lines[0]["time"])

        logs, _ = self._Carve(path, "--all")
        self._CheckLogs(logs, _DELETED + _KEPT)

        logs, _ = self._Carve(self._MakeImage(self._logs, self._logs))
        self._CheckLogs(logs, _DELETED + _KEPT)

        # The source is as it was.
        with open(path, "rb") as file_object:
            self.assertTrue(data == file_object.read())

    def testCompressed(self):
        """Tests that what a compressed log holds is left out."""
        compressed = list(zip(_DELETED, _COMPRESSORS))
        path = self._MakeImage(self._logs, _DELETED, compressed=compressed)
        logs, _ = self._Carve(path)
        self._CheckLogs(logs, _DELETED[len(compressed) :])
        logs, _ = self._Carve(path, "--all")
        self._CheckLogs(logs, _DELETED + _KEPT)

    def _CheckImages(self, directory, names):
        """Checks that the deleted logs are found in images.

        Args:
          directory (str): path of the directory with the images.
          names (list[str]): names of the images.
        """
        for name in names:
            with self.subTest(name=name):
                logs, process = self._Carve(os.path.join(directory, name))
                self._CheckLogs(logs, _DELETED)
                self.assertEqual(process.stderr, "")

    def testImages(self):
        """Tests images, partitions and logical volumes."""
        path = self._MakeImage(self._logs, _DELETED)
        with open(path, "rb") as file_object:
            data = file_object.read()
        directory = os.path.dirname(path)
        partition = volumes.AddPartitionTable(data)
        volume = volumes.AddLogicalVolume(data)
        sources = {
            "partition.raw": partition,
            "guid.raw": volumes.AddGuidPartitionTable(data),
            "volume.raw": volume,
            "both.raw": volumes.AddPartitionTable(volume),
            # A name that says nothing.
            "medium": partition,
        }
        for name, contents in sources.items():
            self._WriteFile(contents, os.fsencode(name), directory)
        self._CheckImages(directory, sources)

        # Samples in what no partition has.
        contents = (
            partition + self._logs["atop-2.13.0"] + self._logs["atop-2.8.1"][480:]
        )
        logs, _ = self._Carve(self._WriteFile(contents))
        self._CheckLogs(logs, _DELETED)
        builder = log_builder.LogBuilder()
        builder.AddSample(log_builder.T0)
        logs, _ = self._Carve(self._WriteFile(partition + builder.Build()))
        self.assertIn(builder.Build(), logs)

    def testImageFormats(self):
        """Tests images in the formats of other programs."""
        path = self._MakeImage(self._logs, _DELETED)
        with open(path, "rb") as file_object:
            data = file_object.read()
        directory = os.path.dirname(path)
        volume = volumes.AddPartitionTable(volumes.AddLogicalVolume(data))
        self._WriteFile(volume, b"both.raw", directory)
        names = []
        for name, source in (("disk", path), ("both", f"{directory:s}/both.raw")):
            for image_format in ("qcow2", "vmdk", "vpc"):
                names.append(f"{name:s}.{image_format:s}")
                self._RunProgram(
                    *("qemu-img", "convert", "-f", "raw", "-O", image_format, source),
                    os.path.join(directory, names[-1]),
                )
            self._RunProgram(
                *("ewfacquire", "-u", "-t", os.path.join(directory, name), source)
            )
            names.append(f"{name:s}.E01")

        self._CheckImages(directory, names)

    def testOverwritten(self):
        """Tests an image of which a new file overwrote deleted logs in part."""
        builder = log_builder.LogBuilder("2.3")
        for index in range(400):
            builder.AddSample(
                log_builder.T0 + 60 * index,
                interval=60 if index else 1000000,
                flags=0 if index else log_builder.FLAG_BOOT,
                tasks=[
                    {
                        "gen.pid": pid,
                        "gen.btime": log_builder.T0 - 999000 + pid,
                        "gen.isproc": 1,
                        "gen.cmdline": hashlib.sha512(b"%d %d" % (index, pid)).digest(),
                    }
                    for pid in range(1, 20)
                ],
            )
        original = builder.Build()
        other = os.urandom(500000)
        path = self._MakeImage({"atop_20261121": original}, ["atop_20261121"], other)
        with open(path, "rb") as file_object:
            data = file_object.read()

        expected = [
            original[sample.offset : sample.end_offset]
            for sample in rawlog.RawLog(io.BytesIO(original)).samples()
        ]
        expected = [sample for sample in expected if sample in data]
        self.assertGreater(len(expected), 100)
        self.assertLess(len(expected), 390)

        (log,), process = self._Carve(path)
        self.assertTrue(log[480:] == b"".join(expected))
        self.assertEqual(
            log[:480] == original[:480], "header lost" not in process.stdout
        )

    def testFiles(self):
        """Tests files that are no images."""
        data = self._logs["atop-2.12.1"]
        # The page of a process or of a swap partition, with a log without header.
        memory = os.urandom(100000) + data[480:] + bytes(100000)
        (log,), process = self._Carve(self._WriteFile(memory, b"memory.raw"))
        self.assertTrue(log[480:] == data[480:])
        self.assertIn("header lost, host not known", process.stdout)
        self.assertEqual(
            (self._lines[0][0]["offset"], self._lines[0][1]["offset"]), (None, 100000)
        )

        logs, process = self._Carve(self._WriteFile(os.urandom(100000)))
        self.assertEqual(logs, [])
        self.assertEqual(process.stdout, "logs: 0, samples: 0\n")
        logs, _ = self._Carve(self._WriteFile(b""))
        self.assertEqual(logs, [])

    def testProcess(self):
        """Tests the memory of a process that has read logs."""
        names = ("atop-2.4.0", "atop-2.12.1")
        paths = [test_lib.GetTestFilePath([f"{name:s}.raw"]) for name in names]
        path = self._WriteFile(b"")
        with (
            subprocess.Popen(
                [sys.executable, "-c", _READER, *paths],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            ) as process,
            open(f"/proc/{process.pid:d}/mem", "rb", buffering=0) as memory,
            open(f"/proc/{process.pid:d}/maps", encoding="utf-8") as maps,
            open(path, "wb") as file_object,
        ):
            process.stdout.readline()
            for line in maps:
                start, end = (int(part, 16) for part in line.split()[0].split("-"))
                if line.split()[1].startswith("rw"):
                    memory.seek(start)
                    file_object.write(memory.read(end - start))
            process.stdin.close()

        logs, _ = self._Carve(path)
        self._CheckLogs(logs, names)

    def testErrors(self):
        """Tests what cannot be carved."""
        path = self._WriteFile(b"x")
        directory = os.path.dirname(path)
        process = self._Run("carve", path, "--output", directory, exit_code=1)
        self.assertIn("output directory is not empty", process.stderr)
        self.assertEqual(os.listdir(directory), ["log"])

        process = self._Run("carve", path, "--output", path, exit_code=1)
        self.assertIn("output directory: File exists", process.stderr)

        output = os.path.join(directory, "new")
        missing = os.path.join(directory, "missing\x1b")
        process = self._Run("carve", missing, "--output", output, exit_code=1)
        self.assertIn("missing\\x1b: No such file or directory", process.stderr)
        process = self._Run("carve", directory, "--output", output, exit_code=1)
        self.assertIn("Is a directory", process.stderr)

        # What has no end, and what waits for a writer for ever.
        fifo = os.path.join(directory, "fifo")
        os.mkfifo(fifo)
        for source, problem in (
            ("/dev/zero", "character device, not read"),
            (fifo, "FIFO, not read"),
        ):
            process = self._Run("carve", source, "--output", output, exit_code=1)
            self.assertEqual(process.stderr, f"{source:s}: {problem:s}\n")
        self.assertFalse(os.path.exists(output))

    def testEscape(self):
        """Tests a host name that is made for a terminal."""
        builder = log_builder.LogBuilder(utsname={"nodename": b"\x1b[31mred\nx"})
        builder.AddSample(log_builder.T0)
        _, process = self._Carve(self._WriteFile(builder.Build()))
        self.assertIn("host \\x1b[31mred\\x0ax, atop 2.13, ", process.stdout)

    def testUnreadable(self):
        """Tests an image of which a part cannot be read."""
        path = self._MakeImage(self._logs, self._logs)
        directory = os.path.dirname(path)
        self._RunProgram(
            *("qemu-img", "convert", "-f", "raw", "-O", "qcow2", path),
            f"{directory:s}/disk.qcow2",
        )
        with open(f"{directory:s}/disk.qcow2", "r+b") as file_object:
            size = file_object.seek(0, 2)
            file_object.truncate(size - 65536)
        logs, process = self._Carve(f"{directory:s}/disk.qcow2", exit_code=1)
        self.assertRegex(
            process.stderr, "disk.qcow2: unreadable at offset: 0x[0-9a-f]+ of size: "
        )
        self.assertGreater(len(logs), 3)

    def testMemory(self):
        """Tests that memory is bounded."""
        block = os.urandom(1 << 20)
        path = self._WriteFile(b"")
        with open(path, "wb") as file_object:
            for index in range(200):
                file_object.write(block)
                # The smallest system block.
                builder = log_builder.LogBuilder("1.23")
                for number in range(50):
                    builder.AddSample(log_builder.T0 + 86400 * index + 600 * number)
                file_object.write(builder.Build())

        script = """
import re, sys
from plaso_atop import __main__
exit_code = __main__.Main()
with open("/proc/self/status") as file_object:
    print(re.search("VmHWM:\\\\s+([0-9]+) kB", file_object.read())[1])
"""
        output = os.path.join(self._MakeDirectory(), "carved")
        process = subprocess.run(
            [sys.executable, "-c", script, "carve", path, "--output", output],
            check=True,
            cwd=test_lib.PROJECT_PATH,
            stdout=subprocess.PIPE,
            text=True,
        )
        *_, summary, peak = process.stdout.splitlines()
        self.assertEqual(summary, "logs: 200, samples: 10000")
        self.assertLess(int(peak) / 1024, 100)

    def testMany(self):
        """Tests more pieces and samples than are kept."""
        path = self._WriteFile(
            b"".join(data + bytes(1 << 20) for data in self._logs.values())
        )
        output = os.path.join(self._MakeDirectory(), "carved")
        with (
            mock.patch.object(carve, "_MAXIMUM_RANGES", 2),
            mock.patch.object(carver.Carver, "_MAXIMUM_DIGESTS", 20),
            contextlib.redirect_stdout(io.StringIO()) as stdout,
            contextlib.redirect_stderr(io.StringIO()) as stderr,
        ):
            self.assertFalse(carve.Carve(path, output))
        self.assertTrue(stdout.getvalue().endswith("logs: 7, samples: 56\n"))
        self.assertEqual(
            stderr.getvalue(),
            f"{path:s}: too many samples, some may be here twice or in other logs\n",
        )

    def testInterrupt(self):
        """Tests that an interrupt leaves what was found, and nothing by halves."""
        data = b"".join(self._logs.values())
        path = self._WriteFile(data)
        # A hole, which takes seconds to search.
        with open(path, "r+b") as file_object:
            file_object.truncate(len(data) + (1 << 36))
        output = os.path.join(self._MakeDirectory(), "carved")
        with subprocess.Popen(
            [sys.executable, "-c", _INTERRUPTIBLE, "carve", path, "--output", output],
            cwd=test_lib.PROJECT_PATH,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            # When it has read more than the logs, and what Python reads at its start.
            read_size = 0
            while read_size < 1 << 30:
                time.sleep(0.1)
                with open(f"/proc/{process.pid:d}/io", "rb") as file_object:
                    read_size = int(file_object.readline().split()[1])
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertRegex(stderr, "^[^\n]*: interrupted at offset: 0x[0-9a-f]+\n$")
        self.assertIn("logs: 7, samples: 56\n", stdout)
        self.assertEqual(len(os.listdir(output)), 14)

    def testProgress(self):
        """Tests that progress is shown on a terminal."""
        path = self._WriteFile(os.urandom(1000000))
        output = os.path.join(self._MakeDirectory(), "carved")
        primary, secondary = pty.openpty()
        # A terminal without a size has no room for it.
        fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        process = subprocess.run(
            [sys.executable, "-m", "plaso_atop", "carve", path, "--output", output],
            check=True,
            cwd=test_lib.PROJECT_PATH,
            stderr=secondary,
            stdout=subprocess.PIPE,
        )
        os.close(secondary)
        shown = os.read(primary, 10000)
        os.close(primary)
        self.assertIn(b"medium:", shown)
        self.assertEqual(process.stdout, b"logs: 0, samples: 0\n")


class TimelineTest(end_to_end.ToolsTestCase, CarveTestCase):
    """Tests that the events of what was carved are those of the originals."""

    # What depends on the file.
    _FILE_KEYS = (
        *("_event_values_hash", "display_name", "filename", "inode", "pathspec"),
        "sha256_hash",
    )

    def _GetEvents(self, logs, name):
        """Extracts the events of logs.

        Args:
          logs (list[bytes]): logs.
          name (str): name of the directory.

        Returns:
          list[dict[str, object]]: events, without what depends on the file.
        """
        os.mkdir(self._GetPath(name))
        for index, data in enumerate(logs):
            self._WriteFile(data, b"%d" % index, self._GetPath(name))
        path = self._Extract(self._GetPath(name), f"{name:s}.plaso", "--parsers=atop")
        events = []
        for event in self._ReadEvents(path):
            for key in self._FILE_KEYS:
                event.pop(key, None)
            events.append(event)
        return sorted(events, key=lambda event: json.dumps(event, sort_keys=True))

    def testTimeline(self):
        """Tests the events."""
        logs = {name: _ReadLog(name) for name in _DELETED}
        carved, _ = self._Carve(self._MakeImage(logs, _DELETED))
        events = self._GetEvents(logs.values(), "originals")
        self.assertGreater(len(events), 1000)
        self.assertEqual(self._GetEvents(carved, "carved"), events)


class EventsTest(CarveTestCase, test_lib.ParserTestCase):
    """Tests the events of what was carved without its header."""

    # What only the header says.
    _HEADER_NAMES = (
        *("atop_version", "hostname", "kernel_release", "kernel_version", "machine"),
        *("cpu_user_time", "elapsed_time", "memory_free_size"),
    )

    def testLostHeader(self):
        """Tests that events say nothing that is not so."""
        original_names = set()
        for name in sorted(log.name for log in test_lib.LOGS):
            with self.subTest(name=name):
                data = _ReadLog(name)
                storage_writer = self._ParseData(data, parser.AtopParser())
                self.assertEqual(self._GetWarnings(storage_writer), [])
                originals = [
                    {key: repr(value) for key, value in values.items()}.items()
                    for values in self._GetEventValues(storage_writer)
                ]
                for items in originals:
                    original_names.update(key for key, _ in items)

                (carved,), _ = self._Carve(
                    self._WriteFile(
                        bytes(4096)
                        + data[rawlog.RawLog(io.BytesIO(data)).layout.rawheader.size :]
                    )
                )
                storage_writer = self._ParseData(carved, parser.AtopParser())
                self.assertEqual(
                    self._GetWarnings(storage_writer),
                    [mock.ANY],
                )
                events = self._GetEventValues(storage_writer)
                self.assertGreater(len(events), len(originals) * 0.9)
                for values in events:
                    for key in self._HEADER_NAMES:
                        self.assertNotIn(key, values)
                    # Without the length of a tick it is that of the sample.
                    if values.pop("exit_time_estimated", False):
                        values.pop("exit_time", None)
                        values.pop("observed_seconds", None)
                    items = {(key, repr(value)) for key, value in values.items()}
                    self.assertTrue(
                        any(items <= original for original in originals), values
                    )

        # With the header they are there.
        self.assertLessEqual(set(self._HEADER_NAMES), original_names)


if __name__ == "__main__":
    unittest.main()
