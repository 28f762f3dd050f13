"""What a car reads from the pilot's duty, exactly (IEC 61851-1 Table A.8)."""

from fractions import Fraction

STEADY_PLUS = 65535  # of duty_u16: no PWM, +12 V


def percent(duty_u16):
    return Fraction(duty_u16 * 100, 65536)


def reads_ma(duty_u16):
    """mA that a car may draw, 0 when it may not charge."""
    duty = percent(duty_u16)
    if 8 <= duty < 10:
        return 6000
    if 10 <= duty <= 85:
        return duty * 600
    if 85 < duty <= 96:
        return (duty - 64) * 2500
    if 96 < duty <= 97:
        return 80000
    return 0
