"""board.json: what hardware this is. Read once at the start.

What may stand there is said in full by boards/board.schema.json, and `pilotwire board check` looks for
more. This is what the device itself refuses.
"""

import json

from pilotwire.once import Settings


CONTACTOR_PINS = (25, 26, 27, 32, 33)  # those that boot.py releases before anything else


# Digital inputs: where the pin and its level are, the level's name, the bit (decide/reading.py). Each
# is 1 at the level that its name names. One trip line for both currents is ac_pin.
_INPUTS = (
    ("rcm", "ac_pin", "trip_level", 1),
    ("rcm", "dc_pin", "trip_level", 2),
    ("contactor", "aux_pin", "aux_closed", 4),
    ("contactor", "load_pin", "load_live", 8),
    ("inputs", "pe_pin", "pe_missing", 16),
    ("inputs", "pen_pin", "pen_open", 32),
    ("inputs", "lid_pin", "lid_open", 64),
    ("inputs", "button_pin", "button_pressed", 128),
)

# What may stand where; a misspelt monitor would else be none. After the name : where it must be there, or
# ?, and its kind: s text, b true or false, d an object, n an object or null, a number from-to (or from),
# and GPIOs: i in, w out, a an input of ADC1, r one of CONTACTOR_PINS, l one or two of these, k three out.
# In one text, because each short one that stands by itself stays in memory for good.
# Counts are those of 150 to 2450 mV, where the ADC is linear at 11 dB: 0.8056 mV x count + 142.
# A pixel takes 30 us, and as long again to fill in. A lock is tried four times in 2 s (decide/lock.py).
_FORM = """\
board name:s title?s rated_a:6-80 phases?1-3 ventilation?b contactor:d pilot:d proximity?d lock?d rcm?d \
inputs?d meter?n ntc?d led?n display?n
contactor pin:r rated_a?6-200 drive?s enable_pin?r aux_pin?i aux_closed?0-1 load_pin?i load_live?0-1 \
phase_pin?r phase_aux_pin?i phase_aux_closed?0-1
pilot pwm_pin:w adc_pin:a counts_at_plus12:10-2865 counts_at_minus12:10-2865
proximity adc_pin:a pull_up_ohm:1- supply_mv:1-
lock pins:l pulse_ms:50-400 feedback_pin:i locked_level?0-1
rcm ac_pin?i dc_pin?i trip_level:0-1 test_pin:w test_on:0-1
inputs pe_pin?i pe_missing?0-1 pen_pin?i pen_open?0-1 lid_pin?i lid_open?0-1 button_pin?i \
button_pressed?0-1
ntc adc_pin:a beta:1- ohm_25:1- pull_up_ohm:1- supply_mv:1-
led.ws2812 kind:s pin:w n?1-16
led.rgb kind:s pins:k
led.single kind:s pin:w
display.ssd1306 kind:s i2c:0-1 scl:w sda:w addr:8-119
display.tm1637 kind:s clk:w dio:w
"""
# What is known of any meter's; its driver checks the rest.
_METER = "chip:s sck?w mosi?w miso?i cs?w tx?w rx?i de?w phases?1-3"
_LEAST_SPAN = 2112  # so that the 1 V between two bands is twice the 44 counts of a plateau's noise
_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"  # it stands in JSON as it is
# Meters that a board may name although there is no driver yet: it then runs without one, and says so.
_LATER = ("sdm630",)


class BoardError(Exception):
    """The board file is missing or wrong; the text says what and where."""


def _refuse(path, says):
    raise BoardError("board.json: " + path + says)


def _member(path, value, kind, pins):
    """One value is of its kind; GPIOs go into `pins` with their path."""
    types = {"s": str, "b": bool, "d": dict, "n": (dict, type(None)), "l": list, "k": list}
    if not isinstance(value, types.get(kind, int)) or kind != "b" and isinstance(value, bool):
        _refuse(path, " has the wrong type")
    if kind == "l" and len(value) not in (1, 2):
        _refuse(path, " must be two pins (to lock, to open) or one")
    if kind == "k" and len(value) != 3:
        _refuse(path, " must be red, green and blue")
    if isinstance(value, list):
        for pin in value:
            _member(path, pin, "r" if kind == "l" else "w", pins)
    elif kind not in types:
        _number(path, value, kind, pins)


def _number(path, value, kind, pins):
    least, dash, most = kind.partition("-")
    if not dash:
        pins.append((path, value))
        if kind == "r" and value not in CONTACTOR_PINS:
            _refuse(path, " must be 25, 26, 27, 32 or 33 (see boot.py)")
        if kind == "a" and not 32 <= value <= 39:
            _refuse(path, " must be 32 to 39 (ADC1)")
        if kind == "w" and 34 <= value <= 39:
            _refuse(path, " must be an output, below 34")
    elif not most and value < 1:
        _refuse(path, " must be above 0")
    elif most and not int(least) <= value <= int(most):
        _refuse(path, " must be %s %s %s" % (least, "or" if most == "1" else "to", most))


def _section(found, prefix, form, pins, others=False):
    """All of `form` that must be there is, and of its kind; unless there may be `others`, no more."""
    known = {}
    for word in form.split():
        must = ":" in word
        key, kind = word.split(":" if must else "?")
        known[key] = must, kind
    for key in found:
        if key not in known and not others:
            _refuse(prefix + key, " is not known")
    for key in known:
        must, kind = known[key]
        if key in found:
            _member(prefix + key, found[key], kind, pins)
        elif must:
            _refuse(prefix + key, " is missing")


