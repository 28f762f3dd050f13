"""The control-pilot node: generator, 1 kOhm, the car's resistors and diode, and the ADC that reads it.

Levels follow IEC 61851-1 Annex A; the pin's front end puts -12..+12 V at 200..2400 mV (boards.md of
this project says why) and the ADC is an ESP32's at 11 dB: mV = 0.8056 x count + 142.
"""

from array import array

import micropython

_PERIOD_DUS = 10016  # tenths of a us: LEDC's 16-bit divider makes 998.4 Hz out of 1 kHz
_ADC_US = 35
_EDGE_DUS = 40  # slope of 1 kOhm into about 2 nF, sampled as a level between
_DIODE_MV = 700
_NEVER = 1 << 60
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
        self._k = 0
        self._stride = 1
        self._spike_in = _NEVER
        self._high_dus = 0
        self._steady = True
        self._hi = self._lo = 0
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
        self._steady = duty <= 0 or duty >= 65536
        source = self.plus_mv if duty >= 65536 else self.minus_mv
        if not self.driven or self.stuck == "dead":
            source = 0
        if self._steady:
            self.high_mv = self.low_mv = self.level_mv(source)
        else:
            self.high_mv = self.level_mv(self.plus_mv)
            self.low_mv = self.level_mv(self.minus_mv)
        self._hi = counts(self.high_mv, self.gain_ppm, self.bend)
        self._lo = counts(self.low_mv, self.gain_ppm, self.bend)
        self._high_dus = duty * self.period_dus // 65536
        self._spike_in = self._pause() if self.spike_every else _NEVER

    def _pause(self):
        return 1 + self.random() % (2 * self.spike_every)

    def _spike(self):
        """Counts of a spike of 2..8 V, up or down."""
        self._spike_in = self._pause()
        size = 227 + self.random() % 682
        return size if self.random() & 1024 else -size

    def _shuffle(self):
        """Another walk through the table, so that the noise does not repeat."""
        self._stride = self.random() & 4094 | 1
        return self.random() & 4095

    @micropython.native
    def read_u16(self):
        """One conversion, as machine.ADC gives it: 12 bits spread over 16. Takes 35 us."""
        clock = self.clock
        us = clock.us + self.adc_us
        if us >= clock.due_us:
            clock.advance(self.adc_us)
            us = clock.us
        else:
            clock.us = us
        k = (self._k + self._stride) & 4095
        if k == 0:
            k = self._shuffle()
        self._k = k
        count = self._hi
        if not self._steady:
            phase = us * 10 % self.period_dus
            if phase < self._high_dus:
                if phase < _EDGE_DUS:
                    count = (count + self._lo) >> 1
            elif phase - self._high_dus < _EDGE_DUS:
                count = (count + self._lo) >> 1
            else:
                count = self._lo
        count += self.noise[k]
        self._spike_in -= 1
        if self._spike_in <= 0:
            count += self._spike()
        if count < 0:
            count = 0
        elif count > 4095:
            count = 4095
        return count << 4 | count >> 8
