"""Tests for the runs of atop in a log, and the gaps."""

import io
import unittest

from plaso_atop import rawlog
from plaso_atop import runs

import log_builder

FLAG_BOOT = log_builder.FLAG_BOOT
FLAG_ACCOUNTING = log_builder.FLAG_ACCOUNTING

T0 = log_builder.T0


class RunFinderTest(unittest.TestCase):
    """Tests for what finds the runs of atop and the gaps."""

    def testRunFinder(self):
        """Tests what is found with which sample."""
        builder = log_builder.LogBuilder()
        offsets = [
            builder.AddSample(T0 + curtime, interval=interval, flags=flags)
            for curtime, interval, flags in (
                (0, 5000, FLAG_BOOT),
                (600, 600, FLAG_ACCOUNTING),
                (1200, 600, 0),
                (3000, 600, 0),
                (9000, 60, FLAG_BOOT),
            )
        ]
        log = rawlog.RawLog(io.BytesIO(builder.Build()))
        run_finder = runs.RunFinder(log)
        findings = [run_finder.AddSample(sample) for sample in log.samples()]

        self.assertEqual(findings[:3], [[], [], []])
        gap = runs.Gap(runs.GAP_MISSING, T0 + 1200, T0 + 3000, 600, offsets[3], None)
        self.assertEqual(findings[3], [gap])
        self.assertEqual(gap.duration, 1800)

        run, gap = findings[4]
        self.assertEqual(run.boot_time, T0 - 5000)
        self.assertEqual(run.start_time, T0)
        self.assertEqual(run.end_time, T0 + 3000)
        self.assertEqual(run.interval, 600)
        self.assertEqual(run.number_of_samples, 4)
        self.assertEqual(run.offset, offsets[0])
        self.assertTrue(run.has_accounting)
        self.assertEqual(
            gap,
            runs.Gap(runs.GAP_RESTARTED, T0 + 3000, T0 + 9000, 600, offsets[4], None),
        )

        (run,) = run_finder.Finish()
        self.assertEqual(run.boot_time, T0 + 8940)
        self.assertIsNone(run.interval)
        self.assertFalse(run.has_accounting)
        self.assertEqual(run_finder.number_of_gaps, 2)

    def testReason(self):
        """Tests why atop did not run, also if the clock was set meanwhile."""
        for uptime, reason in (
            (100000 + 9000, runs.GAP_NOT_RUNNING),
            (100000 + 9000 - 50, runs.GAP_NOT_RUNNING),
            (60, runs.GAP_RESTARTED),
            (8440, runs.GAP_RESTARTED),
            # The clock was set forward by an hour.
            (100000 + 9000 - 3600, runs.GAP_NOT_RUNNING),
        ):
            builder = log_builder.LogBuilder()
            builder.AddSample(T0, interval=100000, flags=FLAG_BOOT)
            builder.AddSample(T0 + 600, interval=600)
            builder.AddSample(T0 + 9000, interval=uptime, flags=FLAG_BOOT)
            log = rawlog.RawLog(io.BytesIO(builder.Build()))
            run_finder = runs.RunFinder(log)
            findings = [run_finder.AddSample(sample) for sample in log.samples()]
            with self.subTest(uptime=uptime):
                self.assertEqual(findings[2][-1].reason, reason)

    def testAccounting(self):
        """Tests process accounting that stops and starts, and exits."""
        exited_process = {"gen.pid": 9, "gen.isproc": 1, "gen.state": b"E"}
        builder = log_builder.LogBuilder()
        for index, (flags, tasks) in enumerate(
            (
                (FLAG_BOOT | FLAG_ACCOUNTING, []),
                (FLAG_ACCOUNTING, []),
                (FLAG_ACCOUNTING, [exited_process]),
                (0, []),
                (FLAG_ACCOUNTING, [exited_process, exited_process]),
                (0, []),
                (FLAG_ACCOUNTING, []),
                (FLAG_ACCOUNTING, []),
                (FLAG_BOOT, []),
                (0, []),
                (FLAG_BOOT | FLAG_ACCOUNTING, []),
            )
        ):
            builder.AddSample(T0 + 600 * index, flags=flags, tasks=tasks)

        log = rawlog.RawLog(io.BytesIO(builder.Build()))
        run_finder = runs.RunFinder(log)
        found_runs = [
            finding
            for sample in log.samples()
            for finding in run_finder.AddSample(sample)
            if isinstance(finding, runs.Run)
        ]
        found_runs.extend(run_finder.Finish())
        self.assertEqual(
            [
                (
                    run.has_accounting,
                    run.accounting_end_time,
                    run.accounting_start_time,
                    run.last_exit_time,
                    run.longest_time_without_exits,
                )
                for run in found_runs
            ],
            [
                # The last end, and the first start.
                (True, T0 + 2400, T0 + 2400, T0 + 2400, 1200),
                (False, None, None, None, 0),
                (True, None, None, None, 0),
            ],
        )

    def testNoSamples(self):
        """Tests a log without samples, and one of nothing but damage."""
        data = log_builder.LogBuilder().Build()
        log = rawlog.RawLog(io.BytesIO(data))
        self.assertEqual(runs.RunFinder(log).Finish(), [])

        log = rawlog.RawLog(io.BytesIO(data + bytes(5000)))
        self.assertEqual(list(log.samples()), [])
        (gap,) = runs.RunFinder(log).Finish()
        self.assertEqual(
            gap, runs.Gap(rawlog.DAMAGE_RECORD, None, None, None, len(data), 5000)
        )
        self.assertIsNone(gap.duration)


if __name__ == "__main__":
    unittest.main()
