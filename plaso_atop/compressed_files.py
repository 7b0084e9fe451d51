"""Compressed logs, which the decompressors of Python read.

Those of dfVFS lose parts of large files. The gzip of dfVFS 20260924 ends reads at each
16 MiB of compressed data. Its bzip2 and xz end reads at each 8 MiB, even where
integration.compressed_streams has mended the rest. These two read the first stream of a
file only, but tools that compress in parallel write many, and cat joins files.
"""

import bz2
import contextlib
import gzip
import lzma
import tempfile

from dfvfs.lib import definitions as dfvfs_definitions
from dfvfs.resolver import resolver as path_spec_resolver

from plaso_atop import compressed

_FILE_OPENERS = {
    dfvfs_definitions.COMPRESSION_METHOD_BZIP2: bz2.open,
    dfvfs_definitions.COMPRESSION_METHOD_LZMA: lzma.open,
    dfvfs_definitions.COMPRESSION_METHOD_XZ: lzma.open,
}


class _CompressedFile:
    """File-like object of a compressed file.

    To go back in compressed data means to decompress all of it again, and a sample is
    read more than once. So what was read last is kept in a temporary file.
    """

    # Larger than a sample of a server with 100,000 tasks.
    _MAXIMUM_KEPT_SIZE = 64 * 1024 * 1024

    _READ_SIZE = 64 * 1024

    def __init__(self, file_object, size, temporary_directory=None):
        """Initializes a file-like object.

        Args:
          file_object (file): file-like object that decompresses.
          size (int): size of the decompressed data in bytes.
          temporary_directory (Optional[str]): path of the directory for the temporary
              file, None for that of the system.
        """
        super().__init__()
        self._file_object = file_object
        self._kept_end_offset = 0
        self._kept_file = None
        self._kept_offset = 0
        self._offset = 0
        self._size = size

        # Without it the data is decompressed again.
        with contextlib.suppress(OSError):
            # Without a buffer nothing is left to be written when the disk is full.
            # pylint: disable=consider-using-with
            self._kept_file = tempfile.TemporaryFile(
                buffering=0, dir=temporary_directory
            )

    def _Keep(self, data):
        """Keeps data, in place of what was read before all that can be kept.

        Args:
          data (bytes): data at the current offset.
        """
        if self._offset != self._kept_end_offset:
            self._kept_end_offset = self._kept_offset = self._offset

        while data and self._kept_file:
            position = self._kept_end_offset % self._MAXIMUM_KEPT_SIZE
            self._kept_file.seek(position)
            written_size = self._kept_file.write(
                data[: self._MAXIMUM_KEPT_SIZE - position]
            )
            if not written_size:
                break
            data = data[written_size:]
            self._kept_end_offset += written_size
            self._kept_offset = max(
                self._kept_offset, self._kept_end_offset - self._MAXIMUM_KEPT_SIZE
            )

    def ExtendSize(self, maximum_size):
        """Extends the size to that of all data, where there is more than is known.

        Args:
          maximum_size (int): size in bytes up to which there may be more.
        """
        with contextlib.suppress(EOFError, OSError, lzma.LZMAError):
            while self._offset < maximum_size and self.read(self._READ_SIZE):
                pass
        self._size = max(self._size, self._offset)
        self._offset = 0

    # Note: that the following functions do not follow the style guide
    # because they are part of the file-like object interface.
    # pylint: disable=invalid-name

    def get_size(self):
        """Retrieves the size of the file-like object.

        Returns:
          int: size in bytes.
        """
        return self._size

    def read(self, size):
        """Reads data.

        Args:
          size (int): size in bytes.

        Returns:
          bytes: data, shorter where the compressed file ends.

        Raises:
          EOFError: if the compressed file is cut.
          OSError: if the compressed file is damaged.
        """
        data = b""
        if self._kept_offset <= self._offset < self._kept_end_offset:
            position = self._offset % self._MAXIMUM_KEPT_SIZE
            self._kept_file.seek(position)
            data = self._kept_file.read(
                min(
                    size,
                    self._kept_end_offset - self._offset,
                    self._MAXIMUM_KEPT_SIZE - position,
                )
            )

        if not data:
            self._file_object.seek(self._offset)
            data = self._file_object.read1(size)
            try:
                self._Keep(data)
            except OSError:
                # The disk is full.
                self._kept_end_offset = self._kept_offset
                self._kept_file = None

        self._offset += len(data)
        return data

    def seek(self, offset, whence=0):
        """Seeks an offset.

        Args:
          offset (int): offset in bytes.
          whence (Optional[int]): what the offset is relative to, see io.SEEK_SET.
        """
        self._offset = offset + (0, self._offset, self._size)[whence]


def GetFileObject(parser_mediator, file_object):
    """Retrieves a file-like object that reads all of a file.

    Args:
      parser_mediator (ParserMediator): mediates interactions between parsers and other
          components, such as storage and dfVFS.
      file_object (dfvfs.FileIO): file-like object of the file that is parsed.

    Returns:
      file: file-like object, the same one if the file is not compressed.
    """
    file_entry = parser_mediator.GetFileEntry()
    path_spec = getattr(file_entry, "path_spec", None)
    type_indicator = getattr(path_spec, "type_indicator", None)

    opener = None
    if type_indicator == dfvfs_definitions.TYPE_INDICATOR_GZIP:
        opener = gzip.open
    elif type_indicator == dfvfs_definitions.TYPE_INDICATOR_COMPRESSED_STREAM:
        opener = _FILE_OPENERS.get(path_spec.compression_method)

    if not opener:
        return file_object

    compressed_file_object = path_spec_resolver.Resolver.OpenFileObject(
        path_spec.parent, resolver_context=parser_mediator.resolver_context
    )
    # It is the one that dfVFS itself decompresses, which has read all of it.
    size = file_object.get_size()
    compressed_file_object.seek(0)
    compressed_file = _CompressedFile(
        opener(compressed_file_object), size, parser_mediator.temporary_directory
    )
    if opener is not gzip.open:
        compressed_file.ExtendSize(
            compressed.GetMaximumSize(compressed_file_object.get_size())
        )
    return compressed_file
