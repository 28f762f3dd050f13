"""What the LED and the display show; filled by control, read by tell/led and tell/display."""

from pilotwire.decide import fault_table as table
from pilotwire.decide.charging import STARTING as WHY_STARTING

STARTING, AVAILABLE, CONNECTED, CHARGING, PAUSED, WARNING, FAULT = range(7)


class Panel:
    def __init__(self):
        self.mode = STARTING
        self.code_major = self.code_minor = 0
        self.fault_text = self.fault_do = ""
        self.more_faults = 0
        self.why = WHY_STARTING
        self.offered_ma = self.drawn_ma = self.rating_ma = 0
        self.p_w = self.session_wh = self.charge_s = 0
        self.cost_minor = -1  # -1 = no tariff
        self.currency = "EUR"
        self.limit_name = ""
        self.wait_s = -1  # countdown, -1 = none
        self.link_up = self.clock_ok = False
        self.records_waiting = 0
        self.night = False

    def show_fault(self, row):
        """Code and texts of a row of the fault table; -1 = none."""
        if row < 0:
            self.code_major = self.code_minor = 0
            return
        major, minor = table.cell(row, table.CODE).split("-")
        self.code_major, self.code_minor = int(major), int(minor)
        self.fault_text, self.fault_do = table.cell(row, table.TEXT), table.cell(row, table.DO)
