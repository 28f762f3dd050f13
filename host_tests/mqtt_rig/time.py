"""Ticks as they are on the chip, for scripts of test_mqtt_*.py: they wrap at 2**30."""

from utime import *  # noqa: F403


def ticks_add(t, d):
    return (t + d) & 0x3FFFFFFF


def ticks_diff(a, b):
    return ((a - b + (1 << 29)) & 0x3FFFFFFF) - (1 << 29)
