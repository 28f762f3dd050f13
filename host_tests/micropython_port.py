"""Runs a piece of code on MicroPython's unix port, with the firmware and the virtual ESP32 in reach."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORT = Path(sys.executable).parent / "micropython"
SEARCH = ("tools/virtual_charger/esp32", "tools/virtual_charger", "firmware", "build/lib")


def micropython_path(extra=()):
    """MICROPYPATH: `extra` first, then the virtual ESP32's modules, the plant, the firmware and umqtt."""
    return ":".join([*map(str, extra), *(str(ROOT / p) for p in SEARCH), ".frozen"])


def run_script(code, *, path=(), heap="4M", timeout_s=60, cwd=None, args=()):
    """Run `code` and return what it printed; AssertionError with its stderr when it fails."""
    port = str(PORT) if PORT.exists() else shutil.which("micropython")
    done = subprocess.run(
        [port, "-X", "heapsize=" + heap, "-c", code, *args],
        env={**os.environ, "MICROPYPATH": micropython_path(path)},
        capture_output=True, text=True, timeout=timeout_s, cwd=cwd, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
