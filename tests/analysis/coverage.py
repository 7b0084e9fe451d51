#!/usr/bin/env python3
"""Tests for the analysis plugin that reports what logs of atop cover."""

import bz2
import collections
import gzip
import lzma
import os
import re
import subprocess
import unittest
from unittest import mock

from dfdatetime import posix_time
from dfdatetime import semantic_time

from dfvfs.lib import definitions as dfvfs_definitions
from dfvfs.path import factory as path_spec_factory
from dfvfs.path import fake_path_spec
from dfvfs.path import gzip_path_spec

from plaso.analysis import manager
from plaso.containers import events
from plaso.parsers import filestat

from plaso_atop import rawlog
from plaso_atop.analysis import coverage
from plaso_atop.plugins import session
from plaso_atop.plugins import system

from tests.lib import coverage_test_lib
from tests.lib import end_to_end
from tests.lib import test_lib
from tests.lib import volumes

_COMPRESSORS = {"bz2": bz2.compress, "gz": gzip.compress, "xz": lzma.compress}

_INTERVAL = coverage_test_lib.INTERVAL


class AtopCoverageImageTest(end_to_end.ToolsTestCase):
    """Tests the analysis of images."""

    @classmethod
    def setUpClass(cls):
        """Makes an image with logs of many hosts, and analyzes it."""
        super().setUpClass()
        cls._WriteCases(cls._GetPath("cases"))
        for day in (22, 24):
            name = f"{cls._LOG:s}{day:d}"
            samples = coverage_test_lib.GetDay(day)
            data = coverage_test_lib.BuildLog("other", samples)
            coverage_test_lib.WriteLog(
                cls._GetPath("other"), name, data, samples[-1][0]
            )

        for name in ("cases", "other"):
            image_path = coverage_test_lib.MakeImage(cls._GetPath(name))
            if name == "cases":
                image_path = cls._ConvertImage(image_path)
            cls._path = cls._Extract(image_path, "cases.plaso", *cls._OPTIONS)
        cls._output = cls._Analyze(cls._path)
        cls._hosts = cls._ReadReport(cls._path)

    _OPTIONS = (
        *("--single-process", "--parsers", "atop/session,filestat"),
        *("--partitions", "all", "--volumes", "all"),
    )

    # As reported, without the date of the month that all have.
    _LOG = "atop_202610"

    @classmethod
    def _Analyze(cls, path):
        """Runs the analysis.

        Args:
          path (str): path of the storage file.

        Returns:
          str: what psort printed.
        """
        return cls._RunTool(
            "psort",
            *("--unattended", "--logfile", cls._GetPath("analysis.log.gz")),
            *("--status-view", "none", "-o", "null", "--analysis", "atop_coverage"),
            path,
        )

    @classmethod
    def _ConvertImage(cls, path):
        """Makes an E01 with a logical volume in a partition.

        Args:
          path (str): path of the image of the logical volume.

        Returns:
          str: path of the E01, which is beside it.
        """
        with open(path, "rb") as file_object:
            data = volumes.AddLogicalVolume(file_object.read())
        with open(path, "wb") as file_object:
            file_object.write(volumes.AddPartitionTable(data))
        path, _ = os.path.splitext(path)
        subprocess.run(
            [test_lib.FindProgram("ewfacquire"), "-u", "-t", path, f"{path:s}.raw"],
            check=True,
            capture_output=True,
        )
        return f"{path:s}.E01"

    @classmethod
    def _ReadReport(cls, path):
        """Reads the report.

        Args:
          path (str): path of the storage file.

        Returns:
          dict[str, list[str]]: lines per host, without those of what is not known.
        """
        output = cls._RunTool(
            "pinfo", "--sections", "reports", "--output_format", "markdown", path
        )
        hosts = {}
        for line in output.splitlines():
            match = re.match(r"Host (.*): logs: \d+, findings: \d+\.$", line)
            if match:
                lines = hosts.setdefault(match[1], [])
            elif line.startswith(("Log ", "Finding ")):
                lines.append(line)
        return hosts

    @classmethod
    def _WriteCases(cls, directory):
        """Writes the logs of all cases.

        Args:
          directory (str): path of the directory.
        """

        def _Write(host, name, *parts, time=None, data=None, **kwargs):
            """Writes a log of samples."""
            samples = sum(parts, ())
            data = (
                coverage_test_lib.BuildLog(host, samples, **kwargs)
                if data is None
                else data
            )
            _, _, extension = name.partition(".")
            if extension:
                data = _COMPRESSORS[extension](data)
            time = samples[-1][0] if time is None else time
            coverage_test_lib.WriteLog(
                os.path.join(directory, host), f"{cls._LOG:s}{name:s}", data, time
            )

        def _SetDirectoryTime(host, time):
            """Sets the time of the last change of the directory of logs."""
            path = os.path.join(directory, host, "var", "log", "atop")
            os.utime(path, (time, time))

        def _WriteDays(host, *days, **kwargs):
            """Writes logs of whole days."""
            for day in days:
                _Write(host, f"{day:d}", coverage_test_lib.GetDay(day), **kwargs)

        # What is ordinary.
        _WriteDays("complete", *range(22, 29))
        for day, extension in zip(range(22, 28), ("gz", "bz2", "xz") * 2):
            _Write("rotated", f"{day:d}.{extension:s}", coverage_test_lib.GetDay(day))
        _WriteDays("rotated", 28)
        _WriteDays("upgrade", 22, 24)
        _WriteDays("restart", 22, 24)
        noon = coverage_test_lib.GetTime(23, 10) + coverage_test_lib.SECOND
        start, end = coverage_test_lib.GetDay(23)[0][0], coverage_test_lib.GetMidnight(
            24
        )
        morning = coverage_test_lib.GetRun(start, noon + 1)
        _Write("upgrade", "23_oldformat", morning, version="2.7")
        _Write(
            "upgrade", "23", coverage_test_lib.GetRun(noon + 300, end), version="2.13"
        )
        # Of atop, then of the system.
        _Write(
            "restart",
            "23",
            coverage_test_lib.GetRun(start, noon - 6000 + 1),
            coverage_test_lib.GetRun(noon - 5900, noon - 3000),
            coverage_test_lib.GetRun(noon - 3000, end, boot_time=noon - 3100),
        )

        # A file is created at midnight, and when a log is converted, and those that are
        # too old are removed then.
        for host, time in (
            ("complete", coverage_test_lib.GetDay(28)[0][0] + 3),
            ("restart", coverage_test_lib.GetDay(24)[0][0]),
            ("upgrade", noon + 250),
        ):
            _SetDirectoryTime(host, time)

        # What is not.
        _WriteDays("removed", 22, 23)
        _SetDirectoryTime("removed", coverage_test_lib.GetTime(23, 3, 41))
        _WriteDays("missing", 22, 23, 25, 28)
        for host, data in (("emptied", b""), ("zeroed", bytes(50000))):
            _WriteDays(host, 22, 24)
            _Write(host, "23", data=data, time=noon)
        _WriteDays("truncated", 22, 24)
        _Write("truncated", "23", morning, time=noon)
        _WriteDays("truncated-later", 22, 24)
        data = coverage_test_lib.BuildLog("truncated-later", morning)[:-100]
        _Write(
            "truncated-later", "23", data=data, time=coverage_test_lib.GetTime(24, 20)
        )
        _WriteDays("replaced", 22, 24, 25)
        _Write(
            "replaced",
            "23",
            data=coverage_test_lib.BuildLog("replaced", coverage_test_lib.GetDay(22)),
            time=end,
        )
        _WriteDays("cut", 22, 24)
        _Write(
            "cut",
            "23",
            coverage_test_lib.GetDay(23)[:50] + coverage_test_lib.GetDay(23)[60:],
        )
        _WriteDays("cut-start", 22, 24)
        _Write("cut-start", "23", coverage_test_lib.GetDay(23)[10:])
        _WriteDays("touched", 22, 24)
        _Write(
            "touched",
            "23",
            coverage_test_lib.GetDay(23),
            time=coverage_test_lib.GetTime(25, 3),
        )
        _WriteDays("touched-before", 22, 24)
        _Write(
            "touched-before",
            "23",
            coverage_test_lib.GetDay(23),
            time=coverage_test_lib.GetTime(23, 3),
        )
        _WriteDays("clock", 22, 24)
        back = tuple(
            (t - 7200, i, f, n) for t, i, f, n in coverage_test_lib.GetDay(23)[60:]
        )
        back = ((back[0][0], 1, 0, 0), *back[1:])
        _Write("clock", "23", coverage_test_lib.GetDay(23)[:60], back)
        _WriteDays("stopped", 22, 24)
        _Write("stopped", "23", morning, coverage_test_lib.GetRun(noon + 7200, end))
        _WriteDays("crash", 22, 24)
        data = coverage_test_lib.BuildLog("crash", morning)[
            :-100
        ] + coverage_test_lib.BuildSamples(
            coverage_test_lib.GetRun(noon + 1800, end, boot_time=noon + 1700), "2.12"
        )
        _Write(
            "crash",
            "23",
            data=data,
            time=coverage_test_lib.GetRun(noon + 1800, end)[-1][0],
        )
        _WriteDays("interval", 22)
        _Write(
            "interval",
            "23",
            morning,
            coverage_test_lib.GetRun(noon + 300, end, interval=3600),
        )
        flags = rawlog.FLAG_ACCOUNTING
        for host, part in (
            (
                "accounting",
                tuple((t, i, 0, 0) for t, i, _, _ in coverage_test_lib.GetDay(23)[70:]),
            ),
            (
                "exits",
                tuple(
                    (t, i, flags, 0) for t, i, _, _ in coverage_test_lib.GetDay(23)[70:]
                ),
            ),
        ):
            _Write(host, "22", coverage_test_lib.GetDay(22, flags))
            _Write(host, "23", coverage_test_lib.GetDay(23, flags)[:70], part)
            _Write(host, "24", coverage_test_lib.GetDay(24, flags))
        _WriteDays("overlap", 22, 24)
        _Write("overlap", "23_oldformat", morning, version="2.7")
        _Write(
            "overlap",
            "23",
            morning,
            coverage_test_lib.GetRun(noon + 300, end),
            version="2.13",
        )
        _WriteDays("among", 22, 23, 25)
        coverage_test_lib.WriteLog(
            os.path.join(directory, "among"),
            f"{cls._LOG:s}24",
            coverage_test_lib.BuildLog("stranger", coverage_test_lib.GetDay(24)),
            coverage_test_lib.GetDay(24)[-1][0],
        )

    def _CheckFindings(self, host, *expected):
        """Checks the findings of a host.

        Args:
          host (str): name of the host.
          expected (list[str]): findings, without number, month and directory.
        """
        findings = []
        for line in self._hosts[host]:
            if line.startswith("Finding "):
                line = line.partition(": ")[2].replace("2026-10-", "")
                line = re.sub(r"\S*/var/log/atop/atop_202610", "", line)
                findings.append(line.removesuffix("."))
        self.assertEqual(findings, list(expected))

    def testOrdinaryAdministration(self):
        """Tests that ordinary administration is no finding."""
        self._CheckFindings("complete")
        self.assertEqual(len(self._hosts["complete"]), 7)
        self._CheckFindings("restart")
        self._CheckFindings("rotated")
        self._CheckFindings("upgrade")

    def testLogs(self):
        """Tests what the report says of logs."""
        self.assertEqual(
            self._hosts["restart"][1],
            "Log cases.E01/p1/lvm1:/restart/var/log/atop/atop_20261023: 2026-10-22 "
            "22:00:05 to 2026-10-23 21:50:05, samples: 145, runs of atop: 3, boots of "
            "the system: 2, interval: 600 s, process accounting: not active, atop: "
            "2.12.",
        )
        self.assertEqual(len(self._hosts["rotated"]), 7)
        for line, name in zip(self._hosts["rotated"], ("22.gz", "23.bz2", "24.xz")):
            self.assertIn(f"/atop_202610{name:s}: 2026-10-2", line)
            self.assertIn(", samples: 144, ", line)

    def testMissingDays(self):
        """Tests days without a log."""
        self._CheckFindings(
            "missing",
            "23 21:50:05, 23: no samples until 24 22:00:05, for 1 day, 0:10:00, "
            "expected interval 600 s, next log 25, system not started in between, no "
            "log of 24",
            "25 22:50:05, 25: no samples until 27 23:00:05, for 2 days, 0:10:00, "
            "expected interval 600 s, next log 28, system not started in between, no "
            "log of 26 to 27",
        )

    def testRemovedFirstLog(self):
        """Tests a log that was removed, and is not missed between others."""
        self.assertEqual(
            self._hosts["removed"][2:],
            [
                "Finding 1: 2026-10-23 03:41:00, cases.E01/p1/lvm1:/removed/var/log/"
                "atop: a file was created, renamed or removed, and no log has that "
                "time."
            ],
        )

    def testLogWithoutSamples(self):
        """Tests a log that was emptied, and one that was overwritten with zeros."""
        for host, size in (("emptied", 0), ("zeroed", 50000)):
            self._CheckFindings(
                host,
                "22 21:50:05, 22: no samples until 23 22:00:05, for 1 day, 0:10:00, "
                "expected interval 600 s, next log 24, system not started in between",
                f"23 10:00:05, 23: no sample in {size:d} bytes, last changed then",
            )

    def testTruncated(self):
        """Tests a log that was truncated, neatly and in a sample."""
        hole = (
            "{0:s}, 23: no samples until 23 22:00:05, for {1:s}, expected interval "
            "600 s, next log 24, system not started in between"
        )
        self._CheckFindings("truncated", hole.format("23 10:00:05", "12:00:00"))
        self._CheckFindings(
            "truncated-later",
            hole.format("23 09:50:05", "12:10:00"),
            "24 20:00:00, 23: changed 1 day, 10:09:55 after its last sample of 23 "
            "09:50:05",
        )

    def testReplaced(self):
        """Tests a log that was replaced by that of another day."""
        self._CheckFindings(
            "replaced",
            "21 22:00:05, 23: samples until 22 21:50:05, as 22 has",
            "21 22:00:05, 23: samples until 22 21:50:05, of another day than its name "
            "says",
            "22 21:50:05, 22: no samples until 23 22:00:05, for 1 day, 0:10:00, "
            "expected interval 600 s, next log 24, system not started in between",
            "23 22:00:00, 23: changed 1 day, 0:09:55 after its last sample of 22 "
            "21:50:05",
        )

    def testCut(self):
        """Tests logs that samples were neatly cut out of."""
        self._CheckFindings(
            "cut",
            "23 06:10:05, 23: samples missing or clock set forward, next sample 23 "
            "08:00:05",
        )
        self._CheckFindings(
            "cut-start",
            "22 21:50:05, 22: no samples until 22 23:40:05, for 1:50:00, expected "
            "interval 600 s, next log 23, not known whether the system was started in "
            "between",
            "22 23:40:05, 23: the first sample is not the first of a run of atop",
        )

    def testTouched(self):
        """Tests logs that were changed at another time than that of the last sample."""
        self._CheckFindings(
            "touched",
            "25 03:00:00, 23: changed 1 day, 5:09:55 after its last sample of 23 "
            "21:50:05",
        )
        self._CheckFindings(
            "touched-before",
            "23 03:00:00, 23: changed 18:50:05 before its last sample of 23 21:50:05",
        )

    def testClock(self):
        """Tests a clock that was set back by two hours."""
        self._CheckFindings(
            "clock",
            "23 07:50:05, 23: clock set back, next sample 23 06:00:05",
            "23 19:50:05, 23: no samples until 23 22:00:05, for 2:10:00, expected "
            "interval 600 s, next log 24, system not started in between",
        )

    def testRestart(self):
        """Tests long pauses: atop stopped, and a crash of the system."""
        self._CheckFindings(
            "stopped",
            "23 10:00:05, 23: no samples until 23 12:00:05, for 2:00:00, expected "
            "interval 600 s, system not started in between",
        )
        self._CheckFindings(
            "crash",
            "23 09:50:05, 23: no sample readable, 1058 bytes at offset 83856, next "
            "sample 23 10:30:05",
            "23 09:50:05, 23: no samples until 23 10:30:05, for 0:40:00, expected "
            "interval 600 s, system started at 23 10:28:25",
        )

    def testAccounting(self):
        """Tests process accounting that stopped: atop knew it, and did not know it."""
        self._CheckFindings(
            "accounting",
            "23 09:30:05, 23: process accounting ended during a run of atop",
        )
        self._CheckFindings(
            "exits",
            "23 09:30:05, 23: no exit of a process until 23 21:50:05, for 12:20:00 "
            "with process accounting, otherwise at most 0:10:00",
        )

    def testInterval(self):
        """Tests an interval that was changed."""
        self._CheckFindings(
            "interval", "23 10:05:05, 23: interval 3600 s, before 600 s"
        )

    def testOverlap(self):
        """Tests a log that was converted by an upgrade, and kept."""
        self._CheckFindings(
            "overlap",
            "22 22:00:05, 23_oldformat: samples until 23 10:00:05, as 23 has",
        )

    def testOtherHost(self):
        """Tests the log of another host among those of one."""
        self._CheckFindings(
            "among",
            "23 21:50:05, 23: no samples until 24 22:00:05, for 1 day, 0:10:00, "
            "expected interval 600 s, next log 25, system not started in between, no "
            "log of 24",
        )
        self._CheckFindings(
            "stranger", "23 22:00:05, 24: among logs of another host: among"
        )

    def testSeveralImages(self):
        """Tests a host of another image in the same storage."""
        self.assertEqual(
            [line.partition(" 2026")[0] for line in self._hosts["other"]],
            [
                "Log other.raw:/var/log/atop/atop_20261022:",
                "Log other.raw:/var/log/atop/atop_20261024:",
                "Finding 1:",
            ],
        )

    def testReport(self):
        """Tests what psort and pinfo show."""
        for output in (
            self._output,
            self._RunTool("pinfo", "--sections", "reports", self._path),
        ):
            output = " ".join(output.split())
            self.assertIn(
                "Text : Coverage by logs of atop, all times in UTC. Host accounting: "
                "logs: 3, findings: 1. Log cases.E01/p1/lvm1:/accounting/var/log/"
                "atop/atop_20261022: 2026-10-21 22:00:05 to 2026-10-22 21:50:05, "
                "samples: 144, runs of atop: 1, boots of the system: 1, interval: "
                "600 s, process accounting: active, atop: 2.12. Log",
                output,
            )
            self.assertIn(
                "Finding 1: 2026-10-23 09:30:05, cases.E01/p1/lvm1:/accounting/var/"
                "log/atop/atop_20261023: process accounting ended during a run of "
                "atop. Host among:",
                output,
            )
            self.assertIn(
                " Never known: logs that were removed before the first or after the "
                "last one. ---",
                output,
            )
            self.assertNotIn("filestat", output)

    def testWithoutFileEntries(self):
        """Tests logs in a directory, without events of the parser filestat."""
        path = self._Extract(
            os.path.join(self._GetPath("cases"), "emptied", "var", "log", "atop"),
            "emptied.plaso",
            *("--single-process", "--parsers", "atop/session"),
        )
        output = " ".join(self._Analyze(path).split())
        self.assertIn("Host emptied: logs: 2, findings: 1.", output)
        self.assertIn("no log of 2026-10-23.", output)
        self.assertIn(
            "Not known, as there are no events of the parser filestat: logs that are "
            "empty or gave no sample, and changes after the last sample.",
            output,
        )

    def testTags(self):
        """Tests that an event of each finding has a label."""
        tagged_events = collections.defaultdict(list)
        for event in self._ReadEvents(self._path):
            if "atop_coverage" not in event.get("tag", {}).get("labels", []):
                continue
            path = event["display_name"]
            match = re.search("([^/:]*)/var/log/atop(?:/atop_202610(.*))?$", path)
            values = (event["data_type"], match[2], event["timestamp_desc"])
            tagged_events[match[1]].append(values)

        entry = "fs:stat", "23", "Content Modification Time"
        gap = "linux:atop:gap", "23", "Start Time"
        start = "linux:atop:session", "23", "Start Time"
        for host, expected in (
            ("accounting", [start]),
            ("crash", [gap, start]),
            ("complete", []),
            ("cut", [gap]),
            ("emptied", [entry, (start[0], "24", start[2])]),
            ("missing", [(start[0], "25", start[2]), (start[0], "28", start[2])]),
            ("removed", [(entry[0], None, entry[2])]),
            ("stopped", [gap]),
            ("touched", [entry]),
        ):
            with self.subTest(host=host):
                self.assertEqual(tagged_events[host], expected)


