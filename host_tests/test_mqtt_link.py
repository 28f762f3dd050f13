"""The MQTT link on MicroPython against a broker told what to do byte by byte, amqtt, mosquitto.

Each test runs a script on the unix port. Its clock is its own: real milliseconds plus what the
script skips, wrapping at 2**30 half a second after the start.
"""

import ast
import contextlib
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time

import paho.mqtt.client as paho
import pytest

from micropython_port import run_script
from pilotwire.broker import Broker

NATIVE = {  # the port's own sockets, and ticks as they are on the chip
    "socket.py": "from usocket import *\n",
    "time.py": "from utime import *\n"
    "def ticks_add(t, d): return (t + d) & 0x3FFFFFFF\n"
    "def ticks_diff(a, b): return ((a - b + (1 << 29)) & 0x3FFFFFFF) - (1 << 29)\n",
}
PRELUDE = """
import gc, utime
from pilotwire.tell import mqtt
start, skipped = utime.ticks_ms(), (1 << 30) - 500
events = []

def now():
    return (utime.ticks_ms() - start + skipped) & 0x3FFFFFFF

def skip(ms):
    global skipped
    skipped += ms

def step(may_stall=True):
    link.step(now(), may_stall)

def until(done, may_stall=True):
    deadline = utime.ticks_ms() + 10000
    while not done():
        step(may_stall)
        utime.sleep_us(200)
        assert utime.ticks_ms() < deadline, (link.state, link.why, events)

def down():
    return link.state == mqtt.DOWN

def up():
    return link.up

def tell(*values):
    print(repr(values))

def message(topic, payload, retained):
    events.append((bytes(topic), payload, retained))

link = mqtt.Mqtt(b"dev", b"127.0.0.1", %d, on_message=message,
                 on_ack=lambda pid: events.append(pid), **%r)
"""


@pytest.fixture
def device(tmp_path):
    """Run a script against a port; returns what it told, a tuple a line."""
    for name, text in NATIVE.items():
        (tmp_path / name).write_text(text)

    def run(port, script, heap="4M", **options):
        out = run_script(PRELUDE % (port, options) + script, path=[tmp_path], heap=heap)
        return [ast.literal_eval(line) for line in out.splitlines()]

    return run


class Peer:
    """The broker's end of one connection."""

    def __init__(self, sock):
        self.sock = sock
        self.send = sock.sendall

    def take(self, count):
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def packet(self):
        """(first byte, body) of the next packet."""
        kind, size, shift = self.take(1)[0], 0, 0
        while True:
            byte = self.take(1)[0]
            size |= (byte & 127) << shift
            if byte < 128:
                return kind, self.take(size)
            shift += 7

    def greet(self):
        """Read CONNECT, accept it."""
        kind, body = self.packet()
        assert kind == 0x10
        self.send(b"\x20\x02\x00\x00")
        return body

    def until_closed(self):
        """What the device still sent."""
        packets = []
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                packets.append(self.packet())
        return packets

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@contextlib.contextmanager
def broker(*scenes, tls=None):
    """A broker that plays one scene a connection; gives its port. A scene's failure is raised."""
    failed = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)

        def play():
            try:
                for scene in scenes:
                    with server.accept()[0] as sock:
                        sock.settimeout(30)
                        with contextlib.suppress(ssl.SSLError):  # the device's tests say why
                            secure = tls.wrap_socket(sock, server_side=True) if tls else sock
                            scene(Peer(secure))
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=play, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(35)
    assert not thread.is_alive()
    if failed:
        raise failed[0]


def publish(topic, payload, pid=0, retain=False, dup=False):
    """PUBLISH as bytes, at QoS 1 when it has a packet id."""
    head = len(topic).to_bytes(2, "big") + topic + (pid.to_bytes(2, "big") if pid else b"")
    size, length = len(head) + len(payload), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    first = 0x30 | retain | (2 if pid else 0) | (8 if dup else 0)
    return bytes([first]) + length + bytes([size]) + head + payload


def puback(pid):
    return b"\x40\x02" + pid.to_bytes(2, "big")


def hello(peer):
    """Accept the device and wait until it goes."""
    peer.greet()
    peer.until_closed()


