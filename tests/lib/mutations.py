"""Mutations of atop raw logs, for tests with logs that nobody could have thought of."""

import glob
import io
import os
import struct

from plaso_atop import blocks
from plaso_atop import rawlog

from tests.lib import garbage
from tests.lib import test_lib

# Values that lengths, counts and times are set to.
INTERESTING_VALUES = (
    0,
    1,
    2,
    7,
    8,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    1 << 40,
    (1 << 62) - 1,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
)

# Only the first samples are used, which keeps one run in the milliseconds.
NUMBER_OF_SAMPLES = 4


class Original:
    """Log in the test data that is mutated.

    Attributes:
      data (bytes): contents of the log.
      header_size (int): size of the header.
      layout (FileLayout): layout.
      samples (list[bytes]): samples.
      spans (list[list[tuple[int, int]]]): offsets of the start and end of the blocks of
          each sample.
    """

    def __init__(self, name):
        """Reads a log.

        Args:
          name (str): name of the log.
        """
        super().__init__()
        with open(test_lib.GetTestFilePath([f"{name:s}.raw"]), "rb") as file_object:
            data = file_object.read()

        log = rawlog.RawLog(io.BytesIO(data))
        self.header_size = log.layout.rawheader.size
        self.layout = log.layout
        self.samples = []
        self.spans = []
        for sample in log.samples():
            if len(self.samples) == NUMBER_OF_SAMPLES:
                break
            self.samples.append(data[sample.offset : sample.end_offset])
            self.spans.append(
                [(block.offset, block.end_offset) for block in sample.GetBlocks()]
            )

        self.data = data[: self.header_size] + b"".join(self.samples)


def ReadOriginals():
    """Reads the logs in the test data, those that atopconvert wrote included.

    Returns:
      list[Original]: logs.
    """
    names = [log.name for log in test_lib.LOGS]
    for path in sorted(glob.glob(test_lib.GetTestFilePath(["atop-*-to-*.raw"]))):
        name, _ = os.path.splitext(os.path.basename(path))
        names.append(name)
    return [Original(name) for name in names]


