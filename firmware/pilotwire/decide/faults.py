"""The latch: which faults hold, what they demand, and how each goes away again. Pure."""

from array import array

from micropython import const

from pilotwire.decide import fault_table as table

_IDLE = const(0)
_PRESENT = const(1)  # the cause is there
_LATCHED = const(2)  # the cause is gone, the fault is not
_W, _A, _T, _U = b"WATU"  # how a row clears; S and P do not before the next start
_UNPLUGGED_S = const(3)  # in state A, before "unplugged" is believed


class Faults:
    """raise_() and gone() as causes come and go; second() once a second; the rest is to be read."""

    def __init__(self):
        count = table.COUNT
        # What the tick needs of each row, out of the table once.
        self._open = bytes(int(table.cell(row, table.OPEN)) for row in range(count))
        self._red = bytes(table.cell(row, table.SEVERITY) == "red" for row in range(count))
        self._f = bytes(table.cell(row, table.PILOT) == "f" for row in range(count))
        self._clears = bytes(ord(table.cell(row, table.CLEARS)) for row in range(count))
        self._wait_s = bytes(int(table.cell(row, table.WAIT_S)) for row in range(count))
        self._most_tries = bytes(int(table.cell(row, table.TRIES)) for row in range(count))
        self._state = bytearray(count)
        self._tries = bytearray(count)
        self._healthy_s = array("i", [0] * count)
        self._away_s = 0  # in state A
        self.worst = -1  # row shown, -1 = none
        self.active = 0  # how many hold
        self.blocks = False  # charging is not allowed
        self.open_now = False  # the contactor opens without waiting for the car
        self.wants_f = False  # state F is due; charging takes this
        self.session_mask = 0  # rows that held during this session, one bit each
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
        if before == _IDLE and self._f[row]:
            self.wants_f = True
        self._sum_up()

    def gone(self, row):
        """The cause is no longer there; the class of the row says what follows."""
        if self._state[row] != _PRESENT:
            return
        self._state[row] = _IDLE if self._clears[row] == _W else _LATCHED
        self._healthy_s[row] = 0
        self._sum_up()

    def second(self, in_a):
        """Once a second. `in_a`: the pilot shows that no car is there."""
        self._away_s = min(self._away_s + 1, _UNPLUGGED_S + 1) if in_a else 0
        unplugged = self._away_s >= _UNPLUGGED_S
        if self._away_s == _UNPLUGGED_S:  # retries count anew for the next car
            for row in range(table.COUNT):
                self._tries[row] = 0
        if not self.active:
            return
        for row in range(table.COUNT):
            if self._state[row] == _LATCHED:
                self._healthy_s[row] += 1
                if self._may_clear(row, unplugged):
                    self._state[row] = _IDLE
                    self._sum_up()
        self.wait_s = self._countdown()

    def session_begins(self):
        self.session_mask = 0
        for row in range(table.COUNT):
            if self._state[row]:
                self.session_mask |= 1 << row

    def _may_clear(self, row, unplugged):
        how = self._clears[row]
        healthy = self._healthy_s[row] >= self._wait_s[row]
        if how == _U:
            return unplugged
        if how == _T and not unplugged:
            if self._tries[row] >= self._most_tries[row] or not healthy:
                return False
            self._tries[row] += 1
            return True
        return how == _T or how == _A and healthy

    def _countdown(self):
        row = self.worst
        if row < 0 or self._state[row] != _LATCHED:
            return -1
        how = self._clears[row]
        if how == _A or how == _T and self._tries[row] < self._most_tries[row]:
            return self._wait_s[row] - self._healthy_s[row]
        return -1

    def _sum_up(self):
        self.worst = -1
        self.active = 0
        self.blocks = self.open_now = False
        for row in range(table.COUNT):
            if self._state[row]:
                if self.worst < 0:
                    self.worst = row
                self.active += 1
                if self._red[row]:
                    self.blocks = True
                if self._open[row] == 2:
                    self.open_now = True
        self.changes = self.changes + 1 & 0xFFFF
        self.wait_s = self._countdown()

    def stop_reason(self):
        """OCPP 2.0.1 stoppedReason of the worst fault."""
        return table.cell(self.worst, table.STOP) if self.worst >= 0 else "Other"

    def mask(self):
        """Rows that hold now, one bit each."""
        mask = 0
        for row in range(table.COUNT):
            if self._state[row]:
                mask |= 1 << row
        return mask
