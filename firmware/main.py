# Board + configuration -> Charger -> run. Whatever goes wrong ends with the contactor off.
import gc
import time

import machine
import micropython

_AGAIN_S = 10  # after a start that failed, for example on a broken board.json
_LOADING_BYTES = 2000  # collected so often while modules load, else what stays lies scattered: 28 KB

_CONSOLE = 3  # of pilotwire.tell.boot_record
_PROMPT_MS = 600_000  # the watchdog cannot be stopped, but be given time; noise may not stop it for long
_STOPPED = """Stopped: contactor open. Ctrl-D starts again, the watchdog does in 10 minutes.
For an hour: import machine; machine.WDT(timeout=3600000)"""


def _start():
    from pilotwire import once

    gc.threshold(_LOADING_BYTES)
    board = once.call("board", "load", "board.json")
    if board.no_driver:
        print("board.json: there is no driver for the meter", board.no_driver, "yet: it runs without one")
    config = once.call("config", "start")
    if config.trouble:
        print(config.trouble)
    from pilotwire.control import Charger

    charger = Charger(board, config)
    gc.threshold(-1)  # the loop collects at its own times
    return charger


def _tell(error):
    import sys

    sys.print_exception(error)


try:
    machine.freq(240_000_000)  # a stock board boots at 160 MHz
    _charger = _start()
except Exception as error:  # boot.py has opened the contactor
    _tell(error)
    time.sleep(_AGAIN_S)
    machine.reset()

try:
    _charger.run()
except KeyboardInterrupt:  # somebody at the console, or noise on its line; only while nothing is on
    micropython.kbd_intr(-1)  # a second one may not cut this short; the prompt hears it again
    _charger.safe(_CONSOLE)
    machine.WDT(timeout=_PROMPT_MS)
    print(_STOPPED)
except Exception as error:
    _charger.safe()
    _tell(error)
    machine.reset()
