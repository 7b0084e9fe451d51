"""Tests of the demonstration case, and of the commands and outputs of all documents."""

import csv
import datetime
import functools
import glob
import io
import os
import re
import shlex
import struct
import subprocess
import sys
import unittest

from dfvfs.lib import definitions as dfvfs_definitions
from dfvfs.path import factory as path_spec_factory
from dfvfs.resolver import resolver as path_spec_resolver

from plaso.filters import event_filter as event_object_filter
from plaso.lib import errors
from plaso.storage import factory as storage_factory

from demonstration import image
from demonstration import story

from plaso_atop import rawlog

from tests.lib import end_to_end
from tests.lib import test_lib


class StoryTest(test_lib.BaseTestCase):
    """Tests that what the server is left with agrees with each other."""

    @classmethod
    def setUpClass(cls):
        """Makes the files of the server."""
        super().setUpClass()
        cls._files = {file.path: file.data for file in story.Story().GetFiles()}

    def _GetTasks(self):
        """Retrieves the entries of processes in the log of atop.

        Returns:
          list[tuple[Sample, Task]]: samples and entries.
        """
        log = rawlog.RawLog(io.BytesIO(self._files["var/log/atop/atop_20260917"]))
        tasks = [
            (sample, task) for sample in log.samples() for task in sample.processes()
        ]
        self.assertEqual(log.damages, [])
        self.assertEqual(log.hertz, 100)
        return tasks

    def testParents(self):
        """Tests that the log has the parent of every process."""
        btimes = {}
        ppids = {}
        for _, task in self._GetTasks():
            btimes.setdefault(task.pid, task.btime)
            ppids.setdefault(task.pid, task.ppid)
            # The identifiers are not used again.
            self.assertEqual(btimes[task.pid], task.btime)

        self.assertGreater(len(btimes), 300)
        for pid, ppid in ppids.items():
            if pid not in (1, 2):
                self.assertLessEqual(btimes[ppid], btimes[pid], pid)

    def testMiner(self):
        """Tests that the miner uses a CPU in all intervals."""
        shares = []
        for sample, task in self._GetTasks():
            if task.cmdline.startswith(b"/dev/shm/.s/kswapd0 "):
                start_time = max(task.btime, sample.curtime - sample.interval)
                end_time = sample.curtime
                if task.state == rawlog.STATE_EXITED:
                    end_time = task.btime + task.elaps / 100
                ticks = task.utime + task.stime
                shares.append(ticks / (end_time - start_time) / 100)

        self.assertEqual(len(shares), 40)
        self.assertGreater(min(shares), 0.98)
        self.assertLessEqual(max(shares), 1.0)

    def testShortLived(self):
        """Tests that a process has no command line if no sample shows it alive."""
        alive = set()
        numbers = [0, 0]
        for _, task in self._GetTasks():
            if task.state == rawlog.STATE_EXITED:
                self.assertEqual(task.cmdline != b"", task.pid in alive, task.pid)
                numbers[task.pid in alive] += 1
            alive.add(task.pid)

        self.assertGreater(min(numbers), 10, numbers)

    def testIdentifiers(self):
        """Tests that the logs have the same process identifiers as that of atop."""
        tasks = {task.pid: task for _, task in self._GetTasks()}

        text = self._files["var/log/auth.log"].decode()
        messages = re.findall(r"^(\S+) shop ([\w-]+)\[(\d+)\]: ", text, re.MULTILINE)
        self.assertGreater(len(messages), 100)
        for date_time, program, pid in messages:
            task = tasks[int(pid)]
            self.assertEqual(task.name.decode(), program.lower()[:15])
            timestamp = story.GetTime(date_time[:26].replace("T", " "))
            self.assertLessEqual(task.btime, timestamp)
            if task.state == rawlog.STATE_EXITED:
                self.assertLess(timestamp, task.btime + task.elaps / 100 + 1)

        logins = 0
        for values in struct.iter_unpack("<hxxi376x", self._files["var/log/wtmp"]):
            if values[1]:
                self.assertEqual(tasks[values[1]].name, b"sshd")
                logins += 1
        self.assertEqual(logins, 5)


