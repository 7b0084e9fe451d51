#!/usr/bin/env python
"""Writes test_data/layouts.json.gz: what C compilers make of atop's structures.

It compiles the file of atop's source that writes raw logs, for every version and
machine type, and reads the layouts from the debug information. No code of atop is run,
and nothing of plaso_atop is used. It needs git, the environment of the tests, and a
clone of https://github.com/Atoptool/atop. The compilers are those of Debian:

  apt install gcc gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf gcc-i686-linux-gnu \\
      gcc-powerpc64le-linux-gnu gcc-s390x-linux-gnu

The layouts of a version without a commit, or of a machine type without a compiler, stay
as they are. The script names them.
"""

import argparse
import collections
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

from elftools.elf import elffile

PROJECT_PATH = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))

LAYOUTS_PATH = os.path.join(PROJECT_PATH, "test_data", "layouts.json.gz")

# Names of a structure in C. The entry of the process list was a pstat before 1.27.
STRUCTURES = {
    "rawheader": ("rawheader",),
    "rawrecord": ("rawrecord",),
    "tstat": ("tstat", "pstat"),
    "sstat": ("sstat",),
    "cstat": ("cstat",),
}

# Commits of versions that have no tag, with the structures of the release.
UNTAGGED_COMMITS = {"1.27": "826caaf", "2.0": "8f5f6cc"}

_TIME32 = ("-U_TIME_BITS", "-U_FILE_OFFSET_BITS")
_TIME64 = ("-D_TIME_BITS=64", "-D_FILE_OFFSET_BITS=64")

Compiler = collections.namedtuple("Compiler", ["program", "options"])
Compiler.__doc__ = """C compiler of a machine type.

Attributes:
  program (str): name of the program.
  options (tuple[str, ...]): options to compile for the machine type.
"""

COMPILERS = {
    "x86_64": Compiler("x86_64-linux-gnu-gcc", ()),
    "aarch64": Compiler("aarch64-linux-gnu-gcc", ()),
    "ppc64el": Compiler("powerpc64le-linux-gnu-gcc", ()),
    "s390x": Compiler("s390x-linux-gnu-gcc", ()),
    "i386": Compiler("i686-linux-gnu-gcc", _TIME32),
    "i386-t64": Compiler("i686-linux-gnu-gcc", (*_TIME32, *_TIME64)),
    "armhf": Compiler("arm-linux-gnueabihf-gcc", _TIME32),
    "armhf-t64": Compiler("arm-linux-gnueabihf-gcc", (*_TIME32, *_TIME64)),
}

# The headers of zlib are not installed for other machine types. No structure of atop
# has a type of zlib.
_ZLIB_HEADER = """
typedef unsigned char Byte;
typedef unsigned long uLong, uLongf;
enum {
    Z_OK, Z_STREAM_END, Z_NEED_DICT, Z_ERRNO, Z_STREAM_ERROR, Z_DATA_ERROR,
    Z_MEM_ERROR, Z_BUF_ERROR, Z_VERSION_ERROR
};
int compress(), uncompress();
"""

_ENCODING_FLOAT = 4
_ENCODING_SIGNED = 5
_ENCODING_SIGNED_CHARACTER = 6
_ENCODING_UNSIGNED_CHARACTER = 8


class Error(Exception):
    """A layout that cannot be made."""


