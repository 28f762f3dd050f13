"""Any car, any hand on its plug, faults and commands on the bench, under the rules of car_rules.py.

Each step is one thing that happens and some time in which it shows. Hypothesis chooses the steps, and
makes what breaks a rule as short as it can.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from bench_car import OPEN_OHM, UNREADABLE, Bench, closed
from car_rules import CLEARS, STALL_MS, Rules
from pilotwire.decide import limits
from pilotwire.decide.fault_rows import METER_WRONG
from pilotwire.decide.faults import CLEARED
from pilotwire.decide.letters import A, B, C, D, E
from small_int import too_large

LIMITS_MA = (0, 5900, 6000, 9990, 16000, 20000, 32000, limits.NONE_MA)
ONLY_A_RESTART = sum(1 << row for row, how in enumerate(CLEARS) if how in "SP")
SLOW = sum(1 << row for row, how in enumerate(CLEARS) if how == "A") | 1 << METER_WRONG
ONLY_SERVICE = [row for row, how in enumerate(CLEARS) if how == "P"]
REST_AFTER_RESTART_MS = 30000  # control.py, after anything but a power-on
MS = st.sampled_from((10, 40, 60, 100, 300, 700, 700, 1500, 3000, 8000))
STALLS = st.sampled_from((0, 0, 0, 2, 7, 30))  # every so many ticks one
LOAD = st.booleans()  # see AnyCar.given
MV = st.integers(-13000, 13000)
OFF_MV = st.integers(-400, 400)
VOLTS = st.sampled_from((0, 11500, 19000, 20000, 23000, 23000, 26000, 27000))
PLUS_MV = st.one_of(st.integers(11400, 12600), st.integers(10300, 11000))


class AnyCar(RuleBasedStateMachine):
    ticks = closings = 0  # of all examples
    met = set()  # codes that were shown

    @initialize(
        options=st.fixed_dictionaries({
            "ventilation": st.booleans(), "socket": st.booleans(), "aux": st.booleans(),
            "limit_ma": st.sampled_from((6000, 16000, 16000, 32000)),
        }),
    )
    def begins(self, options):
        self.options = options
        self._station()

    def _station(self):
        self.rules = Rules(Bench(**self.options))
        self.bench = self.rules.bench

    def _count(self):
        AnyCar.ticks += self.rules.ticks
        AnyCar.closings += len(self.bench.times("contactor", True))

    def given(self, load, letter=C):
        """`load`: a car charges; when this one does not, one at another station that knows no other."""
        if load and not closed(self.bench):
            self._count()
            self._station()
            self._charge(0, 100)
        if load and letter != C:
            self.car(letter, 300)

    def wait(self, ms, stalls=0):
        for k in range(1, ms // 10 + 1):
            self.rules.tick(STALL_MS if stalls and k % stalls == 0 else 10)
        AnyCar.met.add(self.bench.shown())

    def car(self, letter, ms, stalls=0):
        self.bench.level_mv = None
        self.rules.show(letter)
        self.wait(ms, stalls)

    def _comes_with(self, off_mv, ohm):
        self.bench.off_mv, self.bench.diode, self.bench.pp_ohm = off_mv, True, ohm
        self.bench.low_mv = -12000 + off_mv * 2

    def _charge(self, off_mv, part):
        bench = self.bench
        if bench.shows == A:
            self._comes_with(off_mv, 220)
        self.car(B, 300)
        self.car(C, 2000)
        bench.amps_ma = [max(bench.charging.offer_ma, 0) * part // 100 + 600] * 3
        self.wait(9000 if part > 100 else 300)

    # The car, and the hand on its plug -----------------------------------------------------------

    @precondition(lambda self: self.bench.shows == A)
    @rule(letter=st.sampled_from((B, B, C)), off_mv=OFF_MV, ms=MS, stalls=STALLS,
          ohm=st.sampled_from((100, 220, 220, 680, 1500, 0, 3000, OPEN_OHM)))
    def comes(self, letter, off_mv, ms, stalls, ohm):
        self._comes_with(off_mv, ohm)
        self.car(letter, ms, stalls)

    @rule(off_mv=OFF_MV, part=st.sampled_from((0, 60, 100, 100, 115, 115, 130)),
          stuck_open=st.sampled_from((False, False, False, True)))
    def charges(self, off_mv, part, stuck_open):
        """`part`: percent of the offer that it draws, and 0.6 A."""
        self.bench.stuck_open = stuck_open
        self._charge(off_mv, part)

    @rule(load=LOAD, to=st.sampled_from((A, B, B, C, D, E)), ms=MS, stalls=STALLS)
    def goes_on_to(self, load, to, ms, stalls):
        """It asks, stops, leaves, wants ventilation, or its pilot is shorted."""
        self.given(load)
        if self.bench.shows != A:
            if to == A:
                self.bench.pp_ohm = OPEN_OHM
            self.car(to, ms, stalls)

    @rule(load=LOAD, ms=MS, to=st.sampled_from((A, B, D)), for_ms=st.sampled_from((8000, 31000)))
    def asks_again(self, load, ms, to, for_ms):
        self.given(load)
        self.car(to, ms)
        self.car(C, for_ms)

    @rule(load=LOAD, each_ms=st.sampled_from((10, 20, 40, 50, 60, 150)), times=st.integers(1, 30),
          letters=st.lists(st.sampled_from((A, B, C, D)), min_size=2, max_size=3, unique=True))
    def flickers(self, load, each_ms, times, letters):
        self.given(load)
        for k in range(times):
            self.car(letters[k % len(letters)], each_ms)

    @rule(pulses=st.lists(st.tuples(st.integers(20, 40), st.integers(20, 40)), min_size=1, max_size=3),
          hidden=st.booleans(), anew=st.booleans())
    def toggles(self, pulses, hidden, anew):
        """BCB, seq. 11; `hidden`: a stall swallows each gap but the last. A generator that has grown so
        weak that B is between the bands does not show that the car asks no more."""
        if anew or self.bench.shows > B or self.bench.plus_mv < 11400:
            self._count()
            self._station()
        if self.bench.shows == A:
            self._comes_with(0, 220)
        self.car(B, 700)
        closings = self.bench.times("contactor", True)
        for k, (pulse, gap) in enumerate(pulses):
            self.car(C, pulse * 10)
            if hidden and k + 1 < len(pulses):
                self.rules.show(B)
                self.rules.show(C, in_ms=gap * 10)
                self.rules.tick(gap * 10)
            else:
                self.car(B, gap * 10)
        assert self.bench.times("contactor", True) == closings

    @rule(ms=st.sampled_from((6000, 12000, 31000)))
    def nothing_new(self, ms):
        self.wait(ms)

    @precondition(lambda self: not closed(self.bench))
    @rule(dt_ms=st.integers(10, 900))
    def stall_while_open(self, dt_ms):
        self.rules.tick(dt_ms)

    @rule(draws_ma=st.sampled_from((0, 6000, 16000, 25000, 40000)), ms=MS)
    def draws(self, draws_ma, ms):
        self.bench.amps_ma = [draws_ma, 0, draws_ma]
        self.wait(ms)

    # What is sensed, and what breaks -------------------------------------------------------------

    @rule(load=LOAD, high_mv=MV, low_mv=MV, ms=MS)
    def burst_is_spoilt(self, load, high_mv, low_mv, ms):
        self.given(load)
        self.bench.bursts = [(high_mv, low_mv)]
        self.wait(ms)

    @rule(load=LOAD, bursts=st.sampled_from((1, 2, 10, 60, 150, 150)), ms=MS)
    def pilot_is_unreadable(self, load, bursts, ms):
        self.given(load)
        self.bench.bursts = [UNREADABLE] * bursts
        self.wait(ms)

    @rule(load=LOAD, level_mv=st.sampled_from((7500, 4500)), ms=MS)
    def level_is_between_two_bands(self, load, level_mv, ms):
        self.given(load)
        if A < self.bench.shows < E:
            self.bench.level_mv = level_mv
            self.wait(ms)

    @rule(load=LOAD, letter=st.sampled_from((B, C)), plus_mv=PLUS_MV, leaves=st.booleans(), ms=MS)
    def generator_drifts(self, load, letter, plus_mv, leaves, ms):
        self.given(load, letter)
        self.bench.plus_mv = plus_mv
        self.wait(ms)
        if leaves:
            self.car(A, ms)

    @rule(load=LOAD, ms=MS)
    def diode_breaks(self, load, ms):
        self.given(load)
        self.bench.diode = False
        self.wait(ms)

    @rule(load=LOAD, ohm=st.sampled_from((0, 220, 680, 3000, OPEN_OHM)), ms=MS)
    def cable_breaks(self, load, ohm, ms):
        self.given(load)
        self.bench.pp_ohm = ohm
        self.wait(ms)

    @rule(load=LOAD, name=st.sampled_from(("meter_silent", "stuck_open")), on=st.booleans(),
          ms=st.sampled_from((40, 1500, 12000)))
    def meter_or_coil_breaks(self, load, name, on, ms):
        self.given(load)
        setattr(self.bench, name, on)
        self.wait(ms)

    @rule(load=LOAD, volts_cv=VOLTS, phases=st.integers(1, 3), ms=st.sampled_from((1500, 8000)))
    def mains_changes(self, load, volts_cv, phases, ms):
        self.given(load)
        self.bench.volts_cv[:phases] = [volts_cv] * phases
        self.wait(ms)

    @rule(load=LOAD, frozen=st.booleans(), energy=st.sampled_from((1.0, 0.5)),
          ms=st.sampled_from((1500, 65000)))
    def meter_sticks_or_counts_wrongly(self, load, frozen, energy, ms):
        self.given(load)
        self.bench.frozen, self.bench.energy = frozen, energy
        self.wait(ms)

    @rule(load=LOAD, level_mv=st.sampled_from((None, 0, -5000, -12000)), ms=MS)
    def contacts_weld_or_generator_dies(self, load, level_mv, ms):
        """What ends only with a restart."""
        self.given(load)
        self.bench.level_mv, self.bench.welded = level_mv, level_mv is None
        self.wait(ms)

    @rule(load=LOAD, sample=st.integers(0, 1), ms=MS)
    def auxiliary_contact_is_misread(self, load, sample, ms):
        self.given(load)
        self.bench.aux_samples = [sample]
        self.wait(ms)

    # What is ordered -----------------------------------------------------------------------------

    @rule(load=LOAD, source=st.sampled_from((limits.COMMAND, limits.LEASE, limits.TEMPERATURE)),
          ma=st.sampled_from(LIMITS_MA), for_s=st.sampled_from((0, 0, 5, 60)), ms=MS)
    def limit(self, load, source, ma, for_s, ms):
        self.given(load)
        self.bench.limits.set(source, ma, for_s and self.bench.now_ms // 1000 + for_s)
        self.wait(ms)

    @rule(load=LOAD, steps=st.lists(
        st.tuples(st.sampled_from(LIMITS_MA), st.sampled_from((300, 1500, 6000))), min_size=2, max_size=5,
    ))
    def limit_moves(self, load, steps):
        self.given(load)
        for ma, ms in steps:
            self.bench.limits.set(limits.COMMAND, ma)
            self.wait(ms)

    @rule(load=LOAD, on=st.booleans(), ms=MS)
    def enable(self, load, on, ms):
        self.given(load)
        self.bench.enabled = on
        self.wait(ms)

    @rule(ready=st.booleans(), ms=MS)
    def flash(self, ready, ms):
        self.bench.may_close = ready
        self.wait(ms)

    # Again ---------------------------------------------------------------------------------------

    @rule()
    def restarts(self):
        """The watchdog's: everything hangs on as it was."""
        self._count()
        self.rules.ticks = 0
        old, self.bench = self.bench, Bench(**self.options)
        bench = self.bench
        for name in (
            "shows", "diode", "off_mv", "plus_mv", "low_mv", "level_mv", "pp_ohm", "now_ms", "enabled",
            "meter_silent", "welded", "stuck_open", "amps_ma", "limits", "volts_cv", "frozen", "energy",
        ):
            setattr(bench, name, getattr(old, name))
        bench.charging.rest_ms = REST_AFTER_RESTART_MS
        bench.faults.restore(old.faults.latch(), old.faults.tries)
        self.rules.attach(bench)
        self.rules.opened(REST_AFTER_RESTART_MS)
        self.wait(500)

    @rule(letter=st.sampled_from((B, C)))
    def all_is_well_and_the_next_car_charges(self, letter):
        """`letter`: of the car when it is plugged in; one that asks at once has no S2."""
        bench = self.bench
        bench.bursts.clear()
        bench.plus_mv = 12000
        bench.enabled = bench.may_close = True
        bench.meter_silent = bench.stuck_open = bench.welded = False
        bench.amps_ma = [0, 0, 0]
        bench.volts_cv, bench.frozen, bench.energy = [23000] * 3, False, 1.0
        for source in (limits.TEMPERATURE, limits.LEASE):
            bench.limits.drop(source)
        bench.limits.set(limits.COMMAND, 16000)
        self._comes_with(0, OPEN_OHM)
        self.car(A, 5000)
        if self.rules.faults & SLOW:  # healthy for 30 s, or two windows of energy
            self.wait(70000)
        if self.rules.faults & ONLY_A_RESTART:
            self.restarts()
            bench = self.bench
        for row in ONLY_SERVICE:
            if bench.faults.clear(row, service=True) == CLEARED:
                self.rules.faults = bench.faults.mask()
        self.wait(max(0, self.rules.opened_ms + self.rules.longest_rest_ms - bench.now_ms))
        assert bench.codes() == []
        bench.pp_ohm = 220
        self.car(letter, 1000)
        self.car(C, 5000)
        assert closed(bench)
        assert bench.charging.offer_ma == (10000 if letter == C else 16000)

    def teardown(self):
        bench = self.bench
        self._count()
        assert too_large(bench.charging, bench.protection, bench.limits, bench.faults) == []
