"""Measures if log2timeline takes more time or memory for a sample of more logs.

Both for folders with a log for every day and for one log that was never rotated. What
a run costs at all is that of a log without samples, which has the definitions of the
structures read, too. A single core is used: where main process and workers share the
caches of a processor, the time of one depends on what the others do at that moment.
"""

import os
import sys
import tempfile

from benchmarks import logs
from benchmarks import month
from benchmarks import processes
from benchmarks import report

NUMBERS_OF_DAYS = (1, 3, 10, 30)

# In percent of the mean.
MAXIMUM_DEVIATION = 5

# In MiB.
MAXIMUM_MEMORY_GROWTH = 10

# Short runs vary more, hence there are as many as make these days.
_DAYS_PER_RUN = 6

_VERSION = "2.12"

_FOLDERS = "logs of a day"
_LONG_LOG = "days in one log"
_NO_LOG = "a file that is no log"
_NO_SAMPLES = "a log without samples"


def _CreateSources(directory, numbers_of_days):
    """Creates what log2timeline reads.

    Args:
      directory (str): path of the directory.
      numbers_of_days (list[int]): numbers of days.

    Returns:
      dict[tuple[str, int], str]: paths of the folders per kind and number of days, which
          is 0 for those without samples.
    """
    paths, _ = logs.WriteDays(
        os.path.join(directory, "all"), _VERSION, max(numbers_of_days)
    )

    sources = {}

    def _CreateFolder(kind, number_of_days):
        path = os.path.join(directory, f"source{len(sources):d}")
        os.mkdir(path)
        sources[(kind, number_of_days)] = path
        return os.path.join(path, "atop")

    with open(_CreateFolder(_NO_LOG, 0), "w", encoding="utf-8") as file_object:
        file_object.write("nothing\n")

    logs.LogWriter(_VERSION).WriteDay(_CreateFolder(_NO_SAMPLES, 0), 0, 0)

    for number_of_days in numbers_of_days:
        path = _CreateFolder(_FOLDERS, number_of_days)
        for index, day_path in enumerate(paths[:number_of_days]):
            os.link(day_path, f"{path:s}_{index:04d}")

    for number_of_days in numbers_of_days:
        # A log of one day is the same.
        if number_of_days > 1:
            path = _CreateFolder(_LONG_LOG, number_of_days)
            logs.JoinDays(path, paths[:number_of_days])

    return sources


def _Measure(sources, directory, number_of_runs):
    """Measures log2timeline with every source in turn.

    Args:
      sources (dict[tuple[str, int], str]): paths of the folders per kind and number of
          days.
      directory (str): path of the working directory.
      number_of_runs (int): number of runs.

    Returns:
      dict[tuple[str, int], list[Usage]]: what was used per kind and number of days.
    """
    events = {}
    usages = {key: [] for key in sources}
    storage_path = os.path.join(directory, "growth.plaso")
    for _ in range(number_of_runs):
        for repetition in range(_DAYS_PER_RUN):
            for key, source_path in sources.items():
                if repetition and repetition * key[1] >= _DAYS_PER_RUN:
                    continue

                usages[key].append(
                    processes.Measure(
                        processes.GetLog2TimelineArguments(
                            source_path, storage_path, month.PARSERS
                        ),
                        directory,
                        is_watched=True,
                    )
                )
                # One without samples has a warning, which says so.
                if key[1]:
                    events[key] = month.CheckStorage(storage_path, events.get(key))
                os.remove(storage_path)

    return usages


def Run(options):
    """Runs the benchmark.

    Args:
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    numbers_of_days = [days for days in NUMBERS_OF_DAYS if days <= options.days]
    if options.days not in numbers_of_days:
        numbers_of_days.append(options.days)

    with tempfile.TemporaryDirectory() as directory:
        sources = _CreateSources(directory, numbers_of_days)
        with processes.LimitCores(1):
            usages = _Measure(sources, directory, options.runs)

    cpu_times = {
        key: report.GetMedian([usage.cpu_time for usage in values])
        for key, values in usages.items()
    }
    memory = {
        key: report.GetMedian([usage.worker_memory / (1 << 20) for usage in values])
        for key, values in usages.items()
    }
    start_time = cpu_times[(_NO_SAMPLES, 0)]

    rows = []
    milliseconds = {}
    for kind, number_of_days in sources:
        key = (kind, number_of_days)
        label = kind
        if number_of_days:
            label = f"{number_of_days:d} {kind:s}"
            number_of_samples = number_of_days * logs.SAMPLES_PER_DAY
            milliseconds[key] = (cpu_times[key] - start_time) / number_of_samples * 1000
        rows.append((label, cpu_times[key], milliseconds.get(key), memory[key]))

    report.PrintTable(
        f"log2timeline over logs of {_VERSION:s}, less a log without samples",
        ["CPU s", "ms per sample", "worker MiB"],
        rows,
    )

    targets = []
    for kind in (_FOLDERS, _LONG_LOG):
        # The shortest is both.
        keys = [
            (kind if number_of_days > 1 else _FOLDERS, number_of_days)
            for number_of_days in numbers_of_days
        ]
        names = f"{', '.join(map(str, numbers_of_days)):s} {kind:s}"

        values = [milliseconds[key] for key in keys]
        mean = sum(values) / len(values)
        deviation = max(abs(value / mean - 1) for value in values) * 100
        targets.append(
            report.Target(
                f"{names:s}, CPU time per sample off the mean by {deviation:.1f} %, "
                f"at most {MAXIMUM_DEVIATION:d} %",
                deviation <= MAXIMUM_DEVIATION,
            )
        )

        values = [memory[key] for key in keys]
        growth = max(values) - min(values)
        targets.append(
            report.Target(
                f"{names:s}, peak memory of a worker differs by {growth:.1f} MiB, at "
                f"most {MAXIMUM_MEMORY_GROWTH:d} MiB",
                growth <= MAXIMUM_MEMORY_GROWTH,
            )
        )
    return targets


if __name__ == "__main__":
    sys.exit(report.Main(Run, __doc__))
