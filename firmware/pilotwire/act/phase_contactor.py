"""The second contactor's coil: L2 and L3, in series with the contactor of all phases."""

from machine import Pin


class PhaseContactor:
    def __init__(self, pin):
        """`pin`: board.json's "contactor.phase_pin", active high. One phase at the start."""
        self._pin = Pin(pin, Pin.OUT, value=0)

    def set(self, three):
        self._pin.value(1 if three else 0)
