"""A station for tests: the firmware on the virtual charger, with or without a broker, in stepped time."""

import hashlib
import json
import os
import shutil
from types import SimpleNamespace

import pytest

from pilotwire.charger import ROOT, Charger
from pilotwire.run import EPOCH_S, Run

BOARD = ROOT / "boards/reference-3p/board.json"
DEVICE = "virtual"


def variant(folder, board=BOARD, **changes):
    """Path of a copy of a board's file in which these members are others; None takes one away."""
    spec = {**json.loads(board.read_text()), **changes}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "changed.json"
    path.write_text(json.dumps({key: value for key, value in spec.items() if value is not None}))
    return path


def only_with_sources():
    """For a test that looks into the firmware by its names: they are others in the device's build."""
    if os.environ.get("PILOTWIRE_FIRMWARE") == "shrunk":
        pytest.skip("looks into the firmware by its names, which are others in the device's build")


class Lonely:
    """No network: what happens is seen at the contactor, the pilot, the LED and the display."""

    def __init__(self, folder, *, seed=1, config=None, board=BOARD, **options):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(board, folder / "board.json")
        settings = {"device": DEVICE, "installation_a": 63, "ssid": "", "price_per_kwh": 0.3}
        (folder / "config.json").write_text(json.dumps({**settings, **(config or {})}))
        self.events = []
        self.charger = Charger(
            folder, epoch_s=EPOCH_S, seed=seed, on_event=self.events.append, **options
        )
        self.start_us = self.charger.us

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.charger.stop()

    def seen(self, kind, since_us=0):
        return [e for e in self.events if e["e"] == kind and e["us"] >= since_us]

    def text(self):
        """What the display says, as one line."""
        return " ".join(" ".join(self.charger.look()["text"]).split())

    def shows(self, words, seconds=10):
        """The display says this within so long: with a fault, its pages take turns."""
        end_us = self.charger.us + seconds * 1_000_000
        while words not in self.text() and self.charger.us < end_us:
            self.charger.advance(0.5)
        return words in self.text()

    def charge(self, car="generic", amps=16, seconds=5):
        """Plug a car in and let it charge; the station has been idle before."""
        charger = self.charger
        charger.do("plug", car)
        charger.do("want_a", [round(amps * 1000)])
        charger.at(charger.us + 300_000, "s2", True)
        charger.advance(seconds)
        assert charger.look()["closed"], "the car does not charge"


class Connected:
    """With broker, proxy and backend, as `pilotwire run` sets them up."""

    def __init__(self, folder, *, seed=1, acknowledge=True, board=BOARD, **options):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.events = []
        view = SimpleNamespace(event=self.events.append, note=lambda _: None, show=lambda _: None)
        scenario = SimpleNamespace(actions=[], name="test", end_us=0)
        self.run = Run(scenario, board, folder, seed=seed, view=view, options=options)
        self._acknowledge = acknowledge
        self._fences = 0

    def __enter__(self):
        self.run.start()
        self.charger, self.backend = self.run.charger, self.run.backend
        self.backend.acknowledge = self._acknowledge
        return self

    def __exit__(self, *_):
        self.run.stop()

    def advance(self, seconds):
        self.charger.advance(seconds)
        self._fence()
        self.run._drain()

    def _fence(self):
        """Wait until the backend has what the broker had: a message of its own comes back last."""
        if self.backend.subscribed:
            self._fences += 1
            mark = b"%d" % self._fences
            self.backend.publish("fence", mark)
            assert self.backend.wait_for(lambda: self.backend.last.get("fence") == mark, 5)

    def command(self, topic, payload, seconds=1, answered=True):
        """Send, let the device answer, return its answer (a good session/ack has none)."""
        before = len(self.values("result"))
        self.backend.publish(topic, payload)
        self.charger.expect_message()
        self.advance(seconds)
        if answered:  # sent in virtual time; the broker and the backend are real, and may be late
            assert self.until(lambda: len(self.values("result")) > before, 30)
            return json.loads(self.backend.last["result"])
        return None

    def state(self):
        return self.run.state()

    def values(self, topic):
        """Payloads of a topic in the order in which the backend received them."""
        return [m.payload for m in self.backend.messages if m.topic == topic]

    def until(self, condition, seconds=60):
        """Advance until the backend has seen it; the condition's last value."""
        end_us = self.charger.us + seconds * 1_000_000
        while not condition() and self.charger.us < end_us:
            self.advance(0.5)
        return condition()

    charge = Lonely.charge


def key(seed=1):
    """The device's key in a run with this seed."""
    return hashlib.sha256(b"pilotwire virtual %d" % seed).digest()
