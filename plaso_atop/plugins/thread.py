"""Plugin for the activity of threads in an atop raw log."""

from plaso_atop import parser
from plaso_atop.plugins import activity


class AtopThreadEventData(activity.AtopTaskActivityEventData):
    """Activity of a thread event data.

    atop lists threads, the main thread included, if a process has more than one.

    Attributes, in addition to those of AtopTaskActivityEventData:
      tgid (int): identifier of the process of the thread (TGID), the same as pid.
      thread_name (str): name of the thread, its first 15 bytes.
      thread_state (str): state of the thread as the letter of the kernel.
      tid (int): identifier of the thread (TID). The main thread has that of the
          process.
    """

    DATA_TYPE = "linux:atop:thread"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.tgid = None
        self.thread_name = None
        self.thread_state = None
        self.tid = None


class AtopThreadPlugin(activity.AtopTaskActivityPlugin):
    """Plugin for the activity of threads in an atop raw log."""

    NAME = "thread"
    DATA_FORMAT = "atop raw log thread activity"
    IS_DEFAULT = False

    def _IsFirstListed(self, task, process, sample):
        """Determines if a main thread was not listed because it was the only one.

        Args:
          task (rawlog.Task): entry of the thread.
          process (rawlog.Task): entry of the process of the thread or None if it is not
              listed.
          sample (rawlog.Sample): sample that the entry is from.

        Returns:
          bool: True if it is a main thread that is new to atop, while its process is
              not.
        """
        if task.pid != task.tgid or task.excode >= 0:
            return False
        if process:
            return process.excode >= 0
        return self._IsLateNew(task, sample)

    def _ProcessThread(self, parser_mediator, task, process, sample):
        """Extracts an event from a thread that was active.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          task (rawlog.Task): entry of the thread.
          process (rawlog.Task): entry of the process of the thread or None if it is not
              listed.
          sample (rawlog.Sample): sample that the entry is from.
        """
        # Sizes of memory, and their growth, are those of the process.
        counters = self._GetCounters(task)
        if not any(counters.values()):
            return

        event_data = AtopThreadEventData()
        is_since_start = self._IsSinceStart(task, sample) or (
            self._IsFirstListed(task, process, sample)
        )
        self._SetTask(event_data, task, sample, counters, is_since_start)
        event_data.pid = self._GetSize(task.tgid) or None
        event_data.tgid = event_data.pid
        event_data.thread_name = self._GetText(task.name)
        event_data.thread_state = self._GetText(task.state.rstrip(b"\x00"))
        event_data.tid = self._GetSize(task.pid)

        if process:
            cgroup = self._GetCgroup(process, sample)
            event_data.cgroup = self._GetText(cgroup)
            event_data.process_name = self._GetText(process.name)
            event_data.username = self._GetUsername(
                parser_mediator,
                event_data.user_identifier,
                self._MayBeInContainer(process, cgroup, sample),
            )

        self._ProduceEventData(parser_mediator, event_data, corrupted=sample.is_damaged)

    def ProcessSample(self, parser_mediator, sample):
        """Extracts events from a sample.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (rawlog.Sample): sample.
        """
        # Before 1.27 there are no threads in the list.
        if not sample.has_tasks or self._log.version_tuple < (1, 27):
            return

        self._StartSample(sample)
        process = None
        for task in sample.active_tasks():
            # Threads follow their process, which is active where one of them is.
            if task.isproc:
                process = task
            elif task.pid > 0:
                if process and process.pid != task.tgid:
                    process = None
                self._ProcessThread(parser_mediator, task, process, sample)


parser.AtopParser.RegisterPlugin(AtopThreadPlugin)
