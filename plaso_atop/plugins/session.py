"""Plugin for the runs of atop in an atop raw log, and for the gaps in them."""

from plaso.containers import events

from plaso_atop import parser
from plaso_atop import runs
from plaso_atop.plugins import interface


class AtopSessionEventData(events.EventData):
    """Run of atop event data.

    Attributes:
      atop_version (str): version of atop.
      boot_time (dfdatetime.DateTimeValues): date and time the system was started, as
          this run of atop knew it.
      end_time (dfdatetime.DateTimeValues): date and time of the last sample.
      hostname (str): name of the host.
      kernel_release (str): release of the kernel.
      kernel_version (str): version of the kernel.
      longest_without_exits_seconds (int): longest time without exits of processes
          before one, in seconds. Missing if no sample has exits.
      machine (str): machine type.
      number_of_samples (int): number of samples that could be read.
      offset (int): offset of the first sample relative to the start of the file.
      process_accounting (bool): True if at least one sample recorded exited processes
          with their exit code.
      process_accounting_end_time (dfdatetime.DateTimeValues): date and time of the last
          sample with process accounting before one without. If it stopped several
          times, that of the last time. atop 2.2.6 and later.
      process_accounting_start_time (dfdatetime.DateTimeValues): date and time of the
          first sample with process accounting after one without. If it started several
          times, that of the first time. atop 2.2.6 and later.
      sampling_interval_seconds (int): median time between two samples in seconds.
      since_last_exit_seconds (int): time from the last sample with exits of processes
          to the last sample, in seconds. Missing if no sample has exits.
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
        self.longest_without_exits_seconds = None
        self.machine = None
        self.number_of_samples = None
        self.offset = None
        self.process_accounting = None
        self.process_accounting_end_time = None
        self.process_accounting_start_time = None
        self.sampling_interval_seconds = None
        self.since_last_exit_seconds = None
        self.start_time = None


class AtopGapEventData(events.EventData):
    """Time without samples in an atop raw log event data.

    Attributes:
      duration_seconds (int): time between the samples before and after the gap in
          seconds, negative if the clock was set back.
      end_time (dfdatetime.DateTimeValues): date and time of the first sample after the
          gap.
      expected_interval_seconds (int): expected time between these samples, in seconds.
      hostname (str): name of the host.
      offset (int): offset of the damage relative to the start of the file. Without
          damage, offset of the first sample after the gap.
      reason (str): reason of the gap, as far as the log shows it.
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


class AtopSessionPlugin(interface.AtopPlugin):
    """Plugin for the runs of atop in an atop raw log."""

    NAME = "session"
    DATA_FORMAT = "atop raw log sessions and gaps"

    def __init__(self):
        """Initializes a plugin."""
        super().__init__()
        self._run_finder = None

    def _ProduceFindings(self, parser_mediator, findings):
        """Produces the events of gaps and runs.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          findings (list[runs.Gap|runs.Run]): gaps and runs.
        """
        for finding in findings:
            if isinstance(finding, runs.Gap):
                self._ProduceGap(parser_mediator, finding)
            else:
                self._ProduceSession(parser_mediator, finding)

    def _ProduceGap(self, parser_mediator, gap):
        """Produces the event of a gap.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          gap (runs.Gap): gap.
        """
        event_data = AtopGapEventData()
        event_data.duration_seconds = gap.duration
        event_data.expected_interval_seconds = gap.expected_interval
        event_data.offset = gap.offset
        event_data.reason = gap.reason
        event_data.size = gap.size
        if gap.end_time is not None:
            event_data.end_time = self._GetDateTime(gap.end_time)
        if gap.start_time is not None:
            event_data.start_time = self._GetDateTime(gap.start_time)

        self._ProduceEventData(
            parser_mediator, event_data, corrupted=gap.size is not None
        )

    def _ProduceSession(self, parser_mediator, run):
        """Produces the event of a run.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          run (runs.Run): run.
        """
        event_data = AtopSessionEventData()
        event_data.atop_version = self._log.version
        event_data.end_time = self._GetDateTime(run.end_time or 0)
        event_data.kernel_release = self._GetText(self._log.kernel_release)
        event_data.kernel_version = self._GetText(self._log.kernel_version)
        event_data.machine = self._GetText(self._log.machine)
        event_data.number_of_samples = run.number_of_samples
        event_data.offset = run.offset
        event_data.process_accounting = run.has_accounting
        event_data.sampling_interval_seconds = run.interval
        event_data.start_time = self._GetDateTime(run.start_time or 0)
        if run.boot_time is not None:
            event_data.boot_time = self._GetDateTime(run.boot_time)
        if run.accounting_end_time is not None:
            event_data.process_accounting_end_time = self._GetDateTime(
                run.accounting_end_time
            )
        if run.accounting_start_time is not None:
            event_data.process_accounting_start_time = self._GetDateTime(
                run.accounting_start_time
            )
        if run.last_exit_time is not None:
            event_data.longest_without_exits_seconds = run.longest_time_without_exits
            # The clock may have been set back.
            if run.last_exit_time <= run.end_time:
                event_data.since_last_exit_seconds = run.end_time - run.last_exit_time

        self._ProduceEventData(
            parser_mediator, event_data, corrupted=run.has_damaged_time
        )

    def Finish(self, parser_mediator):
        """Extracts the events that are left at the end of a log, or on abort.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
        """
        self._ProduceFindings(parser_mediator, self._run_finder.Finish())

        number_of_gaps = (
            self._run_finder.number_of_gaps - self._run_finder.MAXIMUM_NUMBER_OF_GAPS
        )
        if number_of_gaps > 0:
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
        self._ProduceFindings(parser_mediator, self._run_finder.AddSample(sample))

    def Start(self, parser_mediator, log):
        """Starts with a log.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          log (rawlog.RawLog): log.
        """
        super().Start(parser_mediator, log)
        self._run_finder = runs.RunFinder(log)


parser.AtopParser.RegisterPlugin(AtopSessionPlugin)
