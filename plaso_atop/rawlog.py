"""Reader of atop raw logs.

A raw log is a header, followed by samples. A sample is a record and its blocks, each a
zlib stream: the system block (sstat), the process list (tstat, one after the other)
and, since 2.11 where the host has cgroups v2, the cgroups (cstat) and their processes.

Nothing that the file says is trusted. A block is only used when its zlib stream ends
where the record says, has the right checksum and inflates to the size that the record
and the header promise. Where a sample cannot be read, the reader goes on at the next
place where a whole one starts.

The six methods in lower case are the public way to what a log holds, named after what
they yield: samples() of a log, and active_tasks(), cgroups(), processes(), system() and
tasks() of a sample. All others are named like those of Plaso.
"""

import array
import collections
import itertools
import struct
import sys

from plaso_atop import blocks
from plaso_atop import conversions
from plaso_atop import layouts
from plaso_atop import search
from plaso_atop import views

MAGIC = 0xFEEDBEEF
MAGIC_BIG_ENDIAN = struct.pack(">I", MAGIC)
MAGIC_LITTLE_ENDIAN = struct.pack("<I", MAGIC)

# What a header has for version if it was made for samples whose own is lost. The layout
# is the oldest one that has the sizes in the header: it claims least.
UNKNOWN_VERSION = (0, 0)

# Flags of a record.
FLAG_BOOT = 0x0001
FLAG_NETATOP = 0x0004
FLAG_NETATOPD = 0x0008
FLAG_ACCOUNTING = 0x0010
FLAG_IOSTAT = 0x0020
FLAG_CONTAINERS = 0x0040
FLAG_GPU = 0x0080
FLAG_CGROUPS = 0x0100

# States of a task.
STATE_EXITED = b"E"
STATE_ZOMBIE = b"Z"

# Flags of the header. Since 2.2.6 atop sets all of SUPPORT_IN_RECORD, and the flags of
# the record have the information.
SUPPORT_ACCOUNTING = 0x0001
SUPPORT_PATCHSTAT = 0x0002
SUPPORT_IOSTAT = 0x0004
SUPPORT_PATCHACCT = 0x0008
SUPPORT_IN_RECORD = 0x0035
SUPPORT_NETATOP_BPF = 0x1000


class FormatError(Exception):
    """Raised when a file is not an atop raw log."""


class UnsupportedError(FormatError):
    """Raised when a file is an atop raw log that cannot be read."""


Damage = collections.namedtuple("Damage", ["offset", "size", "reason"])
Damage.__doc__ = """Part of a file that could not be read.

Attributes:
  offset (int): offset in bytes relative to the start of the file.
  size (int): size in bytes.
  reason (str): what is damaged, one of the DAMAGE constants.
"""

DAMAGE_CGROUPS = "cgroups damaged"
DAMAGE_CGROUPS_SIZE = "cgroups too large"
DAMAGE_HEADER = "header damaged"
DAMAGE_LAST_SAMPLE = "last sample incomplete"
DAMAGE_RECORD = "no sample readable"
DAMAGE_SYSTEM = "system block damaged"
DAMAGE_TASKS = "process list damaged"
DAMAGE_TIME = "time of sample damaged"
DAMAGE_UNSEARCHED = "not searched in full, damage too extensive"

# Reasons in place of those, if the file itself could not be read there.
DAMAGE_UNREADABLE = "unreadable"
DAMAGE_UNREADABLE_CGROUPS = "cgroups unreadable"
DAMAGE_UNREADABLE_SYSTEM = "system block unreadable"
DAMAGE_UNREADABLE_TASKS = "process list unreadable"

_UNREADABLE_REASONS = {
    DAMAGE_CGROUPS: DAMAGE_UNREADABLE_CGROUPS,
    DAMAGE_SYSTEM: DAMAGE_UNREADABLE_SYSTEM,
    DAMAGE_TASKS: DAMAGE_UNREADABLE_TASKS,
}

_NATIVE_BYTE_ORDER = "<" if sys.byteorder == "little" else ">"

# The first second of the year 10000.
_END_OF_TIME = 253402300800


def IsValidTime(seconds):
    """Determines if a time is set and can be shown.

    Args:
      seconds (int): seconds since January 1, 1970 00:00:00 UTC.

    Returns:
      bool: True if the time is before the year 10000, and not 0, which is not set.
    """
    return 0 < seconds < _END_OF_TIME


Cgroup = collections.namedtuple("Cgroup", ["path", "pids", "cstat"])
Cgroup.__doc__ = """Control group.

Attributes:
  path (bytes): path, "/" for the root.
  pids (array.array[int]): identifiers of the processes in the group itself.
  cstat (tuple): metrics and limits, with the C names of the members and the part that
      they are of before it, such as "cpu_utime".
"""


