"""The contactor's coil. The only file that switches mains."""

from machine import Pin


class Contactor:
    def __init__(self, spec):
        """`spec`: board.json's "contactor": `pin`, active high, with an external pull-down."""
        self._pin = Pin(spec["pin"], Pin.OUT, value=0)

    def set(self, closed):
        """Written each tick, so that a disturbed pin is put right within 10 ms."""
        self._pin.value(1 if closed else 0)

    def off(self):
        self._pin.value(0)
