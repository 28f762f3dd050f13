"""The embedded broker, the proxy that fails on purpose, the subscriber that is the backend."""

import contextlib
import itertools
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from pilotwire.broker import Broker, BrokerError, external
from pilotwire.proxy import Proxy, ProxyError
from pilotwire.subscriber import Subscriber, SubscriberError

TOOLS = Path(__file__).resolve().parent.parent / "tools"
ROOT = "pilotwire/d1/"


def until(condition, timeout_s=10):
    """Wait for `condition()`; what it last gave."""
    deadline = time.monotonic() + timeout_s
    while not (got := condition()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return got


@pytest.fixture
def broker():
    it = Broker()
    it.start()
    yield it
    it.stop()


@pytest.fixture
def proxy(broker):
    it = Proxy((broker.host, broker.port))
    it.start()
    yield it
    it.stop()


@pytest.fixture
def backend(broker):
    it = Subscriber(broker.host, broker.port, broker.login("backend"), "d1")
    it.start()
    yield it
    it.stop()


class Device:
    """A stand-in for the firmware's link: birth message, will, commands, records until acked."""

    def __init__(self, address, login, keepalive_s=60):
        self.heard = []
        born = threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="d1")
        self.client.username_pw_set(*login)
        self.client.will_set(ROOT + "status", "offline", 1, True)
        self.client.reconnect_delay_set(0.05, 0.2)
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.on_publish = lambda *_: born.set()
        self.client.connect_async(*address, keepalive_s)
        self.client.loop_start()
        assert born.wait(10)

    def _on_connect(self, client, *_):
        client.subscribe([(ROOT + "cmd/#", 1), (ROOT + "session/ack", 1)])
        client.publish(ROOT + "status", "online", 1, True)

    def _on_message(self, _client, _userdata, got):
        self.heard.append((got.topic, got.payload, got.retain))

    def publish(self, topic, payload, retain=False):
        self.client.publish(ROOT + topic, payload, 1, retain)

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def device_through():
    made = []

    def make(proxy, broker, **options):
        made.append(Device((proxy.host, proxy.port), broker.login("device"), **options))
        return made[-1]

    yield make
    for device in made:
        device.stop()


def statuses(backend):
    """How `status` changed; QoS 1 may bring the same message twice."""
    came = [m.payload.decode() for m in backend.messages if m.topic == "status"]
    return [status for status, _ in itertools.groupby(came)]


def test_passwords_are_made_for_each_run_and_are_checked(broker):
    assert broker.users["device"] != broker.users["backend"] != Broker().users["backend"]
    for login in (("backend", "guess"), ("someone", broker.users["backend"]), (None, None)):
        stranger = Subscriber(broker.host, broker.port, login, "d1")
        with pytest.raises(SubscriberError, match="cannot be used .not authorized.$"):
            stranger.start()


def test_the_broker_listens_on_loopback_only(broker):
    assert broker.host == "127.0.0.1"
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    assert f"0100007F:{broker.port:04X} 00000000:0000 0A" in listening
    assert f"00000000:{broker.port:04X} 00000000:0000 0A" not in listening


def test_a_retained_message_comes_once_and_only_to_who_subscribed(
    broker, proxy, backend, device_through
):
    device = device_through(proxy, broker)
    device.publish("state", "a", retain=True)
    assert backend.wait_for(lambda: "state" in backend.last)
    late = Subscriber(broker.host, broker.port, broker.login("backend"), "d1")
    late.start()
    proxy.set_mode("reset")
    assert backend.wait_for(lambda: statuses(backend)[-2:] == ["offline", "online"])
    late.publish("cmd/limit", {"a": 10})
    assert until(lambda: device.heard)
    assert device.heard == [(ROOT + "cmd/limit", b'{"a": 10}', False)]
    assert late.wait_for(lambda: "cmd/limit" in late.last)
    assert [(m.payload, m.retained) for m in late.messages if m.topic == "state"] == [(b"a", True)]
    late.stop()


