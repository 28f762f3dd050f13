"""What LED and display do for a code: the firmware's own panel, LED and display, in virtual time.

Run by MicroPython as charger.py is. The first line of stdin: {"dir", "code", "language"}; dir holds
board.json. Prints one JSON object:
name, red      the row's name; it stops the charge
cycle_ms, led  how long the light takes until it repeats; [ms, "rrggbb"] at each change, from 0
pages          what the display shows, each once, in its order: {"text", "pixels", "segments"}

The charger stands ready, without a car, when the fault comes. A fault that goes away by itself is
shown as it waits for that.
"""

import json
import sys

sys.path.pop(0)  # this file's own folder, where esp32/ would hide the module esp32

import time
from plant import lamps
from plant.world import world
import stage

_READY_MS = 7000  # after the start: checks are over, and the first picture is there
_LOOK_MS = 50  # LED and display have their turn about so often
_TURNS_MS = 22000  # twice what the slower of the displays takes for all that it shows
_STAYS_MS = 1000  # nothing that stays for so long is half drawn


def _strike(faults, row):
    """The fault holds; if it clears by waiting, its cause has just gone."""
    faults.raise_(row)
    if chr(faults.how(row)) in "AT":
        faults.gone(row)


class Watch:
    """Writes down what LED and display do, on a stage where only they go on."""

    def __init__(self, charger):
        self._charger = charger
        self._panel, self._led, self._display = charger._panel, charger._led, charger._display
        self.began_us = world.clock.us
        self.led = []
        self.pages = []
        self._page, self._page_us = None, 0

    def ms(self):
        return (world.clock.us - self.began_us) // 1000

    def step(self):
        due_us = world.clock.us + _LOOK_MS * 1000
        now_ms = self.ms()
        self._panel.fill(self._charger)
        self._led.step(self._panel, time.ticks_ms())
        colour = "%06x" % lamps.colour
        if not self.led or self.led[-1][1] != colour:
            self.led.append([now_ms, colour])
        if self._display:
            self._display.step(self._panel, time.ticks_ms())
            self._look()
        world.clock.advance(due_us - world.clock.us)

    def _look(self):
        display = world.display
        page = {"text": display.text(), "pixels": display.pixels_hex(), "segments": ""}
        if hasattr(display, "segments"):
            page["segments"] = "".join("%02x" % byte for byte in display.segments())
        if page != self._page:
            self._page, self._page_us = page, world.clock.us
        elif world.clock.us - self._page_us >= _STAYS_MS * 1000 and page not in self.pages:
            self.pages.append(page)


def main():
    options = json.loads(sys.stdin.readline())
    with open(options["dir"] + "/board.json") as file:
        has_led = "led" in json.load(file)
    charger = stage.start(options["dir"], {"language": options["language"]})
    from pilotwire.decide import fault_table
    from pilotwire.tell import led

    rows = {fault_table.code(row): row for row in range(fault_table.COUNT)}
    row = rows[options["code"]]
    stage.run(charger, _READY_MS)
    world.clock.advance(_LOOK_MS * 1000)  # the LED looks at the panel at its next step again
    _strike(charger.faults, row)
    watch = Watch(charger)
    watch.step()
    cycle_ms = led.cycle_ms(charger._panel)
    while watch.ms() < max(cycle_ms, _TURNS_MS):
        watch.step()
    print(json.dumps({
        "name": fault_table.cell(row, fault_table.NAME),
        "red": fault_table.cell(row, fault_table.SEVERITY) == "red",
        "cycle_ms": cycle_ms,
        "led": [change for change in watch.led if change[0] < cycle_ms] if has_led else [],
        "pages": watch.pages,
    }))


main()
