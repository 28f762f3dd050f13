"""What the LED and the display show; filled by control, read by tell/led and tell/display."""

from pilotwire import once
from pilotwire.decide.charging import STARTING as WHY_STARTING

STARTING, AVAILABLE, CONNECTED, CHARGING, PAUSED, WARNING, FAULT = range(7)


class Panel:
    def __init__(self, language, currency):
        self._words = "tell.faults_" + language
        self.mode = STARTING
        self.code_major = self.code_minor = 0
        self.fault_text = self.fault_do = ""
        self.more_faults = 0
        self.why = WHY_STARTING
        self.offered_ma = self.drawn_ma = self.rating_ma = 0
        self.p_w = self.session_wh = self.charge_s = 0
        self.cost_minor = -1  # -1 = no tariff
        self.currency = currency
        self.limit_name = ""
        self.wait_s = -1  # countdown, -1 = none
        self.link_up = self.clock_ok = False
        self.records_waiting = 0
        self.night = False

    def show_fault(self, code):
        """A fault's code (major << 4 | minor) and its words; 0 = none."""
        self.code_major, self.code_minor = code >> 4, code & 15
        if code:
            self.fault_text, self.fault_do = once.call(
                self._words, "words", "%d-%d" % (self.code_major, self.code_minor)
            )
