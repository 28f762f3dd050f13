"""The topic `event`, through a real broker: order, outages, restarts, and what is in it."""

import json

import pytest

from pilotwire.subscriber import Subscriber
from station import DEVICE, Connected


@pytest.fixture
def station(tmp_path):
    with Connected(tmp_path / "station") as station:
        assert station.until(lambda: events(station, "boot"), 10)
        yield station


def events(station, kind=None):
    found = [json.loads(payload) for payload in station.values("event")]
    return [event for event in found if kind in (None, event["event"])]


def provoke(station):
    """Charge, short the diode, unplug: 1-2 comes and goes."""
    station.charge(seconds=8)
    station.charger.do("fault", {"name": "diode_short", "value": None})
    station.advance(1)
    station.charger.do("clear", {"name": "diode_short", "value": None})
    station.charger.do("unplug")
    station.advance(6)


def restart(station):
    station.charger.do("power", "off")
    station.advance(2)
    station.charger.do("power", "on")


def test_a_fault_is_told_when_it_comes_and_when_it_goes(station):
    provoke(station)
    raised, cleared = events(station)[1:]
    assert (raised["event"], raised["code"], raised["everest"]) == ("fault_raised", "1-2", "DiodeFault")
    assert (cleared["event"], cleared["code"]) == ("fault_cleared", "1-2")
    assert cleared["up_ms"] > raised["up_ms"]
    before = raised["before"]
    assert len(before["ms"]) == 50 and before["closed"] == "1" * 49 + "0"
    assert before["low_mv"][0] < -11000 and before["low_mv"][-1] > -7000
    assert before["meter"][-1][4] == 16


def test_faults_of_a_short_outage_arrive_once_and_in_order(station):
    seen = len(events(station))
    station.run.proxy.set_mode("down")
    station.advance(3)
    provoke(station)
    assert len(events(station)) == seen
    station.run.proxy.set_mode("up")
    assert station.until(lambda: len(events(station)) >= seen + 2, seconds=150)
    station.advance(5)
    new = events(station)[seen:]
    assert [e["event"] for e in new] == ["fault_raised", "fault_cleared"]
    assert [e["seq"] for e in new] == [seen + 1, seen + 2] and "before" in new[0]
    assert new[-1]["lost"] == 0


def test_old_news_waits_until_the_contactor_is_open_and_holds_up_no_record(station):
    station.run.proxy.set_mode("down")
    station.advance(3)
    provoke(station)
    station.charge(seconds=40)  # the rest of 30 s after a fault
    station.run.proxy.set_mode("up")
    assert station.until(lambda: station.values("session/record"), seconds=150)
    station.advance(20)
    assert station.charger.look()["closed"] and station.state()["pilot"] == "C2"
    assert events(station, "fault_raised") == []
    station.charger.do("unplug")
    station.advance(8)
    assert [event["code"] for event in events(station, "fault_raised")] == ["1-2"]
    assert "before" in events(station, "fault_raised")[0]


def test_a_warning_while_charging_is_told_at_once_with_its_names(station):
    station.charge(seconds=8)
    station.charger.do("fault", {"name": "lid_open", "value": None})
    station.advance(4)
    assert station.charger.look()["closed"]
    (raised,) = events(station, "fault_raised")
    assert (raised["code"], raised["name"], raised["severity"]) == ("8-4", "lid open", "amber")


def test_what_was_not_acknowledged_comes_again_as_the_same_event(station):
    station.run.proxy.set_mode("blackhole")
    provoke(station)
    station.run.proxy.set_mode("up")
    assert station.until(lambda: events(station, "fault_cleared"), seconds=150)
    by_id = {}
    for payload in station.values("event"):
        assert by_id.setdefault(json.loads(payload)["id"], payload) == payload
    assert [json.loads(p)["seq"] for p in by_id.values()] == [1, 2, 3]


def test_numbers_do_not_repeat_after_a_restart(station):
    provoke(station)
    restart(station)
    assert station.until(lambda: len(events(station, "boot")) == 2, seconds=40)
    provoke(station)
    assert station.until(lambda: len(events(station, "fault_cleared")) == 2)
    pairs = [(event["boot"], event["seq"]) for event in events(station)]
    assert pairs == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert [event["cause"] for event in events(station, "boot")] == ["power", "power"]


def test_a_watchdog_reset_is_told_as_the_cause_of_the_boot(station):
    station.charger.do("reset", "wdt")
    assert station.until(lambda: len(events(station, "boot")) == 2, seconds=40)
    assert events(station, "boot")[-1]["cause"] == "watchdog"


def test_a_refused_command_is_told_and_a_good_one_is_not(station):
    station.command("cmd/limit", 10)
    station.command("cmd/limit", {"a": 99, "id": "x"})
    (event,) = events(station, "command_rejected")
    assert (event["cmd"], event["command_id"]) == ("cmd/limit", "x")
    assert event["reason"] == json.loads(station.backend.last["result"])["reason"]


def test_the_holder_of_the_limit_is_told_when_it_changes(station):
    station.command("cmd/limit", {"a": 10, "for_s": 3}, seconds=8)
    station.command("cmd/limit", 10)
    station.command("cmd/limit", 11)
    told = [(event["source"], event["a"]) for event in events(station, "limit_source")]
    assert told == [("command", 10.0), ("fail-safe", 6.0), ("command", 10.0)]


def test_a_late_subscriber_gets_the_state_and_no_old_events(station):
    provoke(station)
    host, port = station.run.broker.host, station.run.broker.port
    late = Subscriber(host, port, station.run.broker.login("backend"), DEVICE, acknowledge=False)
    late.start()
    try:
        late.publish("fence", "x")  # comes back after what the broker had kept
        assert late.wait_for(lambda: "fence" in late.last)
        assert "state" in late.last and "event" not in late.last
    finally:
        late.stop()
