"""The half second before a fault, as a device tells it in its `event`, made ready for drawing.

A device keeps plateaus, state and contactor of 50 ticks and a few snapshots of the meter; no reads of
its ADC, no offer, and nothing of what is true outside (docs/contract/event.schema.json, `before`).
"""

import json
import sys
from pathlib import Path

from pilotwire.run import Unusable
from pilotwire.scope import Capture, Mark

_TICK_US = 10_000
_LETTERS = "ABCDEF"


def read(path):
    """(Capture, lines about the meter) of a file with one `event` as JSON, "-" for stdin; Unusable."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        event = json.loads(text)
    except ValueError as error:
        raise Unusable(f"{path}: not the JSON of one event ({error})") from None
    if not isinstance(event, dict) or not isinstance(event.get("before"), dict):
        raise Unusable(f"{path}: no event with `before`; a red fault that opened the contactor has it")
    try:
        return _capture(event), _meter_lines(event["before"]["meter"])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise Unusable(f"{path}: `before` is not as the contract has it ({error!r})") from None


def _capture(event):
    before = event["before"]
    count = len(before["ms"])
    lists = ("high_mv", "low_mv", "state", "closed")
    if not count or any(len(before[name]) != count for name in lists):
        raise ValueError("lists of different lengths")
    ticks, command = [], []
    for ms, high, low, letter, closed in zip(before["ms"], *map(before.get, lists), strict=True):
        us = ms * 1000
        ticks.append((us, high is not None, high or 0, low or 0, _LETTERS.index(letter), None,
                      closed == "1"))
        if not command or command[-1][1] != (closed == "1"):
            command.append((us, closed == "1"))
    opened = [us for us, on in command[1:] if not on]
    words = f"{event['code']} {event['name']}"
    capture = Capture(
        f"{event['id']}, {event['t'] or 'time unknown'}, as the device recorded it",
        ticks[0][0], ticks[-1][0] + _TICK_US, 0, ticks=ticks, command=command, contacts=None,
    )
    capture.told = f"{words}: " + (
        f"contactor told to open at {opened[-1] / 1000:g} ms" if opened else
        "contactor closed to the end" if command[-1][1] else "contactor open all the time"
    )
    if opened:
        capture.reaction = Mark(opened[-1], "contactor command off")
    return capture


def _meter_lines(snapshots):
    lines = []
    for ms, *values in snapshots:
        when = "before" if ms is None else f"{ms} ms"
        volts, amps = (" ".join(f"{v:.2f}" for v in part) for part in (values[:3], values[3:]))
        lines.append(f"meter {when:>8}: {volts} V  {amps} A")
    return lines
