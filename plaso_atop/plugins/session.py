"""Plugin for the runs of atop in an atop raw log, and for what is missing from them."""

import collections
import heapq

from plaso.containers import events

from plaso_atop import parser
from plaso_atop import rawlog
from plaso_atop.plugins import interface


class AtopSessionEventData(events.EventData):
    """Run of atop event data.

    Attributes:
      atop_version (str): version of atop.
      boot_time (dfdatetime.DateTimeValues): date and time the system was started, as
          known to this run of atop.
      end_time (dfdatetime.DateTimeValues): date and time of the last sample.
      hostname (str): name of the host.
      kernel_release (str): release of the kernel.
      kernel_version (str): version of the kernel.
      machine (str): machine type.
      number_of_samples (int): number of samples that could be read.
      offset (int): offset of the first sample relative to the start of the file.
      process_accounting (bool): True if exited processes were recorded, with their exit
          code, in at least one sample.
      sampling_interval_seconds (int): median time between two samples in seconds.
      start_time (dfdatetime.DateTimeValues): date and time of the first sample.
    """

    DATA_TYPE = "linux:atop:session"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.atop_version = None
        self.boot_time = None
        self.end_time = None
        self.hostname = None
        self.kernel_release = None
        self.kernel_version = None
        self.machine = None
        self.number_of_samples = None
        self.offset = None
        self.process_accounting = None
        self.sampling_interval_seconds = None
        self.start_time = None


class AtopGapEventData(events.EventData):
    """Time for which an atop raw log has no samples event data.

    Attributes:
      duration_seconds (int): time between the samples before and after the gap in
          seconds, negative if the clock was set back.
      end_time (dfdatetime.DateTimeValues): date and time of the first sample after the
          gap.
      expected_interval_seconds (int): time that was to be between these samples, in
          seconds.
      hostname (str): name of the host.
      offset (int): offset of the damage, or else of the first sample after the gap,
          relative to the start of the file.
      reason (str): why there is a gap, as far as the log tells.
      size (int): size of the damage in bytes.
      start_time (dfdatetime.DateTimeValues): date and time of the last sample before
          the gap.
    """

    DATA_TYPE = "linux:atop:gap"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.duration_seconds = None
        self.end_time = None
        self.expected_interval_seconds = None
        self.hostname = None
        self.offset = None
        self.reason = None
        self.size = None
        self.start_time = None


class _Intervals:
    """Intervals between samples, of which the median is wanted."""

    # A run of atop has one interval, give or take a second. A forged one is not worth
    # unbounded memory.
    _MAXIMUM_NUMBER_OF_VALUES = 10000

    def __init__(self):
        """Initializes intervals."""
        super().__init__()
        self._counter = collections.Counter()

    def Add(self, interval):
        """Adds an interval.

        Args:
          interval (int): interval in seconds.
        """
        if (
            interval in self._counter
            or len(self._counter) < self._MAXIMUM_NUMBER_OF_VALUES
        ):
            self._counter[interval] += 1

    def GetMedian(self):
        """Determines the median.

        Returns:
          int: median in seconds, the lower one of two, or None if there are no
              intervals.
        """
        remaining = (sum(self._counter.values()) + 1) // 2
        for interval, count in sorted(self._counter.items()):
            remaining -= count
            if remaining <= 0:
                return interval

        return None


class _Run:
    """Run of atop.

    Attributes:
      first_sample (tuple[int, int]): time and offset of the first sample.
      has_accounting (bool): True if exited processes were recorded.
      intervals (_Intervals): intervals between the samples.
      last_curtime (int): time of the last sample.
      number_of_samples (int): number of samples.
      boot_time (int): time at which the system was started or None if not known.
      longest (list[tuple[int, int, int, int]]): interval, offset and time of the
          samples with the longest intervals, and time of the sample before.
    """

    def __init__(self, sample):
        """Initializes a run.

        Args:
          sample (rawlog.Sample): first sample.
        """
        super().__init__()
        self.boot_time = None
        self.first_sample = (sample.curtime, sample.offset)
        self.has_accounting = False
        self.intervals = _Intervals()
        self.last_curtime = sample.curtime
        self.longest = []
        self.number_of_samples = 0

        if sample.is_boot:
            self.boot_time = sample.curtime - sample.interval


