"""The lock of a socket: two pins of a motor, or one pin whose level holds it."""

from machine import Pin


class Lock:
    def __init__(self, pins):
        """`pins`: board.json's "lock.pins", active high: to lock and to open, or the one that holds."""
        self._pins = [Pin(pin, Pin.OUT, value=0) for pin in pins]
        self._drive = 0

    def set(self, drive):
        """`drive`: 0 nothing, 1 the first pin, 2 the second. Never both, not even for an instant."""
        if drive != self._drive:
            self._drive = drive
            self.off()
            if drive:
                self._pins[drive - 1].value(1)

    def off(self):
        """For when the loop has ended, too."""
        for pin in self._pins:
            pin.value(0)
