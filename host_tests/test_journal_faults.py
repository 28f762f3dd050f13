"""The journal on simulated flash that rots, wears out, fails or is not there."""

from journal_lives import lives


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
