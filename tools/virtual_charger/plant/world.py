"""Everything behind the pins, wired as board.json says, and the order in which it happens.

One instance, `world`, is shared by the virtual `machine`, `network`, `socket` and `time` modules.
"""

import json
import os
import sys
from array import array

import micropython
from plant import costs, flash, lamps, ntc
from plant.car import Car
from plant.clock import Clock
from plant.contactor import Contactor
from plant.faults import FAULTS, FLASH_FAULTS, LOOP_FAULTS, METER_FAULTS
from plant.lines import ANSWER_MS, Lines
from plant.lock import Lock
from plant.mains import Feed
from plant.phases import PhaseContactor
from plant.pilot import PilotNode
from plant.proximity import CABLE_OHM, ProximityPin
from plant.ssd1306 import Ssd1306
from plant.tm1637 import Tm1637

_CAR_STEP_US = 100000
_DRAWN_US = 250000  # a display that was not written to for so long shows a whole picture
_NEVER = 1 << 60


class Reset(BaseException):
    """The chip restarts; `args[0]` is the cause: soft, wdt, hard, brown_out."""


class Net:
    """What the site's network does."""

    def __init__(self):
        self.wifi = True
        self.ntp = True
        self.dns = True
        self.epoch_s = 0  # UTC when the process started, seconds since 1970


