"""7-5: lives that ended unexpectedly, how they are counted over resets, and when they stay."""

import importlib
import random
from types import SimpleNamespace

import machine
import pytest

from station import Connected, Lonely
from test_after_a_restart import cut_power

POWER_ON, WATCHDOG = 1, 3


# The record in RTC memory ----------------------------------------------------------------------


class Chip:
    """RTC memory and lives; each life imports the module afresh, as a reset does."""

    def __init__(self, monkeypatch):
        self._data = b""
        self._patch = monkeypatch
        self.memory = self._memory

    def _memory(self, data=None):
        if data is None:
            return self._data
        self._data = bytes(data)

    def start(self, reset_cause=WATCHDOG):
        """(why the last life ended, how many unexpected ends)"""
        self._patch.setattr(machine, "PWRON_RESET", POWER_ON, raising=False)
        self._patch.setattr(machine, "reset_cause", lambda: reset_cause, raising=False)
        self.record = importlib.reload(importlib.import_module("pilotwire.tell.boot_record"))
        rtc = SimpleNamespace(memory=self._memory)
        self.rtc = rtc
        why = self.record.cause(rtc)
        count = self.record.restarts(rtc, why, True)
        self.record.write(rtc, self.record.RUNNING)
        return why, count

    def live(self, seconds, reason=None):
        for up_s in range(seconds + 1):
            self.record.second(self.rtc, up_s)
        if reason is not None:
            self.record.write(self.rtc, reason)
        return self


@pytest.fixture
def chip(monkeypatch):
    chip = Chip(monkeypatch)
    assert chip.start(POWER_ON) == ("power", 0)
    return chip


def test_unexpected_ends_within_ten_minutes_are_counted(chip):
    assert chip.live(100).start() == ("watchdog", 1)
    assert chip.live(200, 1).start() == ("exception", 2)
    assert chip.live(300).start() == ("watchdog", 3)
    assert chip.live(5).start() == ("watchdog", 3)  # of the newest three


def test_what_is_ten_minutes_ago_counts_no_more(chip):
    chip.live(100).start()
    assert chip.live(610).start() == ("watchdog", 1)
    assert chip.live(300).start() == ("watchdog", 2)
    assert chip.live(310).start() == ("watchdog", 2)
    assert chip.live(580).start() == ("watchdog", 2)


@pytest.mark.parametrize("seed", range(5))
def test_the_count_is_that_of_a_clock_to_10_s_a_life(chip, seed):
    rng = random.Random(seed)
    now_s, ends_s = 0, []
    for _ in range(60):
        lived_s = rng.choice((3, 59, 119, 179, rng.randrange(700)))
        now_s += lived_s
        ends_s.append(now_s)
        _, count = chip.live(lived_s).start()
        now_s += 1
        slack_s = 10 * 3
        sure = sum(now_s - end < 600 - slack_s for end in ends_s[-3:])
        perhaps = sum(now_s - end < 600 + slack_s for end in ends_s[-3:])
        assert min(sure, 3) <= count <= perhaps


def test_a_power_on_with_the_record_still_there_is_a_brown_out(chip):
    assert chip.live(50).start(POWER_ON) == ("brown_out", 1)
    chip._data = b""
    assert chip.start(POWER_ON) == ("power", 0)
    chip.live(20)
    chip._data = chip._data[:-1] + bytes([chip._data[-1] ^ 1])
    assert chip.start() == ("power", 0)


# The whole station -----------------------------------------------------------------------------


@pytest.fixture
def station(tmp_path):
    with Connected(tmp_path / "s") as station:
        yield station


def resets(station):
    return len([e for e in station.events if e["e"] == "reset"])


def break_it(station, how):
    """Let the life end; returns when it has."""
    if how == "exception":
        lives = resets(station)
        while resets(station) == lives:  # one that meets tell is caught there
            station.charger.do("fault", {"name": how, "value": None})
            station.advance(1.003)
    elif how == "hang":
        station.charger.do("fault", {"name": how, "value": None})
        station.advance(1)  # until the watchdog ends it; the next life does not
        station.charger.do("clear", {"name": how, "value": None})
    else:
        station.charger.do("reset", how)
    station.advance(6)


@pytest.mark.parametrize("how", ["wdt", "exception", "hang", "brown_out"])
def test_one_unexpected_end_is_7_5_for_30_s_and_charging_goes_on(station, how):
    station.charge(seconds=10)
    at_us = station.charger.us
    break_it(station, how)
    assert station.until(lambda: station.state()["faults"] == ["7-5"], 10)
    assert not station.charger.look()["closed"]
    station.advance(15)
    assert station.state()["faults"] == ["7-5"]
    assert station.until(lambda: station.state()["faults"] == [], 25)
    assert station.until(lambda: station.charger.look()["closed"], 20)
    assert station.charger.us - at_us >= 30_000_000


def test_the_display_says_it(tmp_path):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(7)
        station.charger.do("reset", "wdt")
        station.charger.advance(3)
        assert station.shows("7-5") and station.shows("restarted itself")
        station.charger.advance(35)
        assert station.shows("READY")


def test_the_third_within_ten_minutes_stays_until_the_supply_is_switched_off(station):
    station.charge(seconds=10)
    for k in range(3):
        break_it(station, ("wdt", "exception", "brown_out")[k])
        station.advance(100)
        assert station.state()["faults"] == (["7-5"] if k == 2 else [])
    station.advance(1200)
    assert station.state()["faults"] == ["7-5"]
    assert not station.charger.look()["closed"]
    cut_power(station)
    station.advance(20)
    assert station.state()["faults"] == []
    assert station.charger.look()["closed"]


def test_three_in_half_an_hour_are_three_single_ones(station):
    for _ in range(3):
        break_it(station, "wdt")
        station.advance(600)
        assert station.state()["faults"] == []


def test_a_power_cut_is_expected_and_a_brown_out_is_one_to_the_record(station):
    for how, cause, faults in (("power", "power", []), ("brown_out", "brown_out", ["7-5"])):
        station.charge(seconds=20)
        if how == "power":
            cut_power(station)
        else:
            station.charger.do("reset", how)
        station.advance(20)
        info = station.run.backend.last["info"].decode()
        assert f'"boot_cause":"{cause}"' in info
        assert station.state()["faults"] == faults
        assert '"stop":"PowerLoss"' in station.backend.last["session/last"].decode()
        station.charger.do("unplug")
        station.advance(10)


def test_a_restart_during_another_fault_shows_the_worse_one_and_both_clear(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charge(seconds=10)
        load = {"v_cv": [23000] * 3, "i_ma": [110000, 0, 0], "p_mw": [25300000, 0, 0]}
        station.charger.do("row", load)
        station.advance(8)
        assert station.state()["faults"] == ["6-2"]
        station.charger.do("reset", "wdt")
        station.advance(10)
        assert station.state()["faults"] == ["6-2", "7-5"]  # U is kept
        station.advance(40)
        assert station.state()["faults"] == ["6-2"]
        station.charger.do("unplug")
        station.advance(10)
        assert station.state()["faults"] == []
