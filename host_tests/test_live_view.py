"""The live picture of `pilotwire run`: what is shown, how it fits, how it leaves a terminal."""

import fcntl
import io
import json
import os
import pty
import random
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from pilotwire.charger import ChargerError
from pilotwire.live import Picture, halves, lamp

ROOT = Path(__file__).resolve().parents[1]
NARROW, WIDE = (80, 24), (150, 50)
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"

TEXT = ["CHARGING        ", "10.6 kW   15.9 A"] + [" " * 16] * 5 + ["Online          "]
LOOK = {
    "high_mv": 6084, "low_mv": -12093, "duty": 26666, "car_offer_ma": 16000,
    "v_cv": [21990, 22180, 22590], "i_ma": [15900, 8000, 0], "p_mw": [3500000, 1700000, 0],
    "true_mwh": 0, "coil": True, "closed": True, "rgb": "0000a3", "pixels": "00" * 1024,
    "text": TEXT, "powered": True, "hot_openings": 0,
}  # fmt: skip
STATE = {
    "pilot": "C2", "charging": "Charging", "offered_a": 16.0, "limit_a": 16.0, "limit": "command",
    "why": "none", "wait_s": -1, "faults": [], "contactor": True, "enabled": True,
    "session": "virtual-1", "waiting": 0,
}  # fmt: skip
ACTIVE = {"energy_wh": 1055, "cost_minor": 32, "currency": "EUR"}
FAULTED = {
    "pilot": "A1", "charging": "Faulted", "faults": ["6-1", "8-3"], "why": "fault", "wait_s": 42,
}  # fmt: skip


class Charger:
    def __init__(self, look):
        self.seen = look
        self.us = 241_000_000
        self.looks = 0

    def look(self):
        self.looks += 1
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen


def a_run(look=LOOK, state=STATE, active=ACTIVE, status=b"online", speed=30):
    last = {"status": status, "session/active": json.dumps(active).encode() if active else b""}
    return SimpleNamespace(
        charger=Charger(look), backend=SimpleNamespace(last=last), state=lambda: state,
        t_s=lambda us: us / 1e6 - 1, speed=speed,
    )


def a_picture(console, clock=time.monotonic):
    return Picture(SimpleNamespace(name="demo", end_us=590_000_000), "runs/1", console=console,
                   clock=clock)


def a_console(size, file=None, **options):
    return Console(file=file or io.StringIO(), width=size[0], height=size[1], _environ={},
                   **{"force_terminal": False, **options})


def drawn(run=None, size=NARROW, says=(), **options):
    """The last picture of a run, as text."""
    console = a_console(size, **options)
    picture = a_picture(console)
    picture.start()
    if run:
        picture.show(run)
    for text in says:
        picture.say(text)
    picture.stop()
    return console.file.getvalue()


def row(picture, label):
    """What stands beside `label`."""
    [line] = re.findall(rf"{label}\b +(.*)", picture)
    return re.split(r" {2,}| [│╭╰]", line)[0].rstrip()


def changed(**values):
    return {**LOOK, **values}


# What is shown ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_charging_shows_every_figure(size):
    picture = drawn(a_run(), size)
    for shown in (
        "demo", "0:04:00 of 0:09:50", "30 x", "online", "● blue, steady", "C2 car ready",
        "+6.1 V / -12.1 V", "16.0 A, held by command", "closed, coil on", "219.9 V", "221.8 V",
        "225.9 V", "15.9 A", "5.20 kW, 15.9 A on the highest phase", "1.055 kWh, 0.32 EUR",
    ):  # fmt: skip
        assert shown in picture


def test_a_fault_is_named_with_its_reason_and_the_wait():
    look = changed(rgb="ff0000", closed=False, coil=False, i_ma=[0, 0, 0])
    picture = drawn(a_run(look, FAULTED, None))
    assert row(picture, "Faults") == "6-1, 8-3"
    assert row(picture, "Charging") == "Faulted, fault, 42 s to wait"
    assert row(picture, "LED") == "● red, steady"
    assert row(picture, "Contactor") == "open, coil off"
    assert row(picture, "Session") == "none open"


def test_before_the_first_look_nothing_is_made_up():
    picture = drawn()
    for label in ("Device", "Pilot", "Charging", "Limit", "Contactor", "Faults"):
        assert row(picture, label) == "not heard"


