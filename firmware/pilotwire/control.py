"""The loop: sense -> decide -> act -> tell, every 10 ms. The file to read first.

sense fills one Reading; decide turns it into contactor and offer; act moves the outputs, the
contactor first; tell lets people and backends know, one bounded chore a tick, by turns.
"""

import gc
import sys
import time

import machine
import micropython
from micropython import const

from pilotwire import once
from pilotwire.act.contactor import Contactor
from pilotwire.act.pilot_pwm import PilotPwm, duty_of
from pilotwire.clock import KEPT, Clock
from pilotwire.decide import charging as seq
from pilotwire.decide import fault_rows, limits
from pilotwire.decide.charging import Charging
from pilotwire.decide.faults import Faults
from pilotwire.decide.limits import Limits
from pilotwire.decide.notices import CONFIG_COPY, Notices
from pilotwire.decide.protection import Protection
from pilotwire.decide.reading import Reading
from pilotwire.decide.session import Session
from pilotwire.decide.wiring import Wiring
from pilotwire.facts import Facts
from pilotwire.orders import Orders
from pilotwire.panel import Panel
from pilotwire.seconds import Seconds
from pilotwire.sense.inputs import Inputs
from pilotwire.sense.meter import open_meter
from pilotwire.sense.pilot import Pilot
from pilotwire.tell import boot_record, link
from pilotwire.tell.health import Health
from pilotwire.tell.journal import Journal
from pilotwire.tell.led import Led
from pilotwire.tell.records import RECORD, Records
from pilotwire.tell.site import Site
from pilotwire.visit import Visit

_TICK_US = const(10000)
_WATCHDOG_MS = const(2000)  # with the contactor closed, or the lock's motor running
_WATCHDOG_OPEN_MS = const(30000)  # looking up a name may block for many seconds, and harms nobody
_REST_START_MS = const(5000)  # before the contactor may close: after a power-on
_REST_ABNORMAL_MS = const(30000)  # and after any other start
_NO_INTERRUPT = const(-1)  # Ctrl-C is read by console.py
_PROGRAMMED = const(1)  # what journal.step() did
_NAME_S = const(12)
_TRIPS = const(3)  # bits of Reading.lines
_LONG_PRESS_MS = const(3000)
_LASTING = const(112)  # the bits that decide/earth.py watches
_GC_TICKS = const(200)  # about 5 KB of messages; a collection takes 5 ms of the chip

# What tell does in a tick, by turns of ten. The LED's blinks are multiples of 50 ms; a whole display
# takes about a second.
_LINK, _LED, _DISPLAY, _JOURNAL, _SITE, _GC, _SECOND = range(1, 8)
_TURNS = bytes(
    (_LED, _LINK, _DISPLAY, _LINK, _JOURNAL, _LED, _LINK, _DISPLAY, _LINK, _SITE)
)
_CHORES = ("none", "link", "led", "display", "journal", "site", "gc", "second")


