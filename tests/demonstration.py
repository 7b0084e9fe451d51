"""Tests of the demonstration case, and of the commands and outputs of all documents."""

import datetime
import functools
import glob
import hashlib
import io
import json
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

from tests.lib import coverage_test_lib
from tests.lib import end_to_end
from tests.lib import test_lib


class StoryTest(test_lib.BaseTestCase):
    """Tests that what the server is left with agrees with each other."""

    @classmethod
    def setUpClass(cls):
        """Makes the files of the server."""
        super().setUpClass()
        cls._story = story.Story()
        cls._files = {file.path: file.data for file in cls._story.GetFiles()}

    def _GetTasks(self):
        """Retrieves the entries of processes in the logs of atop.

        Returns:
          list[tuple[Sample, Task]]: samples and entries.
        """
        tasks = []
        for day in (16, 17):
            data = self._files[f"var/log/atop/atop_202609{day:d}"]
            log = rawlog.RawLog(io.BytesIO(data))
            tasks.extend(
                (sample, task)
                for sample in log.samples()
                for task in sample.processes()
            )
            self.assertEqual(log.damages, [])
            self.assertEqual(log.hertz, 100)
        return tasks

    def testParents(self):
        """Tests that the logs have the parent of every process."""
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

    def testTree(self):
        """Tests that the logs have the processes of the story with their parents."""
        tree = self._story.GetTree()
        found = set()
        for _, task in self._GetTasks():
            parent_pid, names = tree[task.pid, task.btime]
            # An orphan is a child of init.
            self.assertIn(task.ppid, (parent_pid, 1), task.pid)
            self.assertIn(task.name.decode(), [name[:15] for name in names])
            found.add((task.pid, task.btime))
        self.assertEqual(found, tree.keys())

        # A process that became another one has both names.
        exploits = {tuple(names) for _, names in tree.values() if "lpe" in names}
        self.assertEqual(exploits, {("lpe",), ("lpe", "sh")})

    def testMiner(self):
        """Tests that the miner uses a CPU in all intervals, until it is killed."""
        shares = []
        pids = set()
        for sample, task in self._GetTasks():
            if task.cmdline.startswith(b"/dev/shm/.s/kswapd0 "):
                start_time = max(task.btime, sample.curtime - sample.interval)
                end_time = sample.curtime
                if task.state == rawlog.STATE_EXITED:
                    end_time = task.btime + task.elaps / 100
                ticks = task.utime + task.stime
                shares.append(ticks / (end_time - start_time) / 100)
                pids.add(task.pid)

        self.assertEqual(len(shares), 40)
        self.assertGreater(min(shares), 0.98)
        self.assertLessEqual(max(shares), 1.0)

        self.assertEqual(len(pids), 1)
        history = self._files["home/alice/.bash_history"].decode()
        self.assertIn(f"\nsudo kill -9 {pids.pop():d}\n", history)

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

    # What plaso-atop printed last, or the text of the report that pinfo did.
    _output = None

    @classmethod
    def setUpClass(cls):
        """Checks that the disk image of the case can be made."""
        super().setUpClass()
        test_lib.FindProgram("mke2fs")

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
                self._output = subprocess.run(
                    [sys.executable, "-m", "plaso_atop", *arguments],
                    check=True,
                    cwd=self._directory,
                    stdout=subprocess.PIPE,
                    text=True,
                ).stdout
                continue

            self.assertIn(name, self._TOOLS)
            # It needs a server, as which tests/opensearch.py is one.
            if "opensearch" in arguments:
                continue

            output = self._RunTool(name, *arguments)
            names.append(name)
            # The text of a report.
            match = re.search("Text</th><td>(.*?)</td>", output, re.DOTALL)
            if match:
                self._output = match[1]
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
                if language == "text":
                    self.assertEqual(self._output, block)
                    number_of_outputs += 1
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
        self.assertEqual(
            commands,
            ["log2timeline", *["psort"] * 7, "pinfo", "log2timeline", "psort"],
        )
        self.assertEqual(number_of_outputs, 9)


