"""Finding of samples anywhere: in an image, in unallocated blocks, in memory.

A sample is a record that is followed by zlib streams. What is taken for one has streams
of exactly the sizes of a known layout, with the right checksums. A header is not needed
for that. Samples that follow each other are a piece, and pieces become logs: by the
header in front of them, or by layout, time and processes.

What is searched is never changed. Knows nothing of Plaso, nor of file systems.
"""

import collections
import functools
import hashlib
import io
import itertools
import re
import struct

from plaso_atop import blocks
from plaso_atop import layouts
from plaso_atop import rawlog
from plaso_atop import search

_Record = collections.namedtuple("_Record", ["byte_order", "size", "distance"])
_Record.__doc__ = """Kind of record.

Attributes:
  byte_order (str): "<" or ">".
  size (int): size in bytes.
  distance (int): distance in bytes from the size of the system block in the record, its
      scomplen, to the end of the record.
"""

Header = collections.namedtuple("Header", ["offset", "data", "hostname", "version"])
Header.__doc__ = """Header of a log that was found.

Attributes:
  offset (int): offset in bytes.
  data (bytes): header.
  hostname (bytes): name of the host.
  version (str): version of atop, None if the header is damaged there.
"""

Part = collections.namedtuple("Part", ["stream", "offset", "size", "curtime", "data"])
Part.__doc__ = """Part of a log: its header, or a sample.

Attributes:
  stream (Stream): where it was found, None if it was made.
  offset (int): offset in the stream in bytes, None if it was made.
  size (int): size in bytes.
  curtime (int): time of the sample in seconds since the Epoch, None for the header.
  data (Iterable[bytes]): contents, in pieces.
"""


# Logs whose processes are compared with those of a piece.
_MAXIMUM_CANDIDATES = 16

# Files start at a sector, and blocks of file systems consist of these. Most blocks have
# the size of a page of memory.
_PAGE_SIZE = 4096
_SECTOR_SIZE = 512


@functools.lru_cache(maxsize=None)
def _GetFamilies():
    """Retrieves the layouts, grouped where samples do not distinguish them.

    Returns:
      dict[tuple[_Record, int], list[FileLayout]]: layouts, the oldest first, per record
          and size of the system block in bytes.
    """
    families = collections.defaultdict(list)
    for version, abi in itertools.product(layouts.VERSIONS, layouts.ABIS):
        layout = layouts.GetFileLayout(version, abi)
        families[_GetRecord(layout), layout.sstat.size].append(layout)
    return families


def _GetRecord(layout):
    """Retrieves the kind of record of a layout.

    Args:
      layout (layouts.FileLayout): layout.

    Returns:
      _Record: kind of record.
    """
    structure = layout.rawrecord
    distance = structure.size - structure.members["scomplen"].offset
    return _Record(layout.abi.byte_order, structure.size, distance)


class Stream:
    """What is searched: a medium, a volume or a file.

    Attributes:
      file (blocks.File): contents.
      is_searched (bool): False if something was left out, as too much of it looked like
          samples but was not.
      name (str): name.
      position (int): offset in bytes up to which it was searched so far.
    """

    def __init__(self, name, file_object):
        """Initializes a stream.

        Args:
          name (str): name.
          file_object (file): file-like object, of dfVFS or of Python.
        """
        super().__init__()
        self._readers = {}
        self.file = blocks.File(file_object)
        self.is_searched = True
        self.name = name
        self.position = 0

    def GetReader(self, layout):
        """Retrieves what reads samples of a layout.

        Args:
          layout (layouts.FileLayout): layout.

        Returns:
          rawlog.SampleReader: reader.
        """
        key = layout.version, layout.abi
        if key not in self._readers:
            self._readers[key] = rawlog.SampleReader(self.file, layout)
        return self._readers[key]


