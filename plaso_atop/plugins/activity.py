"""Plugin for the activity of processes in an atop raw log."""

import itertools
import operator

from plaso.containers import events

from plaso_atop import parser
from plaso_atop import rawlog
from plaso_atop.plugins import interface


class AtopTaskActivityEventData(events.EventData):
    """Activity of a process or thread event data.

    Counters cover the interval up to the sample, unless since_start is set.

    Attributes:
      block_io_delay_time (int): time spent waiting for disks, in milliseconds. A wait
          counts when it ends, so the time can be longer than the interval. atop 2.8 and
          later.
      cancelled_written_size (int): size of written data that was discarded before it
          came to the disk, in bytes.
      cgroup (str): path of the control group of the process. atop 2.8 and later, up to
          2.10 its first 63 bytes.
      cpu_percent (float): CPU time as share of the interval in percent, where 100.0 is
          one CPU. Intervals are whole seconds, so the share is not accurate for short
          ones. It is not capped.
      hostname (str): name of the host.
      interval_seconds (int): time since the sample before, or in the first sample of a
          run of atop since the system was started, in seconds.
      involuntary_context_switches (int): number of times the CPU was taken away. atop
          2.9 and later.
      major_faults (int): number of page faults that were served from disk.
      minor_faults (int): number of page faults that were served without disk.
      nice_value (int): nice value, from -20 for most to 19 for least CPU time.
      number_of_reads (int): number of read requests to disks. atop before 2.0, on a
          kernel with atop's patch.
      number_of_writes (int): number of write requests to disks. See number_of_reads.
      offset (int): offset of the sample relative to the start of the file.
      pid (int): process identifier (PID).
      process_name (str): name of the program, its first 15 bytes.
      processor_number (int): number of the CPU on which it ran last.
      read_size (int): size of data read from disk in bytes.
      real_time_priority (int): real-time priority, 0 if not real-time.
      run_delay_microseconds (int): time spent waiting for a CPU, in microseconds. A
          wait counts when it ends. atop 2.6 and later.
      sample_time (dfdatetime.DateTimeValues): date and time of the sample.
      scheduling_policy (int): number of the scheduling policy, 0 for the normal one.
      scheduling_priority (int): priority of the kernel, a lower one goes first: up to
          99 for real-time, from 100 for others.
      since_start (bool): True if the counters are totals since the process or thread
          was started. There are three cases: the first sample of a run of atop; an
          exited process that started before the interval, but that atop did not
          recognize; the main thread of a process that got its second thread in the
          interval.
      system_cpu_time (int): CPU time in the kernel in milliseconds.
      tcp_received_packets (int): number of TCP packets received.
      tcp_received_size (int): size of data received with TCP in bytes.
      tcp_sent_packets (int): number of TCP packets sent.
      tcp_sent_size (int): size of data sent with TCP in bytes.
      udp_received_packets (int): number of UDP packets received.
      udp_received_size (int): size of data received with UDP in bytes.
      udp_sent_packets (int): number of UDP packets sent.
      udp_sent_size (int): size of data sent with UDP in bytes.
      user_cpu_time (int): CPU time of the program itself in milliseconds.
      user_identifier (int): real user identifier (UID).
      username (str): name of the real user. Not set if the process is, or may be, in a
          container. An exited process may be in one. So may a process whose stored
          control group cannot be read or, up to 2.10, was cut.
      voluntary_context_switches (int): number of times the CPU was given up to wait for
          something. atop 2.9 and later.
      wait_channel (str): name of the function of the kernel in which it waits. atop 2.6
          and later, if atop was asked for it.
      written_size (int): size of data written to disk in bytes.
    """

    def __init__(self, data_type=None):
        """Initializes event data.

        Args:
          data_type (Optional[str]): data type.
        """
        super().__init__(data_type=data_type)
        self.block_io_delay_time = None
        self.cancelled_written_size = None
        self.cgroup = None
        self.cpu_percent = None
        self.hostname = None
        self.interval_seconds = None
        self.involuntary_context_switches = None
        self.major_faults = None
        self.minor_faults = None
        self.nice_value = None
        self.number_of_reads = None
        self.number_of_writes = None
        self.offset = None
        self.pid = None
        self.process_name = None
        self.processor_number = None
        self.read_size = None
        self.real_time_priority = None
        self.run_delay_microseconds = None
        self.sample_time = None
        self.scheduling_policy = None
        self.scheduling_priority = None
        self.since_start = None
        self.system_cpu_time = None
        self.tcp_received_packets = None
        self.tcp_received_size = None
        self.tcp_sent_packets = None
        self.tcp_sent_size = None
        self.udp_received_packets = None
        self.udp_received_size = None
        self.udp_sent_packets = None
        self.udp_sent_size = None
        self.user_cpu_time = None
        self.user_identifier = None
        self.username = None
        self.voluntary_context_switches = None
        self.wait_channel = None
        self.written_size = None


