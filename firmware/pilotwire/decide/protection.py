"""Looks for faults in what was sensed and what was commanded. Pure; called once a tick."""

from micropython import const

from pilotwire.decide.fault_table import (
    DIODE, METER_LOST, NO_CLOSE, OVER_CURRENT, PILOT_GENERATOR, PILOT_NOISY, PILOT_SHORT,
    SOFT_OVER_CURRENT, WELDED,
)
from pilotwire.decide.letters import A, E, SHORT_MV, STATE_F, X1

_WELD_MS = const(250)  # auxiliary contact after opening; Tinkerforge and Phoenix use 200..250 ms
_CLOSE_MS = const(500)
_GENERATOR_MS = const(3000)  # a plug going in slowly, or wet, makes such levels for a while
_NOISY_MS = const(1000)  # pilot unreadable or flickering; good looks take back half as much
_METER_LOST_MS = const(10000)
_SOFT_MS = const(7000)
_SOFT_AFTER_FALL_MS = const(6000)  # cars may take 5 s to follow a lower offer (seq. 6)
_HELD_MS = const(10000)  # measured cars lag up to 10 s (WARP and OpenEVSE logs)
_LOOK_MS = const(20)  # what one tick proves, however long the stall before it
_SNAPSHOT_MS = const(400)  # what one snapshot proves
_AUX_MS = const(30)  # of disagreement: one stray sample is none
_HARD_MS = const(1000)
_FULL_SCALE_MA = const(65000)  # an ATM90E32 shows no more than 65.535 A
_STRAY_MW = const(150000)  # power with the contactor open ...
_STRAY_MS = const(5000)  # ... for so long: welded
_STRAY_AFTER_MS = const(2000)  # the meter's averages need 0.7 s to fall
_BLANK_MS = const(1000)  # inrush after closing
_ENOUGH_MS = const(1 << 20)


