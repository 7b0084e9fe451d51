"""Measures if a sample takes more time or memory where there are more of them.

log2timeline reads folders with a log for every day. There is one worker process, so
that it reads all logs. What it costs to start is not known, as the main process asks
again and again while it waits: the time of a sample is that of those by which one
folder has more than the one before.

One log that was never rotated is read by the parser alone, and once by log2timeline: of
one log Plaso keeps as much as it wants, the last 32,768 containers. The parser alone
reads a short log again and again, as many days as the longest one has, so that all that
differs is the length of a log. The time of a sample is what that takes less what a log
without samples does.
"""

import os
import sys
import tempfile

from benchmarks.lib import extraction
from benchmarks.lib import logs
from benchmarks import price
from benchmarks.lib import processes
from benchmarks.lib import report

NUMBERS_OF_DAYS = (1, 3, 10, 30)

# In percent of the mean.
MAXIMUM_DEVIATION = 5

# In MiB.
MAXIMUM_MEMORY_GROWTH = 10

# Short runs of log2timeline vary more, hence there are as many as make these days.
_DAYS_PER_RUN = 12

_VERSION = "2.12"

# What is read, and by what.
_WORKER = "log2timeline, logs of a day"
_LONG_LOG = "log2timeline, days in one log"
_PARSER = "parser alone, days in one log"

# The benchmark compares time and memory of these.
_COMPARED_KINDS = (_WORKER, _PARSER)


def _CreateSources(directory, numbers_of_days):
    """Creates what is read.

    Args:
      directory (str): path of the directory.
      numbers_of_days (list[int]): numbers of days.

    Returns:
      dict[tuple[str, int], str]: paths per kind and number of days, of the log for the
          parser and of the folder for log2timeline. 0 is a log without samples.
    """
    paths, _ = logs.WriteDays(
        os.path.join(directory, "all"), _VERSION, max(numbers_of_days)
    )

    empty_path = os.path.join(directory, "empty")
    logs.LogWriter(_VERSION).WriteDay(empty_path, 0, 0)
    sources = {(_PARSER, 0): empty_path}
    for number_of_days in numbers_of_days:
        path = os.path.join(directory, f"folder{number_of_days:d}")
        os.mkdir(path)
        for day_path in paths[:number_of_days]:
            os.link(day_path, os.path.join(path, os.path.basename(day_path)))
        sources[(_WORKER, number_of_days)] = path

        long_path = os.path.join(directory, f"long{number_of_days:d}")
        os.mkdir(long_path)
        log_path = os.path.join(long_path, "atop")
        logs.JoinDays(log_path, paths[:number_of_days])
        sources[(_LONG_LOG, number_of_days)] = long_path
        sources[(_PARSER, number_of_days)] = log_path

    return sources


