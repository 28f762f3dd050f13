"""What the sequence makes of good, odd and spoilt pilot levels."""

import pytest

from bench_car import UNREADABLE, Bench, closed, opened
from pilotwire.decide.letters import A, B, C, D, E, F, letter_of

LONG_STALL_MS = 900  # a name look-up or an erase, with the contactor open


# Bands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("high_mv", "letter"),
    [
        (13000, A), (12000, A), (11000, A), (10000, B), (9000, B), (8000, B), (7000, C), (6000, C),
        (5000, C), (4000, D), (3000, D), (2000, D), (1000, E), (0, E), (-1000, E), (-1001, E),
        (-10999, E), (-11000, F), (-12000, F), (-13000, F),
    ],
)
def test_band_has_one_letter_whatever_was_before(high_mv, letter):
    assert {letter_of(high_mv, before) for before in range(6)} == {letter}


@pytest.mark.parametrize("high_mv", [7001, 7999, 4001, 4999, 1001, 1999])
def test_gap_keeps_the_letter(high_mv):
    assert [letter_of(high_mv, before) for before in range(5)] == [A, B, C, D, E]


@pytest.mark.parametrize("high_mv", [10001, 10200, 10201, 10999])
def test_between_b_and_a_a_car_that_asked_has_gone_and_far_above_b_every_car(high_mv):
    b = B if high_mv <= 10200 else A
    assert [letter_of(high_mv, before) for before in (A, B, C, D)] == [A, b, A, A]


@pytest.mark.parametrize("high_mv", [-1500, -5000, -10900])
def test_level_that_no_car_can_make_is_a_fault_of_the_station(high_mv):
    assert letter_of(high_mv, C) > D


def test_gap_voltage_keeps_charging(charging):
    for charging.level_mv in (7500, 4500):
        charging.run(5000)
    assert closed(charging)


def test_gap_voltage_keeps_the_contactor_open(bench):
    bench.plug()
    bench.level_mv = 7500
    assert opened(bench.run(5000))
    assert bench.charging.letter == B


# Glitches ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "burst", [(12000, -12000), (0, 0), (-12000, -12000), (6000, -3000), (9000, -12000), UNREADABLE]
)
def test_one_spoilt_burst_does_not_open(charging, burst):
    for _ in range(100):
        charging.bursts = [burst]
        charging.run(100)
    assert charging.times("contactor") == charging.times("contactor", True)
    assert charging.shown() == ""


@pytest.mark.parametrize(
    "burst", [(12000, 12000), (0, 0), (-12000, -12000), (9000, -3000), (6000, -12000), UNREADABLE]
)
@pytest.mark.parametrize("stall_ms", [10, LONG_STALL_MS])
def test_one_spoilt_burst_while_open_changes_nothing(bench, burst, stall_ms):
    bench.plug().run(1000)
    before = list(bench.log)
    bench.bursts = [burst]
    bench.tick(stall_ms)
    bench.run(2000)
    assert bench.log == before
    assert bench.shown() == ""


def test_short_looks_at_two_states_do_not_add_up():
    bench = Bench()
    bench.shows = B
    bench.run(40)
    bench.shows = C
    bench.run(40)
    assert bench.charging.letter == A