class TreeTest(DocumentTestCase):
    """Tests the tree of all processes, by what psort shows of the case alone.

    Those of the log that was removed are shown after carving.
    """

    _ANCESTOR_RE = re.compile(r"^(.*)\[(\d+)\]$")

    def _ReadTree(self, name):
        """Reads the processes of a storage file.

        Args:
          name (str): name of the storage file.

        Returns:
          tuple[dict[tuple[int, int], set[str]], dict[tuple[int, int],
              list[tuple[str, str]]]]: names, and names and identifiers of the
              ancestors, per identifier and start in seconds since the Epoch.
        """
        names = {}
        tree = {}
        for event in self._ReadEvents(self._GetPath(name)):
            if event["data_type"] == "linux:atop:process" and (
                event["timestamp_desc"] == "Start Time"
            ):
                key = (event["pid"], event["timestamp"] // 1000000)
                self.assertNotIn(key, tree)
                tree[key] = [
                    self._ANCESTOR_RE.match(ancestor).groups()
                    for ancestor in event.get("ancestors", "").split(" > ")
                    if ancestor
                ]
                names[key] = {event["process_name"]}
                names[key].add(event.get("last_process_name", event["process_name"]))
        return names, tree

    def testTree(self):
        """Tests that the tree is that of the story."""
        self._AddFiles()
        names, tree = self._ReadTree("shop.plaso")
        expected = story.Story().GetTree()
        number_of_processes = len(tree)
        self.assertLess(number_of_processes, len(expected))

        self._RunCommands(
            f"plaso-atop carve {self._GetPath('disk.E01'):s} "
            f"--output {self._GetPath('carved'):s}"
        )
        self._Extract(self._GetPath("carved"), "carved.plaso")
        carved_names, carved_tree = self._ReadTree("carved.plaso")
        # What runs on is in both logs.
        for key in set(tree).intersection(carved_tree):
            self.assertEqual(tree[key], carved_tree[key])
        names.update(carved_names)
        tree.update(carved_tree)
        self.assertGreater(len(tree), number_of_processes)

        self.assertEqual(sorted(tree), sorted(expected))
        self.assertGreater(len(tree), 300)

        # No identifier is used twice.
        parents = {pid: parent_pid for (pid, _), (parent_pid, _) in expected.items()}
        names_per_pid = {pid: names for (pid, _), (_, names) in expected.items()}
        orphans = set()
        for (pid, start_time), path in tree.items():
            self.assertEqual(
                names[pid, start_time], {name[:15] for name in names_per_pid[pid]}
            )
            for child_pid, (name, parent_pid) in zip(
                [*(int(pid) for _, pid in path[1:]), pid], path
            ):
                self.assertIn(
                    name, [name[:15] for name in names_per_pid[int(parent_pid)]]
                )
                if parents[child_pid] != int(parent_pid):
                    self.assertEqual(parent_pid, "1")
                    orphans.add(child_pid)
            if not path:
                self.assertEqual(parents[pid], 0)

        self.assertEqual(orphans, set())


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
        *lines, damages = test_lib.RunScript(program).splitlines()
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


class CarvingTest(DocumentTestCase):
    """Tests the document on deleted logs."""

    def testCommands(self):
        """Tests the commands."""
        image.WriteImage(self._GetPath("shop.raw"))
        commands, number_of_outputs = self._CheckDocument("docs", "carving.md")
        self.assertEqual(commands, ["log2timeline", "psort"])
        self.assertEqual(number_of_outputs, 2)

        (expected,) = re.findall(
            "```json\n(.*?)\n```", self._ReadDocument("docs", "carving.md"), re.DOTALL
        )
        with open(self._GetPath("carved/carved-0001.jsonl"), encoding="ascii") as lines:
            _, line, *_ = lines
        values, expected_values = json.loads(line), json.loads(expected)
        with open(self._GetPath("shop.raw"), "rb") as file_object:
            file_object.seek(values["offset"])
            data = file_object.read(values["size"])
        self.assertEqual(values["sha256"], hashlib.sha256(data).hexdigest())
        # It depends on mke2fs where a file is, and on zlib what it holds.
        for name in ("offset", "sha256", "size"):
            del values[name], expected_values[name]
        self.assertEqual(values, expected_values)


class InvestigatingTest(DocumentTestCase):
    """Tests the questions of an examiner, and the filters that answer them."""

    _SESSION = [
        *("214986 w", "214989 mkdir", "214992 curl", "214994 chmod", "214996 sudo"),
        *("214997 sudo", "214998 bash", "215001 kswapd0", "215006 top"),
    ]
    _LOGIN = ["214979 sshd", "214982 sshd", "214983 bash", *_SESSION]

    _BELOW_WEB_SERVER = [
        *("214913 sh", "214914 id", "214917 sh", "214918 curl", "214919 sh"),
        *("214922 bash", "214923 bash", "214934 python3", "214935 bash"),
        *("214936 mkdir", "214938 curl", "214939 tar", "214942 lpe", "214945 lpe"),
    ]
    _BELOW_EXPLOIT = ["214963 useradd", "214965 mkdir", "214966 tee", "214967 tee"]

    # The processes that answer a question.
    _PROCESSES = {
        "What did this login run?": _LOGIN,
        "What did this session run?": _LOGIN,
        # And lines of syslog and records of wtmp.
        "What did this login do, with its lines in other logs?": [
            *_LOGIN,
            *("- -", "214979 -"),
        ],
        "What did this account run?": [
            *("214982 sshd", "214983 bash", "214986 w", "214989 mkdir", "214992 curl"),
            *("214994 chmod", "215060 sshd", "215063 bash"),
        ],
        "What did this process start, however deep?": _SESSION,
        "What ran through sudo?": [
            *("214997 sudo", "214998 bash", "215001 kswapd0", "215006 top"),
            *("215067 sudo", "215069 bash", "215070 rm", "215072 shred"),
            *("215369 sudo", "215371 kill", "215389 sudo", "215390 poweroff"),
        ],
        "What came from the web server?": [*_BELOW_WEB_SERVER, *_BELOW_EXPLOIT],
        "What belongs to this service?": [*_BELOW_WEB_SERVER, *_BELOW_EXPLOIT],
        "What is new in this log?": ["215388 sudo", "215389 sudo", "215390 poweroff"],
        "What ran as the user of the web server?": _BELOW_WEB_SERVER,
        "What became another user?": ["214945 lpe"],
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

    def _ReadEventObjects(self, name):
        """Reads the events of a storage file.

        Args:
          name (str): name of the storage file.

        Returns:
          list[tuple[EventObject, EventData, EventTag]]: events in the order of time,
              with their data and tags.
        """
        reader = storage_factory.StorageFactory.CreateStorageReaderForFile(
            self._GetPath(name)
        )
        try:
            return [
                (
                    event,
                    reader.GetAttributeContainerByIdentifier(
                        "event_data", event.GetEventDataIdentifier()
                    ),
                    reader.GetEventTagByEventIdentifer(event.GetIdentifier()),
                )
                for event in reader.GetSortedEvents()
            ]
        finally:
            reader.Close()

    def _GetRows(self, events, event_filter):
        """Determines what a filter finds, as psort does.

        Args:
          events (list[tuple[EventObject, EventData, EventTag]]): events.
          event_filter (str): filter.

        Returns:
          list[dict[str, str]]: date and time, identifier, name and user of what is
              found.
        """
        filter_object = event_object_filter.EventObjectFilter()
        filter_object.CompileFilter(event_filter)
        rows = []
        for event, event_data, event_tag in events:
            if filter_object.Match(event, event_data, None, event_tag):
                date_time = datetime.datetime.fromtimestamp(
                    event.timestamp / 1000000, datetime.timezone.utc
                )
                values = {
                    name: str(getattr(event_data, name, None) or "-")
                    for name in ("pid", "process_name")
                }
                values["user_identifier"] = getattr(event_data, "user_identifier", None)
                rows.append({"datetime": date_time.isoformat(), **values})
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
        events = self._ReadEventObjects("shop.plaso")
        for question, expected in self._PROCESSES.items():
            with self.subTest(question=question):
                rows = self._GetRows(events, filters.pop(question))
                processes = {f"{row['pid']:s} {row['process_name']:s}" for row in rows}
                self.assertEqual(sorted(processes), sorted(expected))

        for question, expected in self._TIMES.items():
            with self.subTest(question=question):
                rows = self._GetRows(events, filters.pop(question))
                self.assertEqual([row["datetime"] for row in rows], expected)

        self.assertEqual(
            list(filters),
            ["What ran as root?", "How much did the interfaces transfer?"],
        )

        filters = self._GetFilters()
        events = self._ReadEventObjects("damaged.plaso")
        for question, expected in self._DAMAGED_TIMES.items():
            with self.subTest(question=question):
                rows = self._GetRows(events, filters[question])
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
        rows = self._GetRows(
            self._ReadEventObjects("shop.plaso"),
            self._GetFilters()["What ran as root?"],
        )
        self.assertEqual({row["pid"] for row in rows}, expected)
        self.assertEqual({row["user_identifier"] for row in rows}, {0})

    def testTransfers(self):
        """Tests what interfaces transferred."""
        self._AddFiles()
        rows = self._GetRows(
            self._ReadEventObjects("shop.plaso"),
            self._GetFilters()["How much did the interfaces transfer?"],
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


class CoverageTest(DocumentTestCase):
    """Tests the page on coverage."""

    def testCommands(self):
        """Tests the commands, with an image that had logs removed and changed."""
        directory = self._GetPath("server")
        for day in (22, 23, 24, 25, 28):
            samples = coverage_test_lib.GetDay(day)
            time = samples[-1][0]
            if day in (24, 25):
                samples = samples[:18] + samples[32:]
                time = coverage_test_lib.GetTime(26, 3, 12)
            data = b"" if day == 24 else coverage_test_lib.BuildLog("shop", samples)
            name = f"atop_202610{day:d}"
            coverage_test_lib.WriteLog(directory, name, data, time)
        coverage_test_lib.MakeImage(directory)

        commands, number_of_outputs = self._CheckDocument("docs", "coverage.md")
        self.assertEqual(commands, ["log2timeline", "psort", "pinfo", "psort"])
        self.assertEqual(number_of_outputs, 2)


class ImageTest(end_to_end.ToolsTestCase):
    """Tests of the disk image."""

    @classmethod
    def setUpClass(cls):
        """Checks that the disk image can be made."""
        super().setUpClass()
        test_lib.FindProgram("mke2fs")

    def testImage(self):
        """Tests that the image is the same every time, with owners and dates.

        The log that was removed is no file, but still there.
        """
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
            if file.removal_time is not None:
                self.assertIsNone(file_entry)
                self.assertEqual(data[0].count(file.data), 1)
                continue

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
