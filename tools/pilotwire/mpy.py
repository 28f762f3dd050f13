"""What is in a .mpy file, version 6, as far as it costs memory by name."""

from pathlib import Path


class MpyError(Exception):
    """This is no .mpy file of that version."""


def names(path):
    """Names and short texts that loading the file interns, in the order of its table.

    Those that every MicroPython has at a fixed place (append, ...) are left out.
    """
    data = Path(path).read_bytes()
    if data[:2] != b"M\x06":
        raise MpyError(f"{path}: not a .mpy file of version 6")
    count, at = _number(data, 4)
    _, at = _number(data, at)  # of objects: they follow the names
    found = []
    for _ in range(count):
        length, at = _number(data, at)
        if not length & 1:
            end = at + (length >> 1)
            found.append(data[at:end].decode())
            at = end + 1
    return found


def _number(data, at):
    """(a number of 7 bits a byte, where it ends)."""
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
