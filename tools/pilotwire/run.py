"""`pilotwire run`: a scenario or a trace, played to the firmware, with a broker and a backend."""

import hashlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from pilotwire import scenario as scenarios
from pilotwire.broker import Broker, BrokerError, external
from pilotwire.charger import ROOT, Charger, ChargerError, names
from pilotwire.proxy import Proxy, ProxyError
from pilotwire.subscriber import Subscriber, SubscriberError
from pilotwire.view import Lines, Live

DEVICE = "virtual"
EPOCH_S = 1780290000  # 2026-06-01T05:00:00Z: runs are repeatable, also in their times of day
BUILT_IN = ROOT / "tools/pilotwire/scenarios/demo.csv"
BUILT_IN_SPEED = 20  # its ten minutes end in half a minute
LIVE_SPEED = 20
_READY_US = 6_000_000  # boot, WiFi, time and broker take about 4 s
_LATEST_US = 15_000_000
_SLICE_US = 500_000  # at full speed: how far to go between two looks at the view
_RECORD_US = 20_000_000  # to wait for the record after the end
_PATIENCE_S = 0.05  # real time, for what is under way from the broker
_CLOSE_US = 4_000_000  # a session that the end cuts short gets this long to be closed


class Unusable(Exception):
    """The run cannot start; the text is one line."""


def board_file(name):
    """Path of a board's file, by its name or as a path."""
    for path in (ROOT / "boards" / name / "board.json", Path(name), Path(name) / "board.json"):
        if path.is_file():
            return path
    known = sorted(p.parent.name for p in (ROOT / "boards").glob("*/board.json"))
    raise Unusable(f"there is no board {name!r}; there are {', '.join(known)}")


def keep_folder(path):
    """The folder for this run's files, new unless `path` names one."""
    try:
        if path is None:
            runs = ROOT / "build/runs"
            runs.mkdir(parents=True, exist_ok=True)
            number = 1 + max((int(p.name) for p in runs.iterdir() if p.name.isdigit()), default=0)
            path = runs / f"{number:04d}"
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Unusable(f"{error.filename}: cannot keep anything there ({error.strerror})") from None
    return path


