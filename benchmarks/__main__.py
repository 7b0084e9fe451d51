"""Runs the benchmarks and prints which targets are met.

log2timeline and its start are measured as installed, the rest with the modules of the
checkout, which have to be the same.
"""

import filecmp
import os
import subprocess
import sys

from benchmarks import carving
from benchmarks import growth
from benchmarks import price
from benchmarks.lib import processes
from benchmarks import reading
from benchmarks.lib import report
from benchmarks import startup
from benchmarks import tagging

_BENCHMARKS = {
    "reading": reading,
    "startup": startup,
    "price": price,
    "growth": growth,
    "carving": carving,
    "tagging": tagging,
}


def _CheckInstalled():
    """Checks that the package of this environment is that of the checkout.

    Raises:
      RuntimeError: if it is not.
    """
    process = subprocess.run(
        [sys.executable, "-c", "import plaso_atop; print(plaso_atop.__path__[0])"],
        check=True,
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
    )
    installed_path = process.stdout.strip()
    checkout_path = os.path.join(processes.PROJECT_PATH, "plaso_atop")
    for directory, _, names in os.walk(checkout_path):
        names = [name for name in names if name.endswith((".py", ".yaml"))]
        relative_path = os.path.relpath(directory, checkout_path)
        _, *others = filecmp.cmpfiles(
            directory, os.path.join(installed_path, relative_path), names, shallow=False
        )
        if any(others):
            raise RuntimeError(
                f"{installed_path:s} is not what the checkout has, install it again: "
                f"{others!s}"
            )


def Main():
    """Runs the program.

    Returns:
      int: exit code, 0 only if all targets were measured and are met.
    """
    argument_parser = report.CreateArgumentParser(__doc__.partition("\n")[0])
    argument_parser.add_argument(
        "benchmarks",
        metavar="BENCHMARK",
        nargs="*",
        help=f"benchmarks to run, by default all: {', '.join(_BENCHMARKS):s}",
    )
    options = argument_parser.parse_args()
    for name in options.benchmarks:
        if name not in _BENCHMARKS:
            argument_parser.error(f"no such benchmark: {name:s}")

    try:
        _CheckInstalled()
    except RuntimeError as exception:
        print(exception, file=sys.stderr)
        return 1

    print(report.GetMachine())

    targets = []
    for name, benchmark in _BENCHMARKS.items():
        if not options.benchmarks or name in options.benchmarks:
            try:
                targets.extend(benchmark.Run(options))
            except (OSError, RuntimeError, subprocess.SubprocessError) as exception:
                # The others took too long to lose them.
                targets.append(report.Target(f"{name:s}: {exception!s}", None))
            sys.stdout.flush()

    return 0 if report.PrintTargets(targets) else 1


if __name__ == "__main__":
    sys.exit(Main())
