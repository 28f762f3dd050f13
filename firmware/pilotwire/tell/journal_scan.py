"""How the journal lies on NOR flash, and reading it back. Touches a partition by reading only.

    sector   erase mark   magic, erase count, CRC32            written once the sector is erased
             use mark     sequence, oldest sequence held,
                          losses, first number, CRC32          written before its first entry
             entries      one after the other, each on a 4 byte boundary
    entry    header       mark, kind, length, number, CRC32 of these and the payload, commit word
             payload

What is half written fails its CRC or lacks its commit word, which is cleared last. Nothing is
written behind such a spot: reading a sector ends there.
"""

import struct
from binascii import crc32

from micropython import const

# Shared with journal.py.
PAGE = const(256)  # a program may not cross a page of the chip
USE_MARK_AT = const(12)
ENTRIES_AT = const(32)
HEADER = const(16)
CRC_AT = const(8)  # in an entry's header
COMMIT_AT = const(12)  # in an entry's header
MAGIC = b"PWJ1"  # the last character is the layout's version
MARK = const(0x5A)
COMMITTED = b"\x00\x00\x00\x00"

_BLANK = memoryview(b"\xff" * 256)

# What entry() found.
END = const(0)
TORN = const(1)
WHOLE = const(2)
BROKEN = const(3)


class Scan:
    """Looks at sectors and entries through one page of RAM; OSError when flash cannot be read."""

    def __init__(self, flash, sector_bytes):
        self._flash = flash
        self._size = sector_bytes
        self.page = memoryview(bytearray(PAGE))
        self._header = bytearray(HEADER)
        # The entry that entry() looked at last.
        self.kind = 0
        self.length = 0
        self.number = 0  # 0 when it cannot be trusted
        self.next = 0  # offset behind it

    def erases(self, sector):
        """-> how often the sector was erased, -1 when its last erase was not completed by us."""
        mark = self.page[:USE_MARK_AT]
        self._flash.readblocks(sector, mark, 0)
        magic, erases, crc = struct.unpack("<4sII", mark)
        return erases if magic == MAGIC and crc == crc32(mark[:8]) else -1

    def use(self, sector):
        """-> (sequence, oldest sequence held, losses, first number); None: unused; (): spoilt."""
        mark = self.page[: ENTRIES_AT - USE_MARK_AT]
        self._flash.readblocks(sector, mark, USE_MARK_AT)
        if mark == _BLANK[: ENTRIES_AT - USE_MARK_AT]:
            return None
        fields = struct.unpack("<IIIII", mark)
        return fields[:4] if fields[4] == crc32(mark[:16]) else ()

    def blank(self, sector, offset):
        """-> True when everything from `offset` to the sector's end is erased."""
        while offset < self._size:
            part = self.page[: PAGE - offset % PAGE]
            self._flash.readblocks(sector, part, offset)
            if part != _BLANK[: len(part)]:
                return False
            offset += len(part)
        return True

    def entry(self, sector, offset, check):
        """Look at the entry at `offset`: END, TORN, WHOLE or, with `check` of the CRC, BROKEN."""
        header = self._header
        if offset + HEADER > self._size:
            return END
        self._flash.readblocks(sector, header, offset)
        if header == _BLANK[:HEADER]:
            return END
        mark, self.kind, self.length, self.number = struct.unpack_from("<BBHI", header)
        self.next = (offset + HEADER + self.length + 3) & ~3
        if mark != MARK or self.next > self._size:
            self.number = 0
            return TORN
        intact = not check or self._intact(sector, offset + HEADER)
        if header[COMMIT_AT:] != COMMITTED:
            if not (check and intact):
                self.number = 0
            return TORN
        return WHOLE if intact else BROKEN

    def _intact(self, sector, offset):
        crc = crc32(memoryview(self._header)[:CRC_AT])
        left = self.length
        while left:
            part = self.page[: left if left < PAGE else PAGE]
            self._flash.readblocks(sector, part, offset)
            crc = crc32(part, crc)
            offset += len(part)
            left -= len(part)
        return crc == struct.unpack_from("<I", self._header, CRC_AT)[0]

    def tail(self, sector):
        """-> (where the next entry may go: the sector's end if spoilt, highest number seen)."""
        offset, highest = ENTRIES_AT, 0
        while True:
            found = self.entry(sector, offset, True)
            if found != BROKEN and found != END and self.number > highest:
                highest = self.number
            if found == END or found == TORN:
                break
            offset = self.next
        clean = found == END and self.blank(sector, offset)
        return (offset if clean else self._size), highest

    def count(self, sector, above, kinds):
        """-> how many entries have a number > `above` and a kind in `kinds` (None: any)."""
        offset = ENTRIES_AT
        total = 0
        while self.entry(sector, offset, False) == WHOLE:
            if self.number > above and (kinds is None or self.kind in kinds):
                total += 1
            offset = self.next
        return total

    def read(self, sector, offset, length):
        """-> payload of the entry there, None when it is not whole or not of this length."""
        if self.entry(sector, offset, False) != WHOLE or self.length != length:
            return None
        payload = bytearray(length)
        self._flash.readblocks(sector, payload, offset + HEADER)
        crc = crc32(payload, crc32(memoryview(self._header)[:CRC_AT]))
        return bytes(payload) if crc == struct.unpack_from("<I", self._header, CRC_AT)[0] else None


class RamFlash:
    """Stands in for a missing partition: three small sectors in RAM."""

    def __init__(self, sector_bytes):
        self._sectors = [bytearray(sector_bytes) for _ in range(3)]

    def readblocks(self, block, buf, offset):
        buf[:] = memoryview(self._sectors[block])[offset : offset + len(buf)]

    def writeblocks(self, block, buf, offset):
        self._sectors[block][offset : offset + len(buf)] = buf

    def ioctl(self, command, argument):
        if command == 6:
            sector = self._sectors[argument]
            for offset in range(0, len(sector), PAGE):
                sector[offset : offset + PAGE] = _BLANK
        return 0
