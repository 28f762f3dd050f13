"""Warm: less current. Hot: none. A sensor that is broken: 16 A. Pure; judged once a second.

What the last good reading forbade stays forbidden while the sensor is broken: a station that was hot
does not go on because its sensor has died of it.
"""

from micropython import const

from pilotwire.decide.fault_rows import TEMP_SENSOR, TOO_HOT, WARM
from pilotwire.decide.limits import NONE_MA, TEMPERATURE

_NO_SENSOR = const(-2000)  # no reading yet
_COLDEST_DC = const(-400)  # outside these the sensor is broken
_HOTTEST_DC = const(1250)
_WARM_DC = const(650)  # full current ...
_LEAST_DC = const(800)  # ... falls to 6 A here
_HOT_DC = const(850)
_AT_ONCE_DC = const(950)
_COOL_DC = const(600)
_JUMP_DC = const(200)  # in a second: no box heats so fast, a bad contact does
_SETTLED_S = const(5)  # in range and without a jump, before the sensor is believed again
_BACK_DC = const(10)  # the limit rises only when it is more than so much cooler
_LEAST_MA = const(6000)
_STEP_MA = const(500)
_BLIND_MA = const(16000)


class Heat:
    def __init__(self, full_ma):
        """`full_ma`: what 100 % is, the rating or what the installation allows."""
        self._full_ma = full_ma
        self._good_s = 0  # for which the sensor has been believable
        self._last_dc = 0
        self._held_dc = 0  # what limits: the hottest, and less only by 1 K
        self._bad = False
        self._seen = False  # there was a reading

    def second(self, r, faults, limits):
        dc = r.temp_dc
        if dc == _NO_SENSOR:
            return
        jump = self._seen and not -_JUMP_DC <= dc - self._last_dc <= _JUMP_DC
        self._seen = True
        self._last_dc = dc
        if jump or not _COLDEST_DC <= dc <= _HOTTEST_DC:
            self._good_s = 0
            self._bad = True
            faults.raise_(TEMP_SENSOR)
        elif self._bad:
            self._good_s += 1
            if self._good_s >= _SETTLED_S:
                self._bad = False
                faults.gone(TEMP_SENSOR)
        if not self._bad:
            self._judge(dc, faults)
        elif faults.holds(TOO_HOT):  # nobody knows that it is cooler
            faults.raise_(TOO_HOT)
        ma = self._limit_ma()
        if ma != limits.value_ma[TEMPERATURE]:
            limits.set(TEMPERATURE, ma)

    def _judge(self, dc, faults):
        if dc > self._held_dc or dc < self._held_dc - _BACK_DC:
            self._held_dc = dc
        if self._held_dc > _WARM_DC:
            faults.raise_(WARM)
        else:
            faults.gone(WARM)
        if dc < _COOL_DC:
            faults.gone(TOO_HOT)
        elif dc >= _HOT_DC or faults.holds(TOO_HOT):
            faults.raise_(TOO_HOT)
            if dc >= _AT_ONCE_DC:
                faults.open_now = True  # until a row changes: the next tick opens

    def _limit_ma(self):
        ma = NONE_MA
        over_dc = self._held_dc - _WARM_DC
        if over_dc >= _LEAST_DC - _WARM_DC:
            ma = _LEAST_MA
        elif over_dc > 0:
            ma = self._full_ma - (self._full_ma - _LEAST_MA) * over_dc // (_LEAST_DC - _WARM_DC)
            ma -= ma % _STEP_MA
            if ma < _LEAST_MA:
                ma = _LEAST_MA
        if self._bad and ma > _BLIND_MA:
            ma = _BLIND_MA
        return ma
