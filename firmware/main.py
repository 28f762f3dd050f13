# Which firmware -> Charger -> run. Whatever goes wrong ends with the contactor off.
# There may be two: here, and in the folder b. `slot` names the one that runs, a or b. Behind the name
# stands a + and one for each start of a firmware that is new here and not proved (keep_config.py): after
# three of them the other one is back. Both share this file: it names nothing that may differ in them.
import os
import sys
import time

import machine

_AGAIN_S = 10  # after a start that failed, for example on a broken board.json
_START_MS = 60000  # a start that hangs, or an accident at the prompt, is over by then
_UNPROVED = 5  # "b+" is written by `pilotwire deploy`, "b++++" by the third start
_CONSOLE = 3  # boot_record.CONSOLE
_PROMPT_MS = 600_000  # a watchdog cannot be stopped, but given time; not for long: it may be noise


# The letter of the firmware that runs now.
def _choose():
    try:
        with open("slot") as file:
            slot = file.read()
    except OSError:
        return "a"  # there is but one
    if len(slot) < 2:
        return slot
    other = "a" if slot[0] == "b" else "b"
    slot = slot + "+" if len(slot) < _UNPROVED else other
    try:
        with open("slot.new", "w") as file:
            file.write(slot)
        os.rename("slot.new", "slot")
    except OSError:
        return other  # a start that cannot be counted is none for a firmware on trial
    return slot[0]


def _prompt():
    machine.WDT(timeout=_PROMPT_MS)
    print("Stopped: contactor open. Ctrl-D starts again, as does the watchdog in 10 minutes.")


_charger = None
try:
    machine.WDT(timeout=_START_MS)
    if _choose() == "b":
        sys.path.insert(0, "b")
    machine.freq(240_000_000)  # a stock board boots at 160 MHz
    _charger = __import__("pilotwire.start", None, None, ("charger",)).charger()
except KeyboardInterrupt:  # boot.py has opened the contactor
    _prompt()
except Exception as error:
    sys.print_exception(error)
    time.sleep(_AGAIN_S)
    machine.reset()

if _charger:
    try:
        _charger.run()
    except KeyboardInterrupt:  # somebody at the console, with the contactor open: leave them the prompt
        _charger.safe(_CONSOLE)
        _prompt()
    except Exception as error:
        _charger.safe()
        sys.print_exception(error)
        machine.reset()
