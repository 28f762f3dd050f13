"""A contactor: coil, moving contacts, auxiliary contact, welding."""

_CLOSE_US = 22000
_RELEASE_US = 18000


class Contactor:
    """The coil follows a pin; the contacts follow the coil after their own time."""

    def __init__(self, world):
        self.world = world
        self.coil = False
        self.closed = False
        self.stuck = None  # "welded", "no_close"
        self.hot_openings = 0
        self.move_us = None  # when the contacts arrive

    def drive(self, on):
        if on == self.coil:
            return
        self.coil = on
        self.world.emit("contactor", on=on)
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
