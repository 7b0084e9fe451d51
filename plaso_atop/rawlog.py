"""Reader of atop raw logs.

A raw log is a header, followed by samples. A sample is a record and its blocks, each a
zlib stream: the system block (sstat), the process list (tstat, one after the other)
and, since 2.11 where the host has cgroups v2, the cgroups (cstat) and their processes.

Nothing that the file says is trusted. A block is only used when its zlib stream ends
where the record says, has the right checksum and inflates to the size that the record
and the header promise. Where a sample cannot be read, the reader goes on at the next
place where a whole one starts.
"""

import collections
import functools
import itertools
import operator
import re
import struct

from plaso_atop import layouts

try:
    from zlib_ng import zlib_ng as zlib
except ImportError:
    import zlib

MAGIC = 0xFEEDBEEF
MAGIC_BIG_ENDIAN = struct.pack(">I", MAGIC)
MAGIC_LITTLE_ENDIAN = struct.pack("<I", MAGIC)

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

# Flags of the header. Since 2.2.6 atop sets all of SUPPORT_IN_RECORD and the flags of
# the record tell instead.
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
DAMAGE_HEADER = "header damaged"
DAMAGE_LAST_SAMPLE = "last sample incomplete"
DAMAGE_RECORD = "no sample readable"
DAMAGE_SYSTEM = "system block damaged"
DAMAGE_TASKS = "process list damaged"
DAMAGE_UNSEARCHED = "not searched, damage too extensive"


class _File:
    """File-like object that is read by offset.

    Attributes:
      size (int): size of the file in bytes.
    """

    # What was read last is kept: to go back in a compressed file means to decompress
    # all of it again, and a sample is read more than once.
    _NUMBER_OF_WINDOWS = 4

    # What cannot be read is tried again in pieces of this size, up to a number of
    # failures: each one can mean to decompress all of a file.
    _MAXIMUM_NUMBER_OF_FAILURES = 256
    _SECTOR_SIZE = 4096

    _WINDOW_SIZE = 256 * 1024

    def __init__(self, file_object):
        """Initializes a file.

        Args:
          file_object (file): file-like object, of dfVFS or of Python.
        """
        super().__init__()
        self._file_object = file_object
        self._number_of_failures = 0
        self._windows = collections.OrderedDict()

        if hasattr(file_object, "get_size"):
            self.size = file_object.get_size()
        else:
            self.size = file_object.seek(0, 2)

    def _GetWindow(self, index):
        """Retrieves a part of the file.

        Args:
          index (int): index of the part, which all are of the size of a window.

        Returns:
          bytes: data, shorter where the file ends.
        """
        window = self._windows.get(index)
        if window is None:
            if len(self._windows) == self._NUMBER_OF_WINDOWS:
                self._windows.popitem(last=False)
            offset = index * self._WINDOW_SIZE
            window_size = min(self._WINDOW_SIZE, self.size - offset)
            window = self._windows[index] = self._ReadFromFile(offset, window_size)

        return window

    def _ReadFromFile(self, offset, size):
        """Reads data.

        What cannot be read is given as zeros, so that what follows it can be used.

        Args:
          offset (int): offset in bytes.
          size (int): size in bytes, not past the end of the file.

        Returns:
          bytes: data.
        """
        data = self._TryRead(offset, size)
        if len(data) == size:
            return data

        pieces = []
        for piece_offset in range(offset, offset + size, self._SECTOR_SIZE):
            piece_size = min(self._SECTOR_SIZE, offset + size - piece_offset)
            piece = b""
            if self._number_of_failures < self._MAXIMUM_NUMBER_OF_FAILURES:
                piece = self._TryRead(piece_offset, piece_size)
                self._number_of_failures += len(piece) < piece_size
            pieces.append(piece.ljust(piece_size, b"\x00"))

        return b"".join(pieces)

    def _TryRead(self, offset, size):
        """Reads data, with as many reads as that takes.

        Args:
          offset (int): offset in bytes.
          size (int): size in bytes, not past the end of the file.

        Returns:
          bytes: data, shorter where the file cannot be read.
        """
        chunks = []
        try:
            self._file_object.seek(offset, 0)
            while size > 0:
                chunk = self._file_object.read(size)
                if not chunk:
                    break
                chunks.append(chunk)
                size -= len(chunk)

        # The file may lie in a damaged image or archive, each back-end has errors of
        # its own. What cannot be read is damage, which is found where it is missed.
        except Exception:  # pylint: disable=broad-except
            pass

        return b"".join(chunks)

    def Read(self, offset, size):
        """Reads data.

        Args:
          offset (int): offset in bytes.
          size (int): size in bytes.

        Returns:
          bytes: data, shorter where the file ends.
        """
        size = max(0, min(size, self.size - offset))
        chunks = []
        while size > 0:
            index, position = divmod(offset, self._WINDOW_SIZE)
            chunk = self._GetWindow(index)[position : position + size]
            if not chunk:
                break
            chunks.append(chunk)
            offset += len(chunk)
            size -= len(chunk)

        return b"".join(chunks)


