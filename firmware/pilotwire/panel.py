"""What the LED and the display show, and a few words for MQTT; read by tell/led and tell/display."""

from pilotwire import once
from pilotwire.clock import UNKNOWN
from pilotwire.decide import charging as seq
from pilotwire.decide import limits, tariff
from pilotwire.decide.letters import A

STARTING, AVAILABLE, CONNECTED, CHARGING, PAUSED, WARNING, FAULT = range(7)


class Panel:
    def __init__(self, language, currency, worded=True):
        """`worded`: somebody shows the words of faults."""
        self._words = "tell.faults_" + language
        self._worded = worded
        self.mode = STARTING
        self.code_major = self.code_minor = 0
        self.fault_text = self.fault_do = ""
        self.more_faults = 0
        self.why = seq.STARTING
        self.offered_ma = self.drawn_ma = self.rating_ma = 0
        self.p_w = self.session_wh = self.charge_s = 0
        self.cost_minor = -1  # -1 = no tariff
        self.currency = currency
        self.limit_name = ""
        self.wait_s = -1  # countdown, -1 = none
        self.link_up = self.clock_ok = False
        self.records_waiting = 0
        self.note = ""  # what became of the button, for a while
        self.note_until_s = 0
        self.night = False  # LED and display are dimmed
        self._wordless = False  # the words of the code are still to be read

    def show_fault(self, code, may_read):
        """A fault's code (major << 4 | minor) and, once they may be read, its words; 0 = none."""
        if code != self.code_major << 4 | self.code_minor:
            self.code_major, self.code_minor = code >> 4, code & 15
            self.fault_text = self.fault_do = ""
            self._wordless = code != 0 and self._worded
        if self._wordless and may_read:
            self._wordless = False
            self.fault_text, self.fault_do = once.call(
                self._words, "words", "%d-%d" % (self.code_major, self.code_minor)
            )

    def fill(self, c):
        """From what the charger `c` (control.py) is doing."""
        charging, faults, r = c.charging, c.faults, c.reading
        row = faults.worst
        # A module is read for the words, which delays a tick: of what opens the contactor they come when
        # it is open. With what leaves it closed there is no better time.
        self.show_fault(
            faults.codes[row] if row >= 0 else 0, not (faults.blocks and charging.contactor)
        )
        self.more_faults = faults.active - 1
        if faults.blocks:
            self.mode = FAULT
        elif charging.contactor:
            self.mode = CHARGING
        elif charging.letter == A:
            self.mode = AVAILABLE
        elif charging.why in (seq.PAUSED, seq.DISABLED, seq.SWITCHING_PHASES):
            self.mode = PAUSED
        else:
            self.mode = CONNECTED
        self.why = charging.why
        self.offered_ma = charging.offer_ma if charging.offer_ma > 0 else 0
        drawn_ma = power_mw = 0
        for phase in range(3):
            if r.i_ma[phase] > drawn_ma:
                drawn_ma = r.i_ma[phase]
            power_mw += r.p_mw[phase]
        self.drawn_ma = drawn_ma if charging.contactor else 0
        self.p_w = power_mw // 1000 if charging.contactor else 0
        self.session_wh = c.session.energy_wh()
        self.charge_s = c.session.charge_s
        self.cost_minor = cost_minor(c)
        self.rating_ma = c.limits.ma
        self.limit_name = limits.NAMES[c.limits.which]
        self.wait_s = wait_s(c)
        self.link_up = c.link is not None and c.link.mqtt.up
        self.clock_ok = c.clock.quality != UNKNOWN
        self.records_waiting = c.records.waiting
        if self.note and c.clock.up_s >= self.note_until_s:
            self.note = ""
        # A fault is not dimmed: who has to find out what is wrong must see it from where he stands.
        self.night = not faults.blocks and is_night(c.clock, c.config.night)


def is_night(clock, night):
    """`night`: config.night. Without a clock it is day."""
    if night is None or clock.quality == UNKNOWN:
        return False
    return (clock.day_s() // 60 - night[0]) % 1440 < night[1]


def cost_minor(c):
    """Cost of the session so far in minor units, -1 without a price."""
    if c.config.price_c < 0:
        return -1
    return tariff.cost_minor(c.session.energy_wh(), c.config.price_c)


def wait_s(c):
    """Seconds until charging may go on by itself, -1 when nothing counts down."""
    if c.faults.blocks:
        return c.faults.wait_s
    if c.charging.why == seq.RESTING:
        return (c.charging.rest_ms + 999) // 1000
    if c.charging.why == seq.SWITCHING_PHASES:
        return (c.phases.wait_ms() + 999) // 1000
    return -1


def charging_state(c):
    """OCPP 2.0.1 chargingState."""
    charging = c.charging
    if charging.letter == A or not c.session.open:
        return "Idle"
    if charging.contactor:
        return "Charging" if c.protection.active_ma >= 500 else "SuspendedEV"
    if charging.offer_ma <= 0:
        return "SuspendedEVSE"
    return "SuspendedEV" if c.session.started_s >= 0 else "EVConnected"
