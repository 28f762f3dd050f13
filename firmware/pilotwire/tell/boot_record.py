"""Why the last life ended: a few bytes in RTC memory, which survive resets but not a power cut."""

import struct
from binascii import crc32

_FORMAT = "<4sB3xI"
_MAGIC = b"PWb1"
RUNNING = 0  # nothing was written before the end: the watchdog, or a reset from outside
EXCEPTION = 1
COMMAND = 2
_NAMES = ("watchdog", "exception", "command")


def write(rtc, reason):
    data = struct.pack(_FORMAT, _MAGIC, reason, 0)
    rtc.memory(data + struct.pack("<I", crc32(data) & 0xFFFFFFFF))


def cause(rtc):
    """"power" when the RTC memory was lost, else why the last life ended."""
    data = rtc.memory()
    size = struct.calcsize(_FORMAT)
    if len(data) != size + 4 or struct.pack("<I", crc32(data[:size]) & 0xFFFFFFFF) != data[size:]:
        return "power"
    magic, reason, _ = struct.unpack(_FORMAT, data[:size])
    return _NAMES[reason] if magic == _MAGIC and reason < len(_NAMES) else "power"