class Mutator:
    """Mutates logs.

    Attributes:
      is_header_intact (bool): True if the header of the last log was not mutated.
    """

    def __init__(self, originals, random_source):
        """Initializes a mutator.

        Args:
          originals (list[Original]): logs.
          random_source (random.Random): source of randomness.
        """
        super().__init__()
        self._originals = originals
        self._random = random_source
        self.is_header_intact = True

    def _DeleteBytes(self, data, unused_original):
        """Deletes bytes."""
        offset, size = self._GetRange(data)
        del data[offset : offset + size]

    def _DuplicateBytes(self, data, unused_original):
        """Inserts a copy of bytes somewhere else."""
        offset, size = self._GetRange(data)
        target = self._random.randrange(len(data) + 1)
        data[target:target] = data[offset : offset + size]

    def _FlipBits(self, data, unused_original):
        """Flips single bits."""
        for _ in range(self._random.choice((1, 1, 2, 8, 64))):
            data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)

    def _ForgeCgroups(self, data, original):
        """Appends a sample with many control groups."""
        index = self._random.randrange(len(original.samples))
        cstat = original.layout.cstat
        if not cstat or len(original.spans[index]) < 4:
            return

        byte_order = original.layout.abi.byte_order
        members = {name: (offset, m) for name, offset, m in cstat.Flatten()}
        size = -(-(cstat.size + 8) // 8) * 8
        group = bytearray(size)
        for name, value in (("structlen", size), ("namelen", 4), ("nprocs", 2)):
            offset, member = members[f"gen.{name:s}"]
            struct.pack_into(f"{byte_order:s}{member.format:s}", group, offset, value)

        number = self._random.choice((10, 10, 100, 100, 100, 7000))
        chain = bytearray()
        for sequence in range(number):
            offset, member = members["gen.parentseq"]
            parent = sequence - 1 if self._random.randrange(9) else 0
            struct.pack_into(
                f"{byte_order:s}{member.format:s}",
                group,
                offset,
                self._random.choice((0, 0, 0, parent)) if sequence else -1,
            )
            group[cstat.size : cstat.size + 4] = b"%04d" % (sequence % 10000)
            chain += group
        pids = struct.pack(f"{byte_order:s}{2 * number:d}i", *range(2 * number))

        self._ForgeSample(
            data,
            original,
            index,
            {2: chain, 3: pids},
            {"coriglen": len(chain), "ncgpids": 2 * number, "ncgroups": number % 65536},
        )

    def _ForgeSample(self, data, original, index, forged_blocks, record):
        """Appends a sample.

        Args:
          data (bytearray): contents of a log.
          original (Original): log that it is made of.
          index (int): index of the sample whose other blocks it has.
          forged_blocks (dict[int, bytes]): inflated blocks per index.
          record (dict[str, int]): values of members of the record.
        """
        compressed = [original.data[start:end] for start, end in original.spans[index]]
        names = ("scomplen", "pcomplen", "ccomplen", "icomplen")
        for block_index, block in forged_blocks.items():
            compressed[block_index] = blocks.zlib.compress(bytes(block), 1)

        offset = len(data)
        data += original.samples[index][: original.layout.rawrecord.size]
        data += b"".join(compressed)
        for name, block in zip(names, compressed):
            record[name] = len(block)
        for name, value in record.items():
            if name in original.layout.rawrecord.members:
                self._SetMember(data, original, offset, name, value)

    def _ForgeTasks(self, data, original):
        """Appends samples with many entries: exits, changing titles, or the same."""
        layout = original.layout.tstat
        byte_order = original.layout.abi.byte_order
        members = {name: (offset, m) for name, offset, m in layout.Flatten()}
        index = self._random.randrange(len(original.samples))
        start, end = original.spans[index][1]
        inflated = blocks.zlib.decompress(original.data[start:end])
        entry_offset = self._random.randrange(len(inflated) // layout.size)
        entry_offset *= layout.size
        entry = bytearray(inflated[entry_offset : entry_offset + layout.size])

        number = self._random.choice((10, 10, 100, 100, 100, 2000))
        is_exit = self._random.randrange(2)
        is_same = not self._random.randrange(3)
        cmdline_offset, cmdline = members["gen.cmdline"]
        for _ in range(self._random.choice((1, 2, 4))):
            entries = bytearray()
            if is_exit:
                entry[members["gen.state"][0]] = ord("E")
            title = self._random.randbytes(4).hex().encode("ascii")
            for pid in range(1, number + 1):
                for name in ("gen.pid", "gen.tgid"):
                    if name in members and not is_same:
                        offset, _ = members[name]
                        struct.pack_into(f"{byte_order:s}i", entry, offset, pid)
                if not is_exit:
                    text = (b"%d %s" % (pid, title)).ljust(cmdline.count, b"x")
                    entry[cmdline_offset : cmdline_offset + cmdline.count] = text
                entries += entry

            number_of_exits = number if is_exit else 0
            self._ForgeSample(
                data,
                original,
                index,
                {1: entries},
                {
                    "ndeviat": number,
                    "nexit": number_of_exits,
                    "nlist": number,
                    "ntask": number * self._random.choice((1, 1, 2)),
                },
            )

    def _GetRange(self, data):
        """Chooses a range of bytes.

        Args:
          data (bytearray): contents of a log.

        Returns:
          tuple[int, int]: offset and size.
        """
        size = self._random.choice((1, 4, 16, 100, 512, 4096))
        offset = self._random.randrange(len(data))
        if self._random.randrange(2):
            offset -= offset % 512
        return offset, min(size, len(data) - offset)

    def _InsertGarbage(self, data, original):
        """Inserts garbage."""
        offset = self._random.randrange(len(data) + 1)
        record = original.samples[0][: original.layout.rawrecord.size]
        made = self._random.choice(list(garbage.KINDS.values()))
        inserted = self._random.choice(
            (
                made(self._random.choice((2000, 20000)), b"".join(original.samples)),
                bytes(4096),
                self._random.randbytes(1000),
                (record + b"\x78\x9c") * 20,
                b"\x78\x9c" * 200,
                original.data[: original.header_size],
            )
        )
        data[offset:offset] = inserted

    def _OverwriteBytes(self, data, unused_original):
        """Overwrites bytes."""
        offset, size = self._GetRange(data)
        data[offset : offset + size] = self._random.choice(
            (bytes(size), b"\xff" * size, self._random.randbytes(size))
        )

    def _ReplaceBlock(self, data, original):
        """Replaces a block by one that inflates to something else."""
        index = self._random.randrange(len(original.samples))
        block_index = self._random.randrange(len(original.spans[index]))
        start, end = original.spans[index][block_index]
        inflated = bytearray(blocks.zlib.decompress(original.data[start:end]))

        for _ in range(self._random.choice((1, 10, 100))):
            if not inflated:
                break
            size = self._random.choice((1, 2, 4, 8))
            value = self._random.choice(INTERESTING_VALUES) & ((1 << (8 * size)) - 1)
            # Members stand at multiples of 4 bytes or more.
            offset = self._random.randrange(len(inflated)) & ~3
            inflated[offset : offset + size] = value.to_bytes(
                size, self._random.choice(("big", "little"))
            )
        if not self._random.randrange(4):
            del inflated[self._random.randrange(len(inflated) + 1) :]
        if not self._random.randrange(8):
            inflated += bytes(self._random.choice((1, 1000, 10000000)))

        compressed = blocks.zlib.compress(bytes(inflated))
        position = data.find(original.data[start:end])
        if position < 0:
            return
        data[position : position + end - start] = compressed

        # Most of these keep the length true, or nothing behind it would be reached.
        member_names = ("scomplen", "pcomplen", "ccomplen", "icomplen")
        name = member_names[block_index]
        record_offset = data.find(
            original.samples[index][: original.layout.rawrecord.size]
        )
        if record_offset >= 0 and self._random.randrange(4):
            self._SetMember(data, original, record_offset, name, len(compressed))

    def _SetHeaderMember(self, data, original):
        """Sets a member of the header."""
        self.is_header_intact = False
        offset = self._random.randrange(4, original.header_size)
        size = self._random.choice((1, 2, 4))
        value = self._random.choice(INTERESTING_VALUES) & ((1 << (8 * size)) - 1)
        data[offset : offset + size] = value.to_bytes(size, "little")

    def _SetMember(self, data, original, record_offset, name, value):
        """Sets a member of a record."""
        member = original.layout.rawrecord.members[name]
        size = member.size
        packed = (value & ((1 << (8 * size)) - 1)).to_bytes(
            size, "little" if original.layout.abi.byte_order == "<" else "big"
        )
        offset = record_offset + member.offset
        data[offset : offset + size] = packed

    def _SetRecordMember(self, data, original):
        """Sets a member of a record."""
        record = self._random.choice(original.samples)[: original.layout.rawrecord.size]
        offset = data.find(record)
        if offset >= 0:
            name = self._random.choice(list(original.layout.rawrecord.members))
            member = original.layout.rawrecord.members[name]
            value = self._random.choice(INTERESTING_VALUES)
            if not self._random.randrange(3) and member.format in "IHqi":
                (value,) = struct.unpack_from(
                    f"{original.layout.abi.byte_order:s}{member.format:s}",
                    data,
                    offset + member.offset,
                )
                value += self._random.choice((-1, 1, 100, -100))
            self._SetMember(data, original, offset, name, value)

    def _SwapSamples(self, data, original):
        """Puts the samples in another order, some more than once."""
        samples = [
            self._random.choice(original.samples)
            for _ in range(self._random.randrange(1, NUMBER_OF_SAMPLES + 2))
        ]
        if not self._random.randrange(3):
            other = self._random.choice(self._originals)
            samples.insert(
                self._random.randrange(len(samples)), self._random.choice(other.samples)
            )
        data[original.header_size :] = b"".join(samples)

    def _Truncate(self, data, unused_original):
        """Cuts the log."""
        del data[self._random.randrange(1, len(data)) :]

    def Mutate(self):
        """Mutates a log.

        Returns:
          tuple[bytes, Original]: contents of the log and what it was made of.
        """
        original = self._random.choice(self._originals)
        data = bytearray(original.data)
        self.is_header_intact = True

        for _ in range(self._random.choice((1, 1, 1, 2, 3, 5))):
            function = self._random.choice(
                (
                    self._DeleteBytes,
                    self._DuplicateBytes,
                    self._FlipBits,
                    self._ForgeCgroups,
                    self._ForgeTasks,
                    self._InsertGarbage,
                    self._OverwriteBytes,
                    self._ReplaceBlock,
                    self._ReplaceBlock,
                    self._SetHeaderMember,
                    self._SetRecordMember,
                    self._SetRecordMember,
                    self._SwapSamples,
                    self._Truncate,
                )
            )
            function(data, original)
            if not data:
                data = bytearray(original.data[:4])

        header = original.data[: original.header_size]
        self.is_header_intact = bytes(data[: original.header_size]) == header
        return bytes(data), original


def FindSamples(data, original):
    """Finds the samples of a log that a mutated one holds whole.

    Args:
      data (bytes): contents of the mutated log.
      original (Original): log.

    Returns:
      list[bytes]: samples in the order in which the log holds them.
    """
    found = []
    for sample in set(original.samples):
        offset = data.find(sample, original.header_size)
        while offset >= 0:
            found.append((offset, sample))
            offset = data.find(sample, offset + len(sample))
    return [sample for _, sample in sorted(found)]
