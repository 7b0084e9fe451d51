"""Compares how fast Python and log2timeline start with and without the package.

Both are virtual environments that see the packages of this one, and differ in nothing
but the .pth file, with which Python learns of the package.
"""

import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile

from benchmarks.lib import logs
from benchmarks.lib import processes
from benchmarks.lib import report

# In seconds.
MAXIMUM_FIRST_LOG_TIME = 0.04

_PTH_FILE = "plaso_atop.pth"

_WITH = "with"
_WITHOUT = "without"

# What is started, and how often in a run.
_PYTHON = "python -c pass"
_VERSION = "log2timeline --version"
_IMAGE = "log2timeline, image without logs"
_NUMBERS_OF_REPETITIONS = {_PYTHON: 20, _VERSION: 4, _IMAGE: 2}

# Prints if Python knows of the package, and if it is there once Plaso is.
_CHECK_SCRIPT = """
import sys
print("PlasoAtopFinder" in repr(sys.meta_path))
from plaso.parsers import manager
import plaso.parsers
print("atop" in manager.ParsersManager.GetParserObjects())
print("plaso_atop" in sys.modules)
"""

# Prints what it costs, in seconds of CPU time: importing what reads logs, the first log
# up to its first task, and the same log again. Plaso has imported dtFabric before.
_FIRST_LOG_SCRIPT = """
import sys
import time
from dtfabric import reader
times = [time.process_time()]
from plaso_atop import rawlog
times.append(time.process_time())
for _ in range(2):
    with open(sys.argv[1], "rb") as file_object:
        sample = next(rawlog.RawLog(file_object).samples())
        next(iter(sample.tasks()))
    times.append(time.process_time())
print(*(end - start for start, end in zip(times, times[1:])))
"""


