"""The latch: how each class of fault goes away, which one is shown, and what the table says."""

import pytest

from pilotwire.decide import fault_rows as rows
from pilotwire.decide import fault_table as table
from pilotwire.decide import faults as latch
from pilotwire.decide.faults import Faults
from pilotwire.tell import faults_en


@pytest.fixture
def faults():
    return Faults(table.compiled())


def seconds(faults, count, in_a=False):
    for _ in range(count):
        faults.second(in_a)


def cycle(faults, row):
    faults.raise_(row)
    faults.gone(row)


# Classes ---------------------------------------------------------------------------------------


def test_w_warns_and_is_gone_with_its_cause(faults):
    faults.raise_(rows.METER_LOST)
    assert (faults.active, faults.blocks, faults.open_now) == (1, False, False)
    seconds(faults, 100)
    assert faults.holds(rows.METER_LOST)
    faults.gone(rows.METER_LOST)
    assert (faults.active, faults.worst) == (0, -1)


def test_a_clears_after_its_healthy_seconds_however_often(faults):
    for _ in range(10):
        cycle(faults, rows.OVER_VOLTAGE)
        assert faults.wait_s == 30
        seconds(faults, 29)
        assert faults.blocks
        assert faults.wait_s == 1
        seconds(faults, 1)
        assert not faults.blocks


def test_t_clears_after_60_s_three_times_and_then_waits_for_unplugging(faults):
    for _ in range(3):
        cycle(faults, rows.SOFT_OVER_CURRENT)
        assert faults.wait_s == 60
        seconds(faults, 59)
        assert (faults.blocks, faults.wait_s) == (True, 1)
        seconds(faults, 1)
        assert (faults.blocks, faults.wait_s) == (False, -1)
    cycle(faults, rows.SOFT_OVER_CURRENT)
    assert faults.wait_s == -1
    seconds(faults, 1000)
    assert faults.blocks
    seconds(faults, 3, in_a=True)
    assert not faults.blocks


def test_t_clears_early_when_the_car_leaves(faults):
    cycle(faults, rows.SOFT_OVER_CURRENT)
    seconds(faults, 3, in_a=True)
    assert not faults.blocks


def test_t_waits_while_its_cause_is_there(faults):
    faults.raise_(rows.PILOT_NOISY)
    seconds(faults, 1000)
    assert (faults.blocks, faults.wait_s) == (True, -1)
    faults.gone(rows.PILOT_NOISY)
    assert faults.wait_s == 60


def test_t_counts_its_seconds_anew_when_the_cause_comes_back(faults):
    cycle(faults, rows.PILOT_NOISY)
    seconds(faults, 50)
    cycle(faults, rows.PILOT_NOISY)
    seconds(faults, 50)
    assert faults.blocks
    seconds(faults, 10)
    assert not faults.blocks


def test_u_waits_until_the_car_has_been_away_for_3_s(faults):
    cycle(faults, rows.OVER_CURRENT)
    seconds(faults, 1000)
    assert (faults.blocks, faults.wait_s) == (True, -1)
    seconds(faults, 2, in_a=True)
    seconds(faults, 1)
    seconds(faults, 2, in_a=True)
    assert faults.blocks
    seconds(faults, 1, in_a=True)
    assert not faults.blocks


def test_u_counts_its_3_s_without_a_car_from_the_fault_on(faults):
    seconds(faults, 2, in_a=True)
    cycle(faults, rows.OVER_CURRENT)
    seconds(faults, 2, in_a=True)
    assert faults.blocks
    seconds(faults, 1, in_a=True)
    assert not faults.blocks


def test_u_does_not_clear_while_its_cause_is_there(faults):
    faults.raise_(rows.PILOT_SHORT)
    seconds(faults, 100, in_a=True)
    assert faults.blocks


def test_s_waits_for_somebody_and_clears_only_when_its_cause_is_gone(faults):
    faults.raise_(rows.PILOT_GENERATOR)
    assert faults.clear(rows.PILOT_GENERATOR) == latch.STILL_THERE
    faults.gone(rows.PILOT_GENERATOR)
    seconds(faults, 100000, in_a=True)
    assert (faults.blocks, faults.wait_s) == (True, -1)
    assert faults.clear(rows.PILOT_GENERATOR) == latch.CLEARED
    assert not faults.blocks


def test_s_becomes_p_at_the_third_failure_unless_the_test_passes_between(faults):
    row = rows.RCD_TEST
    for passes, third in ((False, latch.SERVICE), (True, latch.CLEARED)):
        faults.restore(0, bytes(rows.COUNT))
        for _ in range(2):
            cycle(faults, row)
            assert faults.clear(row) == latch.CLEARED
            if passes:
                faults.passed(row)
        cycle(faults, row)
        assert faults.clear(row) == third
        if third == latch.SERVICE:
            assert faults.clear(row, service=True) == latch.CLEARED


