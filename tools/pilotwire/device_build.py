"""Compiles the firmware with mpy-cross, as the device gets it."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from pilotwire.charger import ROOT, ChargerError


def mpy_cross():
    beside = Path(sys.executable).with_name("mpy-cross")
    found = str(beside) if beside.exists() else shutil.which("mpy-cross")
    if not found:
        raise ChargerError("there is no mpy-cross here: run `make setup`")
    return found


def compile_tree(target, *, arch="x64", sources=((ROOT / "firmware", ""), (ROOT / "build/lib", ""))):
    """All of `sources` as .mpy below `target`; boot.py and main.py stay text, as the port wants them."""
    target = Path(target)
    for folder, below in sources:
        for source in sorted(Path(folder).rglob("*.py")):
            place = target / below / source.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.name in ("boot.py", "main.py"):
                shutil.copyfile(source, place)
                continue
            done = subprocess.run(
                [mpy_cross(), "-O3", f"-march={arch}", "-msmall-int-bits=31",
                 "-s", source.name, "-o", str(place.with_suffix(".mpy")), str(source)],
                capture_output=True, text=True, check=False,
            )
            if done.returncode:
                raise ChargerError(f"{source}: {done.stderr.strip().splitlines()[-1]}")
    if (target / "pilotwire").is_dir():
        write_manifest(target)
    return target


def write_manifest(target):
    """manifest.txt, against which the firmware tests itself at the start (pilotwire/selftest.py)."""
    files = [target / "boot.py", target / "main.py", *(target / "pilotwire").rglob("*.*")]
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(target).as_posix()}\n"
        for file in sorted(files)
    ]
    (target / "manifest.txt").write_text("".join(lines) + f"# {len(lines)}\n")
