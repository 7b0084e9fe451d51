"""Prints how many events each plugin yields for the logs in the test data and for a day.

The day is the one of logs.py: 144 samples of a server with 300 processes, 500 threads and
40 processes that come and go within each interval.
"""

import collections
import glob
import os
import sys
import tempfile

from dfvfs.lib import definitions as dfvfs_definitions
from dfvfs.path import factory as path_spec_factory
from dfvfs.resolver import resolver as path_spec_resolver

from plaso.engine import yaml_timeliner_file
from plaso.parsers import mediator as parsers_mediator
from plaso.storage.fake import writer as fake_writer

from benchmarks.lib import logs
from benchmarks.lib import report
from plaso_atop import data_files
from plaso_atop import parser

MAXIMUM_NUMBER_OF_EVENTS = 15000


def CountEvents(path):
    """Counts the events of a log.

    Args:
      path (str): path of the log.

    Returns:
      collections.Counter: number of events per plugin.
    """
    timeliner_file = yaml_timeliner_file.YAMLTimelinerConfigurationFile()
    timeliner_path = os.path.join(data_files.GetDataLocation(), "timeliner.yaml")
    date_times = {
        definition.data_type: definition.attribute_mappings
        for definition in timeliner_file.ReadFromFile(timeliner_path)
    }

    storage_writer = fake_writer.FakeStorageWriter()
    storage_writer.Open()
    parser_mediator = parsers_mediator.ParserMediator()
    parser_mediator.SetStorageWriter(storage_writer)
    path_spec = path_spec_factory.Factory.NewPathSpec(
        dfvfs_definitions.TYPE_INDICATOR_OS, location=path
    )
    file_entry = path_spec_resolver.Resolver.OpenFileEntry(path_spec)
    parser_mediator.SetFileEntry(file_entry)
    parser.AtopParser().Parse(parser_mediator, file_entry.GetFileObject())

    counter = collections.Counter()
    for event_data in storage_writer.GetAttributeContainers("event_data"):
        # pylint: disable=protected-access
        plugin_name = event_data._parser_chain.rpartition("/")[2]
        counter[plugin_name] += sum(
            getattr(event_data, name) is not None
            for name in date_times[event_data.data_type]
        )
    return counter


def Run(unused_options):
    """Runs the benchmark.

    Args:
      unused_options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    plugin_names = [name for name, _ in parser.AtopParser.GetPlugins()]
    default_names = parser.AtopParser.GetPluginNames()
    print("\nEvents of each plugin")
    print("".join(f"{name:>10s}" for name in plugin_names + ["default"]))

    with tempfile.TemporaryDirectory() as directory:
        paths = sorted(glob.glob(os.path.join(logs.TEST_DATA_PATH, "*.raw")))
        day_path = os.path.join(directory, "day")
        logs.LogWriter("2.12").WriteDay(day_path, 0)
        for path in paths + [day_path]:
            counter = CountEvents(os.path.abspath(path))
            total = sum(counter[name] for name in default_names)
            numbers = [counter[name] for name in plugin_names] + [total]
            print(
                "".join(f"{number:10d}" for number in numbers)
                + f"  {os.path.basename(path):s}"
            )

    return [
        report.Target(
            f"{total:d} events of a day with the default plugins, fewer than "
            f"{MAXIMUM_NUMBER_OF_EVENTS:d}",
            total < MAXIMUM_NUMBER_OF_EVENTS,
        )
    ]


if __name__ == "__main__":
    sys.exit(report.Main(Run, __doc__))
