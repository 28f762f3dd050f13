"""The pilot generator: an offered current becomes a duty of the 1 kHz signal."""

from machine import PWM, Pin
from micropython import const

_STEADY_PLUS = const(65535)  # the port makes this a constant high
_STEADY_MINUS = const(0)
_TOP_MA = const(51000)  # 51..52.5 A has no code of its own (IEC 61851-1 Table A.7)
_UPPER_MA = const(52500)
_MOST_MA = const(80000)


def duty_of(offer_ma):
    """duty_u16 for an offer in mA; 0 or less than 6 A = steady +12 V, negative = state F.

    Rounded down in both ranges, so that the car never reads more than is offered.
    """
    if offer_ma < 0:
        return _STEADY_MINUS
    if offer_ma < 6000:
        return _STEADY_PLUS
    if offer_ma < _UPPER_MA:
        if offer_ma > _TOP_MA:
            offer_ma = _TOP_MA
        return offer_ma * 16384 // 15000  # A / 0.6 %
    if offer_ma > _MOST_MA:
        offer_ma = _MOST_MA
    return 41943 + (offer_ma * 4096 // 15625)  # A / 2.5 % + 64 %


class PilotPwm:
    def __init__(self, spec):
        """`spec`: board.json's "pilot": `pwm_pin`, high = +12 V. Starts in X1."""
        self._pwm = PWM(Pin(spec["pwm_pin"]), freq=1000, duty_u16=_STEADY_PLUS)
        self._offer_ma = 0

    def set(self, offer_ma):
        if offer_ma != self._offer_ma:
            self._offer_ma = offer_ma
            self._pwm.duty_u16(duty_of(offer_ma))

    def off(self):
        """No current is available: steady +12 V, so that unplugging is still seen."""
        self._offer_ma = 0
        self._pwm.duty_u16(_STEADY_PLUS)
