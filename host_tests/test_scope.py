"""`pilotwire scope`: what it records is what happened, what it draws is what it recorded."""

import json
import os
import subprocess
import sys

import pytest
from PIL import Image

from micropython_port import run_script
from pilotwire import scope, scope_png, scope_text
from pilotwire.charger import ROOT
from pilotwire.run import board_file
from pilotwire.scope import BUILT_IN, ZERO_US
from station import Connected, Lonely

BOARD = board_file("reference-3p")
UNPLUG_US = ZERO_US + 14_003_000
ENV = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}


@pytest.fixture(scope="module")
def unplug():
    return scope.record(BUILT_IN, BOARD, event="unplug")


def run(*args, **env):
    return subprocess.run(
        [sys.executable, "-m", "pilotwire.cli", "scope", *map(str, args)], env={**ENV, **env},
        capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL, check=False, timeout=120,
    )


def written(tmp_path, lines):
    path = tmp_path / "s.csv"
    path.write_text("t_s,event,value\n" + lines)
    return path


def near(colour, pixel):
    """The pixel is of this colour, but for smooth edges."""
    return all(abs(a - b) <= 45 for a, b in zip(colour, pixel, strict=True))


@pytest.fixture(scope="module")
def untapped(tmp_path_factory):
    """Events of the built-in scenario on a charger without the probe."""
    folder = tmp_path_factory.mktemp("untapped") / "station"
    with Lonely(folder, config={"price_per_kwh": None}) as station:
        for action in BUILT_IN.actions[:-1]:
            station.charger.until(ZERO_US + action.t_us)
            station.charger.do(action.event, action.value)
        station.charger.until(ZERO_US + BUILT_IN.end_us)
    return station.events


# What is recorded ---------------------------------------------------------------------------


def test_the_probe_changes_nothing(untapped):
    end_us = ZERO_US + BUILT_IN.end_us
    tapped = scope.play(BUILT_IN, BOARD, seed=1, from_us=UNPLUG_US - 500_000, to_us=end_us)
    assert len(tapped.seen["read_us"]) > 64 * 200  # it was there
    seen = [e for e in tapped.history if e["e"] != "level" and e["us"] < end_us]
    assert seen == [e for e in untapped if e["us"] < end_us]
    assert {"contactor", "contacts", "pilot", "led", "display"} <= {e["e"] for e in seen}


AT_THE_PLANT = """
import json, sys
from plant.world import world
board, folder, tap = sys.argv[1:]
world.set_up({"board": json.load(open(board)), "dir": folder, "epoch_s": 0, "flash_kb": 0})
if tap == "tap":
    from plant.tap import Tap
    probe = Tap(world, 0, 10000)
from machine import ADC, PWM, Pin
world.fault("pilot_spikes", True)
read = ADC(Pin(36), atten=ADC.ATTN_11DB).read_u16
pwm = PWM(Pin(25), freq=1000, duty_u16=20000)
total = 0
for k in range(3000):
    total = total * 31 + read() & 0xFFFFFFFF
    if k % 500 == 250:
        world.car.plug(None)
    elif k % 500 == 0:
        world.car.unplug()
        world.pin_write(27, k // 500 & 1)
if tap == "tap":
    assert len(probe.report()["read_us"]) > 200
print(total, world.clock.us, world.random())
"""


def test_reads_time_and_chance_are_the_same_with_the_probe(tmp_path):
    """A pilot with spikes, a car that comes and goes, and a pin, straight at the plant."""
    with_probe, without = (
        run_script(AT_THE_PLANT, args=(str(BOARD), str(tmp_path), tap)) for tap in ("tap", "no")
    )
    assert with_probe == without and len(without.split()) == 3


def test_the_latency_is_that_of_the_events_without_the_probe(unplug, untapped):
    unplugged = next(e for e in untapped if e["e"] == "did" and e["event"] == "unplug")
    off = next(e for e in untapped if e["e"] == "contactor" and not e["on"])
    opened = next(e for e in untapped if e["e"] == "contacts" and not e["closed"])
    assert unplug.cause.us == unplugged["us"]
    assert unplug.latency_ms(unplug.reaction) == (off["us"] - unplugged["us"]) / 1000
    assert unplug.latency_ms(unplug.arrival) == (opened["us"] - unplugged["us"]) / 1000
    assert f"off after {(off['us'] - unplugged['us']) / 1000:.1f} ms" in unplug.verdict()


