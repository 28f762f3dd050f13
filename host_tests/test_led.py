"""The LED, watched from outside over time: which code, which mode, by its rhythm alone."""

import itertools
import json
import random

import pytest

from micropython_port import run_script

CODES = [(major, minor) for major in range(1, 9) for minor in range(1, 8)]
WS2812 = {"kind": "ws2812", "pin": 4}
RGB = {"kind": "rgb", "pins": [12, 13, 14]}
SINGLE = {"kind": "single", "pin": 2}
each_led = pytest.mark.parametrize("spec", [WS2812, RGB, SINGLE], ids=lambda s: s["kind"])
WRAP = 1 << 30

MACHINE = """
from plant import lamps
SPEC = None  # the test's board.json "led"
class Pin:
    OUT = 3
    writes = 0
    def __init__(self, number, mode=-1, value=None):
        self.number = number
    def value(self, level):
        Pin.writes += 1
        lamps.drive(SPEC, self.number, level)
"""

WATCH = """
import sys
class World:  # just enough for the virtual NeoPixel
    class clock:
        us = 0
        writes = 0
        @staticmethod
        def advance(us):
            World.clock.writes += 1
    cost = {"bitstream": 60}
class Module:
    world = World
sys.modules["plant.world"] = Module

import json, machine
from plant import lamps
from pilotwire.tell.led import Led

class Panel:
    mode = code_major = code_minor = 0
    night = False

def watch(spec, ms, start=0, every=10, **panel):
    machine.SPEC = spec
    p = Panel("en", "EUR")
    for name in panel:
        setattr(p, name, panel[name])
    lamps.colour = 0
    seen = []
    now = [0]
    lamps.on_change = lambda colour: seen.append((now[0], colour))
    led = Led(spec)
    for t in range(0, ms, every):
        now[0] = t
        led.step(p, (start + t) % (1 << 30))
    return seen
"""


@pytest.fixture
def micropython(tmp_path):
    (tmp_path / "machine.py").write_text(MACHINE)
    (tmp_path / "time.py").write_text(
        "def ticks_diff(a, b): return (a - b + (1 << 29) & (1 << 30) - 1) - (1 << 29)\n"
    )

    def run(code):
        return json.loads(run_script(WATCH + code, path=[tmp_path], heap="64M"))

    return run


def lit_runs(timeline):
    """[(from_ms, lit_ms)] of a timeline of (t_ms, colour), from dark and lit alone."""
    runs, since = [], None
    for t, bright in timeline:
        if bright and since is None:
            since = t
        elif not bright and since is not None:
            runs.append((since, t - since))
            since = None
    return runs


def count_code(runs):
    """What a person counts: flashes, a dark, flashes, a longer dark. -> the first full code."""
    runs = [r for r in runs if r[1] < 900]  # longer ones are the mode's own light
    groups = [[runs[0]]]
    for before, run in zip(runs, runs[1:], strict=False):
        dark = run[0] - before[0] - before[1]
        if dark > 2500:
            groups.append("end")
        if dark > 800:
            groups.append([run])
        else:
            groups[-1].append(run)
    end = groups.index("end")
    assert end == 2, groups
    return len(groups[0]), len(groups[1])


@each_led
@pytest.mark.parametrize("mode", [1, 2, 3, 4, 5, 6])
def test_every_code_can_be_counted_without_colour(micropython, spec, mode):
    seen = micropython(
        f"print(json.dumps([watch({spec}, 60000, mode={mode}, code_major=a, code_minor=b)"
        f" for a, b in {CODES}]))"
    )
    assert [count_code(lit_runs(timeline)) for timeline in seen] == CODES


@pytest.mark.parametrize("mode", [3, 5, 6])
def test_codes_can_be_counted_when_the_loop_looks_only_each_80_ms(micropython, mode):
    seen = micropython(
        f"print(json.dumps([watch({WS2812}, 60000, every=80, mode={mode}, code_major=a,"
        f" code_minor=b) for a, b in {CODES}]))"
    )
    assert [count_code(lit_runs(timeline)) for timeline in seen] == CODES


