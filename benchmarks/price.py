"""Compares what it costs to make the events of logs with what Plaso and atop cost.

log2timeline reads the logs of three days with our parser, with one that only hands over
the same event data, which was made before, and with one that does nothing. What the
second costs more than the third is Plaso's own price. With worker processes, as a user
has them, the main process merges what these stored, and does not sleep while it waits
for them. In a single process Plaso costs least.

Then log2timeline reads a log for every day of a month, with the plugins that the Linux
preset of Plaso names. atop, which is written in C, prints one log after the other as
parseable output, which is thrown away. It reads the logs of its own version only, so
these are built as well. Both have two cores.

Each measurement is made in a process of its own. The events of each plugin are counted.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time

from plaso.parsers import mediator

from benchmarks.lib import extraction
from benchmarks.lib import logs
from benchmarks.lib import processes
from benchmarks.lib import report
from plaso_atop import blocks
from plaso_atop import rawlog

MAXIMUM_NUMBER_OF_DAYS = 3

# In percent of Plaso's own price.
MAXIMUM_SHARE = 15

# Of a day, with the default plugins.
MAXIMUM_NUMBER_OF_EVENTS = 15000

_PLACES = (extraction.WORKERS, extraction.SINGLE)

_NUMBER_OF_CORES = 2

# What is measured besides log2timeline over the logs of each version.
_ATOP = "atop"
_PLASO = "Plaso"

# The version of the logs that the atop of Debian reads.
_ATOP_VERSION = "2.8"

_VERSION = "2.12"

_VERSIONS = (_VERSION, _ATOP_VERSION)

# Of this module, also where it runs as a program.
_NAME = "benchmarks.price"


class _DiscardingMediator(mediator.ParserMediator):
    """Parser mediator that does nothing with event data and warnings."""

    # pylint: disable=arguments-differ
    def ProduceEventData(self, event_data, **kwargs):
        """Throws event data away.

        Args:
          event_data (EventData): event data.
          kwargs (dict[str, object]): how it is produced.
        """

    def ProduceWarning(self, message, **kwargs):
        """Throws a warning away.

        Args:
          message (str): message.
          kwargs (dict[str, object]): how it is produced.
        """


def _Inflate(*compressed_blocks):
    """Inflates process lists and system blocks.

    Args:
      compressed_blocks (tuple[bytes]): compressed blocks.
    """
    for block in compressed_blocks:
        blocks.zlib.decompress(block)


def _Read(*paths):
    """Reads what the plugins need, which inflates and unpacks it.

    Args:
      paths (tuple[str]): paths of the logs.
    """
    for path in paths:
        with open(path, "rb") as file_object:
            for sample in rawlog.RawLog(file_object).samples():
                sample.system()
                for _ in sample.processes():
                    pass


def ParseAll(*paths):
    """Runs the plugins and throws the event data away.

    Args:
      paths (tuple[str]): paths of the logs.
    """
    for path in paths:
        extraction.Parse(path, _DiscardingMediator())


def MeasureParts(source_path):
    """Measures the parts of our parser in this process.

    Args:
      source_path (str): path of the folder with the logs.

    Returns:
      list[float]: seconds of CPU time of inflating, of inflating and unpacking, and of
          all without storing event data.
    """
    paths = [os.path.join(source_path, name) for name in os.listdir(source_path)]
    compressed_blocks = []
    for path in paths:
        with open(path, "rb") as file_object:
            for sample in rawlog.RawLog(file_object).samples():
                for block in (sample.system_block, sample.tasks_block):
                    file_object.seek(block.offset)
                    compressed_blocks.append(file_object.read(block.compressed_size))

    times = []
    for function, arguments in (
        (_Inflate, compressed_blocks),
        (_Read, paths),
        (ParseAll, paths),
    ):
        function(*arguments)
        start_time = time.process_time()
        function(*arguments)
        times.append(time.process_time() - start_time)
    return times


def _MeasurePrice(source_path, directory, number_of_runs):
    """Measures log2timeline and the parts of our parser in turn.

    Args:
      source_path (str): path of the folder with the logs.
      directory (str): path of the directory for other files.
      number_of_runs (int): number of runs.

    Returns:
      tuple[dict[tuple[str, str], float], list[float], int]: medians of the seconds of
          CPU time of log2timeline per mode and place and of the parts, and number of
          events.
    """
    measured = {
        key: []
        for key in itertools.product(
            (extraction.OURS, extraction.PREPARED, extraction.NOTHING), _PLACES
        )
    }
    measured_parts = []
    events = None
    storage_path = os.path.join(directory, "price.plaso")
    for _ in range(number_of_runs):
        for (mode, place), values in measured.items():
            usage = extraction.Measure(mode, place, source_path, storage_path)
            values.append(usage.cpu_time)
            if mode == extraction.NOTHING:
                extraction.CheckStorage(storage_path, 0)
            else:
                events = extraction.CheckStorage(storage_path, events)
            os.remove(storage_path)
        measured_parts.append(
            processes.CallModule(_NAME, MeasureParts.__name__, source_path)
        )

    return (
        {key: report.GetMedian(values) for key, values in measured.items()},
        [report.GetMedian(values) for values in zip(*measured_parts)],
        events,
    )


def _CompareParts(source_path, number_of_days, number_of_tasks, directory, options):
    """Compares the parts of our parser with what Plaso itself costs.

    Args:
      source_path (str): path of the folder with the logs.
      number_of_days (int): number of logs.
      number_of_tasks (int): number of tasks in the logs.
      directory (str): path of the directory for other files.
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    times, parts, events = _MeasurePrice(source_path, directory, options.runs)
    inflating, reading, parsing = parts
    plugins = parsing - reading
    prices = {
        place: times[(extraction.PREPARED, place)] - times[(extraction.NOTHING, place)]
        for place in _PLACES
    }

    rows = [
        ("inflating", inflating),
        ("reading and unpacking", reading - inflating),
        ("our plugins", plugins),
    ]
    for place, price in prices.items():
        whole = times[(extraction.OURS, place)] - times[(extraction.NOTHING, place)]
        rows.append((f"Plaso, {place:s}, prepared event data", price))
        rows.append((f"log2timeline, {place:s}, all of it", whole))

    starts = " and ".join(
        f"{times[(extraction.NOTHING, place)]:.2f}" for place in _PLACES
    )
    report.PrintTable(
        f"What {events:d} events of {number_of_tasks:d} tasks cost, {number_of_days:d} "
        f"days of {_VERSION:s}; less a run without events, which costs "
        f"{starts:s} s",
        ["us per event", "us per task", "% of workers", "% of single"],
        [
            (
                label,
                seconds * 1e6 / events,
                seconds * 1e6 / number_of_tasks,
                *(seconds / price * 100 for price in prices.values()),
            )
            for label, seconds in rows
        ],
    )

    # In a single process Plaso does less than for a user.
    share = plugins / prices[extraction.WORKERS] * 100
    return [
        report.Target(
            f"our plugins cost {share:.1f} % of what Plaso does with "
            f"{extraction.WORKERS:s}, at "
            f"most {MAXIMUM_SHARE:d} %",
            share <= MAXIMUM_SHARE,
        )
    ]


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
      path (str): path of a log of _ATOP_VERSION.

    Returns:
      str: reason or None if it can.

    Raises:
      RuntimeError: if atop prints fewer processes and threads than the log has.
    """
    version = report.GetAtopVersion()
    if not version:
        return "atop is not installed"
    if not version.startswith(f"{_ATOP_VERSION:s}."):
        return f"the installed atop is {version:s}, not {_ATOP_VERSION:s}"

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


def _MeasureMonth(paths_per_version, directory, number_of_runs, has_atop):
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
    measured = {name: [] for name in (_ATOP, _PLASO, *_VERSIONS)}
    events = {}
    storage_path = os.path.join(directory, "month.plaso")
    # With as many processors Plaso starts as many worker processes.
    options = ["--workers", f"{_NUMBER_OF_CORES:d}"]

    for _ in range(number_of_runs):
        if has_atop:
            measured[_ATOP].append(
                _MeasureAtop(paths_per_version[_ATOP_VERSION], directory)
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

        usage = extraction.Measure(
            extraction.PREPARED,
            extraction.WORKERS,
            os.path.dirname(paths_per_version[_VERSION][0]),
            storage_path,
        )
        extraction.CheckStorage(storage_path, events[_VERSION])
        os.remove(storage_path)
        measured[_PLASO].append((usage.wall_time, usage.cpu_time))

    return measured, events


def _CompareMonth(paths_per_version, number_of_tasks, directory, options):
    """Compares log2timeline over the logs of a month with atop, which prints them.

    Args:
      paths_per_version (dict[str, list[str]]): paths of the logs per version, which are
          all that their directory has.
      number_of_tasks (int): number of tasks in the logs of a version.
      directory (str): path of the working directory.
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    reason = _GetReasonWithoutAtop(paths_per_version[_ATOP_VERSION][0])
    with processes.LimitCores(_NUMBER_OF_CORES) as number_of_cores:
        measured, events = _MeasureMonth(
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

    for version in _VERSIONS:
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
                f"at most that of atop -P ALL over those of {_ATOP_VERSION:s}"
            )
            if reason:
                targets.append(report.Target(f"{description:s}: {reason:s}", None))
            else:
                targets.append(
                    report.Target(f"{description:s}: {ratio:.2f} times", ratio <= 1.0)
                )

    rows.append(
        (
            f"Plaso alone, {_VERSION:s}, prepared event data",
            *(report.GetMedian(values) for values in times_per_name[_PLASO]),
            None,
            *ratios_per_name[_PLASO],
            events[_VERSION],
        )
    )
    if reason:
        rows.append((f"atop -P ALL: {reason:s}",))
    else:
        times = [report.GetMedian(values) for values in times_per_name[_ATOP]]
        rows.append((f"atop -P ALL, {_ATOP_VERSION:s}", *times))

    report.PrintTable(
        f"{options.days:d} logs of {logs.SAMPLES_PER_DAY:d} samples with "
        f"{number_of_tasks:d} tasks, on {number_of_cores:d} cores",
        ["wall s", "CPU s", "of it main", "x atop wall", "x atop CPU"]
        + ["events", "MiB stored"],
        rows,
    )
    return targets


