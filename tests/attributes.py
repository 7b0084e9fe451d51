#!/usr/bin/env python3
"""Tests for the attributes of the events, as documented."""

import ast
import glob
import os
import re
import unittest


from plaso_atop import layouts
from plaso_atop import parser
from plaso_atop import rawlog

from scripts import attributes

import log_builder
from tests.lib import test_lib

# Time of the first sample of logs that are built.


class DocumentationTest(test_lib.BaseTestCase):
    """Tests for the docstrings and what is made of them."""

    def _GetAssignments(self, path):
        """Retrieves the attributes of event data that a plugin sets by name.

        Args:
          path (str): path of the plugin.

        Returns:
          set[str]: names of the attributes.
        """
        with open(path, encoding="utf-8") as file_object:
            tree = ast.parse(file_object.read())

        return {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id == "event_data"
        }

    def testTables(self):
        """Tests that the documented tables are those of the docstrings."""
        with open(attributes.DOCUMENT_PATH, encoding="utf-8") as file_object:
            text = file_object.read()

        self.assertEqual(
            text,
            attributes.ReplaceTables(text),
            "outdated, to do: scripts/attributes.py",
        )

    def testReadme(self):
        """Tests that README.md has all data types and the names of their plugins."""
        path = os.path.join(test_lib.PROJECT_PATH, "README.md")
        with open(path, encoding="utf-8") as file_object:
            rows = re.findall(
                r"^\| `(linux:atop:\w+)` \| `(\w+)` \|",
                file_object.read(),
                re.MULTILINE,
            )

        data_types = [
            event_data_class.DATA_TYPE
            for event_data_class in attributes.GetEventDataClasses()
        ]
        self.assertEqual(sorted(data_type for data_type, _ in rows), data_types)
        plugins = {name for name, _ in parser.AtopParser.GetPlugins()}
        self.assertEqual({name for _, name in rows}, plugins)

    def testInitialized(self):
        """Tests that the documented attributes are those that the classes have."""
        event_data_classes = attributes.GetEventDataClasses()
        self.assertTrue(event_data_classes)

        for event_data_class in event_data_classes:
            with self.subTest(event_data_class=event_data_class.__name__):
                names = [
                    attribute.name
                    for attribute in attributes.GetAttributes(event_data_class)
                ]
                expected_names = [
                    name
                    for name in vars(event_data_class())
                    if not name.startswith("_") and name != "data_type"
                ]
                self.assertEqual(sorted(names), sorted(expected_names))

    def testAssigned(self):
        """Tests that what the plugins set by name is documented."""
        names = {
            attribute.name
            for event_data_class in attributes.GetEventDataClasses()
            for attribute in attributes.GetAttributes(event_data_class)
        }
        assigned_names = set()
        for path in glob.glob(
            os.path.join(test_lib.PROJECT_PATH, "plaso_atop", "plugins", "*.py")
        ):
            assigned_names.update(self._GetAssignments(path))

        self.assertGreater(len(names & assigned_names), 50)
        self.assertEqual(assigned_names - names, set())

    def testUnits(self):
        """Tests that units are documented, and are those that the names promise."""
        for event_data_class in attributes.GetEventDataClasses():
            for attribute in attributes.GetAttributes(event_data_class):
                with self.subTest(
                    data_type=event_data_class.DATA_TYPE, name=attribute.name
                ):
                    expected_unit = ""
                    if attribute.type in ("float", "int"):
                        expected_unit = self._GetExpectedUnit(attribute.name)
                    self.assertEqual(attribute.unit, expected_unit)

    def _GetExpectedUnit(self, name):
        """Determines the unit that the name of an attribute promises.

        Args:
          name (str): name of the attribute.

        Returns:
          str: unit, empty if there is none.
        """
        if name in ("raw_exit_time", "raw_start_time"):
            return "s"
        if "_pressure_" in name and "_average_" in name:
            return "%"

        for suffix, unit in (
            ("_microseconds", "µs"),
            ("_percent", "%"),
            ("_seconds", "s"),
            ("_size", "bytes"),
            ("_size_growth", "bytes"),
            ("_speed", "Mbit/s"),
            ("_time", "ms"),
        ):
            if name.endswith(suffix):
                return unit

        return "bytes" if name in ("offset", "size") else ""


