"""Compiles the firmware, shrunk, with mpy-cross, as the device gets it."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pilotwire import mpy
from pilotwire.charger import ROOT, SOURCES, ChargerError
from pilotwire.shrink import shrink, stock_names, write_map

LIBRARY = ROOT / "build/lib"
_TEXT = ("boot.py", "main.py")  # the port wants these as text


def mpy_cross():
    beside = Path(sys.executable).with_name("mpy-cross")
    found = str(beside) if beside.exists() else shutil.which("mpy-cross")
    if not found:
        raise ChargerError("there is no mpy-cross here: run `make setup`")
    return found


def compile_firmware(target, *, arch="x64", guests=()):
    """The firmware and what it builds on as .mpy below `target`, its map of names beside it.

    guests: files that look into the firmware; they are written beside `target`, with its new names.
    """
    target = Path(target)
    shrunk = shrink(SOURCES, library=LIBRARY, guests=guests)
    for below, text in shrunk.texts.items():
        place = target / below
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    _compile(
        [target / below for below in shrunk.texts if Path(below).name not in _TEXT], arch,
        {target / below: tag for below, tag in shrunk.tags.items()},
    )
    for path, text in shrunk.guests.items():
        (target.parent / Path(path).name).write_text(text)
    write_map(target, shrunk)
    return compile_tree(target, LIBRARY, arch=arch)


def compile_tree(target, source, *, arch="x64"):
    """All of the folder `source` as .mpy below `target`, as it is; boot.py and main.py stay text."""
    target = Path(target)
    copies = []
    for path in sorted(Path(source).rglob("*.py")):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        if path.name not in _TEXT:
            copies.append(copy)
    _compile(copies, arch, {})
    return target


def count(folder):
    """(.mpy files, their bytes, how many names they make a chip remember that it has not in ROM)."""
    paths = sorted(Path(folder).rglob("*.mpy"))
    names = {name for path in paths for name in mpy.names(path)} - stock_names()[0]
    return len(paths), sum(path.stat().st_size for path in paths), len(names)


def _compile(sources, arch, tags):
    """Each source becomes .mpy and goes; a device calls it by its tag."""

    def one(source):
        done = subprocess.run(
            [mpy_cross(), "-O3", f"-march={arch}", "-msmall-int-bits=31",
             "-s", tags.get(source, source.name), "-o", str(source.with_suffix(".mpy")), str(source)],
            capture_output=True, text=True, check=False,
        )
        if done.returncode:
            raise ChargerError(f"{source}: {done.stderr.strip().splitlines()[-1]}")
        source.unlink()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, sources))
