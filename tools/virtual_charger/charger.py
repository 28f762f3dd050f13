"""The virtual charger: starts the firmware as the chip would, again after each reset.

Run by MicroPython's unix port with MICROPYPATH = esp32/, this folder, firmware, umqtt, .frozen.
The first line of stdin is the options; after it, see plant/driver.py. The option `rig` names a module
whose Rig steers instead, within this process (rig/base.py). `console` is the file descriptor of a
pseudo-terminal: the prompt is there, as on a chip. `vfs` is a file with the chip's file system, which the
firmware is started from, `vfs_bytes` its size, `vfs_log` a file for what is written to it.
"""

import gc
import sys

_BOOT_US = 900000  # ROM, bootloader, IDF and MicroPython's own start; a guess


def run(world, path):
    """Run a file as MicroPython does at its start: what it does not catch is printed and ends it."""
    from plant import tap

    with open(path) as file:
        source = file.read()
    world.console.interrupt = 3
    tap.firmware = {"__name__": "__main__"}
    try:
        exec(compile(source, path, "exec"), tap.firmware)
    except (Exception, KeyboardInterrupt) as error:
        sys.modules["sys"].print_exception(error)
    finally:
        tap.firmware = {}
        world.console.interrupt = -1


def main():
    sys.path.pop(0)  # this file's own folder, where esp32/ would hide the module esp32
    from plant.driver import Driver
    from plant import console, supply
    from plant.flash import PowerCut
    from plant.repl import Repl
    from plant.world import read_json, world

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

    firmware = options["firmware"]
    world.console = console.install(world, options.get("console"))
    port.install(world)
    repl = Repl(world.console)
    files = None
    if "vfs" in options:
        from plant.root import Root

        files = Root(world, options["vfs"], options["vfs_bytes"], options.get("vfs_log"))
        firmware = ""
    path = list(sys.path)
    world.plan()
    while True:
        try:
            world.clock.advance(0)  # what is due now comes first, also before the first start
            if files:
                files.restart(world.reset_cause == "soft")
            if world.reset_cause != "soft":
                world.clock.advance(_BOOT_US)
            world.emit("boot", cause=world.reset_cause)
            run(world, firmware + "/boot.py")
            if not repl.raw:
                run(world, firmware + "/main.py")
            world.emit("stopped")  # main.py ended: the prompt, outputs as they are
            while not world.console.terminal:
                world.clock.advance(1000000)
            repl.serve()
            world.reset_cause = "soft"  # the watchdog, once started, goes on
        except supply.Reset as reset:
            world.reset_cause = reset.args[0]
            world.emit("reset", cause=world.reset_cause)
            world.wdt_us = None
            repl.raw = False
        except PowerCut:
            supply.lost(world)
            world.wdt_us = None
            repl.raw = False
            world.emit("power", on=False)
            supply.wait(world)
            supply.back(world)
            world.emit("power", on=True)
        supply.forget_firmware()
        sys.path[:] = path
        gc.collect()


main()
