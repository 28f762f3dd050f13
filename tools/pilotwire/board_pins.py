"""What each GPIO of an ESP32 can do and cannot, for the signals of a board. Pure.

From Espressif's datasheet (strapping, flash, input only, ADC1 and ADC2), from MicroPython's and from
firmware/boot.py. An error costs the boot, the signal or the safe state after a reset; a warning is for
the person who builds it.
"""

from pilotwire.board_spec import ADC, CONTACTOR, IN, OUT, Problem

_FLASH = range(6, 12)
_NONE = (20, 24, 28, 29, 30, 31)
_INPUT_ONLY = range(34, 40)
_UART0 = {1: "TX of the console: the boot log would drive it", 3: "RX of the console"}
_ADC2 = (0, 2, 4, 12, 13, 14, 15, 25, 26, 27)
RELEASED = (25, 26, 27, 32, 33)  # firmware/boot.py
# What a level at reset does.
_STRAPPING = {
    0: "low at reset makes the chip wait for a download",
    2: "it must be low or open for a download",
    5: "it sets the timing of SDIO at reset and toggles at boot",
    12: "high at reset sets the flash to 1.8 V, and the chip does not start",
    15: "low at reset silences the boot log, and it toggles at boot",
}
_IDLE_HIGH = ("meter.cs",)  # may be at 5, which is pulled up at reset: nothing is selected
_DRIVEN = ("meter.miso", "meter.rx")  # a chip drives them high and low
_TOGGLES = 14
_NOT_LED_OUT = (37, 38)
_PLAIN_OUT = (4, 13, 16, 17, 18, 19, 21, 22, 23, 25, 26, 27, 32, 33)
_PLAIN_IN = (34, 35, 36, 39, *_PLAIN_OUT)
_PLAIN = {IN: _PLAIN_IN, OUT: _PLAIN_OUT, ADC: (36, 39, 34, 35, 32, 33), CONTACTOR: RELEASED}


def problems(uses):
    """[Problem] of all uses of GPIOs (board_spec.Use)."""
    taken = {use.pin for use in uses}
    found = []
    for use in uses:
        says, severity = _wrong(use)
        if says:
            remedy = _free(use.kind, taken) if severity == "error" else ""
            found.append(Problem(severity, use.signal, says, remedy, use.pin))
    return found + _shared(uses, taken)


def _free(kind, taken):
    left = [str(pin) for pin in _PLAIN[kind] if pin not in taken]
    if not left:
        return f"None of {', '.join(map(str, _PLAIN[kind]))} is free: move something else"
    return "Free for it: " + ", ".join(left[:6])


def _wrong(use):
    """(what is wrong, severity) or ("", "")."""
    pin, kind = use.pin, use.kind
    drives = kind in (OUT, CONTACTOR)
    if pin in _FLASH:
        return "it belongs to the flash: the chip would not start", "error"
    if pin in _NONE or not 0 <= pin < 40:
        return "an ESP32 has no such GPIO", "error"
    if drives and pin in _INPUT_ONLY:
        return "34 to 39 are inputs only: it cannot drive anything", "error"
    if kind == ADC and pin in _ADC2:
        return "it is on ADC2, which cannot be read while WiFi runs", "error"
    if kind == ADC and pin not in _PLAIN[ADC] and pin not in _NOT_LED_OUT:
        return "it has no ADC", "error"
    if pin in _UART0:
        return f"{_UART0[pin]} (UART0)", "error"
    if pin in _STRAPPING and use.signal not in _IDLE_HIGH:
        what = "what hangs on it" if drives or use.signal in _DRIVEN else "its contact"
        return f"it is a strapping pin: {_STRAPPING[pin]}, and {what} would decide that", "error"
    if kind == CONTACTOR and pin not in RELEASED:
        return "boot.py does not let it go first: after a reset it would stay as it was", "error"
    return _hint(use)


def _hint(use):
    pin = use.pin
    if use.signal in _IDLE_HIGH and pin in (0, 2, 12, 15):
        return f"it is a strapping pin: {_STRAPPING[pin]}; a chip select is pulled up", "error"
    if pin == _TOGGLES:
        return "it toggles at boot: what it drives must not mind, a contact needs 1 kOhm", "warning"
    if pin in _NOT_LED_OUT:
        return "not led out on ESP32-WROOM-32 and its DevKitC", "warning"
    if use.kind == IN and pin in RELEASED and use.signal not in _DRIVEN:
        return "boot.py pulls it down: it needs an external pull-up of 10 kOhm or less", "warning"
    if use.kind == ADC and pin in RELEASED and use.signal != "ntc.adc_pin":
        return "boot.py pulls it down by some 45 kOhm: whether the ADC ends that is not known", "warning"
    return "", ""


def _shared(uses, taken):
    by_pin = {}
    for use in uses:
        by_pin.setdefault(use.pin, []).append(use)
    return [
        Problem("error", again.signal, f"{first.signal} has it already", _free(again.kind, taken), pin)
        for pin, (first, *more) in by_pin.items() for again in more
    ]
