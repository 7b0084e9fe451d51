"""Interface for atop raw log plugins."""

import abc
import functools

from dfdatetime import posix_time as dfdatetime_posix_time
from dfdatetime import semantic_time as dfdatetime_semantic_time

from plaso.parsers import plugins

from plaso_atop import compatibility


class AtopPlugin(plugins.BasePlugin):
    """atop raw log parser plugin.

    The parser reads a log once and hands each sample to every plugin.
    """

    NAME = "atop_plugin"
    DATA_FORMAT = "atop raw log file"

    # The first second of the year 10000. Output modules of Plaso cannot show later
    # dates, nor those before 1970.
    _END_OF_TIME = 253402300800

    _MAXIMUM_INTEGER = (1 << 63) - 1

    def __init__(self):
        """Initializes a plugin."""
        super().__init__()
        self._hostname = None
        self._log = None

    def _GetDateTime(self, seconds):
        """Retrieves a date and time.

        Args:
          seconds (int): seconds since January 1, 1970 00:00:00 UTC.

        Returns:
          dfdatetime.DateTimeValues: date and time, which is InvalidTime where Plaso
              cannot show it and for 0, which stands for not set.
        """
        if self._IsValidTime(seconds):
            return dfdatetime_posix_time.PosixTime(timestamp=seconds)

        return dfdatetime_semantic_time.InvalidTime()

    def _GetMilliseconds(self, ticks):
        """Converts clock ticks.

        Args:
          ticks (int): clock ticks.

        Returns:
          int: milliseconds or None if the ticks are not valid or if the log does not
              tell how long one is.
        """
        if ticks is None or ticks < 0 or not self._log.hertz:
            return None
        return self._GetSize(ticks * 1000 // self._log.hertz)

    def _GetSize(self, number, unit=1):
        """Converts a number of units, such as memory pages, to a size or count.

        Args:
          number (int): number of units.
          unit (Optional[int]): size of a unit in bytes, None if it is not known.

        Returns:
          int: size in bytes, or None if it is not valid or larger than what output
              modules can hold.
        """
        if number is None or unit is None or number < 0:
            return None

        size = number * unit
        return size if size <= self._MAXIMUM_INTEGER else None

    @staticmethod
    @functools.lru_cache(maxsize=4096)
    def _GetText(value):
        """Converts text of a log to a string that is safe to show.

        Args:
          value (bytes): text as stored.

        Returns:
          str: text, in which bytes that are not UTF-8 and characters that cannot be
              printed are escaped, or None if there is none.
        """
        if not value:
            return None

        text = value.decode("utf-8", errors="backslashreplace")
        if text.isprintable():
            return text

        return "".join(
            (
                character
                if character.isprintable()
                else (
                    f"\\x{ord(character):02x}"
                    if ord(character) < 256
                    else f"\\u{ord(character):04x}"
                )
            )
            for character in text
        )

    def _IsValidTime(self, seconds):
        """Determines if a time is set and can be shown.

        Args:
          seconds (int): seconds since January 1, 1970 00:00:00 UTC.

        Returns:
          bool: True if the time is valid.
        """
        return 0 < seconds < self._END_OF_TIME

    def _ProduceEventData(self, parser_mediator, event_data, corrupted=False):
        """Produces event data.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          event_data (EventData): event data, of which the hostname is set.
          corrupted (Optional[bool]): True if part of what the event data is made of is
              damaged.
        """
        event_data.hostname = self._hostname
        compatibility.ProduceEventData(
            parser_mediator,
            event_data,
            corrupted=corrupted,
            recovered=self._log.is_recovered,
        )

    def _ProduceWarning(self, parser_mediator, message):
        """Produces an extraction warning.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          message (str): message of the warning.
        """
        compatibility.ProduceWarning(parser_mediator, message)

    def Start(self, parser_mediator, log):
        """Starts with a log.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          log (rawlog.RawLog): log.
        """
        self._hostname = self._GetText(log.hostname)
        self._log = log

    @abc.abstractmethod
    def ProcessSample(self, parser_mediator, sample):
        """Extracts events from a sample.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (rawlog.Sample): sample.
        """

    def Finish(self, parser_mediator):
        """Extracts the events that are left at the end of a log, or on abort.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
        """
