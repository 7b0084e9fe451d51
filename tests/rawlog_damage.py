"""Tests for the atop raw log reader, and the parser, with damaged logs."""

import collections
import contextlib
import io
import random
import struct
import unittest

from unittest import mock

from plaso.parsers import mediator as parsers_mediator

from plaso_atop import blocks
from plaso_atop import layouts
from plaso_atop import parser
from plaso_atop import rawlog

import log_builder
from tests.lib import test_lib

# One log of each kind of layout.
LOG_NAMES = (
    "atop-1.26",
    "atop-2.3.0",
    "atop-2.7.1",
    "atop-2.12.1",
    "atop-2.8.1-s390x",
)


@contextlib.contextmanager
def CountInflatedBytes():
    """Counts what is inflated of blocks.

    Yields:
      collections.Counter: number of bytes as "inflated".
    """
    counter = collections.Counter()
    # pylint: disable-next=protected-access
    original_method = blocks.Block._Inflate

    def Inflate(block, piece_size):
        """Inflates a block in pieces."""
        size = block.inflated_size
        try:
            yield from original_method(block, piece_size)
        finally:
            counter["inflated"] += block.inflated_size - size

    with mock.patch.object(blocks.Block, "_Inflate", Inflate):
        yield counter


class Part:
    """Where a sample stands in a log.

    Attributes:
      blocks (list[tuple[int, int]]): offsets of the start and end of the blocks: system
          block, process list and, where there are any, cgroups and their processes.
      end_offset (int): offset of the end.
      offset (int): offset of the start.
      record_size (int): size of the record.
      values (tuple): what the sample holds.
    """

    def __init__(self, sample):
        """Initializes the place of a sample.

        Args:
          sample (rawlog.Sample): sample.
        """
        super().__init__()
        self.blocks = [(block.offset, block.end_offset) for block in sample.GetBlocks()]
        self.end_offset = sample.end_offset
        self.offset = sample.offset
        self.record_size = self.blocks[0][0] - sample.offset
        self.values = GetValues(sample)


def GetValues(sample):
    """Retrieves what a sample holds.

    Args:
      sample (rawlog.Sample): sample.

    Returns:
      tuple[int, bytes, bytes, list[tuple[bytes, tuple[int]]]]: time, process list or
          None, system block or None, paths and processes of the cgroups.
    """
    tasks = None
    if sample.has_tasks:
        tasks = b"".join(task.entry[:64] for task in sample.tasks())
    system = sample.system()
    return (
        sample.curtime,
        tasks,
        system and sample.system_block.GetData(),
        [(cgroup.path, cgroup.pids) for cgroup in sample.cgroups()],
    )


def ReadLog(data):
    """Reads a log.

    Args:
      data (bytes): contents of the log.

    Returns:
      tuple[RawLog, list[tuple]]: log and what its samples hold.
    """
    log = rawlog.RawLog(io.BytesIO(data))
    return log, [GetValues(sample) for sample in log.samples()]


class DamagedLogTestCase(test_lib.ParserTestCase):
    """Shared functionality for tests with damaged logs."""

    def _CheckLog(self, data, expected_values, expected_damages):
        """Checks what is read of a damaged log.

        Args:
          data (bytes): contents of the log.
          expected_values (list[tuple]): what the samples that are left hold.
          expected_damages (list[tuple[int, int, str]]): offset, size and reason of the
              damages.
        """
        log, values = ReadLog(data)
        self.assertEqual(
            [value[0] for value in values], [v[0] for v in expected_values]
        )
        self.assertEqual(values, expected_values)
        self.assertEqual([tuple(damage) for damage in log.damages], expected_damages)

    def _GetEvents(self, data, data_types):
        """Retrieves the events of a log.

        Args:
          data (bytes): contents of the log.
          data_types (set[str]): data types of the events.

        Returns:
          tuple[list[dict[str, object]], list[str]]: attributes of the events, without
              the offsets, and warnings.
        """
        storage_writer = self._ParseData(data, parser.AtopParser())
        events = [
            event
            for event in self._GetEventValues(storage_writer)
            if event["data_type"] in data_types
        ]
        for event in events:
            event.pop("offset")
        return events, self._GetWarnings(storage_writer)

    def _ReadParts(self, name):
        """Reads where the samples of a log in the test data stand.

        Args:
          name (str): name of the log.

        Returns:
          tuple[bytes, list[Part]]: contents of the log and its samples.
        """
        data = self._ReadTestFile([f"{name:s}.raw"])
        log = rawlog.RawLog(io.BytesIO(data))
        parts = [Part(sample) for sample in log.samples()]
        self.assertEqual(log.damages, [])
        return data, parts


