"""Decompression of files, for readers of logs without Plaso.

The parser in Plaso uses compressed_files instead.
"""

import bz2
import lzma
import os
import tempfile
import zlib

# The formats that Plaso reads, and one that it does not.
BZIP2 = "bzip2"
GZIP = "gzip"
XZ = "xz"
ZSTD = "zstd"

_SIGNATURES = (
    (GZIP, b"\x1f\x8b\x08"),
    (BZIP2, b"BZh"),
    (XZ, b"\xfd7zXZ\x00"),
    (ZSTD, b"\x28\xb5\x2f\xfd"),
)

# A log consists of compressed blocks: real ones are at most 1.7 times as large as their
# compressed files. A file that is made to fill a disk is a thousand times as large.
_MAXIMUM_RATIO = 32
_MINIMUM_SIZE_LIMIT = 256 * 1024 * 1024

# xz -9 needs 65 MiB. A file can ask for 4 GiB.
_MAXIMUM_XZ_MEMORY = 128 * 1024 * 1024

_OUTPUT_SIZE = 64 * 1024

_INPUT_SIZE = 16 * 1024


class DecompressionError(Exception):
    """Raised when not all of a file can be decompressed."""


class _InputError(Exception):
    """Raised when compressed data cannot be decompressed.

    Attributes:
      offset (int): offset in bytes of the input in which the fault is.
    """

    def __init__(self, offset, reason):
        """Initializes an error.

        Args:
          offset (int): offset in bytes of the input in which the fault is.
          reason (object): what is wrong.
        """
        super().__init__(f"{reason!s}")
        self.offset = offset


class _GzipDecompressor:
    """Decompressor of zlib that is used like those of bz2 and lzma.

    Attributes:
      needs_input (bool): True if nothing is left of the input so far.
    """

    def __init__(self):
        """Initializes a decompressor."""
        super().__init__()
        self._decompressor = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self.needs_input = True

    @property
    def eof(self):
        """bool: True if the end of the compressed data was reached."""
        return self._decompressor.eof

    @property
    def unused_data(self):
        """bytes: data behind the compressed data."""
        return self._decompressor.unused_data

    def decompress(self, data, max_length):
        """Decompresses data, in the name of the other decompressors.

        Args:
          data (bytes): compressed data.
          max_length (int): maximum size of the result in bytes.

        Returns:
          bytes: decompressed data.
        """
        decompressor = self._decompressor
        result = decompressor.decompress(
            decompressor.unconsumed_tail + data, max_length
        )
        # A result of the maximum size may not be all that the input gives.
        self.needs_input = not decompressor.unconsumed_tail and len(result) < max_length
        return result


def _CreateDecompressor(compression):
    """Creates a decompressor.

    Args:
      compression (str): name of the format.

    Returns:
      object: decompressor.
    """
    if compression == BZIP2:
        return bz2.BZ2Decompressor()
    if compression == XZ:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAXIMUM_XZ_MEMORY)
    return _GzipDecompressor()


def _GetPieces(file_object, compression, single_bytes_offset=None):
    """Decompresses a file.

    Args:
      file_object (file): file-like object.
      compression (str): name of the format.
      single_bytes_offset (Optional[int]): offset in bytes from which on the compressed
          data is taken one byte at a time.

    Yields:
      bytes: decompressed data.

    Raises:
      DecompressionError: if the end of the file is missing.
      _InputError: if the rest of the file cannot be decompressed.
    """
    decompressor = _CreateDecompressor(compression)
    file_object.seek(0)
    offset = end_offset = 0
    data = b""

    while True:
        if not data and (decompressor.eof or decompressor.needs_input):
            offset = end_offset
            size = _INPUT_SIZE
            if single_bytes_offset is not None and offset >= single_bytes_offset:
                size = 1
            try:
                data = file_object.read(size)
            except OSError as exception:
                raise _InputError(offset, exception.strerror) from exception
            if not data:
                if decompressor.eof:
                    return
                raise DecompressionError("file is cut")
            end_offset += len(data)

        if decompressor.eof:
            # Padding may follow, or another file: cat joins two into one.
            data = data.lstrip(b"\x00")
            if not data:
                continue
            decompressor = _CreateDecompressor(compression)

        try:
            piece = decompressor.decompress(data, _OUTPUT_SIZE)
        except (EOFError, OSError, lzma.LZMAError, zlib.error) as exception:
            raise _InputError(offset, exception) from exception

        data = decompressor.unused_data if decompressor.eof else b""
        if piece:
            yield piece


def Decompress(file_object, compression):
    """Decompresses a file.

    Args:
      file_object (file): file-like object.
      compression (str): name of the format, not that of zstd.

    Yields:
      bytes: decompressed data, in pieces of at most 64 KiB.

    Raises:
      DecompressionError: if the rest of the file cannot be decompressed.
    """
    size = 0
    try:
        for data in _GetPieces(file_object, compression):
            size += len(data)
            yield data
        return
    except _InputError as exception:
        offset = exception.offset

    # The error loses the data before the fault in the input. Most often the fault is a
    # checksum at the end of all data.
    try:
        for data in _GetPieces(file_object, compression, single_bytes_offset=offset):
            if len(data) > size:
                yield data[size:]
            size = max(0, size - len(data))
    except _InputError as exception:
        raise DecompressionError(f"{exception!s}") from exception


def GetCompression(data):
    """Determines how a file is compressed.

    Args:
      data (bytes): start of the file, at least 6 bytes where it has them.

    Returns:
      str: name of the format or None if the file is not compressed, as far as known.
    """
    for compression, signature in _SIGNATURES:
        if data.startswith(signature):
            return compression
    return None


def GetMaximumSize(compressed_size):
    """Determines the size up to which a file is decompressed.

    Args:
      compressed_size (int): size of the file in bytes.

    Returns:
      int: size of the decompressed data in bytes.
    """
    return max(_MINIMUM_SIZE_LIMIT, _MAXIMUM_RATIO * compressed_size)


def Open(file_object, compression):
    """Opens a compressed file for reading its decompressed data.

    The reader of logs asks for the size and goes back in the file. In compressed data
    that means to decompress all of it again. So the data becomes a temporary file, of
    at most 256 MiB or 32 times the size of the file, whichever is more.

    Args:
      file_object (file): file-like object.
      compression (str): name of the format, not that of zstd.

    Returns:
      tuple[file, str]: temporary file, removed when it is closed, and reason why it is
          not complete, None if it is.

    Raises:
      OSError: if the size of the file cannot be determined or if there is no room for a
          temporary file at all.
    """
    # That of dfVFS does not return the offset.
    file_object.seek(0, os.SEEK_END)
    remaining_size = GetMaximumSize(file_object.tell())

    # Without a buffer nothing is left to be written when the disk is full.
    # pylint: disable=consider-using-with
    temporary_file = tempfile.TemporaryFile(buffering=0)
    problem = None
    try:
        for data in Decompress(file_object, compression):
            if len(data) > remaining_size:
                raise DecompressionError("more than a log of that size can be")
            if temporary_file.write(data) < len(data):
                raise DecompressionError("no room for a temporary file")
            remaining_size -= len(data)

    except DecompressionError as exception:
        problem = f"{exception!s}"
    except OSError as exception:
        problem = f"no room for a temporary file: {exception.strerror!s}"

    return temporary_file, problem