def test_a_device_that_has_not_spoken_is_shown_from_outside():
    picture = drawn(a_run(state={}, active=None, status=b""))
    assert row(picture, "Device") == "not heard"
    assert row(picture, "Pilot") == "not heard, +6.1 V / -12.1 V"
    assert row(picture, "Contactor") == "closed, coil on"


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_a_device_without_power_is_dark_and_says_nothing(size):
    picture = drawn(a_run(changed(powered=False, pixels="ff" * 1024)), size)
    assert row(picture, "Device") == "no power"
    assert row(picture, "LED") == "○ off"
    assert row(picture, "Limit") == "not heard"
    assert TEXT[1] not in picture
    assert "█" not in picture


def test_records_that_wait_are_counted():
    picture = drawn(a_run(state={**STATE, "waiting": 2}, status=b"offline"))
    assert row(picture, "Device") == "offline, 2 records not acknowledged"


def test_a_steady_pilot_has_one_voltage():
    picture = drawn(a_run(changed(duty=100000, high_mv=9117, low_mv=9117)))
    assert row(picture, "Pilot") == "C2 car ready, +9.1 V"


def test_energy_without_a_meter_and_without_a_price():
    active = {"energy_wh": None, "cost_minor": None, "currency": "EUR"}
    assert row(drawn(a_run(active=active)), "Session") == "no meter"


@pytest.mark.parametrize(("colours", "words"), [
    (["000000"], "off"),
    (["00003a", "00003a"], "blue, steady"),
    (["0000a3", "000071", "000000"], "blue, pulsing"),
    (["00ff00", "ff6000"], "amber, pulsing"),
    (["552000"], "amber, steady"),
    (["ffffff", "000000"], "white, pulsing"),
    (["ff0000"], "red, steady"),
])
def test_the_lamp_is_told_in_words(colours, words):
    assert lamp(colours) == words


def test_the_lamp_has_its_colour_too():
    picture = drawn(a_run(changed(rgb="ff6000")), force_terminal=True, color_system="truecolor")
    red, green, blue = re.search(r"38;2;(\d+);(\d+);(\d+)m● ", picture).groups()
    assert (red, blue) == ("255", "0")
    assert 100 < int(green) < 255


def test_a_bar_is_as_long_as_its_current():
    picture = drawn(a_run(), force_terminal=True, no_color=True)
    last = picture.rpartition("demo")[2]
    cells = [row(last, name).count("━") for name in ("Offered", "L1", "L2", "L3")]
    full = cells[0]  # 16 A of the scale's 16 A
    assert full > 25
    assert cells[1] == pytest.approx(full * 15.9 / 16, abs=1)
    assert cells[2] == pytest.approx(full / 2, abs=1)
    assert cells[3] == 0


# The display ------------------------------------------------------------------------------------


def test_bit_0_of_a_byte_is_the_upper_pixel():
    ram = bytearray(1024)
    ram[0], ram[130], ram[1023] = 0x01, 0x0C, 0x80
    lines = halves(ram.hex())
    assert [len(line) for line in lines] == [128] * 32
    lit = {(x, y): c for y, line in enumerate(lines) for x, c in enumerate(line) if c != " "}
    assert lit == {(0, 0): "▀", (2, 5): "█", (127, 31): "▄"}


def test_a_wide_terminal_shows_every_pixel():
    ram = random.Random(7).randbytes(1024)
    picture = drawn(a_run(changed(pixels=ram.hex())), WIDE)
    lines = re.findall(r"^│(.{128})│$", picture, re.MULTILINE)
    assert len(lines) == 32
    for y in range(64):
        upper = y % 2 == 0
        shown = [c in ("▀█" if upper else "▄█") for c in lines[y // 2]]
        assert shown == [bool(ram[y // 8 * 128 + x] >> y % 8 & 1) for x in range(128)]


@pytest.mark.parametrize("size", [(131, 60), (150, 40), NARROW])
def test_a_smaller_terminal_shows_the_display_as_text(size):
    picture = drawn(a_run(), size)
    for line in TEXT:
        assert f"│ {line} │" in picture


# Fitting a terminal -----------------------------------------------------------------------------


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
