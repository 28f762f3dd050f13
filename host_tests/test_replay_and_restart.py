"""cmd/replay brings records again that are still on flash; cmd/restart restarts an idle station."""

import json

import pytest

from station import Connected


@pytest.fixture
def station(tmp_path):
    with Connected(tmp_path / "station") as station:
        yield station


def visits(station, count, seconds=6):
    for _ in range(count):
        before = len(station.backend.records)
        station.charge(seconds=seconds)
        station.charger.do("unplug")
        assert station.until(lambda n=before: len(station.backend.records) > n, 40)
    assert station.until(lambda: station.state().get("waiting") == 0)
    station.advance(1)


def again(station, seq):
    """The answer, and the seqs of the records that came after it."""
    before = len(station.values("session/record"))
    answer = station.command("cmd/replay", {"seq": seq}, seconds=5)
    station.advance(5)
    return answer, [json.loads(p)["seq"] for p in station.values("session/record")[before:]]


def test_acknowledged_records_come_again_unchanged_and_in_order(station):
    visits(station, 3)
    answer, seqs = again(station, 2)
    assert answer["ok"] and seqs == [2, 3]
    answer, seqs = again(station, 1)
    assert answer["ok"] and seqs == [1, 2, 3]
    assert not station.backend.altered and station.backend.repeated == 5
    assert station.state()["waiting"] == 0


def test_records_that_were_sent_and_never_acknowledged_come_again(tmp_path):
    with Connected(tmp_path / "s", acknowledge=False) as station:
        station.charge(seconds=6)
        station.charger.do("unplug")
        assert station.until(lambda: station.backend.records, 40)
        station.advance(2)
        answer, seqs = again(station, 1)
        assert answer["ok"] and seqs == [1] and station.state()["waiting"] == 1


def test_a_replay_costs_no_record_that_comes_later(station):
    visits(station, 2)
    again(station, 1)
    visits(station, 1)
    assert sorted(r["seq"] for r in station.backend.records.values()) == [1, 2, 3]
    again(station, 1)
    station.charger.do("power", "off")
    station.advance(2)
    station.charger.do("power", "on")
    station.advance(30)
    assert station.state()["waiting"] == 0
    visits(station, 1)
    assert max(r["seq"] for r in station.backend.records.values()) == 4
    assert json.loads(station.backend.raw_records["virtual-4"])["lost_before"] == 0


@pytest.mark.parametrize("payload", [{"seq": 99}, {"seq": "1"}, {}, 1, {"seq": -1}])
def test_what_never_was_is_refused(station, payload):
    visits(station, 1)
    answer = station.command("cmd/replay", json.dumps(payload), seconds=4)
    assert not answer["ok"] and answer["reason"]
    assert station.backend.repeated == 0


def test_what_flash_has_no_more_is_refused_and_the_oldest_is_named(tmp_path):
    with Connected(tmp_path / "s", flash_kb=32) as station:
        visits(station, 8, seconds=5)
        answer, seqs = again(station, 1)
        assert not answer["ok"] and seqs == []
        oldest = int(answer["reason"].rsplit(" ", 1)[1])
        assert answer["reason"] == f"the oldest record from there on is {oldest}" and oldest > 1
        answer, seqs = again(station, oldest)
        assert answer["ok"] and seqs == list(range(oldest, 9))


def test_not_while_charging(station):
    visits(station, 1)
    station.charge(seconds=40)
    boots = len(station.values("info"))
    for command in ("cmd/replay", "cmd/restart"):
        answer = station.command(command, {"seq": 1} if command == "cmd/replay" else {})
        assert not answer["ok"] and answer["reason"].startswith("not while charging")
    station.advance(10)
    assert station.charger.look()["closed"] and len(station.values("info")) == boots
    assert station.backend.repeated == 0


def test_a_restart_is_answered_first_and_is_the_cause_of_the_next_boot(station):
    visits(station, 1)
    answer = station.command("cmd/restart", {"id": "r"}, seconds=1)
    assert answer["ok"] and answer["id"] == "r"
    assert station.until(lambda: json.loads(station.backend.last["info"])["boot"] == 2, 60)
    assert json.loads(station.backend.last["info"])["boot_cause"] == "command"
    assert station.state()["faults"] == []
    visits(station, 1, seconds=40)


def test_the_contactor_does_not_close_between_the_order_and_the_restart(station):
    station.advance(5)
    station.charger.do("plug", "generic")
    station.charger.do("want_a", [16000])
    station.backend.publish("cmd/restart", "{}")
    station.charger.expect_message()
    station.charger.advance(0.2)
    station.charger.do("ready")
    station.charger.advance(1.8)
    station.advance(20)
    closings = [e for e in station.events if e["e"] == "contactor" and e["on"]]
    resets = [e for e in station.events if e["e"] == "reset"]
    assert len(resets) == 1 and not closings


@pytest.mark.parametrize("payload", ["true", "1", '"now"', '{"seq":1}', "[]", "", "{"])
def test_a_wrong_order_restarts_nothing(station, payload):
    answer = station.command("cmd/restart", payload, seconds=6)
    assert not answer["ok"] and answer["reason"]
    assert json.loads(station.backend.last["info"])["boot"] == 1


def test_a_restart_comes_also_with_flash_that_takes_nothing(station):
    station.advance(10)
    for name in ("program_fail", "erase_fail"):
        station.charger.do("fault", {"name": name, "value": None})
    for k in range(40):  # each try takes a sector out of use
        station.command("cmd/enable", bool(k & 1))
    assert station.command("cmd/restart", {})["ok"]
    station.advance(20)
    assert not [e for e in station.events if e["e"] == "reset"]
    station.advance(15)
    assert [e for e in station.events if e["e"] == "reset"]
