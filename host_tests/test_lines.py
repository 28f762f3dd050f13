"""Earth, PEN, lid, button, and the two witnesses of the contactor, from the levels of real inputs."""

import importlib
import json
import sys
import time

import machine
import pytest

from bench_car import Bench, closed, opened
from fault_station import Faulty
from pilotwire import board as board_file
from pilotwire.charger import ROOT
from pilotwire.decide.letters import A, B, C
from pilotwire.decide.reading import Reading

BOARD = ROOT / "boards/reference-3p/board.json"
SINGLE = ROOT / "boards/reference-1p/board.json"


@pytest.fixture
def station(tmp_path):
    with Faulty(tmp_path / "station") as station:
        yield station


def board_without(folder, section, key):
    """reference-3p without one input."""
    spec = json.loads(BOARD.read_text())
    del spec[section][key]
    path = folder / "changed.json"
    path.write_text(json.dumps(spec))
    return path


# Earth and PEN ---------------------------------------------------------------------------------


def test_a_missing_earth_opens_after_1_s(station):
    station.charge(seconds=6)
    at_us = station.inject("pe_lost", 5)
    assert 1000 <= station.opened_after_ms(at_us) <= 1100


def test_an_earth_that_is_missing_at_the_start_never_closes(tmp_path):
    with Faulty(tmp_path / "s") as station:
        station.inject("pe_lost", 2)
        station.cut_power()
        station.plug(100)
        assert station.codes() == ["3-1"] and not station.closings()


@pytest.mark.parametrize("lost_ms, well_ms, code", [(900, 200, []), (300, 50, ["3-1"])])
def test_an_earth_that_comes_and_goes(station, lost_ms, well_ms, code):
    """Well for a tenth of a second it is well; a bad contact that is never well for so long is not."""
    station.charge(seconds=6)
    start_us = station.charger.us
    for k in range(20):
        station.pulse(start_us + 1000 * (lost_ms + well_ms) * k, "pe_lost", 1000 * lost_ms)
    station.charger.advance(5)
    assert station.codes() == code and station.closed() == (not code)


def test_an_open_pen_opens_after_4_s(tmp_path):
    with Faulty(tmp_path / "s", board=SINGLE) as station:
        station.charge(seconds=6)
        at_us = station.inject("pen_open", 3.9)
        station.clear("pen_open", 1)
        assert station.opened_after_ms(at_us) is None
        at_us = station.inject("pen_open", 6)
        assert 4000 <= station.opened_after_ms(at_us) <= 4120


# Lid -------------------------------------------------------------------------------------------


def test_an_open_lid_warns_after_1_s_charging_goes_on_and_it_clears_at_once(station):
    station.charge(seconds=6)
    at_us = station.inject("lid_open", 0.9)
    assert station.codes() == []
    station.charger.advance(3)
    assert 1000 <= station.code_after_ms("8-4", at_us) <= 1100
    assert station.codes() == ["8-4"] and station.closed()
    assert station.shows("CHARGING")
    station.clear("lid_open", 0.2)
    assert station.codes() == []
    station.inject("lid_open", 2)
    station.cut_power()
    station.clear("lid_open", 0.2)
    assert station.codes() == []


# The contactor's two witnesses -----------------------------------------------------------------


@pytest.mark.parametrize("missing", [None, "aux_pin", "load_pin"])
def test_a_weld_is_7_3_within_300_ms_also_with_one_witness_alone(tmp_path, missing):
    board = board_without(tmp_path, "contactor", missing) if missing else BOARD
    with Faulty(tmp_path / "s", board=board) as station:
        station.charge(seconds=6)
        station.inject("welded", 1)
        end_us = station.charger.us
        station.unplug(2)
        opened_ms = station.opened_after_ms(end_us)
        assert 240 <= station.code_after_ms("7-3", end_us) - opened_ms <= 300
        assert station.codes() == ["7-3"]


@pytest.mark.parametrize("fault", ["load_live", "aux_stuck_closed"])
def test_witnesses_that_disagree_are_a_weld_that_only_service_clears(station, fault):
    station.charge(seconds=6)
    station.inject(fault, 1)
    end_us = station.charger.us
    station.unplug(2)
    assert 240 <= station.code_after_ms("7-3", end_us) - station.opened_after_ms(end_us) <= 300
    assert [codes for _, codes in station.code_log] == [["7-3"]]
    station.clear(fault)
    station.cut_power()
    station.plug(60)
    assert station.codes() == ["7-3"] and not station.closings(end_us)


