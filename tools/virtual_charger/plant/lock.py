"""The lock of a socket: a motor's bolt that stays where it is, or a solenoid's that a spring opens.

While it is out the plug can be neither pulled nor put in. Told to the outside: "lock_drive", what the
pins do to it (lock, open, off, or both: a short of the motor's driver), and "lock", where the bolt is.
"""

import micropython

_MOTOR_US = 150000  # the bolt's way, with the motor driven all the time
_SOLENOID_US = 40000


class Lock:
    def __init__(self, world, spec):
        """`spec`: board.json's "lock", None where there is none: nothing is ever held."""
        self._world = world
        self.pins = spec["pins"] if spec else ()
        self._spec = spec
        self.locked = False
        self.stuck = None  # open, closed
        self.mute = False  # the feedback contact's wire is broken
        self.move_us = None  # when the bolt arrives
        self._drive = "off"
        self._towards = False

    @micropython.native
    def feedback(self, pin):
        """Level of the feedback pin; None: it is another pin."""
        if not self._spec or pin != self._spec["feedback_pin"]:
            return None
        level = self._spec.get("locked_level", 0)
        return level if self.locked and not self.mute else 1 - level

    @micropython.native
    def drive(self):
        """A pin is written or released, or the supply goes."""
        board = self._world.board
        on = [bool(board.output.get(pin) and board.level.get(pin)) for pin in self.pins]
        if len(on) == 2 and on[1]:
            what = "both" if on[0] else "open"
        else:
            what = "lock" if on and on[0] else "off"
        if what == self._drive:
            return
        self._drive = what
        self._world.emit("lock_drive", drive=what)
        motor = len(on) == 2
        self._towards = what == "lock"
        moves = what != "both" and (not motor or what != "off")
        self.move_us = self._world.clock.us + (_MOTOR_US if motor else _SOLENOID_US) if moves else None
        self._world.plan()

    def arrive(self):
        """The bolt has moved, or not; also called when it gets stuck or comes free."""
        locked = self._towards if self.move_us is not None else self.locked
        self.move_us = None
        if self.stuck == "open":
            locked = False
        elif self.stuck == "closed" and self.locked:
            locked = True
        if locked != self.locked:
            self.locked = locked
            self._world.emit("lock", locked=locked)
