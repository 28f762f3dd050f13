"""Night: when it is, by config.json and the clock, and what is dimmed then."""

import json
from types import SimpleNamespace

import pytest

from pilotwire import config
from pilotwire.clock import KEPT, SYNCHRONISED, UNKNOWN
from pilotwire.panel import is_night
from station import BOARD, Connected, Lonely

# The virtual charger starts at 05:00 UTC.
NOW = {"from": "05:30", "to": "07:00", "utc_offset_min": 60}
LATER = {"from": "22:00", "to": "06:00", "utc_offset_min": 60}


def load(tmp_path, night):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"device": "x", "installation_a": 16, "night": night}))
    return config.load(str(file)).night


def nightly_minutes(night):
    """Minutes of the UTC day at which it is night."""
    clock = SimpleNamespace(quality=SYNCHRONISED, day_s=lambda: clock.now_s)
    minutes = []
    for minute in range(1440):
        clock.now_s = minute * 60
        first = is_night(clock, night)
        clock.now_s += 59
        assert is_night(clock, night) == first
        if first:
            minutes.append(minute)
    return minutes


def at(hour, minute=0):
    return hour * 60 + minute


@pytest.mark.parametrize("night, first, last", [
    ({"from": "22:00", "to": "06:00", "utc_offset_min": 60}, at(21), at(4, 59)),
    ({"from": "22:00", "to": "06:00"}, at(22), at(5, 59)),
    ({"from": "0:30", "to": "06:15", "utc_offset_min": 120}, at(22, 30), at(4, 14)),
    ({"from": "23:00", "to": "01:00", "utc_offset_min": -330}, at(4, 30), at(6, 29)),
    ({"from": "13:00", "to": "14:00", "utc_offset_min": 840}, at(23), at(23, 59)),
])
def test_night_lasts_from_and_to_local_time(tmp_path, night, first, last):
    minutes = nightly_minutes(load(tmp_path, night))
    assert len(minutes) == (last - first) % 1440 + 1
    assert first in minutes and last in minutes
    assert (first - 1) % 1440 not in minutes and (last + 1) % 1440 not in minutes


def test_without_a_clock_or_the_setting_it_is_day(tmp_path):
    clock = SimpleNamespace(quality=UNKNOWN, day_s=lambda: at(23) * 60)
    night = load(tmp_path, {"from": "22:00", "to": "06:00"})
    assert not is_night(clock, night)
    clock.quality = KEPT
    assert is_night(clock, night)
    assert load(tmp_path, None) is None and not is_night(clock, None)


@pytest.mark.parametrize("night, word", [
    ("22:00", "night must be an object"),
    ({"from": "22:00"}, "night.to must be a time of day"),
    ({"from": "24:00", "to": "06:00"}, "night.from"),
    ({"from": "22:60", "to": "06:00"}, "night.from"),
    ({"from": "22:0", "to": "06:00"}, "night.from"),
    ({"from": "-2:00", "to": "06:00"}, "night.from"),
    ({"from": 22, "to": "06:00"}, "night.from"),
    ({"from": "22:00", "to": "22:00"}, "must differ"),
    ({"from": "22:00", "to": "06:00", "utc_offset_min": 900}, "utc_offset_min"),
    ({"from": "22:00", "to": "06:00", "utc_offset_min": "1h"}, "utc_offset_min"),
])
def test_a_wrong_night_is_named(tmp_path, night, word):
    with pytest.raises(config.ConfigError, match=word):
        load(tmp_path, night)


class AtNight(Connected):
    """With a network, so that the clock is set, and with `night` in its configuration."""

    def __init__(self, folder, night):
        super().__init__(folder, board=BOARD)
        write = self.run._write_config

        def with_night(host, port):
            write(host, port)
            file = folder / "config.json"
            file.write_text(json.dumps({**json.loads(file.read_text()), "night": night}))

        self.run._write_config = with_night


def brightest(station, seconds=6):
    """The highest level of any colour of the LED in the coming seconds."""
    before = len(station.events)
    station.advance(seconds)
    lit = [bytes.fromhex(e["rgb"]) for e in station.events[before:] if e["e"] == "led"]
    return max(max(rgb) for rgb in lit)


def test_led_and_display_are_dimmed_at_night_but_a_fault_is_not(tmp_path):
    with AtNight(tmp_path / "s", NOW) as station:
        station.advance(3)
        assert brightest(station) == 255 // 4
        station.charge(seconds=8)
        assert brightest(station) == 255 // 4
        station.charger.do("fault", {"name": "cp_short", "value": None})
        station.advance(1)
        assert brightest(station) == 255


def test_by_day_nothing_is_dimmed(tmp_path):
    with AtNight(tmp_path / "s", LATER) as station:
        station.advance(3)
        assert brightest(station) == 255


def test_without_a_clock_nothing_is_dimmed(tmp_path):
    with Lonely(tmp_path / "s", config={"night": NOW}) as station:
        station.advance = station.charger.advance
        station.advance(3)
        assert brightest(station) == 255
