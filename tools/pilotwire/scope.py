"""`pilotwire scope`: the pilot, the loop and the contactor around one instant of a scenario.

A scenario is played to the virtual charger at full speed, without a network. With --event it is
played twice: the same seed gives the same run, so the first tells where to look in the second.
"""

import difflib
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from pilotwire import scenario as scenarios
from pilotwire.charger import SOURCES, Charger, ChargerError, names
from pilotwire.run import EPOCH_S, Unusable, board_file
from pilotwire.scenario import Action

ZERO_US = 6_000_000  # scenario time 0: the firmware has started by then
_NEVER_US = 1 << 60
_AHEAD_US = 5_000_000  # the reaction to an event is looked for this long
_BEFORE_MS, _AFTER_MS = 40, 60  # around --at
_ARRIVAL_US = 100_000  # contacts belong to a command this long before them
_LONGEST_US = 6_000_000
_NO_NETWORK = ("cmd", "broker")
_REACTIONS = ("contactor", "pilot")  # what the firmware commands
_LIVES = ("reset", "power", "boot")
_CAR = ("plug", "unplug", "ready", "not_ready", "s2", "car", "fault", "clear")
_SAME_TICK_US = 10_000
_DEVICE = (*_REACTIONS, "contacts", "coil", "led", "display")

BUILT_IN = scenarios.Scenario("built-in scenario", "scenario", [
    Action(1_000_000, "plug", None, 0),
    Action(2_000_000, "ready", None, 0),
    Action(14_003_000, "unplug", None, 0),  # three times 32 A flow
    Action(16_000_000, "end", None, 0),
], 16_000_000)


@dataclass
class Mark:
    """An instant worth a line; `us` since the supply came on."""

    us: int
    text: str


@dataclass
class Capture:
    """What is drawn. All times in us since the supply came on; `zero_us` is 0 on the time axis."""

    title: str
    from_us: int
    to_us: int
    zero_us: int
    cause: Mark | None = None
    reaction: Mark | None = None  # the firmware's command
    arrival: Mark | None = None  # the contacts have followed it
    reads: list = field(default_factory=list)  # (us, mV) by the firmware's calibration
    levels: list = field(default_factory=list)  # (us, high mV, low mV, high 0.1 us, period 0.1 us)
    ticks: list = field(default_factory=list)  # (us, found, high mV, low mV, letter, mA, contactor)
    command: list = field(default_factory=list)  # (us, on)
    contacts: list | None = field(default_factory=list)  # (us, closed); None = not known
    told: str = ""  # by the device, instead of the measured times

    def latency_ms(self, mark):
        """From the cause to a mark; None without a cause."""
        return self.cause and (mark.us - self.cause.us) / 1000

    def verdict(self):
        """The measured times as one line."""
        if self.told:
            return self.told
        if not self.cause and not self.reaction:
            return "no cause and no reaction in this window"
        if not self.cause:
            return f"{self.reaction.text}: nothing outside has caused it in the last 5 s"
        if not self.reaction:
            return f"{self.cause.text}: no reaction to be seen"
        told = [f"{m.text} after {self.latency_ms(m):.1f} ms"
                for m in (self.reaction, self.arrival) if m]
        return f"{self.cause.text}: {', '.join(told)}"


class _Tapped(Charger):
    """With the probe on from the start; `seen` is its report, once time has reached `to_us`.

    Always plays the sources: the probe looks into the firmware by their names.

    `found` is the first event after the start that goes by the name `anchor`.
    """

    def __init__(self, *args, from_us, to_us, anchor, **options):
        self.history = []
        self.seen = self.found = None
        self._to_us = to_us
        self._anchor = anchor
        super().__init__(*args, on_event=self._event, firmware=SOURCES, **options)
        self._say(do="tap", from_us=from_us, to_us=to_us)

    def _event(self, event):
        if event["e"] == "tap":
            self.seen = event
            return
        self.history.append(event)
        if self.found is None and event["us"] >= ZERO_US and self._anchor in _kinds(event):
            self.found = event

    def enough_us(self):
        """When all that is wanted has happened, as far as is known."""
        return self.found["us"] + _AHEAD_US if self.found else self._to_us


def play(scenario, board, *, seed, from_us=_NEVER_US, to_us=_NEVER_US, anchor=None):
    """The charger after a play that ended at `to_us`, or some time after the event `anchor`."""
    with tempfile.TemporaryDirectory(prefix="pilotwire-scope-") as folder:
        shutil.copyfile(board, Path(folder, "board.json"))
        rated_a = json.loads(board.read_text())["rated_a"]
        config = {"device": "virtual", "installation_a": rated_a, "ssid": ""}
        Path(folder, "config.json").write_text(json.dumps(config))
        charger = _Tapped(
            folder, epoch_s=EPOCH_S, seed=seed, from_us=from_us, to_us=to_us, anchor=anchor
        )
        try:
            for action in scenario.actions:
                charger.until(min(ZERO_US + action.t_us, charger.enough_us()))
                if charger.us >= charger.enough_us():
                    break
                if action.event not in ("end", *_NO_NETWORK):
                    charger.do(action.event, action.value)
            enough_us = charger.enough_us()
            charger.until(enough_us if enough_us < _NEVER_US else charger.us + _AHEAD_US)
        finally:
            charger.stop()
        return charger


