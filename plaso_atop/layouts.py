"""C structure layouts of atop raw logs.

atop writes its C structures to a raw log as they are in memory. Their members are
defined once, in atop.yaml; where a member stands, and how large a structure is, depends
on the version of atop and on the machine type (ABI) it was compiled for. This module
applies the layout rules that C compilers follow to the definitions:

* a member starts at the next multiple of its alignment;
* a structure is aligned as its most aligned member and its size is a multiple of that;
* the elements of an array follow each other without a gap.
"""

import bisect
import collections
import functools
import os
import re
import struct

import yaml

from dtfabric import data_types
from dtfabric import reader
from dtfabric import registry

_DEFINITION_FILE = os.path.join(os.path.dirname(__file__), "atop.yaml")


ABI = collections.namedtuple(
    "ABI", ["name", "byte_order", "long_size", "time_t_size", "int64_alignment"]
)
ABI.__doc__ = """What the layout of a C structure depends on.

Attributes:
  name (str): name.
  byte_order (str): "<" for little-endian or ">" for big-endian.
  long_size (int): size of a long in bytes.
  time_t_size (int): size of a time_t in bytes.
  int64_alignment (int): alignment of an 8-byte integer in bytes.
"""

# The 64-bit machine types have one layout, which includes x86-64, aarch64, ppc64el and
# riscv64, and big-endian s390x. 32-bit ones differ in the size of time_t and in the
# alignment of 8-byte integers: 4 on x86, 8 on ARM, MIPS and PowerPC.
ABIS = (
    ABI("64-bit little-endian", "<", 8, 8, 8),
    ABI("64-bit big-endian", ">", 8, 8, 8),
    ABI("i386", "<", 4, 4, 4),
    ABI("i386, 64-bit time_t", "<", 4, 8, 4),
    ABI("32-bit little-endian", "<", 4, 4, 8),
    ABI("32-bit little-endian, 64-bit time_t", "<", 4, 8, 8),
    ABI("32-bit big-endian", ">", 4, 4, 8),
    ABI("32-bit big-endian, 64-bit time_t", ">", 4, 8, 8),
)

_Version = collections.namedtuple(
    "_Version", ["name", "rawheader", "rawrecord", "tstat", "sstat", "cstat"]
)
_Version.__doc__ = """Version of atop and the versions that introduced its structures.

Attributes:
  name (str): name of the version, as in the header of the file except for what follows
      a dash: 2.2-3 and 2.2.6 write 2.2 there.
  rawheader (str): version that introduced the header of the file.
  rawrecord (str): version that introduced the header of a sample.
  tstat (str): version that introduced the entry of the process list.
  sstat (str): version that introduced the system block.
  cstat (str): version that introduced the cgroup, None if there are no cgroups.
"""

_VERSIONS = (
    _Version("1.23", "1.23", "1.23", "1.23", "1.23", None),
    _Version("1.26", "1.26", "1.26", "1.26", "1.26", None),
    _Version("1.27", "1.27", "1.27", "1.27", "1.27", None),
    _Version("2.0", "1.27", "1.27", "2.0", "2.0", None),
    _Version("2.1", "1.27", "1.27", "2.1", "2.1", None),
    _Version("2.2", "1.27", "1.27", "2.2", "2.2", None),
    _Version("2.2-3", "1.27", "1.27", "2.2", "2.2-3", None),
    _Version("2.3", "1.27", "1.27", "2.3", "2.2-3", None),
    _Version("2.4", "1.27", "1.27", "2.4", "2.4", None),
    _Version("2.5", "1.27", "1.27", "2.4", "2.4", None),
    _Version("2.6", "1.27", "1.27", "2.6", "2.6", None),
    _Version("2.7", "1.27", "1.27", "2.6", "2.7", None),
    _Version("2.8", "2.8", "1.27", "2.8", "2.8", None),
    _Version("2.9", "2.8", "1.27", "2.9", "2.8", None),
    _Version("2.10", "2.8", "2.10", "2.10", "2.10", None),
    _Version("2.11", "2.11", "2.11", "2.11", "2.11", "2.11"),
    _Version("2.12", "2.11", "2.11", "2.11", "2.11", "2.11"),
    _Version("2.13", "2.11", "2.11", "2.13", "2.13", "2.11"),
)

VERSIONS = tuple(row.name for row in _VERSIONS)


