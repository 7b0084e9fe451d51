"""Plugin for the control groups in an atop raw log."""

import itertools

from plaso.containers import events

from plaso_atop import parser
from plaso_atop.plugins import interface


class AtopCgroupEventData(events.EventData):
    """Control group event data.

    atop 2.11 and later stores control groups (cgroups v2). In a run of atop the first
    sample with control groups gives an event for each one that has processes, in itself
    or below it. So a log shows which control groups existed. Other samples, and control
    groups without processes, only give an event if the control group used something.

    The use of a control group includes that of the control groups below it. Counters
    cover the interval up to the sample, unless since_creation is set. An attribute is
    not set if the kernel does not account it for the control group, such as memory
    without the memory controller.

    Pressure is the time in which some or all (full) of the processes with work to do
    waited for a CPU, for disks or for memory. Its percentages rest on intervals of
    whole seconds and are capped at 100.0.

    Attributes:
      cgroup (str): path of the control group, "/" for the root.
      cpu_limit_percent (int): limit of the CPU time in percent, where 100 is one CPU.
          Limits are not set if there are none.
      cpu_percent (float): CPU time as share of the interval in percent, where 100.0 is
          one CPU. Intervals are whole seconds, so the share is not accurate for short
          ones. It is not capped.
      cpu_pressure_full_percent (float): percentage of the interval, see
          cpu_pressure_full_time.
      cpu_pressure_full_time (int): time in which all waited for a CPU, in milliseconds.
      cpu_pressure_some_percent (float): percentage of the interval, see
          cpu_pressure_some_time.
      cpu_pressure_some_time (int): time in which some waited for a CPU, in
          milliseconds.
      cpu_weight (int): weight when CPU time is shared with other control groups.
      disk_weight (int): weight when disk transfers are shared with other control
          groups.
      hostname (str): name of the host.
      interval_seconds (int): time since the sample before, or in the first sample of a
          run of atop since the system was started, in seconds.
      io_pressure_full_percent (float): percentage of the interval, see
          io_pressure_full_time.
      io_pressure_full_time (int): time in which all waited for disks, in milliseconds.
      io_pressure_some_percent (float): percentage of the interval, see
          io_pressure_some_time.
      io_pressure_some_time (int): time in which some waited for disks, in milliseconds.
      memory_anonymous_size (int): size of memory that no file backs, such as heaps and
          stacks, in bytes.
      memory_file_size (int): size of memory that caches files in bytes.
      memory_kernel_size (int): size of memory of the kernel in bytes.
      memory_limit_size (int): limit of the memory in bytes.
      memory_pressure_full_percent (float): percentage of the interval, see
          memory_pressure_full_time.
      memory_pressure_full_time (int): time in which all waited for memory, in
          milliseconds.
      memory_pressure_some_percent (float): percentage of the interval, see
          memory_pressure_some_time.
      memory_pressure_some_time (int): time in which some waited for memory, in
          milliseconds.
      memory_shared_size (int): size of shared memory and tmpfs in bytes.
      memory_used_size (int): size of all memory in bytes.
      number_of_processes (int): number of processes in the control group itself.
      number_of_processes_below (int): number of processes in the control groups below.
      number_of_reads (int): number of read requests to disks.
      number_of_writes (int): number of write requests to disks.
      offset (int): offset of the sample relative to the start of the file.
      pids (list[int]): identifiers of the processes in the control group itself, at
          most the first 256.
      read_size (int): size of data read from disk in bytes.
      sample_time (dfdatetime.DateTimeValues): date and time of the sample.
      since_creation (bool): True if the counters are totals since the control group was
          created, as in the first sample of a run of atop.
      swap_limit_size (int): limit of the swap space in bytes.
      system_cpu_time (int): CPU time in the kernel in milliseconds.
      user_cpu_time (int): CPU time of the programs themselves in milliseconds.
      written_size (int): size of data written to disk in bytes.
    """

    DATA_TYPE = "linux:atop:cgroup"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.cgroup = None
        self.cpu_limit_percent = None
        self.cpu_percent = None
        self.cpu_pressure_full_percent = None
        self.cpu_pressure_full_time = None
        self.cpu_pressure_some_percent = None
        self.cpu_pressure_some_time = None
        self.cpu_weight = None
        self.disk_weight = None
        self.hostname = None
        self.interval_seconds = None
        self.io_pressure_full_percent = None
        self.io_pressure_full_time = None
        self.io_pressure_some_percent = None
        self.io_pressure_some_time = None
        self.memory_anonymous_size = None
        self.memory_file_size = None
        self.memory_kernel_size = None
        self.memory_limit_size = None
        self.memory_pressure_full_percent = None
        self.memory_pressure_full_time = None
        self.memory_pressure_some_percent = None
        self.memory_pressure_some_time = None
        self.memory_shared_size = None
        self.memory_used_size = None
        self.number_of_processes = None
        self.number_of_processes_below = None
        self.number_of_reads = None
        self.number_of_writes = None
        self.offset = None
        self.pids = None
        self.read_size = None
        self.sample_time = None
        self.since_creation = None
        self.swap_limit_size = None
        self.system_cpu_time = None
        self.user_cpu_time = None
        self.written_size = None


