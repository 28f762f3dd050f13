"""The cable's decisions, tick by tick, with nothing else of the station."""

from pilotwire.decide import fault_rows, fault_table
from pilotwire.decide.cable import Cable
from pilotwire.decide.faults import Faults
from pilotwire.decide.letters import A, B
from pilotwire.decide.reading import Reading

OPEN_OHM = 99999
RATINGS = [(100, 63000), (220, 32000), (680, 20000), (1500, 13000)]


class Desk:
    """What the socket reads, what the pilot says."""

    def __init__(self):
        self.r = Reading()
        self.r.pp_ohm = OPEN_OHM
        self.r.cp_ok = True
        self.faults = Faults(fault_table.compiled())
        self.cable = Cable()
        self.letter = A
        self.ms = 0
        self.car(A).run(1000)

    def car(self, letter):
        self.letter = letter
        self.r.cp_high_mv = (12000, 9000, 6000, 3000, 0)[letter]
        return self

    def run(self, ms):
        for _ in range(0, ms, 10):
            self.tick()
        return self

    def tick(self, dt_ms=10):
        before = self.cable.limit_ma
        changed = self.cable.step(self.r, self.letter, self.faults, dt_ms)
        assert changed == (self.cable.limit_ma != before)
        if (self.ms + dt_ms) // 1000 != self.ms // 1000:
            self.faults.second(self.letter == A)
        self.ms += dt_ms

    def plug(self, ohm, letter=B):
        self.r.pp_ohm = ohm
        return self.car(letter)

    def unplug(self):
        return self.plug(OPEN_OHM, A)

    @property
    def limit_ma(self):
        return self.cable.limit_ma

    @property
    def faulty(self):
        return self.faults.holds(fault_rows.PROXIMITY)
