"""Ticks of noise in one state of the pilot: every change of the firmware's letter is a false one.

Options: seed, mhz, tls, state (a letter), ticks. Offers change every 10 s; they and an error of the
generator's duty make any duty from 8 to 97 %.
"""

from pilotwire.act.pilot_pwm import duty_of
from pilotwire.decide.letters import D, NAMES
from pilotwire.decide.limits import CONFIG

from rig.base import Rig as Base
from rig.load import Load

_DUTY_TICKS = 1000
_LEAST_M, _MOST_M = 80, 970  # duty in thousandths
_SPIKE_EVERY = 200  # reads, the strongest: every third burst has one of 2..8 V


class Rig(Base):
    def __init__(self, world, options):
        super().__init__(world, options)
        self.load = Load(self)
        self.ticks = 0
        self.changes = []  # [tick, letter before, letter, high mV, duty in thousandths]
        self._charging = self._letter = None
        self._offer_ma = None
        self._duty_m = 0
        self._next_ticks = 0
        self._pin = world.spec["contactor"]["pin"]
        self._real_write, world.pin_write = world.pin_write, self._write

    def _write(self, pin, level):
        self._real_write(pin, level)
        if pin == self._pin and self._charging:
            self._tick()

    def _tick(self):
        charging = self._charging
        self.ticks += 1
        if charging.letter != self._letter or charging.contactor != self._closed:
            self.changes.append([
                self.ticks, NAMES[self._letter], NAMES[charging.letter],
                self.charger.reading.cp_high_mv, self._duty_m, charging.contactor,
            ])
            self._letter, self._closed = charging.letter, charging.contactor
        if self.ticks >= self._next_ticks:
            self._next_ticks += _DUTY_TICKS
            self._another_duty()
        if charging.offer_ma != self._offer_ma:
            self._offer_ma = charging.offer_ma
            self._bend_duty()

    def _another_duty(self):
        """The offer that comes nearest; _bend_duty() does the rest once it is carried."""
        self._duty_m = duty_m = _LEAST_M + self.below(_MOST_M - _LEAST_M + 1)
        offer_ma = duty_m * 60 if duty_m <= 850 else (duty_m - 640) * 250
        self.charger.limits.set(CONFIG, min(80000, max(6000, offer_ma)))

    def _bend_duty(self):
        node = self.world.node
        node.duty_error = 0
        if self._offer_ma > 0:
            node.duty_error = self._duty_m * 65536 // 1000 - duty_of(self._offer_ma)
        node.settle()

    def script(self):
        state = self.options["state"]
        world = self.world
        yield from self.started()
        self.load.started()
        charging = self.charger.charging
        charging.ventilation = True  # as a board that switches it
        charging._then[D] = 0
        self.charger.limits.set(CONFIG, 16000)
        if state != "A":
            world.apply("plug", "generic")
            yield self.now_us + 3_000_000
        if state in "CDE":
            world.apply("s2", True)
            if (yield from self.contactor(True, 3_000_000)) is None:
                self.end("did not close")
        if state == "D":
            world.apply("ventilation", True)
        elif state == "E":
            world.fault("cp_short", True)
        elif state == "F":
            world.fault("pilot_stuck_minus", True)
        yield self.now_us + 3_000_000
        if NAMES[charging.letter] != state or charging.contactor != (state in "CD"):
            self.end("is not in " + state)
        self._letter, self._closed = charging.letter, charging.contactor
        self._faults = self.charger.facts.codes(self.charger.faults.mask())
        self._charging = charging
        world.node.spike_every = _SPIKE_EVERY * (1 + self.options["seed"] % 5)
        world.node.settle()
        while self.ticks < self.options["ticks"]:
            yield self.now_us + 100_000
            self.load.step()
        self.say(
            seed=self.options["seed"], mhz=self.options["mhz"], state=state, ticks=self.ticks,
            changes=self.changes[:20], count=len(self.changes), faults_due=self._faults,
            faults=self.charger.facts.codes(self.charger.faults.mask()), **self.load.report(),
        )
