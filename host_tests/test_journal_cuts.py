"""Power cuts and kills at any moment cost the journal nothing unseen, on simulated NOR flash."""

import subprocess

import pytest

from journal_lives import LIVES, lives
from micropython_port import PORT, micropython_path


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
