"""Partitions and logical volumes around a file system.

The tools that make them need a device mapper and the rights of root.
"""

import struct
import zlib

_SECTOR_SIZE = 512

_EXTENT_SIZE = 1024 * 1024

_AREA_OFFSET = 4096
_AREA_SIZE = _EXTENT_SIZE - _AREA_OFFSET

_METADATA = """case {{
id = "000000-0000-0000-0000-0000-0000-000001"
seqno = 1
format = "lvm2"
status = ["RESIZEABLE", "READ", "WRITE"]
flags = []
extent_size = {extent_size:d}
max_lv = 0
max_pv = 0
metadata_copies = 0
physical_volumes {{
pv0 {{
id = "000000-0000-0000-0000-0000-0000-000002"
device = "/dev/sda1"
status = ["ALLOCATABLE"]
flags = []
dev_size = {device_size:d}
pe_start = {extent_size:d}
pe_count = {number_of_extents:d}
}}
}}
logical_volumes {{
root {{
id = "000000-0000-0000-0000-0000-0000-000003"
status = ["READ", "WRITE", "VISIBLE"]
flags = []
creation_host = "shop"
creation_time = 1795225000
segment_count = {number_of_segments:d}
{segments:s}
}}
}}
}}
contents = "Text Format Volume Group"
version = 1
description = ""
creation_host = "shop"
creation_time = 1795225000
"""

_SEGMENT = """segment{number:d} {{
start_extent = {start:d}
extent_count = {count:d}
type = "striped"
stripe_count = 1
stripes = [
"pv0", {physical_start:d}
]
}}
"""


def _GetChecksum(data):
    """Calculates a checksum as LVM does.

    Args:
      data (bytes): data.

    Returns:
      int: checksum.
    """
    return zlib.crc32(data, 0xF597A6CF ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def AddPartitionTable(data, sector=2048):
    """Makes a medium with one partition.

    Args:
      data (bytes): contents of the partition.
      sector (Optional[int]): sector of its start.

    Returns:
      bytes: contents of the medium, with a mebibyte behind the partition.
    """
    entry = struct.pack("<B3xB3xII", 0, 0x83, sector, len(data) // _SECTOR_SIZE)
    boot_sector = bytes(446) + entry.ljust(64, b"\x00") + b"\x55\xaa"
    return boot_sector.ljust(sector * _SECTOR_SIZE, b"\x00") + data + bytes(1 << 20)


def AddLogicalVolume(data, number_of_extents=None):
    """Makes a physical volume with a logical volume.

    Args:
      data (bytes): contents of the logical volume, of full mebibytes.
      number_of_extents (Optional[int]): number of mebibytes of the logical volume that
          are at the end of the physical one instead of its start, None if the logical
          volume is in one piece.

    Returns:
      bytes: contents of the physical volume.
    """
    total = len(data) // _EXTENT_SIZE
    split = number_of_extents or 0
    size = (total + 1) * _EXTENT_SIZE

    segments = [(0, split, total - split), (split, total - split, 0)]
    segments = [
        _SEGMENT.format(number=number, start=start, count=count, physical_start=place)
        for number, (start, count, place) in enumerate(
            (segment for segment in segments if segment[1]), start=1
        )
    ]
    metadata = _METADATA.format(
        device_size=size // _SECTOR_SIZE,
        extent_size=_EXTENT_SIZE // _SECTOR_SIZE,
        number_of_extents=total,
        number_of_segments=len(segments),
        segments="".join(segments),
    ).encode("ascii")
    metadata += b"\x00"

    area = b" LVM2 x[5A%r0N*>" + struct.pack(
        "<I4Q2I",
        *(1, _AREA_OFFSET, _AREA_SIZE),
        *(_SECTOR_SIZE, len(metadata), _GetChecksum(metadata), 0),
    )
    area = area.ljust(_SECTOR_SIZE - 4, b"\x00")
    area = struct.pack("<I", _GetChecksum(area)) + area + metadata

    label = struct.pack(
        "<I8s32sQ8Q",
        *(32, b"LVM2 001", b"2".rjust(32, b"0"), size),
        *(_EXTENT_SIZE, 0, 0, 0),
        *(_AREA_OFFSET, _AREA_SIZE, 0, 0),
    )
    label = label.ljust(_SECTOR_SIZE - 20, b"\x00")
    label = b"LABELONE" + struct.pack("<QI", 1, _GetChecksum(label)) + label

    data = data[split * _EXTENT_SIZE :] + data[: split * _EXTENT_SIZE]
    start = (bytes(_SECTOR_SIZE) + label).ljust(_AREA_OFFSET, b"\x00") + area
    return start.ljust(_EXTENT_SIZE, b"\x00") + data