class TailTest(DamagedLogTestCase):
    """Tests for logs that end before their last sample does."""

    def _CheckCut(self, data, parts, size):
        """Checks what is read of a log that was cut.

        Args:
          data (bytes): contents of the log.
          parts (list[Part]): samples of the log.
          size (int): size to cut the log to.
        """
        log, values = ReadLog(data[:size])

        whole = [part.values for part in parts if part.end_offset <= size]
        self.assertEqual(values[: len(whole)], whole, msg=f"cut at {size:d}")

        offset = parts[len(whole)].offset
        if size == offset:
            self.assertEqual(log.damages, [])
        else:
            self.assertEqual(
                log.damages,
                [rawlog.Damage(offset, size - offset, rawlog.DAMAGE_LAST_SAMPLE)],
            )

        # Of the last sample what is whole is used, and nothing else.
        part = parts[len(whole)]
        _, tasks, system, cgroups = part.values
        if size < part.blocks[0][1]:
            self.assertEqual(len(values), len(whole))
        else:
            ends = [end for _, end in part.blocks]
            expected = (
                part.values[0],
                tasks if size >= ends[1] else None,
                system,
                cgroups if size >= ends[-1] and len(ends) > 2 else [],
            )
            self.assertEqual(values[len(whole) :], [expected], msg=f"cut at {size:d}")

    def testEveryOffset(self):
        """Tests logs of one sample that are cut at every offset."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            for size in range(parts[0].offset, parts[0].end_offset):
                self._CheckCut(data, parts, size)

    def testBorders(self):
        """Tests logs that are cut around the borders of later samples and blocks."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            for part in parts[1:]:
                borders = [part.offset, part.offset + part.record_size]
                borders.extend(end for _, end in part.blocks[:-1])
                for border in borders:
                    for size in (border - 1, border, border + 1):
                        if part.offset <= size:
                            self._CheckCut(data, parts, size)

    def testHeader(self):
        """Tests logs that are cut in their header."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            for size in range(parts[0].offset):
                expected = rawlog.FormatError if size < 4 else rawlog.UnsupportedError
                with self.assertRaises(expected):
                    rawlog.RawLog(io.BytesIO(data[:size]))

    def testWarning(self):
        """Tests the events and the warning of a log that was cut."""
        data, parts = self._ReadParts("atop-2.12.1")
        events, warnings = self._GetEvents(data[:-100], {"linux:atop:gap"})
        offset = parts[-1].offset
        self.assertEqual(events, [])
        self.assertEqual(
            warnings,
            [
                f"last sample incomplete at offset: 0x{offset:08x} of size: "
                f"{len(data) - 100 - offset:d}"
            ],
        )
        storage_writer = self._ParseData(data[:-100], parser.AtopParser())
        for event_data in self._GetEventData(storage_writer):
            self.assertFalse(getattr(event_data, "_corrupted", False))


class DamageTest(DamagedLogTestCase):
    """Tests for logs that are damaged before their end."""

    # Index of the sample that is damaged, one inside the first run.
    _INDEX = 2

    def _CheckEvents(self, data, parts, lost, original):
        """Checks that the events are those of a log of the samples that are left.

        Args:
          data (bytes): contents of the damaged log.
          parts (list[Part]): samples of the original log.
          lost (set[int]): indexes of the samples without their process list.
          original (bytes): contents of the original log.
        """
        data_types = {"linux:atop:process", "linux:atop:process_change"}
        expected_data = original[: parts[0].offset] + b"".join(
            original[part.offset : part.end_offset]
            for index, part in enumerate(parts)
            if index not in lost
        )
        expected_events, _ = self._GetEvents(expected_data, data_types)
        events, warnings = self._GetEvents(data, data_types)
        self.assertEqual(events, expected_events)
        self.assertGreater(len(events), 100)

        gaps, _ = self._GetEvents(data, {"linux:atop:gap"})
        self.assertEqual(len([gap for gap in gaps if "size" in gap]), 1)
        self.assertEqual(len(warnings), 1)

    def testCrash(self):
        """Tests samples that a crash cut, with samples appended after."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            part = parts[self._INDEX]
            after = data[part.end_offset :]
            values = [part.values for part in parts]
            others = values[: self._INDEX] + values[self._INDEX + 1 :]
            curtime, tasks, system, _ = part.values

            # In the record, and in the system block.
            for size in (1, part.record_size - 1, part.record_size + 50):
                end_offset = part.offset + size
                damaged_data = data[:end_offset] + after
                self._CheckLog(
                    damaged_data, others, [(part.offset, size, rawlog.DAMAGE_RECORD)]
                )
                self._CheckEvents(damaged_data, parts, {self._INDEX}, data)

            # In the process list.
            offset, _ = part.blocks[1]
            values[self._INDEX] = (curtime, None, system, [])
            damaged_data = data[: offset + 200] + after
            self._CheckLog(damaged_data, values, [(offset, 200, rawlog.DAMAGE_TASKS)])
            self._CheckEvents(damaged_data, parts, {self._INDEX}, data)

            # In the cgroups and in their processes.
            values[self._INDEX] = (curtime, tasks, system, [])
            for offset, _ in part.blocks[2:]:
                self._CheckLog(
                    data[: offset + 20] + after,
                    values,
                    [(offset, 20, rawlog.DAMAGE_CGROUPS)],
                )

    def testOverwritten(self):
        """Tests blocks that were overwritten where they stand."""
        reasons = (
            rawlog.DAMAGE_SYSTEM,
            rawlog.DAMAGE_TASKS,
            rawlog.DAMAGE_CGROUPS,
            rawlog.DAMAGE_CGROUPS,
        )
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            part = parts[self._INDEX]
            curtime, tasks, system, cgroups = part.values
            for index, (offset, end_offset) in enumerate(part.blocks):
                size = end_offset - offset
                values = [part.values for part in parts]
                values[self._INDEX] = (
                    curtime,
                    None if index == 1 else tasks,
                    None if index == 0 else system,
                    [] if index >= 2 else cgroups,
                )
                for start, length in ((0, size), (size // 2, 8), (size - 1, 1)):
                    overwritten = bytes(
                        value ^ 0x5A
                        for value in data[offset + start : offset + start + length]
                    )
                    damaged_data = (
                        data[: offset + start]
                        + overwritten
                        + data[offset + start + length :]
                    )
                    self._CheckLog(
                        damaged_data, values, [(offset, size, reasons[index])]
                    )
                if index < 2:
                    lost = {self._INDEX} if index == 1 else set()
                    self._CheckEvents(damaged_data, parts, lost, data)

    def testZeroedRecord(self):
        """Tests a record that was overwritten with zeros."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            part = parts[self._INDEX]
            values = [part.values for part in parts]
            del values[self._INDEX]
            damaged_data = (
                data[: part.offset]
                + bytes(part.record_size)
                + data[part.blocks[0][0] :]
            )
            size = part.end_offset - part.offset
            self._CheckLog(
                damaged_data, values, [(part.offset, size, rawlog.DAMAGE_RECORD)]
            )
            self._CheckEvents(damaged_data, parts, {self._INDEX}, data)

    def testTwoSamples(self):
        """Tests two adjacent samples that were overwritten."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            first, second = parts[self._INDEX : self._INDEX + 2]
            size = second.end_offset - first.offset
            values = [part.values for part in parts]
            del values[self._INDEX : self._INDEX + 2]
            for garbage in (bytes(size), random.Random(1).randbytes(size // 2)):
                damaged_data = (
                    data[: first.offset] + garbage + data[second.end_offset :]
                )
                self._CheckLog(
                    damaged_data,
                    values,
                    [(first.offset, len(garbage), rawlog.DAMAGE_RECORD)],
                )
                self._CheckEvents(
                    damaged_data, parts, {self._INDEX, self._INDEX + 1}, data
                )

    def testZeroedPage(self):
        """Tests each page of a log that is zeroed."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            for page_offset in range(0, len(data), 4096):
                page_end = min(page_offset + 4096, len(data))
                damaged_data = (
                    data[:page_offset] + bytes(page_end - page_offset) + data[page_end:]
                )
                if page_offset == 0:
                    with self.assertRaises(rawlog.FormatError):
                        ReadLog(damaged_data)
                    continue

                log, values = ReadLog(damaged_data)
                self.assertTrue(log.damages)

                whole = [
                    part.values
                    for part in parts
                    if part.end_offset <= page_offset or part.offset >= page_end
                ]
                # Others may be left in part, but none is what it was not.
                self.assertEqual([value for value in values if value in whole], whole)
                for value in values:
                    originals = [
                        part.values for part in parts if part.values[0] == value[0]
                    ]
                    for items in zip(value, *originals):
                        self.assertIn(items[0], (None, [], *items[1:]))

    def testGarbage(self):
        """Tests garbage before, between and after the samples."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            values = [part.values for part in parts]
            for offset in (
                parts[0].offset,
                parts[self._INDEX].offset,
                parts[-1].end_offset,
            ):
                for garbage in (
                    bytes(5000),
                    b"\x78\x9c" * 2500,
                    random.Random(2).randbytes(5000),
                    data[parts[3].offset : parts[3].offset + parts[3].record_size],
                ):
                    damaged_data = data[:offset] + garbage + data[offset:]
                    # A record that nothing follows is a sample that was cut.
                    reason = rawlog.DAMAGE_RECORD
                    if offset == len(data) and len(garbage) != 5000:
                        reason = rawlog.DAMAGE_LAST_SAMPLE
                    self._CheckLog(
                        damaged_data, values, [(offset, len(garbage), reason)]
                    )

    def testSystemBlocks(self):
        """Tests many samples without a whole system block."""
        original, parts = self._ReadParts("atop-2.12.1")
        samples = []
        for part in parts:
            sample = bytearray(original[part.offset : part.end_offset])
            start = part.blocks[0][0] - part.offset
            sample[start + 50 : start + 100] = b"\xff" * 50
            samples.append(bytes(sample))

        # The first record is gone, so that the others have to be searched.
        data = original[: parts[0].offset] + bytes(200) + samples[0][200:]
        data += b"".join(samples[1:] * 30)
        log = rawlog.RawLog(io.BytesIO(data))
        tasks = []
        for sample in log.samples():
            self.assertIsNone(sample.system())
            tasks.append(b"".join(task.entry[:64] for task in sample.tasks()))

        self.assertEqual(tasks, [part.values[1] for part in parts[1:]] * 30)
        self.assertNotIn(
            rawlog.DAMAGE_UNSEARCHED, [damage.reason for damage in log.damages]
        )

    def testAdjacentDamage(self):
        """Tests a sample without its process list next to one without its record."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            first, second = parts[self._INDEX : self._INDEX + 2]
            start, _ = first.blocks[1]
            damaged_data = bytearray(data)
            damaged_data[start : start + 100] = bytes(100)
            damaged_data[second.offset : second.offset + second.record_size] = bytes(
                second.record_size
            )
            values = [part.values for part in parts]
            curtime, _, system, _ = first.values
            values[self._INDEX : self._INDEX + 2] = [(curtime, None, system, [])]
            log, read_values = ReadLog(bytes(damaged_data))
            self.assertEqual([v[:3] for v in read_values], [v[:3] for v in values])
            self.assertEqual(
                sum(damage.size for damage in log.damages),
                log.damaged_size,
            )


class UnreadableTest(DamagedLogTestCase):
    """Tests for logs that lie where they cannot be read."""

    _PAGE_SIZE = 4096

    def _CheckPages(self, data, parts, ranges):
        """Checks that every sample on pages that can be read comes out.

        Args:
          data (bytes): contents of the log.
          parts (list[Part]): samples of the log.
          ranges (list[tuple[int, int]]): offset and size of what cannot be read.

        Returns:
          int: number of samples that are whole.
        """
        pages = {
            page
            for offset, size in ranges
            for page in range(
                offset // self._PAGE_SIZE, (offset + size - 1) // self._PAGE_SIZE + 1
            )
        }
        whole = [
            part.values
            for part in parts
            if not pages.intersection(
                range(
                    part.offset // self._PAGE_SIZE,
                    (part.end_offset - 1) // self._PAGE_SIZE + 1,
                )
            )
        ]

        file_object = test_lib.UnreadableFile(data, *ranges)
        log = rawlog.RawLog(file_object)
        values = [GetValues(sample) for sample in log.samples()]
        self.assertEqual([value for value in values if value in whole], whole)

        # Every damage is one of what cannot be read, and they cover all of that.
        for damage in log.damages:
            self.assertIn("unreadable", damage.reason)
        damages = [
            (damage.offset, damage.offset + damage.size) for damage in log.damages
        ]
        if log.number_of_damages == len(damages):
            for offset, size in ranges:
                self.assertTrue(
                    any(
                        start < offset + size and offset < end for start, end in damages
                    )
                )

        # Nothing is tried again.
        self.assertLess(file_object.number_of_failures, 2 * len(pages) + 100)
        return len(whole)

    def testSector(self):
        """Tests a sector that cannot be read."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            for part in parts[3:6]:
                for start, end in [(part.offset, part.offset + 96), *part.blocks]:
                    with self.subTest(name=name, offset=start):
                        ranges = [((start + end) // 2, 1)]
                        self.assertGreater(self._CheckPages(data, parts, ranges), 3)

    def testManySectors(self):
        """Tests as many bad sectors as a failing disk has."""
        original, original_parts = self._ReadParts("atop-2.12.1")
        header = original[: original_parts[0].offset]
        samples = [original[part.offset : part.end_offset] for part in original_parts]
        data = header + b"".join(samples[index % 8] for index in range(450))
        log = rawlog.RawLog(io.BytesIO(data))
        parts = [Part(sample) for sample in log.samples()]
        self.assertEqual(len(parts), 450)
        self.assertGreater(len(data), 2600000)

        generator = random.Random(20261121)
        ranges = [
            (generator.randrange(8, len(data) // 512) * 512, 512) for _ in range(200)
        ]
        self.assertGreater(self._CheckPages(data, parts, ranges), 100)

    def testWarning(self):
        """Tests the warning of a sector that cannot be read."""
        data, parts = self._ReadParts("atop-2.12.1")
        offset, end_offset = parts[3].blocks[1]
        file_object = test_lib.UnreadableFile(data, (end_offset - 1, 1))
        # pylint: disable-next=attribute-defined-outside-init
        file_object.get_size = lambda: len(data)
        storage_writer = self._CreateStorageWriter()
        parser_mediator = self._CreateParserMediator(storage_writer)
        parser.AtopParser().Parse(parser_mediator, file_object)
        # The page of the sector reaches into the next sample.
        next_offset = parts[5].offset
        self.assertLess(parts[4].offset, (end_offset // 4096 + 1) * 4096)
        self.assertEqual(
            self._GetWarnings(storage_writer),
            [
                f"process list unreadable at offset: 0x{offset:08x} of size: "
                f"{next_offset - offset:d}"
            ],
        )

    def testRest(self):
        """Tests a file that cannot be read after its header."""
        data, _ = self._ReadParts("atop-2.12.1")
        data += bytes(64 * 1024 * 1024)
        file_object = test_lib.UnreadableFile(data, (4096, len(data)))
        log = rawlog.RawLog(file_object)
        # The first system block is in what can be read.
        self.assertEqual([sample.has_tasks for sample in log.samples()], [False])
        self.assertEqual(
            [damage.reason for damage in log.damages],
            [rawlog.DAMAGE_UNREADABLE_TASKS],
        )
        # Each one can take long.
        self.assertLess(file_object.number_of_failures, 1000)


class HeaderTest(DamagedLogTestCase):
    """Tests for logs with a header that is damaged behind its signature."""

    def _CheckRecovered(self, storage_writer):
        """Checks that all events are marked.

        Args:
          storage_writer (FakeStorageWriter): storage writer.
        """
        events = self._GetEventData(storage_writer)
        self.assertGreater(len(events), 100)
        for event_data in events:
            # Only Plaso 20260720 and later can mark events.
            if hasattr(parsers_mediator.ParserMediator, "ProduceWarning"):
                # pylint: disable-next=protected-access
                self.assertTrue(event_data._recovered)

    def testRecovered(self):
        """Tests headers with damage in the members that determine the layout."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            values = [part.values for part in parts]
            original = rawlog.RawLog(io.BytesIO(data))
            # aversion, rawheadlen, rawreclen, sstatlen, tstatlen, and everything.
            for offset, size in ((4, 2), (10, 2), (12, 2), (28, 4), (32, 4), (4, 464)):
                for damage in (b"\x00", b"\xff", b"\x55"):
                    damaged_data = data[:offset] + damage * size + data[offset + size :]
                    log, read_values = ReadLog(damaged_data)
                    self.assertTrue(log.is_recovered)
                    self.assertEqual(read_values, values)
                    self.assertEqual(log.abi, original.abi)
                    if offset != 4:
                        self.assertEqual(log.version, original.version)
                    else:
                        # Later versions share a layout. No version is claimed.
                        self.assertIsNone(log.version)
                        self.assertEqual(
                            log.layout.tstat.size, original.layout.tstat.size
                        )

    def testEvents(self):
        """Tests that the events of a log with a damaged header are marked."""
        data, _ = self._ReadParts("atop-2.12.1")
        damaged_data = data[:12] + b"\x00\x00" + data[14:]
        storage_writer = self._ParseData(damaged_data, parser.AtopParser())
        self._CheckRecovered(storage_writer)
        self.assertEqual(
            self._GetWarnings(storage_writer),
            ["header damaged at offset: 0x00000000 of size: 480"],
        )

    def testRefused(self):
        """Tests headers that are damaged in logs without two whole samples."""
        data, parts = self._ReadParts("atop-2.12.1")
        for damaged_data in (
            data[: parts[0].end_offset],
            data[: parts[1].blocks[1][1] - 1],
            data[: parts[0].blocks[1][0]] + bytes(100) + data[parts[1].offset :],
        ):
            damaged_data = damaged_data[:12] + b"\x00\x00" + damaged_data[14:]
            with self.assertRaises(rawlog.UnsupportedError):
                rawlog.RawLog(io.BytesIO(damaged_data))

    def testUnits(self):
        """Tests headers without clock ticks or page size."""
        data, parts = self._ReadParts("atop-2.12.1")
        for offset, size, name in ((14, 2, "hertz"), (436, 4, "page_size")):
            damaged_data = data[:offset] + bytes(size) + data[offset + size :]
            log, values = ReadLog(damaged_data)
            self.assertEqual(values, [part.values for part in parts])
            self.assertIsNone(getattr(log, name))
            self.assertEqual(log.damages[0].reason, rawlog.DAMAGE_HEADER)

            events, warnings = self._GetEvents(damaged_data, {"linux:atop:process"})
            self.assertEqual(len(warnings), 1)
            self.assertEqual(
                any("user_cpu_time" in event for event in events), name != "hertz"
            )
            self._CheckRecovered(self._ParseData(damaged_data, parser.AtopParser()))


class TimeTest(DamagedLogTestCase):
    """Tests for samples whose time is damaged, which no checksum protects."""

    def _SetTime(self, data, part, curtime):
        """Overwrites the time of a sample.

        Args:
          data (bytes): contents of the log.
          part (Part): sample.
          curtime (int): time.

        Returns:
          bytes: contents of the log.
        """
        layout = rawlog.RawLog(io.BytesIO(data)).layout
        member = layout.rawrecord.members["curtime"]
        offset = part.offset + member.offset
        packed = struct.pack(f"{layout.abi.byte_order:s}{member.format:s}", curtime)
        return data[:offset] + packed + data[offset + len(packed) :]

    def _CheckTimes(self, data, parts, index, curtime):
        """Checks the times of a log in which that of one sample is damaged.

        Args:
          data (bytes): contents of the log.
          parts (list[Part]): samples of the original log.
          index (int): index of the damaged sample.
          curtime (int): time that this sample is to have.
        """
        expected = [part.values for part in parts]
        expected[index] = (curtime, *expected[index][1:])
        part = parts[index]
        self._CheckLog(
            data, expected, [(part.offset, part.record_size, rawlog.DAMAGE_TIME)]
        )

    def testTimes(self):
        """Tests times that are not set, or that differ in one bit."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            log = rawlog.RawLog(io.BytesIO(data))
            are_first = [sample.is_boot for sample in log.samples()]
            bits = 8 * log.layout.rawrecord.members["curtime"].size - 1
            for index, part in enumerate(parts[:-1]):
                curtime = part.values[0]
                damaged_times = [0]
                # That of the first sample of a run has one neighbour that knows.
                if not are_first[index] and not are_first[index + 1]:
                    damaged_times.extend(curtime ^ 1 << bit for bit in range(5, bits))
                for damaged_time in damaged_times:
                    with self.subTest(name=name, index=index, time=damaged_time):
                        self._CheckTimes(
                            self._SetTime(data, part, damaged_time),
                            parts,
                            index,
                            curtime,
                        )

            # Where a run ends the interval of the next sample says nothing of it.
            self._CheckTimes(
                self._SetTime(data, parts[-1], 0), parts, -1, parts[-1].values[0]
            )

    def testUnknown(self):
        """Tests a time that is not set, where no other sample knows it."""
        data, parts = self._ReadParts("atop-2.12.1")
        data = self._SetTime(data[: parts[0].end_offset], parts[0], 0)
        self._CheckTimes(data, parts[:1], 0, 0)

    def testClock(self):
        """Tests that a clock which was set is no damage."""
        for name in LOG_NAMES:
            data, parts = self._ReadParts(name)
            for difference in (-86400, 86400):
                shifted = data
                for part in parts[self._INDEX :]:
                    shifted = self._SetTime(shifted, part, part.values[0] + difference)
                log, _ = ReadLog(shifted)
                self.assertEqual(log.damages, [])

    _INDEX = 3

    def testEvents(self):
        """Tests that the events are marked, and that no others are there."""
        data, parts = self._ReadParts("atop-2.12.1")
        expected_events, _ = self._GetEvents(
            data, {"linux:atop:process", "linux:atop:session", "linux:atop:gap"}
        )
        part = parts[self._INDEX]
        for curtime in (0, part.values[0] ^ 1 << 29, -5):
            damaged_data = self._SetTime(data, part, curtime)
            events, warnings = self._GetEvents(
                damaged_data,
                {"linux:atop:process", "linux:atop:session", "linux:atop:gap"},
            )
            self.assertEqual(
                warnings,
                [
                    f"time of sample damaged at offset: 0x{part.offset:08x} of size: "
                    f"{part.record_size:d}"
                ],
            )
            self.assertEqual(events, expected_events)

            storage_writer = self._ParseData(damaged_data, parser.AtopParser())
            number_of_events = 0
            for event_data in self._GetEventData(storage_writer):
                is_corrupted = getattr(event_data, "_corrupted", False)
                if hasattr(event_data, "number_of_samples"):
                    continue
                number_of_events += event_data.offset == part.offset
                # Only Plaso 20260720 and later can mark events.
                if hasattr(parsers_mediator.ParserMediator, "ProduceWarning"):
                    self.assertEqual(
                        bool(is_corrupted),
                        event_data.offset == part.offset,
                        event_data.data_type,
                    )
                if event_data.offset == part.offset:
                    self.assertEqual(event_data.sample_time.timestamp, part.values[0])
            self.assertGreater(number_of_events, 20)


class HostileLogTest(DamagedLogTestCase):
    """Tests for logs that were made to harm their reader."""

    def _SetMember(self, data, part, name, value):
        """Overwrites a member of a record.

        Args:
          data (bytes): contents of the log.
          part (Part): sample.
          name (str): name of the member.
          value (int): value.

        Returns:
          bytes: contents of the log.
        """
        layout = rawlog.RawLog(io.BytesIO(data)).layout
        member = layout.rawrecord.members[name]
        offset = part.offset + member.offset
        packed = struct.pack(f"{layout.abi.byte_order:s}{member.format:s}", value)
        return data[:offset] + packed + data[offset + len(packed) :]

    def testRecordMembers(self):
        """Tests records with a false length or number."""
        for name in ("atop-2.12.1", "atop-2.8.1-s390x"):
            data, parts = self._ReadParts(name)
            others = [part.values for part in parts[:2] + parts[3:]]
            layout = rawlog.RawLog(io.BytesIO(data)).layout
            members = ["scomplen", "pcomplen", "ndeviat"]
            if layout.cstat:
                members.extend(["ccomplen", "coriglen", "ncgpids", "icomplen"])

            for member in members:
                for value in (0, 1, 9, 0x7FFFFFFF, 0xFFFFFFFF):
                    damaged_data = self._SetMember(data, parts[2], member, value)
                    log, values = ReadLog(damaged_data)
                    with self.subTest(name=name, member=member, value=value):
                        self.assertGreaterEqual(log.number_of_damages, 1)
                        self.assertEqual([v for v in values if v in others], others)
                        for value in values:
                            if value not in others:
                                self.assertEqual(value[0], parts[2].values[0])

    def testBounds(self):
        """Tests that a log which is full of damage has a bounded number of warnings."""
        builder = log_builder.LogBuilder(version="2.12")
        number_of_samples = 150
        offsets = [
            builder.AddSample(
                1795225000 + 600 * index, flags=0 if index else rawlog.FLAG_BOOT
            )
            for index in range(number_of_samples)
        ]
        data = bytearray(builder.Build())
        for offset in offsets:
            # Behind the record and the header of the zlib stream.
            data[offset + 96 + 10 : offset + 96 + 20] = b"\xff" * 10

        events, warnings = self._GetEvents(bytes(data), {"linux:atop:gap"})
        self.assertEqual(len(events), 100)
        self.assertEqual(len(warnings), 101)
        self.assertIn("50 more damaged parts", warnings[-1])

        storage_writer = self._ParseData(bytes(data), parser.AtopParser())
        self.assertEqual(
            len(self._GetEventData(storage_writer, "linux:atop:system")),
            number_of_samples,
        )

    def testCgroups(self):
        """Tests cgroups whose lengths and parents are not true."""
        data, parts = self._ReadParts("atop-2.12.1")
        layout = layouts.GetFileLayout("2.12", layouts.ABIS[0])
        offset, end_offset = parts[0].blocks[2]
        chain = blocks.zlib.decompress(data[offset:end_offset])
        members = layout.cstat.members["gen"].structure.members

        for name in ("structlen", "parentseq", "nprocs", "namelen"):
            for value in (-(1 << 31), -1, 0, 1, 7, 0x7FFFFFFF):
                # The second cgroup, as the first one is the root.
                (structlen,) = struct.unpack_from("<i", chain)
                damaged_chain = bytearray(chain)
                struct.pack_into(
                    "<i", damaged_chain, structlen + members[name].offset, value
                )
                compressed = blocks.zlib.compress(bytes(damaged_chain))
                damaged_data = data[:offset] + compressed + data[end_offset:]
                damaged_data = self._SetMember(
                    damaged_data, parts[0], "ccomplen", len(compressed)
                )
                log, values = ReadLog(damaged_data)
                with self.subTest(name=name, value=value):
                    self.assertEqual(len(values), len(parts))
                    self.assertEqual(values[0][:3], parts[0].values[:3])
                    self.assertEqual(values[1:], [part.values for part in parts[1:]])
                    if log.damages:
                        self.assertEqual(values[0][3], [])

    def testPlausibleGarbage(self):
        """Tests that garbage of nothing but records takes linear time."""
        data, parts = self._ReadParts("atop-2.12.1")
        record = data[parts[0].offset : parts[0].blocks[0][0]] + b"\x78\x9c"
        inflated_sizes = []
        for count in (1000, 4000):
            damaged_data = (
                data[: parts[0].offset] + record * count + data[parts[0].offset :]
            )
            with CountInflatedBytes() as counter:
                _, values = ReadLog(damaged_data)
            self.assertEqual(values, [part.values for part in parts])
            inflated_sizes.append(counter["inflated"])

        # What is inflated does not grow with the square of the garbage.
        self.assertLessEqual(inflated_sizes[1], 4 * inflated_sizes[0])

    def testSharedStream(self):
        """Tests that records which share an almost valid block do not take forever."""
        data, parts = self._ReadParts("atop-2.12.1")
        layout = layouts.GetFileLayout("2.12", layouts.ABIS[0])
        number_of_tasks = 1000
        stream = blocks.zlib.compress(bytes(number_of_tasks * layout.tstat.size + 1))

        # Each record promises a process list that is one byte smaller than the stream
        # that all of them point to.
        record = bytearray(data[parts[0].offset : parts[0].blocks[0][0]])
        members = layout.rawrecord.members
        count = 20000
        garbage = bytearray()
        record_size = len(record) + 2
        for index in range(count):
            scomplen = (count - index) * record_size - len(record)
            for name, value in (
                ("scomplen", scomplen),
                ("pcomplen", len(stream)),
                ("ndeviat", number_of_tasks),
                ("ccomplen", 0),
                ("icomplen", 0),
            ):
                struct.pack_into("<I", record, members[name].offset, value)
            garbage += record + b"\x78\x9c"

        damaged_data = data[: parts[0].offset] + bytes(garbage) + stream
        log = rawlog.RawLog(io.BytesIO(damaged_data))
        self.assertEqual(list(log.samples()), [])
        self.assertEqual(log.number_of_damages, 1)
        self.assertEqual(log.damages[0].reason, rawlog.DAMAGE_UNSEARCHED)


if __name__ == "__main__":
    unittest.main()
