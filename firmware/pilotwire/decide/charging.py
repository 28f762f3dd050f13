"""The charging sequence: pilot state and wishes in, contactor and offer out. Pure.

Sequence numbers are those of IEC 61851-1 Table A.6; sequences.py has the table of transitions.
"""

from micropython import const

from pilotwire.decide.fault_rows import NOT_STOPPING
from pilotwire.decide.fault_rows import VENTILATION as UNVENTED
from pilotwire.decide.letters import (
    A, B, C, D, DIODE_MV, E, SHORT_MV, STATE_F, X1, letter_of,
)
from pilotwire.decide.waking import SIMPLIFIED_MA, Arrival, Sleeper

_STABLE_C_MS = const(500)  # B->C to close; the limit is 3 s (seq. 4)
_FAULT_PLAUSIBLE_MS = const(100)  # diode missing with the contactor open
_STOP_WAIT_MS = const(6000)  # seq. 10.2: then open under load
_DUTY_MS = const(5000)  # between two duty changes
_REST_MS = const(5000)  # between two closings
_REST_FAULT_MS = const(30000)
_F_MS = const(300)  # state F after a fault (IEC 61851-1 Table A.5), then +12 V to see the car leave
# A tick after a stall is one look, not proof of the time before it: for closing and for faults of
# an open station it counts as this much. For opening, stalls count in full.
_LOOK_MS = const(20)
_TOGGLE_MS = const(150)  # so long a stall may hide the gap between two toggles (seq. 11: 200 ms)
# A change found later than this after the look before may be as old as that look: a stall before
# the change was seen may not add to the time for which it must last.
_LATE_MS = const(25)
_LONG_MS = const(1 << 28)
# Places in sequences.THEN.
_KEEPS = const(0)
_UNPLUGGED = const(1)
_STOPPED = const(2)
_BROKEN = const(3)
_UNVENTED = const(4)

# Why the contactor is open, or why not more. The numbers are the display's.
CHARGING = const(0)
NO_CAR = const(1)
CAR_WAITS = const(2)
PAUSED = const(3)
DISABLED = const(4)
RESTING = const(5)
CHECKING = const(6)
FAULT = const(7)
VENTILATION = const(8)
STOPPING = const(9)
STARTING = const(10)
BELOW_6A = const(11)
SWITCHING_PHASES = const(12)
WHY = (
    "none", "no_car", "car_waits", "paused", "disabled", "resting", "checking", "fault",
    "ventilation", "stopping", "starting", "below_6a",
    "switching_phases",
)

# What opened the contactor last.
BY_NOTHING = const(0)
BY_UNPLUG = const(1)
BY_CAR = const(2)
BY_COMMAND = const(3)
BY_FAULT = const(4)


