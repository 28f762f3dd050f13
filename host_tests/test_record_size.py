"""The fullest record still fits one journal entry and one packet, and loses nothing but detail."""

import json

from bench_station import Station, ticks  # noqa: F401  (a fixture)
from pilotwire.decide.session import PAUSES, SERIES

_ENTRY = 2000  # bytes of a journal entry, 4 of them the number of the session


def fullest(station):
    """A visit of 115 days with everything that can be in a record."""
    session = station.session
    station.charge()
    for k in range(PAUSES):
        session.pause_from_s[k] = 9_000_000 + k
        session.pause_to_s[k] = 9_999_000 + k
        session.pause_why[k] = 11
    session.pauses = PAUSES
    for k in range(SERIES):
        session.mark_s[k] = 9_000_000 + 900 * k
        session.mark_wh[k] = 9_000_000 + 9 * k
    session.marks = SERIES
    station.faults.session_mask = 1023
    session.peak_ma, session.peak_w, session.charge_s, session.idle_s = 65535, 45000, 9**7, 9**7
    return session


def test_the_fullest_record_fits_one_journal_entry():
    station = Station()
    fullest(station)
    station.leave()
    (raw,) = station.made()
    record = json.loads(raw)
    assert len(raw) + 4 <= _ENTRY
    assert len(record["pauses"]) == PAUSES and len(record["faults"]) == 10
    assert len(record["series"]) >= SERIES // 4


def test_thinning_keeps_the_later_mark_of_each_pair():
    station = Station()
    session = fullest(station)
    last = session.mark_wh[SERIES - 1]
    session.thin()
    assert session.marks == SERIES // 2
    assert session.mark_wh[session.marks - 1] == last
