"""Builder of atop raw logs.

Makes logs of any version and machine type from values of the members of their
structures, for cases without a real log. Tests compare the layouts that it uses with
those of C compilers.
"""

import collections
import itertools
import struct
import zlib

from plaso_atop import layouts

_MAGIC = 0xFEEDBEEF

# Flags of a record.
FLAG_BOOT = 0x0001
FLAG_NETATOP = 0x0004
FLAG_NETATOPD = 0x0008
FLAG_ACCOUNTING = 0x0010
FLAG_IOSTAT = 0x0020
FLAG_CONTAINERS = 0x0040
FLAG_GPU = 0x0080
FLAG_CGROUPS = 0x0100

# Bit of an exit status for a task that the sample before does not have.
IS_NEW = -(1 << 31)

# Time of a sample, in seconds since the Epoch.
T0 = 1795225000

# Up to 2.2-3 the flags in the header say what was recorded: process accounting and
# disk transfers of processes. Since 2.2.6 all of these are set, and the flags in the
# record say it.
_OLD_SUPPORT_FLAGS = 0x0005
_SUPPORT_FLAGS = 0x0035


Cgroup = collections.namedtuple("Cgroup", ["name", "parent", "pids", "values"])
Cgroup.__doc__ = """Cgroup to write.

Attributes:
  name (bytes): name, empty for the root.
  parent (int): index of the parent in the list of cgroups, -1 for the root.
  pids (list[int]): identifiers of the processes in the cgroup.
  values (dict[str, object]): values of the members of the cstat, see Pack.
"""


def _PackMembers(structure, values, data, offset):
    """Writes values of members into data.

    Args:
      structure (layouts.Structure): layout.
      values (dict[str, object]): values, see Pack.
      data (bytearray): data.
      offset (int): offset of the structure in the data in bytes.

    Raises:
      ValueError: if a value does not fit in its member.
    """
    for name, value in values.items():
        name, _, nested_name = name.partition(".")
        if nested_name:
            value = {nested_name: value}

        member = structure.members[name]
        elements = value if isinstance(value, (list, tuple)) else [value]
        if member.format == "s":
            if len(value) > member.count:
                raise ValueError(f"Value too large: {name:s}")
            start_offset = offset + member.offset
            end_offset = start_offset + member.count
            data[start_offset:end_offset] = value.ljust(member.count, b"\x00")
            continue

        if len(elements) > member.count:
            raise ValueError(f"Too many elements: {name:s}")

        for index, element in enumerate(elements):
            element_offset = offset + member.offset + index * member.size
            if member.structure:
                _PackMembers(member.structure, element, data, element_offset)
            else:
                struct.pack_into(
                    f"{structure.abi.byte_order:s}{member.format:s}",
                    data,
                    element_offset,
                    element,
                )


def Pack(structure, values):
    """Makes a structure.

    Args:
      structure (layouts.Structure): layout.
      values (dict[str, object]): values of members: int, float, bytes, for a structure
          such a dictionary, and for an array a list of its first elements. Instead of
          a dictionary in a dictionary there may be a name with dots, such as
          "cpu.all.utime". Other members are 0.

    Returns:
      bytes: data of the structure.

    Raises:
      KeyError: if the structure has no such member.
      ValueError: if a value does not fit in its member.
    """
    data = bytearray(structure.size)
    _PackMembers(structure, values, data, 0)
    return bytes(data)


def GetDistinctValues(structure, number_of_elements=2, first_value=1):
    """Makes values for all members of a structure, all different.

    Values of members that are a single byte or a letter repeat after a while.

    Args:
      structure (layouts.Structure): layout.
      number_of_elements (Optional[int]): number of elements that are given of an array.
      first_value (Optional[int]): value of the first member, each has one more.

    Returns:
      dict[str, object]: values per name of the member, see Pack. A text is the name of
          the member followed by the number that another member would have.
    """
    counter = itertools.count(first_value)

    def _GetElement(member):
        """Makes the value of an element of a member.

        Args:
          member (layouts.Member): member.

        Returns:
          object: value.
        """
        if member.structure:
            return _GetValues(member.structure)

        value = next(counter)
        if member.format == "s":
            number = (b"%d" % value)[-member.count :]
            return member.name.encode("ascii")[: member.count - len(number)] + number
        if member.format == "c":
            return b"%c" % (ord("A") + value % 26)
        if member.format == "f":
            return value + 0.25
        if member.size < 4:
            return value % (1 << (8 * member.size - 1))
        return value

    def _GetValues(structure):
        """Makes the values of a structure.

        Args:
          structure (layouts.Structure): layout.

        Returns:
          dict[str, object]: values per name of the member.
        """
        values = {}
        for name, member in structure.members.items():
            if member.count == 1 or member.format == "s":
                values[name] = _GetElement(member)
            else:
                values[name] = [
                    _GetElement(member)
                    for _ in range(min(number_of_elements, member.count))
                ]
        return values

    return _GetValues(structure)


