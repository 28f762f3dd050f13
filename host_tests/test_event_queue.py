"""Events wait in a bounded queue: order, numbers, what goes first when there is no room, what is kept."""

import json
from types import SimpleNamespace

import pytest

from bench_car import Bench
from bench_station import NOON_S, facts, ticks  # noqa: F401  (a fixture)
from pilotwire.clock import SYNCHRONISED, Clock
from pilotwire.decide import fault_rows as rows
from pilotwire.decide import fault_table as table
from pilotwire.decide import limits
from pilotwire.decide.notices import FULL, LOOSE_CONNECTION, Notices
from pilotwire.decide.recorder import Recorder
from pilotwire.decide.wiring import Wiring
from pilotwire.tell.events import Events

MOST, MOST_MINOR = 16, 8


class Teller(Bench):
    """The bench with a recorder and events, as control.py joins them; the link is the test."""

    def __init__(self, restored=0, boot=3):
        self.events = None
        self.recorder = Recorder()
        self.clock = Clock()
        super().__init__()
        self.faults.restore(restored, bytes(rows.COUNT))
        self.events = Events(SimpleNamespace(
            faults=self.faults, recorder=self.recorder, clock=self.clock, facts=facts(),
            records=SimpleNamespace(boot=boot), limits=self.limits, limit_names=limits.NAMES,
            cause="power", notices=Notices(), wiring=Wiring(800),
        ))

    def tick(self, dt_ms=10):
        super().tick(dt_ms)
        self.clock.tick(self.now_ms * 1000)
        self.recorder.step(self.reading, self.charging, dt_ms)
        self.look()

    def look(self):
        if self.events and self.events.seen != self.faults.changes:
            self.events.faults()

    def cycle(self, row):
        self.faults.raise_(row)
        self.look()
        self.faults.gone(row)
        self.look()

    def take(self):
        """Deliver the oldest."""
        event = json.loads(self.events.next())
        self.events.sent()
        return event

    def drain(self):
        return [self.take() for _ in list(self.events.waiting)]


@pytest.fixture
def teller():
    teller = Teller()
    teller.take()
    return teller


def kinds(events):
    return [event["event"] for event in events]


def test_boot_comes_first_and_says_why_and_what_still_holds():
    event = Teller(restored=1 << rows.WELDED | 1 << rows.OVER_CURRENT).take()
    assert (event["event"], event["cause"], event["faults"]) == ("boot", "power", ["7-3", "6-2"])
    assert (event["boot"], event["seq"], event["id"], event["lost"]) == (3, 1, "garage-1-e3-1", 0)


def test_a_fault_that_was_there_before_the_start_is_no_news_until_it_is_cleared():
    teller = Teller(restored=1 << rows.WELDED)
    teller.take()
    teller.run(1000)
    assert teller.drain() == []
    teller.faults.clear(rows.WELDED, True)
    teller.look()
    (event,) = teller.drain()
    assert (event["event"], event["code"]) == ("fault_cleared", "7-3")


@pytest.mark.parametrize("row", range(rows.COUNT))
def test_every_fault_is_told_with_all_its_names(teller, row):
    teller.faults.raise_(row)
    teller.look()
    (event,) = teller.drain()
    assert event["event"] == "fault_raised"
    for key, column in [
        ("code", table.CODE), ("name", table.NAME), ("severity", table.SEVERITY),
        ("ocpp16", table.OCPP16), ("ocpp2", table.OCPP2), ("everest", table.EVEREST),
    ]:
        assert event[key] == table.cell(row, column)
    mrec = int(table.cell(row, table.MREC))
    assert event["mrec"] == (f"CX{mrec:03d}" if mrec else None)
    assert ("before" in event) == (event["severity"] == "red")


def test_with_the_contactor_closed_a_warning_is_worded_in_a_step_of_its_own(teller):
    assert teller.events.ready(False) == 0
    teller.cycle(rows.METER_LOST)
    assert [teller.events.ready(False) for _ in range(3)] == [-1, 1, 1]
    event = teller.take()
    assert (event["event"], event["name"]) == ("fault_raised", "meter lost")
    assert teller.events.ready(True) == 1
    assert teller.take()["name"] == "meter lost"


