"""When the second contactor may move: decisions, tick by tick, with a car that must not see it happen."""

import random
from types import SimpleNamespace

import pytest

from micropython_port import run_script
from pilotwire.decide import fault_rows, fault_table
from pilotwire.decide.faults import Faults
from pilotwire.decide.letters import STATE_F, X1, A, B, C
from pilotwire.decide.phases import Phases
from pilotwire.decide.reading import Reading

PAUSE_MS = 20_000


class Desk:
    """`moves`: (ms, to how many phases) of each order to the second contactor."""

    def __init__(self, *, ordered=3, aux=True, letter=A):
        self.phases = Phases(ordered, PAUSE_MS)
        self.r = Reading()
        self.r.aux = 0
        self.aux = aux
        self.stuck = None  # phases that the contacts give, whatever they are told
        self.contacts = 1
        self.since_ms = 0
        self.charging = SimpleNamespace(letter=letter, contactor=False, offer_ma=X1)
        self.faults = Faults(fault_table.compiled())
        self.now_ms = 0
        self.still_ms = self.away_ms = 0
        self.moves = []

    def tick(self, dt_ms=10):
        c, phases = self.charging, self.phases
        if self.aux:
            self.r.phase_aux = int(self.contacts == 3)
        live = c.contactor or c.offer_ma > 0 or self.r.aux == 1 or self.faults.holds(fault_rows.WELDED)
        self.still_ms = 0 if live else self.still_ms + dt_ms
        self.away_ms = self.away_ms + dt_ms if c.letter == A else 0
        before, had = phases.now, phases.have
        assert phases.step(self.r, c, self.faults, dt_ms) == (phases.have != had)
        if phases.now != before:
            self.moves.append((self.now_ms, phases.now))
            self.since_ms = 0
            assert not live and phases.switching
            assert self.still_ms >= PAUSE_MS or self.away_ms >= 3000
        self.since_ms += dt_ms
        if self.since_ms >= 30:
            self.contacts = phases.now
        if self.stuck:
            self.contacts = self.stuck
        self.now_ms += dt_ms

    def run(self, ms, letter=None, **charging):
        if letter is not None:
            self.charging.letter = letter
        for name, value in charging.items():
            setattr(self.charging, name, value)
        for _ in range(0, ms, 10):
            self.tick()
        return self

    def charge(self, ms=1000):
        assert not self.phases.switching
        return self.run(ms, C, contactor=True, offer_ma=16000)

    def stop(self, ms=0):
        return self.run(ms, B, contactor=False, offer_ma=X1)

    def snapshots(self, count, i_ma):
        for _ in range(count):
            for phase in range(3):
                self.r.i_ma[phase] = i_ma[phase]
            self.r.meter_fresh += 1
            self.run(250)


def ready(**options):
    return Desk(**options).run(5000)


def test_it_begins_with_one_phase_and_without_a_car_three_come_after_3_s():
    desk = Desk()
    assert (desk.phases.now, desk.phases.have, desk.phases.switching) == (1, 1, True)
    desk.run(2980)
    assert desk.moves == [] and desk.phases.switching
    desk.run(20)
    assert [to for _, to in desk.moves] == [3]
    desk.run(480)
    assert desk.phases.switching and desk.phases.have == 3  # it has not had its 500 ms
    assert not desk.run(40).phases.switching


@pytest.mark.parametrize("ordered", [1, 3])
def test_a_car_that_is_there_at_the_start_waits_for_the_whole_pause(ordered):
    """Nothing tells how many phases it had just before."""
    desk = Desk(ordered=ordered, letter=C).run(PAUSE_MS - 20)
    assert desk.phases.switching and desk.moves == []
    desk.run(600)
    assert not desk.phases.switching and desk.phases.have == ordered


@pytest.mark.parametrize("letter", [B, C])
def test_a_change_waits_for_an_open_contactor_then_for_the_pause(letter):
    desk = ready().charge()
    desk.phases.order(1)
    desk.run(8000, offer_ma=X1)
    assert desk.phases.switching and desk.moves[1:] == []  # the contactor is still closed
    desk.stop().run(PAUSE_MS - 20, letter)
    assert desk.moves[1:] == [] and 0 < desk.phases.wait_ms() <= 20
    desk.run(40)
    assert [to for _, to in desk.moves[1:]] == [1]
    desk.run(500)
    assert not desk.phases.switching and desk.phases.have == 1


@pytest.mark.parametrize("what", ["PWM", "contacts", "welded"])
def test_the_pause_begins_anew_when_the_car_could_have_had_current(what):
    desk = ready().charge()
    desk.phases.order(1)
    desk.stop(PAUSE_MS - 100)
    if what == "PWM":
        desk.run(100, offer_ma=6000).run(0, offer_ma=X1)
    elif what == "contacts":
        desk.r.aux = 1
        desk.run(100)
        desk.r.aux = 0
    else:
        desk.faults.raise_(fault_rows.WELDED)
        desk.run(100)
        desk.faults.gone(fault_rows.WELDED)
        desk.faults.clear(fault_rows.WELDED, service=True)
    desk.run(PAUSE_MS - 50)
    assert desk.moves[1:] == []
    desk.run(100)
    assert [to for _, to in desk.moves[1:]] == [1]


