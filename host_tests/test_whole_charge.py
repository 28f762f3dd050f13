"""A whole charge, end to end: what people, cars and the backend see."""

import hashlib
import hmac
import json

import pytest

from station import Connected, Lonely, key


@pytest.fixture
def station(tmp_path):
    with Connected(tmp_path / "station") as station:
        yield station


def charged_record(station, seconds=60):
    station.charge(seconds=seconds)
    station.charger.do("unplug")
    assert station.until(lambda: station.backend.records)
    return list(station.backend.records.values())[-1]


def test_a_charge_ends_with_one_record_of_the_true_energy(station):
    record = charged_record(station, seconds=120)
    true_wh = station.charger.look()["true_mwh"] / 1000
    assert record["energy_wh"] == record["meter_end_wh"] - record["meter_start_wh"]
    assert abs(record["energy_wh"] - true_wh) <= 1
    assert true_wh > 300  # 11 kW for about two minutes
    assert record["phases"] == 3 and record["stop"] == "EVDisconnected"
    station.advance(30)
    assert len(station.values("session/record")) == 1


def test_cost_is_the_energy_at_the_price_rounded_half_up(station):
    record = charged_record(station)
    cost = record["cost"]
    assert cost["total"] == (record["energy_wh"] * 30 * 2 + 1000) // 2000
    assert sum(line["amount"] for line in cost["lines"]) == cost["total"]
    assert sum(line["wh"] for line in cost["lines"]) == record["energy_wh"]


def test_records_are_chained_and_signed_over_the_published_bytes(station):
    charged_record(station, seconds=20)
    station.advance(8)
    charged_record(station, seconds=20)
    assert station.until(lambda: len(station.backend.records) == 2)
    first, second = station.backend.raw_records.values()
    assert json.loads(second)["prev"] == hashlib.sha256(first).hexdigest()
    for raw in (first, second):
        mac = json.loads(raw)["mac"]
        unsigned = raw.replace(b',"mac":"%s"' % mac.encode(), b"")
        assert hmac.new(key(), unsigned, "sha256").hexdigest() == mac


def test_times_of_the_record_are_the_times_of_what_happened(station):
    plugged_us = station.charger.us
    record = charged_record(station, seconds=30)
    assert {record[at]["q"] for at in ("plugged_at", "started_at", "unplugged_at")} == {"S"}
    plugged_s = int(record["plugged_at"]["t"][17:19])  # 05:00 plus virtual time
    assert abs(plugged_s - plugged_us / 1e6) < 1.2
    assert 29 <= record["charge_s"] + record["idle_s"] <= 31


def test_the_display_and_the_led_say_what_happens(station):
    assert "READY" in " ".join(station.charger.look()["text"])
    station.charge(seconds=10)
    text = " ".join(station.charger.look()["text"])
    assert "CHARGING" in text and "kW" in text and "16.0 A" in text
    assert any(e["rgb"].startswith("0000") and e["rgb"] != "000000"
               for e in station.events if e["e"] == "led")


def test_a_limit_lowers_the_offer_and_the_current(station):
    station.charge(amps=32, seconds=15)
    answer = station.command("cmd/limit", {"a": 10, "for_s": 60, "id": "x"}, seconds=12)
    assert answer == {"id": "x", "cmd": "cmd/limit", "ok": True}
    look = station.charger.look()
    assert 9900 <= look["car_offer_ma"] <= 10000
    assert 9000 <= look["i_ma"][0] <= 10000
    state = station.state()
    assert (state["limit"], state["offered_a"]) == ("command", 10.0)


