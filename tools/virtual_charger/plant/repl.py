"""The prompt of a chip's MicroPython, as mpremote meets it: friendly, raw, raw-paste, soft reset.

After shared/runtime/pyexec.c. Friendly, it takes a line; nothing is completed or indented.
"""

import struct
import sys

_A, _B, _C, _D, _E = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
_WINDOW = 128  # bytes of raw-paste that may be on their way


class Repl:
    """`raw`: survives a soft reset; main.py does not run then."""

    def __init__(self, console):
        self._console = console
        self.raw = False

    def serve(self):
        """Until Ctrl-D asks for a soft reset; Reset goes through."""
        self._globals = {"__name__": "__main__"}
        self._console.interrupt = -1
        while not (self._raw() if self.raw else self._friendly()):
            self.raw = not self.raw
        self._console.write("MPY: soft reboot\r\n")

    def _friendly(self):
        """True for a soft reset, False for raw."""
        write, read = self._console.write, self._console.read
        write("MicroPython v1.24.1 on 2024-11-29; virtual charger with ESP32\r\n>>> ")
        line = b""
        while True:
            byte = read()
            if byte == _A:
                return False
            if byte == _D and not line:
                write("\r\n")
                return True
            if byte in (b"\r", _C):
                write("\r\n")
                if byte == b"\r" and line:
                    self._run(line)
                line = b""
                write(">>> ")
            elif byte >= b" ":
                line += byte
                write(byte)

    def _raw(self):
        """True for a soft reset, False for friendly."""
        write, read = self._console.write, self._console.read
        write("raw REPL; CTRL-B to exit\r\n>")
        line = bytearray()
        while True:
            byte = read()
            if byte == _A and line == _E + b"A":
                self._execute(self._paste())
            elif byte == _A:
                write("raw REPL; CTRL-B to exit\r\n")
            elif byte == _B:
                write("\r\n")
                return False
            elif byte == _D:
                write("OK")
                if not line:
                    write("\r\n")
                    return True
                self._execute(line)
            elif byte != _C:
                line.extend(byte)
                continue
            line = bytearray()
            if byte != _C:
                write(">")

    def _paste(self):
        write, read = self._console.write, self._console.read
        write(b"R\x01" + struct.pack("<H", _WINDOW) + _A)
        source, left = bytearray(), 2 * _WINDOW
        while True:
            byte = read()
            if byte == _D:
                write(_D)
                return source
            if byte == _C:
                return b""
            source.extend(byte)
            left -= 1
            if left == _WINDOW:
                left += _WINDOW
                write(_A)

    def _execute(self, source):
        error = self._run(source, _D)
        if error:
            sys.modules["sys"].print_exception(error)
        self._console.write(_D)

    def _run(self, source, after=b""):
        """Run this; what is printed, then `after`. The exception, if it ends with one."""
        self._console.interrupt = 3
        error = None
        try:
            exec(compile(bytes(source).decode(), "<stdin>", "exec"), self._globals)
        except (Exception, KeyboardInterrupt) as caught:
            error = caught
        finally:
            self._console.interrupt = -1
        self._console.write(after)
        if error and not after:
            sys.modules["sys"].print_exception(error)
        return error
