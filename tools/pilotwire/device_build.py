"""Compiles the firmware, shrunk, with mpy-cross, as the device gets it."""

import hashlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pilotwire import mpy
from pilotwire.charger import ROOT, SOURCES, ChargerError
from pilotwire.shrink import shrink, stock_names, write_map
from pilotwire.shrink_scopes import ShrinkError

LIBRARY = ROOT / "build/lib"
_TEXT = ("boot.py", "main.py")  # the port wants these as text


def mpy_cross():
    beside = Path(sys.executable).with_name("mpy-cross")
    found = str(beside) if beside.exists() else shutil.which("mpy-cross")
    if not found:
        raise ChargerError("there is no mpy-cross here: run `make setup`")
    return found


def compile_tree(target, *, arch="x64", sources=None, guests=(), umqtt=True):
    """The firmware, shrunk, and what it builds on as .mpy below `target`, its map of names beside it.

    sources: ((folder, where below the target), ...) instead, as they are. guests: files that look into
    the firmware; they are written beside `target`, with its new names. umqtt: put it in, for a chip that
    has it not in its ROM. boot.py and main.py stay text.
    """
    target = Path(target)
    if sources is None:
        _compile_shrunk(target, arch, guests)
        sources = ((LIBRARY, ""),) if umqtt else ()
    copies = []
    for folder, below in sources:
        for path in sorted(Path(folder).rglob("*.py")):
            copies.append(target / below / path.relative_to(folder))
            copies[-1].parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copies[-1])
    _compile(copies, arch, {})
    if (target / "pilotwire").is_dir():
        write_manifest(target)
    return target


def _compile_shrunk(target, arch, guests):
    try:
        shrunk = shrink(SOURCES, library=LIBRARY, guests=guests)
    except ShrinkError as error:
        raise ChargerError(f"the firmware cannot be shrunk: {error}") from None
    for below, text in shrunk.texts.items():
        (target / below).parent.mkdir(parents=True, exist_ok=True)
        (target / below).write_text(text)
    for path, text in shrunk.guests.items():
        (target.parent / path.name).write_text(text)
    tags = {target / below: tag for below, tag in shrunk.tags.items()}
    _compile([target / below for below in shrunk.texts], arch, tags)
    write_map(target, shrunk)


def count(folder):
    """(.mpy files, their bytes, how many names they make a chip remember that it has not in ROM)."""
    paths = sorted(Path(folder).rglob("*.mpy"))
    names = {name for path in paths for name in mpy.names(path)} - stock_names()[0]
    return len(paths), sum(path.stat().st_size for path in paths), len(names)


def _compile(sources, arch, tags):
    """Each source becomes .mpy and goes, unless it stays text. A device calls it by its tag."""

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
        list(pool.map(one, (s for s in sources if s.name not in _TEXT)))


def write_manifest(target):
    """manifest.txt, against which the firmware tests itself at the start (pilotwire/selftest.py)."""
    files = [target / "boot.py", target / "main.py", *(target / "pilotwire").rglob("*.*")]
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(target).as_posix()}\n"
        for file in sorted(files)
    ]
    (target / "manifest.txt").write_text("".join(lines) + f"# {len(lines)}\n")
