"""Why the last life ended, and when lives ended unexpectedly: a few bytes in RTC memory, which survive
resets but not a power cut.

What cannot be told: the chip calls a brown-out a power-on. Where the record has survived it, it was a
short one; where it has not, it is a power cut. A press on the chip's EN button may look like either.
"""

import struct
from array import array
from binascii import crc32

import machine
from micropython import const

_FORMAT = "<4sB5sHHHH"
_MAGIC = b"PWb3"
RUNNING = 0  # nothing was written before the end: the watchdog, or a reset from outside
EXCEPTION = 1
COMMAND = 2
CONSOLE = 3  # Ctrl-C: somebody, or noise
_NAMES = ("watchdog", "exception", "command", "console", "brown_out")

UNEXPECTED = ("watchdog", "exception", "brown_out")
_WITHIN_S = const(600)
_NEVER = const(0xFFFF)
_BOOT_S = const(1)
_EVERY_S = const(10)  # the up-time is written

# Up-time when it was last written; seconds before this start of the unexpected ends, newest first.
_times = array("H", [0, _NEVER, _NEVER, _NEVER])
counts = bytearray(5)  # how many lives ended so, as _NAMES, since the supply was lost; up to 255


def write(rtc, reason):
    data = struct.pack(_FORMAT, _MAGIC, reason, counts, *_times)
    rtc.memory(data + struct.pack("<I", crc32(data) & 0xFFFFFFFF))


def second(rtc, up_s):
    """Once a second: how long this life has lasted."""
    if up_s % _EVERY_S == 0:
        _times[0] = min(up_s, _NEVER - 1)
        write(rtc, RUNNING)


def _read(rtc):
    """Fields of the record, None when there is none."""
    data = rtc.memory()
    size = struct.calcsize(_FORMAT)
    if len(data) != size + 4 or struct.pack("<I", crc32(data[:size]) & 0xFFFFFFFF) != data[size:]:
        return None
    fields = struct.unpack(_FORMAT, data[:size])
    return fields if fields[0] == _MAGIC and fields[1] <= CONSOLE else None


def cause(rtc):
    """"power" when the RTC memory was lost, "brown_out" when not it but the chip was, else why the last
    life ended."""
    fields = _read(rtc)
    if not fields:
        return "power"
    if machine.reset_cause() == machine.PWRON_RESET:
        return "brown_out"
    return _NAMES[fields[1]]


def restarts(rtc, why, timed):
    """How many of the newest three lives ended unexpectedly within ten minutes, the last one (`why`)
    included if it is to be `timed`. Once at a start: write() keeps their times from here on."""
    fields = _read(rtc) or (0, 0, counts, 0, _NEVER, _NEVER, _NEVER)
    counts[:] = fields[2]
    if why in _NAMES:
        k = _NAMES.index(why)
        counts[k] = min(counts[k] + 1, 255)
    ago_s = [then_s + fields[3] + _BOOT_S for then_s in fields[4:]]
    ago_s = [then_s for then_s in ago_s if then_s < _WITHIN_S]
    if timed and why in UNEXPECTED:
        ago_s.insert(0, 0)
    for k in range(3):
        _times[k + 1] = ago_s[k] if k < len(ago_s) else _NEVER
    _times[0] = 0
    return min(len(ago_s), 3)