def test_reads_show_the_true_voltage(unplug):
    """By its own calibration the firmware reads +-12 V for what this unit's generator makes."""
    early = [mv for us, mv in unplug.reads if us < unplug.cause.us]
    late = [mv for us, mv in unplug.reads if us > unplug.reaction.us + 1000]
    assert len(early) >= 64 and len(late) >= 64
    assert sum(5700 < mv < 6300 for mv in early) > 0.8 * len(early)
    assert sum(-12300 < mv < -11700 for mv in early) >= 2  # 11 % of a period is low
    assert all(11700 < mv < 12300 for mv in late)
    assert [us for us, _ in unplug.reads] == sorted({us for us, _ in unplug.reads})
    high_mv = [level[1] for level in unplug.levels if level[0] <= unplug.cause.us + 1000]
    assert high_mv[-2] == pytest.approx(6000, abs=300)  # up to the unplug
    assert high_mv[-1] == pytest.approx(12000, abs=600)


def test_ticks_show_what_the_firmware_made_of_it(unplug):
    before = [t for t in unplug.ticks if t[0] < unplug.cause.us]
    after = [t for t in unplug.ticks if t[0] >= unplug.reaction.us]
    assert len(before) >= 2 and len(after) >= 2
    for _, found, high_mv, low_mv, letter, offer_ma, contactor in before:
        assert found and contactor and letter == 2 and offer_ma == 63000
        assert abs(high_mv - 6000) < 200 and abs(low_mv + 12000) < 200
    for _, found, high_mv, _, letter, offer_ma, contactor in after:
        assert found and not contactor and letter == 0 and offer_ma == 0
        assert abs(high_mv - 12000) < 200
    assert after[0][0] == unplug.reaction.us  # the tick that opened it
    for a, b in zip(before, before[1:], strict=False):
        assert b[0] - a[0] == pytest.approx(10_000, abs=1000)  # they differ in what comes before the look


def test_a_car_that_takes_its_time_is_timed_from_the_pilot():
    capture = scope.record(BUILT_IN, BOARD, event="ready")
    assert capture.cause.us > ZERO_US + 2_000_000 + 50_000  # S2 closes later than the order
    assert capture.cause.text.startswith("pilot at 6")
    assert capture.reaction.text == "contactor command on"
    assert 500 <= capture.latency_ms(capture.reaction) <= 700
    same = scope.record(BUILT_IN, BOARD, event="contactor")
    assert (same.cause, same.reaction) == (capture.cause, capture.reaction)


def test_a_fault_is_found_by_its_name(tmp_path):
    path = written(tmp_path, "1,plug,\n2,ready,\n9,fault,diode_short\n12,end,\n")
    scenario = scope.scenarios.load(path, cars=set(), faults={"diode_short"})
    capture = scope.record(scenario, BOARD, event="diode_short")
    assert capture.cause.text == "diode_short"
    assert 0 < capture.latency_ms(capture.reaction) <= 30
    assert any(level[2] > -10000 for level in capture.levels if level[0] == capture.cause.us)


def test_an_event_is_not_blamed_for_what_the_next_one_did(tmp_path):
    """A fault of the meter moves nothing; the unplug one second later does."""
    path = written(tmp_path, "1,plug,\n2,ready,\n9,fault,meter_noise\n10,unplug,\n12,end,\n")
    scenario = scope.scenarios.load(path, cars=set(), faults={"meter_noise"})
    capture = scope.record(scenario, BOARD, event="meter_noise")
    assert capture.cause.text == "meter_noise" and capture.reaction is None
    assert capture.cause.us == pytest.approx(ZERO_US + 9_000_000, abs=5000)
    assert capture.verdict() == "meter_noise: no reaction to be seen"
    opened = scope.record(scenario, BOARD, event="contacts")  # the first time, they close
    assert opened.reaction.text == "contactor command on"


def test_a_window_around_a_time_shows_what_happens_in_it():
    capture = scope.record(BUILT_IN, BOARD, at_s=14.0, before_ms=10, after_ms=60)
    assert (capture.from_us, capture.to_us) == (UNPLUG_US - 13_000, UNPLUG_US + 57_000)
    assert all(capture.from_us <= us < capture.to_us for us, _ in capture.reads)
    assert capture.cause.text == "unplug"
    quiet = scope.record(BUILT_IN, BOARD, at_s=0.5)
    assert quiet.cause is None and "no cause" in quiet.verdict() and quiet.reads


def test_a_window_may_go_on_after_the_end_of_the_scenario():
    capture = scope.record(BUILT_IN, BOARD, at_s=16, before_ms=10, after_ms=5900)
    assert capture.ticks[-1][0] > ZERO_US + 21_880_000


