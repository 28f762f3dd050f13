"""ATM90E32AS energy meter on SPI: volts, current, power, power factor, imported energy per phase.

Touches one SPI bus and its chip select, and the reading it is given. Each tick reads at most three
registers of a list, or judges a list that is complete. Nothing waits. Every fifth tick belongs to the
peaks of the currents: an over-current need not wait for averages, which take up to 0.9 s.

A list of values begins and ends with a register whose content is known, and looks at MeterEn: a
dead line, bits shifted by a clock and a chip that was reset are noticed before anything is shown.
Register map: datasheet 90E32AS, April 2013. It has met a simulated chip only.
"""

from array import array
from time import ticks_diff

from machine import SPI, Pin
from micropython import const

from pilotwire import once

_FRAMES = const(3)  # SPI frames of 4 bytes a tick, every list below is a multiple of it

_READ = const(0x80)  # first byte of a read frame; no register used here lies above 0xFF
_METER_EN = const(0x00)
_PL_CONST_H = const(0x31)
_LAST_SPI_DATA = const(0x78)
_IMPORT_A = const(0x81)  # 1/320 Wh a count at 3200 pulses/kWh, 16 bits, cleared by reading
_FREQ = const(0xF8)
_TEMP = const(0xFC)

_P_HIGH = const(0xB1)  # of phase A here and below; B and C follow
_P_LOW = const(0xC1)
_PF = const(0xBD)
_URMS = const(0xD9)
_IRMS = const(0xDD)
_UANGLE_B = const(0xFE)  # of L2 behind L1, 0.1 degree; that of L3 follows
_IPEAK = const(0xF5)  # highest sample of the last 20 ms (register 0x05, as after a reset)
_LOOK_TICKS = const(5)  # from look to look: longer than that window

_SIGNATURE = const(0x0861)  # PLconstH, after a reset and as we want it; a shifted bit shows
_RUNNING = const(0x00FF)  # MeterEn while we meter; 0 after any reset of the chip

_RESET_MS = const(10)  # the chip needs 5 ms after a soft reset
_FIRST_BLOCK_MS = const(400)  # the first average takes 16 mains cycles, 356 ms at 45 Hz
_CYCLE_MS = const(200)  # start to start: read twice, a snapshot still follows within 320 ms
_ENERGY_MS = const(500)  # looked at once a cycle
_FAILURES = const(6)  # bad lists in a row, 110 ms each, before giving up: control knows within 1 s
_RETRY_MS = const(1000)  # between two attempts to start the chip

_SILENT = const(1)  # bits of r.meter_faults
_BROKEN = const(2)
_IMPLAUSIBLE = const(4)

_P_HIGH_MAX = const(1200)  # steps of 21 W: 25 kW a phase is more than the chip's 65.5 A allow
_DOUBT_MW = const(20000)  # margin for no-load noise and rounding
_WRAP_MS = const(30000)  # 80 A at 300 V fill the 16-bit energy register in 30.7 s

_RESET = const(0)  # what the next tick does
_SETUP = const(1)
_LIST = const(2)
_VALUES = const(3)
_ENERGY = const(4)


