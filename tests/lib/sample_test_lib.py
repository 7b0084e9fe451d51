"""Shared functions and classes for testing plugins that show what samples measured."""

import collections

from plaso_atop import layouts
from plaso_atop import parser

import log_builder
from tests.lib import parseable
from tests.lib import test_lib

# The versions whose system blocks differ, and the machine types whose layouts do.
VERSIONS_AND_ABIS = [
    (version, abi) for version in layouts.VERSIONS for abi in layouts.ABIS
]


class SamplePluginTestCase(test_lib.ParserTestCase):
    """Test case of a plugin that shows what samples measured.

    Attributes:
      PLUGIN_NAME (str): name of the plugin.
    """

    PLUGIN_NAME = None

    # Attribute that marks counters as totals. They are totals in the first sample of a
    # run of atop. None if the test of the plugin checks that itself.
    _TOTALS_ATTRIBUTE = "since_boot"

    # What all events have.
    _COMMON_ATTRIBUTES = frozenset(
        ["hostname", "interval_seconds", "offset", "sample_time", "since_boot"]
    )

    _SYSTEM_DATA_TYPE = "linux:atop:system"

    def _CreateParser(self):
        """Creates a parser with nothing but the plugin.

        Returns:
          AtopParser: parser.
        """
        atop_parser = parser.AtopParser()
        atop_parser.EnablePlugins({self.PLUGIN_NAME})
        return atop_parser

    def _GetBuiltEventData(self, builder, warnings=()):
        """Retrieves the event data of a log that was built.

        Args:
          builder (LogBuilder|bytes): builder or contents of the log.
          warnings (Optional[list[str]]): what the warnings have to start with.

        Returns:
          list[EventData]: event data.
        """
        data = builder if isinstance(builder, bytes) else builder.Build()
        storage_writer = self._ParseData(data, self._CreateParser())

        messages = self._GetWarnings(storage_writer)
        self.assertEqual(len(messages), len(warnings), messages)
        for message, expected_start in zip(messages, warnings):
            self.assertTrue(message.startswith(expected_start), message)

        event_data = self._GetEventData(storage_writer)
        for element in event_data:
            self._CheckTypes(element)
        return event_data

    def _GetSamples(self, log):
        """Retrieves what the events and atop show for the samples of a log.

        Args:
          log (test_lib.Log): description of the log.

        Yields:
          tuple[parseable.Sample, list[EventData]]: what atop printed of a sample and
              event data of the sample.
        """
        samples = parseable.ReadSamples(log.parseable_path, log.version_tuple)

        # That of the system has an event for every sample.
        atop_parser = parser.AtopParser()
        atop_parser.EnablePlugins({self.PLUGIN_NAME, "system"})
        storage_writer = self._ParseFile([f"{log.name:s}.raw"], atop_parser)
        self.assertEqual(self._GetWarnings(storage_writer), [])

        event_data_per_offset = collections.defaultdict(list)
        for event_data in self._GetEventData(storage_writer):
            elements = event_data_per_offset[event_data.offset]
            if event_data.data_type != self._SYSTEM_DATA_TYPE or (
                self.PLUGIN_NAME == "system"
            ):
                elements.append(event_data)

        for sample, (_, elements) in zip(
            samples, sorted(event_data_per_offset.items()), strict=True
        ):
            for event_data in elements:
                self._CheckTypes(event_data)
                self.assertEqual(event_data.interval_seconds, sample.interval)
                self.assertEqual(event_data.sample_time.timestamp, sample.curtime)
                self.assertEqual(event_data.hostname, sample.nodename.decode("ascii"))
                if self._TOTALS_ATTRIBUTE:
                    self.assertEqual(
                        getattr(event_data, self._TOTALS_ATTRIBUTE),
                        sample.is_boot or None,
                    )
            yield sample, elements

    def _GetValues(self, event_data):
        """Retrieves the attributes that are set.

        Args:
          event_data (EventData): event data.

        Returns:
          dict[str, object]: values per name.
        """
        return {
            name: value
            for name, value in vars(event_data).items()
            if value is not None and name != "data_type" and not name.startswith("_")
        }

    def _GetMeasuredValues(self, event_data):
        """Retrieves the attributes that are set, but those that all events have.

        Args:
          event_data (EventData): event data.

        Returns:
          dict[str, object]: values per name.
        """
        values = self._GetValues(event_data)
        return {
            name: value
            for name, value in values.items()
            if name not in self._COMMON_ATTRIBUTES
        }

    def _ParseSystem(
        self, *systems, version=layouts.VERSIONS[-1], abi=layouts.ABIS[0], **kwargs
    ):
        """Retrieves the event data of a log with given system blocks.

        Args:
          systems (list[dict[str, object]]): values of the members of the system blocks.
              The first of them is that of the first sample of a run of atop.
          version (Optional[str]): version of atop.
          abi (Optional[layouts.ABI]): machine type.
          kwargs (dict[str, object]): interval of the samples, what the warnings have to
              start with, and values of the header.

        Returns:
          list[EventData]: event data.
        """
        interval = kwargs.pop("interval", 600)
        warnings = kwargs.pop("warnings", ())
        builder = log_builder.LogBuilder(version=version, abi=abi, **kwargs)
        for index, system in enumerate(systems):
            builder.AddSample(
                log_builder.T0 + index * interval,
                interval=interval,
                flags=0 if index else 1,
                system=system,
            )
        return self._GetBuiltEventData(builder, warnings)
