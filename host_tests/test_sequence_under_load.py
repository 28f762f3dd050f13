"""Under load: sequences 2.2, 8, 9, 10 and 12 of IEC 61851-1 Table A.6, on a test bench."""

import pytest

from bench_car import Bench, closed, opened
from pilotwire.decide import charging as seq
from pilotwire.decide import limits
from pilotwire.decide.letters import STATE_F, X1, A, B, C, D, E

LONGEST_STALL_MS = 40  # allowed with the contactor closed


# Unplugging, 2.2 -----------------------------------------------------------------------------


def test_seq_2_2_unplug_under_load_opens_at_the_first_look(charging):
    charging.shows = A
    charging.tick()
    assert opened(charging)
    assert charging.charging.offer_ma == X1


def test_seq_2_2_unplug_during_a_stop_opens_at_the_first_look(charging):
    charging.enabled = False
    charging.run(2000)
    charging.shows = A
    charging.tick()
    assert opened(charging)


@pytest.mark.parametrize("high_mv", [10050, 10500, 10900])
def test_seq_2_2_unplug_opens_at_the_first_look_also_with_a_weak_generator(charging, high_mv):
    charging.level_mv = high_mv
    charging.tick()
    assert opened(charging)


def test_next_car_may_come_at_once(charging):
    charging.shows = A
    charging.run(6000)
    charging.shows = B
    charging.until(lambda b: b.charging.offer_ma == 16000, within_ms=100)


# The car stops, 8.1 and 8.2 ------------------------------------------------------------------


def test_seq_8_1_car_stops_opens_between_50_and_90_ms(charging):
    charging.shows = B
    assert 50 <= charging.until(opened) <= 90
    assert charging.charging.why == seq.CAR_WAITS


@pytest.mark.parametrize("at", range(7))
def test_seq_8_1_opens_within_90_ms_across_a_stall(charging, at):
    """`at`: ticks between the car's stop and the stall; 0 is a stop just after a look."""
    start_ms = charging.now_ms
    charging.shows = B
    charging.run(at * 10)
    charging.tick(LONGEST_STALL_MS)
    while closed(charging):
        charging.tick()
    (opened_ms,) = charging.times("contactor", False)
    assert 50 <= opened_ms - start_ms <= 90


def test_seq_8_1_a_stop_in_a_stall_counts_from_the_stalls_begin(charging):
    """40 ms on top of a tick: a stop at its begin opens within 90 ms with what the tick itself takes."""
    start_ms = charging.now_ms
    charging.shows = B
    charging.tick(50)
    charging.until(opened)
    assert 50 <= charging.now_ms - start_ms <= 80


@pytest.mark.parametrize("letter", [B, D])
def test_seq_8_1_short_look_at_another_state_after_a_stall_does_not_open(charging, letter):
    charging.shows = letter  # at the stall's end
    charging.tick(LONGEST_STALL_MS)
    charging.run(10)
    charging.shows = C
    assert closed(charging.run(1000))


@pytest.mark.parametrize("letters", [(B, D), (D, B)])
def test_seq_8_1_looks_at_b_and_d_in_turn_add_up(charging, letters):
    start_ms = charging.now_ms
    for k in range(10):
        charging.shows = letters[k % 2]
        charging.run(20)
    (opened_ms,) = charging.times("contactor", False)
    assert 50 <= opened_ms - start_ms <= 90


def test_seq_8_2_car_stops_without_an_offer_opens_between_50_and_90_ms(charging):
    charging.enabled = False
    charging.run(1000)
    charging.shows = B
    assert 50 <= charging.until(opened) <= 90


@pytest.mark.parametrize("letter", [B, D])
def test_seq_8_short_look_at_another_state_does_not_open(charging, letter):
    charging.shows = letter
    charging.run(40)
    charging.shows = C
    assert closed(charging.run(1000))


def test_car_that_asks_for_ventilation_while_charging_is_opened(charging):
    charging.shows = D
    assert 50 <= charging.until(opened) <= 90
    assert charging.shown() == "1-5" and charging.charging.opened_by == seq.BY_FAULT


def energised_d():
    bench = Bench(ventilation=True).plug()
    bench.shows = D
    bench.until(closed)
    return bench


def test_one_look_at_c_while_d_is_energised_is_no_c():
    bench = energised_d()
    bench.bursts = [(6000, -12000)]
    bench.tick()
    assert bench.charging.letter == D


def test_c_while_d_is_energised_is_known_within_100_ms():
    bench = energised_d()
    bench.shows = C
    bench.until(lambda b: b.charging.letter == C, within_ms=100)
    assert closed(bench)


# The station stops, 9.1, 9.2, 10.1 and 10.2 ----------------------------------------------------


def stop_by_limit(bench):
    bench.limits.set(limits.COMMAND, 0)


def stop_by_disable(bench):
    bench.enabled = False


STOPS = pytest.mark.parametrize("stop", [stop_by_limit, stop_by_disable])


@STOPS
def test_seq_9_1_stop_in_b_withdraws_the_offer_at_once(bench, stop):
    bench.plug()
    stop(bench)
    bench.tick()
    assert bench.charging.offer_ma == X1


@STOPS
def test_seq_9_2_stop_withdraws_the_offer_at_once_and_waits_for_the_car(charging, stop):
    stop(charging)
    charging.tick()
    assert charging.charging.offer_ma == X1
    assert charging.charging.why == seq.STOPPING
    assert closed(charging.run(5900))


