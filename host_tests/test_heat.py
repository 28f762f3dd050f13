"""Temperature: what it limits and stops, and what a broken sensor does."""

import pytest

from pilotwire.decide import fault_rows as rows
from pilotwire.decide import fault_table
from pilotwire.decide.faults import Faults
from pilotwire.decide.heat import Heat
from pilotwire.decide.limits import NONE_MA, TEMPERATURE, Limits
from pilotwire.decide.reading import Reading
from pilotwire.decide.session import Session
from small_int import Small

OPEN_DC, SHORT_DC = -1000, 2000
NO_SENSOR = Reading().temp_dc


class Desk:
    def __init__(self, full_ma=32000):
        self.r = Reading()
        self.faults = Faults(fault_table.compiled())
        self.limits = Limits(6000)
        self.heat = Heat(full_ma)
        self.at(25, 10)

    def at(self, celsius, seconds=1):
        """So warm for so long."""
        self.r.temp_dc = round(celsius * 10)
        for _ in range(seconds):
            self.faults.open_now = False
            self.heat.second(self.r, self.faults, self.limits)
            self.opens = self.faults.open_now
            self.faults.second(False)
        return self

    def to(self, celsius):
        """Slowly there, 5 K a second."""
        while abs(self.r.temp_dc / 10 - celsius) > 5:
            self.at(self.r.temp_dc / 10 + (5 if celsius > self.r.temp_dc / 10 else -5))
        return self.at(celsius)

    @property
    def ma(self):
        return self.limits.value_ma[TEMPERATURE]

    @property
    def shown(self):
        return fault_table.code(self.faults.worst) if self.faults.worst >= 0 else ""


@pytest.fixture
def desk():
    return Desk()


@pytest.mark.parametrize("celsius, ma, shown", [
    (-40, NONE_MA, ""), (25, NONE_MA, ""), (65, NONE_MA, ""), (65.1, 31500, "4-1"),
    (70, 23000, "4-1"), (72.5, 19000, "4-1"), (75, 14500, "4-1"), (79.9, 6000, "4-1"),
    (80, 6000, "4-1"), (84.9, 6000, "4-1"),
])
def test_full_current_up_to_65_falls_to_6_a_at_80(desk, celsius, ma, shown):
    desk.to(celsius)
    assert (desk.ma, desk.shown) == (ma, shown)
    assert not desk.faults.blocks


@pytest.mark.parametrize("full_ma", [6000, 10000, 63000, 80000])
def test_the_limit_lies_between_6_a_and_all(full_ma):
    desk = Desk(full_ma)
    desk.to(65)
    before = full_ma
    for tenth in range(650, 850):
        desk.at(tenth / 10)
        ma = min(desk.ma, full_ma)
        assert 6000 <= ma <= before
        before = ma
    assert before == 6000


def test_the_limit_does_not_follow_every_tenth(desk):
    desk.to(70)
    changes = desk.limits.changes
    for k in range(100):
        desk.at(70 - k % 10 / 10)
    assert desk.limits.changes == changes
    desk.at(68.9)
    assert desk.ma > 23000
    desk.to(63)
    assert (desk.ma, desk.shown) == (NONE_MA, "")


def test_85_stops_and_it_goes_on_30_s_after_it_has_been_below_60(desk):
    desk.to(85)
    assert desk.shown == "4-2" and desk.faults.blocks and not desk.opens
    desk.to(60).at(60, 100)
    assert desk.shown == "4-2"
    desk.at(59.9, 29)
    assert desk.shown == "4-2" and desk.faults.wait_s == 1
    desk.at(59.9)
    assert desk.shown == ""


def test_the_30_s_begin_anew_when_it_grows_warmer_again(desk):
    desk.to(85).to(59).at(59, 20)
    desk.at(60.5, 5).at(59, 29)
    assert desk.shown == "4-2"
    desk.at(59)
    assert desk.shown == ""


def test_95_opens_at_once(desk):
    desk.to(94.9)
    assert not desk.opens
    desk.at(95)
    assert desk.opens


@pytest.mark.parametrize("dc", [OPEN_DC, SHORT_DC, -401, 1251])
def test_a_sensor_out_of_range_is_4_3_and_16_a(desk, dc):
    desk.at(dc / 10)
    assert (desk.shown, desk.ma, desk.faults.blocks) == ("4-3", 16000, False)
    desk.at(dc / 10, 100)
    assert desk.shown == "4-3"


