"""A visit from plugging in to its record: figures, times, reasons, and what a power cut leaves."""

import hashlib
import json

import pytest

from bench_car import closed, opened
from bench_station import Station, ticks  # noqa: F401  (a fixture)
from pilotwire import once
from pilotwire.decide import fault_rows
from pilotwire.decide.letters import STATE_F, X1, A, B, C, E
from pilotwire.decide.session import PAUSES, Session
from pilotwire.tell import records


@pytest.fixture
def station():
    return Station()


# One visit, one record -------------------------------------------------------------------------


def test_charge_makes_one_record_with_its_figures(station):
    station.charge(draws_ma=15960)
    station.reading.chip_dc = 415
    station.until(lambda b: b.reading.wh == 1777, within_ms=300000)
    station.shows = B
    station.run(10000)
    station.leave()
    (data,) = station.made()
    record = json.loads(data)
    assert (record["id"], record["seq"], record["device"]) == ("garage-1-1", 1, "garage-1")
    assert (record["meter_start_wh"], record["meter_end_wh"], record["energy_wh"]) == (1000, 1777, 777)
    assert (record["peak_a"], record["offered_max_a"], record["phases"]) == (16.0, 16.0, 3)
    assert record["peak_w"] == 3 * 15960 * 230 // 1000
    assert 253 <= record["charge_s"] <= 256  # 777 Wh with 11 kW
    assert record["idle_s"] in (10, 11, 12)
    assert (record["stop"], record["stop_detail"]) == ("EVDisconnected", "car_had_stopped")
    assert record["cost"]["total"] == 24  # 0.777 kWh at 30.25 ct: 23.504
    assert record["cost"]["lines"][0]["wh"] == 777
    assert (record["temp_max_c"], record["meter_quality"], record["faults"]) == (41.5, "good", [])
    assert record["limits"] == {"board": 63, "installation": 32}
    assert record["prev"] == "00" * 32


def test_times_are_utc_with_milliseconds_and_their_quality(station):
    station.run(990)
    station.shows = B
    station.run(5000)
    station.leave()
    record = station.record()
    up_ms = record["plugged_at"]["up_ms"]
    assert 1000 <= up_ms <= 1100
    whole_ms = up_ms + 250
    expected = f"2025-01-02T12:00:{whole_ms // 1000:02d}.{whole_ms % 1000:03d}Z"
    assert record["plugged_at"] == {"t": expected, "q": "S", "up_ms": up_ms}
    assert record["started_at"] is None and record["ended_at"] is None
    assert 4950 <= record["unplugged_at"]["up_ms"] - up_ms <= 5050


def test_visit_without_charging_says_so(station):
    station.plug()
    station.leave()
    assert station.record()["stop_detail"] == "never_charged"
    assert station.record()["energy_wh"] == 0


def test_unplug_under_load_says_so(station):
    station.charge()
    station.leave()
    record = station.record()
    assert (record["stop"], record["stop_detail"]) == ("EVDisconnected", "unplugged_while_charging")
    assert record["ended_at"]["up_ms"] == record["unplugged_at"]["up_ms"]


def test_stop_by_command_says_so(station):
    station.charge()
    station.enabled = False
    station.run(1000)
    station.shows = B
    station.run(1000)
    station.leave()
    assert (station.record()["stop"], station.record()["stop_detail"]) == (
        "Remote", "stopped_by_command",
    )


def test_fault_says_its_reason_and_is_listed(station):
    station.charge(draws_ma=30000)
    assert opened(station)
    station.leave()
    record = station.record()
    assert (record["stop"], record["stop_detail"]) == ("OvercurrentFault", "fault")
    assert record["faults"] == ["6-2"]


def test_next_visit_forgets_the_faults_of_the_last(station):
    station.charge()
    station.shows = E
    station.run(1000)
    station.leave()
    station.plug()
    station.leave()
    first, second = map(json.loads, station.made())
    assert (first["faults"], second["faults"]) == (["1-1"], [])
    assert (second["seq"], second["stop_detail"]) == (2, "never_charged")