class DebugInformation:
    """Debug information (DWARF) of an object file.

    Attributes:
      abi (dict[str, object]): byte order, size of a long and size of a time_t.
    """

    def __init__(self, data):
        """Initializes debug information.

        Args:
          data (bytes): object file.
        """
        super().__init__()
        elf_file = elffile.ELFFile(io.BytesIO(data))
        self._structures = {}
        time_t = None
        for unit in elf_file.get_dwarf_info().iter_CUs():
            for entry in unit.get_top_DIE().iter_children():
                name = self._GetName(entry)
                if (
                    entry.tag == "DW_TAG_structure_type"
                    and name
                    and ("DW_AT_byte_size" in entry.attributes)
                ):
                    self._structures[name] = entry
                elif entry.tag == "DW_TAG_typedef" and name == "time_t":
                    time_t = self._GetType(entry)

        self.abi = {
            "endian": "little" if elf_file.little_endian else "big",
            "bits": elf_file.elfclass,
            "time_t_bits": 8 * self._GetSize(time_t),
        }

    def _GetName(self, entry):
        """Retrieves the name of an entry.

        Args:
          entry (elftools.dwarf.die.DIE): entry.

        Returns:
          str: name or None if it has none.
        """
        attribute = entry.attributes.get("DW_AT_name")
        return attribute.value.decode("ascii") if attribute else None

    def _GetSize(self, entry):
        """Retrieves the size of a type.

        Args:
          entry (elftools.dwarf.die.DIE): entry of the type.

        Returns:
          int: size in bytes.
        """
        return entry.attributes["DW_AT_byte_size"].value

    def _GetType(self, entry):
        """Retrieves the type of a member, an array or a typedef.

        Args:
          entry (elftools.dwarf.die.DIE): entry.

        Returns:
          elftools.dwarf.die.DIE: entry of the type, which has no other name.
        """
        while True:
            entry = entry.get_DIE_from_attribute("DW_AT_type")
            if entry.tag not in (
                "DW_TAG_const_type",
                "DW_TAG_typedef",
                "DW_TAG_volatile_type",
            ):
                return entry

    def _GetNumberOfElements(self, entry):
        """Retrieves the number of elements of an array.

        Args:
          entry (elftools.dwarf.die.DIE): entry of the array.

        Returns:
          int: number of elements, 0 if the array has no end.
        """
        number_of_elements = 1
        for subrange in entry.iter_children():
            if "DW_AT_count" in subrange.attributes:
                count = subrange.attributes["DW_AT_count"].value
            elif "DW_AT_upper_bound" in subrange.attributes:
                count = subrange.attributes["DW_AT_upper_bound"].value + 1
            else:
                count = 0
            number_of_elements *= count
        return number_of_elements

    def _GetKind(self, entry, is_array):
        """Determines the kind of a number or a text.

        Args:
          entry (elftools.dwarf.die.DIE): entry of the type.
          is_array (bool): True if it is an element of an array.

        Returns:
          str: kind.

        Raises:
          Error: if the type is not supported.
        """
        if entry.tag == "DW_TAG_enumeration_type":
            return "uint"
        if entry.tag != "DW_TAG_base_type":
            raise Error(f"Unsupported type: {entry.tag!s}")

        encoding = entry.attributes["DW_AT_encoding"].value
        if encoding in (_ENCODING_SIGNED_CHARACTER, _ENCODING_UNSIGNED_CHARACTER):
            # Whether a char has a sign depends on the machine type.
            if self._GetName(entry) == "char":
                return "string" if is_array else "char"
            is_signed = encoding == _ENCODING_SIGNED_CHARACTER
            return "int" if is_signed else "uint"
        if encoding == _ENCODING_FLOAT:
            return "float"
        return "int" if encoding == _ENCODING_SIGNED else "uint"

    def _GetMembers(self, structure, prefix="", start_offset=0):
        """Retrieves the members of a structure.

        Args:
          structure (elftools.dwarf.die.DIE): entry of the structure.
          prefix (Optional[str]): start of the names.
          start_offset (Optional[int]): offset of the structure in bytes.

        Yields:
          list[object]: name, offset in bytes, size of an element in bytes, number of
              elements and kind.

        Raises:
          Error: if the type of a member is not supported.
        """
        for member in structure.iter_children():
            if member.tag != "DW_TAG_member":
                continue
            if "DW_AT_bit_size" in member.attributes:
                raise Error(f"Unsupported bit field: {self._GetName(member)!s}")

            name = f"{prefix:s}{self._GetName(member):s}"
            offset = (
                start_offset + member.attributes["DW_AT_data_member_location"].value
            )
            entry = self._GetType(member)
            is_array = entry.tag == "DW_TAG_array_type"
            count = 1
            if is_array:
                count = self._GetNumberOfElements(entry)
                entry = self._GetType(entry)

            if entry.tag == "DW_TAG_structure_type":
                if is_array:
                    name = f"{name:s}[]"
                    yield [name, offset, self._GetSize(entry), count, "struct"]
                yield from self._GetMembers(entry, f"{name:s}.", offset)
            else:
                kind = self._GetKind(entry, is_array)
                yield [name, offset, self._GetSize(entry), count, kind]

    def GetLayout(self, name):
        """Retrieves the layout of a structure.

        Args:
          name (str): name of the structure, one of STRUCTURES.

        Returns:
          dict[str, object]: size in bytes and members, or None if there is no such
              structure.

        Raises:
          Error: if the type of a member is not supported.
        """
        for c_name in STRUCTURES[name]:
            entry = self._structures.get(c_name)
            if entry:
                return {
                    "size": self._GetSize(entry),
                    "members": list(self._GetMembers(entry)),
                }
        return None


