"""What the firmware publishes in `state` and `event` is what docs/contract says, no more and no less."""

import copy
import json

import pytest

from payload_schemas import enum, schema, validator
from pilotwire.decide import charging, fault_rows, fault_table, limits, notices
from pilotwire.tell import boot_record
from station import Connected
from test_event_queue import Teller, ticks  # noqa: F401  (a fixture)

STATE, EVENT = validator("state"), validator("event")


def check(checker, payload):
    errors = [f"{error.json_path}: {error.message}" for error in checker.iter_errors(payload)]
    assert not errors, (errors, payload)


def test_everything_that_an_eventful_evening_publishes_is_in_the_schemas(tmp_path):
    with Connected(tmp_path / "station") as station:
        station.charge("trace", seconds=8)
        for amps in (6, 14, 6):  # behind 1.7 Ohm
            volts = [23000 - amps * 170] * 3
            station.charger.do("row", {
                "v_cv": volts, "i_ma": [amps * 1000] * 3, "p_mw": [v * amps * 10 for v in volts],
            })
            station.advance(8)
        station.command("cmd/limit", {"a": 0, "for_s": 5}, seconds=12)
        station.command("cmd/limit", "nonsense")
        station.command("cmd/enable", False, seconds=8)
        station.command("cmd/enable", True, seconds=8)
        station.charger.do("fault", {"name": "cp_short", "value": None})
        station.advance(2)
        station.charger.do("clear", {"name": "cp_short", "value": None})
        station.charger.do("unplug")
        station.charger.do("fault", {"name": "meter_silent", "value": None})
        station.advance(15)
        station.charger.do("power", "off")
        station.advance(2)
        station.charger.do("power", "on")
        station.advance(30)
        states = [json.loads(payload) for payload in station.values("state")]
        events = [json.loads(payload) for payload in station.values("event")]
    for payload in states:
        check(STATE, payload)
    for payload in events:
        check(EVENT, payload)
    assert {event["event"] for event in events} == {
        "boot", "fault_raised", "fault_cleared", "limit_source", "notice_raised", "notice_cleared",
        "command_rejected",
    }
    assert {event.get("severity") for event in events} == {"red", "amber", None}
    assert len({state["why"] for state in states}) >= 5


@pytest.mark.parametrize("row", range(fault_rows.COUNT))
def test_every_fault_is_in_the_schema(row):
    teller = Teller()
    teller.run(1000)
    teller.cycle(row)
    for event in teller.drain():
        check(EVENT, event)


def test_every_name_that_can_be_published_is_in_the_schema():
    assert enum("state", "limit") == list(limits.NAMES)
    assert enum("state", "why") == list(charging.WHY)
    assert enum("state", "notices") == list(notices.NAMES)
    defs = schema("event")["$defs"]
    assert defs["boot"]["properties"]["cause"]["enum"] == ["power", *boot_record._NAMES]
    ocpp16 = {fault_table.cell(row, fault_table.OCPP16) for row in range(fault_rows.COUNT)}
    assert set(defs["fault"]["properties"]["ocpp16"]["enum"]) == ocpp16


GOOD = {
    "state": {
        "t": "2026-06-01T05:00:32.149Z", "q": "S", "pilot": "B2", "charging": "EVConnected",
        "offered_a": 16.0, "limit_a": 16.0, "limit": "command", "why": "car_waits", "wait_s": -1,
        "faults": ["4-1"], "contactor": False, "enabled": True, "session": "virtual-1", "waiting": 0,
        "lock": None, "phases": 3, "phases_ordered": 3,
        "notices": ["full"],
    },
    "event": {
        "v": 1, "id": "virtual-e1-4", "boot": 1, "seq": 4, "t": None, "q": "U", "up_ms": 5, "lost": 0,
        "event": "limit_source", "source": "command", "a": 10.0,
    },
}
WRONG = [
    ("state", "t", "yesterday"), ("state", "q", None), ("state", "pilot", "A3"), ("state", "why", ""),
    ("state", "offered_a", "16"), ("state", "faults", ["9-9"]), ("state", "notices", ["nice"]),
    ("state", "waiting", -1), ("state", "more", 1), ("event", "id", "virtual-4"), ("event", "seq", 0),
    ("event", "event", "nothing"), ("event", "a", None), ("event", "code", "1-2"), ("event", "v", 2),
    ("event", "more", 1),
]


@pytest.mark.parametrize(("name", "member", "value"), WRONG)
def test_a_wrong_member_is_found(name, member, value):
    checker = {"state": STATE, "event": EVENT}[name]
    check(checker, GOOD[name])
    spoilt = copy.deepcopy(GOOD[name])
    spoilt[member] = value
    assert list(checker.iter_errors(spoilt))


@pytest.mark.parametrize("name", ["state", "event"])
def test_a_missing_member_is_found(name):
    checker = {"state": STATE, "event": EVENT}[name]
    for member in GOOD[name]:
        spoilt = {key: value for key, value in GOOD[name].items() if key != member}
        assert list(checker.iter_errors(spoilt)), member