def _kinds(event):
    """The names by which an event may be asked for."""
    if event["e"] != "did":
        return (event["e"],)
    if event["event"] == "fault":
        return ("fault", event["value"]["name"])
    return (event["event"],)


def explain(events, anchor, name=""):
    """(cause, reaction, arrival) of what happened around an event; Marks, or None."""
    events = [e for e in events if e["us"] >= ZERO_US]
    if anchor["e"] in _DEVICE:
        reaction = _command_of(anchor, events)
        before = [e for e in events if _could_cause(e) and 0 <= reaction["us"] - e["us"] < _AHEAD_US]
        cause = before[-1] if before else None
    else:
        cause, reaction = _effect(anchor, events)
    arrival = None
    if reaction and reaction["e"] == "contactor":
        arrival = next((e for e in events if e["e"] == "contacts"
                        and 0 <= e["us"] - reaction["us"] < _ARRIVAL_US), None)
    return _mark(cause, events, name), _mark(reaction, events, name), _mark(arrival, events, name)


def _command_of(event, events):
    """What made coil or contacts move; another event is its own command."""
    if event["e"] in ("coil", "contacts"):
        for command in reversed(events):
            if command["e"] == "contactor" and 0 <= event["us"] - command["us"] < _ARRIVAL_US:
                return command
    return event


def _effect(anchor, events):
    """(cause, reaction) of an event outside; nothing that follows the next one counts."""
    after = [e for e in events if 0 <= e["us"] - anchor["us"] < _AHEAD_US]
    ends = [e["us"] for e in after if _is_another(e, anchor)]
    after = [e for e in after if e["us"] < min(ends, default=_NEVER_US)]
    commands = [e for e in after if e["e"] in _REACTIONS]
    if not commands:
        return anchor, None
    reaction = next((e for e in commands if e["e"] == "contactor"
                     and e["us"] - commands[0]["us"] < _SAME_TICK_US), commands[0])
    for event in after:  # the car may take its time: the pilot shows when it acted
        if _outside(event) and anchor["us"] < event["us"] <= reaction["us"]:
            return event, reaction
    return anchor, reaction


def _is_another(event, anchor):
    """Something else happens: what comes after it may be its effect."""
    if event["us"] <= anchor["us"]:
        return False
    if event["e"] == "did":
        return event["event"] in _CAR
    return event["e"] in _LIVES and anchor["e"] not in _LIVES


def _could_cause(event):
    return _outside(event) or event["e"] == "did" and event["event"] == "fault"


def _outside(event):
    return event["e"] == "level" and event["outside"]


def _mark(event, events, name):
    if event is None:
        return None
    return Mark(event["us"], _words(event, events, name))


def _words(event, events, name):
    kind = event["e"]
    if kind == "contactor":
        return f"contactor command {'on' if event['on'] else 'off'}"
    if kind == "contacts":
        return f"contacts {'closed' if event['closed'] else 'open'}"
    if kind == "pilot" and not event["driven"]:
        return "pilot off"
    if kind == "pilot":
        duty = event["duty"] / 1000
        return f"pilot to {duty:.1f} %" if 0 < duty < 100 else f"pilot to {'+' if duty else '-'}12 V"
    if kind == "level":
        did = [e for e in events if e["e"] == "did" and e["us"] == event["us"]]
        if did:
            return _kinds(did[-1])[-1]
        return f"pilot at {event['high_mv'] / 1000:.1f} V"
    return name if kind != "did" else _kinds(event)[-1]


