"""The journal on simulated NOR flash: power cuts, kills, wear and a full ring cost nothing unseen."""

import subprocess

import pytest

from micropython_port import PORT, micropython_path, run_script

# A station's flash life in MicroPython. `stored` is what the journal said is on flash, by number.
LIVES = r"""
import random
from plant import flash
from esp32 import Partition
from pilotwire.tell.journal import Journal

class Clock:
    us = 0
    def advance(self, us):
        self.us += us

def new_chip(sectors=8, sector=1024, **options):
    flash.chip = flash.Nor(Clock(), None, sectors * sector, sector=sector, **options)
    return flash.chip

def mounted(**options):
    journal = Journal(Partition.find(Partition.TYPE_DATA, label="journal")[0], **options)
    journal.mount()
    return journal

def entries(journal):
    found = []
    journal.scan(lambda *entry: found.append(entry))
    return [(number, kind, journal.read(at, length)) for kind, number, length, at in found]

def numbers(journal):
    return [entry[0] for entry in entries(journal)]

def idle(journal):
    while journal.step(True):
        pass

class Life:
    # Appends and remembers; check() compares what a fresh mount finds with what it remembers.
    def __init__(self):
        self.written = {}  # number: (kind, payload), as last given to append
        self.stored = []  # numbers that must be on flash
        self.staged = []
        self.gone = set()  # dropped from a full ring, and counted
        self.released = self.lost = 0
        self.journal = mounted()

    def append(self, kind, payload):
        number = self.journal.append(kind, payload)
        if number >= 0:
            assert not self.stored or number > self.stored[-1], "number given twice"
            self.written[number] = (kind, payload)
            self.staged.append(number)
        return number

    def step(self, may_erase):
        done = self.journal.step(may_erase)
        if self.journal.lost != self.lost:
            self.count_losses(numbers(self.journal))
        if not self.journal.pending():
            self.stored += [n for n in self.staged if n not in self.gone]
            self.staged = []
        return done

    def flush(self):
        while self.journal.pending():
            assert self.step(True)

    def release(self, number):
        self.released = max(number, self.released)
        self.journal.release(number)

    def count_losses(self, held):
        lost = self.journal.lost - self.lost
        known = [n for n in self.stored + self.staged if n > self.released and n not in self.gone]
        gone = known[:lost]
        assert not held or gone == [n for n in known if n < held[0]], (gone, known, held)
        self.lost += lost
        self.gone.update(gone)
        self.stored = [n for n in self.stored if n not in self.gone]

    def check(self):
        self.journal = mounted()
        assert self.journal.free_sectors and self.journal.wear < 10000
        found = entries(self.journal)
        for entry in found:
            assert self.written[entry[0]] == entry[1:], entry
        got = [entry[0] for entry in found]
        assert got == sorted(set(got)), got
        if self.journal.lost != self.lost:
            self.count_losses(got)
        for number in self.stored:
            assert number in got or number <= self.released, (number, got)
        assert not self.gone.intersection(got)
        self.stored = got
        self.staged = []
        self.journal.release(self.released)
"""


def lives(code, **options):
    return run_script(LIVES + code, **options)