@pytest.mark.parametrize("mode", ["down", "reset"])
def test_the_will_is_published_when_the_devices_connection_is_cut(
    mode, broker, proxy, backend, device_through
):
    device_through(proxy, broker)
    assert backend.wait_for(lambda: statuses(backend) == ["online"])
    proxy.set_mode(mode)
    assert backend.wait_for(lambda: statuses(backend)[1:2] == ["offline"])
    proxy.set_mode("up")
    assert backend.wait_for(lambda: statuses(backend) == ["online", "offline", "online"])
    late = Subscriber(broker.host, broker.port, broker.login("backend"), "d1")
    late.start()
    assert late.wait_for(lambda: statuses(late) == ["online"])
    late.stop()


def test_down_refuses_until_up_again_on_the_same_port(broker, proxy):
    address = (proxy.host, proxy.port)
    proxy.set_mode("down")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 5)
    proxy.set_mode("up")
    socket.create_connection(address, 5).close()


@pytest.fixture
def echo():
    """A server that sends back what it gets; .heard is all of it."""

    class Echo:
        heard = b""

    with socket.create_server(("127.0.0.1", 0)) as server:
        Echo.address = server.getsockname()

        def serve(end):
            with end, contextlib.suppress(OSError):
                while data := end.recv(4096):
                    Echo.heard += data
                    end.sendall(data)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=[server.accept()[0]], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield Echo
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def wire(echo):
    it = Proxy(echo.address)
    it.start()
    yield it
    it.stop()


def link(wire):
    return socket.create_connection((wire.host, wire.port), 10)


def test_up_passes_every_byte_both_ways_in_order(wire):
    sent = bytes(range(256)) * 4000
    with link(wire) as end:
        threading.Thread(target=end.sendall, args=[sent]).start()
        got = b""
        while len(got) < len(sent):
            got += end.recv(65536)
    assert got == sent


def test_blackhole_keeps_connections_and_passes_nothing(wire, echo):
    with link(wire) as old:
        old.sendall(b"1")
        assert old.recv(10) == b"1"
        wire.set_mode("blackhole")
        with link(wire) as new:
            assert until(lambda: wire.connections == 2)
            for end, text in ((old, b"2"), (new, b"3")):
                end.sendall(text)
                end.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    end.recv(10)
                end.settimeout(10)
            assert echo.heard == b"1"
            wire.set_mode("up")
            assert old.recv(10) == b"2"  # the same connection, as TCP sends again
            with pytest.raises(ConnectionResetError):
                new.recv(10)
        assert echo.heard == b"12"


def test_reset_resets_what_is_there_once(wire):
    with link(wire) as old:
        old.sendall(b"1")
        assert old.recv(10) == b"1"
        wire.set_mode("reset")
        with pytest.raises(ConnectionResetError):
            old.recv(10)
    assert wire.mode == "up"
    with link(wire) as new:
        new.sendall(b"2")
        assert new.recv(10) == b"2"


def test_the_will_is_published_when_a_blackhole_outlasts_the_keep_alive(
    broker, proxy, backend, device_through
):
    device_through(proxy, broker, keepalive_s=1)
    assert backend.wait_for(lambda: statuses(backend) == ["online"])
    proxy.set_mode("blackhole")
    assert backend.wait_for(lambda: statuses(backend) == ["online", "offline"], 10)
    proxy.set_mode("up")
    assert backend.wait_for(lambda: statuses(backend) == ["online", "offline", "online"])


def test_a_device_that_comes_back_first_is_online_last(broker, backend):
    # Its old connection is half open, as after a network change: the broker must end it at once.
    old = Device((broker.host, broker.port), broker.login("device"))
    assert backend.wait_for(lambda: statuses(backend) == ["online"])
    old.client.reconnect_delay_set(100, 100)
    new = Device((broker.host, broker.port), broker.login("device"))
    assert backend.wait_for(lambda: len(statuses(backend)) == 3)
    assert statuses(backend) == ["online", "offline", "online"]
    new.publish("state", "after")
    assert backend.wait_for(lambda: "state" in backend.last)
    assert len(statuses(backend)) == 3
    for device in (old, new):
        device.stop()


