"""board.json: what hardware this is. Read once at the start."""

import json

from pilotwire.once import Settings


class BoardError(Exception):
    """The board file is missing or wrong; the text says what and where."""


def _need(spec, path, kind):
    value = spec
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            raise BoardError("board.json: " + path + " is missing")
        value = value[key]
    if not isinstance(value, kind):
        raise BoardError("board.json: " + path + " has the wrong type")
    return value


def load(path):
    """Settings: name, rating_ma, and the dicts contactor, pilot, meter, led, display; BoardError."""
    board = Settings()
    try:
        with open(path) as file:
            spec = json.load(file)
    except (OSError, ValueError) as error:
        raise BoardError("board.json cannot be read: %s" % error)
    board.name = _need(spec, "name", str)
    board.rating_ma = _need(spec, "rated_a", int) * 1000
    board.contactor = _need(spec, "contactor", dict)
    _need(spec, "contactor.pin", int)
    board.pilot = _need(spec, "pilot", dict)
    for key in ("adc_pin", "pwm_pin", "counts_at_plus12", "counts_at_minus12"):
        _need(spec, "pilot." + key, int)
    if board.pilot["counts_at_plus12"] - board.pilot["counts_at_minus12"] < 1000:
        raise BoardError("board.json: pilot levels are too close together")
    if not 6000 <= board.rating_ma <= 80000:
        raise BoardError("board.json: rated_a must be 6 to 80")
    board.meter = spec.get("meter")
    board.led = spec.get("led")
    board.display = spec.get("display")
    return board