class Meter:
    """One chip. `spec` is the "meter" part of board.json: spi, sck, mosi, miso, cs, baud, phases,
    hz, ugain and igain (one a phase, from calibration), pga (0 x1, 1 x2, 2 x4)."""

    NAME = "atm90e32"
    PERIOD_MS = 320  # the chip averages 16 cycles of the mains: new values this often at 50 Hz

    def __init__(self, spec):
        phases = spec["phases"]
        self._cs = Pin(spec["cs"], Pin.OUT, value=1)
        self._spi = SPI(
            spec["spi"], baudrate=spec["baud"], polarity=1, phase=1,
            sck=Pin(spec["sck"]), mosi=Pin(spec["mosi"]), miso=Pin(spec["miso"]),
        )
        self._igain = spec["igain"]
        self.peak_most_ma = 4095 * min(spec["igain"]) >> 10  # the ADC's full scale
        self._look_ticks = 0  # until the next look at the peaks
        self._tx = bytearray(4)
        self._rx = bytearray(4)
        self._phases = phases
        self._setup = once.call("sense.meter.atm90e32_setup", "frames", spec)
        values = [_PL_CONST_H]
        energy = []
        for k in range(phases):
            values += [_P_LOW + k, _P_HIGH + k, _URMS + k, _IRMS + k, _PF + k]
            energy += [_IMPORT_A + k, _LAST_SPI_DATA, _PL_CONST_H]
        values += [_P_LOW + k for k in range(phases)]
        values += [_FREQ, _TEMP, _METER_EN, _LAST_SPI_DATA, _PL_CONST_H]
        self._value_list = bytes(values)
        self._energy_list = bytes(energy)
        self._list = self._value_list  # being read
        self._words = array("H", [0] * len(values))  # what the list gave so far
        self._row = 0  # next register of the list, or next frame of the setup
        self._p_mw = array("i", [0, 0, 0])
        self._pf_m = array("i", [0, 0, 0])
        self._state = _RESET
        self._metering = False  # the chip counts energy that we have not read yet
        self._doubts = 0  # implausible snapshots in a row
        self._turn = 0  # of the phases, as it was seen last
        self._hold_ms = 0  # do nothing until this long after _since_ms
        self._since_ms = 0
        self._failures = 0  # bad lists in a row
        self._energy_ms = 0  # last reading of the energy registers began
        self._asked_ms = 0  # this one began

    def step(self, r, now_ms):
        """One tick's share, `now_ms` from ticks_ms. When a snapshot is complete and checked: fills
        r.v_cv, i_ma, p_mw, pf_m, hz_c, chip_dc and counts r.meter_fresh. Adds imported energy to
        r.wh and r.wh_part (1/320 Wh). Between them fills r.peak_ma and counts r.peak_fresh, every
        50 ms. r.meter_faults: bit 0 no sensible answer, bit 1 energy was
        lost (control clears it), bit 2 power does not fit volts, current and power factor."""
        if self._look_ticks:
            self._look_ticks -= 1
        elif self._metering and self._failures < 2:  # one bad list is a new block, two are a bad bus
            self._look(r)
            return
        if self._hold_ms:
            if ticks_diff(now_ms, self._since_ms) < self._hold_ms:
                return
            self._hold_ms = 0
        state = self._state
        if state == _LIST:
            self._read(now_ms)
        elif state == _VALUES:
            self._judge_values(r, now_ms)
        elif state == _ENERGY:
            self._judge_energy(r, now_ms)
        elif state == _SETUP:
            self._set_up(r, now_ms)
        else:
            self._reset(r, now_ms)

    def _look(self, r):
        """Peaks of the currents. Not compared with anything: who judges them wants several looks."""
        self._look_ticks = _LOOK_TICKS - 1
        tx = self._tx
        rx = self._rx
        cs = self._cs
        spi = self._spi
        for k in range(self._phases):
            tx[1] = _IPEAK + k
            cs.value(0)
            spi.write_readinto(tx, rx)
            cs.value(1)
            word = rx[2] << 8 | rx[3]
            if word > 32767:
                word = 65536 - word
            r.peak_ma[k] = (word >> 3) * self._igain[k] >> 10  # Igain / 2**13 mA a count
        r.peak_fresh = (r.peak_fresh + 1) & 0xFFFFF

    def _read(self, now_ms):
        addresses = self._list
        words = self._words
        tx = self._tx
        rx = self._rx
        cs = self._cs
        spi = self._spi
        row = self._row
        if row == 0:
            if addresses is self._value_list:
                self._since_ms = now_ms
            else:
                self._asked_ms = now_ms
        for k in range(row, row + _FRAMES):
            tx[1] = addresses[k]
            cs.value(0)
            spi.write_readinto(tx, rx)
            cs.value(1)
            words[k] = rx[2] << 8 | rx[3]
        row += _FRAMES
        self._row = row
        if row == len(addresses):
            self._state = _VALUES if addresses is self._value_list else _ENERGY

    def _judge_values(self, r, now_ms):
        words = self._words
        last = len(self._value_list) - 1
        self._row = 0
        self._state = _LIST
        good = words[0] == _SIGNATURE and words[last] == _SIGNATURE
        if good:
            running = words[last - 2]
            if running == 0 and words[last - 1] == 0:
                self._state = _RESET
                return
            good = running == _RUNNING and words[last - 1] == _RUNNING and self._convert()
        if not good:
            self._failures += 1
            if self._failures == _FAILURES:
                self._give_up(r, now_ms)
            return
        self._failures = 0
        if self._doubts == 1:  # perhaps a flipped bit: read again; if it stays, show and flag it
            return
        self._show(r)
        if ticks_diff(now_ms, self._energy_ms) >= _ENERGY_MS:
            self._list = self._energy_list
        else:
            self._hold_ms = _CYCLE_MS

    def _convert(self):
        """Signed power and power factor from the words; False when they are no single snapshot."""
        words = self._words
        p_mw = self._p_mw
        pf_m = self._pf_m
        doubt = False
        at = 1
        again = 1 + 5 * self._phases
        for k in range(self._phases):
            high = words[at + 1]
            if high > 32767:
                high -= 65536
            pf = words[at + 4]
            if pf > 32767:
                pf -= 65536
            # A low word that changed: the chip brought new values while we were reading.
            if words[at] != words[again + k] or not -_P_HIGH_MAX <= high < _P_HIGH_MAX:
                return False
            if not -1000 <= pf <= 1000 or words[at + 2] == 0xFFFF:
                return False
            # 0.32 mW a count; then 0.01 V x 1 mA, both / 8: every product stays below 2**30.
            p = (((high << 16) + words[at]) * 8 + 12) // 25
            s_mva = (words[at + 2] >> 3) * (words[at + 3] >> 3) * 16 // 25
            off = p - s_mva // 1000 * pf
            margin = s_mva // 5 + _DOUBT_MW
            if off > margin or off < -margin:
                doubt = True
            p_mw[k] = p
            pf_m[k] = pf
            at += 5
        self._doubts = self._doubts + 1 if doubt else 0
        return True

    def _show(self, r):
        words = self._words
        p_mw = self._p_mw
        pf_m = self._pf_m
        at = 3
        for k in range(self._phases):
            r.v_cv[k] = words[at]
            r.i_ma[k] = words[at + 1]
            r.p_mw[k] = p_mw[k]
            r.pf_m[k] = pf_m[k]
            at += 5
        at = 1 + 6 * self._phases
        r.hz_c = words[at]
        degrees = words[at + 1]
        if degrees > 32767:
            degrees -= 65536
        r.chip_dc = degrees * 10
        r.meter_faults = (r.meter_faults & _BROKEN) | (_IMPLAUSIBLE if self._doubts else 0)
        r.meter_fresh = (r.meter_fresh + 1) & 0xFFFFF

    def _judge_energy(self, r, now_ms):
        """Add what the registers gave. They are cleared by reading, so a doubtful reading is lost:
        LastSPIData is compared, never used instead."""
        words = self._words
        elapsed_ms = ticks_diff(now_ms, self._energy_ms)
        self._energy_ms = self._asked_ms  # a stall may part the phases: the earliest of them counts
        if elapsed_ms > _WRAP_MS:
            elapsed_ms = _WRAP_MS
            r.meter_faults |= _BROKEN
        most = elapsed_ms * 32 // 15  # counts of 80 A at 300 V
        part = r.wh_part
        at = 0
        for _ in range(self._phases):
            counts = words[at]
            if counts == words[at + 1] and words[at + 2] == _SIGNATURE and counts <= most:
                part += counts
            else:
                r.meter_faults |= _SILENT | _BROKEN
            at += 3
        if self._phases == 3:
            self._look_at_turn(r)
        r.wh += part // 320
        r.wh_part = part % 320
        self._list = self._value_list
        self._row = 0
        self._state = _LIST
        self._hold_ms = _CYCLE_MS

    def _look_at_turn(self, r):
        """Which phase follows which, when two looks agree. That the chip counts a lag as positive is a
        guess: a real one may show L1 L2 L3 as -1."""
        tx = self._tx
        rx = self._rx
        turn = 0
        for k in range(2):
            tx[1] = _UANGLE_B + k
            self._cs.value(0)
            self._spi.write_readinto(tx, rx)
            self._cs.value(1)
            angle = rx[2] << 8 | rx[3]
            third = 1 if 900 < angle < 1500 else 2 if 2100 < angle < 2700 else 0
            turn = turn * 3 + third
        turn = 1 if turn == 5 else -1 if turn == 7 else 0  # L2 at 120 and L3 at 240 degrees, or swapped
        r.turn = turn if turn == self._turn else 0
        self._turn = turn

    def _reset(self, r, now_ms):
        """Soft reset. It clears the energy registers: what they held is lost."""
        if self._metering:
            self._metering = False
            r.meter_faults |= _BROKEN
        self._exchange(0)
        self._state = _SETUP
        self._row = 1
        self._since_ms = now_ms
        self._hold_ms = _RESET_MS

    def _set_up(self, r, now_ms):
        frames = self._setup
        tx = self._tx
        rx = self._rx
        for _ in range(_FRAMES):
            at = self._row * 4
            self._exchange(at)
            if tx[0] == _READ and (rx[2] != frames[at + 2] or rx[3] != frames[at + 3]):
                self._give_up(r, now_ms)
                return
            self._row += 1
        if self._row * 4 == len(frames):
            self._list = self._value_list
            self._row = 0
            self._state = _LIST
            self._metering = True
            self._doubts = 0
            self._failures = 0
            self._energy_ms = now_ms
            self._since_ms = now_ms
            self._hold_ms = _FIRST_BLOCK_MS

    def _exchange(self, at):
        """One frame of the setup; a read sends zeros behind its address."""
        frames = self._setup
        tx = self._tx
        tx[0] = frames[at]
        tx[1] = frames[at + 1]
        tx[2] = 0 if tx[0] == _READ else frames[at + 2]
        tx[3] = 0 if tx[0] == _READ else frames[at + 3]
        self._cs.value(0)
        self._spi.write_readinto(tx, self._rx)
        self._cs.value(1)

    def _give_up(self, r, now_ms):
        r.meter_faults |= _SILENT
        self._state = _RESET
        self._since_ms = now_ms
        self._hold_ms = _RETRY_MS
