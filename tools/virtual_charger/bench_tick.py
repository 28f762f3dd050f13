"""Measures the firmware's tick with the hardware stubbed; prints one JSON object.

Arguments: folder with board.json and config.json, number of ticks. MICROPYPATH: stub/, stub_time/,
the firmware, umqtt. The burst of 64 ADC reads is hardware (2.2 ms on the chip, counted apart) and is
replaced by a buffer that already holds a 16 A pilot in state C; finding its plateaus is measured.
"""

import builtins
import gc
import json
import os
import sys
from array import array

sys.path.pop(0)  # this file's own folder, where esp32/ would hide the module esp32

import machine
import micropython
import time
import utime



class Gc:
    """`gc` without mem_free(), which is C and has a price of its own on the chip."""

    collect, threshold = gc.collect, gc.threshold

    def mem_free(self):
        return 14000


sys.modules["gc"] = Gc()
say = print
builtins.print = lambda text: None  # a line each minute: into a FIFO on the chip, here into a pipe

_TURNS = 1000
_PASSES = 5  # each quantile is that of the best pass: other programs can only add to it


def loop_ns():
    """Median time of 1,000 turns of an empty bytecode loop."""
    taken = []
    for _ in range(301):
        began = utime.time_ns()
        for _ in range(_TURNS):
            pass
        taken.append(utime.time_ns() - began)
    taken.sort()
    return taken[150]


def charging(charger):
    """Bring the charger to state C with the contactor closed and the link up."""
    for k in range(3000):
        machine.ADC.car = (k > 300) + (k > 500)
        time.forward(10000)
        charger.tick(time.ticks_us())
        if k > 1500 and charger.charging.contactor and charger.link.up:
            return
    c = charger.charging
    raise SystemExit(
        "the stubbed charger does not charge: letter %d, contactor %s, faults %d, why %d, link %d %s"
        % (c.letter, c.contactor, charger.faults.mask(), c.why, charger.link.mqtt.state,
           charger.link.mqtt.why)
    )


def costs(charger, taken):
    """Fill `taken`, in 100 ns. Returns the worst tick with a collection in it, which is left out:
    gc is C, with a price of its own on the chip (esp32 costs), not the interpreter's."""
    forward, ticks_us, tick, now = time.forward, time.ticks_us, charger.tick, utime.time_ns
    gc_chore = charger.chore_names.index("gc")
    collecting = k = 0
    while k < len(taken):
        forward(10000)
        began = now()
        chore = tick(ticks_us())
        took = min((now() - began) // 100, 65535)
        if chore == gc_chore:
            collecting = max(collecting, took)
        else:
            taken[k] = took
            k += 1
    return collecting


def quantiles(taken):
    """Median, p99, p99.9 and worst of an array, by sorting in place (shell sort: no memory)."""
    gap = len(taken) // 2
    while gap:
        for k in range(gap, len(taken)):
            value, at = taken[k], k
            while at >= gap and taken[at - gap] > value:
                taken[at] = taken[at - gap]
                at -= gap
            taken[at] = value
        gap //= 2
    count = len(taken)
    return taken[count // 2], taken[count * 99 // 100], taken[count * 999 // 1000], taken[-1]


def locked_ticks(charger, ticks):
    """How many of `ticks` ticks tried to allocate."""
    failed = 0
    step = charger.sense_decide_act
    forward, ticks_us = time.forward, time.ticks_us
    for _ in range(ticks):
        forward(10000)
        micropython.heap_lock()
        try:
            step(ticks_us())
        except MemoryError:
            failed += 1
        micropython.heap_unlock()
    return failed


def allocated(charger, ticks):
    """Bytes by which `ticks` ticks changed the allocation."""
    gc.collect()
    step = charger.sense_decide_act
    forward, ticks_us = time.forward, time.ticks_us
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(ticks):
        forward(10000)
        step(ticks_us())
    after = gc.mem_alloc()
    gc.enable()
    return after - before


class Blind:
    """In the place of what looks for faults once a tick: finds none."""

    def __init__(self, protection):
        self.active_ma, self.meter_ms = protection.active_ma, protection.meter_ms

    def step(self, r, charging, faults, dt_ms):
        pass

    def look(self, r, dt_ms):
        pass

    def tripped(self, r):
        return False

    def second(self, faults, draw_s):
        pass


def blinded(charger):
    """Take away what looks for faults; what puts it back. Diode and short of the pilot belong to the
    sequence, which could not do without them, and stay."""
    before = charger.protection, charger._inputs, charger._leakage, charger._earth
    charger.protection = charger._inputs = Blind(charger.protection)
    charger._leakage = charger._earth = None

    def seeing():
        charger.protection, charger._inputs, charger._leakage, charger._earth = before

    return seeing


def main(folder, ticks):
    os.chdir(folder)
    taken = array("H", bytes(2 * ticks))  # 100 ns; made first, while memory is in one piece
    from pilotwire import once
    from pilotwire.sense import pilot

    parts = once.call("board", "load", "board.json"), once.call("config", "load", "config.json")
    charger = once.call("start", "ready", *parts)
    charging(charger)
    pilot._burst = lambda read, buffer: None
    costs(charger, taken)  # warm up
    best, blind = None, 1e9
    for _ in range(_PASSES):
        loop = loop_ns() / 100
        collecting = costs(charger, taken)
        at = [value / loop for value in quantiles(taken)] + [collecting / loop]
        best = at if best is None else [min(a, b) for a, b in zip(best, at)]
        seeing = blinded(charger)
        costs(charger, taken)
        blind = min(blind, quantiles(taken)[0] / loop)
        seeing()
    locked_ticks(charger, 1000)
    allocated(charger, 1000)
    say(json.dumps({
        "median": best[0],
        "p99": best[1],
        "p999": best[2],
        "worst": best[3],
        "collecting": best[4],
        "blind": blind,
        "ticks": ticks,
        "alloc_failures": locked_ticks(charger, 1000),
        "alloc_bytes": allocated(charger, 1000),
        "contactor": charger.charging.contactor,
        "link": charger.link.up,
    }))


main(sys.argv[1], int(sys.argv[2]))
