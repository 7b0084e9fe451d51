"""Plugin for the state of the system in an atop raw log."""

from plaso.containers import events

from plaso_atop import parser
from plaso_atop.plugins import interface


class AtopSystemEventData(events.EventData):
    """State of the system event data.

    Attributes:
      hostname (str): name of the host.
      load_average_1 (float): load average of the last minute.
      load_average_5 (float): load average of the last 5 minutes.
      load_average_15 (float): load average of the last 15 minutes.
      number_of_exited_processes (int): number of processes that exited since the
          previous sample.
      number_of_idle_threads (int): number of kernel threads that wait for work.
      number_of_processes (int): number of processes.
      number_of_running_threads (int): number of threads that run or can run.
      number_of_sleeping_threads (int): number of threads that wait and can be
          interrupted.
      number_of_uninterruptible_threads (int): number of threads that wait and cannot be
          interrupted, most often for a disk.
      number_of_zombie_processes (int): number of processes that exited and of which the
          parent process did not take notice.
      offset (int): offset of the sample relative to the start of the file.
      sample_time (dfdatetime.DateTimeValues): date and time of the sample.
    """

    DATA_TYPE = "linux:atop:system"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.hostname = None
        self.load_average_1 = None
        self.load_average_5 = None
        self.load_average_15 = None
        self.number_of_exited_processes = None
        self.number_of_idle_threads = None
        self.number_of_processes = None
        self.number_of_running_threads = None
        self.number_of_sleeping_threads = None
        self.number_of_uninterruptible_threads = None
        self.number_of_zombie_processes = None
        self.offset = None
        self.sample_time = None


class AtopSystemPlugin(interface.AtopPlugin):
    """Plugin for the state of the system in an atop raw log."""

    NAME = "system"
    DATA_FORMAT = "atop raw log system activity"

    def _GetProcessCounts(self, event_data, record):
        """Retrieves the numbers of processes and threads.

        Args:
          event_data (AtopSystemEventData): event data.
          record (tuple): values of the record.
        """
        version = self._log.version_tuple

        event_data.number_of_exited_processes = record.nexit
        if version < (1, 27):
            event_data.number_of_processes = record.npresent
            event_data.number_of_running_threads = record.ntrun
            event_data.number_of_sleeping_threads = record.ntslpi
            event_data.number_of_uninterruptible_threads = record.ntslpu
            event_data.number_of_zombie_processes = record.nzombie
            return

        event_data.number_of_idle_threads = record.totidle
        event_data.number_of_processes = record.totproc
        event_data.number_of_running_threads = record.totrun
        event_data.number_of_sleeping_threads = record.totslpi
        event_data.number_of_zombie_processes = record.totzomb

        # Since 2.3 the exited processes are counted among the processes.
        if version >= (2, 3):
            event_data.number_of_processes = self._GetSize(
                record.totproc - record.nexit
            )

        # In these versions idle threads of the kernel are counted as uninterruptible.
        if not (2, 7) <= version <= (2, 9):
            event_data.number_of_uninterruptible_threads = record.totslpu

    def _GetLoadAverage(self, value):
        """Retrieves a load average.

        Args:
          value (float): value as stored, in single precision.

        Returns:
          float: load average with the precision of the kernel, or None if not valid.
        """
        return round(value, 2) if 0.0 <= value < 1e6 else None

    def ProcessSample(self, parser_mediator, sample):
        """Extracts events from a sample.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (rawlog.Sample): sample.
        """
        event_data = AtopSystemEventData()
        event_data.offset = sample.offset
        event_data.sample_time = self._GetDateTime(sample.curtime)
        self._GetProcessCounts(event_data, sample.record)

        system = sample.system()
        if system:
            event_data.load_average_1 = self._GetLoadAverage(system.cpu.lavg1)
            event_data.load_average_5 = self._GetLoadAverage(system.cpu.lavg5)
            event_data.load_average_15 = self._GetLoadAverage(system.cpu.lavg15)

        self._ProduceEventData(parser_mediator, event_data, corrupted=sample.is_damaged)


parser.AtopParser.RegisterPlugin(AtopSystemPlugin)
