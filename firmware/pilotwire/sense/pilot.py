"""Control pilot: a burst of ADC reads, and the two plateaus found in it. Integers, no allocation.

A burst of 64 reads takes 2.2 ms on the chip and spans two periods of the 1 kHz signal at no fixed
phase. Edges, spikes and the low plateau must not disturb the high one, so the samples go into a
histogram: the highest group of samples is the high plateau, the lowest group the low one.
"""

from array import array

import micropython
from machine import ADC, Pin
from micropython import const

_READS = const(64)
_GROUP = const(3)  # samples that make a high plateau: 8 % duty shows at least 4 a burst
_LOW_GROUP = const(2)  # 97 % duty shows about 2 low ones


@micropython.native
def _burst(read, buffer):
    for k in range(64):
        buffer[k] = read()


@micropython.viper
def _mean(buffer: ptr16, around: int, width: int) -> int:
    """Mean, in 1/16 count, of the samples within `width` counts of `around`; -1 when there are none."""
    total = 0
    count = 0
    k = 0
    while k < 64:
        value = buffer[k] >> 4
        apart = value - around
        if apart <= width and 0 - apart <= width:
            total += value
            count += 1
        k += 1
    if count == 0:
        return -1
    return (total << 4) // count


@micropython.viper
def _plateaus(buffer: ptr16, bins: ptr8, out: ptr32):
    """out[0], out[1] = middle of the highest and of the lowest group, in counts; -1 = none."""
    k = 0
    while k < 66:
        bins[k] = 0
        k += 1
    k = 0
    while k < 64:
        at = buffer[k] >> 10  # 64 counts, 0.56 V, a bin
        bins[at] = bins[at] + 1
        k += 1
    out[0] = -1
    k = 63
    while k > 0:
        if bins[k] + bins[k - 1] >= _GROUP:
            total = bins[k] + bins[k - 1]
            out[0] = (bins[k] * (k * 64 + 32) + bins[k - 1] * (k * 64 - 32)) // total
            k = 0
        k -= 1
    out[1] = -1
    k = 0
    while k < 63:
        if bins[k] + bins[k + 1] >= _LOW_GROUP:
            total = bins[k] + bins[k + 1]
            out[1] = (bins[k] * (k * 64 + 32) + bins[k + 1] * (k * 64 + 96)) // total
            k = 63
        k += 1


class Pilot:
    """look(r) fills cp_ok, cp_high_mv and cp_low_mv."""

    def __init__(self, spec):
        """`spec`: board.json's "pilot": adc_pin, counts_at_plus12, counts_at_minus12 (12 bit)."""
        self._read = ADC(Pin(spec["adc_pin"]), atten=ADC.ATTN_11DB).read_u16
        self._minus12 = spec["counts_at_minus12"] * 16
        self._span = spec["counts_at_plus12"] - spec["counts_at_minus12"]
        self._samples = array("H", [0] * _READS)
        self._bins = bytearray(66)
        self._groups = array("i", [0, 0])

    def look(self, r):
        samples = self._samples
        groups = self._groups
        _burst(self._read, samples)
        _plateaus(samples, self._bins, groups)
        high = _mean(samples, groups[0], 40)
        low = _mean(samples, groups[1], 40)
        if high < 0 or low < 0 or groups[0] < 0:
            r.cp_ok = False
            return
        r.cp_ok = True
        span = self._span
        r.cp_high_mv = (high - self._minus12) * 1500 // span - 12000
        r.cp_low_mv = (low - self._minus12) * 1500 // span - 12000
