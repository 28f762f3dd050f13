"""What only the firmware knows: which faults hold. For tests and benches; takes no virtual time."""

import micropython
from plant import tap


class Watch:
    """Tells "faults" with the codes that hold, most important first, at each change.

    It looks when the contactor's pin is written: every tick, as soon as the verdict is there.
    """

    def __init__(self, world):
        self._world = world
        self._pin = world.spec["contactor"]["pin"]
        self._charger = self._changes = None
        self._codes = []
        self._real_write = world.pin_write
        world.pin_write = self._write

    @micropython.native
    def _write(self, pin, level):
        self._real_write(pin, level)
        if pin == self._pin:
            charger = tap.firmware.get("_charger")
            if charger and (charger is not self._charger or charger.faults.changes != self._changes):
                self._charger = charger
                self._changes = charger.faults.changes
                self._tell(charger)

    def _tell(self, charger):
        mask = charger.faults.mask()
        codes = [charger.facts.code(row) for row in range(30) if mask >> row & 1]
        if codes != self._codes:
            self._codes = codes
            self._world.emit("faults", codes=codes)


def attend():
    """Service comes between two trials of a bench: clears what it may, and nobody waits for a rest."""
    charger = tap.firmware["_charger"]
    charger.charging.rest_ms = 0
    for row in range(30):
        charger.faults.clear(row, True)
