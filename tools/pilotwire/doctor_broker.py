"""A broker as a source of `pilotwire doctor`: see doctor_sources.py."""

import json
import ssl
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt

from pilotwire.broker import BrokerError, external
from pilotwire.doctor_checks import TOPICS
from pilotwire.doctor_sources import PROGRESS_S, SourceError

_SETTLED_S = 1  # after the last one, when all that is retained has come
# So long something new is waited for from a device that has told all: three times a `state`, which comes
# every 10 s. What a broker has kept may be months old.
_NEW_S = 30


_NEW = "anything new"


def _trust(path):
    """TLS that trusts this authority, PEM or DER, and no other; without one, those of this computer."""
    if path is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        data = Path(path).read_bytes()
        context.load_verify_locations(cadata=data if data[:1] == b"0" else data.decode("ascii"))
    except (ssl.SSLError, ValueError):  # SSLError first: it is an OSError, too
        raise SourceError(f"{path} is no certificate, neither PEM nor DER") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror})") from None
    return context


class _Listener:
    """What comes in on the four topics of one device, or of all."""

    def __init__(self, broker, device, authority):
        self.told = {}  # device: {topic: payload}
        self.alive = set()  # devices of which something has come that the broker had not kept
        self.news_s = time.monotonic()
        self.refusal = None
        self.subscribed = False
        self.lock = threading.Lock()
        self._topics = [(f"pilotwire/{device or '+'}/{topic}", 1) for topic in TOPICS]
        client = self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        if broker.tls:
            client.tls_set_context(_trust(authority))
        client.on_connect = self._connected
        client.on_subscribe = self._granted
        client.on_message = self._message
        try:
            client.connect(broker.host, broker.port, 30)
        except ssl.SSLCertVerificationError as error:
            raise SourceError(
                f"{authority or 'this computer'} does not trust the certificate of the broker at"
                f" {broker.host}:{broker.port} ({error.verify_message}); --ca FILE names its authority"
            ) from None
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
                if message.retain:
                    self.news_s = time.monotonic()
                elif payload != "offline":  # that is said by the broker
                    self.alive.add(device)

    def missing(self):
        """{device: topics that it has not told, and whether nothing was new}; one that is offline need
        not."""
        found = {}
        with self.lock:
            for device, told in self.told.items():
                gone = [topic for topic in TOPICS if topic not in told]
                if device not in self.alive:
                    gone.append(_NEW)
                if gone and told.get("status") != "offline":
                    found[device] = gone
        return found


def from_broker(url, device, timeout_s, say, authority=None):
    """Listen until every device that is there has told all four topics and something new; SourceError.
    authority: path of its certificate."""
    try:
        broker = external(url)
    except BrokerError as error:
        raise SourceError(str(error)) from None
    if authority and not broker.tls:
        raise SourceError("--ca goes with mqtts:// only: nothing is encrypted with mqtt://")
    where = f"{broker.host}:{broker.port}"
    say(f"listening at {where} for {device or 'all devices'}, {timeout_s:g} s at the most")
    listener = _Listener(broker, device, authority)
    began_s = said_s = time.monotonic()
    try:
        while time.monotonic() - began_s < timeout_s:
            time.sleep(0.05)
            now_s = time.monotonic()
            if listener.refusal:
                raise SourceError(f"the broker at {where} refuses ({listener.refusal})")
            missing = listener.missing()
            quiet = listener.subscribed and now_s - listener.news_s >= _SETTLED_S
            old = now_s - began_s >= _NEW_S and all(gone == [_NEW] for gone in missing.values())
            if listener.told and quiet and (old or not missing):
                break
            if now_s - said_s >= PROGRESS_S:
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
    for device, gone in listener.missing().items():
        if _NEW in gone:
            listener.told[device]["only_kept_s"] = round(time.monotonic() - began_s)
    return listener.told, TOPICS
