#!/usr/bin/env python3
"""Tests of data/timesketch with a real Timesketch server, run by scripts/timesketch.sh.

They run in the environment of the server, where this package is not installed. Its
tools run in the environment that PLASO_ATOP_TOOLS names.
"""

import collections
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import yaml

# The name of the variable with the path of the tools of Plaso with the package.
TOOLS_VARIABLE = "PLASO_ATOP_TOOLS"

if TOOLS_VARIABLE not in os.environ:
    raise unittest.SkipTest("needs a Timesketch server: run scripts/timesketch.sh")

# What the server has is only there with it.
# pylint: disable=wrong-import-position
import opensearchpy

from plaso.storage import factory
from timesketch_api_client import scenario
from timesketch_api_client import search

from tests.lib import other_sources
from tests.lib import timesketch_logs
from tests.lib import timesketch_server

ANALYZER_TIMEOUT_SECONDS = 600

# Of plaso_atop.ancestors, which the server does not have.
MAXIMUM_ANCESTORS_LENGTH = 512

PROJECT_PATH = timesketch_server.PROJECT_PATH

# What each search template finds in the log of an intrusion, by its short name:
# values of its parameters and identifiers of processes. The tests of the others are
# below.
TEMPLATES = {
    "atop_below": (
        {"process": "apache2[501]"},
        {700, 701, 702, 710, 720, 730, 740, 750},
    ),
    "atop_below_server": ({}, {700, 701, 702, 710, 720, 730, 740, 750}),
    "atop_children": ({"pid": "702"}, {710, 720, 730, 740, 750}),
    "atop_crash": ({}, {740}),
    "atop_download": ({}, {700, 701}),
    "atop_identifier_root": ({}, {730}),
    "atop_kernel_thread": ({}, {720}),
    "atop_login": ({"login_pid": "605"}, {605, 610, 760}),
    "atop_new": ({}, {700, 701, 702, 710, 711, 720, 730, 740, 750, 760}),
    "atop_process": ({"pid": "730"}, {730}),
    "atop_server_shell": ({}, {700, 701, 702}),
    "atop_session": ({"session": "4"}, {605, 610, 760}),
    "atop_set_user_identifier": ({}, {760}),
    "atop_short_lived": ({"milliseconds": "1000"}, {701, 740}),
    "atop_sustained_cpu": ({"seconds": "3600"}, {710}),
    "atop_tag": ({"tag": "temporary_directory_execution"}, {710, 711}),
    "atop_temporary_directory": ({}, {710, 711}),
    "atop_user": ({"user": "1000"}, {610, 760}),
    "atop_vanished": ({}, {750}),
}

# Those that are about more than processes.
OTHER_TEMPLATES = {"atop_coverage", "atop_sent"}

# Tags of processes in that log, without that of all of them.
TAGS = {
    (700, "download_execution"),
    (700, "server_shell"),
    (701, "server_shell"),
    (702, "download_execution"),
    (702, "server_shell"),
    (710, "cryptominer"),
    (710, "sustained_cpu_usage"),
    (710, "temporary_directory_execution"),
    (711, "temporary_directory_execution"),
    (720, "kernel_thread_masquerading"),
    (730, "privilege_escalation"),
    (740, "server_program_crash"),
    (750, "log_removal"),
}


