"""What people read on the four digits, by an emulated TM1637, and what its wire costs the loop."""

import json
from pathlib import Path

import pytest

from micropython_port import run_script
from pilotwire.charger import ROOT
from pilotwire.decide import fault_table
from pilotwire.tell import texts_de, texts_en
from station import Lonely

_HERE = Path(__file__).parent
_RIGS = (_HERE / "digits_rig", _HERE / "display_rig")  # pins; the panel, and a time of its own
BOARD = ROOT / "boards/reference-1p-digits/board.json"

CHARGING = {"mode": 3, "why": 0, "drawn_ma": 15870, "offered_ma": 16000, "session_wh": 5678}
FAULT = {"mode": 6, "why": 7, "code_major": 1, "code_minor": 3}


def at_desk(code):
    return json.loads(run_script("from digit_desk import *\n" + code, path=_RIGS, heap="16M"))


def shown(**panel):
    """Everything that a panel lets show, in its order."""
    return at_desk(f"desk = Desk(**{panel!r}); out(desk.seen(14000))")


# What is shown ------------------------------------------------------------------------------


def test_every_code_of_the_table_can_be_read():
    codes = [fault_table.code(row) for row in range(fault_table.COUNT)]
    read = at_desk(
        f"""
desk = Desk(mode=6)
read = []
for code in {codes}:
    desk.set(code_major=int(code[0]), code_minor=int(code[2]))
    read.append(desk.run(1000))
out(read)
"""
    )
    assert read == ["E" + code for code in codes]


def test_a_fault_without_a_session_stays_in_view():
    assert shown(**FAULT) == ["E1-3"]


def test_a_fault_counts_down_by_turns():
    assert shown(**FAULT, wait_s=59) == ["E1-3", "t 59", "E1-3", "t 59", "E1-3"]
    assert shown(**FAULT, wait_s=899)[1] == "t899"


def test_a_fault_in_a_session_lets_its_energy_be_seen():
    assert shown(**FAULT, session_wh=5678)[:4] == ["E1-3", "5toP", " 5.67", "E1-3"]


def test_charging_shows_amps_and_kwh_by_turns():
    assert shown(**CHARGING)[:4] == ["15.8A", " 5.67", "15.8A", " 5.67"]


def test_a_warning_joins_them():
    assert shown(**CHARGING, code_major=8, code_minor=1)[:4] == ["E8-1", "15.8A", " 5.67", "E8-1"]


def test_each_text_is_shown_two_seconds_and_a_code_four():
    times = at_desk(
        f"""
desk = Desk(**{CHARGING!r}, code_major=8, code_minor=1)
shown = []
for _ in range(400):
    before, now = chip.digits(), desk.run(50)
    if now == before:  # not in the middle of a change
        if not shown or shown[-1][0] != now:
            shown.append((now, desk.t))
out(shown)
"""
    )
    lasted = {}
    for (text, since), (_, until) in zip(times[1:], times[2:], strict=False):
        lasted.setdefault(text, set()).add(round((until - since) / 1000, 1))
    assert lasted == {"E8-1": {4}, "15.8A": {2}, " 5.67": {2}}


@pytest.mark.parametrize("wh, read", [
    (0, " 0.00"), (9, " 0.00"), (10, " 0.01"), (9999, " 9.99"), (12345, "12.34"), (99999, "99.99"),
    (100000, "100.0"), (123456, "123.4"), (999999, "999.9"),
])
def test_energy(wh, read):
    assert read in shown(**{**CHARGING, "session_wh": wh})


@pytest.mark.parametrize("ma, read", [
    (0, " 0.0A"), (990, " 0.9A"), (6000, " 6.0A"), (15999, "15.9A"), (80000, "80.0A"),
])
def test_amps(ma, read):
    assert read in shown(**{**CHARGING, "drawn_ma": ma})


