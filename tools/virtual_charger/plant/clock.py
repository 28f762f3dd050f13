"""Virtual time: a count of microseconds that never wraps, moved only by what the firmware does."""

import micropython


class Clock:
    def __init__(self):
        self.us = 0  # since this process started
        self.due_us = 0  # the plant or the driver wants to act at this time: whoever moves `us` looks
        self.on_due = None  # called when `us` has reached `due_us`

    @micropython.native
    def advance(self, us):
        """Let `us` microseconds pass; what falls due meanwhile happens at its own time."""
        end = self.us + us
        while self.due_us <= end:
            if self.due_us > self.us:
                self.us = self.due_us
            self.on_due()
        if end > self.us:
            self.us = end
