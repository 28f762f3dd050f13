"""The second contactor, L2 and L3, in series with that of all phases; only where the board has one.

Told to the outside: "phase_contactor", its command; "phase_contacts", where they are; and "car_at_risk"
when they move while the car's pilot carries a current or its contacts are live.
"""

import micropython
from plant.car import offer_of

_CLOSE_US = 25000
_RELEASE_US = 20000


class PhaseContactor:
    def __init__(self, world, spec):
        """`spec`: board.json's "contactor"."""
        self._world = world
        self.pin = spec.get("phase_pin", -1)
        self._aux_pin = spec.get("phase_aux_pin", -1)
        self._aux_closed = spec.get("phase_aux_closed", 0)
        self.command = False
        self.closed = False
        self.stuck = None  # "welded", "no_close"
        self.move_us = None
        if self.pin >= 0:
            world.feed.connected = 1

    @micropython.native
    def feedback(self, pin):
        """Level of the auxiliary contact's pin; None: it is another pin."""
        if pin != self._aux_pin:
            return None
        return self._aux_closed if self.closed else 1 - self._aux_closed

    @micropython.native
    def drive(self, on):
        if on == self.command:
            return
        self.command = on
        world = self._world
        world.emit("phase_contactor", on=on)
        self.move_us = world.clock.us + (_CLOSE_US if on else _RELEASE_US)
        world.plan()

    def arrive(self):
        """The contacts have moved, or not; also called when they get stuck or come free."""
        self.move_us = None
        if self.pin < 0:
            return
        closed = self.command and self.stuck != "no_close"
        if self.stuck == "welded" and self.closed:
            closed = True
        if closed == self.closed:
            return
        self.closed = closed
        world = self._world
        world.emit("phase_contacts", closed=closed)
        if world.car.plugged and (world.contactor.closed or offer_of(world.node.duty_u16)):
            world.emit("car_at_risk")
        world.feed.connected = 3 if closed else 1
        world.car._load()
