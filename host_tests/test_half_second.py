"""The half second before a fault: what was recorded tick by tick, and how it is told."""

import json

import pytest

from bench_car import UNREADABLE, Bench, opened
from pilotwire.decide.letters import A, B, C
from pilotwire.decide.recorder import Recorder
from pilotwire.tell import before_text


class Recorded(Bench):
    """The bench with a recorder at the end of each tick, as control.py has it."""

    def __init__(self, **options):
        self.recorder = Recorder()
        super().__init__(**options)

    def tick(self, dt_ms=10):
        super().tick(dt_ms)
        self.recorder.step(self.reading, self.charging, dt_ms)

    def told(self):
        return json.loads(before_text.build(*self.recorder.copy()))


@pytest.fixture
def charging():
    return Recorded().charge(draws_ma=16000)


def test_it_is_fifty_ticks_and_ends_with_the_one_that_opened(charging):
    charging.shows = A
    charging.until(opened)
    told = charging.told()
    assert told["ms"] == list(range(-490, 1, 10))
    assert told["closed"] == "1" * 49 + "0"
    looks = told["high_mv"].count(12000)
    assert told["high_mv"] == [6000] * (50 - looks) + [12000] * looks and 1 <= looks <= 5
    assert told["low_mv"] == [-12000] * 50
    assert told["state"] == "C" * 49 + "A"


def test_every_tick_has_its_own_levels_also_over_the_end_of_the_ring():
    bench = Recorded()
    for k in range(173):
        bench.bursts = [(12000 - k, -12000 + k)]
        bench.tick()
    told = bench.told()
    assert told["high_mv"] == [12000 - k for k in range(123, 173)]
    assert told["low_mv"] == [-12000 + k for k in range(123, 173)]


def test_a_tick_without_plateaus_has_none_and_a_stall_shows_in_its_time(charging):
    charging.bursts = [UNREADABLE]
    charging.tick()
    charging.tick(40)
    told = charging.told()
    assert told["high_mv"][-3:] == [6000, None, 6000] and told["low_mv"][-2:] == [None, -12000]
    assert told["ms"][-4:] == [-60, -50, -40, 0]


def test_an_endless_stall_does_not_spoil_the_others():
    bench = Recorded()
    bench.tick(30000)
    bench.tick()
    assert bench.told()["ms"][-3:] == [-1010, -10, 0]


def test_snapshots_of_the_meter_stand_at_their_ticks():
    bench = Recorded().charge(draws_ma=16000)
    for amps_ma in (16010, 16020, 16030, 16040, 16050):
        bench.amps_ma = [amps_ma, 7000, 0]
        bench.until(lambda b, now=bench.reading.meter_fresh: b.reading.meter_fresh > now)
    bench.run(50)
    snapshots = bench.told()["meter"]
    assert snapshots == [
        [None, 230, 230, 230, 16.03, 7, 0], [-290, 230, 230, 230, 16.04, 7, 0],
        [-50, 230, 230, 230, 16.05, 7, 0],
    ]


def test_the_snapshot_that_held_before_is_told_although_the_meter_is_silent(charging):
    charging.meter_silent = True
    charging.run(2000)
    assert charging.told()["meter"] == [[None, 230, 230, 230, 16, 16, 16]]


def test_currents_beyond_a_fault_are_told_as_they_are(charging):
    charging.amps_ma = [65535, 100000, 5]
    charging.until(opened)
    assert charging.told()["meter"][-1][4:] == [65.53, 100, 0]


def test_at_the_start_only_the_ticks_that_were():
    bench = Recorded(meter=False)
    bench.plug(B)
    told = bench.told()
    assert len(told["ms"]) == len(told["high_mv"]) == len(told["state"]) == 21
    assert told["state"][0] == "A" and told["state"][-1] == "B"
    assert told["meter"] == []


def test_state_and_contactor_are_those_of_the_tick():
    bench = Recorded()
    bench.plug(B)
    bench.shows = C
    bench.until(lambda b: b.charging.contactor)
    told = bench.told()
    assert told["closed"] == "0" * 49 + "1" and set(told["state"]) == {"C"}


def test_the_longest_fits_a_packet_with_all_the_names(charging):
    for _ in range(50):
        charging.bursts = [(-12345, -12345)]
        charging.tick(1000)
    charging.meter_silent = True
    charging.amps_ma = [100000] * 3
    for _ in range(4):
        charging.snapshot()
        charging.tick(1000)
    # Event without it: 480 bytes at the most (test_event_queue.py); packet 2048 with the longest topic.
    assert len(before_text.build(*charging.recorder.copy())) <= 1500