def test_a_power_cut_at_any_byte_costs_nothing_that_was_written():
    out = lives(r"""
def story(life):
    for n in range(30):
        life.append(n % 5, payloads[n])
        while life.journal.pending():
            if not life.step(n % 9 == 0):
                life.step(True)
        if n % 8 == 7:
            life.release(life.stored[-4])
            life.step(True)

payloads = [bytes([n * 7 + i & 255 for i in range((9, 24, 150, 17, 61, 333)[n % 6])])
            for n in range(30)]

def after(life):
    life.check()
    first = life.append(7, b"the next life")
    life.flush()
    life.append(8, b"its checkpoint" * 20)
    life.flush()
    life.check()
    assert first in life.stored

new_chip(sectors=4)
flash.chip.cut_after(1 << 28)
life = Life()
story(life)
units = (1 << 28) - flash.chip._left
after(life)
assert units > 3 * 1024 and sum(flash.chip.wear) > 4
for cut in range(units):
    new_chip(sectors=4, seed=cut)
    flash.chip.cut_after(cut)
    life = None
    try:
        life = Life()
        story(life)
        assert False
    except flash.PowerCut:
        if life is None:  # in the very first erase: nothing was ever written
            life = Life()
    except AssertionError:
        print("cut", cut)
        raise
    after(life)
print(units)
""", timeout_s=100)
    print("cuts:", out)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_any_sequence_of_lives_keeps_every_entry_or_counts_it(seed):
    print("seed", seed)
    lives(f"SEED = {seed}" + r"""
random.seed(SEED)
new_chip(sectors=3 + SEED, sector=1024 if SEED & 1 else 4096, seed=SEED)
life = Life()
longest = flash.chip.sector - 48 if SEED & 1 else 2000
for _ in range(250):
    flash.chip.cut_after(random.choice((3, 30, 300, 3000)) * (1 + random.randrange(10)) // 3)
    try:
        for _ in range(random.randrange(80)):
            what = random.randrange(10)
            if what < 4:
                size = random.choice((0, 16, 24, random.randrange(longest + 1)))
                life.append(random.randrange(256), bytes([random.getrandbits(8) for _ in range(size)]))
            elif what == 4 and life.stored:
                life.release(random.choice(life.stored))
            for _ in range(random.randrange(6)):
                life.step(random.randrange(4) == 0)
    except flash.PowerCut:
        pass
    flash.chip.cut_after(random.choice((-1, 1, 5, 20, 40)))
    try:
        life.check()
    except flash.PowerCut:  # power fails again while it starts
        life.check()
print(life.lost)
""", timeout_s=100)


def test_nothing_is_erased_while_charging():
    lives(r"""
chip = new_chip(sectors=8, sector=4096)
journal = mounted()
idle(journal)
before = sum(chip.wear)
number = 0
while number >= 0:
    for _ in range(30):
        journal.step(False)
    number = journal.append(1, bytes(300))
    journal.release(number)
assert sum(chip.wear) == before and journal.pending() and journal.lost == 0
journal.flush()
assert sum(chip.wear) > before and not journal.pending() and journal.lost == 0
""")


def test_one_step_programs_at_most_one_page_and_returns_what_it_did():
    lives(r"""
chip = new_chip(sectors=8, sector=4096)
done = []
chip.on_op = lambda kind, us: done.append((kind, us))
journal = mounted()
idle(journal)
writes = []
class Watched(Partition):
    def writeblocks(self, block, buf, offset):
        assert len(buf) <= 256 and offset // 256 == (offset + len(buf) - 1) // 256
        super().writeblocks(block, buf, offset)
journal._flash = Watched("journal")
for size in (0, 5, 100, 256, 2000, 37):
    journal.append(3, bytes(size))
    while journal.pending():
        done.clear()
        assert journal.step(False) == 1
        assert len(done) == 1 and done[0][0] == "program" and done[0][1] <= 3000, done
assert journal.step(False) == journal.step(True) == 0
""")


def test_an_idle_step_allocates_nothing():
    lives(r"""
import micropython
new_chip()
journal = mounted()
idle(journal)
journal.append(1, b"x")
journal.flush()
step = journal.step
step(False)
micropython.heap_lock()
step(False)
step(True)
micropython.heap_unlock()
""")


def test_free_64_kb_hold_more_than_a_thousand_checkpoints():
    lives(r"""
new_chip(sectors=17, sector=4096)
journal = mounted()
idle(journal)
assert journal.free_bytes > 64 * 1024
for n in range(1600):
    assert journal.append(2, b"checkpoint of 24 bytes..") >= 0
    while journal.pending():
        assert journal.step(False) == 1
assert journal.lost == 0
assert len(numbers(mounted())) == 1600
""")


