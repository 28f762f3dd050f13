"""Digital lines: contactor feedback, trip lines, earth, lid, button. Touches pins; no allocation.

Each is one bit of Reading.lines (decide/reading.py), 1 when it says what its name says.
"""

from time import sleep_us

from machine import Pin
from micropython import const

_TRIPS = const(3)  # bits of Reading.lines
_AUX = const(4)
_LOAD = const(8)
_BUTTON = const(128)
# A trip line that is active is looked at this often more before it is believed: chatter from the
# contactor or from outside, shorter than 1 ms, opens nothing.
_MORE = const(4)
_APART_US = const(300)
_BOUNCE = const(3)  # looks until the button counts as pressed, and as let go
_MOST_MS = const(1 << 28)
_LOOK_MS = const(20)  # what one look proves, however long the stall before it


class Inputs:
    """look(r, dt_ms) once a tick; tripped(r) while the contactor is closed, more often than that."""

    def __init__(self, lines):
        """`lines`: board.inputs, a (GPIO, level, bit) each: the bit is 1 at this level."""
        self._lines = [(Pin(pin, Pin.IN).value, bit) for pin, _, bit in lines]
        self._trips = [line for line in self._lines if line[1] & _TRIPS]
        self._low = self._has = 0
        for _, level, bit in lines:
            self._has |= bit
            if not level:
                self._low |= bit
        self._trips_low = self._low & _TRIPS
        self._before = -1
        self._bounce = 0

    def look(self, r, dt_ms):
        lines = self._low
        for read, bit in self._lines:
            if read():
                lines ^= bit
        if lines != self._before or self._bounce:
            self._before = r.lines = lines
            if self._has & _AUX:
                r.aux = lines >> 2 & 1
            if self._has & _LOAD:
                r.load = lines >> 3 & 1
            self._press(r, lines & _BUTTON, dt_ms)

    def tripped(self, r):
        """Trip lines that are active and stay so for 1.2 ms, also into `r.trips`; 0 = none."""
        bits = self._trips_low
        for read, bit in self._trips:
            if read():
                bits ^= bit
        return self._confirmed(r, bits) if bits else 0

    def _confirmed(self, r, bits):
        for _ in range(0 if r.trips else _MORE):
            sleep_us(_APART_US)
            lines = self._trips_low
            for read, bit in self._trips:
                if read():
                    lines ^= bit
            bits &= lines
        r.trips |= bits
        return r.trips

    def _press(self, r, pressed, dt_ms):
        bounce = self._bounce + (1 if pressed else -1)
        if r.button and bounce <= 0:
            r.button = 0
        elif r.button or bounce >= _BOUNCE:
            if r.button < _MOST_MS:
                r.button += dt_ms if dt_ms < _LOOK_MS else _LOOK_MS
        if 0 <= bounce <= _BOUNCE:
            self._bounce = bounce
