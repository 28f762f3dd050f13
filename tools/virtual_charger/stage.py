"""The firmware on the virtual charger in the caller's hands: made here, ticked by the caller.

For what has to look inside, or to stop the loop in the middle of something: `pilotwire show`, and
tests. Scenarios and people use charger.py. One start a process.
"""

import json
import os

import time
from plant.world import world

_TICK_US = 10000


def start(folder, config=None, *, epoch_s=1780290000, seed=1):
    """A charger (control.Charger) with the board.json of `folder`, without a network.

    `config`: keys of config.json beside the least that it needs.
    """
    os.chdir(folder)
    with open("board.json") as file:
        board = json.load(file)
    settings = {"device": "stage", "installation_a": 80}
    settings.update(config or {})
    with open("config.json", "w") as file:
        json.dump(settings, file)
    world.set_up({"board": board, "dir": folder, "epoch_s": epoch_s, "seed": seed})
    from pilotwire import once

    parts = once.call("board", "load", "board.json"), once.call("config", "load", "config.json")
    return once.call("start", "ready", *parts)


def run(charger, ms):
    """Turns of the loop, as control.run() makes them, for so long."""
    clock = world.clock
    for _ in range(ms // 10):
        due_us = clock.us + _TICK_US
        charger.tick(time.ticks_us())
        if clock.us < due_us:
            clock.advance(due_us - clock.us)
