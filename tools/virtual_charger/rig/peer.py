"""A broker inside the plant: answers in virtual time, and is the same with the same seed.

Stands in for the port's own sockets below the virtual `socket`. It grants and acknowledges, sends
commands, and hangs up now and then.
"""

import io

_POLL = 3  # MP_STREAM_POLL
_IN, _OUT, _HANG_UP = 1, 4, 16
_REFUSED = 111

COMMANDS = (
    ("cmd/enable", b"true"),
    ("cmd/limit", b'{"a": 80, "for_s": 600, "id": "bench"}'),
    ("cmd/nonsense", b"x" * 200),
    ("cmd/limit", b"z" * 1800),  # more than is taken in whole
)


class Peer:
    """`socket` and `getaddrinfo` as the port's module has them."""

    def __init__(self):
        self.up = True
        self.connections = 0
        self.messages = 0  # received
        self._here = None

    def getaddrinfo(self, host, port, *_):
        return [(2, 1, 0, "", (host, port))]

    def socket(self, *_):
        self._here = Line(self)
        return self._here

    def hang_up(self):
        if self._here:
            self._here.dead = True

    def command(self, device, which):
        """Send one of COMMANDS to the device, if it is there."""
        line = self._here
        if not line or not line.joined or line.dead:
            return
        topic, payload = COMMANDS[which % len(COMMANDS)]
        topic = b"pilotwire/" + device + b"/" + topic.encode()
        size = 2 + len(topic) + len(payload)
        head = bytes((0x30, size)) if size < 128 else bytes((0x30, size & 127 | 128, size >> 7))
        line.inbox += head + bytes((len(topic) >> 8, len(topic) & 255)) + topic + payload


class Line(io.IOBase):
    """One connection, as the device has it."""

    def __init__(self, peer):
        self.inbox = b""
        self.dead = False
        self.joined = False
        self._peer = peer
        self._open = False

    def setblocking(self, on):
        pass

    def connect(self, address):
        if not self._peer.up:
            raise OSError(_REFUSED)
        self._open = True

    def ioctl(self, op, arg):
        if op == _POLL:
            ready = _OUT if self._open else 0
            if self.inbox:
                ready |= _IN
            if self.dead:
                ready |= _IN | _HANG_UP
            return ready & (arg | _HANG_UP)
        return -1  # above all it has no file number

    def readinto(self, buffer, *_):
        if self.dead:
            return 0
        inbox = self.inbox
        if not inbox:
            return None
        count = min(len(inbox), len(buffer))
        buffer[:count] = inbox[:count]
        self.inbox = inbox[count:]
        return count

    def write(self, data, *_):
        """Takes one packet whole."""
        kind = data[0] & 0xF0
        peer = self._peer
        if kind == 0x10:
            self.joined = True
            peer.connections += 1
            self.inbox += b"\x20\x02\x00\x00"
        elif kind == 0x80:
            self.inbox += bytes((0x90, 3, data[2], data[3], 1))
        elif kind == 0xC0:
            self.inbox += b"\xd0\x00"
        elif kind == 0x30:
            peer.messages += 1
            if data[0] & 6:
                at = 1
                while data[at] & 0x80:
                    at += 1
                at += 1
                at += 2 + (data[at] << 8 | data[at + 1])
                self.inbox += bytes((0x40, 2, data[at], data[at + 1]))
        return len(data)

    def close(self):
        self._open = False
        self.dead = True
