"""Random numbers of one run: the same seed gives the same run."""

from array import array

import micropython


class Chance:
    def __init__(self):
        self._state = array("I", [1, 0])  # of a number of 64 bits, the low half first

    def seed(self, number):
        """Begin this run's random numbers."""
        number = number * 2654435761 + 88172645463325252
        self._state = array("I", [number & 0xFFFFFFFF, number >> 32 & 0xFFFFFFFF])
        for _ in range(8):
            self.random()

    @micropython.viper
    def random(self) -> int:
        """31-bit pseudo-random number of this run's seed (multiply-with-carry)."""
        s = ptr32(self._state)
        product = s[0] * 4294957665 + s[1]  # of its 64 bits none is lost
        s[0] = product
        s[1] = product >> 32
        return (product >> 16) & 0x7FFFFFFF