@pytest.mark.parametrize("fault, missing", [
    ("no_close", None), ("no_close", "aux_pin"), ("no_close", "load_pin"),
    ("load_dead", None), ("aux_stuck_open", None),
])
def test_a_contactor_that_does_not_close_is_7_4_also_with_one_witness_alone(tmp_path, fault, missing):
    board = board_without(tmp_path, "contactor", missing) if missing else BOARD
    with Faulty(tmp_path / "s", board=board) as station:
        station.inject(fault)
        station.plug(3)
        (closed_us,) = station.closings()
        assert 500 <= station.opened_after_ms(closed_us) <= 600
        assert station.codes() == ["7-4"]
        station.charger.advance(400)
        assert len(station.closings()) == 4  # tried 3 times more
        assert station.codes() == ["7-4"]


def test_a_contactor_that_closed_once_and_then_no_more_is_7_4(tmp_path):
    with Faulty(tmp_path / "s", board=board_without(tmp_path, "contactor", "aux_pin")) as station:
        station.charge(seconds=3)
        station.unplug(8)
        station.inject("no_close")
        station.plug(3)
        assert station.codes() == ["7-4"]


def test_a_board_with_neither_witness_has_no_contactor_faults(tmp_path):
    spec = json.loads(BOARD.read_text())
    del spec["contactor"]["aux_pin"], spec["contactor"]["load_pin"]
    (tmp_path / "changed.json").write_text(json.dumps(spec))
    with Faulty(tmp_path / "s", board=tmp_path / "changed.json") as station:
        station.inject("no_close")
        station.plug(5)
        assert station.codes() == [] and station.closings()


def test_mains_that_fail_while_charging_are_not_the_contactors_fault(station):
    station.charge(seconds=6)
    station.charger.do("mains_v", [0])
    station.charger.advance(10)
    assert not {"7-3", "7-4"} & {code for _, codes in station.code_log for code in codes}


def test_voltage_that_fades_for_200_ms_after_opening_is_no_weld():
    bench = Bench(aux=False)
    bench.reading.load = 0
    bench.plug(C)
    bench.until(closed)
    bench.reading.load = 1
    bench.run(5000)
    bench.shows = A
    bench.until(opened)
    bench.run(200)
    bench.reading.load = 0
    assert bench.run(2000).shown() == ""


@pytest.mark.parametrize("stray", [0, 1])
def test_a_stray_sample_of_the_voltage_changes_nothing(stray):
    bench = Bench(aux=False)
    bench.reading.load = 0
    bench.plug(C)
    bench.until(closed)
    bench.reading.load = 1
    bench.run(5000)
    if stray:
        bench.shows = B
        bench.until(opened)
        bench.reading.load = 0
        bench.run(5000)
    for _ in range(20):
        bench.reading.load = stray
        bench.tick()
        bench.reading.load = 1 - stray
        bench.run(500)
    assert bench.shown() == ""


# Levels and pins -------------------------------------------------------------------------------


@pytest.fixture
def inputs(monkeypatch):
    """sense/inputs.py for CPython."""
    monkeypatch.setattr(time, "sleep_us", lambda us: None, raising=False)
    name = "pilotwire.sense.inputs"
    sys.modules.pop(name, None)
    yield importlib.import_module(name)
    sys.modules.pop(name)


def levels(inputs, monkeypatch, lines, r, after_ms=10):
    """(Inputs, what sets a pin's level and looks)."""
    pins = {}

    def value(pin):
        return pins.setdefault(pin.number, pin.level or 0)

    monkeypatch.setattr(machine.Pin, "value", value)
    seen = inputs.Inputs(lines)

    def look(**changes):
        pins.update({int(name[1:]): level for name, level in changes.items()})
        seen.look(r, after_ms)
        return r.lines

    return look


def test_each_line_is_one_bit_at_its_level(inputs, monkeypatch):
    r = Reading()
    look = levels(inputs, monkeypatch, [(35, 1, 1), (16, 0, 16), (14, 1, 64)], r)
    assert look(p35=0, p16=1, p14=0) == 0
    assert look(p35=1) == 1
    assert look(p16=0, p35=0) == 16
    assert look(p16=1, p14=1) == 64
    assert (r.aux, r.load, r.button) == (-1, -1, 0)


def test_feedback_is_known_from_the_first_look_on(inputs, monkeypatch):
    r = Reading()
    look = levels(inputs, monkeypatch, [(34, 0, 4), (17, 0, 8)], r)
    look(p34=1, p17=1)
    assert (r.aux, r.load) == (0, 0)
    look(p17=0)
    assert (r.aux, r.load) == (0, 1)
    look(p34=0)
    assert (r.aux, r.load) == (1, 1)