def test_an_expired_limit_gives_way_to_the_fail_safe_current(station):
    station.charge(amps=32, seconds=15)
    station.command("cmd/limit", {"a": 20, "for_s": 20}, seconds=30)
    assert station.state()["limit"] == "fail-safe"
    assert station.charger.look()["car_offer_ma"] == 6000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_opening_counts_as_hot_only_when_a_current_flows(tmp_path, seed):
    """The meter's averages still show what a car drew that has just stopped."""
    print("seed", seed)
    with Connected(tmp_path / "s", seed=seed) as station:
        for how in ("not_ready", "not_ready", "unplug"):
            station.charge(amps=16, seconds=8)
            station.advance(seed * 0.13)
            station.charger.do(how)
            station.advance(8)
            station.charger.do("unplug")
            station.advance(8)
        assert station.charger.look()["hot_openings"] == 1  # what the plant has seen
        before = len(station.values("health"))
        assert station.until(lambda: len(station.values("health")) > before, 65)
        health = json.loads(station.backend.last["health"])
        assert (health["hot_openings"], health["cold_openings"]) == (1, 2)


@pytest.mark.parametrize("topic, payload", [("cmd/limit", 0), ("cmd/enable", False)])
def test_a_pause_lets_the_car_stop_first_and_opens_without_load(station, topic, payload):
    station.charge(amps=16, seconds=15)
    station.command(topic, payload, seconds=8)
    look = station.charger.look()
    assert not look["closed"] and look["hot_openings"] == 0
    assert look["high_mv"] == look["low_mv"] > 8000  # steady level, car still there
    station.command("cmd/enable", True)
    station.command("cmd/limit", 16, seconds=12)
    assert station.charger.look()["closed"]


def test_a_car_that_ignores_the_stop_is_opened_after_six_seconds(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charge(car="ignores_stop", seconds=15)
        station.command("cmd/enable", False, seconds=5)
        assert station.charger.look()["closed"]
        station.advance(2)
        assert not station.charger.look()["closed"]
        assert station.state()["faults"] == ["6-3"]
        station.charger.do("unplug")
        station.advance(8)
        assert station.state()["faults"] == []
        record = json.loads(station.backend.last["session/last"])
        assert (record["stop"], record["faults"]) == ("Other", ["6-3"])


def test_the_offer_never_changes_within_five_seconds(station):
    station.charge(amps=32, seconds=15)
    since_us = station.charger.us
    for amps in (20, 18, 22, 16, 30, 12):
        station.command("cmd/limit", amps, seconds=1.3)
    station.advance(10)
    at_s = [e["t_s"] for e in station.events
            if e["e"] == "pilot" and e["t_s"] > station.run.t_s(since_us)]
    assert len(at_s) >= 2
    assert all(b - a >= 4.99 for a, b in zip(at_s, at_s[1:], strict=False))


def test_charging_goes_on_without_any_network(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(7)
        station.charge(seconds=20)
        assert station.charger.look()["i_ma"][0] == 16000
        assert "CHARGING" in station.text()


def test_a_run_is_repeatable_to_the_microsecond(tmp_path):
    runs = []
    for name in ("a", "b"):
        with Lonely(tmp_path / name, seed=7) as station:
            station.charger.advance(7)
            station.charge(seconds=10)
            station.charger.do("unplug")
            station.charger.advance(5)
            runs.append(station.events)
    assert runs[0] == runs[1]
    assert len(runs[0]) > 50


def test_another_seed_is_another_unit_with_other_noise(tmp_path):
    levels = set()
    for seed in (1, 2, 3):
        with Lonely(tmp_path / str(seed), seed=seed) as station:
            station.charger.advance(7)
            levels.add(station.charger.look()["high_mv"])
    assert len(levels) == 3


def test_charging_goes_on_while_the_tick_counters_wrap(tmp_path):
    """ticks_us wraps every 17.9 minutes; here in the middle of a charge."""
    with Lonely(tmp_path / "s", start_us=(1 << 30) - 15_000_000) as station:
        station.charger.advance(7)
        station.charge(seconds=20)
        assert station.charger.us > 1 << 30
        assert station.charger.look()["i_ma"][0] == 16000
        assert not station.seen("reset")
        assert len(station.seen("contactor")) == 1