class Member:
    """Member of a structure.

    Attributes:
      count (int): number of elements, 1 if the member is not an array or a text.
      format (str): format of an element in terms of the struct module, or None if
          the element is a structure.
      name (str): name.
      offset (int): offset in bytes relative to the start of the structure.
      size (int): size of an element in bytes.
      structure (Structure): layout of an element, or None if it is not a structure.
      unpacker (struct.Struct): unpacks the elements, or None if these are structures.
    """

    __slots__ = ("count", "format", "name", "offset", "size", "structure", "unpacker")

    def __init__(
        self, name, offset, size, count, element_format, structure, byte_order
    ):
        """Initializes a member.

        Args:
          name (str): name.
          offset (int): offset in bytes relative to the start of the structure.
          size (int): size of an element in bytes.
          count (int): number of elements.
          element_format (str): format of an element or None.
          structure (Structure): layout of an element or None.
          byte_order (str): byte order in terms of the struct module.
        """
        self.count = count
        self.format = element_format
        self.name = name
        self.offset = offset
        self.size = size
        self.structure = structure
        self.unpacker = None

        if element_format:
            self.unpacker = struct.Struct(f"{byte_order:s}{count:d}{element_format:s}")


class Structure:
    """Layout of a structure.

    Attributes:
      abi (ABI): machine type.
      alignment (int): alignment in bytes.
      members (dict[str, Member]): members per name, in C order.
      name (str): name of the definition in atop.yaml.
      size (int): size in bytes.
    """

    def __init__(self, name, abi):
        """Initializes an empty layout.

        Args:
          name (str): name of the definition.
          abi (ABI): machine type.
        """
        super().__init__()
        self.abi = abi
        self.alignment = 1
        self.members = {}
        self.name = name
        self.size = 0

    def _AddMember(self, name, size, alignment, count, element_format, structure):
        """Adds a member where the C rules put it.

        Args:
          name (str): name.
          size (int): size of an element in bytes.
          alignment (int): alignment in bytes.
          count (int): number of elements.
          element_format (str): format of an element or None.
          structure (Structure): layout of an element or None.
        """
        offset = -(-self.size // alignment) * alignment
        self.members[name] = Member(
            name, offset, size, count, element_format, structure, self.abi.byte_order
        )
        self.alignment = max(self.alignment, alignment)
        self.size = offset + size * count

    def Flatten(self):
        """Retrieves the members, those of nested structures included.

        The members of an array of structures are those of its first element.

        Yields:
          tuple[str, int, Member]: name of the member, with the names of the structures
              that it is nested in before it, separated by dots; its offset in bytes
              relative to the start of this structure; and the member.
        """
        for member in self.members.values():
            yield member.name, member.offset, member
            if member.structure:
                for name, offset, nested_member in member.structure.Flatten():
                    yield f"{member.name}.{name}", member.offset + offset, nested_member

    def GetUnpacker(self, names):
        """Retrieves an unpacker of members of the structure.

        Only the named members are unpacked, the others are skipped.

        Args:
          names (Container[str]): names of the members, as Flatten gives them, that
              are no structures. Names that the structure lacks are passed over.

        Returns:
          tuple[struct.Struct, list[str]]: unpacker of the size of the structure and
              the names of the values it gives, in the order of their offset. Text
              members and arrays of characters are given as bytes, with what follows
              the first NUL; numbers as int or float.

        Raises:
          ValueError: if a named member is an array of numbers or a structure.
        """
        end_offset = 0
        formats = [self.abi.byte_order]
        found_names = []

        for name, offset, member in self.Flatten():
            if name not in names:
                continue

            if member.structure or (member.count > 1 and member.format != "s"):
                raise ValueError(f"Unable to unpack member: {name:s}")

            if offset > end_offset:
                formats.append(f"{offset - end_offset:d}x")
            if member.format == "s":
                formats.append(f"{member.count:d}s")
            else:
                formats.append(member.format)

            end_offset = offset + member.size * member.count
            found_names.append(name)

        formats.append(f"{self.size - end_offset:d}x")
        return struct.Struct("".join(formats)), found_names


class FileLayout(
    collections.namedtuple(
        "FileLayout",
        ["version", "abi", "rawheader", "rawrecord", "tstat", "sstat", "cstat"],
    )
):
    """Layouts of the structures in a file.

    Attributes:
      version (str): version of atop, as in VERSIONS.
      abi (ABI): machine type.
      rawheader (Structure): header of the file.
      rawrecord (Structure): header of a sample.
      tstat (Structure): entry of the process list, None if its size is unknown.
      sstat (Structure): system block, None if its size is unknown.
      cstat (Structure): cgroup without its name, None if the version has no cgroups
          or if its size is unknown.
    """

    __slots__ = ()


class _DefinitionsReader(reader.DataTypeDefinitionsFileReader):
    """Reader of dtFabric definitions, with libyaml where PyYAML has it.

    dtFabric's own reader uses PyYAML's parser in Python, which takes 8 times as long.
    """

    _LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    def ReadFileObject(self, definitions_registry, file_object):
        """Reads definitions.

        Args:
          definitions_registry (dtfabric.DataTypeDefinitionsRegistry): registry.
          file_object (file or str): file-like object or text.
        """
        for values in yaml.load_all(file_object, Loader=self._LOADER):
            definitions_registry.RegisterDefinition(
                self._ReadDefinition(definitions_registry, values)
            )


class _DefinitionsRegistry(registry.DataTypeDefinitionsRegistry):
    """Definitions in atop.yaml. Each one is read when it is first asked for.

    A version needs about a third of them. What a definition refers to is asked for when
    it is read.
    """

    _MEMBER_RE = re.compile(r"^- {name: (\w+), .*data_type: (\w+)", re.MULTILINE)

    def __init__(self):
        """Initializes a registry."""
        super().__init__()
        self._documents = {}
        self._reader = _DefinitionsReader()

        with open(_DEFINITION_FILE, encoding="utf-8") as file_object:
            _, *documents = file_object.read().split("\n---\n")
        for document in documents:
            name = document.partition("\n")[0].partition("name: ")[2]
            self._documents[name] = document

    def GetDefinitionByName(self, name):
        """Retrieves a definition.

        Args:
          name (str): name of the definition.

        Returns:
          dtfabric.DataTypeDefinition: definition or None if there is none.
        """
        definition = super().GetDefinitionByName(name)
        if definition is None and name in self._documents:
            self._reader.ReadFileObject(self, self._documents[name])
            definition = super().GetDefinitionByName(name)
        return definition

    def GetMemberNames(self, name):
        """Retrieves the names of the members of a structure without reading it.

        Args:
          name (str): name of the definition.

        Yields:
          str: name of a member, those of nested structures included, as
              Structure.Flatten gives it.
        """
        members = self._MEMBER_RE.findall(self._documents[name])
        for member_name, data_type in members:
            yield member_name
            for nested_name in self.GetMemberNames(data_type):
                yield f"{member_name:s}.{nested_name:s}"


class _StructureBuilder:
    """Computes layouts from the definitions in atop.yaml.

    Attributes:
      registry (dtfabric.DataTypeDefinitionsRegistry): definitions.
    """

    _INTEGER_FORMATS = {1: "b", 2: "h", 4: "i", 8: "q"}

    def __init__(self, definitions_registry):
        """Initializes a builder.

        Args:
          definitions_registry (dtfabric.DataTypeDefinitionsRegistry): definitions.
        """
        super().__init__()
        self._structures = {}
        self.registry = definitions_registry

    def _GetElement(self, definition, abi):
        """Determines how a value of a data type is stored.

        Args:
          definition (dtfabric.DataTypeDefinition): data type definition.
          abi (ABI): machine type.

        Returns:
          tuple[int, int, str, Structure]: size and alignment in bytes, format in terms
              of the struct module and structure layout. Either of the last two is
              None.
        """
        if isinstance(definition, data_types.StructureDefinition):
            structure = self.Build(definition.name, abi)
            return structure.size, structure.alignment, None, structure

        if isinstance(definition, data_types.CharacterDefinition):
            return 1, 1, "c", None

        if isinstance(definition, data_types.FloatingPointDefinition):
            return definition.size, definition.size, "f", None

        size = definition.GetByteSize()
        if size is None:
            size = abi.time_t_size if definition.name == "time_t" else abi.long_size

        element_format = self._INTEGER_FORMATS[size]
        if definition.format == "unsigned":
            element_format = element_format.upper()

        alignment = abi.int64_alignment if size == 8 else size
        return size, alignment, element_format, None

    def Build(self, name, abi):
        """Computes the layout of a structure.

        Args:
          name (str): name of the definition.
          abi (ABI): machine type.

        Returns:
          Structure: layout.
        """
        structure = self._structures.get((name, abi))
        if structure:
            return structure

        structure = Structure(name, abi)
        for member in self.registry.GetDefinitionByName(name).members:
            count = 1
            definition = member
            if isinstance(member, data_types.StreamDefinition):
                count = member.elements_data_size
                size, alignment, element_format, nested = 1, 1, "s", None
            else:
                if isinstance(member, data_types.SequenceDefinition):
                    count = member.number_of_elements
                    definition = member.element_data_type_definition
                else:
                    definition = member.member_data_type_definition
                size, alignment, element_format, nested = self._GetElement(
                    definition, abi
                )

            # pylint: disable=protected-access
            structure._AddMember(
                member.name, size, alignment, count, element_format, nested
            )

        structure.size = -(-structure.size // structure.alignment) * structure.alignment

        self._structures[(name, abi)] = structure
        return structure


@functools.lru_cache(maxsize=None)
def _GetBuilder():
    """Retrieves the builder, which opens atop.yaml when it is first needed.

    Returns:
      _StructureBuilder: builder.
    """
    return _StructureBuilder(_DefinitionsRegistry())


def _GetDefinitionName(name, version):
    """Determines the name of the definition of a structure.

    Args:
      name (str): name of the structure, such as "tstat".
      version (str): version that introduced it, such as "2.10".

    Returns:
      str: name of the definition, such as "tstat_2_10".
    """
    return f"{name:s}_{version.replace('.', '_').replace('-', '_'):s}"


@functools.lru_cache(maxsize=None)
def GetFileLayout(version, abi):
    """Retrieves the layouts of the structures of a version.

    Args:
      version (str): version of atop, one of VERSIONS.
      abi (ABI): machine type.

    Returns:
      FileLayout: layouts.

    Raises:
      KeyError: if the version is not known.
    """
    for row in _VERSIONS:
        if row.name == version:
            break
    else:
        raise KeyError(f"Unknown version: {version!s}")

    builder = _GetBuilder()
    structures = {
        name: introduced and builder.Build(_GetDefinitionName(name, introduced), abi)
        for name, introduced in zip(_Version._fields[1:], row[1:])
    }
    return FileLayout(version, abi, **structures)


def GetMemberNames(name):
    """Retrieves the names of the members that a structure has in any version.

    Args:
      name (str): name of the structure, one of those that FileLayout has.

    Returns:
      set[str]: names of the members, those of nested structures included, as
          Structure.Flatten gives them.
    """
    definitions = _GetBuilder().registry
    versions = {getattr(row, name) for row in _VERSIONS} - {None}
    return {
        member_name
        for version in versions
        for member_name in definitions.GetMemberNames(_GetDefinitionName(name, version))
    }


@functools.lru_cache(maxsize=128)
def GetVersionTuple(version):
    """Retrieves the numbers of a version.

    Args:
      version (str): version, one of VERSIONS or another one of that form.

    Returns:
      tuple[int, int]: numbers, such as (2, 10).
    """
    return tuple(map(int, version.partition("-")[0].split(".")))


def _GetVersionsByDistance(version):
    """Retrieves the known versions, the nearest first.

    Args:
      version (str): version in a header, such as "2.10", which may not be known.

    Returns:
      list[str]: versions, of two that are as near the later first: atop in development
          has the number of the release before it.
    """
    version_tuple = GetVersionTuple(version)
    known_versions = sorted({GetVersionTuple(known) for known in VERSIONS})
    position = bisect.bisect_left(known_versions, version_tuple)
    if version_tuple not in known_versions:
        position -= 0.5

    def _GetDistance(known):
        """Retrieves the key to sort by."""
        distance = known_versions.index(GetVersionTuple(known)) - position
        return abs(distance), -distance

    return sorted(VERSIONS, key=_GetDistance)


def FindFileLayout(version, byte_order, rawreclen, tstatlen, sstatlen, cstatlen=None):
    """Determines the layout of a file by the sizes in its header.

    Sizes have to be equal, no size is guessed. Development versions of atop carry the
    number of the release before them, mostly with the structures of the next one, and a
    later version may have the structures of a known one: where the sizes are not those
    of the version itself, they are those of the nearest version that has all of them.

    Args:
      version (str): version in the header, such as "2.10".
      byte_order (str): "<" or ">".
      rawreclen (int): size of a rawrecord in bytes.
      tstatlen (int): size of a tstat (pstat before 1.27) in bytes.
      sstatlen (int): size of a sstat in bytes.
      cstatlen (Optional[int]): size of a cstat in bytes, not used before 2.11.

    Returns:
      FileLayout: layouts. The tstat, sstat and cstat are None where no version
          has all sizes and theirs is not that of the version in the header; or None if
          that of the rawrecord is not.
    """
    partial_layout = None
    partial_score = -1

    for candidate in _GetVersionsByDistance(version):
        for abi in ABIS:
            if abi.byte_order != byte_order:
                continue

            layout = GetFileLayout(candidate, abi)
            if layout.rawrecord.size != rawreclen:
                continue

            has_tstat = layout.tstat.size == tstatlen
            has_sstat = layout.sstat.size == sstatlen
            has_cstat = layout.cstat is not None and layout.cstat.size == cstatlen
            if has_tstat and has_sstat and (has_cstat or layout.cstat is None):
                return layout

            if candidate.partition("-")[0] != version:
                continue

            # Tasks are worth more than system blocks, those more than cgroups.
            score = 4 * has_tstat + 2 * has_sstat + has_cstat
            if score > partial_score:
                partial_score = score
                partial_layout = layout._replace(
                    tstat=layout.tstat if has_tstat else None,
                    sstat=layout.sstat if has_sstat else None,
                    cstat=layout.cstat if has_cstat else None,
                )

    return partial_layout