def test_t_retries_count_anew_for_the_next_car(station):
    """The record is made 1.5 s after unplugging, before unplugging is believed."""
    for _ in range(2):
        station.plug()
        station.shows = C
        for _ in range(4):
            station.until(closed, within_ms=100000)
            station.amps_ma = [18500, 0, 0]
            station.until(lambda s: s.shown() == "6-1")
            station.shows = B
            station.run(1000)
            station.shows = C
        station.amps_ma = [0, 0, 0]
        assert opened(station.run(120000))
        station.leave()
        assert station.shown() == ""


def test_energy_that_the_meter_counts_just_after_unplugging_belongs_to_the_visit(station):
    station.charge()
    station.shows = A
    station.run(500)
    station.reading.wh += 3
    station.run(3000)
    assert station.record()["energy_wh"] == 3


def test_car_back_within_the_settling_time_gets_a_visit_of_its_own(station):
    station.charge()
    station.shows = A
    station.run(500)
    station.shows = C
    station.run(20000)
    assert closed(station)
    station.leave()
    assert [json.loads(data)["seq"] for data in station.made()] == [1, 2]


def test_contactor_waits_until_the_session_is_on_flash(station):
    station.flash_works = False
    station.plug(C)
    assert opened(station.run(10000))
    station.flash_works = True
    station.until(closed, within_ms=1100)


def test_contactor_waits_for_the_record_of_the_visit_before(station):
    station.plug()
    station.shows = A
    station.run(200)
    station.shows = C
    station.until(closed)
    assert (station.session.open, station.session.seq) == (True, 2)


def test_what_is_stored_after_the_session_does_not_keep_the_car_waiting(station):
    station.plug()
    station.run(1000)
    station.flash_works = False
    station.journal.append(records.SUMMARY, b"of an acknowledgement")
    station.shows = C
    assert station.until(closed) <= 600


def test_a_session_that_finds_no_room_to_wait_is_stored_at_once(station):
    append = station.journal.append

    def picky(kind, data):
        return -1 if station.journal.queued else append(kind, data)

    station.journal.append(records.SUMMARY, b"of an acknowledgement")
    station.journal.append = picky
    station.flash_works = False
    station.plug()
    assert records.SUMMARY in [kind for kind, _, _ in station.journal.entries]
    assert [kind for kind, _, _ in station.journal.queued] == [records.CHECK]


def test_acknowledgements_that_come_while_flash_is_busy_share_a_summary(station):
    for _ in range(4):
        station.plug()
        station.leave()
    before = len(station.journal.entries)
    for seq in (1, 2, 3):
        assert station.records.acknowledge(seq)
    assert [kind for kind, _, _ in station.journal.queued] == [records.SUMMARY]
    station.journal.flush()
    station.records.release()
    station.journal.flush()
    assert len(station.journal.entries) <= before + 2
    assert Station(station.journal.entries).records.acked == 3


def test_failed_flash_does_not_keep_the_car_waiting(station):
    station.flash_works = False
    station.faults.raise_(fault_rows.STORAGE)
    station.plug()
    station.shows = C
    station.until(closed, within_ms=1000)


def test_pauses_are_listed_with_their_reason_and_the_end_is_none(station):
    station.charge()
    station.shows = B
    station.run(20000)
    station.shows = C
    station.until(closed)
    station.run(10000)
    station.leave()
    record = station.record()
    (pause,) = record["pauses"]
    assert (pause["why"], pause["from_s"]) == ("car_waits", 61)
    assert 20 <= pause["to_s"] - pause["from_s"] <= 21


def test_more_pauses_than_are_listed_do_no_harm():
    session = Session()
    session.begin(1, 0, 0, 0)
    for k in range(PAUSES * 3):
        session.current_on(k * 10, 0)
        session.current_off(k * 10 + 5, 0, 2)
    assert session.pauses == PAUSES * 3
    assert session.pause_to_s[PAUSES - 1] == PAUSES * 10


def test_flawed_energy_is_told(station):
    station.plug()
    station.reading.meter_faults = 2
    station.run(2000)
    station.leave()
    assert station.record()["meter_quality"] == "broken"
    station.reading.meter_faults = 2  # of the last visit
    station.plug()
    station.run(2000)
    station.leave()
    assert station.record()["meter_quality"] == "good"


def test_offers_that_are_no_current_are_not_a_session_s_offer(station):
    station.plug().run(2000)
    station.diode = False
    station.run(3000)
    assert station.times("offer", STATE_F) and station.times("offer", X1)
    station.leave()
    assert station.record()["offered_max_a"] == 16.0