class _Block:
    """Compressed block of a sample.

    Attributes:
      compressed_size (int): size in the file in bytes.
      inflated_size (int): size in bytes of what was inflated of it so far.
      is_reported (bool): True if the block is known to be damaged.
      offset (int): offset in bytes relative to the start of the file.
      size (int): size in bytes that it must have when inflated.
    """

    # Larger blocks are not kept in memory but inflated again when they are used.
    _MAXIMUM_CACHED_SIZE = 1536 * 1024

    # Enough for 37,000 cgroups, everything else that is used as a whole is smaller.
    _MAXIMUM_SIZE = 16 * 1024 * 1024

    _READ_SIZE = 64 * 1024

    def __init__(self, log_file, offset, compressed_size, size):
        """Initializes a block.

        Args:
          log_file (_File): file.
          offset (int): offset in bytes relative to the start of the file.
          compressed_size (int): size in the file in bytes.
          size (int): size in bytes that it must have when inflated.
        """
        super().__init__()
        self._data = None
        self._file = log_file
        self._is_intact = None
        self.inflated_size = 0
        self.is_reported = False
        self.compressed_size = compressed_size
        self.offset = offset
        self.size = size

    @property
    def end_offset(self):
        """int: offset in bytes of what follows the block."""
        return self.offset + self.compressed_size

    @property
    def is_small(self):
        """bool: True if the inflated data is kept in memory, as one piece."""
        return self.size <= self._MAXIMUM_CACHED_SIZE

    def _Inflate(self, piece_size):
        """Inflates the block in pieces.

        Args:
          piece_size (int): size of a piece in bytes.

        Yields:
          bytes: pieces, all but the last of the size of a piece. At most one byte more
              than the size of the block is inflated.

        Raises:
          ValueError: if the block is not what it must be. This is only known when all
              of it was inflated.
        """
        try:
            inflater = zlib.decompressobj()
            offset = self.offset
            remaining_size = self.size
            compressed_data = b""
            pieces = []
            pieces_size = 0

            while not inflater.eof:
                if not compressed_data:
                    read_size = min(self._READ_SIZE, self.end_offset - offset)
                    compressed_data = self._file.Read(offset, read_size)
                    offset += len(compressed_data)

                # Room for one byte more than there must be, to notice what is larger.
                data = inflater.decompress(
                    compressed_data, min(piece_size - pieces_size, remaining_size + 1)
                )
                if not data and not compressed_data and not inflater.eof:
                    raise ValueError("zlib stream incomplete")

                compressed_data = inflater.unconsumed_tail
                self.inflated_size += len(data)
                remaining_size -= len(data)
                if remaining_size < 0:
                    raise ValueError("zlib stream too large")

                pieces.append(data)
                pieces_size += len(data)
                if pieces_size == piece_size:
                    yield b"".join(pieces)
                    pieces = []
                    pieces_size = 0

            if remaining_size or inflater.unused_data or offset != self.end_offset:
                raise ValueError("zlib stream too small")

        except zlib.error as exception:
            raise ValueError(f"zlib stream damaged: {exception!s}") from exception

        if pieces_size:
            yield b"".join(pieces)

    def IsPlausible(self):
        """Determines if the sizes of the block can be true.

        Returns:
          bool: True if data of that size can be compressed to that size, which bounds
              what a damaged or forged size can cost.
        """
        # Deflate compresses by at most 1032:1 and hardly ever expands.
        return (
            8 <= self.compressed_size <= self.size + self.size // 512 + 1024
            and self.size <= self.compressed_size * 1032
        )

    def IsIntact(self):
        """Determines if the block is what it must be, which inflates all of it.

        Returns:
          bool: True if the block is intact.
        """
        if self._is_intact is None:
            self._is_intact = False
            if self.IsPlausible() and self.end_offset <= self._file.size:
                try:
                    if self.is_small:
                        self._data = b"".join(self._Inflate(self.size + 1))
                    else:
                        for _ in self._Inflate(self._MAXIMUM_CACHED_SIZE // 4):
                            pass
                    self._is_intact = True
                except ValueError:
                    pass

        return self._is_intact

    def Drop(self):
        """Drops a block of which it is known and reported that it is damaged."""
        self._data = None
        self._is_intact = False
        self.is_reported = True

    def GetData(self):
        """Retrieves the inflated data of a block that is not too large for that.

        Returns:
          bytes: data or None if the block is damaged or too large.
        """
        if self.size > self._MAXIMUM_SIZE or not self.IsIntact():
            return None
        return b"".join(self.GetPieces(1))

    def GetPieces(self, element_size):
        """Retrieves the inflated data in pieces.

        Args:
          element_size (int): size in bytes of what pieces are to consist of.

        Yields:
          bytes: pieces, none if the block is damaged.
        """
        if self.IsIntact():
            if self._data is not None:
                yield self._data
            else:
                piece_size = self._MAXIMUM_CACHED_SIZE // 4
                yield from self._Inflate(piece_size - piece_size % element_size)

    def Release(self):
        """Releases the inflated data."""
        self._data = None
        self._is_intact = None


def _GetText(value):
    """Retrieves a C string.

    Args:
      value (bytes): array of characters.

    Returns:
      bytes: characters before the first NUL.
    """
    return value.partition(b"\x00")[0]


class StructureView:
    """Structure in inflated data, whose members are attributes with their C names.

    A member that the structure does not have, because the version did not, is None. A
    nested structure is a StructureView, an array of structures an iterator of those,
    and text is bytes without what follows the first NUL.
    """

    __slots__ = ("_data", "_offset")

    def __init__(self, data, offset=0):
        """Initializes a view.

        Args:
          data (bytes): inflated data.
          offset (Optional[int]): offset of the structure in the data in bytes.
        """
        self._data = data
        self._offset = offset

    def __getattr__(self, name):
        """Retrieves a member that the structure does not have.

        Args:
          name (str): name of the member.

        Returns:
          None: nothing.
        """
        return None


def _GetViewProperty(member):
    """Creates a property that reads a member of a structure.

    Args:
      member (layouts.Member): member.

    Returns:
      property: property.
    """
    # pylint: disable=protected-access
    count = member.count
    offset = member.offset

    if member.structure:
        size = member.size
        view_class = _CreateViewClass(member.structure)
        if count == 1:
            return property(lambda view: view_class(view._data, view._offset + offset))
        return property(
            lambda view: (
                view_class(view._data, view._offset + offset + index * size)
                for index in range(count)
            )
        )

    unpack_from = member.unpacker.unpack_from
    if member.format == "s":
        return property(
            lambda view: _GetText(unpack_from(view._data, view._offset + offset)[0])
        )
    if count == 1:
        return property(lambda view: unpack_from(view._data, view._offset + offset)[0])
    return property(lambda view: unpack_from(view._data, view._offset + offset))


@functools.lru_cache(maxsize=None)
def _CreateViewClass(structure):
    """Creates the class of the views of a structure.

    Args:
      structure (layouts.Structure): layout.

    Returns:
      type: class.
    """
    attributes = {"__slots__": ()}
    attributes.update(
        (name, _GetViewProperty(member)) for name, member in structure.members.items()
    )
    return type("StructureView", (StructureView,), attributes)


def _GetUnpackedProperty(structure, name):
    """Creates a property that unpacks a member of a task when it is asked for.

    Args:
      structure (layouts.Structure): layout of the tstat.
      name (str): name of the member as Structure.Flatten gives it.

    Returns:
      property: property.
    """
    unpacker, _ = structure.GetUnpacker([name])

    def _Unpack(task):
        """Unpacks the member.

        Args:
          task (Task): task.

        Returns:
          int|bytes: value.
        """
        (value,) = unpacker.unpack(task.entry)
        return _GetText(value) if isinstance(value, bytes) else value

    return property(_Unpack)


# What is asked of nearly every task is unpacked at once, the rest when asked for.
_TASK_MEMBERS = frozenset(
    f"{part:s}.{name:s}"
    for part, names in (
        (
            "gen",
            "tgid pid ppid ruid euid suid fsuid rgid egid sgid fsgid nthr name isproc "
            "state excode btime elaps cmdline wasinactive",
        ),
        ("cpu", "utime stime"),
        ("dsk", "rsz wsz cwsz"),
        ("mem", "minflt majflt vmem rmem"),
    )
    for name in names.split()
)


def _GetTaskName(name):
    """Determines the name of the attribute of a task that holds a member.

    Args:
      name (str): name of the member as Structure.Flatten gives it.

    Returns:
      str: C name of the member, "gpu_" before it for those of the GPU.
    """
    part, _, member_name = name.partition(".")
    return f"gpu_{member_name:s}" if part == "gpu" else member_name


def _IsReserved(name):
    """Determines if a member is reserved: what it holds is undefined.

    Args:
      name (str): name of the member.

    Returns:
      bool: True if the member is reserved.
    """
    return "future" in name or name.startswith("avail")


@functools.lru_cache(maxsize=None)
def _GetTaskNames():
    """Retrieves the names of the attributes of tasks of all versions.

    Returns:
      frozenset[str]: names.
    """
    names = map(_GetTaskName, layouts.GetMemberNames("tstat"))
    return frozenset(name for name in names if not _IsReserved(name))


@functools.lru_cache(maxsize=None)
def _GetRecordNames():
    """Retrieves the names of the members of the records of all versions.

    Returns:
      frozenset[str]: names.
    """
    names = layouts.GetMemberNames("rawrecord")
    return frozenset(name for name in names if not _IsReserved(name))


@functools.lru_cache(maxsize=None)
def _CreateValuesClass(class_name, structure):
    """Creates the class of the values of a structure, without what is reserved.

    Args:
      class_name (str): name of the class.
      structure (layouts.Structure): layout.

    Returns:
      tuple[type, struct.Struct]: class, a tuple with named values, and what unpacks its
          values. A member of a nested structure has the name of that before its own.
    """
    unpacker, names = structure.GetUnpacker(
        [
            name
            for name, _, member in structure.Flatten()
            if not member.structure and not _IsReserved(name)
        ]
    )
    names = [name.replace(".", "_") for name in names]
    return collections.namedtuple(class_name, names), unpacker


@functools.lru_cache(maxsize=None)
def _CreateRecordClass(structure):
    """Creates the class of the records of a layout.

    Args:
      structure (layouts.Structure): layout of the rawrecord.

    Returns:
      tuple[type, struct.Struct]: class, a tuple with named values, None for what only
          other versions have; and what unpacks its values.
    """
    # pylint: disable=protected-access
    values_class, unpacker = _CreateValuesClass("Record", structure)
    other_names = _GetRecordNames().difference(values_class._fields)
    attributes = {"__slots__": (), **dict.fromkeys(other_names)}
    return type("Record", (values_class,), attributes), unpacker


# Made for every layout like the classes of dtFabric, as the members are only known then.
_TASK_CONSTRUCTOR = """\
def __init__(self, values, entry):
    {members:s} = values
    self.cmdline = self.cmdline.partition(b"\\x00")[0]
    self.entry = entry
    self.name = self.name.partition(b"\\x00")[0]
"""


@functools.lru_cache(maxsize=None)
def _CreateTaskClass(structure):
    """Creates the class of the tasks of a layout.

    Args:
      structure (layouts.Structure): layout of the tstat.

    Returns:
      tuple[type, struct.Struct]: class, and what unpacks the values that its
          constructor takes before the entry itself.
    """
    unpacker, member_names = structure.GetUnpacker(_TASK_MEMBERS)
    names = [_GetTaskName(name) for name in member_names]

    # A slot is read faster than a value of a named tuple.
    attributes = {"__slots__": (*names, "entry")}
    attributes.update(
        (_GetTaskName(name), _GetUnpackedProperty(structure, name))
        for name, _, member in structure.Flatten()
        if not member.structure
        and name not in member_names
        and not _IsReserved(_GetTaskName(name))
    )
    attributes.update(dict.fromkeys(_GetTaskNames().difference(attributes, names)))

    members = ", ".join(f"self.{name:s}" for name in names)
    exec(  # pylint: disable=exec-used
        _TASK_CONSTRUCTOR.format(members=members), {}, attributes
    )
    return type("Task", (), attributes), unpacker


class _TaskReader:
    """Reader of the entries of process lists.

    Most of what lives does nothing in an interval, so that its entry is one of an
    earlier sample. Such an entry is not unpacked again, it is the same task. Before 2.3
    tasks without activity were not stored.
    """

    # Of a process list that is small enough to be shared all fit.
    _MAXIMUM_NUMBER_OF_TASKS = 4096

    def __init__(self, structure):
        """Initializes a reader.

        Args:
          structure (layouts.Structure): layout of the tstat.
        """
        super().__init__()
        self._class, self._unpacker = _CreateTaskClass(structure)
        self._key_unpacker, _ = structure.GetUnpacker(
            ["gen.pid", "gen.isproc", "gen.wasinactive"]
        )
        self._selectors = {}
        self._structure = structure
        self._task_per_key = {}

        for selector in ("isproc", "wasinactive"):
            unpacker, names = structure.GetUnpacker([f"gen.{selector:s}"])
            if names:
                self._selectors[selector] = unpacker

    def Read(self, data, selector=None, is_set=True, is_shared=False):
        """Reads entries.

        Args:
          data (bytes): entries, one after the other.
          selector (Optional[str]): name of the member of gen that tells which entries
              to read, None for all, which are also read where the version has no such
              member.
          is_set (Optional[bool]): True if the member must not be 0, False if it must.
          is_shared (Optional[bool]): True if the entry of an inactive task that was read
              before is to be the same task.

        Returns:
          list[Task]: tasks.
        """
        is_at = data.startswith
        size = self._structure.size
        task_class = self._class
        task_per_key = self._task_per_key
        unpack = self._unpacker.unpack

        if len(task_per_key) > self._MAXIMUM_NUMBER_OF_TASKS:
            task_per_key.clear()

        keys = itertools.repeat(None)
        if is_shared:
            keys = self._key_unpacker.iter_unpack(data)
        entries = zip(range(0, len(data), size), keys)

        unpacker = self._selectors.get(selector)
        if unpacker:
            is_selected = itertools.chain.from_iterable(unpacker.iter_unpack(data))
            if not is_set:
                is_selected = map(operator.not_, is_selected)
            entries = itertools.compress(entries, is_selected)

        tasks = []
        for offset, key in entries:
            task = task_per_key.get(key)
            if task is None or not is_at(task.entry, offset):
                entry = data[offset : offset + size]
                task = task_class(unpack(entry), entry)

                # What was active or exited is not the same again.
                if is_shared and task.wasinactive:
                    task_per_key[key] = task

            tasks.append(task)

        return tasks


Cgroup = collections.namedtuple("Cgroup", ["path", "pids", "cstat"])
Cgroup.__doc__ = """Control group.

Attributes:
  path (bytes): path, "/" for the root.
  pids (tuple[int]): identifiers of the processes in the group itself.
  cstat (tuple): metrics and limits, with the C names of the members and the part that
      they are of before it, such as "cpu_utime".
"""


class Sample:
    """Sample of a log.

    Attributes:
      curtime (int): time of the sample in seconds since the Epoch.
      flags (int): flags, see the FLAG constants.
      end_offset (int): offset of what follows the sample in the file in bytes.
      interval (int): seconds since the previous sample, or since the system was
          started for the first sample of a run of atop.
      is_damaged (bool): True if a part of the sample is known to be damaged.
      number_of_tasks (int): number of entries in the process list.
      offset (int): offset of the record in the file in bytes.
      record (tuple): values of the record with their C names, reserved ones excepted.
    """

    # PATH_MAX of Linux. A cgroup takes more room than its path, unless the names of the
    # parents were made to fill the memory.
    _MAXIMUM_PATH_SIZE = 4096

    def __init__(self, log, offset, record):
        """Initializes a sample.

        Args:
          log (RawLog): log.
          offset (int): offset of the record in bytes.
          record (tuple): values of the record.
        """
        super().__init__()
        self._log = log
        self.curtime = record.curtime
        self.flags = record.flags
        self.interval = record.interval
        self.is_damaged = False
        self.number_of_tasks = log.GetNumberOfTasks(record)
        self.offset = offset
        self.record = record

        log_file = log.file
        layout = log.layout
        offset += layout.rawrecord.size

        sstat_size = layout.sstat.size if layout.sstat else log.sstatlen
        self.system_block = _Block(log_file, offset, record.scomplen, sstat_size)
        offset = self.system_block.end_offset

        tstat_size = layout.tstat.size if layout.tstat else log.tstatlen
        self.tasks_block = _Block(
            log_file, offset, record.pcomplen, self.number_of_tasks * tstat_size
        )
        offset = self.tasks_block.end_offset

        self.cgroups_block = None
        self.cgroup_pids_block = None
        if record.ccomplen:
            self.cgroups_block = _Block(
                log_file, offset, record.ccomplen, record.coriglen
            )
            offset = self.cgroups_block.end_offset
        if record.icomplen:
            self.cgroup_pids_block = _Block(
                log_file, offset, record.icomplen, record.ncgpids * 4
            )
            offset = self.cgroup_pids_block.end_offset

        self.end_offset = offset

    @property
    def has_accounting(self):
        """bool: True if the exits of processes were recorded."""
        return self._log.HasSupport(self, SUPPORT_ACCOUNTING, FLAG_ACCOUNTING)

    @property
    def has_disk_requests(self):
        """bool: True if the disk requests of tasks were counted.

        That takes a kernel patch of former times.
        """
        return (
            self._log.version_tuple < (2, 0)
            and self._log.support_flags & SUPPORT_PATCHSTAT != 0
        )

    @property
    def has_exit_network(self):
        """bool: True if the network transfers of processes that exited were recorded."""
        support_flags = self._log.support_flags
        if self._log.version_tuple < (2, 0):
            return bool(support_flags & SUPPORT_PATCHACCT)
        return bool(self.flags & FLAG_NETATOPD or support_flags & SUPPORT_NETATOP_BPF)

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
    def has_all_processes(self):
        """bool: True if the process list is whole and was stored with all processes.

        Before 2.3 tasks without activity were not stored, but for the first sample of
        a run, nor are they in logs converted from those versions.
        """
        if not self.has_tasks:
            return False
        if self._log.version_tuple < (2, 3):
            return self.is_boot
        return self.record.ndeviat >= self.record.ntask

    @property
    def has_tasks(self):
        """bool: True if the process list is whole."""
        return self._log.layout.tstat is not None and self.tasks_block.IsIntact()

    @property
    def shares_tasks(self):
        """bool: True if the entry of an inactive task that is the same as in a sample
        before is the same task object, which takes a process list that is not too large
        to be kept."""
        return self.tasks_block.is_small

    @property
    def is_boot(self):
        """bool: True if this is the first sample of a run of atop."""
        return bool(self.flags & FLAG_BOOT)

    def AddDamage(self, block, reason):
        """Adds a block that is damaged to the damages of the log, once.

        Args:
          block (_Block): block.
          reason (str): one of the DAMAGE constants.
        """
        if not block.is_reported:
            block.is_reported = True
            self.is_damaged = True
            self._log.AddDamage(block.offset, block.compressed_size, reason)

    def cgroups(self):
        """Retrieves the cgroups, since 2.11.

        Returns:
          list[Cgroup]: cgroups in the order of the file, parents before children. Empty
              where none were stored or where they are damaged.
        """
        structure = self._log.layout.cstat
        if not self.cgroups_block or not structure:
            return []

        data = self.cgroups_block.GetData()
        if data is None:
            self.AddDamage(self.cgroups_block, DAMAGE_CGROUPS)
            return []

        pids_data = b""
        if self.cgroup_pids_block:
            pids_data = self.cgroup_pids_block.GetData()
            if pids_data is None:
                self.AddDamage(self.cgroup_pids_block, DAMAGE_CGROUPS)
                return []

        cstat_class, unpacker = _CreateValuesClass("Cstat", structure)
        byte_order = structure.abi.byte_order
        pids = struct.unpack(f"{byte_order:s}{len(pids_data) // 4:d}i", pids_data)
        pids_index = 0

        cgroups = []
        offset = 0
        paths_size = 0
        while offset < len(data):
            if offset + structure.size > len(data):
                break

            cstat = cstat_class._make(unpacker.unpack_from(data, offset))
            name_offset = offset + structure.size

            # Parents stand before their children, which rules out loops.
            if (
                cstat.gen_structlen < structure.size
                or cstat.gen_namelen < 0
                or structure.size + cstat.gen_namelen > cstat.gen_structlen
                or offset + cstat.gen_structlen > len(data)
                or cstat.gen_parentseq >= len(cgroups)
                or cstat.gen_nprocs < 0
                or pids_index + cstat.gen_nprocs > len(pids)
            ):
                break

            path = b"/"
            if cstat.gen_parentseq >= 0:
                name = _GetText(data[name_offset : name_offset + cstat.gen_namelen])
                parent_path = cgroups[cstat.gen_parentseq].path
                path = parent_path.rstrip(b"/") + b"/" + name

            paths_size += len(path)
            if len(path) > self._MAXIMUM_PATH_SIZE or paths_size > len(data):
                break

            cgroups.append(
                Cgroup(path, pids[pids_index : pids_index + cstat.gen_nprocs], cstat)
            )
            offset += cstat.gen_structlen
            pids_index += cstat.gen_nprocs

        if offset != len(data):
            self.AddDamage(self.cgroups_block, DAMAGE_CGROUPS)
            return []

        return cgroups

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
          Task: tasks, none where the list is damaged. A task has an attribute for
              every member of the tstat but the reserved ones, with its C name, those of
              the GPU with "gpu_" before it, and None for what only other versions have.
              Units are those of the file. Text is bytes without what follows the first
              NUL, a single letter is a byte. The bytes of the whole tstat are in entry.
        """
        return self._GetTasks()

    def _GetTasks(self, **selection):
        """Retrieves entries of the process list.

        Args:
          selection (dict[str, object]): which entries, see _TaskReader.Read.

        Returns:
          Iterator[Task]: tasks.
        """
        task_reader = self._log.task_reader
        if not task_reader:
            return iter(())

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
            self.AddDamage(self.system_block, DAMAGE_SYSTEM)
            return None

        return _CreateViewClass(structure)(data)

    def DropBlocks(self, offset):
        """Drops the blocks that were cut, or overwritten by later samples.

        Args:
          offset (int): offset in bytes where the first of these blocks starts.
        """
        for block in self.GetBlocks():
            if block.offset >= offset:
                block.Drop()

    def GetBlocks(self):
        """Retrieves the blocks.

        Yields:
          _Block: block.
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
        """Releases the inflated blocks."""
        for block in self.GetBlocks():
            block.Release()


class RawLog:
    """atop raw log.

    Attributes:
      damages (list[Damage]): what could not be read so far, in the order in which it
          was found; the first of them, number_of_damages says how many there are.
      damaged_size (int): size in bytes of all that could not be read so far.
      file (_File): file.
      header (StructureView): rawheader.
      hertz (int): clock ticks per second or None if not valid.
      hostname (bytes): name of the host, up to the first dot.
      is_recovered (bool): True if the header is damaged and the layout was found by
          trying.
      layout (layouts.FileLayout): layout of the structures.
      number_of_damages (int): number of damages found so far.
      page_size (int): size of a memory page in bytes or None if not valid.
      support_flags (int): flags, see the SUPPORT constants.
      task_reader (_TaskReader): reader of the entries of process lists, None if their
          layout is not known.
      version (str): version of atop, such as "2.7".
      version_tuple (tuple[int, int]): version of atop, such as (2, 7).
    """

    _BYTE_ORDERS = {MAGIC_LITTLE_ENDIAN: "<", MAGIC_BIG_ENDIAN: ">"}

    # Size of the header of 1.23 and of all versions since 1.26.
    _HEADER_SIZES = (468, 480)

    _MAXIMUM_DAMAGES = 100

    # Clock ticks per second is 100 on nearly every machine type, 1024 on Alpha.
    _MAXIMUM_HERTZ = 10000

    _MAXIMUM_INTERVAL = (1 << 31) - 1

    # The kernel has at most 4194304 tasks, about as many may have exited.
    _MAXIMUM_NUMBER_OF_TASKS = 1 << 23

    _PAGE_SIZES = frozenset(1 << exponent for exponent in range(10, 23))

    # Flags that no version stores.
    _UNKNOWN_FLAGS = 0xFE02

    # A zlib stream starts with one of 32 pairs of bytes: deflate with a window of 256
    # bytes to 32 KiB, no dictionary, and a check of the two.
    _ZLIB_HEADER_RE = re.compile(
        b"|".join(
            re.escape(bytes([window << 4 | 8, second]))
            for window in range(8)
            for second in range(256)
            if not second & 0x20 and (((window << 4 | 8) << 8) | second) % 31 == 0
        )
    )

    _SCAN_SIZE = 1024 * 1024

    def __init__(self, file_object):
        """Initializes a log.

        Args:
          file_object (file): file-like object, of dfVFS or of Python.

        Raises:
          FormatError: if the file is not an atop raw log.
          UnsupportedError: if the file is an atop raw log of an unknown layout.
        """
        super().__init__()
        self.damaged_size = 0
        self.damages = []
        self.file = _File(file_object)
        self.header = None
        self.hertz = None
        self.is_recovered = False
        self.layout = None
        self.number_of_damages = 0
        self.page_size = None
        self.sstatlen = None
        self.support_flags = 0
        self.task_reader = None
        self.tstatlen = None
        self.unsupported_sizes = None
        self.version = None
        self.version_tuple = None

        self._ReadHeader()

        if self.layout.tstat:
            self.task_reader = _TaskReader(self.layout.tstat)

        # Searching for samples inflates what may be one. The bound keeps a file that is
        # nothing but beginnings of samples from taking more than linear time.
        self._number_of_searchable_bytes = 32 * self.file.size + 64 * 1024 * 1024

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

    def _FindSample(self, offset):
        """Searches for the next sample of which the system block or the tasks are whole.

        Args:
          offset (int): offset in bytes to search from.

        Returns:
          int: offset of the record of the sample in bytes, or None if there is no other.
        """
        record_size = self.layout.rawrecord.size

        while offset + record_size < self.file.size:
            data = self.file.Read(offset, self._SCAN_SIZE)

            # A zlib header follows the record.
            for match in self._ZLIB_HEADER_RE.finditer(data, record_size):
                candidate_offset = offset + match.start() - record_size
                sample = self._GetSample(candidate_offset)
                if not sample:
                    continue

                if any(block.IsIntact() for block in sample.GetBlocks()):
                    return candidate_offset

                self._number_of_searchable_bytes -= sum(
                    block.inflated_size for block in sample.GetBlocks()
                )
                if self._number_of_searchable_bytes < 0:
                    return None

            # The last record_size bytes are searched again, as a record may start there.
            # Where the file cannot be read there is nothing to be searched.
            offset += max(len(data), self._SCAN_SIZE) - record_size - 1

        return None

    def _GetSample(self, offset):
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

        record_class, unpacker = _CreateRecordClass(self.layout.rawrecord)
        record = record_class._make(unpacker.unpack(data))
        if (
            record.flags & self._UNKNOWN_FLAGS
            or record.interval > self._MAXIMUM_INTERVAL
            or self.GetNumberOfTasks(record) > self._MAXIMUM_NUMBER_OF_TASKS
            or record.nexit > self.GetNumberOfTasks(record)
        ):
            return None

        sample = Sample(self, offset, record)
        if not all(block.IsPlausible() for block in sample.GetBlocks()):
            return None

        return sample

    def _IsSampleAt(self, offset):
        """Determines if a sample or the end of the file is at an offset.

        Args:
          offset (int): offset in bytes.

        Returns:
          bool: True if there is.
        """
        if offset >= self.file.size:
            return offset == self.file.size

        sample = self._GetSample(offset)
        if not sample:
            return False

        data = self.file.Read(sample.system_block.offset, 2)
        return bool(self._ZLIB_HEADER_RE.match(data)) or sample.tasks_block.IsIntact()

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
        is_atop = bool(aversion & 0x8000) and rawheadlen in self._HEADER_SIZES
        version = f"{(aversion >> 8) & 0x7F:d}.{aversion & 0xFF:d}"

        cstatlen = None
        if rawheadlen != self._HEADER_SIZES[0]:
            sstatlen, tstatlen = struct.unpack_from(f"{byte_order:s}2I", data, 28)
            (cstatlen,) = struct.unpack_from(f"{byte_order:s}i", data, 456)

        if is_atop:
            self.layout = layouts.FindFileLayout(
                version, byte_order, rawreclen, tstatlen, sstatlen, cstatlen
            )

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

        self.header = _CreateViewClass(self.layout.rawheader)(data)

        known_version = self.layout.version.partition("-")[0]
        self.version_tuple = tuple(map(int, known_version.split(".")))
        if known_version == version:
            self.version = version

        if self.layout.sstat:
            sstatlen = self.layout.sstat.size
        if self.layout.tstat:
            tstatlen = self.layout.tstat.size
        self.sstatlen = sstatlen
        self.tstatlen = tstatlen

        self.support_flags = self.header.supportflags

        # Without these ticks and pages cannot be converted.
        if 0 < self.header.hertz <= self._MAXIMUM_HERTZ:
            self.hertz = self.header.hertz
        if self.header.pagesize in self._PAGE_SIZES:
            self.page_size = self.header.pagesize
        if not self.is_recovered and not (self.hertz and self.page_size):
            self.AddDamage(0, self.layout.rawheader.size, DAMAGE_HEADER)

    def _RecoverLayout(self, byte_order, version):
        """Determines the layout of a file by its first two samples.

        Args:
          byte_order (str): "<" or ">".
          version (str): version that the damaged header has, which is preferred.

        Returns:
          FileLayout: the oldest layout whose sizes are exactly those of the blocks of
              two consecutive samples, or None if there is no such layout. The oldest
              claims least: what a later version only renamed cannot be told by size.
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
                    sample = self._GetSample(offset)
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

    def AddDamage(self, offset, size, reason):
        """Adds a part of the file that could not be read.

        Args:
          offset (int): offset in bytes.
          size (int): size in bytes.
          reason (str): one of the DAMAGE constants.
        """
        self.damaged_size += size
        self.number_of_damages += 1
        if self.number_of_damages <= self._MAXIMUM_DAMAGES:
            self.damages.append(Damage(offset, size, reason))

    def GetNumberOfTasks(self, record):
        """Determines the number of entries in a process list.

        Args:
          record (tuple): values of the record.

        Returns:
          int: number of entries.
        """
        return record.nlist if record.ndeviat is None else record.ndeviat

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

        What is damaged is skipped and added to damages before the next sample.

        Yields:
          Sample: sample, of which the system block or the process list may be damaged.
              It can be used until the next one is asked for.
        """
        offset = self.layout.rawheader.size

        while offset < self.file.size:
            sample = self._GetSample(offset)

            # First what comes first, so that the file is read in one direction.
            if sample:
                sample.tasks_block.IsIntact()

            # Where the next sample is where it must be, what is damaged in this one is
            # known when it is used.
            if sample and (self._IsSampleAt(sample.end_offset) or sample.IsIntact()):
                if self.layout.tstat and not sample.has_tasks:
                    sample.AddDamage(sample.tasks_block, DAMAGE_TASKS)
                offset = sample.end_offset
                yield sample
                sample.Release()
                continue

            damage_offset = offset
            intact_offset = None
            is_cut = self.file.size - offset < self.layout.rawrecord.size
            reason = DAMAGE_RECORD

            if sample:
                # Something cut the sample, the blocks before that can be used.
                is_cut = sample.end_offset > self.file.size
                for block in sample.GetBlocks():
                    if block.IsIntact():
                        intact_offset = block.end_offset

                if intact_offset:
                    damage_offset = intact_offset
                    reason = DAMAGE_TASKS
                    if sample.tasks_block.IsIntact():
                        reason = DAMAGE_CGROUPS

            next_offset = self._FindSample(intact_offset or offset + 1)
            if next_offset is None:
                next_offset = self.file.size
                if self._number_of_searchable_bytes < 0:
                    reason = DAMAGE_UNSEARCHED
                elif is_cut:
                    # The log is still being written, or was then.
                    damage_offset = offset
                    reason = DAMAGE_LAST_SAMPLE

            self.AddDamage(damage_offset, next_offset - damage_offset, reason)
            offset = next_offset

            if intact_offset:
                sample.is_damaged = reason != DAMAGE_LAST_SAMPLE
                sample.DropBlocks(intact_offset)
                yield sample
                sample.Release()