def test_connack_may_arrive_byte_by_byte(device):
    def trickle(peer):
        peer.packet()
        for byte in b"\x20\x02\x00\x00" + publish(b"t", b"hi"):
            peer.send(bytes([byte]))
            time.sleep(0.002)  # so that each travels alone
        peer.until_closed()

    with broker(trickle) as port:
        assert device(port, "until(lambda: events)\ntell(*events)") == [((b"t", b"hi", False),)]


def test_connect_carries_user_will_and_keepalive(device):
    bodies = []

    def scene(peer):
        bodies.append(peer.greet())
        peer.until_closed()

    with broker(scene) as port:
        device(port, "until(up)", user=b"u", password=b"pw", will_topic=b"w", will=b"off")
    # Name, level 4, flags: user, password, will retained at QoS 1, clean session; 30 s.
    assert bodies == [b"\0\4MQTT\4\xee\0\x1e\0\3dev\0\1w\0\3off\0\1u\0\2pw"]


def test_a_broker_that_never_answers_is_left_after_10_s(device):
    script = """
until(lambda: link.state == mqtt.CONNACK)
skip(9000)
step()
tell(link.state == mqtt.CONNACK)
skip(1000)
until(down)
tell(link.why)
"""
    with broker(Peer.until_closed) as port:
        assert device(port, script) == [(True,), ("no answer while connecting",)]


MALFORMED = {
    b"HTTP/1.1 400 Bad Request\r\n\r\n": "packet type malformed",
    b"\x30\xff\xff\xff\xff\x01": "packet length malformed",
    b"\xf0\x00": "packet type malformed",
    b"\x40\x03\x00\x01\x00": "packet type malformed",
    b"\x34\x07\x00\x01t\x00\x01hi": "packet type malformed",  # QoS 2
    b"\x30\x01\x00": "packet too short",
    b"\x30\x04\x00\x09to": "packet too short",
    b"\x32\x04\x00\x01t\x00": "packet too short",
    b"\x20\x02\x00\x00": "a second CONNACK",
}


@pytest.mark.parametrize("data", MALFORMED)
def test_malformed_bytes_close_the_link_and_the_next_one_works(device, data):
    def spoil(peer):
        peer.greet()
        peer.send(data)
        peer.until_closed()

    script = """
until(lambda: link.why)
tell(link.why, events)
skip(3000)
until(up)
tell(link.reconnects)
"""
    with broker(spoil, hello) as port:
        assert device(port, script) == [(MALFORMED[data], []), (1,)]


@pytest.mark.parametrize(
    ("code", "why"), [(4, "wrong user or password"), (5, "not authorised"), (99, "broker refused")]
)
def test_a_refused_connack_says_why(device, code, why):
    def refuse(peer):
        peer.packet()
        peer.send(bytes([0x20, 2, 0, code]))
        peer.until_closed()

    with broker(refuse) as port:
        assert device(port, "until(lambda: link.why)\ntell(link.why)") == [(why,)]


def test_a_reset_brings_the_link_down_and_a_reconnect_subscribes_again(device):
    def subscribe(peer):
        peer.greet()
        kind, body = peer.packet()
        assert (kind, body[2:]) == (0x82, b"\0\3a/b\1")
        peer.send(b"\x90\x03" + body[:2] + b"\x01")

    def cut(peer):
        subscribe(peer)
        assert peer.packet()[1][:3] == b"\0\1x"  # it is up
        peer.reset()

    def stay(peer):
        subscribe(peer)
        peer.until_closed()

    script = """
link.want(b"a/b")
until(up)
link.post(b"x", b"")
until(down)
tell("ECONNRESET" in link.why)
mqtt.socket = None  # the address is known: nothing is looked up again
skip(3000)
until(up)
tell(link.reconnects)
"""
    with broker(cut, stay) as port:
        assert device(port, script) == [(True,), (1,)]


def test_up_only_after_every_subscription_and_a_refused_one_is_counted(device):
    def scene(peer):
        peer.greet()
        for topic, granted in ((b"a", b"\x01"), (b"b", b"\x80"), (b"", b""), (b"c", b"\x01")):
            kind, body = peer.packet()
            if topic:
                assert (kind, body[2:]) == (0x82, b"\0\1" + topic + b"\1")
                peer.send(b"\x90\x03" + body[:2] + granted)
        peer.until_closed()

    script = """
link.want(b"a")
link.want(b"b")
link.on_up = lambda: tell(link.refused, link.post(b"t", b""))
tell(link.post(b"t", b""))
until(link.room)
link.want(b"c")
tell(link.post(b"t", b""))
until(link.room)
"""
    with broker(scene) as port:
        assert device(port, script) == [(-1,), (1, 0), (-1,)]


