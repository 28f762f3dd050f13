"""The virtual environment .venv: whether it is whole, and building it from the cache of wheels."""

import hashlib
import importlib.util
import os
import shlex
import shutil
import sys
from pathlib import Path

import wheels
from common import ROOT, SetupError, run, say, sha256, tool_failed

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
_COMMAND = VENV / "bin" / "pilotwire"
_STAMP = VENV / "set-up-complete"

# .venv/bin/pilotwire. A shell script, because a #! line cannot hold a path with a space in it.
# PYTHONPATH must not put the firmware's package of the same name before the tool's.
_COMMAND_TEXT = """#!/bin/sh
# Made by tools/setup.
unset PYTHONPATH
exec {python} -P -c 'import sys; sys.argv[0] = "pilotwire"
from pilotwire.cli import main
sys.exit(main())' "$@"
"""


def fingerprint():
    """Changes with the pins, these files, python3 and the clone's place (scripts name it)."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    parts = [sys.version, sys.base_prefix, str(ROOT)]
    parts += [sha256(path) for path in [wheels.REQUIREMENTS, *sources]]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def is_ready():
    try:
        whole = _STAMP.read_text() == fingerprint()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return whole and PYTHON.exists() and _COMMAND.exists()  # PYTHON is a link: it may lead nowhere


def build(cache):
    """Make .venv anew. The stamp comes last: an interrupted build is never taken for good."""
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise SetupError("python3 cannot make virtual environments: sudo apt install python3-venv")
    say("making .venv with Python " + sys.version.split()[0])
    _remove()
    # The base interpreter, because sys.executable may be in the .venv that was just removed.
    base = getattr(sys, "_base_executable", sys.executable)
    status, text = run(base, "-I", "-m", "venv", VENV)
    if status:
        raise tool_failed("python3 -m venv failed", text)
    _install_packages(cache)
    _install_command()
    os.sync()  # a power cut must not keep the stamp and lose packages that were still in memory
    _STAMP.write_text(fingerprint())


def _remove():
    _STAMP.unlink(missing_ok=True)  # first, for the same reason as it is written last
    if VENV.is_dir() and not VENV.is_symlink():
        shutil.rmtree(VENV)
    else:
        VENV.unlink(missing_ok=True)


def _pip(*words):
    return run(PYTHON, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", *words)


def _install_from(cache):
    """(exit status, output) of pip, kept from the network and from the user's own settings."""
    say("installing the packages")
    return _pip(
        "--isolated", "install", "--no-index", "--find-links", cache, "-r", wheels.REQUIREMENTS
    )


def _install_packages(cache):
    missing = wheels.missing_from(cache)
    if not missing and _install_from(cache)[0] == 0:
        return
    wheels.fill(cache, missing, _pip)
    status, text = _install_from(cache)
    if status:
        raise tool_failed("pip cannot install the packages", text)


def _install_command():
    """Put tools/ on .venv's path, and make the command `pilotwire`."""
    site_packages = next(VENV.glob("lib/python3*/site-packages"))
    (site_packages / "pilotwire-tools.pth").write_text(f"{ROOT / 'tools'}\n")
    _COMMAND.write_text(_COMMAND_TEXT.format(python=shlex.quote(str(PYTHON))))
    _COMMAND.chmod(0o755)