def test_p_waits_for_service(faults):
    cycle(faults, rows.WELDED)
    seconds(faults, 100000, in_a=True)
    assert faults.clear(rows.WELDED) == latch.SERVICE
    assert faults.blocks
    assert faults.clear(rows.WELDED, service=True) == latch.CLEARED
    assert not faults.blocks


def test_t_with_its_tries_used_up_waits_as_the_table_says(faults):
    for row, then in ((rows.SOFT_OVER_CURRENT, latch.UNPLUG), (rows.NO_CLOSE, latch.CLEARED)):
        for _ in range(3):
            cycle(faults, row)
            seconds(faults, 60)
        cycle(faults, row)
        seconds(faults, 1000)
        assert faults.holds(row)
        assert faults.clear(row) == then


@pytest.mark.parametrize("row, answer", [
    (rows.OVER_CURRENT, latch.UNPLUG), (rows.OVER_VOLTAGE, latch.BY_ITSELF),
    (rows.SOFT_OVER_CURRENT, latch.CLEARED), (rows.WELDED, latch.SERVICE),
    (rows.PILOT_GENERATOR, latch.CLEARED),
])
def test_asking_clears_only_what_its_class_allows(faults, row, answer):
    assert faults.clear(row) == latch.NOT_THERE
    faults.raise_(row)
    assert faults.clear(row, service=True) == latch.STILL_THERE
    faults.gone(row)
    assert faults.clear(row) == answer
    assert faults.holds(row) == (answer != latch.CLEARED)


def test_asking_uses_up_a_retry(faults):
    for _ in range(3):
        cycle(faults, rows.SOFT_OVER_CURRENT)
        assert faults.clear(rows.SOFT_OVER_CURRENT) == latch.CLEARED
    cycle(faults, rows.SOFT_OVER_CURRENT)
    assert faults.clear(rows.SOFT_OVER_CURRENT) == latch.UNPLUG


def test_ul_profile_retries_residual_current_after_15_min_four_times():
    faults = Faults(table.compiled(ul=True))
    for _ in range(4):
        cycle(faults, rows.RCD_AC)
        assert faults.wait_s == 900
        seconds(faults, 899)
        assert faults.blocks
        seconds(faults, 1)
        assert not faults.blocks
    cycle(faults, rows.RCD_AC)
    seconds(faults, 10000)
    assert faults.blocks
    assert faults.clear(rows.RCD_AC) == latch.UNPLUG


def test_iec_profile_never_retries_residual_current(faults):
    cycle(faults, rows.RCD_AC)
    seconds(faults, 10000)
    assert faults.blocks


@pytest.mark.parametrize("row", range(rows.COUNT))
def test_latch_over_a_power_cut_holds_t_u_and_p_and_their_tries(row):
    faults = Faults(table.compiled())
    cycle(faults, row)
    faults.tries[row] += 1
    kept, tries = faults.latch(), bytes(faults.tries)
    after = Faults(table.compiled())
    after.restore(kept, tries)
    assert after.holds(row) == (chr(faults.how(row)) in "TUP")
    assert after.tries == faults.tries and after.how(row) == faults.how(row)
    assert after.blocks == after.holds(row)


# What is shown and demanded --------------------------------------------------------------------


def test_worst_is_shown_first_in_whatever_order_they_came(faults):
    for row in (rows.STORAGE, rows.SOFT_OVER_CURRENT, rows.METER_LOST, rows.PILOT_SHORT):
        faults.raise_(row)
    assert (faults.worst, faults.active) == (rows.PILOT_SHORT, 4)
    faults.gone(rows.PILOT_SHORT)
    seconds(faults, 3, in_a=True)
    assert (faults.worst, faults.active) == (rows.SOFT_OVER_CURRENT, 3)


def test_countdown_is_that_of_the_worst(faults):
    cycle(faults, rows.SOFT_OVER_CURRENT)
    seconds(faults, 20)
    assert faults.wait_s == 40
    cycle(faults, rows.OVER_CURRENT)
    assert faults.wait_s == -1


def test_opening_at_once_is_demanded_as_long_as_such_a_fault_holds(faults):
    faults.raise_(rows.SOFT_OVER_CURRENT)
    assert (faults.blocks, faults.open_now) == (True, False)
    cycle(faults, rows.OVER_CURRENT)
    assert (faults.blocks, faults.open_now) == (True, True)
    seconds(faults, 3, in_a=True)
    assert (faults.blocks, faults.open_now) == (True, False)


