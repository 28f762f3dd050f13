"""Looks for faults in what was sensed and what was commanded. Pure; called once a tick.

Pilot and contactor are judged here; what the meter shows in over_current.py, supply.py and
meter_check.py.
"""

from micropython import const

from pilotwire.decide.fault_rows import (
    DIODE, METER_LOST, NO_CLOSE, PILOT_GENERATOR, PILOT_NOISY, PILOT_SHORT, VENTILATION, WELDED,
)
from pilotwire.decide.letters import A, D, E, SHORT_MV, STATE_F, X1

_WELD_MS = const(250)  # auxiliary contact after opening; Tinkerforge and Phoenix use 200..250 ms
_CLOSE_MS = const(500)
_GENERATOR_MS = const(3000)  # a plug going in slowly, or wet, makes such levels for a while
_NOISY_MS = const(1000)  # pilot unreadable or flickering; good looks take back half as much
_AIR_MS = const(200)  # in D with the contactor open: a plug going in passes through it
_METER_LOST_MS = const(10000)
_STALE_MS = const(2000)
_DRAWS_MA = const(1000)  # what a car that has stopped draws less than
_LOOK_MS = const(20)  # what one tick proves, however long the stall before it
_SNAPSHOT_MS = const(400)  # what one snapshot proves
_AUX_MS = const(30)  # of disagreement: one stray sample is none
_ENOUGH_MS = const(1 << 20)


