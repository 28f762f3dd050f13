"""Commands: what is accepted, and that everything else is refused with a plain reason."""

import json
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from micropython_port import run_script
from pilotwire.tell import commands
from pilotwire.tell.commands import Refused, read

LIMIT, ENABLE, ACK = b"cmd/limit", b"cmd/enable", b"session/ack"
CLEAR, REPLAY, RESTART = b"cmd/clear", b"cmd/replay", b"cmd/restart"
TOPICS = sorted(commands.COMMANDS)
TEXT = st.text(max_size=50)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["a", "for_s", "id", "on", "seq", "code", "service"]) | TEXT, inner, max_size=4
    ),
    max_leaves=6,
)


def refusal(topic, payload, retained=False):
    """Reason of a refusal; AssertionError when the command is accepted."""
    with pytest.raises(Refused) as caught:
        read(topic, payload, retained)
    return str(caught.value)


# Accepted --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"16", (16000, 0)), (b"0", (0, 0)), (b"80", (80000, 0)), (b"6.25", (6250, 0)),
        (b" 16 ", (16000, 0)), (b"1e1", (10000, 0)), (b"16.0004", (16000, 0)),
        (b'{"a": 16}', (16000, 0)), (b'{"a":7.5,"for_s":120}', (7500, 120)),
        (b'{"a":16,"other":[1,2]}', (16000, 0)), (b'{"for_s":8000000,"a":0}', (0, 8000000)),
    ],
)
def test_limit_is_accepted(payload, value):
    assert read(LIMIT, payload, False) == ("on_limit", value, "")


@given(st.integers(0, 80000))
@example(1005)  # 1.005 * 1000 falls short of 1005
def test_every_thousandth_of_an_ampere_is_exact(ma):
    payload = json.dumps(ma / 1000).encode()
    assert read(LIMIT, payload, False)[1] == (ma, 0)


@pytest.mark.parametrize(
    ("payload", "value", "name"),
    [
        (b"true", True, ""), (b"false", False, ""), (b'{"on":true}', True, ""),
        (b'{"on":false,"id":"x"}', False, "x"),
    ],
)
def test_enable_is_accepted(payload, value, name):
    assert read(ENABLE, payload, False) == ("on_enable", value, name)


@pytest.mark.parametrize(
    ("payload", "seq"), [(b'{"seq":0}', 0), (b'{"seq":17}', 17), (b'{"seq":3.0}', 3)]
)
def test_ack_is_accepted(payload, seq):
    handler, value, _ = read(ACK, payload, False)
    assert (handler, value, type(value)) == ("on_ack", seq, int)


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"{}", (0, False)), (b'{"id":"x"}', (0, False)), (b'{"code":"1-2"}', (0x12, False)),
        (b'{"code":"7-3","service":true}', (0x73, True)), (b'{"service":true}', (0, True)),
        (b'{"code":"9-9","service":false}', (0x99, False)),
    ],
)
def test_clear_is_accepted(payload, value):
    assert read(CLEAR, payload, False)[:2] == ("on_clear", value)


def test_replay_and_restart_are_accepted():
    assert read(REPLAY, b'{"seq":17,"id":"x"}', False) == ("on_replay", 17, "x")
    assert read(RESTART, b'{"id":"x"}', False) == ("on_restart", None, "x")


def test_id_comes_back():
    assert read(LIMIT, b'{"a":16,"id":"evcc-1"}', False)[2] == "evcc-1"
    assert read(LIMIT, json.dumps({"a": 16, "id": "x" * 40}).encode(), False)[2] == "x" * 40


# Refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b"-1", b"-0.1", b"80.1", b"1e3", b"1e999", b"-1e999", b"NaN", b"Infinity", b"true", b"null",
        b'"16"', b"[16]", b"[]", b"{}", b'{"a":null}', b'{"a":"16"}', b'{"a":true}', b'{"a":[16]}',
        b'{"A":16}', b'{"a":16,"for_s":0}', b'{"a":16,"for_s":-5}', b'{"a":16,"for_s":8000001}',
        b'{"a":16,"for_s":"60"}', b'{"a":16,"for_s":null}', b'{"a":16,"for_s":true}',
        b'{"a":16,"id":7}', b'{"a":16,"id":null}', b"1" * 200,
    ],
)
def test_limit_is_refused(payload):
    assert refusal(LIMIT, payload)


@pytest.mark.parametrize(
    "payload", [b"1", b"0", b'"true"', b"null", b"{}", b'{"on":1}', b'{"on":null}', b"[true]"]
)
def test_enable_is_refused(payload):
    assert refusal(ENABLE, payload) == "on must be true or false"


@pytest.mark.parametrize(
    "payload",
    [
        b"17", b"[17]", b"{}", b'{"seq":-1}', b'{"seq":1.5}', b'{"seq":"1"}', b'{"seq":true}',
        b'{"seq":1e300}', b'{"seq":1e999}', b'{"seq":null}', b'{"seq":1000000001}',
    ],
)
def test_ack_is_refused(payload):
    assert refusal(ACK, payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"true", b"null", b'"1-2"', b"[]", b"12", b'{"code":12}', b'{"code":null}', b'{"code":"12"}',
        b'{"code":"1-22"}', b'{"code":"1_2"}', b'{"code":"a-2"}', b'{"code":"1-:"}', b'{"code":"-1-"}',
        '{"code":"\u0661-\u0662"}'.encode(), b'{"code":["1-2"]}', b'{"service":1}', b'{"service":"true"}',
        b'{"cod":"1-2"}', b'{"code":"1-2","force":true}', b'{"on":true}',
    ],
)
def test_clear_is_refused(payload):
    """A slip in a member's name would else clear everything."""
    assert refusal(CLEAR, payload)


