"""The proximity pin: what is read from a coding, which pins a board may have, and what it loads."""

import importlib
import json
import sys
from itertools import product
from types import SimpleNamespace

import machine
import pytest

from cable_desk import RATINGS, Desk
from micropython_port import run_script
from pilotwire import board as board_file
from pilotwire.charger import ROOT
from pilotwire.decide.reading import Reading

SOCKET = ROOT / "boards/reference-3p-socket/board.json"
TETHERED = ROOT / "boards/reference-3p/board.json"
PARTS = (0.06, 0.02, 0.01, 0.03)  # of the ADC's gain, the supply, the pull-up, the resistor


@pytest.fixture
def pin(monkeypatch):
    """A function: mV at the pin, that ADC's gain -> pp_ohm after eight looks."""
    source = SimpleNamespace(mv=0, gain=1.0)

    class ADC:
        ATTN_11DB = 3

        def __init__(self, pin, *, atten):
            assert atten == ADC.ATTN_11DB

        def read_u16(self):
            count = max(0, min(4095, round((source.mv * source.gain - 142) / 0.8056)))
            return count << 4 | count >> 8

    monkeypatch.setattr(machine, "ADC", ADC, raising=False)
    monkeypatch.delitem(sys.modules, "pilotwire.sense.proximity", raising=False)
    proximity = importlib.import_module("pilotwire.sense.proximity")
    monkeypatch.delitem(sys.modules, "pilotwire.sense.proximity")
    spec = json.loads(SOCKET.read_text())["proximity"]

    def reads(mv, gain=1.0):
        source.mv, source.gain = mv, gain
        sense, r = proximity.Proximity(spec), Reading()
        for _ in range(8):
            assert r.pp_ohm == -1
            sense.look(r)
        return r.pp_ohm

    return reads


def volts(ohm, supply_mv=3300, up_ohm=1000):
    return supply_mv * ohm / (ohm + up_ohm)


@pytest.mark.parametrize("ohm", [75, 100, 150, 220, 330, 680, 1000, 1500, 2200])
def test_a_true_adc_reads_the_whole_table_within_2_percent(pin, ohm):
    assert abs(pin(volts(ohm)) - ohm) <= max(2, ohm * 0.02)
    assert 150 <= volts(ohm) <= 2450


@pytest.mark.parametrize("ohm, rated_ma", RATINGS)
def test_every_coding_is_told_apart_whatever_the_tolerances(pin, ohm, rated_ma):
    for off in product((-1, 0, 1), repeat=4):
        gain, supply, up, coding = (1 + k * part for k, part in zip(off, PARTS, strict=True))
        read = pin(volts(ohm * coding, 3300 * supply, 1000 * up), gain)
        assert Desk().plug(read).run(600).limit_ma == rated_ma, (off, read)


def test_a_short_reads_below_the_table_and_an_empty_socket_beyond_it(pin):
    assert pin(0) < 75
    assert pin(3300) > 4500 and pin(3300, 1.06) > 4500 and pin(3300, 0.95) > 4500


# The board file --------------------------------------------------------------------------------


def changed_board(tmp_path, **changes):
    spec = json.loads(SOCKET.read_text())
    for key, value in changes.items():
        if value is None:
            del spec["proximity"][key]
        else:
            spec["proximity"][key] = value
    (tmp_path / "board.json").write_text(json.dumps(spec))
    return tmp_path / "board.json"


def test_a_board_without_proximity_has_none():
    assert board_file.load(TETHERED).proximity is None


@pytest.mark.parametrize("changes", [
    {"adc_pin": None}, {"pull_up_ohm": "1k"}, {"supply_mv": None},
    {"pull_up_ohm": 330}, {"pull_up_ohm": 2200}, {"supply_mv": 5000}, {"pull_up_ohm": 0},
])
def test_a_pin_that_cannot_tell_the_codings_apart_is_refused(tmp_path, changes):
    with pytest.raises(board_file.BoardError, match="proximity"):
        board_file.load(changed_board(tmp_path, **changes))


LOADED = """
import json, os, sys
from plant.world import world
os.chdir(sys.argv[1])
world.set_up({"board": json.load(open("board.json")), "dir": ".", "epoch_s": 0})
from pilotwire import board, config, control
control.Charger(board.load("board.json"), config.load("config.json"))
print(json.dumps(sorted(name for name in sys.modules if name.startswith("pilotwire."))))
"""


@pytest.mark.parametrize("board, has_socket", [(SOCKET, True), (TETHERED, False)])
def test_only_a_board_with_a_socket_loads_what_it_needs(tmp_path, board, has_socket):
    (tmp_path / "board.json").write_bytes(board.read_bytes())
    settings = {"device": "virtual", "installation_a": 63, "ssid": ""}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    loaded = json.loads(run_script(LOADED, args=(str(tmp_path),)).splitlines()[-1])
    for module in ("pilotwire.decide.cable", "pilotwire.sense.proximity"):
        assert (module in loaded) == has_socket
