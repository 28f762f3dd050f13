"""A private `time`: ticks wrap at 2**30, as on the chip."""


def ticks_diff(a, b):
    return (a - b + 0x20000000 & 0x3FFFFFFF) - 0x20000000
