"""Proximity pilot of a socket: the resistor from PP to PE in the cable's plug. Touches the ADC.

The board pulls PP up to its 3.3 V through 1 kOhm. From 763 to 1575 Ohm both ends of the coding
table (75 and 2200 Ohm, IEC 61851-1 Table B.2) lie in the ADC's linear 150..2450 mV; 1 kOhm puts
them at 230 and 2269 mV. An empty socket reads beyond, where the ADC is not linear and need not be.

The ADC's nominal line is enough. With its gain off by 6 %, the supply by 2 %, the pull-up by 1 %
and the resistor by 3 %, in any combination, each coding still reads as its own (host_tests).
"""

from machine import ADC, Pin
from micropython import const

_READS = const(8)  # one a tick: a new mean every 80 ms, and 35 us of a tick
_MEAN_SHIFT = const(7)  # sum of 8 reads of 16 bits to one count of 12
_LINE_100NV = const(8056)  # 0.8056 mV a count at 11 dB ...
_LINE_MV = const(142)  # ... from here
OPEN_OHM = const(99999)  # nothing to be measured


class Proximity:
    """look(r) fills pp_ohm, every eighth time."""

    def __init__(self, spec):
        """`spec`: board.json's "proximity": adc_pin (32..39), pull_up_ohm, supply_mv."""
        self._read = ADC(Pin(spec["adc_pin"]), atten=ADC.ATTN_11DB).read_u16
        self._pull_up_ohm = spec["pull_up_ohm"]
        self._supply_mv = spec["supply_mv"]
        self._sum = 0
        self._count = 0

    def look(self, r):
        self._sum += self._read()
        self._count += 1
        if self._count < _READS:
            return
        mv = (self._sum >> _MEAN_SHIFT) * _LINE_100NV // 10000 + _LINE_MV
        self._sum = self._count = 0
        left_mv = self._supply_mv - mv
        if left_mv * OPEN_OHM <= mv * self._pull_up_ohm:
            r.pp_ohm = OPEN_OHM
        else:
            r.pp_ohm = mv * self._pull_up_ohm // left_mv
