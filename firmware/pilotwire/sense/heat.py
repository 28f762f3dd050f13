"""Temperature inside the station: an NTC to PE and a pull-up on a pin of ADC1. Touches the ADC.

Below 2.45 V the ADC is a line; above, in the cold, its counts rise half as fast again as the volts and
end at 3.1 V (IDF's table of such chips ends at 3.13 V). With 10 kOhm, beta 3380 and 10 kOhm to 3.3 V
that is -34 degC: what is colder cannot be told from an open NTC. Nobody needs degrees there. Where they
matter, at 65 to 95 degC, the ADC's gain off by 6 % and its zero by 30 mV make 8 K together.
"""

from machine import ADC, Pin
from micropython import const

from pilotwire import once

_READS = const(32)  # one a tick: a new mean every 320 ms, and 35 us of a tick
_MEAN_SHIFT = const(9)  # sum of 32 reads of 16 bits to one count of 12
_LINE_100NV = const(8056)  # 0.8056 mV a count at 11 dB ...
_LINE_MV = const(142)  # ... from here
_BEND_MV = const(2450)
_FULL = const(4080)  # counts: the end of the ADC
_FROM_DC = const(-400)  # of the table, which has a value each 5 K
_OPEN_DC = const(-1000)
_SHORT_DC = const(2000)


class Heat:
    """look(r) fills temp_dc, every 32nd time: 0.1 degC; -1000 open, or too cold to be told from it;
    2000 shorted, or above 130 degC."""

    def __init__(self, spec):
        """`spec`: board.json's "ntc". ValueError: it does not suit the ADC."""
        self._mv = once.call("sense.heat_table", "table", spec)
        pin = Pin(spec["adc_pin"], Pin.IN, None)  # boot.py has pulled some pins down
        self._read = ADC(pin, atten=ADC.ATTN_11DB).read_u16
        self._sum = 0
        self._count = 0
        self._at = 0  # place in the table

    def look(self, r):
        self._sum += self._read()
        self._count += 1
        if self._count < _READS:
            return
        count = self._sum >> _MEAN_SHIFT
        self._sum = self._count = 0
        mv = count * _LINE_100NV // 10000 + _LINE_MV
        if mv > _BEND_MV:
            mv = _BEND_MV + (mv - _BEND_MV) * 2 // 3
        table = self._mv
        at = self._at
        last = len(table) - 2
        while at > 0 and mv > table[at]:
            at -= 1
        while at < last and mv <= table[at + 1]:
            at += 1
        self._at = at
        if count >= _FULL or mv > table[at]:
            r.temp_dc = _OPEN_DC
        elif mv <= table[at + 1]:
            r.temp_dc = _SHORT_DC
        else:
            r.temp_dc = _FROM_DC + 50 * at + 50 * (table[at] - mv) // (table[at] - table[at + 1])
