"""The control-pilot node: generator, 1 kOhm, the car's resistors and diode, and the ADC that reads it.

Levels follow IEC 61851-1 Annex A; the pin's front end puts -12..+12 V at 200..2400 mV (boards.md of
this project says why) and the ADC is an ESP32's at 11 dB: mV = 0.8056 x count + 142.
"""

from array import array

import micropython
from micropython import const

_PERIOD_DUS = 10016  # tenths of a us: LEDC's 16-bit divider makes 998.4 Hz out of 1 kHz
_ADC_US = 35
_EDGE_DUS = const(40)  # slope of 1 kOhm into about 2 nF, sampled as a level between
_DIODE_MV = 700
_NEVER = (1 << 31) - 1

# What read_u16 needs, made ready by settle(): indices of an array of 32-bit numbers.
_ADC = const(0)  # us a read
_K = const(1)  # place in the noise table
_STRIDE = const(2)
_HI = const(3)  # counts
_LO = const(4)
_STEADY = const(5)
_PERIOD = const(6)  # tenths of a us
_HIGH = const(7)  # of which the high plateau takes so many
_SPIKE = const(8)  # reads until the next spike
_BEND_LOW = 250  # counts: near its ends the ADC reads too far out
_BEND_HIGH = 2600


def counts(mv, gain_ppm=0, bend=0):
    """ADC count (12 bit) for a pilot voltage in mV.

    `gain_ppm`: error of this unit's divider; `bend`: counts by which the ADC is off at +-12 V.
    """
    pin_uv = 1300000 + mv * 1100 // 12
    pin_uv += pin_uv // 1000 * gain_ppm // 1000
    count = (pin_uv - 142000) * 5 // 4028
    if bend:
        if count > _BEND_HIGH:
            count += bend * (count - _BEND_HIGH) ** 2 // 200 ** 2
        elif count < _BEND_LOW:
            count -= bend * (_BEND_LOW - count) ** 2 // 178 ** 2
    return max(0, min(4095, count))


@micropython.native
def gaussian_table(random, rms_milli, size=4096):
    """`size` normally distributed counts (sum of 12 uniforms), rms in thousandths of a count."""
    table = array("b", bytes(size))
    for i in range(size):
        total = 0
        for _ in range(12):
            total += random() % 1000
        value = (total - 5994) * rms_milli // 1000000
        table[i] = max(-120, min(120, value))
    return table


class PilotNode:
    """Volts at the pilot pin as a function of virtual time."""

    def __init__(self, clock, random):
        self.clock = clock
        self.random = random
        self.duty_u16 = 0  # 0 = steady -12 V, 65536 = steady +12 V
        self.driven = False  # an output stage drives the generator
        self.ohm = 0  # the car's resistance behind its diode; 0 = no car
        self.diode = "ok"  # ok, short, open
        self.short = False  # pilot to earth
        self.plus_mv = 12000
        self.minus_mv = -12000
        self.stuck = None  # generator: plus, minus, or dead (no supply: 0 V) whatever the duty
        self.duty_error = 0  # of 65536, added to any duty between
        self.period_dus = _PERIOD_DUS
        self.gain_ppm = 0
        self.bend = 0  # see counts()
        self.adc_us = _ADC_US
        self.spike_every = 0  # reads from one spike of 2..8 V to the next, mean; 0 = none, -1 = in each
        self.noise = gaussian_table(random, 3400)  # 30 mV rms at the pilot is 3.4 counts
        self._s = array("i", [0, 0, 1, 0, 0, 1, 0, 0, _NEVER])
        self.settle()

    def level_mv(self, source_mv):
        """Pilot voltage for a source voltage, in mV."""
        if self.short:
            return 0
        if not self.ohm or self.diode == "open":
            return source_mv
        if self.diode == "short":
            return source_mv * self.ohm // (self.ohm + 1000)
        if source_mv <= _DIODE_MV:
            return source_mv  # the diode blocks
        return (source_mv - _DIODE_MV) * self.ohm // (self.ohm + 1000) + _DIODE_MV

    def settle(self):
        """Recompute what the ADC sees after the generator or the car changed."""
        duty = self.duty_u16 if self.driven else 0
        if self.stuck:
            duty = 65536 if self.stuck == "plus" else 0
        elif 0 < duty < 65536:
            duty = max(1, min(65535, duty + self.duty_error))
        steady = duty <= 0 or duty >= 65536
        source = self.plus_mv if duty >= 65536 else self.minus_mv
        if not self.driven or self.stuck == "dead":
            source = 0
        if steady:
            self.high_mv = self.low_mv = self.level_mv(source)
        else:
            self.high_mv = self.level_mv(self.plus_mv)
            self.low_mv = self.level_mv(self.minus_mv)
        s = self._s
        s[_ADC] = self.adc_us
        s[_HI] = counts(self.high_mv, self.gain_ppm, self.bend)
        s[_LO] = counts(self.low_mv, self.gain_ppm, self.bend)
        s[_STEADY] = steady
        s[_PERIOD] = self.period_dus
        s[_HIGH] = self.high_dus = duty * self.period_dus // 65536
        s[_SPIKE] = self._pause() if self.spike_every else _NEVER

    @micropython.native
    def place(self):
        """In the noise: it moves with each read."""
        return self._s[_K]

    def _pause(self):
        """From 1 on: a ptr32 reads no negative number on a 64-bit host."""
        return 1 + self.random() % (2 * self.spike_every) if self.spike_every > 0 else 1

    def _spike(self):
        """Counts of a spike of 2..8 V, up or down."""
        if not self.spike_every:
            self._s[_SPIKE] = _NEVER
            return 0
        self._s[_SPIKE] = self._pause()
        size = 227 + self.random() % 682
        return size if self.random() & 1024 else -size

    def _shuffle(self):
        """Another walk through the table, so that the noise does not repeat."""
        self._s[_STRIDE] = self.random() & 4094 | 1
        return self.random() & 4095

    @micropython.viper
    def read_u16(self) -> int:
        """One conversion, as machine.ADC gives it: 12 bits spread over 16. Takes 35 us."""
        clock = self.clock
        s = ptr32(self._s)
        us = int(clock.us) + s[_ADC]
        if us >= int(clock.due_us):
            clock.advance(s[_ADC])
            us = int(clock.us)
        else:
            clock.us = us
        k = (s[_K] + s[_STRIDE]) & 4095
        if k == 0:
            k = int(self._shuffle())
        s[_K] = k
        count = s[_HI]
        if s[_STEADY] == 0:
            phase = us * 10 % s[_PERIOD]
            high = s[_HIGH]
            if phase >= high:
                count = s[_LO]
                phase -= high
            if phase < _EDGE_DUS:
                count = (s[_HI] + s[_LO]) >> 1
        noise = ptr8(self.noise)[k]
        count += noise - ((noise & 128) << 1)
        s[_SPIKE] -= 1
        if s[_SPIKE] <= 0:
            count += int(self._spike())
        if count < 0:
            count = 0
        elif count > 4095:
            count = 4095
        return count << 4 | count >> 8
