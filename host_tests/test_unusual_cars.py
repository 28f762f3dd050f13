"""Cars that sleep, wake for a moment, or have no S2: courtesies that must not become nuisances."""

import pytest

from bench_car import Bench, closed
from pilotwire.decide.letters import STATE_F, A, B, C, F


@pytest.fixture
def bench():
    return Bench()


def pulses_of_f(bench):
    """[(ms, how long)] of state F so far."""
    at = [(ms, value) for ms, name, value in bench.log if name == "offer"]
    return [(ms, end - ms) for (ms, value), (end, _) in zip(at, at[1:], strict=False) if value == STATE_F]


def test_sleeping_car_is_woken_at_30_s_and_at_90_s_and_then_left_alone(bench):
    bench.plug()
    bench.run(600_000)
    (first, long), (second, long_too) = pulses_of_f(bench)
    assert 30_000 <= first <= 30_400 and 90_000 <= second <= 98_500
    assert {long, long_too} <= set(range(3980, 4030, 10))
    assert bench.charging.offer_ma == 16000


def test_woken_car_charges(bench):
    bench.plug()
    bench.run(40_000)
    bench.shows = C
    assert 500 <= bench.until(closed) <= 700


def test_car_that_has_charged_is_not_woken(bench):
    bench.charge()
    bench.shows = B
    bench.run(20_000)
    assert pulses_of_f(bench) == []


def test_paused_car_is_not_woken():
    bench = Bench(limit_ma=0).plug()
    bench.run(200_000)
    assert pulses_of_f(bench) == []


def test_station_never_takes_its_own_waking_for_state_f():
    bench = Bench().plug()
    letters = set()
    for _ in range(20000):
        bench.tick()
        letters.add(bench.charging.letter)
    assert len(bench.times("offer", STATE_F)) == 2
    assert F not in letters
    assert bench.charging.letter == B


def test_waking_lasts_4_s_and_the_offer_comes_back():
    bench = Bench().plug()
    bench.run(45000)
    (began_ms,) = bench.times("offer", STATE_F)
    after = [(ms, value) for ms, name, value in bench.log if name == "offer" and ms > began_ms]
    assert 4000 <= after[0][0] - began_ms <= 4050
    assert bench.charging.offer_ma == 16000


def test_full_car_that_stirs_when_woken_is_not_woken_for_ever():
    """Each time it would close the contactor for nothing."""
    bench = Bench().charge()
    bench.shows = B
    for _ in range(20):
        bench.run(40000)
        bench.shows = C
        bench.run(8000)
        bench.shows = B
    assert len(bench.times("offer", STATE_F)) <= 2


def test_car_that_left_during_waking_is_noticed_when_it_ends():
    bench = Bench().plug()
    bench.until(lambda b: b.charging.offer_ma == STATE_F, within_ms=40000)
    bench.shows = A
    bench.run(4300)
    assert bench.charging.letter == A
    assert bench.shown() == ""


def test_car_that_opens_s2_later_is_no_simplified_pilot_after_all():
    bench = Bench()
    bench.plug(C)
    bench.run(10000)
    bench.shows = B
    bench.run(10000)
    bench.shows = C
    bench.run(10000)
    assert bench.charging.offer_ma == 16000
