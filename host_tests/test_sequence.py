"""The charging sequence on a test bench; numbers are the sequences of IEC 61851-1 Table A.6."""

import pytest

from bench_car import UNREADABLE, Bench, closed, opened
from pilotwire.decide import charging as seq
from pilotwire.decide import limits
from pilotwire.decide.charging import Charging
from pilotwire.decide.letters import STATE_F, X1, A, B, C, D

LONGEST_STALL_MS = 40  # allowed with the contactor closed
LONG_STALL_MS = 900  # a name look-up or an erase, with the contactor open


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def charging():
    return Bench().charge()


# Plugging in, 1.1 and 1.2 --------------------------------------------------------------------


def test_nothing_plugged_in_is_steady_plus_12_v_and_open(bench):
    bench.run(10000)
    assert (bench.charging.letter, bench.charging.offer_ma, bench.charging.why) == (A, X1, seq.NO_CAR)
    assert bench.log == []


def test_seq_1_1_and_3_1_plug_in_is_offered_the_limit_within_100_ms(bench):
    bench.shows = B
    bench.until(lambda b: b.charging.offer_ma == 16000, within_ms=100)
    assert bench.charging.why == seq.CAR_WAITS


def test_plug_that_bounces_changes_nothing(bench):
    for _ in range(10):
        bench.shows = B
        bench.run(40)
        bench.shows = A
        bench.run(40)
    assert bench.charging.letter == A
    assert bench.log == []


def test_seq_1_2_simplified_pilot_is_charged_with_10_a_at_the_most():
    bench = Bench(limit_ma=16000)
    bench.shows = C  # and stays there although nothing is offered: it has no S2
    assert 4000 <= bench.until(closed) <= 4300
    assert bench.charging.offer_ma == 10000
    bench.shows = A
    bench.run(5000)
    bench.plug()
    assert bench.charging.offer_ma == 16000  # the next car is another


def test_seq_1_2_car_that_was_there_before_the_station_opens_s2_and_gets_all():
    bench = Bench(limit_ma=16000)
    bench.shows = C
    bench.run(2500)
    assert bench.charging.offer_ma == X1
    bench.shows = B  # within 3 s of +12 V (seq. 10.1)
    bench.run(200)
    assert bench.charging.offer_ma == 16000
    bench.shows = C
    assert 500 <= bench.until(closed) <= 700


# Sleeping cars, A.5.3 --------------------------------------------------------------------------


def pulses_of_f(bench):
    """[(ms, how long)] of state F so far."""
    at = [(ms, value) for ms, name, value in bench.log if name == "offer"]
    return [(ms, end - ms) for (ms, value), (end, _) in zip(at, at[1:], strict=False) if value == STATE_F]


def test_sleeping_car_is_woken_at_30_s_and_at_90_s_and_then_left_alone(bench):
    bench.plug()
    bench.run(600_000)
    (first, long), (second, long_too) = pulses_of_f(bench)
    assert 30_000 <= first <= 30_400 and 90_000 <= second <= 98_500
    assert {long, long_too} <= set(range(3980, 4030, 10))
    assert bench.charging.offer_ma == 16000


def test_woken_car_charges(bench):
    bench.plug()
    bench.run(40_000)
    bench.shows = C
    assert 500 <= bench.until(closed) <= 700


def test_car_that_has_charged_is_not_woken(bench):
    bench.charge()
    bench.shows = B
    bench.run(20_000)
    assert pulses_of_f(bench) == []


def test_paused_car_is_not_woken():
    bench = Bench(limit_ma=0).plug()
    bench.run(200_000)
    assert pulses_of_f(bench) == []


# Ventilation, states D1 and D2 -------------------------------------------------------------------


def test_d_is_energised_where_the_board_has_ventilation(bench):
    bench.charging = Charging(ventilation=True)
    bench.plug()
    bench.shows = D
    assert 500 <= bench.until(closed) <= 700
    bench.shows = C
    bench.run(1000)
    bench.shows = D
    assert closed(bench.run(5000))
    bench.shows = A
    bench.tick()
    assert opened(bench)


def test_offer_is_rounded_down_to_tenths_of_an_ampere():
    bench = Bench(limit_ma=16190).plug()
    assert bench.charging.offer_ma == 16100


# Closing, 4 ----------------------------------------------------------------------------------


def test_seq_4_close_needs_500_ms_of_stable_c(bench):
    bench.plug()
    bench.shows = C
    took_ms = bench.until(closed)
    assert 500 <= took_ms <= 600
    assert bench.charging.why == seq.CHARGING


def test_500_ms_begin_again_after_every_look_at_b(bench):
    bench.plug()
    bench.shows = C
    for _ in range(5):
        bench.run(480)
        bench.bursts = [(9000, -12000)] * 2
    bench.run(10)
    assert 480 <= bench.until(closed) <= 520


@pytest.mark.parametrize("burst", [(9000, -12000), (12000, -12000), UNREADABLE])
def test_a_stray_burst_that_the_next_one_does_not_confirm_costs_no_time(bench, burst):
    bench.plug()
    bench.shows = C
    bench.run(480)
    bench.bursts = [burst]
    assert bench.until(closed) <= 120


def test_unreadable_pilot_is_not_a_stable_c(bench):
    bench.plug()
    bench.shows = C
    bench.run(100)
    bench.bursts = [UNREADABLE] * 60
    assert opened(bench.run(600))


