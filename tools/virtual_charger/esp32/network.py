"""`network` of an ESP32 as far as a station needs it: joins two virtual seconds after connect()."""

from plant.world import world

STA_IF = 0
AP_IF = 1
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
_JOIN_US = 2000000


class WLAN:
    IF_STA = 0
    IF_AP = 1
    PM_NONE = 0
    PM_PERFORMANCE = 1

    def __init__(self, interface=0):
        self._active = False
        self._since_us = None

    def active(self, on=None):
        if on is not None:
            self._active = bool(on)
        return self._active

    def connect(self, ssid=None, key=None, *, bssid=None):
        if not self._active:
            raise OSError("Wifi Not Started")
        self._since_us = world.clock.us

    def disconnect(self):
        self._since_us = None

    def isconnected(self):
        if not world.net.wifi or self._since_us is None or not self._active:
            return False
        return world.clock.us - self._since_us >= _JOIN_US

    def status(self, what=None):
        if what == "rssi":
            return -61
        return STAT_GOT_IP if self.isconnected() else STAT_CONNECTING

    def config(self, *names, **values):
        if names and names[0] == "mac":
            return b"\x02pilot"
        return None

    def ifconfig(self):
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1")


def hostname(name=None):
    return name