class LogBuilder:
    """Builder of a raw log.

    Attributes:
      layout (layouts.FileLayout): layouts of the structures.
      version_tuple (tuple[int, int]): version in the header.
    """

    def __init__(self, version=layouts.VERSIONS[-1], abi=layouts.ABIS[0], **header):
        """Starts a log.

        Args:
          version (Optional[str]): version, one of layouts.VERSIONS.
          abi (Optional[layouts.ABI]): machine type.
          header (dict[str, object]): values of members of the header in place of the
              default ones, see Pack.
        """
        super().__init__()
        self.layout = layouts.GetFileLayout(version, abi)
        self.version_tuple = layouts.GetVersionTuple(version)

        major_version, minor_version = self.version_tuple
        is_old = self.version_tuple <= (2, 2)
        values = {
            "magic": _MAGIC,
            "aversion": 0x8000 | major_version << 8 | minor_version,
            "rawheadlen": self.layout.rawheader.size,
            "rawreclen": self.layout.rawrecord.size,
            "hertz": 100,
            "sstatlen": self.layout.sstat.size,
            "pagesize": 4096,
            "supportflags": _OLD_SUPPORT_FLAGS if is_old else _SUPPORT_FLAGS,
            "utsname": {
                "sysname": b"Linux",
                "nodename": b"host",
                "release": b"6.1.0-1-amd64",
                "version": b"#1 SMP",
                "machine": b"x86_64",
            },
        }
        has_pstat = "pstatlen" in self.layout.rawheader.members
        values["pstatlen" if has_pstat else "tstatlen"] = self.layout.tstat.size
        if self.layout.cstat:
            values["cstatlen"] = self.layout.cstat.size

        values.update(header)
        self._data = [Pack(self.layout.rawheader, values)]
        self._size = self.layout.rawheader.size

    def _Append(self, data):
        """Appends data to the log.

        Args:
          data (bytes): data.
        """
        self._data.append(data)
        self._size += len(data)

    def _GetCounts(self, tasks):
        """Counts the entries of a process list, as the record does.

        Args:
          tasks (list[bytes]): entries of the process list.

        Returns:
          dict[str, int]: values of members of the record.
        """
        offsets = {name: offset for name, offset, _ in self.layout.tstat.Flatten()}
        is_process_offset = offsets.get("gen.isproc")

        number_of_exited = 0
        number_of_processes = 0
        for data in tasks:
            state_offset = offsets["gen.state"]
            number_of_exited += data[state_offset : state_offset + 1] == b"E"
            number_of_processes += (
                is_process_offset is None or data[is_process_offset] != 0
            )

        number_of_alive = number_of_processes - number_of_exited
        if self.version_tuple < (1, 27):
            return {
                "nlist": len(tasks),
                "npresent": number_of_alive,
                "nexit": number_of_exited,
            }

        # Since 2.3 the exited processes are counted among the tasks and processes.
        is_old = self.version_tuple < (2, 3)
        return {
            "ndeviat": len(tasks),
            "nactproc": number_of_processes,
            "ntask": len(tasks) - number_of_exited if is_old else len(tasks),
            "totproc": number_of_alive if is_old else number_of_processes,
            "nexit": number_of_exited,
        }

    def _PackCgroups(self, cgroups):
        """Makes the cgroups and the list of their processes.

        Args:
          cgroups (list[Cgroup]): cgroups, parents before their children.

        Returns:
          tuple[bytes, bytes]: cgroups and list of processes.
        """
        structure = self.layout.cstat
        chain = []
        depths = []
        pids = []

        for sequence, cgroup in enumerate(cgroups):
            is_root = cgroup.parent < 0
            depths.append(0 if is_root else depths[cgroup.parent] + 1)

            # The root counts as one character. All but the last of 8 bytes may be
            # needed so that the next one is aligned.
            name_size = max(len(cgroup.name), 1) + 1
            size = -(-(structure.size + name_size) // 8) * 8

            data = Pack(
                structure,
                {
                    "gen.structlen": size,
                    "gen.sequence": sequence,
                    "gen.parentseq": cgroup.parent,
                    "gen.depth": depths[-1],
                    "gen.nprocs": len(cgroup.pids),
                    "gen.namelen": len(cgroup.name),
                    **cgroup.values,
                },
            )
            chain.append((data + cgroup.name).ljust(size, b"\x00"))
            pids.extend(cgroup.pids)

        byte_order = structure.abi.byte_order
        return b"".join(chain), struct.pack(f"{byte_order:s}{len(pids):d}i", *pids)

    def AddSample(
        self,
        curtime,
        interval=600,
        flags=0,
        system=None,
        tasks=(),
        cgroups=None,
        **record,
    ):
        """Adds a sample.

        Args:
          curtime (int): time of the sample in seconds since the Epoch.
          interval (Optional[int]): seconds since the previous sample.
          flags (Optional[int]): flags of the record, that for cgroups is set where
              there are some.
          system (Optional[bytes|dict[str, object]]): system block, or values of members
              of it, see Pack.
          tasks (Optional[list[dict[str, object]]]): values of members of the entries of
              the process list, see Pack.
          cgroups (Optional[list[Cgroup]]): cgroups, since 2.11.
          record (dict[str, object]): values of members of the record in place of the
              default ones.

        Returns:
          int: offset of the sample in bytes.
        """
        task_blocks = [Pack(self.layout.tstat, values) for values in tasks]
        blocks = [
            zlib.compress(
                system
                if isinstance(system, bytes)
                else Pack(self.layout.sstat, system or {})
            ),
            zlib.compress(b"".join(task_blocks)),
        ]
        values = {
            "curtime": curtime,
            "flags": flags,
            "interval": interval,
            "scomplen": len(blocks[0]),
            "pcomplen": len(blocks[1]),
            **self._GetCounts(task_blocks),
        }

        if cgroups:
            chain, pids = self._PackCgroups(cgroups)
            blocks.extend([zlib.compress(chain), zlib.compress(pids)])
            values.update(
                {
                    "flags": flags | FLAG_CGROUPS,
                    "ncgroups": len(cgroups),
                    "ccomplen": len(blocks[2]),
                    "coriglen": len(chain),
                    "ncgpids": len(pids) // 4,
                    "icomplen": len(blocks[3]),
                }
            )

        values.update(record)

        offset = self._size
        self._Append(Pack(self.layout.rawrecord, values))
        for block in blocks:
            self._Append(block)
        return offset

    def Build(self):
        """Retrieves the log as it is so far.

        Returns:
          bytes: contents of the file.
        """
        return b"".join(self._data)
