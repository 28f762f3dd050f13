"""Where `pilotwire doctor` gets to know how a device is: a broker, its console, files.

Each returns {device: told}, told as doctor_checks has it, and the topics that were to be had. Only
listens: no source ever sends anything to a device.
"""

import json
import re
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt

from pilotwire.broker import BrokerError, external
from pilotwire.doctor_checks import TOPICS

CONSOLE = "console"
_BAUD = 115200
_PROGRESS_S = 10
_SETTLED_S = 1  # after the last message, when all that is retained has come
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


# A broker -----------------------------------------------------------------------------------------


class _Listener:
    """What comes in on the four topics of one device, or of all."""

    def __init__(self, broker, device):
        self.told = {}  # device: {topic: payload}
        self.news_s = time.monotonic()
        self.refusal = None
        self.subscribed = False
        self.lock = threading.Lock()
        self._topics = [(f"pilotwire/{device or '+'}/{topic}", 1) for topic in TOPICS]
        client = self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            client.tls_set()
        client.on_connect = self._connected
        client.on_subscribe = self._granted
        client.on_message = self._message
        try:
            client.connect(broker.host, broker.port, 30)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise SourceError(f"no broker at {broker.host}:{broker.port} ({why})") from None
        client.loop_start()

    def stop(self):
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client, _userdata, _flags, reason, _properties):
        if reason.is_failure:
            self.refusal = str(reason).lower()
        else:
            client.subscribe(self._topics)

    def _granted(self, _client, _userdata, _mid, reasons, _properties):
        refused = [str(reason).lower() for reason in reasons if reason.is_failure]
        if refused:
            self.refusal = "it does not let this user read: " + refused[0]
        self.subscribed = True
        self.news_s = time.monotonic()

    def _message(self, _client, _userdata, message):
        _, device, topic = message.topic.split("/")
        try:
            text = message.payload.decode()
            payload = text if topic == "status" else json.loads(text)
        except ValueError:
            return  # not of a device
        if topic == "status" or isinstance(payload, dict):
            with self.lock:
                self.told.setdefault(device, {})[topic] = payload
                self.news_s = time.monotonic()

    def missing(self):
        """{device: topics that it has not told}; one that is offline need not."""
        with self.lock:
            return {
                device: gone for device, told in self.told.items()
                if told.get("status") != "offline" and (gone := [t for t in TOPICS if t not in told])
            }


def from_broker(url, device, timeout_s, say):
    """Listen until every device that is there has told all four topics; SourceError."""
    try:
        broker = external(url)
    except BrokerError as error:
        raise SourceError(str(error)) from None
    where = f"{broker.host}:{broker.port}"
    say(f"listening at {where} for {device or 'all devices'}, {timeout_s:g} s at the most")
    listener = _Listener(broker, device)
    began_s = said_s = time.monotonic()
    try:
        while time.monotonic() - began_s < timeout_s:
            time.sleep(0.05)
            now_s = time.monotonic()
            if listener.refusal:
                raise SourceError(f"the broker at {where} refuses ({listener.refusal})")
            missing = listener.missing()
            quiet = listener.subscribed and now_s - listener.news_s >= _SETTLED_S
            if listener.told and quiet and not missing:
                break
            if now_s - said_s >= _PROGRESS_S:
                said_s = now_s
                say(f"{now_s - began_s:.0f} s: " + ("; ".join(
                    f"{name} has not told {', '.join(gone)}" for name, gone in missing.items()
                ) or "nobody has said anything"))
    finally:
        listener.stop()
    if not listener.subscribed:
        raise SourceError(f"the broker at {where} does not answer within {timeout_s:g} s")
    if not listener.told:
        raise SourceError(f"nothing below pilotwire/{device or '+'}/ at {where} in {timeout_s:g} s")
    return listener.told, TOPICS


# The console --------------------------------------------------------------------------------------


def from_serial(port, timeout_s, say):
    """Read the console until its next line of health, which comes each minute; SourceError."""
    import serial

    from pilotwire.serial_port import reason

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
            if time.monotonic() - said_s >= _PROGRESS_S:
                said_s = time.monotonic()
                say(f"{said_s - began_s:.0f} s: no line yet")
    except OSError as error:  # serial.SerialException is one
        raise SourceError(f"{port} cannot be read ({reason(error)})") from None
    except ValueError as error:
        raise SourceError(f"{port} cannot be read ({error})") from None
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
