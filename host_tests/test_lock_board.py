"""The lock in board.json: which are refused, and what a board with one loads."""

import json

import pytest

from lock_station import SOCKET
from micropython_port import run_script
from pilotwire import board as board_file
from station import BOARD, variant


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
