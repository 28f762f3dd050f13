"""The dynamic contactor drive: whatever stops the loop opens the contactor, and nothing else does.

Stepped virtual time. "contactor" is the command as the pin shows it, "coil" what the drive makes of
it; on a level drive they are one (plant/contactor.py).
"""

import random

import pytest

from micropython_port import run_script
from pilotwire.charger import ROOT
from station import Connected, Lonely

DYNAMIC = ROOT / "boards/reference-1p/board.json"
LEVEL = ROOT / "boards/reference-3p/board.json"
DROP_OUT_US = 80_000
TICK_US = 10_000

# What stops the loop, as (event, value) pairs that happen at one instant.
EXCEPTION = ("fault", {"name": "exception", "value": None})
ENDS = {
    "hung loop": [("fault", {"name": "stuck_call", "value": None})],
    "exception": [EXCEPTION],
    "exception in its handler too": [EXCEPTION, EXCEPTION],
    "watchdog reset": [("reset", "wdt")],
    "machine.reset()": [("reset", "hard")],
}
# main.py switches off when an exception reaches it; nothing can when its handler fails.
UNCAUGHT = [name for name in ENDS if name != "exception"]


def standing_by(folder, board, **options):
    station = Lonely(folder, board=board, **options)
    station.charger.advance(7)
    return station


def fault(station, name):
    station.charger.do("fault", {"name": name, "value": None})


def end_the_loop(station, how):
    """Let it happen now; the first change of the coil after it, us later."""
    at_us = station.charger.us
    for event, value in ENDS[how]:
        station.charger.do(event, value)
    station.charger.advance(5)
    first = station.seen("coil", at_us)[0]
    assert not first["on"]
    return first["us"] - at_us


@pytest.mark.parametrize("how", ENDS)
def test_whatever_ends_the_loop_the_coil_is_off_within_80_ms(tmp_path, how):
    with standing_by(tmp_path / "s", DYNAMIC) as station:
        for part in range(3):  # of a tick
            station.charge(seconds=6 + part * TICK_US / 3e6)
            assert end_the_loop(station, how) <= DROP_OUT_US
            station.charger.do("unplug")
            station.charger.advance(40)  # the rest after such a start


@pytest.mark.parametrize("how", UNCAUGHT)
def test_why_a_level_drive_stays_on_until_the_next_start(tmp_path, how):
    with standing_by(tmp_path / "s", LEVEL) as station:
        station.charge(seconds=6)
        at_us = station.charger.us
        taken_us = end_the_loop(station, how)
        booted = station.seen("boot", at_us)[0]
        assert taken_us > 10 * DROP_OUT_US
        assert 0 <= at_us + taken_us - booted["us"] < 1000  # it is boot.py that opens it


def test_what_main_catches_opens_a_level_drive_too(tmp_path):
    with standing_by(tmp_path / "s", LEVEL) as station:
        station.charge(seconds=6)
        assert end_the_loop(station, "exception") < TICK_US


@pytest.mark.parametrize("mhz", [160, 240])
def test_minutes_of_charging_never_drop_out(tmp_path, mhz):
    with Connected(tmp_path / "s", board=DYNAMIC, mhz=mhz) as station:
        station.charge(seconds=10)
        journal = tmp_path / "s/journal.bin"
        written, at_us = journal.read_bytes(), station.charger.us
        station.advance(70)
        station.run.proxy.set_mode("down")
        station.advance(20)
        station.run.proxy.set_mode("up")
        assert station.until(lambda: station.values("status")[-2:] == [b"offline", b"online"], 150)
        station.advance(60)
        assert journal.read_bytes() != written
        drawn = [e for e in station.events if e["e"] == "display" and e["t_s"] * 1e6 > at_us]
        assert len(drawn) > 15
        assert [e["on"] for e in station.events if e["e"] == "coil"] == [True]
        assert station.charger.look()["closed"]


@pytest.mark.parametrize("mhz", [160, 240])
def test_the_longest_permitted_stall_does_not_drop_it_wherever_in_a_tick(tmp_path, mhz):
    with standing_by(tmp_path / "s", DYNAMIC, mhz=mhz) as station:
        station.charge(seconds=6)
        for _ in range(200):
            fault(station, "stall")
            station.charger.advance(0.1003)  # so that it wanders through the tick
        assert [e["on"] for e in station.seen("coil")] == [True]


@pytest.mark.parametrize("stuck", ["drive_high", "drive_low"])
def test_a_stuck_pin_never_closes(tmp_path, stuck):
    with standing_by(tmp_path / "s", DYNAMIC) as station:
        fault(station, stuck)
        station.charger.advance(1)
        station.charger.do("plug", "generic")
        station.charger.at(station.charger.us + 300_000, "s2", True)
        station.charger.advance(5)
        assert station.shows("7-4")  # it was told to close and did not
        assert not station.seen("coil")


