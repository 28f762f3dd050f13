"""The virtual charger as a process: MicroPython's unix port with the firmware and the plant in it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VIRTUAL = ROOT / "tools/virtual_charger"
SOURCES = ROOT / "firmware"
FIRMWARE = SOURCES  # what a Charger runs unless it is told otherwise
HEAP = "8M"  # plant and firmware together; the firmware's own need is what `bench` shows
_WAIT_S = 10


class ChargerError(Exception):
    """The virtual charger could not be started or has died; the text is one line."""


def micropython():
    """Path of the unix port."""
    beside = Path(sys.executable).with_name("micropython")
    found = str(beside) if beside.exists() else shutil.which("micropython")
    if not found:
        raise ChargerError("there is no micropython here: run `make setup`")
    return found


def search_path(firmware):
    """MICROPYPATH: the virtual ESP32's modules hide the port's own."""
    parts = (VIRTUAL / "esp32", VIRTUAL, firmware, ROOT / "build/lib", ".frozen")
    return ":".join(map(str, parts))


class Charger:
    """Steps virtual time; `on_event(dict)` sees every event in order.

    folder: holds board.json and config.json, and keeps journal.bin. Times are virtual microseconds
    since the supply came on. console: file descriptor of a pseudo-terminal to take as the chip's.
    """

    def __init__(self, folder, *, epoch_s, seed=1, on_event=None, firmware=None, console=None, **options):
        self.us = 0
        self.console = []  # lines that were no events: what the firmware printed
        self.events = []
        self._on_event = on_event or self.events.append
        self._folder = Path(folder).resolve()
        firmware = Path(firmware or FIRMWARE).resolve()
        self._process = subprocess.Popen(
            [micropython(), "-X", "heapsize=" + HEAP, str(VIRTUAL / "charger.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            bufsize=1, env={**os.environ, "MICROPYPATH": search_path(firmware)},
            start_new_session=True,  # Ctrl-C is for the command, which then ends the session
            pass_fds=() if console is None else (console,),
        )
        self.pid = self._process.pid
        if console is not None:
            options["console"] = console
        self._say(
            dir=str(self._folder), firmware=str(firmware), epoch_s=epoch_s, seed=seed, **options
        )
        self._until_paused()

    def _say(self, **order):
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            self._died()

    def _died(self):
        self._process.wait(_WAIT_S)
        said = " | ".join(self.console[-4:]) or f"exit status {self._process.returncode}"
        raise ChargerError(f"the virtual charger has stopped: {said}")

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            self._died()
        try:
            event = json.loads(line)
        except ValueError:
            event = {"e": "console", "text": line.rstrip("\r\n"), "us": self.us}
            self.console.append(event["text"])
        self.us = event["us"]
        return event

    def _until_paused(self):
        while True:
            event = self._read()
            if event["e"] == "paused":
                return
            self._on_event(event)

    def at(self, us, event, value=None):
        """Let something happen at this time of the plant."""
        self._say(do="at", us=us, event=event, value=value)

    def until(self, us):
        """Advance to this time."""
        self._say(do="until", us=us)
        self._until_paused()

    def advance(self, seconds):
        self.until(self.us + round(seconds * 1_000_000))

    def do(self, event, value=None):
        """Let something happen now."""
        self.at(self.us, event, value)

    def look(self):
        """What an onlooker sees now (plant/driver.py: look)."""
        self._say(do="look")
        while True:
            event = self._read()
            if event["e"] == "look":
                return event
            self._on_event(event)

    def expect_message(self):
        """Something has been sent to the device: its next look at the network waits for it."""
        self._say(do="hold")

    def kill(self):
        """As a power cut at this instant: kill -9."""
        self._process.kill()
        self._process.wait(_WAIT_S)
        self._close()

    def stop(self):
        if self._process.poll() is None:
            try:
                self._say(do="quit")
                self._process.wait(_WAIT_S)
            except (ChargerError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait(_WAIT_S)
        self._close()

    def _close(self):
        for stream in (self._process.stdin, self._process.stdout):
            try:
                stream.close()
            except OSError:
                pass


def names():
    """(car names, plant fault names) that scenario files may use."""
    code = (
        "import sys, json; from plant.cars import CARS; from plant import faults;"
        "print(json.dumps([sorted(CARS), faults.names()]))"
    )
    done = subprocess.run(
        [micropython(), "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "MICROPYPATH": search_path(SOURCES)},
    )
    if done.returncode:
        raise ChargerError("the virtual charger does not start: " + done.stderr.strip()[-200:])
    return tuple(map(set, json.loads(done.stdout)))
