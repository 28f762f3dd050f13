"""One phase or three: when the second contactor, that of L2 and L3, may move. Pure.

A change under PWM may damage a car. So charging stops as for any order (X1, the contactor opens), and
the second contactor moves only after a pause with the contactor open and no PWM: 60 s as Tinkerforge
has it, EVerest takes 10 s. The pause holds also after a start: nothing tells how many phases the car
had, and until when. Without a car there is nothing to wait for.

A contactor that does not follow is not forced: its order becomes what it does, `have` tells the
truth, and the next visit tries again. The contactor of all phases is in series, and still opens.
"""

from micropython import const

from pilotwire.decide.fault_rows import WELDED
from pilotwire.decide.letters import A

_MOVE_MS = const(500)  # for its contacts and their auxiliary contact
_AWAY_MS = const(3000)  # in state A, before the car is believed to be gone: a pilot may bounce
_STRAY_MA = const(1000)  # on L2 or L3 although one phase is ordered ...
_STRAY = const(5)  # ... in so many snapshots: seen only without an auxiliary contact
_LONG_MS = const(1 << 28)


class Phases:
    """step() once a tick, before the charging sequence, which does not charge while `switching`."""

    def __init__(self, ordered, pause_ms):
        """`ordered`: 1 or 3. It begins with one, and an open second contactor."""
        self.now = 1  # what the second contactor is told
        self.have = 1  # what it does
        self.ordered = ordered  # by the settings or a command
        self.switching = True
        self._begun = False
        self._wanted = ordered  # what is tried
        self._pause_ms = pause_ms
        self._still_ms = 0  # contactor open, no PWM
        self._away_ms = 0  # in state A
        self._moved_ms = 0  # since it was told something else
        self._last = -1
        self._fresh = 0
        self._stray = 0

    def order(self, phases):
        """1 or 3, from now on."""
        self.ordered = self._wanted = phases

    def step(self, r, charging, faults, dt_ms):
        """True when `have` has changed."""
        before = self.have
        if charging.contactor or r.aux == 1 or charging.offer_ma > 0 or faults.holds(WELDED):
            self._still_ms = 0
        elif self._still_ms < _LONG_MS:
            self._still_ms += dt_ms
        if charging.letter != A:
            self._away_ms = 0
        elif self._away_ms < _AWAY_MS:
            self._away_ms += dt_ms
            if self._away_ms >= _AWAY_MS:
                self._wanted = self.ordered
        if self._moved_ms < _MOVE_MS:
            self._moved_ms += dt_ms
        self._look(r, charging)
        self._begun = self._begun or self.wait_ms() == 0
        if self._moved_ms >= _MOVE_MS:
            if self.have != self.now:  # it does not follow, or has moved by itself
                self._wanted = self.have
            if self._wanted != self.now and self.wait_ms() == 0:
                self.now = self._wanted
                self._moved_ms = 0
        self.switching = (
            self._wanted != self.now or self._moved_ms < _MOVE_MS or not self._begun
        )
        return self.have != before

    def _look(self, r, charging):
        """What the contacts do: by the auxiliary contact, else as told unless currents tell."""
        if r.phase_aux >= 0:
            if r.phase_aux == self._last:
                self.have = 3 if r.phase_aux else 1
            self._last = r.phase_aux
        elif self._moved_ms < _MOVE_MS:
            self.have = self.now
        elif r.meter_fresh != self._fresh:
            self._fresh = r.meter_fresh
            if not (r.i_ma[1] > _STRAY_MA or r.i_ma[2] > _STRAY_MA):
                self._stray = 0
            elif self.now == 1 and charging.contactor:
                self._stray += 1
                if self._stray >= _STRAY:
                    self.have = 3

    def wait_ms(self):
        """Left of the pause, were nothing else to happen."""
        if self._still_ms and self._away_ms >= _AWAY_MS or self._still_ms >= self._pause_ms:
            return 0
        return self._pause_ms - self._still_ms
