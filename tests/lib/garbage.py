"""Garbage that was made to look like the samples of an atop raw log.

It is made of records whose system block or process list costs a reader as much as can
be, and of records that claim the samples behind the garbage as their own.
"""

import random
import struct
import zlib

from plaso_atop import layouts

_LAYOUT = layouts.GetFileLayout("2.12", layouts.ABIS[0])

RECORD_SIZE = _LAYOUT.rawrecord.size
SYSTEM_SIZE = _LAYOUT.sstat.size
TASK_SIZE = _LAYOUT.tstat.size

# Largest ratio of deflate.
_RATIO = 1032


def PackRecord(system_size, tasks_size, number_of_tasks, curtime=1795225000):
    """Makes a record.

    Args:
      system_size (int): compressed size of the system block.
      tasks_size (int): compressed size of the process list.
      number_of_tasks (int): number of entries in the process list.
      curtime (Optional[int]): time.

    Returns:
      bytes: record.
    """
    record = bytearray(RECORD_SIZE)
    for name, value in (
        ("curtime", curtime),
        ("interval", 600),
        ("scomplen", system_size),
        ("pcomplen", tasks_size),
        ("ndeviat", number_of_tasks),
        ("ntask", number_of_tasks),
    ):
        member = _LAYOUT.rawrecord.members[name]
        struct.pack_into(f"<{member.format:s}", record, member.offset, value)
    return bytes(record)


