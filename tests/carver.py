#!/usr/bin/env python3
"""Tests for the finding of samples anywhere."""

import io
import itertools
import random
import struct
import unittest
import zlib

from plaso_atop import carver
from plaso_atop import layouts
from plaso_atop import rawlog

import log_builder
from tests.lib import garbage
from tests.lib import test_lib

_BLOCK_SIZE = 4096
_T0 = log_builder.T0


class CarverTest(test_lib.BaseTestCase):
    """Tests for the finding of samples anywhere."""

    def setUp(self):
        """Makes random numbers, always the same."""
        super().setUp()
        self._random = random.Random(14)

    def _BuildLog(
        self,
        number_of_samples=40,
        version="2.12",
        abi=layouts.ABIS[0],
        curtime=_T0,
        first_pid=1,
        boot_time=_T0 - 100000,
        **header,
    ):
        """Builds a log.

        Args:
          number_of_samples (Optional[int]): number of samples.
          version (Optional[str]): version, one of layouts.VERSIONS.
          abi (Optional[layouts.ABI]): machine type.
          curtime (Optional[int]): time of the first sample.
          first_pid (Optional[int]): lowest identifier of a process.
          boot_time (Optional[int]): time of the start of the system.
          header (dict[str, object]): values of members of the header.

        Returns:
          bytes: log.
        """
        builder = log_builder.LogBuilder(version, abi, **header)
        is_process = {"gen.isproc": 1} if version not in ("1.23", "1.26") else {}
        for index in range(number_of_samples):
            tasks = [
                {
                    "gen.pid": pid,
                    "gen.btime": boot_time + pid,
                    "gen.state": b"S",
                    "gen.name": b"%d" % self._random.getrandbits(32),
                    "gen.cmdline": b"%x" % self._random.getrandbits(256),
                    **is_process,
                }
                for pid in range(first_pid, first_pid + 10)
            ]
            builder.AddSample(
                curtime + 600 * index,
                interval=600 if index else curtime - boot_time,
                flags=0 if index else log_builder.FLAG_BOOT,
                tasks=tasks,
            )
        return builder.Build()

    def _Find(self, *data, digests=()):
        """Finds logs.

        Args:
          data (list[bytes|file]): contents of the streams, or files.
          digests (Optional[set[int]]): digests of samples to leave out.

        Returns:
          list[tuple[Log, bytes]]: logs and their contents.
        """
        finder = carver.Carver()
        finder.digests.update(digests)
        pieces = []
        for number, contents in enumerate(data):
            if isinstance(contents, bytes):
                contents = io.BytesIO(contents)
            stream = carver.Stream(f"{number:d}", contents)
            pieces.extend(filter(None, finder.Find(stream)))
            self.assertTrue(stream.is_searched)

        self._digests = finder.digests  # pylint: disable=attribute-defined-outside-init
        return [
            (log, b"".join(b"".join(part.data) for part in log.GetParts()))
            for log in carver.GetLogs(pieces)
        ]

    def _GetRandom(self, size):
        """Makes random bytes.

        Args:
          size (int): size in bytes.

        Returns:
          bytes: data.
        """
        return self._random.randbytes(size)

    def _GetSamples(self, data):
        """Retrieves the samples of a log that is whole.

        Args:
          data (bytes): log.

        Returns:
          list[tuple[int, int]]: offsets of starts and ends in bytes.
        """
        log = rawlog.RawLog(io.BytesIO(data))
        samples = [(sample.offset, sample.end_offset) for sample in log.samples()]
        self.assertEqual(
            [damage for damage in log.damages if damage.reason != rawlog.DAMAGE_HEADER],
            [],
        )
        return samples

    def _CutBlocks(self, data, block_size=_BLOCK_SIZE):
        """Cuts data in blocks as a file system does.

        Args:
          data (bytes): data.
          block_size (Optional[int]): size in bytes.

        Returns:
          list[bytes]: blocks.
        """
        return [
            data[offset : offset + block_size].ljust(block_size, b"\x00")
            for offset in range(0, len(data), block_size)
        ]

    def testVersions(self):
        """Tests all versions and machine types, with and without header."""
        for version, abi in itertools.product(layouts.VERSIONS, layouts.ABIS):
            with self.subTest(version=version, abi=abi.name):
                data = self._BuildLog(3, version, abi)
                header_size = layouts.GetFileLayout(version, abi).rawheader.size
                before, behind = self._GetRandom(777), self._GetRandom(5000)

                ((log, contents),) = self._Find(before + data + behind)
                self.assertTrue(contents == data)
                self.assertEqual(log.header.offset, 777)
                self.assertEqual(log.header.hostname, b"host")
                self.assertEqual(log.header.version, version.partition("-")[0])

                ((log, contents),) = self._Find(before + data[header_size:] + behind)
                self.assertIsNone(log.header)
                self.assertTrue(contents[header_size:] == data[header_size:])

                log = rawlog.RawLog(io.BytesIO(contents))
                self.assertEqual(log.layout.abi.byte_order, abi.byte_order)
                for name in ("rawrecord", "tstat", "sstat"):
                    self.assertEqual(
                        getattr(log.layout, name).size,
                        getattr(layouts.GetFileLayout(version, abi), name).size,
                    )
                self.assertEqual(
                    [sample.number_of_tasks for sample in log.samples()], [10] * 3
                )
                # What only the header says is not known.
                self.assertEqual(
                    (log.hertz, log.hostname, log.page_size, log.version, log.machine),
                    (None, b"", None, None, b""),
                )
                self.assertEqual(
                    log.damages,
                    [rawlog.Damage(0, header_size, rawlog.DAMAGE_HEADER)],
                )

    def testRealLogs(self):
        """Tests the logs of the test data, all in one place."""
        logs = [self._ReadTestFile([f"{log.name:s}.raw"]) for log in test_lib.LOGS]
        data = b"".join(log + self._GetRandom(1000) for log in logs)
        found = self._Find(data)
        self.assertEqual(sorted(contents for _, contents in found), sorted(logs))

        # Where they were found.
        for log, _ in found:
            for part in log.GetParts():
                self.assertTrue(
                    data[part.offset : part.offset + part.size] == b"".join(part.data)
                )

    def testFragments(self):
        """Tests blocks of two hosts that are anywhere."""
        logs = [
            self._BuildLog(utsname={"nodename": b"shop"}),
            self._BuildLog(
                curtime=_T0 + 7,
                first_pid=5000,
                boot_time=_T0 - 50000,
                utsname={"nodename": b"mail"},
            ),
        ]
        blocks = [
            (log, number, block)
            for log in logs
            for number, block in enumerate(self._CutBlocks(log))
        ]
        self._random.shuffle(blocks)
        found = self._Find(b"".join(block for *_, block in blocks))

        # What lies in one piece, for blocks that follow each other by chance as well.
        places = {
            (id(log), number): index for index, (log, number, _) in enumerate(blocks)
        }
        self.assertEqual(len(found), 2)
        for log, (_, contents) in zip(logs, found):
            expected = [log[:480]]
            for offset, end_offset in self._GetSamples(log):
                first, last = offset // _BLOCK_SIZE, (end_offset - 1) // _BLOCK_SIZE
                if all(
                    places[id(log), number] + 1 == places[id(log), number + 1]
                    for number in range(first, last)
                ):
                    expected.append(log[offset:end_offset])
            self.assertGreater(len(expected), 10)
            self.assertLess(len(expected), 41)
            self.assertTrue(contents == b"".join(expected))

    def testDays(self):
        """Tests fragments of three days of two hosts. Some are overwritten."""
        logs = {}
        for hostname, first_pid, boot_time in (
            (b"shop", 1, _T0 - 5000000),
            (b"mail", 5000, _T0 - 300000),
        ):
            for day in range(3):
                logs[hostname, day] = self._BuildLog(
                    *(144, "2.4", layouts.ABIS[0], _T0 + 86400 * day),
                    *(first_pid, boot_time),
                    utsname={"nodename": hostname},
                )

        blocks = [
            block if self._random.random() < 0.85 else self._GetRandom(len(block))
            for data in logs.values()
            for block in self._CutBlocks(data, 4 * _BLOCK_SIZE)
        ]
        self._random.shuffle(blocks)
        medium = b"".join(blocks)
        expected = {}
        for key, data in logs.items():
            for offset, end_offset in self._GetSamples(data):
                if data[offset:end_offset] in medium:
                    expected[data[offset:end_offset]] = key
        self.assertGreater(len(expected), 400)

        number_of_samples = 0
        for log, _ in self._Find(medium):
            _, *samples = log.GetParts()
            number_of_samples += len(samples)
            curtimes = [sample.curtime for sample in samples]
            self.assertEqual(curtimes, sorted(curtimes))
            # All of one host and day, each once.
            (key,) = {expected.pop(b"".join(sample.data)) for sample in samples}
            if log.header:
                self.assertEqual(log.header.hostname, key[0])
        self.assertEqual(expected, {})
        self.assertLess(number_of_samples, 864)

    def testOverwritten(self):
        """Tests a log with overwritten parts, its header among them."""
        data = self._BuildLog()
        samples = self._GetSamples(data)

        for first, last in ((0, 0), (0, 3), (5, 5), (5, 9), (39, 39)):
            with self.subTest(first=first, last=last):
                start = samples[first][0] + 10 if first else 100
                end = samples[last][1] - 10
                overwritten = data[:start] + self._GetRandom(end - start) + data[end:]
                ((log, contents),) = self._Find(overwritten)
                self.assertEqual(log.header is None, not first)
                expected = [
                    data[offset:end_offset]
                    for offset, end_offset in samples[:first] + samples[last + 1 :]
                ]
                self.assertTrue(contents[480:] == b"".join(expected))

    def testHeaderOnly(self):
        """Tests a header that is followed by a record alone."""
        data = self._BuildLog()
        (offset, end_offset), *_ = self._GetSamples(data)
        start = offset + 200
        overwritten = data[:start] + bytes(end_offset - start) + data[end_offset:]
        ((log, contents),) = self._Find(overwritten)
        self.assertEqual(log.header.offset, 0)
        self.assertTrue(contents == data[:480] + data[end_offset:])

        # A header without samples is no log.
        self.assertEqual(self._Find(data[:start]), [])

    def testOverwrittenStart(self):
        """Tests that what follows an overwritten start belongs to no other log."""
        logs = [self._BuildLog(), self._BuildLog(curtime=_T0 + 40 * 600)]
        samples = self._GetSamples(logs[1])
        first = b"".join(self._CutBlocks(logs[0]))

        # The header alone: the first sample stands where that of a file does.
        found = self._Find(first + bytes(480) + logs[1][480:])
        self.assertEqual([log.number_of_samples for log, _ in found], [40, 40])
        self.assertIsNone(found[1][0].header)

        # A restart in the middle of a log has the same sample elsewhere.
        found = self._Find(first + bytes(481) + logs[1][480:])
        self.assertEqual([log.number_of_samples for log, _ in found], [80])
        self.assertTrue(found[0][1].endswith(logs[1][480:]))

        # Header and first sample, a day after the start of the other log.
        logs.append(self._BuildLog(curtime=_T0 + 86400))
        offset = self._GetSamples(logs[2])[0][1]
        found = self._Find(first + bytes(offset) + logs[2][offset:])
        self.assertEqual([log.number_of_samples for log, _ in found], [40, 39])
        self.assertEqual(len(samples), 40)

    def testOtherHost(self):
        """Tests that what follows in time is of no other host."""
        first = self._BuildLog(utsname={"nodename": b"shop"})
        # The same layout, the same time, another system.
        other = self._BuildLog(
            curtime=_T0 + 39 * 600, first_pid=300, boot_time=_T0 - 777
        )
        offset = self._GetSamples(other)[0][1]
        found = self._Find(first + self._GetRandom(100) + other[offset:])
        self.assertEqual([log.number_of_samples for log, _ in found], [40, 39])

        # And the same system.
        other = self._BuildLog(curtime=_T0 + 39 * 600)
        offset = self._GetSamples(other)[0][1]
        ((log, contents),) = self._Find(first + self._GetRandom(100) + other[offset:])
        self.assertEqual(log.number_of_samples, 79)
        self.assertTrue(contents == first + other[offset:])

    def testTwice(self):
        """Tests that a sample is found once, also in a volume that is on the medium."""
        data = self._BuildLog()
        ((log, contents),) = self._Find(data + self._GetRandom(1000) + data)
        self.assertTrue(contents == data)
        self.assertEqual({part.stream.name for part in log.GetParts()}, {"0"})

        # The end of the volume stands before its start on the medium.
        middle = len(data) // 2
        medium = data[middle:] + self._GetRandom(1000) + data[:middle]
        ((log, contents),) = self._Find(medium, data)
        self.assertTrue(contents == data)
        names = [part.stream.name for part in log.GetParts()]
        self.assertEqual(names.count("1"), 1)
        self.assertEqual(len(names), 41)

    def testAllocated(self):
        """Tests that samples that were seen before are left out."""
        data = self._BuildLog()
        samples = self._GetSamples(data)
        kept = data[: samples[10][0]] + data[samples[20][0] :]
        self.assertEqual(len(self._Find(kept)), 1)
        ((log, contents),) = self._Find(data, digests=self._digests)
        self.assertEqual(log.number_of_samples, 10)
        self.assertTrue(contents == data[:480] + data[samples[10][0] : samples[20][0]])
        self.assertEqual(self._Find(data, digests=self._digests), [])

    def testUnreadable(self):
        """Tests a file with a part that cannot be read."""
        data = self._BuildLog(400)
        samples = self._GetSamples(data)
        start, end = 20 * _BLOCK_SIZE, 22 * _BLOCK_SIZE
        log_file = test_lib.UnreadableFile(data, (start, end - start))
        ((log, contents),) = self._Find(log_file)
        expected = [
            data[offset:end_offset]
            for offset, end_offset in samples
            if end_offset <= start or offset >= end
        ]
        self.assertLess(len(expected), 400)
        self.assertTrue(contents == data[:480] + b"".join(expected))
        self.assertEqual(
            log.pieces[0].stream.file.GetUnreadable(), [(start, end - start)]
        )

    def testDamaged(self):
        """Tests that a sample with one wrong byte is none."""
        data = self._BuildLog(1)
        ((offset, end_offset),) = self._GetSamples(data)
        record_size = layouts.GetFileLayout("2.12", layouts.ABIS[0]).rawrecord.size
        self.assertEqual(len(self._Find(data[offset:end_offset])), 1)
        for position in range(offset + record_size, end_offset):
            damaged = bytearray(data)
            damaged[position] ^= 0xFF
            self.assertEqual(self._Find(bytes(damaged)), [], position)
        for size in range(offset, end_offset, 7):
            self.assertEqual(self._Find(data[offset:size]), [], size)

    def testCutRecord(self):
        """Tests samples whose time was lost with the block in front of them."""
        data = self._BuildLog(5)
        _, (offset, end_offset), *_ = self._GetSamples(data)
        for size in range(17):
            with self.subTest(size=size):
                # The rest of its record stands at the start of a block.
                start = data[offset : offset + size]
                sample, behind = data[offset + size : end_offset], data[end_offset:]
                # The block in front is another one, and ends with another time.
                other = bytes(byte ^ 0x55 for byte in start[:1]) + start[1:]
                blocks = [
                    block.rjust(_BLOCK_SIZE, b"\xff") + sample
                    for block in (other, start, data[: offset + size])
                ]
                numbers = [
                    [log.number_of_samples for log, _ in self._Find(contents)]
                    for block in blocks
                    for contents in (block, block + behind)
                ]
                # What is in front or behind has to confirm the time, unless all of it
                # is at the start of a block.
                expected = [[], [3], [], [4], [2], [5]]
                if not size:
                    expected[:4] = [[1], [4], [1], [4]]
                self.assertEqual(numbers, expected)

                # Most sectors are not the last of a block.
                contents = start.rjust(_BLOCK_SIZE + 512, b"\xff") + sample
                (log, _), *others = self._Find(contents)
                self.assertEqual((log.number_of_samples, others), (1, []))

    def testPages(self):
        """Tests pages of real logs among others, as memory has them."""
        logs = [self._ReadTestFile([f"{log.name:s}.raw"]) for log in test_lib.LOGS]
        runs = [[self._GetRandom(_BLOCK_SIZE)] for _ in range(200)]
        for log in logs:
            pages = self._CutBlocks(log)
            runs.extend([page] for page in self._CutBlocks(zlib.compress(log)))
            while pages:
                size = self._random.choice((1, 1, 2, 3, 8))
                runs.append(pages[:size])
                pages = pages[size:]
        self._random.shuffle(runs)
        data = b"".join(itertools.chain(*runs))

        samples = [
            log[offset:end_offset]
            for log in logs
            for offset, end_offset in self._GetSamples(log)
        ]
        expected = {sample for sample in samples if sample in data}
        self.assertGreater(len(expected), 100)
        self.assertLess(len(expected), len(samples))

        found = {
            b"".join(part.data)
            for log, _ in self._Find(data)
            for part in log.GetParts()
            if part.curtime
        }
        self.assertLessEqual(found, expected)
        # Those whose time may be of another page.
        for sample in expected - found:
            self.assertGreaterEqual(data.index(sample) % _BLOCK_SIZE, 4080)
        self.assertLess(len(expected - found), 5)

    def testNothing(self):
        """Tests what holds no samples."""

        def _GetChunk(name, contents):
            """Makes a chunk of a PNG."""
            checksum = zlib.crc32(name + contents)
            return (
                struct.pack(">I", len(contents))
                + name
                + contents
                + struct.pack(">I", checksum)
            )

        streams = []
        pictures = []
        for level in range(10):
            for _ in range(100):
                contents = zlib.compress(
                    self._GetRandom(300) + bytes(self._random.randrange(3000)), level
                )
                streams.append(contents)
                pictures.append(
                    b"\x89PNG\r\n\x1a\n"
                    + _GetChunk(b"IHDR", struct.pack(">2I5B", 32, 32, 8, 2, 0, 0, 0))
                    + _GetChunk(b"IDAT", contents)
                    + _GetChunk(b"IEND", b"")
                )

        for name, data in {
            "zeros": bytes(8 << 20),
            "ones": b"\xff" * (1 << 20),
            "signatures": rawlog.MAGIC_LITTLE_ENDIAN * 10000,
            "random": self._GetRandom(8 << 20),
            "streams": b"".join(streams),
            "streams in blocks": b"".join(
                stream.ljust(-(-len(stream) // 512) * 512, b"\x00")
                for stream in streams
            ),
            "pictures": b"".join(pictures),
            "pictures in blocks": b"".join(
                picture.ljust(-(-len(picture) // 512) * 512, b"\x00")
                for picture in pictures
            ),
            "empty": b"",
            "byte": b"x",
        }.items():
            with self.subTest(name=name):
                self.assertEqual(self._Find(data), [])

    def testGarbage(self):
        """Tests that samples are found behind what was made to cost time."""
        data = self._BuildLog(3)
        for name in ("records", "process lists that share a stream"):
            with self.subTest(name=name):
                made = garbage.KINDS[name](1 << 18, data)
                ((_, contents),) = self._Find(made + data)
                self.assertTrue(contents == data)

        # Where it costs too much, that is said.
        made = garbage.KINDS["process lists that share a stream"](1 << 18, data)
        finder = carver.Carver()
        setattr(finder, "_BUDGET", (1, 0))
        stream = carver.Stream(None, io.BytesIO(made))
        for _ in finder.Find(stream):
            pass
        self.assertFalse(stream.is_searched)
        self.assertEqual(stream.position, len(made))


if __name__ == "__main__":
    unittest.main()
