"""What MicroPython itself does on the chip and is no module of its own: collecting garbage, importing,
printing to the console's UART. With their prices (plant/costs.py)."""

import builtins
import gc
import sys

_HEAP_KB = 126  # what a stock ESP32 leaves with WiFi, an estimate
_LIVE_KB = 55
_FIFO = 128  # bytes
_BYTE_US = 87  # at 115,200 Bd
_WAIT_US = 10000  # a tick of the RTOS


class Gc:
    """The `gc` module with the chip's price on a collection, and on counting what is free."""

    def __init__(self, world):
        self._world = world
        for name in ("enable", "disable", "isenabled", "mem_alloc"):
            setattr(self, name, getattr(gc, name))

    def mem_free(self):
        cost = self._world.cost
        self._world.clock.advance(_HEAP_KB * cost["heap_per_kb"])
        return gc.mem_free()

    def threshold(self, amount):
        """Nothing: this process has room, and with sources to compile the chip's small step would make
        it collect hundreds of times at each start. `bench` has a heap like the chip's."""

    def collect(self):
        gc.collect()
        cost = self._world.cost
        self._world.clock.advance(cost["gc_base"] + _LIVE_KB * cost["gc_per_kb"])


class Uart:
    """What the console's UART takes: a FIFO of 128 bytes; who prints more waits in steps of 10 ms."""

    def __init__(self, world):
        self._world = world
        self._full = 0  # bytes in the FIFO at _at_us
        self._at_us = 0
        self._print = print
        builtins.print = self.print

    def print(self, *args, **options):
        self._print(*args, **options)
        left = sum([len(str(arg)) + 1 for arg in args]) + 1  # "\n" goes as two bytes
        clock, cost = self._world.clock, self._world.cost
        clock.advance(cost["print"])
        while True:
            sent = (clock.us - self._at_us) // _BYTE_US
            self._full = max(0, self._full - sent)
            self._at_us = clock.us
            taken = min(left, _FIFO - self._full)
            self._full += taken
            left -= taken
            if not left:
                return
            clock.advance(_WAIT_US)


def charge_imports(world):
    """A module read while the loop runs stalls it: that takes its time. The loop switches Ctrl-C off."""
    real = builtins.__import__

    def priced(name, *args):
        new = world.console.interrupt < 0 and name.startswith("pilotwire.") and name not in sys.modules
        module = real(name, *args)
        if new:
            world.clock.advance(world.cost["import"])
        return module

    builtins.__import__ = priced


def install(world):
    """From here on the firmware meets these."""
    sys.modules["gc"] = Gc(world)
    if not world.console.terminal:  # else that takes its time
        Uart(world)
    charge_imports(world)
