"""The status LED: colour says what kind of thing, rhythm says which, and is enough by itself.

May touch the LED's pins, and reads the panel; nothing else.

| what | colour | rhythm |
|---|---|---|
| starting | white | even flash, 1 Hz |
| available | green | shallow breath, 6 s |
| connected, waiting | blue | steady |
| charging | blue | deep breath, 2 s |
| paused by the charger | blue | steady with a short dip every 3 s |
| warning | amber | code in soft pulses of 0.8 s |
| fault | red | code in blinks of 0.25 s |

A code is major flashes, dark, minor flashes, long dark, again. A warning that leaves the charger
usable (modes 0 to 4 with a code) takes turns: the mode's own light for 6 s, then the code in amber
once. On an LED that is only on or off a pulse lasts 0.6 s, a blink 0.25 s: whoever sees no colours,
or has none to see, still tells a warning from a fault.

Group 8 of the codes takes eight flashes, one more than the seven that are easily counted. It stays:
the code is the same everywhere, and of the eights only 8-2 stops a charge; nothing looks like it, as
there is no group 9.
"""

import time

from machine import Pin
from micropython import const

_STEP_MS = const(50)  # the LED is looked at, and a WS2812 written, at most 20 times a second
_WARNING = const(5)  # panel modes from here on have no light of their own
_FAULT = const(6)
_OWN_MS = const(6000)  # the mode's own light between two showings of a warning
_APART_MS = const(500)  # 2 Hz, below the three flashes a second of WCAG 2.3.1; also when modes race
_LIT = const(8)  # an on/off LED is lit from this level
_FULL = const(225)  # brightness grows with the square of the level, 15 is full
_FULL_AT_NIGHT = const(900)

_BLUE = const(0x0000FF)

# mode: (hue 0xRRGGBB, ms a level, levels 0..15)
_LIGHTS = (
    (0xFFFFFF, 500, b"\x0f\x00"),
    (0x00FF00, 250, b"\x0f\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08\x07\x06\x05"
                    b"\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x0f"),
    (_BLUE, 1000, b"\x0f"),
    (_BLUE, 50,
     b"\x00\x01\x02\x02\x03\x04\x05\x06\x06\x07\x08\x09\x09\x0a\x0b\x0c\x0d\x0d\x0e\x0f\x0f"
     b"\x0e\x0d\x0d\x0c\x0b\x0a\x09\x09\x08\x07\x06\x06\x05\x04\x03\x02\x02\x01\x00"),
    (_BLUE, 200, b"\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x0f\x00"),
)  # fmt: skip

# (hue, ms of one flash with its dark, levels of 50 ms, ms added between the counts, at the end).
# Dark between the counts and after them: 1.5 s and 3 s for a pulse (0.8 Hz, IEC 60073 slow), 1 s
# and 3 s for a blink (2 Hz, IEC 60073 fast).
_SOFT = (
    b"\x04\x06\x09\x0c\x0e\x0f\x0f\x0f\x0f\x0f\x0f\x0e\x0c\x09\x06\x04"
    b"\0\0\0\0\0\0\0\0\0"
)
_PULSE = (0xFF6000, 1250, _SOFT, 1050, 2550)
_BLINK = (0xFF0000, 500, b"\x0f\x0f\x0f\x0f\x0f\0\0\0\0\0", 750, 2750)


def cycle_ms(p):
    """How long the panel's present light takes until it repeats."""
    own = p.mode < _WARNING
    if own and p.code_major == 0:
        light = _LIGHTS[p.mode]
        return light[1] * len(light[2])
    code = _BLINK if p.mode == _FAULT else _PULSE
    if p.code_major == 0:
        return code[1]
    flashes = code[1] * (p.code_major + p.code_minor) + code[3] + code[4]
    return flashes + _OWN_MS + code[3] if own else flashes


