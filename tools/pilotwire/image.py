"""`pilotwire image`: one file for a chip's flash, from a stock MicroPython, the firmware and a board.

It goes to 0x1000 like the stock file, so that one command serves both; nothing lies below that. It ends
where the journal begins: records that a backend has not acknowledged outlive a new image.

    0x1000     bootloader, as it was
    0x8000     partition table: vfs gives its last 128 KB to `journal`
    0x9000     0xFF as in the stock file: NVS and PHY data are made anew
    0x10000    application, as it was
    vfs        littlefs: manifest.txt, board.json, config.json, the firmware, in this order

Flash is written upwards. Cut short over an older image, the new manifest stands before all other files:
the firmware's self-test passes only where everything else is new too. With the same firmware in both, a
cut between board.json and config.json leaves the new one of these with the old other.
"""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pilotwire import board_check, file_system, partitions, stock, stock_fetch
from pilotwire.charger import SOURCES, micropython, search_path
from pilotwire.device_build import compile_tree
from pilotwire.ending import Ending
from pilotwire.esp_image import ImageError
from pilotwire.partitions import TABLE_AT, TABLE_BYTES
from pilotwire.run import board_file
from pilotwire.settings_table import SettingsError
from pilotwire.settings_text import parse

JOURNAL_BYTES = 0x20000  # 32 sectors, as the virtual charger has them
_OURS = (
    "boot.py", "main.py", "manifest.txt", "board.json", "config.json", "pilotwire", "umqtt", "b", "slot",
)

# In the folder of the files to be, with the firmware's sources: what the device would say to them. Of the
# board that should be nothing which board_check has not said.
_CHECK = """
import sys
from pilotwire import board, config
try:
    if "board" in sys.argv:
        board.load("board.json")
except board.BoardError as error:
    print(error)
except Exception as error:
    print("board.json: %s: %s" % (type(error).__name__, error))
else:
    try:
        if "config" in sys.argv:
            config.load("config.json")
    except config.ConfigError as error:
        print(error)
    except Exception as error:
        print("config.json: %s: %s" % (type(error).__name__, error))
"""


@dataclass(frozen=True)
class Image:
    data: bytes  # for 0x1000
    base: stock.Stock
    table: list  # of Partition
    files: int
    used: int  # blocks of the file system
    blocks: int

    def partition(self, name):
        return next(p for p in self.table if p.name == name)


