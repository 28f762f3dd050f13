"""An SSD1306 on I2C with 128x64 dots: RAM, addressing, and the switches that let anything show.

Source: SSD1306 datasheet rev 1.1, 8.1.5 (I2C), 9 (commands), 10.1.3 (addressing modes).
"""

import binascii

import micropython
from framebuf import MONO_VLSB, FrameBuffer

from plant.plug import Plug

_COLUMNS = 128
_PAGES = 8
_HORIZONTAL, _VERTICAL, _PAGED = range(3)

# Commands that bring parameters: how many. Scrolling is left out: nothing here scrolls.
_PARAMETERS = {
    0x20: 1, 0x21: 2, 0x22: 2, 0x81: 1, 0x8D: 1, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1,
    0xDB: 1,
}  # fmt: skip


def _font():
    """8 columns of dots -> character, as framebuf draws them."""
    cell = bytearray(8)
    frame = FrameBuffer(cell, 8, 8, MONO_VLSB)
    glyphs = {}
    for code in range(126, 31, -1):
        frame.fill(0)
        frame.text(chr(code), 0, 0)
        glyphs[bytes(cell)] = chr(code)
        glyphs[bytes(b ^ 0xFF for b in cell)] = chr(code)
    return glyphs


class Ssd1306(Plug):
    """write() is the bus; nak and shorted are faults; text() and pixels_hex() are what shows."""

    def __init__(self):
        super().__init__()
        self.ram = bytearray(_COLUMNS * _PAGES)
        self._glyphs = None
        self.power_on()

    def power_on(self):
        """Reset values; RAM comes up with a pattern, since the real one is not cleared."""
        for i in range(len(self.ram)):
            self.ram[i] = 0xA5 ^ i & 0xFF
        self.on = False
        self.pump = False
        self.contrast = 0x7F
        self.inverse = False
        self.lit_all = False
        self.upright = [False, False]  # segment and COM order as the usual module needs them
        self._mode = _PAGED
        self._column = self._page = 0
        self._columns = (0, _COLUMNS - 1)
        self._pages = (0, _PAGES - 1)
        self._command = None
        self._pending = []

    @micropython.native
    def write(self, buf):
        """One transfer, without its address byte. OSError(19) when the chip does not answer."""
        if self._nak or self.shorted:
            raise OSError(19)
        i = 0
        while i < len(buf):
            control = buf[i]
            if control & 0x3F:
                raise ValueError("control byte %02x" % control)
            end = i + 2 if control & 0x80 else len(buf)
            take = self._data if control & 0x40 else self._byte
            for byte in memoryview(buf)[i + 1 : end]:
                take(byte)
            i = end

    @micropython.native
    def _byte(self, byte):
        """A command, or a parameter of the one before."""
        if self._command is None:
            self._command = byte
            self._pending = []
        else:
            self._pending.append(byte)
        if len(self._pending) == _PARAMETERS.get(self._command, 0):
            command, self._command = self._command, None
            self._do(command, self._pending)

    def _do(self, command, values):
        if command < 0x10:
            self._column = self._column & 0x70 | command
        elif command < 0x20:
            self._column = (command & 7) << 4 | self._column & 0x0F
        elif command == 0x20:
            self._mode = values[0] & 3
        elif command == 0x21:
            self._columns = (values[0] & 0x7F, values[1] & 0x7F)
            self._column = self._columns[0]
        elif command == 0x22:
            self._pages = (values[0] & 7, values[1] & 7)
            self._page = self._pages[0]
        elif command == 0x81:
            self.contrast = values[0]
        elif command == 0x8D:
            self.pump = bool(values[0] & 4)
        elif command in (0xA0, 0xA1):
            self.upright[0] = command == 0xA1
        elif command in (0xA4, 0xA5):
            self.lit_all = command == 0xA5
        elif command in (0xA6, 0xA7):
            self.inverse = command == 0xA7
        elif command in (0xAE, 0xAF):
            self.on = command == 0xAF
        elif 0xB0 <= command <= 0xB7:
            self._page = command & 7
        elif command in (0xC0, 0xC8):
            self.upright[1] = command == 0xC8
        elif command not in _PARAMETERS and not 0x40 <= command <= 0x7F and command != 0xE3:
            raise ValueError("command %02x" % command)

    @micropython.native
    def _data(self, byte):
        self.ram[self._page * _COLUMNS + self._column] = byte
        if self._mode == _PAGED:
            self._column = (self._column + 1) % _COLUMNS
        elif self._mode == _HORIZONTAL:
            if self._next_column():
                self._next_page()
        elif self._next_page():
            self._next_column()

    @micropython.native
    def _next_column(self):
        wraps = self._column == self._columns[1]
        self._column = self._columns[0] if wraps else (self._column + 1) % _COLUMNS
        return wraps

    @micropython.native
    def _next_page(self):
        wraps = self._page == self._pages[1]
        self._page = self._pages[0] if wraps else (self._page + 1) % _PAGES
        return wraps

    def visible(self):
        """Plugged in, switched on with its charge pump, showing RAM, and the right way up."""
        return not self._nak and self.on and self.pump and not self.lit_all and all(self.upright)

    def text(self):
        """8 lines of 16 characters; `?` is a cell that is none; blank while not visible."""
        if not self.visible():
            return [" " * 16] * _PAGES
        if self._glyphs is None:
            self._glyphs = _font()
        return [
            "".join(
                self._glyphs.get(bytes(self.ram[at : at + 8]), "?")
                for at in range(page * _COLUMNS, (page + 1) * _COLUMNS, 8)
            )
            for page in range(_PAGES)
        ]

    def pixels_hex(self):
        """What shows: 1024 bytes in hex, a page of 128 columns after the other, bit 0 on top."""
        if not self.visible():
            return "00" * len(self.ram)
        flip = 0xFF if self.inverse else 0
        return binascii.hexlify(bytes(dots ^ flip for dots in self.ram)).decode()
