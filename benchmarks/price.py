"""Compares what it costs to make the events of a log with what Plaso itself costs.

log2timeline reads logs with our parser, with one that only hands over the same event
data, which was made before, and with one that does nothing. What the second costs more
than the third is Plaso's own price. With worker processes, as a user has them, the main
process merges what these stored, and does not sleep while it waits for them. In a single
process Plaso costs least.

Each measurement is made in a process of its own.
"""

import itertools
import json
import os
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

_PLACES = (extraction.WORKERS, extraction.SINGLE)

_VERSION = "2.12"

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
    blocks = []
    for path in paths:
        with open(path, "rb") as file_object:
            for sample in rawlog.RawLog(file_object).samples():
                for block in (sample.system_block, sample.tasks_block):
                    file_object.seek(block.offset)
                    blocks.append(file_object.read(block.compressed_size))

    times = []
    for function, arguments in ((_Inflate, blocks), (_Read, paths), (ParseAll, paths)):
        function(*arguments)
        start_time = time.process_time()
        function(*arguments)
        times.append(time.process_time() - start_time)
    return times


def _Measure(source_path, directory, number_of_runs):
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


def Run(options):
    """Runs the benchmark.

    Args:
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    number_of_days = min(options.days, MAXIMUM_NUMBER_OF_DAYS)
    with tempfile.TemporaryDirectory() as directory:
        source_path = os.path.join(directory, "source")
        _, number_of_tasks = logs.WriteDays(source_path, _VERSION, number_of_days)
        times, parts, events = _Measure(source_path, directory, options.runs)

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
