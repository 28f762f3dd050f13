"""What was sensed this tick. Filled by sense/, read by decide/ and tell/; made once, never replaced."""

from array import array

from micropython import const

_NO_SENSOR = const(-2000)
_COLDEST_DC = const(-400)  # outside these a temperature sensor is broken (heat.py)
_HOTTEST_DC = const(1250)


class Reading:
    def __init__(self):
        # Control pilot, mV at the pilot node. With a steady level both plateaus are the same.
        self.cp_ok = False  # plateaus were found in this burst
        self.cp_high_mv = 0
        self.cp_low_mv = 0
        # Digital lines, a bit each, 1 = it is so: 1 residual current AC, 2 DC, 4 auxiliary contact
        # closed, 8 voltage behind the contactor, 16 earth missing, 32 PEN open, 64 lid open,
        # 128 button pressed. 0 where the board has none (board.py).
        self.lines = 0
        # Residual current that opened the contactor: bits 1 and 2, until decide has taken them.
        self.trips = 0
        # Auxiliary contact: 1 closed, 0 open; voltage behind the contactor: 1 live, 0 dead.
        # -1 = the board has none.
        self.aux = self.load = -1
        self.button = 1 << 28  # ms for which the button is held, 0 = it is not; debounced
        # Of the second contactor, L2 and L3: 1 closed, 0 open, -1 none.
        self.phase_aux = -1
        # Feedback of the socket's lock: 1 locked, 0 open, -1 the board has none.
        self.lock = -1
        # Proximity pilot, Ohm to PE, mean of 80 ms; -1 = the board has none.
        self.pp_ohm = -1
        # Temperature inside the station, 0.1 degC; beyond -40 and 125 degC as sense/heat.py says.
        # -2000: no sensor, or no reading yet.
        self.temp_dc = _NO_SENSOR
        # Meter: phase arrays are L1..L3. Complete snapshots only; `meter_fresh` counts them.
        self.v_cv = array("i", [0, 0, 0])  # 0.01 V
        self.i_ma = array("i", [0, 0, 0])  # RMS, reactive current included
        self.p_mw = array("i", [0, 0, 0])  # active power, signed
        self.pf_m = array("i", [0, 0, 0])  # power factor, 1/1000, signed
        # Peaks of the currents, where the meter has them; `peak_fresh` counts the looks.
        self.peak_ma = array("i", [0, 0, 0])
        self.peak_fresh = 0
        self.hz_c = 0
        self.chip_dc = 0
        self.turn = 0  # of three phases: 1 L1 L2 L3, -1 L1 L3 L2, 0 not known
        self.wh = 0  # lifetime import register
        self.wh_part = 0  # and its rest, 1/320 Wh
        self.meter_fresh = 0
        self.meter_faults = 0  # bit 0 silent or nonsense, bit 1 energy continuity broken

    def inside_dc(self):
        """The station's temperature; the meter chip's where the board has no sensor, or it is broken."""
        if _COLDEST_DC <= self.temp_dc <= _HOTTEST_DC:
            return self.temp_dc
        return self.chip_dc
