"""Nothing is lost: broker down, killed, silent; power cut, kill -9, watchdog, exceptions."""

import json

import pytest

from pilotwire.charger import Charger
from pilotwire.run import EPOCH_S
from station import Connected, Lonely


@pytest.fixture
def station(tmp_path):
    with Connected(tmp_path / "station") as station:
        yield station


def one_complete_record(station):
    station.charger.do("unplug")
    assert station.until(lambda: station.backend.records, seconds=120)
    station.advance(20)
    (record,) = station.backend.records.values()
    true_wh = station.charger.look()["true_mwh"] / 1000
    assert abs(record["energy_wh"] - true_wh) <= 1
    assert not station.backend.altered and not station.backend.spoilt
    return record


@pytest.mark.parametrize("mode", ["down", "blackhole", "reset"])
def test_charging_goes_on_without_the_broker_and_the_record_arrives_once(station, mode):
    station.charge(seconds=20)
    station.run.proxy.set_mode(mode)
    station.advance(60)
    assert station.charger.look()["i_ma"][0] == 16000
    station.run.proxy.set_mode("up")
    assert station.until(lambda: station.backend.last.get("status") == b"online", seconds=150)
    station.advance(10)
    one_complete_record(station)
    assert len(station.values("session/record")) == 1


def test_status_goes_offline_by_the_will_and_online_again(station):
    station.charge(seconds=10)
    station.run.proxy.set_mode("down")
    station.advance(20)
    station.run.proxy.set_mode("up")
    assert station.until(lambda: station.values("status")[-2:] == [b"offline", b"online"], 120)


def test_a_broker_killed_and_started_again_in_mid_session(station):
    station.charge(seconds=20)
    station.run.broker.kill()
    station.advance(30)
    assert station.charger.look()["i_ma"][0] == 16000
    station.run.broker.start()
    station.backend.wait_for(lambda: station.backend.subscribed, 20)
    assert station.until(lambda: station.backend.last.get("status") == b"online", seconds=150)
    one_complete_record(station)


def test_a_record_made_while_the_broker_is_away_is_kept_and_sent_later(station):
    station.run.proxy.set_mode("down")
    station.charge(seconds=20)
    station.charger.do("unplug")
    station.advance(30)
    assert not station.backend.records
    station.run.proxy.set_mode("up")
    assert station.until(lambda: station.backend.records, seconds=150)


def test_an_unacknowledged_record_comes_again_after_a_restart_and_never_once_acknowledged(tmp_path):
    with Connected(tmp_path / "s", acknowledge=False) as station:
        station.charge(seconds=15)
        station.charger.do("unplug")
        assert station.until(lambda: station.backend.records)
        (raw,) = station.backend.raw_records.values()
        station.charger.do("power", "off")
        station.advance(2)
        station.charger.do("power", "on")
        assert station.until(lambda: station.backend.repeated == 1, seconds=40)
        assert station.values("session/record")[-1] == raw
        station.command("session/ack", {"seq": 1}, answered=False)
        assert station.until(lambda: station.state().get("waiting") == 0)
        station.charger.do("power", "off")
        station.advance(2)
        station.charger.do("power", "on")
        station.advance(60)
        assert station.backend.repeated == 1


def test_an_acknowledgement_of_the_future_is_refused(station):
    answer = station.command("session/ack", {"seq": 99})
    assert not answer["ok"] and "seq" in answer["reason"]


def test_a_power_cut_closes_the_session_at_the_last_checkpoint(station):
    station.charge(seconds=150)
    before_wh = station.charger.look()["true_mwh"] / 1000
    station.charger.do("power", "off")
    station.advance(3)
    assert not station.charger.look()["closed"]
    station.charger.do("unplug")
    station.charger.do("power", "on")
    assert station.until(lambda: station.backend.records, seconds=60)
    (record,) = station.backend.records.values()
    assert record["stop"] == "PowerLoss"
    assert before_wh - record["energy_wh"] <= 11040 / 60 + 2  # a minute's worth at the most
    assert record["energy_wh"] > 200
    assert record["started_at"]["t"] and record["unplugged_at"]["t"]


