"""For test_mqtt_*.py: the link on MicroPython, and a broker told what to do byte by byte.

Each script runs on the unix port. Its clock is its own: real milliseconds plus what the script
skips, wrapping at 2**30 half a second after the start.
"""

import ast
import contextlib
import socket
import ssl
import struct
import threading
from pathlib import Path

from micropython_port import run_script

_RIG = Path(__file__).parent / "mqtt_rig"  # the port's own sockets and ticks

_PRELUDE = """
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


def device(port, script, heap="4M", **options):
    """Run `script` with a `link` to `port`; returns what it told, a tuple a line."""
    out = run_script(_PRELUDE % (port, options) + script, path=[_RIG], heap=heap)
    return [ast.literal_eval(line) for line in out.splitlines()]


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
