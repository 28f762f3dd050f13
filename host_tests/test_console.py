"""Ctrl-C on the console: who may stop a station with it, and what stands afterwards.

It is looked for once a second, between two turns of the loop, and heard only while the contactor is open
and no lock's motor runs: noise on the receive line may not end a charge, and people get to the prompt
when nothing is charging.
"""

import json

import pytest

from pilotwire.charger import ROOT
from station import Connected, Lonely

BOARDS = ROOT / "boards"
SOCKET = BOARDS / "reference-3p-socket/board.json"
PROMPT_S = 600
WATCHDOG_S = 30


def ctrl_c(station):
    station.charger.do("fault", {"name": "repl_break", "value": None})


def ready(folder, **options):
    station = Lonely(folder, **options)
    station.charger.advance(7)
    return station


@pytest.mark.parametrize("board", ["reference-3p", "reference-1p"])
def test_while_charging_nobody_hears_it(tmp_path, board):
    with ready(tmp_path / "s", board=BOARDS / board / "board.json") as station:
        station.charge(seconds=6)
        at_us = station.charger.us
        for _ in range(300):
            ctrl_c(station)
            station.charger.advance(0.0113)  # so that it wanders through the tick
        assert station.charger.look()["closed"]
        assert not [e for kind in ("coil", "stopped", "reset") for e in station.seen(kind, at_us)]


def closing(folder, ctrl_c_us=None):
    """A car is plugged in and asks; (when the coil was switched on, is it on, has the firmware ended)"""
    with ready(folder) as station:
        station.charger.at(station.charger.us + 500_000, "plug", "generic")
        station.charger.at(station.charger.us + 800_000, "s2", True)
        if ctrl_c_us:
            station.charger.at(ctrl_c_us, "fault", {"name": "repl_break", "value": None})
        station.charger.advance(3)
        first = [e for e in station.seen("coil") if e["on"]][:1]
        return first and first[0]["us"], station.charger.look()["coil"], bool(station.seen("stopped"))


def test_the_instant_of_closing_is_safe(tmp_path):
    """A second before the pin changes it ends the firmware, then nobody hears it: never a prompt with the
    contactor closed."""
    closes_us, on, ended = closing(tmp_path / "first")
    assert on and not ended
    seen = set()
    for part in (-80_000, -60_000, -40_000, -4, -1, 0, 1, 4):
        _, on, ended = closing(tmp_path / str(part), closes_us + part * 10)
        assert on != ended
        seen.add(ended)
    assert seen == {True, False}


@pytest.mark.parametrize("board", ["reference-3p", "reference-1p"])
def test_with_the_contactor_open_it_leaves_the_prompt_with_everything_off(tmp_path, board):
    with ready(tmp_path / "s", board=BOARDS / board / "board.json") as station:
        station.charger.do("plug", "generic")
        station.charger.advance(1)
        ctrl_c(station)
        station.charger.advance(1.5)
        look = station.charger.look()
        assert station.seen("stopped") and not station.seen("reset")
        assert (look["duty"], look["coil"], look["closed"]) == (100000, False, False)
        assert "Stopped: contactor open." in station.charger.console[-1]


def test_after_a_charge_it_is_heard_again(tmp_path):
    with ready(tmp_path / "s") as station:
        station.charge(seconds=6)
        ctrl_c(station)
        station.charger.advance(1.1)
        station.charger.do("unplug")
        station.charger.advance(2)
        assert not station.seen("stopped")
        ctrl_c(station)
        station.charger.advance(1)
        assert station.seen("stopped")


def test_while_a_locks_motor_runs_nobody_hears_it(tmp_path):
    with ready(tmp_path / "s", board=SOCKET) as station:
        at_us = station.charger.us
        station.charger.do("plug", "generic")
        while not station.seen("lock_drive", at_us):
            station.charger.advance(0.01)
        for _ in range(100):
            ctrl_c(station)
            station.charger.advance(0.011)
        drives = station.seen("lock_drive", at_us)
        ended = station.seen("stopped", at_us)
        assert [e["drive"] for e in drives] == ["lock", "off"] and station.charger.look()["locked"]
        assert ended and ended[0]["us"] > drives[-1]["us"]


# The prompt ---------------------------------------------------------------------------------------


def test_the_prompt_has_ten_minutes_and_then_the_station_comes_back_by_itself(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.advance(20)
        ctrl_c(station)
        at_us = station.charger.us
        station.charger.advance(PROMPT_S - 1)
        assert [e["e"] for e in station.events if e["e"] in ("stopped", "reset")] == ["stopped"]
        assert station.until(lambda: '"console"' in station.backend.last["info"].decode(), 20)
        assert station.charger.us - at_us < (PROMPT_S + 10) * 1_000_000
        assert station.state()["faults"] == []  # no 7-5: somebody wanted it
        station.charge(seconds=40)  # the rest after such a start


def test_after_ctrl_d_the_loop_has_its_own_watchdog_again(tmp_path):
    with ready(tmp_path / "s") as station:
        ctrl_c(station)
        station.charger.advance(5)
        station.charger.do("reset", "soft")
        station.charger.advance(10)
        station.charger.do("fault", {"name": "stuck_call", "value": None})
        at_us = station.charger.us
        station.charger.advance(WATCHDOG_S + 3)
        assert [e["cause"] for e in station.seen("reset", at_us)] == ["wdt"]


def test_a_second_one_does_not_cut_the_switching_off_short(tmp_path):
    for part in range(3):
        with ready(tmp_path / str(part)) as station:
            station.charger.do("plug", "generic")
            station.charger.advance(1)
            ctrl_c(station)
            again_us = station.charger.us + part * 5
            station.charger.at(again_us, "fault", {"name": "repl_break", "value": None})
            station.charger.advance(1)
            look = station.charger.look()
            assert station.seen("stopped") and (look["duty"], look["coil"]) == (100000, False)
            assert "Stopped" in station.charger.console[-1]


def test_the_last_life_is_told_as_ended_at_the_console(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charger.do("plug", "generic")
        station.advance(5)
        ctrl_c(station)
        station.charger.advance(2)
        station.charger.do("reset", "soft")
        station.advance(12)
        assert json.loads(station.backend.last["info"])["boot_cause"] == "console"
        boots = [e for e in map(json.loads, station.values("event")) if e["event"] == "boot"]
        assert boots[-1]["cause"] == "console"
