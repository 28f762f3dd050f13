"""Board + configuration -> Charger. Needed once, by main.py."""

import gc
import sys

from micropython import const

from pilotwire import once

_LOADING_BYTES = const(2000)  # collected so often while modules load, else what stays is scattered: 28 KB


def charger():
    """control.Charger, ready to run(). What cannot be loaded is the caller's matter."""
    gc.threshold(_LOADING_BYTES)
    board = once.call("board", "load", "board.json")
    if board.no_driver:
        print("board.json: there is no driver for the meter", board.no_driver, "yet: it runs without one")
    config = once.call("config", "start")
    if config.trouble:
        print(config.trouble)
    from pilotwire.version import FIRMWARE

    made = ready(board, config)
    slot = "b" if sys.path[0] == "b" else "a"  # main.py
    print("pilotwire %s ready in %s, self-test %s" % (FIRMWARE, slot, made.selftest))
    gc.threshold(-1)  # the loop collects at its own times
    once.forget("start")
    return made


def ready(board, config):
    """control.Charger with its link, and without what only its start needed."""
    from pilotwire.control import Charger

    made = Charger(board, config)
    once.call("shed", "after_parts")
    made.open_link()
    once.call("shed", "after_link")
    return made
