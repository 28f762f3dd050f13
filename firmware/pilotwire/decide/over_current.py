"""More current than was offered, or than the station can carry. Pure.

Averages judge what a car takes for seconds; they need up to 0.9 s to show it. Above 1.5 x rating the
peaks judge, where the meter has them: three looks at intervals of 50 ms ride through what a charger's
filter draws when it is switched on.
"""

from micropython import const

from pilotwire.decide.fault_rows import OVER_CURRENT, SOFT_OVER_CURRENT

_SOFT_MS = const(7000)
_SOFT_AFTER_FALL_MS = const(6000)  # cars may take 5 s to follow a lower offer (seq. 6)
_HELD_MS = const(10000)  # measured cars lag up to 10 s (WARP and OpenEVSE logs)
_HARD_MS = const(1000)
_FULL_SCALE_MA = const(65000)  # an ATM90E32 shows no more than 65.535 A
_BLANK_MS = const(1000)  # inrush after closing
_LOOKS = const(3)


class OverCurrent:
    """Raises SOFT_OVER_CURRENT and OVER_CURRENT."""

    def __init__(self, rating_ma, peak_most_ma):
        """`peak_most_ma`: where the meter's peaks end, 0 = it has none."""
        self._most_ma = rating_ma + rating_ma // 2
        self._peak_ma = min(self._most_ma // 100 * 141, peak_most_ma // 100 * 97)
        if self._most_ma > _FULL_SCALE_MA:
            self._most_ma = _FULL_SCALE_MA
        self._peak_fresh = 0
        self._looks = 0  # in a row with a peak above
        self._soft_ms = 0
        self._hard_ms = 0
        self._fall_ms = _HELD_MS  # since the offer last fell
        self._offer_ma = 0
        self._held_ma = 0  # what the car may still be following: the offer before a fall for 10 s

    def step(self, r, charging, faults, dt_ms):
        """Each tick."""
        offer_ma = charging.offer_ma
        if offer_ma < self._offer_ma:
            self._fall_ms = 0
        elif self._fall_ms < _HELD_MS:
            self._fall_ms += dt_ms
        else:
            self._held_ma = offer_ma
        if offer_ma > self._held_ma:
            self._held_ma = offer_ma
        self._offer_ma = offer_ma
        if not charging.contactor:
            self._soft_ms = self._hard_ms = self._looks = 0
            if faults.active:
                faults.gone(SOFT_OVER_CURRENT)
                faults.gone(OVER_CURRENT)
        elif r.peak_fresh != self._peak_fresh:
            self._peak_fresh = r.peak_fresh
            peak_ma = r.peak_ma
            most_ma = self._peak_ma
            if peak_ma[0] <= most_ma and peak_ma[1] <= most_ma and peak_ma[2] <= most_ma:
                self._looks = 0
            elif charging.closed_ms >= _BLANK_MS:
                self._looks += 1
                if self._looks >= _LOOKS:
                    faults.raise_(OVER_CURRENT)

    def judge(self, r, charging, faults, dt_ms):
        """Each snapshot, which proves `dt_ms`. Returns the highest active current of a phase, mA."""
        total_ma = active_ma = 0
        for phase in range(3):
            volts_cv = r.v_cv[phase]
            real_ma = amps_ma = r.i_ma[phase]
            if amps_ma > total_ma:
                total_ma = amps_ma
            if volts_cv > 5000:  # else there are no volts to tell active current by
                real_ma = r.p_mw[phase] * 10 // volts_cv * 10  # to 10 mA; 31-bit product to 100 kW
                if real_ma < 0:  # a current transformer put in backwards
                    real_ma = -real_ma
                if real_ma > amps_ma:  # the meter is wrong (meter_check.py), not the car
                    real_ma = amps_ma
            if real_ma > active_ma:
                active_ma = real_ma
        if not charging.contactor:
            return active_ma
        offer_ma = charging.offer_ma if charging.offer_ma > 0 else 0
        # Active current: parked cars draw 6.4 A reactive at 6 A.
        if active_ma > offer_ma + offer_ma // 10 + 500 and self._fall_ms >= _SOFT_AFTER_FALL_MS:
            self._soft_ms += dt_ms
            if self._soft_ms >= _SOFT_MS:
                faults.raise_(SOFT_OVER_CURRENT)
        else:
            self._soft_ms = 0
        if charging.closed_ms < _BLANK_MS:
            return active_ma
        if total_ma > self._most_ma:
            faults.raise_(OVER_CURRENT)
        held_ma = self._held_ma if self._held_ma > 6000 else 6000
        if active_ma > held_ma + held_ma // 4 + 2000:
            self._hard_ms += dt_ms
            if self._hard_ms >= _HARD_MS:
                faults.raise_(OVER_CURRENT)
        else:
            self._hard_ms = 0
        return active_ma
