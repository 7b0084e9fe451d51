#!/usr/bin/env python3
"""Tests of the output to OpenSearch.

No package carries OpenSearch. The server is osmem, which speaks its API, detects types
as it does and refuses what does not fit.
"""

import inspect
import json
import os
import re
import shutil
import subprocess
import unittest
import urllib.error
import urllib.request

import osmem_server

from plaso import parsers as _
from plaso.containers import events
from plaso.output import opensearch
from plaso.output import opensearch_ts

from plaso_atop import integration
from plaso_atop import rawlog
from plaso_atop.commands import check
from plaso_atop.integration import hooks

import log_builder

from tests.lib import end_to_end
from tests.lib import test_lib


def GetMappings():
    """Retrieves the mappings of the data file.

    Returns:
      dict[str, dict[str, object]]: mappings per attribute.
    """
    path = os.path.join(test_lib.DATA_PATH, "opensearch.mappings")
    with open(path, "r", encoding="utf-8") as file_object:
        return json.load(file_object)["properties"]


class MappingsTest(test_lib.BaseTestCase):
    """Tests of the mappings."""

    # pylint: disable=protected-access

    def _GetAttributes(self):
        """Retrieves the types of the attributes of all events, as documented.

        Returns:
          tuple[dict[str, set[str]], dict[str, set[str]]]: types per name, of our events
              and of those of Plaso.
        """
        attributes = ({}, {})
        classes = [events.EventData]
        while classes:
            event_data_class = classes.pop()
            classes.extend(event_data_class.__subclasses__())
            is_other = not event_data_class.__module__.startswith("plaso_atop.")
            for name, type_name in re.findall(
                r"^ +(\w+) \(([^)]+)\):", inspect.getdoc(event_data_class), re.MULTILINE
            ):
                attributes[is_other].setdefault(name, set()).add(type_name)

        return attributes

    def testAttributes(self):
        """Tests that exactly the attributes that need it have a mapping."""
        path = os.path.join(check._GetPlasoDataLocation(), "opensearch.mappings")
        with open(path, "r", encoding="utf-8") as file_object:
            plaso_mappings = json.load(file_object)["properties"]

        attributes, other_attributes = self._GetAttributes()
        self.assertGreater(len(attributes), 100)
        self.assertGreater(len(other_attributes), 500)

        names = set()
        for name, types in attributes.items():
            self.assertEqual(len(types), 1, name)
            other_types = other_attributes.get(name, set())
            if (
                # The first value that looks like a date would make it a date.
                types == {"str"}
                or re.search(r"(_identifier|^(ctid|p?pid|tg?id|vpid|exit_code))$", name)
                # Other parsers have text of the same name.
                or types in ({"int"}, {"float"}, {"bool"})
                and "str" in other_types
            ):
                names.add(name)

        self.assertEqual(set(GetMappings()), names - set(plaso_mappings))

    def testSetMappings(self):
        """Tests that what Plaso or the user defines wins."""
        for module in (
            opensearch.OpenSearchOutputModule(),
            opensearch_ts.OpenSearchTimesketchOutputModule(),
        ):
            for mappings in (
                {},
                {"properties": {"datetime": {"type": "date"}}, "dynamic": True},
                {"properties": {"pid": {"type": "long"}}},
            ):
                expected_mappings = json.loads(json.dumps(mappings))
                module.SetMappings(mappings)
                # What the caller has stays as it is.
                self.assertEqual(mappings, expected_mappings)

                expected_mappings["properties"] = {
                    **GetMappings(),
                    **mappings.get("properties", {}),
                }
                self.assertEqual(module._mappings, expected_mappings)

        self.assertNotIn(hooks.INDEX_MAPPINGS, hooks.problems)


