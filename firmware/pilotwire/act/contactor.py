"""The contactor's coil. The only file that switches mains, but for phase_contactor.py on some boards.

With a level drive the coil follows the pin. With a dynamic drive it is on only while the pin keeps
changing, and drops out within 80 ms of the last change, so whatever stops the loop opens it. A second
pin, `enable`, takes the coil away at once: an ordinary opening may not wait for the drop-out.
"""

from machine import Pin


class Contactor:
    def __init__(self, spec):
        """`spec`: board.json's "contactor": `pin`, active high, with an external pull-down; `drive`,
        "dynamic" or else level; `enable_pin`, active high, may be missing."""
        self._level = 0
        self._enable = None
        if "enable_pin" in spec:
            self._enable = Pin(spec["enable_pin"], Pin.OUT, value=0)
        self._pin = Pin(spec["pin"], Pin.OUT, value=0)
        self._dynamic = spec.get("drive") == "dynamic"

    def set(self, closed):
        """Called each tick: a disturbed pin is put right within 10 ms, a dynamic drive kept alive.

        To open, a dynamic drive's pin stays as it is: one change more would hold the coil longer.
        """
        if self._enable:
            self._enable.value(1 if closed else 0)
        if not self._dynamic:
            self._level = 1 if closed else 0
        elif closed:
            self._level ^= 1
        self._pin.value(self._level)

    def off(self):
        """For when the loop has ended. A dynamic drive would need nothing then."""
        if self._enable:
            self._enable.value(0)
        if not self._dynamic:
            self._pin.value(0)