def test_a_restart_in_the_window_is_shown_as_far_as_the_firmware_runs(tmp_path):
    path = written(tmp_path, "1,plug,\n2,ready,\n9,reset,wdt\n12,end,\n")
    scenario = scope.scenarios.load(path, cars=set(), faults=set())
    capture = scope.record(scenario, BOARD, event="reset", before_ms=50, after_ms=2000)
    reset_us = ZERO_US + 9_000_000
    gap = [us for us, *_ in capture.ticks if reset_us < us < reset_us + 900_000]
    assert not gap and capture.ticks[-1][0] > reset_us + 1_900_000
    assert capture.reads[-1][0] > reset_us + 1_900_000
    scope_png.png(capture, tmp_path / "reset.png")
    assert scope_text.text(capture, 80, True)


def test_before_and_after_are_counted_from_the_cause():
    capture = scope.record(BUILT_IN, BOARD, event="unplug", before_ms=7, after_ms=31.5)
    cause_us = capture.cause.us  # as soon as the plant had its turn
    assert UNPLUG_US <= cause_us < UNPLUG_US + 4_000
    assert (capture.from_us, capture.to_us) == (cause_us - 7_000, cause_us + 31_500)


# What is drawn ------------------------------------------------------------------------------


def test_the_picture_has_bands_reads_plateaus_and_marks(unplug, tmp_path):
    path = tmp_path / "picture"
    scope_png.png(unplug, path)
    with Image.open(path) as image:
        assert image.format == "PNG" and image.size == scope_png.SIZE
        colours = image.convert("RGB").getcolors(1 << 24)
    counts = {colour: n for n, colour in colours}
    for name, colour in scope_png.BAND_COLOURS.items():
        assert counts.get(colour, 0) > 10_000, name
    for name in "CA":
        assert counts.get(scope_png.LETTER_COLOURS[name], 0) > 1000, name
    for colour in (scope_png.READ_COLOUR, scope_png.HIGH_COLOUR, scope_png.LOW_COLOUR):
        assert sum(n for n, pixel in colours if near(colour, pixel)) > 500, colour


def test_the_high_plateau_is_drawn_in_the_band_of_its_letter(unplug, tmp_path):
    path = tmp_path / "picture.png"
    scope_png.png(unplug, path)
    with Image.open(path) as image:
        image = image.convert("RGB")
    edges = {}
    for half, letter in ((0.16, "C"), (0.9, "A")):  # before the unplug, and long after it
        lanes_y, left = 620, round(half * image.width)
        band = [y for x in range(left, left + 120) for y in range(lanes_y)
                if image.getpixel((x, y)) == scope_png.BAND_COLOURS[letter]]
        for x in range(left, left + 120):  # past a burst, whose dots may cover the plateau
            column = [image.getpixel((x, y)) for y in range(lanes_y)]
            plateau = [y for y in range(lanes_y) if near(scope_png.HIGH_COLOUR, column[y])]
            if plateau:
                break
        assert plateau and min(band) < min(plateau) <= max(plateau) < max(band)
        edges[letter] = min(plateau)
    assert edges["A"] < edges["C"]


def test_a_long_window_is_drawn_too(tmp_path):
    capture = scope.record(BUILT_IN, BOARD, at_s=3, before_ms=2900, after_ms=3000)
    path = tmp_path / "long.png"
    scope_png.png(capture, path)
    assert path.stat().st_size > 10_000
    assert len(capture.reads) > 64 * 580


@pytest.mark.parametrize("width", [60, 100, 250])
@pytest.mark.parametrize("plain", [True, False])
def test_the_text_plot_shows_cause_letters_and_contactor(unplug, width, plain):
    lines = scope_text.text(unplug, width, plain)
    assert max(map(len, lines)) <= width and len(lines) <= 25
    assert "".join(lines).isascii() == plain
    rows = {line.split()[0]: line for line in lines[-5:]}
    letters = rows["letter"][11:]
    assert set(letters) == {"C", "A"} and letters == "".join(sorted(letters, reverse=True))
    on, off = ("#", "_") if plain else ("█", "▁")
    command, contacts = rows["command"][11:], rows["contacts"][11:]
    assert set(command) == set(contacts) == {on, off}
    assert command.index(off) == letters.index("A") < contacts.index(off)
    assert "63.0 A" in rows["offer"] and "+12 V" in rows["offer"]
    text = "\n".join(lines)
    assert unplug.cause.text in text and f"{unplug.latency_ms(unplug.reaction):.1f}" in text
    c_row = next(line for line in lines if "+6 V C" in line)
    a_row = next(line for line in lines if "+12 V A" in line)
    read = "o" if plain else "•"
    assert read in c_row and read in a_row
    assert c_row.index(read) < 11 + letters.index("A") < a_row.rindex(read)


