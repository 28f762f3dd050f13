"""A probe on pilot, loop and contactor, for `pilotwire scope`. It changes nothing: no time, no noise.

It stands in for three methods of the plant, calls them, and looks. The firmware's own view comes
from the globals of its main.py. An ADC hands its read function out once, so the probe must be there
before the firmware starts.
"""

from array import array

firmware = {}  # globals of the file that the virtual charger runs now: main.py, once it has booted


class Tap:
    """Reads and ticks from `from_us` to `to_us`; "level" events from the start."""

    def __init__(self, world, from_us, to_us):
        self.from_us = from_us
        self.to_us = to_us
        self._world = world
        self._clock = world.clock
        self._pin = world.spec["contactor"]["pin"]
        pilot = world.spec["pilot"]
        self._scale = (
            pilot["counts_at_minus12"] * 16, pilot["counts_at_plus12"] - pilot["counts_at_minus12"]
        )
        self._read_us = array("i")
        self._read_count = array("H")
        self._ticks = []
        self._drive = self._level = None
        node = self._node = world.node
        self._real_read, self._real_settle = node.read_u16, node.settle
        self._real_write = world.pin_write
        node.read_u16, node.settle = self._read, self._settle
        world.pin_write = self._write
        self._look_at_level()

    def report(self):
        """All that was seen; times in us after `from_us`.

        read_us, read_count (12 bit); minus12, span: -12 V in 1/16 count, counts from there to +12 V;
        ticks: [us, plateaus found, high mV, low mV, letter, offer mA, contactor], the first one from
        before the window. A tick's time is that of its write to the contactor's pin.
        """
        return {
            "from_us": self.from_us,
            "read_us": list(self._read_us),
            "read_count": list(self._read_count),
            "minus12": self._scale[0],
            "span": self._scale[1],
            "ticks": self._ticks,
        }

    def _read(self):
        value = self._real_read()
        us = self._clock.us
        if self.from_us <= us < self.to_us:
            self._read_us.append(us - self.from_us)
            self._read_count.append(value >> 4)
        return value

    def _settle(self):
        self._real_settle()
        self._look_at_level()

    def _look_at_level(self):
        """Tell of a new level; `outside`: the car, the cable or a fault made it, not the offer."""
        node = self._node
        drive = (node.duty_u16, node.driven)
        level = (node.high_mv, node.low_mv, node.high_dus, node.period_dus)
        if level != self._level:
            self._world.emit(
                "level", high_mv=level[0], low_mv=level[1], high_dus=level[2], period_dus=level[3],
                outside=drive == self._drive,
            )
        self._drive, self._level = drive, level

    def _write(self, pin, level):
        self._real_write(pin, level)
        if pin == self._pin and self._clock.us < self.to_us:
            charger = firmware.get("_charger")
            if charger:
                self._tick(charger)

    def _tick(self, charger):
        """What this turn of the loop has sensed and decided."""
        us = self._clock.us - self.from_us
        if us < 0:
            self._ticks.clear()
        r, charging = charger.reading, charger.charging
        self._scale = (charger._pilot.minus12, charger._pilot.span)
        self._ticks.append([
            us, r.cp_ok, r.cp_high_mv, r.cp_low_mv, charging.letter, charging.offer_ma,
            charging.contactor,
        ])
