"""The socket's lock in the whole firmware: the plug is held while it must be, and never for ever."""

import json
import random

import pytest

from micropython_port import run_script
from pilotwire import board as board_file
from pilotwire.charger import ROOT
from station import BOARD, Connected, Lonely, variant

SOCKET = ROOT / "boards/reference-3p-socket/board.json"
SOLENOID = {"pins": [26], "pulse_ms": 300, "feedback_pin": 14, "locked_level": 0}


@pytest.fixture
def station(tmp_path):
    with Lonely(tmp_path / "s", board=SOCKET) as station:
        station.charger.advance(7)
        yield station


def fault(station, name, on=True):
    station.charger.do("fault" if on else "clear", {"name": name, "value": None})


def leave(station, seconds=6):
    """The driver unplugs at the car, then takes the cable out."""
    station.charger.do("unplug", "car")
    station.charger.advance(seconds)
    assert not station.charger.look()["locked"]
    station.charger.do("unplug")
    station.charger.advance(1)


def pull(station):
    """Somebody pulls at the plug in the socket; True when the lock holds it."""
    at_us = station.charger.us
    station.charger.do("unplug")
    station.charger.advance(0.1)
    return first(station, "held", at_us, event="unplug") is not None


def asks(station, seconds):
    station.charger.do("plug", "generic")
    station.charger.at(station.charger.us + 300_000, "s2", True)
    station.charger.advance(seconds)


def first(station, kind, since_us, **fields):
    """When the first event of this kind with these fields came, us; None when none did."""
    for event in station.seen(kind, since_us):
        if fields.items() <= event.items():
            return event["us"]
    return None


def drives(station, what, since_us=0):
    return [e["us"] for e in station.seen("lock_drive", since_us) if e["drive"] == what]


def pulses_ms(station, since_us=0):
    """How long each pulse was."""
    events = station.seen("lock_drive", since_us)
    pairs = zip(events, events[1:], strict=False)
    return [(b["us"] - a["us"]) / 1000 for a, b in pairs if a["drive"] != "off"]


# A visit --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(1, 5))
def test_the_plug_is_locked_before_the_contactor_closes(tmp_path, seed):
    with Lonely(tmp_path / "s", board=SOCKET, seed=seed) as station:
        station.charger.advance(6)
        since_us = station.charger.us
        station.charger.do("plug", "no_s2" if seed == 4 else "generic")
        station.charger.do("s2", True)  # asks at once
        station.charger.advance(8)
        locked_us = first(station, "lock", since_us, locked=True)
        closed_us = first(station, "contactor", since_us, on=True)
        assert locked_us and closed_us and locked_us < closed_us


def test_a_car_that_only_waits_is_locked_in_within_half_a_second(station):
    since_us = station.charger.us
    station.charger.do("plug", "generic")
    station.charger.advance(5)
    assert first(station, "lock", since_us, locked=True) - since_us <= 500_000


@pytest.mark.parametrize("pause", [None, ("cmd/limit", 0), ("cmd/enable", False)])
def test_a_plug_cannot_be_pulled_while_a_car_is_there_also_in_a_pause(tmp_path, pause):
    with Connected(tmp_path / "s", board=SOCKET) as station:
        station.charge(seconds=6)
        if pause:
            station.command(*pause, seconds=20)
        station.charger.do("unplug")
        station.advance(15)
        assert [e["event"] for e in station.events if e["e"] == "held"] == ["unplug"]
        assert station.state()["pilot"][0] in "BC" and station.state()["lock"] == "locked"
        assert station.charger.look()["closed"] == (pause is None)


def test_a_visit_ends_at_the_car_and_then_the_cable_comes_out(station):
    station.charge(seconds=8)
    at_us = station.charger.us
    leave(station)
    assert not station.seen("held")
    opened_us = first(station, "contactor", at_us, on=False)
    assert opened_us - at_us <= 30_000
    assert first(station, "contacts", at_us, closed=False) < drives(station, "open", at_us)[0]
    assert station.shows("READY")
    station.charge(seconds=8)


def test_pulses_are_as_long_as_the_board_says(station):
    for _ in range(3):
        station.charge(seconds=6)
        leave(station)
    lengths = pulses_ms(station)
    assert len(lengths) == 7  # one at the start
    assert all(290 <= ms <= 320 for ms in lengths), lengths


