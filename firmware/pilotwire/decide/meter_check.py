"""Is the meter to be believed? Its energy against its power, its power against its currents. Pure.

Frozen averages look like a steady load. What gives them away is the energy register, which the chip
counts apart: it must grow as power x time says. So a meter that is frozen while the car draws the same
is not noticed, and bills no wrong energy; nor is one that has lost currents, power and energy alike.
"""

from micropython import const

from pilotwire.decide.fault_rows import METER_WRONG, WELDED

_WINDOW_MS = const(30000)  # energy is read every 0.9 s at the latest: 3 % of it
_GAP_MS = const(2000)  # without a snapshot: nobody knows what flowed meanwhile
_SETTLE_MS = const(2000)  # what the chip counted in a gap comes with its next reading
_OFF_W = const(50)  # beside a fifth
_LAG_DS = const(20)  # energy and averages are up to 0.9 s old: 2 s of the difference in power
_MOST_COUNTS = const(900000)  # keeps the product below 2**30; 80 A at 300 V are 192,000 in 30 s
_DOUBT_MS = const(5000)
_IMPLAUSIBLE = const(4)  # bit of r.meter_faults: power does not fit volts x amps x power factor
_IDLE_MA = const(12000)  # a parked car draws 6.4 A, measured ones up to 9 A, for nothing
_IDLE_MS = const(60000)
_STRAY_W = const(150)  # power with the contactor open ...
_STRAY_MS = const(5000)  # ... for so long: welded
_STRAY_AFTER_MS = const(2000)  # the meter's averages need 0.7 s to fall, its energy 0.9 s


class MeterCheck:
    """step() once a snapshot; raises METER_WRONG, and WELDED for power through an open contactor."""

    def __init__(self, rating_ma):
        self._most_ma = rating_ma + rating_ma // 10 * 3
        self._age_ms = -_SETTLE_MS  # of the window
        self._work_dj = 0  # power x time in it, 0.1 J
        self._wh = self._part = 0  # the register when it began
        self._low_w = self._high_w = 0
        self._doubt_ms = 0
        self._idle_ms = 0
        self._stray_ms = 0
        self._stray_dj = 0
        self._stray_wh = self._stray_part = 0

    def step(self, r, charging, faults, dt_ms, active_ma):
        """`dt_ms`: since the snapshot before; `active_ma`: highest of a phase in this one."""
        power_w = (r.p_mw[0] + r.p_mw[1] + r.p_mw[2]) // 1000
        self._window(r, faults, power_w, dt_ms)
        if r.meter_faults & _IMPLAUSIBLE or active_ma > self._most_ma:
            self._doubt_ms += dt_ms
        else:
            self._doubt_ms = 0
        idle = False
        for phase in range(3):
            if r.i_ma[phase] > _IDLE_MA and -500 < r.pf_m[phase] < 500:
                idle = True
        self._idle_ms = self._idle_ms + dt_ms if idle else 0
        if self._doubt_ms >= _DOUBT_MS or self._idle_ms >= _IDLE_MS:
            self._doubt_ms = self._idle_ms = 0
            faults.raise_(METER_WRONG)
        if charging.contactor or power_w < _STRAY_W or charging.open_ms < _STRAY_AFTER_MS:
            self._stray_ms = -1
        else:
            self._stray(r, faults, power_w, dt_ms)

    def _window(self, r, faults, power_w, dt_ms):
        if dt_ms > _GAP_MS:
            self._age_ms = -_SETTLE_MS
        age_ms = self._age_ms = self._age_ms + dt_ms
        if age_ms <= dt_ms:
            self._wh, self._part = r.wh, r.wh_part
            self._work_dj = 0
            self._low_w = self._high_w = power_w
            return
        self._work_dj += power_w * dt_ms // 100
        if power_w < self._low_w:
            self._low_w = power_w
        elif power_w > self._high_w:
            self._high_w = power_w
        if age_ms < _WINDOW_MS:
            return
        work_dj = self._work_dj
        off_dj = _energy_dj(r, self._wh, self._part) - work_dj
        most_dj = abs(work_dj) // 5
        if most_dj < _OFF_W * age_ms // 100:
            most_dj = _OFF_W * age_ms // 100
        most_dj += _LAG_DS * (self._high_w - self._low_w)
        if not -most_dj <= off_dj <= most_dj:
            faults.raise_(METER_WRONG)
        elif not (self._doubt_ms or self._idle_ms):
            faults.gone(METER_WRONG)
        self._age_ms = 0  # the next snapshot begins another one

    def _stray(self, r, faults, power_w, dt_ms):
        """Energy through an open contactor: welded, also on a board without auxiliary contact. When the
        register does not see that energy, it is the meter that sticks."""
        if self._stray_ms < 0:
            self._stray_ms = self._stray_dj = 0
            self._stray_wh, self._stray_part = r.wh, r.wh_part
            return
        self._stray_ms += dt_ms
        self._stray_dj += power_w * dt_ms // 100
        if self._stray_ms >= _STRAY_MS:
            real = _energy_dj(r, self._stray_wh, self._stray_part) * 2 > self._stray_dj
            self._stray_ms = -1
            faults.raise_(WELDED if real else METER_WRONG)


def _energy_dj(r, wh, part):
    """What the register has counted since it was at `wh` and `part`, in 0.1 J."""
    counts = (r.wh - wh) * 320 + r.wh_part - part
    if not -_MOST_COUNTS < counts < _MOST_COUNTS:
        counts = _MOST_COUNTS  # no energy that could be: as far off
    return counts * 1125 // 10
