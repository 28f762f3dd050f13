"""8-3: flash that cannot be written is told, stops nothing, and is over with the next good write."""

import json

import pytest

from station import Connected, Lonely


def fault(station, name, on=True):
    station.charger.do("fault" if on else "clear", {"name": name, "value": None})


@pytest.fixture
def station(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.advance(7)
        yield station


def test_a_session_that_could_not_be_stored_is_shown_once_and_counted_as_lost(station):
    fault(station, "program_fail")
    station.charge(seconds=20)
    station.charger.do("unplug")
    station.advance(15)
    assert station.state()["faults"] == ["8-3"]
    assert json.loads(station.backend.last["session/last"])["faults"] == ["8-3"]
    assert not station.backend.records
    fault(station, "program_fail", on=False)
    station.charge(seconds=20)
    assert station.state()["faults"] == []
    station.charger.do("unplug")
    station.advance(15)
    (record,) = station.backend.records.values()
    assert (record["seq"], record["lost_before"]) == (2, 1)


def test_it_shows_and_is_no_reason_not_to_charge(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(7)
        fault(station, "program_fail")
        station.charge(seconds=8)
        assert station.shows("8-3") and station.shows("Records not stored")
        assert station.charger.look()["closed"]
        fault(station, "program_fail", on=False)
        station.charger.advance(90)
        assert not station.shows("8-3", 8)


def test_a_board_without_a_journal_partition_has_it_for_good(tmp_path):
    with Connected(tmp_path / "s", flash_kb=0) as station:
        station.charge(seconds=20)
        assert station.state()["faults"] == ["8-3"]
        station.charger.do("unplug")
        station.advance(20)
        assert station.state()["faults"] == ["8-3"]
