"""The volts of the mains, as the meter's snapshots show them. Pure.

A phase that is lost while another is there is phase loss and no under-voltage; all of them low, or the
only one, is under-voltage. Only the phases of the board that the meter measures count, on the supply's
side of the contactor. Which phase follows which stops nothing: it is a notice (notices.py).
"""

from micropython import const

from pilotwire.decide.fault_rows import OVER_VOLTAGE, PHASE_LOSS, UNDER_VOLTAGE

_LOST_CV = const(13800)  # 60 % of 230 V
_LOST_MS = const(2000)
_CALM_LOW_CV = const(20900)  # back, when it has been between these for 30 s (fault_table.py)
_CALM_HIGH_CV = const(25100)


class Supply:
    """step() once a snapshot, second() once a second."""

    def __init__(self, phases, uk):
        """`uk`: BS 7671 722.411.4.1, 207 and 253 V within 5 s; else 195 and 264 V for 3 s, so that
        motors may start."""
        self._phases = phases
        self._low_cv, self._high_cv, self._most_ms = (20700, 25300, 4000) if uk else (19500, 26400, 3000)
        self._least_cv = self._most_cv = 23000  # phases of the newest snapshot
        self._low_ms = self._high_ms = self._lost_ms = 0
        self._calm = True

    def step(self, r, faults, dt_ms):
        """One snapshot, which proves `dt_ms`."""
        least_cv = most_cv = r.v_cv[0]
        for phase in range(1, self._phases):
            cv = r.v_cv[phase]
            if cv < least_cv:
                least_cv = cv
            elif cv > most_cv:
                most_cv = cv
        self._least_cv = least_cv
        self._most_cv = most_cv
        lost = least_cv < _LOST_CV <= most_cv
        self._lost_ms = self._lost_ms + dt_ms if lost else 0
        self._low_ms = self._low_ms + dt_ms if least_cv < self._low_cv and not lost else 0
        self._high_ms = self._high_ms + dt_ms if most_cv > self._high_cv else 0
        if self._lost_ms >= _LOST_MS:
            self._lost_ms = _LOST_MS
            faults.raise_(PHASE_LOSS)
        if self._low_ms >= self._most_ms:
            self._low_ms = self._most_ms
            faults.raise_(UNDER_VOLTAGE)
        if self._high_ms >= self._most_ms:
            self._high_ms = self._most_ms
            faults.raise_(OVER_VOLTAGE)

    def second(self, faults, fresh, draw_s):
        """`fresh`: the meter answers; a silent one shows no healthy volts. `draw_s()`: seconds that
        are drawn when the wait for healthy volts begins, so that a street does not start at once."""
        calm = fresh and _CALM_LOW_CV <= self._least_cv and self._most_cv <= _CALM_HIGH_CV
        low, high = faults.holds(UNDER_VOLTAGE), faults.holds(OVER_VOLTAGE)
        if calm and not self._calm and (low or high):
            more_s = draw_s()
            faults.extend(UNDER_VOLTAGE, more_s)
            faults.extend(OVER_VOLTAGE, more_s)
        self._calm = calm
        if low:
            _judge(faults, UNDER_VOLTAGE, calm)
        if high:
            _judge(faults, OVER_VOLTAGE, calm)
        if faults.holds(PHASE_LOSS):
            _judge(faults, PHASE_LOSS, fresh and self._least_cv >= self._low_cv)


def _judge(faults, row, healthy):
    """A row that holds: its seconds run while it is healthy, and begin anew when it is not."""
    if healthy:
        faults.gone(row)
    else:
        faults.raise_(row)
