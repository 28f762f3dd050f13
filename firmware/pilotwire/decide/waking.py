"""Two courtesies to unusual cars: waking one that sleeps, and knowing one without S2. Pure."""

from micropython import const

_FIRST_MS = const(30000)  # B2 without C; evcc, EVerest and Phoenix wait as long
_SECOND_MS = const(90000)
_ENOUGH = const(2)
_WAKE_MS = const(4000)  # state F (IEC 61851-1 A.5.3, informative)
_NO_S2_MS = const(3500)  # a car with S2 opens it within 3 s of +12 V (seq. 10.1)
SIMPLIFIED_MA = const(10000)  # a car without S2 may draw (IEC 61851-1 A.2.3)


class Sleeper:
    """step() each tick; returns ms of state F that are due now, else 0."""

    def __init__(self):
        self.waited_ms = 0  # in B with a current offered, since the offer began
        self.woken = 0

    def step(self, dt_ms, in_b, offered, asks, over):
        """`asks`: in C or D; `over`: the car is gone, or nothing is offered on purpose."""
        if over:
            self.waited_ms = self.woken = 0
        elif asks:
            self.woken = _ENOUGH  # it does not sleep; a full car is not woken for ever
        elif in_b and offered and self.woken < _ENOUGH:
            self.waited_ms += dt_ms
            if self.waited_ms >= (_FIRST_MS if self.woken == 0 else _SECOND_MS):
                self.woken += 1
                return _WAKE_MS
        return 0


class Arrival:
    """Tells a car without S2: plugged in straight to C, it stays in C although nothing is offered.

    Until that is known, nothing is offered to a car that came in C (seq. 1.2).
    """

    def __init__(self):
        self.checking = False
        self.simplified = False
        self._ms = 0

    def gone(self):
        """No car, or one that has opened S2: an ordinary one. A short or a dead pilot says neither."""
        self.checking = self.simplified = False

    def came(self, asking):
        """A car has just been plugged in; `asking`: in C or D."""
        self.checking = asking
        self.simplified = False
        self._ms = 0

    def step(self, dt_ms):
        """It asks."""
        if not self.checking:
            return
        self._ms += dt_ms
        if self._ms >= _NO_S2_MS:
            self.checking = False
            self.simplified = True
