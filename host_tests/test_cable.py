"""The cable in the socket: the limit of its coding, and what happens when it makes no sense."""

import random

import pytest

from cable_desk import OPEN_OHM, RATINGS, Desk
from pilotwire.decide.letters import A, B, C, E
from pilotwire.decide.limits import NONE_MA

INVALID = [0, 74, 2400, 4200]  # shorted, or between the last coding and an empty socket


@pytest.fixture
def desk():
    return Desk()


def test_an_empty_socket_limits_nothing(desk):
    assert desk.limit_ma == NONE_MA and not desk.faulty


@pytest.mark.parametrize("low, high, rated_ma", [
    (75, 149, 63000), (150, 329, 32000), (330, 999, 20000), (1000, 2199, 13000),
])
def test_each_range_of_the_table_has_its_rating_to_its_edges(low, high, rated_ma):
    for ohm in (low, high):
        desk = Desk().plug(ohm).run(600)
        assert (desk.limit_ma, desk.faulty) == (rated_ma, False)


def test_nothing_may_flow_before_the_cable_has_been_the_same_for_500_ms(desk):
    desk.plug(220).run(500)
    assert desk.limit_ma == 0
    desk.run(20)
    assert desk.limit_ma == 32000


def test_a_car_that_is_just_coming_finds_the_limit_at_zero_before_the_pilot_says_b(desk):
    desk.r.cp_high_mv = 9000
    desk.tick()
    assert (desk.letter, desk.limit_ma) == (A, 0)


def test_a_cable_that_is_in_the_socket_before_the_car_is_known_when_it_comes(desk):
    desk.plug(680, A).run(600)
    assert desk.limit_ma == 20000
    desk.car(B)
    desk.tick()
    assert desk.limit_ma == 20000


def test_a_stalled_loop_proves_no_500_ms(desk):
    desk.plug(220)
    desk.tick()
    for _ in range(3):
        desk.tick(400)
    assert desk.limit_ma == 0


@pytest.mark.parametrize("ohm", INVALID)
@pytest.mark.parametrize("letter", [A, B, C])
def test_an_invalid_coding_is_a_fault_within_a_second_until_it_is_unplugged(desk, ohm, letter):
    desk.plug(ohm, letter).run(400)
    assert not desk.faulty
    desk.run(600)
    assert desk.faulty and desk.faults.blocks and desk.faults.open_now
    assert desk.limit_ma == 0
    desk.run(60000)
    assert desk.faulty
    desk.plug(220, letter).run(400)  # another plug in no time: not believed yet
    assert desk.faulty
    desk.unplug().run(2000)
    assert desk.limit_ma == NONE_MA and desk.faulty == (letter != A)
    desk.run(5000)
    assert not desk.faulty


def test_a_coding_that_becomes_good_does_not_end_the_fault_while_the_car_is_there(desk):
    desk.plug(0).run(1000)
    desk.plug(220).run(60000)
    assert desk.faulty and desk.limit_ma == 0
    desk.plug(220, A).run(5000)  # unplugged at the car's end
    assert not desk.faulty and desk.limit_ma == 32000


@pytest.mark.parametrize("ohm", [*INVALID, 100, 680, 1500, OPEN_OHM])
def test_another_coding_in_the_session_is_a_fault_after_500_ms(desk, ohm):
    desk.plug(220).run(10000)
    desk.plug(ohm, C).run(490)
    assert desk.limit_ma == 32000 and not desk.faulty
    desk.run(20)
    assert desk.limit_ma == 0 and desk.faulty


def test_a_coding_that_flickers_among_others_is_no_longer_the_one_that_was_known(desk):
    desk.plug(220, C).run(5000)
    for k in range(6):
        desk.plug((0, 680, OPEN_OHM)[k % 3], C).run(100)
    assert desk.faulty


def test_a_short_disturbance_in_the_session_changes_nothing(desk):
    desk.plug(220, C).run(5000)
    for _ in range(50):
        desk.plug(0, C).run(400)
        desk.plug(220, C).run(100)
    assert desk.limit_ma == 32000 and not desk.faulty


def test_a_car_with_an_open_socket_may_not_charge_and_after_3_s_it_is_told_why(desk):
    desk.plug(OPEN_OHM, C).run(2900)
    assert desk.limit_ma == 0 and not desk.faulty
    desk.run(200)
    assert desk.limit_ma == 0 and desk.faulty


def test_a_coding_that_never_rests_is_a_fault_when_a_car_waits_for_it(desk):
    for k in range(40):
        desk.plug((220, 680)[k % 2]).run(100)
        assert desk.limit_ma == 0
    assert desk.faulty


def test_a_dead_pilot_and_an_empty_socket_are_no_fault_of_a_cable(desk):
    desk.car(E).run(10000)
    assert not desk.faulty


@pytest.mark.parametrize("ohm, near, beyond", [
    (325, range(316, 345), 350), (155, range(144, 160), 140),
])
def test_a_value_at_the_edge_of_a_range_does_not_flicker(desk, ohm, near, beyond):
    rng = random.Random(3)
    desk.plug(ohm, C).run(1000)
    for _ in range(500):
        desk.r.pp_ohm = rng.choice(near)
        desk.run(80)
        assert desk.limit_ma == 32000
    desk.r.pp_ohm = beyond  # more than 5 % beyond: another range
    desk.run(600)
    assert desk.faulty


def test_another_cable_for_the_next_car_is_no_change(desk):
    desk.plug(220, C).run(5000)
    desk.unplug().run(100)
    desk.plug(1500).run(1000)
    assert desk.limit_ma == 13000 and not desk.faulty


def test_random_cables_never_allow_more_than_their_rating(desk):
    """Whatever is plugged and when; a plug that rests has its own rating or none."""
    rng = random.Random(7)
    for _ in range(3000):
        desk.plug(rng.choice([100, 220, 680, 1500, 0, 3000, OPEN_OHM]), rng.choice([A, B, C, E]))
        steady_ms = rng.choice([20, 80, 300, 700, 4000])
        desk.run(steady_ms)
        if desk.letter == A and desk.r.pp_ohm == OPEN_OHM:
            assert desk.limit_ma == NONE_MA
        elif steady_ms >= 700:
            assert desk.limit_ma in (0, dict(RATINGS).get(desk.r.pp_ohm, 0))
        else:
            assert desk.limit_ma != NONE_MA
