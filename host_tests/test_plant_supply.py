"""The plant's supply, cut and reset when no firmware runs that could notice."""

import pytest

from station import Lonely


@pytest.fixture
def station(tmp_path):
    with Lonely(tmp_path / "station") as station:
        yield station


def starts(station):
    return [e["cause"] for e in station.seen("boot")]


def restored(station):
    """With its supply back the station starts once, and charges."""
    charger = station.charger
    before = len(starts(station))
    charger.do("power", "on")
    charger.advance(8)
    assert starts(station)[before:] == ["power"]
    station.charge()


@pytest.mark.parametrize("at_us", [0, 1, 450_000, 899_999], ids=lambda us: f"{us} us")
def test_a_cut_before_the_firmware_has_started_keeps_it_from_starting(station, at_us):
    station.charger.at(at_us, "power", "off")
    station.charger.advance(5)
    assert starts(station) == [] and not station.charger.look()["powered"]
    restored(station)


@pytest.mark.parametrize("event, value", [
    ("power", "off"), ("reset", "soft"), ("reset", "wdt"), ("reset", "brown_out"),
])
def test_without_supply_neither_reset_nor_cut_is_noticed(station, event, value):
    charger = station.charger
    charger.advance(3)
    charger.do("power", "off")
    charger.advance(1)
    charger.do(event, value)
    charger.advance(3)
    assert starts(station) == ["power"] and not charger.look()["powered"]
    restored(station)


def test_a_supply_that_is_back_for_a_moment_only_starts_nothing(station):
    charger = station.charger
    charger.advance(3)
    charger.do("power", "off")
    charger.at(charger.us + 1_010_000, "power", "on")
    charger.at(charger.us + 1_020_000, "power", "off")
    charger.advance(3)
    assert starts(station) == ["power"] and not charger.look()["powered"]
    restored(station)