class Piece:
    """Samples that follow each other.

    Attributes:
      first_curtime (int): time of the first sample in seconds since the Epoch.
      flags (int): flags that any of the samples has.
      has_exits (bool): True if a sample has processes that exited.
      header (Header): header in front of the samples, or of those that are in front of
          them and were found elsewhere; None if there is none.
      is_boot (bool): True if the first sample is that of a run of atop.
      last_curtime (int): time of the last sample in seconds since the Epoch.
      last_offset (int): offset of the last sample in bytes.
      layout (layouts.FileLayout): layout, the oldest one of those that it can be.
      next_curtime (int): time of a damaged sample that follows the last one in seconds
          since the Epoch, that of the last one if there is none.
      number_of_samples (int): number of samples, 0 if only the header is left and the
          record of the first sample, whose time is that of the piece.
      previous_curtime (int): time of the sample before the first one in seconds since
          the Epoch, as far as its interval says.
      ranges (list[tuple[int, int]]): offsets of the starts and ends in bytes. What is
          between two of them are samples that were found elsewhere.
      stream (Stream): where they were found.
    """

    __slots__ = (
        *("first_curtime", "flags", "has_exits", "header", "is_boot", "last_curtime"),
        *("last_offset", "layout", "next_curtime", "number_of_samples"),
        *("previous_curtime", "ranges", "stream"),
    )

    def __init__(self, stream, layout, header, sample):
        """Initializes a piece.

        Args:
          stream (Stream): where it was found.
          layout (layouts.FileLayout): layout.
          header (Header): header or None.
          sample (rawlog.Sample): first sample.
        """
        self.first_curtime = sample.curtime
        self.flags = 0
        self.has_exits = False
        self.header = header
        self.is_boot = sample.is_boot
        self.last_curtime = self.next_curtime = sample.curtime
        self.last_offset = sample.offset
        self.layout = layout
        self.number_of_samples = 0
        self.previous_curtime = sample.curtime - sample.interval
        self.ranges = []
        self.stream = stream

    @property
    def has_start(self):
        """bool: True if it starts with a header."""
        if not self.header or not self.ranges:
            return self.header is not None
        return self.ranges[0][0] == self.header.offset + len(self.header.data)

    @property
    def is_at_start(self):
        """bool: True if the first sample is where that of a file is: a file starts with
        a sector, and with a header."""
        header_offset = self.ranges[0][0] - self.layout.rawheader.size
        return self.is_boot and header_offset % _SECTOR_SIZE == 0

    def AddSample(self, sample):
        """Adds a sample.

        Args:
          sample (rawlog.Sample): sample that follows the others.
        """
        if self.ranges and self.ranges[-1][1] == sample.offset:
            self.ranges[-1] = (self.ranges[-1][0], sample.end_offset)
        else:
            self.ranges.append((sample.offset, sample.end_offset))
        self.flags |= sample.flags
        self.has_exits |= sample.record.nexit > 0
        self.last_curtime = self.next_curtime = sample.curtime
        self.last_offset = sample.offset
        self.number_of_samples += 1

    def GetBirths(self, is_last=False):
        """Determines which processes lived at the time of the first or last sample.

        Args:
          is_last (Optional[bool]): True for the last sample.

        Returns:
          dict[int, int]: start times in seconds since the Epoch, per identifier.
        """
        offset = self.last_offset if is_last else self.ranges[0][0]
        sample = self.stream.GetReader(self.layout).GetSample(offset)
        tasks = itertools.islice(sample.processes(), 1 << 16)
        births = {
            task.pid: task.btime for task in tasks if task.state != rawlog.STATE_EXITED
        }
        sample.Release()
        return births

    def GetParts(self):
        """Retrieves the samples.

        Yields:
          Part: sample.
        """
        reader = self.stream.GetReader(self.layout)
        for offset, end_offset in self.ranges:
            while offset < end_offset:
                sample = reader.GetSample(offset)
                yield Part(
                    self.stream,
                    offset,
                    sample.end_offset - offset,
                    sample.curtime,
                    _Read(self.stream.file, offset, sample.end_offset),
                )
                offset = sample.end_offset


