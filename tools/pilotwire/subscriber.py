"""The backend of a run: an MQTT client that stores and acknowledges records, and sends commands.

It subscribes to everything below `pilotwire/<device>/` and talks to nothing but the broker. Paho's
thread delivers; every public method and attribute may be used from other threads.
"""

import json
import queue
import threading
import time
from dataclasses import dataclass

import paho.mqtt.client as mqtt

_KEEPALIVE_S = 30
_RECONNECT_S = (0.2, 2)  # first and longest wait after a broker was lost


class SubscriberError(Exception):
    """The broker did not take it; str is one plain line."""


@dataclass(frozen=True)
class Message:
    """One delivered message; `topic` is the part below `pilotwire/<device>/`."""

    order: int  # of receipt, from 0
    topic: str
    payload: bytes
    retained: bool


class Subscriber:
    """Plays the backend for one device.

    messages     [Message] in the order of receipt
    queue        a Queue of the same, for one driver to take from
    last         {topic: payload}, the newest of each
    records      {id: record} in the order of arrival, each id once
    raw_records  {id: payload} as it first came
    repeated     how often a known record came again
    altered      ids that came again with other bytes
    spoilt       payloads that were no records
    """

    def __init__(self, host, port, login, device, *, tls=False, acknowledge=True):
        self.root = f"pilotwire/{device}/"
        self.messages, self.last, self.queue = [], {}, queue.Queue()
        self.records, self.raw_records = {}, {}
        self.repeated, self.altered, self.spoilt = 0, [], []
        self.connects = 0
        self._acknowledge = acknowledge
        self._address = (host, port)
        self._refusal = None
        self._subscribed = False
        self._news = threading.Condition(threading.RLock())
        self._client = self._make_client(login, tls)

    def _make_client(self, login, tls):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        user, password = login
        if user is not None:
            client.username_pw_set(user, password)
        if tls:
            client.tls_set()
        client.reconnect_delay_set(*_RECONNECT_S)
        client.on_connect = self._on_connect
        client.on_connect_fail = lambda *_: self._note(False, "it does not answer")
        client.on_disconnect = lambda *_: self._note(False)
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def start(self, timeout_s=5):
        """Connect and subscribe. Raises SubscriberError; afterwards it reconnects by itself."""
        host, port = self._address
        self._client.connect_async(host, port, _KEEPALIVE_S)
        self._client.loop_start()
        self.wait_for(lambda: self._subscribed or self._refusal, timeout_s)
        if not self._subscribed:
            self.stop()
            why = self._refusal or f"no answer in {timeout_s:g} s"
            raise SubscriberError(f"the broker at {host}:{port} cannot be used ({why})")

    def stop(self):
        """Disconnect and end paho's thread."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def subscribed(self):
        """Whether it is connected and hears the device."""
        return self._subscribed

    @property
    def acknowledge(self):
        """Whether stored records are acknowledged. Switching it on acknowledges what is stored."""
        return self._acknowledge

    @acknowledge.setter
    def acknowledge(self, wanted):
        with self._news:
            self._acknowledge = wanted
            if wanted and self.records:
                self._ack(max(record["seq"] for record in self.records.values()))

    def wait_for(self, condition, timeout_s=5):
        """Wait until `condition()` is true, looking whenever something came in; its last value."""
        with self._news:
            return self._news.wait_for(condition, timeout_s)

    def publish(self, topic, payload, timeout_s=5):
        """Publish below the device's root with QoS 1 and wait for the PUBACK.

        `payload` is str or bytes; anything else is sent as JSON. Raises SubscriberError; a command
        that was sent into a dying connection may still arrive after that.
        """
        if not isinstance(payload, (str, bytes)):
            payload = json.dumps(payload)
        deadline = time.monotonic() + timeout_s
        if not self.wait_for(lambda: self._subscribed, timeout_s):
            raise SubscriberError(f"{topic} was not sent: no connection to the broker")
        sent = self._client.publish(self.root + topic, payload, qos=1)
        if sent.rc == mqtt.MQTT_ERR_NO_CONN:  # just lost: paho keeps it and sends it when back
            sent.rc = mqtt.MQTT_ERR_SUCCESS  # else the wait would end at once
        sent.wait_for_publish(max(0, deadline - time.monotonic()))
        if not sent.is_published():
            raise SubscriberError(f"{topic} was sent, but the broker did not confirm it")

    def _note(self, subscribed, refusal=None):
        with self._news:
            self._subscribed = subscribed
            self._refusal = None if subscribed else refusal or self._refusal
            self._news.notify_all()

    def _on_connect(self, client, _userdata, _flags, reason, _properties):
        if reason.is_failure:
            self._note(False, str(reason).lower())
            return
        self.connects += 1
        client.subscribe(self.root + "#", qos=1)

    def _on_subscribe(self, _client, _userdata, _mid, reasons, _properties):
        refused = [str(reason).lower() for reason in reasons if reason.is_failure]
        self._note(not refused, ", ".join(refused))

    def _on_message(self, _client, _userdata, got):
        with self._news:
            topic = got.topic.removeprefix(self.root)
            message = Message(len(self.messages), topic, got.payload, got.retain)
            self.messages.append(message)
            self.last[topic] = got.payload
            if topic == "session/record":
                self._store(got.payload)
            self.queue.put(message)
            self._news.notify_all()

    def _store(self, payload):
        try:
            record = json.loads(payload)
            name, seq = record["id"], record["seq"]
        except (ValueError, TypeError, KeyError):
            name = seq = None
        if type(name) is not str or type(seq) is not int:
            self.spoilt.append(payload)
            return
        if name not in self.records:
            self.records[name], self.raw_records[name] = record, payload
        else:
            self.repeated += 1
            if payload != self.raw_records[name]:
                self.altered.append(name)
        if self._acknowledge:
            self._ack(seq)

    def _ack(self, seq):
        self._client.publish(self.root + "session/ack", json.dumps({"seq": seq}), qos=1)