@pytest.mark.parametrize("where, names", [
    (SOCKET, ["unlocked", "moving", "locked", "moving", "unlocked"]), (BOARD, [None]),
])
def test_state_says_what_the_lock_does(tmp_path, where, names):
    with Connected(tmp_path / "s", board=where) as station:
        station.until(lambda: station.state())
        for _ in range(2):
            station.advance(8)
            station.charger.do("plug" if not station.charger.look()["locked"] else "unplug", "car"
                               if station.charger.look()["locked"] else "generic")
        station.advance(8)
        told = [json.loads(v)["lock"] for v in station.values("state")]
        changes = [name for k, name in enumerate(told) if k == 0 or name != told[k - 1]]
        assert changes[-len(names):] == names


def test_state_tells_at_once_that_the_lock_opens_in_a_fault(tmp_path):
    with Connected(tmp_path / "s", board=SOCKET) as station:
        station.charge(seconds=6)
        fault(station, "cp_short")
        station.advance(8)
        states = [json.loads(v) for v in station.values("state")]
        assert "moving" in [s["lock"] for s in states if s["faults"] == ["1-1"]]


def test_a_name_is_not_looked_up_while_the_motor_runs(tmp_path):
    """A look-up that blocks for seconds would leave the motor on for seconds."""
    config = {"ssid": "home", "broker": {"host": "broker.example", "port": 1883}}
    with Lonely(tmp_path / "s", board=SOCKET, config=config) as station:
        fault(station, "dns_dead")
        for _ in range(12):
            station.charger.advance(5.7)
            station.charger.do("plug", "generic")
            station.charger.advance(5.9)
            station.charger.do("unplug", "car")
        lengths = pulses_ms(station)
        assert len(lengths) > 10 and max(lengths) <= 330, lengths


# A lock that fails ----------------------------------------------------------------------------


def test_a_lock_that_stays_open_keeps_the_contactor_open_and_says_1_6(station):
    fault(station, "lock_stuck_open")
    since_us = station.charger.us
    asks(station, 4)
    assert len(drives(station, "lock", since_us)) == 4
    assert station.shows("1-6") and station.shows("Plug is not locked")
    station.charger.advance(400)
    assert len(drives(station, "lock", since_us)) == 16  # and after three minutes more: no more
    assert not station.seen("contactor")
    fault(station, "lock_stuck_open", on=False)
    station.charger.advance(100)
    assert station.shows("1-6") and not station.seen("contactor")
    leave(station)
    assert station.shows("READY")
    station.charge(seconds=8)


def test_a_lock_that_works_again_charges_a_minute_later(station):
    fault(station, "lock_stuck_open")
    asks(station, 4)
    fault(station, "lock_stuck_open", on=False)
    station.charger.advance(80)
    assert station.charger.look()["closed"] and station.charger.look()["locked"]


@pytest.mark.parametrize("what", ["lock_stuck_open", "lock_feedback_lost"])
def test_a_lock_that_says_open_while_charging_opens_the_contactor_within_30_ms(tmp_path, what):
    rng = random.Random(1)
    for trial in range(8):
        with Lonely(tmp_path / str(trial), board=SOCKET, seed=trial) as station:
            station.charger.advance(6)
            station.charge(seconds=6)
            station.charger.advance(rng.randrange(1, 30_000) / 1e6)
            at_us = station.charger.us
            fault(station, what)
            station.charger.advance(3)
            assert first(station, "contactor", at_us, on=False) - at_us <= 30_000
            assert station.shows("1-6")
            station.charger.advance(6)
            assert not station.charger.look()["locked"]  # the driver may take it
            station.charger.do("unplug")
            station.charger.advance(6)
            assert station.shows("READY")


def test_a_lock_that_does_not_open_is_tried_for_ever_and_lets_nothing_flow(station):
    station.charge(seconds=8)
    fault(station, "lock_stuck_closed")
    at_us = station.charger.us
    station.charger.do("unplug", "car")
    station.charger.advance(62)
    assert station.shows("1-6")
    assert len(drives(station, "open", at_us)) == 10
    station.charger.do("unplug")
    assert station.charger.look()["locked"]
    station.charger.do("plug", "generic")  # at the car's end: the cable still hangs there
    station.charger.at(station.charger.us + 300_000, "s2", True)
    station.charger.advance(40)
    assert all(not e["on"] for e in station.seen("contactor", at_us))
    fault(station, "lock_stuck_closed", on=False)
    station.charger.do("unplug", "car")
    station.charger.advance(20)
    assert not station.charger.look()["locked"] and station.shows("READY")


