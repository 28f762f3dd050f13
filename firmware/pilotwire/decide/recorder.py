"""The half second before a trip, as pilot and meter showed it. Pure; step() once a tick.

Two rings of 16-bit numbers, 348 bytes. A tick: high and low plateau in mV (_UNREAD: none were found),
then ms since the tick before << 5 | a snapshot came << 4 | contactor << 3 | pilot state 0..5.
A snapshot of the meter: volts L1..L3 in 0.01 V, amps L1..L3 in 0.01 A.
"""

from array import array

from micropython import const

_RING = const(150)  # 50 ticks
_METER = const(24)  # 4 snapshots; a meter makes three or four in a second
_UNREAD = const(-32768)
_LONGEST_MS = const(1000)


class Recorder:
    def __init__(self):
        self._ring = array("h", [0] * _RING)
        self._meter = array("H", [0] * _METER)
        self._at = self._meter_at = 0  # where the oldest are
        self._fresh = 0

    def step(self, r, charging, dt_ms):
        if dt_ms > _LONGEST_MS:
            dt_ms = _LONGEST_MS
        bits = dt_ms << 5 | charging.contactor << 3 | charging.letter
        if r.meter_fresh != self._fresh:
            self._fresh = r.meter_fresh
            self._snapshot(r)
            bits |= 1 << 4
        at = self._at
        ring = self._ring
        ring[at] = r.cp_high_mv if r.cp_ok else _UNREAD
        ring[at + 1] = r.cp_low_mv
        ring[at + 2] = bits
        at += 3
        self._at = at if at < _RING else 0

    def _snapshot(self, r):
        at = self._meter_at
        meter = self._meter
        for phase in range(3):
            meter[at] = r.v_cv[phase]
            meter[at + 3] = r.i_ma[phase] // 10
            at += 1
        at += 3
        self._meter_at = at if at < _METER else 0

    def copy(self):
        """(ticks, snapshots): the rings, oldest first; zeros where nothing was yet. Allocates."""
        ring, meter = self._ring, self._meter
        at, meter_at = self._at, self._meter_at
        return ring[at:] + ring[:at], meter[meter_at:] + meter[:meter_at]
