"""The display, read off an emulated SSD1306: what people see, and what a step costs the loop."""

import json

import pytest

from micropython_port import run_script

MACHINE = """
from plant.ssd1306 import Ssd1306
chip = Ssd1306()
transfers = []  # (address, bytes) since somebody last looked

class Pin:
    def __init__(self, number):
        self.number = number
    def value(self):
        return 0 if chip.shorted and self.number == 21 else 1

class I2C:
    def __init__(self, id, *, scl, sda, freq):
        pass
    def writeto(self, addr, buf):
        transfers.append((addr, len(buf)))
        if addr != 60:
            raise OSError(19)
        chip.write(buf)
"""

DESK = """
import json, machine
from machine import chip, transfers
from pilotwire.tell import texts_en
from pilotwire.tell.display import Display, wrap

SPEC = {"kind": "ssd1306", "i2c": 0, "scl": 22, "sda": 21, "addr": 60}

class Panel:
    mode = 1; why = 1
    code_major = code_minor = more_faults = 0
    fault_text = fault_do = ""
    wait_s = -1
    drawn_ma = p_w = session_wh = charge_s = records_waiting = offered_ma = 0
    limit_name = "board"
    cost_minor = -1; currency = "EUR"
    link_up = clock_ok = True
    rating_ma = 16000

class Desk:
    def __init__(self, start=0, **panel):
        self.p = Panel()
        self.start = start
        self.t = 0
        self.display = Display(SPEC, texts_en)
        self.set(**panel)

    def set(self, **panel):
        for name in panel:
            setattr(self.p, name, panel[name])

    def step(self):
        self.t += 10
        return self.display.step(self.p, (self.start + self.t) & (1 << 30) - 1)

    def run(self, ms):
        for _ in range(ms // 10):
            self.step()
        return chip.text()

def show(**panel):
    return Desk(**panel).run(2000)

def out(value):
    print(json.dumps(value))
"""

CHARGING = {
    "mode": 3, "why": 0, "drawn_ma": 15870, "p_w": 10985, "offered_ma": 16000, "session_wh": 12345,
    "charge_s": 4990, "cost_minor": 432, "limit_name": "cable",
}  # fmt: skip
FAULT = {
    "mode": 6, "why": 7, "code_major": 1, "code_minor": 3, "wait_s": 59,
    "fault_text": "Signal to car is unclear", "fault_do": "Wait, or unplug and plug in again",
}  # fmt: skip


@pytest.fixture
def micropython(tmp_path):
    (tmp_path / "machine.py").write_text(MACHINE)
    (tmp_path / "time.py").write_text(
        "def ticks_diff(a, b): return (a - b + (1 << 29) & (1 << 30) - 1) - (1 << 29)\n"
    )

    def run(code):
        return json.loads(run_script(DESK + code, path=[tmp_path], heap="16M"))

    return run


@pytest.fixture
def lines(micropython):
    """The eight lines that a panel leads to, without their padding."""

    def show(**panel):
        text = micropython(f"out(show(**{panel!r}))")
        assert [len(line) for line in text] == [16] * 8
        return [line.rstrip() for line in text]

    return show


# What people see ----------------------------------------------------------------------------


def test_available_says_plug_in_and_how_fast(lines):
    assert lines() == [
        "READY", "Plug in the car", "", "Up to     16.0 A", "by this charger", "", "", "Online",
    ]  # fmt: skip


def test_charging_says_how_fast_how_much_what_cost_and_why_not_faster(lines):
    assert lines(**CHARGING) == [
        "CHARGING",
        "10.9 kW   15.8 A",
        "12.34 kWh  1:23h",
        "Cost    4.32 EUR",
        "",
        "Up to     16.0 A",
        "by the cable",
        "Online",
    ]


def test_a_car_that_takes_less_than_offered_is_named_as_the_reason(lines):
    assert lines(**{**CHARGING, "drawn_ma": 6000})[6] == "car takes less"


def test_without_a_tariff_no_cost_is_shown(lines):
    assert "Cost" not in "".join(lines(**{**CHARGING, "cost_minor": -1}))


