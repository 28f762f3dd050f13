"""What an NTC's divider gives at -40 to 130 degC, in mV. Needed once, at the start (pilotwire.once)."""

from array import array
from math import exp

_FROM_C = -40
_STEP_K = 5
_STEPS = 35
_ZERO_K = 273.15


def table(spec):
    """array of mV, falling, one each 5 K; ValueError for a divider that does not suit the ADC.

    `spec`: board.json's "ntc": ohm_25 and beta of the NTC, which goes to PE; pull_up_ohm; supply_mv.
    """
    mv = array("H")
    for k in range(_STEPS):
        kelvin = _FROM_C + k * _STEP_K + _ZERO_K
        ohm = spec["ohm_25"] * exp(spec["beta"] * (1 / kelvin - 1 / (25 + _ZERO_K)))
        mv.append(int(spec["supply_mv"] * ohm / (ohm + spec["pull_up_ohm"]) + 0.5))
    # At 110 degC inside the ADC's linear range; at -20 degC told from its end, which is an open NTC.
    if mv[30] < 150 or mv[4] > 3000 or mv[13] - mv[27] < 1000:
        raise ValueError("board.json: ntc does not suit the ADC: pull_up_ohm, supply_mv, ohm_25 or beta")
    return mv
