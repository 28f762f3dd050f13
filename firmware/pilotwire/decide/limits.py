"""How much current may be offered: named sources, the smallest in force wins. Pure."""

from array import array

from micropython import const

BOARD = const(0)
INSTALLATION = const(1)
CABLE = const(2)
CONFIG = const(3)
COMMAND = const(4)
LEASE = const(5)
SCHEDULE = const(6)
TEMPERATURE = const(7)
IMBALANCE = const(8)
FAIL_SAFE = const(9)
METER = const(10)  # silent: the fail-safe current, for want of an over-current path
WIRING = const(11)  # a loose connection before the meter: the least current
NAMES = (
    "board", "installation", "cable", "config", "command", "lease", "schedule", "temperature",
    "imbalance", "fail-safe", "meter", "wiring",
)
NONE_MA = const(1000000)

# Sources whose fall protects something: the offer follows at once, not after 5 s.
_URGENT = (BOARD, INSTALLATION, CABLE, TEMPERATURE, IMBALANCE, FAIL_SAFE, METER, WIRING)


class Limits:
    """`ma` is the effective limit, `which` the source that holds it.

    `urgent_ma` is the smallest of those that protect something.
    """

    def __init__(self, fail_safe_ma):
        self.fail_safe_ma = fail_safe_ma
        self.value_ma = array("i", [NONE_MA] * len(NAMES))
        self.expires_s = array("i", [0] * len(NAMES))  # up-time; 0 = never
        self.ma = NONE_MA
        self.which = BOARD
        self.urgent_ma = NONE_MA
        self.changes = 0

    def set(self, source, ma, expires_s=0):
        """Put a source in force. A fresh command ends the fail-safe that followed an expired one."""
        self.value_ma[source] = ma
        self.expires_s[source] = expires_s
        if source == COMMAND and ma != NONE_MA:
            self.value_ma[FAIL_SAFE] = NONE_MA
        self._choose()

    def drop(self, source):
        self.set(source, NONE_MA)

    def second(self, up_s):
        """Once a second: what came from outside and has expired gives way to the fail-safe current."""
        for source in range(len(NAMES)):
            if 0 < self.expires_s[source] <= up_s:
                self.expires_s[source] = 0
                self.value_ma[source] = NONE_MA
                self.value_ma[FAIL_SAFE] = self.fail_safe_ma
                self._choose()

    def _choose(self):
        which = 0
        for source in range(1, len(NAMES)):
            if self.value_ma[source] < self.value_ma[which]:
                which = source
        urgent_ma = NONE_MA
        for source in _URGENT:
            if self.value_ma[source] < urgent_ma:
                urgent_ma = self.value_ma[source]
        self.urgent_ma = urgent_ma
        if which != self.which or self.value_ma[which] != self.ma:
            self.which = which
            self.ma = self.value_ma[which]
            self.changes = self.changes + 1 & 0xFFFF