def test_a_long_session_still_fits(lines):
    text = lines(**{**CHARGING, "session_wh": 123456, "charge_s": 359999, "cost_minor": 1234567})
    assert text[2:4] == ["123.4 kWh 99:59h", "Cost12345.67 EUR"]


def test_paused_keeps_what_was_charged_in_view(lines):
    text = lines(**{**CHARGING, "mode": 4, "why": 3, "offered_ma": 0})
    assert text == [
        "PAUSED", "Paused by remote", "command", "", "by the cable", "12.34 kWh  1:23h",
        "Cost    4.32 EUR", "Online",
    ]  # fmt: skip


def test_a_rest_counts_down(lines):
    assert lines(mode=2, why=5, wait_s=5)[4] == "Again in    0:05"
    assert lines(mode=2, why=5, wait_s=899)[4] == "Again in   14:59"


@pytest.mark.parametrize(
    "panel, line",
    [
        ({"link_up": False}, "Offline"),
        ({"link_up": False, "records_waiting": 12}, "Offline 12 kept"),
        ({"link_up": False, "records_waiting": 5000}, "Offline 999 kept"),
        ({"records_waiting": 3}, "3 to send"),
        ({"clock_ok": False}, "Clock not set"),
    ],
)
def test_the_last_line_says_how_the_link_is(lines, panel, line):
    assert lines(**panel)[7] == line


def test_a_fault_says_code_what_is_wrong_what_to_do_and_how_long(lines):
    assert lines(**FAULT, more_faults=1) == [
        "FAULT E1-3    +1",
        "Signal to car is",
        "unclear",
        "Wait, or unplug",
        "and plug in",
        "again",
        "Again in    0:59",
        "Online",
    ]


def test_a_short_fault_text_stands_apart_from_what_to_do(lines):
    text = lines(**{**FAULT, "fault_text": "Too warm", "fault_do": "Wait", "wait_s": -1})
    assert text[1:7] == ["Too warm", "", "Wait", "", "", ""]


def test_a_warning_and_the_charging_page_take_turns(micropython):
    seen = micropython(
        f"""
desk = Desk(**{CHARGING!r})
desk.run(2000)
desk.set(code_major=8, code_minor=1, fault_text="Energy meter silent", fault_do="Tell us")
titles = []
for _ in range(25):
    titles.append(desk.run(1000)[0].strip())
out(titles)
"""
    )
    assert set(seen) == {"NOTE E8-1", "CHARGING"}
    assert seen[0] == "NOTE E8-1"
    assert 14 <= seen.count("NOTE E8-1") <= 19


def test_a_fault_in_a_session_lets_its_energy_be_seen(micropython):
    seen = micropython(
        f"""
desk = Desk(**{({**CHARGING, **FAULT})!r})
pages = []
for _ in range(12):
    pages.append([line.strip() for line in desk.run(1000)])
out(pages)
"""
    )
    stopped = [page for page in seen if page[0] == "STOPPED"]
    assert stopped and stopped[0][5] == "12.34 kWh  1:23h"
    assert sum(page[0] == "FAULT E1-3" for page in seen) > len(stopped)


def test_a_fault_without_a_session_stays_in_view(micropython):
    titles = micropython(
        f"desk = Desk(**{FAULT!r}); out([desk.run(1000)[0].strip() for _ in range(20)])"
    )
    assert set(titles) == {"FAULT E1-3"}


@pytest.mark.parametrize(
    "why, title",
    [(0, "CHARGING"), (1, "READY"), (2, "CONNECTED"), (3, "PAUSED"), (10, "STARTING")],
)
def test_the_warning_mode_keeps_telling_what_the_charger_does(micropython, why, title):
    seen = micropython(
        f"""
desk = Desk(mode=5, why={why}, code_major=8, code_minor=3, fault_text="Records not stored")
out([desk.run(1000)[0].strip() for _ in range(10)])
"""
    )
    assert set(seen) == {"NOTE E8-3", title}


# Texts --------------------------------------------------------------------------------------