def test_pauses_double_to_a_minute_with_jitter(device):
    script = """
for _ in range(9):
    began = skipped
    while down():
        skip(20)
        step()
    tell(skipped - began)
    until(down)
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    pauses = [pause for (pause,) in device(port, script)[1:]]  # the first attempt is at once
    print(pauses)
    bases = (1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000)
    for pause, base in zip(pauses, bases, strict=True):
        assert 0.7 * base < pause < 1.3 * base


def test_30_s_of_connection_make_the_next_pause_short_again(device):
    def brief(peer):
        peer.greet()
        peer.packet()

    def longer(peer):
        peer.greet()
        assert peer.packet() == (0xC0, b"")  # half of the keep-alive has been skipped
        peer.send(b"\xd0\x00")
        peer.packet()

    script = """
for _ in range(3):
    until(up)
    link.post(b"t", b"")
    until(down)
    skip(6000)
until(up)
skip(30000)
until(lambda: link._pinged)
until(lambda: not link._pinged)
tell(link.post(b"t", b""))
until(down)
began = skipped
while down():
    skip(20)
    step()
tell(skipped - began < 1300)
"""
    with broker(brief, brief, brief, longer) as port:
        assert device(port, script) == [(0,), (True,)]


def test_what_does_not_fit_is_refused_and_nothing_raises(device):
    script = """
tell(link.post(b"t", b"before it is up"))
until(up)
tell(link.post(b"t", bytes(2048)), link.post(b"t", "text", qos=1), link.post(b"t", None))
tell(link.post(b"t", b"1", qos=1), link.post(b"t", b"2", qos=1), link.post(b"t", b"3"))
until(lambda: events)
tell(link.room(), events)
"""

    def scene(peer):
        peer.greet()
        kind, body = peer.packet()
        assert (kind, body[:3], body[5:]) == (0x32, b"\0\1t", b"1")
        peer.send(b"\x40\x02" + body[3:5])
        peer.until_closed()

    with broker(scene) as port:
        got = device(port, script)
    assert got[:2] == [(-1,), (-1, -1, -1)]
    pid = got[2][0]
    assert got[2:] == [(pid, -1, -1), (True, [pid])]


def test_packet_ids_wrap_from_65535_to_1(device):
    def scene(peer):
        peer.greet()
        for pid in (65535, 1):
            assert peer.packet() == (0x32, b"\0\1t" + pid.to_bytes(2, "big") + b"x")
            peer.send(puback(pid))
        peer.until_closed()

    script = """
until(up)
link.pid = 65534
for count in (1, 2):
    link.post(b"t", b"x", qos=1)
    until(lambda: len(events) == count)
tell(*events)
"""
    with broker(scene) as port:
        assert device(port, script) == [(65535, 1)]


LATE = """
until(up)
link.post(b"t", b"x", True, 1)
until(lambda: events and link.wire.sent == link.wire.end)
skip(5000)
"""


def meanwhile(peer):
    """Take the publish of LATE, have a message acknowledged, do not acknowledge the publish."""
    peer.greet()
    first = peer.packet()
    peer.send(publish(b"c", b"", 3))
    assert peer.packet() == (0x40, b"\0\3")
    return first


def test_a_late_puback_comes_after_one_duplicate_and_counts_once(device):
    def scene(peer):
        first = meanwhile(peer)
        second = peer.packet()
        assert (first[0], second[0]) == (0x33, 0x3B)
        assert first[1] == second[1] == b"\0\1t\0\1x"
        peer.send(puback(7) + puback(1) + puback(1))
        assert peer.packet() == (0x30, b"\0\1nnext")
        peer.until_closed()

    script = """
until(link.room)
link.post(b"n", b"next")
until(link.room)
tell(link.state == mqtt.UP, events[1:])
"""
    with broker(scene) as port:
        assert device(port, LATE + script) == [(True, [1])]


def test_without_puback_for_10_s_the_link_is_dead(device):
    script = """
