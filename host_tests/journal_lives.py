"""For test_journal*.py: a station's lives on simulated NOR flash."""

from micropython_port import run_script

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
