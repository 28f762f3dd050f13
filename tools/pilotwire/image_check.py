"""Is a file an image of `pilotwire image`, and is it whole? What lies where, image.py says.

A copy that was cut off or has lost bits is found, not an attacker's work: bootloader and application
have sums of their own, the firmware's files theirs in manifest.txt. board.json and config.json have none:
they must be JSON, and a digit that has become another one is not noticed.
"""

import hashlib
import json

from pilotwire import esp_image, file_system, partitions, stock
from pilotwire.esp_image import ImageError
from pilotwire.partitions import APP, TABLE_AT, TABLE_BYTES


def table(data):
    """[Partition]; ImageError: this is not for an ESP32, or has no table."""
    esp_image.check_chip(data, "the bootloader")
    return partitions.parse(data[TABLE_AT - stock.BEGIN :][:TABLE_BYTES])


def is_image(data):
    """Has it a journal's partition, as `pilotwire image` makes one? ImageError: it has no table."""
    return any(p.name == "journal" for p in table(data))


def check(data):
    """ImageError unless all of an image is there, as it was made."""
    found = table(data)
    partitions.check(found, esp_image.flash_bytes(data))
    esp_image.length(data[: TABLE_AT - stock.BEGIN], "the bootloader")
    application = next((p for p in found if p.type == APP), None)
    files = next((p for p in found if p.name == "vfs"), None)
    end = next(p.at for p in found if p.name == "journal")
    if not application or not files:
        raise ImageError("the partition table has no application, or no place for files")
    esp_image.length(_of(data, application), "the application")
    if stock.BEGIN + len(data) != end:
        raise ImageError(
            f"it ends at 0x{stock.BEGIN + len(data):X}, and not where the journal begins, 0x{end:X}: it"
            " is not whole"
        )
    _check_files(file_system.read(_of(data, files)))


def _of(data, partition):
    return data[partition.at - stock.BEGIN : partition.end - stock.BEGIN]


def _check_files(files):
    if "manifest.txt" not in files:
        raise ImageError("there is no manifest.txt in it")
    *lines, last = files["manifest.txt"].decode(errors="replace").splitlines() or [""]
    if last != f"# {len(lines)}":
        raise ImageError("its manifest.txt is damaged")
    for line in lines:
        digest, path = line[:64], line[66:]
        if hashlib.sha256(files.get(path, b"")).hexdigest() != digest:
            raise ImageError(f"{path} in it is damaged or missing")
    for name in ("board.json", "config.json"):
        if name in files or name == "board.json":
            try:
                json.loads(files.get(name, b""))
            except ValueError:
                raise ImageError(f"{name} in it is damaged or missing") from None
