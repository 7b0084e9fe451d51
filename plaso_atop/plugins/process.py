"""Plugin for the processes in an atop raw log."""

import itertools
import math
import operator

from plaso.containers import events

from plaso_atop import ancestors
from plaso_atop import control_groups
from plaso_atop import parser
from plaso_atop import process_memory
from plaso_atop import processes
from plaso_atop import rawlog
from plaso_atop.plugins import interface


class AtopProcessEventData(events.EventData):
    r"""Process event data.

    Identity, ids and parent process are those of the first sample in which the process
    was alive. What was measured are totals of what the log holds of the process:
    without what it used in intervals whose sample is lost, and with what it used
    before the log where its first sample is the first of a run of atop.

    Network transfers are those of samples in which netatop or netatop-bpf ran, up to
    1.27 the kernel had atop's patch. Where netatop ran without its daemon netatopd,
    they end with the last sample that lists the process alive, and are not set for a
    process that is only known by its exit.

    Attributes:
      accounting_matched (bool): True if the exit was recorded of a process that the log
          shows alive, False if the process is only known by its exit. Not set if no
          exit was recorded.
      ancestors (str): parent process and what is above it, the root first, such as
          "systemd[1] > sshd[607] > bash[215063]", with the names that they had when
          the process was first listed: at most the 16 nearest and 512 characters, the
          rest is "... > ". Of "[607]" only the identifier is known. A later adoption
          changes nothing; one before the first sample of the process hides its origin.
          A ">" in a name is written as \x3e.
      cancelled_written_size (int): size of written data that was discarded before it
          came to the disk, in bytes. See read_size.
      cgroup (str): path of the control group. atop 2.8 and later, up to 2.10 its first
          63 bytes.
      command_line (str): first 255 bytes of the command line (150
          before 1.27, 68 before 1.26). The first that was not empty.
      container_identifier (str): first 12 characters of the identifier of the
          container: as atop 2.3 up to 2.9 recorded it, since 2.11 that of the control
          group. See is_inherited.
      container_name (str): host name of the container or pod, its last 15 bytes (since
          2.13 the first 38). atop 2.10 and later. See is_inherited.
      core_dumped (bool): True if the signal that ended the process dumped core.
      ctid (int): identifier of the OpenVZ container.
      effective_group_identifier (int): effective group identifier (GID).
      effective_user_identifier (int): effective user identifier (UID).
      elapsed_time (int): time from the start of the process to its exit, in
          milliseconds.
      exit_code (int): exit code. Not set if a signal ended the process.
      exit_signal (int): number of the signal that ended the process.
      exit_time (dfdatetime.DateTimeValues): date and time the process exited. Not set
          where that is the second of its start: elapsed_time and exit_code, or
          exit_signal, show the exit.
      exit_time_estimated (bool): True if the exit time is that of the sample that
          recorded the exit: in 1.23, and where the log does not have how long the
          process ran.
      file_system_group_identifier (int): group identifier (GID) for file system access.
      file_system_user_identifier (int): user identifier (UID) for file system access.
      first_seen_time (dfdatetime.DateTimeValues): date and time of the first sample of
          a run of atop, or of what is left of the log, where the process was already
          running then.
      group_identifier (int): real group identifier (GID).
      hostname (str): name of the host.
      is_inherited (bool): True if login_session, systemd_unit and the container are
          those of the nearest ancestor for which they were recorded, as they were not
          for the process itself: where only its exit was recorded. They are not known
          where that ancestor puts its child processes elsewhere: systemd, a login
          daemon, crond and the runtime of containers.
      last_command_line (str): command line in the last sample that lists the process,
          where it is not command_line.
      last_process_name (str): name of the program at the exit of the process, or in the
          last sample that lists it, where it is not process_name. The exit of a process
          with several threads has the name of any of these and is not used, nor is
          this set for the threads of the kernel.
      last_seen_time (dfdatetime.DateTimeValues): date and time of the last sample with
          the process, where it vanished before the end of the log and no exit was
          recorded. Not set where a sample after that one is lost, in which the exit may
          stand, nor before 2.3.
      last_user_identifier (int): real user identifier (UID) at the exit of the process,
          or in the last sample that lists it, where it is not user_identifier.
      last_username (str): name of the user of last_user_identifier. See username.
      login_pid (int): identifier of the process that a login daemon logs, of the
          nearest ancestor that is one or of the process itself: the child of the sshd
          or dropbear that listens, or login. It is the one of auth.log, "sshd[215059]",
          and of wtmp. Not known where the process was adopted before its first sample.
      login_session (str): identifier of the session of systemd-logind, as it is in
          syslog. atop 2.8 and later, by the control group. See is_inherited.
      major_faults (int): number of page faults that were served from disk.
      maximum_resident_size (int): largest size of resident memory at the time of a
          sample, in bytes. It can have been larger in between.
      maximum_virtual_size (int): largest size of virtual memory at the time of a
          sample, in bytes.
      minor_faults (int): number of page faults that were served without disk.
      number_of_changes (int): number of process_change events of the process.
      number_of_samples (int): number of samples that list the process, the one with its
          exit included.
      number_of_threads (int): number of threads in the first sample that lists the
          process alive.
      observed_seconds (int): time from the start of the process to its exit or to the
          last sample that lists it, in seconds. See exit_time_estimated.
      offset (int): offset of the first sample with the process relative to the start of
          the file.
      parent_command_line (str): command line of the parent process.
      parent_process_name (str): name of the program of the parent process.
      pid (int): process identifier (PID).
      ppid (int): process identifier of the parent process (PPID).
      process_name (str): name of the program, its first 15 bytes.
      process_state (str): state of the process in the last sample that lists it, as the
          letter of the kernel, "E" if it exited.
      raw_exit_time (int): time of the exit in seconds since January 1, 1970 where it
          cannot be shown as date and time. Not set where it does not fit in 64 bits.
      raw_start_time (int): time of the start in seconds since January 1, 1970 where it
          cannot be shown as date and time.
      read_size (int): size of data read from disk in bytes, up to the last sample that
          lists the process alive: what it read between that and its exit is not known.
          Not set where only the exit was recorded.
      running_at_log_start (bool): True if the process was running before the run of
          atop began, or what is left of the log. Of a process that runs for days each
          log has an event: without these are those that are new in a log.
      saved_group_identifier (int): saved group identifier (GID).
      saved_user_identifier (int): saved user identifier (UID).
      start_time (dfdatetime.DateTimeValues): date and time the process was started.
      sustained_cpu_seconds (int): longest time without a break in which the process
          used at least 80 percent of a CPU in every interval, in seconds. Only whole
          intervals count: not those in which it was started or exited, nor the first of
          a run of atop. A sample that is lost is a break. Not set if there is no such
          interval.
      system_cpu_time (int): CPU time in the kernel in milliseconds.
      systemd_unit (str): name of the service or scope of systemd, the last one of the
          control group that is no login session. atop 2.8 and later, up to 2.10 where
          it is within the first 63 bytes. See is_inherited.
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
          container: it may be where its control group is stored but cannot be read or,
          up to 2.10, was cut; and where only its exit was recorded and its parent
          process may be in one.
      vpid (int): process identifier in the OpenVZ container.
      written_size (int): size of data written to disk in bytes. See read_size.
    """

    DATA_TYPE = "linux:atop:process"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.accounting_matched = None
        self.ancestors = None
        self.cancelled_written_size = None
        self.cgroup = None
        self.command_line = None
        self.container_identifier = None
        self.container_name = None
        self.core_dumped = None
        self.ctid = None
        self.effective_group_identifier = None
        self.effective_user_identifier = None
        self.elapsed_time = None
        self.exit_code = None
        self.exit_signal = None
        self.exit_time = None
        self.exit_time_estimated = None
        self.file_system_group_identifier = None
        self.file_system_user_identifier = None
        self.first_seen_time = None
        self.group_identifier = None
        self.hostname = None
        self.is_inherited = None
        self.last_command_line = None
        self.last_process_name = None
        self.last_seen_time = None
        self.last_user_identifier = None
        self.last_username = None
        self.login_pid = None
        self.login_session = None
        self.major_faults = None
        self.maximum_resident_size = None
        self.maximum_virtual_size = None
        self.minor_faults = None
        self.number_of_changes = None
        self.number_of_samples = None
        self.number_of_threads = None
        self.observed_seconds = None
        self.offset = None
        self.parent_command_line = None
        self.parent_process_name = None
        self.pid = None
        self.ppid = None
        self.process_name = None
        self.process_state = None
        self.raw_exit_time = None
        self.raw_start_time = None
        self.read_size = None
        self.running_at_log_start = None
        self.saved_group_identifier = None
        self.saved_user_identifier = None
        self.start_time = None
        self.sustained_cpu_seconds = None
        self.system_cpu_time = None
        self.systemd_unit = None
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
        self.vpid = None
        self.written_size = None


