"""What must hold whatever happens, judged by what the car, the cable and the commands really do.

Of charging.py only its verdict is looked at: contactor, offer and why. What it believes of the car is
not asked. A look that was spoilt (Bench.bursts) shows nothing: times of the car count from the last one.
"""

import car_law
from pilotwire.act.pilot_pwm import duty_of
from pilotwire.decide import charging as seq
from pilotwire.decide import fault_table as table
from pilotwire.decide import limits
from pilotwire.decide.letters import STATE_F, X1, A, B, C, D, E

STALL_MS = 40  # the longest that is allowed with the contactor closed
LONG_AGO_MS = -1 << 20
# Sources whose fall is offered at once: all that nobody chose.
CHOSEN = ("config", "command", "lease", "schedule")
PROTECTIVE = [source for source, name in enumerate(limits.NAMES) if name not in CHOSEN]
# What the car allows: to flow; no longer (it has stopped); nothing at once; or levels do not tell.
FLOWS, STOPS, BREAKS, UNSURE = range(4)
RATED_MA = {100: 63000, 220: 32000, 680: 20000, 1500: 13000}  # of a cable by its coding, Ohm
GAPS_MV = ((7000, 8000), (4000, 5000), (1000, 2000), (10000, 11000))

_ROWS = range(table.COUNT)
RED = sum(1 << row for row in _ROWS if table.cell(row, table.SEVERITY) == "red")
CABLE = sum(1 << row for row in _ROWS if table.code(row) == "1-4")
OPENS = sum(1 << row for row in _ROWS if table.cell(row, table.OPEN) == "2")
CLEARS = [table.cell(row, table.CLEARS) for row in _ROWS]
WAIT_MS = [int(table.cell(row, table.WAIT_S)) * 1000 for row in _ROWS]
TRIES = [int(table.cell(row, table.TRIES)) for row in _ROWS]