def _GetSchedule(keys, number_of_runs):
    """Determines in which order to measure.

    Args:
      keys (Iterable[tuple[str, int]]): kinds and numbers of days.
      number_of_runs (int): number of runs.

    Returns:
      list[tuple[str, int]]: kinds and numbers of days, where the runs of each are
          spread evenly, so that what else the machine does then slows down all of them.
    """
    schedule = []
    for kind, number_of_days in keys:
        repetitions = number_of_runs
        if kind == _WORKER:
            repetitions *= max(1, _DAYS_PER_RUN // number_of_days)
        elif kind == _LONG_LOG:
            repetitions = 1
        schedule.extend(
            ((index + 0.5) / repetitions, kind, number_of_days)
            for index in range(repetitions)
        )
    return [(kind, number_of_days) for _, kind, number_of_days in sorted(schedule)]


def _GetNumberOfReadings(number_of_days, sources):
    """Determines how often the parser alone reads a log.

    Args:
      number_of_days (int): number of days of the log, 0 if it has no samples.
      sources (Iterable[tuple[str, int]]): kinds and numbers of days of all logs.

    Returns:
      int: number of times that make as many days as the longest log has, or as near to
          that as there are whole ones.
    """
    if not number_of_days:
        return 1
    return max(days for _, days in sources) // number_of_days


def _Measure(sources, directory, number_of_runs):
    """Measures all in turn.

    Args:
      sources (dict[tuple[str, int], str]): paths per kind and number of days.
      directory (str): path of the working directory.
      number_of_runs (int): number of runs.

    Returns:
      tuple[dict[tuple[str, int], float], dict[tuple[str, int], float]]: medians of the
          seconds of CPU time and of the peaks of memory in MiB, per kind and number of
          days.
    """
    cpu_times = {key: [] for key in sources}
    events = {}
    memory = {key: [] for key in sources}
    storage_path = os.path.join(directory, "growth.plaso")
    for key in _GetSchedule(sources, number_of_runs):
        kind, number_of_days = key
        if kind == _PARSER:
            paths = [sources[key]] * _GetNumberOfReadings(number_of_days, sources)
            usage = processes.Measure(
                processes.GetModuleArguments(
                    price.__name__, price.ParseAll.__name__, *paths
                ),
                processes.PROJECT_PATH,
                is_watched=True,
            )
            peak = usage.main_memory
        else:
            arguments = processes.GetLog2TimelineArguments(
                sources[key], storage_path, extraction.PARSERS
            )
            usage = processes.Measure(
                [*arguments, "--workers", "1"], directory, is_watched=True
            )
            peak = usage.worker_memory
            events[key] = extraction.CheckStorage(storage_path, events.get(key))
            os.remove(storage_path)

        cpu_times[key].append(usage.cpu_time)
        memory[key].append(peak / (1 << 20))

    return (
        {key: report.GetMedian(values) for key, values in cpu_times.items()},
        {key: report.GetMedian(values) for key, values in memory.items()},
    )


def Run(options):
    """Runs the benchmark.

    Args:
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    numbers_of_days = [days for days in NUMBERS_OF_DAYS if days < options.days]
    numbers_of_days.append(options.days)

    with tempfile.TemporaryDirectory() as directory:
        sources = _CreateSources(directory, numbers_of_days)
        cpu_times, memory = _Measure(sources, directory, options.runs)

    rows = []
    times_per_sample = {kind: [] for kind in _COMPARED_KINDS}
    for kind in (_WORKER, _LONG_LOG, _PARSER):
        start_days = None
        for number_of_days in (0, *numbers_of_days):
            key = (kind, number_of_days)
            if key not in sources:
                continue

            milliseconds = None
            if kind in _COMPARED_KINDS and start_days is not None:
                milliseconds = (cpu_times[key] - cpu_times[(kind, start_days)]) * 1000
                measured_days = number_of_days - start_days
                if kind == _PARSER:
                    measured_days *= _GetNumberOfReadings(number_of_days, sources)
                milliseconds /= measured_days * logs.SAMPLES_PER_DAY
                times_per_sample[kind].append(milliseconds)
            if kind == _WORKER or not number_of_days:
                start_days = number_of_days

            rows.append(
                (
                    f"{kind:s}: {number_of_days:d}",
                    cpu_times[key],
                    milliseconds,
                    memory[key],
                )
            )

    report.PrintTable(
        f"Days of {_VERSION:s}, and the time of a sample",
        ["CPU s", "ms per sample", "peak MiB"],
        rows,
    )

    days = ", ".join(map(str, numbers_of_days))
    targets = []
    for kind in _COMPARED_KINDS:
        values = times_per_sample[kind]
        deviation = None
        description = "not measured"
        if len(values) > 1:
            mean = sum(values) / len(values)
            deviation = max(abs(value / mean - 1) for value in values) * 100
            description = f"off the mean by {deviation:.1f} %"
        targets.append(
            report.Target(
                f"{kind:s}: {days:s}, CPU time per sample {description:s}, at most "
                f"{MAXIMUM_DEVIATION:d} %",
                None if deviation is None else deviation <= MAXIMUM_DEVIATION,
            )
        )

        values = [memory[(kind, number_of_days)] for number_of_days in numbers_of_days]
        growth = max(values) - min(values)
        targets.append(
            report.Target(
                f"{kind:s}: {days:s}, peak memory differs by {growth:.1f} MiB, at most "
                f"{MAXIMUM_MEMORY_GROWTH:d} MiB",
                growth <= MAXIMUM_MEMORY_GROWTH,
            )
        )
    return targets


if __name__ == "__main__":
    sys.exit(report.Main(Run, __doc__))
