"""Random cars, faults and commands; after every tick the rules that must hold whatever happens."""

import os
import random

import pytest

from bench_car import UNREADABLE, Bench, closed
from pilotwire.decide import charging as seq
from pilotwire.decide import limits
from pilotwire.decide.letters import STATE_F, X1, A, B, C, D, E
from small_int import too_large

FIRST_SEED = int(os.environ.get("PILOTWIRE_SEED", "0"))
WALKS = int(os.environ.get("PILOTWIRE_WALKS", "6"))
STEPS = 500  # each one thing that happens and 10 ms to 10 s in which it shows
LONGEST_STALL_MS = 40  # allowed with the contactor closed


class Rules:
    """What is true of the car and the commands, kept apart from what decide/ believes."""

    def __init__(self, bench):
        self.bench = bench
        self.since_ms = {"shows": 0, "stop": None, "low": None}
        self.shows = bench.shows
        self.opened_ms, self.rest_ms = -10000, 0
        self.duty_ms = -10000
        self.blocked = False  # before this tick

    def tick(self, dt_ms):
        bench, charging, faults = self.bench, self.bench.charging, self.bench.faults
        was_closed, offer = charging.contactor, charging.offer_ma
        blocked, open_now = faults.blocks, faults.open_now
        self.blocked = blocked
        spoilt = bool(bench.bursts)
        high_mv, low_mv = bench.plateaus()
        if bench.shows != self.shows:
            self.shows = bench.shows
            self.since_ms["shows"] = bench.now_ms
        urgent_ma = bench.limits.urgent_ma
        may = bench.enabled and bench.limits.ma >= 6000 and not blocked
        bench.tick(dt_ms)
        if charging.contactor and not was_closed:
            self.closing(offer, may)
        elif was_closed and not charging.contactor:
            self.opening(may)
        if charging.contactor:
            self.closed(offer, high_mv, low_mv, spoilt, open_now)
        self.stop(may)
        self.offer(offer, charging.offer_ma, urgent_ma)

    def run(self, ms):
        for _ in range(0, ms, 10):
            self.tick(10)

    def closing(self, offer, may):
        bench = self.bench
        assert may and bench.may_close and offer >= 6000
        assert bench.shows == C and bench.diode
        assert bench.now_ms - self.since_ms["shows"] >= 500
        assert bench.now_ms - self.opened_ms >= self.rest_ms

    def opening(self, may):
        bench = self.bench
        self.opened_ms = bench.now_ms
        hard = bench.faults.open_now or bench.charging.letter >= D
        forced = self.since_ms["stop"] is not None and bench.charging.letter == C
        self.rest_ms = 30000 if hard and bench.charging.letter > B or forced else 5000

    def closed(self, offer, high_mv, low_mv, spoilt, open_now):
        bench = self.bench
        assert not open_now, "a fault that opens at once"
        assert bench.charging.why in (seq.CHARGING, seq.STOPPING, seq.FAULT)
        if not spoilt:
            assert 1000 < high_mv < 11000, "unplugged or shorted"
            assert offer <= 0 or low_mv <= -10000, "no diode"
            if bench.level_mv is None and bench.shows != C:
                held_ms = bench.now_ms - max(self.since_ms["shows"], self.since_ms["low"] or 0)
                assert held_ms < 50 + 2 * LONGEST_STALL_MS, "the car has stopped"
        else:
            self.since_ms["low"] = bench.now_ms

    def stop(self, may):
        """A stop that has begun ends with an open contactor within 6 s."""
        bench = self.bench
        if not bench.charging.contactor:
            self.since_ms["stop"] = None
        elif self.since_ms["stop"] is None and not may:
            self.since_ms["stop"] = bench.now_ms
        elif self.since_ms["stop"] is not None:
            assert bench.now_ms - self.since_ms["stop"] <= 6000 + LONGEST_STALL_MS

    def offer(self, old, new, urgent_ma):
        bench = self.bench
        assert new in (X1, STATE_F) or new >= 6000 and new % 100 == 0
        if self.blocked:
            assert new <= 0
        if new > 0:
            assert new <= urgent_ma
        if new != old and max(old, new) > 0:
            safe = new <= 0 or new < old and old > urgent_ma
            assert safe or bench.now_ms - self.duty_ms >= 5000
            self.duty_ms = -10000 if bench.charging.letter == A else bench.now_ms


LIMITS_MA = (0, 5900, 6000, 9990, 16000, 20000, 32000, 32000, limits.NONE_MA, limits.NONE_MA)
NEXT = {A: (B, B, B, C), B: (C, C, C, C, A, D), C: (B, B, B, A, D, E), D: (B, C, A), E: (A, A, C)}


