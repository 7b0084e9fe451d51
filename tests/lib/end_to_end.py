"""Shared functionality to run the tools of Plaso in tests."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from tests.lib import test_lib


class ToolsTestCase(test_lib.BaseTestCase):
    """Shared functionality to run the tools of Plaso."""

    @classmethod
    def setUpClass(cls):
        """Makes a directory for the files of the tests."""
        super().setUpClass()
        cls._directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls._directory)

    @classmethod
    def _GetPath(cls, name):
        """Retrieves the path of a file of the tests.

        Args:
          name (str): name of the file.

        Returns:
          str: path of the file.
        """
        return os.path.join(cls._directory, name)

    @classmethod
    def _RunTool(cls, name, *arguments):
        """Runs a tool of Plaso.

        Args:
          name (str): name of the tool.
          arguments (list[str]): arguments.

        Returns:
          str: what the tool printed.

        Raises:
          AssertionError: if the tool failed or printed a traceback.
        """
        process = subprocess.run(
            [sys.executable, "-m", f"plaso.scripts.{name:s}", *arguments],
            check=False,
            cwd=cls._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        if process.returncode or "Traceback" in process.stdout:
            raise AssertionError(f"{name:s} failed: {process.stdout:s}")
        return process.stdout

    @classmethod
    def _RunQuietTool(cls, name, *arguments):
        """Runs a tool of Plaso that asks nothing and keeps its log with the tests.

        Args:
          name (str): name of the tool.
          arguments (list[str]): arguments.
        """
        log_path = cls._GetPath(f"{name:s}.log.gz")
        cls._RunTool(name, "--quiet", "--unattended", "--logfile", log_path, *arguments)

    @classmethod
    def _Extract(cls, source, name, *arguments):
        """Extracts events with log2timeline.

        Args:
          source (str): path of the source.
          name (str): name of the storage file.
          arguments (list[str]): more arguments.

        Returns:
          str: path of the storage file.
        """
        path = cls._GetPath(name)
        cls._RunQuietTool(
            "log2timeline",
            "--status-view",
            "none",
            "--storage-file",
            path,
            *arguments,
            source,
        )
        return path

    @classmethod
    def _Output(cls, storage_path, module, *arguments):
        """Writes events with psort.

        Args:
          storage_path (str): path of the storage file.
          module (str): name of the output module.
          arguments (list[str]): more arguments.

        Returns:
          str: path of the output.
        """
        path = cls._GetPath(f"{os.path.basename(storage_path):s}.{module:s}")
        if os.path.exists(path):
            os.remove(path)
        cls._RunQuietTool(
            "psort",
            "--status-view",
            "none",
            "-o",
            module,
            "-w",
            path,
            *arguments,
            storage_path,
        )
        return path

    def _ReadEvents(self, storage_path, *arguments):
        """Reads the events of a storage file, as psort writes them as JSON lines.

        Args:
          storage_path (str): path of the storage file.
          arguments (list[str]): more arguments of psort.

        Returns:
          list[dict[str, object]]: events.
        """
        path = self._Output(storage_path, "json_line", *arguments)
        with open(path, encoding="utf-8") as file_object:
            return [json.loads(line) for line in file_object]