class AtopCgroupPlugin(interface.AtopPlugin):
    """Plugin for the control groups in an atop raw log."""

    NAME = "cgroup"
    DATA_FORMAT = "atop raw log control groups"
    IS_DEFAULT = False

    # Bounds the size of an event: a control group can have thousands of processes.
    _MAXIMUM_NUMBER_OF_PIDS = 256

    # Names of attributes, without the unit, and of the members that hold them.
    _PRESSURES = (
        ("cpu_pressure_full", "cpu_fullpres"),
        ("cpu_pressure_some", "cpu_somepres"),
        ("io_pressure_full", "dsk_fullpres"),
        ("io_pressure_some", "dsk_somepres"),
        ("memory_pressure_full", "mem_fullpres"),
        ("memory_pressure_some", "mem_somepres"),
    )

    def __init__(self):
        """Initializes a plugin."""
        super().__init__()
        self._has_first = False

    def _GetCounters(self, cstat):
        """Retrieves the counters of a control group.

        Args:
          cstat (tuple): metrics and limits of the control group.

        Returns:
          dict[str, int]: counters per name of the attribute, None if not known.
        """
        counters = {
            "number_of_reads": self._GetSize(cstat.dsk_rios),
            "number_of_writes": self._GetSize(cstat.dsk_wios),
            "read_size": self._GetSize(cstat.dsk_rbytes),
            "system_cpu_time": self._GetTime(cstat.cpu_stime),
            "user_cpu_time": self._GetTime(cstat.cpu_utime),
            "written_size": self._GetSize(cstat.dsk_wbytes),
        }
        for name, member in self._PRESSURES:
            counters[f"{name:s}_time"] = self._GetTime(getattr(cstat, member))

        return counters

    def _GetTime(self, microseconds):
        """Converts microseconds.

        Args:
          microseconds (int): microseconds.

        Returns:
          int: milliseconds or None if the microseconds are not valid.
        """
        return None if microseconds < 0 else microseconds // 1000

    def _HoldsProcesses(self, cstat):
        """Determines if there are processes in a control group or below it.

        Args:
          cstat (tuple): metrics and limits of the control group.

        Returns:
          bool: True if there are.
        """
        return cstat.gen_nprocs > 0 or cstat.gen_procsbelow > 0

    def _ProcessCgroup(self, parser_mediator, cgroup, sample, is_first):
        """Extracts an event from a control group.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          cgroup (rawlog.Cgroup): control group.
          sample (rawlog.Sample): sample.
          is_first (bool): True if this is the first sample with control groups in a
              run of atop. Otherwise there is only an event if something was used.
        """
        cstat = cgroup.cstat
        counters = self._GetCounters(cstat)
        if not any(counters.values()) and not (
            is_first and self._HoldsProcesses(cstat)
        ):
            return

        event_data = AtopCgroupEventData()
        for name, value in counters.items():
            setattr(event_data, name, value)

        if sample.is_boot:
            event_data.since_creation = True
        else:
            self._SetPercentages(event_data, cstat, sample)

        # -1 is no limit, -2 is a limit that is not known.
        event_data.cpu_limit_percent = self._GetSize(cstat.conf_cpumax)
        event_data.cpu_weight = self._GetSize(cstat.conf_cpuweight)
        event_data.disk_weight = self._GetSize(cstat.conf_dskweight)

        page_size = self._log.page_size
        event_data.memory_anonymous_size = self._GetSize(cstat.mem_anon, page_size)
        event_data.memory_file_size = self._GetSize(cstat.mem_file, page_size)
        event_data.memory_kernel_size = self._GetSize(cstat.mem_kernel, page_size)
        event_data.memory_limit_size = self._GetSize(cstat.conf_memmax, page_size)
        event_data.memory_shared_size = self._GetSize(cstat.mem_shmem, page_size)
        event_data.memory_used_size = self._GetSize(cstat.mem_current, page_size)
        event_data.swap_limit_size = self._GetSize(cstat.conf_swpmax, page_size)

        event_data.cgroup = self._GetText(cgroup.path)
        event_data.number_of_processes = self._GetSize(cstat.gen_nprocs)
        event_data.number_of_processes_below = self._GetSize(cstat.gen_procsbelow)
        self._SetSample(event_data, sample)

        # The identifier is 0 for a process in another namespace than atop.
        pids = (pid for pid in cgroup.pids if pid > 0)
        event_data.pids = (
            list(itertools.islice(pids, self._MAXIMUM_NUMBER_OF_PIDS)) or None
        )

        self._ProduceEventData(parser_mediator, event_data, corrupted=sample.is_damaged)

    def _SetPercentages(self, event_data, cstat, sample):
        """Sets the counters that are shares of the interval.

        Args:
          event_data (AtopCgroupEventData): event data.
          cstat (tuple): metrics and limits of the control group.
          sample (rawlog.Sample): sample.
        """
        interval = sample.interval * 1000000
        for name, member in self._PRESSURES:
            percent = self._GetPercent(getattr(cstat, member), interval)
            setattr(event_data, f"{name:s}_percent", percent)

        if cstat.cpu_utime >= 0 and cstat.cpu_stime >= 0 and interval > 0:
            cpu_time = cstat.cpu_utime + cstat.cpu_stime
            event_data.cpu_percent = round(100 * cpu_time / interval, 1)

    def ProcessSample(self, parser_mediator, sample):
        """Extracts events from a sample.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (rawlog.Sample): sample.
        """
        if sample.is_boot:
            self._has_first = False

        # The first sample of a run may be lost.
        is_first = not self._has_first
        for cgroup in sample.cgroups():
            self._ProcessCgroup(parser_mediator, cgroup, sample, is_first)
            self._has_first = True

    def Start(self, parser_mediator, log):
        """Starts with a log.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          log (rawlog.RawLog): log.
        """
        super().Start(parser_mediator, log)
        self._has_first = False


parser.AtopParser.RegisterPlugin(AtopCgroupPlugin)