class DocumentTestCase(end_to_end.ToolsTestCase):
    """Shared functionality to run the commands of a document.

    What the commands read is there: shop.plaso and disk.E01 of the case, case.plaso of
    a user, and damaged.plaso of a log with two runs of atop and a damaged sample.
    """

    # What is tested elsewhere, or only shows a path.
    _OTHER_COMMANDS = (
        ".venv/bin/nox",
        "RUN",
        "data_type:linux:atop:process",
        "pip",
        "scripts/benchmark.sh",
        "scripts/test.sh",
        "scripts/timeline.sh",
    )

    _TOOLS = ("image_export", "log2timeline", "pinfo", "psort")

    @staticmethod
    @functools.lru_cache(maxsize=None)
    def _ReadStorageFiles():
        """Extracts the events of the case and of the damaged log, once.

        Returns:
          dict[str, bytes]: contents of the storage files per name.
        """

        class Extraction(end_to_end.ToolsTestCase):
            """Extraction, in a directory of its own."""

            @classmethod
            def Run(cls):
                """Extracts the events."""
                cls.setUpClass()
                image.WriteImage(cls._GetPath("shop.raw"))
                with open(cls._GetPath("damaged"), "wb") as file_object:
                    file_object.write(cls._GetDamagedLog())

                contents = {}
                for source, name in (
                    ("shop.raw", "shop.plaso"),
                    ("damaged", "damaged.plaso"),
                ):
                    path = cls._Extract(cls._GetPath(source), name)
                    with open(path, "rb") as file_object:
                        contents[name] = file_object.read()

                cls.doClassCleanups()
                return contents

            @classmethod
            def _GetDamagedLog(cls):
                """Makes a log in which a sample is overwritten with zeros."""
                path = test_lib.GetTestFilePath(["atop-2.12.1.raw"])
                with open(path, "rb") as file_object:
                    data = bytearray(file_object.read())
                    sample = list(rawlog.RawLog(file_object).samples())[2]
                size = sample.end_offset - sample.offset
                data[sample.offset : sample.end_offset] = bytes(size)
                return bytes(data)

        return Extraction.Run()

    def _AddFiles(self):
        """Adds what the commands of documents read."""
        image.WriteImage(self._GetPath("disk.E01"))
        for name, data in self._ReadStorageFiles().items():
            with open(self._GetPath(name), "wb") as file_object:
                file_object.write(data)

    def _ReadDocument(self, *names):
        """Reads a document.

        Args:
          names (list[str]): names of the directories and the file.

        Returns:
          str: text.
        """
        path = os.path.join(test_lib.PROJECT_PATH, *names)
        with open(path, encoding="utf-8") as file_object:
            return file_object.read()

    def _RunCommands(self, text):
        """Runs commands of a shell.

        Args:
          text (str): commands.

        Returns:
          tuple[list[str], str]: names of the commands that were run, and of the file
              that the last psort wrote to, None if it was not run or wrote none.
        """
        names = []
        output_name = None
        for command in re.findall(r'(?:[^\n"]|"[^"]*")+', text.replace("\\\n", "")):
            name, *arguments = shlex.split(command)
            if name in self._OTHER_COMMANDS:
                continue

            if name == ".venv/bin/python":
                script = arguments.pop(0)
                if script == "scripts/fuzz.py":
                    arguments[arguments.index("--count") + 1] = "2"
                elif script in ("scripts/attributes.py", "scripts/timeliner.py"):
                    # They write the files that tests/attributes.py compares.
                    continue
                subprocess.run(
                    [
                        sys.executable,
                        os.path.join(test_lib.PROJECT_PATH, script),
                        *arguments,
                    ],
                    check=True,
                    cwd=self._directory,
                )
                continue

            if name == "plaso-atop":
                arguments = [
                    (
                        os.path.join(test_lib.PROJECT_PATH, argument)
                        if argument.startswith("test_data/")
                        else argument
                    )
                    for argument in arguments
                ]
                subprocess.run(
                    [sys.executable, "-m", "plaso_atop", *arguments],
                    check=True,
                    cwd=self._directory,
                )
                continue

            self.assertIn(name, self._TOOLS)
            # It needs a server, as which tests/opensearch.py is one.
            if "opensearch" in arguments:
                continue

            self._RunTool(name, *arguments)
            names.append(name)
            if name == "psort" and "-w" in arguments:
                output_name = arguments[arguments.index("-w") + 1]
        return names, output_name

    def _CheckDocument(self, *names):
        """Runs the commands of a document, and checks what it shows of their output.

        Args:
          names (list[str]): names of the directories and the file.

        Returns:
          tuple[list[str], int]: names of the commands that were run, and number of
              outputs that were compared.
        """
        commands = []
        number_of_outputs = 0
        output_name = None
        for language, block in re.findall(
            r"^```(\w*)\n(.*?)^```\n",
            self._ReadDocument(*names),
            re.DOTALL | re.MULTILINE,
        ):
            if language:
                continue

            if block.startswith("datetime,"):
                with open(self._GetPath(output_name), encoding="utf-8") as file_object:
                    self.assertEqual(file_object.read(), block)
                number_of_outputs += 1
            else:
                block_commands, output_name = self._RunCommands(block)
                commands.extend(block_commands)

        return commands, number_of_outputs