class Charging:
    """step() once a tick; then `contactor`, `offer_ma`, `letter` and `why` hold the verdict."""

    def __init__(self, ventilation=False):
        """`ventilation`: the board switches it, so that state D may be energised."""
        from pilotwire.decide import sequences  # needed once; control lets it go again

        self._lasts_open, self._lasts_closed, then = sequences.compiled()
        self._then = bytearray(then)
        self.ventilation = ventilation
        if ventilation:
            self._then[D] = _KEEPS
        self._sleeper = Sleeper()
        self.arrival = Arrival()
        self.letter = A
        self.contactor = False
        self.offer_ma = X1  # mA, or X1, or STATE_F
        self.why = NO_CAR
        self.opened_by = BY_NOTHING
        self.diode_seen = False
        self.pilot_shorted = False  # E seen; until the state is A or B again
        self.diode_lost = False  # until the car is gone
        self.draws = False  # above 1 A, active, as the meter saw it last; protection keeps it
        self.wants_air = False  # the car was in D, and the board has no ventilation
        self.rest_ms = 0  # left until the contactor may close
        self.closed_ms = 0  # since it closed
        self.open_ms = _REST_MS  # since it opened
        self.stop_ms = -1  # of a stop that the station began; -1 = none
        self.seen = A  # by the last look; believed as `letter` when it lasts
        self._seen_ms = 0
        self._stable_ms = 0  # C with an offer
        self._duty_ms = _DUTY_MS  # since the duty changed
        self._f_ms = 0  # left in state F
        self._diode_ms = 0

    def doubtful(self, r, sure=False):
        """True when this burst alone would open the contactor, or begin the 500 ms before it closes
        anew: look again before believing it. `sure`: of the low plateau."""
        high_mv = r.cp_high_mv
        if not self.contactor:
            letter = self.letter
            return self._stable_ms > 0 and not (r.cp_ok and letter_of(high_mv, letter) == letter)
        if not r.cp_ok:
            return False
        if high_mv > 10000 or high_mv <= 1000:
            return True
        return self.offer_ma > 0 and r.cp_low_mv > DIODE_MV and not sure

    def slack(self):
        """What tell may do in this tick: 0 nothing, 1 its share, 2 also what stalls.

        Under load a change of the pilot is timed to the tick until it is believed; and a car that
        asks is closed for in 500 ms.
        """
        if self.contactor:
            return 1 if self.seen == self.letter else 0
        return 1 if 0 < self._stable_ms < _STABLE_C_MS else 2

    def step(self, r, dt_ms, limit_ma, urgent_ma, enabled, may_close, faults):
        """One tick. `limit_ma`: smallest limit, `urgent_ma`: smallest that protects something;
        `may_close`: record on flash, self-tests passed."""
        look_ms = dt_ms if dt_ms < _LOOK_MS else _LOOK_MS
        if self._f_ms > 0:
            self._f_ms -= dt_ms
        elif r.cp_ok:
            self._look(r, dt_ms if self.contactor else look_ms)
        elif not self.contactor:  # else chance levels of a noisy pilot add up to a car that has left
            self.seen = self.letter
            self._seen_ms = 0
        if self.rest_ms > 0:
            self.rest_ms -= dt_ms
        if self._duty_ms < _LONG_MS:
            self._duty_ms += dt_ms
        asks = self.letter == C or self.letter == D
        if self.letter <= B:
            self.arrival.gone()
        elif asks:
            self.arrival.step(look_ms)
        if self.arrival.simplified and limit_ma > SIMPLIFIED_MA:
            limit_ma = SIMPLIFIED_MA
        allowed = enabled and limit_ma >= 6000 and not faults.blocks
        self._f_ms += self._sleeper.step(
            look_ms, self.letter == B, self.offer_ma > 0, asks, self.letter == A or not allowed
        )
        if self.contactor:
            if self.closed_ms < _LONG_MS:
                self.closed_ms += dt_ms
            self._while_closed(dt_ms, allowed, faults)
        else:
            if self.open_ms < _LONG_MS:
                self.open_ms += dt_ms
            self._while_open(look_ms if r.cp_ok and dt_ms < _TOGGLE_MS else 0, allowed, may_close)
        self._offer(limit_ma, urgent_ma, allowed, faults)
        self.why = self._reason(enabled, limit_ma, faults)

    def _look(self, r, dt_ms):
        """Bands, hysteresis and the time each change must last."""
        letter = self.letter
        seen = letter_of(r.cp_high_mv, letter)
        if seen == letter:
            self.seen = letter
            self._seen_ms = 0
        else:
            then = self._then  # under load B and D in turn add up: either would open
            if seen != self.seen and not (self.contactor and then[seen] and then[self.seen]):
                self._seen_ms = dt_ms - _LATE_MS if dt_ms > _LATE_MS else 0
            else:
                self._seen_ms += dt_ms
            self.seen = seen
            lasts = self._lasts_closed if self.contactor else self._lasts_open
            if self._seen_ms >= lasts[letter * 6 + seen]:
                if letter == A:
                    self.arrival.came(seen == C or seen == D)
                self.letter = letter = seen
                self._seen_ms = 0
        if letter == E:
            self.pilot_shorted = r.cp_high_mv >= SHORT_MV
        elif letter == A or letter == B:
            self.pilot_shorted = False
        if letter == A:
            self.diode_seen = self.diode_lost = self.wants_air = False
            self._diode_ms = 0
        elif self.offer_ma > 0 and (letter == B or letter == C or letter == D):
            if r.cp_low_mv <= DIODE_MV:
                self.diode_seen = True
                self._diode_ms = 0
            else:
                self._diode_ms += dt_ms
                if self.contactor or self._diode_ms >= _FAULT_PLAUSIBLE_MS:
                    self.diode_lost = True

    def _while_closed(self, dt_ms, allowed, faults):
        then = self._then[self.letter]
        if then == _UNPLUGGED:
            self._open(BY_UNPLUG, _REST_MS)
        elif then == _BROKEN or then == _UNVENTED or self.diode_lost or faults.open_now:
            if then == _UNVENTED:
                self.unvented(faults)
            self._open(BY_FAULT, _REST_FAULT_MS)
        elif then == _STOPPED:
            if self.stop_ms < 0:
                self._open(BY_CAR, _REST_MS)
            else:
                self._open(BY_FAULT if faults.blocks else BY_COMMAND, _REST_MS)
        elif self.stop_ms >= 0:
            self.stop_ms += dt_ms
            if self.stop_ms >= _STOP_WAIT_MS:  # seq. 10.2
                if self.draws:  # else a car without S2, that has stopped all the same
                    faults.raise_(NOT_STOPPING)
                    faults.gone(NOT_STOPPING)
                self._open(BY_FAULT if faults.blocks else BY_COMMAND, _REST_FAULT_MS)
        elif not allowed:  # seq. 9.2
            self.stop_ms = 0

    def unvented(self, faults):
        """The car asks for ventilation that is not there. From the second time on it is offered nothing
        for half a minute: a car that always asks would change between B and D for hours."""
        if self.wants_air:
            self.rest_ms = _REST_FAULT_MS
        self.wants_air = True
        faults.raise_(UNVENTED)

    def _while_open(self, look_ms, allowed, may_close):
        """`look_ms`: what this tick's look counts as, 0 when it was unreadable or after a long stall."""
        asks = self.letter == C or self.letter == D and self.ventilation
        if asks and self.offer_ma > 0 and self.seen == self.letter and look_ms:
            if self._stable_ms < _STABLE_C_MS:
                self._stable_ms += look_ms
        else:
            self._stable_ms = 0
        if (
            self._stable_ms >= _STABLE_C_MS and allowed and may_close and self.diode_seen
            and self._diode_ms == 0 and not self.diode_lost and self.rest_ms <= 0
        ):  # seq. 4
            self.contactor = True
            self.wants_air = False
            self.closed_ms = 0
            self.stop_ms = -1

    def _open(self, by, rest_ms):
        self.contactor = False
        self.opened_by = by
        self.rest_ms = rest_ms
        self.open_ms = 0
        self.stop_ms = -1
        self._stable_ms = 0

    def _offer(self, limit_ma, urgent_ma, allowed, faults):
        """Duty changes at least 5 s apart, except to stop and downwards for safety."""
        offer = self.offer_ma
        if faults.wants_f:
            faults.wants_f = False
            self._f_ms = _F_MS
        if self._f_ms > 0:
            want = STATE_F
        elif (
            not allowed or self.stop_ms >= 0 or self.letter == A or self.letter >= E
            or self.arrival.checking or self.rest_ms > _REST_MS  # after a fault: no C2 to answer
        ):
            want = X1
        else:
            want = limit_ma - limit_ma % 100
        if want == offer:
            return
        if want > 0 and self._duty_ms < _DUTY_MS:
            if offer == STATE_F:
                self.offer_ma = X1  # until the duty may change again
            if offer <= urgent_ma:
                return
            want = urgent_ma - urgent_ma % 100  # the rest of the way in its own time
        self.offer_ma = want
        if want > 0 or offer > 0:
            self._duty_ms = _DUTY_MS if self.letter == A else 0

    def _reason(self, enabled, limit_ma, faults):
        if faults.blocks:
            return FAULT
        if self.letter == A:
            return NO_CAR
        if self.stop_ms >= 0:
            return STOPPING
        if self.contactor:
            return CHARGING
        if not enabled:
            return DISABLED
        if limit_ma < 6000:
            return PAUSED if limit_ma == 0 else BELOW_6A
        if self.wants_air and self.letter != C:
            return VENTILATION
        if self.letter == B:
            return CAR_WAITS
        if self.rest_ms > 0:
            return RESTING
        return CHECKING
