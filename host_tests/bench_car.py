"""A test bench around decide/: a car, a contactor and a meter, moved on as control.py does it.

Everything is seen from outside: what the pilot carries, whether the contactor is closed, which faults
hold. `log` lists every change of contactor and offer as (ms, name, value).
"""

from pilotwire.decide import fault_rows, fault_table, limits
from pilotwire.decide.cable import Cable
from pilotwire.decide.charging import Charging
from pilotwire.decide.faults import Faults
from pilotwire.decide.letters import STATE_F, A, B, C, E
from pilotwire.decide.limits import Limits
from pilotwire.decide.protection import Protection
from pilotwire.decide.reading import Reading

LEVELS_MV = (12000, 9000, 6000, 3000, 0)  # high plateau for A to E, of a generator with 12 V
PARTS_M = (1000, 733, 469, 197, 0)  # of a generator's error that is in them, 1/1000
UNREADABLE = "unreadable"  # a burst in which no plateaus were found
SNAPSHOT_MS = 240  # the meter's pace
OPEN_OHM = 99999  # no plug in the socket
FAIL_SAFE_MA = 6000


class Bench:
    def __init__(
        self, *, limit_ma=16000, rating_ma=63000, meter=True, aux=True, phases=3, uk=False,
        ventilation=False, socket=False,
    ):
        self.reading = Reading()
        self.charging = Charging(ventilation)
        self.faults = Faults(fault_table.compiled())
        self.limits = Limits(FAIL_SAFE_MA)
        self.limits.set(limits.BOARD, rating_ma)
        self.limits.set(limits.COMMAND, limit_ma)
        self.protection = Protection(meter, rating_ma, phases=phases, uk=uk)
        self.delays_s = []  # drawn for restarts after bad volts, the next first
        self.enabled = True
        self.may_close = True
        self.now_ms = 0
        self.log = []
        # The car and the cable.
        self.shows = A
        self.diode = True
        self.off_mv = 0  # its resistors: added to the levels of B, C and D
        self.plus_mv, self.low_mv = 12000, -12000  # the generator's
        self.level_mv = None  # instead of the level of `shows`
        self.cable = Cable() if socket else None
        self.pp_ohm = OPEN_OHM
        self.bursts = []  # spoilt bursts, each (high mV, low mV) or UNREADABLE, before the true ones
        # The contactor: its auxiliary contact, if the board has one, follows after 20 ms.
        self.has_aux = aux
        self.welded = self.stuck_open = False
        self.aux_samples = []  # spoilt samples, before the true ones
        self._moved_ms = 0
        self._contacts = 0
        # The meter.
        self.meter_silent = not meter
        self.amps_ma = [0, 0, 0]
        self.active_ma = None  # active current per phase when it differs from `amps_ma`
        self.volts_cv = [23000, 23000, 23000]
        self.frozen = False  # its averages stand still, its energy goes on
        self.energy = 1.0  # what its energy register sees of the true power
        self._snapshot_ms = 0
        self._energy_mj = 0
        self.tick()  # the first look

    # Time ------------------------------------------------------------------------------------

    def tick(self, dt_ms=10):
        """One turn of the loop, `dt_ms` after the last."""
        charging, r = self.charging, self.reading
        second = self.now_ms // 1000
        self.now_ms += dt_ms
        was = charging.contactor, charging.offer_ma
        self._look()
        if charging.doubtful(r):
            self._look()
        self._auxiliary(dt_ms)
        if self.cable:
            r.pp_ohm = self.pp_ohm
            if self.cable.step(r, charging.letter, self.faults, dt_ms):
                self.limits.set(limits.CABLE, self.cable.limit_ma)
        self._meter(dt_ms)
        charging.step(
            r, dt_ms, self.limits.ma, self.limits.urgent_ma, self.enabled, self.may_close, self.faults
        )
        self.protection.step(r, charging, self.faults, dt_ms)
        if charging.contactor != was[0]:
            self._moved_ms = 0
            self.log.append((self.now_ms, "contactor", charging.contactor))
        if charging.offer_ma != was[1]:
            self.log.append((self.now_ms, "offer", charging.offer_ma))
        if self.now_ms // 1000 != second:
            self.limits.second(self.now_ms // 1000)
            self._meter_limit()
            self.protection.second(self.faults, lambda: self.delays_s.pop(0) if self.delays_s else 0)
            self.faults.second(charging.letter == A)

    def run(self, ms, dt_ms=10):
        for _ in range(0, ms, dt_ms):
            self.tick(dt_ms)
        return self

    def until(self, happened, within_ms=20000):
        """Run until `happened(self)`; the ms it took. AssertionError when it does not happen."""
        start_ms = self.now_ms
        while not happened(self):
            assert self.now_ms - start_ms < within_ms, f"not within {within_ms} ms"
            self.tick()
        return self.now_ms - start_ms

    # The car ---------------------------------------------------------------------------------

    def plug(self, letter=B):
        self.shows = letter
        return self.run(200)

    def charge(self, draws_ma=0):
        """A car that is plugged in, asks, and charges for a minute."""
        self.plug()
        self.shows = C
        self.until(closed)
        self.amps_ma = [draws_ma, draws_ma, draws_ma]
        return self.run(60000)

    def plateaus(self):
        """(high, low) that the pilot has with what it carries now."""
        offer_ma = self.charging.offer_ma
        if offer_ma == STATE_F:
            return -12000, -12000
        level = self.level_mv
        if level is None:
            shows = self.shows
            level = LEVELS_MV[shows] + (self.plus_mv - 12000) * PARTS_M[shows] // 1000
            if A < shows < E:
                level += self.off_mv
        if offer_ma <= 0 or level <= 1000:  # steady, or shorted
            return level, level
        return level, self.low_mv if self.diode or self.shows == A else -level

    # The wires -------------------------------------------------------------------------------

    def _look(self):
        r = self.reading
        burst = self.bursts.pop(0) if self.bursts else self.plateaus()
        r.cp_ok = burst is not UNREADABLE
        if r.cp_ok:
            r.cp_high_mv, r.cp_low_mv = burst

    def _auxiliary(self, dt_ms):
        self._moved_ms += dt_ms
        if self._moved_ms >= 20:
            self._contacts = int(self.charging.contactor)
        if self.has_aux:
            true = self.welded or self._contacts and not self.stuck_open
            self.reading.aux = self.aux_samples.pop(0) if self.aux_samples else int(true)

    def _meter(self, dt_ms):
        self._snapshot_ms += dt_ms
        r = self.reading
        self._energy_mj += sum(self._power_mw()) * self.energy * dt_ms / 1000
        counts, self._energy_mj = divmod(self._energy_mj, 11250)  # 1/320 Wh
        counts += r.wh_part
        r.wh, r.wh_part = r.wh + int(counts) // 320, int(counts) % 320
        if self._snapshot_ms < SNAPSHOT_MS:
            return
        self._snapshot_ms = 0
        if not self.meter_silent:
            self.snapshot()

    def _power_mw(self):
        """True active power of each phase."""
        if not (self.charging.contactor and not self.stuck_open or self.welded):
            return [0, 0, 0]
        active = self.active_ma or self.amps_ma
        return [active[k] * self.volts_cv[k] // 100 for k in range(3)]

    def _meter_limit(self):
        lost = self.faults.holds(fault_rows.METER_LOST)
        self.limits.set(limits.METER, FAIL_SAFE_MA if lost else limits.NONE_MA)

    def snapshot(self):
        """The meter's next complete snapshot, with 230 V on all phases unless `volts_cv` says else."""
        r = self.reading
        if not self.frozen:
            power = self._power_mw()
            closed_now = self.charging.contactor and not self.stuck_open or self.welded
            for phase in range(3):
                amps = self.amps_ma[phase] if closed_now else 0
                apparent = self.volts_cv[phase] * amps // 100
                r.v_cv[phase], r.i_ma[phase] = self.volts_cv[phase], amps
                r.p_mw[phase] = power[phase]
                r.pf_m[phase] = power[phase] * 1000 // apparent if apparent else 0
        r.meter_fresh += 1

    # What is seen ----------------------------------------------------------------------------

    def shown(self):
        """Code a person sees, "" when there is none."""
        return fault_table.code(self.faults.worst) if self.faults.worst >= 0 else ""

    def codes(self):
        """All codes that hold."""
        mask = self.faults.mask()
        return [fault_table.code(row) for row in range(mask.bit_length()) if mask >> row & 1]

    def times(self, name, value=None):
        """When `name` changed (to `value`), ms."""
        return [ms for ms, what, to in self.log if what == name and value in (None, to)]


def closed(bench):
    return bench.charging.contactor


def opened(bench):
    return not bench.charging.contactor