# Power cuts ------------------------------------------------------------------------------------


def test_power_cut_closes_the_session_at_its_last_checkpoint(station):
    station.charge(draws_ma=10000)
    station.run(150000)
    true_wh = station.reading.wh - 1000
    after = Station(station.journal.entries)
    record = after.record()
    assert (record["stop"], record["seq"]) == ("PowerLoss", 1)
    assert true_wh - 2 * 61 <= record["energy_wh"] <= true_wh  # at most a minute is lost
    assert record["peak_a"] == 10.0
    assert record["plugged_at"]["t"].startswith("2025-01-02T12:00:00")
    assert record["ended_at"] == record["unplugged_at"]
    assert station.now_ms - 61000 <= record["ended_at"]["up_ms"] <= station.now_ms
    assert record["boot"] == 1
    after.plug()
    after.leave()
    assert after.record()["seq"] == 2
    assert after.record()["boot"] == 2


def test_power_cut_without_a_session_makes_no_record(station):
    station.charge()
    station.leave()
    again = Station(station.journal.entries)
    assert len(again.made()) == 1


def test_each_record_names_the_hash_of_the_one_before_across_power_cuts(station):
    for _ in range(3):
        station.plug()
        station.leave()
        station = Station(station.journal.entries)
    station.charge()
    station = Station(station.journal.entries)  # this one by a power cut
    made = station.made()
    assert len(made) == 4
    for before, after in zip([None, *made], made, strict=False):
        expected = hashlib.sha256(before).hexdigest() if before else "00" * 32
        assert json.loads(after)["prev"] == expected


def test_a_record_that_finds_no_room_to_wait_is_stored_at_once(station):
    append = station.journal.append

    def picky(kind, data):
        return -1 if station.journal.queued else append(kind, data)

    station.plug()
    station.flash_works = False
    station.journal.append = picky
    station.journal.queued.append((records.SUMMARY, 99, b"of an order"))
    station.leave()
    assert [kind for kind, *_ in station.journal.queued] == [records.RECORD]
    station.journal.flush()
    assert (station.record()["seq"], station.journal.lost) == (1, 0)


def test_a_record_that_a_new_session_has_flushed_can_be_sent(station):
    station.plug()
    station.run(1000)
    station.flash_works = False
    station.leave()
    number = [number for kind, number, _ in station.journal.queued if kind == records.RECORD]
    append = station.journal.append
    station.journal.append = lambda kind, data: -1 if station.journal.queued else append(kind, data)
    station.plug()
    assert records.RECORD in [kind for kind, _, _ in station.journal.entries] and number
    station.journal.append = append
    station.journal.flush()
    assert station.records.next() == 0 and station.records.seq_of(0) == 1


@pytest.mark.parametrize("times", [1, 2])
def test_short_of_memory_a_record_is_made_later_and_then_by_a_restart(station, monkeypatch, times):
    left = [times]
    call = once.call

    def short(module, *args):
        if module == "tell.record_text" and left[0]:
            left[0] -= 1
            raise MemoryError
        return call(module, *args)

    station.plug(C)
    station.until(closed)
    station.run(20_000)
    monkeypatch.setattr(once, "call", short)
    station.shows = A
    if times == 2:
        with pytest.raises(MemoryError):
            station.run(6000)
        return
    station.run(6000)
    record = station.record()
    assert (record["seq"], record["stop"]) == (1, "EVDisconnected")
    monkeypatch.setattr(once, "call", call)
    station.plug()
    station.leave()
    assert station.record()["prev"] == hashlib.sha256(station.made()[0]).hexdigest()


def test_an_acknowledgement_of_all_moves_few_things(station):
    """It may come while charging: what it costs must not grow with what waits."""
    moves = []

    class Field(list):
        def __setitem__(self, at, value):
            moves.append(at)
            super().__setitem__(at, value)

    for _ in range(20):
        station.plug()
        station.leave()
    waiting = station.records
    for name in ("_seq", "_number", "_address", "_length"):
        setattr(waiting, name, Field(getattr(waiting, name)))
    assert waiting.waiting == 20
    assert waiting.acknowledge(18)
    assert len(moves) <= 4 and waiting.waiting == 2
    assert [waiting.seq_of(k) for k in range(2)] == [19, 20]
