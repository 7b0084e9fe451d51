"""Analysis plugin that reports which time the logs of atop cover, and what is odd.

It knows nothing but the events of all sources in a storage.
"""

import collections
import datetime
import posixpath
import re

from plaso.analysis import interface
from plaso.analysis import manager

from plaso_atop import runs
from plaso_atop import text

_DAY = 24 * 60 * 60

# Time in which atop is started again, and in which it writes a sample.
_TOLERANCE = 60

_ENTRY = "fs:stat"
_GAP = "linux:atop:gap"
_RUN = "linux:atop:session"

# What is kept of an event: attributes of its data, dates and times as seconds since the
# Epoch. An attribute that is missing is None.
_ITEM_CLASSES = {
    data_type: collections.namedtuple("_Item", [*names.split(), "event", "file"])
    for data_type, names in {
        _ENTRY: "file_size modification_time",
        _GAP: "offset start_time end_time reason size",
        _RUN: (
            "offset start_time end_time boot_time number_of_samples atop_version "
            "sampling_interval_seconds process_accounting process_accounting_end_time "
            "process_accounting_start_time since_last_exit_seconds "
            "longest_without_exits_seconds"
        ),
    }.items()
}

# Something that was seen: seconds since the Epoch or None, file, text and event.
_Finding = collections.namedtuple("_Finding", ["time", "file", "text", "event"])


def _Escape(value):
    """Escapes text of the evidence for a terminal, and for the HTML in Markdown.

    Args:
      value (str): text.

    Returns:
      str: text that is safe to show.
    """
    value = text.Escape(value.encode("utf-8", errors="surrogatepass"))
    return re.sub("[<>&]", lambda match: f"\\x{ord(match[0]):02x}", value)


def _FormatDuration(seconds):
    """Formats a duration.

    Args:
      seconds (int): seconds, not negative.

    Returns:
      str: duration in days, hours, minutes and seconds.
    """
    return str(datetime.timedelta(seconds=seconds))


def _FormatTime(seconds):
    """Formats a date and time.

    Args:
      seconds (int): seconds since the Epoch or None if not known.

    Returns:
      str: date and time in UTC.
    """
    if seconds is None:
        return "not known"
    return f"{datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)!s}"


class _File:
    """Log of atop, by its contents, its name or its place.

    Attributes:
      day (int): start of the day in its name, as if that were in UTC, in seconds since
          the Epoch, or None if there is none.
      directory (tuple[str, str]): identifies the directory.
      hostname (str): name of the host in the header, empty if not known.
      is_in_place (bool): True if it is where the scripts of atop write logs.
      items (dict[tuple[str, int], _Item]): items per data type and offset.
      medium (str): path of the source.
      name (str): name to show.
    """

    _NAME_RE = re.compile(r"atop_(\d{8})(?!\d)", re.ASCII)

    # What scripts of distributions put beside the logs.
    _OTHER_NAMES = frozenset(["daily.log", "dummy_after", "dummy_before"])

    def __init__(self, path_spec):
        """Initializes a file.

        Args:
          path_spec (dfvfs.PathSpec): path specification.
        """
        super().__init__()
        path = getattr(path_spec, "location", None) or ""
        directory, name = posixpath.split(path)
        match = self._NAME_RE.match(name)

        self.day = None
        self.directory = (getattr(path_spec.parent, "comparable", ""), directory)
        self.hostname = ""
        self.is_in_place = f"/{directory:s}".endswith("/var/log/atop")
        self.is_log = name not in self._OTHER_NAMES and (match or self.is_in_place)
        self.items = {}
        self.name = _Escape(path)

        while path_spec.parent:
            path_spec = path_spec.parent
        self.medium = getattr(path_spec, "location", None) or ""

        if match:
            try:
                day = datetime.datetime.strptime(f"{match[1]:s}+0000", "%Y%m%d%z")
                self.day = int(day.timestamp())
            except ValueError:
                pass

    @property
    def entry(self):
        """_Item: entry of the file system or None if not known."""
        return self.items.get((_ENTRY, None))

    @property
    def times(self):
        """list[int]: times of the first and last samples of all runs."""
        times = [time for run in self.runs for time in (run.start_time, run.end_time)]
        return [time for time in times if time is not None]

    @property
    def gaps(self):
        """list[_Item]: gaps in the order of the file."""
        return self._GetItems(_GAP)

    @property
    def runs(self):
        """list[_Item]: runs of atop in the order of the file."""
        return self._GetItems(_RUN)

    def _GetItems(self, data_type):
        """Retrieves the items of a data type.

        Args:
          data_type (str): data type.

        Returns:
          list[_Item]: items in the order of the file.
        """
        keys = sorted(key for key in self.items if key[0] == data_type)
        return [self.items[key] for key in keys]

    def GetSummary(self):
        """Retrieves a summary.

        Returns:
          str: times, samples, interval, runs, boots, accounting and version.
        """
        if not self.runs:
            return "no samples"

        boots = []
        for run in self.runs:
            if run.boot_time is not None and (
                not boots or abs(run.boot_time - boots[-1]) > _TOLERANCE
            ):
                boots.append(run.boot_time)

        values = {"interval": {}, "process accounting": {}, "atop": {}}
        for run in self.runs:
            if run.sampling_interval_seconds is not None:
                values["interval"][f"{run.sampling_interval_seconds:d} s"] = True
            is_active = "active" if run.process_accounting else "not active"
            values["process accounting"][is_active] = True
            values["atop"][run.atop_version] = True

        times = self.times
        return ", ".join(
            [
                f"{_FormatTime(min(times, default=None)):s} to "
                f"{_FormatTime(max(times, default=None)):s}",
                f"samples: {sum(run.number_of_samples for run in self.runs):d}",
                f"runs of atop: {len(self.runs):d}",
                f"boots of the system: {len(boots):d}",
            ]
            + [
                f"{name:s}: {' and '.join(map(str, names)) or 'not known':s}"
                for name, names in values.items()
            ]
        )