def test_every_mode_and_every_reason_has_a_text_that_fits(micropython):
    """All modes with all reasons: up to two lines for the reason, nothing cut off."""
    reasons, seen = micropython(
        """
seen = []
for mode in range(5):
    for why in range(12):
        seen.append((mode, why, show(mode=mode, why=why)))
out(([wrap(text) for text in texts_en.WHY], seen))
"""
    )
    assert len(reasons) == 12 and all(1 <= len(reason) <= 2 for reason in reasons)
    for mode, why, text in seen:
        assert text[0].strip() and "?" not in "".join(text)
        if mode != 3:
            assert [line.rstrip() for line in text[1:3]] == (reasons[why] + [""])[:2]


def test_all_texts_are_ascii_and_fit_a_line(micropython):
    texts, limits, names = micropython(
        """
from pilotwire.decide.limits import NAMES
out(({k: v for k, v in texts_en.__dict__.items() if k[0].isupper()}, texts_en.LIMITS, NAMES))
"""
    )
    assert set(names) == set(limits)
    lines = [v for v in texts.values() if isinstance(v, str)]
    short = [*texts["TITLES"], *limits.values(), *lines]
    assert all(len(s.replace("%d", "999")) <= 16 for s in short)
    assert all(s.isascii() for s in [*short, *texts["WHY"]])


def test_every_fault_row_fits_its_page(micropython):
    """Six lines; five where a countdown takes the last."""
    rows = micropython(
        """
from pilotwire.decide import fault_table as f
out([
    (f.code(r), f.cell(r, f.CLEARS), wrap(f.cell(r, f.TEXT)) + wrap(f.cell(r, f.DO)))
    for r in range(f.COUNT)
])
"""
    )
    assert rows
    for code, clears, text in rows:
        assert len(text) <= (5 if clears in "AT" else 6), f"E{code}: {text}"
        assert "".join(text).isascii()


def test_wrapping_breaks_at_words_and_cuts_only_what_is_too_long(micropython):
    assert micropython(
        'out([wrap(t) for t in ("", "one", "sixteen columns.", "seventeen columns", "a b",'
        ' "averyveryverylongword x")])'
    ) == [[], ["one"], ["sixteen columns."], ["seventeen", "columns"], ["a b"],
          ["averyveryverylon", "gword x"]]  # fmt: skip


# What a step costs --------------------------------------------------------------------------


def test_a_step_draws_a_line_or_sends_one_piece_never_both(micropython):
    """At most one piece of 64 bytes with its address; a step that used the bus says so."""
    steps = micropython(
        f"""
from pilotwire.tell import ssd1306
drawn = [0]
class Counting(ssd1306.FrameBuffer):
    def text(self, *args):
        drawn[0] += 1
        super().text(*args)
ssd1306.FrameBuffer = Counting
steps = []
desk = Desk()
for n in range(3000):
    if n == 1000:
        desk.set(**{CHARGING!r})
    elif n > 1000 and n % 7 == 0:
        desk.p.p_w += 111
    used = desk.step()
    sizes = [size for _, size in transfers]
    steps.append((used, drawn[0], sum(sizes), max([0] + sizes)))
    transfers.clear()
    drawn[0] = 0
out(steps)
"""
    )
    for used, drawn, sent, longest in steps:
        assert used == (sent > 0)
        assert drawn <= (0 if used else 1)
        assert longest <= 65 and sent <= 65 + 4
    assert any(drawn for _, drawn, _, _ in steps)
    assert any(longest == 65 for *_, longest in steps)


def test_changes_are_followed_at_most_twice_a_second(micropython):
    sent = micropython(
        f"""
desk = Desk(**{CHARGING!r})
desk.run(3000)
transfers.clear()
for _ in range(1000):
    desk.p.p_w = 1000 + desk.p.p_w % 9000 + 100
    desk.step()
out(sum(size == 65 for _, size in transfers))
"""
    )
    assert 18 <= sent <= 20  # the half with the power in it, 10 s


def test_a_quiet_panel_leaves_the_bus_alone(micropython):
    sent = micropython(
        "desk = Desk(); desk.run(3000); transfers.clear(); desk.run(50000); out(transfers)"
    )
    assert sent == []


