"""One phase or three in the whole firmware: the command, the pause, and what a car must not see."""

import json
import random

import pytest

from micropython_port import run_script
from pilotwire import board as board_file
from pilotwire import config as config_file
from pilotwire.charger import ROOT
from pilotwire.tell.commands import Refused, read
from station import BOARD, Connected, Lonely, variant

SWITCHED = ROOT / "boards/reference-1p3p/board.json"
SOCKET = ROOT / "boards/reference-3p-socket/board.json"
PAUSE_S = 60


@pytest.fixture
def station(tmp_path):
    with Connected(tmp_path / "s", board=SWITCHED) as station:
        station.advance(3)
        yield station


def without_aux(folder):
    contactor = json.loads(SWITCHED.read_text())["contactor"]
    del contactor["phase_aux_pin"]
    return variant(folder, SWITCHED, contactor=contactor)


def fault(station, name, on=True):
    station.charger.do("fault" if on else "clear", {"name": name, "value": None})


def order(station, phases, a=16, seconds=1):
    answer = station.command("cmd/limit", {"a": a, "phases": phases, "for_s": 5000}, seconds=seconds)
    assert answer["ok"]


def seen(station, kind, since_us=0):
    """[(us, value)] of what a contactor is told or does."""
    return [
        (round(e["t_s"] * 1e6), e.get("on", e.get("closed"))) for e in station.events
        if e["e"] == kind and e["t_s"] * 1e6 >= since_us
    ]


def now_us(station):
    return round(station.run.t_s(station.charger.us) * 1e6)


def currents(station):
    return [ma > 0 for ma in station.charger.look()["i_ma"]]


# A change -------------------------------------------------------------------------------------


@pytest.mark.parametrize("first, then", [(3, 1), (1, 3)])
def test_a_change_stops_waits_a_minute_switches_and_goes_on(station, first, then):
    if first == 1:
        order(station, 1, seconds=5)
    station.charge(seconds=10)
    assert station.state()["phases"] == first and sum(currents(station)) == first
    at_us = now_us(station)
    order(station, then, seconds=12)
    state = station.state()
    assert (state["why"], state["phases"]) == ("switching_phases", first)
    assert PAUSE_S - 12 <= state["wait_s"] <= PAUSE_S and state["charging"] == "SuspendedEVSE"
    station.advance(70)
    (opened_us, off), (closed_us, on) = seen(station, "contactor", at_us)
    ((moved_us, three),) = seen(station, "phase_contactor", at_us)
    assert (off, on, three) == (False, True, then == 3)
    assert opened_us - at_us < 3_000_000  # the car has stopped when asked
    assert PAUSE_S * 1_000_000 <= moved_us - opened_us <= (PAUSE_S + 1) * 1_000_000
    assert 500_000 <= closed_us - moved_us
    assert sum(currents(station)) == then and station.state()["phases"] == then
    assert not [e for e in station.events if e["e"] == "car_at_risk"]


def test_the_pilot_carries_no_current_from_the_stop_to_the_end_of_the_pause(station):
    station.charge(seconds=10)
    at_us = now_us(station)
    order(station, 1, seconds=70)
    duties = [(e["t_s"] * 1e6, e["duty"]) for e in station.events if e["e"] == "pilot"]
    (moved_us, _), = seen(station, "phase_contactor", at_us)
    between = [duty for us, duty in duties if at_us < us < moved_us + 400_000]
    assert between == [100_000]


def test_a_car_that_ignores_the_stop_is_opened_after_6_s_and_the_pause_begins_then(station):
    station.charge(car="ignores_stop", seconds=10)
    at_us = now_us(station)
    order(station, 1, seconds=80)
    (opened_us, _), *_ = seen(station, "contactor", at_us)
    assert 6_000_000 <= opened_us - at_us <= 6_200_000
    assert seen(station, "phase_contactor", at_us)[0][0] - opened_us >= PAUSE_S * 1_000_000


def test_without_a_car_it_switches_in_a_few_seconds(station):
    for phases in (1, 3, 1):
        order(station, phases, seconds=4)
        assert station.state()["phases"] == phases


