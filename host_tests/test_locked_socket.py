"""The socket's lock in the whole firmware: the plug is held while it must be, and never for ever."""

import json
import random

import pytest

from lock_station import SOCKET, asks, drives, fault, first, leave, pull, pulses_ms
from station import BOARD, Connected, Lonely


@pytest.fixture
def station(tmp_path):
    with Lonely(tmp_path / "s", board=SOCKET) as station:
        station.charger.advance(7)
        yield station


# A visit ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(1, 5))
def test_the_plug_is_locked_before_the_contactor_closes(tmp_path, seed):
    with Lonely(tmp_path / "s", board=SOCKET, seed=seed) as station:
        station.charger.advance(6)
        since_us = station.charger.us
        station.charger.do("plug", "no_s2" if seed == 4 else "generic")
        station.charger.do("s2", True)  # asks at once
        station.charger.advance(8)
        locked_us = first(station, "lock", since_us, locked=True)
        closed_us = first(station, "contactor", since_us, on=True)
        assert locked_us and closed_us and locked_us < closed_us


def test_a_car_that_only_waits_is_locked_in_within_half_a_second(station):
    since_us = station.charger.us
    station.charger.do("plug", "generic")
    station.charger.advance(5)
    assert first(station, "lock", since_us, locked=True) - since_us <= 500_000


@pytest.mark.parametrize("pause", [None, ("cmd/limit", 0), ("cmd/enable", False)])
def test_a_plug_cannot_be_pulled_while_a_car_is_there_also_in_a_pause(tmp_path, pause):
    with Connected(tmp_path / "s", board=SOCKET) as station:
        station.charge(seconds=6)
        if pause:
            station.command(*pause, seconds=20)
        station.charger.do("unplug")
        station.advance(15)
        assert [e["event"] for e in station.events if e["e"] == "held"] == ["unplug"]
        assert station.state()["pilot"][0] in "BC" and station.state()["lock"] == "locked"
        assert station.charger.look()["closed"] == (pause is None)


def test_a_visit_ends_at_the_car_and_then_the_cable_comes_out(station):
    station.charge(seconds=8)
    at_us = station.charger.us
    leave(station)
    assert not station.seen("held")
    opened_us = first(station, "contactor", at_us, on=False)
    assert opened_us - at_us <= 30_000
    assert first(station, "contacts", at_us, closed=False) < drives(station, "open", at_us)[0]
    assert station.shows("READY")
    station.charge(seconds=8)


def test_pulses_are_as_long_as_the_board_says(station):
    for _ in range(3):
        station.charge(seconds=6)
        leave(station)
    lengths = pulses_ms(station)
    assert len(lengths) == 7  # one at the start
    assert all(290 <= ms <= 320 for ms in lengths), lengths


@pytest.mark.parametrize("where, names", [
    (SOCKET, ["unlocked", "moving", "locked", "moving", "unlocked"]), (BOARD, [None]),
])
def test_state_says_what_the_lock_does(tmp_path, where, names):
    with Connected(tmp_path / "s", board=where) as station:
        station.until(lambda: station.state())
        for _ in range(2):
            station.advance(8)
            station.charger.do("plug" if not station.charger.look()["locked"] else "unplug", "car"
                               if station.charger.look()["locked"] else "generic")
        station.advance(8)
        told = [json.loads(v)["lock"] for v in station.values("state")]
        changes = [name for k, name in enumerate(told) if k == 0 or name != told[k - 1]]
        assert changes[-len(names):] == names


def test_state_tells_at_once_that_the_lock_opens_in_a_fault(tmp_path):
    with Connected(tmp_path / "s", board=SOCKET) as station:
        station.charge(seconds=6)
        fault(station, "cp_short")
        station.advance(8)
        states = [json.loads(v) for v in station.values("state")]
        assert "moving" in [s["lock"] for s in states if s["faults"] == ["1-1"]]


def test_a_name_is_not_looked_up_while_the_motor_runs(tmp_path):
    """A look-up that blocks for seconds would leave the motor on for seconds."""
    config = {"ssid": "home", "broker": {"host": "broker.example", "port": 1883}}
    with Lonely(tmp_path / "s", board=SOCKET, config=config) as station:
        fault(station, "dns_dead")
        for _ in range(12):
            station.charger.advance(5.7)
            station.charger.do("plug", "generic")
            station.charger.advance(5.9)
            station.charger.do("unplug", "car")
        lengths = pulses_ms(station)
        assert len(lengths) > 10 and max(lengths) <= 330, lengths