def test_seq_10_1_car_that_follows_the_stop_is_opened_without_load(charging):
    charging.enabled = False
    charging.run(2500)
    assert closed(charging)
    charging.shows = B
    assert charging.until(opened) <= 90
    assert charging.charging.why == seq.DISABLED


@pytest.mark.parametrize("draws_ma, shown", [(0, ""), (900, ""), (1100, "6-3"), (16000, "6-3")])
def test_seq_10_2_car_that_ignores_stop_is_opened_after_6_s(charging, draws_ma, shown):
    """6-3 when it still draws; a car without S2 stays in C and has stopped all the same."""
    charging.amps_ma = [draws_ma, 0, 0]
    charging.run(1000)
    charging.enabled = False
    assert 6000 <= charging.until(opened) <= 6100
    assert charging.charging.rest_ms > 25000
    assert charging.shown() == shown
    assert charging.charging.opened_by == (seq.BY_FAULT if shown else seq.BY_COMMAND)


def test_6_3_waits_for_unplugging_also_over_a_power_cut(charging):
    charging.amps_ma = [16000] * 3
    charging.run(1000)
    charging.enabled = False
    charging.until(opened)
    charging.enabled = True
    charging.shows = B
    charging.run(300000)
    assert opened(charging) and charging.shown() == "6-3"
    after = Bench()
    after.faults.restore(charging.faults.latch(), charging.faults.tries)
    assert after.run(1000).shown() == "6-3"
    charging.shows = A
    charging.run(4000)
    assert charging.shown() == ""


def test_a_reactive_current_after_the_stop_is_no_6_3(charging):
    charging.amps_ma, charging.active_ma = [6400] * 3, [60] * 3
    charging.run(1000)
    charging.enabled = False
    charging.until(opened)
    assert charging.shown() == ""


def test_a_meter_that_falls_silent_during_the_stop_makes_no_6_3(charging):
    charging.amps_ma = [16000] * 3
    charging.run(1000)
    charging.enabled = False
    charging.run(500)
    charging.meter_silent = True
    charging.until(opened)
    assert charging.shown() == ""


def test_a_stop_because_of_a_fault_that_the_car_ignores_shows_6_3_before_the_other(charging):
    charging.amps_ma = [18200, 0, 0]
    charging.until(lambda b: b.shown() == "6-1")
    charging.until(opened)
    assert charging.shown() == "6-3" and charging.faults.active == 2


def test_stop_that_has_begun_is_finished(charging):
    charging.enabled = False
    charging.run(1000)
    charging.enabled = True
    charging.run(1000)
    assert charging.charging.offer_ma == X1
    assert charging.until(opened) <= 4100


def test_paused_says_so(charging):
    stop_by_limit(charging)
    charging.run(1000)
    charging.shows = B
    charging.run(1000)
    assert charging.charging.why == seq.PAUSED


# Faults on the pilot, 12 ---------------------------------------------------------------------


@pytest.mark.parametrize("level_mv", [900, 0, -900, -5000, -12000])
def test_seq_12_shorted_pilot_opens_at_the_first_look(charging, level_mv):
    charging.level_mv = level_mv
    charging.tick()
    assert opened(charging)
    assert charging.charging.offer_ma == X1


@pytest.mark.parametrize("letter", [A, B, C])
def test_seq_12_short_without_load_is_1_1_within_100_ms(bench, letter):
    bench.enabled = False
    bench.plug(letter)
    bench.shows = E
    assert 20 <= bench.until(lambda b: b.shown() == "1-1") <= 100


@pytest.mark.parametrize("level_mv", [-1500, -12000])
def test_seq_12_level_that_no_short_can_make_is_7_2(bench, level_mv):
    bench.plug()
    bench.level_mv = level_mv
    bench.run(3200)
    assert bench.shown() == "7-2"
    assert "1-1" not in bench.codes()


def test_seq_12_one_look_at_plus_12_v_is_no_end_of_a_short(bench):
    bench.plug()
    bench.shows = E
    bench.run(200)
    bench.bursts = [(12000, 12000)]
    bench.tick()
    assert bench.charging.letter == E


def test_seq_12_car_that_leaves_after_a_short_is_seen_within_100_ms(bench):
    bench.plug()
    bench.shows = E
    bench.run(1000)
    bench.shows = A
    bench.until(lambda b: b.charging.letter == A, within_ms=100)


def test_seq_12_shorted_pilot_is_held_at_plus_12_v_until_the_car_has_gone(charging):
    charging.shows = E
    charging.run(20000)
    assert (charging.shown(), charging.charging.offer_ma) == ("1-1", X1)
    charging.shows = C  # the short is gone, but not the car
    charging.run(60000)
    assert (charging.shown(), charging.charging.offer_ma) == ("1-1", X1)
    charging.shows = A
    charging.run(4100)
    assert charging.shown() == ""


@pytest.mark.parametrize("low_mv", [-10700, -11200, -12600])
def test_diode_that_is_not_quite_at_minus_12_v_is_one(bench, low_mv):
    bench.low_mv = low_mv
    assert closed(bench.charge()) and bench.shown() == ""


def test_lost_diode_opens_at_the_first_look(charging):
    charging.diode = False
    charging.tick()
    assert opened(charging)


def test_state_f_lasts_300_ms_then_plus_12_v_shows_the_car_leaving(charging):
    charging.log.clear()
    charging.diode = False
    charging.run(1000)
    (began_ms,) = charging.times("offer", STATE_F)
    ended_ms = charging.times("offer", X1)[-1]
    assert 300 <= ended_ms - began_ms <= 320
    charging.shows = A
    charging.run(100)
    assert charging.charging.letter == A
    charging.run(4000)
    assert charging.shown() == ""
