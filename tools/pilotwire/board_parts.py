"""The parts of a board, from its board.json alone: boxes with signals, for the wiring picture. Pure.

Left are the parts that have a mains side too, right those without.
"""

from dataclasses import dataclass

LEFT, RIGHT = "left", "right"
TO_PART, TO_CHIP = "out", "in"  # seen from the ESP32


@dataclass(frozen=True)
class Signal:
    name: str
    pin: int
    way: str
    level: str  # what a level means, or what the part is set to


@dataclass(frozen=True)
class Part:
    title: str
    side: str
    signals: tuple
    mains: str = ""  # what it is on the mains side; | ends a line


def parts(spec):
    """[Part] in the order in which they are drawn."""
    made = (_contactor, _second, _rcm, _earth, _meter, _pilot, _proximity, _lock, _ntc, _inputs, _led,
            _display)
    found = [make(spec) for make in made]
    return [part for part in found if part and part.signals]


def _level(level, name):
    return f"{'high' if level else 'low'} = {name}"


def _volts(count):
    return f"{(count * 0.8056 + 142) / 1000:.2f} V"


def _pick(inside, rows):
    """Signals of those rows (name, pin's member, level's member, what it says) that are there."""
    return tuple(
        Signal(name, inside[pin], TO_CHIP, _level(inside.get(level, 0), says))
        for name, pin, level, says in rows if pin in inside
    )


def _contactor(spec):
    it = spec["contactor"]
    dynamic = it.get("drive") == "dynamic"
    signals = [Signal("coil", it["pin"], TO_PART,
                      "changes every 10 ms = on; pull-down" if dynamic else "high = on; pull-down")]
    if "enable_pin" in it:
        signals.append(Signal("enable", it["enable_pin"], TO_PART, "low = off at once; pull-down"))
    signals += _pick(it, (("auxiliary contact", "aux_pin", "aux_closed", "closed"),
                          ("voltage behind it", "load_pin", "load_live", "live")))
    title = "Contactor, dynamic drive" if dynamic else "Contactor, level drive"
    rated = f"|{it['rated_a']} A" if "rated_a" in it else ""
    poles = "N, L1" if spec.get("phases", 3) == 1 else "N, L1, L2, L3"
    return Part(title, LEFT, tuple(signals), f"contactor|{poles}{rated}")


def _second(spec):
    it = spec["contactor"]
    if "phase_pin" not in it:
        return None
    signals = (Signal("coil", it["phase_pin"], TO_PART, "high = three phases; pull-down"),)
    signals += _pick(it, (("auxiliary contact", "phase_aux_pin", "phase_aux_closed", "closed"),))
    return Part("Second contactor", LEFT, signals, "second contactor|L2, L3")


def _rcm(spec):
    it = spec.get("rcm", {})
    both = "dc_pin" not in it or "ac_pin" not in it
    signals = _pick(it, (("trip, AC and DC" if both else "trip, AC", "ac_pin", "trip_level", "trip"),
                         ("trip, AC and DC" if both else "trip, DC", "dc_pin", "trip_level", "trip")))
    if signals:
        signals += (Signal("test", it["test_pin"], TO_PART, _level(it["test_on"], "test")),)
    return Part("Residual current monitor", LEFT, signals, "residual current monitor|ring")


def _earth(spec):
    signals = _pick(spec.get("inputs", {}), (("earth", "pe_pin", "pe_missing", "missing"),
                                             ("PEN", "pen_pin", "pen_open", "open")))
    return Part("Earth monitor", LEFT, signals, "earth monitor")


def _meter(spec):
    it = spec.get("meter") or {}
    if it.get("chip") == "atm90e32":
        rows = (("SCK", "sck", TO_PART, f"SPI {it['spi']}, {it['baud'] // 1000} kHz"),
                ("MOSI", "mosi", TO_PART, "to the chip"), ("MISO", "miso", TO_CHIP, "from the chip"),
                ("CS", "cs", TO_PART, "low = selected; pull-up"))
        rings = "transformer" if it["phases"] == 1 else "transformers"
        title, mains = "Meter ATM90E32AS", f"meter|{it['phases']} current {rings}"
    elif it.get("chip") == "sdm630":
        rows = (("DI", "tx", TO_PART, f"UART {it['uart']}, {it['baud']} baud, address {it['address']}"),
                ("RO", "rx", TO_CHIP, "from the transceiver"),
                ("DE and /RE", "de", TO_PART, "high = it sends"))
        title, mains = "RS-485 to SDM630", "meter|SDM630"
    else:
        return None
    signals = tuple(Signal(name, it[pin], way, says) for name, pin, way, says in rows if pin in it)
    return Part(title, LEFT, signals, mains)


def _pilot(spec):
    it = spec["pilot"]
    levels = f"-12 V: {_volts(it['counts_at_minus12'])}, +12 V: {_volts(it['counts_at_plus12'])}"
    return Part("Control pilot (CP), to the car", RIGHT, (
        Signal("1 kHz out", it["pwm_pin"], TO_PART, "high = +12 V; pull-down"),
        Signal("pilot in", it["adc_pin"], TO_CHIP, levels),
    ))


def _proximity(spec):
    it = spec.get("proximity")
    return it and Part("Proximity pilot (PP), socket", RIGHT, (
        Signal("PP in", it["adc_pin"], TO_CHIP, f"{it['pull_up_ohm']} Ohm to {it['supply_mv'] / 1000} V"),
    ))


def _lock(spec):
    it = spec.get("lock")
    if not it:
        return None
    names = ("to lock", "to open") if len(it["pins"]) == 2 else ("hold",)
    says = f"high for {it['pulse_ms']} ms" if len(names) == 2 else "high = locked"
    signals = [Signal(name, pin, TO_PART, says + "; pull-down")
               for name, pin in zip(names, it["pins"], strict=True)]
    signals += _pick(it, (("feedback", "feedback_pin", "locked_level", "locked"),))
    return Part("Lock of the socket", RIGHT, tuple(signals))


def _ntc(spec):
    it = spec.get("ntc")
    return it and Part("Temperature sensor (NTC)", RIGHT, (
        Signal("NTC to ground", it["adc_pin"], TO_CHIP,
               f"{it['pull_up_ohm']} Ohm to {it['supply_mv'] / 1000} V"),
    ))


def _inputs(spec):
    signals = _pick(spec.get("inputs", {}), (("lid", "lid_pin", "lid_open", "open"),
                                             ("button", "button_pin", "button_pressed", "pressed")))
    return Part("Lid and button" if len(signals) > 1 else "Contact", RIGHT, signals)


def _led(spec):
    it = spec.get("led") or {}
    if it.get("kind") == "rgb":
        signals = tuple(Signal(name, pin, TO_PART, "high = on")
                        for name, pin in zip(("red", "green", "blue"), it["pins"], strict=True))
    else:
        says = "high = on" if it.get("kind") == "single" else f"WS2812, {it.get('n', 1)}"
        signals = (Signal("light", it["pin"], TO_PART, says),) if it else ()
    return Part("Status light", RIGHT, signals)


def _display(spec):
    it = spec.get("display") or {}
    if it.get("kind") == "ssd1306":
        return Part("Display SSD1306", RIGHT, (
            Signal("SCL", it["scl"], TO_PART, f"I2C {it['i2c']}, address 0x{it['addr']:02X}; pull-up"),
            Signal("SDA", it["sda"], TO_PART, "pull-up"),
        ))
    return it and Part("Display TM1637", RIGHT, (
        Signal("CLK", it["clk"], TO_PART, "pull-up"), Signal("DIO", it["dio"], TO_PART, "pull-up"),
    ))
