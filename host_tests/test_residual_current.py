"""Residual current on the virtual charger: trips, what is no trip, and how each goes away again."""

import random

import pytest

from fault_station import Faulty
from pilotwire.charger import ROOT

SOCKET = ROOT / "boards/reference-3p-socket/board.json"
SINGLE = ROOT / "boards/reference-1p/board.json"
LINES = [("rcd_ac", "2-1"), ("rcd_dc", "2-2")]


@pytest.fixture
def station(tmp_path):
    with Faulty(tmp_path / "station") as station:
        yield station


@pytest.mark.parametrize("board", [SOCKET, SINGLE], ids=["socket", "1p"])
@pytest.mark.parametrize("fault", ["rcd_ac", "rcd_dc"])
def test_one_line_for_both_currents_is_2_1(tmp_path, board, fault):
    with Faulty(tmp_path / "s", board=board) as station:
        station.charge(seconds=6)
        at_us = station.inject(fault, 1)
        assert station.opened_after_ms(at_us) <= 15
        assert station.codes() == ["2-1"]


def test_a_trip_of_9_ms_is_never_missed_and_one_of_1_ms_is_never_taken(station):
    rng = random.Random(3)
    print("seed 3")
    for _ in range(15):
        station.charge(seconds=1.5)
        charger = station.charger
        for k in range(60):
            station.pulse(charger.us + 20_000 * k + rng.randrange(15_000), rng.choice(LINES)[0], 1000)
        charger.advance(1.3)
        assert station.closed() and station.codes() == []
        cause_us = charger.us + rng.randrange(10_000)
        station.pulse(cause_us, "rcd_dc", 9000)
        charger.advance(0.1)
        assert station.opened_after_ms(cause_us) <= 15
        assert station.codes() == ["2-2"]
        station.unplug(4.5)
        charger.do("attend")


def test_chatter_all_the_time_is_no_trip(station):
    """400 us active, 400 us not: no look sees it active for 1 ms."""
    station.charge(seconds=6)
    start_us = station.charger.us + 1000
    for k in range(1000):
        station.pulse(start_us + 800 * k, "rcd_ac", 400)
    station.charger.advance(2)
    assert station.closed() and station.codes() == []


def test_a_trip_clears_when_the_car_has_been_unplugged_for_3_s_and_not_before(station):
    station.charge(seconds=6)
    station.inject("rcd_ac", 1)
    station.charger.advance(60)
    station.unplug(10)
    assert station.codes() == ["2-1"]  # its cause is still there
    station.clear("rcd_ac")
    station.plug(3600)
    assert station.codes() == ["2-1"] and not station.closed()
    station.unplug(2)
    assert station.codes() == ["2-1"]
    station.charger.advance(2.5)
    assert station.codes() == []
    station.plug(8)
    assert station.closed()


def test_a_trip_whose_cause_outlives_a_power_cut_keeps_its_code(station):
    station.charge(seconds=6)
    station.inject("rcd_ac", 1)
    station.cut_power()
    assert station.codes() == ["2-1"]
    station.clear("rcd_ac")
    station.unplug(8)
    assert station.codes() == []


def test_in_the_ul_profile_it_tries_again_after_15_min_four_times_and_then_waits(tmp_path):
    with Faulty(tmp_path / "s", config={"profile": "ul"}) as station:
        station.charge(seconds=14)
        for _ in range(4):
            at_us = station.charger.us
            station.pulse(at_us, "rcd_ac", 50_000)
            station.charger.advance(895)
            assert station.codes() == ["2-1"] and not station.closings(at_us)
            station.charger.advance(15)
            assert station.codes() == []
            assert station.closed()
            station.charger.advance(10)
        at_us = station.charger.us
        station.pulse(at_us, "rcd_ac", 50_000)
        station.charger.advance(2000)
        assert station.codes() == ["2-1"] and not station.closings(at_us)
        station.unplug(5)
        assert station.codes() == []


@pytest.mark.parametrize("after_s, retries", [(0.5, False), (9.7, False), (10.3, True)])
def test_in_the_ul_profile_a_trip_within_10_s_of_closing_is_not_retried(tmp_path, after_s, retries):
    with Faulty(tmp_path / "s", config={"profile": "ul"}) as station:
        station.plug(2)
        (closed_us,) = station.closings()
        station.charger.until(closed_us + round(after_s * 1e6))
        station.pulse(station.charger.us, "rcd_ac", 50_000)
        station.charger.advance(10)
        station.cut_power()
        station.charger.advance(1000)
        assert station.codes() == ([] if retries else ["2-1"])
        assert station.closed() == retries
        station.unplug(5)
        assert station.codes() == []


def test_in_the_ul_profile_a_power_cut_begins_the_15_min_anew(tmp_path):
    with Faulty(tmp_path / "s", config={"profile": "ul"}) as station:
        station.charge(seconds=14)
        station.pulse(station.charger.us, "rcd_dc", 50_000)
        station.charger.advance(600)
        station.cut_power()
        station.charger.advance(880)
        assert station.codes() == ["2-2"] and not station.closed()
        station.charger.advance(30)
        assert station.codes() == [] and station.closed()


def test_both_lines_in_one_tick_are_both_told_and_both_clear(station):
    station.charge(seconds=6)
    at_us = station.charger.us
    station.pulse(at_us, "rcd_ac", 50_000)
    station.pulse(at_us, "rcd_dc", 50_000)
    station.charger.advance(2)
    assert station.opened_after_ms(at_us) <= 15
    assert station.codes() == ["2-1", "2-2"]
    station.unplug(5)
    assert station.codes() == []


def test_a_trip_and_a_short_of_the_pilot_in_one_tick_show_the_trip_first(station):
    station.charge(seconds=6)
    at_us = station.charger.us
    station.inject("cp_short")
    station.pulse(at_us, "rcd_ac", 50_000)
    station.charger.advance(2)
    assert station.opened_after_ms(at_us) <= 15
    assert station.codes() == ["2-1", "1-1"]
    assert station.shows("2-1")


def test_a_trip_at_the_very_closing_opens_again(station):
    asks_us = station.plug()
    while not station.closings(asks_us):
        station.charger.advance(0.001)
        assert station.charger.us < asks_us + 3_000_000
    at_us = station.inject("rcd_dc", 1)
    assert station.opened_after_ms(at_us) <= 15
    assert station.codes() == ["2-2"]


@pytest.mark.parametrize("fault, code", LINES)
def test_a_line_that_is_active_without_a_car_blocks_until_it_is_well(station, fault, code):
    station.inject(fault, 1)
    assert station.codes() == [code]
    station.plug(20)
    assert not station.closings()
    station.unplug(1)
    station.clear(fault, 6)
    assert station.codes() == []