def test_a_plug_that_is_pulled_before_the_bolt_leaves_a_locked_socket_for_a_moment(station):
    at_us = station.charger.us
    station.charger.do("plug", "generic")
    station.charger.advance(0.18)  # the motor has just begun
    assert not pull(station) and station.charger.look()["locked"]
    station.charger.do("plug", "generic")
    station.charger.advance(2)
    assert first(station, "held", at_us, event="plug")
    assert not station.charger.look()["locked"]
    station.charge(seconds=8)


# Other faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize("what, code", [
    ("cp_short", "1-1"), ("diode_short", "1-2"), ("pp_invalid", "1-4"),
])
def test_a_fault_lets_the_plug_go_after_5_s(station, what, code):
    station.charge(seconds=8)
    at_us = station.charger.us
    fault(station, what)
    station.charger.advance(8)
    opened_us = first(station, "contactor", at_us, on=False)
    assert 5_000_000 <= first(station, "lock", at_us, locked=False) - opened_us <= 6_000_000
    assert station.shows(code)
    station.charger.do("unplug")
    fault(station, what, on=False)
    station.charger.advance(6)
    assert station.shows("READY")


def test_a_plug_stays_locked_while_the_contacts_are_welded(station):
    station.charge(seconds=8)
    fault(station, "welded")
    at_us = station.charger.us
    station.charger.do("unplug", "car")
    station.charger.advance(60)
    assert station.shows("7-3")
    assert station.charger.look()["locked"] and not drives(station, "open", at_us)
    station.charger.do("reset", "wdt")
    station.charger.advance(30)
    assert station.charger.look()["locked"] and not drives(station, "open", at_us)


# Starts ---------------------------------------------------------------------------------------


def test_after_a_power_cut_the_car_that_stayed_is_locked_in_again_and_charges(station):
    station.charge(seconds=8)
    cut_us = station.charger.us
    station.charger.do("power", "off")
    station.charger.advance(3)
    assert station.charger.look()["locked"]  # a motor's bolt stays
    back_us = station.charger.us
    station.charger.do("power", "on")
    station.charger.advance(30)
    assert [e["locked"] for e in station.seen("lock", back_us)] == [False, True]
    assert station.charger.look()["closed"]
    assert first(station, "lock", back_us, locked=True) < first(station, "contactor", cut_us, on=True)


@pytest.mark.parametrize("how", ["left", "short"])
def test_a_power_cut_does_not_keep_the_cable(station, how):
    station.charge(seconds=8)
    station.charger.do("power", "off")
    station.charger.advance(3)
    if how == "left":
        station.charger.do("unplug", "car")
    else:
        fault(station, "cp_short")
    assert pull(station)
    station.charger.do("power", "on")
    station.charger.advance(10)
    assert not pull(station)


ENDS = {"hung loop": "stuck_call", "exception": "exception"}


@pytest.mark.parametrize("how", ["watchdog", *ENDS])
def test_a_motor_does_not_run_on_when_the_loop_ends(station, how):
    at_us = station.charger.us
    station.charger.do("plug", "generic")
    station.charger.advance(0.2)  # in the pulse
    assert drives(station, "lock", at_us) and not drives(station, "off", at_us)
    if how == "watchdog":
        station.charger.do("reset", "wdt")
    else:
        fault(station, ENDS[how])
    station.charger.advance(4)
    lasts_us = drives(station, "off", at_us)[0] - drives(station, "lock", at_us)[0]
    at_most_us = {"hung loop": 3_200_000, "watchdog": 1_200_000}.get(how, 200_000)
    assert lasts_us <= at_most_us  # the watchdog's 2 s, and the start until boot.py lets go


def test_boot_stops_the_motor_although_the_firmware_cannot_start(station):
    at_us = station.charger.us
    station.charger.do("plug", "generic")
    station.charger.advance(0.2)
    (station.folder / "config.json").write_text("broken")
    station.charger.do("reset", "wdt")
    station.charger.advance(4)
    booted_us = first(station, "boot", at_us)
    assert 0 <= drives(station, "off", at_us)[0] - booted_us < 1000


