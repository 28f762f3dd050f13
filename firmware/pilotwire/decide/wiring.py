"""Resistance of the supply, from how far the voltage falls when the current rises. Pure; once a second.

A loose terminal before the meter shows here long before it is hot enough for a sensor. One step says
little, since others switch loads too: three must agree.
"""

from array import array

from micropython import const

_STILL_MA = const(400)  # less change than this in a second: the current stands
_STILL_S = const(2)  # meters average over most of a second
# 0.8 Ohm makes 4 V of it. By themselves mains moved by more than 2 V in 0.5 % of minutes, and never by
# 4 (a house near Paris, UCI "household power consumption").
_STEP_MA = const(5000)
_STEP_S = const(30)  # longer ago the mains were others
_VOTES = const(3)
_WIRED_CV = const(5000)


class Wiring:
    """To be read: `loose`; `mohm` and `phase` (0..2) of the worst; `weak`: it was twice the limit."""

    def __init__(self, limit_mohm):
        self.limit_mohm = limit_mohm
        self.loose = self.weak = False
        self.mohm = self.phase = 0
        self._v_cv = array("i", [0, 0, 0])  # while the current stood last
        self._i_ma = array("i", [0, 0, 0])
        self._age_s = array("i", [_STEP_S + 1] * 3)  # how long ago that was
        self._before_ma = array("i", [0, 0, 0])  # a second ago
        self._still_s = bytearray(3)
        self._mohm = array("i", [0, 0, 0])  # means
        self._votes = bytearray(3)

    def second(self, r):
        """`r` has a fresh snapshot."""
        for phase in range(3):
            v_cv = r.v_cv[phase]
            if v_cv < _WIRED_CV:
                continue
            i_ma = r.p_mw[phase] * 10 // v_cv * 10  # active: reactive current makes hardly a drop
            change_ma = i_ma - self._before_ma[phase]
            self._before_ma[phase] = i_ma
            self._age_s[phase] += self._age_s[phase] <= _STEP_S
            if not -_STILL_MA < change_ma < _STILL_MA:
                self._still_s[phase] = 0
            elif self._still_s[phase] < _STILL_S:
                self._still_s[phase] += 1
            else:
                step_ma = i_ma - self._i_ma[phase]
                if abs(step_ma) >= _STEP_MA and self._age_s[phase] <= _STEP_S:
                    # 0.01 V to mV, mV / mA to mOhm; 31 bit hold 1000 V
                    self._vote(phase, (self._v_cv[phase] - v_cv) * 10000 // step_ma)
                self._v_cv[phase], self._i_ma[phase] = v_cv, i_ma
                self._age_s[phase] = 0

    def _vote(self, phase, mohm):
        votes = self._votes
        mohm = max(mohm, 0)
        self._mohm[phase] = (self._mohm[phase] + mohm) // 2 if votes[phase] else mohm
        if mohm < self.limit_mohm:
            votes[phase] -= votes[phase] > 0
        elif votes[phase] < _VOTES:
            votes[phase] += 1
        self.mohm = 0
        for each in range(3):
            if votes[each] and self._mohm[each] > self.mohm:
                self.mohm, self.phase = self._mohm[each], each
        if max(votes) == _VOTES:
            self.loose = True
        elif not max(votes):
            self.loose = self.weak = False
        if self.loose and self.mohm >= 2 * self.limit_mohm:
            self.weak = True
