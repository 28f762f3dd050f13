"""A panel and the display that shows it, for scripts of test_display*.py; runs in MicroPython."""

import json

from machine import chip, transfers  # noqa: F401  (for the scripts)

from pilotwire.tell import texts_en
from pilotwire.tell.display import Display, wrap  # noqa: F401

SPEC = {"kind": "ssd1306", "i2c": 0, "scl": 22, "sda": 21, "addr": 60}


class Panel:
    mode = why = 1
    code_major = code_minor = more_faults = 0
    fault_text = fault_do = ""
    wait_s = -1
    drawn_ma = p_w = session_wh = charge_s = records_waiting = offered_ma = 0
    limit_name = "board"
    cost_minor = -1
    currency = "EUR"
    link_up = clock_ok = True
    rating_ma = 16000
    note = ""


class Desk:
    def __init__(self, start=0, **panel):
        self.p = Panel("en", "EUR")
        self.start = start
        self.t = 0
        self.display = Display(SPEC, texts_en)
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


def show(**panel):
    return Desk(**panel).run(2000)


def out(value):
    print(json.dumps(value))
