"""A board file or a pilot that cannot be right: a plain error or a named fault, nothing energised, and,
where a session was open, a record."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire import board as board_file
from pilotwire.charger import ROOT
from station import Connected, Lonely

BOARDS = sorted(ROOT.glob("boards/*/board.json"))
SOCKET = ROOT / "boards/reference-3p-socket/board.json"
GOOD = json.loads(SOCKET.read_text())
MISSING = object()


# The board file --------------------------------------------------------------------------------


def changed(path, value):
    spec = copy.deepcopy(GOOD)
    *sections, key = path.split(".")
    inside = spec
    for section in sections:
        inside = inside[section]
    if value is MISSING:
        del inside[key]
    else:
        inside[key] = value
    return spec


def load(folder, spec):
    (folder / "board.json").write_text(spec if isinstance(spec, str) else json.dumps(spec))
    return board_file.load(folder / "board.json")


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.parent.name)
def test_every_board_of_the_project_is_accepted(path):
    assert board_file.load(path).name == path.parent.name


@pytest.mark.parametrize("low, high", [(10, 2122), (10, 2865), (753, 2865)])
def test_levels_at_the_edges_of_what_is_possible_are_accepted(tmp_path, low, high):
    spec = changed("pilot.counts_at_minus12", low)
    spec["pilot"]["counts_at_plus12"] = high
    assert load(tmp_path, spec).pilot["counts_at_plus12"] == high


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("pilot", MISSING, "pilot is missing"),
        ("pilot", 7, "pilot has the wrong type"),
        ("pilot.counts_at_plus12", MISSING, "pilot.counts_at_plus12 is missing"),
        ("pilot.counts_at_plus12", "2802", "pilot.counts_at_plus12 has the wrong type"),
        ("pilot.counts_at_plus12", 2802.5, "pilot.counts_at_plus12 has the wrong type"),
        ("pilot.counts_at_plus12", True, "pilot.counts_at_plus12 has the wrong type"),
        # Outside the ADC, outside its linear range, the wrong way round, too close together.
        ("pilot.counts_at_plus12", 5000, "pilot.counts_at_plus12 must be 10 to 2865"),
        ("pilot.counts_at_plus12", 2866, "pilot.counts_at_plus12 must be 10 to 2865"),
        ("pilot.counts_at_minus12", -1, "pilot.counts_at_minus12 must be 10 to 2865"),
        ("pilot.counts_at_minus12", 9, "pilot.counts_at_minus12 must be 10 to 2865"),
        ("pilot.counts_at_minus12", 2802, "pilot levels are too close together"),
        ("pilot.counts_at_plus12", 71, "pilot levels are too close together"),
        ("pilot.counts_at_plus12", 72 + 2111, "pilot levels are too close together"),
        # Pins that cannot do it.
        ("pilot.adc_pin", MISSING, "pilot.adc_pin is missing"),
        ("pilot.adc_pin", 31, r"pilot.adc_pin must be 32 to 39 \(ADC1\)"),
        ("pilot.adc_pin", 40, r"pilot.adc_pin must be 32 to 39 \(ADC1\)"),
        ("proximity.adc_pin", 2, r"proximity.adc_pin must be 32 to 39 \(ADC1\)"),
        ("pilot.pwm_pin", 34, "pilot.pwm_pin must be an output, below 34"),
        ("pilot.pwm_pin", 39, "pilot.pwm_pin must be an output, below 34"),
        ("pilot.pwm_pin", -1, "pilot.pwm_pin is no free GPIO"),
        ("pilot.pwm_pin", 6, "pilot.pwm_pin is no free GPIO"),
        ("meter.cs", 11, "meter.cs is no free GPIO"),
        ("led.pin", 40, "led.pin is no free GPIO"),
        # Misspelt: a monitor that nobody reads is none.
        ("rdc", {"ac_pin": 35}, "rdc is not known"),
        ("contactor.aux_pni", 34, "contactor.aux_pni is not known"),
        ("inputs", {"pe_pni": 16}, "inputs.pe_pni is not known"),
        ("led.pin", "4", "led.pin has the wrong type"),
    ],
)
def test_impossible_pilot_is_refused_by_name(tmp_path, path, value, says):
    with pytest.raises(board_file.BoardError, match="^board.json: " + says + "$"):
        load(tmp_path, changed(path, value))


@pytest.mark.parametrize("path", [
    "contactor.pin", "contactor.aux_pin", "pilot.adc_pin", "proximity.adc_pin", "meter.cs", "meter.sck",
    "led.pin", "display.sda",
])
def test_two_things_at_one_pin_are_refused(tmp_path, path):
    section, key = path.split(".")
    for other in ("contactor.pin", "pilot.pwm_pin", "pilot.adc_pin", "meter.miso", "display.scl"):
        spec = changed(path, GOOD[section][key])
        inside, name = other.split(".")
        spec[inside][name] = GOOD[section][key]
        if path != other:
            with pytest.raises(board_file.BoardError, match="is no free GPIO|must be"):
                load(tmp_path, spec)


def test_three_pins_in_a_list_count_too(tmp_path):
    spec = changed("led", {"kind": "rgb", "pins": [16, 17, 25]})  # 25 is the pilot's
    with pytest.raises(board_file.BoardError, match="is no free GPIO"):
        load(tmp_path, spec)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "null", '"x"', '{"pilot": {}}', SOCKET.read_text()[:300]]
)
def test_broken_file_is_a_plain_error(tmp_path, text):
    with pytest.raises(board_file.BoardError, match="^board.json"):
        load(tmp_path, text)


def test_missing_file_is_a_plain_error(tmp_path):
    with pytest.raises(board_file.BoardError, match="cannot be read"):
        board_file.load(tmp_path / "board.json")


ANY = st.one_of(
    st.none(), st.booleans(), st.integers(-5000, 5000), st.floats(allow_nan=False), st.text(max_size=3),
    st.lists(st.integers(0, 40), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
PLACES = [("pilot", key) for key in GOOD["pilot"]] + [("proximity", key) for key in GOOD["proximity"]]
PLACES += [("contactor", "pin"), ("contactor", "aux_pin"), ("meter", "cs"), ("led", "pin")]


@given(st.lists(st.tuples(st.sampled_from(PLACES), ANY), min_size=1, max_size=4))
def test_whatever_stands_there_is_accepted_or_refused_and_what_is_accepted_can_be(changes):
    spec = copy.deepcopy(GOOD)
    for (section, key), value in changes:
        spec[section][key] = value
    board_file.open = lambda _: _File(json.dumps(spec))
    try:
        pilot = board_file.load("board.json").pilot
    except board_file.BoardError as error:
        assert str(error).startswith("board.json: ")
        return
    finally:
        del board_file.open
    low, high = pilot["counts_at_minus12"], pilot["counts_at_plus12"]
    assert 150 <= 0.8056 * low + 142 < 0.8056 * high + 142 <= 2451
    assert (high - low) / 24 >= 2 * 44  # 1 V, and the noise of a plateau
    assert 32 <= pilot["adc_pin"] <= 39 and 0 <= pilot["pwm_pin"] <= 33


class _File:
    """What json.load() and `with` ask of a file."""

    def __init__(self, text):
        self.read = lambda: text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.mark.parametrize("path, value", [
    ("pilot.counts_at_plus12", 3500), ("pilot.counts_at_minus12", 2900), ("led.pin", 36),
])
def test_station_with_a_bad_board_says_so_again_and_again_and_energises_nothing(tmp_path, path, value):
    (tmp_path / "bad.json").write_text(json.dumps(changed(path, value)))
    with Lonely(tmp_path / "s", board=tmp_path / "bad.json") as station:
        station.charger.do("plug", "no_s2")
        station.charger.advance(25)
        said = [line for line in station.charger.console if line.startswith("BoardError: board.json: ")]
        assert len(said) >= 2
        assert not station.seen("contactor")
        assert not [e for e in station.seen("pilot") if e["driven"] and e["duty"]]


# The pilot -------------------------------------------------------------------------------------


def inject(station, name):
    station.charger.do("fault", {"name": name, "value": None})


def record_after_unplugging(station):
    station.charger.do("unplug")
    assert station.until(lambda: station.backend.records)
    return list(station.backend.records.values())[-1]


def test_pilot_that_never_reaches_12_v_again_is_7_2_and_the_session_has_its_record(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charge(seconds=20)
        station.charger.do("s2", False)
        station.advance(2)
        inject(station, "pilot_weak")
        station.advance(2)
        record = record_after_unplugging(station)
        assert record["stop"] == "EVDisconnected" and record["energy_wh"] > 0
        station.advance(4)
        assert station.state()["faults"] == ["7-2"]
        assert not station.charger.look()["closed"]
        assert station.charger.look()["high_mv"] > 10_000  # steady: a car would be seen


def test_car_at_a_pilot_that_never_reaches_12_v_is_1_3_when_the_station_starts(tmp_path):
    with Lonely(tmp_path / "s") as station:
        inject(station, "pilot_weak")
        station.charger.do("plug", "generic")
        station.charger.advance(8)
        assert station.shows("1-3")
        assert not station.seen("contactor")


def test_proximity_between_two_ranges_under_load_is_1_4_and_in_the_record(tmp_path):
    with Connected(tmp_path / "s", board=SOCKET) as station:
        station.charge(seconds=20)
        inject(station, "pp_invalid")
        station.advance(10)
        assert not station.charger.look()["closed"]
        assert station.state()["faults"] == ["1-4"]
        assert record_after_unplugging(station)["faults"] == ["1-4"]


@pytest.mark.parametrize("load", [False, True])
def test_car_whose_s2_flickers_is_1_3_open_and_in_the_record(tmp_path, load):
    with Connected(tmp_path / "s") as station:
        if load:
            station.charge(seconds=20)
        else:
            station.charger.do("plug", "generic")
            station.advance(5)
        since_us = station.charger.us
        for k in range(400):
            station.charger.at(since_us + k * 20_000, "s2", k % 2 == 1)
        station.advance(8)
        closings = [e for e in station.events if e["e"] == "contactor" and e["on"]]
        assert len(closings) == load and not station.charger.look()["closed"]
        assert station.state()["faults"] == ["1-3"]
        assert record_after_unplugging(station)["faults"] == ["1-3"]
