"""Records that the backend wants again, from a seq on. Loaded for this; reads all of the flash."""

import struct

_RECORD = 3  # as records.py writes them
_MOST = 96


def again(records, seq):
    """The records from `seq` on wait once more, until a restart; or a plain reason and nothing changed.

    What the backend has acknowledged stays on flash only until its sector is erased.
    """
    journal = records.journal
    if seq >= records.next_seq:
        return "no record has that seq yet"
    if journal.pending():
        return "a record is being written: ask again"
    found = []

    def look(kind, number, length, address):
        if kind == _RECORD:
            data = journal.read(address, length)
            if data:
                entry = struct.unpack_from("<I", data)[0], number, address, length
                if entry[0] >= seq:
                    found.append(entry)

    journal.scan(look)
    if not found:
        return "no record from there on is kept any more"
    if found[0][0] != seq:
        return "the oldest record from there on is %d" % found[0][0]
    if len(found) > _MOST:
        return "that is more than %d records" % _MOST
    records.recall(found)
    return None
