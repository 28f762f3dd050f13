"""Driver, simulated chip and feed for scripts of test_meter_atm90e32*.py; runs in MicroPython."""

import json
from array import array

import machine
from plant.meters.atm90e32 import Chip

from pilotwire.sense.meter.atm90e32 import Meter

COUNT = 11250000000  # mW us in 1/320 Wh

AFTER_RESET = {
    0x01: 0x0210, 0x02: 0x0654, 0x05: 0x143F, 0x06: 0xC000,
    0x08: 0x1000, 0x09: 0x0400, 0x31: 0x0861, 0x32: 0xC468,
}  # fmt: skip


class Clock:
    us = 0


class Reading:
    def __init__(self):
        for name in ("v_cv", "i_ma", "p_mw", "pf_m", "peak_ma"):
            setattr(self, name, array("i", [0, 0, 0]))
        self.peak_fresh = 0
        self.hz_c = self.chip_dc = self.turn = self.wh = self.wh_part = 0
        self.meter_fresh = self.meter_faults = 0

    def counts(self):
        return self.wh * 320 + self.wh_part


def spec(phases=3, hz=50):
    found = {"chip": "atm90e32", "phases": phases, "hz": hz, "pga": 1}
    found.update({"spi": 2, "sck": 18, "mosi": 23, "miso": 19, "cs": 5, "baud": 1000000})
    found["ugain"] = [30000, 30100, 30200][:phases]
    found["igain"] = [40000, 40100, 40200][:phases]
    return found


class Rig:
    """Driver, chip and feed; the chip's bus takes 132 us a frame, ticks come every 10 ms."""

    def __init__(self, phases=3, hz=50, start_ms=0):
        self.clock = Clock()
        self.v_cv, self.i_ma, self.p_mw = [23000, 23117, 22991], [16000, 9999, 31995], [0, 0, 0]
        self.full_load()
        self.hz_c, self.chip_dc, self.swapped = 4998, 310, False
        self.chip = Chip(self.clock, self)
        self.r = Reading()
        machine.bus = self
        self.meter = Meter(spec(phases, hz))
        self.ms = start_ms
        self.true_mw_us = 0
        self.gap = self.longest_gap_ms = 0
        self.most_frames = 0

    def full_load(self):
        for k in range(3):
            self.p_mw[k] = self.v_cv[k] * self.i_ma[k] // 100

    def select(self, on):
        self.chip.select(on)

    def exchange(self, tx, rx):
        self.pass_us(132)
        self.chip.exchange(tx, rx)

    def pass_us(self, us):
        self.true_mw_us += sum(self.p_mw) * us
        self.clock.us += us

    def load(self, i_ma):
        self.chip.settle()
        for k in range(3):
            self.i_ma[k] = i_ma[k]
        self.full_load()

    def tick(self):
        r = self.r
        start_us, fresh, before = self.clock.us, r.meter_fresh, machine.frames
        self.meter.step(r, self.ms)
        self.most_frames = max(self.most_frames, machine.frames - before)
        self.pass_us(start_us + 10000 - self.clock.us)
        self.ms = self.ms + 10 & 0x3FFFFFFF
        self.gap += 10
        if r.meter_fresh != fresh:
            self.longest_gap_ms = max(self.longest_gap_ms, self.gap)
            self.gap = 0

    def run(self, ms):
        for _ in range(ms // 10):
            self.tick()

    def drain(self):
        """No load until all energy has been read. Returns counts read less true counts."""
        self.load((0, 0, 0))
        self.run(2000)
        return self.r.counts() - self.true_mw_us / COUNT


class Registers:
    """A bare register file, for words no feed would give, and for a bus that does not allocate."""

    def __init__(self):
        self.words = array("H", [0] * 1024)
        for address, word in AFTER_RESET.items():
            self.words[address] = word
        self.sent = []
        self.keep = True

    def select(self, on):
        pass

    def exchange(self, tx, rx):
        if self.keep:
            self.sent.append(bytes(tx))
        at = (tx[0] & 3) << 8 | tx[1]
        word = self.words[at] if tx[0] & 0x80 else tx[2] << 8 | tx[3]
        self.words[at] = self.words[0x78] = word
        rx[2] = word >> 8
        rx[3] = word & 255


def frame(chip, hex_):
    tx, rx = bytes.fromhex(hex_), bytearray(len(hex_) // 2)
    chip.select(True)
    chip.exchange(tx, rx)
    chip.select(False)
    return rx[2:4].hex()


def say(*values):
    print(json.dumps(values))