@pytest.mark.parametrize("dc", [-400, 1250])
def test_the_ends_of_the_range_are_in_it(dc):
    desk = Desk()
    desk.heat = Heat(32000)
    desk.at(dc / 10)
    assert not desk.faults.holds(rows.TEMP_SENSOR)


@pytest.mark.parametrize("dc", [OPEN_DC, SHORT_DC])
def test_a_sensor_that_was_never_good_is_4_3_from_the_start(dc):
    desk = Desk()
    desk.heat, desk.limits = Heat(32000), Limits(6000)
    desk.at(dc / 10)
    assert (desk.shown, desk.ma) == ("4-3", 16000)


def test_a_jump_is_4_3_until_the_sensor_has_been_steady_for_5_s(desk):
    desk.at(45.1)
    assert (desk.shown, desk.ma) == ("4-3", 16000)
    desk.at(45.1, 4)
    assert desk.shown == "4-3"
    desk.at(45.1)
    assert (desk.shown, desk.ma) == ("", NONE_MA)
    desk.at(65.1)  # 20 K are none
    assert desk.shown == "4-1"


def test_jumps_to_and_fro_are_never_believed(desk):
    for _ in range(50):
        assert desk.at(90).shown == "4-3"
        assert desk.at(25, 2).shown == "4-3"


def test_a_jump_that_stays_is_believed_after_5_s(desk):
    desk.at(90, 6)
    assert desk.shown == "4-2" and not desk.faults.holds(rows.TEMP_SENSOR)


@pytest.mark.parametrize("celsius, ma", [(25, 16000), (70, 16000), (78, 9000)])
def test_a_sensor_that_breaks_lets_go_of_nothing(desk, celsius, ma):
    desk.to(celsius)
    shown = desk.shown
    desk.at(OPEN_DC / 10, 60)
    assert desk.ma == ma
    assert desk.faults.holds(rows.WARM) == (shown == "4-1")


def test_hot_and_then_broken_stays_stopped_until_the_sensor_says_cool(desk):
    desk.to(86)
    desk.at(SHORT_DC / 10, 1000)
    assert desk.faults.holds(rows.TOO_HOT) and desk.faults.blocks
    desk.at(50, 5 + 29)
    assert desk.shown == "4-2"
    desk.at(50, 3)
    assert desk.shown == ""


def test_a_sensor_that_breaks_during_the_30_s_begins_them_anew(desk):
    desk.to(86).to(50).at(50, 25)
    desk.at(OPEN_DC / 10, 2)
    desk.at(50, 10)
    assert desk.shown == "4-2"


def test_warm_and_broken_in_one_second_show_the_warmth_first(desk):
    desk.to(70)
    desk.at(SHORT_DC / 10)
    assert desk.shown == "4-1" and desk.faults.active == 2


def test_before_the_first_reading_nothing_is_said():
    desk = Desk()
    desk.heat = Heat(32000)
    desk.at(NO_SENSOR / 10, 5)
    assert (desk.shown, desk.ma) == ("", NONE_MA)


def test_every_step_of_the_sums_is_a_small_int():
    heat = Heat(Small(80000))
    r, faults, limits = Reading(), Faults(fault_table.compiled()), Limits(6000)
    for dc in (-1000, -400, 250, 651, 799, 1250, 2000):
        for _ in range(8):
            r.temp_dc = Small(dc)
            heat.second(r, faults, limits)


# The record ------------------------------------------------------------------------------------


@pytest.mark.parametrize("temp_dc, chip_dc, most", [
    (NO_SENSOR, 415, 415), (700, 415, 700), (250, 415, 250), (OPEN_DC, 415, 415), (SHORT_DC, 415, 415),
])
def test_the_hottest_of_a_session_is_the_sensors_where_there_is_a_good_one(temp_dc, chip_dc, most):
    session, r = Session(), Reading()
    session.begin(1, 0, 0, 0)
    r.temp_dc, r.chip_dc = temp_dc, chip_dc
    session.second(r, 0, 1, 1)
    assert session.temp_dc == most
