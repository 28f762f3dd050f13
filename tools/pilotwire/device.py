"""A device on a serial port: asked whether it may be stopped, stopped, and spoken to, by way of mpremote.

The running firmware answers Ctrl-C within a second (firmware/pilotwire/console.py): with MicroPython's
prompt, or, while it charges, with a line that says so. From the prompt on its watchdog runs: a device
that hears nothing for a minute, because the cable was pulled, restarts by itself.
"""

import ast
import base64
import contextlib
import io
import re
import struct
import time

from mpremote.transport import TransportError, TransportExecError

from pilotwire import ending
from pilotwire.device_code import HELPERS, WHO
from pilotwire.first_minute import Console
from pilotwire.halt import BAUD, HEARING_S, ask, close, open_port
from pilotwire.serial_port import Charging, DeviceError, lost, other_chip

_ANSWER_S = 12  # a second of the loop's, and 10 s in which a firmware that cannot start waits
_AGAIN_S = 1.5
_TIMEOUT_S = 10  # of one step; a block of flash takes 0.4 s at the most
_PIECE = 768  # bytes that are sent at once
_BROKEN = (TransportError, OSError, struct.error)  # struct: an answer that is too short
_FLASH = "pilotwire flash writes all of it anew"
# MicroPython calls its machine "... with ESP32", "... with ESP32S3" or "... with ESP32-S3-FN8".
_OTHER_CHIP = re.compile(r".* with (ESP32-?[SCHP]\d+)")
_READY = re.compile(r"pilotwire (\S+) ready in ([ab]), self-test (\w+)\r?\n")


class Full(DeviceError):
    """The device's file system has no room left."""