def _GetTaskCount(size):
    """Determines the most entries that a process list can promise.

    Args:
      size (int): compressed size of the process list.

    Returns:
      int: number of entries.
    """
    return min(size * _RATIO // TASK_SIZE, 1 << 23)


def _MakeRandom(size, unused_behind):
    """Makes random bytes."""
    return random.Random(size).randbytes(size)


def _MakeRecords(size, unused_behind):
    """Makes records that nothing but the start of a stream follows."""
    piece = PackRecord(4096, 4096, _GetTaskCount(4096)) + b"\x78\x9c"
    return (piece * (size // len(piece) + 1))[:size]


def _MakeSharedBody(size, body, promise):
    """Makes overlapping records, whose streams all end in the same body.

    A stream starts with a stored block that skips what stands before the body. Records
    stand as close to each other as that allows.

    Args:
      size (int): size of the garbage.
      body (bytes): deflate data.
      promise (function): makes a record from the offset of its end and of the end of
          the garbage.

    Returns:
      bytes: garbage.
    """
    step = RECORD_SIZE + 7
    starts = range(0, max(size - len(body) - step, 0), step)
    body_offset = len(starts) * step
    pieces = []
    for start in starts:
        offset = start + step
        skipped_size = body_offset - offset
        stream = b"\x78\x01"
        if skipped_size < 0xFFFF:
            stream += b"\x00" + struct.pack("<HH", skipped_size, skipped_size ^ 0xFFFF)
        pieces.append(promise(start + RECORD_SIZE, size) + stream.ljust(7, b"\x00"))
    return (b"".join(pieces) + body).ljust(size, b"\x00")[:size]


def _GetRunBody(size):
    """Makes a deflate body of a given size that inflates as far as it can."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = compressor.compress(bytes((size + 64) * _RATIO)) + compressor.flush()
    return data[:size]


def _GetLiteralBody(size):
    """Makes a deflate body of a given size that takes long to inflate."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
    data = compressor.compress(bytes(8 * size + 4096)) + compressor.flush()
    return data[:size]


def _MakeRunSystems(size, unused_behind):
    """Makes system blocks that inflate to nearly what they must."""
    return _MakeSharedBody(
        size,
        _GetRunBody(min(SYSTEM_SIZE // _RATIO + 8, size // 2)),
        lambda start, end: PackRecord(end - start, 4096, 100),
    )


def _MakeLiteralSystems(size, unused_behind):
    """Makes system blocks that take long to inflate."""
    return _MakeSharedBody(
        size,
        _GetLiteralBody(min(SYSTEM_SIZE // 8, size // 2)),
        lambda start, end: PackRecord(end - start, 4096, 100),
    )


def _MakeStoredSystems(size, unused_behind):
    """Makes system blocks that copy what follows them, from one to the next."""
    step = RECORD_SIZE + 7
    skipped_size = 0xFFFF // step * step - 5
    stream = b"\x78\x01\x00" + struct.pack("<HH", skipped_size, skipped_size ^ 0xFFFF)
    piece = PackRecord(SYSTEM_SIZE, 4096, 100) + stream
    return (piece * (size // step + 1))[:size]


def _MakeRepeatedLiteralSystems(size, behind):
    """Makes many parts of system blocks that take long to inflate."""
    part_size = min(size, 64 * 1024)
    part = _MakeLiteralSystems(part_size, behind)
    return (part * (size // part_size + 1))[:size]


def _MakeRunTasks(size, unused_behind):
    """Makes process lists that inflate as far as their size allows."""
    system = zlib.compress(bytes(SYSTEM_SIZE), 9)
    body = _GetRunBody(size // 2)
    pieces = []
    offset = 0
    while offset + RECORD_SIZE + len(system) < size - len(body):
        offset += RECORD_SIZE + len(system)
        tasks_size = size - offset
        pieces.append(
            PackRecord(len(system), tasks_size, _GetTaskCount(tasks_size)) + system
        )
    filler = size - len(body) - offset
    return (b"".join(pieces) + b"\x78\x01" + bytes(max(filler - 2, 0)) + body)[:size]


def _MakeWholeSystems(size, behind):
    """Makes samples with a system block whose process list claims all that follows."""
    system = zlib.compress(bytes(SYSTEM_SIZE), 9)
    piece_size = RECORD_SIZE + len(system)
    pieces = []
    for offset in range(piece_size, size, piece_size):
        tasks_size = size - offset + len(behind)
        pieces.append(
            PackRecord(len(system), tasks_size, _GetTaskCount(tasks_size)) + system
        )
    return b"".join(pieces).ljust(size, b"\x00")


def _MakeWholeSamples(size, behind):
    """Makes whole samples in turn with others that claim all that follows."""
    system = zlib.compress(bytes(SYSTEM_SIZE), 9)
    tasks = zlib.compress(bytes(TASK_SIZE), 9)
    whole = PackRecord(len(system), len(tasks), 1) + system + tasks
    pieces = []
    offset = 0
    while True:
        offset += len(whole) + RECORD_SIZE + len(system)
        if offset > size:
            break
        tasks_size = size - offset + len(behind)
        pieces.append(whole)
        pieces.append(
            PackRecord(len(system), tasks_size, _GetTaskCount(tasks_size)) + system
        )
    return b"".join(pieces).ljust(size, b"\x00")


def _MakeClaims(size, behind):
    """Makes records whose process list is that of a sample far behind the garbage."""
    # The sample in the middle of what is behind.
    offset = 0
    while offset < len(behind) // 2:
        members = {}
        for name in ("scomplen", "pcomplen", "ndeviat", "ccomplen", "icomplen"):
            member = _LAYOUT.rawrecord.members[name]
            (members[name],) = struct.unpack_from(
                f"<{member.format:s}", behind, offset + member.offset
            )
        tasks_offset = offset + RECORD_SIZE + members["scomplen"]
        offset = tasks_offset + sum(
            members[name] for name in ("pcomplen", "ccomplen", "icomplen")
        )

    step = RECORD_SIZE + 2
    pieces = []
    for start in range(0, size - step, step):
        system_offset = start + RECORD_SIZE
        pieces.append(
            PackRecord(
                size - system_offset + tasks_offset,
                members["pcomplen"],
                members["ndeviat"],
            )
            + b"\x78\x01"
        )
    return b"".join(pieces).ljust(size, b"\x00")


def _MakeSharedTasks(size, unused_behind):
    """Makes records that share a process list which is nearly whole."""
    number_of_tasks = 20000
    stream = zlib.compress(bytes(number_of_tasks * TASK_SIZE + 1), 9)[: size // 2]
    step = RECORD_SIZE + 2
    pieces = []
    for start in range(0, size - len(stream) - step, step):
        system_size = size - len(stream) - start - RECORD_SIZE
        pieces.append(
            PackRecord(system_size, len(stream), number_of_tasks) + b"\x78\x01"
        )
    return b"".join(pieces).ljust(size - len(stream), b"\x00") + stream


KINDS = {
    "random bytes": _MakeRandom,
    "records": _MakeRecords,
    "overlapping system blocks, runs": _MakeRunSystems,
    "overlapping system blocks, literals": _MakeLiteralSystems,
    "overlapping system blocks, repeated": _MakeRepeatedLiteralSystems,
    "overlapping system blocks, stored": _MakeStoredSystems,
    "process lists that share a stream": _MakeSharedTasks,
    "process lists, inflated 1032 times": _MakeRunTasks,
    "system blocks, lists that claim the rest": _MakeWholeSystems,
    "samples, lists that claim the rest": _MakeWholeSamples,
    "lists of samples far behind": _MakeClaims,
}
