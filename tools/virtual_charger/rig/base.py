"""Steers the virtual charger from within its process, where lines of JSON would be too slow.

A rig stands in for plant/driver.py. Its script() is a generator: it yields the virtual time at which
it wants to go on, and may then do anything to the plant and look at anything of the firmware. What
happened is printed as one line of JSON at the end.
"""

import json
import sys

from plant import tap


class Rig:
    """`options`: those of the plant, and those of the script."""

    def __init__(self, world, options):
        self.world = world
        self.options = options
        self.switched_us = None  # when the contactor's command last changed
        self._wanted = None  # the change that the script waits for
        self._script = self.script()

    @property
    def now_us(self):
        return self.world.clock.us

    @property
    def charger(self):
        """The firmware's Charger; KeyError while it starts."""
        return tap.firmware["_charger"]

    def below(self, n):
        """A random number from 0 to n - 1."""
        return self.world.random() % n

    # What the plant calls ---------------------------------------------------------------------

    def emit(self, kind, **fields):
        if kind == "contactor":
            self.switched_us = self.world.clock.us
            if fields["on"] is self._wanted:
                self.world.until_us = 0  # go on at once
        elif kind == "stopped" or kind == "reset":
            self.end("the firmware has ended: %s %s" % (kind, fields.get("cause", "")))

    def pause(self):
        world = self.world
        while world.until_us <= world.clock.us:
            try:
                world.until_us = next(self._script)
            except StopIteration:
                raise SystemExit

    # What scripts use -------------------------------------------------------------------------

    def end(self, why):
        """The script cannot go on."""
        self.say(died=why, seed=self.options["seed"], at_us=self.world.clock.us)
        raise SystemExit

    def say(self, **fields):
        sys.stdout.write(json.dumps(fields) + "\n")

    def started(self):
        """Let the firmware start: its first rest is over, and it knows its broker."""
        yield self.now_us + 9_000_000
        if "_charger" not in tap.firmware:
            self.end("the firmware does not start")

    def until(self, condition, within_us, step_us=10_000):
        """Look every `step_us`; returns False when it did not come true."""
        end_us = self.now_us + within_us
        while not condition():
            if self.now_us >= end_us:
                return False
            yield self.now_us + step_us
        return True

    def contactor(self, on, within_us):
        """Returns the time of that command, None when it did not come."""
        self.switched_us = None
        self._wanted = on
        yield self.now_us + within_us
        self._wanted = None
        return self.switched_us
