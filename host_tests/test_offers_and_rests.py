"""When the offer may change, and how long the contactor rests."""


from bench_car import closed, opened
from pilotwire.decide import limits
from pilotwire.decide.charging import RESTING
from pilotwire.decide.letters import X1, A, B, C, E

# Rest ----------------------------------------------------------------------------------------


def test_no_closing_within_5_s_rest(charging):
    charging.shows = B
    charging.until(opened)
    charging.shows = C
    charging.run(1000)
    assert charging.charging.why == RESTING
    assert 5000 <= charging.until(closed) + 1000 <= 5600


def test_no_closing_within_30_s_after_a_forced_stop(charging):
    charging.enabled = False
    charging.until(opened)
    charging.enabled = True
    assert 30000 <= charging.until(closed, within_ms=40000) <= 31000


def test_no_closing_within_30_s_after_a_fault(charging):
    charging.shows = E
    charging.until(opened)
    opened_ms = charging.now_ms
    charging.shows = A
    charging.run(5000)
    charging.shows = C
    charging.until(closed, within_ms=40000)
    assert charging.now_ms - opened_ms >= 30000


# Offers --------------------------------------------------------------------------------------


def test_duty_changes_are_5_s_apart(charging):
    charging.log.clear()
    for k in range(300):
        charging.limits.set(limits.COMMAND, (8000, 12000, 20000)[k % 3])
        charging.run(130)
    times = charging.times("offer")
    assert len(times) > 5
    assert min(b - a for a, b in zip(times, times[1:], strict=False)) >= 5000


def test_fall_that_protects_is_offered_at_once_and_a_rise_waits_5_s(charging):
    charging.limits.set(limits.COMMAND, 20000)
    charging.until(lambda b: b.charging.offer_ma == 20000)
    charging.run(500)
    charging.limits.set(limits.TEMPERATURE, 10000)
    charging.tick()
    assert charging.charging.offer_ma == 10000
    charging.limits.drop(limits.TEMPERATURE)
    assert 5000 <= charging.until(lambda b: b.charging.offer_ma == 20000) <= 5010


def test_fall_that_protects_is_offered_at_once_though_a_lower_command_waits(charging):
    charging.limits.set(limits.COMMAND, 20000)
    charging.until(lambda b: b.charging.offer_ma == 20000)
    charging.limits.set(limits.COMMAND, 10000)
    charging.tick()
    charging.limits.set(limits.TEMPERATURE, 12000)
    charging.tick()
    assert charging.charging.offer_ma <= 12000


def test_fall_by_command_waits_for_its_5_s(charging):
    charging.limits.set(limits.COMMAND, 20000)
    charging.tick()
    charging.limits.set(limits.COMMAND, 10000)
    charging.run(4900)
    assert charging.charging.offer_ma == 20000
    charging.until(lambda b: b.charging.offer_ma == 10000, within_ms=200)


def test_stop_does_not_wait_for_5_s(charging):
    charging.limits.set(limits.COMMAND, 20000)
    charging.tick()
    charging.enabled = False
    charging.tick()
    assert charging.charging.offer_ma == X1


def test_new_offer_after_a_stop_waits_for_5_s(bench):
    bench.plug().run(10000)
    bench.enabled = False
    bench.tick()
    bench.enabled = True
    assert 5000 <= bench.until(lambda b: b.charging.offer_ma == 16000) <= 5010


def test_offer_is_never_between_0_and_6_a(charging):
    for ma in (5999, 100, 6000, 3000, 6099, 5900, 0, 6100):
        charging.limits.set(limits.COMMAND, ma)
        charging.run(7000)
        charging.shows = B if opened(charging) else C
    offers = {value for _, name, value in charging.log if name == "offer"}
    assert offers <= {X1, 6000, 6100, 16000}
    assert {X1, 6000} <= offers