until(lambda: link._resent and link.wire.sent == link.wire.end)
skip(5000)
until(down)
tell(link.why, link.room())
"""
    packets = []

    def scene(peer):
        packets.append(meanwhile(peer))
        packets.extend(peer.until_closed())

    with broker(scene) as port:
        assert device(port, LATE + script) == [("no acknowledgement", False)]
    assert [kind for kind, _ in packets] == [0x33, 0x3B]


@pytest.mark.parametrize("answered", [True, False])
def test_silence_is_broken_by_a_ping_that_must_be_answered(device, answered):
    def scene(peer):
        peer.greet()
        assert peer.packet() == (0xC0, b"")
        if answered:
            peer.send(b"\xd0\x00")
        peer.until_closed()

    script = """
until(up)
skip(15000)
until(lambda: link._pinged and link.wire.sent == link.wire.end)
ANSWER
skip(7500)
step()
tell(link.up, link.why)
"""
    script = script.replace("ANSWER", "until(lambda: not link._pinged)" if answered else "")
    with broker(scene) as port:
        got = device(port, script)
    assert got == [(True, "") if answered else (False, "no answer to a ping")]


def test_retained_and_duplicate_messages_are_passed_on_and_acknowledged(device):
    def scene(peer):
        peer.greet()
        peer.send(publish(b"a", b"old", retain=True) + publish(b"b", b"x", 9))
        peer.send(publish(b"b", b"x", 9, dup=True) + publish(b"c", b"", 10))
        for pid in (9, 9, 10):
            assert peer.packet() == (0x40, pid.to_bytes(2, "big"))
        peer.until_closed()

    script = "until(lambda: len(events) == 4 and link.room())\ntell(*events)"
    with broker(scene) as port:
        (got,) = device(port, script)
    twice = (b"b", b"x", False)
    assert got == ((b"a", b"old", True), twice, twice, (b"c", b"", False))


@pytest.mark.parametrize("size", [1025, 3_000_000])
def test_an_oversized_message_is_swallowed_reported_and_acknowledged(device, size):
    def scene(peer):
        peer.greet()
        peer.send(publish(b"cmd/limit", bytes(size), 5, retain=True) + publish(b"n", b"next", 6))
        assert [peer.packet()[1] for _ in (1, 2)] == [b"\0\5", b"\0\6"]
        peer.until_closed()

    script = "until(lambda: len(events) == 2 and link.room())\ntell(link.oversized, *events)"
    with broker(scene) as port:
        got = device(port, script, heap="1M")  # which would not hold it
    assert got == [(1, (b"cmd/limit", None, True), (b"n", b"next", False))]


@pytest.mark.parametrize("size", [10, 5000])
def test_a_command_may_be_answered_from_its_own_callback(device, size):
    def scene(peer):
        peer.greet()
        peer.packet()
        peer.send(publish(b"c", bytes(size), 5))
        assert peer.packet() == (0x32, b"\0\1r\0\1ok")
        assert peer.packet() == (0x40, b"\0\5")
        peer.send(puback(1))
        peer.until_closed()

    script = """
link.on_message = lambda topic, payload, retained: link.post(b"r", b"ok", qos=1)
until(up)
link.post(b"t", b"ready")
until(lambda: events)
tell(*events)
"""
    with broker(scene) as port:
        assert device(port, script) == [(1,)]


def test_a_callback_that_fails_costs_neither_the_link_nor_the_acknowledgement(device):
    def scene(peer):
        peer.greet()
        peer.send(publish(b"c", b"poison", 5))
        assert peer.packet() == (0x40, b"\0\5")
        peer.until_closed()

    script = """
link.on_message = lambda topic, payload, retained: 1 // 0
until(lambda: link.faults)
until(link.room)
tell(link.up)
"""
    with broker(scene) as port:
        assert device(port, script) == [(True,)]


@pytest.mark.parametrize("secure", [False, True])
def test_a_broker_that_reads_nothing_blocks_no_step_and_loses_no_byte(device, request, secure):
    gates = [threading.Event(), threading.Event()]

    def scene(peer):
        peer.greet()
        assert gates[0].wait(20)
        peer.send(publish(b"c", b"heard", 5))
        assert gates[1].wait(20)
        count = acknowledged = 0
        while (packet := peer.packet()) != (0x30, b"\0\1end"):
            if packet == (0x40, b"\0\5"):
                acknowledged += 1
                continue
            assert packet == (0x30, b"\0\1t" + count.to_bytes(2, "big") * 950)
            count += 1
        peer.send(publish(b"c", b"%d %d" % (count, acknowledged)))
        peer.until_closed()

    script = """