class Protection:
    """Raises rows of the fault table, and says when their causes are gone."""

    def __init__(self, has_meter, rating_ma):
        self.has_meter = has_meter
        self.rating_ma = rating_ma
        self.meter_ms = 0  # since the last fresh snapshot
        self.active_ma = 0  # highest phase, active current, of the newest snapshot
        self._fresh = 0
        self._since_fresh_ms = 0
        self._soft_ms = 0
        self._hard_ms = 0
        self._stray_ms = 0
        self._fall_ms = _HELD_MS  # since the offer last fell
        self._offer_ma = 0
        self._held_ma = 0
        self._aux_ms = 0  # since the auxiliary contact disagrees
        self._noisy_ms = 0
        self._generator_ms = 0

    def step(self, r, charging, faults, dt_ms):
        look_ms = dt_ms if dt_ms < _LOOK_MS else _LOOK_MS
        self._pilot(r, charging, faults, look_ms)
        if r.aux >= 0:
            self._contactor(r, charging, faults, look_ms)
        if self.has_meter:
            self._meter(r, charging, faults, dt_ms)

    def _pilot(self, r, charging, faults, dt_ms):
        if charging.pilot_shorted:
            faults.raise_(PILOT_SHORT)
        elif faults.active:
            faults.gone(PILOT_SHORT)
        if charging.diode_lost:
            faults.raise_(DIODE)
        elif faults.active:
            faults.gone(DIODE)
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
            self._noisy_ms -= dt_ms // 2
            faults.gone(PILOT_NOISY)
        if charging.letter >= E and charging.offer_ma != STATE_F and r.cp_ok:
            weak = weak or high_mv < SHORT_MV
        if weak:
            if self._generator_ms < _ENOUGH_MS:
                self._generator_ms += dt_ms
            if self._generator_ms >= _GENERATOR_MS:
                faults.raise_(PILOT_GENERATOR)
        elif self._generator_ms:
            self._generator_ms = 0
            faults.gone(PILOT_GENERATOR)

    def _contactor(self, r, charging, faults, look_ms):
        """The auxiliary contact must agree with the command after the contactor's own time."""
        if r.aux == charging.contactor:
            self._aux_ms = 0
            if faults.active and not charging.contactor and charging.open_ms >= _WELD_MS:
                faults.gone(WELDED)
                faults.gone(NO_CLOSE)
            return
        if self._aux_ms < _AUX_MS:
            self._aux_ms += look_ms
        elif charging.contactor:
            if charging.closed_ms >= _CLOSE_MS:
                faults.raise_(NO_CLOSE)
        elif charging.open_ms >= _WELD_MS:
            faults.raise_(WELDED)

    def _meter(self, r, charging, faults, dt_ms):
        self._watch_offer(charging.offer_ma, dt_ms)
        if not charging.contactor:
            self._soft_ms = self._hard_ms = 0
            if faults.active:
                faults.gone(SOFT_OVER_CURRENT)
                faults.gone(OVER_CURRENT)
        if self._since_fresh_ms < _SNAPSHOT_MS:
            self._since_fresh_ms += dt_ms
        if r.meter_fresh == self._fresh:
            self.meter_ms += dt_ms
            if self.meter_ms >= _METER_LOST_MS:
                self.meter_ms = _METER_LOST_MS
                faults.raise_(METER_LOST)
            return
        self._fresh = r.meter_fresh
        if self.meter_ms >= _METER_LOST_MS:
            faults.gone(METER_LOST)
        self.meter_ms = 0
        snapshot_ms = self._since_fresh_ms
        if snapshot_ms > _SNAPSHOT_MS:
            snapshot_ms = _SNAPSHOT_MS
        self._over_current(r, charging, faults, snapshot_ms)
        self._since_fresh_ms = 0

    def _watch_offer(self, offer_ma, dt_ms):
        """`_held_ma`: what the car may still be following, the offer before a fall for 10 s."""
        if offer_ma < self._offer_ma:
            self._fall_ms = 0
        elif self._fall_ms < _HELD_MS:
            self._fall_ms += dt_ms
        else:
            self._held_ma = offer_ma
        if offer_ma > self._held_ma:
            self._held_ma = offer_ma
        self._offer_ma = offer_ma

    def _stray_power(self, r, charging, faults, dt_ms):
        """Energy through an open contactor: welded, also on a board without auxiliary contact."""
        power_mw = r.p_mw[0] + r.p_mw[1] + r.p_mw[2]
        if power_mw < _STRAY_MW or charging.open_ms < _STRAY_AFTER_MS:
            self._stray_ms = 0
        else:
            self._stray_ms += dt_ms
            if self._stray_ms >= _STRAY_MS:
                self._stray_ms = _STRAY_MS
                faults.raise_(WELDED)

    def _over_current(self, r, charging, faults, dt_ms):
        """Judged once a snapshot, on active current: parked cars draw 6.4 A reactive at 6 A."""
        total_ma = active_ma = 0
        for phase in range(3):
            volts_cv = r.v_cv[phase]
            amps_ma = r.i_ma[phase]
            if amps_ma > total_ma:
                total_ma = amps_ma
            if volts_cv > 5000:
                real_ma = r.p_mw[phase] * 10 // volts_cv * 10  # to 10 mA; 31-bit product to 100 kW
                if real_ma < 0:  # a current transformer put in backwards
                    real_ma = -real_ma
                if real_ma > active_ma:
                    active_ma = real_ma
            elif amps_ma > active_ma:  # no volts to tell active current by
                active_ma = amps_ma
        self.active_ma = active_ma
        if not charging.contactor:
            self._stray_power(r, charging, faults, dt_ms)
            return
        offer_ma = charging.offer_ma if charging.offer_ma > 0 else 0
        if active_ma > offer_ma + offer_ma // 10 + 500 and self._fall_ms >= _SOFT_AFTER_FALL_MS:
            self._soft_ms += dt_ms
            if self._soft_ms >= _SOFT_MS:
                faults.raise_(SOFT_OVER_CURRENT)
        else:
            self._soft_ms = 0
        if charging.closed_ms < _BLANK_MS:
            return
        if total_ma > self.rating_ma + self.rating_ma // 2 or total_ma > _FULL_SCALE_MA:
            faults.raise_(OVER_CURRENT)
        held_ma = self._held_ma if self._held_ma > 6000 else 6000
        if active_ma > held_ma + held_ma // 4 + 2000:
            self._hard_ms += dt_ms
            if self._hard_ms >= _HARD_MS:
                faults.raise_(OVER_CURRENT)
        else:
            self._hard_ms = 0
