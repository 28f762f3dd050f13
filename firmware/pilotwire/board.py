"""board.json: what hardware this is. Read once at the start."""

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


# What may stand where; a misspelt monitor would else be none. Meter, LED and display have their drivers.
_KNOWN = (
    ("", "name title rated_a phases ventilation contactor pilot proximity lock rcm inputs meter ntc led"
     " display"),
    ("contactor", "pin aux_pin aux_closed drive enable_pin load_pin load_live phase_pin phase_aux_pin"
     " phase_aux_closed"),
    ("pilot", "pwm_pin adc_pin counts_at_plus12 counts_at_minus12"),
    ("proximity", "adc_pin pull_up_ohm supply_mv"),
    ("lock", "pins pulse_ms feedback_pin locked_level"),
    ("rcm", "ac_pin dc_pin trip_level test_pin test_on"),
    ("inputs", "pe_pin pe_missing pen_pin pen_open lid_pin lid_open button_pin button_pressed"),
    ("ntc", "adc_pin beta ohm_25 pull_up_ohm supply_mv"),
)


def _known(spec):
    """Nothing stands there that nobody reads."""
    for section, names in _KNOWN:
        found = spec.get(section) if section else spec
        known = names.split()
        for key in found if isinstance(found, dict) else ():
            if key not in known:
                path = section + "." + key if section else key
                raise BoardError("board.json: " + path + " is not known")


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


def _ntc(spec):
    """The temperature sensor, or None."""
    if "ntc" not in spec:
        return None
    _adc_pin(spec, "ntc.adc_pin")
    for key in ("beta", "ohm_25", "pull_up_ohm", "supply_mv"):
        if _need(spec, "ntc." + key, int) <= 0:
            raise BoardError("board.json: ntc.%s must be above 0" % key)
    return spec["ntc"]


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


def _inputs(spec):
    """[(GPIO, level, bit)] of the digital inputs that the board has."""
    found = []
    for section, pin, level, bit in _INPUTS:
        if pin not in spec.get(section, ()):
            continue
        number = _need(spec, section + "." + pin, int)
        if _need(spec, section + "." + level, int) not in (0, 1):
            raise BoardError("board.json: %s.%s must be 0 or 1" % (section, level))
        found.append((number, spec[section][level], bit))
    return found


def _test(spec):
    """(GPIO, level) of the residual current monitor's test input, None without a monitor."""
    if "rcm" not in spec:
        return None
    if not ("ac_pin" in spec["rcm"] or "dc_pin" in spec["rcm"]):
        raise BoardError("board.json: rcm needs ac_pin, dc_pin or both")
    pin, level = _need(spec, "rcm.test_pin", int), _need(spec, "rcm.test_on", int)
    if pin >= 34 or level not in (0, 1):
        raise BoardError("board.json: rcm.test_pin must be an output and test_on its level")
    return pin, level


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
    """What moves something is let go by boot.py before anything else runs."""
    pins = [_need(spec, "contactor.pin", int)] + (board.lock["pins"] if board.lock else [])
    for key in ("enable_pin", "phase_pin"):
        if key in board.contactor:
            pins.append(_need(spec, "contactor." + key, int))
    for pin in pins:
        if pin not in CONTACTOR_PINS:
            raise BoardError(
                "board.json: contactor.pin, enable_pin and phase_pin and lock.pins must be 25, 26, 27,"
                " 32 or 33 (see boot.py)"
            )


_LED = {"ws2812": ("pin",), "rgb": ("pins",), "single": ("pin",)}
_DISPLAY = {"ssd1306": ("i2c", "scl", "sda", "addr"), "tm1637": ("clk", "dio")}
_MOST_PIXELS = 16  # writing them takes 30 us each, and as long again to fill in


def _shown(spec, name, kinds):
    """LED or display, None = the board has none."""
    if spec.get(name) is None:
        return None
    kind = _need(spec, name + ".kind", str)
    if kind not in kinds:
        raise BoardError("board.json: %s.kind must be %s" % (name, " or ".join(sorted(kinds))))
    for key in kinds[kind]:
        pins = _need(spec, name + "." + key, list if key == "pins" else int)
        if key == "pins" and len(pins) != 3:
            raise BoardError("board.json: led.pins must be red, green and blue")
    if not 1 <= spec[name].get("n", 1) <= _MOST_PIXELS:
        raise BoardError("board.json: led.n must be 1 to %d" % _MOST_PIXELS)
    return spec[name]


def load(path):
    """Settings: name, rating_ma, phases, measured (how many of them), ventilation, the dicts contactor,
    pilot, proximity, lock, meter, led, display; inputs, a (GPIO, level, bit) each; rcm_test, (GPIO,
    level) or None.

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
    _known(spec)
    board.name = _need(spec, "name", str)
    board.rating_ma = _need(spec, "rated_a", int) * 1000
    board.contactor = _need(spec, "contactor", dict)
    board.pilot = _pilot(spec)
    if not 6000 <= board.rating_ma <= 80000:
        raise BoardError("board.json: rated_a must be 6 to 80")
    board.ntc = _ntc(spec)
    board.proximity = _proximity(spec)
    board.inputs = _inputs(spec)
    board.rcm_test = _test(spec)
    board.lock = _lock(spec)
    board.phases = _phases(spec, board)
    _released(spec, board)
    board.ventilation = _need(spec, "ventilation", bool) if "ventilation" in spec else False
    board.meter = spec.get("meter")
    board.measured = min(board.phases, board.meter.get("phases", 3)) if board.meter else 0
    board.led = _shown(spec, "led", _LED)
    board.display = _shown(spec, "display", _DISPLAY)
    _pins_once(spec)
    return board
