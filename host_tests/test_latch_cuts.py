"""Latched faults, their tries and the contactor's openings over a power cut: all old or all new."""

import pytest

from journal_lives import lives
from micropython_port import run_script
from station import Connected, Lonely

# Real records on a real journal. A state is (latch, hot, cold, tries), written as control.py does it.
RECORDS = r"""
from pilotwire.clock import Clock as StationClock
from pilotwire.decide.session import Session
from pilotwire.decide.fault_rows import COUNT
from pilotwire.tell.journal import Journal
from pilotwire.tell.records import CHECK, RECORD, Records

class Facts:
    pass

def start():
    partition = Partition.find(Partition.TYPE_DATA, label="journal")[0]
    records = Records(Journal(partition, counted={RECORD}), Facts())
    records.resume(Session(), StationClock, "power")
    return records

def state_of(records):
    return records.latch, records.hot, records.cold, bytes(records.tries)

def some_state():
    bits = random.getrandbits(COUNT) & random.getrandbits(COUNT)
    return bits, random.randrange(1 << 20), random.randrange(1 << 20), bytes(
        [random.randrange(256) for _ in range(COUNT)])

def put(records, state):
    records.hot, records.cold = state[1:3]
    assert records.keep_state(state[0], state[3])

def flush(records, may_erase=True):
    while records.journal.pending() and records.journal.step(may_erase):
        pass

NONE = (0, 0, 0, b"")
"""


def test_a_power_cut_at_any_byte_leaves_the_old_or_the_new_latch():
    out = lives(RECORDS + r"""
random.seed(61851)
STATES = [some_state() for _ in range(20)]

def story(life):
    records = start()
    for k, state in enumerate(STATES):
        if k % 3 == 1:  # a charge goes on
            records.journal.append(CHECK, bytes(120))
        life["new"] = state
        put(records, state)
        if k % 4 == 2:
            records.order(k)
        flush(records)
        life["old"] = state
        records.release()

def check(life):
    got = state_of(start())
    assert got == life["old"] or got == life["new"], (got, life)
    return got

new_chip(sectors=4, sector=1024)
flash.chip.cut_after(1 << 28)
story({})
units = (1 << 28) - flash.chip._left
assert units > 3 * 1024 and sum(flash.chip.wear) > 4, (units, flash.chip.wear)
new = 0
for cut in range(units):
    new_chip(sectors=4, sector=1024, seed=cut)
    life = {"old": NONE, "new": NONE}
    flash.chip.cut_after(cut)
    try:
        story(life)
        assert False
    except flash.PowerCut:
        pass
    flash.chip.cut_after(random.randrange(200))  # and once more while it starts
    try:
        got = check(life)
    except flash.PowerCut:
        got = None
    flash.chip.cut_after(-1)
    again = check(life)
    assert got is None or again == got
    new += again == life["new"] != life["old"]
assert new > 5  # cuts after which the new one was whole already
print(units, new)
""", timeout_s=250)
    print("cuts, new ones:", out)


def test_states_without_room_on_flash_wait_and_the_last_is_kept():
    """Charging: nothing is erased meanwhile."""
    lives(RECORDS + r"""
random.seed(1)
new_chip(sectors=4, sector=1024)
records = start()
refused = 0
state = NONE
for k in range(200):
    state = some_state()
    records.hot, records.cold = state[1:3]
    refused += not records.keep_state(state[0], state[3])
    flush(records, False)
assert refused
flush(records)
assert records.keep_state(state[0], state[3])
flush(records)
assert state_of(start()) == state
""")


@pytest.mark.parametrize("ms", [10, 100, 200, 300, 400, 500, 1500])
def test_a_fault_whose_cause_is_gone_holds_after_a_power_cut_once_it_was_stored(tmp_path, ms):
    with Lonely(tmp_path / "s") as station:
        station.charger.advance(7)
        station.charge("ignores_stop", seconds=8)
        station.charger.do("car", "generic")
        station.charger.do("row", {
            "v_cv": [23000] * 3, "i_ma": [99000, 0, 0], "p_mw": [99000 * 230, 0, 0],
        })
        for _ in range(200):
            station.charger.advance(0.01)
            if not station.charger.look()["coil"]:
                break
        station.charger.advance(ms / 1000)
        station.charger.do("power", "off")
        station.charger.advance(2)
        station.charger.do("row", {"v_cv": [23000] * 3, "i_ma": [0] * 3, "p_mw": [0] * 3})
        station.charger.do("power", "on")
        station.charger.advance(10)
        held = station.shows("E6-2", 20)
        assert held or ms < 1500
        station.charger.do("unplug")
        station.charger.advance(8)
        assert not station.shows("E6-2", 15)


def test_a_fault_that_came_while_flash_failed_is_stored_when_flash_works_again(tmp_path):
    with Connected(tmp_path / "s") as station:
        station.charge(seconds=8)
        station.charger.do("fault", {"name": "program_fail", "value": None})
        station.charger.do("fault", {"name": "welded", "value": None})
        station.charger.do("unplug")
        station.advance(5)
        assert station.state()["faults"] == ["7-3", "8-3"]
        station.charger.do("clear", {"name": "welded", "value": None})
        station.charger.do("clear", {"name": "program_fail", "value": None})
        assert station.until(lambda: station.state()["faults"] == ["7-3"], 700)
        station.advance(2)
        station.charger.do("power", "off")
        station.advance(2)
        station.charger.do("power", "on")
        station.advance(20)
        assert station.state()["faults"] == ["7-3"]


def test_what_had_no_room_is_offered_again_until_it_has():
    out = run_script(r"""
from pilotwire.control import Charger

class Thing:
    def __init__(self, **values):
        for name in values:
            setattr(self, name, values[name])

answers = [False, False, True]
asked = []

def keep_state(latch, tries):
    asked.append(latch)
    return answers[len(asked) - 1]

journal = Thing(errors=0, persistent=True, step=lambda may_erase: 0, pending=lambda: False)
charger = Thing(
    records=Thing(journal=journal, keep_state=keep_state, hot=0, cold=0),
    faults=Thing(changes=1, latch=lambda: 4, tries=b"", raise_=lambda row: None),
    charging=Thing(contactor=False), visit=Thing(recorded=False),
    _kept_changes=0,
)
for _ in range(9):
    Charger._keep_journal(charger, True)
print(len(asked))
""")
    assert out.split() == ["3"]
