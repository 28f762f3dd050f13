"""The MQTT link comes up, goes down and comes back, against a broker that plays scenes."""

import socket
import time

import pytest

from mqtt_peer import Peer, broker, device, hello, publish


def test_connack_may_arrive_byte_by_byte():
    def trickle(peer):
        peer.packet()
        for byte in b"\x20\x02\x00\x00" + publish(b"t", b"hi"):
            peer.send(bytes([byte]))
            time.sleep(0.002)  # so that each travels alone
        peer.until_closed()

    with broker(trickle) as port:
        assert device(port, "until(lambda: events)\ntell(*events)") == [((b"t", b"hi", False),)]


def test_connect_carries_user_will_and_keepalive():
    bodies = []

    def scene(peer):
        bodies.append(peer.greet())
        peer.until_closed()

    with broker(scene) as port:
        device(port, "until(up)", user=b"u", password=b"pw", will_topic=b"w", will=b"off")
    # Name, level 4, flags: user, password, will retained at QoS 1, clean session; 30 s.
    assert bodies == [b"\0\4MQTT\4\xee\0\x1e\0\3dev\0\1w\0\3off\0\1u\0\2pw"]


def test_a_broker_that_never_answers_is_left_after_10_s():
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


@pytest.mark.parametrize(
    ("code", "why"), [(4, "wrong user or password"), (5, "not authorised"), (99, "broker refused")]
)
def test_a_refused_connack_says_why(code, why):
    def refuse(peer):
        peer.packet()
        peer.send(bytes([0x20, 2, 0, code]))
        peer.until_closed()

    with broker(refuse) as port:
        assert device(port, "until(lambda: link.why)\ntell(link.why)") == [(why,)]


def test_a_reset_brings_the_link_down_and_a_reconnect_subscribes_again():
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
from pilotwire.tell import mqtt_connect
link.want(b"a/b")
until(up)
link.post(b"x", b"")
until(down)
tell("ECONNRESET" in link.why)
mqtt_connect.socket = None  # the address is known: nothing is looked up again
skip(3000)
until(up)
tell(link.reconnects)
"""
    with broker(cut, stay) as port:
        assert device(port, script) == [(True,), (1,)]


def test_up_only_after_every_subscription_and_a_refused_one_is_counted():
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


def test_pauses_double_to_a_minute_with_jitter():
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


def test_30_s_of_connection_make_the_next_pause_short_again():
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


@pytest.mark.parametrize("answered", [True, False])
def test_silence_is_broken_by_a_ping_that_must_be_answered(answered):
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


def test_no_name_is_resolved_while_the_contactor_is_closed():
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


def test_a_goodbye_tells_the_broker_to_drop_the_will():
    packets = []

    def scene(peer):
        peer.greet()
        packets.extend(peer.until_closed())

    with broker(scene) as port:
        device(port, "until(up)\nlink.close()\ntell(link.state)")
    assert packets == [(0xE0, b"")]


def test_after_days_without_a_network_it_tries_at_once_although_the_ticks_have_wrapped():
    script = """
step()
until(down)
skip(DAYS * 86_400_000)
for _ in range(100):
    skip(20)
    step()
    if not down():
        break
tell(not down())
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for days in (1, 7, 10, 12):
        assert device(port, script.replace("DAYS", str(days)))[-1] == (True,), days
