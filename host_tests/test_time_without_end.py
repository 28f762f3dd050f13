"""Weeks in one state: counters must stay small ints, or each tick allocates on the chip."""

from bench_car import UNREADABLE, Bench, closed
from pilotwire.decide.letters import A, B, C
from small_int import BOUND, numbers, too_large

WEEK_STEPS, STEP_MS = 672, 900000  # 168 hours
WATCH_MS = 60000


def things(bench):
    return bench.charging, bench.protection, bench.limits


def grown(bench):
    """(thing, name) of each counter that grows with time."""
    before = [dict(numbers(thing)) for thing in things(bench)]
    bench.run(WATCH_MS)
    return [
        (thing, name)
        for thing, old in zip(things(bench), before, strict=True)
        for name, value in list(numbers(thing))
        if name.endswith("_ms") and value - old[name] > WATCH_MS // 2
    ]


def after_weeks(bench):
    """Counters that are too large after a week, or would be some time: put near the end, they pass it."""
    for _ in range(WEEK_STEPS):
        bench.tick(STEP_MS)
    large = too_large(*things(bench))
    for thing, name in grown(bench):
        setattr(thing, name, BOUND - 500)
    bench.run(1000)
    return large + too_large(*things(bench))


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
