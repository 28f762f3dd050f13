"""The smallest limit in force, what follows an expired command, and what energy costs."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotwire.decide import limits
from pilotwire.decide.limits import NAMES, NONE_MA, Limits
from pilotwire.decide.tariff import cost_minor

SOURCES = range(len(NAMES))


@pytest.fixture
def station():
    station = Limits(6000)
    station.set(limits.BOARD, 63000)
    station.set(limits.INSTALLATION, 32000)
    return station


def test_smallest_source_holds_and_is_named(station):
    station.set(limits.COMMAND, 10000)
    assert (station.ma, NAMES[station.which]) == (10000, "command")
    station.set(limits.CABLE, 20000)
    assert (station.ma, NAMES[station.which]) == (10000, "command")
    station.drop(limits.COMMAND)
    assert (station.ma, NAMES[station.which]) == (20000, "cable")


@given(st.lists(st.tuples(st.sampled_from(SOURCES), st.integers(0, 80000) | st.just(NONE_MA))))
def test_limit_is_the_minimum_whatever_the_order(settings):
    station = Limits(6000)
    in_force = {}
    for source, ma in settings:
        station.set(source, ma)
        in_force[source] = ma
        if source == limits.COMMAND and ma != NONE_MA:
            in_force[limits.FAIL_SAFE] = NONE_MA
        assert station.ma == min(in_force.values())
        assert in_force.get(station.which, NONE_MA) == station.ma


def test_command_holds_until_its_last_second_then_the_fail_safe_takes_its_place(station):
    station.set(limits.COMMAND, 16000, 100)
    station.second(99)
    assert (station.ma, NAMES[station.which]) == (16000, "command")
    station.second(100)
    assert (station.ma, NAMES[station.which]) == (6000, "fail-safe")
    station.second(5000)
    assert station.ma == 6000


def test_seconds_that_were_missed_still_expire_a_command(station):
    station.set(limits.COMMAND, 16000, 100)
    station.second(170)
    assert NAMES[station.which] == "fail-safe"


def test_fresh_command_ends_the_fail_safe(station):
    station.set(limits.COMMAND, 16000, 100)
    station.second(100)
    station.set(limits.COMMAND, 20000, 200)
    assert (station.ma, NAMES[station.which]) == (20000, "command")


def test_fresh_command_is_good_for_its_own_time(station):
    station.set(limits.COMMAND, 16000, 100)
    station.set(limits.COMMAND, 20000, 200)
    station.second(150)
    assert station.ma == 20000


def test_fail_safe_never_raises_the_limit():
    station = Limits(16000)
    station.set(limits.INSTALLATION, 10000)
    station.set(limits.COMMAND, 0, 10)
    station.second(10)
    assert (station.ma, NAMES[station.which]) == (10000, "installation")


def test_source_without_expiry_stays(station):
    station.set(limits.CONFIG, 20000)
    station.second(1 << 29)
    assert station.ma == 20000


@pytest.mark.parametrize("source", SOURCES)
def test_what_protects_is_urgent_and_what_regulates_is_not(source):
    station = Limits(6000)
    station.set(source, 7000)
    urgent = ("board", "installation", "cable", "temperature", "imbalance", "fail-safe", "meter",
              "wiring")
    assert (station.urgent_ma == 7000) == (NAMES[source] in urgent)


def test_changes_are_counted_only_when_something_changes(station):
    before = station.changes
    station.set(limits.COMMAND, 50000)
    assert station.changes == before
    station.set(limits.COMMAND, 8000)
    station.set(limits.COMMAND, 8000)
    assert station.changes == before + 1


# Tariff ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wh", "price_c", "minor"),
    [
        (0, 3025, 0), (1000, 3025, 30), (10000, 3025, 303), (20000, 3025, 605), (1, 3025, 0),
        (16, 3025, 0), (17, 3025, 1), (100, 500, 1), (99, 500, 0), (12345, 3025, 373), (1000, 0, 0),
    ],
)
def test_cost_of_some_charges(wh, price_c, minor):
    assert cost_minor(wh, price_c) == minor


@given(st.integers(0, 4_000_000_000), st.integers(0, 500_000))
def test_cost_is_the_exact_product_rounded_half_up(wh, price_c):
    exact = Fraction(wh * price_c, 100_000)
    assert cost_minor(wh, price_c) == int(exact + Fraction(1, 2))
