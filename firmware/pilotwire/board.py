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
    if not isinstance(value, kind) or kind is int and isinstance(value, bool):
        raise BoardError("board.json: " + path + " has the wrong type")
    return value


# Of the pilot at 11 dB: 150 to 2450 mV, where the ADC is linear (mV = 0.8056 x count + 142).
_LEAST_COUNT = 10
_MOST_COUNT = 2865
_LEAST_SPAN = 2112  # so that the 1 V between two bands is twice the 44 counts of a plateau's noise
_MORE_PINS = ("pins", "sck", "mosi", "miso", "cs", "scl", "sda", "clk", "dio")  # beside "..pin"


def _adc_pin(spec, path):
    if not 32 <= _need(spec, path, int) <= 39:
        raise BoardError("board.json: " + path + " must be 32 to 39 (ADC1)")


def _pilot(spec):
    """The pilot's pins and levels."""
    pilot = _need(spec, "pilot", dict)
    for key in ("counts_at_minus12", "counts_at_plus12"):
        if not _LEAST_COUNT <= _need(spec, "pilot." + key, int) <= _MOST_COUNT:
            raise BoardError(
                "board.json: pilot.%s must be %d to %d" % (key, _LEAST_COUNT, _MOST_COUNT)
            )
    if pilot["counts_at_plus12"] - pilot["counts_at_minus12"] < _LEAST_SPAN:
        raise BoardError("board.json: pilot levels are too close together")
    _adc_pin(spec, "pilot.adc_pin")
    if _need(spec, "pilot.pwm_pin", int) >= 34:
        raise BoardError("board.json: pilot.pwm_pin must be an output, below 34")
    return pilot


def _pins_once(spec):
    """Every GPIO exists, is not the flash's (6 to 11), and serves one thing."""
    taken = []
    for section in spec:
        if not isinstance(spec[section], dict):
            continue
        for key, pins in spec[section].items():
            if key[-3:] != "pin" and key not in _MORE_PINS:
                continue
            for pin in pins if isinstance(pins, list) else (pins,):
                if not isinstance(pin, int) or not 0 <= pin < 40 or 6 <= pin <= 11 or pin in taken:
                    raise BoardError("board.json: %s.%s is no free GPIO" % (section, key))
                taken.append(pin)


def _proximity(spec):
    """The socket's proximity pilot, or None: a tethered cable has none here."""
    if "proximity" not in spec:
        return None
    _adc_pin(spec, "proximity.adc_pin")
    for key in ("pull_up_ohm", "supply_mv"):
        _need(spec, "proximity." + key, int)
    found = spec["proximity"]
    up_ohm, supply_mv = found["pull_up_ohm"], found["supply_mv"]
    # 75 to 2200 Ohm, the ends of the coding table, in the ADC's linear range (sense/proximity.py).
    if not 150 * (75 + up_ohm) <= 75 * supply_mv <= 2200 * supply_mv <= 2450 * (2200 + up_ohm):
        raise BoardError("board.json: proximity.pull_up_ohm does not suit the ADC")
    return found


def load(path):
    """Settings: name, rating_ma, and the dicts contactor, pilot, proximity, meter, led, display.

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
    board.pilot = _pilot(spec)
    _pins_once(spec)
    if not 6000 <= board.rating_ma <= 80000:
        raise BoardError("board.json: rated_a must be 6 to 80")
    board.proximity = _proximity(spec)
    board.meter = spec.get("meter")
    board.led = spec.get("led")
    board.display = spec.get("display")
    return board
