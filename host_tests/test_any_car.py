"""After every tick of any car's life the rules of car_rules.py hold. PILOTWIRE_SEED=n tries others."""

import os

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from any_car import AnyCar

FIRST_SEED = int(os.environ.get("PILOTWIRE_SEED", "0"))
STEPS = 60
TEST_TICKS = 100_000
SOAK_TICKS = 1_000_000
NEXT_SEED = 10007
FAULTS = {  # that the bench has
    "1-1", "1-2", "1-3", "1-4", "1-5", "5-1", "5-2", "5-3", "6-1", "6-2", "6-3", "7-2", "7-3", "7-4",
    "8-1", "8-2",
}

pytestmark = pytest.mark.timeout(900)  # what breaks a rule is made short, which takes up to 5 minutes


def drive(number, ticks, meet=frozenset()):
    """So many ticks, and more until all faults of `meet` have been shown; prints what there was."""
    AnyCar.ticks = AnyCar.closings = 0
    AnyCar.met = set()
    while AnyCar.ticks < ticks or not AnyCar.met >= meet and AnyCar.ticks < 30 * ticks:
        print("seed", number)
        run_state_machine_as_test(seed(number)(AnyCar), settings=settings(
            max_examples=5, stateful_step_count=STEPS, deadline=None, report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ))
        number += NEXT_SEED
    print(f"{AnyCar.ticks} ticks, {AnyCar.closings} closings, faults {sorted(AnyCar.met - {''})}")


def test_rules_hold_whatever_happens_and_the_next_car_is_charged():
    drive(FIRST_SEED, TEST_TICKS, FAULTS)
    assert AnyCar.ticks >= TEST_TICKS
    assert AnyCar.closings > 20
    assert AnyCar.met >= FAULTS, "what was not met was not tried"


@pytest.mark.soak
@pytest.mark.parametrize("number", range(1000, 1004))
def test_rules_hold_for_a_million_ticks(number):
    drive(number, SOAK_TICKS)
    assert AnyCar.ticks >= SOAK_TICKS