def test_a_fault_blinks_red_at_two_hertz_with_the_gaps_of_the_scheme(micropython):
    seen = micropython(
        f"print(json.dumps(watch({WS2812}, 9000, mode=6, code_major=2, code_minor=3)))"
    )
    assert [t for t, _ in seen] == [
        0, 250, 500, 750, 1750, 2000, 2250, 2500, 2750, 3000, 6000, 6250, 6500, 6750, 7750, 8000,
        8250, 8500, 8750,
    ]  # fmt: skip
    assert {c for _, c in seen} == {0, 0xFF0000}


@pytest.mark.parametrize("mode", range(7))
@each_led
@pytest.mark.parametrize("every", [10, 80])
def test_nothing_flashes_faster_than_twice_a_second(micropython, spec, mode, every):
    for code in ((0, 0), (3, 2)):
        timeline = micropython(
            f"print(json.dumps(watch({spec}, 30000, mode={mode}, every={every},"
            f" code_major={code[0]}, code_minor={code[1]})))"
        )
        starts = [t for t, _ in lit_runs(timeline)]
        assert all(b - a >= 500 for a, b in zip(starts, starts[1:], strict=False))


@each_led
@pytest.mark.parametrize("seed", range(4))
def test_nothing_flashes_faster_even_if_mode_and_code_race(micropython, spec, seed):
    """Bright from half of the most: below that a breath on a WS2812 passes anyway."""
    rng = random.Random(seed)
    print("seed", seed)
    races = [(rng.randrange(7), rng.randrange(4), rng.randrange(50, 400)) for _ in range(200)]
    seen = micropython(
        f"""
machine.SPEC = {spec}
p = Panel("en", "EUR"); led = Led({spec}); seen = []
t = 0
for p.mode, p.code_major, ms in {races}:
    p.code_minor = p.code_major
    for t in range(t, t + ms, 10):
        led.step(p, t)
        seen.append((t, lamps.colour))
print(json.dumps(seen))
"""
    )
    starts = [t for t, _ in lit_runs([(t, max_channel(c) > 64) for t, c in seen])]
    print(starts)
    assert len(starts) > 20
    assert all(b - a >= 500 for a, b in zip(starts, starts[1:], strict=False))


