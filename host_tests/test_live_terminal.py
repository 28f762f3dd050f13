"""How the live picture fits a terminal, follows the run, and leaves both."""

import fcntl
import io
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from rich.console import Console

from live_rig import FAULTED, NARROW, STATE, TEXT, WIDE, a_console, a_picture, a_run, changed, drawn, row
from pilotwire.charger import ChargerError

ROOT = Path(__file__).resolve().parents[1]
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.mark.parametrize(
    "size", [(10, 3), (20, 5), (50, 14), (71, 20), NARROW, (132, 48), WIDE, (240, 70)]
)
def test_the_picture_never_outgrows_the_terminal(size):
    lines = drawn(a_run(), size, says=["x" * 300] * 9).splitlines()
    assert len(lines) < size[1]
    assert max(map(len, lines)) <= size[0]


def test_the_newest_messages_stay():
    picture = drawn(a_run(), NARROW, says=[f"message {n};" for n in range(20)])
    assert re.findall(r"message (\d+);", picture) == ["14", "15", "16", "17", "18", "19"]
    picture = drawn(a_run(), (80, 18), says=[f"message {n};" for n in range(20)])
    assert re.findall(r"message (\d+);", picture)[-1] == "19"


def test_foreign_text_cannot_steer_the_terminal():
    picture = drawn(a_run(state={**STATE, "limit": "a\x1b[2Jb"}, status=b"\x1b]0;t\x07"),
                    says=["one\x1b[2J\ntwo\r\x9b"])
    assert not re.search(r"[\x1b\x07\r\x9b]", picture)
    assert "one?[2J?two??" in picture


def test_a_terminal_without_unicode_gets_ascii():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    console = a_console(WIDE, file)
    picture = a_picture(console)
    picture.start()
    picture.show(a_run())
    picture.say("20 °C")
    picture.stop()
    shown = file.buffer.getvalue().decode("ascii")
    assert "* blue, steady" in shown
    assert TEXT[1] in shown


def test_no_color_is_obeyed():
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True,
                      _environ={"NO_COLOR": "1", "TERM": "xterm-256color"})
    picture = a_picture(console)
    picture.start()
    picture.show(a_run())
    picture.stop()
    codes = set(";".join(re.findall(r"\x1b\[([\d;]*)m", console.file.getvalue())).split(";"))
    assert codes <= {"", "0", "1", "2"}  # bold and dim are no colours


def test_a_resized_terminal_is_drawn_afresh():
    console = a_console(NARROW, force_terminal=True)
    now = iter(range(100))
    picture = a_picture(console, clock=lambda: next(now))
    picture.start()
    picture.show(a_run())
    console.size = WIDE
    picture.show(a_run())
    cleared, _, after = console.file.getvalue().partition("\x1b[2J")
    picture.stop()
    assert cleared
    assert max(map(len, re.sub(r"\x1b\[[?\d;]*\w", "", after).splitlines())) == 150


# Time and the end -------------------------------------------------------------------------------


def test_it_looks_at_most_eight_times_a_second_however_often_it_is_called():
    now = [0.0]
    picture = a_picture(a_console(NARROW), clock=lambda: now[0])
    picture.start()
    run = a_run()
    for n in range(2000):
        now[0] = n / 1000
        picture.show(run)
    assert 8 <= run.charger.looks <= 16
    picture.stop()


def lamps_told(shows):
    """What stands beside the LED in each picture, one a second; shows: (colour, state) each."""
    now = [0.0]
    console = a_console(NARROW, force_terminal=True, no_color=True)
    picture = a_picture(console, clock=lambda: now[0])
    picture.start()
    told = []
    for second, (colour, state) in enumerate(shows):
        now[0] = float(second)
        picture.show(a_run(changed(rgb=colour), state))
        told.append(re.findall(r"[●○] (.+?) +│", console.file.getvalue())[-1])
    picture.stop()
    return told


def test_a_lamp_that_blinked_is_told_until_it_has_been_steady_for_a_while():
    told = lamps_told([(c, STATE) for c in ["ff0000", "000000"] + ["ff0000"] * 6])
    assert told[:3] == ["red, steady", "red, pulsing", "red, pulsing"]
    assert told[-1] == "red, steady"


def test_a_light_of_before_a_fault_is_not_told_with_it():
    assert lamps_told([("0000ff", STATE), ("000000", FAULTED), ("ff0000", FAULTED)]) == [
        "blue, steady", "off", "red, pulsing",
    ]  # fmt: skip


def test_the_last_picture_shows_how_it_ended():
    console = a_console(NARROW)
    picture = a_picture(console)
    picture.start()
    run = a_run()
    picture.show(run)
    run.charger.seen = changed(closed=False, coil=False)
    picture.stop()
    assert row(console.file.getvalue(), "Contactor") == "open, coil off"


def test_a_charger_that_died_still_leaves_the_terminal_sane():
    console = a_console(NARROW, force_terminal=True)
    picture = a_picture(console)
    picture.start()
    run = a_run()
    picture.show(run)
    run.charger.seen = ChargerError("the virtual charger has stopped")
    picture.stop()
    shown = console.file.getvalue()
    assert HIDE_CURSOR in shown
    assert shown.rindex(SHOW_CURSOR) > shown.rindex(HIDE_CURSOR)


def _read_until(master, wanted, seen, latest):
    while not re.search(wanted, seen[0]):
        assert time.monotonic() < latest, f"no {wanted!r} in {seen[0][-3000:]!r}"
        if not select.select([master], [], [], 0.2)[0]:
            continue
        seen[0] += os.read(master, 65536)


def _own_the_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_ctrl_c_closes_the_session_shows_it_and_gives_the_terminal_back(tmp_path):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(slave)
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "tools"), "TERM": "xterm-256color"}
    environ = {k: v for k, v in environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "pilotwire.cli", "run", "--speed", "60", "--keep", str(tmp_path)],
        stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, env=environ,
        start_new_session=True, preexec_fn=_own_the_terminal,
    )
    seen = [b""]
    try:
        latest = time.monotonic() + 60
        _read_until(master, rb"[1-9]\d* kWh, ", seen, latest)
        os.write(master, b"\x03")
        _read_until(master, b"journal.bin, configuration", seen, latest)
        assert process.wait(20) == 130
        assert termios.tcgetattr(slave) == before
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)
        os.close(slave)
    shown = seen[0].decode()
    assert shown.rindex(SHOW_CURSOR) > shown.rindex(HIDE_CURSOR)
    assert "stopped by Ctrl-C: closing the session" in shown
    assert "mqtt: session/record virtual-1" in shown
    after = re.sub(r"\x1b\[[?\d;]*\w", "", shown.rpartition("as the backend received it")[2])
    record = json.JSONDecoder().raw_decode(after[after.index("{"):])[0]
    assert record == json.loads((tmp_path / "record.json").read_text())
    assert record["id"] == "virtual-1"
    assert record["ended_at"]
    assert record["energy_wh"] > 0
    assert "Traceback" not in shown