def test_with_the_contactor_closed_the_news_of_a_red_fault_waits_and_is_whole_later(teller):
    teller.cycle(rows.OVER_CURRENT)
    assert [teller.events.ready(False) for _ in range(3)] == [0, 0, 0]
    assert teller.events.ready(True) == 1
    event = teller.take()
    assert event["name"] == table.cell(rows.OVER_CURRENT, table.NAME) and "before" in event


def test_a_warning_for_whose_words_there_is_no_memory_goes_without_them(teller, monkeypatch):
    def full(*_):
        raise MemoryError

    teller.cycle(rows.METER_LOST)
    monkeypatch.setattr("pilotwire.once.call", full)
    with pytest.raises(MemoryError):
        teller.events.ready(False)
    assert teller.events.ready(False) == 1
    event = teller.take()
    assert event["code"] == "8-1" and "name" not in event


def test_a_fault_that_comes_and_goes_between_two_looks_is_told_both_ways(teller):
    teller.faults.raise_(rows.METER_LOST)
    teller.faults.gone(rows.METER_LOST)
    teller.look()
    assert kinds(teller.drain()) == ["fault_raised", "fault_cleared"]
    teller.faults.raise_(rows.METER_LOST)
    teller.look()
    teller.faults.gone(rows.METER_LOST)
    teller.faults.raise_(rows.METER_LOST)
    teller.look()
    assert kinds(teller.drain()) == ["fault_raised", "fault_cleared", "fault_raised"]


def test_a_latched_fault_whose_cause_comes_back_is_no_second_fault(teller):
    for _ in range(3):
        teller.cycle(rows.OVER_CURRENT)
    assert kinds(teller.drain()) == ["fault_raised"]


def test_numbers_go_up_by_one_and_time_is_that_of_the_event(teller):
    teller.clock.set_utc(NOON_S, 0, SYNCHRONISED)
    for _ in range(3):
        teller.run(1000)
        teller.cycle(rows.METER_LOST)
    teller.run(5000)
    events = teller.drain()
    assert [event["seq"] for event in events] == list(range(2, 8))
    assert [event["up_ms"] for event in events[::2]] == [1010, 2010, 3010]
    assert [event["t"] for event in events[::2]] == [
        f"2025-01-02T12:00:0{s}.000Z" for s in (1, 2, 3)
    ]


def test_an_event_from_before_the_clock_was_set_has_its_time_when_it_is_sent_later(teller):
    teller.cycle(rows.METER_LOST)
    assert json.loads(teller.events.next())["t"] is None
    teller.clock.set_utc(NOON_S, 0, SYNCHRONISED)
    assert json.loads(teller.events.next())["t"] is not None


def test_the_oldest_make_room_and_are_counted(teller):
    for _ in range(MOST):
        teller.cycle(rows.METER_LOST)
    events = teller.drain()
    assert len(events) == MOST
    assert [event["seq"] for event in events] == list(range(2 + MOST, 2 + 2 * MOST))
    assert events[0]["lost"] == MOST


def test_the_one_in_flight_stays_when_there_is_no_room(teller):
    teller.cycle(rows.METER_LOST)
    first = json.loads(teller.events.next())
    for _ in range(MOST):
        teller.cycle(rows.METER_LOST)
    assert json.loads(teller.events.next())["seq"] == first["seq"]
    teller.events.sent()
    rest = teller.drain()
    assert first["seq"] == 2 and len(rest) == MOST - 1
    assert rest[0]["seq"] - first["seq"] - 1 == rest[0]["lost"] == 2 * MOST + 2 - MOST


def test_refused_commands_cannot_push_a_fault_out(teller):
    teller.cycle(rows.METER_LOST)
    for k in range(100):
        teller.events.rejected("cmd/limit", str(k), "not JSON")
    teller.cycle(rows.STORAGE)
    events = teller.drain()
    assert kinds(events) == (
        ["fault_raised", "fault_cleared"] + ["command_rejected"] * (MOST_MINOR - 2)
        + ["fault_raised", "fault_cleared"]
    )
    assert events[-1]["lost"] == 100 - (MOST_MINOR - 2)
    assert [event["id"] for event in events[2:-2]] == [
        f"garage-1-e3-{seq}" for seq in range(4, 4 + MOST_MINOR - 2)
    ]


def test_a_refused_command_is_told_with_its_reason_whatever_is_in_it(teller):
    teller.events.rejected('cmd/"\\', 'a"b', 'on must be "true"')
    (event,) = teller.drain()
    assert (event["cmd"], event["command_id"], event["reason"]) == (
        'cmd/"\\', 'a"b', 'on must be "true"'
    )


