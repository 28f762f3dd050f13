"""What a step of LED or display takes from a tick, in virtual time, with the whole firmware running.

Virtual time has the wires, the pins and what framebuf draws; the bytecode in between is charged as
one lump a tick (plant/costs.py), so that only whole ticks include it.
"""

import json
import shutil

import pytest

from micropython_port import run_script
from pilotwire.charger import ROOT

LED_MOST_US = 60  # one WS2812
# A step of the display: one piece of 64 bytes with its address, at 400 kHz; or one line drawn; or
# one frame of two bytes on the four digits.
PIECE_US = 2 * 4 + 2 * 60 + (1 + 4 + 1 + 65) * 9 * 1000 // 400
LINE_US = 119 + 44
FRAME_US = 63 * 4
TICK_US = 10_000

SCRIPT = """
import sys, json
import framebuf
from plant.world import world

class Priced(framebuf.FrameBuffer):  # times measured on the emulated image, 240 MHz
    def text(self, *args):
        super().text(*args)
        world.clock.advance(119)
    def fill_rect(self, *args):
        super().fill_rect(*args)
        world.clock.advance(44)

from pilotwire.tell import ssd1306
ssd1306.FrameBuffer = Priced
import stage, time

charger = stage.start(sys.argv[1], json.loads(sys.argv[2]))
taken = {"led": [], "display": []}

def timed(name, step):
    def measured(*args):
        began_us = world.clock.us
        done = step(*args)
        taken[name].append(world.clock.us - began_us)
        return done
    return measured

class Measured:
    def __init__(self, name, device):
        self.step = timed(name, device.step)

charger._led = Measured("led", charger._led)
if charger._display:
    charger._display = Measured("display", charger._display)
real_tick = charger.tick

def tick(now_us):
    world.python_due = True
    began_us = world.clock.us
    chore = charger.chore_names[real_tick(now_us)]
    taken.setdefault("tick with " + chore, []).append(world.clock.us - began_us)

charger.tick = tick

stage.run(charger, 8000)  # a first picture
charger.config.night = (0, 1440)
charger.clock.quality = "S"
world.apply("plug", "generic")
stage.run(charger, 1000)
world.apply("s2", True)
stage.run(charger, 12000)
charged = charger.charging.contactor
for row in range(30):
    charger.faults.raise_(row)
    stage.run(charger, 700)
    charger.faults._state[row] = 0
    charger.faults._sum_up()
world.display.nak = True
stage.run(charger, 12000)
world.display.nak = False
stage.run(charger, 12000)
print(json.dumps([charged, {name: (len(us), max(us)) for name, us in taken.items() if us}]))
"""


def measured(tmp_path, board):
    shutil.copyfile(ROOT / f"boards/{board}/board.json", tmp_path / "board.json")
    out = run_script(SCRIPT, heap="16M", args=[str(tmp_path), '{"price_per_kwh": 0.3}'])
    charged, taken = json.loads(out.splitlines()[-1])  # before it, the console
    assert charged, "the car did not charge: nothing of interest was shown"
    return taken


@pytest.mark.parametrize("board, led_us, display_us", [
    ("reference-3p", LED_MOST_US, PIECE_US), ("reference-1p-digits", 3 * 4, FRAME_US),
])
def test_no_step_of_led_or_display_takes_more_than_its_share(tmp_path, board, led_us, display_us):
    taken = measured(tmp_path, board)
    print(taken)
    assert taken["led"][0] > 1000 and taken["display"][0] > 1000
    assert taken["led"][1] <= led_us
    # The dearest step happens, and there is no dearer one: a piece or a line, never both.
    assert display_us - 30 <= taken["display"][1] <= display_us and display_us > LINE_US
    for chore in ("led", "display"):
        assert taken["tick with " + chore][1] <= TICK_US
