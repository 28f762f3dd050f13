"""Commands from a backend: one payload in, one checked value or a plain reason out."""

import json

from micropython import const

_LONGEST = const(256)
_LONGEST_ID = const(40)
_MOST_A = const(80)


class Refused(Exception):
    """A command that changes nothing; the text is the reason, for the sender."""


def plain(text):
    """str or bytes with everything but printable ASCII replaced, cut to the length of an id."""
    codes = text if isinstance(text, bytes) else [ord(c) for c in text]
    return "".join([chr(c) if 32 <= c < 127 else "?" for c in codes[:_LONGEST_ID]])


def _parse(payload):
    """(value or dict, id) of a JSON payload."""
    if payload is None or len(payload) > _LONGEST:
        raise Refused("too long: at most 256 bytes")
    if b"\0" in payload:
        raise Refused("not JSON")
    try:
        value = json.loads(payload)
    except (ValueError, UnicodeError):
        raise Refused("not JSON")
    name = ""
    if isinstance(value, dict):
        name = value.get("id", "")
        if not isinstance(name, str) or len(name) > _LONGEST_ID or plain(name) != name:
            raise Refused("id must be text of at most 40 printable ASCII characters")
    return value, name


def _number(value, what, low, high):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise Refused("%s must be a number from %d to %d" % (what, low, high))
    return value


def limit(value):
    """Amps, or {"a": amps, "for_s": seconds, "phases": 1 or 3}.

    (mA, seconds or 0), and phases as a third if they were given.
    """
    for_s = 0
    phases = ()
    if isinstance(value, dict):
        if "for_s" in value:
            for_s = int(_number(value["for_s"], "for_s", 1, 8000000))
        if "phases" in value:
            phases = value["phases"]
            if isinstance(phases, bool) or phases not in (1, 3):
                raise Refused("phases must be 1 or 3")
            phases = (int(phases),)
        value = value.get("a")
    return (int(_number(value, "a", 0, _MOST_A) * 1000 + 0.5), for_s) + phases


def enable(value):
    """true or false, or {"on": true}."""
    if isinstance(value, dict):
        value = value.get("on")
    if not isinstance(value, bool):
        raise Refused("on must be true or false")
    return value


def seq(value):
    """{"seq": n}."""
    if not isinstance(value, dict):
        raise Refused('expected {"seq": n}')
    number = _number(value.get("seq"), "seq", 0, 1000000000)
    if number != int(number):
        raise Refused("seq must be whole")
    return int(number)


def _members(value, expected, names):
    """A slip in a name may not turn one command into another."""
    if not isinstance(value, dict) or [name for name in value if name not in names]:
        raise Refused(expected)


def restart(value):
    """{}."""
    _members(value, "expected {}", ("id",))


def clear(value):
    """{"code": "1-2", "service": true}, both optional: (major << 4 | minor or 0 for all, service)."""
    _members(value, 'expected {"code": "1-2"}, or {} for all', ("code", "service", "id"))
    code = value.get("code", "0-0")
    service = value.get("service", False)
    if not isinstance(code, str) or len(code) != 3 or code[1] != "-" or not (
        "0" <= code[0] <= "9" and "0" <= code[2] <= "9"
    ):
        raise Refused('code must be text such as "1-2"')
    if not isinstance(service, bool):
        raise Refused("service must be true or false")
    return ord(code[0]) - 48 << 4 | ord(code[2]) - 48, service


# topic below the device's root: (parser, name of the handler in control)
COMMANDS = {
    b"cmd/limit": (limit, "on_limit"),
    b"cmd/enable": (enable, "on_enable"),
    b"cmd/clear": (clear, "on_clear"),
    b"cmd/replay": (seq, "on_replay"),
    b"cmd/restart": (restart, "on_restart"),
    b"session/ack": (seq, "on_ack"),
}


def read(topic, payload, retained):
    """(handler name, value, id); Refused with .id when it must change nothing."""
    name = ""
    try:
        if topic not in COMMANDS:
            raise Refused("unknown command")
        parser, handler = COMMANDS[topic]
        if retained:
            raise Refused("retained commands are refused: they may be days old")
        value, name = _parse(payload)
        return handler, parser(value), name
    except Refused as error:
        error.id = name
        raise
