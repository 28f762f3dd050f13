"""Topics and commands of the contract, over one Mqtt. One message out or in a step."""

import json

from micropython import const

from pilotwire.tell import commands
from pilotwire.tell.mqtt import Mqtt

_STATE_S = const(10)  # at least
_METER_S = const(10)  # when not charging; each second while charging
_RESULTS = const(4)
_COMMANDS_A_SECOND = const(5)

# What may be waiting to be sent; lower bits go first.
ONLINE = const(1)
INFO = const(2)
STATE = const(4)
ACTIVE = const(8)
METER = const(16)
HEALTH = const(32)
LAST = const(64)

# bit: (topic, QoS, retained)
_TOPICS = {
    ONLINE: (b"status", 1, True),
    INFO: (b"info", 1, True),
    STATE: (b"state", 1, True),
    ACTIVE: (b"session/active", 1, True),
    METER: (b"meter", 0, True),
    HEALTH: (b"health", 0, True),
    LAST: (b"session/last", 1, True),
}
_BITS = (ONLINE, INFO, STATE, ACTIVE, METER, HEALTH, LAST)


def _tls(broker):
    """Mqtt's tls argument; OSError when the authority's file is not there."""
    if not broker.get("tls"):
        return None
    with open(broker["ca"], "rb") as file:
        return {"ca": file.read(), "server_name": broker["host"]}


class Link:
    """`speaker` builds payloads (method per topic) and handles commands; `records` and `events` have
    what is sent once and in order."""

    def __init__(self, config, speaker, records, events):
        """`config.broker`: host, and optionally port, user, password, tls (true), ca (file, DER)."""
        root = b"pilotwire/" + config.device.encode() + b"/"
        broker = config.broker
        self.mqtt = mqtt = Mqtt(
            b"pilotwire-" + config.device.encode(), broker["host"], broker.get("port", 0),
            user=broker["user"].encode() if broker.get("user") else None,
            password=broker.get("password", "").encode(), tls=_tls(broker),
            will_topic=root + b"status", will=b"offline",
            on_message=self._message, on_up=self._up, on_ack=self._acknowledged,
        )
        self._root = root
        self._speaker = speaker
        self._records = records
        self._events = events
        self._ack_by_broker = config.ack == "broker"
        self._due = 0
        self._results = []
        self._said, self._said_bit = None, 0  # a payload, and the topic to which it goes
        self._quota = _COMMANDS_A_SECOND
        self._record_pid = self._event_pid = -1
        self._record_seq = 0
        self._last = None  # newest record's bytes, kept until published
        for topic in (b"cmd/#", b"session/ack"):
            mqtt.want(root + topic)

    @property
    def up(self):
        return self.mqtt.up

    def mark(self, bits):
        """These topics have news."""
        self._due |= bits

    def new_record(self, data):
        """A session has just been stored: its copy goes to session/last."""
        self._last = data
        self._due |= LAST

    def second(self, up_s, charging):
        """Once a second: what is due by the clock."""
        self._quota = _COMMANDS_A_SECOND
        if not self.mqtt.up:
            return
        self._records.second()
        if up_s % _STATE_S == 0:
            self._due |= STATE | ACTIVE
        if charging or up_s % _METER_S == 0:
            self._due |= METER

    def step(self, now_ms, may_stall):
        """One bounded step; True when it cost time."""
        mqtt = self.mqtt
        if mqtt.up and mqtt.room() and (
            self._said is not None or self._results or self._due or self._events.waiting
            or self._records.waiting
        ):
            try:
                if self._send(may_stall):
                    return True
            except MemoryError:  # a message for which there is no room may not make the link deaf
                mqtt.step(now_ms, may_stall)
                raise
        return mqtt.step(now_ms, may_stall)

    def _send(self, may_stall):
        mqtt = self.mqtt
        if self._said is not None:
            return self._post()
        if not self._due & ONLINE and self._results:
            return mqtt.post(self._root + b"result", self._results.pop(0), False, 1) >= 0
        for bit in _BITS:
            if self._due & bit:
                self._due &= ~bit
                payload = self._last if bit == LAST else self._speaker.say(bit)
                if payload is not None:
                    self._said, self._said_bit = payload, bit
                    return True
        ready = self._events.ready(may_stall)
        if ready < 0:
            return True
        if ready:
            self._event_pid = mqtt.post(self._root + b"event", self._events.next(), False, 1)
            if self._event_pid < 0:  # too long for a packet: it may not hold up the others
                self._events.sent()
                self._events.lost += 1
            return True
        index = self._records.next()
        if index < 0 or self._record_pid >= 0:
            return False
        data = self._records.read(index)
        if data is None:
            self._records.skip(index)
            return True
        self._record_seq = self._records.seq_of(index)
        self._record_pid = mqtt.post(self._root + b"session/record", data, False, 1)
        return True

    def _post(self):
        """Send what the step before has put into words: each half is a chore of its own."""
        if isinstance(self._said, tuple):
            self._said = (self._said[0] % self._said[1]).encode()
            return True
        topic, qos, retain = _TOPICS[self._said_bit]
        if self.mqtt.post(self._root + topic, self._said, retain, qos) < 0:
            return False
        if self._said is self._last:
            self._last = None
        self._said = None
        return True

    def _up(self):
        """A new connection: tell everything again; commands are subscribed already."""
        self._said = None
        self._record_pid = self._event_pid = -1
        self._records.start_over()
        self._due |= ONLINE | INFO | STATE | ACTIVE | METER
        if self._last is not None:
            self._due |= LAST

    def _acknowledged(self, pid):
        if pid == self._record_pid:
            self._record_pid = -1
            self._records.sent(self._record_seq, self._ack_by_broker)
        elif pid == self._event_pid:
            self._event_pid = -1
            self._events.sent()

    def _message(self, topic, payload, retained):
        topic = bytes(topic)[len(self._root) :]
        name, reason = "", ""
        if topic != b"session/ack":
            self._quota -= 1
            if self._quota < 0:
                if self._quota == -1:
                    self._answer(topic, name, "too many commands: at most 5 a second")
                return
        try:
            handler, value, name = commands.read(topic, payload, retained)
            reason = getattr(self._speaker.orders, handler)(value) or ""
        except commands.Refused as error:
            name, reason = error.id, str(error)
        if topic == b"session/ack":
            if not reason:
                return
            self._quota -= 1  # what is wrong is answered, but not without end
            if self._quota < 0:
                return
        self._answer(topic, name, reason)

    def _answer(self, topic, name, reason):
        if reason:
            self._events.rejected(commands.plain(topic), name, reason)
        if len(self._results) < _RESULTS:
            answer = {"id": name, "cmd": commands.plain(topic), "ok": not reason}
            if reason:
                answer["reason"] = reason
            self._results.append(json.dumps(answer).encode())
