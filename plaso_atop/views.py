"""Structures of a log as Python objects: records, tasks and system blocks."""

import collections
import functools
import itertools
import operator

from plaso_atop import layouts


def GetText(value):
    """Retrieves a C string.

    Args:
      value (bytes): array of characters.

    Returns:
      bytes: characters before the first NUL.
    """
    return value.partition(b"\x00")[0]


class StructureView:
    """Structure in inflated data, whose members are attributes with their C names.

    A member that the version does not have is None. A nested structure is a
    StructureView, and an array of structures is an iterator of those. Text is bytes up
    to the first NUL.
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


def _GetViewProperty(member, view_class=None):
    """Creates a property that reads a member of a structure.

    Args:
      member (layouts.Member): member.
      view_class (Optional[type]): class of the views of a member that is a structure,
          None for that of its layout.

    Returns:
      property: property.
    """
    # pylint: disable=protected-access
    count = member.count
    offset = member.offset

    if member.structure:
        size = member.size
        view_class = view_class or CreateViewClass(member.structure)
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
            lambda view: GetText(unpack_from(view._data, view._offset + offset)[0])
        )
    if count == 1:
        return property(lambda view: unpack_from(view._data, view._offset + offset)[0])
    return property(lambda view: unpack_from(view._data, view._offset + offset))


@functools.lru_cache(maxsize=None)
def CreateViewClass(structure):
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


# Members of the memory that have another name since 2.10, and their name before.
_FORMER_NAMES = {
    "sfreehugepage": "freehugepage",
    "shugepagesz": "hugepagesz",
    "stothugepage": "tothugepage",
}


@functools.lru_cache(maxsize=None)
def CreateConvertedViewClass(structure, original_structure):
    """Creates the class of the views of a structure that atopconvert has written.

    Args:
      structure (layouts.Structure): layout in the file.
      original_structure (layouts.Structure): layout in the version that recorded it.

    Returns:
      type: class. Where that version lacks a member, the 0 that atopconvert writes is
          None.
    """
    view_class = CreateViewClass(structure)
    attributes = {"__slots__": ()}

    for name, member in structure.members.items():
        original_member = original_structure.members.get(
            name
        ) or original_structure.members.get(_FORMER_NAMES.get(name))
        if original_member and member.structure:
            attributes[name] = _GetViewProperty(
                member,
                CreateConvertedViewClass(member.structure, original_member.structure),
            )
        elif not original_member and not member.structure:
            attributes[name] = _GetPropertyWithoutZero(getattr(view_class, name))

    return type("StructureView", (view_class,), attributes)


def _GetPropertyWithoutZero(member_property):
    """Creates a property of a member that was not recorded if it is 0.

    Args:
      member_property (property): property of the member.

    Returns:
      property: property, None in place of 0.
    """
    return property(lambda instance: member_property.fget(instance) or None)


@functools.lru_cache(maxsize=None)
def CreateShiftedViewClass(structure, original_structure):
    """Creates the class of the views of a converted sstat with shifted counters.

    atopconvert 2.8 to 2.10 copied the network counters of logs up to 2.7 unchanged to a
    structure that has one more in their middle. They are those of the original, where
    those of the structure begin.

    Source: issue 308 of atop, and logs that these versions converted.

    Args:
      structure (layouts.Structure): layout of a sstat of 2.8 to 2.10.
      original_structure (layouts.Structure): layout of the sstat in the version that
          recorded the sample.

    Returns:
      type: class.
    """
    offset = structure.members["net"].offset
    net_class = CreateViewClass(original_structure.members["net"].structure)

    # pylint: disable=protected-access
    net = property(lambda view: net_class(view._data, view._offset + offset))
    base_class = CreateConvertedViewClass(structure, original_structure)
    return type("StructureView", (base_class,), {"__slots__": (), "net": net})


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
        return GetText(value) if isinstance(value, bytes) else value

    return property(_Unpack)


# Members that nearly every task is asked for are unpacked at once, the rest on demand.
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


# Members in which atopconvert leaves remains, or figures of another meaning, where the
# version that recorded the task lacks them.
_REMAINS = frozenset(
    ["cpu.nivcsw", "cpu.nvcsw", "gpu.gpubusycum", "gpu.membusycum", "gpu.type"]
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
    """Determines if a member is reserved: its contents are undefined.

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
def CreateValuesClass(class_name, structure):
    """Creates the class of the values of a structure, without reserved members.

    Args:
      class_name (str): name of the class.
      structure (layouts.Structure): layout.

    Returns:
      tuple[type, struct.Struct]: class, a tuple with named values, and unpacker of its
          values. The name of a nested member starts with that of its structure.
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
def CreatePlaceClass(structure):
    """Creates the class of the values of a cgroup that say where it stands.

    Args:
      structure (layouts.Structure): layout of the cstat.

    Returns:
      tuple[type, struct.Struct]: class, a tuple with named values, and unpacker of its
          values.
    """
    unpacker, names = structure.GetUnpacker(
        ["gen.structlen", "gen.parentseq", "gen.nprocs", "gen.namelen"]
    )
    names = [name.partition(".")[2] for name in names]
    return collections.namedtuple("Place", names), unpacker


@functools.lru_cache(maxsize=None)
def CreateRecordClass(structure):
    """Creates the class of the records of a layout.

    Args:
      structure (layouts.Structure): layout of the rawrecord.

    Returns:
      tuple[type, struct.Struct]: class, a tuple with named values, None for members of
          other versions; and unpacker of its values.
    """
    # pylint: disable=protected-access
    values_class, unpacker = CreateValuesClass("Record", structure)
    other_names = _GetRecordNames().difference(values_class._fields)
    attributes = {"__slots__": (), **dict.fromkeys(other_names)}
    return type("Record", (values_class,), attributes), unpacker


# Made for every layout like the classes of dtFabric and named tuples, as the members
# are only known then. To make a task and to read 24 attributes of it takes 1.1 us, of a
# named tuple 1.5 us, and where each attribute is set by itself 3.0 us (Python 3.11).
_TASK_CONSTRUCTOR = """\
def __init__(self, values, entry):
    {members:s} = values
    self.cmdline = self.cmdline.partition(b"\\x00")[0]
    self.entry = entry
    self.name = self.name.partition(b"\\x00")[0]
