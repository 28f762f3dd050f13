"""The site's network: joins the WiFi, asks a time server. Nothing here waits."""

import os
import socket
import struct
from time import ticks_diff, ticks_ms

from micropython import const

_NTP_TO_2000_S = 3155673600  # more than 31 bits, used once an hour
_ERA_S = 4294967296  # NTP's seconds start again in 2036
_FROM_S = const(788918400)  # 2025 and
_UNTIL_S = 3155760000  # 2100, seconds since 2000: other times are nonsense
_REJOIN_S = const(30)
_ASK_S = const(4)  # an unanswered request is repeated
_LATE_MS = const(1000)
_AGAIN_S = const(3600)
_NAME_AGAIN_S = const(60)  # a look-up that failed may have stopped everything for seconds
_PORT = const(123)


class Site:
    """second() once a second, step() when the link has nothing to do."""

    def __init__(self, config, clock, rtc):
        self._config = config
        self._clock = clock
        self._rtc = rtc
        self._wlan = None
        self._join_s = 0
        self._sock = None
        self._address = None
        self._ask_s = 0  # until the next request
        self._request = bytearray(48)
        self._reply = bytearray(48)
        self.up = False
        self.synced = 0  # how often the time came

    def second(self, contactor_open):
        """Join, rejoin, ask for the time. Name resolution only while the contactor is open."""
        wlan = self._wlan
        if wlan is None:
            self._start()
            return
        self.up = wlan.isconnected()
        if not self.up:
            self._join_s += 1
            if self._join_s >= _REJOIN_S:
                self._join()
            return
        self._join_s = 0
        self._ask_s -= 1
        if self._ask_s <= 0 and (contactor_open or self._address):
            self._ask()

    def _start(self):
        import network

        self._wlan = network.WLAN(network.STA_IF)
        self._join()

    def _join(self):
        self._join_s = 0
        # ESP-IDF's own errors are RuntimeError where MicroPython has no number for them.
        try:
            self._wlan.active(True)  # there may have been no memory for it
            self._wlan.disconnect()
        except (OSError, RuntimeError):
            pass
        try:
            self._wlan.connect(self._config.ssid, self._config.wifi_password)
        except (OSError, RuntimeError):
            pass  # tried again after _REJOIN_S

    def _ask(self):
        self._ask_s = _ASK_S
        try:
            if self._address is None:
                self._address = socket.getaddrinfo(self._config.time_server, _PORT)[0][-1]
            if self._sock is None:
                self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self._sock.setblocking(False)
            request = self._request
            request[0] = 0x23  # version 4, client
            request[40:48] = os.urandom(8)  # comes back with the answer
            self._asked_ms = ticks_ms()
            self._sock.sendto(request, self._address)
        except OSError:
            self._forget()

    def _forget(self):
        self._ask_s = _NAME_AGAIN_S
        if self._sock:
            self._sock.close()
        self._sock = self._address = None

    def step(self):
        """Take an answer if there is one; True when it came."""
        if self._sock is None:
            return False
        try:
            got = self._sock.readinto(self._reply)
        except OSError:
            return False
        reply = self._reply
        if got != 48 or reply[0] & 7 != 4 or not 1 <= reply[1] <= 15:
            return False
        if reply[24:32] != self._request[40:48]:
            return False  # not an answer to this request
        if ticks_diff(ticks_ms(), self._asked_ms) > _LATE_MS:
            return False  # it has waited here, behind a stall: nobody knows how long
        seconds, part = struct.unpack_from(">II", reply, 40)
        utc_s = seconds - _NTP_TO_2000_S
        if utc_s < 0:
            utc_s += _ERA_S
        if not _FROM_S <= utc_s < _UNTIL_S:
            return False
        self._clock.set_utc(utc_s, part // 4294968, "S")
        self._set_rtc()
        self.synced += 1
        self._ask_s = _AGAIN_S
        self._sock.close()
        self._sock = None
        return True

    def _set_rtc(self):
        import time

        clock = self._clock
        t = time.gmtime(clock.up_s + clock.offset_s + clock.shift_s())
        self._rtc.datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0))

    def rssi(self):
        """Signal strength in dBm as JSON, null when unknown."""
        try:
            return str(self._wlan.status("rssi"))
        except (OSError, AttributeError, ValueError):
            return "null"