def test_sectors_wear_evenly():
    lives(r"""
chip = new_chip(sectors=7)
journal = mounted()
for n in range(4000):
    number = journal.append(1, bytes(n % 97))
    idle(journal)
    if n % 5 == 0:
        journal.release(number - 3)
    if n % 211 == 0:
        journal = mounted()
assert min(chip.wear) > 20 and max(chip.wear) - min(chip.wear) <= 2, chip.wear
assert journal.wear == max(chip.wear)
""")


def test_a_sector_whose_erase_was_cut_short_is_not_taken_for_a_new_one():
    lives(r"""
chip = new_chip(sectors=4)
for n in range(2000):
    if n == 1000:
        journal.release(number)
        chip.erase(journal._oldest())  # power went before its erase count was written again
    if n % 100 == 0:
        journal = mounted()
    number = journal.append(1, bytes(n % 97))
    journal.release(number - 3)
    idle(journal)
assert max(chip.wear) - min(chip.wear) <= 3, chip.wear
""")


def test_a_full_ring_gives_up_the_oldest_and_counts_only_what_counts():
    lives(r"""
new_chip(sectors=5)
journal = mounted(counted=b"R")
for n in range(200):
    journal.append(ord("R") if n % 4 == 0 else ord("c"), bytes(100))
    journal.flush()
    idle(journal)
kept = entries(journal)
records = [n for n, kind, _ in kept if kind == ord("R")]
assert kept[-1][0] == 200 and kept[0][0] > 100
assert journal.lost == 50 - len(records)
again = mounted()
assert again.lost == journal.lost and entries(again) == kept
""")


def test_a_release_gives_back_whole_sectors_only():
    lives(r"""
new_chip(sectors=6)
journal = mounted()
idle(journal)
for n in range(40):
    journal.append(1, bytes(84))
    journal.flush()
free = journal.free_sectors
end = journal.oldest_sector_end
journal.release(end - 1)
idle(journal)
assert journal.free_sectors == free and numbers(journal)[0] == 1
journal.release(end)
idle(journal)
assert journal.free_sectors == free + 1 and numbers(journal)[0] == end + 1
assert journal.lost == 0
""")


def test_numbers_go_on_after_everything_was_released_and_erased():
    lives(r"""
new_chip(sectors=4)
highest = 0
for life in range(60):
    journal = mounted()
    for n in range(life % 7):
        number = journal.append(1, bytes(150))
        assert number == highest + 1
        highest = number
        journal.flush()
    journal.release(highest)
    idle(journal)
""")


def test_append_refuses_what_it_cannot_hold_and_changes_nothing():
    lives(r"""
new_chip(sectors=4, sector=4096)
journal = mounted()
assert journal.append(1, bytes(2001)) == -1 and not journal.pending()
assert journal.append(1, bytes(2000)) == 1
assert journal.append(2, b"checkpoint of 24 bytes..") == 2
assert journal.append(2, b"checkpoint of 24 bytes..") == 3
assert journal.append(2, bytes(100)) == -1
journal.flush()
assert [(n, len(p)) for n, _, p in entries(mounted())] == [(1, 2000), (2, 24), (3, 24)]
""")


def test_foreign_content_is_formatted_as_time_allows():
    lives(r"""
chip = new_chip()
for i in range(chip.size):
    chip.cells[i] = i * 31 + 7 & 255
journal = mounted()
assert sum(chip.wear) == 1 and entries(journal) == []
journal.append(1, b"first")
journal.flush()
idle(journal)
assert chip.wear == [1] * 8 and journal.free_sectors == 7
assert entries(mounted()) == [(1, 1, b"first")]
""")


def test_an_entry_that_rots_is_left_out_and_the_rest_stays():
    lives(r"""
chip = new_chip()
journal = mounted()
for n in range(5):
    journal.append(1, b"entry %d" % n)
journal.flush()
at = []
journal.scan(lambda kind, number, length, address: at.append(address))
chip.cells[at[2] + 18] ^= 4
assert journal.read(at[2], 7) is None and journal.read(at[3], 7) == b"entry 3"
again = mounted()
assert numbers(again) == [1, 2, 4, 5]
again.append(1, b"next")
again.flush()
assert numbers(mounted()) == [1, 2, 4, 5, 6]
""")


