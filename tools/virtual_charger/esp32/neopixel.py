"""`neopixel` of the stock image: WS2812 pixels on a pin; the first is the plant's status LED."""

from plant import lamps
from plant.world import world


class NeoPixel:
    ORDER = (1, 0, 2, 3)  # green goes first on the wire

    def __init__(self, pin, n, bpp=3, timing=1):
        self.pin = pin
        self.n = n
        self.bpp = bpp
        self.buf = bytearray(n * bpp)

    def __len__(self):
        return self.n

    def __setitem__(self, i, v):
        for k in range(self.bpp):
            self.buf[i * self.bpp + self.ORDER[k]] = v[k]

    def __getitem__(self, i):
        return tuple(self.buf[i * self.bpp + self.ORDER[k]] for k in range(self.bpp))

    def fill(self, v):
        for i in range(self.n):
            self[i] = v

    def write(self):
        """The pixels take what was set; until then they keep what they show."""
        world.clock.advance(world.cost["bitstream"] * self.n)
        red, green, blue = self[0][:3]
        lamps.set(red << 16 | green << 8 | blue)
