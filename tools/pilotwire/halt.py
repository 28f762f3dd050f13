"""Asking a firmware on a serial port to stop, and letting it go.

It looks for Ctrl-C once a second (firmware/pilotwire/console.py), and answers with MicroPython's prompt,
or, while it charges, with a line that says so. Opened by way of mpremote, as exclusive.
"""

import contextlib
import time

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from pilotwire import ending, serial_port
from pilotwire.serial_port import Charging, DeviceError, lost

BAUD = 115200
HEARING_S = 0.2
_CHARGING = b"pilotwire: charging"
_ANSWER_S = 2.5
_ASKED = 3  # times, before silence is taken for a chip without firmware: noise takes a byte, a start all
_RESET_S = 0.1


def open_port(port, timeout_s=1):
    """mpremote's transport; DeviceError. timeout_s: of its answers."""
    serial_port.check(port)
    try:
        transport = SerialTransport(port, BAUD, timeout=timeout_s)
    except (TransportError, OSError):
        raise serial_port.busy(port) from None
    transport.serial.timeout = HEARING_S
    return transport


def close(transport):
    try:
        transport.close()
    except OSError:  # it gives up where the port has gone away
        transport.serial.close()


def ask(serial, seconds):
    """Ctrl-C, once. (True, b"") at a prompt; (False, what was said) if none comes in time; Charging."""
    serial.write(b"\r\x02\x03")  # out of a raw prompt, and stop
    heard, end_s = b"", time.monotonic() + seconds
    while time.monotonic() < end_s:
        heard = (heard + serial.read(max(1, serial.in_waiting)))[-4096:]
        if _CHARGING in heard:
            raise Charging
        if heard.endswith(b">>> "):
            return True, b""
    return False, heard


def hold(port, end):
    """Stop the firmware on this port, if there is one: True, it waits at its prompt; False, nothing has
    answered. Charging: it does, and goes on. Tells the Ending."""
    transport = open_port(port)
    before, end.state = end.state, ending.STOPPING
    held = None
    try:
        held = any(ask(transport.serial, _ANSWER_S)[0] for _ in range(_ASKED))
        return held
    except Charging:
        held = False
        raise
    except OSError:
        raise lost(port) from None
    finally:
        if held is False:
            end.state = before
        close(transport)


def let_go(port):
    """What hold() has stopped starts again, also where esptool has left it in the chip's loader."""
    with contextlib.suppress(DeviceError, OSError):
        transport = open_port(port)
        try:
            transport.serial.write(b"\r\x03import machine; machine.reset()\r")
            transport.serial.flush()
            time.sleep(_RESET_S)
            transport.serial.dtr = False
            for level in (True, False):  # EN, on boards where RTS drives it; esptool ends so
                transport.serial.rts = level
                time.sleep(_RESET_S)
        finally:
            close(transport)
