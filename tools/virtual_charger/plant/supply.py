"""The chip's supply and its resets: what each of them leaves of outputs, memory and firmware."""

import sys

from plant import flash, lamps


class Reset(BaseException):
    """The chip restarts; `args[0]` is the cause: soft, wdt, hard, brown_out."""


def lost(world):
    """Outputs fall, volatile memory goes; flash and the world outside stay."""
    world.powered = False
    world.board.level.clear()
    world.board.output.clear()
    world.contactor.drive(False)
    world.lock.drive()
    world.second.drive(False)
    world.pilot_duty(0, driven=False)
    world.lines.power_lost()
    world.rtc_memory = b""
    world.rtc_offset_s = None
    if world.meter:
        world.meter.power(False)
    lamps.set(0)
    world.display.power_on()  # without supply it is dark; with it, too, until it is set up


def brown_out(world):
    """The supply dips: all is off for a moment, but the RTC's memory holds."""
    kept = world.rtc_memory, world.rtc_offset_s
    lost(world)
    world.powered = True
    back(world)
    world.rtc_memory, world.rtc_offset_s = kept


def back(world):
    """The meter has it, too; the chip starts, which is up to charger.py."""
    if world.meter:
        world.meter.power(True)
    world.reset_cause = "power"


def wait(world):
    """Until the power is back. A reset, or another cut, meets no firmware meanwhile."""
    while not world.powered:
        try:
            world.clock.advance(100000)
        except Reset:
            pass
        except flash.PowerCut:
            world.powered = False  # it came and went between two looks


def forget_firmware():
    """Drop the firmware's modules so that the next start imports them afresh, as a reset does."""
    for name in list(sys.modules):
        if name.split(".")[0] in ("pilotwire", "umqtt", "boot", "main"):
            del sys.modules[name]
