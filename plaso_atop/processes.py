"""Processes of a raw log, as far as they are known up to a sample.

Knows nothing of Plaso.
"""

import array
import collections
import itertools
import operator
import struct

from plaso_atop import ancestors
from plaso_atop import rawlog

Exit = collections.namedtuple(
    "Exit", ["btime", "elaps", "excode", "name", "ppid", "ruid", "tgid"]
)
Exit.__doc__ = """Exit of a process, with the C names of the members of its entry."""


class Process:
    """Process instance. A large server has tens of thousands.

    Attributes:
      ancestors (str): ancestors when the process was first listed, see
          Ancestor.GetText.
      as_ancestor (ancestors.Ancestor): the process as its descendants need it.
      btime (int): time of the start in the last sample that lists the process.
      busy (tuple[int, int, int]): index of the last sample in whose interval it was
          busy, seconds that it was busy without a break up to then, and most such
          seconds. None if it never was.
      cgroup (bytes): path of the control group.
      cmdline (bytes): last command line that was not empty.
      container (bytes): name or identifier of the container in the last sample. If
          only the exit was recorded, that of the parent process.
      curtime (int): time of the last sample that lists the process.
      exit (Exit): exit, None if none was recorded.
      first (tuple): name, command line, ids and container in the first sample, None if
          these never changed.
      former_titles (array.array[int]): hashes of names and command lines that it had,
          None if these never changed.
      ids (tuple[int]): identifiers of user and group in the last sample.
      inherited_cgroup (bytes): path of the control group of the nearest ancestor with
          one, where that of the process itself is not recorded.
      is_corrupted (bool): True if the time of the sample with its start or exit is
          damaged.
      is_kernel_thread (bool): True if this is a thread of the kernel.
      last_nthr (int): number of threads in the last sample that lists it alive.
      may_be_in_container (bool): True if the control group is that of a container or
          not known; or if only the exit was recorded, which has no container, and the
          parent process is in one or not known.
      name (bytes): name in the last sample.
      network (tuple[int]): totals of network transfers, None if these were not
          recorded.
      nthr (int): number of threads in the first sample, None if only the exit was
          recorded.
      number_of_changes (int): number of events of its changes.
      number_of_samples (int): number of samples that list it.
      offset (int): offset of the first sample that lists it.
      openvz (tuple[int, int]): identifiers of the OpenVZ container and of the process
          in it, None if it is in none.
      parent_cmdline (bytes): command line of the parent process.
      parent_name (bytes): name of the parent process.
      pid (int): process identifier.
      ppid (int): process identifier of the parent process, 0 if not known.
      sample_index (int): index of the last sample that lists it or None if not set.
      sample_time (int): time of the first sample of a run, None if the process was not
          running then.
      start_time (int): time of the start in the first sample.
      state (bytes): state in the last sample.
      state_size (int): size of all this in memory, as it was counted, see GetSize.
      task (rawlog.Task): entry of an inactive process since which neither its title nor
          its identifiers nor its container changed, None if there is none.
    """

    __slots__ = (
        "ancestors",
        "as_ancestor",
        "btime",
        "busy",
        "cgroup",
        "cmdline",
        "container",
        "container_attribute",
        "_counters",
        "curtime",
        "exit",
        "first",
        "former_titles",
        "ids",
        "inherited_cgroup",
        "is_corrupted",
        "is_kernel_thread",
        "last_nthr",
        "may_be_in_container",
        "name",
        "network",
        "nthr",
        "number_of_changes",
        "number_of_samples",
        "offset",
        "openvz",
        "parent_cmdline",
        "parent_name",
        "pid",
        "ppid",
        "sample_index",
        "sample_time",
        "start_time",
        "state",
        "state_size",
        "task",
    )

    COUNTERS = ("utime", "stime", "rsz", "wsz", "cwsz", "minflt", "majflt")

    # What counts of a process in bytes. Without the text that is its own this is a
    # little less than it takes. What only some processes have counts rather more.
    _SIZE = 560
    _FIRST_SIZE = 600
    _NETWORK_SIZE = 330
    _OPENVZ_SIZE = 130
    _TITLES_SIZE = 100

    _MAXIMUM_COUNTER = (1 << 64) - 1
    _MAXIMUM_NUMBER_OF_TITLES = 64

    # Sizes are counted in this unit, as small numbers take no memory of their own.
    SIZE_UNIT = 16

    # Totals of the counters, and maxima of resident and of virtual memory.
    _TOTALS = struct.Struct(f"{len(COUNTERS) + 2:d}Q")

    _NOTHING = bytes(_TOTALS.size)

    _NO_MEMORY = (0, 0)

    def __init__(self, task, sample):
        """Initializes a process instance.

        Args:
          task (rawlog.Task): first entry of the process.
          sample (rawlog.Sample): sample that the entry is from.
        """
        self._counters = self._NOTHING
        self.ancestors = None
        self.as_ancestor = ancestors.Ancestor(task.pid, task.name)
        self.btime = self.start_time = task.btime
        self.busy = None
        self.cgroup = None
        self.cmdline = task.cmdline
        self.container = b""
        self.container_attribute = None
        self.curtime = sample.curtime
        self.exit = None
        self.first = None
        self.former_titles = None
        self.ids = None
        self.inherited_cgroup = None
        self.is_corrupted = sample.has_damaged_time
        self.is_kernel_thread = False
        self.last_nthr = None
        self.may_be_in_container = False
        self.name = task.name
        self.network = None
        self.nthr = None if task.state == rawlog.STATE_EXITED else task.nthr
        self.number_of_changes = 0
        self.number_of_samples = 0
        self.offset = sample.offset
        self.openvz = None
        self.parent_cmdline = None
        self.parent_name = None
        self.pid = task.pid
        self.ppid = task.ppid
        self.sample_index = None
        self.sample_time = None
        self.state = task.state
        self.state_size = 0
        self.task = None

        container_identifier = task.ctid or task.envid
        if container_identifier:
            self.openvz = (container_identifier, task.vpid)

    @property
    def is_cgroup_missing(self):
        """bool: True if the control group is not known although some were stored."""
        return self.may_be_in_container and not self.cgroup

    @property
    def is_exit_only(self):
        """bool: True if only the exit was recorded."""
        return self.nthr is None

    @property
    def is_in_container(self):
        """bool: True if the process is, or may be, in a container."""
        return bool(self.container or self.openvz or self.may_be_in_container)

    def AddCounters(self, counters, is_total):
        """Adds what the process used since the previous sample to its totals.

        Args:
          counters (list[int]): counters in the order of COUNTERS, none negative.
          is_total (bool): True if the counters are totals since the process was
              started.
        """
        memory = self._NO_MEMORY
        if self._counters is not self._NOTHING:
            *totals, maximum_rmem, maximum_vmem = self.GetTotals()
            counters = list(map(max if is_total else operator.add, totals, counters))
            memory = (maximum_rmem, maximum_vmem)

        try:
            self._counters = self._TOTALS.pack(*counters, *memory)
        except struct.error:
            # In a forged log.
            maximum = itertools.repeat(self._MAXIMUM_COUNTER)
            self._counters = self._TOTALS.pack(*map(min, counters, maximum), *memory)

    def AddBusyInterval(self, index, seconds, is_next):
        """Adds an interval in which the process used most of a CPU.

        Args:
          index (int): index of the sample at the end of the interval.
          seconds (int): seconds of the interval.
          is_next (bool): True if the sample follows the one with the index before.
        """
        last_index, busy_seconds, longest = self.busy or (None, 0, 0)
        if not is_next or last_index != index - 1:
            busy_seconds = 0
        busy_seconds += seconds
        self.busy = (index, busy_seconds, max(busy_seconds, longest))

    def AddMemory(self, rmem, vmem):
        """Adds what memory the process has in a sample.

        Args:
          rmem (int): resident memory in KiB.
          vmem (int): virtual memory in KiB.
        """
        *totals, maximum_rmem, maximum_vmem = self.GetTotals()
        if rmem > maximum_rmem or vmem > maximum_vmem:
            self._counters = self._TOTALS.pack(
                *totals, max(rmem, maximum_rmem), max(vmem, maximum_vmem)
            )

    def GetTotals(self):
        """Retrieves what the process used as far as known.

        Returns:
          tuple[int]: totals in the order of COUNTERS, and maxima of resident and of
              virtual memory in KiB.
        """
        return self._TOTALS.unpack(self._counters)

    def AddTitle(self, title, previous_title):
        """Adds the name and command line of the process.

        Args:
          title (tuple[bytes, bytes]): name and command line.
          previous_title (tuple[bytes, bytes]): those that it had before.

        Returns:
          bool: True if the process did not have them before, as far as remembered.
        """
        if self.former_titles is None:
            self.former_titles = array.array("q", [hash(previous_title)])
        if hash(title) in self.former_titles:
            return False

        self.former_titles.append(hash(title))
        del self.former_titles[: -self._MAXIMUM_NUMBER_OF_TITLES]
        return True

    def GetFirst(self):
        """Retrieves what the process was in the first sample that lists it.

        Returns:
          tuple: name, command line, ids and container.
        """
        return self.first or (self.name, self.cmdline, self.ids, self.container)

    def SetFirstCmdline(self, cmdline):
        """Sets the first command line that is not empty.

        Args:
          cmdline (bytes): command line.
        """
        self.cmdline = cmdline
        if self.first:
            name, _, ids, container = self.first
            self.first = (name, cmdline, ids, container)

    def GetSize(self):
        """Determines what the process takes in memory.

        Returns:
          int: size in units of SIZE_UNIT bytes, without what is shared with others.
        """
        size = self._SIZE + len(self.cmdline) + len(self.parent_cmdline or b"")
        if self.openvz:
            size += self._OPENVZ_SIZE
        if self.network and any(self.network):
            size += self._NETWORK_SIZE
        if self.first:
            size += self._FIRST_SIZE
        if self.former_titles:
            size += self._TITLES_SIZE + 8 * len(self.former_titles)
        return size // self.SIZE_UNIT

    def KeepFirst(self):
        """Keeps what the process was in the first sample, before it changes."""
        self.first = self.GetFirst()
