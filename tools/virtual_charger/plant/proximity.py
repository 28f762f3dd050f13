"""The proximity pin of a socket: pull-up to the supply, the resistor in the cable's plug, the ADC.

The cable goes into the socket when the car is plugged in, and comes out with it, unless it is
unplugged at the car only.
"""

import micropython


CABLE_OHM = 220  # 32 A
INVALID_OHM = 3300  # between the last coding and an empty socket
OPEN_OHM = 1 << 30
_TOLERANCE_PPM = 30000  # of the coding resistor
_NOISE = 6  # counts at the most, each way
_BEND_MV = 2450  # above it the ADC's counts rise half as fast again as the volts


class ProximityPin:
    def __init__(self, clock, random, car, spec, adc_us, tolerance):
        """`spec`: board.json's "proximity"; `tolerance`: this cable's resistor is off a little."""
        self._clock = clock
        self._random = random
        self._car = car
        self._spec = spec
        self._adc_us = adc_us
        self._off_ppm = random() % (2 * _TOLERANCE_PPM + 1) - _TOLERANCE_PPM if tolerance else 0
        self.cable_ohm = CABLE_OHM
        self.fault_ohm = None  # what the plug has in place of its coding

    @micropython.native
    def ohm(self):
        """Between PP and PE, now."""
        if not self._car.cable:
            return OPEN_OHM
        if self.fault_ohm is not None:
            return self.fault_ohm
        return self.cable_ohm + self.cable_ohm * self._off_ppm // 1000000

    @micropython.native
    def count(self):
        """12-bit reading without noise: mV = 0.8056 x count + 142."""
        ohm = self.ohm()
        mv = self._spec["supply_mv"] * ohm // (ohm + self._spec["pull_up_ohm"])
        if mv > _BEND_MV:
            mv += (mv - _BEND_MV) // 2
        return (mv - 142) * 5000 // 4028

    @micropython.native
    def read_u16(self):
        """One conversion, as machine.ADC gives it: 12 bits spread over 16."""
        self._clock.advance(self._adc_us)
        random = self._random()
        noise = random % (_NOISE + 1) - (random >> 8) % (_NOISE + 1)
        count = max(0, min(4095, self.count() + noise))
        return count << 4 | count >> 8
