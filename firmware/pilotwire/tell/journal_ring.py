"""The journal's sectors: free (erased), in use (one is the head) or dead (may be erased).

Touches the partition. Two things hold at any moment, whatever is cut short:
* the head, which carries the highest numbers, is never erased before its successor is in use;
* the program that opens the last free sector also declares the oldest one dead and counts its
  losses: a loss is counted once, and without a free sector there is always one to erase.
"""

import struct
from array import array
from binascii import crc32

from micropython import const

from pilotwire.tell.journal_scan import ENTRIES_AT, MAGIC, USE_MARK_AT, RamFlash, Scan

_RAM_SECTOR = const(2048)  # holds one entry of the longest kind
_REST_STEPS = const(30000)  # idle steps before sectors that would not erase are tried again

_DEAD = const(0)
_FREE = const(1)
_USED = const(2)
_BAD = const(3)  # would not erase
_BLOCK_COUNT = const(4)
_BLOCK_SIZE = const(5)
_BLOCK_ERASE = const(6)


class Ring:
    """What lies in which sector; Journal puts the entries in."""

    def __init__(self, partition, counted):
        self.persistent = partition is not None and partition.ioctl(_BLOCK_COUNT, 0) >= 3
        if self.persistent:
            self._flash = partition
            self.sectors = partition.ioctl(_BLOCK_COUNT, 0)
            self._size = partition.ioctl(_BLOCK_SIZE, 0)
        else:
            self._flash = RamFlash(_RAM_SECTOR)
            self.sectors = 3
            self._size = _RAM_SECTOR
        self._scan = Scan(self._flash, self._size)
        self._counted = counted
        self.free_sectors = 0
        self.wear = 0
        self.lost = 0
        self.error = ""
        self.errors = 0
        self._state = bytearray(self.sectors)
        self.erases = array("I", [0] * self.sectors)
        self._seq = array("I", [0] * self.sectors)  # order of use; only of sectors in use
        self._last = array("I", [0] * self.sectors)  # no entry has a higher number; not the head's
        self._dead = 0  # how many sectors are dead
        self._rest = 0  # idle steps until bad sectors are tried again; 0: there are none
        self._head = -1
        self._offset = 0  # in the head, where the next entry goes; the sector's size: closed
        self._next = 1  # number of the next entry appended
        self._released = 0

    def mount(self):
        """At boot, contactor open: find the head, and see to one free sector (at most one erase on
        a healthy chip). What is not the journal's is dead, and erased as time allows."""
        first = array("I", [0] * self.sectors)
        held = 0  # the oldest sequence held, as the head knows it
        for sector in range(self.sectors):
            use = self._look(sector)
            if use:
                self._seq[sector] = use[0]
                first[sector] = use[3]
                if self._head < 0 or use[0] > self._seq[self._head]:
                    self._head = sector
                    held, self.lost, self._next = use[1:]
        for sector in range(self.sectors):
            if self._state[sector] == _USED:
                if self._seq[sector] < held:
                    self._state[sector] = _DEAD
                elif sector != self._head:
                    following = self._oldest(self._seq[sector] + 1)
                    self._last[sector] = first[following] - 1
            if self._state[sector] == _DEAD:
                self._dead += 1
                if not self.erases[sector]:  # new, or its count went with an erase cut short
                    self.erases[sector] = self.wear
            elif self._state[sector] == _FREE:
                self.free_sectors += 1
        if self._head >= 0:
            self._find_tail()
        while not self.free_sectors and self._dead:
            self._reclaim()

    def _look(self, sector):
        """Take in a sector's marks -> its use mark, if it is whole."""
        self._state[sector] = _DEAD
        try:
            erases = self._scan.erases(sector)
            use = self._scan.use(sector)
        except OSError:
            self._fault("read")
            return None
        if erases < 0:
            return None
        self.erases[sector] = erases
        if erases > self.wear:
            self.wear = erases
        if use is None:
            self._state[sector] = _FREE
        elif use:
            self._state[sector] = _USED
        return use

    def _find_tail(self):
        self._offset = self._size
        try:
            self._offset, highest = self._scan.tail(self._head)
        except OSError:
            self._fault("read")
            return
        if highest >= self._next:
            self._next = highest + 1

    # Finding a sector -----------------------------------------------------------------------

    def _oldest(self, seq=0):
        """-> the sector in use with the lowest sequence from `seq` on, -1 when there is none."""
        best = -1
        for sector in range(self.sectors):
            if self._state[sector] == _USED and self._seq[sector] >= seq:
                if best < 0 or self._seq[sector] < self._seq[best]:
                    best = sector
        return best

    def _least_worn(self, state):
        best = -1
        for sector in range(self.sectors):
            if self._state[sector] == state:
                if best < 0 or self.erases[sector] < self.erases[best]:
                    best = sector
        return best

    # Changing a sector's state --------------------------------------------------------------

    def _open(self, number):
        """Make the least worn free sector the head, `number` its first entry -> True when done."""
        sector = self._least_worn(_FREE)
        seq = 1
        if self._head >= 0:
            self._last[self._head] = number - 1
            seq = self._seq[self._head] + 1
        oldest = self._oldest()
        drop = -1
        lost = self.lost
        if self.free_sectors == 1 and not self._dead and oldest >= 0:
            drop = oldest
            lost += self._losses(drop)
            oldest = self._oldest(self._seq[drop] + 1)
        held = self._seq[oldest] if oldest >= 0 else seq
        mark = bytearray(ENTRIES_AT - USE_MARK_AT)
        struct.pack_into("<IIII", mark, 0, seq, held, lost, number)
        struct.pack_into("<I", mark, 16, crc32(memoryview(mark)[:16]))
        self.free_sectors -= 1
        if not self._program(sector, USE_MARK_AT, mark):
            self._kill(sector)
            return False
        self._state[sector] = _USED
        self._seq[sector] = seq
        self._head = sector
        self._offset = ENTRIES_AT
        self.lost = lost
        if drop >= 0:
            self._kill(drop)
        self._bury()
        return True

    def _losses(self, sector):
        """-> how many counted entries are in it that were not released."""
        try:
            return self._scan.count(sector, self._released, self._counted)
        except OSError:
            self._fault("read")
            return 0

    def _kill(self, sector):
        self._state[sector] = _DEAD
        self._dead += 1

    def _bury(self):
        """Sectors in which everything is released are dead, but never the head."""
        for sector in range(self.sectors):
            if self._state[sector] == _USED and sector != self._head:
                if self._last[sector] <= self._released:
                    self._kill(sector)

    def _reclaim(self):
        """Erase the least worn dead sector, and mark it as erased and how often."""
        sector = self._least_worn(_DEAD)
        self._dead -= 1
        self.erases[sector] += 1
        if not self._erase(sector):
            self._state[sector] = _BAD
            self._rest = _REST_STEPS
            return
        self._state[sector] = _FREE
        self.free_sectors += 1
        if self.erases[sector] > self.wear:
            self.wear = self.erases[sector]

    def _erase(self, sector):
        try:
            self._flash.ioctl(_BLOCK_ERASE, sector)
            erased = self._scan.blank(sector, 0)
        except OSError:
            erased = False
        if not erased:
            return self._fault("erase")
        mark = bytearray(USE_MARK_AT)
        struct.pack_into("<4sI", mark, 0, MAGIC, self.erases[sector])
        struct.pack_into("<I", mark, 8, crc32(memoryview(mark)[:8]))
        return self._program(sector, 0, mark)

    def _wait_for_bad(self):
        """One idle step: in the end, bad sectors are dead again, for another try."""
        self._rest -= 1
        if not self._rest:
            for sector in range(self.sectors):
                if self._state[sector] == _BAD:
                    self._kill(sector)

    def _program(self, sector, offset, data):
        """Program at most a page and read it back, which alone decides -> True: it is right."""
        try:
            self._flash.writeblocks(sector, data, offset)
        except OSError:
            pass
        back = self._scan.page[: len(data)]
        try:
            self._flash.readblocks(sector, back, offset)
        except OSError:
            return self._fault("read")
        return back == data or self._fault("program")

    def _fault(self, what):
        """Note a flash error -> False."""
        self.error = what
        self.errors += 1
        return False