class Sample:
    """Sample of a log.

    Attributes:
      cgroup_pids_block (blocks.Block): block of the processes in the cgroups, None if
          there is none.
      cgroups_block (blocks.Block): block of the cgroups, None if there is none.
      curtime (int): time of the sample in seconds since the Epoch. If it is damaged,
          the time that the samples next to it give.
      flags (int): flags, see the FLAG constants.
      end_offset (int): offset of what follows the sample in the file in bytes.
      has_damaged_time (bool): True if the time of the sample is damaged.
      interval (int): seconds since the previous sample, or since the system was
          started for the first sample of a run of atop.
      is_damaged (bool): True if a part of the sample is damaged, its time included.
      number_of_tasks (int): number of entries in the process list.
      offset (int): offset of the record in the file in bytes.
      record (tuple): values of the record with their C names, reserved ones excepted.
      system_block (blocks.Block): block of the sstat.
      tasks_block (blocks.Block): block of the process list.
    """

    # PATH_MAX of Linux. A cgroup takes more room than its path, unless the names of the
    # parents were made to fill the memory.
    _MAXIMUM_PATH_SIZE = 4096

    # More processes than a server has, which take 5 MiB.
    _MAXIMUM_PIDS = 1 << 16

    def __init__(self, log, offset, record):
        """Initializes a sample.

        Args:
          log (RawLog): log.
          offset (int): offset of the record in bytes.
          record (tuple): values of the record.
        """
        super().__init__()
        self._are_cgroups_damaged = False
        self._log = log
        self._path_per_pid = None
        self._version = None
        self.curtime = record.curtime
        self.flags = record.flags
        self.has_damaged_time = False
        self.interval = record.interval
        self.is_damaged = False
        self.number_of_tasks = log.GetNumberOfTasks(record)
        self.offset = offset
        self.record = record

        log_file = log.file
        layout = log.layout
        offset += layout.rawrecord.size

        sstat_size = layout.sstat.size if layout.sstat else log.sstatlen
        self.system_block = blocks.Block(log_file, offset, record.scomplen, sstat_size)
        offset = self.system_block.end_offset

        tstat_size = layout.tstat.size if layout.tstat else log.tstatlen
        self.tasks_block = blocks.Block(
            log_file, offset, record.pcomplen, self.number_of_tasks * tstat_size
        )
        offset = self.tasks_block.end_offset

        self.cgroups_block = None
        self.cgroup_pids_block = None
        if record.ccomplen:
            self.cgroups_block = blocks.Block(
                log_file, offset, record.ccomplen, record.coriglen
            )
            offset = self.cgroups_block.end_offset
        if record.icomplen:
            self.cgroup_pids_block = blocks.Block(
                log_file, offset, record.icomplen, record.ncgpids * 4
            )
            offset = self.cgroup_pids_block.end_offset

        self.end_offset = offset

    @property
    def has_accounting(self):
        """bool: True if the exits of processes were recorded."""
        return self._log.HasSupport(self, SUPPORT_ACCOUNTING, FLAG_ACCOUNTING)

    @property
    def has_all_processes(self):
        """bool: True if the process list is whole and was stored with all processes.

        Before 2.3 only the first sample of a run stored tasks without activity.
        """
        if not self.has_tasks:
            return False
        if self.version_tuple < (2, 3):
            return self.is_boot
        return self.record.ndeviat >= self.record.ntask

    @property
    def has_cgroups(self):
        """bool: True if the cgroups of tasks were stored, since 2.8. They may be
        damaged.

        A conversion to 2.11 or later removes them and the flag.
        """
        if self._log.version_tuple < (2, 8):
            return False
        return bool(self.flags & FLAG_CGROUPS or self.record.ccomplen)

    @property
    def has_containers(self):
        """bool: True if containers of tasks were recorded, where there are some."""
        return bool(self.flags & FLAG_CONTAINERS)

    @property
    def has_disk_requests(self):
        """bool: True if the disk requests of tasks were counted.

        That takes a former kernel patch.
        """
        return (
            self._log.version_tuple < (2, 0)
            and self._log.support_flags & SUPPORT_PATCHSTAT != 0
        )

    @property
    def has_exit_network(self):
        """bool: True if the network transfers of exited processes were recorded."""
        support_flags = self._log.support_flags
        if self._log.version_tuple < (2, 0):
            return bool(support_flags & SUPPORT_PATCHACCT)
        return bool(self.flags & FLAG_NETATOPD or support_flags & SUPPORT_NETATOP_BPF)

    @property
    def has_gpus(self):
        """bool: True if the use of GPUs was recorded."""
        return bool(self.flags & FLAG_GPU)

    @property
    def has_iostat(self):
        """bool: True if the disk transfers of tasks were recorded."""
        return self._log.HasSupport(self, SUPPORT_IOSTAT, FLAG_IOSTAT)

    @property
    def has_network(self):
        """bool: True if the network transfers of tasks were recorded."""
        support_flags = self._log.support_flags
        if self._log.version_tuple < (2, 0):
            return bool(support_flags & SUPPORT_PATCHSTAT)
        return bool(self.flags & FLAG_NETATOP or support_flags & SUPPORT_NETATOP_BPF)

    @property
    def has_tasks(self):
        """bool: True if the process list is whole."""
        return self._log.layout.tstat is not None and self.tasks_block.IsIntact()

    @property
    def is_boot(self):
        """bool: True if this is the first sample of a run of atop."""
        return bool(self.flags & FLAG_BOOT)

    @property
    def shares_tasks(self):
        """bool: True if the process list is small enough to share tasks: an inactive
        task with the same entry as in a sample before is the same object."""
        return self.tasks_block.is_small

    @property
    def version(self):
        """str: version of atop that recorded the sample, as in layouts.VERSIONS. It is
        not that of the log where atopconvert has written the sample."""
        if self._version is None:
            self._version = self._log.version_finder.FindVersion(self)
        return self._version

    @property
    def version_tuple(self):
        """tuple[int, int]: version of atop that recorded the sample, such as (2, 7)."""
        return layouts.GetVersionTuple(self.version)

    def cgroups(self):
        """Retrieves the cgroups, since 2.11.

        Yields:
          Cgroup: cgroups in the order of the file, parents before children. Nothing if
              no cgroups were stored, or if they are damaged or larger than 3 MiB.
        """
        structure = self._log.layout.cstat
        if not self.cgroups_block or not structure or self._are_cgroups_damaged:
            return

        data = self.cgroups_block.GetData()
        pids_data = b""
        if self.cgroup_pids_block:
            pids_data = self.cgroup_pids_block.GetData()
        if data is None or pids_data is None:
            # Damage of a block is known already, an excessive size is not.
            if all(block.IsIntact() for block in list(self.GetBlocks())[2:]):
                self._AddCgroupsDamage(DAMAGE_CGROUPS_SIZE)
            return

        pids = array.array("i", pids_data)
        if structure.abi.byte_order != _NATIVE_BYTE_ORDER:
            pids.byteswap()

        # All of them or none: the next one starts where the size of one ends.
        try:
            collections.deque(self._ReadCgroups(data, len(pids)), maxlen=0)
        except ValueError:
            self._AddCgroupsDamage(DAMAGE_CGROUPS)
            return

        cstat_class, unpacker = views.CreateValuesClass("Cstat", structure)
        for offset, path, first, last in self._ReadCgroups(data, len(pids)):
            cstat = cstat_class._make(unpacker.unpack_from(data, offset))
            yield Cgroup(path, pids[first:last], cstat)

    def _AddCgroupsDamage(self, reason):
        """Adds cgroups that cannot be used to the damages of the log.

        Args:
          reason (str): one of the DAMAGE constants.
        """
        self._are_cgroups_damaged = True
        self.is_damaged = True
        self._log.AddDamage(
            self.cgroups_block.offset,
            self.cgroups_block.compressed_size,
            reason,
        )

    def active_tasks(self):
        """Retrieves the entries of the process list but those marked as inactive.

        Before 2.3 tasks without activity were not stored, or are not marked.

        Yields:
          Task: tasks, see tasks().
        """
        return self._GetTasks(selector="wasinactive", is_set=False)

    def processes(self):
        """Retrieves the entries of the process list that are processes, no threads.

        Before 1.27 there are no threads in the list.

        Yields:
          Task: tasks, see tasks().
        """
        return self._GetTasks(selector="isproc")

    def tasks(self):
        """Retrieves the entries of the process list, in the order of the file.

        Yields:
          Task: tasks, none if the list is damaged. A task has an attribute for every
              member of the tstat but the reserved ones, with its C name. Those of the
              GPU begin with "gpu_". Members of other versions are None. Units are those
              of the file. Text is bytes up to the first NUL, a single letter is a byte.
              The bytes of the whole tstat are in entry.
        """
        return self._GetTasks()

    def _ReadCgroups(self, data, number_of_pids):
        """Reads where the cgroups are.

        Args:
          data (bytes): cgroups, one after the other.
          number_of_pids (int): number of entries in the list of their processes.

        Yields:
          tuple[int, bytes, int, int]: offset of the cgroup in bytes, its path, and
              where its processes start and end in the list of these.

        Raises:
          ValueError: if the cgroups are not what they must be.
        """
        structure = self._log.layout.cstat
        place_class, unpacker = views.CreatePlaceClass(structure)

        # Index and path of the possible parents of the next one.
        parents = []
        index = 0
        offset = 0
        paths_size = 0
        pid_index = 0
        while offset < len(data):
            if offset + structure.size > len(data):
                raise ValueError("cgroup incomplete")

            place = place_class._make(unpacker.unpack_from(data, offset))
            end_offset = offset + place.structlen
            name_offset = offset + structure.size
            name_end_offset = name_offset + place.namelen
            pid_end_index = pid_index + place.nprocs
            if (
                not name_offset <= name_end_offset <= end_offset <= len(data)
                or not pid_index <= pid_end_index <= number_of_pids
            ):
                raise ValueError("cgroup larger than what there is")

            path = b"/"
            if place.parentseq < 0:
                parents.clear()
            else:
                # A cgroup stands behind its parent and the earlier children of that.
                while parents and parents[-1][0] != place.parentseq:
                    parents.pop()
                if not parents:
                    raise ValueError("cgroup without parent")
                name = views.GetText(data[name_offset:name_end_offset])
                path = parents[-1][1].rstrip(b"/") + b"/" + name

            paths_size += len(path)
            if len(path) > self._MAXIMUM_PATH_SIZE or paths_size > len(data):
                raise ValueError("path too long")

            yield offset, path, pid_index, pid_end_index

            parents.append((index, path))
            index += 1
            offset = end_offset
            pid_index = pid_end_index

    def GetCgroupPath(self, pid):
        """Retrieves the path of the cgroup of a process, since 2.11.

        Args:
          pid (int): process identifier.

        Returns:
          bytes: path, None if it is not known. With versions 1 and 2 of cgroups side by
              side a process is in several. The longest path says most about it.
        """
        if self._path_per_pid is None:
            self._path_per_pid = path_per_pid = {}
            for cgroup in self.cgroups():
                for cgroup_pid in cgroup.pids:
                    path = path_per_pid.get(cgroup_pid)
                    if path is None and len(path_per_pid) >= self._MAXIMUM_PIDS:
                        self._log.number_of_omitted_pids += 1
                    elif path is None or len(path) < len(cgroup.path):
                        path_per_pid[cgroup_pid] = cgroup.path

        return self._path_per_pid.get(pid)

    def _GetTasks(self, **selection):
        """Retrieves entries of the process list.

        Args:
          selection (dict[str, object]): which entries, see views.TaskReader.Read.

        Returns:
          Iterator[Task]: tasks.
        """
        if not self._log.layout.tstat:
            return iter(())

        task_reader = self._log.GetTaskReader(self.version)
        pieces = self.tasks_block.GetPieces(self._log.layout.tstat.size)
        return itertools.chain.from_iterable(
            task_reader.Read(data, is_shared=self.shares_tasks, **selection)
            for data in pieces
        )

    def system(self):
        """Retrieves the system block.

        Returns:
          StructureView: sstat, or None if it is damaged or its layout is not known.
        """
        structure = self._log.layout.sstat
        if not structure:
            return None

        data = self.system_block.GetData()
        if data is None:
            return None

        layout = self._log.layout
        if self.version == layout.version:
            return views.CreateViewClass(structure)(data)

        create_class = views.CreateConvertedViewClass
        if conversions.IsShifted(layout, self.version_tuple):
            create_class = views.CreateShiftedViewClass
        original_layout = layouts.GetFileLayout(self.version, layout.abi)
        return create_class(structure, original_layout.sstat)(data)

    def DropBlocks(self, offset):
        """Drops the blocks that were cut, or overwritten by later samples.

        Args:
          offset (int): offset in bytes where the first of these blocks starts.
        """
        for block in self.GetBlocks():
            if block.offset >= offset:
                block.Drop()

    def GetDamageReason(self, block):
        """Determines the reason of the damage of a block.

        Args:
          block (blocks.Block): block.

        Returns:
          str: one of the DAMAGE constants.
        """
        if block is self.system_block:
            return DAMAGE_SYSTEM
        return DAMAGE_TASKS if block is self.tasks_block else DAMAGE_CGROUPS

    def GetBlocks(self):
        """Retrieves the blocks.

        Yields:
          blocks.Block: block.
        """
        yield self.system_block
        yield self.tasks_block
        if self.cgroups_block:
            yield self.cgroups_block
        if self.cgroup_pids_block:
            yield self.cgroup_pids_block

    def IsIntact(self):
        """Determines if all blocks are intact, which inflates them.

        Returns:
          bool: True if the sample is intact.
        """
        return all(block.IsIntact() for block in self.GetBlocks())

    def Release(self):
        """Releases the inflated blocks, and the objects made from them."""
        self._path_per_pid = None
        for block in self.GetBlocks():
            block.Release()