def _kinds(spec, name, forms, pins):
    """LED or display, by its kind; None = the board has none."""
    found = spec.get(name)
    if found is None:
        return None
    name += "."
    if "kind" not in found:
        _refuse(name, "kind is missing")
    kinds = sorted(key[len(name) :] for key in forms if key.startswith(name))
    if found["kind"] not in kinds:
        _refuse(name, "kind must be " + " or ".join(kinds))
    _section(found, name, forms[name + found["kind"]], pins)
    return found


def _pins_once(pins):
    """Every GPIO is one of the chip's, not the flash's (6 to 11), and serves one thing."""
    taken = []
    for path, pin in pins:
        if not 0 <= pin < 40 or 6 <= pin <= 11 or 28 <= pin < 32 or pin in (20, 24) or pin in taken:
            _refuse(path, " is no free GPIO")
        taken.append(pin)


def _pilot(pilot):
    if pilot["counts_at_plus12"] - pilot["counts_at_minus12"] < _LEAST_SPAN:
        raise BoardError("board.json: pilot levels are too close together")
    return pilot


def _proximity(found):
    """The socket's proximity pilot, or None: a tethered cable has none here."""
    if found:
        up_ohm, supply_mv = found["pull_up_ohm"], found["supply_mv"]
        # 75 to 2200 Ohm, the ends of the coding table, in the ADC's linear range (sense/proximity.py).
        if not 150 * (75 + up_ohm) <= 75 * supply_mv <= 2200 * supply_mv <= 2450 * (2200 + up_ohm):
            _refuse("proximity.pull_up_ohm", " does not suit the ADC")
    return found


def _inputs(spec):
    """[(GPIO, level, bit)] of the digital inputs that the board has."""
    found = []
    for section, pin, level, bit in _INPUTS:
        inside = spec.get(section, ())
        if pin in inside:
            if level not in inside:
                _refuse(section + "." + level, " is missing")
            found.append((inside[pin], inside[level], bit))
    return found


def _test(rcm):
    """[GPIO, level] of the residual current monitor's test input, None without a monitor."""
    if rcm is None:
        return None
    if not ("ac_pin" in rcm or "dc_pin" in rcm):
        raise BoardError("board.json: rcm needs ac_pin, dc_pin or both")
    return [rcm[key] for key in "test_pin test_on".split()]  # one text, as above


def _lock(spec):
    """The socket's lock, or None."""
    lock = spec.get("lock")
    if lock is None:
        return None
    if "proximity" not in spec:
        raise BoardError("board.json: a lock needs a socket: proximity")
    lock["locked_level"] = lock.get("locked_level", 0)
    return lock


def _contactor(found, phases):
    if found.get("drive", "level") not in ("level", "dynamic"):
        _refuse("contactor.drive", " must be level or dynamic")
    if "phase_pin" in found and phases != 3:
        _refuse("contactor.phase_pin", " needs three phases")
    return found


def _meter(spec, board, pins):
    """The meter's settings, which its driver checks, or None."""
    meter = spec.get("meter")
    board.no_driver = ""
    if meter is None:
        return None
    _section(meter, "meter.", _METER, pins, True)
    if meter["chip"] in _LATER:
        try:
            __import__("pilotwire.sense.meter." + meter["chip"])
        except ImportError:
            board.no_driver = meter["chip"]
            return None
    return meter


def load(path):
    """Settings: name, rating_ma, phases, measured (how many of them), ventilation, the dicts contactor,
    pilot, proximity, lock, meter, led, display; no_driver, the meter that nobody can read, or "";
    inputs, a (GPIO, level, bit) each; rcm_test, [GPIO, level] or None.

    Raises BoardError, which says what is wrong.
    """
    board = Settings()
    try:
        with open(path) as file:
            spec = json.load(file)
    except (OSError, ValueError) as error:
        raise BoardError("board.json cannot be read: %s" % error)
    if not isinstance(spec, dict):
        raise BoardError("board.json must hold an object")
    pins, forms = [], {}
    for line in _FORM.split("\n"):
        name, _, form = line.partition(" ")
        forms[name] = form
    _section(spec, "", forms["board"], pins)
    for name in spec:
        if name in forms:
            _section(spec[name], name + ".", forms[name], pins)
    board.name = spec["name"]
    if not 1 <= len(board.name) <= 32 or board.name.strip(_NAME):
        _refuse("name", " must be 1 to 32 of a-z, 0-9 and -")
    board.rating_ma = spec["rated_a"] * 1000
    board.phases = spec.get("phases", 3)
    if board.phases == 2:
        _refuse("phases", " must be 1 or 3")
    board.contactor = _contactor(spec["contactor"], board.phases)
    board.pilot = _pilot(spec["pilot"])
    board.ntc = spec.get("ntc")
    board.proximity = _proximity(spec.get("proximity"))
    board.inputs = _inputs(spec)
    board.rcm_test = _test(spec.get("rcm"))
    board.lock = _lock(spec)
    board.ventilation = spec.get("ventilation", False)
    board.meter = _meter(spec, board, pins)
    board.measured = min(board.phases, board.meter.get("phases", 3)) if board.meter else 0
    board.led = _kinds(spec, "led", forms, pins)
    board.display = _kinds(spec, "display", forms, pins)
    _pins_once(pins)
    return board
