"""Self-test and calibration of the pilot at the start, contactor open. Used once, then forgotten.

State F must give -12 V, with or without a car; without one, +12 V must be there in X1. The two
then fix gain and offset of this unit. They are as good as the generator (+-0.6 V), and that is
right: a car divides the generator's volts, so its levels move with them.
"""

import time

from micropython import const

from pilotwire.sense import pilot as sampling

_STATE_F = const(-1)  # offers, as control gives them to the generator
_X1 = const(0)
_BURSTS = const(8)  # 18 ms
_SETTLE_US = const(3000)  # a duty takes effect at the next period
_MINUS_OFF_MV = const(1000)  # IEC 61851-1 Table A.4: -13..-11 V
_PLUS_OFF_MV = const(1400)  # 6 % gain error of a unit; a generator at 10.5 V is farther off
_READS = const(64)
_USUAL = const(57)  # reads in two periods, where time stands still


def check(pilot, generator):
    """False: the generator does not give +12 V or -12 V. `generator.set(offer_ma)`; ends in X1."""
    pilot.set_pace(_two_periods(pilot))
    minus = _level(pilot, generator, _STATE_F)
    plus = _level(pilot, generator, _X1)
    if minus < 0 or plus < 0:
        return False
    minus_mv, plus_mv = _mv(pilot, minus), _mv(pilot, plus)
    if abs(minus_mv + 12000) > _MINUS_OFF_MV:
        return _is_car_without_diode(minus_mv, plus_mv)
    if abs(plus_mv - 12000) <= _PLUS_OFF_MV:
        pilot.calibrate(minus, (plus - minus) // 16)
        return True
    # With a car +12 V cannot be seen; in its bands and at 0 V, what is wrong is outside.
    return -1000 <= plus_mv <= 10000


def _is_car_without_diode(minus_mv, plus_mv):
    """Both polarities alike: the sequence gives it its own name, 1-2."""
    return 2000 <= plus_mv <= 10000 and abs(plus_mv + minus_mv) <= 1000


def _level(pilot, generator, offer_ma):
    """Mean level in 1/16 count, -1 when it was not steady in more than a quarter of the bursts."""
    generator.set(offer_ma)
    time.sleep_us(_SETTLE_US)
    total = count = 0
    for _ in range(_BURSTS):
        level = pilot.steady()
        if level >= 0:
            total += level
            count += 1
    return total // count if count * 4 >= _BURSTS * 3 else -1


def _two_periods(pilot):
    """Reads in two periods, from the time a burst takes here."""
    began_us = time.ticks_us()
    sampling._burst(pilot.read, pilot.samples)
    took_us = time.ticks_diff(time.ticks_us(), began_us)
    return 2000 * _READS // took_us if 1000 < took_us < 4000 else _USUAL


def _mv(pilot, level):
    return (level - pilot.minus12) * 1500 // pilot.span - 12000