@pytest.mark.parametrize("row", range(rows.COUNT))
def test_state_f_is_due_once_where_the_row_asks_for_it(faults, row):
    faults.raise_(row)
    assert faults.wants_f == (table.cell(row, table.PILOT) == "f")
    faults.wants_f = False
    cycle(faults, row)
    cycle(faults, row)
    assert not faults.wants_f or table.cell(row, table.CLEARS) == "W"


def test_raising_again_is_no_news(faults):
    faults.raise_(rows.STORAGE)
    changes = faults.changes
    faults.raise_(rows.STORAGE)
    assert faults.changes == changes
    faults.gone(rows.STORAGE)
    assert faults.changes != changes


def test_session_lists_faults_that_were_there_when_it_began_and_that_came(faults):
    faults.raise_(rows.METER_LOST)
    cycle(faults, rows.STORAGE)
    faults.session_begins()
    assert faults.session_mask == 1 << rows.METER_LOST
    cycle(faults, rows.PILOT_NOISY)
    faults.gone(rows.METER_LOST)
    assert faults.session_mask == 1 << rows.METER_LOST | 1 << rows.PILOT_NOISY
    assert faults.mask() == 1 << rows.PILOT_NOISY


# The table -------------------------------------------------------------------------------------


HEADER = table.TABLE.splitlines()[0].split("|")
ROWS = [dict(zip(HEADER, line.split("|"), strict=True)) for line in table.TABLE.splitlines()[1:]]


@pytest.mark.parametrize("row", ROWS, ids=[row["code"] for row in ROWS])
def test_row_is_consistent_and_can_be_blinked(row):
    major, minor = map(int, row["code"].split("-"))
    assert 1 <= major <= 8 and 1 <= minor <= 7
    assert row["severity"] in ("red", "amber")
    assert row["pilot"] in ("pwm", "x1", "f")
    assert row["clears"] in tuple("WATUSP")
    assert row["open"] in (("1", "2") if row["severity"] == "red" else ("0",))
    assert (row["pilot"] == "pwm") == (row["severity"] == "amber")
    assert (int(row["wait_s"]) > 0) == (row["clears"] in "AT")
    assert (int(row["tries"]) > 0) == (row["then"] != "-")
    assert int(row["tries"]) > 0 or row["clears"] != "T"
    assert row["then"] in ("-", "U", "S", "P")
    assert all(row.values())


def test_every_row_has_its_number():
    assert len(ROWS) == rows.COUNT
    names = [n for n in vars(rows) if n.isupper() and n != "COUNT"]
    assert sorted(getattr(rows, name) for name in names) == list(range(rows.COUNT))
    for name, code in [
        ("WELDED", "7-3"), ("FIRMWARE", "7-7"), ("CONFIG", "7-6"), ("RCD_TEST", "7-1"),
        ("RCD_AC", "2-1"), ("RCD_DC", "2-2"), ("EARTH", "3-1"), ("OPEN_PEN", "3-2"),
        ("PILOT_GENERATOR", "7-2"), ("NO_CLOSE", "7-4"), ("OVER_CURRENT", "6-2"),
        ("PILOT_SHORT", "1-1"), ("DIODE", "1-2"), ("LOCK", "1-6"), ("PROXIMITY", "1-4"),
        ("PILOT_NOISY", "1-3"), ("OVER_VOLTAGE", "5-1"), ("UNDER_VOLTAGE", "5-2"),
        ("PHASE_LOSS", "5-3"), ("TOO_HOT", "4-2"), ("METER_WRONG", "8-2"), ("NOT_STOPPING", "6-3"),
        ("SOFT_OVER_CURRENT", "6-1"), ("VENTILATION", "1-5"), ("RESETS", "7-5"), ("WARM", "4-1"),
        ("TEMP_SENSOR", "4-3"), ("METER_LOST", "8-1"), ("STORAGE", "8-3"), ("TAMPER", "8-4"),
    ]:
        assert table.code(getattr(rows, name)) == code


def test_every_column_has_its_number():
    for at, name in enumerate(HEADER):
        assert getattr(table, name.upper()) == at


def test_stop_reason_of_a_session_is_the_rows():
    assert table.stop_reason(rows.OVER_CURRENT) == "OvercurrentFault"
    assert table.stop_reason(rows.RCD_AC) == "GroundFault"


def test_every_code_has_its_words():
    codes = [line.split("|")[0] for line in faults_en.TABLE.splitlines()]
    assert codes == sorted(row["code"] for row in ROWS)
    assert faults_en.words("6-2") == ["Car took too much current", "Unplug, then plug in again"]


def test_codes_are_unique_and_red_rows_come_first():
    assert len({row["code"] for row in ROWS}) == len(ROWS)
    severities = [row["severity"] for row in ROWS]
    assert severities == sorted(severities, reverse=True)
