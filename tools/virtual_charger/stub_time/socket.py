"""`socket` with a broker of a few lines behind it: it accepts, grants and acknowledges."""

import io

AF_INET = 2
SOCK_STREAM = 1
SOCK_DGRAM = 2


def getaddrinfo(host, port, *_):
    return [(2, 1, 0, "", (host, port))]


class socket(io.IOBase):
    """Answers CONNECT, SUBSCRIBE, PINGREQ and PUBLISH QoS 1, each on the next read."""

    def __init__(self, *_):
        self._answer = bytearray(8)
        self._size = 0

    def setblocking(self, on):
        pass

    def settimeout(self, seconds):
        pass

    def connect(self, address):
        pass

    def sendto(self, data, address):
        return len(data)

    def ioctl(self, op, arg):
        return arg & 4 if op == 3 else -1  # writable; no file number

    def _reply(self, *values):
        for value in values:
            self._answer[self._size] = value
            self._size += 1

    def write(self, data, size=None):
        kind = data[0] & 0xF0
        if kind == 0x10:
            self._reply(0x20, 2, 0, 0)
        elif kind == 0x80:
            self._reply(0x90, 3, data[2], data[3], 1)
        elif kind == 0xC0:
            self._reply(0xD0, 0)
        elif kind == 0x30 and data[0] & 6:
            at = 1
            while data[at] & 0x80:
                at += 1
            at += 1
            at += 2 + (data[at] << 8 | data[at + 1])
            self._reply(0x40, 2, data[at], data[at + 1])
        return len(data) if size is None else size

    def readinto(self, buffer, size=None):
        count = self._size
        if not count:
            return None
        count = min(count, len(buffer) if size is None else size)
        for k in range(count):
            buffer[k] = self._answer[k]
        for k in range(count, self._size):
            self._answer[k - count] = self._answer[k]
        self._size -= count
        return count

    def read(self, size):
        buffer = bytearray(size)
        count = self.readinto(buffer)
        return None if count is None else bytes(buffer[:count])

    def close(self):
        pass
