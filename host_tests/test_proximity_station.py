"""A station with a socket: what it offers through each cable, and when the coding makes no sense."""

import json

import pytest

from cable_desk import RATINGS
from pilotwire.charger import ROOT
from station import BOARD, Connected, Lonely

SOCKET = ROOT / "boards/reference-3p-socket/board.json"


@pytest.fixture
def station(tmp_path):
    with Lonely(tmp_path / "s", board=SOCKET) as station:
        station.charger.advance(7)
        yield station


def cable(station, ohm):
    """The next plug (or the one that is in) has this coding; or the name of a plant fault."""
    value = {"name": ohm, "value": None} if isinstance(ohm, str) else {"name": "pp", "value": ohm}
    station.charger.do("fault", value)


def asks(station, seconds):
    """A car that asks at once."""
    station.charger.do("plug", "generic")
    station.charger.at(station.charger.us + 300_000, "s2", True)
    station.charger.advance(seconds)


def offers_ma(station, since_us=0):
    """Currents that the pilot carried, in order."""
    duties = [e["duty"] / 1000 for e in station.seen("pilot", since_us) if 0 < e["duty"] < 100_000]
    return [round(d * 600 if d <= 85 else (d - 64) * 2500) for d in duties]


@pytest.mark.parametrize("ohm, rated_ma", RATINGS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_offer_is_the_cables_rating_from_the_first_duty_on(tmp_path, ohm, rated_ma, seed):
    with Lonely(tmp_path / "s", board=SOCKET, seed=seed) as station:
        station.charger.advance(5)
        cable(station, ohm)
        plugged_us = station.charger.us
        asks(station, 8)
        offered = offers_ma(station, plugged_us)
        assert station.charger.look()["closed"] and offered
        assert all(rated_ma - 150 <= ma <= rated_ma for ma in offered), offered


def test_a_smaller_limit_than_the_cables_stays_in_force(tmp_path):
    with Lonely(tmp_path / "s", board=SOCKET, config={"installation_a": 16}) as station:
        station.charger.advance(5)
        asks(station, 8)
        assert 15900 <= station.charger.look()["car_offer_ma"] <= 16000


def test_the_cable_is_published_as_what_holds_the_current_down_and_forgotten_with_it(tmp_path):
    with Connected(tmp_path / "s", board=SOCKET) as station:
        assert station.until(lambda: station.state() and station.state()["limit"] == "board")
        cable(station, 680)
        asks(station, 0.2)
        station.advance(4)
        assert (station.state()["limit"], station.state()["limit_a"]) == ("cable", 20)
        assert station.until(lambda: station.state()["why"] == "none")
        assert "paused" not in {json.loads(v)["why"] for v in station.values("state")}
        station.charger.do("unplug", "car")
        station.advance(3)
        assert station.state()["limit"] == "cable"  # it still hangs there
        station.charger.do("unplug")
        station.advance(3)
        assert (station.state()["limit"], station.state()["limit_a"]) == ("board", 63)


@pytest.mark.parametrize("fault", ["pp_short", "pp_invalid", "pp_open"])
def test_a_plug_that_cannot_be_read_never_charges_and_says_1_4_until_unplugged(station, fault):
    cable(station, fault)
    plugged_us = station.charger.us
    asks(station, 20)
    assert not station.seen("contactor") and not offers_ma(station, plugged_us)
    assert station.shows("1-4") and station.shows("Cable")
    station.charger.do("clear", {"name": fault, "value": None})
    station.charger.advance(20)
    assert station.shows("1-4") and not station.seen("contactor")
    station.charger.do("unplug")
    station.charger.advance(6)
    assert station.shows("READY")
    station.charge(seconds=8)


@pytest.mark.parametrize("ohm", [100, 680, "pp_short", "pp_invalid", "pp_open"])
def test_a_change_under_load_opens_within_700_ms_and_says_1_4(station, ohm):
    station.charge(seconds=8)
    changed_us = station.charger.us
    cable(station, ohm)
    station.charger.advance(5)
    opened = [e["us"] for e in station.seen("contactor", changed_us) if not e["on"]]
    assert opened and 500 <= (opened[0] - changed_us) / 1000 <= 700
    assert station.shows("1-4")
    station.charger.advance(60)
    assert not [e for e in station.seen("contactor", opened[0] + 1) if e["on"]]


def test_a_tethered_board_does_not_see_what_the_plant_does_to_pp(tmp_path):
    with Lonely(tmp_path / "s", board=BOARD) as station:
        station.charger.advance(7)
        cable(station, "pp_short")
        station.charge(seconds=8)
        assert station.charger.look()["car_offer_ma"] > 60000


def test_a_quarter_of_an_hour_of_noise_on_pp_neither_stops_nor_changes_a_charge(station):
    station.charge(seconds=8)
    since_us = station.charger.us
    station.charger.advance(900)
    assert not station.seen("contactor", since_us) and not offers_ma(station, since_us)
