"""One charging session: from plugging in to unplugging. Integers only; times are up-time. Pure."""

from array import array

from micropython import const

PAUSES = const(12)  # listed in the record; more are counted
SERIES = const(48)  # energy marks: half a day of quarter hours, then every second one is dropped
QUARTER_S = const(900)


class Session:
    """Filled while the car is there, kept until the next begins. A time of -1 means: did not happen."""

    def __init__(self):
        self.open = False
        self.seq = 0
        self.changes = 0
        self.pause_from_s = array("i", [0] * PAUSES)
        self.pause_to_s = array("i", [0] * PAUSES)
        self.pause_why = bytearray(PAUSES)
        self.mark_s = array("i", [0] * SERIES)
        self.mark_wh = array("i", [0] * SERIES)
        self.begin(0, 0, 0, 0)
        self.open = False

    def begin(self, seq, up_s, up_ms, wh):
        """The car is plugged in."""
        self.open = True
        self.seq = seq
        self.plugged_s, self.plugged_ms = up_s, up_ms
        self.started_s = self.ended_s = self.unplugged_s = -1
        self.started_ms = self.ended_ms = self.unplugged_ms = 0
        self.start_wh = self.end_wh = wh
        self.charge_s = self.idle_s = 0
        self.peak_ma = self.peak_w = self.offered_ma = 0
        self.phases = 0  # bit per phase that carried current
        self.temp_dc = -1000
        self.energy_flawed = False  # the meter was silent or reset meanwhile
        self.charging = False
        self.pauses = 0
        self.marks = 0
        self._mark_every_s = QUARTER_S
        self.changes = self.changes + 1 & 0xFFFF

    def current_on(self, up_s, up_ms):
        """The contactor was told to close."""
        self.charging = True
        if self.started_s < 0:
            self.started_s, self.started_ms = up_s, up_ms
        elif 0 < self.pauses <= PAUSES:
            self.pause_to_s[self.pauses - 1] = up_s - self.plugged_s
        self.changes = self.changes + 1 & 0xFFFF

    def current_off(self, up_s, up_ms, why):
        """The contactor was told to open; `why` as in charging.WHY."""
        self.charging = False
        self.ended_s, self.ended_ms = up_s, up_ms
        self.pauses += 1
        if self.pauses <= PAUSES:
            at = self.pauses - 1
            self.pause_from_s[at] = up_s - self.plugged_s
            self.pause_to_s[at] = -1
            self.pause_why[at] = why
        self.changes = self.changes + 1 & 0xFFFF

    def second(self, r, offered_ma, up_s, day_s):
        """Once a second while open. `day_s`: seconds of the UTC day, or up-time when unknown."""
        self.end_wh = r.wh
        if self.charging:
            self.charge_s += 1
        else:
            self.idle_s += 1
        power_mw = 0
        for phase in range(3):
            amps_ma = r.i_ma[phase]
            if amps_ma > self.peak_ma:
                self.peak_ma = amps_ma
            if amps_ma > 500:
                self.phases |= 1 << phase
            power_mw += r.p_mw[phase]
        if power_mw // 1000 > self.peak_w:
            self.peak_w = power_mw // 1000
        if offered_ma > self.offered_ma:
            self.offered_ma = offered_ma
        self.temp_dc = max(self.temp_dc, r.inside_dc())
        if r.meter_faults:
            self.energy_flawed = True
        if day_s % self._mark_every_s == 0:
            self._mark(up_s - self.plugged_s, r.wh - self.start_wh)

    def _mark(self, at_s, wh):
        if self.marks == SERIES:
            self.thin()
        self.mark_s[self.marks] = at_s
        self.mark_wh[self.marks] = wh
        self.marks += 1

    def thin(self):
        """Drop every second energy mark; from now on they are twice as far apart."""
        self._mark_every_s *= 2
        self.marks //= 2
        for k in range(self.marks):
            self.mark_s[k] = self.mark_s[2 * k + 1]
            self.mark_wh[k] = self.mark_wh[2 * k + 1]

    def end(self, up_s, up_ms, wh):
        """The car is gone."""
        self.unplugged_s, self.unplugged_ms = up_s, up_ms
        self.end_wh = wh
        self.open = False
        self.changes = self.changes + 1 & 0xFFFF

    def energy_wh(self):
        return self.end_wh - self.start_wh
