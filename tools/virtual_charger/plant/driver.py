"""Lines of JSON from and to the program that steers the virtual charger.

In:  {"do":"at","us":..,"event":..,"value":..}  {"do":"until","us":..}  {"do":"look"}
     {"do":"hold"} (the next look at the network waits for something to arrive)  {"do":"quit"}
     {"do":"tap","from_us":..,"to_us":..} (first of all: a probe, see tap.py)
Out: {"us":..,"e":KIND,...}; "paused" when virtual time has reached `until`, before it "tap" when
     what the probe has seen is complete.
"""

import json
import sys


class Driver:
    def __init__(self, world):
        self.world = world
        self.tap = None

    def emit(self, kind, **fields):
        fields["us"] = self.world.clock.us
        fields["e"] = kind
        sys.stdout.write(json.dumps(fields) + "\n")

    def start(self):
        """Wait for the options and return them."""
        return json.loads(sys.stdin.readline())

    def pause(self):
        """Virtual time stands until the other side says how far it may go."""
        world = self.world
        if self.tap and world.clock.us >= self.tap.to_us:
            self.emit("tap", **self.tap.report())
            self.tap = None
        self.emit("paused")
        while True:
            line = sys.stdin.readline()
            if not line:
                raise SystemExit
            order = json.loads(line)
            do = order["do"]
            if do == "until":
                world.until_us = order["us"]
                if world.until_us > world.clock.us:
                    return
                self.emit("paused")
            elif do == "at":
                world.at(order["us"], order["event"], order.get("value"))
            elif do == "look":
                self.emit("look", **look(world))
            elif do == "hold":
                world.net.hold = True
            elif do == "tap":
                from plant.tap import Tap

                self.tap = Tap(world, order["from_us"], order["to_us"])
            elif do == "quit":
                raise SystemExit


def look(world):
    """What an onlooker with a voltmeter, an ammeter and eyes would see."""
    from plant import lamps
    from plant.car import offer_of

    node, feed, display = world.node, world.feed, world.display
    return {
        "high_mv": node.high_mv,
        "low_mv": node.low_mv,
        "duty": node.duty_u16 * 100000 // 65536,
        "car_offer_ma": offer_of(node.duty_u16),
        "v_cv": feed.v_cv,
        "i_ma": feed.i_ma,
        "p_mw": feed.p_mw,
        "true_mwh": feed.true_mwh(),
        "coil": world.contactor.coil,
        "closed": world.contactor.closed,
        "locked": world.lock.locked,
        "phases": feed.connected,
        "rgb": "%06x" % lamps.colour,
        "pixels": display.pixels_hex(),
        "text": display.text(),
        "digits": display.digits() if hasattr(display, "digits") else "",
        "powered": world.powered,
        "hot_openings": world.contactor.hot_openings,
    }
