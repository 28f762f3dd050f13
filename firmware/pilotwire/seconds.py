"""The work of each second, in parts: one a tick, in the place of a chore, so that none delays much."""

import os

import machine
from micropython import const

from pilotwire import console, once
from pilotwire.clock import UNKNOWN
from pilotwire.decide import fault_rows, limits
from pilotwire.decide.letters import A
from pilotwire.decide.notices import LOOSE_CONNECTION, PHASE_ROTATION
from pilotwire.tell import boot_record
from pilotwire.tell.link import HEALTH

_PROVED_S = const(60)  # a configuration and a firmware that have run so long are good ones
_DOUBT_S = const(180)  # a firmware on trial that may not charge by then starts again: its trial goes on
_FRESH_MS = const(2000)
_LEAST_MA = const(6000)
_FAREWELL_S = const(2)  # for the answer to reach the broker before a restart by command
_PATIENCE_S = const(30)  # with flash that takes nothing


class Seconds:
    """step() once a tick."""

    def __init__(self, charger, pilot, heat, has_meter):
        """`charger`: control.py's; `pilot`: its reader; `heat`: decide/heat.py, or None."""
        self._c = charger
        self._pilot = pilot
        self._heat = heat
        self._has_meter = has_meter
        self._at = -1  # next part, -1 = done
        self._last_s = charger.clock.up_s
        self._generator_off = False  # in the last second
        self._prove_s = _PROVED_S  # when it is next to be seen whether this life is a good one; 0 = it is

    def step(self):
        """Do the next part, if there is one; whether there was."""
        up_s = self._c.clock.up_s
        if up_s != self._last_s:
            self._last_s = up_s
            self._at = 0
        at = self._at
        if at < 0:
            return False
        self._at = at + 1 if at + 1 < len(_PARTS) else -1
        _PARTS[at](self, self._c)
        return True

    def _limits(self, c):
        c.limits.second(c.clock.up_s)
        # A silent meter leaves no over-current path: the fail-safe current holds meanwhile.
        lost = c.faults.holds(fault_rows.METER_LOST)
        if lost != (c.limits.value_ma[limits.METER] != limits.NONE_MA):
            c.limits.set(limits.METER, c.config.fail_safe_ma if lost else limits.NONE_MA)
        if c.health.second(c) and c.link:
            c.link.mark(HEALTH)

    def _faults(self, c):
        boot_record.second(c.rtc, c.clock.up_s)
        off = self._pilot.generator_off()
        if off:
            c.faults.raise_(fault_rows.PILOT_GENERATOR)
        elif self._generator_off:  # else somebody asks in vain: nothing else says that it is well
            c.faults.gone(fault_rows.PILOT_GENERATOR)
        self._generator_off = off
        c.protection.second(c.faults, self._draw_s)
        if self._heat:
            self._heat.second(c.reading, c.faults, c.limits)
        c.faults.second(c.charging.letter == A)

    def _draw_s(self):
        """Seconds of a restart's delay, from the chip's random numbers."""
        return int.from_bytes(os.urandom(2), "big") * (self._c.config.restart_random_s + 1) >> 16

    def _session(self, c):
        if c.session.open:
            offer_ma = c.charging.offer_ma
            c.session.second(
                c.reading, offer_ma if offer_ma > 0 else 0, c.clock.up_s, c.clock.day_s()
            )
        c.visit.second()

    def _notices(self, c):
        notices, wiring, records = c.notices, c.wiring, c.records
        known = self._has_meter and c.protection.meter_ms < _FRESH_MS
        if known:
            wiring.second(c.reading)
            notices.set(LOOSE_CONNECTION, wiring.loose)
            notices.set(PHASE_ROTATION, c.reading.turn < 0)
            if wiring.weak != (c.limits.value_ma[limits.WIRING] != limits.NONE_MA):
                c.limits.set(limits.WIRING, _LEAST_MA if wiring.weak else limits.NONE_MA)
        notices.charge(c.charging, c.protection.active_ma if known else -1, c.session.energy_wh())
        notices.station(
            c.clock.up_s, c.clock.quality != UNKNOWN, records.waiting,
            records.seq_of(0) if records.waiting else 0,
        )

    def _link(self, c):
        c.records.release()
        c.orders.remember()
        if c.link:
            c.events.second()
            c.link.second(c.clock.up_s, c.charging.contactor)
        if c.restart_s >= 0:
            self._restart(c)

    def _restart(self, c):
        """By command, with the contactor open, when the answer is out and flash has everything."""
        c.restart_s += 1
        if c.restart_s > (_PATIENCE_S if c.records.journal.pending() else _FAREWELL_S):
            c.safe(boot_record.COMMAND)
            machine.reset()

    def _site(self, c):
        console.second(not c.calm)
        if self._prove_s and c.clock.up_s >= self._prove_s and c.calm:
            self._prove(c)
        if c.config.ssid:
            c.site.second(c.charging.slack() > 1 and c.calm)

    def _prove(self, c):
        if not c.faults.blocks:
            if c.charging.letter == A:
                self._prove_s = c.clock.up_s + _PROVED_S  # again, should flash not take it
                once.call("keep_config", "keep", not c.config.trouble)
                self._prove_s = 0
                c.trial = False
        elif c.trial and c.clock.up_s >= _DOUBT_S and c.restart_s < 0:
            c.restart_s = 0


_PARTS = (
    Seconds._limits, Seconds._faults, Seconds._session, Seconds._notices, Seconds._link,
    Seconds._site,
)
