"""The site's network when it is not as it should be: no memory for WiFi, a time that comes late."""

from micropython_port import run_script

_SCRIPT = """
import struct, sys

class Wlan:
    full, on, since, log = 1, False, None, []
    def __init__(self, kind):
        pass
    def active(self, on=None):
        self.log.append("active")
        if on and self.full:
            self.full -= 1
            raise RuntimeError("WiFi Out of Memory")
        self.on = self.on or bool(on)
    def disconnect(self):
        pass
    def connect(self, *a):
        self.log.append("connect")
        if not self.on:
            raise OSError("Wifi Not Started")
        self.since = True
    def isconnected(self):
        return self.since is not None

class Network:
    STA_IF, WLAN = 0, Wlan

class Socket:
    AF_INET = SOCK_DGRAM = 0
    sent, reply = 0, None
    def socket(self, *a):
        return self
    def getaddrinfo(self, *a):
        return ((0, 0, 0, 0, ("192.0.2.1", 123)),)
    def setblocking(self, on):
        pass
    def close(self):
        pass
    def sendto(self, data, address):
        self.sent += 1
        answer = bytearray(48)
        answer[0], answer[1] = 0x24, 2
        answer[24:32] = data[40:48]
        answer[40:48] = struct.pack(">II", SECONDS, 0)
        self.reply = answer
    def readinto(self, buffer):
        if self.reply is None:
            raise OSError(11)
        buffer[:], self.reply = self.reply, None
        return 48

class Clock:
    up_s, offset_s, times = 0, 0, []
    def set_utc(self, utc_s, ms, quality):
        self.times.append(utc_s)
    def shift_s(self):
        return 0

class Rtc:
    def datetime(self, parts):
        pass

class Config:
    ssid, wifi_password, time_server = "home", "", "ntp.example"

SECONDS = 3155673600 + 820000000
sys.modules["network"] = Network
from pilotwire.tell import site
now_ms = 0
site.socket = net = Socket()
site.ticks_ms = lambda: now_ms & 0x3FFFFFFF
site.ticks_diff = lambda a, b: a - b
it = site.Site(Config, Clock(), Rtc())
"""


def test_wifi_for_which_there_was_no_memory_is_tried_again():
    out = run_script(_SCRIPT + """
for second in range(100):
    it.second(True)
print(it.up, Wlan.log)
""")
    assert out.strip() == "True ['active', 'connect', 'active', 'connect']"


def test_a_time_that_has_waited_behind_a_stall_is_not_believed_and_asked_for_again():
    out = run_script(_SCRIPT + """
Wlan.full = 0
while not net.sent:
    it.second(True)
now_ms += 3000  # a name was looked up meanwhile
print(it.step(), it.synced, Clock.times)
for second in range(10):
    it.second(True)
    now_ms += 80
    it.step()
    now_ms += 920
print(net.sent, it.synced, Clock.times)
""")
    assert out.splitlines() == ["False 0 []", "2 1 [820000000]"]
