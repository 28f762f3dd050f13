"""A panel and the display that shows it, for scripts of test_display*.py; runs in MicroPython."""

import json

from a_panel import Panel
from machine import chip, transfers  # noqa: F401  (for the scripts)

from pilotwire.tell import texts_de, texts_en
from pilotwire.tell.display import Display, wrap  # noqa: F401

SPEC = {"kind": "ssd1306", "i2c": 0, "scl": 22, "sda": 21, "addr": 60}


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
        return chip.text()


def show(texts=texts_en, **panel):
    return Desk(texts=texts, **panel).run(2000)


LANGUAGES = {"en": texts_en, "de": texts_de}


def out(value):
    print(json.dumps(value))
