"""What has worked stays: a copy of the configuration, for the day on which it cannot be read, and a new
firmware, which main.py takes back otherwise."""

import os
import sys

_OWN, _GOOD, _NEW = "config.json", "config.good.json", "config.new.json"
_SLOT, _SLOT_NEW = "slot", "slot.new"
_PIECE = 512


def keep(config):
    """Writes flash, and so may stall for some 100 ms. config: it was the file's own that has worked, and
    is copied if the copy is missing or another one. OSError: flash has not taken it."""
    slot = _slot()
    if len(slot) > 1:
        with open(_SLOT_NEW, "w") as file:
            file.write("b" if sys.path[0] == "b" else "a")  # the one that runs, whoever is on trial
        os.rename(_SLOT_NEW, _SLOT)
    if config and _pieces_differ():
        with open(_OWN, "rb") as own, open(_NEW, "wb") as new:
            piece = own.read(_PIECE)
            while piece:
                new.write(piece)
                piece = own.read(_PIECE)
        os.rename(_NEW, _GOOD)  # one of the two is whole, whenever the power goes


def on_trial():
    """This firmware is new here, and has not run well for a minute yet."""
    slot = _slot()
    return len(slot) > 1 and (slot[0] == "b") == (sys.path[0] == "b")


def _slot():
    try:
        with open(_SLOT) as file:
            return file.read()
    except OSError:
        return ""  # there is but one firmware


def _pieces_differ():
    try:
        with open(_OWN, "rb") as own, open(_GOOD, "rb") as good:
            while True:
                piece = own.read(_PIECE)
                if piece != good.read(_PIECE):
                    return True
                if not piece:
                    return False
    except OSError:
        return True
