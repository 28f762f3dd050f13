"""The partition table of an ESP32: reading it, and making room for the journal.

At 0x8000 in flash, 0xC00 bytes: an entry is 32 bytes (0xAA 0x50, type, subtype, offset and size in
bytes, a name of 16, flags); behind the last one 0xEB 0xEB, 14 bytes 0xFF and the MD5 of the entries;
the rest is 0xFF. Source: ESP-IDF, partition-tables and gen_esp32part.py.
"""

import hashlib
import struct
from dataclasses import dataclass, replace

from pilotwire.esp_image import ImageError

TABLE_AT = 0x8000
TABLE_BYTES = 0xC00
SECTOR = 4096  # what is erased at a time; data partitions begin and end with one

APP, DATA = 0, 1
UNDEFINED = 6  # the subtype of data that ESP-IDF has no use for
FAT = 0x81  # the subtype that MicroPython gives its vfs, whatever the file system

_ENTRY = struct.Struct("<2sBBII16sI")
_ENTRY_MAGIC = b"\xaa\x50"
_MD5_MAGIC = b"\xeb\xeb" + b"\xff" * 14


@dataclass(frozen=True)
class Partition:
    name: str
    type: int
    subtype: int
    at: int  # offset in flash, bytes
    size: int  # bytes
    flags: int = 0

    @property
    def end(self):
        return self.at + self.size


def parse(table):
    """[Partition] of the bytes at 0x8000; ImageError when they are no whole table."""
    if table[:2] != _ENTRY_MAGIC:
        raise ImageError(f"there is no partition table at 0x{TABLE_AT:X}")
    found, at = [], 0
    while table[at : at + 2] == _ENTRY_MAGIC and at + 64 <= TABLE_BYTES:
        _, kind, subtype, start, size, name, flags = _ENTRY.unpack_from(table, at)
        name = name.rstrip(b"\0").decode("ascii", "replace")
        found.append(Partition(name, kind, subtype, start, size, flags))
        at += _ENTRY.size
    mark = bytes(table[at : at + 32])
    if mark[:16] != _MD5_MAGIC or mark[16:] != hashlib.md5(table[:at]).digest():
        raise ImageError("the partition table is damaged: its MD5 is missing or wrong")
    return found


def build(partitions):
    """The 0xC00 bytes for 0x8000."""
    table = b"".join(
        _ENTRY.pack(_ENTRY_MAGIC, p.type, p.subtype, p.at, p.size, p.name.encode(), p.flags)
        for p in partitions
    )
    table += _MD5_MAGIC + hashlib.md5(table).digest()
    return table.ljust(TABLE_BYTES, b"\xff")


def check(partitions, flash_bytes):
    """ImageError when two partitions overlap, or one lies on the table or ends behind the flash."""
    in_order = sorted(partitions, key=lambda p: p.at)
    if in_order[0].at < TABLE_AT + SECTOR:
        raise ImageError(f"the partition {in_order[0].name} overlaps the partition table")
    for one, following in zip(in_order, in_order[1:], strict=False):
        if one.end > following.at:
            raise ImageError(f"the partitions {one.name} and {following.name} overlap")
    if in_order[-1].end > flash_bytes:
        raise ImageError(
            f"the partition {in_order[-1].name} ends behind the {flash_bytes >> 20} MB of flash"
        )


def with_vfs(partitions, flash_bytes):
    """The table, with the `vfs` that MicroPython v1.26 and newer does not list but makes at each start:
    from the end of all partitions to that of the flash. It makes none where the table has one.

    flash_bytes: what the bootloader counts on; a chip's own may be larger. Source: MicroPython,
    ports/esp32/main.c, boardctrl_startup().
    """
    if not partitions or any(p.name == "vfs" for p in partitions):
        return partitions
    at = max(p.end for p in partitions)
    return [*partitions, Partition("vfs", DATA, FAT, at, max(0, flash_bytes - at))]


def with_journal(partitions, journal_bytes):
    """The table with `journal` behind a vfs that is so much smaller; ImageError."""
    vfs = next(p for p in partitions if p.name == "vfs")
    if vfs.at % SECTOR or vfs.size % SECTOR or vfs.size < journal_bytes + 4 * SECTOR:
        raise ImageError(f"vfs has {vfs.size >> 10} KB: too small for files and the journal")
    smaller = replace(vfs, size=vfs.size - journal_bytes)
    journal = Partition("journal", DATA, UNDEFINED, smaller.end, journal_bytes)
    made = []
    for partition in partitions:
        made += [smaller, journal] if partition is vfs else [partition]
    return made
