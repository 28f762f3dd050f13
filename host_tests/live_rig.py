"""For test_live_*.py: a run to look at, and the picture that is drawn of it."""

import io
import json
import re
import time
from types import SimpleNamespace

from rich.console import Console

from pilotwire.live import Picture

NARROW, WIDE = (80, 24), (150, 50)
TEXT = ["CHARGING        ", "10.6 kW   15.9 A"] + [" " * 16] * 5 + ["Online          "]
LOOK = {
    "high_mv": 6084, "low_mv": -12093, "duty": 26666, "car_offer_ma": 16000,
    "v_cv": [21990, 22180, 22590], "i_ma": [15900, 8000, 0], "p_mw": [3500000, 1700000, 0],
    "true_mwh": 0, "coil": True, "closed": True, "rgb": "0000a3", "pixels": "00" * 1024,
    "text": TEXT, "powered": True, "hot_openings": 0,
}  # fmt: skip
STATE = {
    "pilot": "C2", "charging": "Charging", "offered_a": 16.0, "limit_a": 16.0, "limit": "command",
    "why": "none", "wait_s": -1, "faults": [], "contactor": True, "enabled": True,
    "session": "virtual-1", "waiting": 0,
}  # fmt: skip
ACTIVE = {"energy_wh": 1055, "cost_minor": 32, "currency": "EUR"}
FAULTED = {
    "pilot": "A1", "charging": "Faulted", "faults": ["6-1", "8-3"], "why": "fault", "wait_s": 42,
}  # fmt: skip


class Charger:
    def __init__(self, look):
        self.seen = look
        self.us = 241_000_000
        self.looks = 0

    def look(self):
        self.looks += 1
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen


def a_run(look=LOOK, state=STATE, active=ACTIVE, status=b"online", speed=30):
    last = {"status": status, "session/active": json.dumps(active).encode() if active else b""}
    return SimpleNamespace(
        charger=Charger(look), backend=SimpleNamespace(last=last), state=lambda: state,
        t_s=lambda us: us / 1e6 - 1, speed=speed,
    )


def a_picture(console, clock=time.monotonic):
    return Picture(SimpleNamespace(name="demo", end_us=590_000_000), "runs/1", console=console,
                   clock=clock)


def a_console(size, file=None, **options):
    return Console(file=file or io.StringIO(), width=size[0], height=size[1], _environ={},
                   **{"force_terminal": False, **options})


def drawn(run=None, size=NARROW, says=(), **options):
    """The last picture of a run, as text."""
    console = a_console(size, **options)
    picture = a_picture(console)
    picture.start()
    if run:
        picture.show(run)
    for text in says:
        picture.say(text)
    picture.stop()
    return console.file.getvalue()


def row(picture, label):
    """What stands beside `label`."""
    [line] = re.findall(rf"{label}\b +(.*)", picture)
    return re.split(r" {2,}| [│╭╰]", line)[0].rstrip()


def changed(**values):
    return {**LOOK, **values}
