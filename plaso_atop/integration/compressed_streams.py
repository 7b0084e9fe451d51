"""Large files that bzip2 or xz compressed, which dfVFS cannot read.

Where there are more than 8 MiB of compressed data dfVFS 20260924 reads nothing at the
start of the file, and data of another offset behind it. Without a start Plaso does not
recognize a log, so the parser could do nothing about it.

This module is imported before Plaso, hence imports none of it at the top.
"""

# pylint: disable=import-outside-toplevel

from plaso_atop.integration import hooks

METHOD = "_AlignUncompressedData"


def _StartAnew(stream):
    """Lets a stream decompress from its start.

    dfVFS does so itself, but keeps the size of the data that it drops. Where it goes on
    instead, it does not count the data that it has.

    Args:
      stream (dfvfs.CompressedStream): stream.
    """
    # pylint: disable=protected-access
    stream._file_object.seek(0)
    stream._compressed_data = b""
    stream._decompressor = stream._GetDecompressor()
    stream._uncompressed_data = b""
    stream._uncompressed_data_size = 0
    stream._uncompressed_stream_offset = 0


def AlignUncompressedData(wrapped, stream, args, kwargs):
    """Finds an offset in a stream.

    Args:
      wrapped (function): method of dfVFS.
      stream (dfvfs.CompressedStream): stream.
      args (tuple[int]): offset in bytes.
      kwargs (dict[str, object]): nothing.

    Returns:
      object: what the method returns.
    """
    with hooks.Guard(hooks.COMPRESSION):
        # pylint: disable=protected-access
        (offset,) = args
        start_offset = stream._uncompressed_stream_offset
        if not 0 <= offset - start_offset < stream._uncompressed_data_size:
            _StartAnew(stream)

    return wrapped(*args, **kwargs)


@hooks.AfterImport(hooks.COMPRESSION, "dfvfs.file_io.compressed_stream_io")
def MendCompressedStream(module):
    """Mends how dfVFS finds an offset in a compressed stream.

    A dfVFS without this method is another one, without a known fault.

    Args:
      module (module): dfvfs.file_io.compressed_stream_io.
    """
    import wrapt

    if hasattr(module.CompressedStream, METHOD):
        wrapt.wrap_function_wrapper(
            module.CompressedStream, METHOD, AlignUncompressedData
        )