def car(bench, rng):
    """The car or the hand on its plug goes on to something else."""
    bench.shows = rng.choice(NEXT[bench.shows])
    bench.level_mv = None
    bench.diode = bench.diode or bench.shows == A


def wires(bench, rng):
    """Something disturbs what is sensed, or breaks."""
    what = rng.randrange(7)
    if what == 0:
        bench.bursts = [(rng.randrange(-13000, 13000), rng.randrange(-13000, 13000))]
    elif what == 1:
        bench.bursts = [UNREADABLE] * rng.choice((1, 2, 10, 60, 150))
    elif what == 2 and bench.charging.letter == bench.shows:
        bench.level_mv = {B: 7500, C: 7500, D: 4500}.get(bench.shows)
    elif what == 3:
        bench.aux_samples = [rng.randrange(2)]
    elif what == 4:
        bench.meter_silent = rng.random() < 0.3
    elif what == 5:
        bench.stuck_open = rng.random() < 0.3
    elif rng.random() < 0.3:
        bench.diode = False


def backend(bench, rng):
    """A command arrives."""
    what = rng.randrange(6)
    if what < 3:
        source = (limits.COMMAND, limits.TEMPERATURE, limits.LEASE)[what]
        bench.limits.set(source, rng.choice(LIMITS_MA))
    elif what == 3:
        bench.limits.set(limits.COMMAND, 16000, bench.now_ms // 1000 + rng.randrange(1, 60))
    elif what == 4:
        bench.enabled = rng.random() < 0.9
    else:
        bench.may_close = rng.random() < 0.9


def load(bench, rng):
    """The car draws something else: often what is offered, at times too much."""
    offer_ma = max(bench.charging.offer_ma, 0)
    draws_ma = rng.choice((0, 6000, offer_ma, offer_ma * 115 // 100 + 800, 21000, 40000))
    bench.amps_ma = [draws_ma, 0, draws_ma]


def wait(bench, rules, rng):
    if not closed(bench) and rng.random() < 0.05:
        rules.tick(rng.randrange(10, 900))
    rest_ms = rng.choice((10, 40, 60, 100, 300, 700, 1500, 10000, 10000))
    while rest_ms > 0:
        dt_ms = LONGEST_STALL_MS if rng.random() < 0.03 else 10
        rules.tick(dt_ms)
        rest_ms -= dt_ms


def go(bench, rules, rng, met=None):
    rng.choice((car, car, car, wires, backend, load))(bench, rng)
    wait(bench, rules, rng)
    if met is not None:
        met.add(bench.shown())
    if rng.random() < 0.03:  # often enough all is well again: no walk ends in a corner
        all_well(bench)
        rules.run(5000)


def all_well(bench):
    bench.bursts.clear()
    bench.shows, bench.level_mv, bench.diode = A, None, True
    bench.enabled = bench.may_close = True
    bench.meter_silent = bench.stuck_open = False
    bench.amps_ma = [0, 0, 0]
    for source in (limits.TEMPERATURE, limits.LEASE):
        bench.limits.drop(source)
    bench.limits.set(limits.COMMAND, 16000)


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + WALKS))
def test_rules_hold_whatever_happens_and_the_next_car_is_charged(seed):
    print("seed", seed)
    rng = random.Random(seed)
    bench = Bench(limit_ma=16000)
    rules = Rules(bench)
    for step in range(STEPS):
        go(bench, rules, rng)
        if step % 100 == 0:
            assert too_large(bench.charging, bench.protection, bench.limits) == []
        if step % 100 == 99:
            all_well(bench)
            rules.run(75000)
            assert bench.shown() == ""
            bench.shows = C
            rules.run(10000)  # it may just be woken: state F for 4 s
            assert closed(bench)
    assert len(bench.times("contactor", True)) > STEPS // 100
    print(bench.now_ms // 1000, "s,", len(bench.times("contactor", True)), "closings")


def test_rules_are_met_by_enough_faults():
    """The walk is worth something only if it reaches the faults."""
    met = set()
    for seed in range(4):
        rng = random.Random(seed)
        bench = Bench()
        rules = Rules(bench)
        for _ in range(400):
            go(bench, rules, rng, met)
    assert met >= {"1-1", "1-2", "1-3", "6-2", "7-4", "8-1"}


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_rules_hold_for_hundreds_of_walks(seed):
    test_rules_hold_whatever_happens_and_the_next_car_is_charged(seed)
