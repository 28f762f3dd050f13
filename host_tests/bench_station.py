"""The test bench of bench_car.py with session, records and clock around it, as control.py joins them."""

import json
import time
from types import SimpleNamespace

import pytest

from bench_car import Bench
from memory_journal import MemoryJournal
from pilotwire import clock as clock_module
from pilotwire.clock import SYNCHRONISED, Clock
from pilotwire.decide import fault_table
from pilotwire.decide.letters import A
from pilotwire.decide.session import Session
from pilotwire.facts import Facts
from pilotwire.tell import records
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
    return Facts(board, config, meter, fault_table.compiled()[0])


class Station(Bench):
    """The bench with session, records and clock around it, as control.py joins them."""

    def __init__(self, entries=(), **options):
        self.clock = Clock()
        self.clock.set_utc(NOON_S, 250, SYNCHRONISED)
        self.session = Session()
        self.flash_works = True
        self.journal = MemoryJournal(entries)
        self.records = Records(self.journal, facts())
        self.records.resume(Session(), Clock, "power")
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
        return [data[records._HEAD :] for kind, _, data in self.journal.entries if kind == records.RECORD]

    def record(self):
        return json.loads(self.made()[-1])
