"""Runs programs and measures what they use."""

import collections
import contextlib
import glob
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

PROJECT_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

_POLL_INTERVAL = 0.1

Usage = collections.namedtuple(
    "Usage",
    ["wall_time", "cpu_time", "main_cpu_time", "main_memory", "worker_memory"],
)
Usage.__doc__ = """What a program used.

Attributes:
  wall_time (float): seconds until it ended.
  cpu_time (float): seconds of CPU time of the program and of all that it started.
  main_cpu_time (float): seconds of CPU time of the program alone, None if not asked
      for.
  main_memory (int): largest resident size in bytes that the program itself ever had,
      None if not asked for.
  worker_memory (int): largest resident size in bytes that one of the processes that it
      started ever had, None if not asked for.
"""


class _Watcher(threading.Thread):
    """Watches a program while it runs.

    The kernel keeps the peak of a process, hence it does not matter when it was but
    that the process is seen shortly before it ends.

    Attributes:
      main_cpu_time (float): seconds of CPU time of the program alone.
      main_memory (int): largest resident size in bytes of the program.
      worker_memory (int): largest resident size in bytes of what the program started.
    """

    _TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

    def __init__(self, pid):
        """Initializes a watcher.

        Args:
          pid (int): process identifier of the program.
        """
        super().__init__(daemon=True)
        self._has_ended = threading.Event()
        self._pid = pid
        self.main_cpu_time = 0.0
        self.main_memory = 0
        self.worker_memory = 0

    def _GetDescendants(self, pid):
        """Retrieves the processes that a process started, and those that they did.

        Args:
          pid (int): process identifier.

        Yields:
          int: process identifier.
        """
        for path in glob.glob(f"/proc/{pid:d}/task/*/children"):
            with contextlib.suppress(OSError):
                with open(path, encoding="ascii") as file_object:
                    children = [int(child) for child in file_object.read().split()]
                for child in children:
                    yield child
                    yield from self._GetDescendants(child)

    def _GetPeakMemory(self, pid):
        """Retrieves the largest resident size that a process had so far.

        Args:
          pid (int): process identifier.

        Returns:
          int: size in bytes, 0 if the process has ended.
        """
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid:d}/status", encoding="utf-8") as file_object:
                for line in file_object:
                    if line.startswith("VmHWM:"):
                        return int(line.split()[1]) * 1024
        return 0

    def _Look(self):
        """Looks at the program and what it started."""
        with contextlib.suppress(OSError):
            with open(f"/proc/{self._pid:d}/stat", encoding="utf-8") as file_object:
                values = file_object.read().rpartition(")")[2].split()
            self.main_cpu_time = sum(map(int, values[11:13])) / self._TICKS_PER_SECOND

        self.main_memory = max(self.main_memory, self._GetPeakMemory(self._pid))
        for pid in self._GetDescendants(self._pid):
            self.worker_memory = max(self.worker_memory, self._GetPeakMemory(pid))

    def run(self):
        """Watches the program until it ended."""
        while not self._has_ended.wait(_POLL_INTERVAL):
            self._Look()

    def Stop(self):
        """Stops watching."""
        self._has_ended.set()
        self.join()


@contextlib.contextmanager
def LimitCores(number_of_cores):
    """Limits this process and what it starts to a number of cores.

    Args:
      number_of_cores (int): number of cores.

    Yields:
      int: number of cores, which is smaller where there are not as many.
    """
    cores = os.sched_getaffinity(0)
    limited_cores = sorted(cores)[:number_of_cores]
    os.sched_setaffinity(0, limited_cores)
    try:
        yield len(limited_cores)
    finally:
        os.sched_setaffinity(0, cores)


def Measure(arguments, directory, is_watched=False):
    """Runs a program and measures what it uses.

    Args:
      arguments (list[str]): program and its arguments.
      directory (str): path of the working directory.
      is_watched (Optional[bool]): True to measure what the main process and those that
          it starts use.

    Returns:
      Usage: what it used.

    Raises:
      RuntimeError: if the program fails.
    """
    watcher = None
    with tempfile.TemporaryFile() as error_file:
        start_time = time.perf_counter()
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            arguments, cwd=directory, stdout=subprocess.DEVNULL, stderr=error_file
        )
        if is_watched:
            watcher = _Watcher(process.pid)
            watcher.start()
        # Counts all that the program started and waited for as well.
        _, status, resources = os.wait4(process.pid, 0)
        wall_time = time.perf_counter() - start_time

        process.returncode = os.waitstatus_to_exitcode(status)
        if watcher:
            watcher.Stop()

        if process.returncode:
            error_file.seek(0)
            raise RuntimeError(
                f"exit code: {process.returncode:d} of {' '.join(arguments):s}\n"
                f"{error_file.read().decode('utf-8', 'replace'):s}"
            )

    return Usage(
        wall_time,
        resources.ru_utime + resources.ru_stime,
        watcher and watcher.main_cpu_time,
        watcher and watcher.main_memory,
        watcher and watcher.worker_memory,
    )


def GetModuleArguments(name, *arguments):
    """Retrieves the command line of a module of the benchmarks.

    Args:
      name (str): name of the module.
      arguments (list[str]): arguments.

    Returns:
      list[str]: command line, for the directory of the project.
    """
    return [sys.executable, "-m", name, *arguments]


def CallModule(name, *arguments):
    """Runs a module of the benchmarks as a program, in a process of its own.

    Args:
      name (str): name of the module.
      arguments (list[str]): arguments.

    Returns:
      object: what it printed as JSON.

    Raises:
      RuntimeError: if it fails.
    """
    process = subprocess.run(
        GetModuleArguments(name, *arguments),
        capture_output=True,
        check=False,
        cwd=PROJECT_PATH,
        text=True,
    )
    if process.returncode:
        raise RuntimeError(f"{name:s} {arguments[0]:s} failed\n{process.stderr:s}")
    return json.loads(process.stdout)


def GetLog2TimelineArguments(source_path, storage_path, parsers=None):
    """Retrieves the command line of log2timeline.

    Args:
      source_path (str): path of the source.
      storage_path (str): path of the storage file, which must not exist.
      parsers (Optional[str]): filter expression of the parsers, None for all of the
          default preset.

    Returns:
      list[str]: path of the tool of this environment and its arguments.
    """
    arguments = [
        os.path.join(os.path.dirname(sys.executable), "log2timeline"),
        *("--quiet", "--unattended", "--status_view", "none"),
        *("--logfile", f"{storage_path:s}.log.gz", "--storage_file", storage_path),
    ]
    if parsers:
        arguments.extend(["--parsers", parsers])
    return arguments + [source_path]