import socket
def gate():
    socket.socket().connect(socket.getaddrinfo("127.0.0.1", %d)[0][-1])

posted = idle = 0
until(up)
while idle < 200:
    if posted < 65000 and link.room():
        posted += link.post(b"t", bytes((posted >> 8, posted & 255)) * 950) + 1
    idle = 0 if link.step(now(), True) else idle + 1
gate()
until(lambda: events)
gate()
until(link.room)
link.post(b"e", b"nd")
until(lambda: len(events) == 2)
tell(posted, events)
"""
    options, context = {}, None
    if secure:
        folder = request.getfixturevalue("certificates")
        options["tls"], context = trusted(folder), server_context(folder, "AES128-GCM-SHA256")
    with broker(scene, tls=context) as port, socket.create_server(("127.0.0.1", 0)) as server:

        def open_gates():
            for event in gates:
                server.accept()[0].close()
                event.set()

        threading.Thread(target=open_gates, daemon=True).start()
        ((posted, events),) = device(port, script % server.getsockname()[1], **options)
    assert posted > 20
    assert [payload for _, payload, _ in events] == [b"heard", b"%d 1" % posted]


def test_an_idle_step_allocates_nothing(device):
    script = """
until(up)
for _ in range(3):
    link.step(now(), False)
gc.collect()
gc.disable()
before = gc.mem_alloc()
for _ in range(100):
    link.step(1, False)
tell(gc.mem_alloc() - before)
"""
    with broker(hello) as port:
        assert device(port, script) == [(0,)]


def test_no_name_is_resolved_while_the_contactor_is_closed(device):
    script = """
link._host = "localhost"
for _ in range(50):
    step(False)
    skip(1000)
tell(link.state == mqtt.DOWN, link.why)
until(up)
"""
    with broker(hello) as port:
        assert device(port, script) == [(True, "")]


def test_a_goodbye_tells_the_broker_to_drop_the_will(device):
    packets = []

    def scene(peer):
        peer.greet()
        packets.extend(peer.until_closed())

    with broker(scene) as port:
        device(port, "until(up)\nlink.close()\ntell(link.state)")
    assert packets == [(0xE0, b"")]


def test_a_round_trip_and_the_will_through_amqtt(device):
    server = Broker()
    server.start()
    seen = []
    backend = paho.Client(paho.CallbackAPIVersion.VERSION2)
    backend.username_pw_set(*server.login("backend"))
    backend.on_message = lambda _c, _u, m: seen.append((m.topic, m.payload))
    subscribed = threading.Event()
    backend.on_subscribe = lambda *_: subscribed.set()
    try:
        backend.connect(server.host, server.port)
        backend.loop_start()
        backend.subscribe("d/#", 1)
        assert subscribed.wait(10)
        user, password = (text.encode() for text in server.login("device"))
        script = """
