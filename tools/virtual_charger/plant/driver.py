"""Lines of JSON from and to the program that steers the virtual charger.

In:  {"do":"at","us":..,"event":..,"value":..}  {"do":"until","us":..}  {"do":"look"}
     {"do":"hold"} (the next look at the network waits for something to arrive)  {"do":"quit"}
     {"do":"tap","from_us":..,"to_us":..} (first of all: a probe, see tap.py)
Out: {"us":..,"e":KIND,...}; "paused" when virtual time has reached `until`, before it "tap" when
     what the probe has seen is complete. While somebody has the device's console open (console.py), time
goes on by itself, and `until` is answered when it has come.
"""

import json
import select
import sys

_FREE_US = 50000  # between two looks at the console
_PACE_MS = 1  # of real time that such a piece takes at the least
_CHATTER = ("led", "display")  # not told while nobody reads


class Driver:
    def __init__(self, world):
        self.world = world
        self.tap = None
        self._goal_us = 0  # of the order `until`, None when it has been answered
        self._free = False
        self._orders = select.poll()
        self._orders.register(sys.stdin, select.POLLIN)

    def emit(self, kind, **fields):
        if self._free and kind in _CHATTER:
            return
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
        if self._goal_us is not None and world.clock.us >= self._goal_us:
            self._goal_us = None
            self.emit("paused")
        while not self._goes_on():
            line = sys.stdin.readline()
            if not line:
                raise SystemExit
            order = json.loads(line)
            do = order["do"]
            if do == "until":
                self._goal_us = order["us"]
                if self._goal_us <= world.clock.us:
                    self._goal_us = None
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

    def _goes_on(self):
        """Time may go on: to the goal, or, without one, a piece while the console is open. False: there
        is an order to read."""
        world, goal_us = self.world, self._goal_us
        if not world.console.terminal:
            if goal_us is None:
                return False
            world.until_us = goal_us
            return True
        while True:
            if goal_us is None and self._orders.poll(_PACE_MS):
                return False
            open_now = world.console.connected()
            self._free = open_now and goal_us is None
            if open_now or goal_us is not None:
                piece_us = world.clock.us + _FREE_US
                world.until_us = min(piece_us, goal_us or piece_us) if open_now else goal_us
                return True


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
