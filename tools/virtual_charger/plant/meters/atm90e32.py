"""ATM90E32AS at register and frame level: its answers on SPI to the electrical truth it is fed.

Runs beside the firmware in MicroPython. Modelled: frames of 32 clocks, write protection, soft
reset, LastSPIData, averages over 16 mains cycles, peaks of the currents, energy registers cleared
by reading, gains, and FAULTS. Not modelled: reactive and fundamental power, peaks of the volts,
angles, events and interrupts, offsets, no-load thresholds; those registers read 0 or what was written.
Source: datasheet 90E32AS, April 2013.
"""

from math import sqrt

import micropython

_RESET_VALUES = {
    0x01: 0x0210, 0x02: 0x0654, 0x05: 0x143F, 0x06: 0xC000, 0x07: 0x0001, 0x08: 0x1000,
    0x09: 0x0400, 0x0A: 0xFFFF, 0x0B: 0xC000, 0x0C: 0x1324, 0x0D: 0x13EC, 0x0E: 0x010F,
    0x31: 0x0861, 0x32: 0xC468, 0x33: 0x0087,
    0x61: 0x8000, 0x62: 0x8000, 0x65: 0x8000, 0x66: 0x8000, 0x69: 0x8000, 0x6A: 0x8000,
}
_METER_EN, _PL_CONST_H, _PL_CONST_L, _M_MODE_0 = 0x00, 0x31, 0x32, 0x33
_SOFT_RESET, _LAST_SPI_DATA, _CFG_ACCESS = 0x70, 0x78, 0x7F
_ENERGY, _ENERGY_END = 0x80, 0x88  # import T A B C, export T A B C
_IPEAK, _FREQ, _TEMP, _UANGLE = 0xF5, 0xF8, 0xFC, 0xFD
_PEAK_CFG = 0x05  # high byte: ms of a peak's window
_CREST_US = 10_000  # from one crest of the current to the next, at 50 Hz
_READ = 0x80
_BLOCK_50_US, _BLOCK_60_US = 320_000, 266_667  # 16 cycles
_RESET_US = 5_000  # deaf after a reset; what the real chip answers meanwhile is not documented
_COUNT_MW_US = 80  # times PLconst: 11.25 J, 1/320 Wh, at PLconst 140,625,000

FAULTS = {
    "silent_high": "MISO stuck at ones; the chip still hears",
    "silent_low": "MISO stuck at zeros; the chip still hears",
    "bit_shift": "answers arrive one clock late",
    "stale": "the averages stand still, energy goes on",
    "reset": "brown-out, once: registers and energy lost",
    "last_spi_mismatch": "LastSPIData does not agree with what was transferred",
    "negative_power": "current transformers the wrong way round",
    "lying": "10 % of the true power",
    "energy_jump": "energy registers hold 8,192 counts too many",
}


