"""A visit from plugging in to its record: every number, the times, the chain and the signature."""

import hashlib
import hmac
import json
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench_car import Bench, closed, opened
from memory_journal import MemoryJournal
from pilotwire import clock as clock_module
from pilotwire.clock import KEPT, SYNCHRONISED, UNKNOWN, Clock
from pilotwire.decide.letters import STATE_F, X1, A, B, C, E
from pilotwire.decide.session import PAUSES, SERIES, Session
from pilotwire.facts import Facts
from pilotwire.tell import checkpoint, numbers, record_text, records
from pilotwire.tell.records import Records
from pilotwire.visit import Visit

KEY = bytes(range(32))
NOON_S = 789134400  # 2025-01-02T12:00:00Z, seconds since 2000


@pytest.fixture(autouse=True, scope="module")
def ticks():
    """CPython's time has no ticks; these tests move the clock by hand."""
    real = clock_module.time
    clock_module.time = SimpleNamespace(
        gmtime=time.gmtime, ticks_us=lambda: 0, ticks_diff=lambda a, b: a - b
    )
    yield
    clock_module.time = real


def facts(*, key=KEY, meter="atm90e32", price_c=3025):
    board = SimpleNamespace(rating_ma=63000)
    config = SimpleNamespace(
        device="garage-1", key=key, price_c=price_c, currency="EUR", installation_ma=32000
    )
    return Facts(board, config, meter)


class Station(Bench):
    """The bench with session, records and clock around it, as control.py joins them."""

    def __init__(self, entries=(), **options):
        self.clock = Clock()
        self.clock.set_utc(NOON_S, 250, SYNCHRONISED)
        self.session = Session()
        self.flash_works = True
        self.journal = MemoryJournal(entries)
        self.records = Records(self.journal, facts())
        self.records.load(Session(), Clock, "power")
        self.visit = None
        super().__init__(**options)
        self.visit = Visit(
            self.charging, self.session, self.records, self.faults, self.clock, self.reading
        )
        self.reading.wh = 1000

    def tick(self, dt_ms=10):
        if self.visit is None:
            return super().tick(dt_ms)
        second = self.now_ms // 1000
        self.may_close = self.visit.may_close()
        super().tick(dt_ms)
        self.clock.tick(self.now_ms * 1000)
        self.visit.step(dt_ms)
        if self.now_ms // 1000 != second:
            offer_ma = self.charging.offer_ma
            if self.session.open:
                up_s = self.clock.up_s
                self.session.second(self.reading, max(offer_ma, 0), up_s, self.clock.day_s())
            self.visit.second()
            if self.flash_works:
                self.journal.flush()

    def leave(self):
        self.shows = A
        return self.run(6000)

    def made(self):
        """All records on flash, oldest first, as their bytes."""
        return [data[4:] for kind, _, data in self.journal.entries if kind == records.RECORD]

    def record(self):
        return json.loads(self.made()[-1])


@pytest.fixture
def station():
    return Station()


# One visit, one record -------------------------------------------------------------------------


def test_charge_makes_one_record_with_its_figures(station):
    station.charge(draws_ma=15960)
    station.reading.wh += 777
    station.reading.chip_dc = 415
    station.run(2000)
    station.shows = B
    station.run(10000)
    station.leave()
    (data,) = station.made()
    record = json.loads(data)
    assert (record["id"], record["seq"], record["device"]) == ("garage-1-1", 1, "garage-1")
    assert (record["meter_start_wh"], record["meter_end_wh"], record["energy_wh"]) == (1000, 1777, 777)
    assert (record["peak_a"], record["offered_max_a"], record["phases"]) == (16.0, 16.0, 3)
    assert record["peak_w"] == 3 * 15960 * 230 // 1000
    assert record["charge_s"] in (61, 62, 63)
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
        station.plug(C)
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


def test_failed_flash_does_not_keep_the_car_waiting(station):
    station.flash_works = False
    station.journal.error = "flash"
    station.plug(C)
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


# Power cuts ------------------------------------------------------------------------------------


