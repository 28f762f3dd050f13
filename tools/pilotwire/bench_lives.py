"""Lives of the virtual charger under a rig (virtual_charger/rig), two at a time, each of its own seed."""

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from pilotwire.charger import HEAP, ROOT, VIRTUAL, ChargerError, micropython, search_path
from pilotwire.run import EPOCH_S

_RATED_A = 80  # so that any duty can be offered
_START_US = 777_777_777  # lives begin anywhere in the wraps of the chip's ticks
_AT_ONCE = min(2, os.cpu_count() or 1)


def options_of(seed, place):
    """Clock, transport and noise of the life at this place: each combination equally often."""
    return {
        "seed": seed, "epoch_s": EPOCH_S, "start_us": seed * _START_US % (1 << 31),
        "mhz": (240, 160)[place & 1], "tls": bool(place & 2), "spikes": bool(place & 4),
    }


def _prepare(folder, tls):
    board = json.loads((ROOT / "boards/reference-3p/board.json").read_text())
    (folder / "board.json").write_text(json.dumps({**board, "rated_a": _RATED_A}))
    (folder / "ca.der").write_bytes(b"0 not looked at: rig/tls.py charges time only")
    (folder / "config.json").write_text(json.dumps({
        "device": "bench", "installation_a": _RATED_A, "ssid": "bench", "key": "00" * 32,
        "price_per_kwh": 0.3, "ack": "broker", "time_server": "127.0.0.1",
        "broker": {"host": "127.0.0.1", "tls": tls, "ca": "ca.der"},
    }))


def live(rig, options, firmware):
    """One life; what its rig reported. ChargerError names the seed."""
    with tempfile.TemporaryDirectory(prefix="pilotwire-life-") as folder:
        _prepare(Path(folder), options["tls"])
        orders = {**options, "rig": rig, "dir": folder, "firmware": str(firmware)}
        done = subprocess.run(
            [micropython(), "-X", "heapsize=" + HEAP, str(VIRTUAL / "charger.py")],
            input=json.dumps(orders) + "\n", capture_output=True, text=True, check=False,
            env={**os.environ, "MICROPYPATH": search_path(firmware)},
        )
    lines = done.stdout.splitlines()
    try:
        report = json.loads(lines[-1])
        if "died" not in report:
            return report
        why = " | ".join([*lines[-4:-1], report["died"]])
    except (IndexError, ValueError):
        why = " | ".join([*lines[-2:], *done.stderr.splitlines()[-2:]]) or "no report"
    raise ChargerError(f"seed {options['seed']}: {why}")


def run(name, rig, lives, firmware=None):
    """Reports of `lives`, a list of options, in their order. A line on stderr tells how far it is."""
    firmware = Path(firmware or ROOT / "firmware").resolve()
    seeds = [options["seed"] for options in lives]
    print(f"{name}: {len(lives)} lives of the charger, seeds {min(seeds)} to {max(seeds)}",
          file=sys.stderr, flush=True)
    began, shown = time.monotonic(), 0
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        jobs = [pool.submit(live, rig, options, firmware) for options in lives]
        for count, job in enumerate(as_completed(jobs), 1):
            job.result()  # the first that has failed ends it
            if count * 10 // len(jobs) > shown and count < len(jobs):
                shown = count * 10 // len(jobs)
                left_s = (time.monotonic() - began) * (len(jobs) - count) / count
                print(f"{name}: {shown * 10} %, {left_s:.0f} s left", file=sys.stderr, flush=True)
        return [job.result() for job in jobs]
    finally:
        pool.shutdown(cancel_futures=True)
