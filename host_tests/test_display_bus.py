"""The display's bus, by an emulated SSD1306: what a step costs the loop, what a fault does to it."""

import pytest

from display_desk import CHARGING, at_desk


def test_a_step_draws_a_line_or_sends_one_piece_never_both():
    """At most one piece of 64 bytes with its address; a step that used the bus says so."""
    steps = at_desk(
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


def test_changes_are_followed_at_most_twice_a_second():
    sent = at_desk(
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


def test_a_quiet_panel_leaves_the_bus_alone():
    sent = at_desk(
        "desk = Desk(); desk.run(3000); transfers.clear(); desk.run(50000); out(transfers)"
    )
    assert sent == []


def test_only_the_half_that_changed_is_sent():
    power, current = at_desk(
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


def test_idle_steps_take_no_memory():
    grown = at_desk(
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


def test_at_night_the_contrast_is_low_and_only_that_is_sent():
    seen = at_desk(
        """
desk = Desk(); desk.run(3000)
seen = []
for night in (False, True, False):
    transfers.clear(); desk.set(night=night); desk.run(1000)
    seen.append((chip.contrast, chip.on, [size for _, size in transfers]))
out(seen)
"""
    )
    assert seen == [[0x7F, True, []], [0x07, True, [3, 2]], [0x7F, True, [3, 2]]]


def test_a_display_that_comes_back_at_night_does_not_glare_first():
    seen = at_desk(
        """
desk = Desk(); desk.set(night=True); desk.run(3000)
chip.nak = True; desk.set(mode=2, why=2); desk.run(15000); chip.nak = False
seen = []
for _ in range(1300):
    desk.step()
    if chip.on:
        seen.append(chip.contrast)
out(seen)
"""
    )
    assert seen and set(seen) == {0x07}


# Faults of the display ----------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, (1 << 30) - 5000])
def test_an_unplugged_display_is_tried_each_ten_seconds_and_comes_back(start):
    tries, dark, bright, oks = at_desk(
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


def test_a_display_that_was_never_there_is_no_trouble():
    ok, tries, text = at_desk(
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


def test_a_shorted_bus_is_not_touched():
    """A line held low would keep the port waiting: the driver looks at the lines first."""
    sent, text = at_desk(
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


def test_a_chip_reset_by_a_spark_shows_again_within_a_minute_or_so():
    after, later = at_desk(
        "desk = Desk(); desk.run(3000); chip.power_on(); after = desk.run(100);"
        " out((after, desk.run(62000)))"
    )
    assert after == [" " * 16] * 8
    assert later[0].strip() == "READY"


@pytest.mark.parametrize("start", [(1 << 30) - 1000, (1 << 29) - 1000, (1 << 29) + 5])
def test_any_clock_will_do_and_its_wrap_is_harmless(start):
    seen = at_desk(
        f"desk = Desk(start={start}); one = desk.run(2000); desk.set(mode=2, why=2);"
        " out((one, desk.run(2000)))"
    )
    assert [text[0].strip() for text in seen] == ["READY", "CONNECTED"]


def test_the_emulated_chip_takes_horizontal_addressing_too():
    text = at_desk(
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
