"""The display chip: SSD1306, 128x64, on I2C, written in small pieces.

May touch its I2C bus; nothing else. The stock image has no driver for it, and the usual one sends
1 KB at once: 25 ms in which nothing else runs. Here a step is one transfer of at most 64 bytes of
picture, 1.6 ms at 400 kHz. Command names: SSD1306 datasheet rev 1.1, table 9-1.
"""

import time

from framebuf import MONO_VLSB, FrameBuffer
from machine import I2C, Pin
from micropython import const

_RETRY_MS = const(10_000)  # between attempts to reach a display that does not answer
_HALF = const(64)  # bytes: 64 columns of one page of 8 rows
_HALVES = const(16)
_ALL = const(0xFFFF)

_COMMAND = const(0x00)  # control bytes: all that follows is commands, or picture
_DATA = const(0x40)
_PAGE = const(0xB0)

# Clock, multiplex, offset, start line, charge pump, page addressing, orientation of usual modules;
# then COM pins, pre-charge, VCOMH, show RAM, not inverted. Contrast follows.
_SETUP = (
    b"\x00\xd5\x80\xa8\x3f\xd3\x00\x40\x8d\x14\x20\x02\xa1\xc8",
    b"\x00\xda\x12\xd9\xf1\xdb\x30\xa4\xa6",
)
_DAY = b"\x00\x81\x7f"  # contrast: the chip's own value after reset
_NIGHT = b"\x00\x81\x07"  # a sixteenth of the segment current
_ON = b"\x00\xaf"
_CONTRAST = const(2)  # stages: setting up 0..1, contrast, picture, then switched on
_PICTURE = const(3)
_RUNNING = const(4)


class Ssd1306:
    """Spec: {"kind": "ssd1306", "i2c": id, "scl": pin, "sda": pin, "addr": 60}.

    Draw into `frame`, then mark in `dirty` what is to be sent: bit 2 * page is its left half,
    the next bit its right half.
    """

    def __init__(self, spec):
        self._scl = Pin(spec["scl"])
        self._sda = Pin(spec["sda"])
        self._i2c = I2C(spec["i2c"], scl=self._scl, sda=self._sda, freq=400_000)
        self._addr = spec["addr"]
        picture = bytearray(_HALF * _HALVES)
        self.frame = FrameBuffer(picture, 128, 64, MONO_VLSB)
        self._picture = memoryview(picture)
        self._goto = bytearray((_COMMAND, _PAGE, 0x00, 0x10))  # page; column low, high
        self._chunk = bytearray(1 + _HALF)
        self._chunk[0] = _DATA
        self._body = memoryview(self._chunk)[1:]
        self._night = False
        self.ok = False  # the display answered the last time
        self._failed = False  # and `_failed_ms` says when it last did not
        self._failed_ms = 0
        self.start_over()

    def start_over(self):
        """Set the chip up again and send it everything: a spark may have reset it unnoticed."""
        self._stage = 0
        self.dirty = _ALL

    def dim(self, night):
        """Less contrast at night."""
        if night != self._night:
            self._night = night
            if self._stage > _CONTRAST:
                self._stage = _CONTRAST

    def busy(self):
        """There is something to send."""
        return self.dirty != 0 or self._stage != _RUNNING

    def step(self, t_ms):
        """Send the next piece; True when the bus was used. Raises nothing."""
        if self._failed and time.ticks_diff(t_ms, self._failed_ms) < _RETRY_MS:
            return False
        # With a line held low the port may wait up to 100 ms a byte (machine_i2c.c): look first.
        if self._scl.value() and self._sda.value():
            try:
                self._send()
                self.ok = True
                self._failed = False
                return True
            except OSError:
                pass
        self.ok = False
        self._failed = True
        self._failed_ms = t_ms
        self.start_over()
        return True

    def _send(self):
        stage = self._stage
        if stage < _PICTURE:
            contrast = _NIGHT if self._night else _DAY
            self._i2c.writeto(self._addr, _SETUP[stage] if stage < _CONTRAST else contrast)
            self._stage = stage + 1
        elif self.dirty:
            self._send_half()
        else:
            self._i2c.writeto(self._addr, _ON)
            self._stage = _RUNNING

    def _send_half(self):
        half = 0
        while not self.dirty >> half & 1:
            half += 1
        self._goto[1] = _PAGE | half >> 1
        self._goto[3] = 0x10 | (half & 1) << 2
        self._i2c.writeto(self._addr, self._goto)
        self._body[:] = self._picture[half * _HALF : (half + 1) * _HALF]
        self._i2c.writeto(self._addr, self._chunk)
        self.dirty &= ~(1 << half)
