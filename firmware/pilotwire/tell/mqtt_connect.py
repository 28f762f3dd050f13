"""The way to a broker, in bounded steps: pause, name, TCP, TLS, CONNECT, CONNACK; and back down.

What is said once the link is up is mqtt.py. umqtt.simple encodes CONNECT, a Wire never waits.
Touches: wire, umqtt.simple, name resolution.
"""

import os
import socket
from time import ticks_add, ticks_diff

from micropython import const
from umqtt import simple

from .wire import RSA_SUITES, Broken, Pending, Wire

# Connection.state. mqtt.py has the same numbers as DOWN ... CONNACK, UP: const() costs no memory.
_DOWN = const(0)
_RESOLVING = const(1)
_CONNECTING = const(2)
_HANDSHAKE = const(3)
_GREETING = const(4)  # CONNACK is awaited
_UP = const(5)

_CONNECT_MS = const(10_000)  # from the first SYN to CONNACK
_RETRY_MS = const(1_000)  # first pause between attempts; doubles
_RETRY_MAX_MS = const(60_000)
_CONNACK = const(0x20)  # first byte: MQTT 3.1.1, 2.2

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


class Connection(simple.MQTTClient):
    """A connection that step() keeps up. Everything on the wire is bytes.

    tls: None, or a dict with `ca` (DER bytes, None trusts any server), `server_name` (str) and
    optionally `ciphers` (suite names tried first). The will is retained, QoS 1.
    Whoever extends it has _begin(now_ms), called at CONNACK, and _serve, the stage that follows.
    """

    IN_SIZE = 1024  # bytes of the largest packet taken in whole
    OUT_SIZE = 2048  # bytes queued; a larger publish is not accepted

    def __init__(
        self, client_id, host, port=0, *, user=None, password=None, keepalive=30, tls=None,
        will_topic=None, will=b"",
    ):
        port = port or (8883 if tls else 1883)
        password = (password or b"") if user else None
        super().__init__(client_id, host, port, user or None, password, keepalive)
        if will_topic:
            self.set_last_will(will_topic, will, True, 1)
        self.state = _DOWN
        self.up = False
        self.why = ""  # why the link last went down
        self.reconnects = 0  # connections made after the first
        self.sock = self.wire = Wire(self.IN_SIZE, self.OUT_SIZE)
        self._host = host if isinstance(host, str) else host.decode()
        self._tls = tls
        self._suites = tls.get("ciphers", RSA_SUITES) if tls else None
        self._cheap = True  # offer only _suites in the next handshake
        self._stages = (
            self._wait,
            self._resolve,
            self._connect,
            self._handshake,
            self._greet,
            self._serve,
        )
        self._address = None  # from getaddrinfo
        self._stale = True  # the address has not led to a connection
        self._been_up = False
        self._pause_ms = 0  # the next one; 0 is the first
        self._now_ms = None  # of the latest step
        self._since_ms = 0  # attempt begun, later CONNACK received; in DOWN: when to try again

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

    def close(self):
        """Say goodbye, so that the broker drops the will, and go down."""
        if self.state == _UP and self.wire.space() >= 2:
            try:
                self.disconnect()
                self.wire.flush()
            except Exception:  # it is dead already, which is as good
                pass
        self._drop("closed")

    def _drop(self, why):
        if self.state == _HANDSHAKE:
            self._cheap = not self._cheap  # perhaps the server shares none of those suites
        if self.state != _UP:
            self._stale = True
        self.wire.shut()
        self.state = _DOWN
        self.up = False
        self.why = why[:60]
        pause_ms = self._pause_ms or _RETRY_MS
        self._pause_ms = min(pause_ms * 2, _RETRY_MAX_MS)
        # 3/4 to 5/4 of it, so that a street of chargers does not come back as one.
        pause_ms += pause_ms // 4 * (os.urandom(1)[0] - 128) // 128
        self._since_ms = ticks_add(self._now_ms or 0, pause_ms)

    # Stages, by state: (now_ms, may_stall) -> True when it cost time

    def _wait(self, now_ms, may_stall):
        # Longer ahead than any pause: nobody has asked for days, and the ticks have wrapped.
        if -2 * _RETRY_MAX_MS < ticks_diff(now_ms, self._since_ms) < 0:
            return False
        if not may_stall and (self._tls or not self.resolved()):
            self._since_ms = now_ms  # still due, and never so long ago that the ticks wrap
            return False
        if self._address is None or may_stall and self._stale:
            self.state = _RESOLVING
            return False
        return self._open(now_ms)

    def resolved(self):
        """True when connecting needs no name resolution: a numeric address never does."""
        return self._address is not None or not self._host.strip("0123456789.")

    def _resolve(self, now_ms, may_stall):
        if not may_stall and not self.resolved():
            self.state = _DOWN
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
        self.state = _CONNECTING
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
            self.state = _HANDSHAKE
            suites = self._suites if self._cheap else None
            self.wire.secure(self._tls["ca"], self._tls["server_name"], suites)
        else:
            self.state = _GREETING
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
            self.state = _GREETING
        return True

    def _postpone(self):
        """The contactor has closed: begin again when it is open."""
        self.wire.shut()
        self.state = _DOWN
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
            self._since_ms = now_ms
            self.state = _UP
            self._begin(now_ms)
        return True
