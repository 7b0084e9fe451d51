"""Analysis plugin that reports which time the logs of atop cover, and what is odd.

It knows nothing but the events of all sources in a storage.
"""

import collections
import posixpath
import re

from plaso.analysis import interface
from plaso.analysis import manager

from plaso_atop import coverage
from plaso_atop import text


def _Escape(value):
    """Escapes text of the evidence for a terminal, and for the HTML in Markdown.

    Args:
      value (str): text.

    Returns:
      str: text that is safe to show.
    """
    return _EscapeMarkup(text.Escape(value.encode("utf-8", errors="surrogatepass")))


def _EscapeMarkup(value):
    """Escapes text of an event, which is safe for a terminal, for HTML in Markdown.

    Args:
      value (str): text.

    Returns:
      str: text that is safe to show.
    """
    return re.sub("[<>&]", lambda match: f"\\x{ord(match[0]):02x}", value)


class AtopCoverageAnalysisPlugin(interface.AnalysisPlugin):
    """Reports the time that logs of atop cover, and what is odd about them."""

    NAME = "atop_coverage"

    # What is kept is bounded: logs, runs, gaps and entries; and lines of the report.
    _MAXIMUM_NUMBER_OF_ITEMS = 100000
    _MAXIMUM_NUMBER_OF_LINES = 20000

    _ITEM_CLASSES = {
        "fs:stat": coverage.Entry,
        "linux:atop:gap": coverage.Gap,
        "linux:atop:session": coverage.Run,
    }

    # Of the events of an item, that which is tagged.
    _TIMESTAMP_DESCRIPTIONS = frozenset(["Content Modification Time", "Start Time"])

    def __init__(self):
        """Initializes an analysis plugin."""
        super().__init__()
        self._entries_of_directories = {}
        self._has_entries = False
        self._has_other_events = False
        self._logs = {}
        self._number_of_items = 0
        self._number_of_events_left_out = 0
        self._volumes = {}

    @property
    def _has_runs(self):
        """bool: True if there is any run of atop."""
        return any(log.runs for log in self._logs.values())

    def _AddLog(self, path_spec, log):
        """Adds a log.

        Args:
          path_spec (dfvfs.PathSpec): path specification of the file.
          log (coverage.Log): log.
        """
        identifier = path_spec.comparable
        self._logs[identifier] = log
        if path_spec.parent:
            locations = []
            while path_spec.parent:
                path_spec = path_spec.parent
                locations.append(getattr(path_spec, "location", None) or "")
            # That of the image, and of the volumes in it.
            locations[-1] = posixpath.basename(locations[-1])
            self._volumes[identifier] = "".join(reversed(locations))

    def _CreateItem(self, item_class, event, event_data, log=None):
        """Creates an entry, a gap or a run of what an event has.

        Args:
          item_class (type): class of the item.
          event (EventObject): event.
          event_data (EventData): event data.
          log (Optional[coverage.Log]): log that it is of.

        Returns:
          object: item.
        """
        values = {"event": event, "log": log}
        for name in item_class._fields:
            if name not in values:
                value = getattr(event_data, name, None)
                if value is not None and name.endswith("_time"):
                    value = value.CopyToPosixTimestamp()
                values[name] = value
        return item_class(**{name: values[name] for name in item_class._fields})

    def _ExamineDirectory(self, event, event_data):
        """Examines an event of the entry of a directory.

        Plaso does not keep which image or volume a directory is in.

        Args:
          event (EventObject): event.
          event_data (EventData): event data.
        """
        path = getattr(event_data, "filename", None) or ""
        if (
            not coverage.IsDirectoryOfLogs(path)
            or event.timestamp_desc != "Content Modification Time"
        ):
            return

        if self._number_of_items >= self._MAXIMUM_NUMBER_OF_ITEMS:
            self._number_of_events_left_out += 1
            return

        self._number_of_items += 1
        entry = None
        if path not in self._entries_of_directories:
            entry = self._CreateItem(coverage.Entry, event, event_data)
        self._entries_of_directories[path] = entry

    def _FindEmptyDirectories(self):
        """Finds directories of logs that have none.

        Returns:
          list[coverage.Finding]: findings.
        """
        paths = {path for _, path in (log.directory for log in self._logs.values())}
        return [
            coverage.Finding(
                entry.modification_time,
                _Escape(path),
                "no log in this directory, last changed then",
                entry.event,
            )
            for path, entry in sorted(self._entries_of_directories.items())
            # A directory at the root of a volume may be anything else.
            if entry and path not in paths and path.count("/") > 1
        ]

    def _FindInDirectories(self, hosts, majorities):
        """Finds changes of directories of logs, where it is known which one it is.

        Args:
          hosts (dict[str, coverage.Host]): hosts per name.
          majorities (dict[tuple[str, str], tuple[str, int]]): name of the host that has
              most logs in a directory, and their number.
        """
        directories = collections.defaultdict(list)
        for directory in majorities:
            directories[directory[1]].append(directory)

        for path, entry in self._entries_of_directories.items():
            if entry and len(directories[path]) == 1:
                (directory,) = directories[path]
                hostname, _ = majorities[directory]
                hosts[hostname].FindInDirectory(directory, entry)

    def _GetHosts(self):
        """Retrieves the hosts, with the findings.

        A log without samples belongs to the host of the others in its directory.

        Returns:
          dict[str, coverage.Host]: hosts per name, which is empty where it is not
              known.
        """
        counters = collections.defaultdict(collections.Counter)
        for log in self._logs.values():
            if log.hostname:
                counters[log.directory][log.hostname] += 1

        logs = collections.defaultdict(list)
        for log in self._logs.values():
            counter = counters[log.directory]
            if not log.runs and len(counter) == 1:
                (log.hostname,) = counter
            logs[log.hostname].append(log)

        findings = self._FindEmptyDirectories()
        if findings:
            logs.setdefault("", [])
        hosts = {name: coverage.Host(logs[name]) for name in sorted(logs)}
        if findings:
            hosts[""].findings.extend(findings)
        majorities = {
            directory: counter.most_common(1)[0]
            for directory, counter in counters.items()
            if counter
        }
        self._FindInDirectories(hosts, majorities)
        for hostname, host in hosts.items():
            for log in host.logs:
                # Logs that are collected from several hosts are elsewhere.
                if log.runs and log.is_in_place and hostname:
                    other_name, number_of_logs = majorities[log.directory]
                    if number_of_logs > counters[log.directory][hostname]:
                        other_name = _EscapeMarkup(other_name)
                        message = f"among logs of another host: {other_name:s}"
                        run = log.sorted_runs[0]
                        host.AddFinding(run.start_time, log, message, run)
            host.Find()
        return hosts

    def _GetItems(self, log, item_class):
        """Retrieves the gaps or runs of a log.

        Args:
          log (coverage.Log): log.
          item_class (type): class of the gaps or runs.

        Returns:
          dict[int, object]: gaps or runs per offset.
        """
        return log.runs if item_class is coverage.Run else log.gaps

    def _GetLimits(self):
        """Determines what cannot be told.

        Returns:
          list[str]: lines of the report.
        """
        lines = []
        if not self._has_runs:
            lines.append(
                "Not known, as there are no events of the parser atop/session: times "
                "of the logs, and which of them have samples"
            )
        number_of_logs = sum(not log.entry for log in self._logs.values())
        if not self._has_entries:
            lines.append(
                "Not known, as there are no events of the parser filestat: logs that "
                "are empty or gave no sample, and changes after the last sample"
            )
        elif number_of_logs:
            lines.append(
                "Not known, as there is no event of the parser filestat for "
                f"{number_of_logs:d} logs: changes of these after the last sample"
            )
        if self._number_of_events_left_out:
            lines.append(
                f"Left out: {self._number_of_events_left_out:d} events, as there are "
                f"more than {self._MAXIMUM_NUMBER_OF_ITEMS:d} logs, runs, gaps and "
                "directories"
            )
        lines.append(
            "Never known: logs that were removed before the first or after the last one"
        )
        return lines

    def _MakeLog(self, path_spec):
        """Makes a log.

        Args:
          path_spec (dfvfs.PathSpec): path specification of the file.

        Returns:
          coverage.Log: log.
        """
        path = getattr(path_spec, "location", None) or ""
        directory = (
            getattr(path_spec.parent, "comparable", ""),
            posixpath.dirname(path),
        )
        return coverage.Log(path, _Escape(path), directory)

    def CompileReport(self, analysis_mediator):
        """Compiles the report, and tags the events that stand for findings.

        Args:
          analysis_mediator (AnalysisMediator): mediates interactions between analysis
              plugins and other components, such as storage and dfVFS.

        Returns:
          AnalysisReport: report.
        """
        # The path says enough where all logs are in one volume, or in none.
        if len(set(self._volumes.values())) > 1:
            for identifier, volume in self._volumes.items():
                log = self._logs[identifier]
                log.name = f"{_Escape(volume):s}:{log.name:s}"

        limits = self._GetLimits()

        # The plugin that finds the runs was left out.
        if self._has_other_events and not self._has_runs:
            for log in self._logs.values():
                if log.entry and log.entry.file_size:
                    log.entry = None

        events = {}
        lines = ["Coverage by logs of atop, all times in UTC"]
        for hostname, host in self._GetHosts().items():
            lines.append(
                f"Host {_EscapeMarkup(hostname) or 'not known':s}: "
                f"logs: {len(host.logs):d}, findings: {len(host.findings):d}"
            )
            lines.extend(f"Log {log.name:s}: {log.GetSummary():s}" for log in host.logs)
            for number, finding in enumerate(host.findings, start=1):
                lines.append(
                    f"Finding {number:d}: {coverage.FormatTime(finding.time):s}, "
                    f"{finding.name:s}: {finding.text:s}"
                )
                events[id(finding.event)] = finding.event

        for event in events.values():
            event_tag = self._CreateEventTag(event, [self.NAME])
            analysis_mediator.ProduceEventTag(event_tag)

        number_of_lines = len(lines) - self._MAXIMUM_NUMBER_OF_LINES
        if number_of_lines > 0:
            del lines[self._MAXIMUM_NUMBER_OF_LINES :]
            lines.append(f"Left out: {number_of_lines:d} lines")
        lines.extend(limits)

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
        item_class = self._ITEM_CLASSES.get(data_type)
        if not item_class:
            self._has_other_events |= data_type.startswith("linux:atop:")
            return

        is_entry = item_class is coverage.Entry
        entry_type = getattr(event_data, "file_entry_type", "file")
        if is_entry and entry_type == "directory":
            self._ExamineDirectory(event, event_data)

        path_spec = getattr(event_data_stream, "path_spec", None)
        if not path_spec:
            return

        if is_entry:
            self._has_entries = True
            # What is compressed in a file has no location, and is no entry.
            if not getattr(path_spec, "location", None) or entry_type != "file":
                return

        while not getattr(path_spec, "location", None) and path_spec.parent:
            path_spec = path_spec.parent

        log = self._logs.get(path_spec.comparable) or self._MakeLog(path_spec)
        if is_entry and not (log.is_named or log.runs or log.gaps):
            return

        # Each date and time of an item is an event.
        offset = getattr(event_data, "offset", None)
        is_known = log.entry if is_entry else offset in self._GetItems(log, item_class)
        if is_known:
            if event.timestamp_desc not in self._TIMESTAMP_DESCRIPTIONS:
                return
        elif self._number_of_items >= self._MAXIMUM_NUMBER_OF_ITEMS:
            self._number_of_events_left_out += 1
            return
        else:
            self._number_of_items += 1
            self._AddLog(path_spec, log)

        item = self._CreateItem(item_class, event, event_data, log)
        if is_entry:
            log.entry = item
        else:
            log.hostname = getattr(event_data, "hostname", None) or ""
            self._GetItems(log, item_class)[offset] = item


manager.AnalysisPluginManager.RegisterPlugin(AtopCoverageAnalysisPlugin)
