"""Control pilot: bursts of ADC reads and the two plateaus in them. Touches the ADC; no allocation.

A burst of 64 reads takes 2.2 ms and spans two periods of the 1 kHz signal at no fixed phase. The
samples of a plateau lie together, edges and spikes lie anywhere: the highest group in a histogram
is the high plateau, the lowest the low one.

At 97 % duty the low phase lasts 30 us and a burst may miss it. That is no lost diode: without its
diode a car does not hide the low level, it moves it. So a second burst follows at once: a low
level elsewhere counts when both agree, else the last one is kept, for 16 looks at most.
"""

from array import array
from time import sleep_us

import micropython
from machine import ADC, Pin
from micropython import const

_READS = const(64)
_WIDTH = const(44)  # counts, 0.4 V: samples of one plateau; noise is 30 mV rms
_APART = const(227)  # 2 V: nearer plateaus are one; a D without its diode has 5.4 V between them
_MOST = const(48)  # samples of 64 in one group: the other plateau has few
_FEW = const(2)  # 96 % duty shows 2 low samples a burst, 8 % shows 4 high ones
_MANY = const(6)  # where more are due: so many spikes never agree
_THIN = const(6)  # samples of a low plateau that a burst may miss
_COHERENT = const(16)  # samples in the largest group: less is noise
_KEPT = const(32)  # bursts without the low plateau, two a look
_HALF_READ_US = const(17)  # moves the second half of a repeated burst off the first one's phase
_TWO_PERIODS = const(57)  # reads in 2 ms, until pilot_check has timed them
_OFF_M = const(30)  # duty off: IEC 61851-1 Table A.7 allows 10; no PWM at 96 % is 40 off
_GROSS_M = const(100)  # off by so much is no artefact
_ENOUGH_READS = const(1140)  # 20 bursts average the phase away
_ENOUGH_TIMED = const(20)

# What bursts leave behind: array indices. Levels in 1/16 of a 12-bit count.
_HIGH = const(0)
_LOW = const(1)
_SAME = const(2)  # 1 = the plateaus are one
_ZERO = const(3)  # 0 V, whole counts
_PWM = const(4)  # 1 = a duty is offered
_KNOWN = const(5)  # low plateau, 0 = none
_IS_THIN = const(6)  # 1 = a burst may miss it
_MISSED = const(7)  # bursts that did
_LOWEST = const(8)  # sample of the burst before, whole counts
_WINDOW = const(9)  # reads in whole periods: these count for the duty
_READ = const(10)
_READ_HIGH = const(11)
_TIMED = const(12)  # bursts with two rising edges or more ...
_MISTIMED = const(13)  # ... that lie otherwise than 1 kHz would have them
_TWO = const(14)  # reads in two periods
_GROUP = const(15)  # low group of the burst before, 0 = none
_SLOTS = const(16)

NOTHING = const(0)
FOUND = const(1)
AGAIN = const(2)
SURE = const(3)  # FOUND, and two bursts of this look agree on a low level that is a new one


@micropython.native
def _burst(read, buffer):
    for k in range(64):
        buffer[k] = read()


@micropython.native
def _burst_again(read, buffer):
    for k in range(32):
        buffer[k] = read()
    sleep_us(_HALF_READ_US)
    for k in range(32, 64):
        buffer[k] = read()


