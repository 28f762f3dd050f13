"""Trials of the pilot's reactions: from what happens at the pilot to the contactor's command.

Options: seed, mhz, tls, spikes, kinds (a list of names below), count (of each); stuck: the trial in
which the contactor's drive sticks. The station is one that switches ventilation. What is not under
test is shortened between two trials, by hand: the rests of the contactor and of the duty, the wait
for the meter's last energy, and the three seconds after which a car counts as unplugged.

A trial is a second or two, and chores take turns as ever; before three of four events a heavy one is
made due on purpose.
"""

from pilotwire.decide.letters import A, B, D, NAMES
from pilotwire.decide.limits import CONFIG

from rig import tls
from rig.base import Rig as Base
from rig.load import Load

_NEVER_US = 400_000  # longer than any limit: then it does not open
_CLOSING_US = 3_000_000  # IEC 61851-1 seq. 4
_STALL_US = 40_000
_GIVE_UP = 3  # trials of one life
# A stall of 40 ms, relative to the event: each offset of a fine grid, and between them any.
_GRID_FROM_US = -6000
_GRID_STEP_US = 100
_GRID = 350
_ANY_FROM_US = -45_000
_ANY_US = 150_000
_BEFORE_US = 60_000  # so that the stall may begin before the event
_PRESS_US = 40_000  # before the event: a chore made due then may come with it

# kind: (letter while charging, what happens)
_KINDS = {
    "ca": ("C", "unplug"),
    "da": ("D", "unplug"),
    "cb": ("C", "stop"),
    "ce": ("C", "fault"),
    "ca_stall": ("C", "unplug"),
    "cb_stall": ("C", "stop"),
}
_FAULTS = ("cp_short", "diode_short")


class Rig(Base):
    def __init__(self, world, options):
        super().__init__(world, options)
        self.taken_us = {"bc": [], "bc_tls": []}
        self.failed = []  # [kind, what went wrong]
        self.load = Load(self)
        self._stalls = self._shorts = 0
        self._trials = 0
        self._stall_us = None  # when the next chore is slow

    def _slow_chores(self):
        """A chore of tell can be made to take 40 ms longer."""
        tell, clock = self.charger._tell, self.world.clock

        def slow():
            chore = tell()
            if chore and self._stall_us is not None and clock.us >= self._stall_us:
                self._stall_us = None
                clock.advance(_STALL_US)
            return chore

        self.charger._tell = slow

    def pause(self):
        super().pause()
        self.load.step()

    def script(self):
        options = self.options
        yield from self.started()
        self.load.started()
        if options["spikes"]:
            self.world.fault("pilot_spikes", True)
        self._slow_chores()
        charging = self.charger.charging
        charging.ventilation = True  # as a board that switches it: D may be energised
        charging._then[D] = 0
        for kind in options["kinds"]:
            self.taken_us[kind] = []
        not_run = 0
        for _ in range(options["count"]):
            for kind in options["kinds"]:
                if len(self.failed) < _GIVE_UP:
                    yield from self._trial(kind)
                else:
                    not_run += 1
        self.say(
            seed=options["seed"], mhz=options["mhz"], taken_us=self.taken_us, failed=self.failed,
            not_run=not_run, **self.load.report(),
        )

    def _trial(self, kind):
        letter, what = _KINDS[kind]
        self._trials += 1
        wrong = None
        if not (yield from self._plugged()):
            wrong = "no offer"
        elif not (yield from self._closed(letter)):
            wrong = "did not close"
        if wrong:
            self._fail(kind, wrong)
            return (yield from self._over("unplug", None))
        at_us = self.now_us + _BEFORE_US + self.below(150_000 if self.below(20) else 3_000_000)
        stalled = kind.endswith("_stall")
        if kind == "cb_stall":
            self._stall_us = at_us + self._offset_us()
        elif stalled:
            self.world.at(at_us + self._offset_us(), "fault", {"name": "stall", "value": None})
        yield at_us - self.below(_PRESS_US)
        self.load.press(self.below(4))
        yield at_us
        if self._trials == self.options.get("stuck"):
            self.world.fault("drive_high", True)
        fault = self._happens(what)
        opened_us = yield from self.contactor(False, _NEVER_US)
        if opened_us is None:
            self._fail(kind, "never opened")
        else:
            self.taken_us[kind].append(opened_us - at_us)
        yield max(self.now_us, at_us + _ANY_FROM_US + _ANY_US + 50_000) if stalled else self.now_us
        yield from self._over(what, fault)

    def _fail(self, kind, why):
        charger = self.charger
        letter, faults = NAMES[charger.charging.letter], charger.facts.codes(charger.faults.mask())
        self.failed.append([kind, "%s: pilot %s, faults %s" % (why, letter, faults), self.now_us])

    def _offset_us(self):
        """Where this trial's stall begins."""
        self._stalls += 1
        if self._stalls & 1:
            return _ANY_FROM_US + self.below(_ANY_US)
        return _GRID_FROM_US + (self.options["seed"] * 131 + self._stalls // 2) % _GRID * _GRID_STEP_US

    def _plugged(self):
        """A car is there, its session is on flash, a current is offered, and the residual current
        monitor has passed its test: that comes within the rest that is shortened here."""
        world, charger = self.world, self.charger
        charging, session, journal = charger.charging, charger.session, charger.records.journal
        if not world.car.plugged:
            charger.limits.set(CONFIG, 6000 + self.below(571) * 100)
            world.apply("plug", "generic")
        charging.rest_ms = 0
        charging._duty_ms = 5000
        there = yield from self.until(
            lambda: charging.letter == B and charging.offer_ma > 0 and session.open
            and not journal.pending() and charger._may_close(), 10_000_000,
        )
        return there

    def _closed(self, letter):
        """S2 closes, at any moment; the contactor follows. True when it charges in `letter`."""
        world, charging = self.world, self.charger.charging
        at_us = self.now_us + 10_000 + self.below(30_000)
        yield at_us
        world.apply("s2", True)
        closed_us = yield from self.contactor(True, _CLOSING_US)
        if closed_us is None:
            return False
        self.taken_us["bc_tls" if tls.long_us >= at_us else "bc"].append(closed_us - at_us)
        if letter == "D":
            world.apply("ventilation", True)
            if not (yield from self.until(lambda: charging.letter == D, 500_000)):
                return False
        return charging.contactor

    def _happens(self, what):
        world = self.world
        fault = None
        if what == "unplug":
            world.apply("unplug", None)
        elif what == "stop":
            world.apply("s2", False)
        else:
            self._shorts += 1
            fault = _FAULTS[self._shorts & 1]
            world.fault(fault, True)
        return fault

    def _over(self, what, fault):
        """Back to a station that waits for a car, or for this one to ask again."""
        world, charger = self.world, self.charger
        if what == "stop":
            return
        self._stall_us = None
        if fault:
            yield self.now_us + 50_000
            world.fault(fault, False)
        world.apply("unplug", None)
        world.apply("ventilation", False)
        yield from self.until(lambda: charger.charging.letter == A, 2_000_000)
        charger.faults._away_s = 2
        charger.visit._settle_ms = min(charger.visit._settle_ms, 1)
        yield from self.until(lambda: not charger.faults.blocks, 3_000_000)
        yield self.now_us + 20_000 + self.below(60_000)
