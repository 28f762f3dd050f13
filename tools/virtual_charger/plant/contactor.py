"""A contactor: drive, coil, moving contacts, auxiliary contact, welding.

Told to the outside: "contactor" is the command as its pin shows it, "coil" what the drive makes of
it, "contacts" where they are. With a level drive command and coil are one. With a dynamic drive the
command goes on with the coil, at the second change of the pin within the drop-out time, and off when
the pin is written without a change or, when nobody writes it any more, when the coil drops out. Where
there is an enable line, it takes command and coil away as soon as it is low.
"""

import micropython

_CLOSE_US = 22000
_RELEASE_US = 18000
_DROP_OUT_US = 80000  # a dynamic drive's coil, after the last change of its pin


class Contactor:
    """The coil follows the drive; the contacts follow the coil after their own time."""

    def __init__(self, world, drive="level"):
        """`drive`: "level" or "dynamic", as board.json's "contactor" has it."""
        self.world = world
        self.dynamic = drive == "dynamic"
        self.held = None  # the line to the drive is stuck at this level, whatever the pin does
        self.enabled = True  # the enable line, high where there is none
        self.enable_held = False  # it is stuck high
        self.command = False
        self.coil = False
        self.closed = False
        self.stuck = None  # "welded", "no_close"
        self.hot_openings = 0
        self.move_us = None  # when the contacts arrive
        self.drop_us = None  # when a dynamic drive lets go
        self._level = False

    @micropython.native
    def drive(self, level):
        """The pin is written, released, or loses its supply."""
        if self.held is not None:
            level = self.held
        if not self.world.powered:
            self._level = False
            self._let_go()
        elif not self.dynamic:
            self._say(level)
            self._energise(level)
        elif level != self._level:
            self._level = level
            self._pump()
        else:
            self._say(False)

    def enable(self, level):
        """The enable pin is written, released, or loses its supply."""
        self.enabled = level or self.enable_held
        if not self.enabled:
            self._let_go()

    @micropython.native
    def _pump(self):
        """A change of the pin: the second in time switches the coil on, each holds it."""
        begins = self.drop_us is None
        self.drop_us = self.world.clock.us + _DROP_OUT_US
        if begins:
            self.world.plan()
        elif self.enabled:
            self._say(True)
            self._energise(True)

    def drop_out(self):
        """Called when it may be time; changes since then have put it off."""
        if self.world.clock.us >= self.drop_us:
            self._let_go()

    def _let_go(self):
        self.drop_us = None
        self._say(False)
        self._energise(False)

    @micropython.native
    def _say(self, on):
        if on != self.command:
            self.command = on
            self.world.emit("contactor", on=on)

    @micropython.native
    def _energise(self, on):
        if on == self.coil:
            return
        self.coil = on
        self.world.emit("coil", on=on)
        self.move_us = self.world.clock.us + (_CLOSE_US if on else _RELEASE_US)
        self.world.plan()

    def arrive(self):
        """The contacts have moved, or not."""
        self.move_us = None
        closed = self.coil
        if self.stuck == "welded" and self.closed:
            closed = True
        if self.stuck == "no_close":
            closed = False
        if closed == self.closed:
            return
        if not closed and self.world.feed.loaded:
            self.hot_openings += 1
        self.closed = closed
        self.world.emit("contacts", closed=closed)
        self.world.car.contact(closed)
