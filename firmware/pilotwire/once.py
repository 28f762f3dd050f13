"""Modules that are needed once: used, and let go, because memory is the tightest budget."""

import sys


def call(module, function, *args):
    """pilotwire.MODULE.FUNCTION(*args); the module is forgotten afterwards."""
    name = "pilotwire." + module
    try:
        return getattr(__import__(name, None, None, (function,)), function)(*args)
    finally:
        forget(module)


def forget(module):
    """pilotwire.MODULE is not needed any more."""
    name = "pilotwire." + module
    parent, _, child = name.rpartition(".")
    sys.modules.pop(name, None)  # not there when it did not fit into memory
    if hasattr(sys.modules[parent], child):
        delattr(sys.modules[parent], child)


class Settings:
    """A plain bag of values, so that no code stays behind with them."""