class TimesketchTestCase(unittest.TestCase):
    """Shared functionality of tests with one server."""

    maxDiff = None

    _directory = None
    _index = None
    _server = None

    @classmethod
    def setUpClass(cls):
        """Starts a server."""
        super().setUpClass()
        cls._directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls._directory)
        cls._server = timesketch_server.TimesketchServer()
        # pylint: disable-next=unnecessary-dunder-call
        cls._server.__enter__()
        cls.addClassCleanup(cls._server.__exit__, None, None, None)
        cls._client = cls._server.Connect()
        cls._index = opensearchpy.OpenSearch([cls._server.index_url])

    @classmethod
    def _Extract(cls, name, *arguments):
        """Extracts events with the package, and writes their JSON lines.

        Args:
          name (str): name of the directory with the sources.
          arguments (list[str]): additional arguments of log2timeline.

        Returns:
          tuple[str, str]: paths of the storage file and of the JSON lines.
        """
        storage_path = cls._GetPath(f"{name:s}.plaso")
        lines_path = cls._GetPath(f"{name:s}.jsonl")
        cls._RunTool(
            *("log2timeline", *arguments, "--storage_file", storage_path),
            cls._GetPath(name),
        )
        cls._RunTool("psort", "-o", "json_line", "-w", lines_path, storage_path)
        return storage_path, lines_path

    @classmethod
    def _GetPath(cls, name):
        """Retrieves the path of a file of the tests.

        Args:
          name (str): name of the file.

        Returns:
          str: path.
        """
        return os.path.join(cls._directory, name)

    @classmethod
    def _RunTool(cls, name, *arguments):
        """Runs a tool of Plaso with the package.

        Args:
          name (str): name of the tool.
          arguments (list[str]): arguments.

        Raises:
          RuntimeError: if the tool failed.
        """
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("PLASO_ATOP_DISABLE", "PYTHONPATH")
        }
        process = subprocess.run(
            [
                *(os.path.join(os.environ[TOOLS_VARIABLE], name), "--quiet"),
                *("--unattended", "--status_view", "none", "--logfile"),
                *(cls._GetPath(f"{name:s}.log.gz"), *arguments),
            ],
            check=False,
            cwd=cls._directory,
            encoding="utf-8",
            env=environment,
            stderr=subprocess.STDOUT,
            stdout=subprocess.PIPE,
        )
        if process.returncode != 0:
            raise RuntimeError(f"{name:s} failed:\n{process.stdout:s}")

    def _GetDocuments(self, timeline, query="*"):
        """Retrieves the documents of a timeline.

        Args:
          timeline (timesketch_api_client.timeline.Timeline): timeline.
          query (Optional[str]): query.

        Returns:
          list[dict[str, object]]: documents.
        """
        self._index.indices.refresh(index=timeline.index_name)
        # One search has no more than 10,000 hits.
        hits = opensearchpy.helpers.scan(
            self._index,
            index=timeline.index_name,
            query={
                "query": {
                    "bool": {
                        "filter": [
                            {"term": {"__ts_timeline_id": timeline.id}},
                            {"query_string": {"query": query}},
                        ]
                    }
                },
            },
            size=10000,
        )
        return [hit["_source"] for hit in hits]

    def _GetNumberOfDocuments(self, timeline):
        """Counts the documents of a timeline.

        Args:
          timeline (timesketch_api_client.timeline.Timeline): timeline.

        Returns:
          int: number of documents.
        """
        self._index.indices.refresh(index=timeline.index_name)
        response = self._index.count(
            index=timeline.index_name,
            body={"query": {"term": {"__ts_timeline_id": timeline.id}}},
        )
        return response["count"]

    def _GetNumberOfEvents(self, path):
        """Counts the events of a storage file.

        Args:
          path (str): path of the storage file.

        Returns:
          int: number of events.
        """
        storage_reader = factory.StorageFactory.CreateStorageReaderForFile(path)
        try:
            return storage_reader.GetNumberOfAttributeContainers("event")
        finally:
            storage_reader.Close()

    @classmethod
    def _ReadLines(cls, path):
        """Reads JSON lines.

        Args:
          path (str): path of the file.

        Returns:
          list[dict[str, object]]: values.
        """
        with open(path, encoding="utf-8") as file_object:
            return [json.loads(line) for line in file_object]

    def _RunAnalyzers(self, timeline):
        """Runs the analyzers that add features and tags.

        Args:
          timeline (timesketch_api_client.timeline.Timeline): timeline.

        Returns:
          list[str]: results.
        """
        # Runs the extraction of features as well, on which it depends.
        sessions = timeline.run_analyzer("tagger")
        if not isinstance(sessions, (list, tuple)):
            sessions = [sessions]
        # There is one per analyzer, but they are the same.
        sessions = {session.id: session for session in sessions}.values()

        end_time = time.monotonic() + ANALYZER_TIMEOUT_SECONDS
        while time.monotonic() < end_time:
            entries = [
                entry
                for session in sessions
                # pylint: disable-next=protected-access
                for entry in session._fetch_data().get("analyzers", [])
            ]
            statuses = {entry["status"] for entry in entries}
            self.assertNotIn("ERROR", statuses, self._server.GetLog("worker"))
            # The server stores the result of an analyzer after its status.
            results = [entry["results"] for entry in entries]
            if entries and statuses == {"DONE"} and None not in results:
                return results

            time.sleep(0.5)

        self.fail(
            f"analyzers are {statuses!s}, {results.count(None):d} without a result\n"
            f"{self._server.GetLog('worker'):s}"
        )