class _Host:
    """Host, with what its logs cover.

    Attributes:
      files (list[_File]): files.
      findings (list[_Finding]): what was seen.
    """

    # Fewer samples do not show the interval with which atop was started.
    _MINIMUM_NUMBER_OF_SAMPLES = 4

    # By that much local time differs from UTC, and changes in summer.
    _UTC_OFFSETS = range(-12 * 3600, 14 * 3600 + 1, 900)
    _DAYLIGHT_SAVING = 3600

    # A system runs processes every hour, such as those of cron.
    _MAXIMUM_TIME_WITHOUT_EXITS = 3600

    # The time between runs is compared here, also between logs.
    _REASONS_BETWEEN_RUNS = frozenset([runs.GAP_NOT_RUNNING, runs.GAP_RESTARTED])

    def __init__(self, files):
        """Initializes a host.

        Args:
          files (list[_File]): files.
        """
        super().__init__()
        self._runs = sorted(
            (
                run
                for file in files
                for run in file.runs
                if None not in (run.start_time, run.end_time)
            ),
            key=lambda run: (run.start_time, run.end_time, run.file.name, run.offset),
        )
        # A signal causes samples in between.
        self._long_runs = [
            run
            for run in self._runs
            if run.number_of_samples >= self._MINIMUM_NUMBER_OF_SAMPLES
            and run.sampling_interval_seconds is not None
        ]
        self.files = sorted(files, key=lambda file: file.name)
        self.findings = []

    def _AddHole(self, run, next_run, interval):
        """Adds a finding of time without samples between two runs.

        Args:
          run (_Item): run before it.
          next_run (_Item): run after it.
          interval (int): expected interval in seconds.
        """
        start, end = run.end_time, next_run.start_time
        message = [
            f"no samples until {_FormatTime(end):s}, for {_FormatDuration(end - start)}"
            f", expected interval {interval:d} s"
        ]
        if next_run.file != run.file:
            message.append(f"next log {next_run.file.name:s}")

        if next_run.boot_time is None:
            message.append("not known whether the system was started in between")
        elif next_run.boot_time > start - _TOLERANCE:
            message.append(f"system started at {_FormatTime(next_run.boot_time):s}")
        else:
            message.append("system not started in between")

        if None not in (run.file.day, next_run.file.day):
            days = sorted({file.day for file in self.files if file.day is not None})
            for day, next_day in zip(days, days[1:]):
                if run.file.day <= day < next_run.file.day and next_day - day > _DAY:
                    first_day = _FormatTime(day + _DAY)[:10]
                    last_day = _FormatTime(next_day - _DAY)[:10]
                    message.append(f"no log of {first_day:s}")
                    if first_day != last_day:
                        message[-1] += f" to {last_day:s}"

        # Between the runs of a log there may be an event.
        item = next_run.file.items.get((_GAP, next_run.offset), next_run)
        self.AddFinding(start, run.file, ", ".join(message), item)

    def _FindBetweenRuns(self):
        """Finds time without samples, and time with samples in two files."""
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
                if distance < 0 and latest.file != run.file:
                    files = latest.file, run.file
                    first_run, end = overlaps.get(files, (run, run.start_time))
                    end = max(end, min(run.end_time, latest.end_time))
                    overlaps[files] = first_run, end
                elif interval is not None and distance > interval + _TOLERANCE:
                    self._AddHole(latest, run, interval)

            if not latest or run.end_time > latest.end_time:
                latest = run

        for (file, other_file), (run, end) in overlaps.items():
            message = f"samples until {_FormatTime(end):s}, as {file.name:s} has"
            self.AddFinding(run.start_time, other_file, message, run)

    def _FindChanges(self):
        """Finds changes of process accounting and of the interval."""
        for run, next_run in zip(self._runs, self._runs[1:]):
            if next_run.process_accounting != run.process_accounting:
                state = "active" if next_run.process_accounting else "not active"
                message = f"process accounting {state:s}, unlike before"
                self.AddFinding(next_run.start_time, next_run.file, message, next_run)

        for run, next_run in zip(self._long_runs, self._long_runs[1:]):
            interval = run.sampling_interval_seconds
            next_interval = next_run.sampling_interval_seconds
            if abs(next_interval - interval) > max(1, interval // 20):
                message = f"interval {next_interval:d} s, before {interval:d} s"
                self.AddFinding(next_run.start_time, next_run.file, message, next_run)

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
                    self.AddFinding(time, run.file, message, run)

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
                    f"no exit of a process until {_FormatTime(run.end_time):s}, for "
                    f"{_FormatDuration(time):s} with process accounting, otherwise at "
                    f"most {_FormatDuration(longest_time):s}"
                )
                self.AddFinding(run.end_time - time, run.file, message, run)

    def _FindInFile(self, file):
        """Finds what is odd in a file.

        Args:
          file (_File): file.
        """
        for gap in file.gaps:
            if gap.reason not in self._REASONS_BETWEEN_RUNS:
                message = gap.reason
                if gap.size is not None:
                    message += f", {gap.size:d} bytes at offset {gap.offset:d}"
                message += f", next sample {_FormatTime(gap.end_time):s}"
                self.AddFinding(gap.start_time, file, message, gap)

        entry = file.entry
        if not file.runs:
            if entry:
                message = (
                    f"no sample in {entry.file_size or 0:d} bytes, last changed then"
                )
                self.AddFinding(entry.modification_time, file, message, entry)
            return

        first_run, last_run = file.runs[0], file.runs[-1]
        if first_run.boot_time is None and first_run.start_time is not None:
            message = "the first sample is not the first of a run of atop"
            self.AddFinding(first_run.start_time, file, message, first_run)

        if entry and None not in (entry.modification_time, last_run.end_time):
            difference = entry.modification_time - last_run.end_time
            # A sample may have been written in part.
            maximum = (last_run.sampling_interval_seconds or 0) + _TOLERANCE
            if not -_TOLERANCE <= difference <= maximum:
                message = (
                    f"changed {_FormatDuration(abs(difference)):s} "
                    f"{'after' if difference > 0 else 'before':s} its last sample of "
                    f"{_FormatTime(last_run.end_time):s}"
                )
                self.AddFinding(entry.modification_time, file, message, entry)

    def _FindOtherDays(self):
        """Finds logs with samples of another day than their name says.

        A name is a day of local time. The difference to UTC is not known, it is that
        with which most logs fit their names.
        """
        ranges = {}
        for file in self.files:
            if file.day is not None and file.times:
                ranges[file] = (
                    file.day - min(file.times) - self._DAYLIGHT_SAVING,
                    file.day + _DAY - max(file.times) + self._DAYLIGHT_SAVING,
                )

        counter = collections.Counter(
            offset
            for start, end in ranges.values()
            for offset in self._UTC_OFFSETS
            if start <= offset <= end
        )
        maximum = max(counter.values(), default=0)
        offsets = [offset for offset, count in counter.items() if count == maximum]

        for file, (start, end) in ranges.items():
            if not any(start <= offset <= end for offset in offsets):
                message = (
                    f"samples until {_FormatTime(max(file.times)):s}, of another day "
                    "than its name says"
                )
                self.AddFinding(min(file.times), file, message, file.runs[0])

    def AddFinding(self, time, file, message, item):
        """Adds a finding.

        Args:
          time (int): seconds since the Epoch or None if not known.
          file (_File): file.
          message (str): what was seen.
          item (_Item): item that stands for it.
        """
        self.findings.append(_Finding(time, file, message, item.event))

    def Find(self):
        """Finds all that is odd, in the order of time."""
        for file in self.files:
            self._FindInFile(file)
        self._FindBetweenRuns()
        self._FindChanges()
        self._FindOtherDays()
        self.findings.sort(key=lambda finding: finding.time or 0)


