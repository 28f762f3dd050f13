"""The residual current monitor's self-test: always before a closing, never in its way for long."""

import random

import pytest

from bench_car import Bench
from fault_station import Faulty
from pilotwire.charger import ROOT
from pilotwire.decide import fault_rows
from pilotwire.decide.leakage import Leakage
from pilotwire.decide.letters import A, C

SINGLE = ROOT / "boards/reference-1p/board.json"
DAY_MS = 86_400_000


@pytest.fixture
def station(tmp_path):
    with Faulty(tmp_path / "station") as station:
        yield station


def runs(station, since_us=0):
    """[(began, ended)] of the tests, us."""
    events = station.seen("rcm_test", since_us)
    assert [e["on"] for e in events] == [True, False] * (len(events) // 2)
    return [(on["us"], off["us"]) for on, off in zip(events[::2], events[1::2], strict=True)]


def test_it_runs_at_the_start_and_before_every_closing_with_the_contactor_open(station):
    (first,) = runs(station)
    assert first[1] < 3_000_000
    for _ in range(4):
        station.plug(3)
        station.unplug(9)
    all_runs = runs(station)
    before_us = 0
    for closed_us in station.closings():
        opened_us = closed_us + 1000 * station.opened_after_ms(closed_us)
        assert any(before_us < on and off < closed_us for on, off in all_runs)
        assert not any(on < opened_us and off > closed_us for on, off in all_runs)
        before_us = opened_us
    assert len(station.closings()) == 4


def test_it_is_repeated_for_a_car_that_comes_or_asks_after_a_minute(station):
    station.charger.advance(120)
    station.charger.do("plug", "generic")
    station.charger.advance(1)
    assert len(runs(station)) == 2  # it came
    station.charger.advance(40)
    assert len(runs(station)) == 2  # it waits
    station.charger.advance(40)
    asks_us = station.charger.us
    station.charger.do("s2", True)
    station.charger.advance(3)
    assert len(runs(station, asks_us)) == 1  # it asks
    assert runs(station, asks_us)[0][1] < station.closings()[0]


@pytest.mark.parametrize("answer_ms", [10, 120, 480])
@pytest.mark.parametrize("waits_s", [1, 90])
def test_the_contactor_closes_within_3_s_of_the_cars_asking(station, answer_ms, waits_s):
    station.inject("rcd_test_slow", 100, value=answer_ms)
    station.charger.do("plug", "generic")
    station.charger.advance(waits_s)
    asks_us = station.charger.us
    station.charger.do("s2", True)
    station.charger.advance(4)
    (closed_us,) = station.closings()
    assert 500 <= (closed_us - asks_us) / 1000 <= (700 if answer_ms < 480 else 2000)
    assert all(off < closed_us for _, off in runs(station))
    assert len(runs(station, asks_us)) == (waits_s > 60)


def test_a_car_that_comes_while_it_runs_changes_nothing(station):
    rng = random.Random(4)
    print("seed 4")
    for _ in range(8):
        station.charge(seconds=3)
        unplug_us = station.charger.us
        station.unplug()
        while len(station.seen("rcm_test", unplug_us)) < 1:  # after the opening
            station.charger.advance(0.01)
        station.charger.at(station.charger.us + rng.randrange(150_000), "plug", "no_s2")
        station.charger.advance(12)
        assert station.codes() == []
        assert len(station.closings(unplug_us)) == 1
        station.unplug(8)


def test_an_answer_that_is_missing_is_7_1_and_nothing_closes(station):
    station.inject("rcd_test_fails")
    station.plug(3)  # the last test still holds
    assert station.closed()
    station.unplug(5)
    assert station.codes() == ["7-1"]
    at_us = station.charger.us
    station.plug(300)
    assert not station.closings(at_us)
    assert [codes for _, codes in station.code_log] == [["7-1"]]
    assert station.shows("7-1")


def test_a_line_that_stays_after_the_test_is_7_1_and_no_trip(station):
    station.inject("rcd_test_stuck")
    station.charge(seconds=3)
    station.unplug(5)
    at_us = station.charger.us
    station.plug(100)
    assert not station.closings(at_us)
    station.cut_power()
    station.charger.advance(60)
    assert not station.closings(at_us)
    assert {code for _, codes in station.code_log for code in codes} == {"7-1"}
    assert station.codes() == ["7-1"]


@pytest.mark.parametrize("answer_ms, codes", [(480, []), (530, ["7-1"])])
def test_500_ms_are_the_limit_and_a_late_answer_is_no_trip(station, answer_ms, codes):
    station.inject("rcd_test_slow", value=answer_ms)
    station.charge(seconds=3)
    station.unplug(60)
    assert station.codes() == codes
    assert {code for _, held in station.code_log for code in held} == set(codes)


def test_power_off_and_on_clears_a_failure_if_the_test_then_passes(station):
    station.inject("rcd_test_fails")
    station.charge(seconds=3)
    station.unplug(5)
    assert station.codes() == ["7-1"]
    station.clear("rcd_test_fails")
    station.charger.advance(600)
    assert station.codes() == ["7-1"]
    station.cut_power()
    assert station.codes() == []
    station.plug(10)
    assert station.closed()


def test_the_third_failure_in_a_row_stays_until_service_comes(station):
    station.inject("rcd_test_fails")
    for _ in range(3):
        station.cut_power()
        assert station.codes() == ["7-1"]
    station.clear("rcd_test_fails")
    station.cut_power()
    station.plug(60)
    assert station.codes() == ["7-1"] and not station.closings()


def test_a_pass_between_counts_the_failures_anew_also_over_power_cuts(station):
    for _ in range(4):
        station.inject("rcd_test_fails")
        station.cut_power()
        assert station.codes() == ["7-1"]
        station.clear("rcd_test_fails")
        station.cut_power()
        assert station.codes() == []


def test_a_monitor_that_needs_2_s_after_its_supply_came_is_no_fault(station):
    station.charger.do("power", "off")
    station.inject("rcd_ac", 2)
    station.charger.do("power", "on")
    station.charger.advance(3)  # 1 s of them until the firmware runs
    station.clear("rcd_ac", 5)
    assert station.code_log == []
    station.charge(seconds=3)


def test_a_trip_while_it_runs_is_no_fault(station):
    station.charge(seconds=3)
    unplug_us = station.charger.us
    station.unplug()
    while not station.seen("rcm_test", unplug_us):
        station.charger.advance(0.01)
    for fault in ("rcd_ac", "rcd_dc"):
        station.pulse(station.charger.us, fault, 200_000)
    station.charger.advance(10)
    assert station.codes() == []
    station.plug(5)
    assert station.closed()


def test_a_trip_that_outlasts_the_test_never_closes(station):
    station.charge(seconds=3)
    unplug_us = station.charger.us
    station.unplug()
    while not station.seen("rcm_test", unplug_us):
        station.charger.advance(0.01)
    station.inject("rcd_ac", 5)
    assert station.codes() == ["7-1"]
    station.plug(60)
    assert not station.closings(unplug_us)


def test_a_dynamic_drive_and_one_line_for_both_are_tested_too(tmp_path):
    with Faulty(tmp_path / "s", board=SINGLE) as station:
        station.charge(seconds=3)
        station.unplug(5)
        assert len(runs(station)) == 2
        station.inject("rcd_test_fails")
        station.plug(3)
        station.unplug(5)
        assert station.codes() == ["7-1"]


@pytest.mark.parametrize("how", ["wdt", "soft"])
def test_a_reset_in_the_midst_of_a_test_is_followed_by_a_whole_one(station, how):
    """The test input keeps its level through a reset: at the start the lines are still active."""
    station.inject("rcd_test_slow", value=300)
    station.charge(seconds=3)
    unplug_us = station.charger.us
    station.unplug()
    while not station.seen("rcm_test", unplug_us):
        station.charger.advance(0.01)
    station.charger.do("reset", how)
    station.charger.advance(10)
    assert station.codes() == ["7-5"]  # the restart itself; for 30 s
    assert len(runs(station, unplug_us)) == 2
    station.charger.advance(30)
    assert station.codes() == []


# Decisions alone -------------------------------------------------------------------------------


class Monitor(Bench):
    """The bench with a monitor: two lines that follow the test after 100 ms."""

    def __init__(self):
        self.leakage = None
        self.answers = 3  # lines that do
        self.log_tests = []
        self._levels = [0] * 10
        super().__init__()
        self.leakage = Leakage(3)

    def tick(self, dt_ms=10):
        if self.leakage:
            self._levels.append(self.answers if self.leakage.test else 0)
            self.reading.lines = self._levels.pop(0)
            test = self.leakage.test
            self.leakage.step(self.reading, self.charging, self.faults, dt_ms)
            if self.leakage.test and not test:
                self.log_tests.append(self.now_ms)
            self.may_close = self.leakage.ready
        super().tick(dt_ms)


def test_without_a_car_it_runs_every_24_h():
    bench = Monitor()
    bench.run(3 * DAY_MS, dt_ms=10_000)  # a look every 10 s is enough for this
    gaps = [b - a for a, b in zip(bench.log_tests, bench.log_tests[1:], strict=False)]
    assert len(gaps) >= 2 and all(DAY_MS <= gap <= DAY_MS + 600_000 for gap in gaps)


@pytest.mark.parametrize("answers", [0, 1, 2])
def test_every_line_must_answer(answers):
    bench = Monitor()
    bench.answers = answers
    bench.run(1000)
    assert bench.shown() == "7-1"


def test_a_stray_sample_is_no_answer():
    bench = Monitor()
    bench.answers = 0
    for _ in range(40):
        bench._levels[3] = 3
        bench.run(20)
    assert bench.shown() == "7-1"


def test_a_stall_is_not_held_against_the_monitor():
    bench = Monitor()
    bench.run(50)
    bench.tick(900)
    bench.run(1000)
    assert bench.shown() == "" and bench.leakage.ready


def test_a_cleared_failure_is_tested_again_before_anything_else():
    bench = Monitor()
    bench.answers = 0
    bench.run(1000)
    for _ in range(2):
        bench.faults.clear(fault_rows.RCD_TEST)
        assert bench.shown() == ""
        bench.run(1000)
        assert bench.shown() == "7-1"
    bench.answers = 3
    bench.plug(C)
    bench.run(20000)
    assert bench.shown() == "7-1"  # the third was one too many
    bench.faults.clear(fault_rows.RCD_TEST, service=True)
    bench.until(lambda b: b.charging.contactor)
    assert bench.faults.tries[fault_rows.RCD_TEST] == 0


def test_after_an_opening_it_waits_1_s():
    bench = Monitor()
    bench.charge()
    bench.log_tests.clear()
    bench.shows = A
    bench.until(lambda b: not b.charging.contactor)
    opened_ms = bench.now_ms
    bench.run(900)
    assert not bench.leakage.ready
    bench.run(2100)
    assert bench.leakage.ready
    assert len(bench.log_tests) == 1
    assert 1000 <= bench.log_tests[0] - opened_ms <= 1050