def test_a_pin_stuck_high_closes_a_level_drive_without_a_car(tmp_path):
    with standing_by(tmp_path / "s", LEVEL) as station:
        fault(station, "drive_high")
        station.charger.advance(1)
        assert station.charger.look()["closed"]


@pytest.mark.parametrize("stuck", ["drive_high", "drive_low"])
def test_a_pin_that_gets_stuck_while_charging_opens(tmp_path, stuck):
    with standing_by(tmp_path / "s", DYNAMIC) as station:
        station.charge(seconds=6)
        at_us = station.charger.us
        fault(station, stuck)
        station.charger.advance(1)
        (opened,) = station.seen("coil", at_us)
        assert not opened["on"] and opened["us"] - at_us <= DROP_OUT_US


def test_unplugging_takes_the_coil_within_30_ms_and_the_contacts_before_100(tmp_path):
    rng = random.Random(1)
    print("seed 1")
    with standing_by(tmp_path / "s", DYNAMIC) as station:
        for _ in range(25):
            station.charge(seconds=6 + rng.random())
            at_us = station.charger.us
            station.charger.do("unplug")
            station.charger.advance(6)
            (told,), (opened,) = station.seen("contactor", at_us), station.seen("coil", at_us)
            assert not told["on"] and told["us"] - at_us <= 30_000
            assert not opened["on"] and opened["us"] == told["us"]
            (parted,) = station.seen("contacts", at_us)
            assert not parted["closed"] and parted["us"] - at_us < 100_000


def test_without_an_enable_line_the_coil_follows_within_80_ms_more(tmp_path):
    board = tmp_path / "board.json"
    board.write_text(DYNAMIC.read_text().replace('"enable_pin": 26, ', ""))
    with standing_by(tmp_path / "s", board) as station:
        station.charge(seconds=6)
        at_us = station.charger.us
        station.charger.do("unplug")
        station.charger.advance(1)
        (told,), (opened,) = station.seen("contactor", at_us), station.seen("coil", at_us)
        assert told["us"] - at_us <= 30_000
        assert TICK_US < opened["us"] - told["us"] <= DROP_OUT_US


def test_a_stuck_enable_line_leaves_the_drop_out(tmp_path):
    with standing_by(tmp_path / "s", DYNAMIC) as station:
        station.charge(seconds=6)
        fault(station, "enable_high")
        at_us = station.charger.us
        station.charger.do("unplug")
        station.charger.advance(1)
        (opened,) = station.seen("coil", at_us)
        assert TICK_US < opened["us"] - at_us <= 30_000 + DROP_OUT_US

def test_a_power_cut_takes_the_coil_at_once(tmp_path):
    with standing_by(tmp_path / "s", DYNAMIC) as station:
        station.charge(seconds=6)
        at_us = station.charger.us
        station.charger.do("power", "off")
        station.charger.advance(1)
        (opened,) = station.seen("coil", at_us)
        assert opened["us"] - at_us < 1000


def test_a_single_phase_station_records_one_phase_and_the_true_energy(tmp_path):
    with Connected(tmp_path / "s", board=DYNAMIC) as station:
        station.charge(amps=32, seconds=120)
        look = station.charger.look()
        assert look["i_ma"][0] > 31900 and look["i_ma"][1:] == [0, 0]
        station.charger.do("unplug")
        assert station.until(lambda: station.backend.records)
        (record,) = station.backend.records.values()
        true_wh = station.charger.look()["true_mwh"] / 1000
        assert record["phases"] == 1 and true_wh > 200
        assert abs(record["energy_wh"] - true_wh) <= 1


def test_another_drive_is_refused_with_a_reason_and_the_contactor_stays_off(tmp_path):
    board = tmp_path / "board.json"
    board.write_text(DYNAMIC.read_text().replace('"dynamic"', '"magnetic"'))
    with standing_by(tmp_path / "s", board) as station:
        station.charger.do("plug", "no_s2")
        station.charger.advance(20)
        assert any("drive must be level or dynamic" in line for line in station.charger.console)
        assert not station.seen("coil")


DRIVE = """
from plant.contactor import Contactor
class World:
    us, powered = 0, True
    def plan(self): pass
    def emit(self, kind, **fields):
        if kind == "coil": print(self.us, fields["on"])
World.clock = world = World()
drive = Contactor(world, "dynamic")
level = False
for us in range(0, 400001, 1000):
    world.us = us
    if drive.drop_us is not None: drive.drop_out()
    if us in CHANGES:
        level = not level
        drive.drive(level)
"""


@pytest.mark.parametrize("changes, coil", [
    ((10_000,), []),
    ((10_000, 90_000, 170_000), []),  # just too slow
    ((10_000, 89_000), ["89000 True", "169000 False"]),
    ((10_000, 20_000, 30_000), ["20000 True", "110000 False"]),
    ((10_000, 20_000, 200_000), ["20000 True", "100000 False"]),  # the last one begins anew
])
def test_the_simulated_drive_wants_two_changes_within_80_ms(changes, coil):
    assert run_script(f"CHANGES = {changes}\n" + DRIVE).splitlines() == coil