class AtopCoverageAnalysisPlugin(interface.AnalysisPlugin):
    """Reports the time that logs of atop cover, and what is odd about them."""

    NAME = "atop_coverage"

    # What is kept is bounded: logs, runs, gaps and entries; and lines of the report.
    _MAXIMUM_NUMBER_OF_ITEMS = 100000
    _MAXIMUM_NUMBER_OF_LINES = 20000

    # Of the events of an item, that which is tagged.
    _TIMESTAMP_DESCRIPTIONS = frozenset(["Content Modification Time", "Start Time"])

    def __init__(self):
        """Initializes an analysis plugin."""
        super().__init__()
        self._files = {}
        self._has_entries = False
        self._number_of_items = 0
        self._number_of_events_left_out = 0

    def _GetHosts(self):
        """Retrieves the hosts, with the findings.

        A file without samples belongs to the host of the others in its directory.

        Returns:
          dict[str, _Host]: hosts per name, which is empty where it is not known.
        """
        counters = collections.defaultdict(collections.Counter)
        for file in self._files.values():
            if file.hostname:
                counters[file.directory][file.hostname] += 1

        files = collections.defaultdict(list)
        for file in self._files.values():
            counter = counters[file.directory]
            if not file.runs and len(counter) == 1:
                (file.hostname,) = counter
            files[file.hostname].append(file)

        hosts = {hostname: _Host(files[hostname]) for hostname in sorted(files)}
        for hostname, host in hosts.items():
            for file in host.files:
                counter = counters[file.directory]
                others = [name for name in counter if counter[name] > counter[hostname]]
                # Logs that are collected from several hosts are elsewhere.
                if file.is_in_place and hostname and others:
                    others = ", ".join(map(_Escape, sorted(others)))
                    message = f"among logs of another host: {others:s}"
                    time = min(file.times, default=None)
                    host.AddFinding(
                        time, file, message, next(iter(file.items.values()))
                    )
            host.Find()
        return hosts

    def _GetLimits(self):
        """Determines what cannot be told.

        Returns:
          list[str]: lines of the report.
        """
        lines = []
        number_of_files = sum(not file.entry for file in self._files.values())
        if not self._has_entries:
            lines.append(
                "Not known, as there are no events of the parser filestat: logs that "
                "are empty or gave no sample, and changes after the last sample"
            )
        elif number_of_files:
            lines.append(
                "Not known, as there is no event of the parser filestat for "
                f"{number_of_files:d} logs: changes of these after the last sample"
            )
        if self._number_of_events_left_out:
            lines.append(
                f"Left out: {self._number_of_events_left_out:d} events, as there are "
                f"more than {self._MAXIMUM_NUMBER_OF_ITEMS:d} logs, runs and gaps"
            )
        lines.append(
            "Never known: logs that were removed before the first or after the last one"
        )
        return lines

    def CompileReport(self, analysis_mediator):
        """Compiles the report, and tags the events that stand for findings.

        Args:
          analysis_mediator (AnalysisMediator): mediates interactions between analysis
              plugins and other components, such as storage and dfVFS.

        Returns:
          AnalysisReport: report.
        """
        # The path says enough where there is one image, or none.
        media = {file.medium for file in self._files.values() if file.directory[0]}
        if len(media) > 1:
            for file in self._files.values():
                if file.directory[0]:
                    medium = _Escape(posixpath.basename(file.medium))
                    file.name = f"{medium:s}:{file.name:s}"

        events = {}
        lines = ["Coverage by logs of atop, all times in UTC"]
        for hostname, host in self._GetHosts().items():
            lines.append(
                f"Host {_Escape(hostname) or 'not known':s}: logs: {len(host.files):d}"
                f", findings: {len(host.findings):d}"
            )
            lines.extend(
                f"Log {file.name:s}: {file.GetSummary():s}" for file in host.files
            )
            for number, finding in enumerate(host.findings, start=1):
                lines.append(
                    f"Finding {number:d}: {_FormatTime(finding.time):s}, "
                    f"{finding.file.name:s}: {finding.text:s}"
                )
                events[id(finding.event)] = finding.event

        for event in events.values():
            event_tag = self._CreateEventTag(event, [self.NAME])
            analysis_mediator.ProduceEventTag(event_tag)

        number_of_lines = len(lines) - self._MAXIMUM_NUMBER_OF_LINES
        if number_of_lines > 0:
            del lines[self._MAXIMUM_NUMBER_OF_LINES :]
            lines.append(f"Left out: {number_of_lines:d} lines")
        lines.extend(self._GetLimits())

        analysis_report = super().CompileReport(analysis_mediator)
        # With a counter pinfo of 20260720 fails, and others show no text.
        analysis_report.analysis_counter = None
        # psort makes one paragraph of all lines.
        analysis_report.text = "".join(f"{line:s}.\n" for line in lines)
        return analysis_report

    # pylint: disable=unused-argument
    def ExamineEvent(self, analysis_mediator, event, event_data, event_data_stream):
        """Examines an event.

        Args:
          analysis_mediator (AnalysisMediator): mediates interactions between analysis
              plugins and other components, such as storage and dfVFS.
          event (EventObject): event.
          event_data (EventData): event data.
          event_data_stream (EventDataStream): event data stream or None if there is
              none.
        """
        data_type = event_data.data_type
        path_spec = getattr(event_data_stream, "path_spec", None)
        if data_type not in _ITEM_CLASSES or not path_spec:
            return

        if data_type == _ENTRY:
            self._has_entries = True
            # What is compressed in a file has no location, and is no entry.
            if (
                not getattr(path_spec, "location", None)
                or getattr(event_data, "file_entry_type", "file") != "file"
            ):
                return

        while not getattr(path_spec, "location", None) and path_spec.parent:
            path_spec = path_spec.parent

        # Each date and time of an item is an event.
        file = self._files.get(path_spec.comparable) or _File(path_spec)
        key = (data_type, getattr(event_data, "offset", None))
        if data_type == _ENTRY and not file.is_log and not file.items:
            return
        if key in file.items:
            if event.timestamp_desc not in self._TIMESTAMP_DESCRIPTIONS:
                return
        elif self._number_of_items >= self._MAXIMUM_NUMBER_OF_ITEMS:
            self._number_of_events_left_out += 1
            return

        item_class = _ITEM_CLASSES[data_type]
        values = {}
        for name in item_class._fields[:-2]:
            value = getattr(event_data, name, None)
            if value is not None and name.endswith("_time"):
                value = value.CopyToPosixTimestamp()
            values[name] = value

        if data_type != _ENTRY:
            file.hostname = getattr(event_data, "hostname", None) or ""
        self._number_of_items += key not in file.items
        self._files[path_spec.comparable] = file
        file.items[key] = item_class(event=event, file=file, **values)


manager.AnalysisPluginManager.RegisterPlugin(AtopCoverageAnalysisPlugin)
