"""The journal on simulated NOR flash: steps, wear, releases and a full ring."""

from journal_lives import lives


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


def test_the_virtual_flash_is_nor_and_takes_its_time():
    lives(r"""
chip = new_chip(sectors=32, sector=4096)
part, = Partition.find(Partition.TYPE_DATA, label="journal")
assert part.info() == (1, 6, 0x3E0000, 131072, "journal", False)
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
