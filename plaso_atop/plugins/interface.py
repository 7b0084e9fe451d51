"""Interface for atop raw log plugins."""

import abc
import functools

from dfdatetime import posix_time as dfdatetime_posix_time
from dfdatetime import semantic_time as dfdatetime_semantic_time

from plaso.parsers import plugins

from plaso_atop import compatibility
from plaso_atop import control_groups
from plaso_atop import rawlog
from plaso_atop import text
from plaso_atop.integration import user_names


class AtopPlugin(plugins.BasePlugin):
    """atop raw log parser plugin.

    The parser reads a log once and hands each sample to every plugin.
    """

    NAME = "atop_plugin"
    DATA_FORMAT = "atop raw log file"

    # Whether the plugin runs if the user names no parsers. One that produces an event
    # for every process or device in every sample does not.
    IS_DEFAULT = True

    _FORMULA_STARTS = (b"=", b"+", b"-", b"@")

    # Some volumes count requests without data. With as many there was data, too.
    _LARGE_NUMBER_OF_TRANSFERS = 1 << 24

    _MAXIMUM_INTEGER = (1 << 63) - 1

    def __init__(self):
        """Initializes a plugin."""
        super().__init__()
        self._hostname = None
        self._log = None

    def _GetCount(self, sample, number):
        """Retrieves a counter of the interval of a sample.

        A counter becomes smaller if a device or module was removed and came back. atop
        up to 2.6 takes that for a wrap at 32 bits: it stores 2^32 minus a former value.
        No interval has that many.

        Args:
          sample (Sample): sample.
          number (int): number of requests, packets or the like.

        Returns:
          int: number or None if it is not valid.
        """
        if self._MayBeWrapped(sample) and number >= 1 << 31:
            return None
        return self._GetSize(number)

    def _GetDateTime(self, seconds):
        """Retrieves a date and time.

        Args:
          seconds (int): seconds since January 1, 1970 00:00:00 UTC.

        Returns:
          dfdatetime.DateTimeValues: date and time. InvalidTime if Plaso cannot show it,
              and for 0, which means not set.
        """
        if rawlog.IsValidTime(seconds):
            return dfdatetime_posix_time.PosixTime(timestamp=seconds)

        return dfdatetime_semantic_time.InvalidTime()

    def _GetInteger(self, number):
        """Retrieves a number that can be negative.

        Args:
          number (int): number.

        Returns:
          int: number or None if output modules cannot hold a number of that size.
        """
        return number if abs(number) <= self._MAXIMUM_INTEGER else None

    def _GetMilliseconds(self, ticks):
        """Converts clock ticks.

        Args:
          ticks (int): clock ticks.

        Returns:
          int: milliseconds or None if the ticks are not valid or if their length is not
              known.
        """
        if ticks is None or ticks < 0 or not self._log.hertz:
            return None
        return self._GetSize(ticks * 1000 // self._log.hertz)

    def _GetPercent(self, part, whole):
        """Calculates a percentage.

        Args:
          part (int): part.
          whole (int): whole.

        Returns:
          float: percentage with one decimal, at most 100.0, or None if the part or
              whole is not valid.
        """
        if part is None or whole is None or part < 0 or whole <= 0:
            return None
        return min(round(100 * part / whole, 1), 100.0)

    def _GetSize(self, number, unit=1):
        """Converts a number of units, such as memory pages, to a size or count.

        Args:
          number (int): number of units.
          unit (Optional[int]): size of a unit in bytes, None if it is not known.

        Returns:
          int: size in bytes, or None if it is not valid or too large for output
              modules.
        """
        if number is None or unit is None or number < 0:
            return None

        size = number * unit
        return size if size <= self._MAXIMUM_INTEGER else None

    @staticmethod
    @functools.lru_cache(maxsize=1024)
    def _GetText(value):
        """Converts text of a log to a string that is safe to show.

        Args:
          value (bytes): text as stored.

        Returns:
          str: text as text.Escape gives it, or None if there is none.
        """
        return text.Escape(value) if value else None

    def _GetTransfers(self, sample, number, amount, unit=1):
        """Retrieves counters of the transfers in the interval of a sample.

        Args:
          sample (Sample): sample.
          number (int): number of packets or requests.
          amount (int): number of units that these transferred.
          unit (Optional[int]): size of a unit in bytes.

        Returns:
          tuple[int, int]: number and size in bytes, None if not valid.
        """
        # A size of 2^32 is nothing special, but it has the same fault as the number. A
        # number that had become large before is recognized by what a packet must have.
        count = self._GetCount(sample, number)
        if self._MayBeWrapped(sample) and (
            count is None or amount < number >= self._LARGE_NUMBER_OF_TRANSFERS
        ):
            return None, None

        return count, self._GetSize(amount, unit)

    def _MayBeWrapped(self, sample):
        """Determines if counters of a sample may come from a wrap, see _GetCount.

        Args:
          sample (Sample): sample.

        Returns:
          bool: True if they may.
        """
        return sample.version_tuple <= (2, 6) and not sample.is_boot

    def _ProduceEventData(self, parser_mediator, event_data, corrupted=False):
        """Produces event data.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          event_data (EventData): event data, whose hostname is set here.
          corrupted (Optional[bool]): True if a source of the event data is damaged.
        """
        event_data.hostname = self._hostname
        compatibility.ProduceEventData(
            parser_mediator,
            event_data,
            corrupted=corrupted,
            recovered=self._log.is_recovered,
        )

    def _ProduceSampleEventData(self, parser_mediator, sample, event_data):
        """Produces event data of the measurements of a sample.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (Sample): sample.
          event_data (EventData): event data, whose hostname, offset, sample_time,
              interval_seconds and since_boot are set here.
        """
        self._SetSample(event_data, sample)
        event_data.since_boot = sample.is_boot or None
        self._ProduceEventData(parser_mediator, event_data, corrupted=sample.is_damaged)

    def _ProduceWarning(self, parser_mediator, message):
        """Produces an extraction warning.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          message (str): message of the warning.
        """
        compatibility.ProduceWarning(parser_mediator, message)

    def _SetSample(self, event_data, sample):
        """Sets which sample event data is of.

        Args:
          event_data (EventData): event data.
          sample (Sample): sample.
        """
        event_data.interval_seconds = self._GetSize(sample.interval)
        event_data.offset = sample.offset
        event_data.sample_time = self._GetDateTime(sample.curtime)

    # pylint: disable-next=unused-argument
    def Start(self, parser_mediator, log):
        """Starts with a log.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          log (rawlog.RawLog): log.
        """
        self._hostname = self._GetText(log.hostname)
        if log.hostname[:1] in self._FORMULA_STARTS:
            # Some outputs begin with the name of the host, and a spreadsheet takes what
            # begins like this for a formula.
            self._hostname = f"\\x{log.hostname[0]:02x}{self._hostname[1:]:s}"
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
        """Extracts the remaining events at the end of a log, or on abort.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
        """


class AtopTaskPlugin(AtopPlugin):
    """atop raw log parser plugin for the entries of process lists."""

    # pylint: disable=abstract-method

    # Bytes of the path of a control group that atop up to 2.10 stores.
    _CGROUP_PATH_SIZE = 63

    # atop stores no more exits in a sample.
    _EXITS_SIZE = 50 * 1024 * 1024

    _NETWORK_MEMBERS = (
        ("tcp_sent_packets", "tcpsnd"),
        ("tcp_sent_size", "tcpssz"),
        ("tcp_received_packets", "tcprcv"),
        ("tcp_received_size", "tcprsz"),
        ("udp_sent_packets", "udpsnd"),
        ("udp_sent_size", "udpssz"),
        ("udp_received_packets", "udprcv"),
        ("udp_received_size", "udprsz"),
    )

    _NO_NETWORK = (0,) * len(_NETWORK_MEMBERS)

    _SECTOR_SIZE = 512

    # Before 2.7 a counter that went down was taken for one that wrapped at 32 bits.
    _WRAPPED_DIFFERENCES = range(3 << 30, 1 << 32)

    def __init__(self):
        """Initializes a plugin."""
        super().__init__()
        self._exit_btimes = {}
        self._maximum_number_of_exits = 0
        self._number_of_exits = 0
        self._number_of_omitted_exits = 0
        self._previous_curtime = None
        self._previous_end_offset = None

    def _AcceptExit(self, task):
        """Accepts an exit, once, and counts it.

        Args:
          task (rawlog.Task): entry of an exited process.

        Returns:
          bool: False if the exit is not to be shown: the sample has listed it already,
              or has more exits than atop stores.
        """
        # Where atop does not know which process it was, the identifier is 0.
        if task.pid and self._exit_btimes.get(task.pid) == task.btime:
            return False

        if self._number_of_exits >= self._maximum_number_of_exits:
            self._number_of_omitted_exits += 1
            self._log.number_of_omitted_exits = max(
                self._number_of_omitted_exits, self._log.number_of_omitted_exits
            )
            return False

        self._number_of_exits += 1
        self._exit_btimes[task.pid] = task.btime
        return True

    def _FollowsPrevious(self, sample):
        """Determines if no sample is missing between the previous one and this one.

        Within a run the interval of a sample is the difference between its time and
        that of the sample before, at least a second.

        Args:
          sample (rawlog.Sample): sample with a whole process list.

        Returns:
          bool: True if the process list before this one in the file was whole, and if
              atop took its sample directly before this one.
        """
        if sample.offset != self._previous_end_offset:
            return False

        elapsed_seconds = sample.curtime - self._previous_curtime
        return sample.is_boot or sample.interval == max(1, elapsed_seconds)

    def _GetCgroup(self, task, sample):
        """Retrieves the control group of a process.

        Args:
          task (rawlog.Task): entry of the process.
          sample (rawlog.Sample): sample that the entry is from.

        Returns:
          bytes: path of the control group or None if not known.
        """
        if self._log.version_tuple < (2, 11):
            return task.cgpath if sample.has_cgroups else None

        return sample.GetCgroupPath(task.pid)

    def _GetContainer(self, task, sample):
        """Retrieves the container of a process.

        Args:
          task (rawlog.Task): entry of the process.
          sample (rawlog.Sample): sample that the entry is from.

        Returns:
          bytes: name or identifier of the container, empty if there is none.
        """
        if not sample.has_containers:
            return b""
        return task.container or task.utsname or b""

    def _GetContainerAttribute(self, sample):
        """Determines the name of the attribute for what _GetContainer gives.

        Args:
          sample (rawlog.Sample): sample.

        Returns:
          str: name of the attribute.
        """
        if sample.version_tuple < (2, 10):
            return "container_identifier"
        return "container_name"

    def _GetUsername(self, parser_mediator, identifier, is_in_container):
        """Retrieves the name of a user.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          identifier (int): user identifier.
          is_in_container (bool): True if the process of the user may be in a container.

        Returns:
          str: name, or None if it is not known or if the process may be in a container:
              containers have users of their own.
        """
        if is_in_container:
            return None

        username = user_names.GetUsername(parser_mediator, identifier)
        return username and self._GetText(username.encode("utf-8", "surrogatepass"))

    def _IsCutCgroup(self, cgroup):
        """Determines if the end of the path of a control group may be missing.

        Args:
          cgroup (bytes): path of the control group.

        Returns:
          bool: True if atop may have stored less than all of it.
        """
        return (
            self._log.version_tuple < (2, 11) and len(cgroup) >= self._CGROUP_PATH_SIZE
        )

    def _IsGuessed(self, task):
        """Determines if atop guessed which process exited.

        Process accounting of version 2 holds no process identifiers.

        Args:
          task (rawlog.Task): entry of an exited process.

        Returns:
          bool: True if atop guessed.
        """
        return (task.ppid if task.tgid is None else task.tgid) == 0

    def _MayBeInContainer(self, task, cgroup, sample):
        """Determines if a living process may be in a container.

        Args:
          task (rawlog.Task): entry of the process.
          cgroup (bytes): path of its control group, None or empty if not known.
          sample (rawlog.Sample): sample that lists the process.

        Returns:
          bool: True if it is, or may be, in a container.
        """
        return bool(
            task.ctid
            or task.envid
            or self._GetContainer(task, sample)
            or self._MayBeContainerCgroup(cgroup, sample)
        )

    def _MayBeContainerCgroup(self, cgroup, sample):
        """Determines by its control group if a living process may be in a container.

        Args:
          cgroup (bytes): path of the control group, None or empty if not known.
          sample (rawlog.Sample): sample that lists the process.

        Returns:
          bool: True if a container runtime created the control group. Also if control
              groups were stored, but this one, or the end of its path, is not known.
        """
        if not cgroup:
            return sample.has_cgroups

        return self._IsCutCgroup(cgroup) or control_groups.IsOfContainer(cgroup)

    def _SetPrevious(self, sample):
        """Sets the previous sample, when all its entries were seen.

        Args:
          sample (rawlog.Sample): sample with a whole process list.
        """
        self._exit_btimes = {}
        self._number_of_exits = 0
        self._previous_curtime = sample.curtime
        self._previous_end_offset = sample.end_offset

    # pylint: disable-next=unused-argument
    def Start(self, parser_mediator, log):
        """Starts with a log.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          log (rawlog.RawLog): log.
        """
        super().Start(parser_mediator, log)
        self._exit_btimes = {}
        self._maximum_number_of_exits = 0
        self._number_of_exits = 0
        self._number_of_omitted_exits = 0
        self._previous_curtime = None
        self._previous_end_offset = None
        if log.layout.tstat:
            self._maximum_number_of_exits = self._EXITS_SIZE // log.layout.tstat.size
