"""A car: what it puts on the pilot, and what it draws when the contactor lets it."""

import micropython
from plant.cars import CARS

_STEP_MS = 100
_B_OHM = 2740
_C_OHM = 882
_D_OHM = 246
_DEAD_CV = 5000  # a phase with less drives no charger
_STOP_MA_S = 20000  # a stop is followed at once; the lag is for lower offers
_NO_PWM_MS = 2500  # a car stops drawing within 3 s of the pilot going to +12 V (seq. 10.1)


@micropython.native
def offer_of(duty_u16):
    """mA a car may draw at this duty (IEC 61851-1 Table A.8), 0 when it may not charge."""
    duty = duty_u16 * 10000 // 65536  # hundredths of a percent
    if 800 <= duty < 1000:
        return 6000
    if 1000 <= duty <= 8500:
        return duty * 6
    if 8500 < duty <= 9600:
        return (duty - 6400) * 25
    if 9600 < duty <= 9700:
        return 80000
    return 0


class Car:
    """Moved on by step() every 100 ms of virtual time; `changed()` tells the world of a new load."""

    def __init__(self, node, feed):
        self.node = node
        self.feed = feed
        self.kind = CARS["generic"]
        self.plugged = False
        self.cable = False  # its plug is in the station's socket
        self.ready = False  # wants to charge
        self.ventilation = False
        self.s2 = False
        self.closed = False  # the contactor's contacts
        self.want_ma = [0, 0, 0]
        self.row = None  # of a trace: (i_ma, p_mw)
        self.i_ma = [0, 0, 0]
        self._offer_ma = 0
        self._timer_ms = 0  # since the pilot became (in)valid
        self._closed_ms = 0
        self._lag_ms = 0

    def plug(self, name):
        self.kind = CARS[name or "generic"]
        self.want_ma = list(self.kind["want_ma"])
        self.plugged = self.cable = True
        self._timer_ms = 0
        self.s2 = not self.kind["s2"]
        self._pilot()

    def unplug(self, at_car=False):
        """`at_car`: there, and the cable stays in the station's socket."""
        self.plugged = self.ready = self.s2 = False
        self.cable = self.cable and at_car
        self.row = None
        self._pilot()
        self._load()

    def become(self, name):
        """Change the behaviour of the car that is there."""
        self.kind = CARS[name]
        if not self.row:
            self.want_ma = list(self.kind["want_ma"])

    def contact(self, closed):
        self.closed = closed
        self._closed_ms = 0
        self.i_ma = [0, 0, 0]
        self._load()

    def _pilot(self):
        ohm = 0
        if self.plugged:
            ohm = _B_OHM
            if self.s2:
                ohm = _D_OHM if self.ventilation else _C_OHM
        self.node.ohm = ohm
        self.node.settle()

    @micropython.native
    def step(self):
        """100 ms of the car's life."""
        kind = self.kind
        offer = offer_of(self.node.duty_u16) if self.plugged else 0
        if bool(offer) != bool(self._offer_ma):
            self._timer_ms = 0
        if offer < self._offer_ma:
            self._lag_ms = kind["lag_ms"]
        self._offer_ma = offer
        self._timer_ms += _STEP_MS
        self._closed_ms += _STEP_MS
        if self._lag_ms > 0:
            self._lag_ms -= _STEP_MS
        self._switch_s2(kind, offer)
        if self.closed or self.feed.loaded:
            self._follow(kind, offer)
            self._load()

    @micropython.native
    def _switch_s2(self, kind, offer):
        if not self.plugged or not kind["s2"]:
            return
        drawing = self.i_ma[0] + self.i_ma[1] + self.i_ma[2] > 3000
        if self.row and not self.ready:
            drawing = False
        s2 = self.s2
        if self.ready and offer and not kind["asleep"]:
            s2 = s2 or self._timer_ms >= kind["s2_ms"]
        elif kind["stops"] or not self.ready:
            s2 = s2 and drawing and (bool(offer) or self._timer_ms < _NO_PWM_MS)
        if s2 != self.s2:
            self.s2 = s2
            self._pilot()

    @micropython.native
    def _follow(self, kind, offer):
        """Bring each phase's current towards what is offered and wanted."""
        if not offer and not kind["stops"] and self.closed:
            offer = 80000
        go = self.ready and offer and self.closed and self._closed_ms > kind["start_ms"]
        for k in range(3):
            want = self.want_ma[k] if go else 0
            allowed = offer + kind["over_ma"]
            if want > allowed:
                want = allowed
            if kind["step_ma"]:
                want -= want % kind["step_ma"]
            if self.want_ma[k] and kind["blip_ma"] and self._closed_ms <= 1500:
                want = kind["blip_ma"]
            now = self.i_ma[k]
            if want > now:
                now = min(want, now + kind["rise_ma_s"] * _STEP_MS // 1000)
            elif want < now and not go:
                now = max(want, now - _STOP_MA_S * _STEP_MS // 1000)
            elif want < now and self._lag_ms <= 0:
                now = max(want, now - kind["fall_ma_s"] * _STEP_MS // 1000)
            self.i_ma[k] = now

    @micropython.native
    def _load(self):
        """Tell the feed what is drawn: from the trace's row, or from the model."""
        if not self.closed:
            self.feed.load((0, 0, 0), (0, 0, 0))
            return
        if self.row:
            self.feed.load(self.row[0], self.row[1])
            return
        volts = self.feed.v_cv
        amps, power = [0, 0, 0], [0, 0, 0]
        for k in range(3):
            if volts[k] < _DEAD_CV:
                continue
            amps[k] = self.i_ma[k]
            power[k] = volts[k] * self.i_ma[k] // 100
            parked = self.kind["parked_ma"]
            if parked and amps[k] < parked and self.want_ma[k]:
                power[k] += 6300  # 19 W in all, on three phases
                amps[k] = parked
        self.feed.load(amps, power)
