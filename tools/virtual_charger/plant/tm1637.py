"""A TM1637 with four digits on two wires: start, stop, bits, acknowledgement, and what shows.

Source: TM1637 datasheet V2.4, "Interface interpretation" and "Data command". Both lines are as the
pins and the chip together leave them: whoever pulls low wins.
"""

import micropython
from plant.plug import Plug

_READY, _COMMAND, _DATA = range(3)

# What a person reads in segments a (bit 0, top), b to f clockwise, g (bit 6). 5 and S are one shape.
_READ = {
    0x00: " ", 0x40: "-", 0x08: "_", 0x3F: "0", 0x06: "1", 0x5B: "2", 0x4F: "3", 0x66: "4",
    0x6D: "5", 0x7D: "6", 0x07: "7", 0x7F: "8", 0x6F: "9", 0x77: "A", 0x7C: "b", 0x39: "C",
    0x58: "c", 0x5E: "d", 0x79: "E", 0x71: "F", 0x76: "H", 0x74: "h", 0x30: "I", 0x1E: "J",
    0x38: "L", 0x54: "n", 0x5C: "o", 0x73: "P", 0x50: "r", 0x78: "t", 0x3E: "U", 0x1C: "u",
    0x6E: "y",
}  # fmt: skip


class Tm1637(Plug):
    """wire() is the bus; nak and shorted are faults; digits() is what shows."""

    def __init__(self):
        super().__init__()
        self.frames = []  # bytes of each whole frame since somebody last looked
        self._clk = self._dio = 1
        self.power_on()

    def power_on(self):
        """Registers come up with a pattern: the datasheet does not say that they are cleared."""
        self.ram = bytearray(b"\xa5\x5a\xff\x00\x81\x18")
        self.on = False
        self.brightness = 0
        self._fixed = False
        self._address = 0
        self._frame = None  # bytes since the start condition, None outside a frame
        self._bits = self._byte = 0
        self.ack = False  # the chip pulls DIO low

    @micropython.native
    def wire(self, clk, dio):
        """The master's levels; `dio` 1 is a line let go. ValueError: DIO moved when it may not."""
        was_clk, was_dio = self._clk, self._dio
        self._clk, self._dio = clk, dio
        if self._nak or self.shorted:
            return
        if clk and was_clk and dio != was_dio:
            self._edge_while_high(dio)
        elif self._frame is not None:
            if clk and not was_clk:
                self._rising(dio)
            elif was_clk and not clk:
                self._falling()

    @micropython.native
    def _edge_while_high(self, dio):
        """DIO moves while the clock is high: down is a start, up a stop, between the bytes only."""
        if not dio:
            self._frame = bytearray()
            self._bits = self._byte = 0
        elif self._frame is not None:
            if self._bits > 1 or self.ack:  # 1: the stop's own clock
                raise ValueError("TM1637: DIO rose within a byte")
            frame, self._frame = self._frame, None
            self.frames.append(bytes(frame))
            self._do(frame)

    @micropython.native
    def _rising(self, dio):
        if self._bits < 8:
            self._byte |= dio << self._bits
        self._bits += 1

    @micropython.native
    def _falling(self):
        if self._bits == 8:
            self.ack = True
        elif self._bits == 9:
            self._frame.append(self._byte)
            self._bits = self._byte = 0
            self.ack = False

    def _do(self, frame):
        if not frame:
            return
        command = frame[0]
        if command & 0xC0 == 0x40:
            if command & 0x3B:
                raise ValueError("TM1637: data command %02x is no write" % command)
            self._fixed = bool(command & 4)
        elif command & 0xC0 == 0x80:
            self.on = bool(command & 8)
            self.brightness = command & 7
        elif command & 0xC0 == 0xC0:
            self._address = command & 15
            if self._address + len(frame) - 1 > len(self.ram):
                raise ValueError("TM1637: no digit %d" % self._address)
            for byte in frame[1:]:
                self.ram[self._address] = byte
                if not self._fixed:
                    self._address += 1

    def visible(self):
        return self.on and not self._nak

    def segments(self):
        """Bytes of the four digits as they shine."""
        return bytes(self.ram[:4]) if self.visible() else bytes(4)

    def digits(self):
        """What a person reads, a point behind the digit that has it; `?` is no character."""
        return "".join(
            _READ.get(byte & 0x7F, "?") + ("." if byte & 0x80 else "") for byte in self.segments()
        )

    def text(self):
        """As an SSD1306's text(): lines."""
        return [self.digits()]

    def pixels_hex(self):
        """None of the pixels that an SSD1306 has."""
        return ""