def _CountEvents(source_path, directory):
    """Counts the events of the logs per plugin and prints how many a day has.

    Args:
      source_path (str): path of the folder with the log of a day.
      directory (str): path of the directory for other files.

    Returns:
      list[report.Target]: targets.
    """
    storage_path = os.path.join(directory, "count.plaso")
    processes.Measure(
        processes.GetLog2TimelineArguments(source_path, storage_path, "atop"),
        directory,
    )
    numbers = extraction.GetNumbersOfEvents(storage_path)
    os.remove(storage_path)

    report.PrintTable(
        f"Events of a day of {_VERSION:s} per plugin",
        ["events"],
        sorted(numbers.items()),
    )
    plugin_names = [name.rpartition("/")[2] for name in extraction.PARSERS.split(",")]
    total = sum(numbers.get(name, 0) for name in plugin_names)
    return [
        report.Target(
            f"{total:d} events of a day with the default plugins, fewer than "
            f"{MAXIMUM_NUMBER_OF_EVENTS:d}",
            0 < total < MAXIMUM_NUMBER_OF_EVENTS,
        )
    ]


def _LinkDays(directory, paths):
    """Makes a folder with some of the logs.

    Args:
      directory (str): path of the folder, which must not exist.
      paths (list[str]): paths of the logs.

    Returns:
      str: path of the folder.
    """
    os.mkdir(directory)
    for path in paths:
        os.link(path, os.path.join(directory, os.path.basename(path)))
    return directory


