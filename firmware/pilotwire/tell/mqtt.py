"""An MQTT 3.1.1 link in bounded steps: messages out and acknowledged, messages in, keep-alive.

One QoS 1 message is in flight at a time. Nothing is kept over a lost connection: whoever posts
keeps what is not acknowledged and posts it again after on_up(). Touches: mqtt_connect, wire.
"""

from time import ticks_diff

from micropython import const

from .mqtt_connect import Connection
from .wire import Broken, Pending

# Mqtt.state
DOWN = const(0)
RESOLVING = const(1)
CONNECTING = const(2)
HANDSHAKE = const(3)
CONNACK = const(4)
UP = const(5)

_RESEND_MS = const(5_000)
_LOST_MS = const(10_000)
_STEADY_MS = const(30_000)  # up for so long: the next pause is the first again
_RESERVE = const(16)  # outbound bytes that only PUBACK (4), PINGREQ (2), DISCONNECT (2) use
_PUBACK_SIZE = const(4)
_PID_MAX = const(65535)  # umqtt.simple adds one and never wraps
_TOPIC_MAX = const(122)  # umqtt.simple 1.3.4 encodes no longer SUBSCRIBE
_OVERHEAD = const(9)  # PUBLISH: header 5, topic length 2, packet id 2

# First bytes of inbound packets: MQTT 3.1.1, 2.2
_CONNACK = const(0x20)
_PUBLISH = const(0x30)
_PUBACK = const(0x40)
_SUBACK = const(0x90)
_QOS = const(0x06)
_SUBSCRIBE_FAILED = const(0x80)


