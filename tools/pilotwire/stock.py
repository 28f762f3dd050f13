"""A stock MicroPython .bin for an ESP32, and what can be relied on in it.

It lies in flash from 0x1000 on: the bootloader, at 0x8000 the partition table, at its partition (0x10000)
the application. Source: MicroPython, ports/esp32/makeimg.py.
"""

import re
from dataclasses import dataclass

from pilotwire import esp_image, partitions
from pilotwire.esp_image import ImageError
from pilotwire.partitions import APP, TABLE_AT, TABLE_BYTES

BEGIN = 0x1000  # where the file lies in flash, bytes
OLDEST = 24  # MicroPython v1.24
# As a prompt greets: "MicroPython v1.16-237-g1613dc8a1 on 2021-08-30; ...". Applications made with an old
# ESP-IDF have no description, and this is all that tells their version.
_GREETING = re.compile(rb"MicroPython (v1\.\d+[\w.-]*) on \d{4}-")
_UMQTT = b"umqtt/simple.py\0"  # as the names of frozen modules lie in an application


@dataclass(frozen=True)
class Stock:
    data: bytes
    table: list  # of Partition; with a vfs, also where the file's own has none
    flash_bytes: int
    application: bytes

    @property
    def name(self):
        greeting = _GREETING.search(self.application)
        greets = "micropython " + greeting[1].decode() if greeting else ""
        return esp_image.name(self.application) or greets or "an application without a name"

    @property
    def has_umqtt(self):
        return _UMQTT in self.application

    def flash(self, at, size):
        """Its bytes for this place in flash; 0xFF behind the end of the file."""
        return self.data[at - BEGIN : at - BEGIN + size].ljust(size, b"\xff")


def parse(data):
    """Stock; ImageError when it is no stock image for an ESP32."""
    data = bytes(data)
    esp_image.check_chip(data, "the bootloader")
    if len(data) < TABLE_AT - BEGIN + TABLE_BYTES:
        raise ImageError(f"too short: the partition table at 0x{TABLE_AT:X} is missing")
    flash_bytes = esp_image.flash_bytes(data)
    table = partitions.parse(data[TABLE_AT - BEGIN :][:TABLE_BYTES])
    partitions.check(table, flash_bytes)
    table = partitions.with_vfs(table, flash_bytes)
    esp_image.length(data[: TABLE_AT - BEGIN], "the bootloader")
    applications = [p for p in table if p.type == APP]
    if not applications:
        raise ImageError("the partition table has no application")
    application = applications[0]
    code = data[application.at - BEGIN :]
    size = esp_image.length(code, "the application")
    if size > application.size:
        raise ImageError(
            f"the application overlaps: {size} bytes, and its partition has {application.size}"
        )
    made = Stock(data, table, flash_bytes, code[:size])
    _check_version(made.name)
    _check_files(made)
    return made


def _check_version(name):
    """The firmware's compiled files need a MicroPython that reads them."""
    found = re.match(r"micropython v1\.(\d+)", name)
    if found and int(found[1]) < OLDEST:
        raise ImageError(f"{name} is too old: v1.{OLDEST} or newer")


def _check_files(made):
    """There is an empty vfs to put files in, and no journal yet."""
    by_name = {p.name: p for p in made.table}
    if "journal" in by_name or made.data[by_name["vfs"].at - BEGIN :].strip(b"\xff"):
        raise ImageError("it has a journal or files already: this is no stock image")