def test_a_station_that_is_switched_off_or_paused_says_so_and_switches_meanwhile(station):
    station.charge(seconds=10)
    station.command("cmd/enable", False, seconds=5)
    order(station, 1)
    assert station.state()["why"] == "disabled"
    station.advance(70)
    assert station.state()["phases"] == 1
    station.command("cmd/enable", True, seconds=5)
    assert currents(station) == [True, False, False]


def test_an_order_of_what_is_there_already_changes_nothing(station):
    station.charge(seconds=10)
    at_us = now_us(station)
    order(station, 3, seconds=20)
    assert not seen(station, "contactor", at_us) and not seen(station, "phase_contactor", at_us)


def test_the_display_says_that_phases_are_changed_and_how_long(tmp_path):
    with Lonely(tmp_path / "s", board=SWITCHED) as station:
        station.charger.do("plug", "generic")  # at the start it waits for the pause
        station.charger.advance(20)
        assert station.shows("Changing phases") and station.shows("PAUSED")


@pytest.mark.parametrize("pause_s", [15, 120])
def test_the_pause_is_configurable(tmp_path, pause_s):
    config = {"phase_pause_s": pause_s}
    with Lonely(tmp_path / "s", board=SWITCHED, config=config) as station:
        station.charger.do("plug", "generic")
        station.charger.advance(pause_s + 3)
        (moved,) = station.seen("phase_contactor")
        assert pause_s <= (moved["us"] - 900_000) / 1e6 <= pause_s + 1


# What follows it ------------------------------------------------------------------------------


def test_the_record_has_the_pause_and_the_phases_that_carried_current(station):
    order(station, 1, seconds=5)
    station.charge(seconds=20)
    station.charger.do("unplug")
    station.advance(8)
    order(station, 3, seconds=5)
    station.charge(seconds=20)
    order(station, 1, seconds=90)
    station.charger.do("unplug")
    assert station.until(lambda: len(station.backend.records) == 2)
    one, both = station.backend.records.values()
    assert one["phases"] == 1 and one["pauses"] == []
    assert both["phases"] == 3 and [p["why"] for p in both["pauses"]] == ["switching_phases"]
    assert 60 <= both["pauses"][0]["to_s"] - both["pauses"][0]["from_s"] <= 63
    assert 15.9 <= one["peak_a"] <= 16 and 3600 < one["peak_w"] < 3700


def test_a_car_that_takes_more_than_offered_from_its_one_phase_is_stopped(station):
    order(station, 1, a=10, seconds=5)
    station.charge(amps=9, seconds=10)
    load = {"v_cv": [23000] * 3, "i_ma": [14000, 0, 0], "p_mw": [3220000, 0, 0]}
    station.charger.do("row", load)
    station.advance(15)
    assert not station.charger.look()["closed"] and station.state()["faults"] == ["6-1"]


def test_one_phase_has_a_limit_of_its_own_where_the_settings_have_one(tmp_path):
    config = {"one_phase_a": 20, "phases": 1}
    with Lonely(tmp_path / "s", board=SWITCHED, config=config) as station:
        station.charger.advance(7)
        station.charge(seconds=8)
        assert 19_900 <= station.charger.look()["car_offer_ma"] <= 20_000
    with Lonely(tmp_path / "t", board=SWITCHED, config={"one_phase_a": 20}) as station:
        station.charger.advance(7)
        station.charge(seconds=8)
        assert station.charger.look()["car_offer_ma"] > 60_000


# Starts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("phases", [1, 3])
def test_the_settings_say_how_it_begins(tmp_path, phases):
    with Lonely(tmp_path / "s", board=SWITCHED, config={"phases": phases}) as station:
        station.charger.advance(7)
        station.charge(seconds=8)
        assert station.charger.look()["phases"] == phases