class ValuesTest(test_lib.ParserTestCase):
    """Tests for the values of the attributes, of real logs and of built ones.

    No real log at hand shows all attributes, as those of GPU or of netatop.
    """

    def _CheckEventData(self, storage_writer, seen):
        """Checks that event data is as documented.

        Args:
          storage_writer (FakeStorageWriter): storage writer.
          seen (set[tuple[str, str]]): data types and names of attributes with a value,
              to which those of the event data are added.
        """
        for event_data in self._GetEventData(storage_writer):
            for name in self._CheckTypes(event_data):
                seen.add((event_data.data_type, name))

    def _CreateParser(self):
        """Creates a parser with all plugins.

        Returns:
          AtopParser: parser.
        """
        atop_parser = parser.AtopParser()
        atop_parser.EnablePlugins({name for name, _ in parser.AtopParser.GetPlugins()})
        return atop_parser

    def _GetTask(self, structure, **values):
        """Makes an entry of a process list in which all members have a value.

        Args:
          structure (layouts.Structure): layout.
          values (dict[str, object]): values of members of the general part, those that
              the version does not have are passed over.

        Returns:
          dict[str, dict[str, object]]: values of the members.
        """
        task = log_builder.GetDistinctValues(structure, first_value=100000)
        task["gen"].update(
            (name, value)
            for name, value in {
                "btime": log_builder.T0 - 50,
                "excode": 0,
                "isproc": 1,
                "nthr": 2,
                "pid": 100,
                "state": b"S",
                "wasinactive": 0,
                **values,
            }.items()
            if name in task["gen"]
        )
        if "gpu" in task:
            task["gpu"]["state"] = b"A"
            if "type" in task["gpu"]:
                task["gpu"]["type"] = b"C"
        return task

    def _BuildLog(self, version):
        """Makes a log in which all members of all structures have a value.

        Args:
          version (str): version of atop.

        Returns:
          bytes: contents of the log.
        """
        # Before 2.0 disk requests and network transfers of processes are those of a
        # patched kernel.
        patched = (
            {"supportflags": 0x000F} if version in ("1.23", "1.26", "1.27") else {}
        )
        builder = log_builder.LogBuilder(version=version, **patched)
        flags = (
            rawlog.FLAG_ACCOUNTING
            | rawlog.FLAG_CGROUPS
            | rawlog.FLAG_CONTAINERS
            | rawlog.FLAG_GPU
            | rawlog.FLAG_IOSTAT
            | rawlog.FLAG_NETATOP
            | rawlog.FLAG_NETATOPD
        )
        system = log_builder.GetDistinctValues(builder.layout.sstat, 2, 1 << 14)
        system["mem"]["freeswap"] = 1
        if "nfsmounts" in system.get("nfs", {}):
            system["nfs"]["nfsmounts"]["nrmounts"] = 1

        tstat = builder.layout.tstat
        changed = {
            "cgpath": b"/other",
            "cmdline": b"/usr/bin/other",
            "container": b"0123456789ab",
            "name": b"other",
            "utsname": b"web",
        }
        user_names = ("ruid", "euid", "suid", "fsuid", "rgid", "egid", "sgid", "fsgid")
        tasks = [
            [
                self._GetTask(tstat, ruid=33),
                self._GetTask(tstat, pid=101, ruid=33, container=b"", utsname=b""),
            ],
            [
                self._GetTask(tstat, **dict.fromkeys(user_names, 0), **changed),
                self._GetTask(tstat, pid=101, ruid=0, container=b"", utsname=b""),
                self._GetTask(
                    tstat,
                    isproc=0,
                    pid=103,
                    tgid=101,
                    ruid=0,
                    container=b"",
                    utsname=b"",
                ),
                self._GetTask(tstat, pid=104, btime=-1),
            ],
            [
                self._GetTask(tstat, state=b"E", **changed),
                self._GetTask(tstat, pid=105, state=b"E", btime=1 << 40, excode=256),
                self._GetTask(tstat, pid=106, state=b"E", excode=137),
            ],
            [],
            [],
            [],
        ]
        # A login, and a process of it whose own control group atop did not store.
        login = [
            self._GetTask(tstat, pid=pid, ppid=ppid, cmdline=command_line, name=name)
            for pid, ppid, name, command_line in (
                (1, 0, b"systemd", b"/sbin/init"),
                (200, 1, b"sshd", b"sshd: /usr/sbin/sshd -D [listener]"),
                (201, 200, b"sshd", b"sshd: alice [priv]"),
                (202, 201, b"bash", b"-bash"),
                (203, 202, b"sh", b"sh x"),
            )
        ]
        tasks[0].extend(login)
        tasks[1].extend(login[:-1])
        tasks[1].append(self._GetTask(tstat, pid=203, ppid=202, **changed))

        times = [
            log_builder.T0 + seconds for seconds in (0, 600, 1200, 1800, 2400, 4200)
        ]

        cgroups = None
        if builder.layout.cstat:
            values = log_builder.GetDistinctValues(builder.layout.cstat)
            values.pop("gen")
            cgroups = [
                log_builder.Cgroup(b"", -1, [1], {}),
                log_builder.Cgroup(b"system.slice", 0, [101], values),
                log_builder.Cgroup(b"user@1000.service", 0, [], values),
                log_builder.Cgroup(b"session-4.scope", 2, [201, 202], values),
            ]

        offsets = []
        for time, sample_tasks in zip(times, tasks):
            sample_flags = flags | (rawlog.FLAG_BOOT if time == log_builder.T0 else 0)
            # Process accounting stops and starts again.
            if time == times[2]:
                sample_flags &= ~rawlog.FLAG_ACCOUNTING
            offset = builder.AddSample(
                time,
                flags=sample_flags,
                system=system,
                tasks=sample_tasks,
                cgroups=cgroups,
            )
            offsets.append(offset)

        # One sample is damaged, and another one missing before the last.
        data = bytearray(builder.Build())
        data[offsets[3] : offsets[4]] = bytes(offsets[4] - offsets[3])
        return bytes(data)

    def _ParseBuiltLog(self, version):
        """Parses a log in which all members of all structures have a value.

        Args:
          version (str): version of atop.

        Returns:
          FakeStorageWriter: storage writer.
        """
        return self._ParseData(
            self._BuildLog(version),
            self._CreateParser(),
            system_configurations=[
                self._CreateSystemConfiguration({"0": "root", "33": "www-data"})
            ],
        )

    def testValues(self):
        """Tests that values have the documented type, and each attribute has some."""
        seen = set()
        for log in test_lib.LOGS:
            with self.subTest(log=log.name):
                storage_writer = self._ParseFile(
                    [f"{log.name:s}.raw"], self._CreateParser()
                )
                self._CheckEventData(storage_writer, seen)

        for version in layouts.VERSIONS:
            with self.subTest(version=version):
                self._CheckEventData(self._ParseBuiltLog(version), seen)

        documented = {
            (event_data_class.DATA_TYPE, attribute.name)
            for event_data_class in attributes.GetEventDataClasses()
            for attribute in attributes.GetAttributes(event_data_class)
        }
        self.assertEqual(sorted(documented - seen), [])


if __name__ == "__main__":
    unittest.main()