class Chip:
    """One chip. `clock.us` is virtual time; `feed` has v_cv[3], i_ma[3], p_mw[3], hz_c, chip_dc.
    `nominal_ugain`, `nominal_igain`: gains (one a phase) that read true; else the first written."""

    def __init__(self, clock, feed, *, nominal_ugain=None, nominal_igain=None):
        self._clock = clock
        self._feed = feed
        self._nominal = [0] * 6  # U, I of A, B, C; 0 = whatever is written first
        for first, gains in ((0, nominal_ugain), (1, nominal_igain)):
            for k in range(len(gains or ())):
                self._nominal[2 * k + first] = gains[k]
        self._faults = set()
        self._on = True
        self._sent = 0  # bytes since CS went low
        self._address = 0
        self._reading = False
        self._word = 0  # being read or written
        self._answer = 0  # the same, as MISO brings it
        self._read_mw_us = 0  # cleared when the frame that reads it is complete
        self._idle = 0  # MISO while it says nothing
        self._reset()

    def power(self, on):
        """Supply of the chip. Off: it answers ones; on again: registers as after a reset."""
        self.settle()
        if on != self._on:
            self._on = on
            self._reset()
            self._set_idle()

    def fault(self, name):
        """Switch on one of FAULTS; ValueError for another name."""
        if name not in FAULTS:
            raise ValueError(name)
        self.settle()
        if name == "reset":
            self._reset()
        else:
            self._faults.add(name)
            self._set_idle()

    def clear(self, name):
        """Switch a fault off again."""
        self.settle()
        self._faults.discard(name)
        self._set_idle()

    @micropython.native
    def select(self, on):
        """Chip select. A frame takes effect when it rises, if there were exactly 32 clocks."""
        if not on and self._sent == 4 and self._on:
            self._take()
        self._sent = 0

    @micropython.native
    def exchange(self, tx, rx):
        """Bytes both ways while selected; `rx` may be None, else as long as `tx`."""
        at = self._sent
        for k in range(len(tx)):
            byte = tx[k]
            answer = self._idle
            if at == 0:
                self._reading = byte >= _READ
                self._address = (byte & 3) << 8
            elif at == 1:
                self._address |= byte
                self._word = self._fetch(self._address) if self._reading else 0
                self._answer = self._distort(self._word)
            elif at < 4:
                answer = self._answer >> 8 if at == 2 else self._answer & 0xFF
                if not self._reading:
                    self._word = (self._word << 8 | byte) & 0xFFFF
            if rx is not None:
                rx[k] = answer
            at += 1
        self._sent = at

    @micropython.native
    def settle(self):
        """Count energy and averages up to now with the present feed."""
        now = self._clock.us
        if now >= self.block_end_us:
            self._integrate(self.block_end_us)
            self._average()
            whole = (now - self._block_from_us) // self._block_us
            if whole:  # the feed was the same all along: one long block gives the same averages
                self._integrate(self._block_from_us + whole * self._block_us)
                self._average()
        self._integrate(now)

    def _reset(self):
        now = self._clock.us
        self._regs = dict(_RESET_VALUES)
        self._last = 0
        self._deaf_until_us = now + _RESET_US
        self._at_us = now
        self._energy_mw_us = [0] * 8
        self._block_us = _BLOCK_50_US
        self._peak_from_us = now
        self._peak_ma = [0, 0, 0]  # of the window that has ended ...
        self._peak_now_ma = [0, 0, 0]  # ... and of the present one
        self._begin_block()

    def _set_idle(self):
        self._idle = 0 if self._on and "silent_high" not in self._faults else 0xFF

    def _begin_block(self):
        self._block_from_us = self._at_us
        self.block_end_us = self._at_us + self._block_us  # when the next averages come
        self._sums = [0] * 9  # V squared, I squared, P of A, B, C, each times us

    @micropython.native
    def _integrate(self, until_us):
        self._crests(self._at_us, until_us)
        dt = until_us - self._at_us
        self._at_us = until_us
        if dt <= 0 or not self._on or not self._regs.get(_METER_EN):
            return
        feed = self._feed
        sums = self._sums
        energy = self._energy_mw_us
        total = 0
        for k in range(3):
            p = feed.p_mw[k]
            v = feed.v_cv[k]
            i = feed.i_ma[k]
            u_gain, i_gain = self._regs[0x61 + 4 * k], self._regs[0x62 + 4 * k]
            u_true, i_true = self._nominal[2 * k] or u_gain, self._nominal[2 * k + 1] or i_gain
            if u_gain != u_true or i_gain != i_true:
                v = v * u_gain // u_true
                i = i * i_gain // i_true
                p = p * u_gain * i_gain // (u_true * i_true)
            if self._faults:
                if "lying" in self._faults:
                    p //= 10
                if "negative_power" in self._faults:
                    p = -p
            sums[k] += v * v * dt
            sums[3 + k] += i * i * dt
            sums[6 + k] += p * dt
            total += p
            if p > 0:
                energy[1 + k] += p * dt
            else:
                energy[5 + k] -= p * dt
        if total > 0:
            energy[0] += total * dt
        else:
            energy[4] -= total * dt

    @micropython.native
    def _crests(self, at_us, until_us):
        """Peaks of the currents from `at_us` to `until_us`, while the feed was the same."""
        window_us = (self._regs[_PEAK_CFG] >> 8) * 1000 or _CREST_US
        while at_us < until_us:
            end_us = self._peak_from_us + window_us
            if until_us - end_us > 2 * window_us:  # only the last two windows can be read
                self._peak_from_us = until_us - (until_us - end_us) % window_us - 2 * window_us
                self._peak_now_ma = [0, 0, 0]
                at_us = self._peak_from_us
                continue
            stop_us = min(until_us, end_us)
            for k in range(3):
                i = self._feed.i_ma[k]
                if (stop_us + k * 3333) // _CREST_US > (at_us + k * 3333) // _CREST_US:
                    i = i * 1414 // 1000  # a crest falls into this time
                if i > self._peak_now_ma[k]:
                    self._peak_now_ma[k] = i
            at_us = stop_us
            if stop_us == end_us:
                self._peak_ma, self._peak_now_ma = self._peak_now_ma, [0, 0, 0]
                self._peak_from_us = end_us

    @micropython.native
    def _average(self):
        """The block is over: its averages go to the registers."""
        dt = self._at_us - self._block_from_us
        if self._regs.get(_METER_EN) and "stale" not in self._faults:
            regs = self._regs
            sums = self._sums
            total = 0
            for k in range(3):
                v = min(65535, int(sqrt(sums[k] / dt) + 0.5))
                i = min(65535, int(sqrt(sums[3 + k] / dt) + 0.5))
                p = sums[6 + k] // dt
                total += p
                apparent = v * i
                factor = round(100_000 * p / apparent) if apparent else 0
                regs[0xD9 + k] = v
                regs[0xDD + k] = i
                regs[0xBD + k] = max(-1000, min(1000, factor)) & 0xFFFF
                self._put_power(0xB1 + k, p)
            self._put_power(0xB0, total)
        self._begin_block()

    @micropython.native
    def _put_power(self, high, p_mw):
        raw = (p_mw * 25 + 4) // 8  # 0.32 mW a count
        self._regs[high] = (raw >> 16) & 0xFFFF
        self._regs[high + 0x10] = raw & 0xFFFF

    @micropython.native
    def _fetch(self, address):
        """The word a read of `address` gives now."""
        if self._clock.us >= self.block_end_us:
            self.settle()
        if address == _LAST_SPI_DATA:
            return self._last ^ 0x2411 if "last_spi_mismatch" in self._faults else self._last
        if _ENERGY <= address < _ENERGY_END:
            self.settle()
            count_mw_us = self._count_mw_us()
            counts = self._energy_mw_us[address - _ENERGY] // count_mw_us
            self._read_mw_us = counts * count_mw_us  # a part of a count stays
            if "energy_jump" in self._faults:
                counts += 8192
            return counts & 0xFFFF
        if _IPEAK <= address < _FREQ:
            self.settle()
            k = address - _IPEAK
            gain = self._nominal[2 * k + 1] or self._regs[0x62 + 4 * k] or 1  # samples: not calibrated
            return min(32767, self._peak_ma[k] * 8192 // gain)
        if address == _FREQ:
            return self._feed.hz_c if max(self._feed.v_cv) > 2000 else 0
        if _UANGLE <= address < _UANGLE + 3:
            k = address - _UANGLE
            there = self._feed.v_cv[0] > 2000 and self._feed.v_cv[k] > 2000
            return (3 - k if self._feed.swapped else k) * 1200 % 3600 if there else 0
        if address == _TEMP:
            return (self._feed.chip_dc + 5) // 10 & 0xFFFF
        return self._regs.get(address, 0)

    @micropython.native
    def _distort(self, word):
        """What reaches the other end of MISO."""
        if not self._on or self._clock.us < self._deaf_until_us:
            return 0xFFFF
        if self._faults:
            if "silent_high" in self._faults:
                return 0xFFFF
            if "silent_low" in self._faults:
                return 0
            if "bit_shift" in self._faults:
                return word >> 1
        return word

    def _count_mw_us(self):
        return _COUNT_MW_US * (self._regs[_PL_CONST_H] << 16 | self._regs[_PL_CONST_L])

    @micropython.native
    def _take(self):
        """A complete frame: clear what was read, or write."""
        address = self._address
        if self._clock.us < self._deaf_until_us:
            return
        if self._reading:
            if _ENERGY <= address < _ENERGY_END:
                self._energy_mw_us[address - _ENERGY] -= self._read_mw_us
        if address != _LAST_SPI_DATA:
            self._last = self._word
        if not self._reading:
            self._write(address, self._word)

    def _write(self, address, word):
        regs = self._regs
        if address == _SOFT_RESET:
            if word == 0x789A:
                self._reset()
        elif address == _CFG_ACCESS:
            regs[address] = word
        elif address < _SOFT_RESET and regs.get(_CFG_ACCESS) == 0x55AA:
            self.settle()
            starts = address == _METER_EN and not regs.get(_METER_EN)
            regs[address] = word
            if 0x61 <= address <= 0x6A and (address - 0x61) % 4 < 2:
                k = (address - 0x61) // 4 * 2 + (address - 0x61) % 4
                self._nominal[k] = self._nominal[k] or word
            elif address == _M_MODE_0:
                self._block_us = _BLOCK_60_US if word & 0x1000 else _BLOCK_50_US
            if starts:
                self._begin_block()
