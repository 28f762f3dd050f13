"""The supply at the meter: volts, and the load behind it. Keeps the true energy beside the meter chip."""

import micropython


class Feed:
    """What a meter chip sees. Piecewise constant: every change settles the energies first."""

    def __init__(self, clock, phases=3):
        self.clock = clock
        self.phases = phases  # that the station has; the others carry nothing
        self.connected = phases  # of these, what its second contactor connects
        self.v_cv = [23000 if k < phases else 0 for k in range(3)]
        self._supply_cv = list(self.v_cv)
        self.lost = None  # a phase (0..2) that is missing
        self.swapped = False  # L2 and L3
        self.i_ma = [0, 0, 0]
        self.p_mw = [0, 0, 0]
        self.hz_c = 5000
        self.chip_dc = 250
        self.loaded = False
        self.chips = []  # meter chips to settle before a change
        self._mw_us = 0  # true energy, mW x us (a big int)
        self._since_us = 0

    @micropython.native
    def settle(self):
        now = self.clock.us
        power = self.p_mw[0] + self.p_mw[1] + self.p_mw[2]
        self._mw_us += power * (now - self._since_us)
        self._since_us = now
        for chip in self.chips:
            chip.settle()

    def volts(self, values):
        self.settle()
        for k in range(self.phases):
            self._supply_cv[k] = values[k]
            self.v_cv[k] = 0 if k == self.lost else values[k]

    def lose(self, phase):
        """A phase (0..2) goes missing; None: it is back."""
        self.lost = phase
        self.volts(self._supply_cv)

    @micropython.native
    def load(self, i_ma, p_mw):
        """New currents (mA) and active powers (mW) per phase."""
        if self.connected < 3:
            none = [0] * (3 - self.connected)
            i_ma = list(i_ma[: self.connected]) + none
            p_mw = list(p_mw[: self.connected]) + none
        mine, powers = self.i_ma, self.p_mw
        if (
            mine[0] == i_ma[0] and mine[1] == i_ma[1] and mine[2] == i_ma[2]
            and powers[0] == p_mw[0] and powers[1] == p_mw[1] and powers[2] == p_mw[2]
        ):
            return
        self.settle()
        for k in range(3):
            mine[k] = i_ma[k]
            powers[k] = p_mw[k]
        self.loaded = bool(i_ma[0] or i_ma[1] or i_ma[2])

    def true_mwh(self):
        """Energy that went through the meter so far, in mWh."""
        self.settle()
        return self._mw_us // 3600000000
