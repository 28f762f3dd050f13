"""A display chip on a plug."""


class Plug:
    """`nak` and `shorted` are faults; power_on() is the chip's own."""

    def __init__(self):
        self._nak = False
        self.shorted = False  # a line is held low: whoever models the pins asks this

    @property
    def nak(self):
        """Unplugged: dark, and nothing acknowledges. Plugged in again it comes up anew."""
        return self._nak

    @nak.setter
    def nak(self, unplugged):
        if self._nak and not unplugged:
            self.power_on()
        self._nak = unplugged