def test_a_new_holder_of_the_limit_is_told_and_another_value_is_not(teller):
    teller.events.second()
    assert teller.drain() == []
    teller.limits.set(limits.COMMAND, 10000)
    teller.events.second()
    assert teller.drain() == []
    teller.limits.drop(limits.COMMAND)
    teller.events.second()
    (event,) = teller.drain()
    assert (event["event"], event["source"], event["a"]) == ("limit_source", "board", 63.0)


def test_notices_are_told_when_they_come_and_go_and_a_loose_connection_with_its_figure(teller):
    charger = teller.events._c
    charger.wiring.mohm, charger.wiring.phase = 1236, 2
    for which in (FULL, LOOSE_CONNECTION):
        charger.notices.set(which, True)
        teller.events.second()
        teller.events.second()
    charger.notices.mask = 0
    teller.events.second()
    told = [(e["event"], e["notice"], e.get("ohm"), e.get("phase")) for e in teller.drain()]
    assert told == [
        ("notice_raised", "full", None, None), ("notice_raised", "loose_connection", 1.23, 3),
        ("notice_cleared", "loose_connection", None, None), ("notice_cleared", "full", None, None),
    ]


def test_the_half_second_ends_with_the_tick_of_the_fault_however_late_it_is_sent(teller):
    teller.charge()
    teller.diode = False
    teller.until(lambda b: b.faults.active)
    teller.diode = True
    teller.run(3000)
    (event,) = teller.drain()
    before = event["before"]
    assert event["code"] == "1-2" and before["ms"][-1] == 0 and len(before["ms"]) == 50
    assert before["low_mv"][0] == -12000 and before["low_mv"][-1] == -6000
    assert before["closed"][-2:] == "10"


def test_half_seconds_of_the_two_newest_faults_are_kept(teller):
    for row in (rows.EARTH, rows.RCD_DC, rows.RCD_AC):
        teller.run(1000)
        teller.faults.raise_(row)
        teller.look()
    events = teller.drain()
    assert [event["code"] for event in events] == ["3-1", "2-2", "2-1"]
    assert ["before" in event for event in events] == [False, True, True]
    assert all(event["ocpp16"] for event in events)


def test_without_memory_for_its_names_a_fault_is_told_by_its_code(teller, monkeypatch):
    def no_memory(*_):
        raise MemoryError

    teller.faults.raise_(rows.DIODE)
    teller.look()
    monkeypatch.setattr("pilotwire.once.call", no_memory)
    (event,) = teller.drain()
    assert (event["event"], event["code"]) == ("fault_raised", "1-2")
    assert "name" not in event


def test_the_longest_event_without_its_half_second_leaves_room_for_it(teller):
    """1500 bytes of half second (test_half_second.py) in a packet of 2048 with the longest topic."""
    teller.events._c.facts.device = "d" * 32
    teller.events._c.records.boot = 65535
    teller.events._seq = 10**9
    teller.events.lost = 10**6
    teller.clock.up_s = 10**8
    for row in range(rows.COUNT):
        teller.cycle(row)
        event = teller.take()
        event.pop("before", None)
        assert len(json.dumps(event, separators=(",", ":"))) <= 480
        teller.drain()


def test_what_happens_now_passes_old_news_of_a_red_fault(teller):
    teller.cycle(rows.OVER_CURRENT)
    teller.cycle(rows.METER_LOST)
    teller.events.rejected("cmd/limit", "x", "y")
    told = []
    for _ in range(20):
        if teller.events.ready(False) > 0:
            told.append(teller.take())
    assert kinds(told) == ["fault_raised", "fault_cleared", "command_rejected"]
    assert {event["code"] for event in told[:2]} == {"8-1"}
    assert teller.events.ready(True) == 1
    (old,) = teller.drain()
    assert old["code"] == "6-2" and "before" in old and old["seq"] < told[0]["seq"]


def test_without_memory_for_the_half_second_the_faults_are_told_all_the_same(teller, monkeypatch):
    def full():
        raise MemoryError

    monkeypatch.setattr(teller.recorder, "copy", full)
    teller.faults.raise_(rows.WELDED)
    teller.faults.raise_(rows.TAMPER)
    teller.look()
    events = teller.drain()
    assert [event["code"] for event in events] == ["7-3", "8-4"]
    assert "before" not in events[0]