class SampleReader:
    """Reads samples of one layout, wherever they are in a file.

    Attributes:
      file (blocks.File): file.
      layout (layouts.FileLayout): layout of the structures.
      sstatlen (int): size of a system block in bytes.
      tstatlen (int): size of an entry of a process list in bytes.
      version_finder (conversions.VersionFinder): finder of the versions that recorded
          the samples, None if the layout is not known.
    """

    MAXIMUM_INTERVAL = (1 << 31) - 1

    # Flags that no version stores.
    UNKNOWN_FLAGS = 0xFE02

    # The kernel has at most 4194304 tasks, about as many may have exited.
    _MAXIMUM_NUMBER_OF_TASKS = 1 << 23

    def __init__(self, log_file, layout=None):
        """Initializes a reader.

        Args:
          log_file (blocks.File): file.
          layout (Optional[layouts.FileLayout]): layout of the structures, None if it is
              not known yet.
        """
        super().__init__()
        self._task_reader = None
        self._task_reader_version = None
        self.file = log_file
        self.layout = layout
        self.sstatlen = layout and layout.sstat.size
        self.tstatlen = layout and layout.tstat.size
        self.version_finder = layout and conversions.VersionFinder(layout)

    def GetNumberOfTasks(self, record):
        """Determines the number of entries in a process list.

        Args:
          record (tuple): values of the record.

        Returns:
          int: number of entries.
        """
        return record.nlist if record.ndeviat is None else record.ndeviat

    def GetTaskReader(self, version):
        """Retrieves the reader of the entries of process lists.

        It is kept until another version is asked for, as it remembers entries.

        Args:
          version (str): version that recorded the entries.

        Returns:
          views.TaskReader: reader.
        """
        if version != self._task_reader_version:
            original_layout = layouts.GetFileLayout(version, self.layout.abi)
            self._task_reader = views.TaskReader(
                self.layout.tstat, original_layout.tstat
            )
            self._task_reader_version = version
        return self._task_reader

    def GetSample(self, offset):
        """Reads the sample at an offset if its record can be one.

        Args:
          offset (int): offset of the record in bytes.

        Returns:
          Sample: sample or None if there is no record. What its blocks hold is only
              known when they are inflated, and they may reach past the end of the file.
        """
        data = self.file.Read(offset, self.layout.rawrecord.size)
        if len(data) < self.layout.rawrecord.size:
            return None

        record_class, unpacker = views.CreateRecordClass(self.layout.rawrecord)
        record = record_class._make(unpacker.unpack(data))
        if (
            record.flags & self.UNKNOWN_FLAGS
            or record.interval > self.MAXIMUM_INTERVAL
            or self.GetNumberOfTasks(record) > self._MAXIMUM_NUMBER_OF_TASKS
            or record.nexit > self.GetNumberOfTasks(record)
        ):
            return None

        sample = Sample(self, offset, record)
        if not all(block.IsPlausible() for block in sample.GetBlocks()):
            return None

        return sample


