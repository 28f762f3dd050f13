"""`time` of an ESP32: virtual, wrapping at 2**30, epoch 2000."""

import micropython
import utime as _real
from plant.world import world

_clock = world.clock
_WRAP = (1 << 30) - 1
_HALF = 1 << 29
_EPOCH_2000_S = 946684800


@micropython.native
def ticks_us():
    clock = _clock
    us = clock.us + 4
    if us >= clock.due_us:
        clock.advance(4)
        us = clock.us
    else:
        clock.us = us
    return us & _WRAP


@micropython.native
def ticks_ms():
    clock = _clock
    us = clock.us + 4
    if us >= clock.due_us:
        clock.advance(4)
        us = clock.us
    else:
        clock.us = us
    return us // 1000 & _WRAP


def ticks_cpu():
    return ticks_us()


@micropython.native
def ticks_add(ticks, delta):
    return ticks + delta & _WRAP


@micropython.native
def ticks_diff(end, start):
    return (end - start + _HALF & _WRAP) - _HALF


@micropython.native
def sleep_us(us):
    if us > 0:
        _clock.advance(us)


@micropython.native
def sleep_ms(ms):
    sleep_us(ms * 1000)


def sleep(s):
    sleep_us(int(s * 1000000))


def time():
    """Seconds since 2000 by the chip's RTC, which starts there after a power cut."""
    offset = world.rtc_offset_s
    return _clock.us // 1000000 + (0 if offset is None else offset)


def time_ns():
    return time() * 1000000000


def gmtime(secs=None):
    if secs is not None and not -(1 << 31) <= secs < 1 << 31:
        raise OverflowError("overflow converting long int to machine word")
    return _real.gmtime((time() if secs is None else secs) + _EPOCH_2000_S)


localtime = gmtime


def mktime(parts):
    return _real.mktime(parts) - _EPOCH_2000_S