@pytest.mark.parametrize("keepalive_s", [0, 60])
def test_nothing_the_broker_confirmed_is_lost_when_the_connection_is_reset(
    keepalive_s, broker, proxy, backend, device_through
):
    device = device_through(proxy, broker, keepalive_s=keepalive_s)
    for batch in range(5):
        sent = [device.client.publish(ROOT + "event", f"{batch}-{n}", 1) for n in range(40)]
        for one in sent:
            one.wait_for_publish(10)
        proxy.set_mode("reset")
        assert backend.wait_for(lambda n=batch: len(statuses(backend)) == 2 * n + 3)
    wanted = [f"{batch}-{n}".encode() for batch in range(5) for n in range(40)]
    assert backend.wait_for(
        lambda: {m.payload for m in backend.messages if m.topic == "event"} == set(wanted)
    )


def test_the_broker_tells_how_a_message_was_published(broker, proxy, backend, device_through):
    device = device_through(proxy, broker)
    device.client.publish(ROOT + "meter", "{}", 0, True)
    device.publish("event", "{}")
    assert backend.wait_for(lambda: "event" in backend.last)
    assert [(p.user, p.topic.removeprefix(ROOT), p.qos, p.retained) for p in broker.published] == [
        ("device", "status", 1, True), ("device", "meter", 0, True), ("device", "event", 1, False)]


def test_a_killed_broker_comes_back_on_its_port_and_has_forgotten(
    broker, proxy, backend, device_through
):
    device = device_through(proxy, broker)
    device.publish("state", "before", retain=True)
    assert backend.wait_for(lambda: "state" in backend.last)
    port, seen = broker.port, len(backend.messages)
    broker.kill()
    assert backend.wait_for(lambda: not backend.subscribed)
    assert until(lambda: proxy.connections == 0)
    assert broker.start() == (broker.host, port)
    assert backend.wait_for(lambda: backend.subscribed)
    assert backend.wait_for(lambda: "status" in [m.topic for m in backend.messages[seen:]])
    assert "state" not in [m.topic for m in backend.messages[seen:]]
    backend.publish("cmd/enable", "true")
    assert until(lambda: device.heard == [(ROOT + "cmd/enable", b"true", False)])


def test_a_taken_port_is_one_plain_line(broker):
    broker.stop()
    with socket.create_server((broker.host, broker.port)):
        with pytest.raises(BrokerError) as caught:
            broker.start()
    assert str(caught.value).startswith(f"the broker cannot listen on 127.0.0.1:{broker.port} (")
    assert "\n" not in str(caught.value)
    broker.start()


def test_a_proxy_whose_port_was_taken_says_so(wire):
    wire.set_mode("down")
    with socket.create_server((wire.host, wire.port)):
        with pytest.raises(ProxyError, match=f"cannot listen on 127.0.0.1:{wire.port}"):
            wire.set_mode("up")
    wire.set_mode("up")


def record(seq, **more):
    return json.dumps({"id": f"d1-{seq}", "seq": seq, **more})


def acks(device):
    return [json.loads(payload)["seq"] for topic, payload, _ in device.heard if "ack" in topic]


def test_records_are_kept_once_and_acknowledged_each_time(broker, proxy, backend, device_through):
    device = device_through(proxy, broker)
    assert backend.wait_for(lambda: statuses(backend) == ["online"])
    for payload in (record(1), record(1), record(2), record(2, energy_wh=5), "{", '{"id": 1}'):
        device.publish("session/record", payload)
    assert until(lambda: acks(device) == [1, 1, 2, 2])
    assert backend.wait_for(lambda: len(backend.spoilt) == 2)
    assert list(backend.records) == ["d1-1", "d1-2"]
    assert backend.raw_records["d1-2"] == record(2).encode()
    assert (backend.repeated, backend.altered) == (2, ["d1-2"])