class AtopProcessActivityEventData(AtopTaskActivityEventData):
    """Activity of a process event data.

    The use of a process includes that of its threads. An exited process has the
    process_state "E". For such a process, atop only knows CPU time, page faults and, if
    recorded, network and GPU use.

    Delays and context switches of a process are sums over the threads that it has at
    the time of the sample. They are not set where atop stored something else, most
    often because a thread ended in the interval. After a lost sample they are only set
    if the threads of the process are listed.

    Attributes, in addition to those of AtopTaskActivityEventData:
      cgroup_cpu_limit_percent (int): limit of the CPU time of the control group in
          percent, where 100 is one CPU. Limits are not set if there are none. atop 2.8
          up to 2.10.
      cgroup_cpu_weight (int): weight of the control group when CPU time is shared.
          atop 2.8 up to 2.10.
      cgroup_effective_cpu_limit_percent (int): lowest limit of the CPU time of the
          control group and those above it, in percent. atop 2.8 up to 2.10.
      cgroup_effective_memory_limit_size (int): lowest limit of the memory of the
          control group and those above it, in bytes. atop 2.8 up to 2.10.
      cgroup_effective_swap_limit_size (int): lowest limit of the swap space of the
          control group and those above it, in bytes. atop 2.8 up to 2.10.
      cgroup_memory_limit_size (int): limit of the memory of the control group in bytes.
          atop 2.8 up to 2.10.
      cgroup_swap_limit_size (int): limit of the swap space of the control group in
          bytes. atop 2.8 up to 2.10.
      command_line (str): first 255 bytes of the command line (150
          before 1.27, 68 before 1.26).
      container_identifier (str): first 12 characters of the identifier of the
          container. atop 2.3 up to 2.9.
      container_name (str): host name of the container or pod, its last 15 bytes (since
          2.13 the first 38). atop 2.10 and later.
      ctid (int): identifier of the OpenVZ container.
      data_size (int): size of private data, virtual, in bytes. atop 1.27 and later.
      executable_size (int): size of the code of the program, virtual, in bytes.
      gpu_average_memory_size (int): average size of the memory of a GPU that the
          process used in the interval, in bytes. GPU attributes are only set if atop's
          GPU daemon reported the process. atop 2.4 and later.
      gpu_busy_percent (float): share of the time in which a GPU was busy for the
          process: the average over the GPUs that it uses. atop 2.13 and later.
      gpu_lifetime_busy_percent (int): share of the time since the process started to
          use GPUs in which these were busy for it, added up over the GPUs that it uses.
          atop 2.4 up to 2.12.
      gpu_lifetime_memory_busy_percent (int): share of the time since the process
          started to use GPUs in which it used their memory, added up over these. atop
          2.4 up to 2.12.
      gpu_memory_busy_percent (float): share of the time in which the process used the
          memory of a GPU: the average over the GPUs that it uses. atop 2.13 and later.
      gpu_memory_size (int): size of GPU memory in bytes.
      gpu_numbers (list[int]): numbers of the GPUs that the process uses.
      gpu_time (int): time the GPUs worked for the process, in milliseconds. Only known
          when the process has ended. atop 2.4 up to 2.12.
      gpu_type (str): "C" if the process computes, "G" if it draws. atop 2.13 and later.
      library_size (int): size of shared libraries, virtual, in bytes. atop 1.27 and
          later.
      locked_size (int): size of memory that cannot be swapped, in bytes. atop 2.6 and
          later.
      number_of_gpus (int): number of GPUs that the process uses.
      number_of_idle_threads (int): number of threads of the kernel that wait for work.
          atop 2.10 and later.
      number_of_running_threads (int): number of threads that run or can run.
      number_of_sleeping_threads (int): number of threads that wait and can be
          interrupted.
      number_of_threads (int): number of threads.
      number_of_uninterruptible_threads (int): number of threads that wait and cannot be
          interrupted, most often for a disk. Not known in 2.7 up to 2.9.
      oom_score (int): badness. The kernel first kills the process with the highest one
          when memory runs out. atop 2.13 and later.
      oom_score_adjustment (int): number that was added to the badness, from -1000 for a
          process that must not be killed to 1000. atop 2.13 and later.
      ppid (int): process identifier of the parent process (PPID).
      process_state (str): state of the process as the letter of the kernel, "E" if it
          exited.
      proportional_size (int): size of resident memory in bytes. Memory that several
          processes share is divided among them. atop 2.1 and later, if atop was asked
          for it.
      resident_size (int): size of resident memory in bytes.
      resident_size_growth (int): growth of resident memory in bytes.
      stack_size (int): size of the stack, virtual, in bytes. atop 1.27 and later.
      swapped_size (int): size of swap space in bytes. atop 1.27 and later.
      virtual_size (int): size of virtual memory in bytes.
      virtual_size_growth (int): growth of virtual memory in bytes.
      vpid (int): process identifier in the OpenVZ container.
    """

    DATA_TYPE = "linux:atop:process_activity"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.cgroup_cpu_limit_percent = None
        self.cgroup_cpu_weight = None
        self.cgroup_effective_cpu_limit_percent = None
        self.cgroup_effective_memory_limit_size = None
        self.cgroup_effective_swap_limit_size = None
        self.cgroup_memory_limit_size = None
        self.cgroup_swap_limit_size = None
        self.command_line = None
        self.container_identifier = None
        self.container_name = None
        self.ctid = None
        self.data_size = None
        self.executable_size = None
        self.gpu_average_memory_size = None
        self.gpu_busy_percent = None
        self.gpu_lifetime_busy_percent = None
        self.gpu_lifetime_memory_busy_percent = None
        self.gpu_memory_busy_percent = None
        self.gpu_memory_size = None
        self.gpu_numbers = None
        self.gpu_time = None
        self.gpu_type = None
        self.library_size = None
        self.locked_size = None
        self.number_of_gpus = None
        self.number_of_idle_threads = None
        self.number_of_running_threads = None
        self.number_of_sleeping_threads = None
        self.number_of_threads = None
        self.number_of_uninterruptible_threads = None
        self.oom_score = None
        self.oom_score_adjustment = None
        self.ppid = None
        self.process_state = None
        self.proportional_size = None
        self.resident_size = None
        self.resident_size_growth = None
        self.stack_size = None
        self.swapped_size = None
        self.virtual_size = None
        self.virtual_size_growth = None
        self.vpid = None


