"""What the MQTT link sends and takes in: acknowledged, repeated, refused, oversized or malformed."""

import pytest

from mqtt_peer import broker, device, hello, puback, publish

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
def test_malformed_bytes_close_the_link_and_the_next_one_works(data):
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


def test_what_does_not_fit_is_refused_and_nothing_raises():
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


def test_packet_ids_wrap_from_65535_to_1():
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


def test_a_late_puback_comes_after_one_duplicate_and_counts_once():
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


def test_without_puback_for_10_s_the_link_is_dead():
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


def test_what_was_in_flight_when_the_connection_was_lost_holds_nothing_up():
    def cut(peer):
        peer.greet()
        peer.packet()
        peer.reset()

    def stay(peer):
        peer.greet()
        assert peer.packet() == (0x32, b"\0\1n\0\2y")
        peer.send(puback(2))
        peer.until_closed()

    script = """
until(up)
link.post(b"t", b"x", qos=1)
until(down)
skip(3000)
until(link.room)
link.post(b"n", b"y", qos=1)
until(lambda: events)
tell(*events)
"""
    with broker(cut, stay) as port:
        assert device(port, script) == [(2,)]


def test_retained_and_duplicate_messages_are_passed_on_and_acknowledged():
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
def test_an_oversized_message_is_swallowed_reported_and_acknowledged(size):
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
def test_a_command_may_be_answered_from_its_own_callback(size):
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


def test_a_callback_that_fails_costs_neither_the_link_nor_the_acknowledgement():
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


def test_an_idle_step_allocates_nothing():
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
