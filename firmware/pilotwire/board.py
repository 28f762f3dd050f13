"""board.json: what hardware this is. Read once at the start."""

import json

from pilotwire.once import Settings


CONTACTOR_PINS = (25, 26, 27, 32, 33)  # those that boot.py releases before anything else


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


def _ntc(spec):
    """The temperature sensor, or None."""
    if "ntc" not in spec:
        return None
    for key in ("adc_pin", "beta", "ohm_25", "pull_up_ohm", "supply_mv"):
        if _need(spec, "ntc." + key, int) <= 0:
            raise BoardError("board.json: ntc.%s must be above 0" % key)
    if not 32 <= spec["ntc"]["adc_pin"] <= 39:
        raise BoardError("board.json: ntc.adc_pin must be 32 to 39 (ADC1)")
    return spec["ntc"]


def _proximity(spec):
    """The socket's proximity pilot, or None: a tethered cable has none here."""
    if "proximity" not in spec:
        return None
    for key in ("adc_pin", "pull_up_ohm", "supply_mv"):
        _need(spec, "proximity." + key, int)
    found = spec["proximity"]
    up_ohm, supply_mv = found["pull_up_ohm"], found["supply_mv"]
    # 75 to 2200 Ohm, the ends of the coding table, in the ADC's linear range (sense/proximity.py).
    if not 150 * (75 + up_ohm) <= 75 * supply_mv <= 2200 * supply_mv <= 2450 * (2200 + up_ohm):
        raise BoardError("board.json: proximity.pull_up_ohm does not suit the ADC")
    return found


def load(path):
    """Settings: name, rating_ma, phases (that board and meter have), and the dicts contactor, pilot,
    proximity, meter, led, display.

    Raises BoardError, which says what is wrong.
    """
    board = Settings()
    try:
        with open(path) as file:
            spec = json.load(file)
    except (OSError, ValueError) as error:
        raise BoardError("board.json cannot be read: %s" % error)
    board.name = _need(spec, "name", str)
    board.rating_ma = _need(spec, "rated_a", int) * 1000
    board.contactor = _need(spec, "contactor", dict)
    if _need(spec, "contactor.pin", int) not in CONTACTOR_PINS:
        raise BoardError("board.json: contactor.pin must be 25, 26, 27, 32 or 33 (see boot.py)")
    board.pilot = _need(spec, "pilot", dict)
    for key in ("adc_pin", "pwm_pin", "counts_at_plus12", "counts_at_minus12"):
        _need(spec, "pilot." + key, int)
    if board.pilot["counts_at_plus12"] - board.pilot["counts_at_minus12"] < 1000:
        raise BoardError("board.json: pilot levels are too close together")
    if not 6000 <= board.rating_ma <= 80000:
        raise BoardError("board.json: rated_a must be 6 to 80")
    board.ntc = _ntc(spec)
    board.proximity = _proximity(spec)
    board.meter = spec.get("meter")
    board.phases = spec.get("phases", 3)
    if board.meter:
        board.phases = min(board.phases, board.meter.get("phases", 3))
    if board.phases not in (1, 2, 3):
        raise BoardError("board.json: phases must be 1, 2 or 3")
    board.led = spec.get("led")
    board.display = spec.get("display")
    return board
