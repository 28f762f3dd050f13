"""The MQTT broker of a run: one inside this process (amqtt), or somebody's own by its URL.

The embedded broker listens on a loopback port that the system chooses and lets in two users whose
passwords are made for the run. Nothing is kept: after stop() or kill() it starts empty.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from amqtt.broker import Broker as Amqtt
from amqtt.errors import AMQTTError
from amqtt.errors import BrokerError as AmqttBrokerError

from pilotwire.proxy import LoopThread

_LOOPBACK = "127.0.0.1"
_USERS = ("device", "backend")
_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}
_GOODBYE_S = 3  # for an orderly stop; then connections are cut
_TAKE_OVER_S = 2

# amqtt tells of every client that comes and goes, some at level ERROR; what matters is raised.
logging.getLogger("amqtt").setLevel(logging.CRITICAL)


class BrokerError(Exception):
    """No broker to talk to; str is one plain line."""


@dataclass(frozen=True)
class Published:
    """How a client published a message; subscribers see neither its QoS nor its retain flag."""

    user: str
    topic: str
    qos: int
    retained: bool


class _Conforming(Amqtt):
    """amqtt 0.12 made to do what MQTT 3.1.1 asks where the harness depends on it.

    By itself it accepts any password; sends retained messages at CONNECT too, even for what others
    have subscribed to; does not act on keep-alive; forgets messages that it has confirmed when
    their sender is cut off at once; and when a client comes back before its old connection has
    ended, it publishes the old one's will after the new one's birth message.
    """

    def __init__(self, users, port):
        self._users = users
        self.published = []
        self._subscribing = set()  # ids of clients whose SUBSCRIBE is being answered
        self._writers = set()
        bind = f"{_LOOPBACK}:{port}"
        super().__init__({"listeners": {"default": {"type": "tcp", "bind": bind}}, "plugins": {}})

    @property
    def port(self):
        return self._servers["default"].instance.sockets[0].getsockname()[1]

    def cut(self):
        """Stop listening and drop every connection."""
        for server in self._servers.values():
            server.instance.close()
        for writer in self._writers:
            writer.transport.abort()

    async def stream_connected(self, reader, writer, listener_name):
        self._writers.add(writer)
        try:
            await super().stream_connected(reader, writer, listener_name)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _authenticate(self, session, _listener):
        known = self._users.get(session.username, "")
        return bool(known) and secrets.compare_digest(known, session.password or "")

    async def _handle_subscription(self, session, handler, waiter):
        self._subscribing.add(session.client_id)
        try:
            await super()._handle_subscription(session, handler, waiter)
        finally:
            self._subscribing.discard(session.client_id)

    async def _publish_retained_messages_for_subscription(self, subscription, session):
        if session.client_id in self._subscribing:  # MQTT-3.3.1-6: to new subscriptions only
            await super()._publish_retained_messages_for_subscription(subscription, session)

    async def _handle_message_delivery(self, session, handler, waiter):
        message = waiter.result()
        if message:
            retained = bool(message.publish_packet.retain_flag)
            self.published.append(
                Published(session.username, message.topic, message.qos, retained)
            )
        return await super()._handle_message_delivery(session, handler, waiter)

    async def _handle_disconnect(self, session, handler, waiter):
        waiting = session.delivered_message_queue
        while not waiting.empty():
            message = asyncio.get_running_loop().create_future()
            message.set_result(waiting.get_nowait())
            await self._handle_message_delivery(session, handler, message)
        await super()._handle_disconnect(session, handler, waiter)

    async def _delete_session(self, client_id):
        await self._end_connection(client_id)
        await super()._delete_session(client_id)

    async def _handle_client_session(self, reader, writer, session, handler, server, listener):
        if not session.clean_session:
            await self._end_connection(session.client_id)
        session.keep_alive = session.keep_alive * 3 / 2  # MQTT-3.1.2-24
        handler.handle_read_timeout = lambda: asyncio.ensure_future(
            handler.handle_connection_closed()
        )
        await super()._handle_client_session(reader, writer, session, handler, server, listener)

    async def _end_connection(self, client_id):
        """End a client's earlier connection, its will included (MQTT-3.1.4-2)."""
        session, handler = self._sessions.get(client_id, (None, None))
        if session and session.transitions.is_connected():
            await handler.handle_connection_closed()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TAKE_OVER_S):
                    while session.transitions.is_connected():
                        await asyncio.sleep(0.005)