class Mediator:
    """Analysis mediator that keeps the tags.

    Attributes:
      event_tags (list[EventTag]): tags.
    """

    def __init__(self):
        """Initializes a mediator."""
        super().__init__()
        self.event_tags = []

    def ProduceEventTag(self, event_tag):
        """Produces a tag.

        Args:
          event_tag (EventTag): tag.
        """
        self.event_tags.append(event_tag)


class AtopCoverageAnalysisPluginTest(test_lib.BaseTestCase):
    """Tests for the analysis plugin, with events that are made."""

    _DESCRIPTIONS = {
        "boot_time": "Boot Time",
        "end_time": "End Time",
        "modification_time": "Content Modification Time",
        "start_time": "Start Time",
    }

    def setUp(self):
        """Makes a plugin."""
        self._mediator = None
        self._plugin = coverage.AtopCoverageAnalysisPlugin()

    def _AddEvents(
        self, event_data, name, is_compressed=False, partition=None, **values
    ):
        """Adds the events of event data.

        Args:
          event_data (EventData): event data.
          name (str): path of the file.
          is_compressed (Optional[bool]): True if the data is compressed in the file.
          partition (Optional[str]): name of the partition of an image.
          values (dict[str, object]): values of attributes, times as seconds.
        """
        path_spec = fake_path_spec.FakePathSpec(location=name)
        if partition:
            path_spec = None
            for indicator, values_of_part in (
                (dfvfs_definitions.TYPE_INDICATOR_OS, {"location": "/disk.raw"}),
                (dfvfs_definitions.TYPE_INDICATOR_RAW, {}),
                (dfvfs_definitions.TYPE_INDICATOR_GPT, {"location": f"/{partition:s}"}),
                (dfvfs_definitions.TYPE_INDICATOR_EXT, {"location": name}),
            ):
                if path_spec:
                    values_of_part["parent"] = path_spec
                path_spec = path_spec_factory.Factory.NewPathSpec(
                    indicator, **values_of_part
                )
        if is_compressed:
            path_spec = gzip_path_spec.GzipPathSpec(parent=path_spec)

        for attribute_name, value in values.items():
            if attribute_name.endswith("_time") and isinstance(value, int):
                value = posix_time.PosixTime(timestamp=value)
            setattr(event_data, attribute_name, value)

        event_data_stream = None
        if getattr(event_data, "file_entry_type", "file") == "file":
            event_data_stream = events.EventDataStream()
            event_data_stream.path_spec = path_spec
        for attribute_name, description in self._DESCRIPTIONS.items():
            if getattr(event_data, attribute_name, None):
                event = events.EventObject()
                event.timestamp_desc = description
                self._plugin.ExamineEvent(None, event, event_data, event_data_stream)

    def _AddEntry(self, name, time, size=1000, file_entry_type="file", **values):
        """Adds the entry of a file.

        Args:
          name (str): path of the file.
          time (int): time of the last change.
          size (Optional[int]): size.
          file_entry_type (Optional[str]): type.
          values (dict[str, object]): values of other attributes.
        """
        self._AddEvents(
            filestat.FileStatEventData(),
            name,
            file_entry_type=file_entry_type,
            file_size=size,
            filename=name,
            modification_time=time,
            **values,
        )

    def _AddRun(self, name, start, end, **values):
        """Adds a run of atop.

        Args:
          name (str): path of the file.
          start (int): time of the first sample.
          end (int): time of the last sample.
          values (dict[str, object]): values of other attributes.
        """
        values = {
            "atop_version": "2.12",
            "boot_time": coverage_test_lib.BOOT_TIME,
            "hostname": "host",
            "number_of_samples": (end - start) // _INTERVAL + 1,
            "offset": 480,
            "process_accounting": False,
            "sampling_interval_seconds": _INTERVAL,
            **values,
        }
        self._AddEvents(
            session.AtopSessionEventData(),
            name,
            start_time=start,
            end_time=end,
            **values,
        )

    def _GetLines(self, prefix="Finding"):
        """Retrieves lines of the report.

        Args:
          prefix (Optional[str]): start of the lines.

        Returns:
          list[str]: lines, without what stands before the colon.
        """
        self._mediator = Mediator()
        report = self._plugin.CompileReport(self._mediator)
        self.assertEqual(report.plugin_name, "atop_coverage")
        self.assertIsNone(report.analysis_counter)
        return [
            line.partition(": ")[2]
            for line in report.text.splitlines()
            if line.startswith(prefix)
        ]

    def testRegistration(self):
        """Tests that the plugin is registered."""
        plugins = dict(manager.AnalysisPluginManager.GetPlugins())
        self.assertIs(plugins["atop_coverage"], coverage.AtopCoverageAnalysisPlugin)

    def testNoEvents(self):
        """Tests a storage without events."""
        self.assertEqual(len(self._GetLines("Not known")), 2)
        self.assertEqual(self._GetLines("Host"), [])

    def testDirectory(self):
        """Tests changes of the directory of logs."""
        start, end = coverage_test_lib.GetTime(23), coverage_test_lib.GetTime(24)
        other = coverage_test_lib.GetTime(23, 5)
        path = "/var/log/atop"
        for paths, time, expected in (
            ([path], coverage_test_lib.GetTime(23, 4), 1),
            # When atop was started, when a log was written or renamed, and created.
            ([path], start + 3, 0),
            ([path], other, 0),
            ([path], other + 60, 0),
            ([path], other + 61, 1),
            ([path], other + 7200, 0),
            # When it was copied.
            ([path], start - 3600, 0),
            ([path], end + 3600, 0),
            ([path], None, 0),
            # Not known which one has the logs.
            ([path, path], coverage_test_lib.GetTime(23, 4), 0),
            ([f"/mnt{path:s}", path], coverage_test_lib.GetTime(23, 4), 1),
            ([f"{path:s}/old", "/tmp"], coverage_test_lib.GetTime(23, 4), 0),
        ):
            self.setUp()
            self._AddRun(f"{path:s}/atop_20261023", start, end)
            self._AddEntry(f"{path:s}/atop_20261023", end)
            self._AddEntry(
                f"{path:s}/atop_20261022",
                other - 86400,
                change_time=other,
                creation_time=other + 7200,
            )
            for directory_path in paths:
                self._AddEntry(directory_path, time, file_entry_type="directory")
            findings = [line for line in self._GetLines() if "created" in line]
            with self.subTest(paths=paths, time=time):
                self.assertEqual(len(findings), expected, findings)

    def testWithoutRuns(self):
        """Tests a storage without events of runs of atop."""
        for has_system, has_run, expected, is_limited in (
            # All may be emptied, or no log was read.
            (False, False, 2, True),
            (True, False, 1, True),
            (True, True, 2, False),
        ):
            self.setUp()
            time = coverage_test_lib.GetTime(23)
            self._AddEntry("/var/log/atop/atop_20261022", time)
            self._AddEntry("/var/log/atop/atop_20261021", time, size=0)
            if has_system:
                event_data = system.AtopSystemEventData()
                self._AddEvents(event_data, "/atop.raw", start_time=time)
            if has_run:
                self._AddRun("/atop.raw", time, time + 600)
            lines = self._GetLines("Not known")
            with self.subTest(has_system=has_system, has_run=has_run):
                self.assertEqual(len(self._GetLines()), expected)
                self.assertEqual(
                    any("which of them have samples" in line for line in lines),
                    is_limited,
                )

    def testOverlap(self):
        """Tests a last sample that is later than the first one of the next log."""
        start = coverage_test_lib.GetTime(23)
        for first_end, next_start, next_end, expected in (
            (6060, 6000, 9000, 0),
            (6061, 6000, 9000, 1),
            # A copy, or a part of one.
            (30, 0, 30, 1),
            (30, 0, 60, 1),
            (6000, 5970, 6000, 1),
            (6000, 3000, 3030, 1),
        ):
            self.setUp()
            self._AddRun("/a/atop_20261023", start, start + first_end)
            self._AddRun("/a/atop_20261024", start + next_start, start + next_end)
            lines = [line for line in self._GetLines() if "as /a/atop" in line]
            with self.subTest(first_end=first_end, next_start=next_start):
                self.assertEqual(len(lines), expected)

    def testEmptyDirectory(self):
        """Tests a directory of logs from which all were removed."""
        time = coverage_test_lib.GetTime(23, 4)
        path = "/var/log/atop"
        for paths, names, expected in (
            ([path], [], 1),
            ([f"/mnt{path:s}"], [f"{path:s}/atop_20261023"], 1),
            (["/log/atop"], ["/log/atop/daily.log"], 1),
            # It may be anything else.
            (["/atop", "/srv/atop"], [], 0),
            ([path], [f"{path:s}/atop_20261023"], 0),
            # Not known which one has the logs.
            ([path, path], [], 0),
        ):
            self.setUp()
            for directory_path in paths:
                self._AddEntry(directory_path, time, file_entry_type="directory")
            for name in names:
                self._AddEntry(name, time)
            lines = [line for line in self._GetLines() if "in this directory" in line]
            with self.subTest(paths=paths, names=names):
                self.assertEqual(
                    lines,
                    [
                        f"2026-10-23 04:00:00, {paths[0]:s}: no log in this directory, "
                        "last changed then."
                    ]
                    * expected,
                )
                if expected:
                    self.assertEqual(len(self._GetLines("Host not known")), 1)
                    self.assertGreaterEqual(len(self._mediator.event_tags), 1)

    def testMountedVolumes(self):
        """Tests the directory of logs in a volume of its own for /var or /var/log."""
        start, end = coverage_test_lib.GetTime(23), coverage_test_lib.GetTime(24)
        for path, expected in (
            ("/log/atop", 1),
            ("/atop", 1),
            ("/srv/atop", 0),
            ("/srv/log/atop", 0),
        ):
            self.setUp()
            self._AddRun(f"{path:s}/atop_20261023", start, end)
            self._AddRun(f"{path:s}/atop_20261024", end + 600, end + 60000)
            self._AddRun(
                f"{path:s}/atop_20261025", end + 60600, end + 61200, hostname="other"
            )
            self._AddEntry(path, start + 7200, file_entry_type="directory")
            with self.subTest(path=path):
                lines = self._GetLines()
                self.assertEqual(sum("created" in line for line in lines), expected)
                self.assertEqual(
                    sum("another host" in line for line in lines), expected
                )

    def testPartitions(self):
        """Tests logs of the same path in several partitions of an image."""
        start, end = coverage_test_lib.GetTime(23), coverage_test_lib.GetTime(24)
        path = "/var/log/atop/atop_20261023"
        self._AddRun(path, start, end, partition="p1")
        self.assertEqual(len(self._GetLines("Log /var/log/atop/atop_20261023:")), 1)
        self._AddRun(path, start, end, partition="p2")
        self.assertEqual(
            self._GetLines(),
            [
                "2026-10-23 00:00:00, disk.raw/p2:/var/log/atop/atop_20261023: samples "
                "until 2026-10-24 00:00:00, as disk.raw/p1:/var/log/atop/atop_20261023 "
                "has."
            ],
        )

    def testDaylightSaving(self):
        """Tests days of all lengths in several time zones."""
        for offset, change in (
            (10800, 3600),
            (-18000, 3600),
            (-18000, -3600),
            (19800, 0),
            (-43200, 0),
            (50400, 0),
        ):
            self.setUp()
            for day in range(10, 20):
                # On the 15th daylight saving begins or ends.
                start = (
                    coverage_test_lib.GetTime(day)
                    - offset
                    - (change if day > 15 else 0)
                )
                end = (
                    coverage_test_lib.GetTime(day + 1)
                    - offset
                    - (change if day >= 15 else 0)
                )
                path = f"/var/log/atop/atop_202610{day:d}"
                self._AddRun(path, start + 5, end - _INTERVAL + 5)
                self._AddEntry(path, end - _INTERVAL + 6)
            with self.subTest(offset=offset, change=change):
                self.assertEqual(self._GetLines(), [])

    def testRotation(self):
        """Tests the time between the logs of two days."""
        for distance, expected in ((1, 0), (600, 0), (660, 0), (661, 1), (1200, 1)):
            self.setUp()
            self._AddRun(
                "/logs/atop_20261010",
                coverage_test_lib.GetTime(10),
                coverage_test_lib.GetTime(10, 23),
            )
            start = coverage_test_lib.GetTime(10, 23) + distance
            self._AddRun("/logs/atop_20261011", start, start + 6000)
            with self.subTest(distance=distance):
                self.assertEqual(len(self._GetLines()), expected)
                self.assertEqual(len(self._mediator.event_tags), expected)

    def testShortRuns(self):
        """Tests runs that are too short to show the interval."""
        self._AddRun(
            "/logs/atop_20261010",
            coverage_test_lib.GetTime(10),
            coverage_test_lib.GetTime(10, 12),
        )
        # A sample that was asked for by a signal, and a single one.
        for minute, values in (
            (5, {"number_of_samples": 3, "sampling_interval_seconds": 10}),
            (10, {"number_of_samples": 1, "sampling_interval_seconds": None}),
        ):
            start = coverage_test_lib.GetTime(10, 12, minute)
            self._AddRun(
                "/logs/atop_20261010", start, start + 30, offset=minute, **values
            )
        self._AddRun(
            "/logs/atop_20261010",
            coverage_test_lib.GetTime(10, 12, 20),
            coverage_test_lib.GetTime(10, 20),
            offset=9999,
        )
        self.assertEqual(self._GetLines(), [])

    def testOtherDay(self):
        """Tests a log that went on after its day, and one whose name is no day."""
        for day in (10, 11, 14):
            path = f"/logs/atop_202610{day:d}"
            self._AddRun(
                path,
                coverage_test_lib.GetTime(day),
                coverage_test_lib.GetTime(day + 1) - _INTERVAL,
            )
        self._AddRun(
            "/logs/atop_20261012",
            coverage_test_lib.GetTime(12),
            coverage_test_lib.GetTime(14) - _INTERVAL,
        )
        self._AddRun(
            "/logs/atop_20261399",
            coverage_test_lib.GetTime(15),
            coverage_test_lib.GetTime(16) - _INTERVAL,
        )
        self.assertEqual(
            self._GetLines(),
            [
                "2026-10-12 00:00:00, /logs/atop_20261012: samples until 2026-10-13 "
                "23:50:00, of another day than its name says."
            ],
        )

    def testFileEntries(self):
        """Tests which files are logs."""
        for path in (
            "/var/log/atop/atop_20261010",
            "/backup/var/log/atop/other",
            "/log/atop/other",
            "/home/user/atop_20261010.gz",
        ):
            self._AddEntry(path, coverage_test_lib.GetTime(10))
        for path in (
            "/var/log/atop/daily.log",
            "/var/log/atop/dummy_after",
            "/var/log/messages",
            "/home/user/atop_2026101",
            "/home/user/atop_202610101",
            # It may be anything else.
            "/atop/other",
        ):
            self._AddEntry(path, coverage_test_lib.GetTime(10))
        self._AddEntry(
            "/var/log/atop/a",
            coverage_test_lib.GetTime(10),
            file_entry_type="directory",
        )
        self.assertEqual(len(self._GetLines()), 4)
        self.assertEqual(self._GetLines("Host"), ["logs: 4, findings: 4."])

    def testCompressed(self):
        """Tests that what is compressed belongs to the file."""
        path = "/logs/atop_20261010.gz"
        start, end = coverage_test_lib.GetTime(10), coverage_test_lib.GetTime(10, 5)
        values = {"number_of_samples": 31, "offset": 480, "hostname": "host"}
        self._AddEvents(
            session.AtopSessionEventData(),
            path,
            is_compressed=True,
            start_time=start,
            end_time=end,
            boot_time=start - 100,
            sampling_interval_seconds=600,
            **values,
        )
        self._AddEntry(path, end)
        # What is in it has the time that is in the header of gzip.
        self._AddEvents(
            filestat.FileStatEventData(),
            path,
            is_compressed=True,
            file_entry_type="file",
            file_size=5,
            modification_time=coverage_test_lib.GetTime(20),
        )
        self.assertEqual(self._GetLines(), [])

    def testChangedTime(self):
        """Tests the time of the last change."""
        for difference, expected in ((-61, 1), (-60, 0), (0, 0), (660, 0), (661, 1)):
            self.setUp()
            self._AddRun(
                "/logs/atop_20261010",
                coverage_test_lib.GetTime(10),
                coverage_test_lib.GetTime(10, 5),
            )
            self._AddEntry(
                "/logs/atop_20261010", coverage_test_lib.GetTime(10, 5) + difference
            )
            with self.subTest(difference=difference):
                self.assertEqual(len(self._GetLines()), expected)

    def testAccounting(self):
        """Tests process accounting that is not that of the run before."""
        self._AddRun(
            "/logs/a",
            coverage_test_lib.GetTime(10),
            coverage_test_lib.GetTime(11),
            process_accounting=True,
            longest_without_exits_seconds=2000,
            since_last_exit_seconds=3600,
        )
        path, start = "/logs/b", coverage_test_lib.GetTime(11, 0, 10)
        self._AddRun(path, start, start + 6000)
        self.assertEqual(
            self._GetLines(),
            [
                "2026-10-11 00:10:00, /logs/b: process accounting not active, unlike "
                "before."
            ],
        )
        # A run without any exit.
        self._AddRun(path, start, start + 6000, process_accounting=True)
        self.assertEqual(
            self._GetLines(),
            [
                "2026-10-11 00:10:00, /logs/b: no exit of a process until 2026-10-11 "
                "01:50:00, for 1:40:00 with process accounting, otherwise at most "
                "0:33:20."
            ],
        )

    def testEscape(self):
        """Tests names that are made to harm a terminal or a page."""
        self._AddEntry(
            "/var/log/atop/\x1b[2J\n<b>&\udcff", coverage_test_lib.GetTime(10)
        )
        self.assertEqual(
            self._GetLines(),
            [
                "2026-10-10 00:00:00, /var/log/atop/\\x1b[2J\\x0a\\x3cb\\x3e\\x26"
                "\\xed\\xb3\\xbf: no sample in 1000 bytes, last changed then."
            ],
        )

    def testInvalidTimes(self):
        """Tests a run without a valid time, and times at the ends of what is valid."""
        invalid_time = semantic_time.InvalidTime()
        self._AddRun("/logs/atop_00010101", 0, 1, offset=1)
        self._AddRun("/logs/atop_99991231", 2**33, 253402300799, offset=2)
        self._AddEvents(
            session.AtopSessionEventData(),
            "/logs/atop_20261010",
            start_time=invalid_time,
            end_time=invalid_time,
            number_of_samples=1,
            offset=480,
        )
        self.assertEqual(len(self._GetLines("Log")), 3)

    def testUnknownHosts(self):
        """Tests logs without the name of a host, and without samples."""
        start, end = coverage_test_lib.GetTime(10), coverage_test_lib.GetTime(11)
        self._AddRun("/logs/a", start, end, hostname=None)
        self._AddRun("/one/b", start, end)
        self._AddEntry("/one/atop_20261001", start)
        self._AddRun("/two/c", start, end)
        # In an event the name is escaped already.
        self._AddRun("/two/d", start, end, hostname="<other>\\x1b")
        self._AddEntry("/two/atop_20261001", start)
        self.assertEqual(
            [line.partition(" ")[0] for line in self._GetLines("Log")],
            [
                *("2026-10-10", "no"),
                "2026-10-10",
                *("no", "2026-10-10", "2026-10-10"),
            ],
        )
        self.assertEqual(self._GetLines("Host not known"), ["logs: 2, findings: 1."])
        self.assertEqual(self._GetLines("Host host"), ["logs: 3, findings: 2."])
        self.assertEqual(
            self._GetLines("Host \\x3cother\\x3e\\x1b"), ["logs: 1, findings: 0."]
        )

    def testTimesBeyondDates(self):
        """Tests the time of a file beyond the years that dates have."""
        for time in (-(2**40), 2**40):
            self._AddEntry(f"/logs/atop_2026100{time > 0:d}", time)
        self.assertEqual(
            [line.partition(",")[0] for line in self._GetLines()],
            ["-1099511627776 seconds since 1970", "1099511627776 seconds since 1970"],
        )

    def testBounds(self):
        """Tests that what is kept, and the report, are bounded."""
        plugin_class = coverage.AtopCoverageAnalysisPlugin
        with (
            mock.patch.object(plugin_class, "_MAXIMUM_NUMBER_OF_ITEMS", 50),
            mock.patch.object(plugin_class, "_MAXIMUM_NUMBER_OF_LINES", 20),
        ):
            for index in range(60):
                start = coverage_test_lib.GetTime(10) + index
                self._AddRun(
                    "/logs/a", start, coverage_test_lib.GetTime(11), offset=index
                )
                self._AddEntry(f"/var/log/atop/{index:d}", start)
            self.assertEqual(len(self._GetLines("")), 24)
            # The files of 25 entries, and each of their findings.
            self.assertEqual(
                self._GetLines("Left out"),
                [
                    "34 lines.",
                    "140 events, as there are more than 50 logs, runs, gaps and "
                    "directories.",
                ],
            )


if __name__ == "__main__":
    unittest.main()