class CaseTest(DocumentTestCase):
    """Tests the case."""

    def testCommands(self):
        """Tests the commands."""
        commands, number_of_outputs = self._CheckDocument("docs", "case.md")
        self.assertEqual(commands, ["log2timeline", *["psort"] * 5])
        self.assertEqual(number_of_outputs, 5)


class ReadmeTest(DocumentTestCase):
    """Tests README.md."""

    def testCommands(self):
        """Tests the commands."""
        self._AddFiles()
        commands, number_of_outputs = self._CheckDocument("README.md")
        self.assertEqual(commands, ["log2timeline", "psort", "psort", "psort"])
        self.assertEqual(number_of_outputs, 1)


class SigmaTest(DocumentTestCase):
    """Tests the rules of Sigma."""

    def testCommands(self):
        """Tests the commands."""
        self._AddFiles()
        commands, number_of_outputs = self._CheckDocument("docs", "sigma.md")
        self.assertEqual(commands, ["psort", "psort"])
        self.assertEqual(number_of_outputs, 1)


class OtherDocumentsTest(DocumentTestCase):
    """Tests the documents that need no other files."""

    def testCommands(self):
        """Tests the commands."""
        self._AddFiles()
        for name, expected_commands in (
            ("README.md", []),
            ("attributes.md", []),
            ("collection.md", ["log2timeline", "image_export"]),
            ("damage.md", ["pinfo"]),
            ("development.md", []),
            ("timesketch.md", []),
        ):
            with self.subTest(name=name):
                self.assertEqual(
                    self._CheckDocument("docs", name), (expected_commands, 0)
                )

        with open(self._GetPath("exported/hashes.json"), encoding="utf-8") as exported:
            self.assertIn("var/log/atop/atop_20260917", exported.read())

    def testPython(self):
        """Tests the program that uses the reader."""
        (program,) = re.findall(
            r"^```python\n(.*?)^```\n",
            self._ReadDocument("docs", "development.md"),
            re.DOTALL | re.MULTILINE,
        )
        process = subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            cwd=test_lib.PROJECT_PATH,
            stdout=subprocess.PIPE,
            text=True,
        )
        *lines, damages = process.stdout.splitlines()
        self.assertGreater(len(lines), 100)
        self.assertEqual(damages, "[]")

    def testWarnings(self):
        """Tests that the document names all reasons of damage."""
        text = self._ReadDocument("docs", "damage.md")
        reasons = [
            value for name, value in vars(rawlog).items() if name.startswith("DAMAGE_")
        ]
        self.assertGreater(len(reasons), 10)
        for reason in reasons:
            self.assertIn(f"`{reason:s}`", text)

        # And the other way round, what it names exists.
        source = ""
        for path in glob.glob(
            os.path.join(test_lib.PROJECT_PATH, "plaso_atop", "**", "*.py"),
            recursive=True,
        ):
            with open(path, encoding="utf-8") as file_object:
                source += file_object.read()
        _, *tables = text.split("\n| warning |")
        warnings = [
            warning
            for table in tables
            for cell in re.findall(
                r"^\| (`.*?) \|", table.partition("\n\n")[0], re.MULTILINE
            )
            for warning in re.findall("`([^`]+)`", cell)
        ]
        self.assertGreater(len(warnings), 15)
        for warning in warnings:
            # Without what is filled in.
            for part in re.split(r"\.\.\.|[0-9]+\.[0-9]+|(?= is not )", warning):
                self.assertTrue(part.strip() in source, warning)


