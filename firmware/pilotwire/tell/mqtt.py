"""An MQTT 3.1.1 link in bounded steps: umqtt.simple encodes and decodes, a Wire never waits.

One QoS 1 message is in flight at a time. Nothing is kept over a lost connection: whoever posts
keeps what is not acknowledged and posts it again after on_up(). Touches: wire, umqtt.simple.
"""

import os
import socket
from time import ticks_add, ticks_diff

from micropython import const
from umqtt import simple

from .wire import RSA_SUITES, Broken, Pending, Wire

DOWN = const(0)
RESOLVING = const(1)
CONNECTING = const(2)
HANDSHAKE = const(3)
CONNACK = const(4)
UP = const(5)

_CONNECT_MS = const(10_000)  # from the first SYN to CONNACK
_RESEND_MS = const(5_000)
_LOST_MS = const(10_000)
_RETRY_MS = const(1_000)  # first pause between attempts; doubles
_RETRY_MAX_MS = const(60_000)
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

_REFUSALS = {  # CONNACK return codes: MQTT 3.1.1, 3.2.2.3
    1: "broker refused the protocol",
    2: "broker refused the client id",
    3: "broker unavailable",
    4: "wrong user or password",
    5: "not authorised",
}


class _Sockets:
    """Stands in for umqtt.simple's socket module while it encodes CONNECT."""

    def __init__(self, wire):
        self._wire = wire

    def socket(self, *_args):
        return self._wire

    def getaddrinfo(self, *_args):
        return ((None,),)