def test_power_cut_closes_the_session_at_its_last_checkpoint(station):
    station.charge(draws_ma=10000)
    for _ in range(150):
        station.reading.wh += 4
        station.run(1000)
    after = Station(station.journal.entries)
    record = after.record()
    assert (record["stop"], record["seq"]) == ("PowerLoss", 1)
    assert 600 - 4 * 61 <= record["energy_wh"] <= 600  # at most a minute is lost
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


@given(
    seq=st.integers(1, 1 << 31), wh=st.integers(0, 1 << 31), used=st.integers(0, 1 << 20),
    up_s=st.integers(0, 1 << 29), quality=st.sampled_from([SYNCHRONISED, KEPT, UNKNOWN]),
    offset_ms=st.integers(-999, 999), temp_dc=st.integers(-1000, 1250), boot=st.integers(0, 65535),
    started=st.booleans(), flawed=st.booleans(), mask=st.integers(0, 1023),
)
def test_checkpoint_gives_back_what_it_was_given(
    seq, wh, used, up_s, quality, offset_ms, temp_dc, boot, started, flawed, mask
):
    clock = Clock()
    clock.up_s, clock.up_ms = up_s + 100, 7
    clock.offset_s, clock.offset_ms, clock.quality = NOON_S, offset_ms, quality
    session = Session()
    session.begin(seq, up_s, 999, wh)
    if started:
        session.current_on(up_s + 5, 1)
    session.end_wh = wh + used
    session.temp_dc, session.energy_flawed = temp_dc, flawed
    data = checkpoint.pack(session, clock, boot, mask, 319)
    assert (len(data), checkpoint.seq_of(data)) == (checkpoint.SIZE, seq)
    back, then = Session(), Clock()
    assert checkpoint.unpack(data, back, then) == (boot, mask)
    assert then.text(up_s, 999) == clock.text(up_s, 999)
    assert (back.seq, back.energy_wh(), back.start_wh) == (seq, used, wh)
    assert (back.plugged_s, back.plugged_ms) == (up_s, 999)
    assert (back.started_s, back.started_ms) == ((up_s + 5, 1) if started else (-1, 0))
    assert (back.ended_s, back.ended_ms) == ((up_s + 100, 7) if started else (-1, 0))
    assert (back.unplugged_s, back.unplugged_ms) == (up_s + 100, 7)
    assert (back.temp_dc, back.energy_flawed, back.open) == (temp_dc, flawed, False)


# The bytes -------------------------------------------------------------------------------------


def build(session=None, clock=None, *, about=None, prev=bytes(32), codes="[]"):
    return record_text.build(
        session or Session(), clock or Clock(), about or facts(), 3, "Other", "fault", codes, prev, 0
    )


def signature(data):
    """(`mac` of the record, bytes that it signs), by contract 1."""
    head, tail = data.rsplit(b',"mac":', 1)
    return json.loads(tail[:-1]), head + b"}"


def test_signature_is_hmac_sha256_of_the_record_without_it(station):
    station.plug()
    station.leave()
    mac, signed = signature(station.made()[0])
    assert mac == hmac.new(KEY, signed, "sha256").hexdigest()
    record = json.loads(signed)
    assert "mac" not in record and record["v"] == 1


@given(st.binary(max_size=200), st.binary(max_size=500))
def test_hmac_is_that_of_rfc_2104(key, data):
    assert record_text.hmac_sha256(key, data) == hmac.new(key, data, "sha256").digest()


def test_without_a_key_there_is_no_signature():
    assert json.loads(build(about=facts(key=b"")))["mac"] is None


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


def test_without_a_meter_energy_is_null():
    record = json.loads(build(about=facts(meter="none")))
    assert (record["energy_wh"], record["meter_quality"]) == (None, "none")


def test_without_a_meter_there_is_no_cost():
    assert json.loads(build(about=facts(meter="none")))["cost"] is None


def test_without_a_price_there_is_no_cost():
    assert json.loads(build(about=facts(price_c=-1)))["cost"] is None


def test_without_utc_times_are_null_and_up_time_is_kept():
    session = Session()
    session.begin(1, 90, 5, 0)
    record = json.loads(build(session))
    assert record["plugged_at"] == {"t": None, "q": "U", "up_ms": 90005}


@given(st.integers(-400, 2000))
def test_tenths_are_exact(value):
    assert numbers.tenths(value) == f"{value / 10:.1f}"


