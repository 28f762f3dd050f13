"""The socket's lock through power cuts and resets, and one that a power cut opens by itself."""

import random

import pytest

from lock_station import SOCKET, drives, fault, first, leave, pull
from station import Lonely, variant

SOLENOID = {"pins": [26], "pulse_ms": 300, "feedback_pin": 14, "locked_level": 0}


@pytest.fixture
def station(tmp_path):
    with Lonely(tmp_path / "s", board=SOCKET) as station:
        station.charger.advance(7)
        yield station


def test_after_a_power_cut_the_car_that_stayed_is_locked_in_again_and_charges(station):
    station.charge(seconds=8)
    cut_us = station.charger.us
    station.charger.do("power", "off")
    station.charger.advance(3)
    assert station.charger.look()["locked"]  # a motor's bolt stays
    back_us = station.charger.us
    station.charger.do("power", "on")
    station.charger.advance(30)
    assert [e["locked"] for e in station.seen("lock", back_us)] == [False, True]
    assert station.charger.look()["closed"]
    assert first(station, "lock", back_us, locked=True) < first(station, "contactor", cut_us, on=True)


@pytest.mark.parametrize("how", ["left", "short"])
def test_a_power_cut_does_not_keep_the_cable(station, how):
    station.charge(seconds=8)
    station.charger.do("power", "off")
    station.charger.advance(3)
    if how == "left":
        station.charger.do("unplug", "car")
    else:
        fault(station, "cp_short")
    assert pull(station)
    station.charger.do("power", "on")
    station.charger.advance(10)
    assert not pull(station)


ENDS = {"hung loop": "stuck_call", "exception": "exception"}


@pytest.mark.parametrize("how", ["watchdog", *ENDS])
def test_a_motor_does_not_run_on_when_the_loop_ends(station, how):
    at_us = station.charger.us
    station.charger.do("plug", "generic")
    station.charger.advance(0.2)  # in the pulse
    assert drives(station, "lock", at_us) and not drives(station, "off", at_us)
    if how == "watchdog":
        station.charger.do("reset", "wdt")
    else:
        fault(station, ENDS[how])
    station.charger.advance(4)
    lasts_us = drives(station, "off", at_us)[0] - drives(station, "lock", at_us)[0]
    at_most_us = {"hung loop": 3_200_000, "watchdog": 1_200_000}.get(how, 200_000)
    assert lasts_us <= at_most_us  # the watchdog's 2 s, and the start until boot.py lets go


def test_boot_stops_the_motor_although_the_firmware_cannot_start(station):
    at_us = station.charger.us
    station.charger.do("plug", "generic")
    station.charger.advance(0.2)
    (station.folder / "config.json").write_text("broken")
    station.charger.do("reset", "wdt")
    station.charger.advance(4)
    booted_us = first(station, "boot", at_us)
    assert 0 <= drives(station, "off", at_us)[0] - booted_us < 1000


def test_both_pins_of_the_motor_are_never_high(tmp_path):
    rng = random.Random(3)
    with Lonely(tmp_path / "s", board=SOCKET) as station:
        for _ in range(60):
            event, value = rng.choice([
                ("plug", "generic"), ("unplug", "car"), ("unplug", None), ("ready", None),
                ("power", "off"), ("power", "off"),
            ])
            station.charger.do(event, value)
            if event == "power":
                station.charger.advance(0.1)
                station.charger.do("power", "on")
            station.charger.advance(rng.choice((0.05, 0.2, 0.4, 2, 9)))
        for how in ("wdt", "soft"):  # the third reset within ten minutes would be for good
            station.charger.do("plug", "generic")
            station.charger.advance(0.2)  # the motor runs
            station.charger.do("reset", how)
            station.charger.advance(40)
        assert len(drives(station, "lock")) > 5 and len(drives(station, "open")) > 10
        assert not drives(station, "both")


# A lock with one pin ---------------------------------------------------------------------------


def test_a_solenoid_holds_the_plug_through_a_charge_and_lets_go(tmp_path):
    with Lonely(tmp_path / "s", board=variant(tmp_path, SOCKET, lock=SOLENOID)) as station:
        station.charger.advance(7)
        since_us = station.charger.us
        station.charge(seconds=60)
        assert len(drives(station, "lock", since_us)) == 1 and not drives(station, "off", since_us)
        assert pull(station) and station.charger.look()["closed"]
        leave(station)
        assert station.shows("READY")


def test_a_solenoid_lets_go_in_a_power_cut(tmp_path):
    with Lonely(tmp_path / "s", board=variant(tmp_path, SOCKET, lock=SOLENOID)) as station:
        station.charger.advance(7)
        station.charge(seconds=6)
        station.charger.do("power", "off")
        station.charger.advance(1)
        assert not station.charger.look()["locked"]
