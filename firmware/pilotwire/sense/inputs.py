"""Plain inputs: the contactor's auxiliary contact."""

from machine import Pin


class Inputs:
    def __init__(self, contactor):
        """`contactor`: board.json's "contactor"; `aux_pin` may be missing: r.aux stays -1."""
        self._aux = None
        if "aux_pin" in contactor:
            self._aux = Pin(contactor["aux_pin"], Pin.IN)
            self._closed_level = contactor.get("aux_closed", 0)

    def look(self, r):
        if self._aux is not None:
            r.aux = 1 if self._aux.value() == self._closed_level else 0
