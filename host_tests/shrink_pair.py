"""Plays a made-up program on MicroPython twice, as it is written and as shrink leaves it."""

import os
import re
import subprocess
from textwrap import dedent

from pilotwire.charger import micropython
from pilotwire.shrink import shrink

OWN = re.compile(r"\b\w*zz\w*\b", re.IGNORECASE)  # names that nobody else has


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return folder


def run(folder, *more):
    """What main.py in this folder prints; `more`: further folders to import from."""
    path = ":".join(map(str, (folder, *more, ".frozen")))
    done = subprocess.run(
        [micropython(), str(folder / "main.py")], capture_output=True, text=True, check=False,
        env={**os.environ, "MICROPYPATH": path},
    )
    return done.stdout + done.stderr


def play(folder, files, *, units=(), library=None, guests=()):
    """Shrunk of the program, which has said the same before and after; `said` is what."""
    before = write(folder / "before", files)
    more = [write(folder / "library", library)] if library else []
    shrunk = shrink(before, library=more[0] if more else None, units=units, guests=guests)
    after = write(folder / "after", shrunk.texts)
    shrunk.said = run(before, *more)
    assert "Traceback" not in shrunk.said, shrunk.said
    assert shrunk.said.strip(), "the program says nothing"
    assert run(after, *more) == shrunk.said, "\n".join(shrunk.texts.values())
    return shrunk


def left(shrunk, path):
    """Names with zz in them that a shrunk file still has."""
    return set(OWN.findall(shrunk.texts[path]))