def _CreateEnvironment(path, has_package):
    """Creates a virtual environment with the packages of this one.

    A .pth file adds directories, but Python does not run the .pth files in these.

    Args:
      path (str): path of the environment.
      has_package (bool): True if Python is to learn of the package.

    Returns:
      str: path of the Python interpreter.

    Raises:
      RuntimeError: if Python learns of the package and is not to, or the reverse.
    """
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", path],
        check=True,
    )
    python_path = os.path.join(path, "bin", "python")
    packages_path = sysconfig.get_path("purelib", vars={"base": path, "platbase": path})
    own_packages_path = sysconfig.get_path("purelib")
    with open(
        os.path.join(packages_path, "packages.pth"), "w", encoding="utf-8"
    ) as file_object:
        file_object.write(f"{own_packages_path:s}\n")
    if has_package:
        shutil.copy(os.path.join(own_packages_path, _PTH_FILE), packages_path)

    process = subprocess.run(
        [python_path, "-c", _CHECK_SCRIPT],
        check=True,
        cwd=path,
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.stdout.split() != [f"{has_package!s}"] * 3:
        raise RuntimeError(
            f"the environment that is to be {_WITH if has_package else _WITHOUT:s} the "
            f"package is not, which has to be installed and not as editable: "
            f"{process.stdout!r}"
        )
    return python_path


def _CreateImage(directory):
    """Creates an ext4 file system without atop logs.

    Args:
      directory (str): path of a directory.

    Returns:
      str: path of the image, or None if mke2fs is not installed.
    """
    tool_path = shutil.which("mke2fs", path=f"{os.environ['PATH']:s}:/usr/sbin:/sbin")
    if not tool_path:
        return None

    root_path = os.path.join(directory, "root")
    for path, text in (
        ("etc/hostname", "server\n"),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
        ("root/.bash_history", "#1790812800\nuptime\n"),
        ("var/log/auth.log", "Oct  1 00:00:00 server sshd[1]: Server listening\n" * 99),
        ("var/log/syslog", "Oct  1 00:00:00 server cron[1]: (CRON) INFO\n" * 999),
    ):
        path = os.path.join(root_path, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file_object:
            file_object.write(text)

    image_path = os.path.join(directory, "image.raw")
    subprocess.run(
        [tool_path, "-q", "-F", "-t", "ext4", "-d", root_path, image_path, "16M"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return image_path


def _MeasureStarts(python_paths, image_path, directory, number_of_runs):
    """Measures with and without the package in turn.

    Args:
      python_paths (dict[str, str]): paths of the Python interpreters.
      image_path (str): path of the image or None if there is none.
      directory (str): path of the working directory.
      number_of_runs (int): number of runs.

    Returns:
      dict[tuple[str, str], list[Usage]]: what was used, per start and environment.
    """
    storage_path = os.path.join(directory, "startup.plaso")
    tool_path, *arguments = processes.GetLog2TimelineArguments(
        image_path or "", storage_path
    )
    commands = {
        _PYTHON: ["-c", "pass"],
        _VERSION: [tool_path, "--version"],
        _IMAGE: [tool_path, "--partitions", "all", "--volumes", "all", *arguments],
    }
    if not image_path:
        commands.pop(_IMAGE)

    usages = {}
    for run in range(number_of_runs):
        for name, arguments in commands.items():
            # The first ones of all fill the caches.
            number_of_repetitions = _NUMBERS_OF_REPETITIONS[name] + (not run)
            for repetition in range(number_of_repetitions):
                # Neither is always the one that comes after the other.
                environments = sorted(python_paths, reverse=bool(repetition % 2))
                for environment in environments:
                    usage = processes.Measure(
                        [python_paths[environment], *arguments], directory
                    )
                    if name == _IMAGE:
                        os.remove(storage_path)
                    if run or repetition:
                        usages.setdefault((name, environment), []).append(usage)
    return usages


def _MeasureFirstLog(log_path, number_of_runs):
    """Measures what the first log of a process costs before its first task.

    Args:
      log_path (str): path of the log.
      number_of_runs (int): number of runs.

    Returns:
      list[float]: medians of the seconds of CPU time of importing what reads logs, of
          the first log and of the same log again.
    """
    measured = []
    for _ in range(number_of_runs):
        process = subprocess.run(
            [sys.executable, "-c", _FIRST_LOG_SCRIPT, log_path],
            check=True,
            cwd=os.path.dirname(log_path),
            stdout=subprocess.PIPE,
            text=True,
        )
        measured.append([float(value) for value in process.stdout.split()])
    return [report.GetMedian(values) for values in zip(*measured)]


def Run(options):
    """Runs the benchmark.

    Args:
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    with tempfile.TemporaryDirectory() as directory:
        python_paths = {
            name: _CreateEnvironment(os.path.join(directory, name), name == _WITH)
            for name in (_WITH, _WITHOUT)
        }
        image_path = _CreateImage(directory)
        usages = _MeasureStarts(python_paths, image_path, directory, options.runs)

        log_path = os.path.join(directory, "atop")
        logs.LogWriter("2.12").WriteDay(log_path, 0, 1)
        first_log_times = _MeasureFirstLog(log_path, max(5, 3 * options.runs))

    rows = []
    for name in _NUMBERS_OF_REPETITIONS:
        if (name, _WITH) not in usages:
            rows.append((f"{name:s}: mke2fs is not installed",))
            continue

        for attribute in ("wall_time", "cpu_time"):
            values, other_values = (
                [getattr(usage, attribute) * 1000 for usage in usages[(name, key)]]
                for key in (_WITH, _WITHOUT)
            )
            difference = statistics.median(
                value - other_value for value, other_value in zip(values, other_values)
            )
            rows.append(
                (
                    f"{name:s}, {attribute.partition('_')[0]:s}",
                    report.GetMedian(values),
                    report.GetMedian(other_values),
                    difference,
                )
            )

    report.PrintTable(
        "Start-up with and without the package",
        ["with ms", "without ms", "more ms"],
        rows,
    )

    report.PrintTable(
        "The first log of a process, up to its first task",
        ["CPU ms"],
        [
            (label, seconds * 1000)
            for label, seconds in zip(
                ("importing", "first log", "the same log again"), first_log_times
            )
        ],
    )

    seconds = first_log_times[1]
    return [
        report.Target(
            f"the first log takes {seconds * 1000:.0f} ms before its first task, at "
            f"most {MAXIMUM_FIRST_LOG_TIME * 1000:.0f} ms",
            seconds <= MAXIMUM_FIRST_LOG_TIME,
        )
    ]


if __name__ == "__main__":
    sys.exit(report.Main(Run, __doc__))