def test_state_f_counts_as_no_current():
    desk = ready().charge()
    desk.phases.order(1)
    desk.stop(PAUSE_MS // 2).run(PAUSE_MS // 2, offer_ma=STATE_F).run(1000, offer_ma=X1)
    assert desk.phases.have == 1


def test_a_bouncing_pilot_is_not_a_car_that_has_left():
    desk = ready().charge()
    desk.phases.order(1)
    desk.stop()
    for _ in range(5):
        desk.run(2900, A).run(50, B)
    assert desk.moves[1:] == []


def test_an_order_that_is_taken_back_lets_the_charge_go_on():
    desk = ready().charge()
    desk.phases.order(1)
    desk.stop(PAUSE_MS // 2)
    desk.phases.order(3)
    desk.run(10)
    assert not desk.phases.switching and desk.moves[1:] == []


@pytest.mark.parametrize("ordered, stuck", [(1, 3), (3, 1)])
def test_a_contactor_that_does_not_follow_is_not_forced_and_is_told(ordered, stuck):
    desk = ready(ordered=stuck).charge()
    desk.stuck = stuck
    desk.phases.order(ordered)
    desk.stop(PAUSE_MS + 2000)
    assert not desk.phases.switching and (desk.phases.have, desk.phases.ordered) == (stuck, ordered)
    assert desk.phases.now == stuck  # the coil agrees with the contacts: nothing moves under load
    tried = len(desk.moves)
    desk.charge(60_000)
    assert len(desk.moves) == tried
    desk.stop(1000).run(10_000, A)  # the next visit tries again, once
    assert len(desk.moves) == tried + 2 and desk.phases.have == stuck
    desk.run(60_000)
    assert len(desk.moves) == tried + 2
    desk.stuck = None
    desk.run(1000, B).run(10_000, A)
    assert desk.phases.have == ordered and not desk.phases.switching


@pytest.mark.parametrize("looks, stops", [(1, False), (2, True)])
def test_contacts_that_move_by_themselves_under_load_end_the_charge(looks, stops):
    desk = ready().charge()
    desk.stuck = desk.contacts = 1
    desk.run(10 * looks)
    desk.stuck, desk.contacts = None, 3
    desk.run(10)
    assert desk.phases.switching == stops
    if stops:
        desk.stuck = desk.contacts = 1
    desk.stop(PAUSE_MS + 2000)
    assert not desk.phases.switching and desk.phases.have == (1 if stops else 3)


def test_contacts_welded_at_the_start_are_known():
    desk = Desk(ordered=1)
    desk.stuck = desk.contacts = 3
    desk.run(10_000)
    assert (desk.phases.have, desk.phases.now, desk.phases.switching) == (3, 3, False)


# Without an auxiliary contact -----------------------------------------------------------------


def test_without_an_auxiliary_contact_it_is_believed():
    desk = ready(aux=False)
    assert desk.phases.have == 3 and not desk.phases.switching


def test_without_one_current_on_l2_or_l3_tells_that_it_is_stuck_closed():
    for currents in ([9000, 9000, 0], [9000, 0, 9000]):
        desk = ready(aux=False, ordered=1).charge()
        desk.snapshots(4, currents)
        assert desk.phases.have == 1 and not desk.phases.switching
        desk.snapshots(2, currents)
        assert desk.phases.have == 3 and desk.phases.switching  # by the pause: then it is told to close
        desk.stop(PAUSE_MS + 1000)
        assert not desk.phases.switching and (desk.phases.now, desk.phases.have) == (3, 3)


def test_without_one_neither_a_single_snapshot_nor_a_silent_meter_tells_anything():
    desk = ready(aux=False, ordered=1).charge()
    for _ in range(5):
        desk.snapshots(4, [9000, 9000, 9000])
        desk.snapshots(1, [9000, 0, 0])
    desk.snapshots(1, [9000, 9000, 9000])
    desk.run(60_000)  # and then nothing new
    assert desk.phases.have == 1


# Whatever happens -----------------------------------------------------------------------------


@pytest.mark.parametrize("aux", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_it_moves_only_after_the_pause_or_without_a_car(seed, aux):
    """Desk.tick() holds each move against the clocks of its own."""
    print("seed", seed)
    rng = random.Random(seed)
    desk = ready(aux=aux)
    for _ in range(1000):
        what = rng.randrange(8)
        c = desk.charging
        if what < 2:
            desk.phases.order(rng.choice((1, 3)))
        elif what == 2 and not desk.phases.switching:
            c.letter, c.offer_ma, c.contactor = C, 16000, True
        elif what == 3:
            c.letter, c.offer_ma, c.contactor = rng.choice((A, B, B)), X1, False
        elif what == 4:
            desk.r.aux = rng.choice((0, 0, 0, 1))
        elif what == 5 and not desk.phases.switching:
            c.offer_ma = 6000
        elif what == 6:
            desk.stuck = rng.choice((None, None, 1, 3))
        for _ in range(rng.choice((1, 10, 100, 500, 2500))):
            desk.tick(rng.choice((10, 10, 10, 40)))
    assert len(desk.moves) > 20


ALLOCATES = """
import micropython
from pilotwire.decide import fault_table
from pilotwire.decide.faults import Faults
from pilotwire.decide.phases import Phases
from pilotwire.decide.reading import Reading
class Charging:
    letter, contactor, offer_ma = 0, False, 0
phases, r, charging, faults = Phases(3, 15000), Reading(), Charging(), Faults(fault_table.compiled())
def walk():
    for k in range(9000):
        charging.letter = k // 3000 & 1
        r.phase_aux = 1 if phases.now == 3 and k % 700 else 0
        if k % 1000 == 0:
            phases.order(1 if phases.now == 3 else 3)
        phases.step(r, charging, faults, 10)
walk()
micropython.heap_lock()
walk()
micropython.heap_unlock()
"""


def test_the_tick_allocates_nothing():
    run_script(ALLOCATES)
