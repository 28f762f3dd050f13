"""How the loop fares: tick times and stalls of the last minute, without allocation in the tick."""

from array import array

from micropython import const

_BIN_US = const(250)
_BINS = const(80)  # 20 ms
_PERIOD_US = const(10000)


class Health:
    def __init__(self):
        self._count = array("H", [0] * _BINS)
        self.reset()

    def reset(self):
        for k in range(_BINS):
            self._count[k] = 0
        self.ticks = 0
        self.late = 0
        self.worst_us = 0
        self.worst_chore = 0

    def tick(self, busy_us, chore):
        """One tick took `busy_us`; `chore` is what tell did in it."""
        if busy_us > self.worst_us:
            self.worst_us = busy_us
            self.worst_chore = chore
        if busy_us > _PERIOD_US:
            self.late += 1
        at = busy_us // _BIN_US
        if at >= _BINS:
            at = _BINS - 1
        self._count[at] += 1
        self.ticks += 1

    def quantile_us(self, per_mille):
        """Upper edge of the bin below which that share of the ticks lies."""
        wanted = self.ticks * per_mille // 1000
        seen = 0
        for k in range(_BINS):
            seen += self._count[k]
            if seen > wanted:
                return (k + 1) * _BIN_US
        return _BINS * _BIN_US
