"""`network` that is always there."""

STA_IF = 0


class WLAN:
    def __init__(self, interface=0):
        pass

    def active(self, on=None):
        return True

    def connect(self, ssid=None, key=None):
        pass

    def disconnect(self):
        pass

    def isconnected(self):
        return True

    def status(self, what=None):
        return -60