class Protection:
    """Raises rows of the fault table, and says when their causes are gone."""

    def __init__(self, has_meter, rating_ma, peak_most_ma=0, phases=3, uk=False):
        """`peak_most_ma`: where the meter's peaks of the currents end, 0 = it has none; `phases`: that
        board and meter have; `uk`: the mains is judged by BS 7671."""
        self.has_meter = has_meter
        self.meter_ms = 0  # since the last fresh snapshot
        self.active_ma = 0  # highest phase, active current, of the newest snapshot
        self._fresh = 0
        self._since_ms = 0  # the newest snapshot
        self._gap_ms = 0  # between that and the one before
        self._proves_ms = 0  # and how much of it counts
        self._part = 0  # of its judging, left
        self._aux_ms = 0  # since the contacts disagree with the command
        self._live = False  # voltage was seen behind the contactor since it closed
        self._noisy_ms = 0
        self._generator_ms = 0
        self._air_ms = 0  # in D without ventilation
        if has_meter:
            from pilotwire.decide.meter_check import MeterCheck
            from pilotwire.decide.over_current import OverCurrent
            from pilotwire.decide.supply import Supply

            self._current = OverCurrent(rating_ma, peak_most_ma)
            self._check = MeterCheck(rating_ma)
            self._supply = Supply(phases, uk)

    def step(self, r, charging, faults, dt_ms):
        # Where this and what it calls need more than 11 words, a call takes them from the heap.
        self._pilot(r, charging, faults, dt_ms)
        if r.aux >= 0 or r.load >= 0:
            self._contactor(r, charging, faults, dt_ms)
        if self.has_meter:
            self._meter(r, charging, faults, dt_ms)

    def _pilot(self, r, charging, faults, dt_ms):
        if dt_ms > _LOOK_MS:
            dt_ms = _LOOK_MS
        if charging.pilot_shorted:
            faults.raise_(PILOT_SHORT)
        elif faults.active:
            faults.gone(PILOT_SHORT)
        if charging.diode_lost:
            faults.raise_(DIODE)
        elif faults.active:
            faults.gone(DIODE)
        if charging.letter == D and not charging.ventilation:
            if self._air_ms < _AIR_MS:
                self._air_ms += dt_ms
                if self._air_ms >= _AIR_MS:
                    charging.unvented(faults)
        elif self._air_ms and charging.letter < D:
            self._air_ms = 0
            faults.gone(VENTILATION)
        # Without a car +12 V must be +12 V. A car in B reads 9 V, so a level between is the generator,
        # or, just below B's band, unclear.
        high_mv = r.cp_high_mv
        low = charging.letter == A and charging.seen == A and charging.offer_ma == X1 and (
            r.cp_ok and (high_mv < 11000 or high_mv > 13000)
        )
        weak = low and not 7500 < high_mv < 9700
        if not r.cp_ok or low and not weak or (
            charging.seen != charging.letter and charging.offer_ma != STATE_F  # no letter lasts
        ):
            self._noisy_ms += dt_ms
            if self._noisy_ms >= _NOISY_MS:
                self._noisy_ms = _NOISY_MS
                faults.raise_(PILOT_NOISY)
        elif self._noisy_ms > 0:
            self._noisy_ms = self._noisy_ms - dt_ms // 2  # -= would need the twelfth word of stack
            faults.gone(PILOT_NOISY)
        if charging.letter >= E and charging.offer_ma != STATE_F and r.cp_ok:
            weak = weak or high_mv < SHORT_MV
        if weak:
            if self._generator_ms < _ENOUGH_MS:
                self._generator_ms += dt_ms
            if self._generator_ms >= _GENERATOR_MS:
                faults.raise_(PILOT_GENERATOR)
        elif self._generator_ms:
            if self._generator_ms >= _GENERATOR_MS:  # else it is none of ours
                faults.gone(PILOT_GENERATOR)
            self._generator_ms = 0

    def _contactor(self, r, charging, faults, dt_ms):
        """Auxiliary contact and voltage behind must agree with the command after the contactor's own
        time. Each counts by itself: if only one says closed, one pole is welded, and if only one says
        open, one pole is. Voltage that is lost while charging is the supply's matter."""
        if charging.contactor:
            if r.load == 1:
                self._live = True
            agrees = r.aux != 0 and (self._live or r.load != 0)
        else:
            self._live = False
            agrees = r.aux <= 0 and r.load <= 0
        if agrees:
            self._aux_ms = 0
            if faults.active and not charging.contactor and charging.open_ms >= _WELD_MS:
                faults.gone(WELDED)
                faults.gone(NO_CLOSE)
            return
        if self._aux_ms < _AUX_MS:
            self._aux_ms += dt_ms if dt_ms < _LOOK_MS else _LOOK_MS
        elif charging.contactor:
            if charging.closed_ms >= _CLOSE_MS:
                faults.raise_(NO_CLOSE)
        elif charging.open_ms >= _WELD_MS:
            faults.raise_(WELDED)

    def _meter(self, r, charging, faults, dt_ms):
        """A snapshot is judged in the tick that brings it and in the two after: a tick is short."""
        self._current.step(r, charging, faults, dt_ms)
        self._since_ms += dt_ms
        if r.meter_fresh == self._fresh:
            self.meter_ms += dt_ms
            if self._part == 2:
                self._part = 1
                self._supply.step(r, faults, self._proves_ms)
            elif self._part:
                self._part = 0
                self._check.step(r, charging, faults, self._gap_ms, self.active_ma)
            elif self.meter_ms >= _STALE_MS:
                charging.draws = False
            if self.meter_ms >= _METER_LOST_MS:
                self.meter_ms = self._since_ms = _METER_LOST_MS
                faults.raise_(METER_LOST)
            return
        self._fresh = r.meter_fresh
        if self.meter_ms >= _METER_LOST_MS:
            faults.gone(METER_LOST)
        self.meter_ms = 0
        self._gap_ms = proves_ms = self._since_ms
        if proves_ms > _SNAPSHOT_MS:
            proves_ms = _SNAPSHOT_MS
        self._proves_ms = proves_ms
        self._since_ms = 0
        self._part = 2
        self.active_ma = self._current.judge(r, charging, faults, proves_ms)
        charging.draws = self.active_ma > _DRAWS_MA

    def second(self, faults, draw_s):
        """Once a second. `draw_s`: see supply.py."""
        if self.has_meter:
            self._supply.second(faults, self.meter_ms < _STALE_MS, draw_s)
