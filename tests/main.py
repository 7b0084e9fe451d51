#!/usr/bin/env python3
"""Tests for the command line tool, whichever command it runs."""

import errno
import os
import subprocess
import sys
import unittest

from plaso_atop import __main__ as main

from tests.lib import test_lib
from tests.lib import command_test_lib


class MainTest(command_test_lib.CommandTestCase):
    """Tests for the command line tool."""

    # pylint: disable=protected-access

    def _RunInShell(self, redirection, *arguments, **streams):
        """Runs the tool with other standard streams.

        Args:
          redirection (str): redirection of the shell.
          arguments (list[str]): arguments.
          streams (dict[str, object]): standard streams, pipes where they are not given.

        Returns:
          CompletedProcess: the process.
        """
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        # Without a buffer Python reports much at once. With one it reports that at the
        # end.
        environment = {**os.environ}
        environment.pop("PYTHONUNBUFFERED", None)
        process = subprocess.run(
            ["/bin/sh", "-c", f'exec "$@" {redirection:s}', "sh", sys.executable, "-m"]
            + ["plaso_atop", *arguments],
            check=False,
            cwd=test_lib.PROJECT_PATH,
            encoding="utf-8",
            env=environment,
            timeout=60,
            **streams,
        )
        if process.stderr is not None:
            self.assertNotIn("Traceback", process.stderr)
        return process

    def testClosedStreams(self):
        """Tests standard streams that the caller closed."""
        log_path = test_lib.LOGS[0].path
        missing_path = os.path.join(self._MakeDirectory(), "missing")
        error = f"{missing_path:s}: No such file or directory\n"

        for redirection, expected_streams in (
            (">&-", ("", error)),
            ("<&- >&-", ("", error)),
            (">&- 2>&-", ("", "")),
            ("<&- >&- 2>&-", ("", "")),
        ):
            process = self._RunInShell(redirection, "info", missing_path, log_path)
            self.assertEqual((process.stdout, process.stderr), expected_streams)
            self.assertEqual(process.returncode, 1)

            process = self._RunInShell(redirection, "info", log_path)
            self.assertEqual((process.stdout, process.stderr), ("", ""))
            self.assertEqual(process.returncode, 0)

            for arguments in (["check"], ["--help"], ["--version"]):
                process = self._RunInShell(redirection, *arguments)
                self.assertEqual((process.stdout, process.stderr), ("", ""))
                self.assertEqual(process.returncode, 0)

        # What is wrong does not become part of the output.
        process = self._RunInShell("2>&-", "info", missing_path, log_path)
        self.assertTrue(process.stdout.startswith(f"{log_path:s}\n"), process.stdout)
        self.assertEqual(process.returncode, 1)

    def testClosedPipe(self):
        """Tests a pipe whose reader is gone."""
        log_path = test_lib.LOGS[0].path
        missing_path = os.path.join(self._MakeDirectory(), "missing")
        for arguments in (
            ["info", missing_path, *[log_path] * 100],
            ["info", log_path],
            ["check"],
            ["--help"],
        ):
            for streams in ("", "2>&1"):
                reader, writer = os.pipe()
                os.close(reader)
                with os.fdopen(writer, "wb") as pipe:
                    process = self._RunInShell(streams, *arguments, stdout=pipe)

                # What went to the other stream before is not lost.
                expected_error = ""
                if missing_path in arguments and not streams:
                    expected_error = (
                        f"{missing_path:s}: {os.strerror(errno.ENOENT):s}\n"
                    )
                self.assertEqual(process.stderr, expected_error)
                self.assertEqual(process.returncode, 1)

    def testHead(self):
        """Tests a reader that only wants the first line."""
        process = subprocess.run(
            [
                "/bin/sh",
                "-c",
                'python="$1"; shift; "$python" -m plaso_atop info "$@" | head -n 1',
                "sh",
                sys.executable,
                *[test_lib.LOGS[0].path] * 200,
            ],
            capture_output=True,
            check=True,
            cwd=test_lib.PROJECT_PATH,
            encoding="utf-8",
            timeout=60,
        )
        self.assertEqual(process.stdout, f"{test_lib.LOGS[0].path:s}\n")
        self.assertEqual(process.stderr, "")

    @unittest.skipUnless(os.path.exists("/dev/full"), "needs /dev/full")
    def testFullDisk(self):
        """Tests output to a disk that is full, which is not a fault of the log."""
        for arguments in (["info", *[test_lib.LOGS[0].path] * 100], ["check"]):
            process = self._RunInShell("> /dev/full", *arguments)
            self.assertEqual(
                process.stderr, f"plaso-atop: {os.strerror(errno.ENOSPC):s}\n"
            )
            self.assertEqual(process.returncode, 1)

    def testInterrupted(self):
        """Tests Ctrl-C."""
        script = (
            "import sys\n"
            "from plaso_atop import __main__\n"
            "from plaso_atop.commands import info\n"
            "def Interrupt(paths):\n"
            "    print('log')\n"
            "    raise KeyboardInterrupt\n"
            "info.Info = Interrupt\n"
            "sys.argv[1:] = ['info', 'log']\n"
            "sys.exit(__main__.Main())\n"
        )
        process = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            check=False,
            cwd=test_lib.PROJECT_PATH,
            encoding="utf-8",
            timeout=60,
        )
        self.assertEqual(process.stdout, "log\n")
        self.assertEqual(process.stderr, "")
        self.assertEqual(process.returncode, 130)

    def testImports(self):
        """Tests that the commands do not import what only another one needs."""
        script = (
            "import sys\n"
            "from plaso_atop import __main__\n"
            "sys.argv[1:] = ['info', sys.argv[1]]\n"
            "__main__.Main()\n"
            "print([name for name in ('plaso', 'dfvfs', 'plaso_atop.commands.check')\n"
            "    if name in sys.modules])\n"
        )
        process = subprocess.run(
            [sys.executable, "-c", script, test_lib.LOGS[0].path],
            capture_output=True,
            check=True,
            cwd=test_lib.PROJECT_PATH,
            encoding="utf-8",
            timeout=60,
        )
        self.assertEqual(process.stdout.splitlines()[-1], "[]")

    def testEscapeUnencodable(self):
        """Tests the _EscapeUnencodable function."""
        main._PrepareStreams()
        for value, encoding, expected_data in (
            ("a\xfc\u20ac", "ascii", b"a\\u00fc\\u20ac"),
            ("a\xfc\u20ac", "latin-1", b"a\xfc\\u20ac"),
            ("\U0001f600", "ascii", b"\\ud83d\\ude00"),
            ("\udcfc", "utf-8", b"\\udcfc"),
        ):
            self.assertEqual(value.encode(encoding, main.ERROR_HANDLER), expected_data)


if __name__ == "__main__":
    unittest.main()
