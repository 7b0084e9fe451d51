"""Compares log2timeline over the logs of a month with atop, which prints them.

log2timeline reads a folder with a log for every day, with the plugins that the Linux
preset of Plaso names. atop, which is written in C, prints one log after the other as
parseable output, which is thrown away. It reads the logs of its own version only, so
these are built as well. Both have two cores.

The main process of log2timeline merges and stores what its workers read. While there is
nothing to merge it asks again and again, which counts as CPU time, too. No parser can
undercut what Plaso takes for the same events where one only hands over event data that
was made before.
"""

import os
import subprocess
import sys
import tempfile

from benchmarks.lib import extraction
from benchmarks.lib import logs
from benchmarks.lib import processes
from benchmarks.lib import report
from plaso_atop import rawlog

NUMBER_OF_CORES = 2

VERSIONS = ("2.12", "2.8")

# What is measured besides log2timeline over the logs of each version.
_ATOP = "atop"
_PLASO = "Plaso"

# The version of which the installed atop reads the logs, where it is the one of Debian.
ATOP_VERSION = "2.8"


def _MeasureAtop(paths, directory):
    """Measures atop.

    Args:
      paths (list[str]): paths of the logs.
      directory (str): path of the working directory.

    Returns:
      tuple[float, float]: seconds of wall time and of CPU time.
    """
    usages = [
        processes.Measure(["atop", "-r", path, "-P", "ALL"], directory)
        for path in paths
    ]
    return (
        sum(usage.wall_time for usage in usages),
        sum(usage.cpu_time for usage in usages),
    )


def _GetReasonWithoutAtop(path):
    """Determines why the installed atop cannot be compared with.

    Args:
      path (str): path of a log of ATOP_VERSION.

    Returns:
      str: reason or None if it can.

    Raises:
      RuntimeError: if atop prints fewer processes and threads than the log has.
    """
    version = report.GetAtopVersion()
    if not version:
        return "atop is not installed"
    if not version.startswith(f"{ATOP_VERSION:s}."):
        return f"the installed atop is {version:s}, not {ATOP_VERSION:s}"

    with open(path, "rb") as file_object:
        samples = rawlog.RawLog(file_object).samples()
        number_of_tasks = sum(sample.number_of_tasks for sample in samples)

    with subprocess.Popen(
        ["atop", "-r", path, "-P", "ALL"], stdout=subprocess.PIPE
    ) as process:
        number_of_lines = sum(line.startswith(b"PRG ") for line in process.stdout)
    if number_of_lines != number_of_tasks:
        raise RuntimeError(
            f"atop prints {number_of_lines:d} of {number_of_tasks:d} tasks"
        )
    return None


def _MeasureInTurn(paths_per_version, directory, number_of_runs, has_atop):
    """Measures atop, log2timeline and Plaso alone in turn.

    Args:
      paths_per_version (dict[str, list[str]]): paths of the logs per version, which are
          all that their directory has.
      directory (str): path of the working directory.
      number_of_runs (int): number of runs.
      has_atop (bool): True if atop can be compared with.

    Returns:
      tuple[dict[str, list[tuple]], dict[str, int]]: measurements per version, of _ATOP
          and of _PLASO with the events of the first version; and numbers of events per
          version.
    """
    measured = {name: [] for name in (_ATOP, _PLASO, *VERSIONS)}
    events = {}
    storage_path = os.path.join(directory, "month.plaso")
    # With as many processors Plaso starts as many worker processes.
    options = ["--workers", f"{NUMBER_OF_CORES:d}"]

    for _ in range(number_of_runs):
        if has_atop:
            measured[_ATOP].append(
                _MeasureAtop(paths_per_version[ATOP_VERSION], directory)
            )

        for version, paths in paths_per_version.items():
            usage = processes.Measure(
                processes.GetLog2TimelineArguments(
                    os.path.dirname(paths[0]), storage_path, extraction.PARSERS
                )
                + options,
                directory,
                is_watched=True,
            )
            events[version] = extraction.CheckStorage(storage_path, events.get(version))
            size = os.path.getsize(storage_path)
            os.remove(storage_path)
            measured[version].append(
                (usage.wall_time, usage.cpu_time, usage.main_cpu_time, size / (1 << 20))
            )

        version = VERSIONS[0]
        usage = extraction.Measure(
            extraction.PREPARED,
            extraction.WORKERS,
            os.path.dirname(paths_per_version[version][0]),
            storage_path,
        )
        extraction.CheckStorage(storage_path, events[version])
        os.remove(storage_path)
        measured[_PLASO].append((usage.wall_time, usage.cpu_time))

    return measured, events


def Run(options):
    """Runs the benchmark.

    Args:
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    with tempfile.TemporaryDirectory() as directory:
        paths_per_version = {}
        number_of_tasks = {}
        for version in VERSIONS:
            paths_per_version[version], number_of_tasks[version] = logs.WriteDays(
                os.path.join(directory, version), version, options.days
            )

        reason = _GetReasonWithoutAtop(paths_per_version[ATOP_VERSION][0])
        with processes.LimitCores(NUMBER_OF_CORES) as number_of_cores:
            measured, events = _MeasureInTurn(
                paths_per_version, directory, options.runs, not reason
            )

    rows = []
    targets = []
    times_per_name = {
        name: [list(times) for times in zip(*values)]
        for name, values in measured.items()
    }
    ratios_per_name = {name: [None, None] for name in times_per_name}
    if not reason:
        for name, times in times_per_name.items():
            ratios_per_name[name] = [
                report.GetRatio(*pair) for pair in zip(times, times_per_name[_ATOP])
            ]

    for version in VERSIONS:
        times = times_per_name[version]
        ratios = ratios_per_name[version]
        rows.append(
            (
                f"log2timeline, {version:s}",
                *(report.GetMedian(values) for values in times[:3]),
                *ratios,
                events[version],
                report.GetMedian(times[3]),
            )
        )
        for name, ratio in zip(("wall", "CPU"), ratios):
            description = (
                f"{options.days:d} days of {version:s}, {name:s} time of log2timeline "
                f"at most that of atop -P ALL over those of {ATOP_VERSION:s}"
            )
            if reason:
                targets.append(report.Target(f"{description:s}: {reason:s}", None))
            else:
                targets.append(
                    report.Target(f"{description:s}: {ratio:.2f} times", ratio <= 1.0)
                )

    rows.append(
        (
            f"Plaso alone, {VERSIONS[0]:s}, prepared event data",
            *(report.GetMedian(values) for values in times_per_name[_PLASO]),
            None,
            *ratios_per_name[_PLASO],
            events[VERSIONS[0]],
        )
    )
    if reason:
        rows.append((f"atop -P ALL: {reason:s}",))
    else:
        times = [report.GetMedian(values) for values in times_per_name[_ATOP]]
        rows.append((f"atop -P ALL, {ATOP_VERSION:s}", *times))

    report.PrintTable(
        f"{options.days:d} logs of {logs.SAMPLES_PER_DAY:d} samples with "
        f"{number_of_tasks[VERSIONS[0]]:d} tasks, on {number_of_cores:d} cores",
        ["wall s", "CPU s", "of it main", "x atop wall", "x atop CPU"]
        + ["events", "MiB stored"],
        rows,
    )
    return targets


if __name__ == "__main__":
    sys.exit(report.Main(Run, __doc__))
