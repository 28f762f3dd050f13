"""The virtual charger: starts the firmware as the chip would, again after each reset.

Run by MicroPython's unix port with MICROPYPATH = esp32/, this folder, firmware, umqtt, .frozen.
The first line of stdin is the options; after it, see plant/driver.py. The option `rig` names a module
whose Rig steers instead, within this process (rig/base.py).
"""

import gc
import sys

_BOOT_US = 900000  # ROM, bootloader, IDF and MicroPython's own start; a guess


def run(path):
    """Run a file as MicroPython does at its start: what it does not catch is printed and ends it."""
    from plant import tap

    with open(path) as file:
        source = file.read()
    tap.firmware = {"__name__": "__main__"}
    try:
        exec(compile(source, path, "exec"), tap.firmware)
    except (Exception, KeyboardInterrupt) as error:
        sys.print_exception(error)
    finally:
        tap.firmware = {}


def main():
    sys.path.pop(0)  # this file's own folder, where esp32/ would hide the module esp32
    from plant.driver import Driver
    from plant.flash import PowerCut
    from plant.world import Reset, forget_firmware, read_json, world

    driver = Driver(world)
    options = driver.start()
    import os

    os.chdir(options["dir"])
    options["board"] = read_json("board.json")
    world.set_up(options)
    if "rig" in options:
        driver = __import__(options["rig"], None, None, ("Rig",)).Rig(world, options)
    world.emit = driver.emit
    world.driver = driver
    import port

    port.install(world)
    firmware = options["firmware"]
    world.plan()
    world.clock.advance(0)
    while True:
        try:
            world.clock.advance(_BOOT_US)
            world.emit("boot", cause=world.reset_cause)
            world.interrupt = 3  # the port's own setting while a file runs
            run(firmware + "/boot.py")
            run(firmware + "/main.py")
            world.emit("stopped")  # main.py ended: the REPL, outputs as they are
            while True:
                world.clock.advance(1000000)
        except Reset as reset:
            world.reset_cause = reset.args[0]
            world.emit("reset", cause=world.reset_cause)
            world.wdt_us = None
        except PowerCut:
            world.power_lost()
            world.wdt_us = None
            world.emit("power", on=False)
            while not world.powered:
                world.clock.advance(100000)
            world.power_back()
            world.emit("power", on=True)
        forget_firmware()
        gc.collect()


main()