@pytest.mark.parametrize("how", ["power", "wdt"])
def test_after_a_start_it_has_one_phase_and_a_car_waits_for_the_pause(station, how):
    station.charge(seconds=10)
    at = len(station.events)
    if how == "power":
        station.charger.do("power", "off")
        station.charger.advance(2)
        station.charger.do("power", "on")
    else:
        station.charger.do("reset", how)
    station.advance(50)
    assert station.charger.look()["phases"] == 1 and station.state()["phases"] == 1
    assert station.state()["why"] == "switching_phases"
    station.advance(20)
    assert station.charger.look()["closed"] and sum(currents(station)) == 3
    told = [e["e"] for e in station.events[at:] if e["e"] in ("contactor", "phase_contactor")]
    assert told[:2] == ["contactor", "phase_contactor"]  # boot.py lets go in the order of the pins
    assert not [e for e in station.events if e["e"] == "car_at_risk"]


# A second contactor that does not follow ------------------------------------------------------


@pytest.mark.parametrize("name, first, then", [("phase_welded", 3, 1), ("phase_no_close", 1, 3)])
def test_one_that_does_not_follow_is_told_and_the_car_charges_as_before(station, name, first, then):
    order(station, first, seconds=5)
    station.charge(seconds=10)
    fault(station, name)
    order(station, then, seconds=80)
    state = station.state()
    assert (state["phases"], state["phases_ordered"], state["why"]) == (first, then, "none")
    assert sum(currents(station)) == first
    fault(station, name, on=False)
    station.advance(100)
    assert sum(currents(station)) == first  # nothing moves under a car
    station.charger.do("unplug")
    station.advance(8)
    station.charge(seconds=8)
    assert station.state()["phases"] == then and sum(currents(station)) == then
    assert not [e for e in station.events if e["e"] == "car_at_risk"]


def test_one_that_drops_out_under_load_ends_the_charge_and_it_goes_on_with_one_phase(station):
    station.charge(seconds=10)
    at_us = now_us(station)
    fault(station, "phase_no_close")
    station.advance(3)
    assert not station.charger.look()["closed"]
    assert station.state()["phases"] == 1
    station.advance(70)
    (opened_us, _), (closed_us, _) = seen(station, "contactor", at_us)
    assert closed_us - opened_us >= PAUSE_S * 1_000_000
    assert currents(station) == [True, False, False]


def test_without_an_auxiliary_contact_a_welded_one_is_seen_by_its_currents(tmp_path):
    with Connected(tmp_path / "s", board=without_aux(tmp_path)) as station:
        station.advance(3)
        station.charge(seconds=10)
        fault(station, "phase_welded")
        order(station, 1, seconds=63)
        assert station.state()["phases"] == 1  # as far as anybody can tell
        assert station.until(lambda: station.state()["phases"] == 3, 10)
        station.advance(75)
        assert station.state()["why"] == "none" and sum(currents(station)) == 3


# Orders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("phases", [1, 3])
def test_a_board_that_cannot_switch_refuses_the_whole_command_with_a_reason(tmp_path, phases):
    with Connected(tmp_path / "s") as station:
        station.advance(3)
        answer = station.command("cmd/limit", {"a": 10, "phases": phases, "id": "x"})
        assert answer == {
            "cmd": "cmd/limit", "id": "x", "ok": False, "reason": "this board cannot switch phases",
        }
        assert (station.state()["limit_a"], station.state()["phases"]) == (63, 3)


def test_phases_are_read_beside_the_limit():
    def value(payload):
        return read(b"cmd/limit", payload, False)[1]

    assert value(b'{"a":16,"phases":1}') == (16000, 0, 1)
    assert value(b'{"phases":3,"a":6,"for_s":60}') == (6000, 60, 3)


@pytest.mark.parametrize("phases", ["2", "0", "true", '"3"', "null", "[1]", "-1", "1.5", "{}"])
def test_other_numbers_of_phases_are_refused(phases):
    with pytest.raises(Refused, match="phases must be 1 or 3"):
        read(b"cmd/limit", b'{"a":16,"phases":%s}' % phases.encode(), False)


def test_whole_numbers_come_in_more_than_one_spelling():
    assert type(read(b"cmd/limit", b'{"a":16,"phases":3.0}', False)[1][2]) is int


