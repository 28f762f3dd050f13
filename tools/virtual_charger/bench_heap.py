"""The firmware alone, on a heap like the chip's: starts, joins a broker and charges. Real time.

Arguments: folder with board.json and config.json. MICROPYPATH: stub/, the compiled firmware. Prints
one JSON object; a MemoryError ends it.
"""

import sys

sys.path.pop(0)  # this file's own folder, where esp32/ would hide the module esp32

import gc
import json
import os
import time

import machine

_LOADING_BYTES = 2000  # as main.py has it
_START_S = 15
_CHARGE_S = 12


def main(folder):
    os.chdir(folder)
    from pilotwire import once

    gc.threshold(_LOADING_BYTES)
    board = once.call("board", "load", "board.json")
    config = once.call("config", "load", "config.json")
    charger = once.call("start", "ready", board, config)
    gc.threshold(-1)
    began = time.ticks_ms()
    charged_ms = linked_ms = None
    least = 1 << 40
    while time.ticks_diff(time.ticks_ms(), began) < (_START_S + _CHARGE_S) * 1000:
        due = time.ticks_us()
        charger.tick(due)
        least = min(least, gc.mem_free())
        if charger.link.up:
            linked_ms = linked_ms or time.ticks_ms()
            machine.ADC.car = 1 if time.ticks_diff(time.ticks_ms(), linked_ms) < 1000 else 2
        if charged_ms is None and charger.charging.contactor:
            charged_ms = time.ticks_ms()
        if charged_ms is not None:
            if time.ticks_diff(time.ticks_ms(), charged_ms) > _CHARGE_S * 1000:
                break
        left = 10000 - time.ticks_diff(time.ticks_us(), due)
        if left > 0:
            time.sleep_us(left)
    gc.collect()
    print(json.dumps({
        "link": charger.link.up,
        "contactor": charger.charging.contactor,
        "free": gc.mem_free(),
        "used": gc.mem_alloc(),
        "least": least,
    }))


main(sys.argv[1])
