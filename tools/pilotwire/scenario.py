"""Scenario files: text in, a checked list of actions out. Reads one file and touches nothing else.

A scenario is CSV with the header `t_s,event,value`; a measured trace is accepted in its place (see
trace.py). All checks happen before anything is started: a file is wholly good or it is a BadFile.
"""

import difflib
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

HEADER = ["t_s", "event", "value"]

_NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{0,12})?|\.[0-9]{1,12})([eE][+-]?[0-9]{1,2})?")
_TOPIC = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_LONGEST_S = 10_000_000  # 115 days: longer is a slip of the finger
_TAIL_US = 10_000_000  # a scenario without `end` runs on for 10 s, so that the last event shows


class BadFile(Exception):
    """A file that cannot be run; str is one line: `FILE:LINE: what is wrong; expected ...`."""

    def __init__(self, path, line, wrong, expected):
        super().__init__(f"{path}:{line}: {wrong}; expected {expected}")
        self.path, self.line = str(path), line


@dataclass(frozen=True)
class Action:
    """One thing to do at `t_us` of virtual time; `value` is plain JSON, `line` its origin."""

    t_us: int
    event: str
    value: object
    line: int


@dataclass(frozen=True)
class Scenario:
    """A checked file. The last action is always `end`.

    `kind` is 'scenario' or 'trace'; `expected_wh` is the energy a trace delivers, else None.
    """

    name: str
    kind: str
    actions: list
    end_us: int
    expected_wh: float | None = None


class Wrong(ValueError):
    """What is wrong with one value; where it stands and what was expected is added further out."""