class AtopProcessChangeEventData(events.EventData):
    """Change of a living process event data.

    Of what did not change only the name, the command line and the username are set, and
    what shows where the process comes from.

    Attributes:
      ancestors (str): ancestors of the process when it was first listed, see those of
          linux:atop:process.
      became_root (bool): True if the process runs with the rights of root (an effective
          user identifier of 0) and none of its user identifiers was 0 before.
      command_line (str): command line after the change.
      container_identifier (str): identifier of the container after the change.
      container_name (str): name of the container or pod after the change.
      effective_group_identifier (int): effective group identifier after the change.
      effective_user_identifier (int): effective user identifier after the change.
      file_system_group_identifier (int): group identifier for file system access after
          the change.
      file_system_user_identifier (int): user identifier for file system access after
          the change.
      group_identifier (int): real group identifier after the change.
      hostname (str): name of the host.
      is_inherited (bool): True if login_session and systemd_unit are those of an
          ancestor, see those of linux:atop:process.
      login_pid (int): identifier of the process that a login daemon logs, see that of
          linux:atop:process.
      login_session (str): identifier of the session of systemd-logind. See
          is_inherited.
      offset (int): offset of the sample relative to the start of the file.
      pid (int): process identifier (PID).
      previous_command_line (str): command line before the change.
      previous_container_identifier (str): identifier of the container before the
          change.
      previous_container_name (str): name of the container or pod before the change.
      previous_effective_group_identifier (int): effective group identifier before the
          change.
      previous_effective_user_identifier (int): effective user identifier before the
          change.
      previous_file_system_group_identifier (int): group identifier for file system
          access before the change.
      previous_file_system_user_identifier (int): user identifier for file system access
          before the change.
      previous_group_identifier (int): real group identifier before the change.
      previous_process_name (str): name of the program before the change.
      previous_saved_group_identifier (int): saved group identifier before the change.
      previous_saved_user_identifier (int): saved user identifier before the change.
      previous_user_identifier (int): real user identifier before the change.
      process_name (str): name of the program after the change.
      running_at_log_start (bool): True if the process was running before the run of
          atop began, or what is left of the log.
      sample_time (dfdatetime.DateTimeValues): date and time of the first sample that
          shows the change.
      saved_group_identifier (int): saved group identifier after the change.
      saved_user_identifier (int): saved user identifier after the change.
      systemd_unit (str): name of the service or scope of systemd. See is_inherited.
      user_identifier (int): real user identifier after the change.
      username (str): name of the real user after the change. Not set if the process is,
          or may be, in a container.
    """

    DATA_TYPE = "linux:atop:process_change"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.ancestors = None
        self.became_root = None
        self.command_line = None
        self.container_identifier = None
        self.container_name = None
        self.effective_group_identifier = None
        self.effective_user_identifier = None
        self.file_system_group_identifier = None
        self.file_system_user_identifier = None
        self.group_identifier = None
        self.hostname = None
        self.is_inherited = None
        self.login_pid = None
        self.login_session = None
        self.offset = None
        self.pid = None
        self.previous_command_line = None
        self.previous_container_identifier = None
        self.previous_container_name = None
        self.previous_effective_group_identifier = None
        self.previous_effective_user_identifier = None
        self.previous_file_system_group_identifier = None
        self.previous_file_system_user_identifier = None
        self.previous_group_identifier = None
        self.previous_process_name = None
        self.previous_saved_group_identifier = None
        self.previous_saved_user_identifier = None
        self.previous_user_identifier = None
        self.process_name = None
        self.running_at_log_start = None
        self.sample_time = None
        self.saved_group_identifier = None
        self.saved_user_identifier = None
        self.systemd_unit = None
        self.user_identifier = None
        self.username = None