class Rules:
    """tick() in place of the bench's; show() in place of setting what the car shows."""

    def __init__(self, bench):
        self.ticks = 0
        self.opened_ms, self.rest_ms, self.longest_rest_ms = LONG_AGO_MS, 0, 0
        self.attach(bench)

    def attach(self, bench):
        """A station that has just been started, with whatever hangs on it."""
        self.bench = bench
        now_ms = bench.now_ms
        self.spoilt_ms = LONG_AGO_MS  # last spoilt look
        self.asks_ms = now_ms  # since the car asks
        self.told = UNSURE
        self.told_ms = now_ms  # since the car allows what it does
        self.seen_ms = 0  # for how long looks show that
        self.stalls = 0  # meanwhile
        self.dark_ms = 0  # pilot unreadable
        self.away_ms = 0  # since a car was there for a second: the latch asks once a second
        self.shows, self.clear_looks = bench.shows, 0
        self.simple = bench.shows != A  # a car that has always asked, so far
        self.diode_seen = False  # of this car
        self.ohm, self.ohm_ms = bench.pp_ohm, 0  # coding of the cable, and how long it was looked at
        self.stop_ms = None  # since the station wants to stop
        self.duty_ms = LONG_AGO_MS  # last change ...
        self.same_car = False  # ... and the car has not been away since
        self.faults = bench.faults.mask()
        self.raised_ms = [now_ms] * table.COUNT
        self.cleared = [0] * table.COUNT  # by itself, with this car

    def show(self, letter, in_ms=0):
        """The car goes on to another state; `in_ms`: in the middle of the next tick."""
        bench = self.bench
        asked = self._asks()
        bench.shows = letter
        if self._asks() and (in_ms or not asked):
            self.asks_ms = bench.now_ms + in_ms

    def run(self, ms):
        for _ in range(0, ms, 10):
            self.tick(10)

    def tick(self, dt_ms):
        bench = self.bench
        charging = bench.charging
        self.ticks += 1
        was_closed, offer, faults = charging.contactor, charging.offer_ma, self.faults
        spoilt = bool(bench.bursts)
        high_mv, low_mv = bench.plateaus()
        allowed = list(bench.limits.value_ma)
        enabled, may_close = bench.enabled, bench.may_close
        before_ms = bench.now_ms
        bench.tick(dt_ms)
        self.faults = bench.faults.mask()
        allowed[limits.CABLE] = bench.limits.value_ma[limits.CABLE]  # known in the same tick
        self._watch_car(high_mv, low_mv, offer, spoilt, before_ms, dt_ms)
        known = faults | self.faults & CABLE
        may = enabled and min(allowed) >= 6000 and not known & RED
        if charging.contactor and not was_closed:
            self._closing(offer, low_mv, may and may_close)
        elif was_closed and not charging.contactor:
            self._opening(known)
        if charging.contactor:
            self._closed(spoilt, faults)
        self._stopping(may)
        self._offering(offer, charging.offer_ma, allowed, known)
        self._latching(faults)

    # The car -------------------------------------------------------------------------------------

    def _asks(self):
        return self.bench.shows == C or self.bench.shows == D and self.bench.charging.ventilation

    def _tells(self, high_mv, low_mv, offer):
        """What a voltmeter at the pilot says."""
        shows = self.bench.shows
        if shows in (A, E) or high_mv <= 1000 or high_mv > 10000 or offer > 0 and low_mv > -10000:
            return BREAKS
        if any(low < high_mv < high for low, high in GAPS_MV):
            return UNSURE
        return FLOWS if self._asks() else STOPS

    def _watch_car(self, high_mv, low_mv, offer, spoilt, before_ms, dt_ms):
        bench = self.bench
        tells = self._tells(high_mv, low_mv, offer)
        if tells != self.told:
            self.told = tells
            self.told_ms = before_ms
            self.seen_ms = self.stalls = 0
        if spoilt:
            self.spoilt_ms = bench.now_ms
            self.seen_ms = self.stalls = 0
        else:
            self.seen_ms += dt_ms
            self.stalls += dt_ms > 10
        self.dark_ms = 0 if bench.reading.cp_ok else self.dark_ms + min(dt_ms, 20)
        if bench.shows != self.shows:
            self.shows, self.clear_looks = bench.shows, 0
        if not spoilt and offer != STATE_F and tells != UNSURE:
            self.clear_looks += 1
        there = bench.shows != A
        self.away_ms += dt_ms
        if there and self.clear_looks > 100:
            self.away_ms = 0
        if there:
            self.simple = self.simple and self._asks()
        elif self.clear_looks >= 10:
            self.simple, self.diode_seen = True, False
        if bench.pp_ohm != self.ohm:
            self.ohm, self.ohm_ms = bench.pp_ohm, 0
        self.ohm_ms += min(dt_ms, 20)
        if A < bench.shows < E and offer > 0 and not spoilt and low_mv <= -10000:
            self.diode_seen = True

    def _lately_spoilt(self):
        return self.bench.now_ms - self.spoilt_ms <= 100

    # The contactor -------------------------------------------------------------------------------

    def _closing(self, offer, low_mv, may):
        now_ms = self.bench.now_ms
        assert may and offer >= 6000 and self.diode_seen
        assert now_ms - self.opened_ms >= self.rest_ms
        if not self._lately_spoilt():
            assert self.told in (FLOWS, UNSURE) and low_mv <= -10000
            assert now_ms - self.asks_ms >= 500, "a toggle, or not yet stable"

    def _opening(self, faults):
        """It opened for a reason, and the reason says how long it rests."""
        now_ms = self.bench.now_ms
        stopped = self.told == STOPS and now_ms - self.told_ms >= 50
        forced = self.stop_ms is not None and now_ms - self.stop_ms >= 6000
        assert (
            self.told == BREAKS or stopped or forced or faults & OPENS or self._lately_spoilt()
        ), "opened for no reason"
        broken = self.told == BREAKS or faults & OPENS or self.bench.shows == D
        forced = forced and self.told == FLOWS and now_ms - self.told_ms >= 50
        hard = (broken or forced) and self.bench.shows != A and not self._lately_spoilt()
        soft = self.bench.shows in (A, B) and not (faults & OPENS or forced or self._lately_spoilt())
        self.opened(30000 if hard else 5000, 5000 if soft else 30000)

    def opened(self, rest_ms, longest_rest_ms=30000):
        """Just now; no closing before `rest_ms`, and none that is due after `longest_rest_ms`."""
        self.opened_ms = self.bench.now_ms
        self.rest_ms, self.longest_rest_ms = rest_ms, longest_rest_ms

    def _closed(self, spoilt, faults):
        assert not faults & OPENS, "a fault that opens at once"
        assert self.bench.charging.why in (seq.CHARGING, seq.STOPPING, seq.FAULT)
        assert self.dark_ms <= 1020, "unplugging could not be seen"
        if not spoilt:
            assert self.told != BREAKS, "unplugged, shorted or no diode: at the first look"
        if self.told == STOPS:
            most_ms = 90 if self.stalls < 2 else 50 + STALL_MS * self.stalls
            assert self.seen_ms < most_ms, "the car has stopped"

    def _stopping(self, may):
        """A stop that has begun ends with an open contactor within 6 s."""
        bench = self.bench
        if not bench.charging.contactor:
            self.stop_ms = None
        elif self.stop_ms is None and not may:
            self.stop_ms = bench.now_ms
        elif self.stop_ms is not None:
            assert bench.now_ms - self.stop_ms <= 6000 + STALL_MS

    # The offer -----------------------------------------------------------------------------------

    def _offering(self, old, new, allowed, faults):
        bench = self.bench
        if new != old:
            assert new in (X1, STATE_F) or new >= 6000 and new % 100 == 0
            conveyed_ma = car_law.reads_ma(duty_of(new))
            assert conveyed_ma == 0 if new <= 0 else 6000 <= conveyed_ma <= new
        if bench.charging.contactor and new < 6000:
            assert new == X1 and self.stop_ms is not None
        if faults & RED:
            assert new <= 0
        protective_ma = min(allowed[source] for source in PROTECTIVE)
        since_ms = bench.now_ms - self.duty_ms
        assert new <= (protective_ma if since_ms < 5000 else min(allowed))
        assert not self.simple or new <= 10000, "a car without S2"
        if bench.cable and self.ohm_ms > 600:
            assert new <= RATED_MA.get(self.ohm, 0), "the cable"
        assert bench.shows != A or self.clear_looks < 10 or new <= 0, "nobody is there"
        if bench.shows == A:
            self.same_car = False  # the next one waits for nothing
        if new != old and max(old, new) > 0:
            safe = new <= 0 or new < old and old > protective_ma
            assert safe or since_ms >= 5000 or not self.same_car
            self.duty_ms, self.same_car = bench.now_ms, bench.shows != A

    # The latch -----------------------------------------------------------------------------------

    def _latching(self, before):
        now_ms = self.bench.now_ms
        if self.away_ms >= 1500:
            self.cleared = [0] * table.COUNT
        if self.faults == before:
            return
        for row in _ROWS:
            bit = 1 << row
            if self.faults & bit and not before & bit:
                self.raised_ms[row] = now_ms
            elif before & bit and not self.faults & bit:
                self._clearing(row, now_ms - self.raised_ms[row])

    def _clearing(self, row, held_ms):
        how = CLEARS[row]
        if how == "W" or how in "UT" and self.away_ms >= 1500:
            return
        if how == "A":
            assert held_ms >= WAIT_MS[row] - 1000, table.code(row)
            return
        assert how == "T" and held_ms >= WAIT_MS[row] - 1000, table.code(row)
        self.cleared[row] += 1
        assert self.cleared[row] <= TRIES[row]