def test_a_button_counts_the_ms_it_is_held_and_neither_bounce_matters(inputs, monkeypatch):
    r = Reading()
    look = levels(inputs, monkeypatch, [(33, 0, 128)], r)
    look(p33=1)
    for level in (0, 1, 0, 1, 0, 0, 1, 1):
        look(p33=level)
        assert r.button == 0
    held = []
    for level in [0] * 20 + [1] + [0] * 20 + [1] * 2 + [0] * 20:
        look(p33=level)
        held.append(r.button)
    assert max(held[:2]) == 0 < held[3]
    assert all(b - a in (0, 10) for a, b in zip(held, held[1:], strict=False))
    assert 580 <= held[-1] <= 640
    for _ in range(5):
        look(p33=1)
    assert r.button == 0


def free_pins(name):
    """{GPIO: [what a board uses it for]}, from every key that names a pin."""
    spec = json.loads((ROOT / "boards" / name / "board.json").read_text())
    used = {}

    def walk(value, path):
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, [*path, key])
        elif path[-1].endswith("pin") or path[-1] in ("sck", "mosi", "miso", "cs", "scl", "sda"):
            used.setdefault(value, []).append(".".join(path))

    walk(spec, [])
    return used


@pytest.mark.parametrize("name", ["reference-1p", "reference-3p", "reference-3p-socket"])
def test_no_board_uses_a_pin_twice_or_one_that_is_not_free(name):
    used = free_pins(name)
    assert {pin: what for pin, what in used.items() if len(what) > 1} == {}
    not_on_the_module = {1, 3, 6, 7, 8, 9, 10, 11, 20, 24, 28, 29, 30, 31, 37, 38}
    strapping = {0, 2, 5, 12, 15}
    assert not used.keys() & not_on_the_module
    assert all(what == ["meter.cs"] for pin, what in used.items() if pin in strapping)
    readme = (ROOT / "boards" / name / "README.md").read_text()
    if name == "reference-3p-socket":
        readme += (ROOT / "boards/reference-3p/README.md").read_text()
    for pin in used:
        assert f" {pin}" in readme, f"GPIO {pin} is not in the table of {name}"


@pytest.mark.parametrize("section, change, said", [
    ("rcm", {"ac_pin": "35"}, "rcm.ac_pin"),
    ("rcm", {"ac_pin": 39}, "rcm.dc_pin is no free GPIO"),
    ("rcm", {"ac_pin": 7}, "rcm.ac_pin is no free GPIO"),
    ("rcm", {"trip_level": 2}, "rcm.trip_level must be 0 or 1"),
    ("rcm", {"test_pin": 34}, "rcm.test_pin must be an output"),
    ("rcm", {"test_on": None}, "rcm.test_on"),
    ("inputs", {"lid_open": None}, "inputs.lid_open"),
    ("contactor", {"load_live": "low"}, "contactor.load_live"),
])
def test_a_wrong_input_is_refused_with_its_name(tmp_path, section, change, said):
    spec = json.loads(BOARD.read_text())
    spec[section].update(change)
    (tmp_path / "board.json").write_text(json.dumps(spec))
    with pytest.raises(board_file.BoardError, match=said):
        board_file.load(tmp_path / "board.json")


def test_a_monitor_without_a_trip_line_is_refused(tmp_path):
    spec = json.loads(BOARD.read_text())
    del spec["rcm"]["ac_pin"], spec["rcm"]["dc_pin"]
    (tmp_path / "board.json").write_text(json.dumps(spec))
    with pytest.raises(board_file.BoardError, match="rcm needs ac_pin, dc_pin or both"):
        board_file.load(tmp_path / "board.json")


def test_a_board_without_any_of_them_needs_no_test_and_charges(tmp_path):
    spec = json.loads(BOARD.read_text())
    del spec["rcm"], spec["inputs"]
    (tmp_path / "changed.json").write_text(json.dumps(spec))
    with Faulty(tmp_path / "s", board=tmp_path / "changed.json") as station:
        station.charge(seconds=5)
        assert station.codes() == []


def test_a_stall_is_no_long_press(inputs, monkeypatch):
    r = Reading()
    look = levels(inputs, monkeypatch, [(5, 1, 128)], r)
    look(_5=0)
    for _ in range(5):
        look(_5=1)
    assert 0 < r.button < 100
    slow = levels(inputs, monkeypatch, [(5, 1, 128)], r, after_ms=4000)
    for _ in range(5):
        slow(_5=1)
    assert r.button < 3000


def test_a_button_that_was_never_seen_released_counts_as_held_for_ever(inputs, monkeypatch):
    r = Reading()
    look = levels(inputs, monkeypatch, [(5, 1, 128)], r)
    for _ in range(500):
        look(_5=1)
        assert r.button >= 3000
    look(_5=0)
    for _ in range(5):
        look()
    assert r.button == 0