class Board:
    """Pins of the chip: levels outlive a reset, not a power cut."""

    def __init__(self):
        self.level = {}
        self.output = {}
        self.pull = {}  # Pin.PULL_UP, Pin.PULL_DOWN or None
        self.hang = False


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
        self._random = array("I", [1, 0])  # of a number of 64 bits, the low half first

    def _no_emit(self, kind, **fields):
        pass

    def seed(self, number):
        """Begin this run's random numbers."""
        number = number * 2654435761 + 88172645463325252
        self._random = array("I", [number & 0xFFFFFFFF, number >> 32 & 0xFFFFFFFF])
        for _ in range(8):
            self.random()

    @micropython.viper
    def random(self) -> int:
        """31-bit pseudo-random number of this run's seed (multiply-with-carry)."""
        s = ptr32(self._random)
        product = s[0] * 4294957665 + s[1]  # of its 64 bits none is lost
        s[0] = product
        s[1] = product >> 32
        return (product >> 16) & 0x7FFFFFFF

    def set_up(self, options):
        """Build the plant: options = board (dict), dir, seed, epoch_s, mhz, flash_kb, tolerance, watch
        (faults are told as events)."""
        self.seed(options.get("seed", 1))
        self.cost = costs.MHZ_160 if options.get("mhz") == 160 else costs.MHZ_240
        self.clock.us = options.get("start_us", 0)
        self._car_us = self.until_us = self.clock.us
        self.spec = board = options["board"]
        self.net = Net()
        self.net.epoch_s = options["epoch_s"]
        self.board = Board()
        self.node = PilotNode(self.clock, self.random)
        if options.get("tolerance", True):  # one real unit: 1 % resistors, +-0.6 V generator
            self.node.gain_ppm = self.random() % 4001 - 2000
            self.node.plus_mv += self.random() % 401 - 200
            self.node.minus_mv += self.random() % 401 - 200
        self.feed = Feed(self.clock, board.get("phases", 3))
        self.contactor = Contactor(self, board["contactor"].get("drive", "level"))
        self.lines = Lines(self)
        self.car = Car(self.node, self.feed)
        self.lock = Lock(self, board.get("lock"))
        self.second = PhaseContactor(self, board["contactor"])
        spec = board.get("proximity")
        self.proximity = ProximityPin(
            self.clock, self.random, self.car, spec, self.cost["adc"],
            spec is not None and options.get("tolerance", True),
        )
        shown = board.get("display") or {}
        self._digits_at = (shown.get("clk"), shown.get("dio"))
        self.display = Tm1637() if shown.get("kind") == "tm1637" else Ssd1306()
        lamps.on_change = self._lamp
        self.meter = self._meter(board.get("meter"))
        self.ntc = ntc.Thermistor(self, board.get("ntc"), options.get("tolerance", True))
        flash.chip = None
        size = options.get("flash_kb", 128) * 1024
        if size:
            flash.chip = flash.Nor(self.clock, options["dir"] + "/journal.bin", size)
        if options.get("watch"):
            from plant.watch import Watch

            Watch(self)
        self.plan()

    def _lamp(self, colour):
        self.emit("led", rgb="%06x" % colour)

    def _meter(self, spec):
        if not spec or spec["chip"] == "none":
            return None
        try:
            module = __import__("plant.meters." + spec["chip"], None, None, ("Chip",))
        except ImportError:  # no such meter is simulated: whoever asks it hears nothing
            return None
        chip = module.Chip(
            self.clock, self.feed,
            nominal_ugain=spec.get("ugain"), nominal_igain=spec.get("igain"),
        )
        self.feed.chips.append(chip)
        return chip

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
        if pin in self._digits_at:
            level, (clk, dio) = self.board.level, self._digits_at
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
        if pin == self._digits_at[1] and (self.display.shorted or self.display.ack):
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
            raise Reset("wdt")
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

    # Events ---------------------------------------------------------------------------------

    def apply(self, event, value):
        """One event of a scenario, its value as the scenario parser gives it: mA, cV, 0.01 Hz, 0.1 K."""
        if self._held(event, value):
            self.emit("held", event=event)
            return
        if event == "plug":
            self.car.plug(value)
        elif event == "unplug":
            self.car.unplug(at_car=value == "car")
        elif event in ("ready", "not_ready"):
            self.car.ready = event == "ready"
        elif event == "s2":  # tests: S2 at this very microsecond
            self.car.s2 = self.car.ready = value
            self.car._pilot()
        elif event == "attend":  # benches
            from plant.watch import attend

            attend()
        elif event == "ventilation":
            self.car.ventilation = value
            self.car._pilot()
        elif event == "want_a":
            uses = self.car.kind["want_ma"]
            self.car.want_ma = (
                list(value) if len(value) == 3 else [value[0] if ma else 0 for ma in uses]
            )
        elif event == "car":
            self.car.become(value)
        elif event == "row":
            self.feed.volts(value["v_cv"])
            self.car.row = (value["i_ma"], value["p_mw"])
            self.car.i_ma = list(value["i_ma"])
            self.car._load()
        elif event == "mains_v":
            self.feed.volts(value if len(value) == 3 else value * 3)
            self.car._load()
        elif event == "mains_hz":
            self.feed.hz_c = value
        elif event == "ambient_c":
            self.feed.chip_dc = value
        elif event in ("fault", "clear"):
            self.fault(value["name"], event == "fault", value["value"])
        elif event == "clock":
            self._clock(value)
        elif event == "reset":
            if value == "brown_out" and self.powered:
                self._brown_out()
            raise Reset(value)
        elif event == "power":
            if value == "off":
                raise flash.PowerCut("power")
            self.powered = True
        else:
            raise ValueError("unknown event " + event)
        self.emit("did", event=event, value=value if event != "row" else None)

    def _held(self, event, value):
        """The lock forbids it. At its own end the car lets the cable go; from there it still hangs."""
        if not self.lock.locked:
            return False
        return event == "unplug" and value != "car" or event == "plug" and not self.car.cable

    def _clock(self, value):
        if value in ("synced", "lost"):
            self.net.ntp = value == "synced"
        else:
            self.net.epoch_s = value // 1000 - self.clock.us // 1000000
            self.net.ntp = True

    def fault(self, name, on, value=None):
        """Switch a plant fault; ValueError: none of that name. `value` of `pp`: Ohm in the plug; of
        `rcd_test_slow`: ms until the monitor answers its test."""
        if name in METER_FAULTS:
            if self.meter:
                (self.meter.fault if on else self.meter.clear)(METER_FAULTS[name])
        elif name in FLASH_FAULTS:
            (flash.chip.fault if on else flash.chip.clear)(name)
        elif name in LOOP_FAULTS:
            if on:
                self._disturb(LOOP_FAULTS[name])
        elif name == "phase_loss":  # value 1..3, else L2
            self.feed.lose((int(value or 2) - 1) % 3 if on else None)
            self.car._load()
        elif name == "pp":
            self.proximity.cable_ohm = CABLE_OHM if value is None or not on else max(0, int(value))
        elif name == "rcd_test_slow":
            self.lines.answer_ms = int(value) if on else ANSWER_MS
        elif name in FAULTS:
            target, attribute, bad, good = FAULTS[name]
            setattr(getattr(self, target), attribute, bad if on else good)
            self.node.settle()
            if attribute == "held":
                self._outputs(self.spec["contactor"]["pin"])
            if target == "contactor" and self.contactor.move_us is None:
                self.contactor.arrive()
            for part in (self.lock, self.second):
                if getattr(self, target) is part and part.move_us is None:
                    part.arrive()
        else:
            raise ValueError("unknown fault " + name)

    def _disturb(self, what):
        self.plan()
        if what is KeyboardInterrupt:
            self.console.type(3)
        elif not isinstance(what, int):
            raise what("plant")
        else:
            self.clock.advance(what)

    # Supply and resets ----------------------------------------------------------------------

    def power_lost(self):
        """Outputs fall, volatile memory goes; flash and the world outside stay."""
        self.powered = False
        self.board.level.clear()
        self.board.output.clear()
        self.contactor.drive(False)
        self.lock.drive()
        self.second.drive(False)
        self.pilot_duty(0, driven=False)
        self.lines.power_lost()
        self.rtc_memory = b""
        self.rtc_offset_s = None
        if self.meter:
            self.meter.power(False)
        lamps.set(0)
        self.display.power_on()  # without supply it is dark; with it, too, until it is set up

    def _brown_out(self):
        """The supply dips: all is off for a moment, but the RTC's memory holds."""
        kept = self.rtc_memory, self.rtc_offset_s
        self.power_lost()
        self.powered = True
        self.power_back()
        self.rtc_memory, self.rtc_offset_s = kept

    def power_back(self):
        if self.meter:
            self.meter.power(True)
        self.reset_cause = "power"


world = World()


def read_json(path):
    with open(path) as file:
        return json.load(file)


def make_dir(path):
    try:
        os.mkdir(path)
    except OSError:
        pass


def forget_firmware():
    """Drop the firmware's modules so that the next start imports them afresh, as a reset does."""
    for name in list(sys.modules):
        if name.split(".")[0] in ("pilotwire", "umqtt", "boot", "main"):
            del sys.modules[name]
