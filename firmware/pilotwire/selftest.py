"""Are the firmware's files those that were built? SHA-256 of each against manifest.txt, in 512 bytes.

It finds flash that has lost bits and half an update. It does not find an attacker, who would write the
manifest too, nor a file that cannot even be imported. Needed once, at the start (pilotwire.once); on the
chip about 0.3 s for 120 KB (an estimate).
"""

import hashlib
import sys
from binascii import hexlify

_PIECE = 512


def check():
    """"passed"; "failed"; "none" where there is no manifest, as with a run from the sources."""
    # manifest.txt lies beside the package: 64 digits, two spaces, a path; last "# " and their number.
    root = sys.modules["pilotwire"].__file__.rsplit("/", 2)
    root = root[0] + "/" if len(root) == 3 else ""
    try:
        file = open(root + "manifest.txt")
    except OSError:
        return "none"
    count = 0
    buffer = bytearray(_PIECE)
    with file:
        try:
            while True:
                line = file.readline()
                if line[:2] == "# ":
                    return "passed" if int(line[2:]) == count else "failed"
                if line[:64] != _digest(root + line[66:].rstrip(), buffer):
                    return "failed"
                count += 1
        except (OSError, ValueError):
            return "failed"


def _digest(path, buffer):
    """64 hexadecimal digits; OSError."""
    total = hashlib.sha256()
    view = memoryview(buffer)
    with open(path, "rb") as file:
        while True:
            size = file.readinto(buffer)
            if not size:
                return hexlify(total.digest()).decode()
            total.update(view[:size])