def test_only_the_half_that_changed_is_sent(micropython):
    power, current = micropython(
        f"""
desk = Desk(**{CHARGING!r}); desk.run(3000)
def sent(**panel):
    transfers.clear()
    desk.set(**panel); desk.run(1000)
    return sum(size == 65 for _, size in transfers)
out((sent(p_w=5000), sent(drawn_ma=15100)))
"""
    )
    assert (power, current) == (1, 1)


def test_idle_steps_take_no_memory(micropython):
    grown = micropython(
        """
import gc, micropython
desk = Desk(); desk.run(3000)
step = desk.display.step; p = desk.p; t = desk.t
gc.collect(); gc.disable()
before = gc.mem_alloc()
micropython.heap_lock()
while t < 50000:
    t += 10
    step(p, t)
micropython.heap_unlock()
out(gc.mem_alloc() - before)
"""
    )
    assert grown == 0


# Faults of the display ----------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, (1 << 30) - 5000])
def test_an_unplugged_display_is_tried_each_ten_seconds_and_comes_back(micropython, start):
    tries, dark, bright, oks = micropython(
        f"desk = Desk(start={start})"
        """
oks = []
desk.run(3000); oks.append(desk.display.ok)
chip.nak = True
desk.set(mode=2, why=2); transfers.clear(); desk.run(35000)
tries = len(transfers); dark = desk.run(10); oks.append(desk.display.ok)
chip.nak = False
bright = desk.run(13000); oks.append(desk.display.ok)
out((tries, dark, bright, oks))
"""
    )
    assert tries == 4
    assert dark == [" " * 16] * 8
    assert bright[0].strip() == "CONNECTED"
    assert oks == [True, False, True]


def test_a_display_that_was_never_there_is_no_trouble(micropython):
    ok, tries, text = micropython(
        """
chip.nak = True
desk = Desk(); desk.run(25000)
tries = len(transfers); ok = desk.display.ok
chip.nak = False
out((ok, tries, desk.run(12000)))
"""
    )
    assert (ok, tries) == (False, 3)
    assert text[0].strip() == "READY"


def test_a_shorted_bus_is_not_touched(micropython):
    """A line held low would keep the port waiting: the driver looks at the lines first."""
    sent, text = micropython(
        """
desk = Desk(); desk.run(3000)
chip.shorted = True; transfers.clear()
desk.set(mode=2, why=2); desk.run(20000)
sent = len(transfers)
chip.shorted = False
out((sent, desk.run(12000)))
"""
    )
    assert sent == 0
    assert text[0].strip() == "CONNECTED"


def test_a_chip_reset_by_a_spark_shows_again_within_a_minute_or_so(micropython):
    after, later = micropython(
        "desk = Desk(); desk.run(3000); chip.power_on(); after = desk.run(100);"
        " out((after, desk.run(62000)))"
    )
    assert after == [" " * 16] * 8
    assert later[0].strip() == "READY"


@pytest.mark.parametrize("start", [(1 << 30) - 1000, (1 << 29) - 1000, (1 << 29) + 5])
def test_any_clock_will_do_and_its_wrap_is_harmless(micropython, start):
    seen = micropython(
        f"desk = Desk(start={start}); one = desk.run(2000); desk.set(mode=2, why=2);"
        " out((one, desk.run(2000)))"
    )
    assert [text[0].strip() for text in seen] == ["READY", "CONNECTED"]


def test_the_emulated_chip_takes_horizontal_addressing_too(micropython):
    text = micropython(
        """
from framebuf import FrameBuffer, MONO_VLSB
picture = bytearray(1024)
frame = FrameBuffer(picture, 128, 64, MONO_VLSB)
frame.text("row one", 8, 8)
chip.write(b"\\x00\\x20\\x00\\x21\\x00\\x7f\\x22\\x00\\x07\\x8d\\x14\\xa1\\xc8")
chip.write(b"\\x40" + picture)
before = chip.text()
chip.write(b"\\x80\\xaf")
out((before, chip.text(), chip.pixels_hex() == "".join("%02x" % b for b in picture)))
"""
    )
    assert text[0] == [" " * 16] * 8
    assert text[1][1] == " row one        " and text[2] is True
