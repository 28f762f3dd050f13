"""Cars that sleep, wake for a moment, or have no S2: courtesies that must not become nuisances."""

from bench_car import Bench
from pilotwire.decide.letters import STATE_F, A, B, C, F


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
