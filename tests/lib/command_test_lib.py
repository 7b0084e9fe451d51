"""Shared functions and classes for testing the commands of plaso-atop."""

import os
import subprocess
import sys
import tempfile

from tests.lib import test_lib


class CommandTestCase(test_lib.BaseTestCase):
    """Test case of a command."""

    def _MakeDirectory(self):
        """Makes a directory that is removed after the test.

        Returns:
          str: path of the directory.
        """
        # pylint: disable=consider-using-with
        temporary_directory = tempfile.TemporaryDirectory()
        self.addCleanup(temporary_directory.cleanup)
        return temporary_directory.name

    def _Run(self, *arguments, environment=None, exit_code=None):
        """Runs the tool.

        Args:
          arguments (list[str]): arguments.
          environment (Optional[dict[str, str]]): additional environment variables.
          exit_code (Optional[int]): expected exit code, None if any.

        Returns:
          CompletedProcess: the process.
        """
        process = subprocess.run(
            [sys.executable, "-m", "plaso_atop", *arguments],
            capture_output=True,
            check=False,
            cwd=test_lib.PROJECT_PATH,
            encoding="utf-8",
            env={**os.environ, **(environment or {})},
            timeout=60,
        )
        self.assertNotIn("Traceback", process.stderr)
        if exit_code is not None:
            self.assertEqual(
                process.returncode, exit_code, process.stdout + process.stderr
            )
        return process

    def _WriteFile(self, data, name=b"log", directory=None):
        """Writes a file that is removed after the test.

        Args:
          data (bytes): contents of the file.
          name (Optional[bytes]): name of the file.
          directory (Optional[str]): path of the directory, None for a new one.

        Returns:
          str: path of the file.
        """
        path = os.path.join(os.fsencode(directory or self._MakeDirectory()), name)
        with open(path, "wb") as file_object:
            file_object.write(data)

        return os.fsdecode(path)