class AtopTaskActivityPlugin(interface.AtopTaskPlugin):
    """Shared functionality of the plugins for the activity of processes and threads."""

    # pylint: disable=abstract-method

    def __init__(self):
        """Initializes a plugin."""
        super().__init__()
        self._exit_members = ()
        self._members = ()

    def _GetCounters(self, task):
        """Retrieves the counters of a task.

        Args:
          task (rawlog.Task): entry of the task.

        Returns:
          dict[str, int]: counters per name of the attribute, None if not valid.
        """
        members = self._members
        if task.state == rawlog.STATE_EXITED:
            members = self._exit_members

        # The counter of a new task is no difference.
        has_differences = task.excode >= 0

        counters = {}
        for name, member, convert, may_be_wrapped in members:
            value = getattr(task, member)
            if value and may_be_wrapped and has_differences:
                if value in self._WRAPPED_DIFFERENCES:
                    value = None
            counters[name] = convert(value)

        return counters

    def _GetMembers(self, sample, is_exited):
        """Determines which counters are valid.

        Args:
          sample (rawlog.Sample): sample.
          is_exited (bool): True for processes that exited.

        Returns:
          list[tuple[str, str, function, bool]]: names of the attribute and of the
              member, function that converts its value, and True if a value just below
              2^32 is not valid.
        """
        members = [
            ("major_faults", "majflt", self._GetSize),
            ("minor_faults", "minflt", self._GetSize),
            ("system_cpu_time", "stime", self._GetMilliseconds),
            ("user_cpu_time", "utime", self._GetMilliseconds),
        ]

        # Process accounting records nothing else.
        if not is_exited:
            members.extend(
                [
                    ("block_io_delay_time", "blkdelay", self._GetMilliseconds),
                    ("involuntary_context_switches", "nivcsw", self._GetSize),
                    ("run_delay_microseconds", "rundelay", self._GetMicroseconds),
                    ("voluntary_context_switches", "nvcsw", self._GetSize),
                ]
            )
            if sample.has_iostat or sample.has_disk_requests:
                members.extend(
                    [
                        ("read_size", "rsz", self._GetSizeOfSectors),
                        ("written_size", "wsz", self._GetSizeOfSectors),
                    ]
                )

            # Without the kernel patch the members of the requests hold sectors.
            if sample.has_disk_requests:
                members.extend(
                    [
                        ("number_of_reads", "rio", self._GetSize),
                        ("number_of_writes", "wio", self._GetSize),
                    ]
                )
            elif sample.has_iostat:
                members.append(
                    ("cancelled_written_size", "cwsz", self._GetSizeOfSectors)
                )

        # The sums over threads go down for another reason, see AtopActivityPlugin.
        version = sample.version_tuple
        members = [
            (name, member, convert, version < (2, 7) and member != "rundelay")
            for name, member, convert in members
        ]

        if sample.has_exit_network if is_exited else sample.has_network:
            members.extend(
                (name, member, self._GetSize, version < (2, 0))
                for name, member in self._NETWORK_MEMBERS
            )

        return members

    def _GetMicroseconds(self, nanoseconds):
        """Converts nanoseconds.

        Args:
          nanoseconds (int): nanoseconds.

        Returns:
          int: microseconds or None if the nanoseconds are not valid.
        """
        nanoseconds = self._GetSize(nanoseconds)
        return None if nanoseconds is None else nanoseconds // 1000

    def _GetSizeOfSectors(self, number):
        """Converts a number of sectors.

        Args:
          number (int): number of sectors.

        Returns:
          int: size in bytes or None if the number is not valid.
        """
        return self._GetSize(number, self._SECTOR_SIZE)

    def _IsLateNew(self, task, sample):
        """Determines if a task is new to atop, but was started before the interval.

        Args:
          task (rawlog.Task): entry of the task.
          sample (rawlog.Sample): sample that the entry is from.

        Returns:
          bool: True if it is.
        """
        return task.excode < 0 and task.btime < sample.curtime - sample.interval - 1

    def _IsSinceStart(self, task, sample):
        """Determines if the counters of a task cover more than the interval.

        Args:
          task (rawlog.Task): entry of the task.
          sample (rawlog.Sample): sample that the entry is from.

        Returns:
          bool: True if they are totals since the task was started.
        """
        if sample.is_boot:
            return True

        # The counters of a new task are totals, too. But it was started in the
        # interval, unless it is an exited process that atop did not recognize.
        return task.state == rawlog.STATE_EXITED and self._IsLateNew(task, sample)

    def _SetTask(self, event_data, task, sample, counters, is_since_start):
        """Sets the attributes that events of processes and threads share.

        Args:
          event_data (AtopTaskActivityEventData): event data.
          task (rawlog.Task): entry of the process or thread.
          sample (rawlog.Sample): sample that the entry is from.
          counters (dict[str, int]): counters per name of the attribute.
          is_since_start (bool): True if these are totals since the task was started.
        """
        for name, value in counters.items():
            setattr(event_data, name, value)

        self._SetSample(event_data, sample)
        event_data.user_identifier = task.ruid & 0xFFFFFFFF

        if is_since_start:
            event_data.since_start = True
        elif (
            None not in (event_data.system_cpu_time, event_data.user_cpu_time)
            and sample.interval > 0
        ):
            ticks = task.stime + task.utime
            event_data.cpu_percent = round(
                100 * ticks / (self._log.hertz * sample.interval), 1
            )

        if task.state != rawlog.STATE_EXITED:
            event_data.nice_value = task.nice
            event_data.processor_number = self._GetSize(task.curcpu)
            event_data.real_time_priority = self._GetSize(task.rtprio)
            event_data.scheduling_policy = self._GetSize(task.policy)
            event_data.scheduling_priority = self._GetSize(task.prio)
            event_data.wait_channel = self._GetText(task.wchan)

    def _StartSample(self, sample):
        """Starts with a sample.

        Args:
          sample (rawlog.Sample): sample.
        """
        self._exit_members = self._GetMembers(sample, is_exited=True)
        self._members = self._GetMembers(sample, is_exited=False)