def test_an_entry_found_twice_is_told_once():
    lives(r"""
chip = new_chip()
journal = mounted()
for n in range(3):
    journal.append(1, b"8 bytes.")
journal.flush()
at = []
journal.scan(lambda kind, number, length, address: at.append(address))
chip.cells[at[2] + 24 : at[2] + 48] = chip.cells[at[1] : at[1] + 24]
assert numbers(mounted()) == [1, 2, 3]
""")


def test_dirt_behind_the_last_entry_closes_the_sector():
    lives(r"""
chip = new_chip()
journal = mounted()
journal.append(1, b"before")
journal.flush()
at = []
journal.scan(lambda kind, number, length, address: at.append(address))
chip.cells[at[0] + 100] = 0x7F
journal = mounted()
journal.append(1, b"\xff" * 200)
journal.flush()
assert numbers(journal) == [1, 2] and journal.errors == 0
""")


def test_a_program_error_is_retried_elsewhere_then_counted():
    lives(r"""
chip = new_chip()
journal = mounted()
idle(journal)
journal.append(1, b"before")
journal.flush()
chip.fault("program_fail")
journal.append(1, b"unlucky")
journal.step(False)
assert journal.error == "program" and journal.errors == 1 and journal.lost == 0
chip.clear("program_fail")
while journal.pending():
    journal.step(False)
assert journal.lost == 0
chip.fault("program_fail")
journal.append(1, b"lost")
for _ in range(4):
    journal.step(False)
assert journal.lost == 1 and not journal.pending()
chip.clear("program_fail")
journal.append(1, b"after")
journal.flush()
assert [p for _, _, p in entries(mounted())] == [b"before", b"unlucky", b"after"]
assert mounted().lost == 1
""")


def test_worn_cells_cost_room_but_no_entry():
    lives(r"""
new_chip(sectors=10, seed=6).fault("stuck_bits")  # 1, 5, 9 do not erase; 3, 7 do not program
life = Life()
random.seed(9)
for n in range(600):
    life.append(1, bytes([random.getrandbits(8) for _ in range(n % 90)]))
    life.flush()
    life.release(life.stored[-1] - 10)
    life.step(True)
    if n % 50 == 0:
        life.check()
life.check()
assert life.lost == 0
life.journal.release(n)
idle(life.journal)
assert life.journal.error == "erase" and life.journal.free_sectors == 6, life.journal.free_sectors
""")


def test_a_sector_that_will_not_erase_is_left_alone_for_a_while():
    lives(r"""
chip = new_chip(sectors=4)
journal = mounted()
for n in range(12):
    journal.append(1, bytes(200))
    journal.flush()
idle(journal)
chip.fault("erase_fail")
journal.release(12)
idle(journal)
assert journal.error == "erase" and journal.errors >= 1
assert journal.step(True) == 0
errors = journal.errors
for _ in range(20000):
    assert journal.step(True) == 0
chip.clear("erase_fail")
for _ in range(20000):
    journal.step(True)
assert journal.errors == errors and journal.free_sectors == 3
""")


def test_a_full_ring_that_cannot_erase_keeps_what_it_has_and_recovers():
    lives(r"""
chip = new_chip(sectors=4)
life = Life()
idle(life.journal)
chip.fault("erase_fail")
for n in range(30):
    life.append(1, bytes(150))
    for _ in range(9):
        life.step(True)
assert life.journal.pending() and life.journal.lost == 5  # one sector, once
kept = numbers(life.journal)
for _ in range(29000):
    assert not life.step(True)
assert numbers(life.journal) == kept
chip.clear("erase_fail")
for _ in range(2000):
    life.step(True)
assert not life.journal.pending()
life.check()
""")