def test_both_pins_of_the_motor_are_never_high(tmp_path):
    rng = random.Random(3)
    with Lonely(tmp_path / "s", board=SOCKET) as station:
        for _ in range(60):
            event, value = rng.choice([
                ("plug", "generic"), ("unplug", "car"), ("unplug", None), ("ready", None),
                ("power", "off"), ("power", "off"),
            ])
            station.charger.do(event, value)
            if event == "power":
                station.charger.advance(0.1)
                station.charger.do("power", "on")
            station.charger.advance(rng.choice((0.05, 0.2, 0.4, 2, 9)))
        for how in ("wdt", "soft"):  # the third reset within ten minutes would be for good
            station.charger.do("plug", "generic")
            station.charger.advance(0.2)  # the motor runs
            station.charger.do("reset", how)
            station.charger.advance(40)
        assert len(drives(station, "lock")) > 5 and len(drives(station, "open")) > 10
        assert not drives(station, "both")


# A lock with one pin --------------------------------------------------------------------------


def test_a_solenoid_holds_the_plug_through_a_charge_and_lets_go(tmp_path):
    with Lonely(tmp_path / "s", board=variant(tmp_path, SOCKET, lock=SOLENOID)) as station:
        station.charger.advance(7)
        since_us = station.charger.us
        station.charge(seconds=60)
        assert len(drives(station, "lock", since_us)) == 1 and not drives(station, "off", since_us)
        assert pull(station) and station.charger.look()["closed"]
        leave(station)
        assert station.shows("READY")


def test_a_solenoid_lets_go_in_a_power_cut(tmp_path):
    with Lonely(tmp_path / "s", board=variant(tmp_path, SOCKET, lock=SOLENOID)) as station:
        station.charger.advance(7)
        station.charge(seconds=6)
        station.charger.do("power", "off")
        station.charger.advance(1)
        assert not station.charger.look()["locked"]


# The board file -------------------------------------------------------------------------------


@pytest.mark.parametrize("changes, says", [
    ({"pins": [26, 18]}, "boot.py"), ({"pins": [27, 26]}, "no free GPIO"),
    ({"pins": [26, 26]}, "no free GPIO"), ({"pins": [25, 26]}, "no free GPIO"),
    ({"pins": []}, "two pins"), ({"pins": 26}, "type"),
    ({"pins": [26, 32, 33]}, "two pins"), ({"pins": ["26"]}, "type"),
    ({"pulse_ms": 40}, "50 to 400"), ({"pulse_ms": 500}, "50 to 400"), ({"pulse_ms": None}, "type"),
    ({"feedback_pin": None}, "feedback"), ({"locked_level": 2}, "locked_level"),
])
def test_a_lock_that_could_not_be_trusted_is_refused(tmp_path, changes, says):
    lock = {**json.loads(SOCKET.read_text())["lock"], **changes}
    with pytest.raises(board_file.BoardError, match=says):
        board_file.load(variant(tmp_path, SOCKET, lock=lock))


def test_a_lock_without_a_socket_is_refused(tmp_path):
    with pytest.raises(board_file.BoardError, match="socket"):
        board_file.load(variant(tmp_path, SOCKET, proximity=None))


LOADED = """
import json, os, sys
from plant.world import world
os.chdir(sys.argv[1])
world.set_up({"board": json.load(open("board.json")), "dir": ".", "epoch_s": 0})
from pilotwire import board, config, control
control.Charger(board.load("board.json"), config.load("config.json"))
print(json.dumps(sorted(name for name in sys.modules if name.startswith("pilotwire."))))
"""


@pytest.mark.parametrize("board, has_lock", [(SOCKET, True), (BOARD, False)])
def test_only_a_board_with_a_lock_loads_what_it_needs(tmp_path, board, has_lock):
    (tmp_path / "board.json").write_bytes(board.read_bytes())
    settings = {"device": "virtual", "installation_a": 63, "ssid": ""}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    loaded = json.loads(run_script(LOADED, args=(str(tmp_path),)).splitlines()[-1])
    for module in ("decide.lock", "act.lock", "sense.contact"):
        assert ("pilotwire." + module in loaded) == has_lock
