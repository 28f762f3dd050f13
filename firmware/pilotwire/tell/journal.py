"""An append-only ring of numbered entries on NOR flash; a power cut at any moment cannot hurt it.

Touches its partition. append() only copies; step() does the flash work, a page at a time, and
erases only when told that it may: an erase stalls the chip for 45-400 ms. The sectors:
journal_ring.py; how things lie on flash: journal_scan.py.
"""

import struct
from binascii import crc32

from micropython import const

from pilotwire.tell.journal_ring import Ring
from pilotwire.tell.journal_scan import (
    COMMIT_AT, COMMITTED, CRC_AT, END, ENTRIES_AT, HEADER, MARK, PAGE, TORN, WHOLE,
)

MAX_PAYLOAD = 2000

_STAGE = const(2112)  # the longest entry, and two checkpoints
_TRIES = const(2)  # places that an entry is tried in


class Journal(Ring):
    """`partition`: an esp32.Partition, or None: then 6 KB of RAM serve, and `persistent` is False.

    `counted`: the kinds (bytes or tuple) whose loss counts in `lost`; None: all kinds.
    To be read: sectors, free_sectors (erased), wear (highest erase count), lost (counted entries
    that made room for newer ones or could not be written; on flash with the next sector opened),
    error ("" or the last one: "read", "program", "erase"), errors (how many).
    """

    def __init__(self, partition, *, counted=None):
        super().__init__(partition, counted)
        # Entries wait here as they will lie on flash; back to the start when all are written.
        self._stage = memoryview(bytearray(_STAGE))
        self._used = 0
        self._at = 0  # the entry being written
        self._done = 0  # bytes of it on flash
        self._tries = 0  # places in which it failed
        self.written_number = 0  # the entry finished last, and where it lies
        self.written_address = 0

    @property
    def free_bytes(self):
        """Bytes that need no erase; an entry takes its payload, 16 more, and fills up to 4."""
        rest = self._size - self._offset if self._head >= 0 else 0
        return self.free_sectors * (self._size - ENTRIES_AT) + rest

    @property
    def oldest_sector_end(self):
        """The highest entry number in the oldest sector held; 0 when the head is the only one.

        To gain room: append again what must live on, flush, then release() this.
        """
        oldest = self._oldest()
        return self._last[oldest] if oldest >= 0 and oldest != self._head else 0

    def append(self, kind, payload):
        """Stage an entry: kind 0-255, payload up to 2000 bytes -> its number; -1: no room.

        Numbers grow and are not given twice. A number counts once its entry is on flash, no
        longer pending: one that a power cut took before may be given again in the next life.
        """
        length = len(payload)
        at = self._used
        end = (at + HEADER + length + 3) & ~3
        if length > MAX_PAYLOAD or end > _STAGE:
            return -1
        number = self._next
        stage = self._stage
        struct.pack_into("<BBHI", stage, at, MARK, kind, length, number)
        stage[at + HEADER : at + HEADER + length] = payload
        crc = crc32(payload, crc32(stage[at : at + CRC_AT]))
        struct.pack_into("<Ii", stage, at + CRC_AT, crc, -1)
        self._next = number + 1
        self._used = end
        return number

    def pending(self):
        """True while something that was appended is not yet on flash."""
        return self._used != 0

    def release(self, number):
        """Nothing needs the entries up to `number` any more: sectors without others may be erased.

        Not kept over a restart: its caller knows it from entries of its own.
        """
        if number > self._released:
            self._released = number
            self._bury()

    def flush(self, on_step=None):
        """Write all that is pending and that the flash takes; on_step() after each piece of it, for
        `written_number` is that of the newest entry only. May erase: contactor open only."""
        while self._used and self.step(True):
            if on_step:
                on_step()

    def step(self, may_erase):
        """One piece of work -> 0 nothing to do, 1 programmed up to 256 bytes, 2 erased a sector.

        Never raises. What has no room without an erase waits until `may_erase`.
        """
        if self._used and self._write():
            return 1
        if not may_erase and self.persistent:
            return 0
        if self._dead:
            self._reclaim()
            return 2
        if self._rest:
            self._wait_for_bad()
        return 0

    def scan(self, on_entry):
        """on_entry(kind, number, length, address) for each whole entry on flash, oldest first."""
        highest = 0
        sector = self._oldest()
        while sector >= 0:
            offset = ENTRIES_AT
            while True:
                found = self._entry(sector, offset)
                if found == END or found == TORN:
                    break
                address = sector * self._size + offset
                offset = self._scan.next
                if found == WHOLE and self._scan.number > highest:
                    highest = self._scan.number
                    on_entry(self._scan.kind, highest, self._scan.length, address)
            sector = self._oldest(self._seq[sector] + 1)

    def _entry(self, sector, offset):
        try:
            return self._scan.entry(sector, offset, True)
        except OSError:
            self._fault("read")
            return TORN

    def read(self, address, length):
        """-> the payload as bytes, None when it is not (or no longer) whole."""
        try:
            return self._scan.read(address // self._size, address % self._size, length)
        except OSError:
            self._fault("read")
            return None

    # Writing --------------------------------------------------------------------------------

    def _write(self):
        """Program the next piece of the oldest staged entry -> False: no room on flash."""
        kind, length, number = struct.unpack_from("<BHI", self._stage, self._at + 1)
        whole = HEADER + length
        if self._head < 0 or self._offset + whole > self._size:
            if not self.free_sectors:
                return False
            done = self._open(number)
        elif self._done < whole:
            done = self._write_piece(whole)
        else:
            done = self._program(self._head, self._offset + COMMIT_AT, COMMITTED)
            if done:
                self.written_number = number
                self.written_address = self._head * self._size + self._offset
                self._offset = (self._offset + whole + 3) & ~3
                self._finish(whole)
        if not done:
            self._failed(kind, whole)
        return True

    def _write_piece(self, whole):
        offset = self._offset + self._done
        piece = PAGE - offset % PAGE
        if piece > whole - self._done:
            piece = whole - self._done
        start = self._at + self._done
        if not self._program(self._head, offset, self._stage[start : start + piece]):
            return False
        self._done += piece
        return True

    def _finish(self, whole):
        """On to the next staged entry."""
        self._done = self._tries = 0
        self._at = (self._at + whole + 3) & ~3
        if self._at == self._used:
            self._at = self._used = 0

    def _failed(self, kind, whole):
        """Close the head. The entry gets another try in another sector, then it is lost."""
        self._offset = self._size
        self._done = 0
        self._tries += 1
        if self._tries == _TRIES:
            if self._counted is None or kind in self._counted:
                self.lost += 1
            self._finish(whole)