def window(centre_us, marks, before_ms, after_ms):
    """(from_us, to_us): so much around the centre; by default wide enough for all marks."""
    times = [mark.us for mark in marks if mark] or [centre_us]
    margin_us = max(20_000, (max(times) - min(times)) // 4)
    from_us, to_us = min(times) - margin_us, max(times) + margin_us
    if before_ms is not None:
        from_us = centre_us - round(before_ms * 1000)
    if after_ms is not None:
        to_us = centre_us + round(after_ms * 1000)
    return max(0, from_us), to_us


def record(scenario, board, *, at_s=None, event=None, before_ms=None, after_ms=None, seed=1):
    """Play and record; a Capture. Unusable when there is nothing to see."""
    if event is None:
        if not 0 <= at_s * 1e6 <= scenario.end_us:
            raise Unusable(f"--at {at_s:g}: the scenario goes from 0 to {scenario.end_us / 1e6:g} s")
        centre_us, marks = ZERO_US + round(at_s * 1e6), ()
        before_ms = _BEFORE_MS if before_ms is None else before_ms
        after_ms = _AFTER_MS if after_ms is None else after_ms
    else:
        first = play(scenario, board, seed=seed, anchor=event)
        anchor = first.found
        if anchor is None:
            raise Unusable(_never(event, scenario, first.history))
        marks = explain(first.history, anchor, event)
        moved = marks[0] and anchor["e"] not in _DEVICE
        centre_us = marks[0].us if moved else anchor["us"]
    from_us, to_us = window(centre_us, marks, before_ms, after_ms)
    if not 0 < to_us - from_us <= _LONGEST_US:
        raise Unusable(f"a window lasts up to {_LONGEST_US // 1_000_000} s, "
                       f"not {(to_us - from_us) / 1e6:g} s")
    played = play(scenario, board, seed=seed, from_us=from_us, to_us=to_us)
    events = played.history
    if event is None:
        inside = [e for e in events if from_us <= e["us"] < to_us]
        anchor = next((e for e in inside if e["e"] in _REACTIONS or _outside(e)), None)
        marks = explain(events, anchor) if anchor else (None, None, None)
    capture = _capture(events, played.seen, to_us)
    capture.cause, capture.reaction, capture.arrival = marks
    capture.zero_us = capture.cause.us if capture.cause else centre_us
    capture.title = (f"{scenario.name}, {(capture.zero_us - ZERO_US) / 1e6:.3f} s, "
                     f"board {board.parent.name}, seed {seed}, simulated")
    return capture


def _never(name, scenario, events):
    """Why an event cannot be shown, in one line."""
    _, faults = names()
    known = sorted({*scenarios.EVENTS, *faults, *_DEVICE, "boot"} - {"end", *_NO_NETWORK})
    if name in _NO_NETWORK:
        return f"--event {name}: scope plays without a broker"
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        return f"--event {name}: there is no such event; " + (
            f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        )
    there = sorted({k for e in events if e["us"] >= ZERO_US for k in _kinds(e)} & set(known))
    return f"--event {name}: never happens in {scenario.name}; what happens: {', '.join(there)}"


def _capture(events, seen, to_us):
    from_us, span = seen["from_us"], seen["span"]
    return Capture(
        "", from_us, to_us, from_us,
        reads=[(from_us + us, (count * 16 - seen["minus12"]) * 1500 // span - 12000)
               for us, count in zip(seen["read_us"], seen["read_count"], strict=True)],
        levels=[(e["us"], e["high_mv"], e["low_mv"], e["high_dus"], e["period_dus"])
                for e in events if e["e"] == "level"],
        ticks=[(from_us + us, *rest) for us, *rest in seen["ticks"]],
        command=[(e["us"], e["on"]) for e in events if e["e"] == "contactor"],
        contacts=[(e["us"], e["closed"]) for e in events if e["e"] == "contacts"],
    )


def _number(option, text):
    """A number from the command line, None when it was not given."""
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1e9:
        raise Unusable(f"{option} {text}: not a time; expected a number from 0")
    return value


def _played(args, at_s, before_ms, after_ms):
    scenario = BUILT_IN
    if args.file:
        cars, faults = names()
        scenario = scenarios.load(args.file, cars=cars, faults=faults)
    left_out = sum(action.event in _NO_NETWORK for action in scenario.actions)
    if left_out:
        print(f"pilotwire scope: no broker here, {left_out} cmd or broker lines are left out",
              file=sys.stderr)
    event = "unplug" if at_s is None and args.event is None else args.event
    return record(scenario, board_file(args.board), at_s=at_s, event=event,
                  before_ms=before_ms, after_ms=after_ms, seed=args.seed)


def command(args):
    """Scope as the command line says; the exit status."""
    from pilotwire import scope_event, scope_png, scope_text

    meter_lines = []
    try:
        at_s, before_ms, after_ms = (
            _number("--" + name, getattr(args, name)) for name in ("at", "before", "after")
        )
        if args.record:
            capture, meter_lines = scope_event.read(args.record)
        else:
            capture = _played(args, at_s, before_ms, after_ms)
        if args.png:
            scope_png.png(capture, args.png)
    except (scenarios.BadFile, Unusable, ChargerError) as error:
        print(f"pilotwire scope: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"pilotwire scope: {args.png}: cannot be written ({error.strerror or error})",
              file=sys.stderr)
        return 2
    width = args.width or max(60, shutil.get_terminal_size().columns)
    plain = "utf" not in (sys.stdout.encoding or "").lower()
    lines = scope_text.text(capture, width, plain) + meter_lines
    if args.png:
        lines.append(f"drawn in {args.png}")
    for line in lines:
        print(line.encode("ascii", "replace").decode() if plain else line)
    return 0