class Charger:
    def __init__(self, board, config):
        self._contactor = Contactor(board.contactor)  # off, before anything that can fail
        from pilotwire import options

        self._pwm = PilotPwm(board.pilot)
        self.board = board
        self.config = config
        self.clock = Clock()
        self.reading = Reading()
        self._pilot = Pilot(board.pilot, duty_of)
        self._inputs = Inputs(board.inputs)
        self._leakage, self._test_line = options.monitor(board)
        self._earth = options.earth(board)
        self._proximity, self._cable = options.socket(board)
        self.lock, self._bolt, self._lock_pins = options.lock(board)
        self.phases, self._phase_aux, self._phase_pin = options.phases(board, config)
        self._ntc, heat = options.ntc(board, config)
        self._display = options.display(board, config.language)
        once.forget("options")
        self._meter = open_meter(board.meter)
        compiled = once.call("decide.fault_table", "compiled", config.profile == "ul")
        self.faults = Faults(compiled)
        self.facts = Facts(
            board, config, self._meter.NAME if self._meter else "none", self.faults.codes
        )
        self.charging = Charging(board.ventilation)
        once.forget("decide.sequences")
        if not once.call("sense.pilot_check", "check", self._pilot, self._pwm):
            self.faults.raise_(fault_rows.PILOT_GENERATOR)
        self.selftest = once.call("selftest", "check")
        gc.collect()
        if self.selftest == "failed":
            self.faults.raise_(fault_rows.FIRMWARE)
        if config.broken:
            self.faults.raise_(fault_rows.CONFIG)
        self.limits = Limits(config.fail_safe_ma)
        self.limit_names = limits.NAMES
        self.notices = Notices()
        self.notices.set(CONFIG_COPY, getattr(config, "used_copy", False))
        self.wiring = Wiring(config.loose_mohm)
        self.protection = Protection(
            self._meter is not None, board.rating_ma, getattr(self._meter, "peak_most_ma", 0),
            board.measured, config.grid == "uk",
        )
        self.session = Session()
        self.enabled = True
        self.micropython = "%d.%d.%d" % tuple(sys.implementation[1][:3])
        self.chore_names = _CHORES
        self.rtc = machine.RTC()
        self.cause = boot_record.cause(self.rtc)
        self._keep_time()
        self.health = Health()
        self.records = self._open_records()
        self._restarted()
        self.visit = Visit(
            self.charging, self.session, self.records, self.faults, self.clock, self.reading
        )
        self.visit.recorded = self.records.newest is not None
        # Nothing tells when the contactor opened: a restart may not become a chatter.
        self.charging.rest_ms = _REST_START_MS if self.cause == "power" else _REST_ABNORMAL_MS
        self._panel = Panel(config.language, config.currency, self._display and self._display.WORDS)
        self._kept_changes = -1
        self._led = Led(board.led)
        self.site = Site(config, self.clock, self.rtc)
        self.orders = Orders(self)
        board.contactor = board.pilot = board.ntc = board.proximity = board.inputs = board.lock = None
        board.rcm_test = board.meter = board.led = board.display = None  # built; 1.5 KB for the link
        self.recorder = self.events = self.link = None
        self.limits.set(limits.BOARD, board.rating_ma)
        self.limits.set(limits.INSTALLATION, config.installation_ma)
        self.limits.set(limits.CONFIG, config.limit_ma)
        if self.phases:
            self._one_phase()
        self.orders.restore()
        self.tell_errors = 0
        self.tell_error = ""
        self._turn = 0
        self._gc_ticks = 0
        self._told = None  # everything whose change makes `state` due
        self._watchdog = None
        self.restart_s = -1  # since a command to restart; -1 = there was none
        self._held = True  # the button, long enough; a stuck one has not been pressed
        self._watched = False  # the watchdog has the short time
        self.calm = True  # contactor open, no motor runs: a stall harms nobody
        self._seconds = Seconds(self, self._pilot, heat, self._meter is not None)

    def open_link(self):
        """The second half of the start, by itself: the first has left its memory by then (start.py)."""
        if not self.config.broker:
            return
        from pilotwire.decide.recorder import Recorder
        from pilotwire.tell.events import Events
        from pilotwire.tell.link import Link
        from pilotwire.tell.speaker import Speaker

        self.recorder = Recorder()
        self.events = Events(self)
        self.link = Link(self.config, Speaker(self), self.records, self.events)

    def _keep_time(self):
        """After a reset the RTC still runs; after a power cut it starts in the year 2000."""
        if self.cause != "power" and time.gmtime()[0] >= 2024:
            self.clock.set_utc(time.time() - self.clock.shift_s(), 0, KEPT)

    def _restarted(self):
        """An unexpected end of the last life is a fault of its own; the third in ten minutes stays."""
        faults = self.faults
        self.ends = boot_record.counts
        # Three that end a trial are main.py's matter: the firmware that is back is not to blame.
        self.trial = once.call("keep_config", "on_trial")
        faults.tries[fault_rows.RESETS] = boot_record.restarts(self.rtc, self.cause, not self.trial)
        if self.cause in boot_record.UNEXPECTED:
            faults.raise_(fault_rows.RESETS)
            faults.gone(fault_rows.RESETS)

    def _open_records(self):
        from esp32 import Partition

        found = Partition.find(Partition.TYPE_DATA, label="journal")
        journal = Journal(found[0] if found else None, counted={RECORD})
        records = Records(journal, self.facts)
        records.resume(Session(), Clock, self.cause)
        if len(records.tries) == fault_rows.COUNT:
            self.faults.restore(records.latch, records.tries)
        self.reading.wh, self.reading.wh_part = records.wh, records.wh_part
        return records

    # The loop --------------------------------------------------------------------------------

    def run(self):
        """Until the power goes. Exceptions leave it; main.py then switches off and restarts."""
        boot_record.write(self.rtc, boot_record.RUNNING)
        micropython.kbd_intr(_NO_INTERRUPT)
        self._watchdog = machine.WDT(timeout=_WATCHDOG_OPEN_MS)
        ticks_us, ticks_diff, sleep_us = time.ticks_us, time.ticks_diff, time.sleep_us
        due_us = ticks_us()
        while True:
            began_us = ticks_us()
            chore = self.tick(began_us)
            self._watchdog.feed()
            now_us = ticks_us()
            self.health.tick(ticks_diff(now_us, began_us), chore)
            due_us = time.ticks_add(due_us, _TICK_US)
            left_us = ticks_diff(due_us, now_us)
            if left_us > 0:
                sleep_us(left_us)
            else:
                due_us = now_us  # late: the next tick begins at once, none is made up for

    def tick(self, now_us):
        """One turn of the loop; returns the chore that tell did."""
        self.sense_decide_act(now_us)
        try:
            return self._tell()
        except Exception as error:  # telling may fail; it may not end a charge
            self.tell_errors += 1
            self.tell_error = type(error).__name__
            return 0

    def sense_decide_act(self, now_us):
        """The part that must not allocate."""
        r = self.reading
        charging = self.charging
        dt_ms = self.clock.tick(now_us)
        inputs, leakage = self._inputs, self._leakage
        inputs.look(r, dt_ms)
        if r.lines & _TRIPS and charging.contactor and inputs.tripped(r):
            self._contactor.set(False)  # at once: the pilot takes some ms before decide agrees
        sure = self._pilot.look(r, charging.offer_ma)
        if charging.doubtful(r, sure):
            self._pilot.look(r, charging.offer_ma)
        if leakage:
            leakage.step(r, charging, self.faults, dt_ms)
        if self._earth and (r.lines & _LASTING or not self._earth.quiet):
            self._earth.step(r, self.faults, dt_ms)
        cable = self._cable
        if cable:
            self._proximity.look(r)
            if cable.step(r, charging.letter, self.faults, dt_ms):
                self.limits.set(limits.CABLE, cable.limit_ma)
        if self._meter:
            self._meter.step(r, time.ticks_ms())
        if self._ntc:
            self._ntc.look(r)

        lock = self.lock
        if lock:
            r.lock = self._bolt.made()
            lock.step(r, charging, self.faults, dt_ms)

        limit = self.limits
        enabled = self.enabled
        phases = self.phases
        if phases:
            if self._phase_aux:
                r.phase_aux = self._phase_aux.made()
            if phases.step(r, charging, self.faults, dt_ms):
                self._one_phase()
            enabled = enabled and not phases.switching
        charging.step(r, dt_ms, limit.ma, limit.urgent_ma, enabled, self._may_close(), self.faults)
        if enabled != self.enabled and charging.why == seq.DISABLED:
            charging.why = seq.SWITCHING_PHASES
        if cable and charging.why == seq.PAUSED and limit.which == limits.CABLE:
            charging.why = seq.CHECKING  # the cable: nobody has ordered a pause
        self.protection.step(r, charging, self.faults, dt_ms)

        self._contactor.set(charging.contactor)
        self._pwm.set(charging.offer_ma)
        if phases:
            self._phase_pin.set(phases.now == 3)
        if lock:
            self._lock_pins.set(lock.drive)
        self.calm = calm = not (charging.contactor or lock and lock.pulsing)
        if calm == self._watched and self._watchdog:
            self._watched = not calm
            machine.WDT(timeout=_WATCHDOG_MS if self._watched else _WATCHDOG_OPEN_MS)
        self.visit.step(dt_ms)
        if leakage:
            self._test_line.set(leakage.test)
            # Again before tell, which may take as long as all of the above.
            if charging.contactor and inputs.tripped(r):
                self._contactor.set(False)
        if self.recorder:
            self.recorder.step(r, charging, dt_ms)

    def _one_phase(self):
        """One phase alone may have a limit of its own, for the sake of the other two."""
        ma = self.config.one_phase_ma if self.phases.have == 1 else limits.NONE_MA
        self.limits.set(limits.IMBALANCE, ma)

    def _may_close(self):
        """The self-test has passed, the plug is locked, the session is on flash, and after a start the
        broker's name has had its time.

        Names are looked up with the contactor open only: a car that is there at the start would
        otherwise keep the station offline for the whole charge.
        """
        if self.restart_s >= 0 or self._leakage and not self._leakage.ready:
            return False
        if self.lock and not self.lock.locked:
            return False
        if self.clock.up_s < _NAME_S and self.link and not self.link.mqtt.resolved():
            return False
        return self.visit.may_close()

    # Tell ------------------------------------------------------------------------------------

    def _tell(self):
        """One chore; and at once what has become of faults."""
        slack = self.charging.slack()
        if not slack:
            return 0
        may_stall = slack > 1 and self.calm
        if self.events and self.events.seen != self.faults.changes:
            self.events.faults()
        if self._seconds.step():
            return _SECOND
        self._gc_ticks += 1
        if self._gc_ticks >= _GC_TICKS:
            self._gc_ticks = 0
            gc.collect()
            return _GC
        self._turn += 1
        if self._turn == len(_TURNS):
            self._turn = 0
        chore = _TURNS[self._turn]
        if chore == _LINK:
            if self.link and self.site.up:
                self._notice()
                self.link.step(time.ticks_ms(), may_stall)
            elif self.link and self.link.mqtt.state:
                self.link.mqtt.close()  # nothing would find out that the broker is gone
        elif chore == _LED:
            self._button()
            self._panel.fill(self)
            self._led.step(self._panel, time.ticks_ms())
        elif chore == _DISPLAY:
            if self._display:
                self._display.step(self._panel, time.ticks_ms())
        elif chore == _JOURNAL:
            self._keep_journal(may_stall)
        else:
            self.site.step()
        return chore

    def _keep_journal(self, may_stall):
        records = self.records
        journal = records.journal
        changes = self.faults.changes + records.hot + records.cold
        if changes != self._kept_changes:
            if records.keep_state(self.faults.latch(), self.faults.tries):
                self._kept_changes = changes
        errors = journal.errors
        done = journal.step(may_stall)
        if done == _PROGRAMMED:
            records.written()
        if journal.errors != errors or not journal.persistent:
            self.faults.raise_(fault_rows.STORAGE)
        elif done == _PROGRAMMED:
            self.faults.gone(fault_rows.STORAGE)
        if self.visit.recorded and not journal.pending():
            self.visit.recorded = False
            if self.link:
                self.link.new_record(records.newest)
            records.newest = None

    def _button(self):
        """Held for 3 s it asks, once, that faults be cleared."""
        held = self.reading.button >= _LONG_PRESS_MS
        if held != self._held:
            self._held = held
            if held and self.faults.active:
                once.call("clearing", "pressed", self, self._panel)

    def _notice(self):
        """Mark `state` and `session/active` when something in them has changed."""
        charging = self.charging
        now = (
            charging.letter, charging.why, charging.offer_ma, charging.contactor, self.enabled,
            self.faults.changes, self.limits.changes, self.session.changes, self.records.waiting,
            self.notices.changes,
            self.lock and self.lock.state, self.phases and (self.phases.have, self.phases.ordered),
        )
        if now != self._told:
            self._told = now
            self.link.mark(link.STATE | link.ACTIVE)

    # The end ---------------------------------------------------------------------------------

    def safe(self, why=boot_record.EXCEPTION):
        """Contactor off, pilot at +12 V; the next start learns why."""
        self._contactor.off()
        if self.lock:
            self._lock_pins.off()
        self._pwm.off()
        boot_record.write(self.rtc, why)
