"""A contact on a pin that says where something is: the lock's bolt, the second contactor."""

from machine import Pin


class Contact:
    def __init__(self, pin, level):
        """`level`: of the pin, when what the contact is for is so."""
        self._pin = Pin(pin, Pin.IN)
        self._level = level

    def made(self):
        """1 when it is so, else 0."""
        return 1 if self._pin.value() == self._level else 0
