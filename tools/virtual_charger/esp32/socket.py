"""`socket` of an ESP32 on the virtual charger.

TCP goes to a real broker on loopback, but its answers arrive in virtual time: 20 ms after the packet
that asks for one, however fast the simulation runs; if the answer is not there yet, virtual time
waits for it (bounded). UDP port 123 is answered by the site's own time server.
"""

import io
import select as _select

import usocket as _real
from plant.world import world

AF_INET = 2
AF_INET6 = 10
SOCK_STREAM = 1
SOCK_DGRAM = 2
SOL_SOCKET = 0xFFF
SO_REUSEADDR = 4
IPPROTO_TCP = 6
_POLL = 3  # MP_STREAM_POLL
_CLOSE = 4
_ANSWER_US = 20000
_PATIENCE_MS = 1000  # real time an answer may take before it is believed lost
_ASKS = (0x10, 0x32, 0x33, 0x3A, 0x3B, 0x82, 0xC0)  # CONNECT, PUBLISH QoS 1, SUBSCRIBE, PINGREQ
_EAGAIN = 11
_NTP_EPOCH_S = 2208988800
_clock = world.clock


def _charge(name):
    _clock.advance(world.cost[name])


def getaddrinfo(host, port, af=0, kind=0, proto=0, flags=0):
    if host.strip("0123456789."):  # a numeric address is not looked up anywhere
        _clock.advance(30000 if world.net.dns else 6000000)
        if not world.net.wifi or not world.net.dns:
            raise OSError(-202)
    if port == 123:
        return [(AF_INET, SOCK_DGRAM, 0, "", (host, port))]
    return _real.getaddrinfo(host, port)


class socket(io.IOBase):
    def __init__(self, af=AF_INET, kind=SOCK_STREAM, proto=0):
        self._udp = kind == SOCK_DGRAM
        self._reply = None
        self._asked_us = None
        self._silent = False
        self._connecting = False
        self._sock = None
        if not self._udp:
            self._sock = _real.socket()
            self._poll = _select.poll()
            self._poll.register(self._sock, _select.POLLIN)

    def setblocking(self, on):
        if self._sock:
            self._sock.setblocking(on)

    def settimeout(self, seconds):
        if self._sock:
            self._sock.settimeout(seconds)

    def setsockopt(self, *_):
        pass

    def connect(self, address):
        _charge("connect")
        if not world.net.wifi:
            raise OSError(118)  # EHOSTUNREACH of lwIP
        self._connecting = True
        self._sock.connect(address)

    def sendto(self, data, address):
        """Only the site's time server listens."""
        _charge("socket")
        if world.net.ntp and world.net.wifi and len(data) == 48:
            self._asked_us = _clock.us
            self._reply = bytes(data)
        return len(data)

    def _ntp(self, buffer):
        if self._reply is None or _clock.us - self._asked_us < _ANSWER_US:
            return None
        utc_us = world.utc_us() - (_clock.us - self._asked_us - _ANSWER_US)  # when it was sent
        seconds, part = utc_us // 1000000 + _NTP_EPOCH_S, utc_us % 1000000
        answer = bytearray(48)
        answer[0] = 0x24  # server, version 4
        answer[1] = 2
        answer[24:32] = self._reply[40:48]  # originate = the client's transmit time
        for at, value in ((32, seconds), (36, (part << 32) // 1000000)):
            for start in (at, at + 8):
                answer[start : start + 4] = value.to_bytes(4, "big")
        self._reply = None
        buffer[:48] = answer
        return 48

    def _await(self):
        """False while nothing can have arrived yet in virtual time."""
        if not world.net.wifi:
            return False
        if getattr(world.net, "hold", False):
            world.net.hold = False
            self._poll.poll(_PATIENCE_MS)
            return True
        if self._asked_us is None:
            return True
        if _clock.us - self._asked_us < _ANSWER_US:
            return False
        if not self._silent and not self._poll.poll(_PATIENCE_MS):
            self._silent = True
        self._asked_us = None
        return True

    def readinto(self, buffer, size=None):
        _charge("socket" if self._asked_us else "ticks")
        view = buffer if size is None else memoryview(buffer)[:size]
        if self._udp:
            return self._ntp(view)
        if not self._await():
            return None
        got = self._sock.readinto(view)
        if got:
            self._silent = False
            _charge("socket")
        return got

    def read(self, size=-1):
        buffer = bytearray(size)
        got = self.readinto(buffer)
        return None if got is None else bytes(buffer[:got])

    def recv(self, size):
        data = self.read(size)
        if data is None:
            raise OSError(_EAGAIN)
        return data

    def write(self, data, *size):
        _charge("socket")
        if not world.net.wifi:
            return None
        sent = self._sock.write(data, *size)
        if sent and data[0] in _ASKS:
            self._asked_us = _clock.us
        return sent

    def send(self, data):
        sent = self.write(data)
        if sent is None:
            raise OSError(_EAGAIN)
        return sent

    def ioctl(self, op, arg):
        if op == _POLL:
            _charge("poll")
            self._poll.modify(self._sock, arg)
            ready = self._poll.poll(200 if self._connecting else 0)
            self._connecting = False
            flags = ready[0][1] if ready else 0
            self._poll.modify(self._sock, _select.POLLIN)
            return flags
        if op == _CLOSE:
            self.close()
            return 0
        return -1  # above all it has no file number: nobody may poll behind our back

    def close(self):
        if self._sock:
            self._sock.close()
