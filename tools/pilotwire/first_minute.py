"""What a firmware says on its console after a restart: that it is ready, and a minute later how it fares.

"Ready" is said before its loop has turned once. `flash` and `deploy` wait for the first line of health.
"""

import re
import sys
import time
from dataclasses import dataclass

from pilotwire import codes, doctor_sources
from pilotwire.ending import no_word
from pilotwire.serial_port import DeviceError, lost

_MINUTE_S = 75  # the line comes 60 s after the start
_HEARING_S = 0.2
_MOST = 4096  # bytes of a line; noise may never end one
_READY = re.compile(r"pilotwire (\S+) ready in ([ab]), self-test (\w+)")
_TRACEBACK = "Traceback (most recent call last)"
NOT_PROVED = "started, not yet proved: nobody has waited for its first minute"


@dataclass(frozen=True)
class Ready:
    version: str
    slot: str
    selftest: str  # passed, failed or none

    @property
    def status(self):
        return 0 if self.selftest == "passed" else 1


@dataclass(frozen=True)
class End:
    """With an exception, of a start or of a firmware that ran."""

    why: str


@dataclass(frozen=True)
class Health:
    """faults: codes. known: these are all; else the line, a long one, was cut off."""

    faults: tuple
    known: bool = True

    @property
    def blocked(self):
        """Codes that do not let it charge, and so keep it on trial."""
        red = {row["code"] for row in codes.rows() if row["severity"] == "red"}
        return [code for code in self.faults if code in red]

    def __str__(self):
        if self.faults:
            return f"it has run for a minute, with {', '.join(self.faults)} on its display"
        return "it has run for a minute" + ", without a fault" * self.known


class Ended(DeviceError):
    """It has not come through its first minute. ready: of its next start, if that was heard."""

    ready = None


class Console:
    """Of an open serial port. `remarks`: errors that it has told and lived with; `last`: last words."""

    def __init__(self, serial):
        serial.timeout = _HEARING_S
        self._serial, self._rest, self._ends = serial, b"", False
        self.remarks, self.last = [], ""

    def wait(self, seconds, *kinds, what=""):
        """The next Ready, End or Health, if it is of these kinds; None: none in so many seconds. what:
        it is waited for, for somebody at a terminal."""
        began_s = time.monotonic()
        with _Progress(what) as progress:
            while (passed_s := time.monotonic() - began_s) < seconds:
                progress.show(passed_s)
                while b"\n" in self._rest:
                    text, _, self._rest = self._rest.partition(b"\n")
                    event = self._event(text.decode(errors="replace").strip("\r"))
                    if isinstance(event, kinds):
                        return event
                self._read()
        self.last = self._rest.decode(errors="replace").strip() or self.last
        return None

    def _read(self):
        try:
            self._rest = (self._rest + self._serial.read(max(1, self._serial.in_waiting)))[-_MOST:]
        except OSError:
            raise lost(self._serial.port) from None

    def _event(self, text):
        self.last = text.strip() or self.last
        if _TRACEBACK in text:
            self._ends = True
        elif self._ends and text[:1].strip():  # behind its indented lines
            self._ends = False
            return End(text)
        elif found := _READY.search(text):
            return Ready(*found.groups())
        elif told := doctor_sources.line(text):
            return Health(tuple(told["state"].get("faults", ())), text.rstrip().endswith("]"))
        elif "Error" in text:
            self.remarks.append(text)
        return None


class _Progress:
    """One line at a terminal, gone afterwards; nothing anywhere else."""

    def __init__(self, what):
        self._what = what if sys.stderr.isatty() else ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._line("")

    def show(self, seconds):
        self._line(f"{self._what}: {seconds:.0f} s")

    def _line(self, text):
        if self._what:
            sys.stderr.write("\r" + text.ljust(len(self._what) + 8) + "\r" * (not text))
            sys.stderr.flush()


def started(console, seconds):
    """Ready, of a start that comes to its end in so many seconds; Ended, DeviceError."""
    event = console.wait(seconds, Ready, End)
    if event is None:
        raise no_word(console.last)
    if isinstance(event, End):
        raise Ended(f"the firmware does not start: {event.why}")
    for remark in console.remarks:
        print(f"the device says: {remark.strip()}")
    return event


def come_through(console):
    """Health after the first minute of a firmware that is ready; Ended, DeviceError."""
    event = console.wait(_MINUTE_S, Ready, End, Health, what="waiting for its first minute to be over")
    if event is None:
        raise no_word(console.last, " in its first minute")
    if isinstance(event, Health):
        return event
    why = f"it ends with {event.why}" if isinstance(event, End) else "it has started again by itself"
    problem = Ended(f"the firmware does not run: {why}")
    problem.ready = event if isinstance(event, Ready) else None
    raise problem
