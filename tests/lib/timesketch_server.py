"""A Timesketch server that was set up with the commands of docs/timesketch.md.

This runs in the environment of the server, where this package is not installed.
"""

import argparse
import contextlib
import glob
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request

PROJECT_PATH = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
FORMATTERS_PATH = os.path.join(PROJECT_PATH, "data", "formatters", "atop.yaml")
DATA_PATH = os.path.join(PROJECT_PATH, "data", "timesketch")
DOCUMENT_PATH = os.path.join(PROJECT_PATH, "docs", "timesketch.md")

# Where scripts/timesketch.sh unpacked the sdist, which has the configuration files.
SOURCE_PATH = os.path.join(sys.prefix, "source")

SYSTEM_CONFIGURATION_PATH = "/etc/timesketch"

START_TIMEOUT_SECONDS = 120
IMPORT_TIMEOUT_SECONDS = 900
STOP_TIMEOUT_SECONDS = 20


class TimesketchServer:
    """Web server, worker and redis, with osmem in place of OpenSearch.

    All listen on free ports of the loopback interface, store what they store in memory
    or in a temporary directory, and end with the context.

    Attributes:
      index_url (str): URL of the index server.
      password (str): password of the user.
      url (str): URL of the web server.
      username (str): name of the user.
    """

    def __init__(self):
        """Initializes a server."""
        super().__init__()
        self._directory = None
        self._environment = None
        self._exit_stack = None
        self._processes = {}
        self.index_url = None
        self.password = secrets.token_urlsafe(12)
        self.url = None
        self.username = "examiner"

    def __enter__(self):
        """Starts the server.

        Returns:
          TimesketchServer: server.
        """
        with contextlib.ExitStack() as exit_stack:
            self._exit_stack = exit_stack
            self._Start()
            self._exit_stack = exit_stack.pop_all()

        return self

    def __exit__(self, *unused_arguments):
        """Stops the server and removes what it stored."""
        self._exit_stack.close()

    def _AddData(self):
        """Adds what the package has for Timesketch, with the commands of the document.

        Raises:
          RuntimeError: if a command failed.
        """
        with open(DOCUMENT_PATH, encoding="utf-8") as file_object:
            (commands,) = re.findall(
                r"^```sh\n(.*?)^```", file_object.read(), re.DOTALL | re.MULTILINE
            )

        data_path = self._GetPath("data")
        shutil.copytree(os.path.join(PROJECT_PATH, "data"), data_path)
        self._ReplaceConfigurationPath(
            os.path.join(data_path, "timesketch", "timesketch.conf")
        )
        configuration_path = self.GetConfigurationPath()
        self._Run(
            *("sh", "-e", "-u", "-c"),
            commands.replace(SYSTEM_CONFIGURATION_PATH, configuration_path),
            cwd=data_path,
        )

    def _Configure(self, ports):
        """Writes the configuration files.

        Args:
          ports (dict[str, int]): port per name of a process.

        Raises:
          RuntimeError: if a configuration of this machine would take precedence.
        """
        if os.path.exists(SYSTEM_CONFIGURATION_PATH):
            raise RuntimeError(f"{SYSTEM_CONFIGURATION_PATH:s} would be used instead")

        # Timesketch looks for some of its configuration files beside its package.
        library_path = self._GetPath("library")
        os.mkdir(library_path)
        (package_path,) = glob.glob(
            os.path.join(sys.prefix, "lib", "python3*", "site-packages", "timesketch")
        )
        os.symlink(package_path, os.path.join(library_path, "timesketch"))
        shutil.copytree(os.path.join(SOURCE_PATH, "data"), self.GetConfigurationPath())

        path = self.GetConfigurationPath("timesketch.conf")
        self._ReplaceConfigurationPath(path)
        with open(path, "a", encoding="utf-8") as file_object:
            file_object.write(textwrap.dedent(f"""
                CELERY_BROKER_URL = "redis://127.0.0.1:{ports['redis']:d}"
                CELERY_RESULT_BACKEND = CELERY_BROKER_URL
                OPENSEARCH_HOSTS = [{{"host": "127.0.0.1", "port": {ports['index']:d}}}]
                # osmem is slow.
                OPENSEARCH_TIMEOUT = 120
                PLASO_LOG_FOLDER = {self._GetPath('psort')!r}
                PSORT_PATH = {self._GetToolPath('psort')!r}
                SECRET_KEY = {secrets.token_urlsafe()!r}
                SQLALCHEMY_DATABASE_URI = "sqlite:///{self._GetPath('database'):s}"
                SQLALCHEMY_ENGINE_OPTIONS = {{}}
                UPLOAD_ENABLED = True
                UPLOAD_FOLDER = {self._GetPath('upload')!r}
                """))

        for name in list(self._environment):
            if name.startswith(("FLASK_", "PLASO_", "TIMESKETCH_")):
                del self._environment[name]
        self._environment["HOME"] = self._directory
        self._environment["PATH"] = os.pathsep.join(
            (os.path.dirname(self._GetToolPath("tsctl")), self._environment["PATH"])
        )
        self._environment["PYTHONPATH"] = library_path
        self._environment["TIMESKETCH_SETTINGS"] = path

    def _GetPath(self, name):
        """Retrieves the path of a file of the server.

        Args:
          name (str): name of the file.

        Returns:
          str: path.
        """
        return os.path.join(self._directory, name)

    def _GetToolPath(self, name):
        """Retrieves the path of a tool in the environment of the server.

        Args:
          name (str): name of the tool.

        Returns:
          str: path.
        """
        return os.path.join(sys.prefix, "bin", name)

    def _ReplaceConfigurationPath(self, path):
        """Has a file name the configuration of this server.

        Args:
          path (str): path of the file.
        """
        with open(path, encoding="utf-8") as file_object:
            text = file_object.read()
        with open(path, "w", encoding="utf-8") as file_object:
            file_object.write(
                text.replace(SYSTEM_CONFIGURATION_PATH, self.GetConfigurationPath())
            )

    def _Run(self, *arguments, cwd):
        """Runs a program to its end.

        Args:
          arguments (list[str]): program and its arguments.
          cwd (str): working directory.

        Returns:
          str: output.

        Raises:
          RuntimeError: if the program failed.
        """
        process = subprocess.run(
            arguments,
            check=False,
            cwd=cwd,
            encoding="utf-8",
            env=self._environment,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        if process.returncode != 0:
            raise RuntimeError(f"{arguments[0]:s} failed:\n{process.stdout:s}")
        return process.stdout

    def _Start(self):
        """Starts the server."""
        self._directory = self._exit_stack.enter_context(
            tempfile.TemporaryDirectory(prefix="timesketch-")
        )
        os.mkdir(self._GetPath("upload"))
        self._environment = dict(os.environ)

        names = ("index", "redis", "web")
        with contextlib.ExitStack() as exit_stack:
            sockets = [exit_stack.enter_context(socket.socket()) for _ in names]
            for socket_object in sockets:
                socket_object.bind(("127.0.0.1", 0))
            ports = {
                name: socket_object.getsockname()[1]
                for name, socket_object in zip(names, sockets)
            }

        self.index_url = f"http://127.0.0.1:{ports['index']:d}"
        self.url = f"http://127.0.0.1:{ports['web']:d}"
        self._Configure(ports)

        # Is only there in the environment of the server.
        import osmem_server  # pylint: disable=import-outside-toplevel

        self._StartProcess(
            "index",
            *(osmem_server.resolve_binary(), "-no-ja", "-no-stdin-watch"),
            *("-addr", f"127.0.0.1:{ports['index']:d}"),
        )
        self._StartProcess(
            "redis",
            *("redis-server", "--bind", "127.0.0.1", "--port", f"{ports['redis']:d}"),
            *("--save", "", "--appendonly", "no", "--dir", self._directory),
        )
        self._WaitForURL("index", self.index_url)

        self.RunTool("tsctl", "create-user", self.username, "--password", self.password)
        self._AddData()

        self._StartProcess(
            "worker",
            *(self._GetToolPath("celery"), "--app", "timesketch.lib.tasks", "worker"),
            *("--concurrency", "1", "--loglevel", "info"),
        )
        self._StartProcess(
            "web",
            *(self._GetToolPath("gunicorn"), "--bind", f"127.0.0.1:{ports['web']:d}"),
            *("--graceful-timeout", "1", "--no-control-socket"),
            *("--threads", "4", "--timeout", "600"),
            *("--worker-class", "gthread", "--workers", "1"),
            "timesketch.wsgi:application",
        )
        self._WaitForURL("web", f"{self.url:s}/login/")

    def _StartProcess(self, name, *arguments):
        """Starts a process that ends with the server.

        Args:
          name (str): name of the process.
          arguments (list[str]): program and its arguments.
        """
        with open(self._GetPath(f"{name:s}.log"), "wb") as file_object:
            # pylint: disable-next=consider-using-with
            process = subprocess.Popen(
                arguments,
                cwd=self._directory,
                env=self._environment,
                # What interrupts this process is no reason to end before its turn.
                start_new_session=True,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                stdout=file_object,
            )
        self._processes[name] = process
        self._exit_stack.callback(self._StopProcess, process)

    def _StopProcess(self, process):
        """Stops a process and those that it started.

        Args:
          process (subprocess.Popen): process.
        """
        process.terminate()
        try:
            process.wait(timeout=STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            pass

        # Its process group is its own, and empty where all is well.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _WaitForURL(self, name, url):
        """Waits until a process answers.

        Args:
          name (str): name of the process.
          url (str): URL.

        Raises:
          RuntimeError: if it does not answer.
        """
        end_time = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < end_time and self._processes[name].poll() is None:
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(url, timeout=START_TIMEOUT_SECONDS):
                    return
            time.sleep(0.2)

        raise RuntimeError(f"{name:s} did not start:\n{self.GetLog(name):s}")

    def Connect(self):
        """Connects to the server as the user.

        Returns:
          timesketch_api_client.client.TimesketchApi: client.
        """
        # Is only there in the environment of the server.
        # pylint: disable=import-outside-toplevel
        from timesketch_api_client import client

        return client.TimesketchApi(self.url, self.username, self.password)

    def GetConfigurationPath(self, *names):
        """Retrieves the path of the configuration.

        Args:
          names (list[str]): names of a directory or file in it.

        Returns:
          str: path.
        """
        return os.path.join(self._GetPath("library"), "data", *names)

    def GetLog(self, name):
        """Retrieves the last lines that a process has written.

        Args:
          name (str): name of the process: index, redis, worker or web.

        Returns:
          str: lines.
        """
        with open(
            self._GetPath(f"{name:s}.log"), encoding="utf-8", errors="replace"
        ) as file_object:
            return "".join(file_object.readlines()[-50:])

    def Import(self, sketch, path, name):
        """Uploads a file and waits until it is a timeline.

        Args:
          sketch (timesketch_api_client.sketch.Sketch): sketch.
          path (str): path of the file.
          name (str): name of the timeline.

        Returns:
          timesketch_api_client.timeline.Timeline: timeline.

        Raises:
          RuntimeError: if the server failed to import the file.
        """
        # Is only there in the environment of the server.
        # pylint: disable=import-outside-toplevel
        from timesketch_import_client import importer

        with importer.ImportStreamer() as streamer:
            streamer.set_sketch(sketch)
            streamer.set_timeline_name(name)
            streamer.add_file(path)

        status = None
        end_time = time.monotonic() + IMPORT_TIMEOUT_SECONDS
        while time.monotonic() < end_time and status != "fail":
            sketch.lazyload_data(refresh_cache=True)
            for timeline in sketch.list_timelines():
                if timeline.name == name:
                    status = timeline.status
                    if status == "ready":
                        return timeline
            time.sleep(0.5)

        raise RuntimeError(
            f"import of {path:s} ended as: {status!s}\n{self.GetLog('worker'):s}"
        )

    def RunTool(self, name, *arguments):
        """Runs a tool in the environment of the server.

        Args:
          name (str): name of the tool.
          arguments (list[str]): arguments.

        Returns:
          str: output.

        Raises:
          RuntimeError: if the tool failed.
        """
        return self._Run(self._GetToolPath(name), *arguments, cwd=self._directory)


def Main():
    """Serves files until interrupted.

    Returns:
      int: exit code.
    """
    argument_parser = argparse.ArgumentParser()
    argument_parser.add_argument("paths", metavar="FILE", nargs="+")
    options = argument_parser.parse_args()

    # Have an end by a signal leave the context.
    signal.signal(signal.SIGTERM, lambda *unused_arguments: sys.exit(0))

    with TimesketchServer() as server:
        sketch = server.Connect().create_sketch("atop")
        for path in options.paths:
            name, _ = os.path.splitext(os.path.basename(path))
            try:
                server.Import(sketch, os.path.abspath(path), name)
            except RuntimeError as exception:
                # The reason is what the worker wrote last.
                lines = f"{exception!s}".splitlines()
                print(lines[0], lines[-1], sep="\n", file=sys.stderr)
                return 1

        print(f"URL:      {server.url:s}/sketch/{sketch.id:d}/explore")
        print(f"User:     {server.username:s}")
        print(f"Password: {server.password:s}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()

    return 0


if __name__ == "__main__":
    sys.exit(Main())