class Log:
    """Log made of pieces.

    Attributes:
      pieces (list[Piece]): pieces in the order of time.
    """

    # atop's own logs hold a day.
    _DAY = 86400

    def __init__(self, piece):
        """Initializes a log.

        Args:
          piece (Piece): first piece.
        """
        super().__init__()
        self.pieces = [piece]

    @property
    def header(self):
        """Header: header, None if it is lost."""
        return self.pieces[0].header

    @property
    def number_of_samples(self):
        """int: number of samples."""
        return sum(piece.number_of_samples for piece in self.pieces)

    def GetParts(self):
        """Retrieves what the log consists of.

        Yields:
          Part: header, and the samples.
        """
        piece = self.pieces[0]
        if self.header:
            data = self.header.data
            yield Part(piece.stream, self.header.offset, len(data), None, [data])
        else:
            data = self._MakeHeader()
            yield Part(None, None, len(data), None, [data])

        for piece in self.pieces:
            yield from piece.GetParts()

    def _MakeHeader(self):
        """Makes a header, without what only the lost one says.

        Those are: host, kernel, machine, version, ticks per second and page size, and
        before 2.2.6 what atop recorded, as far as the samples do not show it.

        Returns:
          bytes: header.
        """
        layout = self.pieces[0].layout
        structure = layout.rawheader

        # Since 2.2.6, which has the sizes of 2.2-3, flags of the records say it.
        support_flags = 0
        flags = rawlog.FLAG_ACCOUNTING | rawlog.FLAG_IOSTAT
        index = layouts.VERSIONS.index(layout.version)
        if index > layouts.VERSIONS.index("2.2-3") or any(
            piece.flags & flags for piece in self.pieces
        ):
            support_flags = rawlog.SUPPORT_IN_RECORD
        elif any(piece.has_exits for piece in self.pieces):
            support_flags = rawlog.SUPPORT_ACCOUNTING

        values = {
            "magic": rawlog.MAGIC,
            "aversion": 0x8000,
            "rawheadlen": structure.size,
            "rawreclen": layout.rawrecord.size,
            "sstatlen": layout.sstat.size,
            "pstatlen": layout.tstat.size,
            "tstatlen": layout.tstat.size,
            "cstatlen": layout.cstat.size if layout.cstat else 0,
            "supportflags": support_flags,
        }
        data = bytearray(structure.size)
        for name, value in values.items():
            member = structure.members.get(name)
            if member:
                member.unpacker.pack_into(data, member.offset, value)
        return bytes(data)

    def GetRank(self, piece):
        """Determines how well a piece goes on where this log ends, without its host.

        Args:
          piece (Piece): piece, not earlier than the pieces of the log.

        Returns:
          int: 2 if it goes on with the sample after the last one, 1 if samples are lost
              between them, 0 if it is not of this log.
        """
        last_piece = self.pieces[-1]
        if piece.has_start or last_piece.last_curtime >= piece.first_curtime:
            return 0

        # The start of the piece was found elsewhere, as one of the same log.
        if piece.header and self.header and piece.header.data != self.header.data:
            return 0

        if not piece.is_boot and any(
            abs(piece.previous_curtime - curtime) <= 1
            for curtime in (last_piece.last_curtime, last_piece.next_curtime)
        ):
            return 2

        if not piece.is_boot and last_piece.last_curtime > piece.previous_curtime + 1:
            return 0

        # What is a day later may be of the next log. A longer log is not of a day.
        start_time = self.pieces[0].first_curtime
        end_time = max(piece.first_curtime - self._DAY, 0)
        is_long = last_piece.last_curtime - start_time > self._DAY
        return int(not piece.is_at_start and (is_long or start_time > end_time))

    def IsSameHost(self, births):
        """Determines if a piece is of the host of this log, by its processes.

        What started before the last sample of the log, and lives at the first sample of
        the piece, lived at both. Its start differs by a second between runs of atop.

        Args:
          births (dict[int, int]): start times of processes of the piece, see GetBirths.

        Returns:
          bool: True if the processes say so, False if they say that it is not, None if
              there are none that say something.
        """
        last_piece = self.pieces[-1]
        if not last_piece.number_of_samples:
            return None

        # Since 2.3 the list has all processes.
        last_births = last_piece.GetBirths(is_last=True)
        is_complete = (
            "wasinactive" in last_piece.layout.tstat.members["gen"].structure.members
        )
        number_of_same = number_of_others = 0
        for pid, btime in births.items():
            if btime < last_piece.last_curtime - 2 and (
                pid in last_births or is_complete
            ):
                if abs(last_births.get(pid, 0) - btime) <= 2:
                    number_of_same += 1
                else:
                    number_of_others += 1

        if not number_of_same and not number_of_others:
            return None
        return number_of_same > 10 * number_of_others


def _Read(log_file, offset, end_offset):
    """Reads a part of a file.

    Args:
      log_file (blocks.File): file.
      offset (int): offset in bytes.
      end_offset (int): offset of the end in bytes.

    Yields:
      bytes: contents, in pieces.
    """
    while offset < end_offset:
        data = log_file.Read(offset, min(64 * 1024, end_offset - offset))
        yield data
        offset += len(data)


