"""Notices of the whole station, through the broker: in `state`, in `event`, and what they change."""

import json
from types import SimpleNamespace

import pytest

from pilotwire import scenario as scenarios
from pilotwire.charger import names
from pilotwire.run import BUILT_IN, Run
from station import BOARD, Connected


@pytest.fixture
def station(tmp_path):
    with Connected(tmp_path / "station") as station:
        yield station


def told(station, kind):
    events = [json.loads(payload) for payload in station.values("event")]
    return [event for event in events if event["event"] == kind]


def states(messages):
    return [json.loads(m.payload)["notices"] for m in messages if m.topic == "state"]


def test_the_built_in_charge_of_a_measured_car_raises_no_notice(tmp_path):
    cars, faults = names()
    view = SimpleNamespace(event=lambda _: None, note=lambda _: None, show=lambda _: None)
    run = Run(scenarios.load(BUILT_IN, cars=cars, faults=faults), BOARD, tmp_path, view=view)
    try:
        run.start()
        run.play()
        run.finish()
        seen = states(run.backend.messages)
        events = {json.loads(m.payload)["event"] for m in run.backend.messages if m.topic == "event"}
    finally:
        run.stop()
    assert len(seen) > 60 and not any(seen)
    assert events == {"boot", "limit_source"}


def test_a_full_charge_with_its_taper_raises_none_and_a_car_left_behind_is_full(station):
    station.charge("zoe_ze50", amps=31, seconds=60)
    for amps in (16, 7, 5, 3, 1):  # a quarter of an hour to its end
        station.charger.do("want_a", [amps * 1000] * 3)
        station.advance(180)
    assert not any(states(station.backend.messages))
    station.charger.do("not_ready")
    station.advance(650)
    assert station.state()["notices"] == ["full"]
    assert [event["notice"] for event in told(station, "notice_raised")] == ["full"]
    station.charger.do("unplug")
    station.advance(5)
    assert station.state()["notices"] == []
    assert [event["notice"] for event in told(station, "notice_cleared")] == ["full"]


def test_a_car_that_takes_too_little_is_told(station):
    station.charge(amps=4, seconds=590)
    assert station.state()["notices"] == []
    station.advance(30)
    assert station.state()["notices"] == ["under_charging"]
    assert station.charger.look()["closed"]


def through(station, ohm, *amps):
    """The car draws these currents for 8 s each, and the supply has so many Ohm."""
    for a in amps:
        v_cv = [round(23000 - ohm * a * 100)] * 3
        station.charger.do("row", {
            "v_cv": v_cv, "i_ma": [a * 1000] * 3, "p_mw": [v * a * 10 for v in v_cv],
        })
        station.advance(8)


def test_a_loose_connection_is_told_with_its_figure_and_charging_goes_on(station):
    station.charge("trace", seconds=8)
    through(station, 1.0, 6, 16, 8, 20)
    assert station.state()["notices"] == ["loose_connection"]
    (event,) = told(station, "notice_raised")
    assert abs(event["ohm"] - 1.0) < 0.05 and event["phase"] in (1, 2, 3)
    assert station.state()["limit"] != "wiring" and station.state()["offered_a"] > 6


def test_twice_as_much_resistance_leaves_the_least_current(station):
    station.charge("trace", seconds=8)
    through(station, 1.7, 6, 14, 6)
    state = station.state()
    assert (state["limit"], state["limit_a"], state["offered_a"]) == ("wiring", 6.0, 6.0)
    assert station.charger.look()["closed"]
    (event,) = told(station, "limit_source")
    assert (event["source"], event["a"]) == ("wiring", 6.0)


def test_a_sound_supply_is_not_told_however_often_the_current_steps(station):
    station.charge("trace", seconds=8)
    through(station, 0.5, *(6, 16) * 5)
    assert station.state()["notices"] == []


def test_a_clock_that_is_never_set_is_told_and_is_no_news_once_it_is(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charger.do("clock", "lost")
        station.charger.do("power", "off")
        station.advance(2)
        station.charger.do("power", "on")
        station.advance(320)
        assert station.state()["notices"] == ["clock_unset"]
        station.charger.do("clock", "synced")
        assert station.until(lambda: station.state()["notices"] == [], 120)


@pytest.mark.soak
def test_records_that_nobody_acknowledges_are_told_after_an_hour(tmp_path):
    with Connected(tmp_path / "s", acknowledge=False) as station:
        station.charge(seconds=8)
        station.charger.do("unplug")
        station.advance(3500)
        assert station.state()["notices"] == []
        station.advance(150)
        assert station.state()["notices"] == ["records_waiting"]
        station.backend.acknowledge = True
        assert station.until(lambda: station.state()["notices"] == [])


def test_contactor_wear_is_in_health(station):
    for _ in range(2):
        station.charge(seconds=8)
        station.charger.do("unplug")  # under load
        station.advance(8)
    station.charge(seconds=8)
    station.charger.do("want_a", [0])
    station.advance(3)
    station.charger.do("not_ready")  # without
    station.advance(70)
    health = json.loads(station.backend.last["health"])
    assert (health["hot_openings"], health["cold_openings"]) == (2, 1)


def test_a_wrong_rotation_is_a_notice_and_stops_nothing(station):
    station.charge(seconds=10)
    station.charger.do("fault", {"name": "phases_swapped", "value": None})
    station.advance(5)
    assert station.state()["notices"] == ["phase_rotation"] and station.state()["faults"] == []
    assert station.charger.look()["closed"]
    station.charger.do("fault", {"name": "phase_loss", "value": 3})
    station.advance(3)  # two phases have no rotation
    assert station.state()["notices"] == []
    station.charger.do("clear", {"name": "phase_loss", "value": None})
    station.charger.do("clear", {"name": "phases_swapped", "value": None})
    station.advance(5)
    assert station.state()["notices"] == []
