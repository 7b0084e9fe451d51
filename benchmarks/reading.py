"""Compares what it costs to read a task with other readers of atop's logs.

Runs in an environment with atoparser and dissect.target. The readers take turns with
the same log, first in one process, then in processes of their own, which have to start.
"""

import os
import sys
import tempfile
import time
import zlib

from zlib_ng import zlib_ng

from benchmarks.lib import logs
from benchmarks.lib import processes
from benchmarks.lib import readers
from benchmarks.lib import report
from plaso_atop import blocks
from plaso_atop import rawlog

MINIMUM_RATIOS = {"atoparser": 6, "dissect.target": 25}

# Of a process that reads a day with atoparser to one that does it with plaso_atop.
MINIMUM_PROCESS_RATIO = 4

# Where the time of a process goes that reads a log with plaso_atop, and what atoparser
# takes before it reads one.
_PART_SCRIPTS = {
    "start of Python alone": "pass",
    "with import of plaso_atop.rawlog": "from plaso_atop import rawlog",
    "with first task of plaso_atop": """
import sys
from plaso_atop import rawlog
with open(sys.argv[1], "rb") as file_object:
    next(next(rawlog.RawLog(file_object).samples()).tasks())
""",
    "with import of atoparser": "import atoparser",
}


def _ReadWithOursAndZlib(path):
    """Reads the tasks of a log with plaso_atop and the zlib of the standard library.

    Args:
      path (str): path of the log.

    Yields:
      tuple: values of the members of a task.
    """
    blocks.zlib = zlib
    try:
        yield from readers.ReadWithOurs(path)
    finally:
        blocks.zlib = zlib_ng


def _GetComparable(values):
    """Retrieves values of a task that are the same for every reader.

    Args:
      values (tuple): values of the members.

    Returns:
      tuple: values, text without what follows the first NUL.
    """
    return tuple(
        value.partition(b"\x00")[0] if isinstance(value, bytes) else int(value)
        for name, value in zip(readers.MEMBERS, values)
        if name not in ("isproc", "state")
    )


def _Measure(function, argument):
    """Measures the CPU time of a function.

    Args:
      function (function): function that returns an iterable.
      argument (object): argument of the function.

    Returns:
      float: seconds.
    """
    start_time = time.process_time()
    for _ in function(argument):
        pass
    return time.process_time() - start_time


def _Compare(path, version, functions, number_of_runs):
    """Compares readers in one process.

    Args:
      path (str): path of the log.
      version (str): version of atop.
      functions (dict[str, function]): readers per name, ours first.
      number_of_runs (int): number of runs.

    Returns:
      list[report.Target]: targets.

    Raises:
      RuntimeError: if a reader does not read what the others do.
    """
    contents = None
    for name, function in functions.items():
        values = [_GetComparable(values) for values in function(path)]
        if contents not in (None, values):
            raise RuntimeError(f"{name:s} reads other values of {version:s}")
        contents = values
    number_of_tasks = len(contents)
    contents = values = None

    compressed_blocks = []
    with open(path, "rb") as file_object:
        for sample in rawlog.RawLog(file_object).samples():
            file_object.seek(sample.tasks_block.offset)
            compressed_blocks.append(
                file_object.read(sample.tasks_block.compressed_size)
            )

    measured = {name: [] for name in functions}
    inflated = {"zlib": [], "zlib-ng": []}
    for _ in range(number_of_runs):
        for name, function in functions.items():
            measured[name].append(_Measure(function, path))
        for name, module in (("zlib", zlib), ("zlib-ng", zlib_ng)):
            inflated[name].append(
                _Measure(
                    lambda module: map(module.decompress, compressed_blocks), module
                )
            )

    ours = measured["plaso_atop"]
    rows = []
    for name, values in measured.items():
        microseconds = report.GetMedian(values) * 1e6 / number_of_tasks
        ratio = None if values is ours else report.GetRatio(values, ours)
        rows.append((name, microseconds, ratio))
    for name, values in inflated.items():
        microseconds = report.GetMedian(values) * 1e6 / number_of_tasks
        rows.append((f"inflating alone, {name:s}", microseconds, None))

    report.PrintTable(
        f"Reading {number_of_tasks:d} tasks of atop {version:s}, "
        f"{len(readers.MEMBERS):d} members of each",
        ["us per task", "times ours"],
        rows,
    )

    return [
        report.Target(
            f"reading {version:s} {ratio:.1f} times faster than {name:s}, at least "
            f"{MINIMUM_RATIOS[name]:d}",
            ratio >= MINIMUM_RATIOS[name],
        )
        for name, _, ratio in rows
        if name in MINIMUM_RATIOS
    ]


def _CompareProcesses(path, version, number_of_runs):
    """Compares processes that start, read a log and end.

    Args:
      path (str): path of the log.
      version (str): version of atop.
      number_of_runs (int): number of runs.

    Returns:
      list[report.Target]: targets.
    """
    commands = {
        name: [sys.executable, readers.__file__, name, path] for name in readers.READERS
    }
    for name, script in _PART_SCRIPTS.items():
        commands[name] = [sys.executable, "-c", script, path]

    # What is installed is measured, which is compiled. The first run fills the caches.
    usages = {name: [] for name in commands}
    for run in range(number_of_runs + 1):
        for name, arguments in commands.items():
            usage = processes.Measure(arguments, os.path.dirname(path))
            if run:
                usages[name].append(usage)

    measured = {
        name: [usage.cpu_time for usage in values] for name, values in usages.items()
    }
    ours = measured["plaso_atop"]
    ratio = report.GetRatio(measured["atoparser"], ours)
    rows = []
    for name, values in measured.items():
        rows.append(
            (
                name,
                report.GetMedian(values) * 1000,
                report.GetMedian([usage.wall_time for usage in usages[name]]) * 1000,
                ratio if name == "atoparser" else None,
            )
        )

    report.PrintTable(
        f"A process that reads a day of atop {version:s}, its start included",
        ["CPU ms", "ms", "times ours"],
        rows,
    )

    return [
        report.Target(
            f"a process that reads a day of {version:s} {ratio:.1f} times faster than "
            f"one with atoparser, at least {MINIMUM_PROCESS_RATIO:d}",
            ratio >= MINIMUM_PROCESS_RATIO,
        )
    ]


def Run(options):
    """Runs the benchmark.

    Args:
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    targets = []
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "atop")
        for version in ("2.7", "2.12"):
            logs.LogWriter(version).WriteDay(path, 0)
            functions = {
                "plaso_atop": readers.ReadWithOurs,
                "plaso_atop without zlib-ng": _ReadWithOursAndZlib,
                "atoparser": readers.ReadWithAtoparser,
                "atoparser, get_tstat alone": readers.ReadWithAtoparserFunctions,
            }
            if version == "2.7":
                # Reads no other versions.
                functions["dissect.target"] = readers.ReadWithDissect
            targets.extend(_Compare(path, version, functions, options.runs))
            targets.extend(_CompareProcesses(path, version, max(5, options.runs)))
    return targets


if __name__ == "__main__":
    sys.exit(report.Main(Run, __doc__))
