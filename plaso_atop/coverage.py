"""What the logs of a host cover, and what is odd about them.

Knows nothing of Plaso.
"""

import bisect
import collections
import datetime
import re

from plaso_atop import runs

_DAY = 24 * 60 * 60

# Time in which atop is started again, and in which it writes a sample.
_TOLERANCE = 60

# The directory of logs in a volume that is mounted at /var/log.
_MOUNTED_DIRECTORY = "/atop"

# What is known of the entry of a log or of their directory in the file system, of a gap
# and of a run of atop. Times are in seconds since the Epoch. What is not known is None.
Entry = collections.namedtuple(
    "Entry",
    ["change_time", "creation_time", "file_size", "modification_time", "event"],
)

Gap = collections.namedtuple(
    "Gap", ["offset", "start_time", "end_time", "reason", "size", "event"]
)

Run = collections.namedtuple(
    "Run",
    [
        "atop_version",
        "boot_time",
        "end_time",
        "longest_without_exits_seconds",
        "number_of_samples",
        "offset",
        "process_accounting",
        "process_accounting_end_time",
        "process_accounting_start_time",
        "sampling_interval_seconds",
        "since_last_exit_seconds",
        "start_time",
        "event",
        "log",
    ],
)

# Something that was seen: time in seconds since the Epoch or None, name of the log or
# directory, text and event.
Finding = collections.namedtuple("Finding", ["time", "name", "text", "event"])


def _FormatDuration(seconds):
    """Formats a duration.

    Args:
      seconds (int): seconds, not negative.

    Returns:
      str: duration in days, hours, minutes and seconds.
    """
    return str(datetime.timedelta(seconds=seconds))


def FormatTime(seconds):
    """Formats a date and time.

    Args:
      seconds (int): seconds since the Epoch or None if not known.

    Returns:
      str: date and time in UTC.
    """
    if seconds is None:
        return "not known"
    try:
        return f"{datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)}"
    except OverflowError:
        # Some file systems have such times.
        return f"{seconds:d} seconds since 1970"


def IsDirectoryOfLogs(path):
    """Determines if the scripts of atop write logs to a directory.

    Args:
      path (str): path of the directory.

    Returns:
      bool: True if they do.
    """
    # In a volume that is mounted at /var or at /var/log the path starts there.
    return path in ("/log/atop", _MOUNTED_DIRECTORY) or f"/{path:s}".endswith(
        "/var/log/atop"
    )


class Log:
    """Log of atop, by its contents, its name or its place.

    Attributes:
      day (int): start of the day in its name, as if that were in UTC, in seconds since
          the Epoch, or None if there is none.
      directory (object): identifies the directory.
      entry (Entry): entry of the file system, None if not known.
      gaps (dict[int, Gap]): gaps per offset.
      hostname (str): name of the host in the header, empty if not known.
      is_in_place (bool): True if it is where the scripts of atop write logs.
      is_named (bool): True if it is a log by its name or place.
      name (str): name to show.
      runs (dict[int, Run]): runs of atop per offset.
    """

    _NAME_RE = re.compile(r"atop_(\d{8})(?!\d)", re.ASCII)

    # What scripts of distributions put beside the logs.
    _OTHER_NAMES = frozenset(["daily.log", "dummy_after", "dummy_before"])

    def __init__(self, path, name, directory):
        """Initializes a log.

        Args:
          path (str): path.
          name (str): name to show.
          directory (object): identifies the directory.
        """
        super().__init__()
        directory_path, _, base_name = path.rpartition("/")
        match = self._NAME_RE.match(base_name)

        self.day = None
        self.directory = directory
        self.entry = None
        self.gaps = {}
        self.hostname = ""
        self.is_in_place = IsDirectoryOfLogs(directory_path)
        # A directory /atop may be anything else.
        self.is_named = base_name not in self._OTHER_NAMES and bool(
            match or (self.is_in_place and directory_path != _MOUNTED_DIRECTORY)
        )
        self.name = name
        self.runs = {}

        if match:
            try:
                day = datetime.datetime.strptime(f"{match[1]:s}+0000", "%Y%m%d%z")
                self.day = int(day.timestamp())
            except ValueError:
                pass

    @property
    def sorted_runs(self):
        """list[Run]: runs of atop in the order of the log."""
        return [run for _, run in sorted(self.runs.items())]

    @property
    def times(self):
        """list[int]: times of the first and last samples of all runs."""
        times = [
            time
            for run in self.runs.values()
            for time in (run.start_time, run.end_time)
        ]
        return [time for time in times if time is not None]

    def GetSummary(self):
        """Retrieves a summary.

        Returns:
          str: times, samples, interval, runs, boots, accounting and version.
        """
        sorted_runs = self.sorted_runs
        if not sorted_runs:
            return "no samples"

        boots = []
        for run in sorted_runs:
            if run.boot_time is not None and (
                not boots or abs(run.boot_time - boots[-1]) > _TOLERANCE
            ):
                boots.append(run.boot_time)

        values = {"interval": {}, "process accounting": {}, "atop": {}}
        for run in sorted_runs:
            if run.sampling_interval_seconds is not None:
                values["interval"][f"{run.sampling_interval_seconds:d} s"] = True
            is_active = "active" if run.process_accounting else "not active"
            values["process accounting"][is_active] = True
            values["atop"][run.atop_version] = True

        times = self.times
        return ", ".join(
            [
                f"{FormatTime(min(times, default=None)):s} to "
                f"{FormatTime(max(times, default=None)):s}",
                f"samples: {sum(run.number_of_samples for run in sorted_runs):d}",
                f"runs of atop: {len(sorted_runs):d}",
                f"boots of the system: {len(boots):d}",
            ]
            + [
                f"{name:s}: {' and '.join(map(str, names)) or 'not known':s}"
                for name, names in values.items()
            ]
        )


