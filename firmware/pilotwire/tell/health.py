"""How the loop fares: tick times, and late ticks by what tell did in them; once a minute their sum, for
topic `health` and one line on the console. The tick itself allocates nothing."""

import gc
from array import array

from micropython import const

_BIN_US = const(250)
_BINS = const(80)  # 20 ms
_PERIOD_US = const(10000)
_CHORES = const(8)
_MINUTE_S = const(60)
# With its line end it fits into the UART's FIFO of 128 bytes: a print that does not waits in steps of
# 10 ms (ports/esp32/uart.c).
_LINE_MOST = const(126)


class Health:
    """least_free: lowest free heap seen, bytes. Of the last minute, None before its end: `last`: tick's
    median, p99 and worst (us), what was done in the worst, late ticks, heap free, lowest heap,
    reconnects, wear of the worst sector, up-time (s). With it `ticks`, and `stalls`: late ticks by
    chore, members of JSON."""

    def __init__(self):
        self._count = array("H", bytes(2 * _BINS))
        self._late = array("H", bytes(2 * _CHORES))
        self._worst_us = self._worst_chore = 0
        self._due_s = _MINUTE_S
        self.least_free = 1 << 29
        self._system = -1  # free outside MicroPython's heap, bytes; not known yet
        self.last = None

    def tick(self, busy_us, chore):
        """One tick took `busy_us`; `chore` is what tell did in it."""
        if busy_us > self._worst_us:
            self._worst_us = busy_us
            self._worst_chore = chore
        if busy_us > _PERIOD_US:
            self._late[chore] += 1
        at = busy_us // _BIN_US
        if at >= _BINS:
            at = _BINS - 1
        self._count[at] += 1

    def second(self, c):
        """Once a second; True when a minute is over and `c`, the charger, has been taken stock of."""
        up_s = c.clock.up_s
        if self._system < 0 or up_s >= self._due_s:
            self._system = _largest_of_system()
        free = gc.mem_free() - self._system
        if free < self.least_free:
            self.least_free = free
        if up_s < self._due_s:
            return False
        self._due_s = up_s + _MINUTE_S - up_s % _MINUTE_S
        late, names = self._late, c.chore_names
        self.ticks = ticks = sum(self._count)
        self.stalls = ",".join(['"%s":%d' % (names[k], late[k]) for k in range(_CHORES) if late[k]])
        self.last = last = (
            self._quantile_us(ticks // 2), self._quantile_us(ticks * 99 // 100), self._worst_us,
            names[self._worst_chore], sum(late), free, self.least_free,
            c.link.mqtt.reconnects if c.link else 0, c.records.journal.wear, up_s,
        )
        for k in range(_BINS):
            self._count[k] = 0
        for k in range(_CHORES):
            late[k] = 0
        self._worst_us = 0
        print((
            "health us=%d/%d/%d in=%s late=%d heap=%d/%d net=%d wear=%d up=%d" % last
            + " boot=%s clock=%s rec=%d f=%s" % (
                c.cause, c.clock.quality, c.records.waiting, c.facts.codes(c.faults.mask())
            )
        )[:_LINE_MOST])
        return True

    def _quantile_us(self, wanted):
        """Upper edge of the bin with the tick that has `wanted` below it."""
        seen = 0
        for k in range(_BINS):
            seen += self._count[k]
            if seen > wanted:
                return (k + 1) * _BIN_US
        return _BINS * _BIN_US


def _largest_of_system():
    """The largest free block outside MicroPython's heap, bytes: gc.mem_free() counts it in, because the
    heap could grow by it (py/modgc.c). But WiFi and TLS want it too."""
    from esp32 import HEAP_DATA, idf_heap_info

    return max([block[2] for block in idf_heap_info(HEAP_DATA)] or [0])
