"""fault_overcurrent: from a current above 1.5 x rating to the contactor command, virtual time."""

import json
import random
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

from pilotwire.bench_device import figure
from pilotwire.charger import ROOT, Charger, ChargerError

_TRIALS = 1000
_BOARDS = ("reference-3p", "reference-1p")  # 63 A and 32 A; level and dynamic drive
_PROCESSES = 10  # each with its own seed: other noise, other tolerances
_PERIOD_MS = 320  # of the meter's averages (sense/meter/atm90e32.py)
_GOAL_MS = _PERIOD_MS + 20
_AWAY_S = 3.5  # unplugged for so long: the fault is over
_START_S = 7  # after a power cut: the start, and the rest before the contactor may close
_CONFIG = '{"device":"bench","installation_a":63,"ssid":"","key":"00"}'


def _trials(folder, seed, board, count):
    """[ms] of `count` over-currents at random instants of a charge, 1.5 to 3 x rating."""
    rng = random.Random(seed)
    folder.mkdir()
    path = ROOT / "boards" / board / "board.json"
    spec = json.loads(path.read_text())
    phases, rating_a = spec["phases"], spec["rated_a"]
    shutil.copyfile(path, folder / "board.json")
    (folder / "config.json").write_text(_CONFIG)
    opened = []

    def event(event):
        if event["e"] == "contactor" and not event["on"]:
            opened.append(event["us"])

    charger = Charger(folder, epoch_s=1780290000, seed=seed, on_event=event)
    taken = []
    try:
        charger.until(7_000_000)  # the rest after a power-on
        for _ in range(count):
            charger.do("plug", "generic")
            charger.do("want_a", [rng.randrange(6000, 32000)])
            charger.at(charger.us + 200_000, "s2", True)
            at = charger.us + 3_200_000 + rng.randrange(1_000_000)
            amps = [6000] * 3
            amps[rng.randrange(phases)] = round(rating_a * 1000 * rng.uniform(1.52, 3))
            charger.at(at, "row", {"v_cv": [23000] * 3, "i_ma": amps,
                                   "p_mw": [230 * ma for ma in amps]})
            opened.clear()
            charger.until(at + 1_500_000)
            if not opened or opened[0] < at:
                raise ChargerError(
                    f"fault_overcurrent: seed {seed}, {at / 1e6} s: opened at {opened}"
                )
            taken.append((opened[0] - at) / 1000)
            charger.do("unplug")
            charger.advance(_AWAY_S)
            charger.do("power", "off")  # shorter than the 30 s of rest after a fault
            charger.advance(0.1)
            charger.do("power", "on")
            charger.advance(_START_S)
    finally:
        charger.stop()
    return taken


def over_current(folder, seed):
    each = _TRIALS // _PROCESSES
    print(f"fault_overcurrent: {_TRIALS} trials, about a minute", file=sys.stderr)
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(_trials, folder / f"over{k}", seed * 1000 + k, _BOARDS[k % 2], each)
            for k in range(_PROCESSES)
        ]
        taken = sorted(ms for job in jobs for ms in job.result())
    worst, median = taken[-1], taken[len(taken) // 2]
    assert len(taken) >= _TRIALS and taken[0] > 0
    yield figure("fault_overcurrent", round(worst, 2), "ms", f"<= {_GOAL_MS}", worst <= _GOAL_MS,
                 f"worst of {len(taken)}; median {median:.1f} ms; from the current to the command")