class AtopSessionPlugin(interface.AtopPlugin):
    """Plugin for the runs of atop in an atop raw log."""

    NAME = "session"
    DATA_FORMAT = "atop raw log sessions and gaps"

    # Reasons of a gap, besides those of the damage in rawlog.
    _REASON_CLOCK_SET_BACK = "clock set back"
    _REASON_DELAYED = "sample delayed or clock set forward"
    _REASON_MISSING = "samples missing or clock set forward"
    _REASON_NOT_RUNNING = "atop not running"
    _REASON_RESTARTED = "system restarted"

    # The end of a log that is still being written is no gap, nor is its header, nor is
    # a sample whose time is damaged.
    _REASONS_WITHOUT_GAP = frozenset(
        [rawlog.DAMAGE_HEADER, rawlog.DAMAGE_LAST_SAMPLE, rawlog.DAMAGE_TIME]
    )

    _MAXIMUM_NUMBER_OF_GAPS = 100

    # Two measurements of the time at which a system was started differ by rounding and
    # by what the clock was corrected since.
    _MAXIMUM_BOOT_TIME_DIFFERENCE = 60

    def __init__(self):
        """Initializes a plugin."""
        super().__init__()
        self._last_curtime = None
        self._last_end_offset = 0
        self._number_of_damages = 0
        self._number_of_gaps = 0
        self._open_gaps = []
        self._previous_curtime = None
        self._run = None

    def _FinishRun(self, parser_mediator):
        """Produces the events of a run that are known at its end.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
        """
        run = self._run
        median = run.intervals.GetMedian()

        for interval, offset, curtime, previous_curtime in sorted(
            run.longest, key=lambda values: values[1]
        ):
            if 2 * interval > 3 * median:
                self._ProduceGap(
                    parser_mediator,
                    self._REASON_DELAYED,
                    previous_curtime,
                    curtime,
                    median,
                    offset,
                )

        curtime, offset = run.first_sample

        event_data = AtopSessionEventData()
        event_data.atop_version = self._log.version
        event_data.end_time = self._GetDateTime(run.last_curtime)
        event_data.kernel_release = self._GetText(self._log.kernel_release)
        event_data.kernel_version = self._GetText(self._log.kernel_version)
        event_data.machine = self._GetText(self._log.machine)
        event_data.number_of_samples = run.number_of_samples
        event_data.offset = offset
        event_data.process_accounting = run.has_accounting
        event_data.sampling_interval_seconds = median
        event_data.start_time = self._GetDateTime(curtime)
        if run.boot_time is not None:
            event_data.boot_time = self._GetDateTime(run.boot_time)

        self._ProduceEventData(parser_mediator, event_data)

    def _AddDamages(self):
        """Adds the damages that were found since the last call to the open gaps."""
        for damage in self._log.damages[self._number_of_damages :]:
            if damage.reason in self._REASONS_WITHOUT_GAP:
                continue

            # Damage inside the last sample was found when that was used, its gap is the
            # interval of that sample.
            start_time = self._last_curtime
            if damage.offset < self._last_end_offset:
                start_time = self._previous_curtime
            self._open_gaps.append((damage, start_time))

        self._number_of_damages = len(self._log.damages)

    def _ProduceDamageGaps(self, parser_mediator, offset, curtime):
        """Produces the gaps that end with a sample.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          offset (int): offset in bytes up to which the file was used.
          curtime (int): time of the sample or None if there is none.
        """
        open_gaps = []
        for damage, start_time in self._open_gaps:
            if damage.offset + damage.size > offset:
                open_gaps.append((damage, start_time))
            else:
                self._ProduceGap(
                    parser_mediator,
                    damage.reason,
                    start_time,
                    curtime,
                    None,
                    damage.offset,
                    size=damage.size,
                )
        self._open_gaps = open_gaps

    def _ProduceGap(
        self,
        parser_mediator,
        reason,
        start_time,
        end_time,
        expected_interval,
        offset,
        size=None,
    ):
        """Produces a gap, the first of a file that is full of them.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          reason (str): reason.
          start_time (int): time of the sample before the gap or None if there is none.
          end_time (int): time of the sample after the gap or None if there is none.
          expected_interval (int): seconds that were to be between these samples or None
              if not known.
          offset (int): offset of the damage or of the sample after the gap.
          size (Optional[int]): size of the damage in bytes.
        """
        self._number_of_gaps += 1
        if self._number_of_gaps > self._MAXIMUM_NUMBER_OF_GAPS:
            return

        event_data = AtopGapEventData()
        event_data.expected_interval_seconds = expected_interval
        event_data.offset = offset
        event_data.reason = reason
        event_data.size = size
        if end_time is not None:
            event_data.end_time = self._GetDateTime(end_time)
        if start_time is not None:
            event_data.start_time = self._GetDateTime(start_time)
        if start_time is not None and end_time is not None:
            event_data.duration_seconds = end_time - start_time

        self._ProduceEventData(parser_mediator, event_data, corrupted=size is not None)

    def _StartRun(self, parser_mediator, sample, has_damage):
        """Starts a run, with a gap where atop did not run since the previous one.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (rawlog.Sample): first sample.
          has_damage (bool): True if the gap is explained by damage.
        """
        previous_run = self._run
        self._run = _Run(sample)
        if not previous_run or has_damage:
            return

        reason = self._REASON_NOT_RUNNING
        if previous_run.boot_time is not None:
            difference = self._run.boot_time - previous_run.boot_time
            if difference > self._MAXIMUM_BOOT_TIME_DIFFERENCE:
                reason = self._REASON_RESTARTED

        distance = sample.curtime - previous_run.last_curtime
        median = previous_run.intervals.GetMedian()
        if distance < 0:
            reason = self._REASON_CLOCK_SET_BACK
        elif median is None or distance <= median:
            return

        self._ProduceGap(
            parser_mediator,
            reason,
            previous_run.last_curtime,
            sample.curtime,
            median,
            sample.offset,
        )

    def Finish(self, parser_mediator):
        """Extracts the events that are left at the end of a log, or on abort.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
        """
        self._AddDamages()
        self._ProduceDamageGaps(
            parser_mediator, self._last_end_offset, self._last_curtime
        )
        self._ProduceDamageGaps(parser_mediator, self._log.size, None)
        if self._run:
            self._FinishRun(parser_mediator)

        if self._number_of_gaps > self._MAXIMUM_NUMBER_OF_GAPS:
            number_of_gaps = self._number_of_gaps - self._MAXIMUM_NUMBER_OF_GAPS
            self._ProduceWarning(
                parser_mediator, f"{number_of_gaps:d} more gaps between samples"
            )

    def ProcessSample(self, parser_mediator, sample):
        """Extracts events from a sample.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (rawlog.Sample): sample.
        """
        # First the gaps of the last sample, then those between that and this one.
        self._AddDamages()
        self._ProduceDamageGaps(
            parser_mediator, self._last_end_offset, self._last_curtime
        )
        has_damage = any(damage.offset < sample.offset for damage, _ in self._open_gaps)
        self._ProduceDamageGaps(parser_mediator, sample.end_offset, sample.curtime)

        if not self._run or sample.is_boot:
            if self._run:
                self._FinishRun(parser_mediator)
            self._StartRun(parser_mediator, sample, has_damage)

        else:
            self._ProcessInterval(parser_mediator, sample, has_damage)

        self._run.has_accounting |= sample.has_accounting
        self._run.last_curtime = sample.curtime
        self._run.number_of_samples += 1

        self._previous_curtime = self._last_curtime
        self._last_curtime = sample.curtime
        self._last_end_offset = sample.end_offset

    def _ProcessInterval(self, parser_mediator, sample, has_damage):
        """Extracts a gap between a sample and the one before of the same run.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (rawlog.Sample): sample.
          has_damage (bool): True if the gap is explained by damage.
        """
        run = self._run
        run.intervals.Add(sample.interval)
        if has_damage:
            return

        # In a log that nothing happened to these are equal.
        difference = sample.curtime - run.last_curtime - sample.interval
        if abs(difference) > 1:
            reason = self._REASON_MISSING
            if difference < 0:
                reason = self._REASON_CLOCK_SET_BACK
            self._ProduceGap(
                parser_mediator,
                reason,
                run.last_curtime,
                sample.curtime,
                sample.interval,
                sample.offset,
            )
            return

        # What is too long is only known with the median, more than can become an event
        # need not be kept.
        values = (sample.interval, sample.offset, sample.curtime, run.last_curtime)
        if len(run.longest) < self._MAXIMUM_NUMBER_OF_GAPS:
            heapq.heappush(run.longest, values)
        else:
            heapq.heappushpop(run.longest, values)

    def Start(self, parser_mediator, log):
        """Starts with a log.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          log (rawlog.RawLog): log.
        """
        super().Start(parser_mediator, log)
        self._last_curtime = None
        self._last_end_offset = 0
        self._number_of_damages = 0
        self._number_of_gaps = 0
        self._open_gaps = []
        self._previous_curtime = None
        self._run = None


parser.AtopParser.RegisterPlugin(AtopSessionPlugin)
