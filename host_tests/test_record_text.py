"""The bytes of records and checkpoints: canonical JSON, exact numbers, signature; marks and clock."""

import hmac
import json

from hypothesis import given
from hypothesis import strategies as st

from bench_car import Bench
from bench_station import KEY, NOON_S, Station, facts, ticks  # noqa: F401  (a fixture)
from pilotwire.clock import KEPT, SYNCHRONISED, UNKNOWN, Clock
from pilotwire.decide.session import PAUSES, SERIES, Session
from pilotwire.tell import checkpoint, numbers, record_text

# The bytes -------------------------------------------------------------------------------------


def build(session=None, clock=None, *, about=None, prev=bytes(32), codes="[]"):
    return record_text.build(
        session or Session(), clock or Clock(), about or facts(), 3, "Other", "fault", codes, prev, 0
    )


def signature(data):
    """(`mac` of the record, bytes that it signs), by contract 1."""
    head, tail = data.rsplit(b',"mac":', 1)
    return json.loads(tail[:-1]), head + b"}"


def test_signature_is_hmac_sha256_of_the_record_without_it():
    station = Station().plug()
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
    assert checkpoint.unpack(data, back, then)[:2] == (boot, mask)
    assert then.text(up_s, 999) == clock.text(up_s, 999)
    assert (back.seq, back.energy_wh(), back.start_wh) == (seq, used, wh)
    assert (back.plugged_s, back.plugged_ms) == (up_s, 999)
    assert (back.started_s, back.started_ms) == ((up_s + 5, 1) if started else (-1, 0))
    assert (back.ended_s, back.ended_ms) == ((up_s + 100, 7) if started else (-1, 0))
    assert (back.unplugged_s, back.unplugged_ms) == (up_s + 100, 7)
    assert (back.temp_dc, back.energy_flawed, back.open) == (temp_dc, flawed, False)


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
