"""What somebody should know and what is no fault: nothing stops for it. Pure; judged once a second."""

from micropython import const

from pilotwire.decide.charging import BY_CAR
from pilotwire.decide.letters import B

UNDER_CHARGING = const(0)
LOOSE_CONNECTION = const(1)
FULL = const(2)
CLOCK_UNSET = const(3)
RECORDS_WAITING = const(4)
CONFIG_COPY = const(5)
PHASE_ROTATION = const(6)
NAMES = (
    "under_charging", "loose_connection", "full", "clock_unset", "records_waiting", "config_copy",
    "phase_rotation",
)

_UNDER_S = const(600)
# Many sound cars take no more than 16 A, or 10 A, of whatever is offered: half of this is asked of all.
_OWN_MA = const(16000)
_FULL_MS = const(600000)
_FULL_WH = const(100)  # less is no charge
_CLOCK_S = const(300)  # after the start
_WAITING_S = const(3600)
_WAITING = const(20)


class Notices:
    """`mask` has a bit for each of NAMES."""

    def __init__(self):
        self.names = NAMES
        self.mask = 0
        self.changes = 0
        self._under_s = 0
        self._best_ma = 0  # what the car took since the contactor closed
        self._waiting_s = 0  # for which the oldest record has been the same
        self._oldest = 0

    def set(self, which, on):
        mask = self.mask | 1 << which if on else self.mask & ~(1 << which)
        if mask != self.mask:
            self.mask = mask
            self.changes = self.changes + 1 & 0xFFFF

    def charge(self, charging, active_ma, wh):
        """`active_ma`: of the highest phase, -1 = unknown; `wh`: of the session."""
        self._taken(charging, active_ma)
        self.set(UNDER_CHARGING, self._under_s >= _UNDER_S)
        self.set(
            FULL, charging.letter == B and charging.opened_by == BY_CAR
            and charging.open_ms >= _FULL_MS and wh >= _FULL_WH,
        )

    def _taken(self, charging, active_ma):
        """Seconds with less than half, at what was the car's best: one that took more is tapering."""
        offer_ma = charging.offer_ma
        if not charging.contactor or offer_ma <= 0:
            self._best_ma = self._under_s = 0
        elif active_ma >= 0:
            if active_ma > self._best_ma or active_ma + offer_ma // 8 + 500 >= offer_ma:
                self._best_ma = active_ma  # also a lower one, where the offer holds it down
            if active_ma * 2 < min(offer_ma, _OWN_MA) and active_ma * 5 >= self._best_ma * 4:
                self._under_s += self._under_s < _UNDER_S
            else:
                self._under_s = 0

    def station(self, up_s, clock_set, waiting, oldest):
        """`waiting` records are unacknowledged, the first has seq `oldest`."""
        self.set(CLOCK_UNSET, up_s >= _CLOCK_S and not clock_set)
        if not waiting or oldest != self._oldest:
            self._oldest = oldest
            self._waiting_s = 0
        elif self._waiting_s < _WAITING_S:
            self._waiting_s += 1
        self.set(RECORDS_WAITING, waiting > _WAITING or self._waiting_s >= _WAITING_S)