class Mqtt(simple.MQTTClient):
    """A broker connection that step() keeps up. Everything on the wire is bytes.

    tls: None, or a dict with `ca` (DER bytes, None trusts any server), `server_name` (str) and
    optionally `ciphers` (suite names tried first). The will is retained, QoS 1.
    on_message(topic, payload, retained): payload None when the packet was too large.
    on_up(): connected and subscribed. on_ack(pid): the broker has that message.
    """

    IN_SIZE = 1024  # bytes of the largest packet taken in whole
    OUT_SIZE = 2048  # bytes queued; a larger publish is not accepted

    def __init__(
        self, client_id, host, port=0, *, user=None, password=None, keepalive=30, tls=None,
        will_topic=None, will=b"", on_message=None, on_up=None, on_ack=None,
    ):
        port = port or (8883 if tls else 1883)
        password = (password or b"") if user else None
        super().__init__(client_id, host, port, user or None, password, keepalive)
        if will_topic:
            self.set_last_will(will_topic, will, True, 1)
        self.set_callback(self._deliver)
        self.state = DOWN
        self.up = False
        self.why = ""  # why the link last went down
        self.reconnects = 0  # connections made after the first
        self.oversized = 0  # inbound packets swallowed
        self.refused = 0  # subscriptions the broker would not grant
        self.faults = 0  # exceptions out of the callbacks
        self.sock = self.wire = Wire(self.IN_SIZE, self.OUT_SIZE)
        self._host = host if isinstance(host, str) else host.decode()
        self._tls = tls
        self._suites = tls.get("ciphers", RSA_SUITES) if tls else None
        self._cheap = True  # offer only _suites in the next handshake
        self.on_message = on_message
        self.on_up = on_up
        self.on_ack = on_ack
        self._stages = (
            self._wait,
            self._resolve,
            self._connect,
            self._handshake,
            self._greet,
            self._serve,
        )
        self._topics = []
        self._subscribed = 0  # of _topics, on this connection
        self._address = None  # from getaddrinfo
        self._stale = True  # the address has not led to a connection
        self._been_up = False
        self._pause_ms = _RETRY_MS
        self._now_ms = None  # of the latest step
        self._since_ms = 0  # attempt begun, later CONNACK received; in DOWN: when to try again
        self._heard_ms = self._said_ms = 0  # last byte in, last byte out
        self._ping_ms = 0
        self._pinged = False
        self._flight = 0  # packet id without acknowledgement, 0 when none
        self._flight_ms = 0
        self._subscribing = False  # and it is a SUBSCRIBE
        self._resent = False
        self._quiet_ms = keepalive * 500  # silence that asks for PINGREQ, 0 never; half more kills

    def step(self, now_ms, may_stall):
        """One bounded step: a packet out, or one in, or one stage of connecting.

        now_ms: wrapping milliseconds. may_stall: name resolution and TLS handshakes are allowed.
        Returns True when it cost time. Never raises.
        """
        if self._now_ms is None:
            self._since_ms = now_ms
        self._now_ms = now_ms
        try:
            return self._stages[self.state](now_ms, may_stall)
        except Broken as error:
            self._drop(error.args[0])
        except Pending:
            self._drop("packet too short")
        except Exception as error:  # sockets, mbedTLS and memory each fail in their own way
            self._drop("%s %s" % (type(error).__name__, error))
        return True

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

    def close(self):
        """Say goodbye, so that the broker drops the will, and go down."""
        if self.state == UP and self.wire.space() >= 2:
            try:
                self.disconnect()
                self.wire.flush()
            except Exception:  # it is dead already, which is as good
                pass
        self._drop("closed")

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

    def _drop(self, why):
        if self.state == HANDSHAKE:
            self._cheap = not self._cheap  # perhaps the server shares none of those suites
        if self.state != UP:
            self._stale = True
        self.wire.shut()
        self.state = DOWN
        self.up = False
        self.why = why[:60]
        self._flight = 0
        pause_ms = self._pause_ms
        self._pause_ms = min(pause_ms * 2, _RETRY_MAX_MS)
        # 3/4 to 5/4 of it, so that a street of chargers does not come back as one.
        pause_ms += pause_ms // 4 * (os.urandom(1)[0] - 128) // 128
        self._since_ms = ticks_add(self._now_ms or 0, pause_ms)

    # Stages, by state: (now_ms, may_stall) -> True when it cost time

    def _wait(self, now_ms, may_stall):
        if ticks_diff(now_ms, self._since_ms) < 0:
            return False
        if not may_stall and (self._tls or not self.resolved()):
            self._since_ms = now_ms  # still due, and never so long ago that the ticks wrap
            return False
        if self._address is None or may_stall and self._stale:
            self.state = RESOLVING
            return False
        return self._open(now_ms)

    def resolved(self):
        """True when connecting needs no name resolution: a numeric address never does."""
        return self._address is not None or not self._host.strip("0123456789.")

    def _resolve(self, now_ms, may_stall):
        if not may_stall and not self.resolved():
            self.state = DOWN
            return False
        try:
            infos = socket.getaddrinfo(self._host, self.port)
        except OSError:
            infos = ()
        for info in infos:
            if info[0] == socket.AF_INET:  # what socket.socket() makes
                self._address = info[-1]
                break
        if self._address is None:
            raise Broken("name not found")
        return self._open(now_ms)

    def _open(self, now_ms):
        self.state = CONNECTING
        self._since_ms = now_ms
        self.wire.open(self._address)
        return True

    def _hurry(self, now_ms):
        if ticks_diff(now_ms, self._since_ms) >= _CONNECT_MS:
            raise Broken("no answer while connecting")

    def _connect(self, now_ms, may_stall):
        self._hurry(now_ms)
        if self._tls and not may_stall:
            return self._postpone()
        if not self.wire.connected():
            return True
        if self._tls:
            self.state = HANDSHAKE
            suites = self._suites if self._cheap else None
            self.wire.secure(self._tls["ca"], self._tls["server_name"], suites)
        else:
            self.state = CONNACK
        self.sock = None  # umqtt.simple 1.8.0 closes the one it finds
        real = simple.socket
        simple.socket = _Sockets(self.wire)
        try:
            self.connect(True)
        except Pending:
            pass
        finally:
            simple.socket = real
            self.sock = self.wire
        return True

    def _handshake(self, now_ms, may_stall):
        if not may_stall:
            return self._postpone()
        self._hurry(now_ms)
        if self.wire.flush():
            self.state = CONNACK
        return True

    def _postpone(self):
        """The contactor has closed: begin again when it is open."""
        self.wire.shut()
        self.state = DOWN
        return True

    def _greet(self, now_ms, _may_stall):
        wire = self.wire
        self._hurry(now_ms)
        if wire.sent != wire.end:
            wire.flush()
            return True
        if not wire.receive():
            return False
        if wire.whole:
            if wire.packet[0] != _CONNACK:
                raise Broken("not an MQTT broker")
            code = wire.packet[3]
            if code:
                raise Broken(_REFUSALS.get(code, "broker refused"))
            wire.take()
            self.reconnects += self._been_up
            self._been_up = True
            self._stale = False
            self._subscribed = 0
            self._pinged = False
            self._since_ms = self._heard_ms = self._said_ms = now_ms
            self.state = UP
        return True

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
        if self._pause_ms > _RETRY_MS and ticks_diff(now_ms, self._since_ms) >= _STEADY_MS:
            self._pause_ms = _RETRY_MS