class RawLog(SampleReader):
    """atop raw log.

    Attributes:
      assumed_version (str): version whose structures the log has. None if that is the
          version in the header, or if the header is damaged.
      damages (list[Damage]): parts that could not be read so far, in the order in which
          they were found. Only the first ones, number_of_damages counts all.
      damaged_size (int): size in bytes of all parts that could not be read so far.
      file (blocks.File): file.
      header (StructureView): rawheader.
      hertz (int): clock ticks per second or None if not valid.
      hostname (bytes): name of the host, up to the first dot.
      is_development (bool): True if a development version of atop wrote the log: it has
          the number of a release and structures of the next one.
      is_recovered (bool): True if the header is damaged: it contradicts itself, so that
          the layout was found by trying, or its units are not valid.
      layout (layouts.FileLayout): layout of the structures.
      number_of_damages (int): number of damages found so far.
      number_of_omitted_exits (int): number of exits that the plugins left out so far,
          because a sample had more than atop stores.
      number_of_omitted_pids (int): number of times that the cgroup of a process was
          left out so far, because too many processes were in cgroups.
      page_size (int): size of a memory page in bytes or None if not valid.
      support_flags (int): flags, see the SUPPORT constants.
      unsupported_sizes (str): version and sizes in the header, None unless structures
          are left out because their size is that of no version.
      version (str): version of atop in the header, such as "2.7", None if the header is
          damaged there.
      version_tuple (tuple[int, int]): version of atop whose structures the log has,
          such as (2, 7).
    """

    _BYTE_ORDERS = {MAGIC_LITTLE_ENDIAN: "<", MAGIC_BIG_ENDIAN: ">"}

    # Size of the header of 1.23 and of all versions since 1.26.
    _HEADER_SIZES = (468, 480)

    # Major versions of the known versions, and the next one.
    _MAJOR_VERSIONS = (1, 2, 3)

    _MAXIMUM_DAMAGES = 100

    # Clock ticks per second is 100 on nearly every machine type, 1024 on Alpha.
    _MAXIMUM_HERTZ = 10000

    _PAGE_SIZES = frozenset(1 << exponent for exponent in range(10, 23))

    def __init__(self, file_object):
        """Initializes a log.

        Args:
          file_object (file): file-like object, of dfVFS or of Python.

        Raises:
          FormatError: if the file is not an atop raw log.
          UnsupportedError: if the file is an atop raw log of an unknown layout.
        """
        super().__init__(blocks.File(file_object))
        self.assumed_version = None
        self.damaged_size = 0
        self.damages = []
        self.header = None
        self.hertz = None
        self.is_development = False
        self.is_recovered = False
        self.number_of_damages = 0
        self.number_of_omitted_exits = 0
        self.number_of_omitted_pids = 0
        self.page_size = None
        self.support_flags = 0
        self.unsupported_sizes = None
        self.version = None
        self.version_tuple = None

        self._ReadHeader()

        self.version_finder = conversions.VersionFinder(self.layout)

        self._finder = search.SampleFinder(self)

        # End of the data in damaged blocks that was inflated.
        self._inflated_end_offset = 0

    @property
    def abi(self):
        """layouts.ABI: machine type of the atop that wrote the log."""
        return self.layout.abi

    @property
    def hostname(self):
        """bytes: name of the host, up to the first dot."""
        return self.header.utsname.nodename

    @property
    def size(self):
        """int: size of the file in bytes."""
        return self.file.size

    @property
    def kernel_release(self):
        """bytes: release of the kernel."""
        return self.header.utsname.release

    @property
    def kernel_version(self):
        """bytes: version of the kernel."""
        return self.header.utsname.version

    @property
    def machine(self):
        """bytes: machine type that the kernel reported."""
        return self.header.utsname.machine

    def _CheckTime(self, sample, previous_curtime):
        """Checks the time of a sample, which no checksum protects.

        The interval of a sample is the time since the sample before it. If both
        neighbours of a sample agree on another time for it, its own time is wrong.

        Args:
          sample (Sample): sample. If its time is damaged, that of the others replaces
              it.
          previous_curtime (int): time of the sample that ends where this one starts,
              None if there is none or if its time is not known.
        """
        curtimes = []
        if previous_curtime is not None and not sample.is_boot:
            curtimes.append(previous_curtime + sample.interval)
            if abs(sample.curtime - curtimes[0]) <= 1:
                return

        next_sample = self.GetSample(sample.end_offset)
        if next_sample and not next_sample.is_boot:
            curtimes.append(next_sample.curtime - next_sample.interval)

        is_valid = IsValidTime(sample.curtime)
        is_agreed = (
            bool(curtimes)
            and abs(curtimes[0] - curtimes[-1]) <= 1
            and all(map(IsValidTime, curtimes))
        )
        is_contradicted = (
            is_agreed
            and len(curtimes) == 2
            and all(abs(sample.curtime - curtime) > 1 for curtime in curtimes)
        )
        if is_valid and not is_contradicted:
            return

        sample.has_damaged_time = True
        sample.is_damaged = True
        self.AddDamage(sample.offset, self.layout.rawrecord.size, DAMAGE_TIME)
        if is_agreed:
            sample.curtime = curtimes[0]

    def _GetLayoutByCounts(self):
        """Determines which of two versions wrote samples of the same sizes.

        Returns:
          FileLayout: layout of 2.3, which counts all entries of a list as tasks, if the
              first samples do; else that of 2.2-3, which does not count those of exited
              processes and leaves out others.
        """
        offset = self.layout.rawheader.size
        for _ in range(10):
            sample = self.GetSample(offset)
            if not sample:
                break
            if sample.record.ndeviat != sample.record.ntask:
                return self.layout
            offset = sample.end_offset

        return layouts.GetFileLayout("2.3", self.abi)

    def _IsCut(self, block, search_offset):
        """Determines if a damaged block ends before the record says so.

        Args:
          block (blocks.Block): block.
          search_offset (int): offset in bytes of what another sample can start in.

        Returns:
          bool: True if the file ends or if another sample starts before the block ends.
        """
        next_offset = self._finder.FindWhole(search_offset)
        if next_offset is None:
            next_offset = self.file.size
        return next_offset < block.end_offset

    def _IsIntact(self, block, search_offset):
        """Determines if a block is intact.

        Args:
          block (blocks.Block): block.
          search_offset (int): offset in bytes of what another sample can start in.

        Returns:
          bool: True if the block is intact.
        """
        # Damaged blocks may be made to overlap, so that each costs as much as all of
        # the file. A part that was inflated in vain is searched first: that costs less.
        if block.offset < self._inflated_end_offset:
            if self._IsCut(block, search_offset):
                return False

        if block.IsIntact():
            return True

        self._inflated_end_offset = max(
            self._inflated_end_offset, block.offset + block.consumed_size
        )
        return False

    def _IsSampleAt(self, offset):
        """Determines if a sample or the end of the file is at an offset.

        Args:
          offset (int): offset in bytes.

        Returns:
          bool: True if there is.
        """
        if offset >= self.file.size:
            return offset == self.file.size

        sample = self.GetSample(offset)
        if not sample:
            return False

        data = self.file.Read(sample.system_block.offset, 2)
        return bool(search.ZLIB_HEADER_RE.match(data))

    def _ReadHeader(self):
        """Reads the header and determines the layout of the file.

        Raises:
          FormatError: if the file is not an atop raw log.
          UnsupportedError: if the file is an atop raw log of an unknown layout.
        """
        data = self.file.Read(0, max(self._HEADER_SIZES))
        byte_order = self._BYTE_ORDERS.get(data[:4])
        if not byte_order:
            raise FormatError("Missing signature of an atop raw log")

        if len(data) < min(self._HEADER_SIZES):
            raise UnsupportedError(f"Header incomplete: {len(data):d} bytes")

        # The members up to hertz stand at the same place in all versions.
        aversion, sstatlen, tstatlen, rawheadlen, rawreclen, _ = struct.unpack_from(
            f"{byte_order:s}6H", data, 4
        )
        version_tuple = (aversion >> 8) & 0x7F, aversion & 0xFF
        version = f"{version_tuple[0]:d}.{version_tuple[1]:d}"
        is_unknown_version = version_tuple == UNKNOWN_VERSION
        is_atop = (
            bool(aversion & 0x8000)
            and rawheadlen in self._HEADER_SIZES
            and (version_tuple[0] in self._MAJOR_VERSIONS or is_unknown_version)
        )

        cstatlen = None
        if rawheadlen != self._HEADER_SIZES[0]:
            sstatlen, tstatlen = struct.unpack_from(f"{byte_order:s}2I", data, 28)
            (cstatlen,) = struct.unpack_from(f"{byte_order:s}i", data, 456)

        if is_atop:
            self.layout = layouts.FindFileLayout(
                version, byte_order, rawreclen, tstatlen, sstatlen, cstatlen
            )
            if self.layout and self.layout.rawheader.size != rawheadlen:
                self.layout = None

        if not self.layout or not self.layout.tstat or not self.layout.sstat:
            known_sizes = (
                f"atop version {version:s} with a rawrecord of {rawreclen:d}, a tstat "
                f"of {tstatlen:d} and a sstat of {sstatlen:d} bytes"
            )
            layout = self._RecoverLayout(byte_order, version)
            if layout:
                self.is_recovered = True
                self.layout = layout
                self.AddDamage(0, layout.rawheader.size, DAMAGE_HEADER)
            elif not is_atop:
                raise FormatError("Not a header of an atop raw log")
            elif not self.layout:
                raise UnsupportedError(f"Unsupported layout: {known_sizes:s}")
            else:
                self.unsupported_sizes = known_sizes

        if len(data) < self.layout.rawheader.size:
            raise UnsupportedError(f"Header incomplete: {len(data):d} bytes")

        self.header = views.CreateViewClass(self.layout.rawheader)(data)

        if version not in layouts.VERSIONS and self.layout.version == "2.2-3":
            self.layout = self._GetLayoutByCounts()

        layout_version = self.layout.version.partition("-")[0]
        self.version_tuple = layouts.GetVersionTuple(layout_version)
        if is_unknown_version:
            self.version = None
        elif not self.is_recovered or layout_version == version:
            self.version = version
        if self.version and layout_version != version:
            self.assumed_version = layout_version
            self.is_development = version_tuple < self.version_tuple

        if self.layout.sstat:
            sstatlen = self.layout.sstat.size
        if self.layout.tstat:
            tstatlen = self.layout.tstat.size
        self.sstatlen = sstatlen
        self.tstatlen = tstatlen

        self.support_flags = self.header.supportflags

        # Ticks and pages cannot be converted without these.
        if 0 < self.header.hertz <= self._MAXIMUM_HERTZ:
            self.hertz = self.header.hertz
        if self.header.pagesize in self._PAGE_SIZES:
            self.page_size = self.header.pagesize
        if not self.is_recovered and not (self.hertz and self.page_size):
            self.is_recovered = True
            self.AddDamage(0, self.layout.rawheader.size, DAMAGE_HEADER)

    def _RecoverLayout(self, byte_order, version):
        """Determines the layout of a file by its first two samples.

        Args:
          byte_order (str): "<" or ">".
          version (str): version that the damaged header has, which is preferred.

        Returns:
          FileLayout: the oldest layout whose sizes are exactly those of the blocks of
              two consecutive samples, or None if there is no such layout. The oldest
              claims least: sizes do not show what a later version only renamed.
        """
        header_layout = self.layout
        recovered_layout = None

        for candidate in layouts.VERSIONS:
            for abi in layouts.ABIS:
                if abi.byte_order != byte_order:
                    continue

                self.layout = layouts.GetFileLayout(candidate, abi)
                self.sstatlen = self.layout.sstat.size
                self.tstatlen = self.layout.tstat.size

                offset = self.layout.rawheader.size
                for _ in range(2):
                    sample = self.GetSample(offset)
                    if not sample or not (
                        sample.has_tasks and sample.system_block.IsIntact()
                    ):
                        break
                    offset = sample.end_offset
                else:
                    is_version = candidate.partition("-")[0] == version
                    if is_version or not recovered_layout:
                        recovered_layout = self.layout
                    if is_version:
                        break

        self.layout = header_layout
        return recovered_layout

    def _ReadSample(self, offset):
        """Reads the sample at an offset, if there is one, and the damage behind it.

        Only the record and the intact blocks belong to a sample. The record may give
        false sizes of the other blocks, so these are searched for samples.

        Args:
          offset (int): offset in bytes.

        Returns:
          tuple[Sample, int]: sample, None if no block of it is intact, and the offset
              in bytes at which the file is to be read next.
        """
        cut_block = None
        damaged_blocks = []
        search_offset = offset + 1

        sample = self.GetSample(offset)
        for block in sample.GetBlocks() if sample else ():
            if self._IsIntact(block, search_offset):
                search_offset = block.end_offset
            elif self._IsCut(block, search_offset):
                cut_block = block
                break
            else:
                damaged_blocks.append(block)

        # atop may still be writing a sample that the end of the file cuts, no other.
        end_offset = offset + self.layout.rawrecord.size
        if sample:
            end_offset = sample.end_offset
        is_last = end_offset > self.file.size

        if search_offset == offset + 1:
            next_offset, _ = self._SkipDamage(
                offset, search_offset, DAMAGE_RECORD, offset if is_last else None
            )
            return None, next_offset

        # If nothing starts at the end of the sample, that end is false.
        if damaged_blocks and not cut_block and not self._IsSampleAt(end_offset):
            while damaged_blocks and damaged_blocks[-1].end_offset == end_offset:
                cut_block = damaged_blocks.pop()
                end_offset = cut_block.offset

        for block in damaged_blocks:
            sample.is_damaged = True
            self.AddDamage(
                block.offset, block.compressed_size, sample.GetDamageReason(block)
            )

        if not cut_block:
            return sample, sample.end_offset

        next_offset, reason = self._SkipDamage(
            cut_block.offset,
            search_offset,
            sample.GetDamageReason(cut_block),
            offset if is_last else None,
        )
        sample.DropBlocks(cut_block.offset)
        sample.is_damaged |= reason != DAMAGE_LAST_SAMPLE
        return sample, next_offset

    def _SkipDamage(self, offset, search_offset, reason, last_offset):
        """Skips damage, up to the next sample.

        Args:
          offset (int): offset in bytes of the damage.
          search_offset (int): offset in bytes to search from.
          reason (str): one of the DAMAGE constants.
          last_offset (int): offset in bytes of a sample that the end of the file cuts,
              None if there is none.

        Returns:
          tuple[int, str]: offset in bytes of the next sample, or of the end of the
              file, and the reason that was added to the damages.
        """
        next_offset = self._finder.FindNext(search_offset)
        if next_offset is None:
            next_offset = self.file.size
            if last_offset is not None:
                offset = last_offset
                reason = DAMAGE_LAST_SAMPLE
        if self._finder.HasSkipped(search_offset):
            reason = DAMAGE_UNSEARCHED

        return next_offset, self.AddDamage(offset, next_offset - offset, reason)

    def AddDamage(self, offset, size, reason):
        """Adds a part of the file that could not be read.

        Args:
          offset (int): offset in bytes.
          size (int): size in bytes.
          reason (str): one of the DAMAGE constants.

        Returns:
          str: reason, another one of the DAMAGE constants where the file itself could
              not be read.
        """
        if not self.file.IsReadable(offset, size):
            reason = _UNREADABLE_REASONS.get(reason, DAMAGE_UNREADABLE)

        self.damaged_size += size
        self.number_of_damages += 1
        if self.number_of_damages <= self._MAXIMUM_DAMAGES:
            self.damages.append(Damage(offset, size, reason))

        return reason

    def HasSupport(self, sample, support_flag, flag):
        """Determines if something was recorded in a sample.

        Args:
          sample (Sample): sample.
          support_flag (int): flag of the header, one of the SUPPORT constants.
          flag (int): corresponding flag of the record, one of the FLAG constants.

        Returns:
          bool: True if it was recorded.
        """
        if self.support_flags & SUPPORT_IN_RECORD == SUPPORT_IN_RECORD:
            return bool(sample.flags & flag)
        return bool(self.support_flags & support_flag)

    def samples(self):
        """Retrieves the samples, in the order of the file.

        Damaged parts are skipped, and added to damages before the next sample.

        Yields:
          Sample: sample, whose system block or process list may be damaged.
              It can be used until the next one is asked for.
        """
        offset = self.layout.rawheader.size
        previous_curtime = None

        while offset < self.file.size:
            sample, next_offset = self._ReadSample(offset)
            if not sample:
                previous_curtime = None
            else:
                self._CheckTime(sample, previous_curtime)
                yield sample
                sample.Release()

                previous_curtime = None
                if next_offset == sample.end_offset and IsValidTime(sample.curtime):
                    previous_curtime = sample.curtime

            offset = next_offset
