"""Session records: written to the journal, kept until acknowledged, offered oldest first."""

import hashlib
import struct
from array import array

from micropython import const

from pilotwire import once
from pilotwire.tell import checkpoint

SUMMARY = const(1)  # boot, next seq, acknowledged seq, register, lost, orders, SHA-256 of the last;
# then latched faults, contactor openings hot and cold, tries of each fault
CHECK = const(2)  # an open session
RECORD = const(3)  # u32 seq, register (Wh and 1/320 Wh), then the record's bytes
_SUMMARY_FORMAT = "<HIIIHIB32s"
_LATCH_FORMAT = "<III"
_RECORD_HEAD = "<IIH"
_HEAD = const(10)
_LONGEST = const(1900)  # bytes of a record: what one packet holds beside the longest topic
_BOOTS = "boots.txt"  # counts them where there is no journal partition
_SEQS_A_BOOT = const(10000)
_NOWHERE = const(0)  # not on flash yet; a sector's header is at 0
_MOST = const(96)  # records that wait; the partition is full before that
_RESEND_S = (60, 300, 3600)  # unacknowledged although the broker has them: again after this


class Records:
    """Owner of the journal. begin(), check(), close() from control; next() and sent() from the link."""

    def __init__(self, journal, facts):
        self.journal = journal
        self.facts = facts
        self.boot = 0
        self.next_seq = 1
        self.acked = 0
        self.wh = self.wh_part = 0  # lifetime register as last stored
        self.prev = bytes(32)
        self._seq = array("I", [0] * _MOST)
        self._number = array("I", [0] * _MOST)
        self._address = array("I", [0] * _MOST)
        self._length = array("H", [0] * _MOST)
        self.waiting = 0  # records not yet acknowledged
        self._sent = 0  # of those, how many the broker has since the last start over
        self._lost = journal.lost  # as known here
        self._again_s = 0
        self._round = 0
        self._open_number = 0  # journal entry that an open session still needs
        self._summary_number = 0
        self.latch = self.hot = self.cold = 0  # faults that outlive a power cut; contactor openings
        self.tries = b""  # of each fault; empty before the first start
        self._kept = None  # of these, what is on flash or on its way
        self._errors = 0  # of the journal when they went
        self.orders = 0  # of the backend, as far as they outlive a restart (control's bits)
        self.newest = None  # bytes of the record stored last, for session/last
        self._check = None
        self._owed = False  # a summary, for an acknowledgement

    # At the start, contactor open ------------------------------------------------------------

    def resume(self, session, clock_class, cause):
        """Scan the journal; a session without a record ends at its last checkpoint.

        `cause`: why the last life ended (boot_record); "power" and "brown_out" make it a PowerLoss.
        """
        journal = self.journal
        journal.mount()
        journal.scan(self._found)
        self.boot += 1
        if not journal.persistent:
            self._count_boots()
        check = self._check
        self._check = None
        if check is not None and checkpoint.seq_of(check) >= self.next_seq:
            then = clock_class()
            boot, mask, part = checkpoint.unpack(check, session, then)
            self._register(session.end_wh, part)
            stop = "PowerLoss" if cause in ("power", "brown_out") else "Reboot"
            self._store(session, then, boot, stop, cause, mask)
            journal.flush(self.written)
        self._summarise()
        journal.flush(self.written)
        self.release()

    def _found(self, kind, number, length, address):
        data = self.journal.read(address, length)
        if data is None:
            return
        if kind == SUMMARY:
            f = struct.unpack_from(_SUMMARY_FORMAT, data)
            self.boot, next_seq, acked, wh, part, _, self.orders, self.prev = f
            self._register(wh, part)
            self.next_seq = max(self.next_seq, next_seq)
            self._acknowledge(acked)
            self._summary_number = number
            at = struct.calcsize(_SUMMARY_FORMAT)
            if len(data) > at:
                self.latch, self.hot, self.cold = struct.unpack_from(_LATCH_FORMAT, data, at)
                self.tries = bytes(data[at + struct.calcsize(_LATCH_FORMAT) :])
        elif kind == CHECK:
            self._check = data
            if checkpoint.seq_of(data) >= self.next_seq:
                self._open_number = number
        elif kind == RECORD:
            seq, wh, part = struct.unpack_from(_RECORD_HEAD, data)
            self._register(wh, part)
            self.prev = hashlib.sha256(memoryview(data)[_HEAD:]).digest()
            self.next_seq = max(self.next_seq, seq + 1)
            self._keep(seq, number, address, length)

    def _register(self, wh, part):
        """The lifetime register never goes back."""
        if wh > self.wh or wh == self.wh and part > self.wh_part:
            self.wh, self.wh_part = wh, part

    def _count_boots(self):
        """Without a journal a file counts the starts, so that no id is used twice."""
        try:
            with open(_BOOTS) as file:
                self.boot = int(file.read()) + 1
        except (OSError, ValueError):
            pass
        try:
            with open(_BOOTS, "w") as file:
                file.write(str(self.boot))
        except OSError:
            self.journal.errors += 1
        self.next_seq = self.boot * _SEQS_A_BOOT + 1

    def _keep(self, seq, number, address, length):
        if seq <= self.acked:
            return
        if self.waiting == _MOST:
            self.journal.lost += 1
            self._shift(1)
        at = self.waiting
        self._seq[at], self._number[at] = seq, number
        self._address[at], self._length[at] = address, length
        self.waiting += 1

    def _shift(self, count):
        """Forget the oldest `count`: an acknowledgement of a hundred may come while charging."""
        self._cut(0, count)
        self._sent = max(self._sent - count, 0)

    def _remove(self, index):
        self._cut(index, 1)
        if index < self._sent:
            self._sent -= 1

    def _cut(self, index, count):
        waiting = self.waiting
        for field in (self._seq, self._number, self._address, self._length):
            field[index : waiting - count] = field[index + count : waiting]
        self.waiting = waiting - count

    # While a car is there --------------------------------------------------------------------

    def begin(self, session, clock, r):
        """First checkpoint of a new session. Must be on flash before the contactor closes."""
        session.begin(self.next_seq, clock.up_s, clock.up_ms, r.wh)
        number = self.check(session, clock, 0, r)
        if number < 0:  # others have taken all room; the contactor is open
            self.journal.flush(self.written)
            number = self.check(session, clock, 0, r)
        self._open_number = number

    def begun(self):
        """True when the open session is on flash; what was appended after it may still wait."""
        return 0 < self._open_number <= self.journal.written_number

    def check(self, session, clock, mask, r):
        """Queue a checkpoint; journal entry number, -1 when there is no room."""
        data = checkpoint.pack(session, clock, self.boot, mask, r.wh_part)
        return self.journal.append(CHECK, data)

    def close(self, session, clock, stop, detail, mask, r):
        """The session is over: store its record."""
        self.wh, self.wh_part = r.wh, r.wh_part
        self._store(session, clock, self.boot, stop, detail, mask)
        self._open_number = 0

    def _store(self, session, clock, boot, stop, detail, mask):
        facts = self.facts
        while True:
            data = once.call(
                "tell.record_text", "build", session, clock, facts, boot, stop, detail,
                facts.codes(mask), self.prev, self.journal.lost,
            )
            if len(data) <= _LONGEST or not session.marks:
                break
            session.thin()
        # All that needs memory comes before the first change: without it the caller tries again.
        digest = hashlib.sha256(data).digest()
        entry = struct.pack(_RECORD_HEAD, session.seq, self.wh, self.wh_part) + data
        number = self.journal.append(RECORD, entry)
        if number < 0:  # others have taken all room; the contactor is open
            self.journal.flush(self.written)
            number = self.journal.append(RECORD, entry)
        self.prev = digest
        self.next_seq = session.seq + 1
        self.newest = data
        if number >= 0:
            self._keep(session.seq, number, _NOWHERE, _HEAD + len(data))
        else:
            self.journal.lost += 1
            self.journal.errors += 1

    # To the backend --------------------------------------------------------------------------

    def next(self):
        """Index of the next record to send, -1 when none is due or it is not on flash yet."""
        if self._sent >= self.waiting:
            return -1
        if self._address[self._sent] == _NOWHERE:
            if not self.journal.pending():
                self._remove(self._sent)  # flash has refused it, and the journal has counted it
            return -1
        return self._sent

    def seq_of(self, index):
        return self._seq[index]

    def written(self):
        """The journal has finished an entry: a record that was waiting for it can be read now."""
        number = self.journal.written_number
        for index in range(self.waiting - 1, -1, -1):
            if self._number[index] == number:
                self._address[index] = self.journal.written_address
                return

    def read(self, index):
        """Bytes of a waiting record, or None when flash has lost it."""
        data = self.journal.read(self._address[index], self._length[index])
        return None if data is None else data[_HEAD:]

    def sent(self, seq, ack_by_broker):
        """The broker has record `seq`. The backend may have acknowledged it before."""
        self._again_s = 0
        if ack_by_broker:
            self.acknowledge(seq)
        elif self._sent < self.waiting and self._seq[self._sent] == seq:
            self._sent += 1

    def skip(self, index):
        """A record cannot be read any more: go on. The journal has counted it if the ring was full."""
        if self.journal.lost == self._lost:
            self.journal.lost += 1
        self._lost = self.journal.lost
        self._remove(index)

    def start_over(self):
        """A new connection: everything unacknowledged is due again."""
        self._sent = 0
        self._round = 0
        self._again_s = 0

    def recall(self, found):
        """These records wait again, until a restart: (seq, entry number, address, length) of all from
        a seq on."""
        self.acked = found[0][0] - 1
        self.waiting = 0
        for entry in found:
            self._keep(*entry)
        self.start_over()

    def second(self):
        """Once a second while connected: what the backend does not acknowledge is sent again."""
        if self._sent:
            self._again_s += 1
            if self._again_s >= _RESEND_S[self._round]:
                self._again_s = 0
                self._sent = 0
                self._round = min(self._round + 1, len(_RESEND_S) - 1)

    def acknowledge(self, seq):
        """Every record up to `seq` is safely stored elsewhere; False when there is no such record."""
        if seq >= self.next_seq:
            return False
        if seq > self.acked:
            self._acknowledge(seq)
            self._owed = True
            if not self.journal.pending():  # else one for many: a backlog shall not fill the journal
                self._summarise()
        return True

    def order(self, orders):
        """Orders of the backend that outlive a restart; stored when they change."""
        if orders != self.orders:
            self.orders = orders
            self._summarise()

    def _state(self):
        return struct.pack(_LATCH_FORMAT, self.latch, self.hot, self.cold) + self.tries

    def keep_state(self, latch, tries):
        """Store latched faults, their tries and the openings when one of them has changed, or when
        flash has failed since. False: there is no room, call again."""
        self.latch = latch
        self.tries = bytes(tries)
        if self._state() != self._kept or self.journal.errors != self._errors:
            self._summarise()
        return self._kept is not None

    def _acknowledge(self, seq):
        self.acked = max(self.acked, seq)
        done = 0
        while done < self.waiting and self._seq[done] <= seq:
            done += 1
        if done:
            self._shift(done)

    def _summarise(self):
        self._kept = self._state()
        self._errors = self.journal.errors
        number = self.journal.append(
            SUMMARY,
            struct.pack(
                _SUMMARY_FORMAT, self.boot & 0xFFFF, self.next_seq, self.acked, self.wh,
                self.wh_part, self.journal.lost, self.orders, self.prev,
            ) + self._kept,
        )
        self._owed = number < 0
        if number >= 0:
            self._summary_number = number
        else:
            self._kept = None

    def release(self):
        """Let the journal reclaim what nobody needs any more, the oldest sector first.

        A quarter of the ring may stay full: for records that are asked for again.
        """
        journal = self.journal
        if journal.pending():
            return
        if self._owed:
            self._summarise()
            return
        if journal.free_sectors >= journal.sectors - journal.sectors // 4:
            return
        oldest = self._summary_number
        if self.waiting:
            oldest = min(oldest, self._number[0])
        if self._open_number > 0:
            oldest = min(oldest, self._open_number)
        if oldest > 1:
            journal.release(min(oldest - 1, journal.oldest_sector_end))
