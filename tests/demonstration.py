"""Tests of the demonstration case, and that the README shows what the tools print."""

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


class ReadmeTest(end_to_end.ToolsTestCase):
    """Tests the commands of the README, and what it shows of their output."""

    def _RunCommands(self, text):
        """Runs commands of a shell.

        Args:
          text (str): commands.

        Returns:
          str: name of the file that psort wrote to, None if it was not run.
        """
        output_name = None
        for command in re.findall(r'(?:[^\n"]|"[^"]*")+', text.replace("\\\n", "")):
            name, *arguments = shlex.split(command)
            if name == ".venv/bin/python":
                arguments[0] = os.path.join(test_lib.PROJECT_PATH, arguments[0])
                subprocess.run(
                    [sys.executable, *arguments], check=True, cwd=self._directory
                )
                continue

            self._RunTool(name, *arguments)
            if name == "psort":
                output_name = arguments[arguments.index("-w") + 1]
        return output_name

    def testCase(self):
        """Tests the commands of the case."""
        path = os.path.join(test_lib.PROJECT_PATH, "README.md")
        with open(path, encoding="utf-8") as file_object:
            text = file_object.read()
        section = text.partition("\n## A case\n")[2].partition("\n## ")[0]

        outputs = []
        output_name = None
        for block in re.findall(
            r"^```\n(.*?)^```\n", section, re.DOTALL | re.MULTILINE
        ):
            if not output_name:
                output_name = self._RunCommands(block)
                continue

            with open(self._GetPath(output_name), encoding="utf-8") as file_object:
                self.assertEqual(file_object.read(), block)
            outputs.append(output_name)
            output_name = None

        self.assertEqual(len(outputs), 5)

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
