"""fault_rcd and fault_weld: from a cause to what the firmware does about it, in virtual time.

The station is online meanwhile, so that every chore of its loop takes part.
"""

import json
import random
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

from pilotwire.bench_device import figure
from pilotwire.broker import Broker
from pilotwire.charger import ROOT, Charger, ChargerError

_TRIALS = 1000
_PROCESSES = 8  # each with its own seed: other noise, other tolerances
_ONLINE_US = 9_000_000
_CARS = ("generic", "zoe_ze50", "leaf_ze1", "model_3")
_WELDS = ("welded", "load_live", "aux_stuck_closed")  # all poles; one pole, seen by one sensor only


class _Trials:
    """One station; each method is one trial and returns ms, or raises ChargerError."""

    def __init__(self, folder, seed, broker_at, login):
        self.rng = random.Random(seed)
        self.seed = seed
        self._events = []
        folder.mkdir()
        shutil.copyfile(ROOT / "boards/reference-3p/board.json", folder / "board.json")
        (folder / "config.json").write_text(json.dumps({
            "device": f"bench-{seed}", "installation_a": 63, "ssid": "bench", "ack": "broker",
            "broker": {"host": broker_at[0], "port": broker_at[1], "user": login[0],
                       "password": login[1]},
        }))
        self.charger = Charger(
            folder, epoch_s=1780290000, seed=seed, on_event=self._events.append, watch=True
        )
        self.charger.until(_ONLINE_US)

    def _at(self, us, event, value=None):
        self.charger.at(us, event, value)

    def _fault(self, us, event, name):
        self._at(us, event, {"name": name, "value": None})

    def _first(self, since_us, wanted, what):
        for event in self._events:
            if event["us"] >= since_us and wanted(event):
                return event["us"]
        raise ChargerError(f"seed {self.seed}: {what}")

    def _charge(self):
        """A car charges; some time after that, at a moment of no meaning."""
        charger = self.charger
        self._events.clear()
        charger.do("attend")
        charger.do("plug", self.rng.choice(_CARS))
        charger.do("want_a", [self.rng.randrange(6000, 32000)])
        self._at(charger.us + 200_000, "s2", True)
        return charger.us + 1_700_000 + self.rng.randrange(1_000_000)

    def residual(self, fault):
        """From a trip line to the contactor command."""
        cause_us = self._charge()
        self._fault(cause_us, "fault", fault)
        self._fault(cause_us + 100_000, "clear", fault)
        self._at(cause_us + 200_000, "unplug")
        self.charger.until(cause_us + 4_300_000)  # until 2-1 has cleared
        opened_us = self._first(
            cause_us, lambda e: e["e"] == "contactor" and not e["on"], f"{fault} did not open"
        )
        if not any(e["e"] == "contactor" and e["on"] for e in self._events):
            raise ChargerError(f"seed {self.seed}: the station did not charge")
        return (opened_us - cause_us) / 1000

    def weld(self, fault):
        """From the contactor command to 7-3."""
        end_us = self._charge()
        self._fault(end_us - 300_000, "fault", fault)
        if self.rng.randrange(2):
            self._at(end_us, "s2", False)
        self._at(end_us + 50_000, "unplug")
        self._fault(end_us + 500_000, "clear", fault)
        self.charger.until(end_us + 2_000_000)  # until the self-test is over
        opened_us = self._first(
            end_us, lambda e: e["e"] == "contactor" and not e["on"], "the car did not end it"
        )
        known_us = self._first(
            opened_us, lambda e: e["e"] == "faults" and "7-3" in e["codes"], f"{fault} was not seen"
        )
        return (known_us - opened_us) / 1000


def _measure(folder, seed, name, method, faults):
    """Sorted ms of _TRIALS trials; the faults take turns."""
    print(f"{name}: {_TRIALS} trials, about a minute", file=sys.stderr)
    broker = Broker()
    at = broker.start()

    def run(k):
        trials = _Trials(folder / f"{name}{k}", seed * 1000 + k, at, broker.login("device"))
        try:
            return [getattr(trials, method)(faults[n % len(faults)])
                    for n in range(_TRIALS // _PROCESSES)]
        finally:
            trials.charger.stop()

    try:
        with ThreadPoolExecutor(2) as pool:
            taken = sorted(ms for some in pool.map(run, range(_PROCESSES)) for ms in some)
    finally:
        broker.stop()
    assert len(taken) >= _TRIALS and taken[0] > 0
    return taken


def _row(name, taken, most_ms, remark):
    worst, median = taken[-1], taken[len(taken) // 2]
    return figure(name, round(worst, 2), "ms", f"<= {most_ms:g}", worst <= most_ms,
                  f"worst of {len(taken)}; median {median:.1f} ms; {remark}")


def residual(folder, seed):
    for name, fault in (("fault_rcd_ac", "rcd_ac"), ("fault_rcd_dc", "rcd_dc")):
        yield _row(name, _measure(folder, seed, name, "residual", [fault]), 15,
                   "from the trip line to the contactor command")


def weld(folder, seed):
    yield _row("fault_weld", _measure(folder, seed, "fault_weld", "weld", _WELDS), 300,
               "from the command to 7-3; both sensors, or one")
