"""What the benchmarks share: options, medians, tables and targets."""

import argparse
import collections
import importlib.metadata
import os
import platform
import shutil
import statistics
import subprocess

_COLUMN_WIDTH = 14
_LABEL_WIDTH = 34

Target = collections.namedtuple("Target", ["description", "is_met"])
Target.__doc__ = """What was to be reached.

Attributes:
  description (str): what was measured and what it was to be.
  is_met (bool): True if it is met, None if it could not be measured.
"""


def GetAtopVersion():
    """Determines the version of the installed atop.

    Returns:
      str: version or None if atop is not installed.
    """
    if not shutil.which("atop"):
        return None

    process = subprocess.run(
        ["atop", "-V"], check=False, capture_output=True, text=True
    )
    return process.stdout.partition(" - ")[0].replace("Version:", "").strip()


def GetMachine():
    """Describes what the benchmarks run on.

    Returns:
      str: number of cores and load, and versions of what is installed.
    """
    descriptions = [
        f"{len(os.sched_getaffinity(0)):d} cores, load {os.getloadavg()[0]:.1f}",
        f"{platform.machine():s}",
        f"{platform.python_implementation():s} {platform.python_version():s}",
    ]
    for name in ("plaso", "dfvfs", "zlib-ng"):
        try:
            descriptions.append(f"{name:s} {importlib.metadata.version(name):s}")
        except importlib.metadata.PackageNotFoundError:
            descriptions.append(f"no {name:s}")

    version = GetAtopVersion()
    descriptions.append(f"atop {version:s}" if version else "no atop")

    return ", ".join(descriptions)


def GetMedian(values):
    """Determines the median of measurements.

    Args:
      values (list[float]): measurements.

    Returns:
      float: median.
    """
    return statistics.median(values)


def GetRatio(values, other_values):
    """Determines how two measurements that were made in turn compare.

    Args:
      values (list[float]): measurements.
      other_values (list[float]): measurements of the other, in the same order.

    Returns:
      float: median of the ratios.
    """
    return statistics.median(
        value / other_value for value, other_value in zip(values, other_values)
    )


def _GetPositiveNumber(text):
    """Retrieves a number from the command line.

    Args:
      text (str): number.

    Returns:
      int: number.

    Raises:
      ArgumentTypeError: if it is not a number or not positive.
    """
    number = int(text) if text.isdecimal() else 0
    if not number:
        raise argparse.ArgumentTypeError(f"not a positive number: {text!r}")
    return number


def CreateArgumentParser(description):
    """Creates a parser of the command line.

    Args:
      description (str): what the program does.

    Returns:
      argparse.ArgumentParser: parser with the options days and runs.
    """
    argument_parser = argparse.ArgumentParser(description=description)
    for name, default, help_text in (
        ("--days", 30, "number of logs, one a day"),
        ("--runs", 3, "runs to take medians of"),
    ):
        argument_parser.add_argument(
            name,
            default=default,
            help=f"{help_text:s} (default: {default:d})",
            metavar="NUMBER",
            type=_GetPositiveNumber,
        )
    return argument_parser


def Main(function, description):
    """Runs a benchmark as a program.

    Args:
      function (function): benchmark, which takes the options and returns targets.
      description (str): what the program does. The first line is shown.

    Returns:
      int: exit code.
    """
    options = CreateArgumentParser(description.partition("\n")[0]).parse_args()
    print(GetMachine())
    return 0 if PrintTargets(function(options)) else 1


def PrintTable(title, column_names, rows):
    """Prints a table.

    Args:
      title (str): title.
      column_names (list[str]): names of the columns after the first one.
      rows (list[tuple]): label and values of each row, a value of None is left blank.
    """
    label_width = max(_LABEL_WIDTH, *(len(label) for label, *_ in rows))
    print(f"\n{title:s}")
    print(
        " " * label_width
        + "".join(f"{column_name:>{_COLUMN_WIDTH}s}" for column_name in column_names)
    )
    for label, *values in rows:
        cells = []
        for value in values:
            if value is None:
                value = ""
            elif isinstance(value, float):
                value = f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
            cells.append(f"{value!s:>{_COLUMN_WIDTH}s}")
        print(f"{label:<{label_width}s}{''.join(cells):s}".rstrip())


def PrintTargets(targets):
    """Prints which targets are met.

    Args:
      targets (list[Target]): targets.

    Returns:
      bool: True if all of them are met, and none is left out.
    """
    print("\nTargets")
    for description, is_met in targets:
        label = {True: "met", False: "NOT MET", None: "not measured"}[is_met]
        print(f"{label:>12s}: {description:s}")
    return all(target.is_met for target in targets)
