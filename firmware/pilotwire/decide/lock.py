"""The lock of a socket: when it holds the plug, and whether it obeys. Pure.

It holds the plug from state B on, not only while energy may flow (so does EVerest): the bolt has moved
before the car asks, a plug that does not sit is told at once, and nobody takes the cable of a car
that waits. A visit ends at the car, where the plug comes out: state A, and the socket lets go too. A
pause or a stop by command does not open it. A fault does, after 5 s: some of them, a shorted pilot for
one, go away only when the plug comes out here.

The contactor closes only while `locked`. While its contacts may be live a locked plug stays locked.
At the start nothing is known: it is opened once, which also proves that the feedback can change.
"""

from micropython import const

from pilotwire.decide.fault_rows import LOCK, WELDED
from pilotwire.decide.letters import A, E

_UNLOCKED = const(0)  # positions, orders and what `state` says
_LOCKED = const(1)
_MOVING = const(2)
_UNKNOWN = const(-1)

# `drive`: which pin is high. A lock with one pin is held by its level, and knows no _TO_OPEN.
_OFF = const(0)
_TO_LOCK = const(1)
_TO_OPEN = const(2)

_TRIES = const(4)  # one, and three again
_PERIOD_MS = const(500)  # from one to the next: four fit into the 2 s, and the motor rests between
_FAIL_MS = const(2000)
_AGAIN_MS = const(10000)  # one that does not open is tried for ever: a cable is not kept
_STOPPED_MS = const(5000)  # in a fault; EVerest's time in state F
_LIVE_MS = const(250)  # after opening: a contactor's release, and 80 ms of a dynamic drive
_LOOK_MS = const(20)  # what one tick proves, however long the stall before it
_LONG_MS = const(1 << 28)


class Lock:
    """step() once a tick, before the charging sequence; then `drive`, `locked` and `state`."""

    def __init__(self, pulse_ms, level=False):
        """`pulse_ms`: how long a motor is driven; `level`: held by one pin for as long as it locks,
        and tried with pulses of that length."""
        self.locked = False  # ordered, and confirmed
        self.drive = _OFF
        self.state = _MOVING
        self.pulsing = False  # a motor runs: no time for a stall
        self._pulse_ms = pulse_ms
        self._level = level
        self._order = _UNKNOWN
        self._starting = True
        self._last = self._is = _UNKNOWN  # the newest look, and what two looks agree on
        self._obeyed = False
        self._tries = 0
        self._order_ms = 0  # since the order, or since the lock left it
        self._try_ms = _LONG_MS  # since the last try began
        self._stopped_ms = 0  # of a fault, with the contactor open

    def step(self, r, charging, faults, dt_ms):
        """`charging`: as the tick before left it. Raises LOCK, tells when it is gone."""
        if r.lock == self._last:
            self._is = r.lock
        self._last = r.lock
        order = self._wanted(r, charging, faults, dt_ms)
        left = self._obeyed and self._is != order  # also by itself, or by hand
        if left and charging.contactor:
            faults.raise_(LOCK)
        if left or order != self._order:
            self._order = order
            self._obeyed = False
            self._tries = self._order_ms = 0
            if self._try_ms < self._pulse_ms:
                self._try_ms = self._pulse_ms  # ends here: never from one direction into the other
        if order == _UNKNOWN:
            self.pulsing = False
            self.drive = _OFF
        else:
            self._move(order, faults, dt_ms)
        self.locked = self._obeyed and order == _LOCKED
        moves = not self._obeyed and order != _UNKNOWN and self._order_ms < _FAIL_MS
        self.state = _MOVING if moves else self._is

    def _wanted(self, r, charging, faults, dt_ms):
        letter = charging.letter
        if (
            charging.contactor or r.aux == 1 or charging.open_ms < _LIVE_MS or faults.holds(WELDED)
        ):  # the contacts may be live: a plug that is held stays so, and nothing else moves
            self._stopped_ms = 0
            return _LOCKED if self._order == _LOCKED else _UNKNOWN
        if self._starting:
            return _UNLOCKED
        if faults.blocks or letter >= E:
            if self._stopped_ms < _STOPPED_MS:
                self._stopped_ms += dt_ms
            if letter != A and self._stopped_ms < _STOPPED_MS:
                return self._order
            return _UNLOCKED
        self._stopped_ms = 0
        return _UNLOCKED if letter == A else _LOCKED

    def _move(self, order, faults, dt_ms):
        """Drive it, in pulses, until it is where it shall be."""
        if self._try_ms < _LONG_MS:
            self._try_ms += dt_ms
        pulse = self._try_ms < self._pulse_ms
        if not self._obeyed:
            if self._order_ms < _FAIL_MS:
                self._order_ms += dt_ms if dt_ms < _LOOK_MS else _LOOK_MS
            failed = self._order_ms >= _FAIL_MS
            more = self._tries < _TRIES
            if self._tries and not pulse and self._is == order:
                self._obeyed = True
                self._starting = False
                faults.gone(LOCK)
            elif failed:
                self._starting = False
                faults.raise_(LOCK)
            if not self._obeyed and (more or order == _UNLOCKED):
                if self._try_ms >= (_PERIOD_MS if more else _AGAIN_MS):
                    self._try_ms = 0
                    self._tries += more
                    pulse = True
        if not self._level:
            self.pulsing = pulse
            self.drive = (_TO_LOCK if order else _TO_OPEN) if pulse else _OFF
        elif order:
            self.drive = _TO_LOCK if pulse or self._obeyed else _OFF
        else:  # a spring opens it; trying again is to pull once more and let go
            self.drive = _TO_LOCK if pulse and self._tries > 1 else _OFF