class Broker:
    """The embedded broker. Methods may be called from any thread and return when they are done."""

    tls = False

    def __init__(self):
        self.host, self.port = _LOOPBACK, 0
        self.users = {user: secrets.token_hex(8) for user in _USERS}
        self._thread = None
        self._amqtt = None

    def login(self, who):
        """(user, password) for 'device' or 'backend'."""
        return who, self.users[who]

    def start(self):
        """Listen, on the same port as before if there was one; return (host, port).

        Raises BrokerError.
        """
        if self._thread:
            raise BrokerError("the broker is running already")
        self._thread = LoopThread("broker")
        try:
            self._thread.run(self._begin())
        except (AmqttBrokerError, AMQTTError, OSError) as error:
            self._end()
            where = f"{self.host}:{self.port or 'any port'}"
            raise BrokerError(f"the broker cannot listen on {where} ({_root(error)})") from None
        return self.host, self.port

    @property
    def published(self):
        """[Published] since the start, in order."""
        return list(self._amqtt.published)

    def stop(self):
        """Stop in an orderly way. Harmless when it does not run."""
        if self._thread:
            self._thread.run(self._goodbye())
            self._end()

    def kill(self):
        """Drop all connections and forget everything, as a crash does."""
        if self._thread:
            self._thread.run(self._cut())
            self._end()

    async def _begin(self):
        self._amqtt = _Conforming(self.users, self.port)
        await self._amqtt.start()
        self.port = self._amqtt.port

    async def _goodbye(self):
        with contextlib.suppress(AMQTTError, OSError):
            await asyncio.wait_for(self._amqtt.shutdown(), _GOODBYE_S)
        self._amqtt.cut()

    async def _cut(self):
        self._amqtt.cut()

    def _end(self):
        self._thread.close()
        self._thread = self._amqtt = None


@dataclass(frozen=True)
class External:
    """Somebody's own broker, for the device and the backend alike."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None

    def login(self, _who):
        """(user, password), each None when the URL has none."""
        return self.user, self.password

    def check(self, timeout_s=3):
        """Raise BrokerError when nothing answers there."""
        try:
            socket.create_connection((self.host, self.port), timeout_s).close()
        except (OSError, UnicodeError) as error:
            raise BrokerError(f"no broker at {self.host}:{self.port} ({_root(error)})") from None


def external(url):
    """The External of `mqtt://user:password@host:port` or `mqtts://...`. Raises BrokerError.

    User, password and port may be left out; the port is then 1883 or 8883.
    """
    form = "expected mqtt://user:password@host:port or mqtts://user:password@host:port"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BrokerError(f"the broker's address is wrong: {error}; {form}") from None
    for wrong, words in (
        (parts.scheme not in _DEFAULT_PORTS, "does not begin with mqtt:// or mqtts://"),
        (not parts.hostname, "has no host"),
        (port == 0, "has port 0"),
        (parts.path.strip("/") or parts.query or parts.fragment, "has more after the port"),
    ):
        if wrong:
            raise BrokerError(f"the broker's address {words}; {form}")
    user, password = (text and unquote(text) for text in (parts.username, parts.password))
    port = port or _DEFAULT_PORTS[parts.scheme]
    return External(parts.hostname, port, parts.scheme == "mqtts", user, password)


def _root(error):
    """The plain words of the first cause of `error`."""
    while error.__cause__:
        error = error.__cause__
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(words.split())
