"""A journal in memory: what records.py asks of tell/journal.py, without flash."""


class MemoryJournal:
    def __init__(self, entries=()):
        self.entries = list(entries)  # (kind, number, data); what is on flash survives a power cut
        self.queued = []
        self.error = ""
        self.lost = self.errors = 0
        self.persistent = True
        self.written_number = self.written_address = 0
        self.sectors = self.free_sectors = 100
        self.oldest_sector_end = 1 << 29

    def mount(self):
        pass

    def append(self, kind, data):
        number = 1 + max((n for _, n, _ in self.entries + self.queued), default=0)
        self.queued.append((kind, number, bytes(data)))
        return number

    def pending(self):
        return len(self.queued)

    def flush(self, on_step=None):
        while self.queued:
            self.entries.append(self.queued.pop(0))
            self.written_number = self.written_address = self.entries[-1][1]
            if on_step:
                on_step()

    def scan(self, found):
        for kind, number, data in self.entries:
            found(kind, number, len(data), number)

    def read(self, address, length):
        return next(data[:length] for _, number, data in self.entries if number == address)

    def release(self, number):
        self.entries = [entry for entry in self.entries if entry[1] > number]
