"""Four digits on a TM1637: code, countdown, amps and kWh by turns.

May touch its two pins, and reads the panel; nothing else. The wire is the chip's own, like I2C but
without an address and with the lowest bit first (TM1637 datasheet V2.4, "Interface
interpretation"), and the stock image has no driver for it. A step sends one frame of at most two
bytes: 63 pin calls of 3.4 us and the bytecode of 80 loop turns of 2.2 us, about 0.4 ms.

| what | as in | when |
|---|---|---|
| code | E1-2 | a fault or a warning, as the LED shows it |
| countdown | t 59 | seconds until it goes on by itself |
| state | FrEE | texts.FOUR; while charging what the busiest phase takes: 16.0A |
| energy | 5.67 | kWh of the session |

A fault before any energy flowed leaves out state and energy. The module must have a point behind
each digit: on one for clocks, with a colon, 5.67 reads as 567.
"""

import time

from machine import Pin
from micropython import const

_LOOK_MS = const(500)  # the display follows the panel at most twice a second
_TURN = const(4)  # looks: each text is shown so long
_REFRESH = const(120)  # looks, a minute or more: then everything is sent again, see display.py
_RETRY_MS = const(10_000)  # between attempts to reach a display that does not answer
_FAULT = const(6)
_CHARGING = const(3)
_STOPPED = const(5)  # of texts.FOUR

_FIXED = const(0x44)  # data command: write, to the address given
_ADDRESS = const(0xC0)
_DAY = const(0x8F)  # display control: on, pulse width 14/16
_NIGHT = const(0x88)  # 1/16
_POINT = const(0x80)

# Frames, one bit each: the data command, the four digits, the display control. Switching on comes
# last, since the digits come up with anything.
_DIGIT = const(2)
_CONTROL = const(32)
_ALL = const(63)

# Segments a to g are bits 0 to 6: a on top, b to f clockwise, g in the middle.
_CHARS = " -0123456789tEFrCAPUSIuo"
_SEGMENTS = (
    b"\x00\x40\x3f\x06\x5b\x4f\x66\x6d\x7d\x07\x7f\x6f"
    b"\x78\x79\x71\x50\x39\x77\x73\x3e\x6d\x30\x1c\x5c"
)


def _code(p, texts):
    return "E%d-%d" % (p.code_major, p.code_minor) if p.code_major else ""


def _countdown(p, texts):
    return "t%3d" % p.wait_s if 0 <= p.wait_s < 1000 else ""


def _state(p, texts):
    mode = p.mode
    if mode == _CHARGING:
        return "%2d.%dA" % (p.drawn_ma // 1000 % 100, p.drawn_ma % 1000 // 100)
    if mode == _FAULT:
        if p.code_major and not p.session_wh:
            return ""
        mode = _STOPPED
    return texts.FOUR[4 * mode : 4 * mode + 4]


def _energy(p, texts):
    wh = p.session_wh
    if wh >= 100_000:
        return "%3d.%d" % (wh // 1000 % 1000, wh % 1000 // 100)
    return "%2d.%02d" % (wh // 1000, wh % 1000 // 10) if wh or p.mode == _CHARGING else ""


_TURNS = (_code, _code, _countdown, _state, _energy)  # the code has two


class Display:
    """Spec: {"kind": "tm1637", "clk": pin, "dio": pin}; `texts`: a module like texts_en."""

    WORDS = False

    def __init__(self, spec, texts):
        self._clk = Pin(spec["clk"], Pin.OUT, value=1)
        # Pulled up and never driven high, so that the chip can acknowledge.
        self._dio = Pin(spec["dio"], Pin.OPEN_DRAIN, Pin.PULL_UP, value=1)
        self._texts = texts
        self._digits = bytearray(4)  # segments of each
        self._control = _DAY
        self._due = _ALL  # frames to send
        self._code = self._turn = 0
        self._looks = -1  # before the first
        self._looked_ms = 0
        self.ok = False  # the display answered the last time
        self._failed = False  # and `_failed_ms` says when it last did not
        self._failed_ms = 0

    def step(self, p, t_ms):
        """Send one frame, or look whether anything changed.

        `t_ms` is any clock with the wrap of ticks_ms. True when the wire was used; raises nothing.
        """
        if self._looks < 0 or not self._due:
            if self._looks < 0 or time.ticks_diff(t_ms, self._looked_ms) >= _LOOK_MS:
                self._looked_ms = t_ms
                self._look(p)
            return False
        if self._failed and time.ticks_diff(t_ms, self._failed_ms) < _RETRY_MS:
            return False
        self.ok = self._frame()
        self._failed = not self.ok
        if self._failed:
            self._failed_ms = t_ms
            self._due = _ALL
            self._looks = -1  # by then other digits will be wanted
        return True

    def _look(self, p):
        self._looks += 1
        code = p.code_major << 4 | p.code_minor
        if code != self._code:  # it is shown at once
            self._code = code
            self._turn = self._looks = 0
        elif self._looks % _TURN == 0:
            self._turn = (self._turn + 1) % len(_TURNS)
        if self._looks == _REFRESH:
            self._looks = 0
            self._due = _ALL
        text = _TURNS[self._turn](p, self._texts)
        while not text:
            self._turn = (self._turn + 1) % len(_TURNS)
            text = _TURNS[self._turn](p, self._texts)
        at = -1
        shown = bytes(self._digits)
        digits = self._digits
        for char in text:
            if char == ".":
                digits[at] |= _POINT
            else:
                at += 1
                digits[at] = _SEGMENTS[_CHARS.index(char)]
        for at in range(4):
            if digits[at] != shown[at]:
                self._due |= _DIGIT << at
        control = _NIGHT if p.night else _DAY
        if control != self._control:
            self._control = control
            self._due |= _CONTROL

    def _frame(self):
        """Send the next frame; False when the display does not answer."""
        clk, dio = self._clk, self._dio
        if not (clk() and dio()):
            return False  # a line is held low
        bit = self._due & -self._due
        dio(0)  # start: falls while the clock is high
        if bit == _CONTROL:
            ok = self._byte(self._control)
        elif bit < _DIGIT:
            ok = self._byte(_FIXED)
        else:
            at = 0
            while bit > _DIGIT << at:
                at += 1
            ok = self._byte(_ADDRESS | at) and self._byte(self._digits[at])
        clk(0)
        dio(0)
        clk(1)
        dio(1)  # stop: rises while the clock is high
        self._due &= ~bit
        return ok

    def _byte(self, value):
        """Eight bits, the lowest first, and a ninth clock in which the chip pulls DIO low."""
        clk, dio = self._clk, self._dio
        for _ in range(8):
            clk(0)
            dio(value & 1)
            value >>= 1  # meanwhile the line rises, slowly if a module has capacitors on it
            clk(1)
        clk(0)
        dio(1)
        clk(1)
        return not dio()