class Host:
    """Host, with what its logs cover.

    Attributes:
      logs (list[Log]): logs.
      findings (list[Finding]): what was seen.
    """

    # Fewer samples do not show the interval with which atop was started.
    _MINIMUM_NUMBER_OF_SAMPLES = 4

    # By that much local time differs from UTC, and changes in summer.
    _UTC_OFFSETS = range(-12 * 3600, 14 * 3600 + 1, 900)
    _DAYLIGHT_SAVING = 3600

    # For a finding, not to make it endless.
    _MAXIMUM_DAYS = 10

    # A system runs processes every hour, such as those of cron.
    _MAXIMUM_TIME_WITHOUT_EXITS = 3600

    # The time between runs is compared here, also between logs.
    _REASONS_BETWEEN_RUNS = frozenset([runs.GAP_NOT_RUNNING, runs.GAP_RESTARTED])

    def __init__(self, logs):
        """Initializes a host.

        Args:
          logs (list[Log]): logs.
        """
        super().__init__()
        self._runs = sorted(
            (
                run
                for log in logs
                for run in log.runs.values()
                if None not in (run.start_time, run.end_time)
            ),
            key=lambda run: (run.start_time, run.end_time, run.log.name, run.offset),
        )
        # A signal causes samples in between.
        self._long_runs = [
            run
            for run in self._runs
            if run.number_of_samples >= self._MINIMUM_NUMBER_OF_SAMPLES
            and run.sampling_interval_seconds is not None
        ]
        # First and last of consecutive days.
        days = sorted({log.day for log in logs if log.day is not None})
        self._missing_days = [
            (day + _DAY, next_day - _DAY)
            for day, next_day in zip(days, days[1:])
            if next_day - day > _DAY
        ]
        self.logs = sorted(logs, key=lambda log: log.name)
        self.findings = []

    def _AddHole(self, run, next_run, interval):
        """Adds a finding of time without samples between two runs.

        Args:
          run (Run): run before it.
          next_run (Run): run after it.
          interval (int): expected interval in seconds.
        """
        start, end = run.end_time, next_run.start_time
        message = [
            f"no samples until {FormatTime(end):s}, for {_FormatDuration(end - start)}"
            f", expected interval {interval:d} s"
        ]
        if next_run.log != run.log:
            message.append(f"next log {next_run.log.name:s}")

        if next_run.boot_time is None:
            message.append("not known whether the system was started in between")
        elif next_run.boot_time > start - _TOLERANCE:
            message.append(f"system started at {FormatTime(next_run.boot_time):s}")
        else:
            message.append("system not started in between")

        if None not in (run.log.day, next_run.log.day):
            index = bisect.bisect(self._missing_days, (run.log.day,))
            for day, last_day in self._missing_days[index : index + self._MAXIMUM_DAYS]:
                if day < next_run.log.day:
                    message.append(f"no log of {FormatTime(day)[:10]:s}")
                    if day != last_day:
                        message[-1] += f" to {FormatTime(last_day)[:10]:s}"

        # Between the runs of a log there may be an event.
        item = next_run.log.gaps.get(next_run.offset, next_run)
        self.AddFinding(start, run.log, ", ".join(message), item)

    def _FindBetweenRuns(self):
        """Finds time without samples, and time with samples in two logs."""
        intervals = collections.Counter(
            run.sampling_interval_seconds for run in self._long_runs
        )
        usual_interval = intervals.most_common(1)[0][0] if intervals else None
        long_runs = set(map(id, self._long_runs))

        latest = None
        overlaps = {}
        for run in self._runs:
            if latest:
                interval = latest.sampling_interval_seconds
                if usual_interval is not None and id(latest) not in long_runs:
                    interval = usual_interval

                distance = run.start_time - latest.end_time
                if distance < 0 and latest.log != run.log:
                    # A busy system may write the last sample of a log after the first
                    # one of the next log.
                    if (
                        distance < -_TOLERANCE
                        or run.start_time == latest.start_time
                        or run.end_time <= latest.end_time
                    ):
                        logs = latest.log, run.log
                        first_run, end = overlaps.get(logs, (run, run.start_time))
                        end = max(end, min(run.end_time, latest.end_time))
                        overlaps[logs] = first_run, end
                elif interval is not None and distance > interval + _TOLERANCE:
                    self._AddHole(latest, run, interval)

            if not latest or run.end_time > latest.end_time:
                latest = run

        for (log, other_log), (run, end) in overlaps.items():
            message = f"samples until {FormatTime(end):s}, as {log.name:s} has"
            self.AddFinding(run.start_time, other_log, message, run)

    def _FindChanges(self):
        """Finds changes of process accounting and of the interval."""
        for run, next_run in zip(self._runs, self._runs[1:]):
            if next_run.process_accounting != run.process_accounting:
                state = "active" if next_run.process_accounting else "not active"
                message = f"process accounting {state:s}, unlike before"
                self.AddFinding(next_run.start_time, next_run.log, message, next_run)

        for run, next_run in zip(self._long_runs, self._long_runs[1:]):
            interval = run.sampling_interval_seconds
            next_interval = next_run.sampling_interval_seconds
            if abs(next_interval - interval) > max(1, interval // 20):
                message = f"interval {next_interval:d} s, before {interval:d} s"
                self.AddFinding(next_run.start_time, next_run.log, message, next_run)

        longest_times = [
            run.longest_without_exits_seconds
            for run in self._runs
            if run.longest_without_exits_seconds is not None
        ]
        longest_time = max(longest_times, default=0)
        maximum_time = max(self._MAXIMUM_TIME_WITHOUT_EXITS, 2 * longest_time)
        for run in self._runs:
            for state, time in (
                ("ended", run.process_accounting_end_time),
                ("started", run.process_accounting_start_time),
            ):
                if time is not None:
                    message = f"process accounting {state:s} during a run of atop"
                    self.AddFinding(time, run.log, message, run)

            # Only where exits are known to occur on this host.
            if (
                not longest_times
                or not run.process_accounting
                or run.process_accounting_end_time is not None
            ):
                continue

            time = run.since_last_exit_seconds
            if run.longest_without_exits_seconds is None:
                time = run.end_time - run.start_time
            if time is not None and time > maximum_time:
                message = (
                    f"no exit of a process until {FormatTime(run.end_time):s}, for "
                    f"{_FormatDuration(time):s} with process accounting, otherwise at "
                    f"most {_FormatDuration(longest_time):s}"
                )
                self.AddFinding(run.end_time - time, run.log, message, run)

    def _FindInLog(self, log):
        """Finds what is odd in a log.

        Args:
          log (Log): log.
        """
        for _, gap in sorted(log.gaps.items()):
            if gap.reason not in self._REASONS_BETWEEN_RUNS:
                message = gap.reason
                if gap.size is not None:
                    message += f", {gap.size:d} bytes at offset {gap.offset:d}"
                message += f", next sample {FormatTime(gap.end_time):s}"
                self.AddFinding(gap.start_time, log, message, gap)

        entry = log.entry
        if not log.runs:
            if entry:
                message = (
                    f"no sample in {entry.file_size or 0:d} bytes, last changed then"
                )
                self.AddFinding(entry.modification_time, log, message, entry)
            return

        sorted_runs = log.sorted_runs
        first_run, last_run = sorted_runs[0], sorted_runs[-1]
        if first_run.boot_time is None and first_run.start_time is not None:
            message = "the first sample is not the first of a run of atop"
            self.AddFinding(first_run.start_time, log, message, first_run)

        if entry and None not in (entry.modification_time, last_run.end_time):
            difference = entry.modification_time - last_run.end_time
            # A sample may have been written in part.
            maximum = (last_run.sampling_interval_seconds or 0) + _TOLERANCE
            if not -_TOLERANCE <= difference <= maximum:
                message = (
                    f"changed {_FormatDuration(abs(difference)):s} "
                    f"{'after' if difference > 0 else 'before':s} its last sample of "
                    f"{FormatTime(last_run.end_time):s}"
                )
                self.AddFinding(entry.modification_time, log, message, entry)

    def _FindOtherDays(self):
        """Finds logs with samples of another day than their name says.

        A name is a day of local time. The difference to UTC is not known, it is that
        with which most logs fit their names.
        """
        ranges = {}
        for log in self.logs:
            if log.day is not None and log.times:
                ranges[log] = (
                    log.day - min(log.times) - self._DAYLIGHT_SAVING,
                    log.day + _DAY - max(log.times) + self._DAYLIGHT_SAVING,
                )

        counter = collections.Counter(
            offset
            for start, end in ranges.values()
            for offset in self._UTC_OFFSETS
            if start <= offset <= end
        )
        maximum = max(counter.values(), default=0)
        offsets = [offset for offset, count in counter.items() if count == maximum]

        for log, (start, end) in ranges.items():
            if not any(start <= offset <= end for offset in offsets):
                message = (
                    f"samples until {FormatTime(max(log.times)):s}, of another day "
                    "than its name says"
                )
                self.AddFinding(min(log.times), log, message, log.sorted_runs[0])

    def AddFinding(self, time, log, message, item):
        """Adds a finding.

        Args:
          time (int): seconds since the Epoch or None if not known.
          log (Log): log.
          message (str): what was seen.
          item (object): entry, gap or run that stands for it.
        """
        self.findings.append(Finding(time, log.name, message, item.event))

    def FindInDirectory(self, directory, entry):
        """Finds a change of a directory that no log explains.

        A directory is changed when a file in it is created, renamed or removed.

        Args:
          directory (object): identifies the directory.
          entry (Entry): entry of the directory.
        """
        logs = [log for log in self.logs if log.directory == directory]
        sample_times = [time for log in logs for time in log.times]
        time = entry.modification_time
        # Later it is changed by who copies it.
        if (
            time is None
            or not sample_times
            or not min(sample_times) < time <= max(sample_times)
        ):
            return

        times = sample_times + [
            entry_time
            for log in logs
            if log.entry
            for entry_time in (
                log.entry.change_time,
                log.entry.creation_time,
                log.entry.modification_time,
            )
            if entry_time is not None
        ]
        if min(abs(time - other_time) for other_time in times) > _TOLERANCE:
            name, _, _ = logs[0].name.rpartition("/")
            message = "a file was created, renamed or removed, and no log has that time"
            self.findings.append(Finding(time, name, message, entry.event))

    def Find(self):
        """Finds all that is odd, in the order of time."""
        for log in self.logs:
            self._FindInLog(log)
        self._FindBetweenRuns()
        self._FindChanges()
        self._FindOtherDays()
        self.findings.sort(key=lambda finding: finding.time or 0)
