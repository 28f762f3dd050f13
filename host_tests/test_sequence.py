"""Before current flows: sequences 1 to 7 and 11 of IEC 61851-1 Table A.6, on a test bench."""

import pytest

from bench_car import UNREADABLE, Bench, closed, opened
from pilotwire.decide import charging as seq
from pilotwire.decide import fault_rows, limits
from pilotwire.decide.letters import X1, A, B, C, D, E

LONG_STALL_MS = 900  # a name look-up or an erase, with the contactor open


# Plugging in, 1.1 and 1.2 --------------------------------------------------------------------


def test_nothing_plugged_in_is_steady_plus_12_v_and_open(bench):
    bench.run(10000)
    assert (bench.charging.letter, bench.charging.offer_ma, bench.charging.why) == (A, X1, seq.NO_CAR)
    assert bench.log == []


def test_seq_1_1_and_3_1_plug_in_is_offered_the_limit_within_100_ms(bench):
    bench.shows = B
    bench.until(lambda b: b.charging.offer_ma == 16000, within_ms=100)
    assert bench.charging.why == seq.CAR_WAITS


@pytest.mark.parametrize("letter", [B, C])
def test_seq_1_plug_that_bounces_changes_nothing(bench, letter):
    for _ in range(10):
        bench.shows = letter
        bench.run(40)
        bench.shows = A
        bench.run(40)
    assert bench.charging.letter == A
    assert bench.log == [] and bench.shown() == ""


def test_seq_1_2_car_that_asks_at_once_is_seen_within_100_ms(bench):
    bench.shows = C
    bench.until(lambda b: b.charging.why == seq.CHECKING, within_ms=100)
    assert bench.charging.offer_ma == X1


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


def test_seq_1_2_simplified_pilot_keeps_its_10_a_when_the_pilot_was_dead_for_a_moment():
    bench = Bench(limit_ma=16000)
    bench.shows = C
    bench.until(closed)
    bench.level_mv = -12000
    bench.run(60)
    bench.level_mv = None
    bench.run(60000)
    assert closed(bench)
    assert bench.charging.offer_ma == 10000


# Unplugging without load, 2.1 ----------------------------------------------------------------


def test_seq_2_1_unplug_at_b_ends_the_offer_within_100_ms(bench):
    bench.plug()
    bench.shows = A
    assert bench.until(lambda b: b.charging.offer_ma == X1) <= 100
    assert bench.charging.why == seq.NO_CAR


@pytest.mark.parametrize("plus_mv", [10250, 10900])
def test_seq_2_1_unplug_is_seen_with_a_generator_that_has_grown_weak_and_it_is_7_2(bench, plus_mv):
    bench.plug()
    bench.plus_mv = plus_mv
    bench.run(1000)
    bench.shows = A
    assert bench.until(lambda b: b.charging.offer_ma == X1) <= 100
    assert bench.run(3100).shown() == "7-2"


def test_seq_2_1_one_look_at_plus_12_v_is_no_unplugging(bench):
    bench.plug()
    bench.bursts = [(12000, 12000)]
    bench.tick()
    assert (bench.charging.letter, bench.charging.offer_ma) == (B, 16000)


# The station is ready, 3.1 and 3.2 -----------------------------------------------------------


def test_seq_3_1_permission_that_comes_in_b_is_offered_at_once(bench):
    bench.enabled = False
    bench.plug().run(10000)
    assert bench.charging.offer_ma == X1
    bench.enabled = True
    bench.tick()
    assert bench.charging.offer_ma == 16000


def test_seq_3_2_permission_that_comes_later_closes_within_3_s(bench):
    bench.enabled = False
    bench.plug().run(10000)
    bench.shows = C
    bench.run(1000)
    bench.enabled = True
    assert 500 <= bench.until(closed) <= 3000


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


def test_seq_4_one_look_at_c_is_no_c(bench):
    bench.plug()
    bench.bursts = [(6000, -12000)]
    bench.tick()
    assert bench.charging.letter == B


def test_seq_4_500_ms_begin_again_after_every_look_at_b(bench):
    bench.plug()
    bench.shows = C
    for _ in range(5):
        bench.run(480)
        bench.bursts = [(9000, -12000)] * 2
    bench.run(10)
    assert 480 <= bench.until(closed) <= 520


@pytest.mark.parametrize("burst", [(9000, -12000), (12000, -12000), UNREADABLE])
def test_seq_4_stray_burst_that_the_next_one_does_not_confirm_costs_no_time(bench, burst):
    bench.plug()
    bench.shows = C
    bench.run(480)
    bench.bursts = [burst]
    assert bench.until(closed) <= 120


def test_seq_4_unreadable_pilot_is_not_a_stable_c(bench):
    bench.plug()
    bench.shows = C
    bench.run(100)
    bench.bursts = [UNREADABLE] * 60
    assert opened(bench.run(600))


def test_seq_4_c_before_an_unreadable_pilot_does_not_count(bench):
    bench.plug()
    bench.shows = C
    bench.run(400)
    bench.bursts = [UNREADABLE] * 20
    bench.run(600)
    assert opened(bench)
    assert bench.until(closed) <= 150


def test_seq_4_long_stall_is_not_a_stable_c(bench):
    bench.plug()
    bench.shows = C
    bench.run(20)
    bench.tick(LONG_STALL_MS)
    assert opened(bench)
    assert 400 <= bench.until(closed) <= 600


def test_seq_4_stalls_of_100_ms_prove_20_ms_each(bench):
    bench.plug()
    bench.shows = C
    bench.run(100)
    for _ in range(10):
        bench.tick(100)
    assert opened(bench)


def test_seq_4_close_needs_the_diode(bench):
    bench.diode = False
    bench.plug()
    bench.shows = C
    assert opened(bench.run(60000))
    assert bench.shown() == "1-2"