# A lock that fails -----------------------------------------------------------------------------


def test_a_lock_that_stays_open_keeps_the_contactor_open_and_says_1_6(station):
    fault(station, "lock_stuck_open")
    since_us = station.charger.us
    asks(station, 4)
    assert len(drives(station, "lock", since_us)) == 4
    assert station.shows("1-6") and station.shows("Plug is not locked")
    station.charger.advance(400)
    assert len(drives(station, "lock", since_us)) == 16  # and after three minutes more: no more
    assert not station.seen("contactor")
    fault(station, "lock_stuck_open", on=False)
    station.charger.advance(100)
    assert station.shows("1-6") and not station.seen("contactor")
    leave(station)
    assert station.shows("READY")
    station.charge(seconds=8)


def test_a_lock_that_works_again_charges_a_minute_later(station):
    fault(station, "lock_stuck_open")
    asks(station, 4)
    fault(station, "lock_stuck_open", on=False)
    station.charger.advance(80)
    assert station.charger.look()["closed"] and station.charger.look()["locked"]


@pytest.mark.parametrize("what", ["lock_stuck_open", "lock_feedback_lost"])
def test_a_lock_that_says_open_while_charging_opens_the_contactor_within_30_ms(tmp_path, what):
    rng = random.Random(1)
    for trial in range(8):
        with Lonely(tmp_path / str(trial), board=SOCKET, seed=trial) as station:
            station.charger.advance(6)
            station.charge(seconds=6)
            station.charger.advance(rng.randrange(1, 30_000) / 1e6)
            at_us = station.charger.us
            fault(station, what)
            station.charger.advance(3)
            assert first(station, "contactor", at_us, on=False) - at_us <= 30_000
            assert station.shows("1-6")
            station.charger.advance(6)
            assert not station.charger.look()["locked"]  # the driver may take it
            station.charger.do("unplug")
            station.charger.advance(6)
            assert station.shows("READY")


def test_a_lock_that_does_not_open_is_tried_for_ever_and_lets_nothing_flow(station):
    station.charge(seconds=8)
    fault(station, "lock_stuck_closed")
    at_us = station.charger.us
    station.charger.do("unplug", "car")
    station.charger.advance(62)
    assert station.shows("1-6")
    assert len(drives(station, "open", at_us)) == 10
    station.charger.do("unplug")
    assert station.charger.look()["locked"]
    station.charger.do("plug", "generic")  # at the car's end: the cable still hangs there
    station.charger.at(station.charger.us + 300_000, "s2", True)
    station.charger.advance(40)
    assert all(not e["on"] for e in station.seen("contactor", at_us))
    fault(station, "lock_stuck_closed", on=False)
    station.charger.do("unplug", "car")
    station.charger.advance(20)
    assert not station.charger.look()["locked"] and station.shows("READY")


def test_a_plug_that_is_pulled_before_the_bolt_leaves_a_locked_socket_for_a_moment(station):
    at_us = station.charger.us
    station.charger.do("plug", "generic")
    station.charger.advance(0.18)  # the motor has just begun
    assert not pull(station) and station.charger.look()["locked"]
    station.charger.do("plug", "generic")
    station.charger.advance(2)
    assert first(station, "held", at_us, event="plug")
    assert not station.charger.look()["locked"]
    station.charge(seconds=8)


# Other faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize("what, code", [
    ("cp_short", "1-1"), ("diode_short", "1-2"), ("pp_invalid", "1-4"),
])
def test_a_fault_lets_the_plug_go_after_5_s(station, what, code):
    station.charge(seconds=8)
    at_us = station.charger.us
    fault(station, what)
    station.charger.advance(8)
    opened_us = first(station, "contactor", at_us, on=False)
    assert 5_000_000 <= first(station, "lock", at_us, locked=False) - opened_us <= 6_000_000
    assert station.shows(code)
    station.charger.do("unplug")
    fault(station, what, on=False)
    station.charger.advance(6)
    assert station.shows("READY")


def test_a_plug_stays_locked_while_the_contacts_are_welded(station):
    station.charge(seconds=8)
    fault(station, "welded")
    at_us = station.charger.us
    station.charger.do("unplug", "car")
    station.charger.advance(60)
    assert station.shows("7-3")
    assert station.charger.look()["locked"] and not drives(station, "open", at_us)
    station.charger.do("reset", "wdt")
    station.charger.advance(30)
    assert station.charger.look()["locked"] and not drives(station, "open", at_us)
