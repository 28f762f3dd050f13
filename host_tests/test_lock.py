"""The lock's decisions, tick by tick: a bolt on a desk, and what charging and faults say."""

import random
from types import SimpleNamespace

import pytest

from micropython_port import run_script
from pilotwire.decide import fault_rows, fault_table
from pilotwire.decide.faults import Faults
from pilotwire.decide.letters import A, B, C, D, E, F
from pilotwire.decide.lock import Lock
from pilotwire.decide.reading import Reading

PULSE_MS = 300
TRAVEL_MS = 150
UNLOCKED, LOCKED, MOVING = 0, 1, 2
OFF, TO_LOCK, TO_OPEN = 0, 1, 2


class Desk:
    """A lock and its bolt. `pulses`: [drive, began at ms, length so far]."""

    def __init__(self, *, level=False, locked=False, aux=0):
        self.lock = Lock(PULSE_MS, level)
        self.level = level
        self.r = Reading()
        self.r.aux = aux
        self.charging = SimpleNamespace(letter=A, contactor=False, open_ms=5000)
        self.faults = Faults(fault_table.compiled())
        self.bolt = locked
        self.stuck = None  # the position it does not leave, or does not reach
        self.says = None  # feedback, whatever the bolt does
        self.driven_ms = 0
        self.now_ms = 0
        self.pulses = []

    def tick(self, dt_ms=10):
        self.r.lock = int(self.bolt) if self.says is None else self.says
        before = self.lock.drive
        self.lock.step(self.r, self.charging, self.faults, dt_ms)
        drive = self.lock.drive
        assert {before, drive} != {TO_LOCK, TO_OPEN}, "from one direction into the other"
        if drive != before:
            self.driven_ms = 0
            if drive != OFF:
                self.pulses.append([drive, self.now_ms, 0])
        self.now_ms += dt_ms
        if drive != OFF:
            self.pulses[-1][2] += dt_ms
        if drive != OFF or self.level:
            self.driven_ms += dt_ms
            if self.driven_ms >= TRAVEL_MS:
                self.bolt = drive == TO_LOCK
        if self.stuck is not None:
            self.bolt = self.stuck
        if not self.charging.contactor:
            self.charging.open_ms += dt_ms
        if self.now_ms // 1000 != (self.now_ms - dt_ms) // 1000:
            self.faults.second(self.charging.letter == A)

    def run(self, ms, letter=None):
        if letter is not None:
            self.charging.letter = letter
        for _ in range(0, ms, 10):
            self.tick()
        return self

    def close(self):
        assert self.lock.locked
        self.charging.contactor = True
        return self.run(1000)

    def open(self):
        self.charging.contactor = False
        self.charging.open_ms = 0
        return self

    @property
    def faulty(self):
        return self.faults.holds(fault_rows.LOCK)

    def directions(self, since_ms=0):
        return [drive for drive, began_ms, _ in self.pulses if began_ms >= since_ms]


@pytest.fixture
def desk():
    return Desk().run(1000)


@pytest.fixture
def charging(desk):
    return desk.run(1000, C).close()


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("letter", [A, B, C, E])
def test_at_the_start_it_is_opened_once_whatever_it_says_and_whoever_is_there(locked, letter):
    desk = Desk(locked=locked).run(400, letter)
    assert desk.directions() == [TO_OPEN] and not desk.bolt and not desk.lock.locked


def test_a_car_that_is_there_at_the_start_is_locked_in_after_that():
    desk = Desk(locked=True).run(2000, C)
    assert desk.directions() == [TO_OPEN, TO_LOCK]
    assert desk.lock.locked and desk.lock.state == LOCKED


