"""Tests for the C structure layouts of atop raw logs.

The offsets and sizes that test_data/layouts.json.gz holds are those of C compilers, for
the sources of every version and for each of the machine types.
"""

import gzip
import json
import subprocess
import sys
import unittest

from dtfabric import data_types
from dtfabric import reader
from dtfabric import registry

from plaso_atop import layouts

from tests.lib import test_lib

_ABI_OF_KEY = {
    (abi.byte_order, abi.long_size, abi.time_t_size, abi.int64_alignment): abi
    for abi in layouts.ABIS
}


def _GetABI(key, abis):
    """Retrieves the machine type of one of the compilers.

    Args:
      key (str): name of the machine type in the test data.
      abis (dict[str, dict[str, object]]): machine types in the test data.

    Returns:
      ABI: machine type.
    """
    values = abis[key]
    byte_order = "<" if values["endian"] == "little" else ">"

    # Of these compilers only those for x86 align 8-byte integers at 4 bytes.
    int64_alignment = 4 if key.startswith("i386") else 8

    return _ABI_OF_KEY[
        byte_order, values["bits"] // 8, values["time_t_bits"] // 8, int64_alignment
    ]


def _GetKind(member):
    """Determines the kind of a member as the test data names it.

    Args:
      member (Member): member.

    Returns:
      str: kind.
    """
    kinds = {"c": "char", "f": "float", "s": "string", None: "struct"}
    kind = kinds.get(member.format)
    if not kind:
        kind = "uint" if member.format.isupper() else "int"
    return kind


