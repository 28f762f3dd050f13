"""The latch: how each class of fault goes away, which one is shown, and what the table says."""

import pytest

from pilotwire.decide import fault_table as table
from pilotwire.decide.faults import Faults


@pytest.fixture
def faults():
    return Faults()


def seconds(faults, count, in_a=False):
    for _ in range(count):
        faults.second(in_a)


def cycle(faults, row):
    faults.raise_(row)
    faults.gone(row)


# Classes ---------------------------------------------------------------------------------------


def test_w_warns_and_is_gone_with_its_cause(faults):
    faults.raise_(table.METER_LOST)
    assert (faults.active, faults.blocks, faults.open_now) == (1, False, False)
    seconds(faults, 100)
    assert faults.holds(table.METER_LOST)
    faults.gone(table.METER_LOST)
    assert (faults.active, faults.worst) == (0, -1)


def test_a_clears_after_its_healthy_seconds_however_often(monkeypatch):
    assert "|x1|T|60|3|Signal" in table.TABLE
    changed = table.TABLE.replace("|x1|T|60|3|Signal", "|x1|A|30|0|Signal")
    monkeypatch.setattr(table, "TABLE", changed)
    faults = Faults()
    for _ in range(10):
        cycle(faults, table.PILOT_NOISY)
        assert faults.wait_s == 30
        seconds(faults, 29)
        assert faults.blocks
        assert faults.wait_s == 1
        seconds(faults, 1)
        assert not faults.blocks


def test_t_clears_after_60_s_three_times_and_then_waits_for_unplugging(faults):
    for _ in range(3):
        cycle(faults, table.SOFT_OVER_CURRENT)
        assert faults.wait_s == 60
        seconds(faults, 59)
        assert (faults.blocks, faults.wait_s) == (True, 1)
        seconds(faults, 1)
        assert (faults.blocks, faults.wait_s) == (False, -1)
    cycle(faults, table.SOFT_OVER_CURRENT)
    assert faults.wait_s == -1
    seconds(faults, 1000)
    assert faults.blocks
    seconds(faults, 3, in_a=True)
    assert not faults.blocks


def test_t_clears_early_when_the_car_leaves(faults):
    cycle(faults, table.SOFT_OVER_CURRENT)
    seconds(faults, 3, in_a=True)
    assert not faults.blocks


def test_t_waits_while_its_cause_is_there(faults):
    faults.raise_(table.PILOT_NOISY)
    seconds(faults, 1000)
    assert (faults.blocks, faults.wait_s) == (True, -1)
    faults.gone(table.PILOT_NOISY)
    assert faults.wait_s == 60


def test_t_counts_its_seconds_anew_when_the_cause_comes_back(faults):
    cycle(faults, table.PILOT_NOISY)
    seconds(faults, 50)
    cycle(faults, table.PILOT_NOISY)
    seconds(faults, 50)
    assert faults.blocks
    seconds(faults, 10)
    assert not faults.blocks


def test_u_waits_until_the_car_has_been_away_for_3_s(faults):
    cycle(faults, table.OVER_CURRENT)
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
    cycle(faults, table.OVER_CURRENT)
    seconds(faults, 2, in_a=True)
    assert faults.blocks
    seconds(faults, 1, in_a=True)
    assert not faults.blocks


def test_u_does_not_clear_while_its_cause_is_there(faults):
    faults.raise_(table.PILOT_SHORT)
    seconds(faults, 100, in_a=True)
    assert faults.blocks


@pytest.mark.parametrize("row", [table.WELDED, table.PILOT_GENERATOR])
def test_s_stays_until_the_next_start(faults, row):
    cycle(faults, row)
    seconds(faults, 100000, in_a=True)
    assert (faults.blocks, faults.wait_s) == (True, -1)


# What is shown and demanded --------------------------------------------------------------------


