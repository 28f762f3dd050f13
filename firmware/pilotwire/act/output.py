"""One plain output: on or off. Touches its pin."""

from machine import Pin


class Output:
    def __init__(self, pin, level):
        """GPIO `pin`, which is off now; `level`: when it is on."""
        self._on = False
        self._level = level
        self._pin = Pin(pin, Pin.OUT, value=1 - level)

    def set(self, on):
        if on != self._on:
            self._on = on
            self._pin.value(self._level if on else 1 - self._level)
