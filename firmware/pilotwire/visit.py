"""A car's visit: joins charging, session and records, so that every visit leaves one record."""

from micropython import const

from pilotwire import once
from pilotwire.decide import charging as seq
from pilotwire.decide.fault_rows import STORAGE
from pilotwire.decide.letters import A, E

_SETTLE_MS = const(1500)  # after unplugging: the meter's last energy is read once a second
_AGAIN_MS = const(1000)
_CHECK_FIRST_S = const(15)  # of charging
_CHECK_S = const(60)  # between checkpoints, if energy has grown
_CHECK_IDLE_S = const(300)
_CHECK_TIGHT_S = const(900)  # when flash is nearly full
_TIGHT_SECTORS = const(3)

# Opened under current: wears the contacts. By the peaks where the meter has them: its averages still
# show what a car drew that has just stopped.
_HOT_MA = const(1000)
_HOT_PEAK_MA = const(1414)

_STOPS = {  # charging.opened_by: (OCPP 2.0.1 stoppedReason, plain)
    seq.BY_NOTHING: ("EVDisconnected", "never_charged"),
    seq.BY_UNPLUG: ("EVDisconnected", "unplugged_while_charging"),
    seq.BY_CAR: ("EVDisconnected", "car_had_stopped"),
    seq.BY_COMMAND: ("Remote", "stopped_by_command"),
}


class Visit:
    """step() once a tick, after decide; second() once a second."""

    def __init__(self, charging, session, records, faults, clock, reading):
        self._charging = charging
        self._session = session
        self._records = records
        self._faults = faults
        self._clock = clock
        self._reading = reading
        self._closed = False
        self._settle_ms = -1  # until the record is made; -1 = none is due
        self._again = False  # making it has failed
        self._check_s = 0
        self._check_wh = 0
        self._stop_row = -1  # worst fault when the contactor opened
        self.recorded = False  # a record has just been stored; the teller takes this

    def may_close(self):
        """True when the open session is on flash, or flash has failed and said so."""
        return self._session.open and (
            self._records.begun() or self._faults.holds(STORAGE)
        )

    def step(self, dt_ms):
        charging, session = self._charging, self._session
        if self._settle_ms >= 0:
            self._settle_ms -= dt_ms
            if self._settle_ms < 0:
                self._try_record()
        if charging.contactor != self._closed:
            self._switched()
        here = A < charging.letter < E
        if here and not session.open and self._settle_ms < 0:
            self._begin()
        elif charging.letter == A and session.open:
            session.end(self._clock.up_s, self._clock.up_ms, self._reading.wh)
            self._settle_ms = _SETTLE_MS

    def _begin(self):
        self._faults.session_begins()
        self._charging.opened_by = seq.BY_NOTHING
        self._reading.meter_faults &= 1
        self._records.begin(self._session, self._clock, self._reading)
        self._check_s = 0
        self._check_wh = self._reading.wh

    def _switched(self):
        charging, session, clock = self._charging, self._session, self._clock
        self._closed = charging.contactor
        if self._closed:
            session.current_on(clock.up_s, clock.up_ms)
        else:
            if charging.opened_by == seq.BY_FAULT:
                self._stop_row = self._faults.worst
            session.current_off(clock.up_s, clock.up_ms, charging.why)
            r = self._reading
            hot = max(r.peak_ma) >= _HOT_PEAK_MA if r.peak_fresh else max(r.i_ma) >= _HOT_MA
            self._records.hot += hot
            self._records.cold += not hot
            self._check()

    def _try_record(self):
        """Without memory once more a second later, for messages come and go; then a restart does it."""
        try:
            self._record()
            self._again = False
        except MemoryError:
            if self._again:
                raise
            self._again = True
            self._settle_ms = _AGAIN_MS

    def _record(self):
        session, by = self._session, self._charging.opened_by
        session.end_wh = self._reading.wh
        if by == seq.BY_FAULT:
            stop, detail = "Other", "fault"
            if self._stop_row >= 0:
                stop = once.call("decide.fault_table", "stop_reason", self._stop_row)
        else:
            stop, detail = _STOPS[by]
        self._records.close(
            session, self._clock, stop, detail, self._faults.session_mask, self._reading
        )
        self.recorded = True

    def second(self):
        """Checkpoints: each minute while energy flows, rarer when nothing happens or flash is short."""
        session = self._session
        if not session.open:
            return
        self._check_s += 1
        wh = self._reading.wh
        every_s = _CHECK_S if wh != self._check_wh else _CHECK_IDLE_S
        if self._records.journal.free_sectors < _TIGHT_SECTORS:
            every_s = _CHECK_TIGHT_S
        if self._check_s >= every_s or session.charging and session.charge_s == _CHECK_FIRST_S:
            self._check()

    def _check(self):
        self._check_s = 0
        self._check_wh = self._session.end_wh = self._reading.wh
        self._records.check(
            self._session, self._clock, self._faults.session_mask, self._reading
        )
