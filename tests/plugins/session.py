"""Tests for the atop raw log session plugin."""

import unittest

from plaso_atop import layouts
from plaso_atop import parser
from plaso_atop import rawlog
from plaso_atop.plugins import session

import log_builder
from tests.lib import parseable
from tests.lib import test_lib


class AtopSessionPluginTest(test_lib.ParserTestCase):
    """Tests for the atop raw log session plugin."""

    _T0 = log_builder.T0

    def _CreateParser(self):
        """Creates a parser with nothing but the plugin.

        Returns:
          AtopParser: parser.
        """
        atop_parser = parser.AtopParser()
        atop_parser.EnablePlugins({"session"})
        return atop_parser

    def _GetGaps(self, samples, version=layouts.VERSIONS[-1], damage=None):
        """Retrieves the gaps in a log.

        Args:
          samples (list[tuple[int, int, int]]): times, intervals and flags of the
              samples.
          version (Optional[str]): version of atop.
          damage (Optional[function]): damages the log.

        Returns:
          list[tuple]: reasons, times of the start and end relative to the first sample
              and expected intervals.
        """
        builder = log_builder.LogBuilder(version=version)
        for curtime, interval, flags in samples:
            builder.AddSample(self._T0 + curtime, interval=interval, flags=flags)

        data = builder.Build()
        storage_writer = self._ParseData(
            damage(data) if damage else data, self._CreateParser()
        )
        return [
            (
                event_data.reason,
                event_data.start_time and event_data.start_time.timestamp - self._T0,
                event_data.end_time and event_data.end_time.timestamp - self._T0,
                event_data.expected_interval_seconds,
            )
            for event_data in self._GetEventData(storage_writer, "linux:atop:gap")
        ]

    def _GetRun(self, start, count, interval=600, uptime=5000):
        """Retrieves the samples of a run.

        Args:
          start (int): time of the first sample.
          count (int): number of samples.
          interval (Optional[int]): interval.
          uptime (Optional[int]): interval of the first sample.

        Returns:
          list[tuple[int, int, int]]: times, intervals and flags.
        """
        samples = [(start, uptime, rawlog.FLAG_BOOT)]
        for index in range(1, count):
            samples.append((start + index * interval, interval, 0))
        return samples

    def testLogs(self):
        """Tests that the runs of real logs are those that atop printed."""
        for log in test_lib.LOGS:
            samples = parseable.ReadSamples(log.parseable_path, log.version_tuple)
            runs = []
            for sample in samples:
                if sample.is_boot:
                    runs.append([])
                runs[-1].append(sample)

            storage_writer = self._ParseFile(
                [f"{log.name:s}.raw"], self._CreateParser()
            )
            events = self._GetEventData(storage_writer)
            with self.subTest(log=log.name):
                self.assertEqual(self._GetWarnings(storage_writer), [])
                self.assertEqual(
                    [
                        (
                            event_data.data_type,
                            event_data.start_time.timestamp,
                            event_data.end_time.timestamp,
                            event_data.boot_time.timestamp,
                            event_data.number_of_samples,
                            event_data.hostname,
                            event_data.atop_version,
                        )
                        for event_data in events
                    ],
                    [
                        (
                            "linux:atop:session",
                            run[0].curtime,
                            run[-1].curtime,
                            run[0].curtime - run[0].interval,
                            len(run),
                            run[0].nodename.decode("ascii"),
                            log.version,
                        )
                        for run in runs
                    ],
                )
                for event_data in events:
                    self.assertTrue(event_data.process_accounting)
                    # The real logs are those of atop that kept it on.
                    self.assertIsNone(event_data.process_accounting_end_time)
                    self.assertIsNone(event_data.process_accounting_start_time)
                    self.assertEqual(event_data.kernel_release[:2], "6.")
                    self.assertTrue(event_data.machine)
                    # pylint: disable-next=protected-access
                    self.assertEqual(event_data._parser_chain, "atop/session")

    def testSession(self):
        """Tests the attributes of a run."""
        builder = log_builder.LogBuilder(version="2.12")
        for curtime, interval, flags in self._GetRun(0, 5):
            builder.AddSample(self._T0 + curtime, interval=interval, flags=flags)
        storage_writer = self._ParseData(builder.Build(), self._CreateParser())
        (event_data,) = self._GetEventData(storage_writer)

        self.assertIsInstance(event_data, session.AtopSessionEventData)
        self.assertEqual(event_data.boot_time.timestamp, self._T0 - 5000)
        self.assertEqual(event_data.hostname, "host")
        self.assertEqual(event_data.kernel_release, "6.1.0-1-amd64")
        self.assertEqual(event_data.kernel_version, "#1 SMP")
        self.assertEqual(event_data.machine, "x86_64")
        self.assertEqual(event_data.number_of_samples, 5)
        self.assertEqual(event_data.offset, 480)
        self.assertEqual(event_data.sampling_interval_seconds, 600)
        # Without the flag in the record there was no process accounting.
        self.assertFalse(event_data.process_accounting)
        self.assertIsNone(event_data.process_accounting_end_time)
        self.assertIsNone(event_data.process_accounting_start_time)
        self.assertIsNone(event_data.longest_without_exits_seconds)
        self.assertIsNone(event_data.since_last_exit_seconds)

    def testAccounting(self):
        """Tests process accounting that stops during a run, and starts again."""
        exited_process = {"gen.pid": 9, "gen.isproc": 1, "gen.state": b"E"}
        builder = log_builder.LogBuilder()
        for index, (flags, tasks) in enumerate(
            (
                (rawlog.FLAG_BOOT | rawlog.FLAG_ACCOUNTING, []),
                (rawlog.FLAG_ACCOUNTING, [exited_process]),
                (0, []),
                (rawlog.FLAG_ACCOUNTING, []),
            )
        ):
            time = self._T0 + 600 * index
            builder.AddSample(time, flags=flags, tasks=tasks)
        storage_writer = self._ParseData(builder.Build(), self._CreateParser())
        (event_data,) = self._GetEventData(storage_writer)

        self.assertTrue(event_data.process_accounting)
        self.assertEqual(
            event_data.process_accounting_end_time.timestamp, self._T0 + 600
        )
        self.assertEqual(
            event_data.process_accounting_start_time.timestamp, self._T0 + 1800
        )
        self.assertEqual(event_data.longest_without_exits_seconds, 600)
        self.assertEqual(event_data.since_last_exit_seconds, 1200)

    def testNoGap(self):
        """Tests logs that nothing is missing from."""
        run = self._GetRun(0, 10)
        self.assertEqual(self._GetGaps(run), [])
        # atop was started again at once.
        restart = self._GetRun(5700, 10, uptime=10700)
        self.assertEqual(self._GetGaps(run + restart), [])
        # Intervals that vary by a second, and a sample that was asked for by signal.
        samples = [run[0], (601, 601, 0), (1200, 599, 0), (1210, 10, 0), (1801, 591, 0)]
        self.assertEqual(self._GetGaps(samples), [])
        # The clock was one second off.
        samples = [run[0], (600, 601, 0), (1200, 599, 0)]
        self.assertEqual(self._GetGaps(samples), [])

    def testMissingSamples(self):
        """Tests samples that are missing without a trace of damage."""
        run = self._GetRun(0, 10)
        self.assertEqual(
            self._GetGaps(run[:4] + run[6:]),
            [("samples missing or clock set forward", 1800, 3600, 600)],
        )

    def testClock(self):
        """Tests a clock that was set back and forward."""
        run = self._GetRun(0, 4)
        back = [(1800 - 3000, 1, 0), (1800 - 2400, 600, 0)]
        self.assertEqual(
            self._GetGaps(run + back), [("clock set back", 1800, -1200, 1)]
        )
        # The interval is what the clock says it is.
        forward = [(1800 + 7200, 7200, 0), (1800 + 7800, 600, 0)]
        self.assertEqual(
            self._GetGaps(run + forward),
            [("sample delayed or clock set forward", 1800, 9000, 600)],
        )
        # Set back while atop did not run.
        restart = self._GetRun(-5000, 3, uptime=600)
        self.assertEqual(
            self._GetGaps(run + restart), [("clock set back", 1800, -5000, 600)]
        )

    def testDelayedSample(self):
        """Tests samples that atop was held up before."""
        run = self._GetRun(0, 10)
        for interval, expected in ((900, 0), (901, 1)):
            shifted = [(t + interval - 600, i, f) for t, i, f in run[5:]]
            shifted[0] = (shifted[0][0], interval, 0)
            gaps = self._GetGaps(run[:5] + shifted)
            self.assertEqual(len(gaps), expected)
        self.assertEqual(
            gaps, [("sample delayed or clock set forward", 2400, 3301, 600)]
        )
        # The first interval of a run, when there is no median yet.
        samples = [run[0], (1500, 1500, 0), (2100, 600, 0), (2700, 600, 0)]
        self.assertEqual(
            self._GetGaps(samples),
            [("sample delayed or clock set forward", 0, 1500, 600)],
        )

    def testRuns(self):
        """Tests the time between two runs."""
        run = self._GetRun(0, 4)
        for reason, uptime in (
            ("atop not running", 9000 + 5000),
            ("system restarted", 60),
        ):
            restart = self._GetRun(9000, 4, uptime=uptime)
            self.assertEqual(self._GetGaps(run + restart), [(reason, 1800, 9000, 600)])

    def testDamage(self):
        """Tests the gaps of damage."""
        run = self._GetRun(0, 6)

        def _Damage(data):
            """Overwrites what is in the middle."""
            middle = len(data) // 2
            return data[:middle] + bytes(2000) + data[middle + 2000 :]

        gaps = self._GetGaps(run, damage=_Damage)
        self.assertEqual(len(gaps), 1)
        reason, start_time, end_time, _ = gaps[0]
        self.assertEqual(reason, rawlog.DAMAGE_RECORD)
        self.assertGreaterEqual(end_time - start_time, 1200)

    def testBounds(self):
        """Tests that a log which is full of gaps has a bounded number of them."""
        samples = [(0, 5000, rawlog.FLAG_BOOT)]
        samples.extend((index * 1000, 10, 0) for index in range(1, 300))
        self.assertEqual(len(self._GetGaps(samples)), 100)

        builder = log_builder.LogBuilder()
        for curtime, interval, flags in samples:
            builder.AddSample(self._T0 + curtime, interval=interval, flags=flags)
        storage_writer = self._ParseData(builder.Build(), self._CreateParser())
        self.assertEqual(
            self._GetWarnings(storage_writer), ["199 more gaps between samples"]
        )

    def testHostname(self):
        """Tests names of the host that a spreadsheet takes for a formula."""
        for name, expected in (
            (b"web-1", "web-1"),
            (b"=1+1", "\\x3d1+1"),
            (b"+1", "\\x2b1"),
            (b"-1", "\\x2d1"),
            (b"@SUM(1)", "\\x40SUM(1)"),
            (b"\\x41", "\\x5cx41"),
        ):
            builder = log_builder.LogBuilder(
                utsname={"nodename": name, "release": b"6.1.0"}
            )
            builder.AddSample(self._T0, flags=rawlog.FLAG_BOOT)
            storage_writer = self._ParseData(builder.Build(), self._CreateParser())
            (event_data,) = self._GetEventData(storage_writer)
            self.assertEqual(event_data.hostname, expected)

    def testEqualTimes(self):
        """Tests samples of the same second."""
        samples = [(0, 5000, rawlog.FLAG_BOOT), (0, 1, 0), (1, 1, 0), (1, 1, 0)]
        self.assertEqual(self._GetGaps(samples), [])


if __name__ == "__main__":
    unittest.main()