class LayoutsTest(test_lib.BaseTestCase):
    """Tests for the layouts, as compared to those of C compilers."""

    @classmethod
    def setUpClass(cls):
        """Reads the layouts of the compilers."""
        path = test_lib.GetTestFilePath(["layouts.json.gz"])
        with gzip.open(path) as file_object:
            cls._test_data = json.load(file_object)

        abis = cls._test_data["abis"]
        cls._abis = {key: _GetABI(key, abis) for key in abis}

        # On big-endian PowerPC layouts were found to be those of ARM.
        cls._aliases = {
            "armhf": [_ABI_OF_KEY[">", 4, 4, 8]],
            "armhf-t64": [_ABI_OF_KEY[">", 4, 8, 8]],
        }

    def _GetABIs(self, key):
        """Retrieves the machine types that have the layouts of a compiler.

        Args:
          key (str): name of the machine type in the test data.

        Returns:
          list[ABI]: machine types.
        """
        return [self._abis[key], *self._aliases.get(key, [])]

    def _GetFiles(self):
        """Retrieves the sizes in the header of the files of all versions and ABIs.

        Yields:
          tuple[dict[str, object], ABI]: row of the test data and machine type.
        """
        for row in self._test_data["files"]:
            for key in row["abis"]:
                for abi in self._GetABIs(key):
                    yield row, abi

    def _FindFileLayout(self, row, abi, **kwargs):
        """Determines the layout of a file.

        Args:
          row (dict[str, object]): row of the test data.
          abi (ABI): machine type.
          kwargs (dict[str, object]): arguments that differ from those of the row.

        Returns:
          FileLayout: layouts or None.
        """
        arguments = {
            name: row[name]
            for name in ("version", "rawreclen", "tstatlen", "sstatlen", "cstatlen")
        }
        arguments["byte_order"] = abi.byte_order
        arguments.update(kwargs)
        return layouts.FindFileLayout(**arguments)

    def testABIs(self):
        """Tests that there is a compiler's layout for every machine type."""
        abis = {abi for key in self._abis for abi in self._GetABIs(key)}
        self.assertEqual(abis, set(layouts.ABIS))

    def testVersions(self):
        """Tests that every version has the structures that the compilers know."""
        versions = self._test_data["versions"]
        for name in ("rawheader", "rawrecord", "tstat", "sstat"):
            self.assertEqual(set(versions[name]), set(layouts.VERSIONS))

        for version in layouts.VERSIONS:
            file_layout = layouts.GetFileLayout(version, layouts.ABIS[0])
            self.assertEqual(file_layout.version, version)
            self.assertEqual(
                file_layout.cstat is not None, version in versions["cstat"], version
            )

        with self.assertRaises(KeyError):
            layouts.GetFileLayout("1.24", layouts.ABIS[0])

    def testMembers(self):
        """Tests offset, size, count and kind of every member of every structure."""
        number_of_members = 0

        for name, versions in self._test_data["versions"].items():
            for version, layouts_per_abi in versions.items():
                for key, layout_identifier in layouts_per_abi.items():
                    test_layout = self._test_data["layouts"][name][layout_identifier]

                    # An array of no elements is what follows the structure: the name
                    # of a cgroup.
                    expected_members = {
                        member_name.replace("[]", ""): tuple(values)
                        for member_name, *values in test_layout["members"]
                        if values[2]
                    }

                    for abi in self._GetABIs(key):
                        file_layout = layouts.GetFileLayout(version, abi)
                        structure = getattr(file_layout, name)

                        members = {}
                        for member_name, offset, member in structure.Flatten():
                            # The compilers list a nested structure as a member of its
                            # own where it is an array.
                            if member.structure and member.count == 1:
                                continue

                            kind = _GetKind(member)
                            # Some members of type char hold a number.
                            if member.format == "B" and (
                                expected_members[member_name][3] == "char"
                            ):
                                kind = "char"

                            members[member_name] = (
                                offset,
                                member.size,
                                member.count,
                                kind,
                            )

                        description = f"{name:s} of {version:s}, {abi.name:s}"
                        self.assertEqual(
                            structure.size, test_layout["size"], description
                        )
                        self.assertEqual(members, expected_members, description)
                        number_of_members += len(members)

        self.assertGreater(number_of_members, 75000)

    def testFindFileLayout(self):
        """Tests the FindFileLayout function with the sizes of every version and ABI."""
        for row, abi in self._GetFiles():
            file_layout = self._FindFileLayout(row, abi)

            self.assertEqual(file_layout.version, row["layout_version"])
            for name in ("rawheader", "rawrecord", "tstat", "sstat", "cstat"):
                expected_structure = getattr(
                    layouts.GetFileLayout(row["layout_version"], abi), name
                )
                structure = getattr(file_layout, name)
                if expected_structure is None:
                    self.assertIsNone(structure)
                    continue

                # Where two machine types have the same sizes, either will do if all
                # members have the same place.
                self.assertEqual(
                    [
                        (member_name, offset, member.size, member.count, member.format)
                        for member_name, offset, member in structure.Flatten()
                    ],
                    [
                        (member_name, offset, member.size, member.count, member.format)
                        for member_name, offset, member in expected_structure.Flatten()
                    ],
                )

    def testFindFileLayoutWithUnknownSize(self):
        """Tests the FindFileLayout function with sizes that no version has."""
        for row, abi in self._GetFiles():
            file_layout = self._FindFileLayout(row, abi, tstatlen=row["tstatlen"] + 1)
            self.assertIsNone(file_layout.tstat)
            self.assertEqual(file_layout.rawrecord.size, row["rawreclen"])
            self.assertEqual(file_layout.sstat.size, row["sstatlen"])

            file_layout = self._FindFileLayout(row, abi, sstatlen=row["sstatlen"] + 1)
            self.assertIsNone(file_layout.sstat)
            self.assertEqual(file_layout.rawrecord.size, row["rawreclen"])
            self.assertEqual(file_layout.tstat.size, row["tstatlen"])

            if row["cstatlen"]:
                file_layout = self._FindFileLayout(
                    row, abi, cstatlen=row["cstatlen"] + 1
                )
                self.assertIsNone(file_layout.cstat)
                self.assertEqual(file_layout.tstat.size, row["tstatlen"])
                self.assertEqual(file_layout.sstat.size, row["sstatlen"])

            self.assertIsNone(
                self._FindFileLayout(row, abi, rawreclen=row["rawreclen"] + 256)
            )

    def testFindFileLayoutOfOtherVersions(self):
        """Tests the FindFileLayout function with sizes that other versions have."""
        newest_version = layouts.VERSIONS[-1]
        for version, layout_version, expected_version in (
            # Written by a later release, or by one before the first that is known.
            (test_lib.UNKNOWN_VERSION, newest_version, newest_version),
            ("3.0", newest_version, newest_version),
            ("2.99", "1.23", "1.23"),
            ("1.20", "1.23", "1.23"),
            # Between two releases, with the number of the first and the sizes of the
            # second of them.
            ("2.0", "2.1", "2.1"),
            ("2.3", "2.4", "2.4"),
            ("2.6", "2.7", "2.7"),
            ("2.10", "2.11", "2.11"),
            ("2.12", "2.13", "2.13"),
            # The nearest version has the number, where several have the sizes.
            ("2.3", "2.5", "2.4"),
            ("2.7", "2.5", "2.6"),
            ("2.13", "2.11", "2.12"),
            ("2.14", "2.11", "2.12"),
            ("2.7", "2.8", "2.8"),
            ("2.2", "2.3", "2.2-3"),
            # Of two that are as near the later.
            ("2.10", "2.9", "2.9"),
            ("1.24", "1.26", "1.26"),
        ):
            for abi in layouts.ABIS:
                layout = layouts.GetFileLayout(layout_version, abi)
                found_layout = layouts.FindFileLayout(
                    version,
                    abi.byte_order,
                    layout.rawrecord.size,
                    layout.tstat.size,
                    layout.sstat.size,
                    layout.cstat and layout.cstat.size,
                )
                self.assertEqual(found_layout.version, expected_version, version)
                self.assertEqual(
                    [structure and structure.size for structure in found_layout[2:]],
                    [
                        structure and structure.size
                        for structure in layouts.GetFileLayout(expected_version, abi)[
                            2:
                        ]
                    ],
                )

    def testFindFileLayoutOfDevelopmentVersions(self):
        """Tests the FindFileLayout function with versions that were never released.

        They carry the number of the release before them.
        """
        for version, rawreclen, tstatlen, sstatlen, has_tstat, has_sstat in (
            ("2.3", 96, 840, 714728, False, False),
            ("2.6", 96, 840, 716664, True, False),
            ("2.7", 96, 864, 960512, False, False),
            ("2.9", 96, 976, 1030216, False, False),
            ("2.10", 96, 928, 1030216, False, True),
            ("2.12", 96, 992, 1064016, False, True),
            # Written by an atopconvert that has an error.
            ("2.6", 96, 840, 716912, True, False),
        ):
            file_layout = layouts.FindFileLayout(
                version, "<", rawreclen, tstatlen, sstatlen
            )
            self.assertEqual(
                (file_layout.tstat is not None, file_layout.sstat is not None),
                (has_tstat, has_sstat),
                (version, tstatlen, sstatlen),
            )