class AtopActivityPlugin(AtopTaskActivityPlugin):
    """Plugin for the activity of processes in an atop raw log."""

    NAME = "activity"
    DATA_FORMAT = "atop raw log process activity"
    IS_DEFAULT = False

    # Names of attributes, of the members that hold them and size of their unit.
    _CGROUP_LIMITS = (
        ("cgroup_cpu_limit_percent", "cgcpumax", 1),
        ("cgroup_cpu_weight", "cgcpuweight", 1),
        ("cgroup_effective_cpu_limit_percent", "cgcpumaxr", 1),
        ("cgroup_effective_memory_limit_size", "cgmemmaxr", 1024),
        ("cgroup_effective_swap_limit_size", "cgswpmaxr", 1024),
        ("cgroup_memory_limit_size", "cgmemmax", 1024),
        ("cgroup_swap_limit_size", "cgswpmax", 1024),
    )

    _GPU_SNAPSHOT_TYPES = (b"C", b"G", b"U")

    _GPU_STATES = (b"A", b"E")

    _GPU_TYPES = (b"C", b"G")

    _SIZES = (
        ("data_size", "vdata"),
        ("executable_size", "vexec"),
        ("executable_size", "shtext"),
        ("library_size", "vlibs"),
        ("locked_size", "vlock"),
        ("resident_size", "rmem"),
        ("stack_size", "vstack"),
        ("swapped_size", "vswap"),
        ("virtual_size", "vmem"),
    )

    # A process has the sums over its threads.
    _THREAD_SUMS = (
        ("block_io_delay_time", "blkdelay"),
        ("involuntary_context_switches", "nivcsw"),
        ("run_delay_microseconds", "rundelay"),
        ("voluntary_context_switches", "nvcsw"),
    )

    _GetThreadValues = operator.attrgetter(*(member for _, member in _THREAD_SUMS))

    # Bounds the memory. A multithreaded process has three entries or more, so a process
    # list of 50,000 entries has at most half as many such processes.
    _MAXIMUM_NUMBER_OF_MULTITHREADED = 1 << 15

    _THREADS = (
        ("number_of_idle_threads", "nthridle"),
        ("number_of_running_threads", "nthrrun"),
        ("number_of_sleeping_threads", "nthrslpi"),
        ("number_of_threads", "nthr"),
        ("number_of_uninterruptible_threads", "nthrslpu"),
    )

    def __init__(self):
        """Initializes a plugin."""
        super().__init__()
        self._gpu_type_offset = None
        self._has_snapshot = False
        self._multithreaded = None

    def _AddThread(self, sums, task):
        """Adds the values of a thread to the sums of its process.

        Args:
          sums (list[int]): sums in the order of _THREAD_SUMS, None if this is the first
              thread of the process.
          task (rawlog.Task): entry of the thread.

        Returns:
          list[int]: sums.
        """
        values = [value or 0 for value in self._GetThreadValues(task)]
        return list(map(operator.add, sums, values)) if sums else values

    def _GetGPU(self, task, sample):
        """Retrieves how a process used GPUs.

        Args:
          task (rawlog.Task): entry of the process.
          sample (rawlog.Sample): sample that the entry is from.

        Returns:
          dict[str, object]: values per name of the attribute, empty if not known.
        """
        # In other states the members hold remains of something else. A process that
        # uses GPUs no more keeps its state, but its other members are remains.
        if (
            not sample.has_gpus
            or sample.version_tuple < (2, 4)
            or task.gpu_state not in self._GPU_STATES
            or task.gpu_nrgpus <= 0
        ):
            return {}

        values = {
            "gpu_memory_size": self._GetSize(task.gpu_memnow, 1024),
            "gpu_numbers": [
                number for number in range(32) if task.gpu_gpulist >> number & 1
            ]
            or None,
            "number_of_gpus": self._GetSize(task.gpu_nrgpus),
        }

        if self._log.version_tuple < (2, 13):
            number_of_samples = task.gpu_sample
            if not self._IsGPUOfSnapshot(task):
                values.update(
                    {
                        "gpu_lifetime_busy_percent": self._GetSize(task.gpu_gpubusy),
                        "gpu_lifetime_memory_busy_percent": self._GetSize(
                            task.gpu_membusy
                        ),
                        # 0 until it is known.
                        "gpu_time": self._GetSize(task.gpu_timems) or None,
                    }
                )
        else:
            number_of_samples = task.gpu_samples
            if task.gpu_type in self._GPU_TYPES:
                values["gpu_type"] = self._GetText(task.gpu_type)

        # These are sums over the samples of the GPU daemon.
        if (number_of_samples or 0) > 0 and not self._IsSinceStart(task, sample):
            average = task.gpu_memcum // number_of_samples
            values["gpu_average_memory_size"] = self._GetSize(average, 1024)

            for name, total in (
                ("gpu_busy_percent", task.gpu_gpubusycum),
                ("gpu_memory_busy_percent", task.gpu_membusycum),
            ):
                # For an exited process the difference is 0 if the GPU has no figure.
                if total is None or total < (task.state == rawlog.STATE_EXITED):
                    continue
                values[name] = round(total / number_of_samples, 1)

        return values

    def _GetGrowth(self, number):
        """Converts the growth of memory.

        Args:
          number (int): growth in KiB, which can be negative.

        Returns:
          int: growth in bytes or None if it is not valid.
        """
        return self._GetInteger(number * 1024)

    def _GetMultithreaded(self, sample):
        """Determines which processes of a sample have several threads.

        Args:
          sample (rawlog.Sample): sample.

        Returns:
          set[int]: process identifiers or None if there are too many.
        """
        pids = set()
        for task in sample.processes():
            if task.nthr > 1:
                pids.add(task.pid)
                if len(pids) > self._MAXIMUM_NUMBER_OF_MULTITHREADED:
                    return None
        return pids

    def _IsGPUOfSnapshot(self, task):
        """Determines if the GPU members of an entry may not be those of 2.12.

        Snapshots between 2.12 and 2.13 have the number and sizes of 2.12, but store the
        members of 2.13. The sizes of memory and the number of samples stand at the same
        place in both. Two values show a snapshot: the type of the process, which is
        new, and a share of the time that exceeds 100 %. In a release remains can stand
        in place of the type. So the type only counts for its own entry.

        Args:
          task (rawlog.Task): entry of a process that uses GPUs.

        Returns:
          bool: True if it may be something else.
        """
        if self._gpu_type_offset is None:
            return False

        # These are sums over the GPUs.
        if max(task.gpu_gpubusy, task.gpu_membusy) > 100 * task.gpu_nrgpus:
            self._has_snapshot = True

        offset = self._gpu_type_offset
        return self._has_snapshot or task.entry[offset : offset + 1] in (
            self._GPU_SNAPSHOT_TYPES
        )

    def _ProcessTask(self, parser_mediator, task, thread_sums, sample):
        """Extracts an event from a process that was active.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          task (rawlog.Task): entry of the process.
          thread_sums (list[int]): sums over its threads, in the order of _THREAD_SUMS,
              None if none are listed.
          sample (rawlog.Sample): sample that the entry is from.
        """
        is_exited = task.state == rawlog.STATE_EXITED

        counters = self._GetCounters(task)
        self._RemoveWrongSums(counters, task, thread_sums)
        self._SetMultithreaded(task, thread_sums)
        counters.update(self._GetGPU(task, sample))
        if not is_exited:
            counters["resident_size_growth"] = self._GetGrowth(task.rgrow)
            counters["virtual_size_growth"] = self._GetGrowth(task.vgrow)

        # Where only a thread was active, the process itself used nothing.
        if not any(counters.values()):
            return

        event_data = AtopProcessActivityEventData()
        is_since_start = self._IsSinceStart(task, sample)
        self._SetTask(event_data, task, sample, counters, is_since_start)
        event_data.command_line = self._GetText(task.cmdline)
        event_data.pid = self._GetSize(task.pid) or None
        event_data.process_name = self._GetText(task.name)
        event_data.process_state = self._GetText(task.state.rstrip(b"\x00"))

        container = self._GetContainer(task, sample)
        name = self._GetContainerAttribute(sample)
        setattr(event_data, name, self._GetText(container))

        if task.ppid or not is_exited:
            event_data.ppid = self._GetSize(task.ppid)
        if not is_exited:
            self._SetLiving(parser_mediator, event_data, task, sample)

        self._ProduceEventData(parser_mediator, event_data, corrupted=sample.is_damaged)

    def _RemoveWrongSums(self, counters, task, thread_sums):
        """Removes sums over threads that do not cover the interval.

        atop sums over the threads that are alive at a sample. It stores the difference
        between the sums of this sample and of the previous one. Where that is negative,
        it stores the sum of this sample, since the threads were started; up to 2.6 it
        stores the difference plus 2^32. The stored value is right if no thread of the
        previous sample ended, as where the main thread was the only one. It is also
        right if the entries of the threads add up to it.

        Args:
          counters (dict[str, int]): counters per name of the attribute.
          task (rawlog.Task): entry of the process.
          thread_sums (list[int]): sums over its threads, in the order of _THREAD_SUMS,
              None if none are listed, as where there is only the main thread.
        """
        if task.excode < 0 or (
            self._multithreaded is not None and task.pid not in self._multithreaded
        ):
            return

        for (name, member), thread_sum in zip(
            self._THREAD_SUMS, thread_sums or itertools.repeat(None)
        ):
            if name in counters and getattr(task, member) != thread_sum:
                counters[name] = None

    def _SetMultithreaded(self, task, thread_sums):
        """Sets whether a process has several threads.

        Args:
          task (rawlog.Task): entry of the process.
          thread_sums (list[int]): sums over its threads or None if none are listed.
        """
        if self._multithreaded is None:
            return

        if (task.nthr > 1 or thread_sums) and task.state != rawlog.STATE_EXITED:
            self._multithreaded.add(task.pid)
            if len(self._multithreaded) > self._MAXIMUM_NUMBER_OF_MULTITHREADED:
                self._multithreaded = None
        else:
            self._multithreaded.discard(task.pid)

    def _SetLiving(self, parser_mediator, event_data, task, sample):
        """Sets the attributes that only a living process has.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          event_data (AtopProcessActivityEventData): event data.
          task (rawlog.Task): entry of the process.
          sample (rawlog.Sample): sample that the entry is from.
        """
        for name, member in self._SIZES:
            value = getattr(task, member)
            if value is not None:
                setattr(event_data, name, self._GetSize(value, 1024))

        for name, member in self._THREADS:
            setattr(event_data, name, self._GetSize(getattr(task, member)))

        # In these versions idle threads of the kernel are counted as uninterruptible.
        if (2, 7) <= sample.version_tuple <= (2, 9):
            event_data.number_of_uninterruptible_threads = None

        if sample.has_cgroups:
            for name, member, unit in self._CGROUP_LIMITS:
                setattr(event_data, name, self._GetSize(getattr(task, member), unit))

        # 0 if atop was not asked for it, and for threads of the kernel.
        event_data.proportional_size = self._GetSize(task.pmem, 1024) or None

        # Development versions have remains of something else there.
        if not self._log.is_development:
            event_data.oom_score = self._GetSize(task.oomscore)
            event_data.oom_score_adjustment = task.oomscoreadj

        # Some virtual machines and containers have identifiers of their own.
        container_identifier = task.ctid or task.envid
        if container_identifier:
            event_data.ctid = container_identifier
            event_data.vpid = task.vpid

        cgroup = self._GetCgroup(task, sample)
        event_data.cgroup = self._GetText(cgroup)
        event_data.username = self._GetUsername(
            parser_mediator,
            event_data.user_identifier,
            self._MayBeInContainer(task, cgroup, sample),
        )

    def ProcessSample(self, parser_mediator, sample):
        """Extracts events from a sample.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (rawlog.Sample): sample.
        """
        if not sample.has_tasks:
            return

        self._StartSample(sample)
        if sample.is_boot:
            self._multithreaded = set()
        elif not self._FollowsPrevious(sample):
            self._multithreaded = None

        process = None
        thread_sums = None
        for task in sample.active_tasks():
            # Threads follow their process. Before 1.27 no threads are listed.
            if task.isproc == 0:
                if process and process.pid == task.tgid:
                    thread_sums = self._AddThread(thread_sums, task)
                continue

            if process:
                self._ProcessTask(parser_mediator, process, thread_sums, sample)
            process = None
            thread_sums = None

            # When process accounting failed, atop stored entries that are all zero.
            is_exited = task.state == rawlog.STATE_EXITED
            if self._AcceptExit(task) if is_exited else task.pid > 0:
                process = task

        if process:
            self._ProcessTask(parser_mediator, process, thread_sums, sample)

        if self._multithreaded is None:
            self._multithreaded = self._GetMultithreaded(sample)
        self._SetPrevious(sample)

    def Start(self, parser_mediator, log):
        """Starts with a log.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          log (rawlog.RawLog): log.
        """
        super().Start(parser_mediator, log)
        self._gpu_type_offset = None
        self._has_snapshot = False
        self._multithreaded = None

        if log.version_tuple == (2, 12) and log.layout.tstat:
            for name, offset, _ in log.layout.tstat.Flatten():
                if name == "gpu.bfuture":
                    self._gpu_type_offset = offset


parser.AtopParser.RegisterPlugin(AtopActivityPlugin)