def test_kill_minus_nine_and_a_new_start_on_the_same_flash(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charge(seconds=150)
        before_wh = station.charger.look()["true_mwh"] / 1000
        station.charger.kill()
    with Connected(tmp_path / "s") as station:
        assert station.until(lambda: station.backend.records, seconds=60)
        (record,) = station.backend.records.values()
        assert (record["stop"], record["seq"], record["boot"]) == ("PowerLoss", 1, 1)
        assert before_wh - 190 <= record["energy_wh"] <= before_wh
        station.charge(seconds=15)
        station.charger.do("unplug")
        assert station.until(lambda: len(station.backend.records) == 2)
        second = list(station.backend.records.values())[-1]
        assert (second["seq"], second["boot"]) == (2, 2)
        assert second["meter_start_wh"] >= record["meter_end_wh"]


def test_a_hung_loop_is_ended_by_the_watchdog_and_the_contactor_opens_at_the_next_start(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(7)
        station.charge(seconds=10)
        hung_us = station.charger.us
        station.charger.do("fault", {"name": "hang", "value": None})
        station.charger.advance(1)
        assert station.charger.look()["closed"]  # why a board wants a dynamic drive
        station.charger.do("clear", {"name": "hang", "value": None})
        station.charger.advance(4)
        (reset,) = station.seen("reset", hung_us)
        assert reset["cause"] == "wdt" and reset["us"] - hung_us < 2_200_000
        opened = station.seen("contactor", hung_us)[0]
        booted = station.seen("boot", hung_us)[0]
        assert not opened["on"] and opened["us"] - booted["us"] < 1000


def test_a_watchdog_reset_ends_the_session_as_a_reboot(station):
    station.charge(seconds=90)
    station.charger.do("reset", "wdt")
    station.advance(10)
    assert station.until(lambda: station.backend.records, seconds=60)
    record = list(station.backend.records.values())[0]
    assert (record["stop"], record["stop_detail"]) == ("Reboot", "watchdog")
    assert station.until(lambda: station.charger.look()["closed"], seconds=30)  # and goes on


def test_time_is_kept_through_a_reset_and_lost_in_a_power_cut(tmp_path):
    with Connected(tmp_path / "s") as station:
        assert station.state()["q"] == "S"
        station.charger.do("clock", "lost")
        station.charger.do("reset", "wdt")
        station.advance(12)
        assert station.state()["q"] == "I"
        station.charger.do("power", "off")
        station.advance(1)
        station.charger.do("power", "on")
        station.advance(12)
        assert (station.state()["q"], station.state()["t"]) == ("U", None)


def test_without_a_clock_a_session_is_recorded_all_the_same(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charger.do("clock", "lost")
        station.charger.do("power", "off")
        station.advance(1)
        station.charger.do("power", "on")
        station.advance(12)
        station.charge(seconds=15)
        station.charger.do("unplug")
        assert station.until(lambda: station.backend.records)
        record = list(station.backend.records.values())[-1]
        assert record["plugged_at"]["t"] is None and record["plugged_at"]["q"] == "U"
        assert record["unplugged_at"]["up_ms"] - record["plugged_at"]["up_ms"] >= 14000


def test_a_broken_configuration_keeps_the_contactor_off(tmp_path):
    folder = tmp_path / "s"
    with Lonely(folder) as station:
        pass
    (folder / "config.json").write_text('{"device": "UPPER CASE"}')
    events = []
    charger = Charger(folder, epoch_s=EPOCH_S, on_event=events.append)
    try:
        charger.do("plug", "no_s2")
        charger.advance(20)
        assert not any(e["e"] == "contactor" for e in events)
        assert any("device must be" in line for line in charger.console)
    finally:
        charger.stop()
    assert station.folder == folder


def test_the_retained_state_of_the_broker_is_never_a_command(station):
    station.backend._client.publish(
        station.backend.root + "cmd/limit", b"7", qos=1, retain=True
    ).wait_for_publish(5)
    station.advance(2)
    station.run.proxy.set_mode("reset")  # on the new connection the old command comes retained
    station.advance(20)
    assert station.until(lambda: b"retained" in station.backend.last.get("result", b""), 60)
    assert json.loads(station.backend.last["result"])["ok"] is False


def test_the_display_does_not_say_online_without_wifi_and_the_link_comes_back(station):
    station.charge(seconds=20)
    assert station.until(lambda: station.state().get("charging") == "Charging", 30)
    station.charger.do("fault", {"name": "wifi_lost", "value": None})
    station.charger.advance(30)
    seen = set()
    for _ in range(20):
        station.charger.advance(0.5)
        seen.update(line.strip() for line in station.charger.look()["text"])
    assert "Online" not in seen and any(line.startswith("Offline") for line in seen)
    station.charger.do("clear", {"name": "wifi_lost", "value": None})
    connects = len(station.values("info"))
    assert station.until(lambda: len(station.values("info")) > connects, 90)
    one_complete_record(station)
