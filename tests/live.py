"""Tests with a log that the installed atop records on this very machine."""

import gzip
import os
import re
import shutil
import subprocess
import time
import unittest

from tests.lib import end_to_end
from tests.lib import parseable
from tests.lib import parseable_processes

ATOP = shutil.which("atop")

# Process accounting takes privileges, and without it no exit is recorded.
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

INTERVAL = 2
NUMBER_OF_SAMPLES = 4

_MARK = "plaso-atop-live"


@unittest.skipUnless(ATOP and IS_ROOT, "atop is not installed or not run as root")
class LiveTest(end_to_end.ToolsTestCase):
    """Tests with a log that the installed atop records on this very machine."""

    @classmethod
    def _StartProcess(cls, script, name, **kwargs):
        """Starts a process.

        Args:
          script (str): shell script.
          name (bytes): what is in the command line besides.
          kwargs (dict[str, object]): arguments of subprocess.Popen.

        Returns:
          subprocess.Popen: process.
        """
        return subprocess.Popen(
            [b"/bin/sh", b"-c", script.encode("ascii"), name, _MARK.encode("ascii")],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            **kwargs,
        )

    @classmethod
    def setUpClass(cls):
        """Records a log and extracts its events."""
        super().setUpClass()
        path = cls._GetPath("live.raw")
        # pylint: disable-next=consider-using-with
        recorder = subprocess.Popen(
            [ATOP, "-w", path, str(INTERVAL), str(NUMBER_OF_SAMPLES)],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        seconds = INTERVAL * (NUMBER_OF_SAMPLES - 1)

        # Those with "sleep" are seen alive, of the others only the exit is recorded.
        time.sleep(1)
        cls._pids = {}
        processes = []
        for key, script, name, kwargs in (
            ("code", f"sleep {INTERVAL + 1:d}; exit 7", b"code", {}),
            ("signal", f"sleep {INTERVAL + 1:d}; kill -9 $$", b"signal", {}),
            ("short", "exit 3", b"short", {}),
            ("user", f"sleep {seconds:d}; :", b"user", {"user": 65534}),
            (
                "text",
                f"sleep {seconds:d}; :",
                "na\u00efve-\u20ac".encode("utf-8"),
                {},
            ),
            (
                "hostile",
                f"sleep {seconds:d}; :",
                b"=cmd() \x1b[2J \xff\xfe \xe2\x80\xae ,\"'",
                {},
            ),
        ):
            process = cls._StartProcess(script, name, **kwargs)
            processes.append(process)
            cls._pids[key] = process.pid
            if key == "short":
                # Or it stays as a zombie until it is seen.
                process.wait()

        for process in processes:
            process.wait()
        recorder.wait()

        text = subprocess.run(
            [ATOP, "-r", path, "-P", "PRG,PRC,PRM,PRD,PRN"],
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
        cls._text_path = cls._GetPath("live.parseable.gz")
        with gzip.open(cls._text_path, "wb") as file_object:
            file_object.write(text)

        output = subprocess.run(
            [ATOP, "-V"], check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        cls._version = tuple(
            map(int, re.search(r"Version: (\d+)\.(\d+)", output).groups())
        )
        cls._storage_path = cls._Extract(path, "live.plaso")

    def testProcesses(self):
        """Tests that the processes are those that were started."""
        events = {
            event["pid"]: event
            for event in self._ReadEvents(self._storage_path)
            if event["data_type"] == "linux:atop:process"
        }
        for key, name, value in (
            ("code", "exit_code", 7),
            ("signal", "exit_signal", 9),
            ("short", "exit_code", 3),
            ("user", "user_identifier", 65534),
            ("user", "effective_user_identifier", 65534),
        ):
            self.assertEqual(events[self._pids[key]].get(name), value, key)

        for key, expected in (
            ("text", "na\u00efve-\u20ac"),
            ("hostile", "=cmd() \\x1b[2J \\xff\\xfe \\u202e ,\"'"),
            ("code", "exit 7 code"),
        ):
            command_line = events[self._pids[key]]["command_line"]
            self.assertTrue(command_line.endswith(f"{expected:s} {_MARK:s}"), key)

        event = events[self._pids["short"]]
        self.assertEqual(event["process_name"], "sh")
        self.assertFalse(event["accounting_matched"])
        self.assertNotIn("exit_code", events[self._pids["signal"]])

    def testText(self):
        """Tests that the events are what the atop that recorded them prints."""
        samples = parseable.ReadSamples(self._text_path, self._version)
        self.assertEqual(len(samples), NUMBER_OF_SAMPLES)
        processes = parseable_processes.Processes(samples, self._version)

        expected = {}
        for process in processes.processes:
            values = processes.GetExpectedValues(process)
            expected[(values["pid"], values["start_time"])] = values

        events = {
            (event["pid"], event["timestamp"] // 1000000): event
            for event in self._ReadEvents(self._storage_path)
            if event["data_type"] == "linux:atop:process"
            and event["timestamp_desc"] == "Start Time"
        }
        self.assertEqual(sorted(events), sorted(expected))
        for key, values in expected.items():
            for name, value in values.items():
                # Of dates and times only that of the event itself is in this output.
                if name not in (
                    "exit_time",
                    "last_seen_time",
                    "first_seen_time",
                    "start_time",
                ):
                    self.assertEqual(events[key].get(name), value, (key, name))


if __name__ == "__main__":
    unittest.main()