def light_at(p, t_ms):
    """0xRRGGBB << 4 | level 1..15, or 0 for dark, at `t_ms` (0..cycle_ms) of the panel's light."""
    if p.mode < _WARNING:
        if p.code_major == 0 or t_ms < _OWN_MS:
            hue, each_ms, levels = _LIGHTS[p.mode]
            level = levels[t_ms // each_ms % len(levels)]
            return hue << 4 | level if level else 0
        t_ms -= _OWN_MS + _PULSE[3]
        if t_ms < 0:
            return 0
    hue, each_ms, levels, between_ms, _ = _BLINK if p.mode == _FAULT else _PULSE
    if p.code_major:
        if t_ms >= each_ms * p.code_major:
            t_ms -= each_ms * p.code_major + between_ms
            if t_ms < 0 or t_ms >= each_ms * p.code_minor:
                return 0
    level = levels[t_ms % each_ms // _STEP_MS]
    return hue << 4 | level if level else 0


class _Pixel:
    """A WS2812, or several that show the same."""

    def __init__(self, spec):
        from neopixel import NeoPixel

        self._pixels = NeoPixel(Pin(spec["pin"], Pin.OUT), spec.get("n", 1))
        self._rgb = bytearray(3)

    def show(self, light, night):
        level = light & 15
        full = _FULL_AT_NIGHT if night else _FULL
        rgb = self._rgb
        rgb[0] = (light >> 20) * level * level // full
        rgb[1] = (light >> 12 & 255) * level * level // full
        rgb[2] = (light >> 4 & 255) * level * level // full
        self._pixels.fill(rgb)
        self._pixels.write()


class _Pins:
    """LEDs that are on or off: red, green and blue, or one alone. A breath becomes a blink."""

    def __init__(self, numbers):
        self._pins = [Pin(n, Pin.OUT, value=0) for n in numbers]
        self._hues = (0xFF00000, 0xFF000, 0xFF0) if len(numbers) == 3 else (0xFFFFFF0,)

    def show(self, light, night):
        i = 0
        for pin in self._pins:
            pin.value(1 if light & 15 >= _LIT and light & self._hues[i] else 0)
            i += 1


class Led:
    """The LED of board.json: {"kind": "ws2812", "pin": n}, {"kind": "rgb", "pins": [r, g, b]},
    {"kind": "single", "pin": n}, or None for a board without.
    """

    def __init__(self, spec):
        kind = spec["kind"] if spec else None
        self._out = None
        if kind == "ws2812":
            self._out = _Pixel(spec)
        elif kind:
            self._out = _Pins(spec["pins"] if kind == "rgb" else (spec["pin"],))
        self._mode = -1  # what the phase belongs to; -1 before the first step
        self._major = 0
        self._minor = 0
        self._phase_ms = 0
        self._last_ms = 0
        self._light = -16  # what the LED shows; at first nobody knows, and it counts as dark
        self._lit_ms = -_APART_MS  # when it last became lit
        self._night = False

    def step(self, p, t_ms):
        """Show the panel's light; `t_ms` is any clock with the wrap of ticks_ms."""
        if self._out is None:
            return
        gone_ms = time.ticks_diff(t_ms, self._last_ms)
        if 0 <= gone_ms < _STEP_MS and self._mode >= 0:
            return
        self._last_ms = t_ms
        if p.mode == self._mode and p.code_major == self._major and p.code_minor == self._minor:
            phase_ms = (self._phase_ms + gone_ms) % cycle_ms(p)
        else:
            self._mode = p.mode
            self._major = p.code_major
            self._minor = p.code_minor
            phase_ms = self._phase_ms = 0
        light = light_at(p, phase_ms)
        if light & 15 >= _LIT > self._light & 15:
            if 0 <= time.ticks_diff(t_ms, self._lit_ms) < _APART_MS:
                return  # the rhythm waits
            self._lit_ms = t_ms
        self._phase_ms = phase_ms
        if light != self._light or p.night != self._night:
            self._light = light
            self._night = p.night
            self._out.show(light, p.night)
