"""What goes on beside the pilot while a bench measures: a broker, a network that fails, messages."""

import os
import socket
import sys

from plant import flash

from rig import tls
from rig.peer import Peer


_HEALTH_SIZE = 520  # its free heap has more or fewer digits from run to run
_LONG = 1000  # ticks since a collection, seconds since a checkpoint: more than either needs


class Os:
    """The `os` module with random bytes that the seed decides."""

    def __init__(self, world):
        self._world = world
        for name in dir(os):
            setattr(self, name, getattr(os, name))
        self.urandom = self._bytes

    def _bytes(self, count):
        return bytes(self._world.random() & 255 for _ in range(count))


class Load:
    """step() every now and then, in virtual time. Nothing here touches pilot, car or contactor."""

    def __init__(self, rig):
        self._rig = rig
        self.peer = socket._real = Peer()
        sys.modules["os"] = Os(rig.world)
        if rig.options["tls"]:
            sys.modules["tls"] = tls
        self._command_us = self._cut_us = self._wifi_us = self._back_us = 0

    def started(self):
        """The firmware is there: making a message costs time too, and the plant charges none."""
        # Not before: the firmware shall find the modules above.
        from pilotwire.tell.link import ACTIVE, HEALTH, METER, STATE

        self._messages = STATE | ACTIVE | METER | HEALTH
        charger = self._rig.charger
        charger.health._due_s = 0  # the next second ends a minute: there is something to tell
        link = charger.link
        say, world = link._speaker.say, self._rig.world

        def priced(bit):
            text = say(bit)
            if text is None:
                return None
            # Values that another tick puts together: most of the price is theirs, all is charged here.
            size = len(text[0] % text[1]) if isinstance(text, tuple) else len(text)
            if bit == HEALTH:
                size = _HEALTH_SIZE
            world.clock.advance(world.cost["payload_byte"] * size)
            return text

        link._speaker.say = priced

    def step(self):
        rig, peer = self._rig, self.peer
        now_us = rig.now_us
        if now_us > self._command_us:
            self._command_us = now_us + 500_000 + rig.below(2_000_000)
            for _ in range(1 if rig.below(20) else 8):  # sometimes a flood
                peer.command(b"bench", rig.below(8))
        if now_us > self._cut_us:
            self._cut_us = now_us + 5_000_000 + rig.below(60_000_000)
            peer.hang_up()
            peer.up = rig.below(4) != 0  # sometimes it stays away for a while
            tls.refuse_cheap = rig.below(4) == 0
        if now_us > self._wifi_us:
            self._wifi_us = now_us + 60_000_000 + rig.below(60_000_000)
            self._back_us = now_us + 1_000_000 + rig.below(15_000_000)
            rig.world.net.wifi = False
        if now_us > self._back_us:
            rig.world.net.wifi = True

    def press(self, which):
        """A collection, all messages or a checkpoint (0..2) is due with the next ticks."""
        charger = self._rig.charger
        if which == 0:
            charger._gc_ticks = _LONG
        elif which == 1:
            charger.link.mark(self._messages)
        elif which == 2:
            charger.visit._check_s = _LONG

    def report(self):
        """What the firmware has done meanwhile."""
        charger = self._rig.charger
        return {
            "connections": self.peer.connections, "messages": self.peer.messages,
            "handshakes": tls.handshakes, "programs": flash.chip.programs,
            "erases": sum(flash.chip.wear),
            "tell_errors": charger.tell_errors, "tell_error": charger.tell_error,
        }
