"""`tls` for benches: the time that TLS takes on the chip, without its cryptography.

The unix port's own TLS would answer in host time. What is charged: plant/costs.py. A handshake has
three steps, 20 ms apart: hello, the long one, finish. The long one depends on the suites that the
client offers.
"""

import io

from plant.world import world

PROTOCOL_TLS_CLIENT = 0
CERT_NONE = 0
CERT_REQUIRED = 2
_ANSWER_US = 20000
_HEAD = 2  # bytes of a packet that the firmware reads first

long_us = -1  # when the last step ended that no pause of the pilot's sequence can take
handshakes = 0  # that came to their end
refuse_cheap = False  # the server shares no suite with static RSA keys


class SSLContext:
    def __init__(self, protocol):
        self.verify_mode = CERT_NONE
        self.cheap = False

    def load_verify_locations(self, ca):
        pass

    def set_ciphers(self, names):
        self.cheap = True

    def wrap_socket(self, sock, *, server_hostname=None, do_handshake_on_connect=True):
        return Secured(sock, self.cheap)


class Secured(io.IOBase):
    """A socket with the price of TLS on it."""

    def __init__(self, sock, cheap):
        self._sock = sock
        self._cheap = cheap
        self._steps = ["tls_hello", "tls_rsa" if cheap else "tls_ec", "tls_finish"]
        self._due_us = 0

    def _shake(self):
        """One step, if its turn has come."""
        global handshakes, long_us
        clock = world.clock
        if clock.us < self._due_us:
            return
        step = self._steps.pop(0)
        clock.advance(world.cost[step])
        if step == "tls_ec":
            long_us = clock.us
        if self._cheap and refuse_cheap:
            raise OSError(-0x7780, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE")
        self._due_us = clock.us + _ANSWER_US
        if not self._steps:
            handshakes += 1

    def write(self, data):
        if self._steps:
            self._shake()
            return None
        world.clock.advance(world.cost["tls_record"])
        return self._sock.write(data)

    def readinto(self, buffer):
        got = self._sock.readinto(buffer)
        if got and len(buffer) == _HEAD:  # the rest of the packet lies in the same record
            world.clock.advance(world.cost["tls_record"])
        return got

    def setblocking(self, on):
        pass

    def close(self):
        self._sock.close()