@micropython.viper
def _levels(buffer: ptr16, bins: ptr32, s: ptr32) -> int:
    """Plateaus of a burst into `s`: NOTHING, FOUND, SURE, or AGAIN for another burst at once.

    `bins`: 66 of 64 counts (0.56 V), each number << 20 | sum of its samples.
    """
    k = 0
    while k < 66:
        bins[k] = 0
        k += 1
    zero = s[_ZERO]
    window = s[_WINDOW]
    lowest = 4095
    read_high = 0
    was = 1
    first = 0
    last = 0
    periods = 0
    k = 0
    while k < _READS:
        value = buffer[k] >> 4
        at = (value >> 6) + 1
        bins[at] = bins[at] + 0x100000 + value
        if value > zero:
            if k < window:
                read_high += 1
            if was == 0:
                was = 1
                last = k
                if first == 0:
                    first = k
                else:
                    periods += 1
        else:
            was = 0
            if value < lowest:
                lowest = value
        k += 1

    most = 0
    main = 0
    k = 1
    while k < 65:
        pair = bins[k] + bins[k + 1]
        if pair > most:
            most = pair
            main = k
        k += 1
    count = most >> 20
    if count < _COHERENT:
        return NOTHING
    main = (most & 0xFFFFF) // count
    need_high = _MANY
    need_low = _MANY
    if count >= _MOST and s[_PWM]:
        if main < zero:
            need_high = _FEW
        else:
            need_low = _FEW

    high = main
    k = 64
    while k > 1:
        pair = bins[k] + bins[k - 1]
        if (pair >> 20) >= need_high:
            if bins[k - 2] > bins[k]:
                pair = bins[k - 1] + bins[k - 2]
            high = (pair & 0xFFFFF) // (pair >> 20)
            k = 0
        k -= 1
    group = high
    k = 1
    while k < 64:
        pair = bins[k] + bins[k + 1]
        if (pair >> 20) >= need_low:
            if bins[k + 2] > bins[k]:
                pair = bins[k + 1] + bins[k + 2]
            group = (pair & 0xFFFFF) // (pair >> 20)
            k = 64
        k += 1

    known = s[_KNOWN] >> 4
    highs = 0
    high_sum = 0
    lows = 0
    low_sum = 0
    knowns = 0
    known_sum = 0
    k = 0
    while k < _READS:
        value = buffer[k] >> 4
        apart = value - high
        if apart <= _WIDTH and 0 - apart <= _WIDTH:
            highs += 1
            high_sum += value
        else:
            apart = value - group
            if apart <= _WIDTH and 0 - apart <= _WIDTH:
                lows += 1
                low_sum += value
            apart = value - known
            if apart <= _WIDTH and 0 - apart <= _WIDTH:
                knowns += 1
                known_sum += value
        k += 1
    s[_HIGH] = (high_sum << 4) // highs if highs else high << 4
    if high > zero + _APART or high + _APART < zero:  # at 0 V there is no telling high from low
        s[_READ] = s[_READ] + window
        s[_READ_HIGH] = s[_READ_HIGH] + read_high
        if periods:  # a tenth: the ADC's own pace blurs it; a wrong timer is farther off
            s[_TIMED] = s[_TIMED] + 1
            due = s[_TWO] * periods
            apart = (last - first) * 2 - due
            if apart * 10 > due or 0 - apart * 10 > due:
                s[_MISTIMED] = s[_MISTIMED] + 1

    # The low plateau: `low` in 1/16 count, 0 = none; the ADC may clip it at 0, hence + 1.
    low = 0
    if lows and group + _APART < high:
        low = (low_sum << 4) // lows + 1
    other = 0  # than the burst before had: a group, spikes aside
    apart = low - s[_GROUP]
    if apart > _WIDTH * 16 or 0 - apart > _WIDTH * 16:
        other = 1
    s[_GROUP] = low
    apart = lowest - s[_LOWEST]
    s[_LOWEST] = lowest
    lone = 0  # the lowest samples of two bursts agree; at 0 every spike would
    if s[_PWM] and lowest and lowest + _APART < high and apart <= _WIDTH and 0 - apart <= _WIDTH:
        lone = 1
    sure = FOUND
    if s[_IS_THIN] and high > zero + _APART:  # shorted to earth it has no low plateau to miss
        if lone and lowest + _WIDTH < known:
            low = lowest << 4
            lows = 1
        elif (knowns > 1 or knowns and lows <= _THIN) and (low == 0 or group + _WIDTH > known):
            low = (known_sum << 4) // knowns + 1
            lows = knowns
        else:
            missed = s[_MISSED] + 1
            s[_MISSED] = missed
            if missed & 1:  # the first burst of a look
                return AGAIN
            if low and other == 0:
                sure = SURE
            elif lone:
                if low == 0:
                    low = lowest << 4
                    lows = 1
            elif missed <= _KEPT:
                s[_LOW] = s[_KNOWN]
                return FOUND
    elif low == 0 and lone and need_low == _FEW:
        low = lowest << 4
        lows = 1
    s[_MISSED] = 0
    s[_KNOWN] = low
    s[_IS_THIN] = 0
    s[_SAME] = 0
    if low == 0:
        s[_LOW] = s[_HIGH]
        s[_SAME] = 1
    else:
        s[_LOW] = low
        if lows <= _THIN and s[_PWM]:
            s[_IS_THIN] = 1
    return sure


