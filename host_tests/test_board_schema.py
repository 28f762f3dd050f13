"""boards/board.schema.json and what the device takes (firmware/pilotwire/board.py) are one."""

import copy
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pilotwire import board as board_file
from pilotwire import board_check, board_spec
from pilotwire.charger import ROOT

BOARDS = sorted(ROOT.glob("boards/*/board.json"))
SPECS = {path.parent.name: json.loads(path.read_text()) for path in BOARDS}
# What lies between members: a JSON Schema has no words for it, and the check has.
BETWEEN = ("pilot levels are too close together", "proximity.pull_up_ohm does not suit the ADC")
MISSING = object()


class _File:
    """What json.load() and `with` ask of a file."""

    def __init__(self, text):
        self.read = lambda: text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def device_says(spec):
    """What the device refuses, "" when it takes it. No other error may leave it."""
    board_file.open = lambda _: _File(json.dumps(spec))
    try:
        board_file.load("board.json")
        return ""
    except board_file.BoardError as error:
        return str(error)
    finally:
        del board_file.open


def agree(spec):
    says, fits = device_says(spec), board_spec.validator().is_valid(spec)
    pins = [use.pin for use in board_spec.uses(spec)]
    if not says:
        without_meter = {key: value for key, value in spec.items() if key != "meter"}
        assert board_spec.validator().is_valid(without_meter), "the device takes what the schema does not"
    elif fits:
        shared = len(pins) > len(set(pins)) and says.endswith("is no free GPIO")
        assert shared or says.endswith(BETWEEN), says
    if says:
        found = board_check.problems(spec)
        assert any(one.severity == "error" for one in found), f"the check does not say: {says}"
    return says


def places():
    """(section, member) of all that the schema knows."""
    for section, form in board_spec.sections().items():
        for name in form["properties"]:
            yield section.partition(":")[0], name


PLACES = sorted(set(places()) | {("contactor", "rated"), ("", "rcd")})
VALUES = st.one_of(
    st.just(MISSING), st.none(), st.booleans(), st.integers(-2, 130), st.integers(-5000, 50000),
    st.floats(allow_nan=False), st.sampled_from((27.0, 1.0, 0.0, "dynamic", "rgb", "none", "tm1637")),
    st.text(max_size=3), st.lists(st.integers(-1, 41), max_size=4), st.just({}),
    st.lists(st.sampled_from((25, 26, 27, 32, 33)), max_size=3),
)

ENDS = (
    MISSING, None, True, -1, 0, 1, 2, 3, 5, 6, 24, 37, 40, 49, 50, 80, 81, 400, 401, 2866, 27.0, "x", [],
    {},
)


def put(spec, section, name, value):
    inside = spec.setdefault(section, {}) if section else spec
    if not isinstance(inside, dict):
        return
    if value is MISSING:
        inside.pop(name, None)
    else:
        inside[name] = value


@given(st.sampled_from(sorted(SPECS)), st.lists(st.tuples(st.sampled_from(PLACES), VALUES), max_size=3))
@example("reference-3p", [(("led", "pin"), 27)])
@example("reference-3p", [(("pilot", "counts_at_minus12"), 900)])
@example("reference-3p-socket", [(("proximity", "pull_up_ohm"), 330)])
@example("reference-3p", [(("", "name"), "a\n")])
def test_device_and_schema_take_and_refuse_the_same(name, changes):
    spec = copy.deepcopy(SPECS[name])
    for (section, member), value in changes:
        put(spec, section, member, value)
    agree(spec)


@pytest.mark.parametrize("section, name", PLACES)
def test_each_member_by_itself(section, name):
    """Missing, of another kind, at its ends; these boards have every section."""
    for board in ("reference-3p", "reference-3p-socket", "reference-1p-digits"):
        for value in ENDS:
            spec = copy.deepcopy(SPECS[board])
            put(spec, section, name, value)
            agree(spec)


def test_neither_knows_a_member_that_the_other_does_not():
    device = {}
    for line in board_file._FORM.splitlines():
        section, *words = line.split()
        device[section] = {word.replace(":", "?").split("?")[0] for word in words}
    schema = {key.replace(": ", ".") or "board": set(form["properties"])
              for key, form in board_spec.sections().items() if not key.startswith("meter")}
    assert device == schema


def test_the_schema_is_one_and_each_member_of_it_is_described():
    Draft202012Validator.check_schema(board_spec.schema())
    for section, form in board_spec.sections().items():
        assert form.get("additionalProperties") is False, section
        for name, member in form["properties"].items():
            assert len(member["description"]) >= 2 and member["description"].endswith((".", "**")), name


@pytest.mark.parametrize("name", SPECS)
def test_every_board_of_ours_fits(name):
    assert agree(SPECS[name]) == "" and board_spec.validator().is_valid(SPECS[name])


def test_the_schema_lets_the_pins_go_that_boot_py_does():
    source = (ROOT / "firmware/boot.py").read_text()
    pins = board_spec.schema()["$defs"]["contactor_pin"]["enum"]
    assert f"for _pin in ({', '.join(map(str, pins))}):" in source
    assert tuple(pins) == board_file.CONTACTOR_PINS
