"""Resistance of the supply from steps of the current: loose connections are found, sound ones are not."""

import random
from types import SimpleNamespace

import pytest

from pilotwire.decide.wiring import Wiring
from small_int import Small, too_large

LIMIT_MOHM = 800


class Supply:
    """Mains behind so many Ohm a phase, and a car that draws; one look a second."""

    def __init__(self, ohm, phases=3):
        self.ohm = [ohm] * 3 if isinstance(ohm, (int, float)) else ohm
        self.volts = [230.0] * phases + [0.0] * (3 - phases)
        self.wiring = Wiring(LIMIT_MOHM)

    def second(self, amps, reactive=0.0):
        v = [max(u - r * amps, 0) if u else 0 for u, r in zip(self.volts, self.ohm, strict=True)]
        self.wiring.second(SimpleNamespace(
            v_cv=[round(u * 100) for u in v], p_mw=[round(u * amps * 1000) for u in v],
            i_ma=[round((amps**2 + reactive**2) ** 0.5 * 1000)] * 3,
        ))

    def hold(self, amps, seconds=6, **options):
        for _ in range(seconds):
            self.second(amps, **options)
        return self

    def steps(self, *amps, **options):
        for a in amps:
            self.hold(a, **options)
        return self.wiring


@pytest.mark.parametrize("ohm", [0.05, 0.3, 0.6, 0.75])
def test_sound_supply_is_not_loose_however_often_the_current_steps(ohm):
    wiring = Supply(ohm).steps(*[0, 16, 6, 32, 6, 16] * 20)
    assert not wiring.loose and not wiring.weak


@pytest.mark.parametrize("ohm", [0.85, 1.0, 1.4])
def test_loose_one_is_found_with_the_third_step_and_its_figure_is_right(ohm):
    supply = Supply(ohm)
    assert not supply.steps(0, 16, 6).loose
    wiring = supply.steps(16)
    assert wiring.loose and not wiring.weak
    assert abs(wiring.mohm - ohm * 1000) < 20


def test_phase_that_is_loose_is_named():
    wiring = Supply([0.2, 0.2, 1.2]).steps(0, 16, 6, 16)
    assert wiring.loose and wiring.phase == 2 and 1190 <= wiring.mohm <= 1210


def test_twice_the_limit_is_weak_and_below_is_not():
    assert Supply(1.7).steps(0, 16, 6, 16).weak
    assert not Supply(1.5).steps(0, 16, 6, 16, 6, 16).weak


def test_it_stays_until_three_steps_have_been_sound():
    supply = Supply(1.7)
    assert supply.steps(0, 16, 6, 16).weak
    supply.ohm = [0.2] * 3
    supply.hold(16)
    assert supply.steps(6, 16).loose and supply.wiring.weak
    assert not supply.steps(6).loose and not supply.wiring.weak


def test_one_load_of_a_neighbour_is_not_enough():
    supply = Supply(0.3)
    for k in range(1, 30):
        supply.hold(6)
        if k % 2:
            supply.volts = [u - 12 for u in supply.volts]  # together with the step
        supply.hold(16)
        supply.volts = [230.0] * 3
        assert not supply.wiring.loose


def test_voltage_that_moves_without_the_current_says_nothing():
    supply = Supply(0.3)
    for k in range(50):
        supply.volts = [220.0 + k % 2 * 20] * 3
        supply.hold(16)
    assert supply.wiring.mohm == 0


@pytest.mark.parametrize("amps", [(6, 10.9), (10, 14.5)])
def test_small_steps_say_nothing(amps):
    assert Supply(2.0).steps(*amps * 10).mohm == 0


def test_slow_change_says_nothing():
    supply = Supply(2.0)
    for tenth in range(60, 320):
        supply.second(tenth / 10)
    assert supply.wiring.mohm == 0


def test_step_that_takes_longer_than_half_a_minute_says_nothing():
    supply = Supply(2.0).hold(6)
    for k in range(40):
        supply.second(6 + k % 2)
    supply.hold(16)
    assert supply.wiring.mohm == 0


def test_current_that_is_only_reactive_makes_no_step():
    """A parked Zoe draws 6.4 A of it, which hardly lowers the voltage."""
    supply = Supply(0.7)
    for _ in range(10):
        supply.hold(0.06, reactive=6.4)
        supply.hold(7, reactive=1)
        assert not supply.wiring.loose


def test_unwired_phases_are_left_out():
    wiring = Supply(1.2, phases=1).steps(0, 16, 6, 16)
    assert wiring.loose and wiring.phase == 0


def test_sound_supply_in_restless_mains_is_not_loose():
    """Its voltage walks by about 0.65 V a minute, as measured near Paris, five times as fast."""
    rng = random.Random(61851)
    supply = Supply(0.35)
    for _ in range(2000):
        amps = rng.choice((0, 6, 10, 16, 32))
        for _ in range(6):
            supply.volts = [230 + 0.9 * (u - 230) + rng.gauss(0, 0.8) for u in supply.volts]
            supply.second(amps)
        assert not supply.wiring.loose


def test_every_step_of_the_sums_is_a_small_int():
    wiring = Wiring(Small(10000))
    for k in range(40):
        high = k // 4 % 2
        wiring.second(SimpleNamespace(
            v_cv=[Small(40000 if high else 5001)] * 3,
            p_mw=[Small(0 if high else 65000 * 300)] * 3,
        ))
        assert not too_large(wiring)
