"""The loop: sense -> decide -> act -> tell, every 10 ms. The file to read first.

sense fills one Reading; decide turns it into contactor and offer; act moves the outputs, the
contactor first; tell lets people and backends know, one bounded chore a tick, by turns.
"""

import gc
import sys
import time

import machine
from micropython import const

from pilotwire import once
from pilotwire import panel as panels
from pilotwire.act.contactor import Contactor
from pilotwire.act.pilot_pwm import PilotPwm, duty_of
from pilotwire.clock import KEPT, Clock
from pilotwire.decide import charging as seq
from pilotwire.decide import fault_table, limits, tariff
from pilotwire.decide.charging import Charging
from pilotwire.decide.faults import Faults
from pilotwire.decide.letters import A
from pilotwire.decide.limits import Limits
from pilotwire.decide.protection import Protection
from pilotwire.decide.reading import Reading
from pilotwire.decide.session import Session
from pilotwire.facts import Facts
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
_WATCHDOG_MS = const(2000)  # with the contactor closed
_WATCHDOG_OPEN_MS = const(30000)  # looking up a name may block for many seconds, and harms nobody
_REST_START_MS = const(5000)  # before the contactor may close: after a power-on
_REST_ABNORMAL_MS = const(30000)  # and after any other start
# Orders of the backend that outlive a restart.
_DISABLED = const(1)
_PAUSED = const(2)
_LIMITED = const(4)
_PROGRAMMED = const(1)  # what journal.step() did
_NAME_S = const(12)
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
        self._pwm = PilotPwm(board.pilot)
        self.board = board
        self.config = config
        self.clock = Clock()
        self.reading = Reading()
        self._pilot = Pilot(board.pilot, duty_of)
        self._inputs = Inputs(board.contactor)
        self._proximity, self._cable = _socket(board)
        self._meter = open_meter(board.meter)
        self.facts = Facts(board, config, self._meter.NAME if self._meter else "none")
        self.charging = Charging()
        once.forget("decide.sequences")
        self.faults = Faults()
        if not once.call("sense.pilot_check", "check", self._pilot, self._pwm):
            self.faults.raise_(fault_table.PILOT_GENERATOR)
        self.limits = Limits(config.fail_safe_ma)
        self.limit_names = limits.NAMES
        self.protection = Protection(self._meter is not None, board.rating_ma)
        self.session = Session()
        self.enabled = True
        self.micropython = "%d.%d.%d" % tuple(sys.implementation[1][:3])
        self.chore_names = _CHORES
        self._rtc = machine.RTC()
        self.cause = boot_record.cause(self._rtc)
        self._keep_time()
        self.health = Health()
        self.least_free = 1 << 29
        self.records = self._open_records()
        self.visit = Visit(
            self.charging, self.session, self.records, self.faults, self.clock, self.reading
        )
        self.visit.recorded = self.records.newest is not None
        # Nothing tells when the contactor opened: a restart may not become a chatter.
        self.charging.rest_ms = _REST_START_MS if self.cause == "power" else _REST_ABNORMAL_MS
        self._panel = panels.Panel()
        self._panel.currency = config.currency
        self._shown_fault = -1
        self._led = Led(board.led)
        self._display = _display(board)
        self.site = Site(config, self.clock, self._rtc)
        self.link = _link(self)
        self.limits.set(limits.BOARD, board.rating_ma)
        self.limits.set(limits.INSTALLATION, config.installation_ma)
        self.limits.set(limits.CONFIG, config.limit_ma)
        self._recall_orders()
        self.tell_errors = 0
        self.tell_error = ""
        self._turn = 0
        self._second_at = -1  # next part of the once-a-second work, -1 = done
        self._last_s = self.clock.up_s
        self._gc_ticks = 0
        self._told = None  # everything whose change makes `state` due
        self._watchdog = None
        self._watched = False  # the watchdog has the time of a closed contactor

    def _keep_time(self):
        """After a reset the RTC still runs; after a power cut it starts in the year 2000."""
        if self.cause != "power" and time.gmtime()[0] >= 2024:
            self.clock.set_utc(time.time() - self.clock.shift_s(), 0, KEPT)

    def _open_records(self):
        from esp32 import Partition

        found = Partition.find(Partition.TYPE_DATA, label="journal")
        journal = Journal(found[0] if found else None, counted={RECORD})
        records = Records(journal, self.facts)
        records.load(Session(), Clock, self.cause)
        self.reading.wh, self.reading.wh_part = records.wh, records.wh_part
        return records

    # The loop --------------------------------------------------------------------------------

    def run(self):
        """Until the power goes. Exceptions leave it; main.py then switches off and restarts."""
        boot_record.write(self._rtc, boot_record.RUNNING)
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
        sure = self._pilot.look(r, charging.offer_ma)
        if charging.doubtful(r, sure):
            self._pilot.look(r, charging.offer_ma)
        self._inputs.look(r)
        cable = self._cable
        if cable:
            self._proximity.look(r)
            if cable.step(r, charging.letter, self.faults, dt_ms):
                self.limits.set(limits.CABLE, cable.limit_ma)
        if self._meter:
            self._meter.step(r, time.ticks_ms())

        limit = self.limits
        charging.step(
            r, dt_ms, limit.ma, limit.urgent_ma, self.enabled, self._may_close(), self.faults
        )
        if cable and charging.why == seq.PAUSED and limit.which == limits.CABLE:
            charging.why = seq.CHECKING  # the cable: nobody has ordered a pause
        self.protection.step(r, charging, self.faults, dt_ms)

        self._contactor.set(charging.contactor)
        self._pwm.set(charging.offer_ma)
        if charging.contactor != self._watched and self._watchdog:
            self._watched = charging.contactor
            machine.WDT(timeout=_WATCHDOG_MS if self._watched else _WATCHDOG_OPEN_MS)
        self.visit.step(dt_ms)

    def _may_close(self):
        """The session is on flash; and after a start the broker's name has had its time.

        Names are looked up with the contactor open only: a car that is there at the start would
        otherwise keep the station offline for the whole charge.
        """
        if self.clock.up_s < _NAME_S and self.link and not self.link.mqtt.resolved():
            return False
        return self.visit.may_close()

    # Tell ------------------------------------------------------------------------------------

    def _tell(self):
        """One chore."""
        slack = self.charging.slack()
        if not slack:
            return 0
        may_stall = slack > 1
        if self.clock.up_s != self._last_s:
            self._last_s = self.clock.up_s
            self._second_at = 0
        if self._second_at >= 0:
            part = self._second_at
            self._second_at = part + 1 if part + 1 < len(_SECONDS) else -1
            _SECONDS[part](self)
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
        elif chore == _LED:
            self._fill_panel()
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
        errors = journal.errors
        done = journal.step(may_stall)
        if done == _PROGRAMMED:
            records.written()
        if journal.errors != errors or not journal.persistent:
            self.faults.raise_(fault_table.STORAGE)
        elif done == _PROGRAMMED:
            self.faults.gone(fault_table.STORAGE)
        if self.visit.recorded and not journal.pending():
            self.visit.recorded = False
            if self.link:
                self.link.new_record(records.newest)
            records.newest = None

    def _notice(self):
        """Mark `state` and `session/active` when something in them has changed."""
        charging = self.charging
        now = (
            charging.letter, charging.why, charging.offer_ma, charging.contactor, self.enabled,
            self.faults.changes, self.limits.changes, self.session.changes, self.records.waiting,
        )
        if now != self._told:
            self._told = now
            self.link.mark(link.STATE | link.ACTIVE)

    def _second_limits(self):
        self.limits.second(self.clock.up_s)
        self._meter_limit()

    def _second_faults(self):
        if self._pilot.generator_off():
            self.faults.raise_(fault_table.PILOT_GENERATOR)
        self.faults.second(self.charging.letter == A)

    def _second_session(self):
        if self.session.open:
            offer_ma = self.charging.offer_ma
            self.session.second(
                self.reading, offer_ma if offer_ma > 0 else 0, self.clock.up_s, self.clock.day_s()
            )
        self.visit.second()

    def _second_link(self):
        self.records.release()
        self._remember_orders()
        if self.link:
            self.link.second(self.clock.up_s, self.charging.contactor)
        if self.clock.up_s % 60 == 0 and not (self.link and self.link.up):
            self.health.reset()

    def _recall_orders(self):
        """After a restart what the backend had forbidden stays so, until it speaks again."""
        orders = self.records.orders
        self.enabled = not orders & _DISABLED
        if orders & _PAUSED:
            self.limits.set(limits.COMMAND, 0)
        elif orders & _LIMITED:
            self.limits.set(limits.FAIL_SAFE, self.limits.fail_safe_ma)

    def _remember_orders(self):
        limited = self.limits.value_ma[limits.COMMAND]
        orders = 0 if self.enabled else _DISABLED
        if limited < 6000:
            orders |= _PAUSED
        elif limited != limits.NONE_MA or self.limits.value_ma[limits.FAIL_SAFE] != limits.NONE_MA:
            orders |= _LIMITED
        self.records.order(orders)

    def _second_site(self):
        if self.config.ssid:
            self.site.second(self.charging.slack() > 1)

    def _meter_limit(self):
        """A silent meter leaves no over-current path: the fail-safe current holds meanwhile."""
        lost = self.faults.holds(fault_table.METER_LOST)
        if lost != (self.limits.value_ma[limits.METER] != limits.NONE_MA):
            self.limits.set(limits.METER, self.config.fail_safe_ma if lost else limits.NONE_MA)

    def _fill_panel(self):
        p, charging, faults = self._panel, self.charging, self.faults
        row = faults.worst
        if row != self._shown_fault:
            self._shown_fault = row
            p.show_fault(row)
        p.more_faults = faults.active - 1
        if faults.blocks:
            p.mode = panels.FAULT
        elif charging.contactor:
            p.mode = panels.CHARGING
        elif charging.letter == A:
            p.mode = panels.AVAILABLE
        elif charging.why == seq.PAUSED or charging.why == seq.DISABLED:
            p.mode = panels.PAUSED
        else:
            p.mode = panels.CONNECTED
        p.why = charging.why
        p.offered_ma = charging.offer_ma if charging.offer_ma > 0 else 0
        r = self.reading
        drawn_ma = power_mw = 0
        for phase in range(3):
            if r.i_ma[phase] > drawn_ma:
                drawn_ma = r.i_ma[phase]
            power_mw += r.p_mw[phase]
        p.drawn_ma = drawn_ma if charging.contactor else 0
        p.p_w = power_mw // 1000 if charging.contactor else 0
        p.session_wh = self.session.energy_wh()
        p.charge_s = self.session.charge_s
        p.cost_minor = self.cost_minor()
        p.rating_ma = self.limits.ma
        p.limit_name = limits.NAMES[self.limits.which]
        p.wait_s = self.wait_s()
        p.link_up = self.link is not None and self.link.mqtt.up
        p.clock_ok = self.clock.quality != "U"
        p.records_waiting = self.records.waiting

    # What tell asks for ----------------------------------------------------------------------

    def cost_minor(self):
        """Cost so far in minor units, -1 without a price."""
        if self.config.price_c < 0:
            return -1
        return tariff.cost_minor(self.session.energy_wh(), self.config.price_c)

    def wait_s(self):
        """Seconds until charging may go on by itself, -1 when nothing counts down."""
        if self.faults.blocks:
            return self.faults.wait_s
        if self.charging.why == seq.RESTING:
            return (self.charging.rest_ms + 999) // 1000
        return -1

    def charging_state(self):
        """OCPP 2.0.1 chargingState."""
        charging = self.charging
        if charging.letter == A or not self.session.open:
            return "Idle"
        if charging.contactor:
            return "Charging" if self.protection.active_ma >= 500 else "SuspendedEV"
        if charging.offer_ma <= 0:
            return "SuspendedEVSE"
        return "SuspendedEV" if self.session.started_s >= 0 else "EVConnected"

    def on_limit(self, value):
        ma, for_s = value
        self.limits.set(
            limits.COMMAND, ma, self.clock.up_s + (for_s or self.config.command_for_s)
        )

    def on_enable(self, value):
        self.enabled = value

    def on_ack(self, value):
        if not self.records.acknowledge(value):
            return "no record has that seq yet"

    # The end ---------------------------------------------------------------------------------

    def safe(self):
        """After an exception: contactor off, pilot at +12 V; the next start learns why."""
        self._contactor.off()
        self._pwm.off()
        boot_record.write(self._rtc, boot_record.EXCEPTION)


_SECONDS = (
    Charger._second_limits, Charger._second_faults, Charger._second_session, Charger._second_link,
    Charger._second_site,
)


def _socket(board):
    """Proximity pin and cable; a board with a tethered cable has neither, and loads neither."""
    if not board.proximity:
        return None, None
    from pilotwire.decide.cable import Cable
    from pilotwire.sense.proximity import Proximity

    return Proximity(board.proximity), Cable()


def _display(board):
    if not board.display:
        return None
    from pilotwire.tell import texts_en
    from pilotwire.tell.display import Display

    return Display(board.display, texts_en)


def _link(charger):
    if not charger.config.broker:
        return None
    from pilotwire.tell.link import Link
    from pilotwire.tell.speaker import Speaker

    return Link(charger.config, Speaker(charger), charger.records)