link.want(b"d/cmd")
until(up)
link.post(b"d/status", b"online", True, 1)
until(lambda: events)
link.post(b"d/cmd", b"go", False, 1)
until(lambda: len(events) == 3 and link.room())
tell(*sorted(events, key=str))
"""
        will = {"will_topic": b"d/status", "will": b"offline"}
        (got,) = device(server.port, script, user=user, password=password, **will)
        assert (b"d/cmd", b"go", False) in got
        deadline = time.monotonic() + 10
        while ("d/status", b"offline") not in seen and time.monotonic() < deadline:
            time.sleep(0.01)
        assert seen == [("d/status", b"online"), ("d/cmd", b"go"), ("d/status", b"offline")]
        # The will has replaced the retained status; a new subscriber is told that it is old.
        script = 'link.want(b"d/status")\nuntil(lambda: events)\ntell(*events)'
        got = device(server.port, script, user=user, password=password)
        assert got == [((b"d/status", b"offline", True),)]
        got = device(server.port, "until(lambda: link.why)\ntell(link.why)", user=b"nobody")
        assert got[0][0] in ("wrong user or password", "not authorised", "closed by the broker")
    finally:
        backend.loop_stop()
        server.stop()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A throw-away CA and a certificate of it for `charger.test`: folder of ca.der, server.*."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    (folder / "extensions").write_text("subjectAltName=DNS:charger.test\n")
    new = "openssl req -newkey rsa:2048 -nodes -sha256 -keyout"
    for command in (
        f"{new} ca.key -x509 -days 2 -subj /CN=Throw-away -out ca.pem",
        f"{new} server.key -subj /CN=charger.test -out server.csr",
        "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
        " -extfile extensions -out server.pem",
        "openssl x509 -in ca.pem -outform DER -out ca.der",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


def server_context(folder, ciphers):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    return context


def trusted(folder, name="charger.test"):
    return {"ca": (folder / "ca.der").read_bytes(), "server_name": name}


def test_tls_prefers_the_suite_that_the_chip_does_fast(device, certificates):
    suites = []

    def scene(peer):
        suites.append(peer.sock.cipher()[0])
        peer.greet()
        peer.send(publish(b"t", bytes(900), 3) + publish(b"t", bytes(9000), 4))
        assert [peer.packet()[1] for _ in (1, 2)] == [b"\0\3", b"\0\4"]
        peer.until_closed()

    script = "until(lambda: len(events) == 2 and link.room())\ntell(len(events))"
    context = server_context(certificates, "ECDHE+AESGCM:AES128-GCM-SHA256")
    with broker(scene, tls=context) as port:
        assert device(port, script, tls=trusted(certificates)) == [(2,)]
    assert suites == ["AES128-GCM-SHA256"]


def test_tls_falls_back_to_the_suites_the_server_has(device, certificates):
    script = "until(lambda: link.why)\nskip(3000)\nuntil(up)\ntell(link.reconnects)"
    context = server_context(certificates, "ECDHE+AESGCM")
    with broker(hello, hello, tls=context) as port:
        assert device(port, script, tls=trusted(certificates)) == [(0,)]


@pytest.mark.parametrize("wrong", ["name", "ca"])
def test_tls_refuses_a_server_it_cannot_trust(device, certificates, wrong):
    tls = trusted(certificates, "other.test" if wrong == "name" else "charger.test")
    if wrong == "ca":
        subprocess.run(
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout o.key -days 2 -subj /CN=Other"
            " -outform DER -out other.der".split(),
            cwd=certificates, check=True, capture_output=True,
        )  # fmt: skip
        tls["ca"] = (certificates / "other.der").read_bytes()
    script = "until(lambda: link.why)\ntell(link.state, link.why)"
    with broker(hello, tls=server_context(certificates, "AES128-GCM-SHA256")) as port:
        ((state, why),) = device(port, script, tls=tls)
    assert state == 0
    assert "CERT" in why.upper()


def test_no_tls_handshake_runs_while_the_contactor_is_closed(device, certificates):
    script = """
until(lambda: link.state == mqtt.HANDSHAKE)
step(False)
for _ in range(50):
    step(False)
    skip(1000)
tell(link.state == mqtt.DOWN, link.why)
until(up)
"""
    context = server_context(certificates, "AES128-GCM-SHA256")
    abandoned = contextlib.suppress(OSError)
    with broker(hello, hello, tls=context) as port, abandoned:
        assert device(port, script, tls=trusted(certificates)) == [(True, "")]


@pytest.mark.mosquitto
@pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")
@pytest.mark.parametrize("secure", [False, True])
def test_a_round_trip_through_mosquitto(device, tmp_path, request, secure):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "user root"]
    options = {"will_topic": b"s", "will": b"offline"}
    if secure:
        folder = request.getfixturevalue("certificates")
        lines += [f"certfile {folder}/server.pem", f"keyfile {folder}/server.key"]
        options["tls"] = trusted(folder)
    (tmp_path / "m.conf").write_text("\n".join(lines) + "\n")
    script = """
link.want(b"s")
until(up)
link.post(b"s", b"online", True, 1)
until(lambda: len(events) == 2)
tell(*sorted(events, key=str))
"""
    again = 'link.want(b"s")\nuntil(lambda: events)\ntell(*events)'
    command = ["mosquitto", "-c", tmp_path / "m.conf"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as it:
        try:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
            assert (b"s", b"online", False) in device(port, script, **options)[0]
            options["will_topic"] = None
            assert device(port, again, **options) == [((b"s", b"offline", True),)]
        finally:
            it.terminate()
