"""What happens to the plant: the events of a scenario, and its faults."""

from plant import flash, supply
from plant.faults import FAULTS, FLASH_FAULTS, LOOP_FAULTS, METER_FAULTS
from plant.lines import ANSWER_MS
from plant.proximity import CABLE_OHM


def apply(world, event, value):
    """One event of a scenario, its value as the scenario parser gives it: mA, cV, 0.01 Hz, 0.1 K."""
    if _held(world, event, value):
        world.emit("held", event=event)
        return
    if event == "plug":
        world.car.plug(value)
    elif event == "unplug":
        world.car.unplug(at_car=value == "car")
    elif event in ("ready", "not_ready"):
        world.car.ready = event == "ready"
    elif event == "s2":  # tests: S2 at this very microsecond
        world.car.s2 = world.car.ready = value
        world.car._pilot()
    elif event == "attend":  # benches
        from plant.watch import attend

        attend()
    elif event == "ventilation":
        world.car.ventilation = value
        world.car._pilot()
    elif event == "want_a":
        uses = world.car.kind["want_ma"]
        world.car.want_ma = (
            list(value) if len(value) == 3 else [value[0] if ma else 0 for ma in uses]
        )
    elif event == "car":
        world.car.become(value)
    elif event == "row":
        world.feed.volts(value["v_cv"])
        world.car.row = (value["i_ma"], value["p_mw"])
        world.car.i_ma = list(value["i_ma"])
        world.car._load()
    elif event == "mains_v":
        world.feed.volts(value if len(value) == 3 else value * 3)
        world.car._load()
    elif event == "mains_hz":
        world.feed.hz_c = value
    elif event == "ambient_c":
        world.feed.chip_dc = value
    elif event in ("fault", "clear"):
        fault(world, value["name"], event == "fault", value["value"])
    elif event == "clock":
        _clock(world, value)
    elif event == "reset":
        if value == "brown_out" and world.powered:
            supply.brown_out(world)
        raise supply.Reset(value)
    elif event == "power":
        if value == "off":
            raise flash.PowerCut("power")
        world.powered = True
    else:
        raise ValueError("unknown event " + event)
    world.emit("did", event=event, value=value if event != "row" else None)


def _held(world, event, value):
    """The lock forbids it. At its own end the car lets the cable go; from there it still hangs."""
    if not world.lock.locked:
        return False
    return event == "unplug" and value != "car" or event == "plug" and not world.car.cable


def _clock(world, value):
    if value in ("synced", "lost"):
        world.net.ntp = value == "synced"
    else:
        world.net.epoch_s = value // 1000 - world.clock.us // 1000000
        world.net.ntp = True


def fault(world, name, on, value=None):
    """Switch a plant fault; ValueError: none of that name. `value` of `pp`: Ohm in the plug; of
    `rcd_test_slow`: ms until the monitor answers its test."""
    if name in METER_FAULTS:
        if world.meter:
            (world.meter.fault if on else world.meter.clear)(METER_FAULTS[name])
    elif name in FLASH_FAULTS:
        (flash.chip.fault if on else flash.chip.clear)(name)
    elif name in LOOP_FAULTS:
        if on:
            _disturb(world, LOOP_FAULTS[name])
    elif name == "phase_loss":  # value 1..3, else L2
        world.feed.lose((int(value or 2) - 1) % 3 if on else None)
        world.car._load()
    elif name == "pp":
        world.proximity.cable_ohm = CABLE_OHM if value is None or not on else max(0, int(value))
    elif name == "rcd_test_slow":
        world.lines.answer_ms = int(value) if on else ANSWER_MS
    elif name in FAULTS:
        target, attribute, bad, good = FAULTS[name]
        setattr(getattr(world, target), attribute, bad if on else good)
        world.node.settle()
        if attribute == "held":
            world._outputs(world.spec["contactor"]["pin"])
        if target == "contactor" and world.contactor.move_us is None:
            world.contactor.arrive()
        for part in (world.lock, world.second):
            if getattr(world, target) is part and part.move_us is None:
                part.arrive()
    else:
        raise ValueError("unknown fault " + name)


def _disturb(world, what):
    world.plan()
    if what is KeyboardInterrupt:
        world.console.type(3)
    elif not isinstance(what, int):
        raise what("plant")
    else:
        world.clock.advance(what)