def build(base, board, config=None, *, arch="xtensawin"):
    """Image of a Stock, a board.json and a config.json (paths); ImageError, ChargerError.

    arch: of native code; another one than the chip's is for tests.
    """
    table = partitions.with_journal(base.table, JOURNAL_BYTES)
    vfs = next(p for p in table if p.name == "vfs")
    with tempfile.TemporaryDirectory(prefix="pilotwire-image-") as folder:
        tree = Path(folder) / "device"
        tree.mkdir()
        _settle(tree, board, config)
        first = ["manifest.txt", *sorted(path.name for path in tree.iterdir())]
        compile_tree(tree, arch=arch, umqtt=not base.has_umqtt)
        files, used, count = file_system.make(tree, vfs.size, first)
    flash = base.flash(stock.BEGIN, vfs.at - stock.BEGIN)
    start = TABLE_AT - stock.BEGIN
    flash = flash[:start] + partitions.build(table) + flash[start + TABLE_BYTES :]
    return Image(flash + files, base, table, count, used, vfs.size // file_system.BLOCK)


def _settle(tree, board, config):
    """Put the board's and the station's files there, if the firmware takes them; ImageError."""
    wrong = board_check.errors(Path(board))
    if wrong:
        more = f" (and {len(wrong) - 1} more: pilotwire board check)" if len(wrong) > 1 else ""
        raise ImageError(f"board.json: {wrong[0]}{more}")
    shutil.copyfile(board, tree / "board.json")
    if config:
        shutil.copyfile(config, tree / "config.json")
        _authority(tree, Path(config))
    check(tree, config=config is not None)


def check(folder, *, board=True, config=True):
    """Does the firmware take the board.json and the config.json there? ImageError says what it says."""
    what = ["board"] * board + ["config"] * config
    done = subprocess.run(
        [micropython(), "-c", _CHECK, *what], cwd=folder, text=True,
        env={**os.environ, "MICROPYPATH": search_path(SOURCES)}, capture_output=True, check=False,
    )
    said = (done.stdout + done.stderr).strip()
    if done.returncode or said:
        raise ImageError(said.splitlines()[-1] if said else "the firmware cannot read its settings")


def authority_named(text):
    """The name in broker.ca of a config.json's text, when it is one of the same folder; else None."""
    try:
        name = json.loads(text)["broker"]["ca"]
        return name if Path(name).name == name else None
    except (ValueError, LookupError, TypeError):
        return None  # there is none, or the firmware says what is wrong


def authority(config):
    """Path of the file that broker.ca names, when it lies beside this config.json; else None."""
    try:
        parse(config.read_text(encoding="utf-8"))
    except SettingsError as problem:
        raise ImageError(str(problem)) from None
    except UnicodeDecodeError:
        return None  # the firmware says what is wrong
    name = authority_named(config.read_bytes())
    if not name or not config.with_name(name).is_file():
        return None
    if name in _OURS:
        raise ImageError(f"config.json: broker.ca must not be {name}")
    return config.with_name(name)


def _authority(tree, config):
    """The authority goes along."""
    beside = authority(config)
    if beside:
        shutil.copyfile(beside, tree / beside.name)


def report(image, path, board, config, given, warnings=0):
    """Lines for a person: what was made, how to write it, what can happen. `given`: which stock file it
    was, and what its sum says; `warnings`: of the board."""
    vfs, journal = image.partition("vfs"), image.partition("journal")
    application = next(p for p in image.table if p.type == partitions.APP)
    free = 100 * (image.blocks - image.used) // image.blocks
    yield f"{path}: {len(image.data)} bytes for 0x{stock.BEGIN:X} of the flash"
    yield (f"  0x{stock.BEGIN:06X}  bootloader and, at 0x{application.at:X}, {image.base.name}:"
           f" {len(image.base.application)} bytes, both as they were")
    yield (f"  0x{vfs.at:06X}  vfs, {vfs.size >> 10} KB: {image.files} files,"
           f" {image.used} of {image.blocks} blocks, {free} % free")
    yield (f"  0x{journal.at:06X}  journal, {journal.size >> 10} KB: not written, so that records in it"
           " stay")
    yield "  stock      {}: {}".format(*given)
    yield f"  board      {board}" + (f": {warnings} warnings (pilotwire board check)" if warnings else "")
    yield ("  settings   " + (f"{config}: the image holds its secrets, only you may read it" if config
                              else "none: the station shows 7-6 and does not charge until it has some"))
    yield "  umqtt      " + ("left out: the stock firmware has it" if image.base.has_umqtt
                             else "put in: the stock firmware has none")
    yield "Mains off, no car. With esptool 5; PORT: /dev/ttyUSB0, COM3 or the like:"
    yield (f"  esptool --chip esp32 --port PORT --baud 460800 write-flash 0x{stock.BEGIN:X} "
           + shlex.quote(str(path)))
    yield "If the cable is pulled meanwhile, the chip does not start, or starts without whole files and"
    yield "does not charge, or still has all its old ones. Write it again: its own loader cannot be lost."
    yield "Such an image has never been written to a real device."


def write(path, data, secret):
    """Whole or not at all; `secret`: for the owner's eyes only, from the first byte on."""
    new = path.with_name(path.name + ".new")
    try:
        new.unlink(missing_ok=True)
        number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o666)
        try:
            with open(number, "wb") as file:
                file.write(data)
            os.replace(new, path)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise ImageError(f"{path} cannot be written: {error.strerror}") from None


def parsed(data, name):
    """Stock of a file's bytes; ImageError with its name."""
    try:
        return stock.parse(data)
    except ImageError as problem:
        raise ImageError(f"{name}: {problem}") from None


def command(args):
    """0, or 2 with one line when the image cannot be made."""
    with Ending("image", state=None) as end:
        end.status = _command(args)
    return end.status


def _command(args):
    out = Path(args.out)
    board = board_file(args.board)
    if args.config and not os.access(args.config, os.R_OK):
        raise ImageError(f"{args.config} cannot be read")
    if out.resolve() in [Path(p).resolve() for p in (args.file, board, args.config) if p]:
        raise ImageError(f"{out} is what the image is made of")
    data, *given = stock_fetch.obtain(args.file, args.stock, args.sha256)
    base = parsed(data, given[0])
    image = build(base, board, args.config)
    write(out, image.data, secret=args.config is not None)
    for line in report(image, out, args.board, args.config, given, len(board_check.check(board))):
        print(line)
    return 0