def test_step_never_raises_whatever_the_flash_says():
    lives(r"""
class Dead:
    def ioctl(self, command, argument):
        if command == 6:
            raise OSError(5)
        return 8 if command == 4 else 4096
    def readblocks(self, block, buf, offset=0):
        raise OSError(5)
    def writeblocks(self, block, buf, offset=None):
        raise OSError(5)
journal = Journal(Dead())
journal.mount()
assert journal.append(1, b"x") == 1
journal.flush()
for _ in range(100):
    assert journal.step(True) == 0
assert entries(journal) == [] and journal.errors and journal.error
""")


def test_without_a_partition_the_newest_entries_are_kept_in_ram():
    lives(r"""
flash.chip = None
assert Partition.find(Partition.TYPE_DATA, label="journal") == []
journal = Journal(None)
journal.mount()
assert not journal.persistent
for n in range(100):
    assert journal.append(1, b"entry %d" % n * 9) == n + 1
    while journal.pending():
        assert journal.step(False)
kept = entries(journal)
assert kept[-1] == (100, 1, b"entry 99" * 9) and 20 < len(kept) < 100
assert journal.lost == 100 - len(kept)
journal.append(2, bytes(2000))
journal.flush()
assert entries(journal)[-1] == (101, 2, bytes(2000))
""")


WRITER = LIVES + r"""
import sys
flash.chip = flash.Nor(Clock(), sys.argv[-1], 32768, sector=4096)
journal = mounted()
n = 0
while True:
    n += 1
    number = journal.append(1, b"entry %d" % n * (1 + n % 40))
    while journal.pending():
        journal.step(True)
    journal.release(number - 30)
    print(number)
"""


def test_a_killed_process_leaves_what_it_had_written(tmp_path):
    image = str(tmp_path / "journal.bin")
    writer = subprocess.Popen(
        [str(PORT), "-X", "heapsize=4M", "-c", WRITER, image],
        env={"MICROPYPATH": micropython_path()}, stdout=subprocess.PIPE, text=True,
    )
    last = 0
    for line in writer.stdout:
        last = int(line)
        if last > 700:
            break
    writer.kill()
    writer.wait()
    for line in writer.stdout:  # written before the kill, read after it
        last = int(line) if line.endswith("\n") else last
    writer.stdout.close()
    lives(f"""
flash.chip = flash.Nor(Clock(), "{image}", 32768, sector=4096)
found = entries(mounted())
got = [n for n, _, _ in found]
assert got == list(range(got[0], got[-1] + 1)) and got[0] <= {last} - 30
assert got[-1] in ({last}, {last + 1})
for n, kind, payload in found:
    assert payload == b"entry %d" % n * (1 + n % 40)
""")


def test_the_virtual_flash_is_nor_and_takes_its_time():
    lives(r"""
chip = new_chip(sectors=32, sector=4096)
part, = Partition.find(Partition.TYPE_DATA, label="journal")
assert part.info() == (1, 0x40, 0x3E0000, 131072, "journal", False)
assert part.ioctl(4, 0) == 32 and part.ioctl(5, 0) == 4096
part.writeblocks(2, b"\x0f\xff", 10)
part.writeblocks(2, b"\x3c\x3c", 10)
back = bytearray(2)
part.readblocks(2, back, 10)
assert back == b"\x0c\x3c"
before = chip.clock.us
part.ioctl(6, 2)
assert chip.clock.us - before >= 44000 and chip.wear[2] == 1
part.readblocks(2, back, 10)
assert back == b"\xff\xff"
before = chip.clock.us
part.writeblocks(3, b"\x55" * 256)  # without an offset it erases first
assert 45000 < chip.clock.us - before < 49000 and chip.wear[3] == 1
try:
    part.readblocks(32, back, 0)
    assert False
except OSError as error:
    assert error.errno == -260
assert Partition.find(label="journal") == [] and Partition.find(Partition.TYPE_DATA, label="x") == []
""")
