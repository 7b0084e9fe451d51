"""Measures what tags with as many Sigma rules as SigmaHQ has cost.

psort runs without an analysis, where it looks at no event, with the tagging rules for
Linux, and with Sigma rules, in turn. The Sigma rules are those of the tests, as often
as it takes. The storage file has the events of logs, one a day.
"""

import os
import shutil
import sys
import tempfile

from benchmarks.lib import extraction
from benchmarks.lib import logs
from benchmarks.lib import processes
from benchmarks.lib import report

NUMBER_OF_RULES = 120

# In milliseconds.
MAXIMUM_TIME = 2

_VERSION = "2.12"

_NOTHING = "psort"
_LINUX = "psort, tag_linux.txt"
_SIGMA = "psort, Sigma rules"


def _ConvertRules(directory):
    """Converts Sigma rules.

    Args:
      directory (str): path of the directory for the rules and the tagging file.

    Returns:
      str: path of the tagging file.

    Raises:
      RuntimeError: if there are not as many rules as there should be.
    """
    path = os.path.join(directory, "tag_sigma.txt")
    rules_path = os.path.join(directory, "rules")
    source_path = os.path.join(processes.PROJECT_PATH, "test_data", "sigma")
    # Each copy has twelve that are converted.
    for number in range(NUMBER_OF_RULES // 12):
        shutil.copytree(source_path, os.path.join(rules_path, f"{number:d}"))
    processes.Measure(
        processes.GetModuleArguments(
            "plaso_atop", "sigma", rules_path, "--output", path
        ),
        processes.PROJECT_PATH,
    )
    with open(path, encoding="utf-8") as file_object:
        number_of_rules = sum(line.startswith("sigma_") for line in file_object)
    if number_of_rules != NUMBER_OF_RULES:
        raise RuntimeError(f"{number_of_rules:d} rules")
    return path


def _Measure(storage_path, options_per_kind, directory, number_of_runs):
    """Measures all kinds in turn.

    Args:
      storage_path (str): path of the storage file.
      options_per_kind (dict[str, list[str]]): options of psort per kind.
      directory (str): path of the working directory.
      number_of_runs (int): number of runs.

    Returns:
      dict[str, list[float]]: seconds of CPU time per kind.
    """
    cpu_times = {kind: [] for kind in options_per_kind}
    copy_path = os.path.join(directory, "copy.plaso")
    for _ in range(number_of_runs):
        for kind, options in options_per_kind.items():
            # psort stores the tags.
            shutil.copyfile(storage_path, copy_path)
            usage = processes.Measure(
                [
                    os.path.join(os.path.dirname(sys.executable), "psort"),
                    *("--quiet", "--status_view", "none", "--unattended"),
                    *("--logfile", f"{copy_path:s}.log.gz", "-o", "null"),
                    *(*options, copy_path),
                ],
                directory,
            )
            cpu_times[kind].append(usage.cpu_time)
    return cpu_times


def Run(options):
    """Runs the benchmark.

    Args:
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    with tempfile.TemporaryDirectory() as directory:
        source_path = os.path.join(directory, "logs")
        logs.WriteDays(source_path, _VERSION, options.days)
        storage_path = os.path.join(directory, "logs.plaso")
        processes.Measure(
            processes.GetLog2TimelineArguments(
                source_path, storage_path, extraction.PARSERS
            ),
            directory,
        )
        number_of_events = extraction.CheckStorage(storage_path)
        tagging = ["--analysis", "tagging", "--tagging-file"]
        cpu_times = _Measure(
            storage_path,
            {
                _NOTHING: [],
                _LINUX: [*tagging, "tag_linux.txt"],
                _SIGMA: [*tagging, _ConvertRules(directory)],
            },
            directory,
            options.runs,
        )

    rows = []
    for kind, values in cpu_times.items():
        milliseconds = None
        if kind != _NOTHING:
            milliseconds = report.GetMedian(
                [value - other for value, other in zip(values, cpu_times[_NOTHING])]
            )
            milliseconds *= 1000 / number_of_events
        ratio = report.GetRatio(values, cpu_times[_NOTHING])
        rows.append((kind, report.GetMedian(values), ratio, milliseconds))

    report.PrintTable(
        f"Tags of {number_of_events:d} events, {NUMBER_OF_RULES:d} Sigma rules",
        ["CPU s", "ratio", "ms per event"],
        rows,
    )
    ratio = report.GetRatio(cpu_times[_SIGMA], cpu_times[_LINUX])
    return [
        report.Target(
            f"{NUMBER_OF_RULES:d} Sigma rules take {milliseconds:.2f} ms per event, at "
            f"most {MAXIMUM_TIME:d}, and {ratio:.1f} times the CPU time of {_LINUX:s}",
            milliseconds <= MAXIMUM_TIME,
        )
    ]


if __name__ == "__main__":
    sys.exit(report.Main(Run, __doc__))
