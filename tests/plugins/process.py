"""Tests for the atop raw log process plugin, with logs made for its rules."""

import io
import unittest

from plaso_atop import layouts
from plaso_atop import parser
from plaso_atop import rawlog
from plaso_atop.plugins import process

import log_builder
from tests.lib import process_test_lib

_NEW = -(1 << 31)


class AtopProcessPluginTest(process_test_lib.ProcessTestCase):
    """Tests for the atop raw log process plugin."""

    # pylint: disable=protected-access

    def _Damage(self, data, offset, end_offset, is_lost=False):
        """Overwrites a sample.

        Args:
          data (bytearray): contents of the log.
          offset (int): offset of the sample in bytes, which only matters for all of it.
          end_offset (int): offset of what follows the sample in bytes.
          is_lost (Optional[bool]): True to overwrite all of the sample, False to
              overwrite its end: the process list, or the control groups where it has
              any.
        """
        offset = offset if is_lost else end_offset - 8
        data[offset:end_offset] = b"\xa5" * (end_offset - offset)

    def _GetProcessEventData(self, data, user_names, data_type="linux:atop:process"):
        """Retrieves the event data of a log in an image with accounts.

        Args:
          data (bytes): contents of the log.
          user_names (dict[str, str]): names of users per identifier.
          data_type (Optional[str]): data type.

        Returns:
          list[EventData]: event data.
        """
        storage_writer = self._CreateStorageWriter()
        parser_mediator = self._CreateParserMediator(
            storage_writer,
            system_configurations=[self._CreateSystemConfiguration(user_names)],
        )
        plugin = process.AtopProcessPlugin()
        log = rawlog.RawLog(io.BytesIO(data))
        plugin.Start(parser_mediator, log)
        for sample in log.samples():
            plugin.ProcessSample(parser_mediator, sample)
        plugin.Finish(parser_mediator)
        return self._GetEventData(storage_writer, data_type)

    def _GetUsernames(self, data, user_names):
        """Retrieves the names of users that the events of a log show.

        Args:
          data (bytes): contents of the log.
          user_names (dict[str, str]): names of users per identifier.

        Returns:
          dict[int, str]: name of the user per process identifier.
        """
        events = self._GetProcessEventData(data, user_names)
        return {event.pid: event.username for event in events}

    def testExit(self):
        """Tests exit codes, signals and times."""
        for status, expected in (
            (0, (0, None, None)),
            (7 << 8, (7, None, None)),
            (255 << 8, (255, None, None)),
            (9, (None, 9, False)),
            (11 | 0x80, (None, 11, True)),
        ):
            for is_new in (False, True):
                exit_task = self._GetExit(
                    9, 10, status=status, elaps=1234, is_new=is_new
                )
                (event_data,), _ = self._Parse([[], [exit_task]])
                self.assertEqual(
                    (
                        event_data.exit_code,
                        event_data.exit_signal,
                        event_data.core_dumped,
                    ),
                    expected,
                )
                self.assertEqual(event_data.elapsed_time, 12340)
                self.assertEqual(self._GetTimes(event_data), {"start": 10, "exit": 22})
                self.assertEqual(event_data.process_state, "E")
                self.assertFalse(event_data.accounting_matched)

        # Living processes and zombies have none.
        (event_data,), _ = self._Parse([[self._GetTask(9, state=b"Z")]])
        self.assertIsNone(event_data.exit_code)
        self.assertIsNone(event_data.exit_signal)
        self.assertEqual(event_data.process_state, "Z")

    def testExitMatched(self):
        """Tests exits of processes that were seen alive."""
        for difference in (-1, 0, 1):
            living = self._GetTask(
                9, 10, euid=1000, ruid=1000, suid=1000, fsuid=1000, nthr=4
            )
            exit_task = self._GetExit(
                9, 10 + difference, elaps=50000, cmdline=b"", ruid=1000
            )
            (event_data,), changes = self._Parse([[], [living], [exit_task]])
            self.assertEqual(changes, [])
            # The start is that of the living entry, the exit that of accounting.
            self.assertEqual(
                self._GetTimes(event_data), {"start": 10, "exit": 510 + difference}
            )
            self.assertTrue(event_data.accounting_matched)
            self.assertEqual(event_data.command_line, "/usr/sbin/daemon")
            # The entry of the exit has 0 there.
            self.assertEqual(event_data.effective_user_identifier, 1000)
            self.assertEqual(event_data.saved_user_identifier, 1000)
            self.assertEqual(event_data.file_system_user_identifier, 1000)
            self.assertEqual(event_data.number_of_threads, 4)
            self.assertEqual(event_data.number_of_samples, 2)

        # In 1.23 the start of a living process is less exact.
        for version, difference, expected in (
            ("1.23", 2, 1),
            ("1.23", -2, 1),
            ("1.23", 3, 2),
            ("1.26", 2, 2),
            (layouts.VERSIONS[-1], 2, 2),
        ):
            exit_task = self._GetExit(9, 10 + difference, elaps=50000)
            events, _ = self._Parse([[], [living], [exit_task]], version=version)
            self.assertEqual(len(events), expected, (version, difference))

    def testExitClockSet(self):
        """Tests exits after the clock was set, with another start than before."""
        living = self._GetTask(9, -500)
        for exits, expected in (
            # The clock was set by two hours.
            ([self._GetExit(9, -500 + 7200, elaps=120000, is_new=True)], (True, 7900)),
            ([self._GetExit(9, -500 - 7200, elaps=120000, is_new=True)], (True, -6500)),
            # Another process has the identifier.
            ([self._GetExit(9, 8000, is_new=True)], None),
            ([self._GetExit(9, 600, is_new=True, name=b"other")], None),
            ([self._GetExit(9, 600)], None),
            # It is still alive.
            ([living, self._GetExit(9, 600, is_new=True)], None),
            # The one with the right start is preferred.
            (
                [
                    self._GetExit(9, -500, elaps=120000),
                    self._GetExit(9, 8000, is_new=True),
                ],
                (True, 700),
            ),
        ):
            # The sample before the last one is that of after the clock was set.
            events, _ = self._Parse([[living]] * 14 + [exits])
            (event,) = [event for event in events if event.number_of_samples >= 14]
            times = self._GetTimes(event)
            self.assertEqual(times["start"], -500)
            result = None
            if "exit" in times:
                result = (event.accounting_matched, times["exit"])
                self.assertNotIn("last_seen", times)
                self.assertEqual(event.observed_seconds, 1200)
            self.assertEqual(result, expected, exits)
            number_of_others = sum(task is not living for task in exits)
            self.assertEqual(len(events), number_of_others + (expected is None))

        # What a reboot ended, before the clock was right.
        events, _ = self._Parse(
            [[living], [living], None, [self._GetExit(9, -400, is_new=True)]]
        )
        self.assertEqual([event.accounting_matched for event in events], [False, None])

    def testExitOnly(self):
        """Tests a process with only its exit in the log."""
        exit_task = self._GetExit(
            9,
            10,
            cmdline=b"",
            ruid=33,
            rgid=34,
            cpu__utime=7,
            cpu__stime=8,
            mem__minflt=9,
            mem__majflt=10,
            is_new=True,
        )
        (event_data,), _ = self._Parse([[], [exit_task]])
        self.assertIsNone(event_data.command_line)
        self.assertEqual(event_data.user_identifier, 33)
        self.assertEqual(event_data.group_identifier, 34)
        for name in (
            "effective_user_identifier",
            "saved_group_identifier",
            "file_system_user_identifier",
            "maximum_resident_size",
            "maximum_virtual_size",
            "number_of_threads",
            "first_seen_time",
            "last_seen_time",
        ):
            self.assertIsNone(getattr(event_data, name), name)
        # The entry of an exit holds no disk transfers.
        self.assertIsNone(event_data.read_size)
        self.assertIsNone(event_data.written_size)
        self.assertEqual(event_data.user_cpu_time, 70)
        self.assertEqual(event_data.system_cpu_time, 80)
        self.assertEqual(event_data.minor_faults, 9)
        self.assertEqual(event_data.major_faults, 10)

    def testPidReused(self):
        """Tests an identifier that another process gets within an interval."""
        first = self._GetTask(9, 0, name=b"first")
        second = self._GetTask(9, 700, name=b"second")
        exit_task = self._GetExit(9, 0, elaps=65000, name=b"first", status=3 << 8)
        events, changes = self._Parse([[], [first], [second, exit_task]])
        self.assertEqual(changes, [])
        self.assertEqual(
            [(event.process_name, event.exit_code) for event in events],
            [("first", 3), ("second", None)],
        )
        # No exit was recorded of the first one.
        events, _ = self._Parse([[], [first], [second], [second]])
        self.assertEqual(
            [(event.process_name, self._GetTimes(event)) for event in events],
            [("first", {"start": 0, "last_seen": 600}), ("second", {"start": 700})],
        )

    def testSampleTime(self):
        """Tests when a process that already ran was seen first."""
        old = self._GetTask(1, -500)
        new = self._GetTask(9, 100)
        events, _ = self._Parse([[old], [old, new], None, [old, new]])
        times = {event.pid: self._GetTimes(event) for event in events}
        self.assertEqual(
            times, {1: {"start": -500, "first_seen": 0}, 9: {"start": 100}}
        )

    def testLastSeen(self):
        """Tests processes that vanish without an exit."""
        old = self._GetTask(1, -500)
        new = self._GetTask(9, 100)
        events, _ = self._Parse([[old], [old, new], [old], [old]])
        times = {event.pid: self._GetTimes(event) for event in events}
        self.assertEqual(times[9], {"start": 100, "last_seen": 600})
        self.assertEqual(times[1], {"start": -500, "first_seen": 0})

        # Lists of 2.2 and before hold only what changed, as do converted logs.
        for version, records in (("2.2", {}), ("1.26", {}), ("2.3", {"ntask": 5})):
            samples = [[old], [old, new], [old], [old, new], None, [old], [old]]
            events, _ = self._Parse(samples, version=version, records=records)
            self.assertEqual(len(events), 2, version)
            for event_data in events:
                self.assertIsNone(event_data.last_seen_time, version)

    def testLastSeenAfterDamage(self):
        """Tests that a process is only missed between two samples that are whole."""
        old = self._GetTask(1, -500)
        new = self._GetTask(9, 100)
        exit_task = self._GetExit(9, 100)
        for is_lost in (False, True):
            for number, expected in ((0, 600), (1, None), (4, None)):
                builder = log_builder.LogBuilder()
                offsets = []
                for index, tasks in enumerate(
                    [[old], [old, new]]
                    + [[old, exit_task]] * min(number, 1)
                    + [[old]] * max(number - 1, 0)
                    + [[old], [old]]
                ):
                    curtime = self._T0 + 600 * index
                    flags = 0 if index else rawlog.FLAG_BOOT
                    offsets.append(builder.AddSample(curtime, flags=flags, tasks=tasks))

                # The samples after the first two are damaged.
                data = bytearray(builder.Build())
                offsets = offsets[2 : 3 + number]
                for offset, end_offset in zip(offsets, offsets[1:]):
                    self._Damage(data, offset, end_offset, is_lost=is_lost)

                storage_writer = self._ParseData(bytes(data), parser.AtopParser())
                event_data = {
                    event.pid: event
                    for event in self._GetEventData(
                        storage_writer, "linux:atop:process"
                    )
                }
                self.assertEqual(
                    self._GetTimes(event_data[9]).get("last_seen"), expected
                )
                self.assertIsNone(event_data[9].exit_code)

        # Samples that were cut out without a trace, and a second run of atop.
        for interval, flags, expected in (
            (600, 0, 600),
            (300, 0, None),
            (300, rawlog.FLAG_BOOT, 600),
        ):
            builder = log_builder.LogBuilder()
            builder.AddSample(self._T0, flags=rawlog.FLAG_BOOT, tasks=[old])
            builder.AddSample(self._T0 + 600, tasks=[old, new])
            builder.AddSample(
                self._T0 + 1200, interval=interval, flags=flags, tasks=[old]
            )
            storage_writer = self._ParseData(builder.Build(), parser.AtopParser())
            (event_data,) = [
                event
                for event in self._GetEventData(storage_writer, "linux:atop:process")
                if event.pid == 9
            ]
            self.assertEqual(self._GetTimes(event_data).get("last_seen"), expected)

    def testBootTime(self):
        """Tests starts that differ by a second between runs of atop."""
        first = self._GetTask(1, -500)
        second = self._GetTask(1, -501)
        third = self._GetTask(1, -502)
        (event_data,), _ = self._Parse([[first], None, [second], None, [third]])
        self.assertEqual(self._GetTimes(event_data)["start"], -500)
        self.assertEqual(event_data.number_of_samples, 3)

    def testClockSet(self):
        """Tests starts that differ as the clock was set between runs of atop."""
        for shift, uptime, curtime, is_same in (
            (3, 90000 + 700, 703, True),
            (-40, 90000 + 700, 660, True),
            (-7200, 90000 + 700, 700 - 7200, True),
            (7200, 90000 + 700, 700 + 7200, True),
            # The system was started again.
            (90100, 600, 700, False),
            (-500, 600, 700 - 90600, False),
            # As it seems.
            (95000, 90000 + 700, 700 + 95000, False),
        ):
            builder = log_builder.LogBuilder()
            for time, interval, start_shift in (
                (0, 90000, 0),
                (600, 600, 0),
                (curtime, uptime, shift),
                (curtime + 600, 600, shift),
            ):
                flags = rawlog.FLAG_ACCOUNTING | (interval != 600 or time == curtime)
                tasks = [
                    self._GetTask(pid, btime + start_shift)
                    for pid, btime in ((1, -90000), (9, -10))
                ]
                # The identifier belongs to another process now.
                tasks.append(self._GetTask(7, -10 if start_shift else -1000))
                if time == curtime + 600:
                    tasks.append(self._GetTask(11, time - 1, ppid=9))
                builder.AddSample(
                    self._T0 + time, interval=interval, flags=flags, tasks=tasks
                )
            storage_writer = self._ParseData(builder.Build(), parser.AtopParser())
            events = self._GetEventData(storage_writer, "linux:atop:process")
            (child,) = [event for event in events if event.pid == 11]
            events.remove(child)
            if is_same:
                self.assertEqual(child.ancestors, "daemon[1] > daemon[9]")
            numbers = sorted((event.pid, event.number_of_samples) for event in events)
            with self.subTest(shift=shift):
                self.assertEqual(
                    numbers,
                    (
                        [(1, 4), (7, 2), (7, 2), (9, 4)]
                        if is_same
                        else [(pid, 2) for pid in (1, 1, 7, 7, 9, 9)]
                    ),
                )

    def testSustainedCPU(self):
        """Tests the longest time that a process was busy."""
        new = self._GetTask(9, 10, cpu__utime=60000, excode=_NEW)
        busy = self._GetTask(9, 10, cpu__utime=40000, cpu__stime=8000)
        less_busy = self._GetTask(9, 10, cpu__utime=40000, cpu__stime=7999)
        idle = self._GetTask(9, 10, wasinactive=1)
        for samples, expected in (
            # What a new process used is not that of a whole interval.
            ([[], [new], [idle]], None),
            ([[new], [idle], [busy]], 600),
            ([[new], [busy], [busy], [less_busy], [busy]], 1200),
            ([[new], [busy], [idle], [busy], [busy], [busy]], 1800),
            # The first sample of a run of atop covers the time since the boot.
            ([[new], [busy], None, [new], [busy], [busy]], 1200),
            ([[], [busy], [], [busy]], 600),
        ):
            events, _ = self._Parse(samples)
            values = [event.sustained_cpu_seconds or 0 for event in events]
            self.assertEqual(max(values), expected or 0, samples)

    def testSustainedCPUBreaks(self):
        """Tests what breaks the time that a process was busy."""
        busy = self._GetTask(9, 10, cpu__utime=100)
        less_busy = self._GetTask(9, 10, cpu__utime=79)
        idle = self._GetTask(9, 10, wasinactive=1)
        used = self._GetTask(9, 10, mem__minflt=1)
        exit_task = self._GetExit(9, 10, cpu__utime=100)
        for version, samples, expected in (
            (layouts.VERSIONS[-1], [[busy], [busy], [busy]], 3),
            # Whatever the interval, a sample in which it was not busy.
            (layouts.VERSIONS[-1], [[busy], [less_busy], [busy], [busy]], 2),
            (layouts.VERSIONS[-1], [[busy], [used], [busy]], 1),
            (layouts.VERSIONS[-1], [[busy], [idle], [busy]], 1),
            (layouts.VERSIONS[-1], [[busy], [idle], [idle], [busy], [idle], [busy]], 1),
            # Up to 2.2 a process that is idle is not listed.
            ("2.2", [[busy], [], [busy], [busy]], 2),
            ("2.2", [[busy], [busy], [], [busy]], 2),
            # A sample that is lost, and one whose processes are.
            (layouts.VERSIONS[-1], [[busy], b"lost", [busy], [busy]], 2),
            (layouts.VERSIONS[-1], [[busy], [busy], b"damaged", [busy]], 2),
            # The samples before and after were cut out without a trace.
            (layouts.VERSIONS[-1], [[busy], [busy], None, [busy]], 2),
            # When in the interval it exited does not matter.
            (layouts.VERSIONS[-1], [[busy], [exit_task]], 1),
            (layouts.VERSIONS[-1], [[exit_task]], 0),
        ):
            builder = log_builder.LogBuilder(version=version)
            builder.AddSample(self._T0, flags=rawlog.FLAG_BOOT)
            damages = []
            for index, tasks in enumerate(samples):
                if tasks is not None:
                    offset = len(builder.Build())
                    damage = tasks if isinstance(tasks, bytes) else None
                    builder.AddSample(
                        self._T0 + 1 + index,
                        interval=1,
                        tasks=[used] if damage else tasks,
                    )
                    if damage:
                        damages.append((damage, offset, len(builder.Build())))

            data = bytearray(builder.Build())
            for damage, offset, end_offset in damages:
                self._Damage(data, offset, end_offset, is_lost=damage == b"lost")

            storage_writer = self._ParseData(bytes(data), parser.AtopParser())
            self.assertEqual(len(self._GetWarnings(storage_writer)), len(damages))
            events = self._GetEventData(storage_writer, "linux:atop:process")
            self.assertEqual(
                max(event.sustained_cpu_seconds or 0 for event in events),
                expected,
                samples,
            )

    def testBecameRoot(self):
        """Tests processes whose user became root."""
        user = {"ruid": 33, "euid": 33, "suid": 33, "fsuid": 33}
        root = {"ruid": 0, "euid": 0, "suid": 0, "fsuid": 0}
        for before, after, expected in (
            (user, root, True),
            (user, {**user, "euid": 0, "fsuid": 0}, True),
            (user, {**user, "ruid": 0}, None),
            # It has the right to, as its real or saved user is root.
            ({**user, "ruid": 0}, root, None),
            ({**user, "suid": 0}, {**user, "suid": 0, "euid": 0}, None),
            (root, user, None),
            (root, {**root, "rgid": 33}, None),
        ):
            _, (change,) = self._Parse(
                [[self._GetTask(9, **before)], [self._GetTask(9, **after)]]
            )
            self.assertIs(change.became_root, expected, (before, after))

    def testUnchanged(self):
        """Tests that entries that were seen before, and others since, are compared."""
        first = self._GetTask(9, wasinactive=1)
        for values in (
            {"name": b"other"},
            {"cmdline": b"other"},
            {"euid": 7},
            {"utsname": b"other"},
        ):
            other = self._GetTask(9, cpu__utime=1, **values)
            (event_data,), changes = self._Parse(
                [[first], [first], [other], [first], [first], [other]],
                flags=rawlog.FLAG_CONTAINERS,
            )
            self.assertEqual(event_data.number_of_samples, 6)
            # A name or command line that the process had before is not shown again.
            is_title = "name" in values or "cmdline" in values
            self.assertEqual(len(changes), 1 if is_title else 3, values)

        # Activity is counted whether or not the entry is the same.
        active = self._GetTask(9, mem__minflt=5)
        events, _ = self._Parse([[first], [active], [active], [first], [active]])
        self.assertEqual([event.minor_faults for event in events], [15])

        # An entry does not show the container where it was not recorded.
        contained = self._GetTask(9, wasinactive=1, utsname=b"web")
        builder = log_builder.LogBuilder()
        for index, flags in enumerate((rawlog.FLAG_BOOT, rawlog.FLAG_CONTAINERS, 0)):
            builder.AddSample(self._T0 + 600 * index, flags=flags, tasks=[contained])
        atop_parser = parser.AtopParser()
        atop_parser.EnablePlugins({"process"})
        storage_writer = self._ParseData(builder.Build(), atop_parser)
        changes = self._GetEventData(storage_writer, "linux:atop:process_change")
        self.assertEqual(
            [
                (event.previous_container_name, event.container_name)
                for event in changes
            ],
            [(None, "web"), ("web", None)],
        )

    def testTotals(self):
        """Tests that totals are counted once."""

        def _GetTask(utime, **values):
            return self._GetTask(
                9,
                10,
                cpu__utime=utime,
                cpu__stime=2 * utime,
                dsk__rsz=3 * utime,
                dsk__wsz=4 * utime,
                dsk__cwsz=5 * utime,
                mem__minflt=6 * utime,
                mem__majflt=7 * utime,
                mem__rmem=100 + utime,
                mem__vmem=200,
                **values,
            )

        # 10 ticks before the log, 5 and 3 in it; a restart of atop counts all again.
        samples = [
            [_GetTask(10, excode=_NEW)],
            [_GetTask(5)],
            [_GetTask(7, wasinactive=1)],
            None,
            [_GetTask(15, excode=_NEW)],
            [_GetTask(3)],
        ]
        (event_data,), _ = self._Parse(samples)
        self.assertEqual(event_data.user_cpu_time, 180)
        self.assertEqual(event_data.system_cpu_time, 360)
        self.assertEqual(event_data.read_size, 3 * 18 * 512)
        self.assertEqual(event_data.written_size, 4 * 18 * 512)
        self.assertEqual(event_data.cancelled_written_size, 5 * 18 * 512)
        self.assertEqual(event_data.minor_faults, 6 * 18)
        self.assertEqual(event_data.major_faults, 7 * 18)
        self.assertEqual(event_data.maximum_resident_size, 115 * 1024)
        self.assertEqual(event_data.maximum_virtual_size, 200 * 1024)
        self.assertIsNone(event_data.tcp_sent_size)

        # Disk transfers that were not recorded are not 0.
        (event_data,), _ = self._Parse(samples, flags=0)
        self.assertIsNone(event_data.read_size)
        self.assertIsNone(event_data.written_size)

        # Without the clock tick there are no times.
        log = log_builder.LogBuilder()
        log.AddSample(self._T0, flags=1, tasks=[_GetTask(10)])
        data = bytearray(log.Build())
        data[14:16] = bytes(2)
        storage_writer = self._ParseData(bytes(data), parser.AtopParser())
        (event_data,) = self._GetEventData(storage_writer, "linux:atop:process")
        self.assertIsNone(event_data.user_cpu_time)
        self.assertEqual(event_data.minor_faults, 60)

    def testWrappedCounters(self):
        """Tests counters that old versions thought to have wrapped."""
        samples = [
            [self._GetTask(9, 10, mem__minflt=100, excode=_NEW)],
            [self._GetTask(9, 10, mem__minflt=(1 << 32) - 30)],
            [self._GetTask(9, 10, mem__minflt=5)],
        ]
        (event_data,), _ = self._Parse(samples, version="2.6")
        self.assertEqual(event_data.minor_faults, 105)
        # Since 2.7 such a value is one.
        (event_data,), _ = self._Parse(samples, version="2.7")
        self.assertEqual(event_data.minor_faults, 105 + (1 << 32) - 30)

    def testHostileCounters(self):
        """Tests counters that are negative or do not fit."""
        samples = [
            [self._GetTask(9, 10, mem__minflt=-5, cpu__utime=(1 << 63) - 1)],
            [self._GetTask(9, 10, dsk__rsz=(1 << 63) - 1, cpu__utime=(1 << 63) - 1)],
        ]
        (event_data,), _ = self._Parse(samples)
        self.assertEqual(event_data.minor_faults, 0)
        self.assertIsNone(event_data.user_cpu_time)
        self.assertIsNone(event_data.read_size)

        (event_data,), _ = self._Parse([[self._GetTask(9, 10, nthr=-1, ppid=-1)]])
        self.assertIsNone(event_data.number_of_threads)
        self.assertIsNone(event_data.ppid)

    def testNetwork(self):
        """Tests network transfers, which netatop records."""
        values = {
            f"net__{name:s}": index + 1
            for index, name in enumerate(
                "tcpsnd tcpssz tcprcv tcprsz udpsnd udpssz udprcv udprsz".split()
            )
        }
        names = [
            f"{protocol:s}_{direction:s}_{unit:s}"
            for protocol in ("tcp", "udp")
            for direction in ("sent", "received")
            for unit in ("packets", "size")
        ]
        samples = [
            [self._GetTask(9, 10, excode=_NEW, **values)],
            [self._GetTask(9, 10, **values)],
        ]
        for flags, header, expected in (
            (rawlog.FLAG_NETATOP, {}, True),
            (0, {}, False),
            (0, {"supportflags": 0x1035}, True),
        ):
            (event_data,), _ = self._Parse(
                samples, version="2.10", flags=flags, **header
            )
            for index, name in enumerate(names):
                value = getattr(event_data, name)
                self.assertEqual(value, 2 * (index + 1) if expected else None)

        # What an exited process transferred is recorded by netatopd or netatop-bpf, up
        # to 1.27 by a kernel patch of its own. Without it the exit entry holds zeros.
        living = self._GetTask(9, 10, **values)
        for version, flags, header, has_network, has_exit_network in (
            ("2.10", rawlog.FLAG_NETATOP, {}, True, False),
            ("2.10", rawlog.FLAG_NETATOP | rawlog.FLAG_NETATOPD, {}, True, True),
            ("2.10", 0, {"supportflags": 0x1035}, True, True),
            ("2.10", 0, {}, False, False),
            ("1.27", 0, {"supportflags": 0x0003}, True, False),
            ("1.27", 0, {"supportflags": 0x000B}, True, True),
        ):
            exit_values = values if has_exit_network else {}
            exit_task = self._GetExit(9, 10, **exit_values)
            arguments = {"version": version, "flags": flags, **header}
            for samples, factor in (
                ([[], [exit_task]], 1 if has_exit_network else None),
                ([[living], [exit_task]], has_network + has_exit_network or None),
            ):
                (event_data,), _ = self._Parse(samples, **arguments)
                for index, name in enumerate(names):
                    self.assertEqual(
                        getattr(event_data, name), factor and factor * (index + 1)
                    )

        # Up to 1.27 a counter that went down was taken for one that wrapped.
        wrapped = self._GetTask(9, 10, net__tcprsz=(1 << 32) - 30)
        for version, header, expected in (
            ("1.27", {"supportflags": 0x0003}, 4),
            ("2.0", {"supportflags": 0x0035}, 4 + (1 << 32) - 30),
        ):
            (event_data,), _ = self._Parse(
                [[living], [wrapped]],
                version=version,
                flags=rawlog.FLAG_NETATOP,
                **header,
            )
            self.assertEqual(event_data.tcp_received_size, expected)

    def testOldAccounting(self):
        """Tests process accounting of version 2, which has no process identifiers."""
        # A comp_t: exponent 2, fraction 100.
        exit_task = self._GetExit(9, 10, elaps=2 << 13 | 100, tgid=0, ppid=0)
        (event_data,), _ = self._Parse([[], [exit_task]], version="2.6")
        self.assertEqual(event_data.elapsed_time, 6400 * 10)
        self.assertEqual(self._GetTimes(event_data), {"start": 10, "exit": 74})
        self.assertIsNone(event_data.ppid)

        # 1.23 does not store how long a process ran.
        exit_task = self._GetExit(9, 10)
        (event_data,), _ = self._Parse([[], [exit_task]], version="1.23")
        self.assertEqual(self._GetTimes(event_data), {"start": 10, "exit": 600})
        self.assertTrue(event_data.exit_time_estimated)
        self.assertIsNone(event_data.elapsed_time)

    def testNotProcesses(self):
        """Tests threads, and the empty entries of failed process accounting."""
        thread = self._GetTask(10, 10, tgid=9, isproc=0)
        empty = {"gen.excode": _NEW}
        for version in ("1.26", "2.8"):
            tasks = [self._GetTask(9, 10), empty]
            if version == "2.8":
                tasks.append(thread)
            events, _ = self._Parse([tasks, tasks], version=version)
            self.assertEqual([event.pid for event in events], [9])

    def testParents(self):
        """Tests which process is taken for the parent."""
        parent = self._GetTask(50, -10, name=b"old", cmdline=b"old parent")
        other = self._GetTask(50, 620, name=b"new", cmdline=b"new parent")
        early = self._GetExit(60, 30, ppid=50, name=b"early")
        late = self._GetExit(61, 630, ppid=50, name=b"late")
        short_parent = self._GetExit(70, 640, ppid=1, name=b"short", cmdline=b"")
        short_child = self._GetExit(71, 641, ppid=70, name=b"child")
        missing = self._GetExit(72, 641, ppid=999, name=b"orphan")
        parent_exit = self._GetExit(50, -10, elaps=62000, name=b"old")
        events, _ = self._Parse(
            [
                [parent],
                [
                    other,
                    short_child,
                    early,
                    late,
                    short_parent,
                    parent_exit,
                    missing,
                ],
            ]
        )
        parents = {
            event.process_name: (event.parent_process_name, event.parent_command_line)
            for event in events
        }
        self.assertEqual(parents["early"], ("old", "old parent"))
        self.assertEqual(parents["late"], ("new", "new parent"))
        self.assertEqual(parents["child"], ("short", None))
        self.assertEqual(parents["orphan"], (None, None))

    def testZombies(self):
        """Tests zombies that stay listed after their exit was recorded."""
        living = self._GetTask(9, 10)
        zombie = self._GetTask(9, 10, state=b"Z", cmdline=b"")
        exit_task = self._GetExit(9, 11)
        for samples in (
            [[], [living], [zombie, exit_task], [zombie], [zombie], []],
            [[], [zombie, exit_task], [zombie], []],
            [[], [exit_task], [zombie], [zombie], []],
        ):
            (event_data,), changes = self._Parse(samples)
            self.assertEqual(changes, [])
            self.assertEqual(event_data.exit_code, 0)
            self.assertIsNone(event_data.last_seen_time)
        self.assertEqual(event_data.number_of_samples, 1)

        # Another process of that identifier is one.
        other = self._GetTask(9, 700)
        events, _ = self._Parse([[], [exit_task], [other]])
        self.assertEqual(len(events), 2)

    def testChanges(self):
        """Tests changes of living processes."""
        before = self._GetTask(9, 10, ruid=1000, euid=1000)
        after = self._GetTask(9, 10, ruid=1000, euid=0, name=b"sh", cmdline=b"sh -i")
        (event_data,), (change,) = self._Parse([[before], [after], [after]])
        self.assertEqual(change.sample_time.timestamp, self._T0 + 600)
        self.assertEqual(change.pid, 9)
        self.assertEqual(change.process_name, "sh")
        self.assertEqual(change.previous_process_name, "daemon")
        self.assertEqual(change.command_line, "sh -i")
        self.assertEqual(change.previous_command_line, "/usr/sbin/daemon")
        self.assertEqual(change.effective_user_identifier, 0)
        self.assertEqual(change.previous_effective_user_identifier, 1000)
        self.assertIsNone(change.user_identifier)
        # The process keeps its origin.
        self.assertEqual(event_data.process_name, "daemon")
        self.assertEqual(event_data.command_line, "/usr/sbin/daemon")
        self.assertEqual(event_data.effective_user_identifier, 1000)

        # Identifiers are shown unsigned.
        after = self._GetTask(9, 10, ruid=-2, euid=1000)
        _, (change,) = self._Parse([[before], [after]])
        self.assertEqual(change.user_identifier, 4294967294)

    def testNoChanges(self):
        """Tests what is no change."""
        first = self._GetTask(9, 10)
        second = self._GetTask(9, 10, name=b"other")
        for samples, expected in (
            # What it was before.
            ([first, second, first, second, first], 1),
            # A zombie has no command line.
            ([first, self._GetTask(9, 10, cmdline=b"", state=b"Z")], 0),
            ([first, self._GetTask(9, 10, cmdline=b""), first], 0),
            # Another parent.
            ([first, self._GetTask(9, 10, ppid=77)], 0),
            # What follows the first NUL is not text.
            ([first, self._GetTask(9, 10, name=b"daemon\x00rest")], 0),
            # Its exit. Accounting does not know the other identifiers.
            ([self._GetTask(9, 10, euid=5), self._GetExit(9, 10, name=b"daemon")], 0),
        ):
            _, changes = self._Parse([[task] for task in samples])
            self.assertEqual(len(changes), expected)

        # The first command line is the first that is not empty.
        empty = self._GetTask(9, 10, cmdline=b"")
        (event_data,), changes = self._Parse([[empty], [first]])
        self.assertEqual(changes, [])
        self.assertEqual(event_data.command_line, "/usr/sbin/daemon")

        # A process that was seen between fork and exec.
        forked = self._GetTask(9, 10, name=b"python3", cmdline=b"")
        (event_data,), (change,) = self._Parse([[forked], [first]])
        self.assertEqual(change.previous_process_name, "python3")
        self.assertIsNone(change.previous_command_line)
        self.assertEqual(event_data.process_name, "python3")
        self.assertEqual(event_data.command_line, "/usr/sbin/daemon")

    def testKernelThreads(self):
        """Tests threads of the kernel, which change their name all the time."""

        def _GetThread(name, cmdline=b"", **values):
            return self._GetTask(9, 10, ppid=2, name=name, cmdline=cmdline, **values)

        _, changes = self._Parse([[_GetThread(b"kworker/0:1")], [_GetThread(b"x")]])
        self.assertEqual(changes, [])
        # What has a command line or memory is none.
        _, changes = self._Parse(
            [[_GetThread(b"kworker/0:1", mem__vmem=5)], [_GetThread(b"x", mem__vmem=5)]]
        )
        self.assertEqual(len(changes), 1)
        _, changes = self._Parse(
            [[_GetThread(b"kworker/0:1")], [_GetThread(b"x", cmdline=b"/tmp/x")]]
        )
        self.assertEqual(len(changes), 1)

    def testContainers(self):
        """Tests containers. Their name has another meaning in each version."""
        for version, member, name in (
            ("2.3", "container", "container_identifier"),
            ("2.9", "container", "container_identifier"),
            ("2.10", "utsname", "container_name"),
            (layouts.VERSIONS[-1], "utsname", "container_name"),
        ):
            host = self._GetTask(9, 10)
            container = self._GetTask(9, 10, **{member: b"0123456789ab"})
            zombie = self._GetTask(9, 10, state=b"Z")
            flags = rawlog.FLAG_CONTAINERS
            (event_data,), changes = self._Parse(
                [[container], [zombie]], version=version, flags=flags
            )
            self.assertEqual(getattr(event_data, name), "0123456789ab")
            self.assertEqual(changes, [])

            (event_data,), (change,) = self._Parse(
                [[host], [container]], version=version, flags=flags
            )
            self.assertIsNone(getattr(event_data, name))
            self.assertEqual(getattr(change, name), "0123456789ab")
            self.assertIsNone(getattr(change, f"previous_{name:s}"))

        (event_data,), _ = self._Parse(
            [[self._GetTask(9, 10, ctid=101, vpid=3)]], version="2.2"
        )
        self.assertEqual((event_data.ctid, event_data.vpid), (101, 3))
        (event_data,), _ = self._Parse([[self._GetTask(9, 10)]], version="2.2")
        self.assertEqual((event_data.ctid, event_data.vpid), (None, None))

    def testUsername(self):
        """Tests the names of users."""
        user_names = {"0": "root", "33": "www-data", "34": "evil\x1b[2J"}
        builder = log_builder.LogBuilder(version="2.10")
        tasks = [
            self._GetTask(pid, cgpath=b"/system.slice/cron.service", **values)
            for pid, values in (
                (1, {"ruid": 0}),
                (2, {"ruid": 33, "euid": 0}),
                (3, {"ruid": 1234}),
                (8, {"ruid": 34}),
                # A container has users of its own.
                (4, {"ruid": 33, "utsname": b"pod"}),
                (5, {"ruid": 33, "ctid": 101}),
            )
        ]
        # Where the control group is not known, or not all of it, it may be a
        # container's.
        tasks.extend(
            self._GetTask(pid, ruid=33, cgpath=path)
            for pid, path in (
                (6, b"/system.slice/docker-0123.scope"),
                (7, b"/"),
                (9, b""),
                (10, b"/system.slice/".ljust(62, b"x")),
                (11, b"/system.slice/".ljust(63, b"x")),
                (12, b"/system.slice/docker-".ljust(63, b"x")),
            )
        )
        builder.AddSample(
            self._T0,
            flags=rawlog.FLAG_BOOT | rawlog.FLAG_CGROUPS | rawlog.FLAG_CONTAINERS,
            tasks=tasks,
        )
        usernames = self._GetUsernames(builder.Build(), user_names)
        self.assertEqual(
            usernames,
            {
                1: "root",
                2: "www-data",
                3: None,
                4: None,
                5: None,
                6: None,
                7: "www-data",
                8: "evil\\x1b[2J",
                9: None,
                10: "www-data",
                11: None,
                12: None,
            },
        )

    def testUsernameOfContainer(self):
        """Tests names of users in control groups that only the runtime's user named."""
        container = b"f3" * 32
        for names, expected in (
            ((b"default", container), None),
            ((b"ecs", b"task", container), None),
            ((b"system.slice", b"nerdctl-%b.scope" % container), None),
            ((b"default", container[:-1]), "www-data"),
        ):
            cgroups = [log_builder.Cgroup(b"", -1, [], {})]
            for index, name in enumerate(names):
                pids = [9] if index == len(names) - 1 else []
                cgroups.append(log_builder.Cgroup(name, index, pids, {}))
            builder = log_builder.LogBuilder()
            builder.AddSample(
                self._T0,
                flags=rawlog.FLAG_BOOT,
                tasks=[self._GetTask(9, ruid=33)],
                cgroups=cgroups,
            )
            usernames = self._GetUsernames(builder.Build(), {"33": "www-data"})
            self.assertEqual(usernames, {9: expected}, names)

    def testUsernameOfExit(self):
        """Tests names of users where only the exit shows a process."""
        host = self._GetTask(50)
        pod = self._GetTask(60, utsname=b"pod")
        exits = [
            self._GetExit(pid, 10, ruid=33, ppid=ppid)
            for pid, ppid in ((51, 50), (61, 60), (62, 61), (71, 999))
        ]
        for version, flags, cgroups, expected in (
            # Not where the parent is in a container, or not known and there are some.
            ("2.12", 0, None, [51, 61, 62, 71]),
            ("2.12", rawlog.FLAG_CONTAINERS, None, [51]),
            ("2.12", rawlog.FLAG_CGROUPS, None, []),
            ("2.12", 0, [log_builder.Cgroup(b"", -1, [50], {})], [51]),
            ("2.10", rawlog.FLAG_CGROUPS, None, []),
        ):
            builder = log_builder.LogBuilder(version=version)
            builder.AddSample(
                self._T0,
                flags=rawlog.FLAG_ACCOUNTING | flags,
                tasks=[host, pod] + exits,
                cgroups=cgroups,
            )
            usernames = self._GetUsernames(builder.Build(), {"33": "www-data"})
            self.assertEqual(
                [pid for pid, name in sorted(usernames.items()) if name], expected
            )

    def testUsernameOfUnknownCgroup(self):
        """Tests names of users where the control groups of a sample are damaged."""
        task = self._GetTask(9, ruid=33, wasinactive=1)
        host = [
            log_builder.Cgroup(b"", -1, [], {}),
            log_builder.Cgroup(b"cron.service", 0, [9], {}),
        ]
        container = [
            log_builder.Cgroup(b"", -1, [], {}),
            log_builder.Cgroup(b"docker-0123.scope", 0, [9], {}),
        ]
        other = [log_builder.Cgroup(b"", -1, [1], {})]
        for samples, expected_name, expected_cgroup in (
            ([host], "www-data", "/cron.service"),
            ([container], None, "/docker-0123.scope"),
            ([None], "www-data", None),
            ([b"damaged"], None, None),
            # A zombie, or a process that was started while atop looked at others.
            ([other], None, None),
            # It is known from a sample before, or after.
            ([host, b"damaged"], "www-data", "/cron.service"),
            ([b"damaged", b"damaged", host], "www-data", "/cron.service"),
            ([other, other, host, other], "www-data", "/cron.service"),
            ([b"damaged", None], None, None),
            ([b"damaged", container], None, "/docker-0123.scope"),
            ([container, b"damaged"], None, "/docker-0123.scope"),
        ):
            builder = log_builder.LogBuilder()
            end_offsets = []
            for index, cgroups in enumerate(samples):
                is_damaged = cgroups == b"damaged"
                builder.AddSample(
                    self._T0 + 600 * index,
                    flags=0 if index else rawlog.FLAG_BOOT,
                    tasks=[task, self._GetTask(10)],
                    cgroups=host if is_damaged else cgroups,
                )
                if is_damaged:
                    end_offsets.append(len(builder.Build()))

            data = bytearray(builder.Build())
            for end_offset in end_offsets:
                self._Damage(data, None, end_offset)

            events = self._GetProcessEventData(bytes(data), {"33": "www-data"})
            (event_data,) = [event for event in events if event.pid == 9]
            self.assertEqual(event_data.username, expected_name, samples)
            self.assertEqual(event_data.cgroup, expected_cgroup, samples)

        # A change in a sample with damaged control groups.
        builder = log_builder.LogBuilder()
        for index, cgroups in enumerate((host, other, other)):
            builder.AddSample(
                self._T0 + 600 * index,
                flags=0 if index else rawlog.FLAG_BOOT,
                tasks=[
                    {**self._GetTask(pid, ruid=33), "gen.name": b"name%d" % index}
                    for pid in (9, 10)
                ],
                cgroups=cgroups,
            )
        changes = self._GetProcessEventData(
            builder.Build(), {"33": "www-data"}, data_type="linux:atop:process_change"
        )
        self.assertEqual(
            {(change.pid, change.username) for change in changes},
            {(9, "www-data"), (10, None)},
        )

    def testTimes(self):
        """Tests times that Plaso cannot show."""
        for btime in (0, -1, 253402300800, (1 << 63) - 1, -(1 << 63)):
            task = self._GetTask(9, btime - self._T0)
            (event_data,), _ = self._Parse([[task]])
            self.assertEqual(event_data.start_time.string, "Invalid")
            self.assertEqual(event_data.raw_start_time, btime)

        exit_task = self._GetExit(9, 10, elaps=1 << 62)
        (event_data,), _ = self._Parse([[], [exit_task]])
        self.assertEqual(event_data.exit_time.string, "Invalid")
        self.assertEqual(event_data.raw_exit_time, self._T0 + 10 + (1 << 62) // 100)

        # An index refuses what does not fit in 64 bits.
        largest = (1 << 63) - 1
        for btime, elaps, expected in (
            (largest - 10, 1000, largest),
            (largest - 10, 1100, None),
            (largest, largest, None),
            (-largest, 0, -largest),
        ):
            exit_task = self._GetExit(9, btime - self._T0, elaps=elaps)
            (event_data,), _ = self._Parse([[], [exit_task]])
            self.assertEqual(event_data.exit_time.string, "Invalid")
            self.assertEqual(event_data.raw_exit_time, expected)

        # How long it ran is not known.
        exit_task = self._GetExit(9, 10, elaps=-1)
        (event_data,), _ = self._Parse([[], [exit_task]])
        self.assertEqual(self._GetTimes(event_data), {"start": 10, "exit": 600})
        self.assertTrue(event_data.exit_time_estimated)
        self.assertIsNone(event_data.elapsed_time)

        builder = log_builder.LogBuilder(hertz=0)
        builder.AddSample(self._T0, tasks=[self._GetExit(9, 10)])
        storage_writer = self._ParseData(builder.Build(), parser.AtopParser())
        (event_data,) = self._GetEventData(storage_writer, "linux:atop:process")
        self.assertEqual(self._GetTimes(event_data), {"start": 10, "exit": 0})
        self.assertTrue(event_data.exit_time_estimated)

        # A start in the future of the log is shown as it is.
        (event_data,), _ = self._Parse([[self._GetTask(9, 99999)]])
        self.assertEqual(self._GetTimes(event_data)["start"], 99999)

    def testBounds(self):
        """Tests that a log which is made to fill the memory does not."""
        plugin_class = process.AtopProcessPlugin
        limit = plugin_class._MAXIMUM_NUMBER_OF_PROCESSES
        plugin_class._MAXIMUM_NUMBER_OF_PROCESSES = 10
        try:
            builder = log_builder.LogBuilder()
            builder.AddSample(
                self._T0, flags=1, tasks=[self._GetTask(1 + pid) for pid in range(15)]
            )
            atop_parser = parser.AtopParser()
            storage_writer = self._ParseData(builder.Build(), atop_parser)
        finally:
            plugin_class._MAXIMUM_NUMBER_OF_PROCESSES = limit
        self.assertEqual(
            len(self._GetEventData(storage_writer, "linux:atop:process")), 10
        )
        self.assertEqual(
            self._GetWarnings(storage_writer),
            [
                "5 entries of processes left out, more processes at a time than can be "
                "remembered"
            ],
        )

        # One identifier, again and again.
        tasks = [self._GetTask(9, 10 * index) for index in range(100)]
        tasks.extend(self._GetExit(9, 10 * index) for index in range(100))
        builder = log_builder.LogBuilder()
        builder.AddSample(self._T0, flags=1, tasks=tasks)
        storage_writer = self._ParseData(builder.Build(), parser.AtopParser())
        self.assertEqual(
            len(self._GetEventData(storage_writer, "linux:atop:process")), 100
        )


if __name__ == "__main__":
    unittest.main()