@pytest.mark.parametrize("letter", [B, C, D])
def test_a_car_is_locked_in_from_b_on_and_let_go_in_a(desk, letter):
    desk.run(10, letter)
    assert desk.lock.drive == TO_LOCK and desk.lock.state == MOVING
    desk.run(PULSE_MS - 20)
    assert desk.bolt and not desk.lock.locked  # not before the pulse is over
    desk.run(40)
    assert desk.lock.locked and desk.lock.state == LOCKED
    desk.run(PULSE_MS + 200, A)
    assert not desk.bolt and desk.lock.state == UNLOCKED and not desk.lock.locked
    assert desk.directions(1000) == [TO_LOCK, TO_OPEN]


def test_it_stays_locked_from_b_to_c_and_back_without_another_pulse(desk):
    for letter in (B, C, D, B, C):
        desk.run(2000, letter)
    assert desk.directions(1000) == [TO_LOCK] and desk.lock.locked


def test_each_pulse_has_its_length_and_the_motor_rests_between_two(desk):
    desk.stuck = False
    desk.run(3000, B)
    assert [length for *_, length in desk.pulses[1:]] == [PULSE_MS] * 4
    began = [at for _, at, _ in desk.pulses[1:]]
    assert all(b - a == 500 for a, b in zip(began, began[1:], strict=False))


def test_a_new_order_ends_a_pulse_and_the_motor_rests_before_it_turns(desk):
    desk.run(100, B).run(1000, A)
    (lock, began_ms, length), (back, back_ms, _) = desk.pulses[1:]
    assert (lock, back) == (TO_LOCK, TO_OPEN) and length == 100
    assert back_ms - began_ms - length >= 190


def test_a_lock_that_does_not_lock_is_tried_three_times_more_and_a_fault_after_2_s(desk):
    desk.stuck = False
    desk.run(1980, B)
    assert not desk.faulty and desk.lock.state == MOVING
    desk.run(40)
    assert desk.faulty and desk.faults.open_now and desk.lock.state == UNLOCKED
    desk.run(2000)
    assert desk.directions(1000) == [TO_LOCK] * 4 and not desk.lock.locked