def test_time_stands_below_the_plot_where_it_belongs(unplug):
    lines = scope_text.text(unplug, 100, True)
    axis = next(line for line in lines if line.split()[0] == "ms")
    plot = next(line for line in lines if "+9 V B" in line)
    assert axis.index(" 0 ") + 1 == plot.index("|", 11)


# The command --------------------------------------------------------------------------------


def test_the_command_draws_the_built_in_scenario(tmp_path, unplug):
    png = tmp_path / "scope.png"
    done = run("--png", png, "--width", 90, PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and done.stderr == ""
    assert unplug.verdict() in done.stdout and done.stdout.isascii()
    assert str(png) in done.stdout and png.exists()
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 90


def test_another_seed_is_another_unit():
    first, second = (run("--seed", seed).stdout for seed in (1, 2))
    assert first != second and run("--seed", 2).stdout == second


def test_commands_to_a_broker_are_left_out_and_that_is_said(tmp_path):
    done = run(written(tmp_path, "1,plug,\n2,ready,\n3,cmd,cmd/limit 8\n8,unplug,\n9,end,\n"))
    assert done.returncode == 0 and "unplug" in done.stdout
    assert "1 cmd or broker" in done.stderr


@pytest.mark.parametrize("args, words", [
    (("--at", "99"), ("--at 99", "0 to 16 s")),
    (("--at", "-1"), ("--at -1", "number from 0")),
    (("--at", "soon"), ("--at soon", "number from 0")),
    (("--at", "nan"), ("--at nan",)),
    (("--event", "welded"), ("never happens", "unplug")),
    (("--event", "unplugged"), ("no such event", "unplug")),
    (("--event", "cmd"), ("without a broker",)),
    (("--before", "9000"), ("6 s",)),
    (("--before", "0", "--after", "0"), ("6 s",)),
    (("--board", "nope"), ("nope", "reference-3p")),
    (("no_such.csv",), ("no_such.csv", "cannot be read")),
    (("--png", "/no/such/place.png"), ("/no/such/place.png", "cannot be written")),
])
def test_what_cannot_work_is_said_in_one_line(args, words):
    done = run(*args)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr


# What a device has recorded ------------------------------------------------------------------


@pytest.fixture(scope="module")
def device_event(tmp_path_factory):
    """The `event` of a pilot shorted under load, as a subscriber has it, in a file."""
    folder = tmp_path_factory.mktemp("event")
    with Connected(folder / "s") as station:
        station.charger.advance(8)
        station.charge(seconds=8)
        station.charger.do("fault", {"name": "cp_short", "value": None})
        assert station.until(lambda: any(b'"before"' in e for e in station.values("event")))
        (payload,) = (e for e in station.values("event") if b'"before"' in e)
    (folder / "event.json").write_bytes(payload)
    return folder / "event.json"


def test_half_second_of_a_device_is_drawn_as_it_was(device_event, tmp_path):
    before = json.loads(device_event.read_text())["before"]
    done = run("--record", device_event, "--png", tmp_path / "p.png", "--width", 100)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    opened_ms = before["ms"][before["closed"].rindex("1") + 1]
    assert lines[1].startswith("1-1 ") and f"told to open at {opened_ms} ms" in done.stdout
    (letters,) = (line.split("│")[1] for line in lines if line.strip().startswith("letter"))
    assert letters[0] == before["state"][0] == "C" and letters.rstrip()[-1] == before["state"][-1]
    (contacts,) = (line.split("│")[1] for line in lines if line.strip().startswith("contacts"))
    assert contacts.strip() == "", "a device does not know them"
    assert sum(line.startswith("meter") for line in lines) == len(before["meter"]) >= 1
    with Image.open(tmp_path / "p.png") as picture:
        assert picture.size == scope_png.SIZE


def test_an_event_is_also_read_from_stdin(device_event):
    done = subprocess.run(
        [sys.executable, "-m", "pilotwire.cli", "scope", "--record", "-"], env=ENV,
        stdin=device_event.open(), capture_output=True, encoding="utf-8", check=False, timeout=60,
    )
    assert done.returncode == 0 and done.stdout == run("--record", device_event).stdout


@pytest.mark.parametrize(("text", "words"), [
    (None, "No such file"),
    ("{", "not the JSON of one event"),
    ("[]", "no event with `before`"),
    ('{"event":"boot"}', "no event with `before`"),
    ('{"before":{"ms":[0]}}', "not as the contract has it"),
])
def test_what_is_no_event_of_a_device_is_refused_in_one_line(tmp_path, text, words):
    path = tmp_path / "e.json"
    if text is not None:
        path.write_text(text)
    done = run("--record", path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert words in done.stderr and str(path) in done.stderr
