"""A TCP or TLS connection that never waits, and that umqtt.simple takes for its socket.

Outbound bytes collect in one fixed buffer and leave as one write. Inbound bytes collect in
another until one MQTT packet is whole. Touches: socket, select, tls. Knows MQTT's framing
(3.1.1, 2.2) and nothing of its meaning.
"""

import errno
import select
import socket

from micropython import const

_HEADER_MAX = const(5)  # packet type and four bytes of remaining length: MQTT 3.1.1, 2.2.3
_DUP = const(0x08)  # MQTT 3.1.1, 3.3.1.1
_FAILED = const(0x18)  # POLLERR | POLLHUP, the same on every port
_WRITABLE = const(0x04)  # POLLOUT

# Remaining length of each packet a broker may send, by its first byte. PUBLISH has any.
_FIXED = {0x20: 2, 0x40: 2, 0x90: 3, 0xD0: 0}
_PENDING = (errno.EINPROGRESS, errno.EAGAIN, errno.EALREADY)

# RSA key exchange costs the chip 38 ms in its longest step, the default suites 170-320 ms.
RSA_SUITES = ("TLS-RSA-WITH-AES-128-GCM-SHA256", "TLS-RSA-WITH-AES-128-CBC-SHA256")


class Broken(Exception):
    """The connection is of no more use; args[0] says why."""


class Pending(Exception):
    """umqtt.simple has written its request and would now wait for the answer."""


