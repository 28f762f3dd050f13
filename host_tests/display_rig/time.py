"""Ticks as they are on the chip: they wrap at 2**30."""


def ticks_diff(a, b):
    return (a - b + (1 << 29) & (1 << 30) - 1) - (1 << 29)
