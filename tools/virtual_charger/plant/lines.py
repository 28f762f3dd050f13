"""The digital lines: contactor feedback, residual current monitor, earth, lid and button, as levels.

The monitor's own way to the contactor's coil, which a real board must have, is not simulated: what
opens here is the firmware.
"""

import micropython

_HOLD_US = 40000  # of the optocoupler that sees voltage behind the contactor, after it has gone
_DEAD_CV = 5000
ANSWER_MS = 120  # from the test input to the trip lines, both ways
# Section, pin and level in board.json, and the method or attribute that says so.
_WIRES = (
    ("rcm", "ac_pin", "trip_level", "ac_tripped"),
    ("rcm", "dc_pin", "trip_level", "dc_tripped"),
    ("contactor", "aux_pin", "aux_closed", "auxiliary"),
    ("contactor", "load_pin", "load_live", "live"),
    ("inputs", "pe_pin", "pe_missing", "earth_missing"),
    ("inputs", "pen_pin", "pen_open", "pen_is_open"),
    ("inputs", "lid_pin", "lid_open", "lid_is_open"),
    ("inputs", "button_pin", "button_pressed", "button_is_pressed"),
)


class Lines:
    """read[pin]() is the level of an input; test(on) is the monitor's test input."""

    def __init__(self, world):
        self._world = world
        self._clock = world.clock
        # Plant faults, faults.FAULTS.
        self.rcd_ac = self.rcd_dc = False  # residual current above the trip level
        self.test_answers = True
        self.test_ends = True
        self.answer_ms = ANSWER_MS
        self.pe_lost = self.pen_open = self.lid = self.button = False
        self.aux = self.load = None  # a stuck sensor, or one pole that differs from the others
        self._test = self._stuck = False
        self._test_us = -1 << 40
        self._live_us = -1 << 40
        spec = world.spec
        self.read = {}
        for section, pin, level, says in _WIRES:
            wires = spec.get(section, {})
            if pin in wires:
                self.read[wires[pin]] = self._wire(getattr(self, says), wires[level])
        rcm = spec.get("rcm", {})
        self.combined = "dc_pin" not in rcm
        self._test_pin, self._test_level = rcm.get("test_pin"), rcm.get("test_on")

    def _wire(self, says, level):
        return lambda: level if says() else 1 - level

    # Residual current monitor ---------------------------------------------------------------

    @micropython.native
    def output(self, pin, level):
        """An output of the chip is driven, or floats (None): then its pull resistor ends a test."""
        if pin == self._test_pin:
            self._drive_test(level == self._test_level)

    def power_lost(self):
        self._drive_test(False)

    @micropython.native
    def _drive_test(self, on):
        if on != self._test:
            self._stuck = not on and not self.test_ends and self._answering()
            self._test = on
            self._test_us = self._clock.us
            self._world.emit("rcm_test", on=on)

    @micropython.native
    def _answering(self):
        """To its test: after a while, and as long after its end."""
        if self._stuck and not self.test_ends:
            return True
        in_time = self._clock.us - self._test_us >= self.answer_ms * 1000
        return self.test_answers and self._test == in_time

    @micropython.native
    def ac_tripped(self):
        return self.rcd_ac or self.combined and self.rcd_dc or self._answering()

    @micropython.native
    def dc_tripped(self):
        return self.rcd_dc or self._answering()

    # The others -----------------------------------------------------------------------------

    @micropython.native
    def auxiliary(self):
        return self._world.contactor.closed if self.aux is None else self.aux

    @micropython.native
    def live(self):
        """Voltage behind the contactor: from any phase, held a little."""
        if self.load is not None:
            return self.load
        now = self._clock.us
        if self._world.contactor.closed and max(self._world.feed.v_cv) > _DEAD_CV:
            self._live_us = now
        return now - self._live_us < _HOLD_US

    @micropython.native
    def earth_missing(self):
        return self.pe_lost

    @micropython.native
    def pen_is_open(self):
        return self.pen_open

    @micropython.native
    def lid_is_open(self):
        return self.lid

    @micropython.native
    def button_is_pressed(self):
        return self.button
