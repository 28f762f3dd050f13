"""Everything behind the pins, wired as board.json says, and the order in which it happens.

One instance, `world`, is shared by the virtual `machine`, `network`, `socket` and `time` modules. What
runs in each tick is `micropython.native`, here and in the parts: the same events in half the time.
"""

import json

import micropython
from plant import costs, events, lamps, parts, supply
from plant.chance import Chance
from plant.clock import Clock

_CAR_STEP_US = 100000
_DRAWN_US = 250000  # a display that was not written to for so long shows a whole picture
_NEVER = 1 << 60


class World:
    def __init__(self):
        self.clock = Clock()
        self.clock.on_due = self._due
        self.cost = costs.MHZ_240
        self.powered = True
        self.python_due = False
        self.turn_k = 0  # where the pilot's noise was when the turn began: it moves with each read
        self.wdt_us = None
        self.wdt_limit_us = 0
        self.rtc_memory = b""
        self.rtc_offset_s = None  # UTC of the chip's RTC minus virtual seconds
        self.reset_cause = "power"
        self.queue = []
        self.until_us = 0
        self.driver = None
        self.emit = self._no_emit
        self.drawn_us = None  # the display was last written to; None: nothing new to tell
        self._text = None
        self._car_us = _CAR_STEP_US
        self.chance = Chance()
        self.random = self.chance.random

    def _no_emit(self, kind, **fields):
        pass

    def set_up(self, options):
        """Build the plant: options = board (dict), dir, seed, epoch_s, mhz, flash_kb, tolerance, watch
        (faults are told as events)."""
        self.chance.seed(options.get("seed", 1))
        self.cost = costs.MHZ_160 if options.get("mhz") == 160 else costs.MHZ_240
        self.clock.us = options.get("start_us", 0)
        self._car_us = self.until_us = self.clock.us
        self.spec = options["board"]
        parts.make(self, options)
        self.plan()

    # Pins -----------------------------------------------------------------------------------

    @micropython.native
    def pin_write(self, pin, level):
        """An output changes. Sensing and deciding are charged before the first write of each tick that
        comes after reads of the pilot: before them hardly any has run."""
        clock = self.clock
        cost = self.cost["pin"]
        if self.python_due and self.node.place() != self.turn_k:
            self.python_due = False
            cost += self.cost["python_act"]
        us = clock.us + cost
        if us >= clock.due_us:
            clock.advance(cost)  # what falls due meanwhile happens at its own time
        else:
            clock.us = us
        board = self.board
        if board.level.get(pin) != level or not board.output.get(pin):
            board.level[pin] = level
            board.output[pin] = True
            self._outputs(pin)
        elif pin == self.spec["contactor"]["pin"]:
            self.contactor.drive(bool(level))

    def pin_release(self, pin):
        """A pin becomes an input: pull-downs take over."""
        self.board.output[pin] = False
        self._outputs(pin)
        if pin == self.spec["pilot"]["pwm_pin"]:
            self.pilot_duty(0)  # the generator's own pull-down: state F without firmware

    @micropython.native
    def _outputs(self, pin):
        spec = self.spec
        on = bool(self.board.output.get(pin) and self.board.level.get(pin))
        if pin == spec["contactor"]["pin"]:
            self.contactor.drive(on and self.powered)
        elif pin == spec["contactor"].get("enable_pin"):
            self.contactor.enable(on and self.powered)
        if pin == self.second.pin:
            self.second.drive(on)
        if pin in self.lock.pins:
            self.lock.drive()
        lamps.drive(spec.get("led"), pin, on)
        self.lines.output(pin, self.board.level.get(pin) if self.board.output.get(pin) else None)
        if pin in self.digits_at:
            level, (clk, dio) = self.board.level, self.digits_at
            self.display.wire(level.get(clk, 1), level.get(dio, 1))
            self.drawn_us = self.clock.us
        if self.meter and pin == spec["meter"].get("cs"):
            self.meter.select(not self.board.level.get(pin))

    @micropython.native
    def pin_read(self, pin):
        line = self.lines.read.get(pin)
        if line:
            return line()
        for part in (self.lock, self.second):
            level = part.feedback(pin)
            if level is not None:
                return level
        display = self.spec.get("display")
        if display and pin in (display.get("scl"), display.get("sda")):
            return 0 if self.display.shorted else 1
        if pin == self.digits_at[1] and (self.display.shorted or self.display.ack):
            return 0
        return self.board.level.get(pin, 0)

    def pilot_duty(self, duty_u16, driven=True):
        node = self.node
        duty_u16 = 65536 if duty_u16 >= 65535 else duty_u16
        if duty_u16 == node.duty_u16 and driven == node.driven:
            return
        node.duty_u16 = duty_u16
        node.driven = driven
        node.settle()
        self.emit("pilot", duty=duty_u16 * 100000 // 65536, driven=driven)

    # Time -----------------------------------------------------------------------------------

    def utc_us(self):
        """True time of day at the site, us since 1970."""
        return self.net.epoch_s * 1000000 + self.clock.us

    def _read_display(self):
        self.drawn_us = None
        text = self.display.text()
        if text != self._text:
            self._text = text
            self.emit("display", text=text)

    @micropython.native
    def plan(self):
        """Work out when the plant has to act next."""
        due = self.until_us if self.driver else _NEVER
        due = min(due, self._car_us)
        if self.contactor.move_us is not None:
            due = min(due, self.contactor.move_us)
        if self.contactor.drop_us is not None:
            due = min(due, self.contactor.drop_us)
        for part in (self.lock, self.second):
            if part.move_us is not None:
                due = min(due, part.move_us)
        if self.queue:
            due = min(due, self.queue[0][0])
        if self.wdt_us is not None:
            due = min(due, self.wdt_us)
        self.clock.due_us = due

    @micropython.native
    def _due(self):
        now = self.clock.us
        if self.contactor.move_us is not None and now >= self.contactor.move_us:
            self.contactor.arrive()
        if self.contactor.drop_us is not None:
            self.contactor.drop_out()
        for part in (self.lock, self.second):
            if part.move_us is not None and now >= part.move_us:
                part.arrive()
        if now >= self._car_us:
            self._car_us += _CAR_STEP_US
            self.car.step()
            if self.drawn_us is not None and now - self.drawn_us > _DRAWN_US:
                self._read_display()
        while self.queue and self.queue[0][0] <= now:
            self.plan()
            _, event, value = self.queue.pop(0)
            self.apply(event, value)
        if self.wdt_us is not None and now >= self.wdt_us:
            self.wdt_us = None
            self.plan()
            raise supply.Reset("wdt")
        if self.driver and now >= self.until_us:
            self.driver.pause()
        self.plan()

    def at(self, us, event, value):
        """Put an event into the queue, behind those of the same time."""
        queue = self.queue
        place = len(queue)
        while place and queue[place - 1][0] > us:
            place -= 1
        queue.insert(place, (us, event, value))
        self.plan()

    # What happens to it ---------------------------------------------------------------------

    def apply(self, event, value):
        """One event of a scenario, now (events.py)."""
        events.apply(self, event, value)

    def fault(self, name, on, value=None):
        """Switch a plant fault (events.py)."""
        events.fault(self, name, on, value)


world = World()


def read_json(path):
    with open(path) as file:
        return json.load(file)
