"""Residual current: the trips of its monitor, and the self-test before every closing. Pure.

With the contactor closed control.py watches the trip lines between two ticks too, opens at once and
leaves the reason in `r.trips`. With the contactor open nothing is urgent: a line counts when it is
steady. The direct current's line is not ignored while the contactor moves, as others do for 1 s
(Tinkerforge): a monitor that answers there has opened the contactor itself.

The self-test: test on, every line answers, test off, every line falls. It is due at the start, 1 s
after each opening, when a car comes or asks and the last one is older than a minute, and each day.
So it has mostly passed when a car asks; else it costs the car less than 1 s of its 3 s (seq. 4).
"""

from micropython import const

from pilotwire.decide.fault_rows import RCD_AC, RCD_DC, RCD_TEST
from pilotwire.decide.letters import A, C, D

_AC = const(1)  # bits of Reading.lines and of Reading.trips
_DC = const(2)
_STEADY_MS = const(50)
_ANSWER_MS = const(500)
_START_MS = const(2500)  # more for a monitor that has just got its supply
_SETTLE_MS = const(1000)  # switching disturbs the sensors
_FRESH_MS = const(60000)
_DAY_MS = const(86400000)
# North American chargers retry a trip only of a charge that has run for so long (Tesla's manual);
# one at once after closing would come again.
_RUNNING_MS = const(10000)
_LOOK_MS = const(20)  # what one tick proves, however long the stall before it

_IDLE = const(0)
_REST = const(1)  # before the test the lines must be at rest
_ON = const(2)
_OFF = const(3)
_FAILED = const(4)  # until somebody has cleared the fault


class Leakage:
    """step() once a tick, before the charging sequence; then `test` is for the monitor's test input,
    and without `ready` the contactor may not close."""

    def __init__(self, lines):
        """`lines`: bits of the trip lines that the board has."""
        self.test = self.ready = False
        self._lines = lines
        self._phase = _REST
        self._ms = -_START_MS  # in this phase
        self._answered = 0
        self._passed = False  # since the contactor was last closed
        self._welcomed = False  # a test has passed since this car came
        self._age_ms = 0  # of the last test
        self._active = 0  # lines, seen so for ...
        self._seen_ms = 0

    def step(self, r, charging, faults, dt_ms):
        if r.trips:
            self._tell(r.trips, faults)
            r.trips = 0
            if charging.closed_ms < _RUNNING_MS:
                faults.no_retry(RCD_AC)
                faults.no_retry(RCD_DC)
        if charging.contactor:
            self._passed = self.ready = False
        else:
            self._open(r, charging, faults, dt_ms)

    def _open(self, r, charging, faults, dt_ms):
        """With the contactor open; apart, so that a call of step() while it charges needs no heap."""
        if self._age_ms < _DAY_MS:
            self._age_ms += dt_ms
        look_ms = dt_ms if dt_ms < _LOOK_MS else _LOOK_MS
        active = r.lines & self._lines
        before = self._active
        if active != before:
            self._active = active
            self._seen_ms = 0
        elif self._seen_ms < _STEADY_MS:
            self._seen_ms += look_ms
        if charging.letter == A:
            self._welcomed = False
        phase = self._phase
        if phase == _FAILED:
            if not faults.holds(RCD_TEST):
                self._enter(_REST)
        elif phase:
            self._ms += look_ms
            self._run(phase, active, active & before, charging, faults)
        elif self._seen_ms >= _STEADY_MS:
            if active or faults.active:
                self._tell(active, faults)
            if not active and self._due(charging, faults):
                self._enter(_REST)
        self.ready = self._passed and not self._phase and not active

    def _tell(self, active, faults):
        """The monitor's word. One that has no line of its own for DC says AC."""
        if active & _AC:
            faults.raise_(RCD_AC)
        else:
            faults.gone(RCD_AC)
        if active & _DC:
            faults.raise_(RCD_DC)
        else:
            faults.gone(RCD_DC)

    def _due(self, charging, faults):
        if charging.open_ms < _SETTLE_MS:
            return False
        age_ms = self._age_ms
        if not self._passed or age_ms >= _DAY_MS:
            return True
        letter = charging.letter
        if age_ms < _FRESH_MS or letter == A or faults.blocks:
            return False
        return not self._welcomed or charging.offer_ma > 0 and (letter == C or letter == D)

    def _enter(self, phase):
        self._phase = phase
        self._ms = 0
        self._answered = 0
        self.test = phase == _ON

    def _run(self, phase, active, steady, charging, faults):
        """`active`: lines at this look; `steady`: at this and the one before."""
        late = self._ms > _ANSWER_MS
        if phase == _ON:
            self._answered |= steady
            if self._answered == self._lines:
                self._enter(_OFF)
                return
        elif not active:
            if phase == _REST:
                self._enter(_ON)
            else:
                self._enter(_IDLE)
                self._passed = True
                self._welcomed = charging.letter != A
                self._age_ms = 0
                faults.passed(RCD_TEST)
            return
        elif phase == _REST and (faults.holds(RCD_AC) or faults.holds(RCD_DC)):
            self._enter(_IDLE)  # no broken monitor: what had tripped it is still there
            return
        if late:
            self._enter(_FAILED)
            self._passed = False
            faults.raise_(RCD_TEST)
            faults.gone(RCD_TEST)  # it clears by its class; then the next test decides