class Repository:
    """Clone of atop's repository."""

    def __init__(self, path):
        """Initializes a repository.

        Args:
          path (str): path of the clone or its git directory.
        """
        super().__init__()
        self._path = path
        if os.path.isdir(os.path.join(path, ".git")):
            self._path = os.path.join(path, ".git")

    def _Run(self, *arguments):
        """Runs git.

        Args:
          arguments (list[str]): arguments.

        Returns:
          CompletedProcess: the process, with what it wrote as bytes.
        """
        return subprocess.run(
            ["git", f"--git-dir={self._path:s}", *arguments],
            capture_output=True,
            check=False,
        )

    def FindCommit(self, version):
        """Finds the commit of a version by its tag.

        Args:
          version (str): version, such as "2.13".

        Returns:
          str: name of the commit or None if there is none.
        """
        for name in (f"v{version:s}", f"v{version:s}.0", UNTAGGED_COMMITS.get(version)):
            if (
                name
                and self._Run("cat-file", "-e", f"{name:s}^{{commit}}").returncode == 0
            ):
                return name
        return None

    def Extract(self, commit, path):
        """Extracts the source of a commit.

        Args:
          commit (str): name of the commit.
          path (str): path of a directory.

        Raises:
          Error: if there is no such commit.
        """
        process = self._Run("archive", "--format=tar", commit)
        if process.returncode:
            raise Error(process.stderr.decode("utf-8", "replace").strip())
        with tarfile.open(fileobj=io.BytesIO(process.stdout)) as archive:
            archive.extractall(path)


def Compile(compiler, source_path):
    """Compiles what writes raw logs.

    Args:
      compiler (Compiler): compiler.
      source_path (str): path of atop's source.

    Returns:
      DebugInformation: debug information.

    Raises:
      Error: if the compiler fails.
    """
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "zlib.h"), "w", encoding="ascii") as header:
            header.write(_ZLIB_HEADER)
        object_path = os.path.join(directory, "rawlog.o")
        process = subprocess.run(
            [
                compiler.program,
                *compiler.options,
                "-c",
                # Some versions define it themselves. Only a member's name depends on
                # it: utsname.domainname would be __domainname in others.
                "-D_GNU_SOURCE",
                "-fcommon",
                "-fno-eliminate-unused-debug-types",
                "-gdwarf-4",
                "-std=gnu89",
                "-w",
                f"-I{directory:s}",
                "-o",
                object_path,
                os.path.join(source_path, "rawlog.c"),
            ],
            capture_output=True,
            check=False,
            text=True,
        )
        if process.returncode:
            raise Error(process.stderr)
        with open(object_path, "rb") as file_object:
            return DebugInformation(file_object.read())


def GetVersionKey(version):
    """Retrieves the key to sort versions by.

    Args:
      version (str): version, such as "2.2-3".

    Returns:
      list[int]: numbers.
    """
    return [int(number) for number in re.split("[.-]", version)]


class Layouts:
    """Layouts of the structures of all versions and machine types.

    Attributes:
      abis (dict[str, dict[str, object]]): properties of the machine types per name.
      layouts (dict[tuple[str, str, str], dict[str, object]]): layouts per name of the
          structure, version and machine type.
    """

    def __init__(self, values):
        """Initializes layouts.

        Args:
          values (dict[str, object]): values of a JSON file.
        """
        super().__init__()
        self.abis = values["abis"]
        self.layouts = {
            (name, version, abi): values["layouts"][name][identifier]
            for name, versions in values["versions"].items()
            for version, identifiers in versions.items()
            for abi, identifier in identifiers.items()
        }

    def _GetFiles(self, versions):
        """Retrieves the sizes in the headers of files.

        Args:
          versions (list[str]): versions in order.

        Returns:
          list[dict[str, object]]: sizes and the machine types that have them.
        """
        rows = {}
        for version in versions:
            for abi in self.abis:
                sizes = [
                    (self.layouts.get((name, version, abi)) or {}).get("size")
                    for name in ("rawrecord", "tstat", "sstat", "cstat")
                ]
                if sizes[0] is not None:
                    rows.setdefault((version, *sizes), []).append(abi)
        return [
            {
                "version": version.partition("-")[0],
                "rawreclen": rawreclen,
                "tstatlen": tstatlen,
                "sstatlen": sstatlen,
                "cstatlen": cstatlen,
                "layout_version": version,
                "abis": abis,
            }
            for (version, rawreclen, tstatlen, sstatlen, cstatlen), abis in rows.items()
        ]

    def GetValues(self):
        """Retrieves the values of a JSON file.

        Returns:
          dict[str, object]: values. A layout that several versions or machine types
              have is in it once. Its name is that of the structure, the size in bytes
              and, from the second layout of that size, a letter.
        """
        versions = sorted({key[1] for key in self.layouts}, key=GetVersionKey)
        identifiers = {name: {} for name in STRUCTURES}
        layouts = {name: {} for name in STRUCTURES}
        for name in STRUCTURES:
            for version in versions:
                for abi in self.abis:
                    layout = self.layouts.get((name, version, abi))
                    if not layout:
                        continue

                    for suffix in ("", *"abcdefghijklmnopqrstuvwxyz"):
                        identifier = f"{name:s}-{layout['size']:d}{suffix:s}"
                        if layouts[name].setdefault(identifier, layout) == layout:
                            break
                    identifiers[name].setdefault(version, {})[abi] = identifier

        return {
            "versions": identifiers,
            "layouts": layouts,
            "files": self._GetFiles(versions),
            "abis": self.abis,
        }

    def Add(self, version, abi, debug_information):
        """Adds the layouts of a version and machine type.

        Args:
          version (str): version.
          abi (str): name of the machine type.
          debug_information (DebugInformation): output of a compiler for the version.

        Raises:
          Error: if the compiler is that of another machine type or a structure is
              missing.
        """
        if debug_information.abi != self.abis[abi]:
            raise Error(f"Not the machine type: {debug_information.abi!s}")
        for name in STRUCTURES:
            layout = debug_information.GetLayout(name)
            if layout:
                self.layouts[name, version, abi] = layout
            elif name != "cstat":
                raise Error(f"No structure: {name:s}")


