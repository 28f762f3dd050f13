"""What a restart must not undo: orders, rest times, the register, the newest record."""

import json

import pytest

from station import Connected, Lonely


@pytest.fixture
def station(tmp_path):
    with Connected(tmp_path / "station") as station:
        yield station


def cut_power(station, seconds=2):
    station.charger.do("power", "off")
    station.advance(seconds)
    station.charger.do("power", "on")


def restart(station, how):
    if how == "power":
        cut_power(station)
    else:
        station.charger.do("reset", how)


@pytest.mark.parametrize("how", ["wdt", "power"])
def test_a_station_that_was_switched_off_by_command_stays_off(station, how):
    station.charge(seconds=10)
    station.command("cmd/enable", False, seconds=8)
    restart(station, how)
    station.advance(60)
    assert not station.charger.look()["closed"]
    assert station.state()["enabled"] is False
    station.command("cmd/enable", True, seconds=10)
    assert station.charger.look()["closed"]


@pytest.mark.parametrize("how", ["wdt", "power"])
def test_a_limit_by_command_becomes_the_fail_safe_current(station, how):
    station.charge(seconds=10)
    station.command("cmd/limit", {"a": 10, "for_s": 5000}, seconds=8)
    restart(station, how)
    station.advance(60)
    look = station.charger.look()
    assert look["closed"] and look["car_offer_ma"] == 6000
    assert station.state()["limit"] == "fail-safe"
    station.command("cmd/limit", 12, seconds=8)
    assert 11900 <= station.charger.look()["car_offer_ma"] <= 12000


def test_the_contactor_rests_for_30_s_after_a_watchdog_reset(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(7)
        station.charge(seconds=10)
        reset_us = station.charger.us
        station.charger.do("reset", "wdt")
        station.charger.advance(60)
        closings = [e["us"] for e in station.seen("contactor", reset_us) if e["on"]]
        assert len(closings) == 1 and closings[0] - reset_us >= 30_000_000


def test_the_lifetime_register_goes_on_although_no_record_was_acknowledged(tmp_path):
    with Connected(tmp_path / "s", acknowledge=False) as station:
        for _ in range(2):
            station.charge(seconds=30)
            station.charger.do("unplug")
            station.advance(8)
            cut_power(station)
            station.advance(15)
        assert station.until(lambda: len(station.backend.records) == 2)
        first, second = station.backend.records.values()
        assert second["meter_start_wh"] == first["meter_end_wh"] > 0


def test_the_record_of_a_power_cut_is_the_last_session_too(station):
    station.charge(seconds=30)
    station.charger.do("unplug")
    cut_power(station)
    assert station.until(lambda: station.backend.last.get("session/last"))
    assert json.loads(station.backend.last["session/last"])["stop"] == "PowerLoss"


@pytest.mark.parametrize("host", ["broker.example", "192.0.2.7"])
def test_dead_name_resolution_neither_restarts_nor_keeps_from_charging(tmp_path, host):
    config = {"ssid": "home", "broker": {"host": host, "port": 1883}}
    with Lonely(tmp_path / "s", config=config) as station:
        station.charger.do("fault", {"name": "dns_dead", "value": None})
        station.charger.advance(3)
        station.charger.do("plug", "generic")
        station.charger.do("ready")
        station.charger.advance(57)
        assert station.charger.look()["closed"]
        assert not station.seen("reset")


def test_without_a_journal_partition_no_id_is_used_twice(tmp_path):
    with Connected(tmp_path / "s", flash_kb=0) as station:
        for _ in range(2):
            station.charge(seconds=10)
            station.charger.do("unplug")
            station.advance(8)
            cut_power(station)
            station.advance(15)
        assert len(station.backend.records) == 2
        assert not station.backend.altered


def test_unplugging_opens_with_a_generator_that_has_grown_weak(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(7)
        station.charge(seconds=8)
        station.charger.do("fault", {"name": "pilot_weak", "value": None})
        station.charger.advance(0.2)
        cut_us = station.charger.us
        station.charger.do("unplug")
        station.charger.advance(0.2)
        opened = [e["us"] for e in station.seen("contactor") if not e["on"] and e["us"] >= cut_us]
        assert opened and opened[0] - cut_us <= 30_000
