"""What board.json may say of LED and display, and that a wrong word is named before anything starts."""

import json

import pytest

from pilotwire import board
from pilotwire.charger import ROOT


def load(tmp_path, **changed):
    spec = json.loads((ROOT / "boards/reference-1p-digits/board.json").read_text())
    file = tmp_path / "board.json"
    file.write_text(json.dumps({**spec, **changed}))
    return board.load(str(file))


@pytest.mark.parametrize("led", [
    {"kind": "ws2812", "pin": 4, "n": 16}, {"kind": "rgb", "pins": [16, 17, 13]},
    {"kind": "single", "pin": 2}, None,
])
@pytest.mark.parametrize("display", [
    {"kind": "ssd1306", "i2c": 0, "scl": 22, "sda": 21, "addr": 60},
    {"kind": "tm1637", "clk": 22, "dio": 21}, None,
])
def test_every_kind_is_taken_as_it_is(tmp_path, led, display):
    loaded = load(tmp_path, led=led, display=display)
    assert (loaded.led, loaded.display) == (led, display)


@pytest.mark.parametrize("changed, words", [
    ({"led": {"kind": "neon", "pin": 4}}, "led.kind must be rgb or single or ws2812"),
    ({"led": {"kind": "ws2812"}}, "led.pin is missing"),
    ({"led": {"kind": "ws2812", "pin": 4, "n": 17}}, "led.n must be 1 to 16"),
    ({"led": {"kind": "rgb", "pins": [1, 2]}}, "led.pins must be red, green and blue"),
    ({"led": {"kind": "rgb", "pins": 16}}, "led.pins has the wrong type"),
    ({"display": {"kind": "lcd"}}, "display.kind must be ssd1306 or tm1637"),
    ({"display": {"kind": "tm1637", "clk": 22}}, "display.dio is missing"),
    ({"display": {"kind": "ssd1306", "i2c": 0, "scl": 22, "sda": "x", "addr": 60}},
     "display.sda has the wrong type"),
    ({"display": "ssd1306"}, "display has the wrong type"),
    ({"display": {"addr": 60}}, "display.kind is missing"),
])
def test_a_wrong_led_or_display_is_named(tmp_path, changed, words):
    with pytest.raises(board.BoardError, match="^board.json: " + words + "$"):
        load(tmp_path, **changed)


@pytest.mark.parametrize("name", [path.parent.name for path in ROOT.glob("boards/*/board.json")])
def test_every_board_of_ours_is_taken(name):
    assert board.load(str(ROOT / "boards" / name / "board.json")).name == name
