"""For test_display*.py: scripts at a desk with one display, and two panels to show on it."""

import json
from pathlib import Path

from micropython_port import run_script

_RIG = Path(__file__).parent / "display_rig"  # a machine and a time of its own

CHARGING = {
    "mode": 3, "why": 0, "drawn_ma": 15870, "p_w": 10985, "offered_ma": 16000, "session_wh": 12345,
    "charge_s": 4990, "cost_minor": 432, "limit_name": "cable",
}  # fmt: skip
FAULT = {
    "mode": 6, "why": 7, "code_major": 1, "code_minor": 3, "wait_s": 59,
    "fault_text": "Signal to car is unclear", "fault_do": "Wait, or unplug and plug in again",
}  # fmt: skip


def at_desk(code):
    """Run `code` on MicroPython behind display_rig/desk.py; what it gave to out()."""
    return json.loads(run_script("from desk import *\n" + code, path=[_RIG], heap="16M"))
