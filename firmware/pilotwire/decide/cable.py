"""The cable in the socket: what its proximity resistor says that it may carry. Pure.

`limit_ma` is the cable's share in the limit: no limit without plug and car, the rating once it is
known, and 0 until then and when it makes no sense. A rating that was known when the car came holds
until the car leaves: another one meanwhile is a fault, not a new limit.
"""

from micropython import const

from pilotwire.decide.fault_rows import PROXIMITY
from pilotwire.decide.letters import A, E, letter_of
from pilotwire.decide.limits import NONE_MA

# IEC 61851-1 Table B.2: resistance up to here (Ohm), and the rating of such a cable. The coding
# resistors are 100, 220, 680 and 1500 Ohm. 100 Ohm is 70 A on one phase, 63 A on three.
_UP_TO_OHM = (75, 150, 330, 1000, 2200, 4500, 1 << 29)
_RATED_MA = (0, 63000, 32000, 20000, 13000, 0, 0)
_OPEN = const(6)  # above 4.5 kOhm there is no plug; 2.2..4.5 kOhm is neither plug nor none
_NOT_KNOWN = const(-1)

_EDGE_PART = const(20)  # a range is left 5 % beyond its edge: a dirty contact does not flicker
_STABLE_MS = const(500)  # longer than the contacts bounce while a plug goes in
_PATIENCE_MS = const(3000)  # of a car whose cable is not known; a plug may go in slowly
_LOOK_MS = const(20)  # what one tick proves, however long the stall before it


class Cable:
    """step() once a tick, before the charging sequence; raises PROXIMITY, tells when it is gone."""

    def __init__(self):
        self.limit_ma = NONE_MA
        self._range = _OPEN  # what is seen, a place in the table ...
        self._seen_ms = 0  # ... for so long
        self._from_ohm = self._to_ohm = 0  # bounds of that range, widened; nothing is seen yet
        self._known = _NOT_KNOWN  # range of the cable that is in force
        self._other_ms = 0  # since it is not seen any more
        self._unknown_ms = 0  # of a car without a known cable
        self._invalid = False

    def step(self, r, letter, faults, dt_ms):
        """True when `limit_ma` has changed. `letter`: the pilot's, of the tick before."""
        look_ms = dt_ms if dt_ms < _LOOK_MS else _LOOK_MS
        ohm = r.pp_ohm
        if ohm < 0:
            pass
        elif not self._from_ohm <= ohm < self._to_ohm:
            self._enter(ohm)
        elif self._seen_ms < _STABLE_MS:
            self._seen_ms += look_ms
        if letter == A:
            self._without_car(faults)
        elif not self._invalid:
            self._with_car(letter < E, faults, look_ms)
        if self._known != _NOT_KNOWN:
            limit_ma = _RATED_MA[self._known]
        elif self._range == _OPEN and letter == A and not (
            r.cp_ok and letter_of(r.cp_high_mv, A) != A  # one is just coming
        ):
            limit_ma = NONE_MA
        else:
            limit_ma = 0
        if limit_ma == self.limit_ma:
            return False
        self.limit_ma = limit_ma
        return True

    def _enter(self, ohm):
        at = 0
        while ohm >= _UP_TO_OHM[at]:
            at += 1
        self._range = at
        self._seen_ms = 0
        below = _UP_TO_OHM[at - 1] if at else 0
        self._from_ohm = below - below // _EDGE_PART
        self._to_ohm = _UP_TO_OHM[at]
        if at < _OPEN:
            self._to_ohm += self._to_ohm // _EDGE_PART

    def _without_car(self, faults):
        """A cable may lie in the socket before the car comes, and may be changed."""
        self._other_ms = self._unknown_ms = 0
        seen = self._range
        if seen != self._known:
            self._known = _NOT_KNOWN
        if self._seen_ms < _STABLE_MS:
            return
        if _RATED_MA[seen]:
            self._known = seen
        elif seen != _OPEN:
            self._fail(faults)
            return
        if self._invalid:
            self._invalid = False
            faults.gone(PROXIMITY)

    def _with_car(self, car, faults, look_ms):
        """`car`: it is there for certain (B, C, D); in E and F there may be none."""
        if self._known != _NOT_KNOWN:
            if self._range == self._known:
                self._other_ms = 0
            else:
                self._other_ms += look_ms
                if self._other_ms >= _STABLE_MS:
                    self._fail(faults)
            return
        if self._seen_ms >= _STABLE_MS and self._range != _OPEN:
            if _RATED_MA[self._range]:
                self._known = self._range
                self._other_ms = self._unknown_ms = 0
            else:
                self._fail(faults)
        elif car:
            self._unknown_ms += look_ms
            if self._unknown_ms >= _PATIENCE_MS:
                self._fail(faults)

    def _fail(self, faults):
        self._known = _NOT_KNOWN
        if not self._invalid:
            self._invalid = True
            faults.raise_(PROXIMITY)
