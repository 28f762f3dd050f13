"""Where `pilotwire doctor` gets to know how a device is: its console, files; a broker: doctor_broker.py.

Each returns {device: told}, told as doctor_checks has it, and the topics that were to be had. Only
listens: no source ever sends anything to a device.
"""

import json
import re
import time
from pathlib import Path

CONSOLE = "console"
PROGRESS_S = 10
_BAUD = 115200
_LINE = re.compile(
    r"health us=(\d+)/(\d+)/(\d+) in=(\w+) late=(\d+) heap=(\d+)/(\d+) net=(\d+) wear=(\d+) up=(\d+)"
    r"(?: boot=(\w+))?(?: clock=([SIU]))?(?: rec=(\d+))?(?: f=(\[.*))?"
)
_NUMBERS = (
    "tick_median_us", "tick_p99_us", "tick_worst_us", None, "late", "heap_free", "heap_least",
    "reconnects", "flash_wear", "up_s",
)


class SourceError(Exception):
    """Nothing can be learnt there; str is one plain line."""


def line(text):
    """What a console's line tells, None when it is none. A line that is cut off tells what is left."""
    found = _LINE.search(text)
    if not found:
        return None
    health = {name: int(found[k + 1]) for k, name in enumerate(_NUMBERS) if name}
    health["worst_in"] = found[4]
    state = {}
    if found[11]:
        health["boot_cause"] = found[11]
    if found[12]:
        state["q"] = found[12]
    if found[13]:
        state["waiting"] = int(found[13])
    if found[14]:
        state["faults"] = re.findall(r'"(\d-\d)"', found[14])
    return {"health": health, "state": state}


# The console --------------------------------------------------------------------------------------


def from_serial(port, timeout_s, say):
    """Read the console until its next line of health, which comes each minute; SourceError."""
    import serial

    say(f"reading {port}: a line comes each minute, {timeout_s:g} s at the most")
    console = serial.Serial()
    console.port, console.baudrate, console.timeout = port, _BAUD, 1
    console.exclusive = True  # what is read here, `deploy` would miss, and the other way round
    console.dtr = console.rts = False  # on most boards these two reset the chip
    rest = b""
    began_s = said_s = time.monotonic()
    try:
        console.open()
        while time.monotonic() - began_s < timeout_s:
            *lines, rest = (rest + console.read(256)).split(b"\n")
            for text in lines:
                told = line(text.decode(errors="replace"))
                if told:
                    return {CONSOLE: told}, ("health",)
            rest = rest[-1000:]
            if time.monotonic() - said_s >= PROGRESS_S:
                said_s = time.monotonic()
                say(f"{said_s - began_s:.0f} s: no line yet")
    except (OSError, ValueError) as error:  # serial.SerialException is an OSError
        why = "another program has it open" if "exclusively lock" in str(error) else error
        raise SourceError(f"{port} cannot be read ({why})") from None
    finally:
        console.close()
    raise SourceError(f"{port}: no line of health in {timeout_s:g} s: is it running, with this firmware?")


# Files --------------------------------------------------------------------------------------------

# The member by which a payload is known.
_KNOWN = (("health", "tick_p99_us"), ("state", "pilot"), ("info", "selftest"))


def _is_report(payload):
    """Of `doctor --report`: {"devices": {name: {topic: its payload}}}."""
    devices = payload.get("devices") if isinstance(payload, dict) else None
    return bool(devices) and isinstance(devices, dict) and all(
        told and isinstance(told, dict) for told in devices.values()
    )


def from_files(paths):
    """Saved payloads of health, state and info, reports of this command, or a console's output, as if one
    device had told them; the newest line of a console counts. SourceError."""
    told, devices = {}, {}
    for path in map(Path, paths):
        try:
            text = path.read_text(errors="replace")
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror}") from None
        try:
            payload = json.loads(text)
        except (ValueError, RecursionError):
            payload = None
        lines = [found for found in map(line, text.splitlines()) if found]
        if _is_report(payload):
            devices.update(payload["devices"])
        elif isinstance(payload, dict) and any(member in payload for _, member in _KNOWN):
            told[next(topic for topic, member in _KNOWN if member in payload)] = payload
        elif lines:
            told.update(lines[-1])
        else:
            raise SourceError(f"{path}: neither a payload of health, state or info, nor a report, nor "
                              "lines of a console")
    if told:
        devices[told.get("info", {}).get("device", "file")] = told
    return devices, ()
