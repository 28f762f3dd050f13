"""A panel and the four digits that show it, for scripts of test_four_digits.py; runs in MicroPython."""

import json

from a_panel import Panel
from machine import CLK, DIO, chip, held, operations  # noqa: F401  (for the scripts)

from pilotwire.tell import texts_de, texts_en  # noqa: F401
from pilotwire.tell.tm1637 import Display

SPEC = {"kind": "tm1637", "clk": CLK, "dio": DIO}


class Desk:
    def __init__(self, start=0, texts=texts_en, **panel):
        self.p = Panel("en", "EUR")
        self.start = start
        self.t = 0
        self.display = Display(SPEC, texts)
        self.set(**panel)

    def set(self, **panel):
        for name in panel:
            setattr(self.p, name, panel[name])

    def step(self):
        self.t += 10
        return self.display.step(self.p, (self.start + self.t) & (1 << 30) - 1)

    def run(self, ms):
        for _ in range(ms // 10):
            self.step()
        return chip.digits()

    def seen(self, ms):
        """What showed, each once, in its order: a text must hold for half a second."""
        shown = []
        for _ in range(ms // 500):
            text = self.run(500)
            if not shown or shown[-1] != text:
                shown.append(text)
        return shown


def out(value):
    print(json.dumps(value))
