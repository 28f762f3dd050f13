"""The latch: which faults hold, what they demand, and how each goes away again. Pure."""

from array import array

from micropython import const

from pilotwire.decide.fault_rows import COUNT

_IDLE = const(0)
_PRESENT = const(1)  # the cause is there
_LATCHED = const(2)  # the cause is gone, the fault is not
_W, _A, _T, _U, _S, _P = b"WATUSP"  # how a row clears (fault_table.py)
_RED = const(1)  # bits of traits
_AT_ONCE = const(2)
_STATE_F = const(4)
_UNPLUGGED_S = const(3)  # in state A, before "unplugged" is believed
_MOST_TRIES = const(255)

# Answers of clear().
CLEARED = const(0)
NOT_THERE = const(1)
STILL_THERE = const(2)
BY_ITSELF = const(3)
UNPLUG = const(4)
SERVICE = const(5)


class Faults:
    """raise_() and gone() as causes come and go; second() once a second; the rest is to be read."""

    def __init__(self, compiled):
        """`compiled`: fault_table.compiled()."""
        self.codes, self.traits, self._clears, self._then, self._most_tries, self._wait_s = compiled
        self._state = bytearray(COUNT)
        self.tries = bytearray(COUNT)  # retries or failures so far; kept over a power cut
        self._healthy_s = array("H", [0] * COUNT)
        self._more_s = array("H", self._healthy_s)
        self._away_s = 0  # in state A
        self.worst = -1  # row shown, -1 = none
        self.active = 0  # how many hold
        self.blocks = False  # charging is not allowed
        self.open_now = False  # the contactor opens without waiting for the car
        self.wants_f = False  # state F is due; charging takes this
        self.session_mask = 0  # rows that held during this session, one bit each
        self.raised = 0  # rows that came since the teller last looked, one bit each; it takes them
        self.changes = 0
        self.wait_s = -1  # until the worst fault clears by itself, -1 = it does not

    def holds(self, row):
        return self._state[row] != _IDLE

    def raise_(self, row):
        """The cause of a fault is there."""
        before = self._state[row]
        if before == _PRESENT:
            return
        self._state[row] = _PRESENT
        self._healthy_s[row] = self._away_s = 0
        self.session_mask |= 1 << row
        if before == _IDLE:
            self.raised |= 1 << row
            if self.traits[row] & _STATE_F:
                self.wants_f = True
            if self._clears[row] == _S and self.tries[row] < _MOST_TRIES:
                self.tries[row] += 1
        self._sum_up()

    def gone(self, row):
        """The cause is no longer there; the class of the row says what follows."""
        if self._state[row] != _PRESENT:
            return
        self._state[row] = _IDLE if self._clears[row] == _W else _LATCHED
        self._healthy_s[row] = 0
        self._sum_up()

    def extend(self, row, more_s):
        """The next wait of a row takes this much longer than the table says."""
        self._more_s[row] = more_s

    def no_retry(self, row):
        """A row that holds came so that its retries, if it has any, count as used up."""
        if self._state[row] and self.tries[row] < self._most_tries[row]:
            self.tries[row] = self._most_tries[row]
            self._sum_up()

    def passed(self, row):
        """The self-test of this row has passed: its failures count anew."""
        if not self._state[row] and self.tries[row]:
            self.tries[row] = 0
            self.changes = self.changes + 1 & 0xFFFF

    def second(self, in_a):
        """Once a second. `in_a`: the pilot shows that no car is there."""
        if not in_a:
            self._away_s = 0
        elif self._away_s <= _UNPLUGGED_S:
            self._away_s += 1
        unplugged = self._away_s >= _UNPLUGGED_S
        if self._away_s == _UNPLUGGED_S:  # retries count anew for the next car
            for row in range(COUNT):
                if self._clears[row] == _T and self.tries[row] and not (
                    self._state[row] and self.how(row) == _S  # leaving does not clear that one
                ):
                    self.tries[row] = 0
                    self.changes = self.changes + 1 & 0xFFFF
        if not self.active:
            return
        for row in range(COUNT):
            if self._state[row] == _LATCHED:
                self._healthy_s[row] += self._healthy_s[row] < 0xFFFF
                how = self.how(row)
                healthy = self._healthy_s[row] >= self._wait_s[row] + self._more_s[row]
                if how == _T and healthy and not unplugged:
                    self.tries[row] += 1
                if (how == _T or how == _A) and healthy or unplugged and (how == _T or how == _U):
                    self._state[row] = _IDLE
                    self._sum_up()
        self.wait_s = self._countdown()

    def how(self, row):
        """The class by which a row clears now: another one when its tries are used up."""
        most = self._most_tries[row]
        return self._then[row] if most and self.tries[row] >= most else self._clears[row]

    def clear(self, row, service=False):
        """Somebody asks for it, at the button or by command; `service`: with the right to."""
        state = self._state[row]
        if state == _IDLE:
            return NOT_THERE
        if state == _PRESENT:
            return STILL_THERE
        how = self.how(row)
        if how == _A:
            return BY_ITSELF
        if how == _U:
            return UNPLUG
        if how == _P and not service:
            return SERVICE
        if how == _T:
            self.tries[row] += 1
        elif service or how == _S and self._clears[row] != _S:  # its retries begin anew
            self.tries[row] = 0
        self._state[row] = _IDLE
        self._sum_up()
        return CLEARED

    def session_begins(self):
        self.session_mask = self.mask()

    def _countdown(self):
        row = self.worst
        if row < 0 or self._state[row] != _LATCHED:
            return -1
        how = self.how(row)
        left_s = self._wait_s[row] + self._more_s[row] - self._healthy_s[row]
        return left_s if how == _A or how == _T else -1

    def _sum_up(self):
        self.worst = -1
        self.active = 0
        self.blocks = self.open_now = False
        for row in range(COUNT):
            if self._state[row]:
                if self.worst < 0:
                    self.worst = row
                self.active += 1
                traits = self.traits[row]
                if traits & _RED:
                    self.blocks = True
                    if traits & _AT_ONCE:
                        self.open_now = True
        self.changes = self.changes + 1 & 0xFFFF
        self.wait_s = self._countdown()

    def mask(self):
        """Rows that hold now, one bit each."""
        mask = 0
        for row in range(COUNT):
            if self._state[row]:
                mask |= 1 << row
        return mask

    # Over a power cut ------------------------------------------------------------------------

    def latch(self):
        """Rows that hold on over a power cut, one bit each: T, U and P, whatever caused it."""
        mask = 0
        for row in range(COUNT):
            if self._state[row] and self.how(row) in b"TUP":
                mask |= 1 << row
        return mask

    def restore(self, mask, tries):
        """What latch() and `tries` said in the life before."""
        self.tries[:] = tries
        for row in range(COUNT):
            if mask >> row & 1:
                self._state[row] = _LATCHED
        self._sum_up()
