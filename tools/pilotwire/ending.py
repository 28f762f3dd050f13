"""How `image`, `flash`, `deploy` and `config` end when something goes wrong: one line with the cause, the
state that a device is in, and how to go on; in the same words for the same thing, with the exit status.

Whoever finds a cause says it. The states are here; a command tells its Ending which one it has come to
before each step that changes it, so that Ctrl-C, too, is told what it leaves behind.
"""

import signal
import sys
import threading
from dataclasses import dataclass

from pilotwire.board_spec import Unreadable
from pilotwire.charger import ChargerError
from pilotwire.esp_image import ImageError
from pilotwire.run import Unusable
from pilotwire.serial_port import DeviceError
from pilotwire.settings_table import SettingsError


@dataclass(frozen=True)
class State:
    text: str
    then: str = ""  # how to go on, unless the cause knows better


_AGAIN = "Try again"
_LOOK = "Press EN, or switch its supply off and on, and look at its LED and display"

UNTOUCHED = State("Nothing was changed")


def stopping(kept):
    """Its firmware has been asked to stop. kept: a State's text."""
    return State(
        f"{kept}, and a firmware that was stopped starts again by itself within ten minutes", _AGAIN,
    )


def stopped(kept):
    return State(f"{kept}, and the device starts again by itself within a minute", _AGAIN)


STOPPING, STOPPED = stopping(UNTOUCHED.text), stopped(UNTOUCHED.text)
HALF_IMAGE = State(
    "The chip has part of the image: it does not start, or starts and does not charge. Its own loader"
    " cannot be lost", "Plug the cable in and run the same command again",
)
IMAGE = State("The image is written and compared", _LOOK)
OLD_FIRMWARE = State(
    "The device has its old firmware, and starts it by itself within a minute", _AGAIN,
)
EITHER_SETTINGS = State(
    "The device has its firmware as before, its config.json is the old one or the new one, whole, and it"
    " starts by itself within a minute", _AGAIN,
)
SETTINGS = State(
    "The new settings are there; the last good ones stay until these have run for a minute", _LOOK,
)
EITHER_FIRMWARE = State(
    "The device has the old firmware or the new one, whole, and starts it by itself within a minute",
    _AGAIN,
)
ON_TRIAL = State(
    "The new firmware is there, on trial: unless it proves itself in three starts, the old one comes"
    " back", _LOOK,
)
FIRMWARE_ONLY = State(
    "The new firmware is there, its settings are those from before",
    "pilotwire config write sends others when the car has left and no fault is left",
)
OLD_IS_BACK = State("The old one is back, and runs")

# Status 1: the device, or what it was to be given, is not good; 2: there is nothing to give it.
_STATUS = (
    (KeyboardInterrupt, 130), ((DeviceError, SettingsError), 1),
    ((ImageError, Unusable, Unreadable, ChargerError, OSError), 2),
)


def no_word(before, when=""):
    """DeviceError of a device that does not report. before: what it said instead."""
    last = [line.strip() for line in before.splitlines() if line.strip()][-1:]
    return DeviceError(f"no word from the firmware{when}" + "".join(f"; it says: {one}" for one in last))


def line(problem, state):
    """What is said of it, without the command's name."""
    state = getattr(problem, "state", None) or state
    if isinstance(problem, KeyboardInterrupt):
        cause = "stopped"
    elif isinstance(problem, OSError):
        cause = f"{problem.filename}: {problem.strerror}"
    else:
        cause = str(problem)
    then = getattr(problem, "then", "") or (state.then if state else "")
    said = ". ".join(part for part in (cause, state and state.text, then) if part)
    return said.replace("?. ", "? ")


def _stop(*_):
    """SIGTERM, too, leaves no folder with passwords behind."""
    raise KeyboardInterrupt


class Ending:
    """A context around a command for a device. `state`: what there is to say of it; None: no device is
    meant. `status`: the exit status, also after an error within, which is told and goes no further."""

    def __init__(self, command, state=UNTOUCHED):
        self._command, self.state, self.status = command, state, 0
        self._before = None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, _stop)
        return self

    def __exit__(self, kind, problem, _):
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
        for kinds, status in _STATUS:
            if kind and issubclass(kind, kinds):
                begin = "\n" if status == 130 else ""  # behind the ^C of a terminal
                print(f"{begin}pilotwire {self._command}: {line(problem, self.state)}", file=sys.stderr)
                self.status = status
                return True
        return False
