"""Weeks in one state: counters must stay small ints, or each tick allocates on the chip."""

from bench_car import UNREADABLE, Bench, closed
from pilotwire.decide.letters import A, B, C
from small_int import numbers, too_large

WEEK_STEPS, STEP_MS = 672, 900000  # 168 hours
WATCH_S = 300


def things(bench):
    return bench.charging, bench.protection, bench.limits


def after_weeks(bench):
    """Names of the counters that are too large after a week, or still grow as fast as time does."""
    for _ in range(WEEK_STEPS):
        bench.tick(STEP_MS)
    before = [dict(numbers(thing)) for thing in things(bench)]
    for _ in range(WATCH_S * 25):
        bench.tick(40)
    after = [dict(numbers(thing)) for thing in things(bench)]
    growing = [
        name for old, new in zip(before, after, strict=True) for name in new
        if name.endswith("_ms") and new[name] - old[name] >= WATCH_S * 900
    ]
    return too_large(*things(bench)) + growing


def test_car_that_charges_for_weeks():
    bench = Bench().charge(draws_ma=16000)
    assert after_weeks(bench) == []
    assert closed(bench)


def test_no_car_for_weeks():
    assert after_weeks(Bench()) == []


def test_car_that_does_not_ask_for_weeks():
    bench = Bench()
    bench.shows = B
    assert after_weeks(bench) == []


def test_car_that_waits_for_flash_for_weeks():
    bench = Bench()
    bench.may_close = False
    bench.shows = C
    assert after_weeks(bench) == []


def test_paused_for_weeks():
    bench = Bench(limit_ma=0)
    bench.shows = C
    assert after_weeks(bench) == []


def test_unreadable_pilot_and_silent_meter_for_weeks():
    bench = Bench()
    bench.meter_silent = True
    bench.bursts = [UNREADABLE] * 10000
    assert after_weeks(bench) == []
    assert bench.bursts


def test_broken_generator_for_weeks():
    bench = Bench()
    bench.level_mv = 10500
    assert after_weeks(bench) == []


def test_lost_diode_for_weeks():
    bench = Bench()
    bench.diode = False
    bench.shows = B
    assert after_weeks(bench) == []


def test_welded_contactor_for_weeks():
    bench = Bench()
    bench.welded = True
    bench.shows = A
    assert after_weeks(bench) == []
