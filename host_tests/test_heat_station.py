"""A station that grows warm, and one whose sensor breaks: offers, contactor, display."""

import json

import pytest

from station import BOARD, Connected, Lonely
from test_after_a_restart import cut_power


@pytest.fixture
def station(tmp_path):
    with Lonely(tmp_path / "s", config={"installation_a": 32}) as station:
        station.charger.advance(7)
        station.charge(amps=32, seconds=8)
        yield station


def fault(station, name, on=True):
    station.charger.do("fault" if on else "clear", {"name": name, "value": None})


def test_a_station_that_grows_warm_offers_less_and_then_stops(station):
    charger = station.charger
    charger.do("ambient_c", 750)
    charger.advance(35)
    assert 13000 <= charger.look()["car_offer_ma"] <= 16000
    assert station.shows("4-1") and charger.look()["closed"]
    charger.do("ambient_c", 880)
    charger.advance(20)
    assert station.shows("4-2") and not charger.look()["closed"]
    charger.do("ambient_c", 400)
    charger.advance(65)
    assert charger.look()["closed"] and charger.look()["car_offer_ma"] > 31000
    assert not station.shows("4-", 4)


def test_it_opens_at_once_at_95(station):
    charger = station.charger
    charger.do("car", "ignores_stop")
    charger.do("ambient_c", 1150)
    opened = None
    while not opened:
        charger.advance(1)
        opened = [e["us"] for e in station.seen("contactor") if not e["on"]]
        stopped = [e["us"] for e in station.seen("pilot") if e["duty"] == 100000 and e["us"] > 9_000_000]
    assert 3_000_000 < opened[0] - stopped[0] < 6_000_000  # not after the 6 s of a stop


@pytest.mark.parametrize("name", ["ntc_open", "ntc_short", "ntc_jump"])
def test_a_broken_sensor_limits_to_16_a_and_is_told(station, name):
    charger = station.charger
    fault(station, name)
    charger.advance(4)
    assert 15900 <= charger.look()["car_offer_ma"] <= 16000 and charger.look()["closed"]
    assert station.shows("4-3", 5)
    fault(station, name, on=False)
    charger.advance(20)
    assert charger.look()["car_offer_ma"] > 31000
    assert not station.shows("4-3", 4)


def test_the_load_warms_the_box(station):
    fault(station, "self_heating")
    station.charger.do("ambient_c", 580)
    station.charger.advance(60)
    assert station.shows("4-1")
    assert station.charger.look()["car_offer_ma"] < 31000


def test_a_board_without_a_sensor_loads_and_shows_nothing_of_it(tmp_path):
    spec = json.loads(BOARD.read_text())
    del spec["ntc"]
    path = tmp_path / "board.json"
    path.write_text(json.dumps(spec))
    with Lonely(tmp_path / "s", board=path) as station:
        station.charger.advance(7)
        station.charge(seconds=8)
        station.charger.do("ambient_c", 1100)
        station.charger.advance(30)
        assert station.charger.look()["closed"] and not station.shows("4-", 4)


def test_what_stops_the_charge_is_worded_when_the_contactor_is_open_its_code_at_once(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(7)
        station.charge(seconds=8)
        station.charger.do("car", "ignores_stop")
        station.charger.do("ambient_c", 900)
        assert station.shows("E4-2", 60)
        assert station.charger.look()["closed"] and not station.shows("Charger too hot", 3)
        assert station.shows("Charger too hot", 10) and not station.charger.look()["closed"]


def test_hot_is_not_kept_over_a_power_cut_but_measured_again(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charge(seconds=8)
        station.charger.do("ambient_c", 900)
        station.advance(60)
        assert station.state()["faults"] == ["4-2", "4-1"]
        cut_power(station)
        station.advance(30)
        assert station.state()["faults"] == ["4-2", "4-1"]
        assert not station.charger.look()["closed"]
        station.charger.do("ambient_c", 250)
        station.charger.do("unplug")
        cut_power(station, 60)
        station.advance(20)
        assert station.until(lambda: station.state()["faults"] == [], 20)


def test_hot_and_over_voltage_at_once_and_one_of_them_going(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charge(seconds=8)
        station.charger.do("ambient_c", 900)
        station.charger.do("mains_v", [27000])
        station.advance(60)
        assert station.state()["faults"] == ["5-1", "4-2", "4-1"]
        assert not station.charger.look()["closed"]
        station.charger.do("mains_v", [23000])
        assert station.until(lambda: station.state()["faults"] == ["4-2", "4-1"], 100)
        station.charger.do("ambient_c", 250)
        assert station.until(lambda: station.state()["faults"] == [], 80)
        station.advance(35)
        assert station.charger.look()["closed"]