def test_worst_is_shown_first_in_whatever_order_they_came(faults):
    for row in (table.STORAGE, table.SOFT_OVER_CURRENT, table.METER_LOST, table.PILOT_SHORT):
        faults.raise_(row)
    assert (faults.worst, faults.active) == (table.PILOT_SHORT, 4)
    faults.gone(table.PILOT_SHORT)
    seconds(faults, 3, in_a=True)
    assert (faults.worst, faults.active) == (table.SOFT_OVER_CURRENT, 3)


def test_countdown_is_that_of_the_worst(faults):
    cycle(faults, table.SOFT_OVER_CURRENT)
    seconds(faults, 20)
    assert faults.wait_s == 40
    cycle(faults, table.OVER_CURRENT)
    assert faults.wait_s == -1


def test_opening_at_once_is_demanded_as_long_as_such_a_fault_holds(faults):
    faults.raise_(table.SOFT_OVER_CURRENT)
    assert (faults.blocks, faults.open_now) == (True, False)
    cycle(faults, table.OVER_CURRENT)
    assert (faults.blocks, faults.open_now) == (True, True)
    seconds(faults, 3, in_a=True)
    assert (faults.blocks, faults.open_now) == (True, False)


@pytest.mark.parametrize("row", range(table.COUNT))
def test_state_f_is_due_once_where_the_row_asks_for_it(faults, row):
    faults.raise_(row)
    assert faults.wants_f == (table.cell(row, table.PILOT) == "f")
    faults.wants_f = False
    cycle(faults, row)
    cycle(faults, row)
    assert not faults.wants_f or table.cell(row, table.CLEARS) == "W"


def test_raising_again_is_no_news(faults):
    faults.raise_(table.STORAGE)
    changes = faults.changes
    faults.raise_(table.STORAGE)
    assert faults.changes == changes
    faults.gone(table.STORAGE)
    assert faults.changes != changes


def test_session_lists_faults_that_were_there_when_it_began_and_that_came(faults):
    faults.raise_(table.METER_LOST)
    cycle(faults, table.STORAGE)
    faults.session_begins()
    assert faults.session_mask == 1 << table.METER_LOST
    cycle(faults, table.PILOT_NOISY)
    faults.gone(table.METER_LOST)
    assert faults.session_mask == 1 << table.METER_LOST | 1 << table.PILOT_NOISY
    assert faults.mask() == 1 << table.PILOT_NOISY


def test_stop_reason_is_that_of_the_worst(faults):
    assert faults.stop_reason() == "Other"
    faults.raise_(table.OVER_CURRENT)
    faults.raise_(table.STORAGE)
    assert faults.stop_reason() == "OvercurrentFault"


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
    assert (int(row["tries"]) > 0) == (row["clears"] == "T")
    assert all(row.values())


def test_every_row_has_its_number():
    assert len(ROWS) == table.COUNT
    for name, code in [
        ("WELDED", "7-3"), ("PILOT_GENERATOR", "7-2"), ("NO_CLOSE", "7-4"), ("OVER_CURRENT", "6-2"),
        ("PILOT_SHORT", "1-1"), ("DIODE", "1-2"), ("PILOT_NOISY", "1-3"),
        ("SOFT_OVER_CURRENT", "6-1"), ("METER_LOST", "8-1"), ("STORAGE", "8-3"),
    ]:
        assert table.code(getattr(table, name)) == code


def test_every_column_has_its_number():
    names = "CODE NAME SEVERITY OPEN WITHIN_MS PILOT CLEARS WAIT_S TRIES".split()
    names += "TEXT DO OCPP16 MREC OCPP2 EVEREST STOP".split()
    assert [table.cell(-1, getattr(table, name)) for name in names] == [n.lower() for n in names]


def test_codes_are_unique_and_red_rows_come_first():
    assert len({row["code"] for row in ROWS}) == len(ROWS)
    severities = [row["severity"] for row in ROWS]
    assert severities == sorted(severities, reverse=True)