class DefinitionsTest(test_lib.BaseTestCase):
    """Tests for what is read of the definitions, as compared to what dtFabric reads."""

    # pylint: disable=protected-access

    _STRUCTURE_NAMES = ("rawheader", "rawrecord", "tstat", "sstat", "cstat")

    # Prints which definitions a process read for a log, and what it read of the log.
    _SCRIPT = """
import json
import sys

from plaso_atop import layouts
from plaso_atop import rawlog

with open(sys.argv[1], "rb") as file_object:
    tasks = [
        [task.pid, task.name.decode(), task.wchan is None]
        for sample in rawlog.RawLog(file_object).samples()
        for task in sample.tasks()
    ]
definitions = layouts._GetBuilder().registry.GetDefinitions()
print(json.dumps([sorted(definition.name for definition in definitions), tasks]))
"""

    @classmethod
    def setUpClass(cls):
        """Reads all definitions, with the reader of dtFabric."""
        cls._registry = registry.DataTypeDefinitionsRegistry()
        definitions_reader = reader.YAMLDataTypeDefinitionsFileReader()
        definitions_reader.ReadFile(cls._registry, layouts._DEFINITION_FILE)

    def _GetNeededNames(self, name):
        """Determines which definitions a definition needs, itself included.

        Args:
          name (str): name of the definition.

        Returns:
          set[str]: names.
        """
        names = {name}
        definition = self._registry.GetDefinitionByName(name)
        for member in getattr(definition, "members", []):
            if isinstance(member, data_types.ElementSequenceDataTypeDefinition):
                nested_name = member.element_data_type_definition.name
            else:
                nested_name = member.member_data_type_definition.name
            names.update(self._GetNeededNames(nested_name))
        return names

    def _ReadLog(self, path, preamble=""):
        """Reads a log in a process of its own.

        Args:
          path (str): path of the log.
          preamble (Optional[str]): what Python runs before.

        Returns:
          tuple[list[str], list[list[object]]]: names of the definitions that the
              process read, and values of the tasks.
        """
        output = subprocess.run(
            [sys.executable, "-c", preamble + self._SCRIPT, path],
            check=True,
            cwd=test_lib.PROJECT_PATH,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        return json.loads(output)

    def testNeededDefinitions(self):
        """Tests that a process reads only the definitions of the version of its log."""
        for log in test_lib.LOGS:
            layout = layouts.GetFileLayout(log.layout_version, layouts.ABIS[0])
            expected_names = set()
            for name in self._STRUCTURE_NAMES:
                structure = getattr(layout, name)
                if structure:
                    expected_names.update(self._GetNeededNames(structure.name))
            # 2.2 in the header is also that of 2.2-3.
            if log.layout_version == "2.2-3":
                expected_names.update(self._GetNeededNames("sstat_2_2"))

            names, tasks = self._ReadLog(log.path)
            self.assertEqual(set(names), expected_names, log.name)
            self.assertLess(len(names), len(self._registry.GetDefinitions()) // 2)
            self.assertTrue(tasks)

    def testWithoutLibyaml(self):
        """Tests that a log is read the same without libyaml."""
        preamble = (
            "import sys\n"
            "sys.modules['yaml._yaml'] = None\n"
            "import yaml\n"
            "assert not yaml.__with_libyaml__\n"
            "assert not hasattr(yaml, 'CSafeLoader')\n"
        )
        path = test_lib.GetTestFilePath(["atop-2.12.1.raw"])
        self.assertEqual(self._ReadLog(path, preamble), self._ReadLog(path))

    def testLayouts(self):
        """Tests that the layouts are those of the definitions that dtFabric reads."""
        builder = layouts._StructureBuilder(self._registry)

        for version in layouts.VERSIONS:
            for abi in layouts.ABIS:
                layout = layouts.GetFileLayout(version, abi)
                for name in self._STRUCTURE_NAMES:
                    structure = getattr(layout, name)
                    if not structure:
                        continue

                    expected_structure = builder.Build(structure.name, abi)
                    self.assertEqual(structure.size, expected_structure.size)
                    self.assertEqual(
                        [
                            (path, offset, member.size, member.count, member.format)
                            for path, offset, member in structure.Flatten()
                        ],
                        [
                            (path, offset, member.size, member.count, member.format)
                            for path, offset, member in expected_structure.Flatten()
                        ],
                    )

    def testGetDefinitionByName(self):
        """Tests the GetDefinitionByName function with all definitions."""
        definitions_registry = layouts._DefinitionsRegistry()
        self.assertEqual(definitions_registry.GetDefinitions(), [])

        for definition in self._registry.GetDefinitions():
            self.assertIsInstance(
                definitions_registry.GetDefinitionByName(definition.name),
                type(definition),
            )
        self.assertIsNone(definitions_registry.GetDefinitionByName("lacks"))
        self.assertEqual(
            len(definitions_registry.GetDefinitions()),
            len(self._registry.GetDefinitions()),
        )

    def testAllDefinitionsAreNeeded(self):
        """Tests that no definition is left over."""
        names = {"atop"}
        for version in layouts.VERSIONS:
            layout = layouts.GetFileLayout(version, layouts.ABIS[0])
            for name in self._STRUCTURE_NAMES:
                structure = getattr(layout, name)
                if structure:
                    names.update(self._GetNeededNames(structure.name))

        self.assertEqual(
            names, {definition.name for definition in self._registry.GetDefinitions()}
        )

    def testGetMemberNames(self):
        """Tests the GetMemberNames function."""
        for name in self._STRUCTURE_NAMES:
            expected_names = set()
            for version in layouts.VERSIONS:
                structure = getattr(
                    layouts.GetFileLayout(version, layouts.ABIS[0]), name
                )
                if structure:
                    expected_names.update(path for path, _, _ in structure.Flatten())

            self.assertEqual(layouts.GetMemberNames(name), expected_names)


class StructureTest(test_lib.BaseTestCase):
    """Tests for the layout of a structure."""

    # pylint: disable=protected-access

    def testGetUnpacker(self):
        """Tests the GetUnpacker function."""
        for abi in layouts.ABIS:
            structure = layouts.GetFileLayout("2.12", abi).tstat
            unpacker, names = structure.GetUnpacker(
                {"mem.rmem", "gen.pid", "gen.name", "gen.state", "gen.lacks"}
            )
            self.assertEqual(names, ["gen.pid", "gen.name", "gen.state", "mem.rmem"])
            self.assertEqual(unpacker.size, structure.size)

            offsets = {name: offset for name, offset, _ in structure.Flatten()}
            byte_order = {"<": "little", ">": "big"}[abi.byte_order]

            data = bytearray(b"\xff" * structure.size)
            for name, value in (
                ("gen.pid", (-5).to_bytes(4, byte_order, signed=True)),
                ("gen.name", b"bash\x00residue\x00\x00\x00\x00"),
                ("gen.state", b"S"),
                ("mem.rmem", (1 << 40).to_bytes(8, byte_order)),
            ):
                data[offsets[name] : offsets[name] + len(value)] = value

            self.assertEqual(
                unpacker.unpack(data),
                (-5, b"bash\x00residue\x00\x00\x00\x00", b"S", 1 << 40),
            )

    def testGetUnpackerWithUnsupportedMember(self):
        """Tests the GetUnpacker function with a structure and with an array."""
        structure = layouts.GetFileLayout("2.12", layouts.ABIS[0]).tstat
        for name in ("gen", "cpu.cfuture"):
            with self.assertRaises(ValueError):
                structure.GetUnpacker([name])


if __name__ == "__main__":
    unittest.main()