class Run:
    """One run, from start() to finish(); `messages` and `record` are what the backend received."""

    def __init__(self, scenario, board, keep, *, broker_url=None, seed=1, speed=None, view=None,
                 events=None, options=None):
        self.scenario = scenario
        self.keep = keep
        self.view = view
        self.seed = seed
        self.speed = speed  # None = as fast as it goes
        self.record = None
        self._board = board
        self._broker_url = broker_url
        self._events = events
        self._options = options or {}
        self._zero_us = 0
        self.broker = self.proxy = self.backend = self.charger = None

    # Start and end ----------------------------------------------------------------------------

    def start(self):
        """Broker, backend, device; returns when the device is online and has told its state."""
        self.broker = external(self._broker_url) if self._broker_url else Broker()
        if self._broker_url:
            self.broker.check()
            host, port = self.broker.host, self.broker.port
        else:
            host, port = self.broker.start()
        device_at = (host, port)
        if not self.broker.tls:
            self.proxy = Proxy((host, port))
            device_at = self.proxy.start()
        self.backend = Subscriber(host, port, self.broker.login("backend"), DEVICE,
                                  tls=self.broker.tls)
        self.backend.start()
        self._write_config(*device_at)
        self.charger = Charger(self.keep, epoch_s=EPOCH_S, seed=self.seed,
                               on_event=self._device_event, **self._options)
        self.charger.until(_READY_US)
        while not self._online() and self.charger.us < _LATEST_US:
            self.charger.advance(0.5)
        if not self._online() and self.view:
            self.view.note("the device has not reached the broker yet")
        self._drain()
        self._zero_us = self.charger.us

    def _online(self):
        """It has said that it is, and how it is."""
        last = self.backend.last
        return last.get("status") == b"online" and "state" in last

    def _write_config(self, host, port):
        """What the owner of this charger would have set up. Keeps what a former run left beside it."""
        user, password = self.broker.login("device")
        board = json.loads(self._board.read_text())
        broker = {"host": host, "port": port}
        if user:
            broker.update(user=user, password=password or "")
        config = {
            "device": DEVICE,
            "installation_a": board["rated_a"],
            "ssid": "virtual",
            "price_per_kwh": 0.3,
            "currency": "EUR",
            "key": hashlib.sha256(b"pilotwire virtual %d" % self.seed).hexdigest(),
            "broker": broker,
        }
        shutil.copyfile(self._board, self.keep / "board.json")
        (self.keep / "config.json").write_text(json.dumps(config, indent=1) + "\n")

    def finish(self):
        """Unplug if the car is still there, wait for the record, keep what came."""
        wanted = max(1, len(self.backend.records))
        if self.charger.look()["high_mv"] < 11000:
            self.charger.do("unplug", "car")  # a locked socket lets go only after that
            self.charger.advance(_CLOSE_US / 1e6)
            self.charger.do("unplug")
            wanted = len(self.backend.records) + 1
        latest = self.charger.us + _RECORD_US
        while not self._complete(wanted) and self.charger.us < latest:
            self.charger.advance(0.5)
            self.backend.wait_for(lambda: self._complete(wanted), _PATIENCE_S)
            self._drain()
        self.keep_records()
        self._drain()

    def keep_records(self):
        """Write what the backend has received so far into the folder."""
        if self.backend.records:
            last_id, self.record = list(self.backend.records.items())[-1]
            lines = b"\n".join(self.backend.raw_records.values()) + b"\n"
            (self.keep / "records.jsonl").write_bytes(lines)
            (self.keep / "record.json").write_bytes(self.backend.raw_records[last_id] + b"\n")

    def _complete(self, wanted):
        """The backend has so many records, and the device knows that it has them."""
        return len(self.backend.records) >= wanted and self.state().get("waiting") == 0

    def stop(self):
        for part in (self.charger, self.backend, self.proxy):
            if part:
                part.stop()
        if isinstance(self.broker, Broker):
            self.broker.stop()

    # In between -------------------------------------------------------------------------------

    def state(self):
        """The device's newest `state` message."""
        try:
            return json.loads(self.backend.last.get("state", b"{}"))
        except ValueError:
            return {}

    def play(self):
        """All actions of the scenario at their times."""
        began = time.monotonic()
        for action in self.scenario.actions:
            self._advance(self._zero_us + action.t_us, began)
            self._act(action)

    def _advance(self, until_us, began):
        while self.charger.us < until_us:
            step_us = until_us
            if self.speed:
                played_us = (time.monotonic() - began) * self.speed * 1e6
                step_us = self._zero_us + int(played_us) + 10_000
                if step_us <= self.charger.us + 5_000:  # not worth a step yet
                    time.sleep(0.02)
                    continue
                step_us = min(until_us, step_us)  # however short: it is the last one
            else:
                step_us = min(until_us, self.charger.us + _SLICE_US)
            self.charger.until(step_us)
            self._drain()
            if self.view:
                self.view.show(self)

    def _act(self, action):
        if action.event == "cmd":
            try:
                self.backend.publish(action.value["topic"], action.value["payload"])
                self.charger.expect_message()
            except SubscriberError as error:
                self.view and self.view.note(str(error))
        elif action.event == "broker":
            if not self.proxy:
                raise Unusable("broker events need a broker without TLS")
            self.proxy.set_mode(action.value)
        elif action.event != "end":
            self.charger.do(action.event, action.value)
        self._event({"e": "scenario", "event": action.event, "us": self.charger.us,
                     "value": None if action.event == "row" else action.value})

    def t_s(self, us):
        """Scenario time: 0 is the first instant of the scenario, the start-up is before it."""
        return round((us - self._zero_us) / 1e6, 6)

    def _device_event(self, event):
        if event["e"] != "did":
            self._event(event)

    def _drain(self):
        """What the backend received since the last look."""
        while not self.backend.queue.empty():
            message = self.backend.queue.get()
            self._event({
                "e": "message", "us": self.charger.us, "retained": message.retained,
                "topic": message.topic, "payload": message.payload.decode(errors="replace"),
            })

    def _event(self, event):
        event = {"t_s": self.t_s(event["us"]), **event}
        del event["us"]
        if self._events:
            self._events.write(json.dumps(event) + "\n")
        if self.view:
            self.view.event(event)


def _open_events(path):
    if path is None:
        return None
    if path == "-":
        return sys.stdout
    try:
        return open(path, "w", encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{path}: cannot be written ({error.strerror})") from None


def command(args):
    """Run as the command line says; the exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as orderly as Ctrl-C
    try:
        cars, faults = names()
        scenario = scenarios.load(args.file or BUILT_IN, cars=cars, faults=faults)
        board = board_file(args.board)
        events = _open_events(args.events)
        keep = keep_folder(args.keep)
    except (scenarios.BadFile, Unusable, ChargerError) as error:
        print(f"pilotwire run: {error}", file=sys.stderr)
        return 2
    live = sys.stdout.isatty() and not args.headless and args.events != "-"
    speed = args.speed
    if speed is None:
        speed = BUILT_IN_SPEED if args.file is None else LIVE_SPEED if live else 0
    view = Live(scenario, keep) if live else Lines(scenario, sys.stderr if args.events == "-"
                                                   else sys.stdout)
    run = Run(scenario, board, keep, broker_url=args.broker, seed=args.seed, speed=speed,
              view=view, events=events)
    return _played(run, view)


def _played(run, view):
    status = 0
    try:
        run.start()
        with view:
            try:
                run.play()
            except KeyboardInterrupt:
                view.note("stopped by Ctrl-C: closing the session")
                status = 130
            run.finish()
    except KeyboardInterrupt:
        status = 130
    except (BrokerError, ProxyError, SubscriberError, ChargerError, Unusable) as error:
        print(f"pilotwire run: {error}", file=sys.stderr)
        return 2
    finally:
        if run.backend:
            run.keep_records()  # also when a second Ctrl-C has cut the end short
        run.stop()
    view.end(run)
    if run.record is None and status == 0:
        return 1
    return status


def main_record_line(run):
    """The record as one line of JSON, in the bytes the backend received."""
    return run.backend.raw_records[list(run.backend.records)[-1]].decode()


def relative(path):
    """A path as a person would type it here."""
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)