class Mqtt(Connection):
    """A broker connection that step() keeps up, and what is said over it; all of it bytes.

    options: those of Connection; `state` is one of DOWN to UP.
    on_message(topic, payload, retained): payload None when the packet was too large.
    on_up(): connected and subscribed. on_ack(pid): the broker has that message.
    """

    def __init__(
        self, client_id, host, port=0, *, on_message=None, on_up=None, on_ack=None, **options
    ):
        super().__init__(client_id, host, port, **options)
        self.set_callback(self._deliver)
        self.oversized = 0  # inbound packets swallowed
        self.refused = 0  # subscriptions the broker would not grant
        self.faults = 0  # exceptions out of the callbacks
        self.on_message = on_message
        self.on_up = on_up
        self.on_ack = on_ack
        self._topics = []
        self._subscribed = 0  # of _topics, on this connection
        self._heard_ms = self._said_ms = 0  # last byte in, last byte out
        self._ping_ms = 0
        self._pinged = False
        self._flight = 0  # packet id without acknowledgement, 0 when none
        self._flight_ms = 0
        self._subscribing = False  # and it is a SUBSCRIBE
        self._resent = False
        # Silence that asks for PINGREQ, 0 never; half more kills.
        self._quiet_ms = self.keepalive * 500

    def room(self):
        """True when a publish can be accepted now."""
        wire = self.wire
        return (
            self.up and not self._flight and wire.sent == wire.end
            and self._subscribed == len(self._topics)
        )

    def post(self, topic, payload, retain=False, qos=0):
        """Queue a publish. Returns its packet id (QoS 1), 0 (QoS 0), or -1: not accepted."""
        if not self.room():
            return -1
        self.pid %= _PID_MAX
        try:
            if len(topic) + len(payload) + _OVERHEAD + _RESERVE > self.OUT_SIZE:
                return -1
            self.publish(topic, payload, retain, qos)
        except Pending:
            self._launch()
        except Exception:  # such as str for bytes: the queue must stay whole
            self.wire.rewind()
            return -1
        return self._flight

    def want(self, topic):
        """Subscribe to `topic` (122 bytes at most) on this and each later connection, at QoS 1."""
        if len(topic) > _TOPIC_MAX:
            raise ValueError("topic too long")
        self._topics.append(topic)

    def _launch(self, subscribing=False):
        """The packet just queued is now in flight."""
        self.wire.keep()
        self._flight = self.pid
        self._flight_ms = self._now_ms
        self._subscribing = subscribing
        self._resent = False

    def _land(self):
        """What was in flight has been acknowledged."""
        self._flight = 0
        self.wire.release()

    def _report(self, callback, *args):
        """Call back. The callback's own fault is counted and costs neither loop nor link."""
        try:
            if callback:
                callback(*args)
        except Exception:
            self.faults += 1

    def _begin(self, now_ms):
        """CONNACK has come: nothing is subscribed, nothing in flight."""
        self._subscribed = 0
        self._flight = 0
        self._pinged = False
        self._heard_ms = self._said_ms = now_ms

    def _serve(self, now_ms, _may_stall):
        wire = self.wire
        moved = 0
        if wire.sent != wire.end:
            moved = wire.flush()
            if moved:
                self._said_ms = now_ms
        # A broker that takes nothing is still listened to while its messages can be acknowledged.
        if not moved and wire.space() >= _PUBACK_SIZE:
            moved = wire.receive()
            if moved:
                self._heard_ms = now_ms
                self._pinged = False
                if wire.whole:
                    self._dispatch(wire.packet)
                    wire.take()
            elif not self._flight and wire.sent == wire.end:
                moved = self._settle()
        if self.state == UP:
            self._check(now_ms)
        return moved > 0

    def _settle(self):
        """Queue the next subscription; after the last, the link is up. Returns 1 if it did."""
        if self._subscribed < len(self._topics):
            self.pid %= _PID_MAX
            try:
                self.subscribe(self._topics[self._subscribed], 1)
            except Pending:
                self._launch(True)
        elif self.up:
            return 0
        else:
            self.up = True
            self._report(self.on_up)
        return 1

    def _dispatch(self, packet):
        kind = packet[0]
        if kind & 0xF0 == _PUBLISH:
            if self.wire.large:
                self._refuse(packet)
            else:
                self.wire.offer()
                self.wait_msg()
        elif kind == _PUBACK or kind == _SUBACK:
            pid = packet[2] << 8 | packet[3]
            if pid != self._flight or self._subscribing != (kind == _SUBACK):
                return  # late: its message was sent twice
            self._land()
            if kind == _PUBACK:
                self._report(self.on_ack, pid)
            else:
                self._subscribed += 1
                self.refused += packet[4] == _SUBSCRIBE_FAILED
        elif kind == _CONNACK:
            raise Broken("a second CONNACK")

    def _deliver(self, topic, payload):
        self._report(self.on_message, topic, payload, bool(self.wire.packet[0] & 1))

    def _refuse(self, packet):
        """Report and acknowledge a PUBLISH of which only the first bytes were kept."""
        at = 2
        while packet[at - 1] & 0x80:
            at += 1
        end = at + 2 + (packet[at] << 8 | packet[at + 1])
        have = self.wire.have
        self.oversized += 1
        self._deliver(bytes(packet[at + 2 : min(end, have)]), None)
        if packet[0] & _QOS and end + 2 <= have:
            self.wire.write(b"\x40\x02")
            self.wire.write(packet[end : end + 2])

    def _check(self, now_ms):
        """Send again, ping, or give up, when it is time."""
        wire = self.wire
        if self._flight:
            age_ms = ticks_diff(now_ms, self._flight_ms)
            if age_ms >= _LOST_MS:
                raise Broken("no acknowledgement")
            # 3.1.1 lets only PUBLISH be sent again on the same connection.
            idle = wire.sent == wire.end
            if age_ms >= _RESEND_MS and idle and not self._resent and not self._subscribing:
                self._resent = True
                wire.resend()
        quiet_ms = self._quiet_ms
        if self._pinged:
            if ticks_diff(now_ms, self._ping_ms) >= quiet_ms // 2:
                raise Broken("no answer to a ping")
        elif quiet_ms and (
            ticks_diff(now_ms, self._heard_ms) >= quiet_ms
            or ticks_diff(now_ms, self._said_ms) >= quiet_ms
        ):
            self._pinged = True
            self._ping_ms = now_ms
            if wire.space() >= _PUBACK_SIZE:
                self.ping()
        if self._pause_ms and ticks_diff(now_ms, self._since_ms) >= _STEADY_MS:
            self._pause_ms = 0