def shown(text):
    """`text` quoted for a message, cut to a readable length."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def number(text, low, high):
    """An exact Decimal from `low` to `high`; spaces around it are allowed. Raises Wrong."""
    if not _NUMBER.fullmatch(text.strip()):
        raise Wrong(f"{shown(text)} is not a number")
    value = Decimal(text.strip())
    if not low <= value <= high:
        raise Wrong(f"{text.strip()} is out of range")
    return value


def scaled(value, per_unit):
    """A Decimal as a whole number of 1/per_unit, rounded half to even."""
    return round(value * per_unit)


def text_lines(path):
    """[(line number, text)] of a UTF-8 file without comments and blank lines. Raises BadFile."""
    try:
        raw = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise BadFile(path, 1, f"cannot be read ({why})", "a readable file") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadFile(path, line, "is not text", "a CSV file in UTF-8") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BadFile(path, line, "is not text (it has a NUL)", "a CSV file in UTF-8")
    lines = enumerate((line.strip() for line in text.split("\n")), 1)
    return [(n, line) for n, line in lines if line and not line.startswith("#")]


def _nothing(text, _names):
    if text:
        raise Wrong(f"the value {shown(text)} has no meaning here")


def _one_of(*words):
    def parse(text, _names):
        if text not in words:
            raise Wrong(f"{shown(text)} is unknown")
        return text

    return parse


def _quantity(low, high, per_unit):
    def parse(text, _names):
        return scaled(number(text, low, high), per_unit)

    return parse


def _phases(low, high, per_unit):
    def parse(text, _names):
        parts = text.split("/")
        if len(parts) not in (1, 3):
            raise Wrong(f"{shown(text)} has {len(parts)} values")
        return [scaled(number(part, low, high), per_unit) for part in parts]

    return parse


def _known(text, names, what):
    if text not in names:
        near = difflib.get_close_matches(text, sorted(names), 1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise Wrong(f"{what} {shown(text)} is unknown{hint}")
    return text


def _car(text, names):
    return _known(text, names["car"], "the car")


def _fault(text, names):
    name, equals, value = text.partition("=")
    _known(name.strip(), names["fault"], "the plant fault")
    value = value.strip()
    if equals and not value:
        raise Wrong(f"{shown(text)} has nothing after the '='")
    if _NUMBER.fullmatch(value):
        exact = number(value, Decimal("-1e9"), Decimal("1e9"))
        value = int(exact) if exact == int(exact) else float(exact)
    return {"name": name.strip(), "value": value if equals else None}


def _command(text, _names):
    topic, _, payload = text.partition(" ")
    if not _TOPIC.fullmatch(topic):
        raise Wrong(f"{shown(topic)} is not a topic" if topic else "no topic is given")
    return {"topic": topic, "payload": payload.strip()}


def _clock(text, _names):
    if text in ("synced", "lost"):
        return text
    if not _RFC_3339.fullmatch(text):
        raise Wrong(f"{shown(text)} is not a time")
    try:
        at = datetime.fromisoformat(text.upper())
        if 2000 <= at.year < 2100:  # what the chip's RTC can hold and a certificate may say
            return round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        pass
    raise Wrong(f"{shown(text)} is not a possible time")


# event: (parser of its value, what a good value is, in plain words). The parsed value:
EVENTS = {
    "plug": (lambda text, names: _car(text, names) if text else None,  # car name or None
             "nothing or the name of a car"),
    "unplug": (lambda text, names: _one_of("car")(text, names) if text else None,  # 'car' or None
               "nothing, or 'car': at the car only, the cable stays in the station's socket"),
    "ready": (_nothing, "no value"),
    "not_ready": (_nothing, "no value"),
    "ventilation": (lambda text, names: _one_of("on", "off")(text, names) == "on",  # bool
                    "'on' or 'off'"),
    "want_a": (_phases(0, 100, 1000),  # [mA] for each phase the car uses, or [mA, mA, mA]
               "one current or three as l1/l2/l3, from 0 to 100 A"),
    "car": (_car, "the name of a car"),  # name
    "mains_v": (_phases(0, 400, 100),  # [cV] on every phase, or [cV, cV, cV]
                "one voltage or three as l1/l2/l3, from 0 to 400 V"),
    "mains_hz": (_quantity(40, 70, 100), "a frequency from 40 to 70 Hz"),  # hundredths of a Hz
    "ambient_c": (_quantity(-40, 120, 10), "a temperature from -40 to 120 degrees C"),  # tenths
    "fault": (_fault, "the name of a plant fault, or name=value"),  # {"name", "value" or None}
    "clear": (_fault, "the name of a plant fault"),  # {"name", "value" or None}
    "cmd": (_command, "a topic below the device, a space and the payload, as in 'cmd/limit 10'"),
    "broker": (_one_of("up", "down", "blackhole", "reset"), "up, down, blackhole or reset"),
    "power": (_one_of("off", "on"), "'off' or 'on'"),
    "reset": (_one_of("soft", "wdt", "brown_out"), "'soft', 'wdt' or 'brown_out'"),
    "clock": (_clock,  # 'synced', 'lost' or Unix milliseconds
              "'synced', 'lost' or a time from 2000 to 2099 as in 2026-03-01T12:00:00Z"),
    "end": (_nothing, "no value"),
}


def load(path, *, cars, faults):
    """Read and check a scenario or a trace; `cars` and `faults` are the names that exist.

    Returns a Scenario. Raises BadFile, with the line of the first thing that is wrong.
    """
    from pilotwire import trace  # here, because it needs this module's BadFile and number()

    lines = text_lines(path)
    if not lines:
        raise BadFile(path, 1, "is empty", f"the header '{','.join(HEADER)}' and a line per event")
    line, text = lines[0]
    columns = [cell.strip() for cell in text.split(",")]
    if set(trace.COLUMNS) <= set(columns):
        return trace.scenario(path, columns, lines)
    if columns != HEADER:
        raise BadFile(path, line, f"the header is missing, this line is {shown(text)}",
                      f"'{','.join(HEADER)}', or a trace's '{','.join(trace.COLUMNS)}'")
    names = {"car": cars, "fault": faults}
    return Scenario(Path(path).stem, "scenario", *_actions(path, line, lines[1:], names))


def _actions(path, header_line, lines, names):
    actions, before_us = [], 0
    for line, text in lines:
        if actions and actions[-1].event == "end":
            raise BadFile(path, line, "there is something after 'end'", "'end' on the last line")
        action = _action(path, line, text, names)
        if action.t_us < before_us:
            raise BadFile(path, line, f"time goes back from {before_us / 1e6:g} s",
                          "times that never decrease")
        before_us = action.t_us
        actions.append(action)
    if not actions:
        raise BadFile(path, header_line, "nothing follows the header", "a line per event")
    if actions[-1].event != "end":
        actions.append(Action(before_us + _TAIL_US, "end", None, actions[-1].line))
    return actions, actions[-1].t_us


def _action(path, line, text, names):
    cells = [cell.strip() for cell in text.split(",", 2)]
    if len(cells) < 2:
        raise BadFile(path, line, f"{shown(text)} has only one column", f"'{','.join(HEADER)}'")
    time, event, value = cells[0], cells[1], "".join(cells[2:])
    expected = f"seconds from 0 to {_LONGEST_S}"
    try:
        t_us = scaled(number(time, 0, _LONGEST_S), 1_000_000)
        expected = "one of " + ", ".join(EVENTS)
        parse, expected = EVENTS[_known(event, EVENTS, "the event")]
        return Action(t_us, event, parse(value, names), line)
    except Wrong as wrong:
        raise BadFile(path, line, wrong, expected) from None
