"""Searching a damaged log for samples."""

import bisect
import re

# A zlib stream starts with one of 32 pairs of bytes: deflate with a window of 256 bytes
# to 32 KiB, no dictionary, and a check of the two.
ZLIB_HEADER_RE = re.compile(
    b"|".join(
        re.escape(bytes([window << 4 | 8, second]))
        for window in range(8)
        for second in range(256)
        if not second & 0x20 and (((window << 4 | 8) << 8) | second) % 31 == 0
    )
)


class Budget:
    """Time that may be spent on data that turns out to be no sample.

    The unit is work done, so that a log gives the same samples on every machine. Every
    searched byte adds to the budget, so the time is proportional to the searched size.
    """

    # Nanoseconds of a slow machine: for every try, and for every inflated byte. Bytes
    # that are symbols of their own take longest.
    _CONSUMED_BYTE_TIME = 32
    _INFLATED_BYTE_TIME = 0.25
    _TRY_TIME = 20000

    def __init__(self, initial_time, byte_time):
        """Initializes a budget.

        Args:
          initial_time (int): nanoseconds that may be spent anyway.
          byte_time (int): nanoseconds that may be spent for every byte searched.
        """
        super().__init__()
        self._byte_time = byte_time
        self._end_offset = 0
        self._time = initial_time

    def Add(self, offset, end_offset):
        """Adds the time for a part of the file, once.

        Args:
          offset (int): offset in bytes of the searched part.
          end_offset (int): offset of its end in bytes.
        """
        offset = max(offset, self._end_offset)
        if end_offset > offset:
            self._time += (end_offset - offset) * self._byte_time
            self._end_offset = end_offset

    def Spend(self, time):
        """Takes what was spent in vain off the budget.

        Args:
          time (int): nanoseconds.
        """
        self._time -= time

    def HasTime(self):
        """Determines if something may be tried.

        Returns:
          bool: True if so.
        """
        return self._time > 0

    def IsIntact(self, block):
        """Determines if a block is intact, at the expense of the budget if it is not.

        Args:
          block (blocks.Block): block.

        Returns:
          bool: True if the block is intact.
        """
        if block.IsIntact():
            return True

        self.Spend(
            self._TRY_TIME
            + block.consumed_size * self._CONSUMED_BYTE_TIME
            + int(block.inflated_size * self._INFLATED_BYTE_TIME)
        )
        return False


class SampleFinder:
    """Finds the samples behind damage.

    A sample is found by its system block. That inflates to the one size that the layout
    has, so a try costs little. A sample without system block is found by its other
    blocks, once the samples before and after it are known.
    """

    # Initial time in nanoseconds, and nanoseconds per byte. In 64 KiB of data that was
    # forged for the purpose the tries take less than the initial time.
    _WHOLE_TIME = (8000000000, 1200)
    _PARTIAL_TIME = (1000000000, 300)

    _SCAN_SIZE = 256 * 1024

    def __init__(self, log):
        """Initializes a finder.

        Args:
          log (RawLog): log.
        """
        super().__init__()
        self._log = log
        self._partial_budget = Budget(*self._PARTIAL_TIME)
        self._whole_budget = Budget(*self._WHOLE_TIME)

        # The last search: where it started, and what it found.
        self._partial_offsets = []
        self._partial_range = (0, 0)
        self._skipped_offset = -1
        self._whole_offset = None
        self._whole_start = None

    def _FindPartial(self, offset, end_offset):
        """Searches for samples with any whole block.

        Args:
          offset (int): offset in bytes to search from.
          end_offset (int): offset in bytes at which the samples must end at the latest.

        Returns:
          list[int]: offsets of the records of samples that do not overlap.
        """
        # A candidate that ends where the next sample starts is most likely a sample.
        last_offsets = []
        for sample in self._GetCandidates(offset, end_offset, self._partial_budget):
            if sample.end_offset == end_offset and self._HasIntactBlock(sample):
                end_offset = sample.offset
                last_offsets = [end_offset]
                break

        offsets = []
        for sample in self._GetCandidates(offset, end_offset, self._partial_budget):
            if (
                offset <= sample.offset
                and sample.end_offset <= end_offset
                and self._HasIntactBlock(sample)
            ):
                offset = sample.end_offset
                offsets.append(sample.offset)

        return offsets + last_offsets

    def _GetCandidates(self, offset, end_offset, budget):
        """Retrieves candidates for samples.

        Args:
          offset (int): offset in bytes to search from.
          end_offset (int): offset in bytes before which the records must end.
          budget (Budget): budget to add to what is searched.

        Yields:
          Sample: sample. Only its record was read.
        """
        record_size = self._log.layout.rawrecord.size

        while offset + record_size < end_offset:
            scan_size = min(self._SCAN_SIZE, end_offset - offset)
            data = self._log.file.Read(offset, scan_size)

            # A zlib header follows the record.
            for match in ZLIB_HEADER_RE.finditer(data, record_size):
                candidate_offset = offset + match.start() - record_size
                sample = self._log.GetSample(candidate_offset)
                if sample:
                    budget.Add(offset, candidate_offset)
                    yield sample

            # The last record_size bytes are searched again, as a record may start
            # there.
            next_offset = offset + scan_size - record_size - 1
            budget.Add(offset, next_offset)
            offset = next_offset
            if scan_size < self._SCAN_SIZE:
                break

    def _HasIntactBlock(self, sample):
        """Determines if a block of a sample is intact.

        Args:
          sample (Sample): sample.

        Returns:
          bool: True if a block is intact, False if none is or if too much was tried.
        """
        # The system block was tried already, unless it was skipped.
        system_block, *others = sample.GetBlocks()
        for block in (*others, system_block):
            if not self._partial_budget.HasTime():
                self._skipped_offset = sample.offset
                return False
            if self._partial_budget.IsIntact(block):
                sample.Release()
                return True

        return False

    def FindNext(self, offset):
        """Searches for the next sample with any whole block.

        Args:
          offset (int): offset in bytes to search from.

        Returns:
          int: offset of the record of the sample in bytes, or None if there is no
              other.
        """
        whole_offset = self.FindWhole(offset)
        end_offset = whole_offset
        if end_offset is None:
            end_offset = self._log.file.size

        start_offset, known_end_offset = self._partial_range
        if offset < start_offset or end_offset != known_end_offset:
            self._partial_offsets = self._FindPartial(offset, end_offset)
            self._partial_range = (offset, end_offset)

        index = bisect.bisect_left(self._partial_offsets, offset)
        if index < len(self._partial_offsets):
            return self._partial_offsets[index]
        return whole_offset

    def FindWhole(self, offset):
        """Searches for the next sample with a whole system block.

        Args:
          offset (int): offset in bytes to search from.

        Returns:
          int: offset of the record of the sample in bytes, or None if there is no
              other.
        """
        if self._whole_start is not None and self._whole_start <= offset:
            if self._whole_offset is None or offset <= self._whole_offset:
                return self._whole_offset

        self._skipped_offset = -1
        self._whole_offset = None
        self._whole_start = offset

        budget = self._whole_budget
        for sample in self._GetCandidates(offset, self._log.file.size, budget):
            if not budget.HasTime():
                self._skipped_offset = sample.offset
            elif budget.IsIntact(sample.system_block):
                self._whole_offset = sample.offset
                break

        return self._whole_offset

    def HasSkipped(self, offset):
        """Determines if the last search left something out.

        Args:
          offset (int): offset in bytes. Earlier parts do not count.

        Returns:
          bool: True if candidates were not tried, because too many others were.
        """
        return self._skipped_offset >= offset