class Wire:
    """One connection. `sent` == `end` means that nothing waits to be written."""

    def __init__(self, in_size, out_size):
        self._sock = None
        self._poll = None
        self._out = bytearray(out_size)
        self._out_view = memoryview(self._out)
        self.packet = bytearray(in_size)  # the inbound packet, its fixed header first
        self._view = memoryview(self.packet)
        self._first = self._view[:2]  # every packet has two bytes: an idle read allocates nothing
        self.shut()

    def open(self, address):
        """Begin a TCP connection to `address` (from getaddrinfo). OSError when refused at once."""
        self.shut()
        self._sock = socket.socket()
        self._sock.setblocking(False)
        try:
            self._sock.connect(address)
        except OSError as error:
            if error.errno not in _PENDING:
                raise
        self._poll = select.poll()
        self._poll.register(self._sock, select.POLLOUT)

    def connected(self):
        """True once TCP stands. OSError or Broken when the peer refused."""
        for event in self._poll.poll(0):
            if event[1] & _FAILED:
                self._sock.read(1)  # the pending error, as an OSError with its errno
                raise Broken("connection refused")
            if event[1] & _WRITABLE:
                self._poll = None
                return True
        return False

    def secure(self, ca, server_name, suites):
        """Put TLS over the connection; the handshake runs inside the first flushes.

        ca: DER bytes, or None to trust any server. suites: names, or None for mbedTLS's own.
        """
        import tls  # costs memory: only where it is used

        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_NONE if ca is None else tls.CERT_REQUIRED
        if ca is not None:
            context.load_verify_locations(ca)
        if suites:
            context.set_ciphers(list(suites))
        self._sock = context.wrap_socket(
            self._sock, server_hostname=server_name, do_handshake_on_connect=False
        )

    def shut(self):
        """Close the socket and forget both buffers."""
        if self._sock is not None:
            try:
                self._sock.close()
            except OSError:
                pass  # it was dead already
        self._sock = None
        self._poll = None
        self.sent = self.end = 0  # bytes of _out: written, and filled
        self._kept = 0  # bytes at the start of _out that may have to be sent again
        self._tried = 0  # end of a write that was not taken, else 0
        self.take()

    # Outbound

    def space(self):
        """Bytes that still fit in the outbound buffer."""
        return len(self._out) - self.end

    def flush(self):
        """One write of what waits. Returns bytes taken, 0 for none; OSError when dead."""
        # mbedTLS wants a write that it could not finish repeated with the same length.
        end = self._tried or self.end
        try:
            count = self._sock.write(self._out_view[self.sent : end])
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            count = None
        if not count:
            self._tried = end
            return 0
        self._tried = 0
        self.sent += count
        if self.sent == self.end:
            self.sent = self.end = self._kept
        return count

    def keep(self):
        """Hold the packet just queued, alone in the buffer, until release()."""
        self._kept = self.end

    def resend(self):
        """Queue the kept PUBLISH again, marked as a duplicate. Only when nothing waits."""
        self._out[0] |= _DUP
        self.sent = 0
        self.end = self._kept

    def release(self):
        """Let the kept packet go."""
        self._kept = 0
        if self.sent == self.end:
            self.sent = self.end = 0

    def rewind(self):
        """Unqueue everything. Only when none of it has been written."""
        self.sent = self.end = self._kept

    # Inbound

    def receive(self):
        """Take what has arrived of one packet. Returns bytes taken; `whole` says it is complete.

        A packet larger than the buffer is swallowed: `large` is set, and `packet` then holds
        its first `have` bytes. OSError or Broken when the connection or its framing is.
        """
        taken = 0
        while not self.whole:
            if self.have == 0:
                view = self._first
            elif self.have < self._need:
                view = self._view[self.have : self._need]
            else:
                view = self._view[self.have : self.have + self._excess]
            try:
                count = self._sock.readinto(view)
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    raise
                count = None
            if count is None:
                break
            if count == 0:
                raise Broken("closed by the broker")
            taken += count
            if self.have < self._need:
                self.have += count
                if self.have == self._need:
                    self._advance()
            else:
                self._excess -= count
                self.whole = not self._excess
            if count < len(view) or self.large:
                break
        return taken

    def _advance(self):
        """All bytes asked for are in: find out how many more belong to this packet."""
        if self._framed:
            self.whole = not self._excess
            return
        have = self.have
        last = self.packet[have - 1]
        self._left |= (last & 0x7F) << 7 * (have - 2)
        if last & 0x80:
            if have == _HEADER_MAX:
                raise Broken("packet length malformed")
            self._need += 1
            return
        self._framed = True
        kind = self.packet[0]
        if kind & 0xF0 != 0x30 and _FIXED.get(kind) != self._left or kind & 0xF4 == 0x34:
            raise Broken("packet type malformed")
        size = have + self._left
        if size > len(self.packet):
            # The front half keeps the topic, the rest of the buffer takes what is thrown away.
            self.large = True
            self._need = len(self.packet) // 2
            self._excess = size - self._need
        else:
            self._need = size
            self.whole = self._left == 0

    def offer(self):
        """Let umqtt.simple read the packet that is whole."""
        self._unread = self.have

    def take(self):
        """Done with the inbound packet: make room for the next."""
        self.have = 0  # bytes of the packet in the buffer
        self.whole = False
        self.large = False
        self._need = 2  # bytes to have before looking again
        self._excess = 0  # bytes still to be swallowed
        self._left = 0  # remaining length, as far as it is decoded
        self._framed = False  # and all of it is
        self._unread = 0  # bytes of the packet that umqtt.simple may read

    # What umqtt.simple calls on its socket

    def write(self, data, count=-1):
        """Queue `data` (bytes), or its first `count` bytes. Broken when it does not fit."""
        if count < 0:
            count = len(data)
        end = self.end + count
        if end > len(self._out):
            raise Broken("outbound buffer full")
        self._out[self.end : end] = data if count == len(data) else data[:count]
        self.end = end

    def read(self, count):
        """The next `count` bytes of the packet on offer. Pending when they are not there."""
        if count > self._unread:
            raise Pending
        at = self.have - self._unread
        self._unread -= count
        return bytes(self._view[at : at + count])

    def connect(self, _address):
        """Nothing: open() has done it."""

    def close(self):
        """Nothing: shut() will do it."""

    def settimeout(self, _seconds):
        """Nothing: no call of this class waits."""

    setblocking = settimeout
