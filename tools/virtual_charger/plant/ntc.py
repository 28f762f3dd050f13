"""The temperature sensor: an NTC in the station's box, its divider, and the ADC that reads it.

The box follows the air around it, and what the load adds, at 2 K a second: much faster than a real one,
so that a scenario need not last an hour, and slow enough to be no jump.
"""

from math import exp

import micropython

_RATE_MDC = 20000  # thousandths of 0.1 K in a second
_NOISE = 6  # counts at the most, each way
_BEND_MV = 2450  # above it the ADC's counts rise half as fast again as the volts
_PULL_OHM = 45000  # the chip's own pull-up or pull-down, where a pin has been left with it
_TOLERANCE_PPM = 10000  # NTC and pull-up, together
_STEP_US = 100000  # the pin is worked out anew so often


class Thermistor:
    """`heating_k`: what 32 A on each phase add to the air in the long run, 0 = nothing."""

    def __init__(self, world, spec, tolerance):
        self._world = world
        self._spec = spec
        self.fault = None  # "open", "short"
        self.jump_dc = 0  # added to what it shows, at once
        self.heating_k = 0
        self._mdc = world.feed.chip_dc * 1000  # thousandths of 0.1 degC
        self._us = world.clock.us
        self._read_us = -_STEP_US
        self._mv = 0
        self._off_ppm = 0
        if spec and tolerance:
            self._off_ppm = world.random() % (2 * _TOLERANCE_PPM + 1) - _TOLERANCE_PPM

    @micropython.native
    def dc(self):
        """Temperature of the box now, 0.1 degC."""
        world = self._world
        feed = world.feed
        target = feed.chip_dc * 1000
        if self.heating_k:
            squares = 0
            for ma in feed.i_ma:
                squares += (ma // 100) ** 2
            target += self.heating_k * 10000 * squares // (3 * 320 ** 2)
        most = (world.clock.us - self._us) * _RATE_MDC // 1000000
        self._us = world.clock.us
        self._mdc += max(-most, min(most, target - self._mdc))
        return self._mdc // 1000

    @micropython.native
    def mv(self):
        """At the pin."""
        dc = self.dc() + self.jump_dc
        spec = self._spec
        if self.fault == "short":
            ohm = 0
        elif self.fault == "open":
            ohm = 1 << 40
        else:
            ohm = spec["ohm_25"] * exp(spec["beta"] * (1 / (dc / 10 + 273.15) - 1 / 298.15))
            ohm += ohm * self._off_ppm / 1000000
        down, up = 1 / (ohm or 1), 1 / spec["pull_up_ohm"]
        pull = self._world.board.pull.get(spec["adc_pin"])
        if pull == 1:  # Pin.PULL_DOWN
            down += 1 / _PULL_OHM
        elif pull == 2:
            up += 1 / _PULL_OHM
        return int(spec["supply_mv"] * up / (up + down))

    @micropython.native
    def read_u16(self):
        """One conversion, as machine.ADC gives it: 12 bits spread over 16."""
        world = self._world
        world.clock.advance(world.cost["adc"])
        if world.clock.us - self._read_us >= _STEP_US:
            self._read_us = world.clock.us
            self._mv = self.mv()
        mv = self._mv
        if mv > _BEND_MV:
            mv += (mv - _BEND_MV) // 2
        random = world.random()
        noise = random % (_NOISE + 1) - (random >> 8) % (_NOISE + 1)
        count = max(0, min(4095, (mv - 142) * 5000 // 4028 + noise))
        return count << 4 | count >> 8
