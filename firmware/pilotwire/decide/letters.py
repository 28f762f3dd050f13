"""Pilot states A to F and the voltage bands that tell them apart (IEC 61851-1 Table A.4)."""

from micropython import const

A = const(0)  # no vehicle
B = const(1)  # vehicle connected, does not ask
C = const(2)  # asks for energy
D = const(3)  # asks, and needs ventilation
E = const(4)  # pilot shorted, or no supply
F = const(5)  # station not available

NAMES = "ABCDEF"

# Offers that are no current: what the pilot carries instead of a duty.
X1 = const(0)  # steady +12 V
STATE_F = const(-1)  # steady -12 V

# Lower edges of the bands at the station, mV; the upper edge is 2 V above (1 V above -1 for E).
_A_MV = const(10200)  # the band begins at 11 V, but no car makes so much: nobody, and a weak generator
_B_TOP_MV = const(10000)
_B_MV = const(8000)
_C_TOP_MV = const(7000)
_C_MV = const(5000)
_D_TOP_MV = const(4000)
_D_MV = const(2000)
_E_TOP_MV = const(1000)
SHORT_MV = const(-1000)  # below it no car and no short can be: the station itself is at fault
_F_TOP_MV = const(-11000)

# The diode is there while the low plateau is below this. J1772 asks the station for -11.4 V; cars have
# charged at -11.2 V, and one station had -10.7 V (esp32-evse issue 49). A car in B without its diode
# has -9 V.
DIODE_MV = const(-10000)


def letter_of(high_mv, present):
    """State for a high plateau; in the gaps between the bands the present state stays.

    All from 1 V down to -11 V is E: nothing there is a reason to go on.
    """
    if high_mv > _A_MV or high_mv > _B_TOP_MV and present >= C:
        return A  # a car that asks cannot make more than 7 V: above B's band it has gone
    if high_mv >= _C_MV:
        if high_mv <= _C_TOP_MV:
            return C
        if _B_MV <= high_mv <= _B_TOP_MV:
            return B
        return present
    if _D_MV <= high_mv <= _D_TOP_MV:
        return D
    if high_mv <= _F_TOP_MV:
        return F
    return E if high_mv <= _E_TOP_MV else present
