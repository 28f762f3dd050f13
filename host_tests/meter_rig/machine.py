"""A private `machine` for tests of meter drivers: every bus leads to `bus`."""

bus = None  # whatever answers: select(on), exchange(tx, rx)
frames = 0


class Pin:
    OUT = 3

    def __init__(self, number, mode=-1, value=None):
        pass

    def value(self, level):
        bus.select(not level)


class SPI:
    def __init__(self, number, *, baudrate, polarity, phase, sck, mosi, miso):
        assert (polarity, phase) == (1, 1)

    def write_readinto(self, tx, rx):
        global frames
        frames += 1
        bus.exchange(tx, rx)