def test_seq_4_diode_that_goes_just_before_closing_keeps_it_open(bench):
    bench.plug()
    bench.shows = C
    bench.run(500)
    bench.diode = False
    bench.run(1000)
    assert bench.times("contactor") == []


def test_seq_4_close_needs_an_offer():
    bench = Bench(limit_ma=5900).plug()
    bench.shows = C
    assert opened(bench.run(10000))
    assert bench.charging.why == seq.BELOW_6A


def test_seq_4_close_needs_the_session_on_flash(bench):
    bench.may_close = False
    bench.plug()
    bench.shows = C
    assert opened(bench.run(10000))
    assert bench.charging.why == seq.CHECKING
    bench.may_close = True
    assert bench.until(closed) == 10


def test_seq_4_close_needs_permission(bench):
    bench.enabled = False
    bench.plug()
    bench.shows = C
    assert opened(bench.run(10000))
    assert bench.charging.why == seq.DISABLED


# Ventilation, D ------------------------------------------------------------------------------


def test_seq_4_d_is_energised_where_the_board_has_ventilation():
    bench = Bench(ventilation=True).plug()
    bench.shows = D
    assert 500 <= bench.until(closed) <= 700
    bench.shows = C
    bench.run(1000)
    bench.shows = D
    assert closed(bench.run(5000))
    bench.shows = A
    bench.tick()
    assert opened(bench)


def test_seq_4_d_is_never_energised_without(bench):
    bench.plug()
    bench.shows = D
    assert 250 <= bench.until(lambda b: b.shown() == "1-5") <= 300
    assert opened(bench.run(20000))
    assert bench.shown() == "1-5" and bench.charging.offer_ma == X1


def test_d_after_c_is_known_within_100_ms(bench):
    bench.plug(C)
    bench.shows = D
    assert 200 <= bench.until(lambda b: b.shown() == "1-5") <= 300  # D for 200 ms is no passing


@pytest.mark.parametrize("d_ms", [50, 100, 150])
def test_a_plug_that_passes_through_d_is_no_fault(bench, d_ms):
    bench.shows = D
    bench.run(d_ms)
    bench.shows = B
    for _ in range(100):
        assert bench.run(100).shown() == ""


@pytest.mark.parametrize("letter", [A, B, C])
def test_1_5_clears_when_the_car_has_not_been_in_d_for_3_s(bench, letter):
    bench.plug()
    bench.shows = D
    bench.run(5000)
    bench.shows = letter
    assert 2000 <= bench.until(lambda b: b.shown() == "") <= 3100
    bench.shows = D
    bench.run(500)
    bench.shows = letter
    bench.run(1500)
    bench.shows = D  # before the 3 s are over
    bench.run(20000)
    assert bench.shown() == "1-5"


def test_a_shorted_pilot_after_d_does_not_show_that_the_car_wants_no_ventilation(bench):
    bench.plug()
    bench.shows = D
    bench.run(1000)
    bench.shows = E
    bench.run(20000)
    assert bench.faults.holds(fault_rows.VENTILATION)


def test_c_after_d_is_known_within_100_ms(bench):
    bench.plug(D).run(1000)
    bench.shows = C
    bench.until(lambda b: b.charging.letter == C, within_ms=100)


def test_c_after_d_is_energised(bench):
    bench.plug()
    bench.shows = D
    bench.run(1000)
    bench.shows = C
    assert 3000 <= bench.until(closed) <= 6000


def test_a_car_that_asks_for_ventilation_each_time_is_asked_twice_a_minute(bench):
    """It opens S2 when the offer goes, and closes it when it comes."""
    bench.plug()
    seen = []
    for _ in range(6000):
        bench.shows = D if bench.charging.offer_ma > 0 else B
        bench.run(50)
        if not seen or seen[-1] != bench.shown():
            seen.append(bench.shown())
        if bench.shown() == "" and len(seen) > 2:
            assert bench.charging.why == seq.VENTILATION
    assert opened(bench)
    assert 8 <= seen.count("1-5") <= 14  # in 300 s


@pytest.mark.parametrize(("letter", "high_mv"), [(C, 3000), (D, 6000), (C, 9000), (D, 9000)])
def test_one_look_at_another_state_of_the_car_is_no_other_state(bench, letter, high_mv):
    bench.enabled = False
    bench.plug(letter)
    bench.bursts = [(high_mv, high_mv)]
    bench.tick()
    assert bench.charging.letter == letter


# Other currents, 5, and the car asks no more, 7 ------------------------------------------------


@pytest.mark.parametrize("ma", [8000, 32000])
def test_seq_5_new_limit_is_offered_within_10_s(bench, ma):
    bench.plug()
    bench.limits.set(limits.COMMAND, 12000)
    bench.run(10)
    bench.limits.set(limits.COMMAND, ma)
    assert bench.until(lambda b: b.charging.offer_ma == ma) <= 10000


def test_seq_7_car_that_asks_no_more_is_known_within_100_ms(bench):
    bench.may_close = False
    bench.plug()
    bench.shows = C
    bench.run(1000)
    bench.shows = B
    bench.until(lambda b: b.charging.why == seq.CAR_WAITS, within_ms=100)


# Toggles, 11 ---------------------------------------------------------------------------------


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


@pytest.mark.parametrize("unseen_ms", [200, 400, 600])
def test_seq_11_toggles_across_a_stall_never_energise(bench, unseen_ms):
    bench.plug()
    bench.shows = C
    bench.run(400)
    bench.tick(unseen_ms)  # the gap after the pulse passes unseen
    bench.run(400)
    bench.shows = B
    bench.run(3000)
    assert bench.times("contactor") == []


# What tell may do meanwhile ------------------------------------------------------------------


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