class InvestigatingTest(DocumentTestCase):
    """Tests the questions of an examiner, and the filters that answer them."""

    _SHELLS = ["214913 sh", "214917 sh", "214919 sh"]

    # The processes that answer a question.
    _PROCESSES = {
        "What did this login run?": [
            *("214982 sshd", "214983 bash", "214986 w", "214989 mkdir", "214992 curl"),
            *("214994 chmod", "215060 sshd", "215063 bash"),
        ],
        "What did this session run?": [
            *("214986 w", "214989 mkdir", "214992 curl", "214994 chmod", "214996 sudo"),
        ],
        "What ran through sudo?": [
            *("214997 sudo", "214998 bash", "215067 sudo", "215069 bash"),
            *("215369 sudo", "215371 kill", "215389 sudo", "215390 poweroff"),
        ],
        "What came from the web server?": _SHELLS,
        "What ran as the user of the web server?": [
            *_SHELLS,
            *("214914 id", "214918 curl", "214922 bash", "214923 bash"),
            *("214934 python3", "214935 bash", "214936 mkdir", "214938 curl"),
            *("214939 tar", "214942 lpe", "214945 lpe"),
        ],
        "What became root?": ["214945 sh"],
        "What kept a CPU busy for an hour?": ["215001 kswapd0"],
        "Is there a miner?": ["215001 kswapd0"],
        "What was downloaded?": ["214938 curl"],
        "What wrote a lot?": ["215072 shred"],
        "What crashed or was killed?": ["214942 lpe", "215001 kswapd0"],
        "What vanished without an exit?": [],
        "Where are gaps in the log?": [],
    }

    # The times that answer a question, and those of the damaged log.
    _TIMES = {
        "When was the system started?": ["2026-08-30T06:12:09+00:00"],
        "When was atop started?": ["2026-09-17T00:00:01+00:00"],
    }
    _DAMAGED_TIMES = {
        "What vanished without an exit?": ["2026-11-21T01:38:35+00:00"] * 2,
        "Where are gaps in the log?": ["2026-11-21T01:38:32+00:00"],
        "When was the system started?": ["2026-11-21T01:12:46+00:00"] * 2,
        "When was atop started?": [
            "2026-11-21T01:38:31+00:00",
            "2026-11-21T01:38:35+00:00",
        ],
    }

    def _GetFilters(self):
        """Retrieves the filters of the document.

        Returns:
          dict[str, str]: filters per question.
        """
        text = self._ReadDocument("docs", "investigating.md")
        _, _, text = text.partition("| question | filter | what it misses |\n")
        rows = re.findall(
            r"^\| ([^|]+) \| `([^`|]+)` \| [^|]+ \|\n", text, re.MULTILINE
        )
        return dict(rows)

    def _GetRows(self, name, event_filter):
        """Determines what a filter finds.

        Args:
          name (str): name of the storage file.
          event_filter (str): filter.

        Returns:
          list[dict[str, str]]: rows, those of a process one after the other.
        """
        path = self._GetPath("rows.csv")
        self._RunQuietTool(
            *("psort", "-o", "dynamic", "--dynamic_time", "-w", path),
            *("--fields", "datetime,pid,process_name,user_identifier"),
            *(self._GetPath(name), event_filter),
        )
        with open(path, encoding="utf-8", newline="") as file_object:
            rows = list(csv.DictReader(file_object))
        os.remove(path)
        return rows

    def _GetSamples(self):
        """Retrieves the samples of the log of the case, with their tasks.

        Returns:
          list[tuple[int, list[Task]]]: time and processes per sample.
        """
        (data,) = [
            file.data
            for file in story.Story().GetFiles()
            if file.path == "var/log/atop/atop_20260917"
        ]
        log = rawlog.RawLog(io.BytesIO(data))
        return [(sample.curtime, list(sample.processes())) for sample in log.samples()]

    def testCommands(self):
        """Tests the commands."""
        self._AddFiles()
        commands, number_of_outputs = self._CheckDocument("docs", "investigating.md")
        self.assertEqual(commands, ["psort", "psort", "psort"])
        self.assertEqual(number_of_outputs, 2)

    def testQuestions(self):
        """Tests the filters with the case and with the damaged log."""
        self._AddFiles()
        self._RunQuietTool(
            *("psort", "--analysis", "tagging", "--tagging-file", "tag_atop.txt"),
            *("-o", "null", self._GetPath("shop.plaso")),
        )
        filters = self._GetFilters()
        for question, expected in self._PROCESSES.items():
            with self.subTest(question=question):
                rows = self._GetRows("shop.plaso", filters.pop(question))
                processes = {f"{row['pid']:s} {row['process_name']:s}" for row in rows}
                self.assertEqual(sorted(processes), sorted(expected))

        for question, expected in self._TIMES.items():
            with self.subTest(question=question):
                rows = self._GetRows("shop.plaso", filters.pop(question))
                self.assertEqual([row["datetime"] for row in rows], expected)

        self.assertEqual(
            list(filters),
            ["What ran as root?", "How much did the interfaces transfer?"],
        )

        filters = self._GetFilters()
        for question, expected in self._DAMAGED_TIMES.items():
            with self.subTest(question=question):
                rows = self._GetRows("damaged.plaso", filters[question])
                self.assertEqual([row["datetime"] for row in rows], expected)

    def testRoot(self):
        """Tests what ran as root."""
        start_time = story.GetTime("2026-09-17 02:30:00")
        end_time = story.GetTime("2026-09-17 03:00:00")
        users = {}
        expected = set()
        for _, tasks in self._GetSamples():
            for task in tasks:
                times = [task.btime]
                if task.state == rawlog.STATE_EXITED:
                    times.append(int(task.btime + task.elaps / 100))
                if users.setdefault(task.pid, task.ruid) == 0 and any(
                    start_time < time < end_time for time in times
                ):
                    expected.add(f"{task.pid:d}")
        self.assertGreater(len(expected), 10)

        self._AddFiles()
        rows = self._GetRows("shop.plaso", self._GetFilters()["What ran as root?"])
        self.assertEqual({row["pid"] for row in rows}, expected)
        self.assertEqual({row["user_identifier"] for row in rows}, {"0"})

    def testTransfers(self):
        """Tests what interfaces transferred."""
        self._AddFiles()
        rows = self._GetRows(
            "shop.plaso", self._GetFilters()["How much did the interfaces transfer?"]
        )
        self.assertEqual(
            [row["datetime"] for row in rows],
            [
                f"{datetime.datetime.fromtimestamp(time, datetime.timezone.utc):%FT%T}"
                "+00:00"
                for time, _ in self._GetSamples()[1:]
            ],
        )

    def testFilters(self):
        """Tests what the document says of Plaso's filters."""
        self._AddFiles()
        storage_reader = storage_factory.StorageFactory.CreateStorageReaderForFile(
            self._GetPath("shop.plaso")
        )
        processes = [
            event_data
            for event_data in storage_reader.GetAttributeContainers("event_data")
            if event_data.data_type == "linux:atop:process"
        ]
        storage_reader.Close()
        self.assertGreater(len(processes), 300)

        for event_filter, is_all in (
            ("exit_code is 0", False),
            ("user_identifier is 0", False),
            ("exit_code is not 0", True),
            ("container_name is not 'x'", True),
            ("container_name not contains 'x'", True),
            ("username contains 'ROOT'", None),
            ("username is 'ROOT'", False),
            ("username regexp 'ROOT'", False),
        ):
            with self.subTest(event_filter=event_filter):
                filter_object = event_object_filter.EventObjectFilter()
                filter_object.CompileFilter(event_filter)
                found = [
                    event_data
                    for event_data in processes
                    if filter_object.Match(None, event_data, None, None)
                ]
                if is_all is None:
                    self.assertGreater(len(processes), len(found))
                    self.assertGreater(len(found), 0)
                else:
                    self.assertEqual(found, processes if is_all else [])

        for event_filter in ("pid not regexp '1'", "not (pid is 1)"):
            with self.subTest(event_filter=event_filter):
                with self.assertRaises(errors.ParseError):
                    event_object_filter.EventObjectFilter().CompileFilter(event_filter)