def ReadValues(path):
    """Reads layouts.

    Args:
      path (str): path of the file.

    Returns:
      dict[str, object]: values of the JSON file.
    """
    with gzip.open(path) as file_object:
        return json.load(file_object)


def WriteValues(path, values):
    """Writes layouts.

    Args:
      path (str): path of the file.
      values (dict[str, object]): values of the JSON file.
    """
    data = json.dumps(values, separators=(",", ":")).encode("ascii")
    with open(path, "wb") as file_object:
        # Without the time, so that equal layouts make an equal file.
        file_object.write(gzip.compress(data, mtime=0))


def CountDifferences(values, other_values):
    """Counts what two files have not in common.

    Args:
      values (dict[str, object]): values of a JSON file.
      other_values (dict[str, object]): values of another one.

    Returns:
      tuple[int, int]: number of layouts that are only in one of them or not the same,
          and number of all layouts.
    """
    layouts = Layouts(values).layouts
    other_layouts = Layouts(other_values).layouts
    keys = layouts.keys() | other_layouts.keys()
    return sum(layouts.get(key) != other_layouts.get(key) for key in keys), len(keys)


def ParseVersion(text):
    """Parses a version on the command line.

    Args:
      text (str): version and commit, such as "2.14=master".

    Returns:
      tuple[str, str]: version and commit.

    Raises:
      ArgumentTypeError: if there is no commit or the version is not one.
    """
    version, _, commit = text.partition("=")
    if not commit or not re.fullmatch(r"[0-9]+\.[0-9]+(-[0-9]+)?", version):
        raise argparse.ArgumentTypeError(f"not VERSION=COMMIT: {text:s}")
    return version, commit


def Main():
    """Writes or compares the layouts.

    Returns:
      int: exit code.
    """
    argument_parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    argument_parser.add_argument("repository", help="clone of atop's repository")
    argument_parser.add_argument(
        "--check", action="store_true", help="compare with the file, do not write it"
    )
    argument_parser.add_argument(
        "--path", default=LAYOUTS_PATH, help="file, default: test_data/layouts.json.gz"
    )
    argument_parser.add_argument(
        "--version",
        action="append",
        default=[],
        help="also a version that is not in the file yet, or not at its tag",
        metavar="VERSION=COMMIT",
        type=ParseVersion,
    )
    arguments = argument_parser.parse_args()

    repository = Repository(arguments.repository)
    old_values = ReadValues(arguments.path)
    layouts = Layouts(old_values)
    commits = {
        version: repository.FindCommit(version)
        for version in old_values["versions"]["rawheader"]
    }
    commits.update(arguments.version)

    compilers = {}
    for abi, compiler in COMPILERS.items():
        if shutil.which(compiler.program):
            compilers[abi] = compiler
        else:
            print(f"{abi:s}: no {compiler.program:s}, layouts stay as they are")

    number_of_layouts = 0
    for version in sorted(commits, key=GetVersionKey):
        commit = commits[version]
        if not commit:
            print(f"{version:s}: no tag, layouts stay as they are")
            continue

        with tempfile.TemporaryDirectory() as directory:
            try:
                repository.Extract(commit, directory)
                for abi, compiler in compilers.items():
                    layouts.Add(version, abi, Compile(compiler, directory))
            except Error as exception:
                print(f"{version:s}: {commit:s}: {exception!s}", file=sys.stderr)
                return 1
        print(f"{version:s}: {commit:s}")

    values = layouts.GetValues()
    number_of_differences, number_of_layouts = CountDifferences(values, old_values)
    print(f"{number_of_differences:d} of {number_of_layouts:d} layouts differ")
    if arguments.check:
        return int(number_of_differences > 0)

    if values != old_values:
        WriteValues(arguments.path, values)
    return 0


if __name__ == "__main__":
    sys.exit(Main())
