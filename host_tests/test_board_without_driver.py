"""A board whose meter has no driver yet: it charges, counts no energy, and says so everywhere."""

import json

import pytest

from pilotwire.charger import ROOT
from station import Connected, Lonely, variant

MODBUS = ROOT / "boards/reference-3p-modbus/board.json"
OTHERS = ("smartevse-v3", "smartevse-v3-1", "esp32-evse-devkitc")
SAYS = "board.json: there is no driver for the meter sdm630 yet: it runs without one"


def test_it_charges_and_its_record_has_times_and_no_energy(tmp_path):
    with Connected(tmp_path / "s", board=MODBUS) as station:
        assert SAYS in station.charger.console
        info = json.loads(station.backend.last["info"])
        assert (info["meter"], info["no_driver"]) == ("none", "sdm630")
        station.charge(amps=32, seconds=30)
        assert station.until(lambda: "session/active" in station.backend.last)
        assert json.loads(station.backend.last["session/active"])["energy_wh"] is None
        assert station.state()["faults"] == []
        assert "meter" not in station.backend.last
        station.charger.do("unplug")
        assert station.until(lambda: station.backend.records)
        (record,) = station.backend.records.values()
    assert (record["energy_wh"], record["meter_quality"], record["meter"]) == (None, "none", "none")
    assert (record["meter_start_wh"], record["meter_end_wh"], record["cost"]) == (None, None, None)
    assert 20 <= record["charge_s"] <= 31 and record["started_at"]["t"] < record["ended_at"]["t"]
    assert record["phases"] == 0 and record["limits"] == {"board": 63, "installation": 63}


def test_a_board_with_a_driver_or_without_a_meter_misses_none(tmp_path):
    for name, board in (("meter", None), ("null", variant(tmp_path, MODBUS, meter=None))):
        with Connected(tmp_path / name, **({"board": board} if board else {})) as station:
            info = json.loads(station.backend.last["info"])
            assert info["no_driver"] == "" and "no driver" not in str(station.charger.console)


@pytest.mark.parametrize("name", OTHERS)
def test_boards_that_people_own_charge_and_open_in_the_virtual_charger(name, tmp_path):
    with Lonely(tmp_path / "s", board=ROOT / f"boards/{name}/board.json") as station:
        station.charger.advance(7)
        station.charge(seconds=10)
        assert station.charger.console[0] == SAYS
        at_us = station.charger.us
        station.charger.do("unplug")
        station.charger.advance(5)
        (told,) = station.seen("contactor", at_us)
        assert not told["on"] and told["us"] - at_us <= 30_000


def test_a_misspelt_meter_is_no_meter_to_come_and_does_not_start(tmp_path):
    board = variant(tmp_path, MODBUS, meter={"chip": "sdm360"})
    with Lonely(tmp_path / "s", board=board) as station:
        station.charger.do("plug", "no_s2")
        station.charger.advance(25)
        assert any("sdm360" in line for line in station.charger.console)
        assert not station.seen("contactor")
