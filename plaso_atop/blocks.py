"""Reading of a file by offset, and bounded inflating of the blocks in it."""

import bisect
import collections

try:
    from zlib_ng import zlib_ng as zlib
except ImportError:
    import zlib


class File:
    """File-like object that is read by offset.

    Unreadable parts give zeros, so that the data behind them can be used.

    Attributes:
      size (int): size of the file in bytes.
    """

    # The parts that were read last are kept. A sample is read more than once, and to go
    # back in a compressed file means to decompress all of it again.
    _NUMBER_OF_WINDOWS = 4

    # A part that cannot be read as a whole is tried again in pieces of this size.
    _PAGE_SIZE = 4096

    # If as much as this cannot be read without a break, an eighth of it is given up
    # untried: a lost file does not take a failure a page.
    _LARGE_UNREADABLE_SIZE = 2 * 1024 * 1024

    _WINDOW_SIZE = 256 * 1024

    def __init__(self, file_object):
        """Initializes a file.

        Args:
          file_object (file): file-like object, of dfVFS or of Python.
        """
        super().__init__()
        self._file_object = file_object
        self._windows = collections.OrderedDict()

        # Offsets of the start and end of the unreadable parts, in turn.
        self._unreadable = []

        if hasattr(file_object, "get_size"):
            self.size = file_object.get_size()
        else:
            self.size = file_object.seek(0, 2)

    def _GetReadableSize(self, offset, size):
        """Determines how much of a part is not known to be unreadable.

        Args:
          offset (int): offset in bytes.
          size (int): size in bytes.

        Returns:
          tuple[bool, int]: True if the start of the part is not known to be unreadable,
              and size in bytes for which that stays the same.
        """
        index = bisect.bisect_right(self._unreadable, offset)
        end_offset = offset + size
        if index < len(self._unreadable):
            end_offset = min(end_offset, self._unreadable[index])
        return index % 2 == 0, end_offset - offset

    def _GetWindow(self, index):
        """Retrieves a part of the file.

        Args:
          index (int): index of the part, each has the size of a window.

        Returns:
          bytes: data, shorter where the file ends.
        """
        window = self._windows.get(index)
        if window is None:
            if len(self._windows) == self._NUMBER_OF_WINDOWS:
                self._windows.popitem(last=False)
            offset = index * self._WINDOW_SIZE
            window_size = min(self._WINDOW_SIZE, self.size - offset)
            window = self._windows[index] = self._ReadFromFile(offset, window_size)

        return window

    def _MarkUnreadable(self, offset, end_offset):
        """Remembers an unreadable part, so that it is not tried again.

        Args:
          offset (int): offset in bytes.
          end_offset (int): offset of the end in bytes.
        """
        ranges = self._unreadable

        # An odd index is that of the end of a range, which starts before the offset.
        index = bisect.bisect_left(ranges, offset)
        if index % 2:
            index -= 1
            offset = ranges[index]

        size = end_offset - offset
        if size >= self._LARGE_UNREADABLE_SIZE:
            end_offset = min(end_offset + size // 8, self.size)

        end_index = bisect.bisect_right(ranges, end_offset)
        if end_index % 2:
            end_offset = ranges[end_index]
            end_index += 1

        ranges[index:end_index] = [offset, end_offset]

    def _ReadFromFile(self, offset, size):
        """Reads data.

        Args:
          offset (int): offset in bytes.
          size (int): size in bytes, not past the end of the file.

        Returns:
          bytes: data.
        """
        end_offset = offset + size
        read_size = size
        pieces = []

        while offset < end_offset:
            is_readable, piece_size = self._GetReadableSize(offset, end_offset - offset)
            if not is_readable:
                pieces.append(bytes(piece_size))
                offset += piece_size
                continue

            piece = self._TryRead(offset, min(piece_size, read_size))
            pieces.append(piece)
            offset += len(piece)

            if len(piece) < min(piece_size, read_size):
                page_end_offset = offset - offset % self._PAGE_SIZE + self._PAGE_SIZE
                if read_size > self._PAGE_SIZE:
                    # Up to the next page, from then on page by page.
                    read_size = page_end_offset - offset
                else:
                    self._MarkUnreadable(offset, min(page_end_offset, self.size))

            elif read_size < self._PAGE_SIZE:
                read_size = self._PAGE_SIZE

        return b"".join(pieces)

    def _TryRead(self, offset, size):
        """Reads data, with as many reads as necessary.

        Args:
          offset (int): offset in bytes.
          size (int): size in bytes, not past the end of the file.

        Returns:
          bytes: data, shorter where the file cannot be read.
        """
        chunks = []
        try:
            self._file_object.seek(offset, 0)
            while size > 0:
                chunk = self._file_object.read(size)
                if not chunk:
                    break
                chunks.append(chunk)
                size -= len(chunk)

        # The file may lie in a damaged image or archive. Each back-end has its own
        # errors. Unreadable data is damage, which is found where the data is missed.
        except Exception:  # pylint: disable=broad-except
            pass

        return b"".join(chunks)

    def GetUnreadable(self):
        """Retrieves what could not be read, as far as that was tried.

        Returns:
          list[tuple[int, int]]: offsets and sizes in bytes, in the order of the file.
        """
        ranges = iter(self._unreadable)
        return [
            (offset, end_offset - offset) for offset, end_offset in zip(ranges, ranges)
        ]

    def IsReadable(self, offset, size):
        """Determines if data is readable, as far as that was tried.

        Args:
          offset (int): offset in bytes.
          size (int): size in bytes.

        Returns:
          bool: True if no part of it is known to be unreadable.
        """
        return self._GetReadableSize(offset, size) == (True, size)

    def Read(self, offset, size):
        """Reads data.

        Args:
          offset (int): offset in bytes.
          size (int): size in bytes.

        Returns:
          bytes: data, shorter where the file ends, zeros where it cannot be read.
        """
        size = max(0, min(size, self.size - offset))
        chunks = []
        while size > 0:
            index, position = divmod(offset, self._WINDOW_SIZE)
            chunk = self._GetWindow(index)[position : position + size]
            if not chunk:
                break
            chunks.append(chunk)
            offset += len(chunk)
            size -= len(chunk)

        return b"".join(chunks)


class Block:
    """Compressed block of a sample.

    Attributes:
      compressed_size (int): size in the file in bytes.
      consumed_size (int): size in bytes of the compressed data used so far.
      inflated_size (int): size in bytes of the data inflated so far.
      offset (int): offset in bytes relative to the start of the file.
      size (int): size in bytes that it must have when inflated.
    """

    # Larger blocks are not kept in memory but inflated again when they are used.
    _MAXIMUM_CACHED_SIZE = 1536 * 1024

    # Enough for 6,000 cgroups. All other blocks that are used as a whole are smaller.
    _MAXIMUM_SIZE = 3 * 1024 * 1024

    # Data that is no block mostly ends soon.
    _FIRST_READ_SIZE = 2 * 1024
    _MAXIMUM_READ_SIZE = 64 * 1024

    def __init__(self, log_file, offset, compressed_size, size):
        """Initializes a block.

        Args:
          log_file (File): file.
          offset (int): offset in bytes relative to the start of the file.
          compressed_size (int): size in the file in bytes.
          size (int): size in bytes that it must have when inflated.
        """
        super().__init__()
        self._data = None
        self._file = log_file
        self._is_intact = None
        self.compressed_size = compressed_size
        self.consumed_size = 0
        self.inflated_size = 0
        self.offset = offset
        self.size = size

    @property
    def end_offset(self):
        """int: offset in bytes of the end of the block."""
        return self.offset + self.compressed_size

    @property
    def is_small(self):
        """bool: True if the inflated data is kept in memory, as one piece."""
        return self.size <= self._MAXIMUM_CACHED_SIZE

    def _Inflate(self, piece_size):
        """Inflates the block in pieces.

        Args:
          piece_size (int): size of a piece in bytes.

        Yields:
          bytes: pieces, all but the last of the size of a piece. At most one byte more
              than the size of the block is inflated.

        Raises:
          ValueError: if the block is damaged. This is only known when all of it was
              inflated.
        """
        try:
            inflater = zlib.decompressobj()
            offset = self.offset
            remaining_size = self.size
            compressed_data = b""
            pieces = []
            pieces_size = 0
            read_size = self._FIRST_READ_SIZE

            while not inflater.eof:
                if not compressed_data:
                    compressed_data = self._file.Read(
                        offset, min(read_size, self.end_offset - offset)
                    )
                    offset += len(compressed_data)
                    self.consumed_size += len(compressed_data)
                    read_size = min(2 * read_size, self._MAXIMUM_READ_SIZE)

                # Room for one byte more than expected, to notice a larger block.
                data = inflater.decompress(
                    compressed_data, min(piece_size - pieces_size, remaining_size + 1)
                )
                if not data and not compressed_data and not inflater.eof:
                    raise ValueError("zlib stream incomplete")

                compressed_data = inflater.unconsumed_tail
                self.inflated_size += len(data)
                remaining_size -= len(data)
                if remaining_size < 0:
                    self.consumed_size -= len(compressed_data)
                    raise ValueError("zlib stream too large")

                pieces.append(data)
                pieces_size += len(data)
                if pieces_size == piece_size:
                    yield b"".join(pieces)
                    pieces = []
                    pieces_size = 0

            if remaining_size or inflater.unused_data or offset != self.end_offset:
                raise ValueError("zlib stream too small")

        except zlib.error as exception:
            raise ValueError(f"zlib stream damaged: {exception!s}") from exception

        if pieces_size:
            yield b"".join(pieces)

    def IsPlausible(self):
        """Determines if the sizes of the block can be true.

        Returns:
          bool: True if data of that size can be compressed to that size. This bounds
              the cost of a damaged or forged size.
        """
        # Deflate compresses by at most 1032:1 and hardly ever expands.
        return (
            8 <= self.compressed_size <= self.size + self.size // 512 + 1024
            and self.size <= self.compressed_size * 1032
        )

    def IsIntact(self):
        """Determines if the block is intact, which inflates all of it.

        Returns:
          bool: True if the block is intact.
        """
        if self._is_intact is None:
            self._is_intact = False
            if self.IsPlausible() and self.end_offset <= self._file.size:
                try:
                    if self.is_small:
                        self._data = b"".join(self._Inflate(self.size + 1))
                    else:
                        for _ in self._Inflate(self._MAXIMUM_CACHED_SIZE // 4):
                            pass
                    self._is_intact = True
                except ValueError:
                    pass

        return self._is_intact

    def Drop(self):
        """Drops a block that is known to be damaged."""
        self._data = None
        self._is_intact = False

    def GetData(self):
        """Retrieves the inflated data of a block that is not too large for that.

        Returns:
          bytes: data or None if the block is damaged or too large.
        """
        if self.size > self._MAXIMUM_SIZE or not self.IsIntact():
            return None
        return b"".join(self.GetPieces(1))

    def GetPieces(self, element_size):
        """Retrieves the inflated data in pieces.

        Args:
          element_size (int): size in bytes of the elements that a piece consists of.

        Yields:
          bytes: pieces, none if the block is damaged.
        """
        if self.IsIntact():
            if self._data is not None:
                yield self._data
            else:
                piece_size = self._MAXIMUM_CACHED_SIZE // 4
                yield from self._Inflate(piece_size - piece_size % element_size)

    def Release(self):
        """Releases the inflated data."""
        self._data = None
        self._is_intact = None