@given(st.integers(0, 100000))
def test_amps_are_rounded_half_up_to_tenths(ma):
    assert round(float(numbers.amps(ma)) * 10) == (ma * 10 + 500) // 1000


@given(data=st.data())
def test_every_record_is_canonical_json_with_exact_numbers(data):
    whole = st.integers(0, (1 << 31) - 1)
    session = Session()
    session.begin(data.draw(whole), data.draw(st.integers(0, 1 << 29)), data.draw(whole) % 1000, 17)
    session.charge_s, session.idle_s = data.draw(whole), data.draw(whole)
    session.end_wh = 17 + data.draw(whole)
    session.peak_ma = data.draw(st.integers(0, 100000))
    session.temp_dc = data.draw(st.integers(-999, 1250))
    for _ in range(data.draw(st.integers(0, 30))):
        session.current_on(session.plugged_s + 5, 0)
        session.current_off(session.plugged_s + 9, 0, data.draw(st.integers(0, 11)))
    marks = data.draw(st.lists(st.integers(0, 1 << 30), max_size=SERIES))
    for k, wh in enumerate(marks):
        session.mark_s[k], session.mark_wh[k] = k * 900, wh
    session.marks = len(marks)
    text = build(session, codes='["1-1","8-3"]')
    record = json.loads(text)
    assert text == json.dumps(record, separators=(",", ":")).encode()
    assert list(record)[0] == "v" and list(record)[-1] == "mac"
    assert (record["charge_s"], record["idle_s"]) == (session.charge_s, session.idle_s)
    assert record["energy_wh"] == session.end_wh - 17 == record["meter_end_wh"] - 17
    assert record["temp_max_c"] == session.temp_dc / 10
    assert record["series"] == [[k * 900, wh] for k, wh in enumerate(marks)]
    assert len(record["pauses"]) <= PAUSES


# Energy marks ----------------------------------------------------------------------------------


def test_marks_are_made_at_every_quarter_hour_of_the_day():
    session, reading = Session(), Bench().reading
    session.begin(1, 0, 0, 0)
    for up_s in range(3600):
        reading.wh = up_s
        session.second(reading, 0, up_s, up_s + 100)
    assert [tuple(m) for m in zip(session.mark_s, session.mark_wh, strict=True)][: session.marks] == [
        (800, 800), (1700, 1700), (2600, 2600), (3500, 3500),
    ]


def test_long_session_keeps_fewer_marks_but_its_whole_length():
    session, reading = Session(), Bench().reading
    session.begin(1, 0, 0, 0)
    for up_s in range(0, 5 * 86400, 900):
        reading.wh = up_s
        session.second(reading, 0, up_s, up_s % 86400)
    at = list(session.mark_s[: session.marks])
    assert SERIES // 2 <= session.marks <= SERIES
    assert at == sorted(set(at)) == list(session.mark_wh[: session.marks])
    assert at[0] <= 4 * 3600 and at[-1] >= 5 * 86400 - 4 * 3600


# Clock -----------------------------------------------------------------------------------------


def test_clock_counts_every_microsecond_across_uneven_ticks():
    clock = Clock()
    now_us = passed_ms = 0
    for k in range(5000):
        now_us += 9000 + k * 37 % 4001
        passed_ms += clock.tick(now_us)
    assert passed_ms == now_us // 1000 == clock.up_s * 1000 + clock.up_ms


def test_utc_that_arrives_late_holds_for_times_before_it():
    clock = Clock()
    clock.tick(5_000_000)
    assert clock.text(0, 0) == "null"
    clock.set_utc(NOON_S, 3, SYNCHRONISED)
    assert clock.text(5, 0) == '"2025-01-02T12:00:00.003Z"'
    assert clock.text(0, 0) == '"2025-01-02T11:59:55.003Z"'
    assert clock.day_s() == 43200


def test_offers_that_are_no_current_are_not_a_session_s_offer(station):
    station.plug().run(2000)
    station.diode = False
    station.run(3000)
    assert station.times("offer", STATE_F) and station.times("offer", X1)
    station.leave()
    assert station.record()["offered_max_a"] == 16.0