def Run(options):
    """Runs the benchmark.

    Args:
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    number_of_days = min(options.days, MAXIMUM_NUMBER_OF_DAYS)
    with tempfile.TemporaryDirectory() as directory:
        paths_per_version = {}
        tasks_per_version = {}
        for version in _VERSIONS:
            paths_per_version[version], tasks_per_version[version] = logs.WriteDays(
                os.path.join(directory, version), version, options.days
            )

        numbers_of_tasks = tasks_per_version[_VERSION]
        paths = paths_per_version[_VERSION]
        day_path = _LinkDays(os.path.join(directory, "day"), paths[:1])
        days_path = _LinkDays(os.path.join(directory, "days"), paths[:number_of_days])
        return [
            *_CountEvents(day_path, directory),
            *_CompareParts(
                days_path,
                number_of_days,
                sum(numbers_of_tasks[:number_of_days]),
                directory,
                options,
            ),
            *_CompareMonth(
                paths_per_version, sum(numbers_of_tasks), directory, options
            ),
        ]


def _Answer(name, arguments):
    """Calls a function and prints what it returns, in the process that was started.

    Args:
      name (str): name of the function.
      arguments (list[str]): arguments of the function.
    """
    functions = (MeasureParts, ParseAll)
    function = next(function for function in functions if function.__name__ == name)
    print(json.dumps(function(*arguments)))


if __name__ == "__main__":
    if sys.argv[1:] and not sys.argv[1].startswith("-"):
        _Answer(sys.argv[1], sys.argv[2:])
    else:
        sys.exit(report.Main(Run, __doc__))