def test_a_lock_that_fails_is_tried_again_a_minute_later_three_times_then_after_unplugging(desk):
    desk.stuck = False
    desk.run(400_000, B)
    rounds = [at // 10_000 for drive, at, _ in desk.pulses if drive == TO_LOCK]
    assert len(rounds) == 16 and len(set(rounds)) == 4 and desk.faulty
    desk.stuck = None
    desk.run(100_000)
    assert desk.faulty  # until it is unplugged
    desk.run(5000, A)
    assert not desk.faulty
    assert desk.run(1000, B).lock.locked


def test_a_lock_that_does_not_open_is_a_fault_and_tried_every_10_s_until_it_does(desk):
    desk.run(1000, B)
    desk.stuck = True
    since_ms = desk.now_ms
    desk.run(1980, A)
    assert not desk.faulty
    desk.run(60_000)
    assert desk.faulty and desk.faults.blocks and desk.lock.state == LOCKED
    tries = [at for drive, at, _ in desk.pulses if drive == TO_OPEN and at >= since_ms]
    assert len(tries) == 4 + 6 and tries[5] - tries[4] == 10_000
    desk.stuck = None
    desk.run(13_000)
    assert not desk.faulty and not desk.bolt


@pytest.mark.parametrize("looks, fault", [(1, False), (2, True)])
def test_two_looks_that_say_open_while_charging_are_a_fault(charging, looks, fault):
    charging.says = 0
    charging.run(10 * looks)
    charging.says = None
    charging.run(10)
    assert charging.faulty == fault and charging.faults.open_now == fault


def test_one_look_at_the_bolt_does_not_make_it_locked(desk):
    desk.stuck = False
    desk.run(PULSE_MS + 50, B)
    for _ in range(20):
        desk.says = 1
        desk.run(10)
        desk.says = 0
        desk.run(20)
        assert not desk.lock.locked


@pytest.mark.parametrize("live", ["contactor", "auxiliary contact", "welded", "just opened"])
@pytest.mark.parametrize("letter", [A, E, F])
def test_nothing_moves_while_the_contacts_may_be_live(charging, live, letter):
    since_ms = charging.now_ms
    if live == "welded":
        charging.faults.raise_(fault_rows.WELDED)
    if live != "contactor":
        charging.open()
    if live == "auxiliary contact":
        charging.r.aux = 1
    charging.faults.raise_(fault_rows.PILOT_SHORT)
    charging.run(240 if live == "just opened" else 60_000, letter)
    assert charging.directions(since_ms) == [] and charging.bolt
    if live == "just opened":
        charging.run(6000)
        assert not charging.bolt


@pytest.mark.parametrize("row", [fault_rows.WELDED, None])
def test_a_lock_is_left_alone_at_a_start_with_live_contacts(row):
    desk = Desk(locked=True, aux=-1 if row is not None else 1)
    if row is not None:
        desk.faults.restore(1 << row, desk.faults.tries)
    desk.run(20_000)
    assert desk.pulses == [] and desk.bolt and not desk.lock.locked and desk.lock.state == LOCKED


def test_without_an_auxiliary_contact_the_contacts_have_250_ms_to_open():
    desk = Desk(aux=-1).run(1000).run(1000, C).close().open()
    since_ms = desk.now_ms
    desk.run(240, A)
    assert desk.directions(since_ms) == []
    desk.run(30)
    assert desk.directions(since_ms) == [TO_OPEN]


@pytest.mark.parametrize("letter, raised", [(C, True), (E, True), (F, True), (E, False), (F, False)])
def test_a_fault_lets_the_plug_go_after_5_s_with_the_contactor_open(charging, letter, raised):
    charging.open()
    if raised:
        charging.faults.raise_(fault_rows.PILOT_SHORT)
    charging.run(5000, letter)
    assert charging.bolt
    charging.run(600)
    assert not charging.bolt


def test_two_short_faults_are_not_one_of_5_s(charging):
    charging.open()
    for _ in range(3):
        charging.faults.raise_(fault_rows.CONFIG)
        charging.run(3000)
        charging.faults.gone(fault_rows.CONFIG)
        charging.faults.clear(fault_rows.CONFIG)  # somebody presses the button
        charging.run(100)
    assert charging.bolt


def test_a_car_that_leaves_in_a_fault_is_let_go_at_once(charging):
    charging.open().faults.raise_(fault_rows.DIODE)
    charging.run(1000)
    assert charging.bolt
    charging.run(PULSE_MS, A)
    assert not charging.bolt


def test_a_car_that_comes_in_a_fault_is_not_locked_in(desk):
    desk.faults.raise_(fault_rows.EARTH)
    desk.run(20_000, B)
    assert desk.directions(1000) == []


def test_after_a_fault_the_car_is_locked_in_again(charging):
    charging.open().faults.raise_(fault_rows.OVER_VOLTAGE)
    charging.run(20_000)
    assert not charging.bolt
    charging.faults.gone(fault_rows.OVER_VOLTAGE)
    charging.run(40_000)
    assert charging.lock.locked


def test_a_bolt_that_leaves_while_nothing_flows_is_put_back_at_once(desk):
    desk.run(1000, B)
    desk.bolt = False
    desk.run(30)
    assert not desk.lock.locked
    desk.run(600)
    assert desk.lock.locked and not desk.faulty


def test_a_stalled_loop_proves_no_2_s(desk):
    desk.stuck = False
    desk.run(10, B)
    for _ in range(3):
        desk.tick(900)
    assert not desk.faulty
    desk.run(2000)
    assert desk.faulty


# One pin that holds ---------------------------------------------------------------------------


@pytest.fixture
def solenoid():
    return Desk(level=True).run(1000)


def test_one_pin_is_high_for_as_long_as_it_locks(solenoid):
    assert solenoid.pulses == []
    solenoid.run(60_000, B)
    assert solenoid.lock.locked and solenoid.pulses == [[TO_LOCK, 1000, 60_000]]
    assert not solenoid.lock.pulsing
    solenoid.run(1000, A)
    assert not solenoid.bolt and solenoid.lock.state == UNLOCKED and solenoid.lock.drive == OFF


def test_one_pin_that_does_not_lock_is_tried_as_often_and_then_let_go(solenoid):
    solenoid.stuck = False
    solenoid.run(4000, B)
    assert [length for *_, length in solenoid.pulses] == [PULSE_MS] * 4
    assert solenoid.faulty and solenoid.lock.drive == OFF


def test_one_pin_that_does_not_open_is_pulled_and_let_go_again(solenoid):
    solenoid.run(1000, B)
    solenoid.stuck = True
    solenoid.run(30_000, A)
    assert solenoid.faulty and len(solenoid.pulses) > 4
    assert all(length == PULSE_MS for *_, length in solenoid.pulses[1:])


# Whatever happens -----------------------------------------------------------------------------


def shaken(rng, desk):
    """Something happens to car, contactor, faults or bolt."""
    what = rng.randrange(8)
    charging = desk.charging
    if what < 3:
        charging.letter = rng.choice((A, B, C, D, E, F))
    elif what == 3 and desk.lock.locked and not desk.faults.blocks:
        charging.contactor = True
    elif what == 4:
        desk.stuck = rng.choice((None, None, True, False))
    elif what == 5:
        desk.says = rng.choice((None, None, None, 0, 1))
    elif what == 6:
        desk.r.aux = rng.choice((0, 0, 1))
    else:
        row = rng.choice((fault_rows.EARTH, fault_rows.OVER_VOLTAGE, fault_rows.WELDED))
        (desk.faults.raise_ if rng.random() < 0.3 else desk.faults.gone)(row)
        if row == fault_rows.WELDED:
            desk.faults.clear(row, service=True)


@pytest.mark.parametrize("level", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_it_never_opens_on_live_contacts_and_always_opens_for_a_car_that_has_left(seed, level):
    print("seed", seed)
    rng = random.Random(seed)
    desk = Desk(level=level).run(1000)
    opened = 0
    for _ in range(1500):
        shaken(rng, desk)
        for _ in range(rng.choice((1, 3, 10, 40, 100, 400))):
            c, faults = desk.charging, desk.faults
            was_on = desk.lock.drive
            live = c.contactor or c.open_ms < 250 or desk.r.aux == 1 or faults.holds(fault_rows.WELDED)
            desk.tick(rng.choice((10, 10, 10, 40)))
            if live:
                assert desk.lock.drive != TO_OPEN or was_on == TO_OPEN
                if level and was_on == TO_LOCK and desk.lock._order == 1:
                    assert desk.lock.drive == TO_LOCK or not desk.lock._obeyed
            if desk.lock.locked:
                assert desk.r.lock == 1 or desk.lock._is == 1
                assert level or desk.lock.drive == OFF
            if c.contactor and faults.open_now:
                desk.open()
        if rng.random() < 0.05:
            desk.stuck = desk.says = None
            desk.r.aux = 0
            desk.open()
            faults.gone(fault_rows.WELDED)
            faults.clear(fault_rows.WELDED, service=True)
            desk.run(12_000, A)
            assert not desk.bolt and desk.lock.state == UNLOCKED
            opened += 1
    assert opened > 20
    assert all(length <= PULSE_MS + 40 for drive, _, length in desk.pulses if not level)


ALLOCATES = """
import micropython
from pilotwire.decide import fault_table
from pilotwire.decide.faults import Faults
from pilotwire.decide.lock import Lock
from pilotwire.decide.reading import Reading
class Charging:
    letter, contactor, open_ms = 0, False, 5000
lock, r, charging, faults = Lock(300), Reading(), Charging(), Faults(fault_table.compiled())
r.lock = 0
def walk():
    for k in range(3000):
        charging.letter = k // 500 & 1
        if k < 2000:
            r.lock = lock.drive & 1 if lock.drive else r.lock
        lock.step(r, charging, faults, 10)
walk()
micropython.heap_lock()
walk()
micropython.heap_unlock()
"""


def test_the_tick_allocates_nothing():
    run_script(ALLOCATES)