@pytest.mark.parametrize("texts, words", [
    ("texts_en", ["----", "FrEE", "CAr ", None, "PAU5", "5toP"]),
    ("texts_de", ["----", "FrEI", "Auto", None, "PAU5", "5toP"]),
])
def test_what_the_charger_does_in_four_letters(texts, words):
    """An S and a 5 have the same segments."""
    read = at_desk(f"out([Desk(texts={texts}, mode=m).run(1000) for m in range(6)])")
    assert read[:3] + read[4:] == words[:3] + words[4:]


def test_energy_stays_in_view_after_the_charge():
    assert shown(mode=2, why=2, session_wh=5678)[:2] == ["CAr ", " 5.67"]


def test_every_letter_that_a_language_uses_can_be_shown():
    chars, segments = at_desk(
        "from pilotwire.tell import tm1637; out((tm1637._CHARS, list(tm1637._SEGMENTS)))"
    )
    assert len(chars) == len(segments) == len(set(chars))
    for texts in (texts_en, texts_de):
        assert len(texts.FOUR) == 4 * len(texts.TITLES)
        assert set(texts.FOUR) <= set(chars)


def test_at_night_it_is_dimmed():
    assert at_desk(
        """
desk = Desk()
seen = []
for night in (False, True, False):
    desk.set(night=night); desk.run(1000); seen.append((chip.on, chip.brightness, chip.digits()))
out(seen)
"""
    ) == [[True, 7, "FrEE"], [True, 0, "FrEE"], [True, 7, "FrEE"]]


# What it costs ------------------------------------------------------------------------------


def test_a_step_sends_at_most_two_bytes_and_says_whether_it_used_the_wire():
    steps = at_desk(
        f"""
desk = Desk(**{CHARGING!r})
steps = []
for n in range(2000):
    if n % 7 == 0:
        desk.p.drawn_ma = (desk.p.drawn_ma + 1117) % 32000
    operations[0] = 0; chip.frames.clear()
    used = desk.step()
    steps.append((used, operations[0], [len(frame) for frame in chip.frames]))
out(steps)
"""
    )
    for used, operations, frames in steps:
        assert used == (operations > 0) and len(frames) == used
        assert sum(frames) <= 2 and operations <= 64
    assert max(operations for _, operations, _ in steps) > 50


def test_only_digits_that_changed_are_sent_and_a_quiet_panel_leaves_the_wire_alone():
    assert at_desk(
        f"""
desk = Desk(**{FAULT!r}); desk.run(3000)
chip.frames.clear(); desk.run(50000)
quiet = len(chip.frames)
desk.set(code_minor=2); desk.run(1000)
out((quiet, [list(frame) for frame in chip.frames]))
"""
    ) == [0, [[0xC3, 0x5B]]]


def test_it_is_switched_on_only_when_all_digits_are_set():
    seen = at_desk(
        "desk = Desk(); seen = []\nfor _ in range(20): desk.step(); seen.append(chip.digits())\n"
        "out(seen)"
    )
    assert set(seen) == {"    ", "FrEE"}


def test_a_quiet_second_takes_little_memory_and_keeps_none():
    """Two looks a second make one text each; on this 64-bit host objects are twice as large."""
    taken, kept = at_desk(
        f"""
import gc
desk = Desk(**{FAULT!r}); desk.run(3000)
step = desk.display.step; p = desk.p; t = desk.t
gc.collect(); gc.disable()
before = gc.mem_alloc()
while t < 43000:
    t += 10
    step(p, t)
taken = gc.mem_alloc() - before
gc.collect()
out((taken // 40, gc.mem_alloc() - before))
"""
    )
    assert taken < 512 and kept <= 64, taken


