"""Partitions and logical volumes around a file system.

The tools that make them need a device mapper and the rights of root.
"""

import struct
import uuid
import zlib

_SECTOR_SIZE = 512

# A GUID partition table has 128 entries of 128 bytes.
_TABLE_SECTORS = 32

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


def _GetBootSector(partition_type, sector, number_of_sectors):
    """Makes a boot sector with one partition.

    Args:
      partition_type (int): type of the partition.
      sector (int): sector of its start.
      number_of_sectors (int): number of its sectors.

    Returns:
      bytes: boot sector.
    """
    entry = struct.pack("<B3xB3xII", 0, partition_type, sector, number_of_sectors)
    return bytes(446) + entry.ljust(64, b"\x00") + b"\x55\xaa"


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
    boot_sector = _GetBootSector(0x83, sector, len(data) // _SECTOR_SIZE)
    return boot_sector.ljust(sector * _SECTOR_SIZE, b"\x00") + data + bytes(1 << 20)


def AddGuidPartitionTable(data):
    """Makes a medium with a GUID partition table, and an empty partition in front.

    Args:
      data (bytes): contents of the second partition, of full sectors.

    Returns:
      bytes: contents of the medium.
    """
    start, end = 4096, 4096 + len(data) // _SECTOR_SIZE - 1
    header_sectors = (1, end + _TABLE_SECTORS + 1)

    linux_type = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4").bytes_le
    entries = [
        struct.pack("<16s16s3Q", linux_type, number * b"\x01", *sectors, 0)
        for number, sectors in ((2, (start // 2, start - 1)), (3, (start, end)))
    ]
    table = b"".join(entry.ljust(128, b"\x00") for entry in entries)
    table = table.ljust(_TABLE_SECTORS * _SECTOR_SIZE, b"\x00")

    # The second one is the copy at the end of the medium.
    headers = []
    for sectors, table_sector in (
        (header_sectors, 2),
        (header_sectors[::-1], end + 1),
    ):
        values = struct.pack(
            "<I4Q16sQ3I",
            *(0, *sectors, _TABLE_SECTORS + 2, end, b"\x01" * 16, table_sector),
            *(128, 128, zlib.crc32(table)),
        )
        first_values = struct.pack("<8s2I", b"EFI PART", 0x10000, 92)
        checksum = zlib.crc32(first_values + bytes(4) + values)
        header = first_values + struct.pack("<I", checksum) + values
        headers.append(header.ljust(_SECTOR_SIZE, b"\x00"))

    boot_sector = _GetBootSector(0xEE, 1, header_sectors[1])
    medium = (boot_sector + headers[0] + table).ljust(start * _SECTOR_SIZE, b"\x00")
    return medium + data + table + headers[1]


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
