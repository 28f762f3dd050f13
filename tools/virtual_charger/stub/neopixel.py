"""`neopixel` without a lamp."""


class NeoPixel:
    ORDER = (1, 0, 2, 3)

    def __init__(self, pin, n, bpp=3, timing=1):
        self.buf = bytearray(n * bpp)

    def __setitem__(self, at, colour):
        pass

    def fill(self, colour):
        pass

    def write(self):
        pass
