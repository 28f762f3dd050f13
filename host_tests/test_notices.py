"""Notices that are no faults: what raises each, and that no healthy charge raises any."""

import pytest

from bench_car import Bench
from pilotwire.decide import limits
from pilotwire.decide.letters import A, B, C
from pilotwire.decide.notices import NAMES, Notices

MINUTE_MS = 60_000


class Watched(Bench):
    """The bench with notices, judged once a second as control.py does it."""

    def __init__(self, **options):
        self.notices = Notices()
        self.wh = 5000
        self.known = True
        super().__init__(**options)

    def tick(self, dt_ms=10):
        second = self.now_ms // 1000
        super().tick(dt_ms)
        if self.now_ms // 1000 != second:
            self.notices.charge(
                self.charging, self.protection.active_ma if self.known else -1, self.wh
            )

    def minutes(self, count):
        return self.run(count * MINUTE_MS, 100)  # coarse ticks: nothing is switched meanwhile

    def draw(self, ma):
        self.amps_ma = [ma, ma, ma]

    def offer(self, ma):
        self.limits.set(limits.COMMAND, ma)

    def names(self):
        return [name for k, name in enumerate(NAMES) if self.notices.mask >> k & 1]


# Under-charging --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offer_ma", "draws_ma"), [(32000, 6000), (63000, 7900), (10000, 4900), (16000, 0)]
)
def test_less_than_half_for_10_minutes_is_told_and_not_before(offer_ma, draws_ma):
    bench = Watched(limit_ma=offer_ma).charge(draws_ma)
    bench.minutes(8)
    assert bench.names() == []
    bench.minutes(2)
    assert bench.names() == ["under_charging"]
    bench.draw(offer_ma // 2 + 100)
    bench.run(3000)
    assert bench.names() == []


# What measured cars draw (Tinkerforge WARP logs: active amps) at what was offered then, and at 63 A.
HEALTHY = [
    ("Zoe ZE50", 32000, 30600), ("Leaf ZE1", 13300, 13360), ("Leaf ZE1", 6200, 6240),
    ("Model 3", 32000, 16000), ("Ioniq 5", 8000, 8150), ("Ioniq 5", 63000, 15700),
    ("Corsa-e", 19300, 18370), ("Zoe ZE50", 63000, 31000), ("a 2.3 kW charger", 63000, 10000),
]


@pytest.mark.parametrize(("_car", "offer_ma", "draws_ma"), HEALTHY)
def test_healthy_car_raises_no_notice_in_an_hour(_car, offer_ma, draws_ma):
    bench = Watched(limit_ma=offer_ma).charge()
    for ma in range(0, draws_ma, 1000):  # its ramp
        bench.draw(ma)
        bench.run(1000)
        assert bench.names() == []
    bench.draw(draws_ma)
    for _ in range(60):
        bench.minutes(1)
        assert bench.names() == []


@pytest.mark.parametrize("offer_ma", [16000, 32000, 63000])
def test_tapering_car_raises_no_notice_down_to_its_last_ampere(offer_ma):
    bench = Watched(limit_ma=offer_ma).charge(draws_ma=15700)
    for ma in range(15700, 900, -400):  # 37 minutes
        bench.draw(ma)
        bench.minutes(1)
        assert bench.names() == []
    for _ in range(30):  # and it balances its cells
        bench.minutes(1)
        assert bench.names() == []


def test_car_that_tapered_at_6_a_and_is_then_offered_more_raises_no_notice():
    bench = Watched(limit_ma=6000).charge(draws_ma=6000)
    bench.draw(2000)
    bench.minutes(5)
    bench.offer(16000)
    for _ in range(20):
        bench.minutes(1)
        assert bench.names() == []


def test_parked_car_after_its_charge_raises_no_notice_although_its_offer_falls():
    bench = Watched(limit_ma=32000).charge(draws_ma=31000)
    bench.draw(60)
    bench.minutes(1)
    bench.offer(6000)
    for _ in range(30):
        bench.minutes(1)
        assert bench.names() == []


def test_car_that_stays_at_6_a_when_more_is_offered_is_told():
    bench = Watched(limit_ma=32000).charge(draws_ma=31000)
    bench.offer(6000)
    bench.run(5000)
    bench.draw(6000)
    bench.minutes(5)
    bench.offer(32000)
    bench.minutes(9)
    assert bench.names() == []
    bench.minutes(2)
    assert bench.names() == ["under_charging"]


def test_time_does_not_count_while_the_contactor_is_open_or_the_meter_is_silent():
    bench = Watched(limit_ma=32000).charge(draws_ma=6000)
    bench.minutes(8)
    bench.known = False
    bench.minutes(5)
    assert bench.names() == []
    bench.known = True
    bench.shows = B
    bench.run(1000)
    bench.minutes(1)
    bench.shows = C
    bench.run(10000)
    bench.minutes(9)
    assert bench.names() == []
    bench.minutes(2)
    assert bench.names() == ["under_charging"]


# Full ------------------------------------------------------------------------------------------


def test_car_that_stopped_itself_10_minutes_ago_is_full_until_it_leaves():
    bench = Watched().charge(draws_ma=16000)
    bench.shows = B
    bench.run(1000)
    bench.minutes(9)
    assert bench.names() == []
    bench.minutes(2)
    assert bench.names() == ["full"]
    bench.shows = A
    bench.run(2000)
    assert bench.names() == []


def test_car_that_goes_on_is_not_full():
    bench = Watched().charge(draws_ma=16000)
    bench.shows = B
    bench.run(1000)
    bench.minutes(11)
    bench.shows = C
    bench.run(10000)
    bench.minutes(1)
    assert bench.names() == [] and bench.charging.contactor


def test_car_that_took_nothing_or_was_stopped_by_the_station_is_not_full():
    bench = Watched().charge()
    bench.wh = 50
    bench.shows = B
    bench.run(1000)
    bench.minutes(15)
    assert bench.names() == []
    bench = Watched().charge(draws_ma=16000)
    bench.enabled = False
    bench.run(1000)
    bench.shows = B
    bench.run(1000)
    bench.minutes(15)
    assert bench.names() == [] and not bench.charging.contactor


# The station -----------------------------------------------------------------------------------


def station(seconds, clock_set=True, waiting=0, oldest=0, notices=None, up_s=1000):
    notices = notices or Notices()
    for k in range(seconds):
        notices.station(up_s + k, clock_set, waiting, oldest)
    return notices, [name for k, name in enumerate(NAMES) if notices.mask >> k & 1]


def test_clock_has_5_minutes_after_the_start_to_be_set():
    assert station(300, clock_set=False, up_s=0)[1] == []
    assert station(301, clock_set=False, up_s=0)[1] == ["clock_unset"]
    assert station(301, clock_set=True, up_s=0)[1] == []


def test_record_that_waits_for_an_hour_is_told_until_it_is_acknowledged():
    assert station(3600, waiting=1, oldest=7)[1] == []
    notices, names = station(3601, waiting=1, oldest=7)
    assert names == ["records_waiting"]
    assert station(1, waiting=1, oldest=8, notices=notices)[1] == []


def test_records_that_come_and_are_acknowledged_are_not_told():
    notices = Notices()
    for seq in range(1, 20):
        assert station(1000, waiting=3, oldest=seq, notices=notices)[1] == []
        assert station(10, notices=notices)[1] == []


def test_many_records_are_told_at_once():
    assert station(1, waiting=20, oldest=1)[1] == []
    assert station(1, waiting=21, oldest=1)[1] == ["records_waiting"]


def test_setting_one_twice_is_no_news():
    notices = Notices()
    notices.set(5, True)
    changes = notices.changes
    notices.set(5, True)
    assert (notices.changes, notices.mask) == (changes, 32)
    notices.set(5, False)
    assert notices.mask == 0 and notices.changes != changes
