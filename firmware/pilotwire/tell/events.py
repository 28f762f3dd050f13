"""What happened, for the topic `event`: told once, in order, each with a number that never repeats.

Waits in RAM until the broker has it: over a short outage nothing is lost, over a long one the oldest
go and are counted, a restart loses what was not sent. Reads what the charger does; decides nothing.
"""

import json

from micropython import const

from pilotwire import once
from pilotwire.tell.numbers import amps

_MOST = const(16)
_MOST_MINOR = const(8)  # of them what is not about faults: a flood may not push a fault out
_BEFORES = const(2)  # half seconds kept, 330 bytes each: those of the newest faults
_RED = const(1)  # of faults.traits


class Events:
    """Makes `event` messages: faults() and second() look for news, next() and sent() serve the link."""

    def __init__(self, charger):
        c = self._c = charger
        self.waiting = []  # [seq, up_s, up_ms, kind, body]; of a fault: row, and its half second or None
        self.lost = 0
        self.flight = 0  # seq that was sent last; until it is acknowledged it stays
        self._at = 0  # in `waiting`, what goes next
        self._seq = 0
        self._mask = c.faults.mask() & ~c.faults.raised  # told; those of the life before are not news
        self.seen = -1  # faults.changes
        self._which = -1  # limit source told
        self._notices = 0
        self._push(
            "boot", '"cause":"%s","firmware":"%s","faults":%s'
            % (c.cause, c.facts.firmware, c.facts.codes(self._mask)), _MOST,
        )

    def _push(self, kind, body, most=_MOST_MINOR):
        self._seq += 1
        waiting = self.waiting
        if len(waiting) >= most:
            self.lost += 1
            if most < _MOST:
                return
            waiting.pop(waiting[0][0] == self.flight)
        clock = self._c.clock
        waiting.append([self._seq, clock.up_s, clock.up_ms, kind, body])

    def faults(self):
        """Once a tick when faults.changes is not `seen`: the half second must end with this tick."""
        c, f = self._c, self._c.faults
        self.seen = f.changes
        raised, told = f.raised, self._mask
        f.raised = 0
        self._mask = mask = f.mask()
        half = None
        for row in range(len(f.codes)):
            bit = 1 << row
            if told & bit and (raised | ~mask) & bit:
                self._push("fault_cleared", [row, None], _MOST)
            if raised & bit:
                red = f.traits[row] & _RED
                if red and not half:
                    half = _copy(c.recorder)
                self._push("fault_raised", [row, half if red else None], _MOST)
                if not mask & bit:
                    self._push("fault_cleared", [row, None], _MOST)
        if half:
            self._forget()

    def _forget(self):
        """Of the half seconds keep the newest."""
        kept = 0
        for event in reversed(self.waiting):
            body = event[4]
            if isinstance(body, list) and body[1]:
                kept += 1
                if kept > _BEFORES:
                    body[1] = None

    def second(self):
        """Once a second: limits and notices."""
        c = self._c
        which = c.limits.which
        if which != self._which:
            if self._which >= 0:
                self._push(
                    "limit_source", '"source":"%s","a":%s' % (c.limit_names[which], amps(c.limits.ma))
                )
            self._which = which
        changed = self._notices ^ c.notices.mask
        self._notices = c.notices.mask
        for k, name in enumerate(c.notices.names):
            if changed >> k & 1:
                raised = self._notices >> k & 1
                body = '"notice":"%s"' % name
                if raised and name == "loose_connection":
                    body += ',"ohm":%d.%02d,"phase":%d' % (
                        c.wiring.mohm // 1000, c.wiring.mohm % 1000 // 10, c.wiring.phase + 1
                    )
                self._push("notice_raised" if raised else "notice_cleared", body)

    def rejected(self, command, name, reason):
        """A backend's command was refused."""
        self._push("command_rejected", '"cmd":%s,"command_id":%s,"reason":%s' % (
            json.dumps(command), json.dumps(name), json.dumps(reason)
        ))

    # For the link ----------------------------------------------------------------------------

    def ready(self, may_stall):
        """1: call next(); 0: nothing may go now; -1: this step is used up, ask again.

        To word a fault is to read modules, which delays a tick. With the contactor closed that is done
        for one that holds, in a step of its own. A red one is old news then: it waits, others pass it.
        """
        for at, event in enumerate(self.waiting):
            if may_stall or not isinstance(event[4], list):
                self._at = at
                return 1
            row = event[4][0]
            if not self._c.faults.traits[row] & _RED:
                event[4] = code = self._code(row)
                event[4] = code + _names(row)  # if there is no memory for them it goes without
                return -1
        return 0

    def next(self):
        """bytes of the event that ready() has found, which is now in flight."""
        self.flight = self.waiting[self._at][0]
        try:
            return self._text(True)
        except MemoryError:  # an event with less in it is better than none
            return self._text(False)

    def _text(self, whole):
        c = self._c
        seq, up_s, up_ms, kind, body = self.waiting[self._at]
        if isinstance(body, list):
            row, before = body
            body = self._code(row)
            if whole:
                body += _names(row)
                if before:
                    body += ',"before":' + once.call("tell.before_text", "build", *before)
        boot, device = c.records.boot, c.facts.device
        return (
            '{"v":1,"id":"%s-e%d-%d","boot":%d,"seq":%d,"t":%s,"q":"%s","up_ms":%d,"lost":%d,'
            '"event":"%s",%s}' % (
                device, boot, seq, boot, seq, c.clock.text(up_s, up_ms), c.clock.quality,
                up_s * 1000 + up_ms, self.lost, kind, body,
            )
        ).encode()

    def _code(self, row):
        return '"code":"%s"' % self._c.facts.code(row)

    def sent(self):
        """The broker has the one in flight."""
        for at, event in enumerate(self.waiting):
            if event[0] == self.flight:
                self.waiting.pop(at)
                break
        self.flight = self._at = 0


def _copy(recorder):
    try:
        return recorder.copy()
    except MemoryError:  # the event without its half second is better than none
        return None


def _names(row):
    return ',"name":"%s","severity":"%s","ocpp16":"%s","mrec":%s,"ocpp2":"%s","everest":"%s"' \
        % once.call("decide.fault_table", "names", row)
