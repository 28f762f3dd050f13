"""Figures of the firmware alone, hardware stubbed: what a tick costs and what memory it needs."""

import json
import os
import subprocess

from pilotwire.broker import Broker
from pilotwire.charger import ROOT, SOURCES, VIRTUAL, ChargerError, micropython
from pilotwire.device_build import compile_tree, count

_SCRIPTS = ("bench_tick.py", "bench_heap.py")  # they look into the firmware: built with it
_TICKS = 20000
_HEAP = "56wK"  # words: 56 KB on the chip, 112 KB on a 64-bit host
_TICK_HEAP = "176wK"  # what the firmware needs today, and room for the measured times
_MOST_NAMES = 300  # the chip's pools of names double: 20, 40, 80, 160 and then 320
_MOST = 1.5
_MOST_P999 = 3.0
_MOST_DETECTION = 0.3


def figure(name, value, unit, bound, ok, remark=""):
    return {"name": name, "value": value, "unit": unit, "bound": bound, "ok": bool(ok),
            "remark": remark}


def _prepare(folder, port=1883, login=("device", "x")):
    board = json.loads((ROOT / "boards/reference-3p/board.json").read_text())
    (folder / "board.json").write_text(json.dumps(board))
    (folder / "config.json").write_text(json.dumps({
        "device": "bench", "installation_a": 32, "ssid": "bench", "price_per_kwh": 0.3,
        "time_server": "127.0.0.1", "key": "00" * 32,
        "broker": {"host": "127.0.0.1", "port": port, "user": login[0], "password": login[1]},
    }))
    stubs = ((VIRTUAL / "stub", "stub"), (VIRTUAL / "stub_time", "stub_time"))
    compile_tree(folder / "device", guests=[VIRTUAL / script for script in _SCRIPTS])
    compile_tree(folder, sources=stubs)


def _micropython(script, path, heap, folder, *args):
    done = subprocess.run(
        [micropython(), "-X", "heapsize=" + heap, *map(str, (folder / script, folder, *args))],
        env={**os.environ, "MICROPYPATH": ":".join([*map(str, path), ".frozen"])},
        capture_output=True, text=True, check=False,
    )
    return done.returncode, done.stdout, (done.stderr or done.stdout).strip()


def tick(folder, _seed):
    """tick_cost, tick_detect and tick_alloc."""
    _prepare(folder)
    path = (folder / "stub_time", folder / "stub", folder / "device")
    status, out, said = _micropython("bench_tick.py", path, _TICK_HEAP, folder, _TICKS)
    if status:
        raise ChargerError("the tick bench does not run: " + said.splitlines()[-1])
    got = json.loads(out)
    unit = "x 1,000 turns"
    yield figure("tick_cost", round(got["median"], 3), unit, f"<= {_MOST}", got["median"] <= _MOST,
                 f"median of {_TICKS} charging ticks; p99 {got['p99']:.2f}")
    yield figure("tick_cost_p999", round(got["p999"], 3), unit, f"<= {_MOST_P999:g}",
                 got["p999"] <= _MOST_P999,
                 f"worst {got['worst']:.2f}; ticks that collect garbage apart: {got['collecting']:.1f}")
    detect = got["median"] - got["blind"]
    yield figure("tick_detect", round(detect, 3), unit, f"<= {_MOST_DETECTION}",
                 detect <= _MOST_DETECTION,
                 f"of tick_cost: looking for faults; without it {got['blind']:.2f}")
    yield figure("tick_alloc", got["alloc_bytes"] + got["alloc_failures"], "bytes", "0",
                 got["alloc_bytes"] == 0 and got["alloc_failures"] == 0,
                 f"1,000 ticks: mem_alloc {got['alloc_bytes']} B, {got['alloc_failures']} refused "
                 "by heap_lock")


def heap(folder, _seed):
    """heap_import: does it start and charge on the chip's heap, and what is left."""
    broker = Broker()
    _, port = broker.start()
    try:
        _prepare(folder, port, broker.login("device"))
        path = (folder / "stub", folder / "device")
        status, out, said = _micropython("bench_heap.py", path, _HEAP, folder)
        needed = None
        if status:
            needed = _needed(folder, path)
    finally:
        broker.stop()
    if status:
        last = said.splitlines()[-1] if said else "no output"
        yield figure("heap_import", needed, "KB (32 bit)", "<= 56", False,
                     f"does not start with heapsize={_HEAP}: {last}")
        return
    got = json.loads(out)
    yield figure("heap_import", round(got["used"] / 2048, 1), "KB (32 bit)", "<= 56",
                 got["link"] and got["contactor"],
                 f"{got['free'] // 2048} KB left of 56 while charging, link up")


def build(folder, _seed):
    """build_names: what the build step leaves of files, bytes and names."""
    files, size, names = count(compile_tree(folder / "shrunk") / "pilotwire")
    before = count(compile_tree(folder / "sources", sources=((SOURCES, ""),)))
    yield figure("build_names", names, "names", f"<= {_MOST_NAMES}", names <= _MOST_NAMES,
                 f"{files} files, {size} bytes of .mpy; the sources as they are: {before[2]} names, "
                 f"{before[0]} files, {before[1]} bytes")


def _needed(folder, path):
    """Smallest heap, in KB of a 32-bit chip, on which it does start and charge."""
    for size in range(60, 201, 4):
        status, out, _ = _micropython("bench_heap.py", path, f"{size}wK", folder)
        if not status and json.loads(out)["contactor"]:
            return size
    return 999
