"""State D: a car that wants ventilation is energised only where board.json says that there is some."""

import pytest

from pilotwire import board as board_file
from station import Lonely, variant


@pytest.fixture(params=[True, False, None])
def ventilated(request):
    """What board.json has as "ventilation"; None: nothing."""
    return request.param


@pytest.fixture
def station(tmp_path, ventilated):
    with Lonely(tmp_path / "s", board=variant(tmp_path, ventilation=ventilated)) as station:
        station.charger.advance(7)
        yield station


def test_state_d_is_energised_only_where_the_board_has_ventilation(station, ventilated):
    station.charger.do("ventilation", True)
    station.charger.do("plug", "generic")
    station.charger.at(station.charger.us + 300_000, "s2", True)
    station.charger.advance(20)
    assert [e["on"] for e in station.seen("contactor")] == ([True] if ventilated else [])
    assert station.charger.look()["closed"] == bool(ventilated)
    assert station.shows("CHARGING" if ventilated else "ventilated place")


def test_a_car_that_begins_to_want_it_goes_on_only_where_there_is_some(station, ventilated):
    station.charge(seconds=8)
    at_us = station.charger.us
    station.charger.do("ventilation", True)
    station.charger.advance(5)
    opened = [e["us"] - at_us for e in station.seen("contactor", at_us) if not e["on"]]
    if ventilated:
        assert not opened
    else:
        assert len(opened) == 1 and opened[0] <= 100_000  # row 1-5 of the fault table


@pytest.mark.parametrize("value", ["true", 1, [], {}])
def test_ventilation_that_is_neither_true_nor_false_is_refused(tmp_path, value):
    with pytest.raises(board_file.BoardError, match="ventilation"):
        board_file.load(variant(tmp_path, ventilation=value))