@each_led
def test_modes_differ_without_colour(micropython, spec):
    """How long it is bright and how long not: no two modes look the same to the colour-blind."""
    seen = micropython(
        f"print(json.dumps([watch({spec}, 30000, mode=m, code_major=m // 5, code_minor=m // 5)"
        " for m in range(7)]))"
    )

    def rhythm(timeline):
        """(bright, not bright) ms that follow one another, in tenths of a second; () = steady."""
        peak = max(max_channel(c) for _, c in timeline)
        runs = lit_runs([(t, max_channel(c) > peak / 4) for t, c in timeline])
        pairs = zip(runs, runs[1:], strict=False)
        return {(a[1] // 100, (b[0] - a[0] - a[1]) // 100) for a, b in list(pairs)[1:]}

    rhythms = [rhythm(timeline) for timeline in seen]
    assert sum(not r for r in rhythms) == 1  # connected is steady
    for one, other in itertools.combinations(rhythms, 2):
        assert all(max(abs(a - c), abs(b - d)) >= 2 for a, b in one for c, d in other)


@each_led
def test_a_warning_is_told_from_a_fault_by_the_length_of_its_flashes(micropython, spec):
    """A soft pulse where the LED can be soft; where it is on or off, twice as long a flash."""
    fault, warning = micropython(
        f"print(json.dumps([watch({spec}, 20000, mode=m, code_major=2, code_minor=3)"
        " for m in (6, 5)]))"
    )
    assert {ms for _, ms in lit_runs(fault)} == {250}
    assert {ms for _, ms in lit_runs(warning)} == {800 if spec is WS2812 else 600}


def max_channel(colour):
    return max(colour >> 16, colour >> 8 & 255, colour & 255)


def test_colours_are_those_of_the_scheme(micropython):
    seen = micropython(
        f"print(json.dumps([max(c for _, c in watch({WS2812}, 3000, mode=m, code_major=m // 5,"
        " code_minor=m // 5)) for m in range(7)]))"
    )
    assert seen == [0xFFFFFF, 0x00FF00, 0x0000FF, 0x0000FF, 0x0000FF, 0xFF6000, 0xFF0000]


def test_charging_with_a_warning_shows_both_by_turns(micropython):
    timeline = micropython(
        f"print(json.dumps(watch({WS2812}, 40000, mode=3, code_major=8, code_minor=1)))"
    )
    assert all(c & 0xFFFF00 == 0 for t, c in timeline if t < 6000)
    amber = [t for t, c in timeline if c >> 16]
    assert amber[0] == 7050
    cycle_ms = 6000 + 1050 + 9 * 1250 + 1050 + 2550
    assert min(t for t in amber if t > cycle_ms) == amber[0] + cycle_ms
    assert any(c & 0xFF and not c >> 16 for t, c in timeline if cycle_ms < t < cycle_ms + 6000)


def test_rhythm_goes_on_over_the_wrap_of_the_clock(micropython):
    plain, wrapped = micropython(
        f"print(json.dumps([watch({WS2812}, 20000, mode=6, code_major=1, code_minor=2),"
        f" watch({WS2812}, 20000, start={WRAP - 7770}, mode=6, code_major=1, code_minor=2)]))"
    )
    assert wrapped == plain


def test_a_new_fault_is_shown_from_its_first_blink(micropython):
    seen = micropython(
        f"""
p = Panel("en", "EUR"); led = Led({WS2812}); seen = []
lamps.on_change = lambda c: seen.append((t, c))
for t in range(0, 8000, 10):
    if t == 1510:
        p.mode, p.code_major, p.code_minor = 6, 4, 2
    led.step(p, t)
print(json.dumps(seen))
"""
    )
    red = [(t, c) for t, c in seen if t >= 1510]
    assert red[0][1] == 0xFF0000 and red[0][0] - 1510 < 50
    assert count_code(lit_runs(red + [(99999, 0xFF0000), (100249, 0)])) == (4, 2)


def test_the_pixel_is_written_at_most_20_times_a_second_and_not_without_need(micropython):
    writes = micropython(
        f"""
counts = []
for mode in range(7):
    World.clock.writes = 0
    watch({WS2812}, 10000, mode=mode, code_major=mode // 5, code_minor=mode // 5, every=1)
    counts.append(World.clock.writes)
print(json.dumps(counts))
"""
    )
    assert max(writes) <= 200
    assert writes[2] == 1  # steady


def test_at_night_the_pixel_is_dimmed_to_a_quarter_and_the_code_stays(micropython):
    day, night = micropython(
        f"print(json.dumps([watch({WS2812}, 30000, mode=5, code_major=2, code_minor=1, night=n)"
        " for n in (False, True)]))"
    )
    assert max(c >> 16 for _, c in night) == 255 // 4
    assert count_code(lit_runs(night)) == count_code(lit_runs(day)) == (2, 1)


def test_discrete_leds_mix_the_colours(micropython):
    seen = micropython(
        f"print(json.dumps([max(c for _, c in watch({RGB}, 3000, mode=m, code_major=m // 5,"
        " code_minor=m // 5)) for m in range(7)]))"
    )
    assert seen == [0xFFFFFF, 0x00FF00, 0xFF, 0xFF, 0xFF, 0xFFFF00, 0xFF0000]


def test_a_board_without_led_is_served_without_complaint(micropython):
    assert micropython("print(json.dumps(watch(None, 1000, mode=6)))") == []


def test_steps_take_no_memory(micropython):
    """Neither idle nor while the rhythm runs, for any mode; a WS2812 may be written meanwhile."""
    grown = micropython(
        f"""
import gc, micropython
class Silent:
    def show(self, light, night):
        pass
grown = []
for mode in range(7):
    p = Panel("en", "EUR"); p.mode = mode; p.code_major = p.code_minor = mode // 3
    led = Led({SINGLE}); led._out = Silent()
    led.step(p, 0)
    gc.collect(); gc.disable()
    before = gc.mem_alloc()
    micropython.heap_lock()
    t = 10
    while t < 30000:
        led.step(p, t)
        t += 10
    micropython.heap_unlock()
    grown.append(gc.mem_alloc() - before)
    gc.enable()
print(json.dumps(grown))
"""
    )
    assert grown == [0] * 7