# Faults of the display ----------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, (1 << 30) - 5000, (1 << 29) - 1000, (1 << 29) + 5])
def test_an_unplugged_display_is_tried_each_ten_seconds_and_comes_back(start):
    tries, dark, bright, oks = at_desk(
        f"desk = Desk(start={start})"
        """
oks = []
desk.run(3000); oks.append(desk.display.ok)
chip.nak = True
desk.set(mode=2, why=2); tries = 0
for _ in range(3500):
    tries += desk.step()
dark = chip.digits(); oks.append(desk.display.ok)
chip.nak = False
bright = desk.run(13000); oks.append(desk.display.ok)
out((tries, dark, bright, oks))
"""
    )
    assert tries == 4
    assert dark == "    "
    assert bright == "CAr "
    assert oks == [True, False, True]


@pytest.mark.parametrize("pin", ["CLK", "DIO"])
def test_a_line_held_low_is_left_alone(pin):
    """Without a start condition: whatever else the chip might read into it cannot happen."""
    operations, text = at_desk(
        f"""
desk = Desk(); desk.run(3000)
held.append({pin}); operations[0] = 0
desk.set(mode=2, why=2); desk.run(20000)
used = operations[0]
held.clear()
out((used, desk.run(12000)))
"""
    )
    assert operations <= 2 * 3
    assert text == "CAr "


def test_a_chip_reset_by_a_spark_shows_again_within_a_minute_or_so():
    assert at_desk(
        "desk = Desk(); desk.run(3000); chip.power_on(); after = desk.run(100);"
        " out((after, desk.run(62000)))"
    ) == ["    ", "FrEE"]


# The emulated chip --------------------------------------------------------------------------


BITS = """
def byte(value):
    for k in range(8):
        chip.wire(0, chip_dio[0]); chip_dio[0] = value >> k & 1
        chip.wire(0, chip_dio[0]); chip.wire(1, chip_dio[0])
    chip.wire(0, chip_dio[0]); chip_dio[0] = 1; chip.wire(0, 1); chip.wire(1, 1)
    return chip.ack
def frame(*values):
    chip.wire(1, 1); chip.wire(1, 0); chip_dio[0] = 0
    acks = [byte(value) for value in values]
    chip.wire(0, 1); chip.wire(0, 0); chip.wire(1, 0); chip.wire(1, 1)
    return acks
chip_dio = [1]
"""


def test_the_emulated_chip_takes_four_digits_in_one_frame_and_acknowledges_each_byte():
    assert at_desk(
        BITS + "acks = frame(0x40) + frame(0xC0, 0x79, 0x06, 0x40, 0xDB) + frame(0x8B)\n"
        "out((acks, chip.digits(), chip.on, chip.brightness))"
    ) == [[True] * 7, "E1-2.", True, 3]


def test_the_emulated_chip_refuses_a_line_that_rises_within_a_byte():
    assert at_desk(
        """
for clk, dio in ((1, 0), (0, 0), (1, 0), (0, 0), (1, 0)):
    chip.wire(clk, dio)
try:
    chip.wire(1, 1)
    out("taken")
except ValueError as error:
    out(str(error))
"""
    ) == "TM1637: DIO rose within a byte"


# The whole firmware -------------------------------------------------------------------------


def test_a_whole_charge_and_a_fault_on_the_board_with_four_digits(tmp_path):
    with Lonely(tmp_path / "s", board=BOARD, config={"language": "de"}) as station:
        station.charger.advance(7)
        assert station.charger.look()["digits"] == "FrEI"
        assert station.charger.look()["rgb"] == "00ff00"
        station.charge(seconds=30)
        assert station.shows("16.0A") and station.shows("0.0")
        station.charger.do("fault", {"name": "cp_short", "value": None})
        station.charger.advance(1)
        assert station.charger.look()["digits"] == "E1-1"


def test_four_digits_that_do_not_answer_change_nothing_else(tmp_path):
    for fault in ("display_unplugged", "display_shorted"):
        with Lonely(tmp_path / fault, board=BOARD) as station:
            station.charger.do("fault", {"name": fault, "value": None})
            station.charger.advance(7)
            station.charge(seconds=20)
            assert station.charger.look()["i_ma"][0] == 16000
            station.charger.do("clear", {"name": fault, "value": None})
            station.charger.advance(15)
            assert station.shows("16.0A")
