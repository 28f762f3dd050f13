"""One ESP image, bootloader or application, as it lies in flash: is it whole, and for which chip?

    header     24 bytes: 0xE9, segments, SPI mode, flash size << 4 | speed, entry point; the chip at 12
               (2 bytes), at 23 whether a SHA-256 follows
    segments   load address and length, 4 bytes each, then the data
    end        zeros, and as the last of 16 bytes the XOR of all data and 0xEF; then the SHA-256

Source: ESP-IDF, "Firmware Image Format" of esptool's documentation and esp_app_format.h. All numbers
are little-endian.
"""

import hashlib
import struct
from functools import reduce
from operator import xor

MAGIC = 0xE9
ESP32 = 0
_CHIPS = {
    0: "ESP32", 2: "ESP32-S2", 5: "ESP32-C3", 9: "ESP32-S3", 12: "ESP32-C2", 13: "ESP32-C6",
    16: "ESP32-H2", 18: "ESP32-P4", 20: "ESP32-C61", 23: "ESP32-C5",
}
_HEADER = 24
_MOST_SEGMENTS = 16
_DESCRIPTION = 0x20  # of an application, in its first segment: its magic, then version and name
_DESCRIPTION_MAGIC = 0xABCD5432


class ImageError(Exception):
    """No image can be made of this; the text is one line."""


def check_chip(data, what):
    """ImageError unless an image for the ESP32 begins here. `what`: how it is called."""
    if len(data) < _HEADER:
        raise ImageError(f"too short: {what} is missing")
    if data[0] != MAGIC:
        raise ImageError(f"no ESP32 image: {what} begins with 0x{data[0]:02X}, not 0x{MAGIC:02X}")
    (chip,) = struct.unpack_from("<H", data, 12)
    if chip != ESP32:
        name = _CHIPS.get(chip, f"chip {chip}")
        raise ImageError(f"this is for the {name}, not for the ESP32")


def flash_bytes(data):
    """How much flash the header of a bootloader counts on."""
    return 0x100000 << (data[3] >> 4)


def length(data, what):
    """Bytes of the image that begins here; ImageError when it is not whole."""
    check_chip(data, what)
    short = ImageError(f"too short: {what} is cut off")
    if not 1 <= data[1] <= _MOST_SEGMENTS:
        raise ImageError(f"{what} is damaged: it has {data[1]} segments")
    at, total = _HEADER, 0xEF
    for _ in range(data[1]):
        if at + 8 > len(data):
            raise short
        size = struct.unpack_from("<I", data, at + 4)[0]
        at += 8 + size
        total = reduce(xor, data[at - size : at], total)
    at |= 15
    if at >= len(data):
        raise short
    if data[at] != total:
        raise ImageError(f"{what} is damaged: its checksum is wrong")
    at += 1
    if data[23]:
        if at + 32 > len(data):
            raise short
        if hashlib.sha256(data[:at]).digest() != bytes(data[at : at + 32]):
            raise ImageError(f"{what} is damaged: its SHA-256 is wrong")
        at += 32
    return at


def name(data):
    """What an application calls itself, for example "micropython v1.24.1"; "" when it does not say."""
    if struct.unpack_from("<I", data, _DESCRIPTION)[0] != _DESCRIPTION_MAGIC:
        return ""
    words = [data[_DESCRIPTION + at :][:32].split(b"\0")[0] for at in (48, 16)]
    return " ".join(word.decode("ascii", "replace") for word in words if word)
