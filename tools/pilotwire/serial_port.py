"""The serial port of a device: which there are, and why one cannot be opened."""

import errno
import os
import stat

import serial
from serial.tools import list_ports


class DeviceError(Exception):
    """Why something cannot be done with this device; the text is for people. then: how to go on. state:
    an ending.State, when whoever finds it knows it. ending.py tells all of it."""

    def __init__(self, cause, then="", state=None):
        super().__init__(cause)
        self.then, self.state = then, state


def denied(path):
    return DeviceError(f"you may not open {path}",
                       "sudo usermod -aG dialout $USER, then log out and in again")


def taken(path):
    return DeviceError(f"{path} cannot be opened: another program has it open")


def lost(path):
    return DeviceError(f"the connection to {path} was lost")


def other_chip(name):
    return DeviceError(f"the chip is an {name}", "Pilotwire runs on the ESP32 only")


class Charging(DeviceError):
    def __init__(self):
        super().__init__("it is charging", "Try again when the car has stopped")


def ports():
    """[(path, what it says of itself)] of the USB serial ports that are there."""
    return sorted((p.device, p.description) for p in list_ports.comports() if p.vid is not None)


def there_are():
    found = ", ".join(f"{path} ({what})" for path, what in ports())
    return f"there are: {found}" if found else "there is no USB serial port: is the cable one for data?"


def choose(path):
    """The path that was given, or that of the only one."""
    if path:
        return path
    found = ports()
    if len(found) != 1:
        raise DeviceError(f"say which port with --port; {there_are()}")
    return found[0][0]


def check(path):
    """DeviceError when it cannot be a port that may be opened."""
    if os.name == "nt":
        return
    try:
        mode = os.stat(path).st_mode
    except OSError:
        raise DeviceError(f"there is no {path}; {there_are()}") from None
    if not stat.S_ISCHR(mode):
        raise DeviceError(f"{path} is no serial port; {there_are()}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise denied(path)


def busy(path):
    """DeviceError for a port that mpremote could not open; it does not say why."""
    why = "it is just going away"
    try:
        serial.Serial(path, exclusive=True).close()
    except OSError as error:
        why = str(error)
        if "exclusively lock" in why or error.errno == errno.EBUSY:
            return taken(path)
    return DeviceError(f"{path} cannot be opened: {why}")