class Device:
    """Open and at the raw prompt, the firmware stopped, which the Ending is told; a context. `names`: of
    the root's files. kept: the text of the State that it was in."""

    def __init__(self, port, end, kept=ending.UNTOUCHED.text):
        self.port = port
        self._runs = False
        self._transport = open_port(port, _TIMEOUT_S)
        before, end.state = end.state, ending.stopping(kept)
        stopped = False
        try:
            self._stop()
            stopped = True
            self._transport.serial.timeout = _TIMEOUT_S
            with _quiet():
                self._transport.enter_raw_repl(timeout_overall=_TIMEOUT_S)
            self._identify()
            self.run(HELPERS)
            end.state = ending.stopped(kept)
        except BaseException as problem:
            if isinstance(problem, Charging):
                end.state = before
            if stopped:  # whatever it is, it need not wait for somebody
                with contextlib.suppress(DeviceError):
                    self.restart()
            self.close()
            if isinstance(problem, (*_BROKEN, DeviceError)):
                raise _said(problem, port) from None
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind and not self._runs:  # whatever went wrong, or Ctrl-C: it need not wait for its watchdog
            with contextlib.suppress(DeviceError):
                self.restart()
        self.close()

    def close(self):
        close(self._transport)

    # Stopping it ------------------------------------------------------------------------------

    def _stop(self):
        """Bring it to its prompt; DeviceError when it charges, or says nothing."""
        heard, end_s = b"", time.monotonic() + _ANSWER_S
        while (left_s := end_s - time.monotonic()) > 0:
            stopped, said = ask(self._transport.serial, min(_AGAIN_S, left_s))
            if stopped:
                return
            heard += said
        what = "something that is no MicroPython prompt" if heard else "nothing"
        raise DeviceError(
            f"{self.port} answers {what}",
            f"Is it the right port, has the device power, and MicroPython at {BAUD} baud? Switch its"
            " supply off and on and try again; for a chip without firmware: pilotwire flash",
        )

    def _identify(self):
        platform, version, machine, mpy, started, self.names = ast.literal_eval(self.run(WHO))
        self.arch = {2: "x64", 10: "xtensawin"}.get(mpy >> 10)
        other = _OTHER_CHIP.match(machine)
        if platform != "esp32" or other or not self.arch:
            problem = other_chip(other[1]) if other else DeviceError(
                f"{self.port} is no ESP32 but says {platform!r}", "Is it the right port?",
            )
            problem.state = ending.UNTOUCHED
            raise problem
        if version < (1, 24) or mpy & 255 != 6:
            number = ".".join(map(str, version))
            raise DeviceError(
                f"MicroPython {number} is on it; v1.24 or newer is needed", _FLASH, ending.UNTOUCHED,
            )
        if not (started and "pilotwire" in self.names):
            raise DeviceError(
                "there is a MicroPython, but no Pilotwire on it", _FLASH, ending.UNTOUCHED,
            )

    # Speaking to it ---------------------------------------------------------------------------

    def run(self, code):
        """What this prints; DeviceError, Full."""
        try:
            with _quiet():
                out, error = self._transport.exec_raw(code, timeout=_TIMEOUT_S)
        except _BROKEN as problem:
            raise lost(self.port) from problem
        if error:
            last = error.decode(errors="replace").strip().splitlines()[-1]
            if "OSError: 28" in last or "ENOSPC" in last:
                raise Full("the device's file system is full")
            raise DeviceError(f"the device says: {last}")
        return out.decode(errors="replace").strip()

    def sums(self, folder):
        """{path: SHA-256} of the files below; {} where there is no such folder."""
        top, _, rest = folder.partition("/")
        if top not in self.names or rest and rest not in self.listed(top):
            return {}
        return dict(ast.literal_eval(f"[{self.run(f'_sums({folder!r})')}]"))

    def listed(self, folder):
        return ast.literal_eval(self.run(f"print(os.listdir({folder!r}))"))

    def sum(self, path):
        """SHA-256 of a file; None: it is not there."""
        folder, _, name = path.rpartition("/")
        if name not in (self.listed(folder) if folder else self.names):
            return None
        return self.run(f"print(_sum({path!r}))")

    def read(self, path):
        """bytes; None: there is no such file at the root."""
        if path not in self.names:
            return None
        code = "from binascii import b2a_base64\nwith open(%r, 'rb') as f: print(b2a_base64(f.read()))"
        return base64.b64decode(ast.literal_eval(self.run(code % path)))

    def write(self, path, data):
        """The file, in pieces. Power or cable may go in between: for a name that nobody reads yet."""
        self.run(f"_f = open({path!r}, 'wb')")
        for at in range(0, len(data), _PIECE):
            piece = base64.b64encode(data[at : at + _PIECE]).decode()
            self.run(f"_f.write(a2b_base64('{piece}'))\n_w.feed()")
        self.run("_f.close()")

    def replace(self, path, data):
        """The old file, or all of the new one, whenever power or cable goes."""
        self.write(path + ".new", data)
        self.run(f"os.rename({path + '.new'!r}, {path!r})")

    def free(self):
        """(bytes a block, free blocks, blocks)."""
        return ast.literal_eval(self.run("_s = os.statvfs('')\nprint((_s[0], _s[3], _s[2]))"))

    def restart(self):
        """From here on it runs by itself."""
        try:
            with _quiet():
                self._transport.exec_raw_no_follow("import machine; machine.reset()")
        except _BROKEN:
            raise lost(self.port) from None
        self._runs = True

    def console(self):
        """first_minute.Console, after restart()."""
        return Console(self._transport.serial)

    def ready(self, seconds):
        """(version, slot, self-test) of the first start that reports, None when none does in time; and
        what else was said."""
        return listen(self._transport.serial, seconds)


def listen(serial, seconds):
    """See Device.ready."""
    heard = b""
    serial.timeout = HEARING_S
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        heard += serial.read(max(1, serial.in_waiting))
        found = _READY.search(heard.decode(errors="replace"))
        if found:
            return found.groups(), heard[: found.start()].decode(errors="replace")
    return None, heard.decode(errors="replace")


def _quiet():
    """mpremote prints what it did not expect."""
    return contextlib.redirect_stdout(io.StringIO())


def _said(problem, port):
    if isinstance(problem, DeviceError):
        return problem
    if isinstance(problem, TransportExecError):
        return DeviceError(f"the device says: {problem.error_output.strip().splitlines()[-1]}")
    return lost(port)