def test_acknowledging_can_be_switched_off_and_on(broker, proxy, backend, device_through):
    device = device_through(proxy, broker)
    backend.acknowledge = False
    device.publish("session/record", record(1))
    device.publish("session/record", record(2))
    assert backend.wait_for(lambda: len(backend.records) == 2)
    backend.publish("cmd/limit", "6")
    assert until(lambda: device.heard)
    assert acks(device) == []
    backend.acknowledge = True
    assert until(lambda: acks(device) == [2])


def test_messages_keep_their_order_for_the_driver(broker, proxy, backend, device_through):
    device = device_through(proxy, broker)
    for n in range(200):
        device.publish("event", str(n))
    taken = [backend.queue.get(timeout=10) for _ in range(201)]
    assert [m.order for m in taken] == list(range(201))
    assert [int(m.payload) for m in taken if m.topic == "event"] == list(range(200))


def test_a_command_without_a_broker_is_told_in_time(broker, backend):
    broker.kill()
    assert backend.wait_for(lambda: not backend.subscribed)
    with pytest.raises(SubscriberError, match="cmd/limit was not sent: no connection"):
        backend.publish("cmd/limit", "6", timeout_s=0.1)


def test_a_subscriber_without_a_broker_says_so(broker):
    broker.stop()
    lonely = Subscriber(broker.host, broker.port, broker.login("backend"), "d1")
    with pytest.raises(SubscriberError, match=f"127.0.0.1:{broker.port} cannot be used"):
        lonely.start()


@pytest.mark.parametrize("url, parts", [
    ("mqtt://me:p%40ss@host.example:1884", ("host.example", 1884, False, "me", "p@ss")),
    ("mqtts://host.example/", ("host.example", 8883, True, None, None)),
    ("mqtt://[::1]", ("::1", 1883, False, None, None)),
])
def test_an_external_broker_is_named_by_a_url(url, parts):
    it = external(url)
    assert (it.host, it.port, it.tls, *it.login("device")) == parts


@pytest.mark.parametrize("url, words", [
    ("http://host", "does not begin with mqtt:// or mqtts://"),
    ("host:1883", "does not begin with"),
    ("", "does not begin with"),
    ("mqtt://", "has no host"),
    ("mqtt://:1883", "has no host"),
    ("mqtt://host:0", "has port 0"),
    ("mqtt://host:99999", "is wrong: Port out of range"),
    ("mqtt://host:x", "is wrong: Port could not be"),
    ("mqtt://me:secret@[::1", "is wrong: Invalid IPv6"),
    ("mqtt://me:secret@host/topic", "has more after the port"),
])
def test_a_wrong_url_is_told_without_its_password(url, words):
    with pytest.raises(BrokerError) as caught:
        external(url)
    assert words in str(caught.value)
    assert "expected mqtt://user:password@host:port" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_external_broker_is_tried_before_the_run(broker):
    url = f"mqtt://{broker.host}:{broker.port}"
    external(url).check()
    broker.stop()
    with pytest.raises(BrokerError, match=rf"^no broker at 127.0.0.1:{broker.port} \(.+\)$"):
        external(url).check()


@pytest.mark.parametrize("ending", ["", "proxy.stop(); broker.stop()", "broker.kill()"])
def test_a_program_that_used_them_ends_silently(ending):
    code = f"""
from pilotwire.broker import Broker
from pilotwire.proxy import Proxy
from pilotwire.subscriber import Subscriber
broker = Broker(); broker.start()
proxy = Proxy((broker.host, broker.port)); proxy.start()
one = Subscriber(proxy.host, proxy.port, broker.login("backend"), "d1"); one.start()
one.publish("cmd/limit", "6"); proxy.set_mode("reset"); one.publish("cmd/limit", "7")
{ending}
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=TOOLS, capture_output=True, text=True,
                          timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
