# Which firmware -> Charger -> run. Whatever goes wrong ends with the contactor off.
# There may be two: here, and in the folder b. `slot` names the one that runs, a or b. Behind the name
# stands a + and one for each start of a firmware that is new here and not proved (keep_config.py): after
# three of them the other one is back. Both share this file: it names nothing that may differ in them.
import os
import sys
import time

import machine

_AGAIN_S = 10  # after a start that failed, for example on a broken board.json
_TRIAL_MS = 60000  # a new firmware that hangs before its loop has a watchdog
_TRIES = 5  # "b+" is written by `pilotwire deploy`, "b++++" by the third start
_CONSOLE = 3  # boot_record.CONSOLE
_PROMPT_MS = 600_000  # a watchdog cannot be stopped, but given time; not for long: it may be noise


def _choose():
    try:
        with open("slot") as file:
            slot = file.read()
        if len(slot) > 1:
            machine.WDT(timeout=_TRIAL_MS)
            slot = slot + "+" if len(slot) < _TRIES else "a" if slot[0] == "b" else "b"
            with open("slot.new", "w") as file:
                file.write(slot)
            os.rename("slot.new", "slot")
        if slot[0] == "b":
            sys.path.insert(0, "b")
    except (OSError, IndexError):
        pass  # there is but one, or the flash is broken


try:
    _choose()
    machine.freq(240_000_000)  # a stock board boots at 160 MHz
    _charger = __import__("pilotwire.start", None, None, ("charger",)).charger()
except Exception as error:  # boot.py has opened the contactor
    sys.print_exception(error)
    time.sleep(_AGAIN_S)
    machine.reset()

try:
    _charger.run()
except KeyboardInterrupt:  # somebody at the console, with the contactor open: leave them the prompt
    _charger.safe(_CONSOLE)
    machine.WDT(timeout=_PROMPT_MS)
    print("Stopped: contactor open. Ctrl-D starts again, as does the watchdog in 10 minutes.")
except Exception as error:
    _charger.safe()
    sys.print_exception(error)
    machine.reset()
