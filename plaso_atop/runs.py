"""Runs of atop in a raw log, and the gaps in and between them.

Knows nothing of Plaso.
"""

import collections
import heapq

from plaso_atop import rawlog

# Reasons of a gap, besides those of the damage in rawlog.
GAP_CLOCK_SET_BACK = "clock set back"
GAP_DELAYED = "sample delayed or clock set forward"
GAP_MISSING = "samples missing or clock set forward"
GAP_NOT_RUNNING = "atop not running"
GAP_RESTARTED = "system restarted"


class Gap(
    collections.namedtuple(
        "Gap",
        ["reason", "start_time", "end_time", "expected_interval", "offset", "size"],
    )
):
    """Time for which a log has no samples.

    Attributes:
      reason (str): reason, one of the GAP constants or of the DAMAGE ones of rawlog.
      start_time (int): time of the sample before the gap in seconds since the Epoch or
          None if there is none.
      end_time (int): time of the sample after the gap in seconds since the Epoch or
          None if there is none.
      expected_interval (int): seconds that were to be between these samples or None if
          not known.
      offset (int): offset in bytes of the damage, or else of the sample after the gap,
          relative to the start of the file.
      size (int): size of the damage in bytes or None if there is none.
    """

    __slots__ = ()

    @property
    def duration(self):
        """int: seconds between the samples, negative if the clock was set back, or None
        if one of them is missing."""
        if self.start_time is None or self.end_time is None:
            return None
        return self.end_time - self.start_time


class _Intervals:
    """Intervals between samples, for their median."""

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


class Run:
    """Run of atop.

    Attributes:
      accounting_end_time (int): time of the last sample with process accounting before
          one without, the last of several times, in seconds since the Epoch, or None if
          there is none.
      accounting_start_time (int): time of the first sample with process accounting
          after one without, the first of several times, in seconds since the Epoch, or
          None if there is none.
      boot_time (int): time at which the system was started in seconds since the Epoch
          or None if not known.
      end_time (int): time of the last sample in seconds since the Epoch, None if none
          has a valid time.
      has_accounting (bool): True if the exits of processes were recorded in at least
          one sample.
      has_damaged_time (bool): True if the time of the first or last sample is damaged.
      interval (int): median time between two samples in seconds or None if there is
          only one. Only known when the run has ended.
      last_exit_time (int): time of the last sample with exits of processes, in seconds
          since the Epoch, or None if none has any.
      longest_time_without_exits (int): longest time before a sample with exits, since
          the one before or the start of the run, in seconds.
      number_of_samples (int): number of samples.
      offset (int): offset of the first sample in bytes.
      start_time (int): time of the first sample in seconds since the Epoch, None if
          none has a valid time.
    """

    def __init__(self, sample):
        """Initializes a run without samples.

        Args:
          sample (rawlog.Sample): first sample.
        """
        super().__init__()
        self._previous_accounting = None
        self.accounting_end_time = None
        self.accounting_start_time = None
        self.boot_time = None
        self.end_time = None
        self.has_accounting = False
        self.has_damaged_time = sample.has_damaged_time
        self.interval = None
        self.last_exit_time = None
        self.longest_time_without_exits = 0
        self.number_of_samples = 0
        self.offset = sample.offset
        self.start_time = None

        if sample.is_boot and rawlog.IsValidTime(sample.curtime):
            self.boot_time = sample.curtime - sample.interval

    def AddSample(self, sample):
        """Adds a sample, the first one as well.

        Args:
          sample (rawlog.Sample): sample.
        """
        has_accounting = sample.has_accounting
        self.has_accounting |= has_accounting
        self.number_of_samples += 1
        if not rawlog.IsValidTime(sample.curtime):
            return

        if self.start_time is None:
            self.start_time = sample.curtime

        if self._previous_accounting is not None:
            if self._previous_accounting and not has_accounting:
                self.accounting_end_time = self.end_time
            elif has_accounting and not self._previous_accounting:
                if self.accounting_start_time is None:
                    self.accounting_start_time = sample.curtime

        if sample.record.nexit > 0:
            previous_time = self.last_exit_time
            if previous_time is None:
                previous_time = self.start_time
            self.longest_time_without_exits = max(
                self.longest_time_without_exits, sample.curtime - previous_time
            )
            self.last_exit_time = sample.curtime

        self._previous_accounting = has_accounting
        self.end_time = sample.curtime


