"""Up-time that never wraps, and what UTC it stands for."""

import time

from micropython import const

_EPOCH_2000_S = const(946684800)
# Seconds that time.gmtime() counts from 2000 on the chip and from 1970 elsewhere.
_SHIFT_S = 0 if time.gmtime(0)[0] == 2000 else _EPOCH_2000_S

SYNCHRONISED = "S"  # by a time server in this life
KEPT = "I"  # by the RTC since
UNKNOWN = "U"


class Clock:
    """`up_s` and `up_ms` (0..999) since the start; call tick() at least every 8 minutes."""

    def __init__(self):
        self.up_s = 0
        self.up_ms = 0
        self.offset_s = 0  # UTC since 2000 minus up_s
        self.offset_ms = 0
        self.quality = UNKNOWN
        self._us = 0
        self._last_us = time.ticks_us()

    def tick(self, now_us):
        """Advance to `now_us` (a ticks_us value); returns the whole ms that passed."""
        self._us += time.ticks_diff(now_us, self._last_us)
        self._last_us = now_us
        passed_ms = self._us // 1000
        self._us -= passed_ms * 1000
        self.up_ms += passed_ms
        while self.up_ms >= 1000:
            self.up_ms -= 1000
            self.up_s += 1
        return passed_ms

    def set_utc(self, utc_s, utc_ms, quality):
        """It is now `utc_s` seconds and `utc_ms` since 2000-01-01."""
        self.offset_s = utc_s - self.up_s
        self.offset_ms = utc_ms - self.up_ms
        self.quality = quality

    def day_s(self):
        """Second of the UTC day; up-time when UTC is unknown."""
        if self.quality == UNKNOWN:
            return self.up_s
        return (self.up_s + self.offset_s) % 86400

    def text(self, up_s, up_ms):
        """RFC 3339 UTC with milliseconds for an up-time, as JSON (null when UTC is unknown)."""
        if self.quality == UNKNOWN:
            return "null"
        ms = up_ms + self.offset_ms
        seconds = up_s + self.offset_s + ms // 1000
        y, mo, d, h, mi, s = time.gmtime(seconds + _SHIFT_S)[:6]
        return '"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"' % (y, mo, d, h, mi, s, ms % 1000)

    def stamp(self, up_s, up_ms):
        """JSON object of a moment: t, q and up_ms; null for a moment that did not come (up_s < 0)."""
        if up_s < 0:
            return "null"
        return '{"t":%s,"q":"%s","up_ms":%d}' % (
            self.text(up_s, up_ms), self.quality, up_s * 1000 + up_ms,
        )

    def shift_s(self):
        """What to add to seconds since 2000 for time.gmtime()."""
        return _SHIFT_S
