"""NOR flash as the journal meets it: programming only clears bits, power can go at any byte.

What was done before a cut or a kill of this process is what the next start finds in the file.
Times: a page program 1 to 3 ms, a sector erase 45 ms, at most 400 ms (NOR datasheets).
"""

import os

_PAGE = 256
_PROGRAM_PARTS = 4  # time passes, and power may go, this often within a page
_ERASE_PARTS = 8
_ERASED = b"\xff" * _PAGE
_READ_US = 20  # caches off and on again; then about 10 bytes a microsecond (DIO, 40 MHz)

chip = None  # the Nor behind esp32.Partition; None: the board's table has no journal partition


class PowerCut(BaseException):
    """The supply has failed: nothing of the firmware runs on."""


class Nor:
    """`size` bytes of flash, kept in the file at `path` if one is given. Erased, it reads 0xFF."""

    def __init__(self, clock, path=None, size=131072, *, sector=4096, erase_us=45000, seed=1):
        self.clock = clock
        self.size = size
        self.sector = sector
        self.erase_us = erase_us
        self.cells = bytearray(b"\xff" * size)
        self.wear = [0] * (size // sector)  # erases begun, by sector
        self.programs = 0
        self.stall_us = 0
        self.on_op = None  # called with ("program" or "erase", microseconds) after each
        self._faults = set()
        self._stuck = {}  # address: (mask of the stuck bits, what they read)
        self._left = -1  # units until the power goes; -1: it stays
        self._random = seed
        self._file = self._open(path) if path else None

    # Reading and changing -------------------------------------------------------------------

    def read(self, address, buf):
        self._inside(address, len(buf))
        self.clock.advance(_READ_US + len(buf) // 10)
        buf[:] = memoryview(self.cells)[address : address + len(buf)]

    def program(self, address, data):
        """Clear the bits that are 0 in `data`; OSError(5) with the fault "program_fail"."""
        self._inside(address, len(data))
        if "program_fail" in self._faults:
            raise OSError(5)
        spent = done = 0
        while done < len(data):
            page = min(len(data) - done, _PAGE - (address + done) % _PAGE)
            us = 1000 + self._rand(2001)
            spent += us
            for part in range(_PROGRAM_PARTS):
                self.clock.advance(us // _PROGRAM_PARTS)
                first = done + page * part // _PROGRAM_PARTS
                last = done + page * (part + 1) // _PROGRAM_PARTS
                self._program_part(address, data, first, last)
            done += page
        self.programs += 1
        self._report("program", spent)

    def erase(self, sector):
        """Set a sector to 0xFF; OSError(5) with the fault "erase_fail"."""
        self._inside(sector * self.sector, self.sector)
        if "erase_fail" in self._faults:
            raise OSError(5)
        self.wear[sector] += 1
        begin = self._rand(_ERASE_PARTS)
        for part in range(_ERASE_PARTS):
            self.clock.advance(self.erase_us // _ERASE_PARTS)
            self._erase_part(sector, (begin + part) % _ERASE_PARTS)
        start = sector * self.sector
        self.cells[start : start + self.sector] = b"\xff" * self.sector
        self._store(start, self.sector)
        self._report("erase", self.erase_us)

    # What a test or a scenario does to it ---------------------------------------------------

    def cut_after(self, units):
        """Lose power after `units` more, in the next: a byte programmed is one, an erase eight."""
        self._left = units

    def fault(self, name):
        """Switch on "program_fail", "erase_fail" or "stuck_bits" (a worn cell in odd sectors)."""
        self._faults.add(name)
        if name == "stuck_bits":
            for sector in range(1, self.size // self.sector, 2):
                address = sector * self.sector + self._rand(self.sector)
                self._stuck[address] = (1 << self._rand(8), 0 if sector % 4 == 1 else 255)

    def clear(self, name):
        self._faults.discard(name)
        if name == "stuck_bits":
            self._stuck.clear()

    # ----------------------------------------------------------------------------------------

    def _program_part(self, address, data, first, last):
        cells = self.cells
        whole = last
        if 0 <= self._left < last - first:
            whole = first + self._left
        self._and(address + first, memoryview(data)[first:whole])
        if whole < last:  # power failed in this byte; a page is programmed at once, so maybe in more
            for i in range(whole, last if self._rand(2) else whole + 1):
                cells[address + i] &= data[i] | self._rand(256)
        self._store(address + first, last - first)
        self._spend(last - first)

    def _and(self, address, data):
        cells = self.cells
        n = len(data)
        if cells[address : address + n] == _ERASED[:n]:  # nearly always, and much quicker
            cells[address : address + n] = data
            return
        for i in range(n):
            cells[address + i] &= data[i]

    def _erase_part(self, sector, part):
        """One eighth of the sector on its way: cleared first, then anything, then erased."""
        length = self.sector // _ERASE_PARTS
        start = sector * self.sector + part * length
        look = (b"\xff", b"\x00", bytes([self._rand(256) for _ in range(16)]))[self._rand(3)]
        self.cells[start : start + length] = look * (length // len(look))
        self._store(start, length)
        self._spend(1)

    def _spend(self, units):
        if self._left < 0:
            return
        self._left -= units
        if self._left < 0:
            raise PowerCut("flash")

    def _store(self, address, length):
        if self._stuck:
            for cell, (mask, reads) in self._stuck.items():
                self.cells[cell] = self.cells[cell] & ~mask | reads & mask
        if self._file:  # unbuffered: a write that returned outlives a kill of this process
            self._file.seek(address)
            self._file.write(memoryview(self.cells)[address : address + length])

    def _open(self, path):
        try:
            kept = os.stat(path)[6] == self.size
        except OSError:
            kept = False
        if not kept:
            with open(path, "wb") as file:
                file.write(self.cells)
        file = open(path, "r+b")
        file.readinto(self.cells)
        return file

    def _inside(self, address, length):
        if address < 0 or address + length > self.size:
            raise OSError(-260, "ESP_ERR_INVALID_SIZE")

    def _report(self, kind, us):
        self.stall_us += us
        if self.on_op:
            self.on_op(kind, us)

    def _rand(self, n):
        self._random = (self._random * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._random >> 8) % n