class RunFinder:
    """Finds the runs of atop in a log, and the gaps.

    Attributes:
      number_of_gaps (int): number of gaps, also of those that were left out.
    """

    # A file can be full of gaps: only the first ones are kept.
    MAXIMUM_NUMBER_OF_GAPS = 100

    # The header and the end of a log that is still being written are no gaps. A sample
    # whose time is damaged, or whose cgroups are too large, is there.
    _REASONS_WITHOUT_GAP = frozenset(
        [
            rawlog.DAMAGE_CGROUPS_SIZE,
            rawlog.DAMAGE_HEADER,
            rawlog.DAMAGE_LAST_SAMPLE,
            rawlog.DAMAGE_TIME,
        ]
    )

    # Two measurements of the time at which a system was started differ by rounding, and
    # by corrections of the clock since then.
    _MAXIMUM_BOOT_TIME_DIFFERENCE = 60

    def __init__(self, log):
        """Initializes a finder.

        Args:
          log (rawlog.RawLog): log.
        """
        super().__init__()
        self._findings = []
        self._has_invalid_time = False
        self._intervals = None
        self._last_curtime = None
        self._last_end_offset = 0
        self._last_has_damaged_time = False
        self._log = log
        self._longest = []
        self._number_of_damages = 0
        self._open_gaps = []
        self._previous_curtime = None
        self._run = None
        self.number_of_gaps = 0

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

    def _AddGap(self, gap):
        """Adds a gap to the findings, unless there are too many.

        Args:
          gap (Gap): gap.
        """
        self.number_of_gaps += 1
        if self.number_of_gaps <= self.MAXIMUM_NUMBER_OF_GAPS:
            self._findings.append(gap)

    def _AddInterval(self, sample, has_damage):
        """Adds the interval between a sample and the one before of the same run.

        Args:
          sample (rawlog.Sample): sample.
          has_damage (bool): True if a gap between them is explained by damage.
        """
        self._intervals.Add(sample.interval)
        if has_damage or self._run.end_time is None:
            return

        # These are equal in an intact log.
        difference = sample.curtime - self._run.end_time - sample.interval
        if abs(difference) > 1:
            self._AddGap(
                Gap(
                    GAP_CLOCK_SET_BACK if difference < 0 else GAP_MISSING,
                    self._run.end_time,
                    sample.curtime,
                    sample.interval,
                    sample.offset,
                    None,
                )
            )
            return

        # Only the median shows which intervals are too long. More gaps than the maximum
        # need not be kept.
        values = (sample.interval, sample.offset, sample.curtime, self._run.end_time)
        if len(self._longest) < self.MAXIMUM_NUMBER_OF_GAPS:
            heapq.heappush(self._longest, values)
        else:
            heapq.heappushpop(self._longest, values)

    def _CloseGaps(self, offset, curtime):
        """Adds the gaps of damage that end with a sample.

        Args:
          offset (int): offset in bytes up to which the file was used.
          curtime (int): time of the sample or None if there is none.
        """
        open_gaps = []
        for damage, start_time in self._open_gaps:
            if damage.offset + damage.size > offset:
                open_gaps.append((damage, start_time))
            else:
                self._AddGap(
                    Gap(
                        damage.reason,
                        start_time,
                        curtime,
                        None,
                        damage.offset,
                        damage.size,
                    )
                )
        self._open_gaps = open_gaps

    def _EndRun(self):
        """Adds a run, with the gaps that are known at its end."""
        median = self._intervals.GetMedian()

        for interval, offset, curtime, previous_curtime in sorted(
            self._longest, key=lambda values: values[1]
        ):
            if 2 * interval > 3 * median:
                self._AddGap(
                    Gap(GAP_DELAYED, previous_curtime, curtime, median, offset, None)
                )

        self._run.has_damaged_time |= self._last_has_damaged_time
        self._run.interval = median
        self._findings.append(self._run)

    def _StartRun(self, sample, has_damage):
        """Starts a run, with a gap where atop did not run since the previous one.

        Args:
          sample (rawlog.Sample): first sample.
          has_damage (bool): True if the gap is explained by damage.
        """
        previous_run = self._run
        self._intervals = _Intervals()
        self._last_has_damaged_time = False
        self._longest = []
        self._run = Run(sample)
        if not previous_run or has_damage or previous_run.end_time is None:
            return

        reason = GAP_NOT_RUNNING
        if None not in (previous_run.boot_time, self._run.boot_time):
            # They also differ if the clock was set. A system that was restarted was
            # started after the last sample.
            known_time = max(
                previous_run.boot_time + self._MAXIMUM_BOOT_TIME_DIFFERENCE,
                previous_run.end_time - self._MAXIMUM_BOOT_TIME_DIFFERENCE,
            )
            if self._run.boot_time > known_time:
                reason = GAP_RESTARTED

        distance = sample.curtime - previous_run.end_time
        if distance < 0:
            reason = GAP_CLOCK_SET_BACK
        elif previous_run.interval is None or distance <= previous_run.interval:
            return

        self._AddGap(
            Gap(
                reason,
                previous_run.end_time,
                sample.curtime,
                previous_run.interval,
                sample.offset,
                None,
            )
        )

    def _TakeFindings(self):
        """Retrieves the gaps and runs that were found since the last call.

        Returns:
          list[Gap|Run]: gaps and runs.
        """
        findings = self._findings
        self._findings = []
        return findings

    def AddSample(self, sample):
        """Adds the next sample of the log.

        Args:
          sample (rawlog.Sample): sample.

        Returns:
          list[Gap|Run]: gaps that are known with this sample, and the run that ended
              with the one before.
        """
        # First the gaps of the last sample, then those between that and this one.
        self._AddDamages()
        self._CloseGaps(self._last_end_offset, self._last_curtime)
        has_damage = any(damage.offset < sample.offset for damage, _ in self._open_gaps)
        end_time = sample.curtime if rawlog.IsValidTime(sample.curtime) else None
        self._CloseGaps(sample.end_offset, end_time)

        # Next to a sample without a valid time a gap cannot be recognized.
        is_valid = rawlog.IsValidTime(sample.curtime)
        has_damage = has_damage or not is_valid or self._has_invalid_time
        self._has_invalid_time = not is_valid

        if not self._run or sample.is_boot:
            if self._run:
                self._EndRun()
            self._StartRun(sample, has_damage)

        else:
            self._AddInterval(sample, has_damage)

        self._run.AddSample(sample)
        if self._run.number_of_samples > 1:
            self._last_has_damaged_time = sample.has_damaged_time

        self._last_end_offset = sample.end_offset
        if is_valid:
            self._previous_curtime = self._last_curtime
            self._last_curtime = sample.curtime

        return self._TakeFindings()

    def Finish(self):
        """Finishes when no sample is left, or no other is wanted.

        Returns:
          list[Gap|Run]: gaps that were still open, and the last run.
        """
        self._AddDamages()
        self._CloseGaps(self._last_end_offset, self._last_curtime)
        self._CloseGaps(self._log.size, None)
        if self._run:
            self._EndRun()

        return self._TakeFindings()
