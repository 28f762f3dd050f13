"""A made-up stock .bin: the headers, table and sums of a MicroPython for an ESP32, and no code."""

import hashlib
import struct

PARTITIONS = (  # name, type, subtype, offset, size: v1.24 and v1.25, ports/esp32/partitions-4MiB.csv
    ("nvs", 1, 2, 0x9000, 0x6000),
    ("phy_init", 1, 1, 0xF000, 0x1000),
    ("factory", 0, 0, 0x10000, 0x1F0000),
    ("vfs", 1, 0x81, 0x200000, 0x200000),
)
WITHOUT_VFS = PARTITIONS[:3]  # v1.26 and newer, partitions-4MiBplus.csv: vfs is made at the start
UMQTT = b"asyncio/core.py\0umqtt/simple.py\0\0"


def esp_image(*segments, chip=0, flash=2, hashed=True):
    """flash: 2 for 4 MB."""
    made = struct.pack("<BBBBI", 0xE9, len(segments), 2, flash << 4, 0x40080000)
    made += struct.pack("<BBBBHBHHIB", 0xEE, 0, 0, 0, chip, 0, 0, 0xFFFF, 0, hashed)
    total = 0xEF
    for number, data in enumerate(segments):
        made += struct.pack("<II", 0x3F400000 + 0x10000 * number, len(data)) + data
        for byte in data:
            total ^= byte
    made += bytes(15 - len(made) % 16) + bytes([total])
    return made + hashlib.sha256(made).digest() if hashed else made


def application(version="v1.24.1", frozen=UMQTT, size=20_000, **options):
    described = struct.pack("<IIII32s32s", 0xABCD5432, 0, 0, 0, version.encode(), b"micropython")
    code = bytes(n * n % 251 for n in range(size))
    return esp_image(described.ljust(256, b"\0") + frozen, code, **options)


def table(partitions=PARTITIONS):
    made = b"".join(
        struct.pack("<HBBII16sI", 0x50AA, kind, subtype, at, size, name.encode(), 0)
        for name, kind, subtype, at, size in partitions
    )
    made += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(made).digest()
    return made.ljust(0xC00, b"\xff")


def stock_bin(*, bootloader=None, partitions=None, app=None):
    made = bootloader or esp_image(bytes(range(256)) * 20)
    made = made.ljust(0x7000, b"\xff") + (partitions or table())
    return made.ljust(0xF000, b"\xff") + (app or application())