def test_c_before_an_unreadable_pilot_does_not_count(bench):
    bench.plug()
    bench.shows = C
    bench.run(400)
    bench.bursts = [UNREADABLE] * 20
    bench.run(600)
    assert opened(bench)
    assert bench.until(closed) <= 150


def test_long_stall_is_not_a_stable_c(bench):
    bench.plug()
    bench.shows = C
    bench.run(20)
    bench.tick(LONG_STALL_MS)
    assert opened(bench)
    assert 400 <= bench.until(closed) <= 600


def test_close_needs_the_diode(bench):
    bench.diode = False
    bench.plug()
    bench.shows = C
    assert opened(bench.run(60000))
    assert bench.shown() == "1-2"


def test_diode_that_goes_just_before_closing_keeps_it_open(bench):
    bench.plug()
    bench.shows = C
    bench.run(500)
    bench.diode = False
    bench.run(1000)
    assert bench.times("contactor") == []


def test_close_needs_an_offer():
    bench = Bench(limit_ma=5900).plug()
    bench.shows = C
    assert opened(bench.run(10000))
    assert bench.charging.why == seq.BELOW_6A


def test_close_needs_the_session_on_flash(bench):
    bench.may_close = False
    bench.plug()
    bench.shows = C
    assert opened(bench.run(10000))
    assert bench.charging.why == seq.CHECKING
    bench.may_close = True
    assert bench.until(closed) == 10


def test_close_needs_permission(bench):
    bench.enabled = False
    bench.plug()
    bench.shows = C
    assert opened(bench.run(10000))
    assert bench.charging.why == seq.DISABLED


def test_seq_3_2_permission_that_comes_later_closes_within_3_s(bench):
    bench.enabled = False
    bench.plug().run(10000)
    bench.shows = C
    bench.run(1000)
    bench.enabled = True
    assert 500 <= bench.until(closed) <= 3000


def test_d_is_never_energised(bench):
    bench.plug()
    bench.shows = D
    assert opened(bench.run(20000))
    assert bench.charging.why == seq.VENTILATION


def test_c_after_d_is_energised(bench):
    bench.plug()
    bench.shows = D
    bench.run(1000)
    bench.shows = C
    assert 500 <= bench.until(closed) <= 600


@pytest.mark.parametrize("pulse_ms", [200, 300, 400])
def test_seq_11_toggles_never_energise(bench, pulse_ms):
    bench.plug()
    for _ in range(3):
        bench.shows = C
        bench.run(pulse_ms)
        bench.shows = B
        bench.run(pulse_ms)
    bench.run(3000)
    assert bench.times("contactor") == []


def test_seq_11_toggles_across_a_stall_never_energise(bench):
    bench.plug()
    bench.shows = C
    bench.run(30)
    bench.tick(600)  # the end of one pulse and the gap after it pass unseen
    bench.run(200)
    bench.shows = B
    bench.run(3000)
    assert bench.times("contactor") == []


# Unplugging, 2.1 and 2.2 ---------------------------------------------------------------------


def test_seq_2_1_unplug_at_b_ends_the_offer_within_100_ms(bench):
    bench.plug()
    bench.shows = A
    assert bench.until(lambda b: b.charging.offer_ma == X1) <= 100
    assert bench.charging.why == seq.NO_CAR


def test_seq_2_2_unplug_under_load_opens_in_the_same_tick(charging):
    charging.shows = A
    charging.tick()
    assert opened(charging)
    assert charging.charging.offer_ma == X1


def test_seq_2_2_unplug_during_a_stop_opens_in_the_same_tick(charging):
    charging.enabled = False
    charging.run(2000)
    charging.shows = A
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


def test_tell_has_no_time_while_a_stop_is_being_timed_and_may_not_stall_a_closing(bench):
    charging = bench.charging
    bench.plug()
    assert charging.slack() == 2
    bench.shows = C
    bench.run(200)
    assert charging.slack() == 1
    bench.until(closed)
    assert charging.slack() == 1
    bench.shows = B
    bench.run(20)
    assert (closed(bench), charging.slack()) == (True, 0)
    bench.until(opened)
    assert charging.slack() == 2


def test_tell_may_stall_while_a_car_that_asks_has_to_wait_anyway(bench):
    """Names are looked up before the first closing: that must stay possible."""
    bench.may_close = False
    bench.plug()
    bench.shows = C
    bench.run(1000)
    assert bench.charging.slack() == 2


def test_seq_8_2_car_stops_without_an_offer_opens_between_50_and_90_ms(charging):
    charging.enabled = False
    charging.run(1000)
    charging.shows = B
    assert 50 <= charging.until(opened) <= 90


def test_short_look_at_b_does_not_open(charging):
    charging.shows = B
    charging.run(40)
    charging.shows = C
    assert closed(charging.run(1000))


def test_car_that_asks_for_ventilation_while_charging_is_opened(charging):
    charging.shows = D
    assert charging.until(opened) <= 100


# The station stops, 9.2, 10.1 and 10.2 -------------------------------------------------------


def stop_by_limit(bench):
    bench.limits.set(limits.COMMAND, 0)


def stop_by_disable(bench):
    bench.enabled = False


@pytest.mark.parametrize("stop", [stop_by_limit, stop_by_disable])
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


def test_seq_10_2_car_that_ignores_stop_is_opened_after_6_s(charging):
    charging.enabled = False
    assert 6000 <= charging.until(opened) <= 6100
    assert charging.charging.rest_ms > 25000


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
