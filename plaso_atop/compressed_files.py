"""Compressed logs, which the decompressors of Python read.

Those of dfVFS lose parts of large files. The gzip of dfVFS 20260924 ends reads at each
16 MiB of compressed data. Its bzip2 and xz end reads at each 8 MiB, even where
integration.compressed_streams has mended the rest.
"""

import bz2
import gzip
import lzma

from dfvfs.lib import definitions as dfvfs_definitions
from dfvfs.resolver import resolver as path_spec_resolver

_FILE_OPENERS = {
    dfvfs_definitions.COMPRESSION_METHOD_BZIP2: bz2.open,
    dfvfs_definitions.COMPRESSION_METHOD_LZMA: lzma.open,
    dfvfs_definitions.COMPRESSION_METHOD_XZ: lzma.open,
}


class _CompressedFile:
    """File-like object of a compressed file."""

    def __init__(self, file_object, size):
        """Initializes a file-like object.

        Args:
          file_object (file): file-like object that decompresses.
          size (int): size of the decompressed data in bytes.
        """
        super().__init__()
        self._file_object = file_object
        self._size = size

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
        return self._file_object.read1(size)

    def seek(self, offset, whence=0):
        """Seeks an offset.

        Args:
          offset (int): offset in bytes.
          whence (Optional[int]): what the offset is relative to, see io.SEEK_SET.
        """
        self._file_object.seek(offset, whence)


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
    return _CompressedFile(opener(compressed_file_object), size)