class Carver:
    """Finds pieces of logs.

    Attributes:
      digests (set[int]): SHA-256, its first 64 bits, of the samples that were found so
          far. A sample is found once.
    """

    # A zlib stream as atop writes it: a window of 32 KiB.
    _ZLIB_HEADER_RE = re.compile(rb"\x78[\x01\x5e\x9c\xda]")

    _MAGIC_RES = tuple(
        re.compile(re.escape(magic))
        for magic in (rawlog.MAGIC_BIG_ENDIAN, rawlog.MAGIC_LITTLE_ENDIAN)
    )

    # Nanoseconds that may be spent on what turns out to be nothing, and nanoseconds per
    # byte; and what it takes to look at a header.
    _BUDGET = (1000000000, 300)
    _HEADER_TIME = 500000

    # Those of 40 MiB. A host has 144 samples a day.
    _MAXIMUM_DIGESTS = 400000

    _SCAN_SIZE = 512 * 1024

    def __init__(self):
        """Initializes a carver."""
        super().__init__()
        families = _GetFamilies()
        records = {record for record, _ in families}

        self._sizes = collections.defaultdict(set)
        for record, size in families:
            self._sizes[record].add(size)

        # The flags stand 8 bytes before the sizes of the blocks, the interval 8 after.
        self._places = [
            (
                distance + 8,
                struct.Struct(f"{byte_order:s}H6x3I"),
                # The larger record has a time of 64 bits, which starts with zeros in
                # what would be one of 32 bits.
                sorted(
                    record
                    for record in records
                    if (record.byte_order, record.distance) == (byte_order, distance)
                )[::-1],
            )
            for byte_order, distance in sorted(
                {(record.byte_order, record.distance) for record in records}
            )
        ]
        distances = [record.distance for record in records]
        self._record_size = max(record.size for record in records)
        self._maximum_sstat_size = max(size for _, size in families)
        self._maximum_compressed_size = self._maximum_sstat_size * 2

        # The most significant byte of a size is 0, it is the first or last of four.
        start, end = -max(distances), -min(distances) + 1
        self._high_bytes = ((start, end), (start + 3, end + 3))

        # The size of a header is in all versions at the same place.
        headers = [layout.rawheader for layout, *_ in families.values()]
        member = headers[0].members["rawheadlen"]
        self._header_size_range = slice(member.offset, member.offset + member.size)
        self._header_sizes = {header.size for header in headers}

        self._budget = None
        self.digests = set()

    @property
    def has_all_digests(self):
        """bool: True if samples were not too many to know which were found before."""
        return len(self.digests) < self._MAXIMUM_DIGESTS

    def _GetHits(self, data):
        """Retrieves where samples and headers may be.

        Args:
          data (bytes): data, which starts with the size of the largest record of bytes
              that were searched already.

        Returns:
          list[tuple[int, bool]]: positions of zlib streams behind what may be a record
              and of signatures, in their order, and True for a signature.
        """
        (start, end), (other_start, other_end) = self._high_bytes
        hits = []
        for match in self._ZLIB_HEADER_RE.finditer(data, self._record_size):
            position = match.start()
            if (
                0 in data[position + other_start : position + other_end : 4]
                or 0 in data[position + start : position + end : 4]
            ):
                hits.append((position, False))
        for magic_re in self._MAGIC_RES:
            for match in magic_re.finditer(data, self._record_size):
                hits.append((match.start(), True))
        hits.sort()
        return hits

    def _GetRecords(self, data, position):
        """Determines which records may stand in front of a zlib stream.

        Args:
          data (bytes): data.
          position (int): position of the zlib stream in bytes.

        Yields:
          tuple[_Record, int]: kind of record and size of the zlib stream in bytes.
        """
        for distance, unpacker, records in self._places:
            flags, scomplen, pcomplen, interval = unpacker.unpack_from(
                data, position - distance
            )
            if (
                not flags & rawlog.SampleReader.UNKNOWN_FLAGS
                and 8 <= scomplen <= self._maximum_compressed_size
                and pcomplen >= 8
                and interval <= rawlog.SampleReader.MAXIMUM_INTERVAL
            ):
                for record in records:
                    yield record, scomplen

    def _GetLayout(self, stream, record, offset, compressed_size):
        """Determines the layout of a sample by what may be its system block.

        Args:
          stream (Stream): what is searched.
          record (_Record): kind of record in front of the block.
          offset (int): offset of the block in bytes.
          compressed_size (int): size of the block in the stream in bytes.

        Returns:
          layouts.FileLayout: oldest layout with a system block of that size, None if
              there is none.
        """
        # Another zlib stream follows.
        next_data = stream.file.Read(offset + compressed_size, 2)
        if not search.ZLIB_HEADER_RE.match(next_data):
            return None

        if not self._budget.HasTime():
            stream.is_searched = False
            return None

        # Inflated as far as the largest one goes, which shows the size of a smaller.
        sizes = self._sizes[record]
        size = min(max(sizes), compressed_size * 1032)
        block = blocks.Block(stream.file, offset, compressed_size, size)
        self._budget.IsIntact(block)
        if block.inflated_size not in sizes:
            return None

        layout, *_ = _GetFamilies()[record, block.inflated_size]
        return layout

    def _GetSample(self, stream, layout, offset, is_whole=True):
        """Retrieves the sample at an offset.

        Args:
          stream (Stream): what is searched.
          layout (layouts.FileLayout): layout.
          offset (int): offset in bytes.
          is_whole (Optional[bool]): False if no more than the record has to be there.

        Returns:
          rawlog.Sample: sample, None if there is none.
        """
        if offset < 0:
            return None

        sample = stream.GetReader(layout).GetSample(offset)
        if not sample or not rawlog.IsValidTime(sample.curtime):
            return None

        if is_whole:
            if not all(map(self._budget.IsIntact, sample.GetBlocks())):
                return None
            sample.Release()
        return sample

    def _HasOwnTime(self, stream, layout, sample):
        """Determines if the time of a sample is its own, where nothing is in front.

        The streams say nothing of what is in front of their sizes in the record. That
        is of something else if it is the end of a block that does not belong there.

        Args:
          stream (Stream): what is searched.
          layout (layouts.FileLayout): layout.
          sample (rawlog.Sample): sample, which is whole.

        Returns:
          bool: True if the time is in the same sector as the sizes, or if the record
              that follows says the same. Without such a record, True if it is in the
              same page.
        """
        start_offset = sample.offset
        end_offset = start_offset + layout.rawrecord.members["scomplen"].offset
        if self._IsInOne(_SECTOR_SIZE, start_offset, end_offset):
            return True

        record = self._GetSample(stream, layout, sample.end_offset, is_whole=False)
        if record is None or record.is_boot:
            return self._IsInOne(_PAGE_SIZE, start_offset, end_offset)
        return abs(record.curtime - record.interval - sample.curtime) <= 1

    def _IsInOne(self, size, start_offset, end_offset):
        """Determines if data is in one part of what is searched.

        Args:
          size (int): size of the parts in bytes.
          start_offset (int): offset of the data in bytes.
          end_offset (int): offset of its end in bytes.

        Returns:
          bool: True if it is, or if it is at the start of a part.
        """
        return not start_offset % size or start_offset // size == end_offset // size

    def _GetHeader(self, stream, offset):
        """Retrieves the header at an offset.

        Args:
          stream (Stream): what is searched.
          offset (int): offset in bytes.

        Returns:
          tuple[Header, FileLayout]: header and the oldest of the layouts that samples
              behind it can have; both None if there is none of a known layout.
        """
        if not self._budget.HasTime():
            stream.is_searched = False
            return None, None

        data = stream.file.Read(offset, max(self._header_sizes))
        size = data[self._header_size_range]
        if data.startswith(rawlog.MAGIC_LITTLE_ENDIAN):
            size = size[::-1]
        if int.from_bytes(size, "big") not in self._header_sizes:
            return None, None

        try:
            log = rawlog.RawLog(io.BytesIO(data))
            layout = log.layout
        except rawlog.FormatError:
            layout = None

        if not layout or not layout.sstat or not layout.tstat:
            self._budget.Spend(self._HEADER_TIME)
            return None, None

        layout, *_ = _GetFamilies()[_GetRecord(layout), layout.sstat.size]
        data = data[: layout.rawheader.size]
        return Header(offset, data, log.hostname, log.version), layout

    def _GetPiece(self, stream, layout, header, sample):
        """Retrieves the piece that starts with a sample.

        Args:
          stream (Stream): what is searched.
          layout (layouts.FileLayout): layout.
          header (Header): header in front of the sample or None.
          sample (rawlog.Sample): sample, which is whole.

        Returns:
          tuple[Piece, int]: piece, None if all of its samples were found before, and
              offset of what follows in bytes.
        """
        piece = None
        while sample:
            digest = hashlib.sha256()
            for data in _Read(stream.file, sample.offset, sample.end_offset):
                digest.update(data)
            digest = int.from_bytes(digest.digest()[:8], "big")
            if digest not in self.digests:
                if len(self.digests) < self._MAXIMUM_DIGESTS:
                    self.digests.add(digest)
                if not piece:
                    piece = Piece(stream, layout, header, sample)
                piece.AddSample(sample)

            stream.position = end_offset = sample.end_offset
            last_curtime = sample.curtime
            sample = self._GetSample(stream, layout, end_offset)

        record = self._GetSample(stream, layout, end_offset, is_whole=False)
        if piece and record and record.curtime - record.interval == last_curtime:
            piece.next_curtime = record.curtime
        return piece, end_offset

    def _FindAt(self, stream, data, position, is_magic, offset):
        """Finds what starts at an offset.

        Args:
          stream (Stream): what is searched.
          data (bytes): data with what is there.
          position (int): position in the data in bytes.
          is_magic (bool): True if a signature is there, False if a zlib stream is.
          offset (int): offset in bytes.

        Returns:
          tuple[Piece, int]: piece, None if there is none or if it was found before, and
              offset of what follows in bytes.
        """
        if is_magic:
            header, layout = self._GetHeader(stream, offset)
            if header:
                first_offset = offset + layout.rawheader.size
                sample = self._GetSample(stream, layout, first_offset)
                if sample:
                    return self._GetPiece(stream, layout, header, sample)

                record = self._GetSample(stream, layout, first_offset, is_whole=False)
                if record:
                    return Piece(stream, layout, header, record), first_offset

            return None, offset + 1

        for record, compressed_size in self._GetRecords(data, position):
            layout = self._GetLayout(stream, record, offset, compressed_size)
            sample = layout and self._GetSample(stream, layout, offset - record.size)
            if sample:
                if not self._HasOwnTime(stream, layout, sample):
                    return None, sample.end_offset
                return self._GetPiece(stream, layout, None, sample)

        return None, offset + 1

    def Find(self, stream):
        """Finds the pieces in a stream.

        Args:
          stream (Stream): what is searched.

        Yields:
          Piece: piece, or None from time to time where there are none.
        """
        self._budget = search.Budget(*self._BUDGET)
        lookbehind = self._record_size
        offset = 0
        while offset < stream.file.size:
            start_offset = max(offset - lookbehind, 0)
            data = bytes(lookbehind - (offset - start_offset)) + stream.file.Read(
                start_offset, offset - start_offset + self._SCAN_SIZE + 4
            )
            self._budget.Add(offset, offset + self._SCAN_SIZE)

            next_offset = offset + self._SCAN_SIZE
            end_offset = offset
            for position, is_magic in self._GetHits(data):
                hit_offset = offset + position - lookbehind
                if end_offset <= hit_offset < next_offset:
                    piece, end_offset = self._FindAt(
                        stream, data, position, is_magic, hit_offset
                    )
                    if piece:
                        yield piece

            offset = max(next_offset, end_offset)
            stream.position = min(offset, stream.file.size)
            yield None