class AtopProcessPlugin(interface.AtopTaskPlugin):
    """Plugin for the processes in an atop raw log."""

    NAME = "process"
    DATA_FORMAT = "atop raw log processes"

    # Names of the identifiers of user and group, in turn, and of the members that hold
    # them.
    _IDENTIFIERS = (
        ("user_identifier", "ruid"),
        ("group_identifier", "rgid"),
        ("effective_user_identifier", "euid"),
        ("effective_group_identifier", "egid"),
        ("saved_user_identifier", "suid"),
        ("saved_group_identifier", "sgid"),
        ("file_system_user_identifier", "fsuid"),
        ("file_system_group_identifier", "fsgid"),
    )

    _REAL_IDENTIFIERS = _IDENTIFIERS[:2]

    # A process is busy that uses this share of a CPU.
    _BUSY_SHARE = 0.8

    _GetCounters = operator.attrgetter(*processes.Process.COUNTERS)

    _GetExitMembers = operator.attrgetter(*processes.Exit._fields)

    _GetIdentifiers = operator.attrgetter(*(member for _, member in _IDENTIFIERS))

    # Seconds by which the start differs between entries of one process: that of an exit
    # comes from process accounting, others from the kernel. In 1.23 it is the sum of
    # two times, both rounded down.
    _START_TOLERANCE = 1
    _START_TOLERANCE_1_23 = 2

    # Seconds between the end of a process and the start of another one from which on it
    # was not its parent.
    _PARENT_TOLERANCE = 2

    # Characters of the identifier of a container, as container runtimes show it.
    _CONTAINER_IDENTIFIER_SIZE = 12

    # Programs whose child processes are in a container that they are not in.
    _CONTAINER_RUNTIMES = frozenset(
        (
            b"buildkit-runc",
            b"conmon",
            b"conmonrs",
            b"containerd-shim",
            b"crun",
            b"docker-containe",
            b"lxc-attach",
            b"lxc-execute",
            b"lxc-start",
            b"runc",
            b"systemd-nspawn",
        )
    )

    # Bounds of what is remembered, which only a forged log exceeds.
    _MAXIMUM_NUMBER_OF_DISPLACED = 1000
    _MAXIMUM_NUMBER_OF_EXITED = 10000
    _MAXIMUM_NUMBER_OF_PROCESSES = 1 << 16
    _MAXIMUM_NUMBER_PER_PID = 16
    _MAXIMUM_NUMBER_OF_SHARED_TASKS = 4096

    def __init__(self):
        """Initializes a plugin."""
        super().__init__()
        self._boot_time = None
        self._busy_ticks = None
        self._has_containers = None
        self._displaced_per_pid = {}
        self._exited = []
        self._follows_previous = False
        self._has_exit_network = False
        self._has_iostat = False
        self._has_network = False
        self._is_previous_complete = False
        self._memory = None
        self._number_of_omitted = 0
        self._number_of_omitted_changes = 0
        self._previous_exit_btimes = {}
        self._processes = {}
        self._sample_index = 0
        self._start_shift = 0
        self._start_tolerance = None
        self._started = []

    def _AddCounters(self, process, task, sample):
        """Adds what a process used since the previous sample to its totals.

        Args:
          process (processes.Process): process.
          task (rawlog.Task): entry of the process.
          sample (rawlog.Sample): sample that the entry is from.
        """
        # A zombie is listed together with its exit.
        if process.sample_index != self._sample_index:
            process.curtime = sample.curtime
            process.number_of_samples += 1
            process.sample_index = self._sample_index

        # Nothing was used, the counters of the entry are 0.
        if task.wasinactive:
            return

        counters = self._GetCounters(task)
        if min(counters) < 0:
            counters = [max(0, value) for value in counters]

        # For a task that atop did not know the counters are totals since its start.
        is_total = task.excode < 0
        if not is_total and sample.version_tuple < (2, 7):
            counters = [
                0 if value in self._WRAPPED_DIFFERENCES else value for value in counters
            ]
        process.AddCounters(counters, is_total)

        # A process that exited did not last until the end of the interval.
        if (
            counters[0] + counters[1] >= self._busy_ticks
            and not is_total
            and task.state != rawlog.STATE_EXITED
        ):
            process.AddBusyInterval(
                self._sample_index, sample.interval, self._follows_previous
            )

        # Without netatopd the entry of an exit holds zeros.
        is_exit = task.state == rawlog.STATE_EXITED
        if self._has_exit_network if is_exit else self._has_network:
            self._AddNetwork(process, task, is_total)

    def _AddDisplaced(self, process):
        """Makes room for a process that has the identifier of another one.

        The exit of the other one may be listed further on in the sample.

        Args:
          process (processes.Process): other process or None if there is none.

        Returns:
          bool: True if there is room.
        """
        if self._memory.is_full:
            return False

        if process is None:
            return len(self._processes) < self._MAXIMUM_NUMBER_OF_PROCESSES

        if len(self._displaced_per_pid) >= self._MAXIMUM_NUMBER_OF_DISPLACED:
            return False

        others = self._displaced_per_pid.setdefault(process.pid, [])
        if len(others) >= self._MAXIMUM_NUMBER_PER_PID:
            return False

        others.append(process)
        return True

    def _AddExit(self, task, sample):
        """Adds the exit of a process, to be extracted when all of these are known.

        Args:
          task (rawlog.Task): entry of the exit.
          sample (rawlog.Sample): sample that the entry is from.
        """
        for process in self._GetProcesses(task.pid):
            if (
                self._IsSameStart(task.btime, process.btime)
                and process.state != rawlog.STATE_EXITED
            ):
                break
        else:
            process = self._processes.get(task.pid)
            if not self._IsExitOf(process, task, sample):
                process = self._CreateProcess(task, sample)

        self._AddCounters(process, task, sample)
        process.as_ancestor.SetExitName(task.name)
        process.exit = processes.Exit(*self._GetExitMembers(task))
        process.is_corrupted |= sample.has_damaged_time
        process.state = task.state
        process.task = None
        self._memory.Count(process)
        self._exited.append(process)

    def _AddNetwork(self, process, task, is_total):
        """Adds what a process transferred since the previous sample to its totals.

        Args:
          process (processes.Process): process.
          task (rawlog.Task): entry of the process.
          is_total (bool): True if the counters are totals since the process was
              started.
        """
        may_be_wrapped = self._log.version_tuple < (2, 0) and not is_total
        values = [max(0, getattr(task, member)) for _, member in self._NETWORK_MEMBERS]
        if may_be_wrapped:
            values = [
                0 if value in self._WRAPPED_DIFFERENCES else value for value in values
            ]

        # Most processes use no network, all of these have the same zeros.
        process.network = process.network or self._NO_NETWORK
        if any(values):
            add = max if is_total else operator.add
            process.network = tuple(map(add, process.network, values))

    def _CompareContainers(self, process, task, sample):
        """Determines if a process entered or left a container.

        Args:
          process (processes.Process): process, which is brought up to date.
          task (rawlog.Task): entry of the process.
          sample (rawlog.Sample): sample that the entry is from.

        Returns:
          dict[str, str]: attributes of the change.
        """
        container = self._GetContainer(task, sample)

        # Of a zombie the name is not known any more.
        if container == process.container or task.state == rawlog.STATE_ZOMBIE:
            return {}

        # An identifier in samples that were converted cannot be compared with a name.
        name = self._GetContainerAttribute(sample)
        if process.container and container and name != process.container_attribute:
            return {}

        process.KeepFirst()
        process.container_attribute = name
        attributes = {
            name: self._GetText(container),
            f"previous_{name:s}": self._GetText(process.container),
        }
        process.container = container
        return attributes

    def _CompareIdentifiers(self, process, task):
        """Determines if a process changed its user or group.

        Args:
          process (processes.Process): process, which is brought up to date.
          task (rawlog.Task): entry of the process.

        Returns:
          dict[str, bool|int]: attributes of the change.
        """
        ids = self._memory.ShareIdentifiers(self._GetIdentifiers(task))
        if ids == process.ids:
            return {}

        attributes = {}
        for (name, _), identifier, previous_identifier in zip(
            self._IDENTIFIERS, ids, process.ids
        ):
            if identifier != previous_identifier:
                attributes[name] = identifier & 0xFFFFFFFF
                attributes[f"previous_{name:s}"] = previous_identifier & 0xFFFFFFFF

        # A process with another identifier of 0 has the right to switch between these.
        if task.euid == 0 and 0 not in process.ids[::2]:
            attributes["became_root"] = True

        process.KeepFirst()
        process.ids = ids
        return attributes

    def _CompareTitles(self, process, task):
        """Determines if a process changed its name or command line.

        Args:
          process (processes.Process): process, which is brought up to date.
          task (rawlog.Task): entry of the process.

        Returns:
          dict[str, str]: attributes of the change.
        """
        name = task.name

        # The command line of a zombie or of a process that is about to exit is empty.
        cmdline = task.cmdline or process.cmdline
        if name == process.name and cmdline == process.cmdline:
            return {}

        # Between fork and exec there is none.
        if not process.cmdline and name == process.name:
            process.SetFirstCmdline(cmdline)
            return {}

        title = (name, cmdline)
        previous_title = (process.name, process.cmdline)
        process.KeepFirst()
        if not process.cmdline:
            process.SetFirstCmdline(cmdline)
        process.name, process.cmdline = title
        process.as_ancestor.SetName(name)

        # Threads of the kernel change their name with what they work at.
        if process.is_kernel_thread and not cmdline:
            return {}

        if not process.AddTitle(title, previous_title):
            return {}

        attributes = {}
        if name != previous_title[0]:
            attributes["previous_process_name"] = self._GetText(previous_title[0])
        if cmdline != previous_title[1]:
            attributes["previous_command_line"] = self._GetText(previous_title[1])
        return attributes

    def _CreateProcess(self, task, sample):
        """Creates a process of its first entry.

        Args:
          task (rawlog.Task): entry of the process.
          sample (rawlog.Sample): sample that the entry is from.

        Returns:
          processes.Process: process.
        """
        process = processes.Process(task, sample)
        process.ids = self._memory.ShareIdentifiers(self._GetIdentifiers(task))
        self._memory.Add(process)
        if not process.is_exit_only:
            self._SetCgroup(process, task, sample)
            process.container = self._GetContainer(task, sample)
            process.container_attribute = self._GetContainerAttribute(sample)
            process.is_kernel_thread = 2 in (task.pid, task.ppid) and not (
                task.cmdline or task.vmem
            )
            if sample.is_boot or not self._sample_index:
                process.sample_time = sample.curtime

        elif self._IsGuessed(task):
            process.ppid = 0

        return process

    def _FinishSample(self, parser_mediator, sample):
        """Extracts the events that are known when all entries of a sample were seen.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (rawlog.Sample): sample.
        """
        self._ProcessExited(parser_mediator, sample)

        is_complete = sample.has_all_processes
        vanished = [
            process for others in self._displaced_per_pid.values() for process in others
        ]
        self._displaced_per_pid = {}

        if is_complete:
            absent = [
                process
                for process in self._processes.values()
                if process.sample_index != self._sample_index
            ]
            for process in absent:
                del self._processes[process.pid]
            vanished.extend(absent)

        # Absence only says something where the sample before listed all processes too.
        # In a list that is lost between them the exit may have stood.
        last_seen_time = None
        if (
            is_complete
            and self._is_previous_complete
            and self._follows_previous
            and sample.version_tuple >= (2, 3)
        ):
            last_seen_time = self._previous_curtime

        for process in vanished:
            self._ProduceProcess(
                parser_mediator, process, last_seen_time=last_seen_time
            )

        # Only zombies that are still listed, and what exited just now, can be listed
        # again.
        self._previous_exit_btimes = self._exit_btimes

        self._is_previous_complete = is_complete
        self._SetPrevious(sample)
        self._sample_index += 1

    def _GetEnd(self, process_exit, sample):
        """Retrieves when a process exited.

        Args:
          process_exit (processes.Exit): exit.
          sample (rawlog.Sample): sample that the entry of the exit is from.

        Returns:
          tuple[int, int]: time of the exit in seconds since January 1, 1970, and clock
              ticks since the start of the process. Where the log does not have how long
              it ran these are the time of the sample and None.
        """
        elapsed_ticks = process_exit.elaps
        if elapsed_ticks is None or elapsed_ticks < 0 or not self._log.hertz:
            return sample.curtime, None

        if self._IsGuessed(process_exit):
            # A comp_t of acct(5): 3 bits of exponent, base 8, and 13 of fraction.
            elapsed_ticks = (elapsed_ticks & 0x1FFF) << (
                3 * ((elapsed_ticks >> 13) & 7)
            )
        exit_time = process_exit.btime + elapsed_ticks // self._log.hertz
        return exit_time, elapsed_ticks

    def _GetParent(self, process, candidates, sample):
        """Determines which process is the parent of a process.

        Args:
          process (processes.Process): process.
          candidates (list[processes.Process]): processes that had the identifier of the
              parent at some time between the previous sample and this one.
          sample (rawlog.Sample): sample that lists the process first.

        Returns:
          processes.Process: parent process or None if not known.
        """
        end_time = math.inf
        if process.exit and len(candidates) > 1:
            end_time, _ = self._GetEnd(process.exit, sample)

        parents = []
        for candidate in candidates:
            candidate_end_time = math.inf
            if candidate.exit:
                candidate_end_time, _ = self._GetEnd(candidate.exit, sample)
            if (
                candidate is not process
                and candidate.btime <= process.start_time + self._start_tolerance
                and candidate_end_time >= process.start_time - self._PARENT_TOLERANCE
            ):
                # The kernel gives a process whose parent exited another one, and the
                # entry names the last. So those that lived until the end of the process
                # come first. Of these it is the one that was started last before it.
                rank = (
                    candidate_end_time >= end_time - self._PARENT_TOLERANCE,
                    candidate.btime <= process.start_time,
                    candidate.btime,
                )
                parents.append((rank, candidate))

        if not parents:
            return None
        return max(parents, key=operator.itemgetter(0))[1]

    def _GetProcesses(self, pid):
        """Retrieves the processes that had an identifier since the previous sample.

        Args:
          pid (int): process identifier.

        Returns:
          list[processes.Process]: processes, without those that exited.
        """
        others = list(self._displaced_per_pid.get(pid, []))
        if pid in self._processes:
            others.append(self._processes[pid])
        return others

    def _IsExited(self, task):
        """Determines if the exit of a zombie was recorded in a sample before.

        Args:
          task (rawlog.Task): entry of the zombie.

        Returns:
          bool: True if it was.
        """
        btime = self._exit_btimes.get(task.pid)
        if btime is None:
            btime = self._previous_exit_btimes.get(task.pid)
        if btime is None or not self._IsSameStart(task.btime, btime):
            return False

        # The zombie may be listed by the next sample as well.
        self._exit_btimes[task.pid] = btime
        return True

    def _IsExitOf(self, process, task, sample):
        """Determines if an exit is that of a process although their starts differ.

        atop asks for the time of the boot once per run, on which the starts of living
        processes are based. When the clock is set later, process accounting has other
        ones, and atop does not know the process. A process that had started before the
        sample before was the only one that had its identifier then.

        Args:
          process (processes.Process): process that had the identifier in the sample
              before, None if there is none.
          task (rawlog.Task): entry of the exit.
          sample (rawlog.Sample): sample that the entry is from.

        Returns:
          bool: True if it is.
        """
        return (
            process is not None
            and process.sample_index == self._sample_index - 1
            and process.state != rawlog.STATE_EXITED
            and process.name == task.name
            and task.excode < 0
            and not sample.is_boot
            and self._follows_previous
            and self._is_previous_complete
            and task.btime < self._previous_curtime - self._PARENT_TOLERANCE
        )

    def _IsSameProcess(self, task, process):
        """Determines if a process with the same identifier is that of an entry.

        Args:
          task (rawlog.Task): entry of a living process.
          process (processes.Process): process.

        Returns:
          bool: True if it is.
        """
        if self._IsSameStart(task.btime, process.btime):
            return True

        # Both runs of atop rounded the time at which the system was started.
        difference = task.btime - process.btime - self._start_shift
        return (
            self._start_shift != 0
            and process.sample_index != self._sample_index
            and abs(difference) <= self._start_tolerance + 1
        )

    def _IsSameStart(self, first_time, second_time):
        """Determines if two times can be that of the start of one process.

        Args:
          first_time (int): time of the start in one entry.
          second_time (int): time of the start in another entry.

        Returns:
          bool: True if they can.
        """
        return abs(first_time - second_time) <= self._start_tolerance

    def _IsUnchanged(self, process, task, sample):
        """Determines if an entry says of a process what is known of it.

        Args:
          process (processes.Process): process.
          task (rawlog.Task): entry of the process.
          sample (rawlog.Sample): sample that the entry is from.

        Returns:
          bool: True if the name, command line, identifiers and container are the same.
        """
        return (
            task.name == process.name
            and task.cmdline in (process.cmdline, b"")
            and self._GetIdentifiers(task) == process.ids
            and self._GetContainer(task, sample) == process.container
        )

    def _ProcessExited(self, parser_mediator, sample):
        """Extracts the processes that exited.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (rawlog.Sample): sample.
        """
        self._SetAncestors(sample)
        for process in self._exited:
            if self._processes.get(process.pid) is process:
                del self._processes[process.pid]
            elif not process.is_exit_only:
                self._displaced_per_pid[process.pid].remove(process)
            self._ProduceProcess(parser_mediator, process, sample=sample)

        self._exited = []
        self._started = []

    def _ProcessLiving(self, parser_mediator, process, task, sample):
        """Extracts the changes of a living process.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          process (processes.Process): process that had its identifier, None if there is
              none.
          task (rawlog.Task): entry of the process.
          sample (rawlog.Sample): sample that the entry is from.
        """
        if task.state == rawlog.STATE_ZOMBIE and self._IsExited(task):
            return

        if process is None or not self._IsSameProcess(task, process):
            if not self._AddDisplaced(process):
                self._number_of_omitted += 1
                return

            process = self._CreateProcess(task, sample)
            self._processes[task.pid] = process
            self._started.append(process)
            self._memory.Count(process)

        elif self._IsUnchanged(process, task, sample):
            pass

        elif self._memory.is_full:
            # A process that changed takes more room.
            self._number_of_omitted_changes += 1

        else:
            attributes = self._CompareTitles(process, task)
            attributes.update(self._CompareIdentifiers(process, task))
            attributes.update(self._CompareContainers(process, task, sample))
            process.task = None
            self._memory.Count(process)
            if attributes:
                self._ProduceChange(parser_mediator, process, attributes, sample)

        self._AddCounters(process, task, sample)
        if process.btime != task.btime:
            process.btime = task.btime
        process.last_nthr = task.nthr
        process.state = task.state
        process.AddMemory(task.rmem, task.vmem)

        # A later sample may have what was not known when it was first listed.
        if process.is_cgroup_missing:
            self._SetCgroup(process, task, sample)

        if (
            sample.shares_tasks
            and task.wasinactive
            and not process.is_cgroup_missing
            and len(self._processes) <= self._MAXIMUM_NUMBER_OF_SHARED_TASKS
        ):
            process.task = task

    def _ProduceChange(self, parser_mediator, process, attributes, sample):
        """Produces a change of a process.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          process (processes.Process): process after the change.
          attributes (dict[str, int|str]): attributes of the change.
          sample (rawlog.Sample): sample that shows the change.
        """
        event_data = AtopProcessChangeEventData()
        event_data.command_line = self._GetText(process.cmdline)
        event_data.offset = sample.offset
        event_data.pid = process.pid
        event_data.process_name = self._GetText(process.name)
        event_data.sample_time = self._GetDateTime(sample.curtime)
        event_data.username = self._GetUsername(
            parser_mediator, process.ids[0] & 0xFFFFFFFF, process.is_in_container
        )
        for name, value in attributes.items():
            setattr(event_data, name, value)
        self._SetOrigin(event_data, process)
        process.number_of_changes += 1

        self._ProduceEventData(parser_mediator, event_data, corrupted=sample.is_damaged)

    def _ProduceProcess(
        self,
        parser_mediator,
        process,
        last_seen_time=None,
        sample=None,
    ):
        """Produces a process.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          process (processes.Process): process.
          last_seen_time (Optional[int]): time of the last sample with the process, None
              if it exited or is alive at the end of the log.
          sample (Optional[rawlog.Sample]): sample that the entry of its exit is from.
        """
        self._memory.Remove(process)
        name, cmdline, ids, container = process.GetFirst()
        utime, stime, rsz, wsz, cwsz, minflt, majflt, rmem, vmem = process.GetTotals()

        event_data = AtopProcessEventData()
        event_data.cgroup = self._GetText(process.cgroup)
        event_data.command_line = self._GetText(cmdline)
        event_data.major_faults = self._GetSize(majflt)
        event_data.minor_faults = self._GetSize(minflt)
        event_data.number_of_changes = process.number_of_changes or None
        event_data.number_of_samples = process.number_of_samples
        event_data.offset = process.offset
        event_data.parent_command_line = self._GetText(process.parent_cmdline)
        event_data.parent_process_name = self._GetText(process.parent_name)
        event_data.pid = process.pid or None
        event_data.process_name = self._GetText(name)
        event_data.process_state = self._GetText(process.state.rstrip(b"\x00"))
        event_data.start_time = self._GetDateTime(process.start_time)
        event_data.sustained_cpu_seconds = process.busy and process.busy[-1]
        event_data.system_cpu_time = self._GetMilliseconds(stime)
        event_data.user_cpu_time = self._GetMilliseconds(utime)

        if process.is_exit_only and process.container:
            container = process.container
            event_data.is_inherited = True
        if container:
            setattr(event_data, process.container_attribute, self._GetText(container))

        # The entry of an exit holds no other identifiers of the user than the real one.
        for (attribute, _), identifier in zip(
            self._REAL_IDENTIFIERS if process.is_exit_only else self._IDENTIFIERS, ids
        ):
            if identifier is not None:
                setattr(event_data, attribute, identifier & 0xFFFFFFFF)

        event_data.username = self._GetUsername(
            parser_mediator, event_data.user_identifier, process.is_in_container
        )

        if process.ppid or not process.is_exit_only:
            event_data.ppid = self._GetSize(process.ppid)

        if process.openvz:
            event_data.ctid, event_data.vpid = process.openvz

        # The entry of an exit holds no disk transfers.
        if self._has_iostat and not process.is_exit_only:
            event_data.cancelled_written_size = self._GetSize(cwsz, self._SECTOR_SIZE)
            event_data.read_size = self._GetSize(rsz, self._SECTOR_SIZE)
            event_data.written_size = self._GetSize(wsz, self._SECTOR_SIZE)

        if process.network:
            for (attribute, _), total in zip(self._NETWORK_MEMBERS, process.network):
                setattr(event_data, attribute, self._GetSize(total))

        if not process.is_exit_only:
            event_data.maximum_resident_size = self._GetSize(rmem, 1024)
            event_data.maximum_virtual_size = self._GetSize(vmem, 1024)
            event_data.number_of_threads = self._GetSize(process.nthr)

        if not rawlog.IsValidTime(process.start_time):
            event_data.raw_start_time = process.start_time
        if process.sample_time is not None:
            event_data.first_seen_time = self._GetDateTime(process.sample_time)
        if last_seen_time is not None:
            event_data.last_seen_time = self._GetDateTime(last_seen_time)
        start_time = process.start_time
        end_time = process.curtime
        if process.exit:
            event_data.accounting_matched = not process.is_exit_only
            end_time = self._SetExit(event_data, process, sample)
            if not self._IsSameStart(process.exit.btime, process.btime):
                # The clock was set, after which process accounting has both times.
                start_time = process.exit.btime
        if rawlog.IsValidTime(start_time):
            event_data.observed_seconds = self._GetSize(end_time - start_time)
        origin = self._SetOrigin(event_data, process)
        if origin.container and not event_data.container_identifier:
            event_data.container_identifier = self._GetText(
                origin.container[: self._CONTAINER_IDENTIFIER_SIZE]
            )
        self._SetLast(parser_mediator, event_data, process)

        self._ProduceEventData(
            parser_mediator, event_data, corrupted=process.is_corrupted
        )

    def _SetAncestors(self, sample):
        """Sets the ancestors of the processes that are listed first.

        A parent can be listed after its child. In a forged log it can be its child.

        Args:
          sample (rawlog.Sample): sample.
        """
        exited_per_pid = {}
        for process in self._exited:
            others = exited_per_pid.setdefault(process.pid, [])
            if len(others) < self._MAXIMUM_NUMBER_PER_PID:
                others.append(process)

        parents = {}
        exited_only = (process for process in self._exited if process.is_exit_only)
        for process in itertools.chain(self._started, exited_only):
            parent = None
            if process.ppid not in (0, process.pid):
                candidates = self._GetProcesses(process.ppid)
                candidates.extend(exited_per_pid.get(process.ppid, []))
                parent = self._GetParent(process, candidates, sample)

                parent_node = parent and parent.as_ancestor
                if not parent:
                    parent_node = ancestors.Ancestor(process.ppid)
                    self._memory.AddUnknown()
                process.as_ancestor.SetParent(parent_node)
            parents[process] = parent

        # The children of a process that was listed before have the same ancestors.
        values = {}
        for process, parent in parents.items():
            value = values.get(parent)
            if value is None:
                value = self._memory.Share(process.as_ancestor.GetText())
                if parent and parent not in parents:
                    values[parent] = value
            process.ancestors = value

        for process in list(parents):
            # What is inherited from a parent must be known before.
            path = []
            while process in parents:
                path.append((process, parents.pop(process)))
                process = path[-1][1]

            if path and any(process is other for other, _ in path):
                path[-1][0].as_ancestor.SetParent(None)
            for child, parent in reversed(path):
                self._SetInherited(child, parent, sample)

    def _SetCgroup(self, process, task, sample):
        """Sets the control group of a process, unless it is still not known.

        Args:
          process (processes.Process): process.
          task (rawlog.Task): entry of the process, alive.
          sample (rawlog.Sample): sample that the entry is from.
        """
        cgroup = self._GetCgroup(task, sample)
        if cgroup or not process.is_cgroup_missing:
            process.cgroup = self._memory.Share(cgroup)
            process.may_be_in_container = self._MayBeContainerCgroup(cgroup, sample)

    def _SetExit(self, event_data, process, sample):
        """Sets what is known of the exit of a process.

        Args:
          event_data (AtopProcessEventData): event data.
          process (processes.Process): process.
          sample (rawlog.Sample): sample that the entry of the exit is from.

        Returns:
          int: time of the exit in seconds since January 1, 1970.
        """
        # The status of wait(2), without the bit that atop adds for a new task.
        status = process.exit.excode
        signal = status & 0x7F
        if signal:
            event_data.core_dumped = bool(status & 0x80)
            event_data.exit_signal = signal
        else:
            event_data.exit_code = (status >> 8) & 0xFF

        exit_time, elapsed_ticks = self._GetEnd(process.exit, sample)
        if elapsed_ticks is None:
            event_data.exit_time_estimated = True
        else:
            event_data.elapsed_time = self._GetMilliseconds(elapsed_ticks)

        # One row shows all of a process that started and exited in the same second.
        # Process accounting can have it a second earlier.
        if (
            not 0 <= process.start_time - exit_time <= self._start_tolerance
            or not rawlog.IsValidTime(exit_time)
        ):
            event_data.exit_time = self._GetDateTime(exit_time)
        if not rawlog.IsValidTime(exit_time):
            event_data.raw_exit_time = self._GetInteger(exit_time)
        return exit_time

    def _SetInherited(self, process, parent, sample):
        """Sets what a process has from its parent process.

        Args:
          process (processes.Process): process.
          parent (processes.Process): parent process, for which this is set already,
              or None if it is not known.
          sample (rawlog.Sample): sample.
        """
        process.as_ancestor.SetLogin(process.cmdline)
        if parent:
            process.parent_cmdline = parent.cmdline
            process.parent_name = parent.name

        # A runtime of containers says nothing of the container of its child.
        has_origin = parent and parent.name not in self._CONTAINER_RUNTIMES
        if process.is_exit_only:
            if has_origin:
                process.container = parent.container
                process.container_attribute = parent.container_attribute
                process.may_be_in_container = parent.is_in_container
            else:
                process.may_be_in_container = bool(
                    sample.has_containers or sample.has_cgroups
                )

        # Nor does systemd of the unit of its child, nor a login daemon of the session,
        # nor crond.
        is_login = process.as_ancestor.login_pid == process.pid
        if has_origin and not process.cgroup and not is_login:
            cgroup = parent.cgroup or parent.inherited_cgroup
            if cgroup and not control_groups.IsOfManager(cgroup):
                process.inherited_cgroup = cgroup

        # The child keeps the text where the parent is gone.
        if not process.is_exit_only:
            self._memory.Count(process)

    def _SetShift(self, sample):
        """Sets by how much the start of all processes differs from the sample before.

        A run of atop determines once when the system was started, and takes the start
        of processes from that. If the clock was set in between, both are different
        in the next run.

        Args:
          sample (rawlog.Sample): sample.
        """
        self._start_shift = 0
        if not sample.is_boot:
            return

        boot_time = sample.curtime - sample.interval
        previous_time = self._previous_curtime
        # A system that was started since then has other processes.
        if (
            None not in (self._boot_time, previous_time)
            and boot_time <= previous_time
            and sample.interval >= previous_time - self._boot_time - 1
        ):
            self._start_shift = boot_time - self._boot_time
        self._boot_time = boot_time

    def _SetLast(self, parser_mediator, event_data, process):
        """Sets what a process was at its end, where that is not what it was first.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          event_data (AtopProcessEventData): event data.
          process (processes.Process): process.
        """
        if process.is_exit_only:
            return

        first_name, first_cmdline, first_ids, _ = process.GetFirst()
        name = process.name
        user_identifier = process.ids[0]
        if process.exit:
            user_identifier = process.exit.ruid

            # Of a process with threads it is the name of the one that exited last.
            exit_name = process.exit.name.replace(b"\n", b"?")
            if exit_name and process.last_nthr <= 1:
                name = exit_name

        if name != first_name and not process.is_kernel_thread:
            event_data.last_process_name = self._GetText(name)
        if process.cmdline != first_cmdline:
            event_data.last_command_line = self._GetText(process.cmdline)
        if user_identifier != first_ids[0]:
            event_data.last_user_identifier = user_identifier & 0xFFFFFFFF
            event_data.last_username = self._GetUsername(
                parser_mediator,
                event_data.last_user_identifier,
                process.is_in_container,
            )

    def _SetOrigin(self, event_data, process):
        """Sets where a process comes from.

        Args:
          event_data (AtopProcessEventData|AtopProcessChangeEventData): event data.
          process (processes.Process): process.

        Returns:
          control_groups.Origin: origin.
        """
        event_data.ancestors = process.ancestors
        event_data.login_pid = process.as_ancestor.login_pid
        event_data.running_at_log_start = process.sample_time is not None or None

        cgroup = process.cgroup or process.inherited_cgroup or b""
        origin = control_groups.GetOrigin(cgroup, is_cut=self._IsCutCgroup(cgroup))
        event_data.login_session = self._GetText(origin.session)
        event_data.systemd_unit = self._GetText(origin.unit)
        if any(origin) and not process.cgroup:
            event_data.is_inherited = True
        return origin

    def Finish(self, parser_mediator):
        """Extracts the events that are left at the end of a log, or on abort.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
        """
        while self._processes:
            _, process = self._processes.popitem()
            self._ProduceProcess(parser_mediator, process)

        if self._number_of_omitted:
            self._ProduceWarning(
                parser_mediator,
                f"{self._number_of_omitted:d} entries of processes left out, more "
                f"processes at a time than can be remembered",
            )

        if self._number_of_omitted_changes:
            self._ProduceWarning(
                parser_mediator,
                f"{self._number_of_omitted_changes:d} changes of processes left out, "
                f"more processes at a time than can be remembered",
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

        self._SetShift(sample)
        self._has_iostat |= sample.has_iostat
        self._follows_previous = self._FollowsPrevious(sample)
        self._has_exit_network = sample.has_exit_network
        self._has_network = sample.has_network
        self._busy_ticks = math.inf
        if self._log.hertz and sample.interval > 0 and not sample.is_boot:
            self._busy_ticks = self._BUSY_SHARE * self._log.hertz * sample.interval

        # Without the flag an entry has no container.
        if sample.has_containers != self._has_containers:
            self._has_containers = sample.has_containers
            for process in self._processes.values():
                process.task = None

        for task in sample.processes():
            process = self._processes.get(task.pid)
            if process is not None and process.task is task:
                self._AddCounters(process, task, sample)
                process.btime = task.btime
                process.state = task.state

            elif task.state == rawlog.STATE_EXITED:
                if self._AcceptExit(task):
                    self._AddExit(task, sample)
                if (
                    len(self._exited) == self._MAXIMUM_NUMBER_OF_EXITED
                    or self._memory.is_full
                ):
                    self._ProcessExited(parser_mediator, sample)

            # When process accounting failed atop stored entries that are all zero.
            elif task.pid > 0:
                self._ProcessLiving(parser_mediator, process, task, sample)

        self._FinishSample(parser_mediator, sample)

    def Start(self, parser_mediator, log):
        """Starts with a log.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          log (rawlog.RawLog): log.
        """
        super().Start(parser_mediator, log)
        self._boot_time = None
        self._busy_ticks = None
        self._has_containers = None
        self._displaced_per_pid = {}
        self._exited = []
        self._follows_previous = False
        self._has_exit_network = False
        self._has_iostat = False
        self._has_network = False
        self._is_previous_complete = False
        self._memory = process_memory.ProcessMemory()
        self._number_of_omitted = 0
        self._number_of_omitted_changes = 0
        self._previous_exit_btimes = {}
        self._processes = {}
        self._sample_index = 0
        self._start_shift = 0
        self._start_tolerance = self._START_TOLERANCE
        if log.version_tuple <= (1, 23):
            self._start_tolerance = self._START_TOLERANCE_1_23
        self._started = []


parser.AtopParser.RegisterPlugin(AtopProcessPlugin)
