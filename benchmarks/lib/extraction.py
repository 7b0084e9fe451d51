"""Runs log2timeline with our parser, or with another in its place, and measures it.

One only hands over event data that was made before, so that all that it takes is what
Plaso itself does with the events. Another does nothing.

Runs as a program, in a process of its own.
"""

import contextlib
import functools
import gc
import io
import itertools
import json
import multiprocessing
import os
import sys
import time

from plaso.cli import log2timeline_tool
from plaso.parsers import mediator
from plaso.storage import factory

from benchmarks.lib import processes
from plaso_atop import parser

# Of the Linux preset.
PARSERS = "atop/session,atop/process,atop/system,atop/network"

# Parsers that log2timeline runs with.
OURS = "ours"
PREPARED = "prepared"
NOTHING = "nothing"

# Where it runs them.
WORKERS = "2 workers"
SINGLE = "a single process"

_OPTIONS = {WORKERS: ["--workers", "2"], SINGLE: ["--single_process"]}


class _CollectingMediator(mediator.ParserMediator):
    """Parser mediator that keeps the event data.

    Attributes:
      event_data (list[tuple]): parser chain, event data and how it was produced.
    """

    def __init__(self):
        """Initializes a parser mediator."""
        super().__init__()
        self.event_data = []

    # pylint: disable=arguments-differ
    def ProduceEventData(self, event_data, **kwargs):
        """Keeps event data.

        Args:
          event_data (EventData): event data.
          kwargs (dict[str, object]): how it is produced.
        """
        self.event_data.append((self.GetParserChain(), event_data, kwargs))


def CheckStorage(path, number_of_events=None):
    """Counts the events of a storage file.

    Args:
      path (str): path of the storage file.
      number_of_events (Optional[int]): number that there must be, None if not known.

    Returns:
      int: number of events.

    Raises:
      RuntimeError: if there are warnings, or not as many events.
    """
    reader = factory.StorageFactory.CreateStorageReaderForFile(path)
    try:
        for name in ("extraction_warning", "recovery_warning", "timelining_warning"):
            for warning in reader.GetAttributeContainers(name):
                raise RuntimeError(f"{name:s}: {warning.message:s}")
        events = reader.GetNumberOfAttributeContainers("event")
    finally:
        reader.Close()

    if number_of_events not in (None, events):
        raise RuntimeError(f"{events:d} events instead of {number_of_events:d}")
    return events


def GetNumbersOfEvents(path):
    """Retrieves how many events the parsers and plugins gave.

    Args:
      path (str): path of the storage file.

    Returns:
      dict[str, int]: number of events per name, "total" is that of all.
    """
    reader = factory.StorageFactory.CreateStorageReaderForFile(path)
    try:
        return {
            count.name: count.number_of_events
            for count in reader.GetAttributeContainers("parser_count")
        }
    finally:
        reader.Close()


def Measure(mode, place, source_path, storage_path):
    """Measures log2timeline, in a process of its own.

    Args:
      mode (str): OURS, PREPARED or NOTHING.
      place (str): WORKERS or SINGLE.
      source_path (str): path of the folder with the logs.
      storage_path (str): path of the storage file, which must not exist.

    Returns:
      processes.Usage: seconds of wall time and of CPU time of the extraction, without
          what it takes to start Python and to make the event data before.

    Raises:
      RuntimeError: if it fails.
    """
    times = processes.CallModule(__name__, mode, place, source_path, storage_path)
    return processes.Usage(*times, None, None, None)


def Parse(path, parser_mediator):
    """Parses a log with the default plugins.

    Args:
      path (str): path of the log.
      parser_mediator (ParserMediator): parser mediator.

    Returns:
      ParserMediator: parser mediator.
    """
    atop_parser = parser.AtopParser()
    atop_parser.EnablePlugins(set(atop_parser.GetPluginNames()))
    parser_mediator.AppendToParserChain(atop_parser.NAME)
    with open(path, "rb") as file_object:
        atop_parser.ParseFileObject(parser_mediator, file_object)
    return parser_mediator


def _ProducePrepared(groups_per_name, unused_parser, parser_mediator, unused_file):
    """Produces event data that was made before, in place of ParseFileObject.

    Args:
      groups_per_name (dict[str, list[tuple]]): names of the plugins and event data that
          they make one after the other, per name of the log.
      unused_parser (AtopParser): parser.
      parser_mediator (ParserMediator): parser mediator.
      unused_file (dfvfs.FileIO): log.
    """
    for plugin_name, group in groups_per_name[parser_mediator.GetFilename()]:
        parser_mediator.AppendToParserChain(plugin_name)
        for event_data, kwargs in group:
            parser_mediator.ProduceEventData(event_data, **kwargs)
        parser_mediator.PopFromParserChain()


def _GetTimes():
    """Determines the times so far.

    Returns:
      tuple[float, float]: seconds of wall time since some moment, and of CPU time of
          this process and of those it started and that ended.
    """
    return time.perf_counter(), sum(os.times()[:4])


def _Extract(mode, place, source_path, storage_path):
    """Runs log2timeline in this process and, where asked for, its worker processes.

    Args:
      mode (str): OURS, PREPARED or NOTHING.
      place (str): WORKERS or SINGLE.
      source_path (str): path of the folder with the logs.
      storage_path (str): path of the storage file.

    Returns:
      list[float]: seconds of wall time and of CPU time of the extraction.
    """
    # What was made before and replaced is what the workers have, too.
    multiprocessing.set_start_method("fork")

    # Every mode does this, so that all start with the definitions read and the same
    # modules imported.
    groups_per_name = {}
    for name in os.listdir(source_path):
        collected = Parse(os.path.join(source_path, name), _CollectingMediator())
        groups_per_name[name] = [
            (
                chain.rpartition("/")[2],
                [(event_data, kwargs) for _, event_data, kwargs in group],
            )
            for chain, group in itertools.groupby(
                collected.event_data, key=lambda values: values[0]
            )
        ]
    collected = None

    if mode == PREPARED:
        parser.AtopParser.ParseFileObject = functools.partialmethod(
            functools.partial(_ProducePrepared, groups_per_name)
        )
    else:
        groups_per_name = None
        if mode == NOTHING:
            parser.AtopParser.ParseFileObject = lambda *unused_arguments: None

    tool = log2timeline_tool.Log2TimelineTool()
    arguments = processes.GetLog2TimelineArguments(source_path, storage_path, PARSERS)
    tool.ParseArguments([*arguments[1:-1], *_OPTIONS[place], arguments[-1]])

    # What was made before is not what the garbage collector is to go through.
    gc.collect()
    gc.freeze()
    start_times = _GetTimes()
    tool.ExtractEventsFromSources()
    return [end - start for start, end in zip(start_times, _GetTimes())]


def Main():
    """Runs log2timeline and prints what it took."""
    # log2timeline prints as well.
    with contextlib.redirect_stdout(io.StringIO()):
        times = _Extract(*sys.argv[1:])
    print(json.dumps(times))


if __name__ == "__main__":
    Main()
