"""The two pins with one TM1637 on them that scripts of test_four_digits.py have."""

from plant.tm1637 import Tm1637

CLK, DIO = 22, 21
chip = Tm1637()
held = []  # pins that something pulls to ground
operations = [0]  # reads and writes since somebody last looked
_level = {CLK: 1, DIO: 1}


class Pin:
    OUT, OPEN_DRAIN, PULL_UP = 3, 7, 2

    def __init__(self, number, mode, pull=-1, *, value):
        self._number = number
        assert mode == (Pin.OUT if number == CLK else Pin.OPEN_DRAIN)
        self(value)

    def __call__(self, level=None):
        operations[0] += 1
        number = self._number
        if level is None:
            if number in held or number == DIO and chip.ack:
                return 0
            return _level[number]
        assert level in (0, 1)
        _level[number] = level
        chip.wire(*(0 if n in held else _level[n] for n in (CLK, DIO)))