class ImageTest(end_to_end.ToolsTestCase):
    """Tests of the disk image."""

    def testImage(self):
        """Tests that the image is the same every time, with owners and dates."""
        data = []
        for name in ("first.raw", "second.raw"):
            path = self._GetPath(name)
            image.WriteImage(path)
            with open(path, "rb") as file_object:
                data.append(file_object.read())
        self.assertTrue(data[0] == data[1])

        raw_path_spec = path_spec_factory.Factory.NewPathSpec(
            dfvfs_definitions.TYPE_INDICATOR_RAW,
            parent=path_spec_factory.Factory.NewPathSpec(
                dfvfs_definitions.TYPE_INDICATOR_OS, location=path
            ),
        )
        for file in story.Story().GetFiles():
            file_entry = path_spec_resolver.Resolver.OpenFileEntry(
                path_spec_factory.Factory.NewPathSpec(
                    dfvfs_definitions.TYPE_INDICATOR_EXT,
                    location=f"/{file.path:s}",
                    parent=raw_path_spec,
                )
            )
            attribute = file_entry.GetStatAttribute()
            self.assertEqual(
                (attribute.owner_identifier, attribute.group_identifier), file.user
            )
            for date_time in (
                file_entry.access_time,
                file_entry.change_time,
                file_entry.creation_time,
                file_entry.modification_time,
            ):
                self.assertEqual(date_time.timestamp, file.time * 10**9, file.path)


if __name__ == "__main__":
    unittest.main()