def GetLogs(pieces):
    """Makes logs of pieces.

    A piece with a header is the start of a log. Another one belongs to the log whose
    last sample is the one before its first, or else the nearest one before it, if its
    processes are those of that host. What belongs to no log becomes one of its own.

    Args:
      pieces (list[Piece]): pieces.

    Returns:
      list[Log]: logs that have samples, in the order of time.
    """
    logs = collections.defaultdict(list)
    for piece in sorted(pieces, key=lambda piece: piece.first_curtime):
        candidates = []
        for log in logs[piece.layout]:
            rank = log.GetRank(piece)
            if rank:
                candidates.append((rank, log.pieces[-1].last_curtime, log))
        candidates.sort(key=lambda candidate: candidate[:2], reverse=True)
        number_of_next = sum(rank == 2 for rank, *_ in candidates)

        births = piece.GetBirths() if candidates else None
        for rank, _, log in candidates[:_MAXIMUM_CANDIDATES]:
            is_same_host = log.IsSameHost(births)
            # Where no processes say it, the time has to, and of one log alone.
            if is_same_host is None:
                is_same_host = rank == 2 and number_of_next == 1
            if is_same_host:
                log.pieces.append(piece)
                break
        else:
            logs[piece.layout].append(Log(piece))

    return sorted(
        (log for log in itertools.chain(*logs.values()) if log.number_of_samples),
        key=lambda log: log.pieces[0].first_curtime,
    )
