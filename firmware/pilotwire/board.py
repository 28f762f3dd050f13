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


def _lock(spec):
    """The socket's lock, or None."""
    if "lock" not in spec:
        return None
    lock = _need(spec, "lock", dict)
    if "proximity" not in spec:
        raise BoardError("board.json: a lock needs a socket: proximity")
    if len(_need(spec, "lock.pins", list)) not in (1, 2):
        raise BoardError("board.json: lock.pins must be two pins (to lock, to open) or one")
    if not 50 <= _need(spec, "lock.pulse_ms", int) <= 400:  # four tries in 2 s (decide/lock.py)
        raise BoardError("board.json: lock.pulse_ms must be 50 to 400")
    _need(spec, "lock.feedback_pin", int)
    lock["locked_level"] = lock.get("locked_level", 0)
    if lock["locked_level"] not in (0, 1):
        raise BoardError("board.json: lock.locked_level must be 0 or 1")
    return lock


def _phases(spec, board):
    """Phases that the station has, 1 or 3. contactor.phase_pin switches between them."""
    phases = spec.get("phases", 3)
    if phases not in (1, 3):
        raise BoardError("board.json: phases must be 1 or 3")
    if "phase_pin" in board.contactor:
        if phases != 3:
            raise BoardError("board.json: contactor.phase_pin needs three phases")
        if "phase_aux_pin" in board.contactor:
            _need(spec, "contactor.phase_aux_pin", int)
    return phases


def _released(spec, board):
    """What moves something is let go by boot.py before anything else runs; no pin serves twice."""
    pins = [_need(spec, "contactor.pin", int)] + (board.lock["pins"] if board.lock else [])
    if "phase_pin" in board.contactor:
        pins.append(_need(spec, "contactor.phase_pin", int))
    for pin in pins:
        if pin not in CONTACTOR_PINS:
            raise BoardError(
                "board.json: contactor.pin, contactor.phase_pin and lock.pins must be 25, 26, 27, 32"
                " or 33 (see boot.py)"
            )
    pins.append(board.pilot["pwm_pin"])
    if len(set(pins)) < len(pins):
        raise BoardError("board.json: a pin of contactor, lock and pilot.pwm_pin is there twice")


def load(path):
    """Settings: name, rating_ma, phases, ventilation, and the dicts contactor, pilot, proximity, lock,
    meter, led, display.

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
    board.pilot = _need(spec, "pilot", dict)
    for key in ("adc_pin", "pwm_pin", "counts_at_plus12", "counts_at_minus12"):
        _need(spec, "pilot." + key, int)
    if board.pilot["counts_at_plus12"] - board.pilot["counts_at_minus12"] < 1000:
        raise BoardError("board.json: pilot levels are too close together")
    if not 6000 <= board.rating_ma <= 80000:
        raise BoardError("board.json: rated_a must be 6 to 80")
    board.proximity = _proximity(spec)
    board.lock = _lock(spec)
    board.phases = _phases(spec, board)
    _released(spec, board)
    board.ventilation = _need(spec, "ventilation", bool) if "ventilation" in spec else False
    board.meter = spec.get("meter")
    board.led = spec.get("led")
    board.display = spec.get("display")
    return board
