"""What the live picture of `pilotwire run` shows."""

import random
import re

import pytest

from live_rig import FAULTED, NARROW, STATE, TEXT, WIDE, a_run, changed, drawn, row
from pilotwire.frame import halves, lamp


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