"""


@functools.lru_cache(maxsize=None)
def _CreateTaskClass(structure, original_structure):
    """Creates the class of the tasks of a layout.

    Args:
      structure (layouts.Structure): layout of the tstat.
      original_structure (layouts.Structure): layout of the tstat in the version that
          recorded the tasks.

    Returns:
      tuple[type, struct.Struct]: class, and unpacker of the values that its constructor
          takes before the entry itself.
    """
    unpacker, member_names = structure.GetUnpacker(_TASK_MEMBERS)
    names = [_GetTaskName(name) for name in member_names]

    # Reading a slot is faster than reading a value of a named tuple.
    attributes = {"__slots__": (*names, "entry")}
    original_names = {name for name, _, _ in original_structure.Flatten()}
    for name, _, member in structure.Flatten():
        task_name = _GetTaskName(name)
        if member.structure or name in member_names or _IsReserved(task_name):
            continue

        is_recorded = name in original_names
        if is_recorded or name not in _REMAINS:
            task_property = _GetUnpackedProperty(structure, name)
            if not is_recorded:
                task_property = _GetPropertyWithoutZero(task_property)
            attributes[task_name] = task_property

    attributes.update(dict.fromkeys(_GetTaskNames().difference(attributes, names)))

    members = ", ".join(f"self.{name:s}" for name in names)
    exec(  # pylint: disable=exec-used
        _TASK_CONSTRUCTOR.format(members=members), {}, attributes
    )
    return type("Task", (), attributes), unpacker


class TaskReader:
    """Reader of the entries of process lists.

    Most tasks do nothing in an interval, so their entry is equal to that of an earlier
    sample. Such an entry is not unpacked again, it is the same task. Before 2.3 tasks
    without activity were not stored.
    """

    # All entries of a process list that is small enough to be shared fit.
    _MAXIMUM_NUMBER_OF_TASKS = 4096

    def __init__(self, structure, original_structure):
        """Initializes a reader.

        Args:
          structure (layouts.Structure): layout of the tstat.
          original_structure (layouts.Structure): layout of the tstat in the version
              that recorded the entries, another one if atopconvert has written them.
        """
        super().__init__()
        self._class, self._unpacker = _CreateTaskClass(structure, original_structure)
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
          selector (Optional[str]): name of the member of gen that selects the entries
              to read. All are read if this is None, or if the version has no such
              member.
          is_set (Optional[bool]): True if the member must not be 0, False if it must.
          is_shared (Optional[bool]): True if the entry of an inactive task that was
              read before is to be the same task.

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

                # Active and exited tasks are not the same again.
                # pylint: disable-next=no-member
                if is_shared and task.wasinactive:
                    task_per_key[key] = task

            tasks.append(task)

        return tasks
