"""What a backend may order, and what of it outlives a restart. Called by tell/link."""

from micropython import const

from pilotwire import once
from pilotwire.decide import limits

# Bits of records.orders.
_DISABLED = const(1)
_PAUSED = const(2)
_LIMITED = const(4)


class Orders:
    """A handler takes the checked value of a command (tell/commands.py) and returns None, or a plain
    reason why nothing was done."""

    def __init__(self, charger):
        self._charger = charger

    def on_limit(self, value):
        c = self._charger
        ma, for_s = value[:2]
        if len(value) > 2:
            if not c.phases:
                return "this board cannot switch phases"
            c.phases.order(value[2])
        c.limits.set(limits.COMMAND, ma, c.clock.up_s + (for_s or c.config.command_for_s))

    def on_enable(self, value):
        self._charger.enabled = value

    def on_clear(self, value):
        if not self._charger.faults.active:  # nothing is read for that: it may come while charging
            return "There is no such fault"
        return once.call("clearing", "command", self._charger, *value)

    def on_replay(self, value):
        c = self._charger
        if c.charging.contactor:
            return "not while charging: reading all of the flash takes too long"
        return once.call("tell.replay", "again", c.records, value)

    def on_restart(self, _):
        c = self._charger
        if c.charging.contactor:
            return "not while charging"
        c.restart_s = 0

    def on_ack(self, value):
        if not self._charger.records.acknowledge(value):
            return "no record has that seq yet"

    def restore(self):
        """After a restart what the backend had forbidden stays so, until it speaks again."""
        c = self._charger
        orders = c.records.orders
        c.enabled = not orders & _DISABLED
        if orders & _PAUSED:
            c.limits.set(limits.COMMAND, 0)
        elif orders & _LIMITED:
            c.limits.set(limits.FAIL_SAFE, c.limits.fail_safe_ma)

    def remember(self):
        """Once a second: for the next start."""
        c = self._charger
        values_ma = c.limits.value_ma
        orders = 0 if c.enabled else _DISABLED
        if values_ma[limits.COMMAND] < 6000:
            orders |= _PAUSED
        elif values_ma[limits.COMMAND] != limits.NONE_MA or values_ma[limits.FAIL_SAFE] != limits.NONE_MA:
            orders |= _LIMITED
        c.records.order(orders)