@pytest.mark.parametrize("payload", [b"true", b"1", b"null", b"[]", b'{"now":true}', b'{"seq":1}'])
def test_restart_is_refused(payload):
    assert refusal(RESTART, payload) == "expected {}"


@pytest.mark.parametrize(
    "payload",
    [b"", b" ", b"16A", b"{", b'{"a":16', b"16 17", b"\xff\xfe", b'{"a":\xff}', b"nul", b"'16'"],
)
@pytest.mark.parametrize("topic", TOPICS)
def test_what_is_not_json_is_refused(topic, payload):
    assert refusal(topic, payload) == "not JSON"


def test_reasons_are_plain():
    assert refusal(LIMIT, b"81") == "a must be a number from 0 to 80"
    assert refusal(LIMIT, b'{"a":16,"for_s":0}') == "for_s must be a number from 1 to 8000000"
    assert refusal(ACK, b"17") == 'expected {"seq": n}'
    assert "40 printable ASCII" in refusal(LIMIT, b'{"a":16,"id":5}')
    assert refusal(LIMIT, b" " * 255 + b"16") == "too long: at most 256 bytes"
    assert refusal(LIMIT, None) == "too long: at most 256 bytes"


@pytest.mark.parametrize("topic", TOPICS)
def test_retained_command_is_refused_even_if_it_is_right(topic):
    for payload in (b"16", b"true", b'{"seq":1}'):
        assert refusal(topic, payload, retained=True).startswith("retained commands are refused")


def test_refusal_carries_the_id_of_the_sender():
    with pytest.raises(Refused) as caught:
        read(LIMIT, b'{"a":99,"id":"x"}', False)
    assert caught.value.id == "x"


# Anything --------------------------------------------------------------------------------------


def outcome(topic, payload):
    """What read() makes of it: checked, for nothing but Refused may be raised."""
    try:
        handler, value, name = read(topic, payload, False)
    except Refused as error:
        assert str(error).isprintable() and str(error) and len(str(error)) < 80
        assert isinstance(error.id, str) and len(error.id) <= 40
        return
    assert isinstance(name, str) and len(name) <= 40
    if handler == "on_limit":
        ma, for_s = value
        assert type(ma) is type(for_s) is int
        assert 0 <= ma <= 80000 and 0 <= for_s <= 8000000
    elif handler == "on_enable":
        assert value is True or value is False
    elif handler == "on_clear":
        assert 0 <= value[0] <= 0x99 and value[1] in (True, False)
    elif handler == "on_restart":
        assert value is None
    else:
        assert handler in ("on_ack", "on_replay") and type(value) is int and 0 <= value < 1 << 30


@given(st.sampled_from(TOPICS), st.binary(max_size=300))
@example(LIMIT, b"[" * 256)
@example(LIMIT, b'{"a":' * 50)
def test_any_bytes_are_accepted_or_refused_and_nothing_else(topic, payload):
    outcome(topic, payload)


@given(st.sampled_from(TOPICS), JSON_VALUES)
def test_any_json_is_accepted_or_refused_and_nothing_else(topic, value):
    outcome(topic, json.dumps(value).encode())


def spoilt(rng):
    """A right payload with a few bytes changed, lost or doubled."""
    right = (
        b'{"a":16,"for_s":120,"id":"x"}', b'{"on":true}', b'{"seq":17}', b"16.5", b"false",
        b'{"code":"1-2","service":true}',
    )
    payload = bytearray(rng.choice(right))
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(payload))
        odd = rng.choice(b'{}[]",:\\0e.-+ntf \x00\x80\xff')
        how = rng.randrange(3)
        payload[at : at + (how != 2)] = b"" if how == 1 and len(payload) > 1 else bytes([odd])
    return bytes(payload)


def test_spoilt_payloads_on_micropython_raise_nothing_but_refusals():
    """Its JSON parser forgives and refuses other things than CPython's."""
    rng = random.Random(61851)
    payloads = [spoilt(rng) for _ in range(2000)] + [b"[" * 256, b'{"a":' * 50, b"1e999", b"{[]:1}"]
    out = run_script(f"""
from pilotwire.tell.commands import COMMANDS, Refused, read
told = accepted = 0
for payload in {payloads!r}:
    for topic in COMMANDS:
        try:
            handler, value, name = read(topic, payload, False)
            accepted += 1
            if handler == "on_limit":
                assert 0 <= value[0] <= 80000 and 0 <= value[1] <= 8000000, payload
        except Refused as error:
            told += 1
            assert str(error) and isinstance(error.id, str), payload
print(told, accepted)""")
    told, accepted = map(int, out.split())
    assert told + accepted == len(TOPICS) * len(payloads)
    assert accepted > 300