def test_phases_without_a_limit_are_refused():
    with pytest.raises(Refused):
        read(b"cmd/limit", b'{"phases":1}', False)


def test_whatever_is_ordered_the_phases_never_change_under_a_car(tmp_path):
    rng = random.Random(5)
    with Connected(tmp_path / "s", board=SWITCHED) as station:
        station.advance(3)
        for _ in range(60):
            what = rng.randrange(6)
            if what < 2:
                order(station, rng.choice((1, 3)))
            elif what == 2:
                station.charger.do("unplug")
            elif what == 3:
                station.charger.do(rng.choice(("ready", "not_ready")))
            elif not station.charger.look()["phases"] or station.charger.look()["high_mv"] > 11000:
                station.charger.do("plug", rng.choice(("generic", "slow", "ignores_stop", "no_s2")))
                station.charger.do("ready")
            station.advance(rng.choice((0.5, 2, 7, 30, 65)))
        assert len(seen(station, "phase_contactor")) > 6 and len(seen(station, "contactor")) > 10
        assert not [e for e in station.events if e["e"] == "car_at_risk"]


# Files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes, says", [
    ({"contactor": {"pin": 27, "phase_pin": 18}}, "boot.py"),
    ({"contactor": {"pin": 27, "phase_pin": 27}}, "no free GPIO"),
    ({"contactor": {"pin": 27, "phase_pin": 25}}, "no free GPIO"),
    ({"contactor": {"pin": 27, "phase_pin": "33"}}, "type"),
    ({"contactor": {"pin": 27, "phase_pin": 33, "phase_aux_pin": None}}, "phase_aux_pin"),
    ({"phases": 1}, "three phases"), ({"phases": 2}, "phases"), ({"phases": "3"}, "phases"),
])
def test_a_second_contactor_that_could_not_be_trusted_is_refused(tmp_path, changes, says):
    with pytest.raises(board_file.BoardError, match=says):
        board_file.load(variant(tmp_path, SWITCHED, **changes))


def test_lock_and_second_contactor_may_not_share_a_pin(tmp_path):
    with pytest.raises(board_file.BoardError, match="no free GPIO"):
        board_file.load(variant(tmp_path, SOCKET, contactor={"pin": 27, "phase_pin": 32}))


@pytest.mark.parametrize("changes", [
    {"phases": 2}, {"phases": "1"}, {"phase_pause_s": 14}, {"phase_pause_s": 121}, {"one_phase_a": 5},
])
def test_settings_out_of_range_are_refused(tmp_path, changes):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"device": "x", "installation_a": 32, **changes}))
    with pytest.raises(config_file.ConfigError, match=next(iter(changes))):
        config_file.load(path)


WHYS = """
from pilotwire.decide import charging
from pilotwire.tell import display, texts_en
print(len(charging.WHY), len(texts_en.WHY), len(display._STATE_OF_WHY))
"""


def test_every_reason_has_its_words_and_its_title():
    assert len(set(run_script(WHYS).split())) == 1


LOADED = """
import json, os, sys
from plant.world import world
os.chdir(sys.argv[1])
world.set_up({"board": json.load(open("board.json")), "dir": ".", "epoch_s": 0})
from pilotwire import board, config, control
control.Charger(board.load("board.json"), config.load("config.json"))
print(json.dumps(sorted(name for name in sys.modules if name.startswith("pilotwire."))))
"""


@pytest.mark.parametrize("board, switches", [(SWITCHED, True), (BOARD, False)])
def test_only_a_board_that_switches_loads_what_it_needs(tmp_path, board, switches):
    (tmp_path / "board.json").write_bytes(board.read_bytes())
    settings = {"device": "virtual", "installation_a": 63, "ssid": ""}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    loaded = json.loads(run_script(LOADED, args=(str(tmp_path),)).splitlines()[-1])
    for module in ("decide.phases", "act.phase_contactor", "sense.contact"):
        assert ("pilotwire." + module in loaded) == switches
