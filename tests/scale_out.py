#!/usr/bin/env python3
"""Tests with a worker of a job queue, as OpenRelik, Turbinia and Timesketch have."""

import collections
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import unittest

import celery
import redis

from plaso_atop import parser

from tests.lib import end_to_end
from tests.lib import test_lib

REDIS_SERVER = shutil.which("redis-server")


@unittest.skipUnless(REDIS_SERVER, "redis-server is not installed")
class WorkerTest(end_to_end.ToolsTestCase):
    """Tests with a Celery worker and a Redis server."""

    _TIMEOUT_SECONDS = 300

    @classmethod
    def _StartProcess(cls, name, *arguments, **kwargs):
        """Starts a process that is ended after the tests.

        Args:
          name (str): name of the log of the process.
          arguments (list[str]): arguments.
          kwargs (dict[str, object]): arguments of subprocess.Popen.

        Returns:
          subprocess.Popen: process.
        """
        with open(cls._GetPath(f"{name:s}.log"), "wb") as file_object:
            # pylint: disable-next=consider-using-with
            process = subprocess.Popen(
                arguments,
                cwd=cls._directory,
                stdin=subprocess.DEVNULL,
                stdout=file_object,
                stderr=subprocess.STDOUT,
                **kwargs,
            )

        cls.addClassCleanup(process.wait, timeout=60)
        cls.addClassCleanup(process.terminate)
        return process

    @classmethod
    def _StartRedis(cls):
        """Starts a Redis server on a free port of the loopback interface.

        Returns:
          str: URL of the server.

        Raises:
          AssertionError: if the server does not start.
        """
        with socket.socket() as free_socket:
            free_socket.bind(("127.0.0.1", 0))
            _, port = free_socket.getsockname()

        arguments = ["--bind", "127.0.0.1", "--port", f"{port:d}", "--save", ""]
        process = cls._StartProcess("redis", REDIS_SERVER, *arguments)

        url = f"redis://127.0.0.1:{port:d}/0"
        end_time = time.monotonic() + cls._TIMEOUT_SECONDS
        while process.poll() is None and time.monotonic() < end_time:
            try:
                redis.Redis.from_url(url).ping()
                return url
            except redis.exceptions.ConnectionError:
                time.sleep(0.1)

        raise AssertionError(f"redis-server failed: {cls._ReadLog('redis'):s}")

    @classmethod
    def _StartWorker(cls, url):
        """Starts a worker.

        Args:
          url (str): URL of the Redis server.

        Returns:
          subprocess.Popen: process of the worker.
        """
        shutil.copy(
            os.path.join(test_lib.PROJECT_PATH, "tests", "lib", "scale_out_worker.py"),
            cls._directory,
        )
        # The tools are found as those of the Python that runs the tests.
        path = os.pathsep.join(
            [os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]
        )
        arguments = ["--app", "scale_out_worker", "worker", "--concurrency", "1"]
        return cls._StartProcess(
            "worker",
            sys.executable,
            "-m",
            "celery",
            *arguments,
            env={**os.environ, "PATH": path, "REDIS_URL": url},
        )

    @classmethod
    def _ReadLog(cls, name):
        """Reads what a process printed.

        Args:
          name (str): name of the log of the process.

        Returns:
          str: what the process printed.
        """
        path = cls._GetPath(f"{name:s}.log")
        with open(path, encoding="utf-8", errors="backslashreplace") as file_object:
            return file_object.read()

    @classmethod
    def setUpClass(cls):
        """Starts the server and the worker."""
        super().setUpClass()
        url = cls._StartRedis()
        cls._app = celery.Celery(broker=url, backend=url)
        cls.addClassCleanup(cls._app.close)
        cls._worker = cls._StartWorker(url)

    def _GetTasks(self):
        """Retrieves the tasks that the worker reports once it has started.

        Returns:
          list[str]: names of the tasks with their metadata.
        """
        end_time = time.monotonic() + self._TIMEOUT_SECONDS
        while time.monotonic() < end_time and self._worker.poll() is None:
            replies = self._app.control.inspect(timeout=1).registered("metadata")
            if replies:
                (tasks,) = replies.values()
                return tasks

        raise AssertionError(f"the worker failed: {self._ReadLog('worker'):s}")

    def testParsers(self):
        """Tests that the worker offers the parser with its plugins."""
        (task,) = [task for task in self._GetTasks() if task.startswith("log2timeline")]
        self.assertIn("'atop'", task)
        for name, _ in parser.AtopParser.GetPlugins():
            self.assertIn(f"'atop/{name:s}'", task)

    def testTools(self):
        """Tests that the tools that the worker calls know the events."""
        source_path = test_lib.GetTestFilePath(["atop-2.12.1.raw"])
        output_path = self._GetPath("events.jsonl")
        tasks = celery.chain(
            celery.signature(
                "log2timeline",
                (source_path, self._GetPath("worker.plaso")),
                app=self._app,
            ),
            celery.signature("psort", (output_path,), app=self._app),
        )
        result = tasks.apply_async().get(timeout=self._TIMEOUT_SECONDS)
        self.assertEqual(result, output_path)

        with open(output_path, encoding="utf-8") as file_object:
            events = [json.loads(line) for line in file_object]

        # The same as without a worker.
        expected_events = self._ReadEvents(self._Extract(source_path, "direct.plaso"))
        self.assertEqual(
            collections.Counter(event["message"] for event in events),
            collections.Counter(event["message"] for event in expected_events),
        )
        data_types = collections.Counter(event["data_type"] for event in events)
        for name in ("network_interface", "process", "session", "system"):
            self.assertGreater(data_types[f"linux:atop:{name:s}"], 0, name)

        messages = [
            event["message"]
            for event in events
            if event["data_type"] == "linux:atop:process"
        ]
        self.assertTrue(all(message.startswith("Process: ") for message in messages))


if __name__ == "__main__":
    unittest.main()