class TimesketchTest(TimesketchTestCase):
    """Tests with a server that was set up as docs/timesketch.md says."""

    @classmethod
    def setUpClass(cls):
        """Extracts events and imports them."""
        super().setUpClass()
        os.mkdir(cls._GetPath("case"))
        for name, data in (
            ("web", timesketch_logs.CreateIntrusionLog("web")),
            ("bastion", cls._ReadTestFile("atop-2.12.1.raw")),
            ("storage", timesketch_logs.CreateDeviceLog("storage")),
        ):
            with open(os.path.join(cls._GetPath("case"), name), "wb") as file_object:
                file_object.write(data)

        cls._storage_path, lines_path = cls._Extract("case", "--parsers", "atop")
        cls._lines = cls._ReadLines(lines_path)
        cls._sketch = cls._client.create_sketch("case")
        cls._timeline = cls._server.Import(cls._sketch, cls._storage_path, "case")
        # As a user does who uploads these instead.
        cls._lines_timeline = cls._server.Import(cls._sketch, lines_path, "lines")

    @classmethod
    def _ReadTestFile(cls, name):
        """Reads a file of the test data.

        Args:
          name (str): name of the file.

        Returns:
          bytes: contents of the file.
        """
        path = os.path.join(PROJECT_PATH, "test_data", name)
        with open(path, "rb") as file_object:
            return file_object.read()

    def _GetGraph(self, name, timeline):
        """Retrieves a graph as the page of Timesketch does.

        Args:
          name (str): name of the graph.
          timeline (timesketch_api_client.timeline.Timeline): timeline.

        Returns:
          tuple[dict[str, dict[str, object]], list[tuple[str, str, dict[str, object]]]]:
              nodes per identifier, and edges.
        """
        response = self._client.session.post(
            f"{self._client.api_root:s}/sketches/{self._sketch.id:d}/graph/",
            json={
                "config": {"filter": {"indices": [timeline.index_name]}},
                "plugin": name,
                "refresh": True,
                "timeline_ids": [timeline.id],
            },
        )
        self.assertEqual(response.status_code, 200, self._server.GetLog("web"))
        graph = json.loads(response.json()["objects"][0]["graph_elements"])
        nodes = {
            node["data"]["id"]: node["data"] for node in graph["elements"]["nodes"]
        }
        edges = [
            (edge["data"]["source"], edge["data"]["target"], edge["data"])
            for edge in graph["elements"]["edges"]
        ]
        return nodes, edges

    def _GetTags(self, documents):
        """Retrieves the tags of processes.

        Args:
          documents (list[dict[str, object]]): documents.

        Returns:
          set[tuple[int, str]]: process identifiers and tags.
        """
        return {
            (document["pid"], tag)
            for document in documents
            for tag in document.get("tag", ())
        }

    def _Search(self, query, hostname):
        """Searches the timeline as the page of Timesketch does.

        Args:
          query (str): query.
          hostname (str): name of the host.

        Returns:
          list[dict[str, object]]: documents of the host.
        """
        query_object = search.Search(self._sketch)
        query_object.query_string = query
        query_object.indices = [self._timeline.id]
        query_object.max_entries = 10000
        query_object.return_fields = "data_type,hostname,pid,sent_size"
        return [
            document
            for document in query_object.table.to_dict("records")
            if document["hostname"] == hostname
        ]

    def testEnvironment(self):
        """Tests that the server does not have the package."""
        output = self._server.RunTool(
            "python",
            "-c",
            "import sys, plaso.output.mediator, plaso.parsers;"
            "print([name for name in sys.modules if name.startswith('plaso_atop')])",
        )
        self.assertEqual(output, "[]\n")

    def testEvents(self):
        """Tests that every event is in the index."""
        number_of_events = self._GetNumberOfEvents(self._storage_path)
        self.assertEqual(len(self._lines), number_of_events)
        for timeline in (self._timeline, self._lines_timeline):
            self.assertEqual(self._GetNumberOfDocuments(timeline), number_of_events)
        print(f"\n{number_of_events:d} events, all indexed", end="")

    def testMessages(self):
        """Tests that messages are those that psort makes with the package."""
        expected_messages = collections.Counter(
            (line["data_type"], line["message"]) for line in self._lines
        )
        for timeline in (self._timeline, self._lines_timeline):
            messages = collections.Counter(
                (document["data_type"], document["message"])
                for document in self._GetDocuments(timeline)
            )
            self.assertEqual(messages, expected_messages)

        data_types = set()
        for data_type, message in expected_messages:
            self.assertNotIn("DEFAULT FORMATTER", message)
            data_types.add(data_type)

        with open(timesketch_server.FORMATTERS_PATH, encoding="utf-8") as file_object:
            self.assertEqual(
                data_types,
                {section["data_type"] for section in yaml.safe_load_all(file_object)},
            )

    def testTypes(self):
        """Tests that the values of an attribute have one type."""
        # The index does not have the documents that it rejected.
        documents = list(self._lines)
        for timeline in (self._timeline, self._lines_timeline):
            documents.extend(self._GetDocuments(timeline))

        types = collections.defaultdict(set)
        for document in documents:
            for name, value in document.items():
                is_list = isinstance(value, list)
                for element in value if is_list else [value]:
                    types[name].add((is_list, type(element).__name__))

        self.assertGreater(len(types), 100)
        self.assertEqual(
            {name: values for name, values in types.items() if len(values) > 1}, {}
        )

    def testAttributes(self):
        """Tests that attributes which Plaso has with other types have a mapping."""
        types = collections.defaultdict(set)
        own_names = set()
        for path in _GetParserPaths(self._server):
            is_own = path.startswith(os.path.join(PROJECT_PATH, "plaso_atop"))
            with open(path, encoding="utf-8") as file_object:
                text = file_object.read()
            for docstring in re.findall(
                r'class \w+EventData\(.*?""".*?"""', text, re.S
            ):
                for name, value in re.findall(
                    r"^ +(\w+) \(([\w.\[\]]+)\):", docstring, re.M
                ):
                    types[name].add(value)
                    if is_own:
                        own_names.add(name)

        names = {name for name in own_names if len(types[name]) > 1}
        self.assertIn("exit_code", names)
        for timeline in (self._timeline, self._lines_timeline):
            mappings = self._index.indices.get_mapping(index=timeline.index_name)
            properties = mappings[timeline.index_name]["mappings"]["properties"]
            for name in names & set(properties):
                self.assertEqual(properties[name]["type"], "text", name)

        with open(
            os.path.join(timesketch_server.DATA_PATH, "plaso.mappings"),
            encoding="utf-8",
        ) as file_object:
            own_properties = set(json.load(file_object)["properties"])
        self.assertEqual(own_properties, names | {"ancestors"})

    def testMappings(self):
        """Tests the types that the index has for where a process comes from."""
        for timeline in (self._timeline, self._lines_timeline):
            mappings = self._index.indices.get_mapping(index=timeline.index_name)
            properties = mappings[timeline.index_name]["mappings"]["properties"]
            for name, value in (
                ("ancestors", "text"),
                ("interval_seconds", "long"),
                ("is_inherited", "boolean"),
                ("login_pid", "long"),
                ("login_session", "text"),
                ("observed_seconds", "long"),
                ("running_at_log_start", "boolean"),
                ("systemd_unit", "text"),
            ):
                self.assertEqual(properties[name]["type"], value, name)

            # A regular expression must find the longest.
            keyword = properties["ancestors"]["fields"]["keyword"]
            self.assertGreaterEqual(keyword["ignore_above"], MAXIMUM_ANCESTORS_LENGTH)

    def testOtherParsers(self):
        """Tests that nothing is lost beside the events of other parsers."""
        directory = self._GetPath("system")
        other_sources.Create(directory)
        os.makedirs(os.path.join(directory, "var", "log", "atop"))
        shutil.copy(
            os.path.join(PROJECT_PATH, "test_data", "atop-2.12.1.raw"),
            os.path.join(directory, "var", "log", "atop", "atop_20261121"),
        )
        storage_path, lines_path = self._Extract("system")
        lines = self._ReadLines(lines_path)
        parsers = collections.Counter(line["parser"] for line in lines)
        other_parsers = {
            name for name in parsers if not name.startswith(("atop", "filestat"))
        }
        self.assertGreaterEqual(len(other_parsers), 10, parsers)
        self.assertIn("atop/process", parsers)

        sketch = self._client.create_sketch("system")
        timeline = self._server.Import(sketch, storage_path, "system")
        self.assertEqual(
            self._GetNumberOfDocuments(timeline), self._GetNumberOfEvents(storage_path)
        )
        self.assertEqual(
            collections.Counter(
                document["data_type"] for document in self._GetDocuments(timeline)
            ),
            collections.Counter(line["data_type"] for line in lines),
        )
        print(
            f"\n{len(lines):d} events of atop and {len(other_parsers):d} other parsers,"
            f" all indexed: {', '.join(sorted(other_parsers)):s}",
            end="",
        )

    def testAnalyzers(self):
        """Tests the features and tags that the analyzers add, and what shows them."""
        self.assertEqual(
            self._GetGraph("AtopTaggedProcessTree", self._timeline), ({}, [])
        )

        results = self._RunAnalyzers(self._timeline)
        results = sorted({text for text in results if "atop_" in text})
        print("", *results, sep="\n", end="")
        documents = self._GetDocuments(self._timeline)
        self.assertEqual(len(documents), len(self._lines))
        # One process of this host has the name of a thread of the kernel.
        self.assertEqual(
            {
                tag
                for document in documents
                if document["hostname"] == "bastion"
                for tag in document.get("tag", ())
            },
            {"application_execution", "kernel_thread_masquerading"},
        )

        documents = [
            document for document in documents if document["hostname"] == "web"
        ]
        tags = self._GetTags(documents)
        executed = {pid for pid, tag in tags if tag == "application_execution"}
        self.assertEqual(
            {pid for pid, tag in tags if tag != "application_execution"}
            | {2, 15}
            | executed,
            {document["pid"] for document in documents if "pid" in document},
        )
        self.assertEqual(
            {(pid, tag) for pid, tag in tags if tag != "application_execution"}, TAGS
        )

        features = {
            (document["pid"], name, value)
            for document in documents
            for name in ("url", "ip_address")
            for value in document.get(name, ())
        }
        self.assertEqual(
            features,
            {
                (700, "ip_address", "192.0.2.66"),
                (700, "url", "http://192.0.2.66/x.sh"),
                (710, "ip_address", "192.0.2.67"),
                (710, "url", "stratum+tcp://192.0.2.67:3333"),
            },
        )

        self._CheckTemplate("atop_tag")

        nodes, edges = self._GetGraph("AtopTaggedProcessTree", self._timeline)
        labels = {identifier: node["label"] for identifier, node in nodes.items()}
        relations = {
            (labels[source].partition("\n")[0], labels[target].partition("\n")[0])
            for source, target, _ in edges
        }
        self.assertIn(("apache2 (501)", "sh (700)"), relations)
        self.assertIn(("sh (702)", "x (710)"), relations)
        self.assertIn(("systemd (1)", "apache2 (500)"), relations)
        names = {label.partition("\n")[0] for label in labels.values()}
        self.assertFalse(names & {"bash (610)", "su (760)", "kworker/0:1 (15)"}, names)

    def testTags(self):
        """Tests that the tagger tags what psort tags."""
        lines_path = self._GetPath("cases.jsonl")
        subprocess.run(
            [
                *(os.path.join(os.environ[TOOLS_VARIABLE], "python"), "-m"),
                *("tests.lib.timesketch_cases", lines_path),
            ],
            check=True,
            cwd=PROJECT_PATH,
        )
        timeline = self._server.Import(
            self._client.create_sketch("cases"), lines_path, "cases"
        )
        self._RunAnalyzers(timeline)

        number_of_tags = 0
        for document in self._GetDocuments(timeline):
            tags = set(document.get("tag", ()))
            self.assertEqual(tags, set(document["expected_tags"]), document)
            number_of_tags += len(tags)
        self.assertGreater(number_of_tags, 100)

    def testSigma(self):
        """Tests that the tagger tags what psort tags with Sigma rules."""
        lines_path = self._GetPath("sigma.jsonl")
        rules_path = self._GetPath("tags_sigma.yaml")
        subprocess.run(
            [
                *(os.path.join(os.environ[TOOLS_VARIABLE], "python"), "-m"),
                *("tests.lib.timesketch_sigma", lines_path, rules_path),
            ],
            check=True,
            cwd=PROJECT_PATH,
        )
        path = self._server.GetConfigurationPath("tags.yaml")
        shutil.copyfile(path, f"{path:s}.before")
        self.addCleanup(os.rename, f"{path:s}.before", path)
        with open(path, "a", encoding="utf-8") as file_object:
            with open(rules_path, encoding="utf-8") as rules_file_object:
                file_object.write(rules_file_object.read())

        timeline = self._server.Import(
            self._client.create_sketch("sigma"), lines_path, "sigma"
        )
        self._RunAnalyzers(timeline)

        documents = self._GetDocuments(timeline)
        self.assertEqual(len(documents), len(self._ReadLines(lines_path)))
        numbers = collections.Counter()
        for document in documents:
            tags = {tag for tag in document.get("tag", ()) if tag.startswith("sigma_")}
            self.assertEqual(tags, set(document["expected_tags"]), document)
            numbers.update(tags or ["none"])
        with open(rules_path, encoding="utf-8") as file_object:
            labels = set(yaml.safe_load(file_object))
        # All rules, and events without any.
        self.assertGreaterEqual(len(labels), 11)
        self.assertEqual(set(numbers), {"none", *labels}, numbers)
        print(f"\n{len(documents):d} events, {len(labels):d} Sigma rules", end="")

    def _CheckTemplate(self, short_name):
        """Checks what a search template finds.

        Args:
          short_name (str): short name of the template.
        """
        parameters, pids = TEMPLATES[short_name]
        documents = self._RunTemplate(short_name, parameters, "web")
        self.assertEqual({document["pid"] for document in documents}, pids, short_name)

    def _ReadTemplates(self):
        """Reads the search templates.

        Returns:
          dict[str, dict[str, object]]: templates per short name.
        """
        path = os.path.join(
            timesketch_server.DATA_PATH, "search_templates", "atop.yaml"
        )
        with open(path, encoding="utf-8") as file_object:
            return {
                template["short_name"]: template
                for template in yaml.safe_load(file_object)
            }

    def _RunTemplate(self, short_name, parameters, hostname):
        """Runs a search template as the page of Timesketch does.

        Args:
          short_name (str): short name of the template.
          parameters (dict[str, str]): values of the parameters.
          hostname (str): name of the host.

        Returns:
          list[dict[str, object]]: documents of the host.
        """
        template = self._ReadTemplates()[short_name]
        self.assertEqual(
            {parameter["name"] for parameter in template["parameters"]}, set(parameters)
        )
        templates = self._client.fetch_resource_data("searchtemplates/")["objects"][0]
        (loaded,) = [
            item for item in templates if item["name"] == template["display_name"]
        ]
        # The page fails on a template without.
        self.assertIn("parameters", json.loads(loaded["template_json"]))

        query = loaded["query_string"]
        if parameters:
            response = self._client.session.post(
                f"{self._client.api_root:s}/searchtemplates/{loaded['id']:d}/parse/",
                json=parameters,
            )
            query = response.json()["objects"][0]["query_string"]
        return self._Search(query, hostname)

    def testSearchTemplates(self):
        """Tests that the search templates are loaded and find what they should."""
        templates = self._ReadTemplates()
        self.assertEqual(set(templates), set(TEMPLATES) | OTHER_TEMPLATES)
        for short_name in TEMPLATES:
            # The tags are not there before the tagger has run.
            if short_name != "atop_tag":
                with self.subTest(short_name=short_name):
                    self._CheckTemplate(short_name)

        documents = self._RunTemplate("atop_coverage", {}, "web")
        self.assertEqual(
            collections.Counter(document["data_type"] for document in documents),
            {"linux:atop:session": 3, "linux:atop:gap": 2},
        )

        documents = self._RunTemplate("atop_sent", {"bytes": "0"}, "bastion")
        sizes = sorted(
            line["sent_size"]
            for line in self._lines
            if line["data_type"] == "linux:atop:network_interface"
            and not line.get("since_boot")
            and line["sent_size"] > 0
        )
        self.assertTrue(sizes)
        self.assertEqual(sorted(document["sent_size"] for document in documents), sizes)

    def testQuestion(self):
        """Tests that the question is loaded, with its approaches."""
        path = os.path.join(
            timesketch_server.DATA_PATH, "dfiq", "questions", "Q0823.yaml"
        )
        with open(path, encoding="utf-8") as file_object:
            question = yaml.safe_load(file_object)

        templates = scenario.getQuestionTemplateList(self._client)
        self.assertIn(question["name"], [template["name"] for template in templates])

        # As the page does.
        added = self._sketch.add_question(dfiq_id=question["id"])
        approaches = added.approaches
        self.assertEqual(
            [approach["name"] for approach in approaches],
            [approach["name"] for approach in question["approaches"]],
        )
        for approach, expected in zip(approaches, question["approaches"]):
            specification = json.loads(approach["spec_json"])
            # The page fails on an approach without.
            self.assertTrue(specification["notes"]["covered"])
            self.assertTrue(specification["notes"]["not_covered"])
            self.assertEqual(
                {template["name"] for template in approach["search_templates"]},
                {
                    template["display_name"]
                    for template in self._ReadTemplates().values()
                    for step in expected["steps"]
                    if step["value"] == template["id"]
                },
            )
            for step in expected["steps"]:
                if step["type"] == "opensearch-query" and "exists" not in step["value"]:
                    self.assertTrue(self._Search(step["value"], "web"), step)

    def testGraph(self):
        """Tests that the graph shows which process started which."""
        nodes, edges = self._GetGraph("AtopProcessTree", self._timeline)
        labels = {identifier: node["label"] for identifier, node in nodes.items()}
        relations = {
            (labels[source].partition("\n")[0], labels[target].partition("\n")[0])
            for source, target, _ in edges
        }
        self.assertIn(("python3 (17)", "sh (47)"), relations)
        self.assertIn(("sh (47)", "dd (8 times)"), relations)

        # Each start is an event of one edge. The event names the parent process, and
        # the edge comes from it.
        starts = [
            document
            for document in self._GetDocuments(self._timeline)
            if document["data_type"] == "linux:atop:process"
            and document["timestamp_desc"] == "Start Time"
            and 2 not in (document["pid"], document["ppid"])
        ]
        number_of_events = 0
        for source, _, edge in edges:
            for identifiers in edge["events"].values():
                number_of_events += len(identifiers)
                for identifier in identifiers:
                    event = self._index.get(
                        index=self._timeline.index_name, id=identifier
                    )
                    process = event["_source"]
                    parent = labels[source].partition("\n")[0]
                    if process["ppid"]:
                        self.assertEqual(
                            parent,
                            f"{process['parent_process_name']:s} ({process['ppid']:d})",
                        )
                    else:
                        self.assertEqual(parent, process["hostname"])
        self.assertEqual(number_of_events, len(starts))

        line_nodes, _ = self._GetGraph("AtopProcessTree", self._lines_timeline)
        self.assertEqual(line_nodes, nodes)

        # Threads of the kernel are left out, what looks like them is not.
        names = {node["label"].partition("\n")[0] for node in nodes.values()}
        self.assertNotIn("kworker/0:1 (15)", names)
        self.assertNotIn("kthreadd (2)", names)
        self.assertIn("kworker/u8:9 (720)", names)

    def testBrokenFormatters(self):
        """Tests that a section which psort rejects is noticed."""
        path = self._server.GetConfigurationPath("plaso_formatters.yaml")
        with open(path, encoding="utf-8") as file_object:
            text = file_object.read()

        def _Restore():
            with open(path, "w", encoding="utf-8") as file_object:
                file_object.write(text)

        self.addCleanup(_Restore)
        sketch = self._client.create_sketch("broken")
        for index, (piece, broken_piece) in enumerate(
            (
                ("- 'PID: {pid}'\n", "- 'PID: {pid} {ppid}'\n"),
                ("source: 'atop raw log'\n", "origin: 'atop raw log'\n"),
            )
        ):
            self.assertIn(piece, text)
            with open(path, "w", encoding="utf-8") as file_object:
                file_object.write(text.replace(piece, broken_piece))
            with self.assertRaisesRegex(RuntimeError, "ended as: fail"):
                self._server.Import(sketch, self._storage_path, f"broken {index:d}")

        _Restore()
        self._server.Import(sketch, self._storage_path, "whole")


def _GetParserPaths(server):
    """Retrieves the paths of the modules with event data.

    Args:
      server (TimesketchServer): server.

    Returns:
      list[str]: paths of those of Plaso and of this project.
    """
    plaso_path = server.RunTool(
        "python", "-c", "import os, plaso; print(os.path.dirname(plaso.__file__))"
    ).strip()
    paths = []
    for top_path in (
        os.path.join(plaso_path, "parsers"),
        os.path.join(PROJECT_PATH, "plaso_atop"),
    ):
        for directory, _, names in os.walk(top_path):
            paths.extend(
                os.path.join(directory, name) for name in names if name.endswith(".py")
            )
    return paths


if __name__ == "__main__":
    unittest.main()