class ServerTest(end_to_end.ToolsTestCase):
    """Tests with a server."""

    # pylint: disable=protected-access

    _DATE = b"2026-11-21"

    # After an event with a number of the same name.
    _AUDIT_LOG = (
        b"type=USER_LOGIN msg=audit(1100000000.105:1): pid=25443 uid=0 exit=EACCES\n"
    )

    @classmethod
    def setUpClass(cls):
        """Makes logs, extracts their events and starts a server."""
        super().setUpClass()
        source = cls._GetPath("source")
        os.makedirs(os.path.join(source, "audit"))
        for name in ("atop-2.8.1", "atop-2.12.1"):
            shutil.copy(test_lib.GetTestFilePath([f"{name:s}.raw"]), source)

        with open(os.path.join(source, "hostile"), "wb") as file_object:
            file_object.write(cls._CreateLog())
        path = os.path.join(source, "audit", "audit.log")
        with open(path, "wb") as file_object:
            file_object.write(cls._AUDIT_LOG)

        cls._storage_path = cls._Extract(
            source, "source.plaso", "--parsers", "atop,text/selinux"
        )

        # pylint: disable=consider-using-with
        cls._server = subprocess.Popen(
            [osmem_server.resolve_binary(), "-addr", "127.0.0.1:0", "-no-ja"],
            # It ends when its input does.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        cls.addClassCleanup(cls._StopServer)
        cls._url = json.loads(cls._server.stdout.readline())["url"]

    @classmethod
    def _StopServer(cls):
        """Stops the server."""
        cls._server.terminate()
        cls._server.communicate(timeout=30)

    @classmethod
    def _CreateLog(cls):
        """Makes a log, earlier than all others, in which every text looks like a date.

        Returns:
          bytes: contents of the log.
        """
        task = {
            "gen.tgid": 4711,
            "gen.pid": 4711,
            "gen.isproc": 1,
            "gen.ppid": 1,
            "gen.state": b"S",
            "gen.name": cls._DATE,
            "gen.cmdline": cls._DATE,
            "gen.utsname": cls._DATE,
            "cpu.wchan": cls._DATE,
            "cpu.utime": 10,
        }
        builder = log_builder.LogBuilder(
            "2.11",
            utsname={
                "sysname": b"Linux",
                "nodename": cls._DATE,
                "release": cls._DATE,
                "version": cls._DATE,
                "machine": cls._DATE,
            },
        )
        system = {
            "intf": {
                "nrintf": 1,
                "intf": [{"name": cls._DATE, "rpack": 1, "rbyte": 60}],
            },
            "dsk": {
                "ndsk": 1,
                "dsk": [{"name": cls._DATE, "nread": 1, "nrsect": 8}],
            },
        }
        for index in range(3):
            # The parent is known, and changes its name, command line and container.
            date = b"2026-11-2%d" % index
            builder.AddSample(
                1000000000 + 600 * index,
                flags=rawlog.FLAG_CONTAINERS,
                system=system,
                tasks=[
                    {
                        **task,
                        "gen.pid": 1,
                        "gen.tgid": 1,
                        "gen.ppid": 0,
                        "gen.name": date,
                        "gen.cmdline": date,
                        "gen.utsname": date,
                        "gen.btime": 900000000,
                    },
                    {**task, "gen.btime": 999999000},
                    {**task, "gen.isproc": 0, "gen.pid": 4712, "gen.btime": 999999000},
                    {
                        **task,
                        "gen.pid": 4713 + index,
                        "gen.tgid": 4713 + index,
                        "gen.state": b"E",
                        "gen.excode": 256,
                        "gen.btime": 999999000,
                    },
                ],
                cgroups=[
                    log_builder.Cgroup(b"", -1, [], {}),
                    log_builder.Cgroup(cls._DATE, 0, [4711], {"cpu.utime": 5}),
                ],
            )
        return builder.Build()

    def _Request(self, path):
        """Requests something of the server.

        Args:
          path (str): path of the URL.

        Returns:
          dict[str, object]: response.
        """
        with urllib.request.urlopen(f"{self._url:s}/{path:s}", timeout=30) as response:
            return json.load(response)

    def _Index(self, module, *arguments):
        """Writes the events to an index.

        Args:
          module (str): name of the output module.
          arguments (list[str]): more arguments.
        """
        self._RunQuietTool(
            "psort",
            "--status-view",
            "none",
            "-o",
            module,
            "--index-name",
            module,
            "--opensearch-server",
            "127.0.0.1",
            "--opensearch-port",
            self._url.rpartition(":")[2],
            *arguments,
            self._storage_path,
        )

    def _TestIndex(self, index):
        """Tests what is in an index.

        Args:
          index (str): name of the index.
        """
        all_events = self._ReadEvents(self._storage_path)
        self._Request(f"{index:s}/_refresh")
        self.assertEqual(self._Request(f"{index:s}/_count")["count"], len(all_events))

        properties = self._Request(f"{index:s}/_mapping")[index]["mappings"][
            "properties"
        ]
        types = {name: mapping["type"] for name, mapping in properties.items()}
        for name in GetMappings():
            self.assertEqual(types[name], "text", name)

        for event in all_events:
            if not event["data_type"].startswith("linux:atop:"):
                continue

            for name, value in event.items():
                if name in types and types[name] != "text" and name != "datetime":
                    if isinstance(value, list):
                        value = value[0]
                    self.assertEqual(
                        types[name],
                        {bool: "boolean", float: "float", int: "long"}.get(type(value)),
                        name,
                    )

        # All that a log controls looked like a date.
        for name in (
            "cgroup",
            "command_line",
            "container_name",
            "disk_name",
            "hostname",
            "interface_name",
            "kernel_release",
            "kernel_version",
            "last_command_line",
            "last_process_name",
            "machine",
            "parent_command_line",
            "parent_process_name",
            "previous_command_line",
            "previous_container_name",
            "previous_process_name",
            "process_name",
            "thread_name",
        ):
            values = [event[name] for event in all_events if name in event]
            self.assertRegex(values[0], "^/?2026-11-2[0-9]$", name)

        for query in (
            "command_line.keyword:%222026-11-21%22",
            "pid:4711",
            "effective_user_identifier:65534",
            "load_average_1:[0%20TO%20100]",
            "exit_code:1",
            "pid:25443",
        ):
            self.assertGreater(
                self._Request(f"{index:s}/_count?q={query:s}")["count"], 0, query
            )

    def testOpenSearch(self):
        """Tests the opensearch output module."""
        path = os.path.join(check._GetPlasoDataLocation(), "opensearch.mappings")
        # Plaso looks for its own file in the working directory only.
        self._Index("opensearch", "--opensearch-mappings", path)
        self._TestIndex("opensearch")

    def testTimesketch(self):
        """Tests the opensearch_ts output module, with mappings of a Timesketch."""
        path = self._GetPath("plaso.mappings")
        with open(path, "w", encoding="utf-8") as file_object:
            json.dump({"properties": {"datetime": {"type": "date"}}}, file_object)

        self._Index(
            "opensearch_ts",
            "--opensearch-mappings",
            path,
            "--timeline-identifier",
            "7",
        )
        self._TestIndex("opensearch_ts")


# Where the tests run without the package being installed.
integration.Install()

if __name__ == "__main__":
    unittest.main()
