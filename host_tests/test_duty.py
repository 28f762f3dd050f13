"""Duty of the pilot: what a car reads from it, by the car's own law (IEC 61851-1 Table A.8)."""

import machine
import pytest

import car_law
from pilotwire.act.pilot_pwm import PilotPwm, duty_of
from small_int import Small

PLUS, MINUS = car_law.STEADY_PLUS, 0  # steady levels
OFFERS_MA = range(6000, 80001, 100)


def percent(offer_ma):
    return car_law.percent(duty_of(offer_ma))


def car_reads_ma(offer_ma):
    return car_law.reads_ma(duty_of(offer_ma))


def test_car_never_reads_more_than_is_offered():
    assert [ma for ma in OFFERS_MA if not 6000 <= car_reads_ma(ma) <= ma] == []


def test_car_reads_at_most_10_ma_less_than_is_offered():
    # From 51 A to 52.5 A there is no code: 51 A stands for them.
    for offer_ma in OFFERS_MA:
        meant_ma = 51000 if 51000 < offer_ma <= 52500 else offer_ma
        assert meant_ma - car_reads_ma(offer_ma) <= 10, offer_ma


def test_more_is_never_less_duty():
    duties = [duty_of(offer_ma) for offer_ma in OFFERS_MA]
    assert duties == sorted(duties)


@pytest.mark.parametrize(
    ("amps", "duty_percent"),
    [
        (6, 10), (8, 13.33), (10, 16.67), (13, 21.67), (16, 26.67), (20, 33.33), (24, 40),
        (25, 41.67), (32, 53.33), (40, 66.67), (48, 80), (50, 83.33), (51, 85), (55, 86), (60, 88),
        (63, 89.2), (70, 92), (80, 96),
    ],
)
def test_duty_of_common_currents(amps, duty_percent):
    assert float(percent(amps * 1000)) == pytest.approx(duty_percent, abs=0.01)


@pytest.mark.parametrize("offer_ma", [0, 100, 3000, 5900, 5999])
def test_below_6_a_the_pilot_is_steady_plus_12_v(offer_ma):
    assert duty_of(offer_ma) == PLUS


def test_state_f_is_steady_minus_12_v():
    assert duty_of(-1) == MINUS


def test_more_than_80_a_is_80_a():
    assert duty_of(1000000) == duty_of(80000)


def test_every_step_of_the_sum_is_a_small_int():
    assert all(0 <= duty_of(Small(offer_ma)) <= 65535 for offer_ma in range(-1, 90000, 37))


def test_pilot_starts_and_ends_at_steady_plus_12_v_and_is_written_only_on_change():
    pilot = PilotPwm({"pwm_pin": 25})
    wire = machine.PWM.made[-1]
    assert (wire.pin.number, wire.freq) == (25, 1000)
    for offer_ma in (0, 16000, 16000, 16000, -1, 0):
        pilot.set(offer_ma)
    pilot.off()
    assert wire.duties == [PLUS, duty_of(16000), MINUS, PLUS, PLUS]
    pilot.set(16000)
    assert wire.duties[-1] == duty_of(16000)