class Pilot:
    """look(r, offer_ma) fills cp_ok, cp_high_mv and cp_low_mv."""

    def __init__(self, spec, duty_of):
        """`spec`: board.json's "pilot": adc_pin, counts_at_plus12, counts_at_minus12 (12 bit).

        `duty_of(offer_ma)`: duty, of 65536, that the generator was given.
        """
        self.read = ADC(Pin(spec["adc_pin"]), atten=ADC.ATTN_11DB).read_u16
        self.samples = array("H", [0] * _READS)
        self._duty_of = duty_of
        self._bins = array("I", [0] * 66)
        self._state = array("i", [0] * _SLOTS)
        self._offer_ma = 0
        self._doubt = False  # the generator was off when it was judged last
        self._off = False  # and the time before
        self.calibrate(
            spec["counts_at_minus12"] * 16, spec["counts_at_plus12"] - spec["counts_at_minus12"]
        )
        self.set_pace(_TWO_PERIODS)

    def calibrate(self, minus12, span):
        """-12 V in 1/16 count; counts from -12 V to +12 V."""
        self.minus12 = minus12
        self.span = span
        self._state[_ZERO] = (minus12 >> 4) + span // 2

    def set_pace(self, two_periods):
        """`two_periods`: reads in 2 ms. The duty is counted over whole periods."""
        self._state[_TWO] = two_periods
        self._state[_WINDOW] = two_periods if two_periods <= _READS else two_periods // 2

    def steady(self):
        """A burst of a steady pilot: its level in 1/16 count, -1 when it is not steady."""
        state = self._state
        _burst(self.read, self.samples)
        found = _levels(self.samples, self._bins, state)
        state[_READ] = state[_READ_HIGH] = 0  # this is not the offer's duty
        return state[_HIGH] if found == FOUND and state[_SAME] else -1

    def look(self, r, offer_ma):
        """A burst, two when the low plateau was missed. `offer_ma`: what the pilot carries now.

        True: both have seen the low plateau elsewhere, so that a third need not confirm it.
        """
        if offer_ma != self._offer_ma:
            self._change(offer_ma)
        state = self._state
        samples = self.samples
        _burst(self.read, samples)
        found = _levels(samples, self._bins, state)
        if found == AGAIN:
            _burst_again(self.read, samples)
            found = _levels(samples, self._bins, state)
        if not found:
            r.cp_ok = False
            return False
        r.cp_ok = True
        span = self.span
        minus12 = self.minus12
        r.cp_high_mv = (state[_HIGH] - minus12) * 1500 // span - 12000
        r.cp_low_mv = (state[_LOW] - minus12) * 1500 // span - 12000
        return found == SURE

    def generator_off(self):
        """Once a second: True when the samples show another duty or frequency than was offered.

        Offers that lasted 20 looks or more count. A little off must be so twice in a row: a burst
        in which the pilot is shorted looks wrong too.
        """
        self._judge()
        off = self._off
        self._off = False
        return off

    def _change(self, offer_ma):
        self._judge()
        self._offer_ma = offer_ma
        state = self._state
        pwm = 1 if offer_ma > 0 else 0
        if state[_PWM] != pwm:
            state[_PWM] = pwm
            state[_KNOWN] = state[_IS_THIN] = state[_MISSED] = 0

    def _judge(self):
        state = self._state
        reads = state[_READ]
        if reads >= _ENOUGH_READS:
            high_m = state[_READ_HIGH] * 1000 // reads
            duty_m = self._duty_of(self._offer_ma) * 1000 >> 16
            off_m = abs(high_m - duty_m)
            off = off_m > _OFF_M
            if state[_PWM] and state[_TIMED] >= _ENOUGH_TIMED:
                off = off or state[_MISTIMED] * 2 > state[_TIMED]  # spikes spoil a few
            if off_m > _GROSS_M or off and self._doubt:
                self._off = True
            self._doubt = off
        state[_READ] = state[_READ_HIGH] = state[_TIMED] = state[_MISTIMED] = 0
