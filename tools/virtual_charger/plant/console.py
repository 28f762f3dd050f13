"""The chip's console, UART0: on a pseudo-terminal, where there is one, at 115200 baud in virtual time.

Stands in for what the port itself has and a program on the chip uses: sys.stdin, sys.stdout, print,
micropython.kbd_intr. Without a terminal nothing is ever typed, and what is printed goes to stdout.
"""

import builtins
import io
import select
import sys

import micropython

_BYTE_US = 87  # ten bits at 115200 baud
_POLL = 3  # MP_STREAM_POLL
_SLICE_US = 50000  # what runs between two looks at a terminal that somebody has opened


class Console(io.IOBase):
    """`interrupt`: the character that raises KeyboardInterrupt, -1 for none. Is sys.stdin, too."""

    def __init__(self, world, number=None):
        self._clock = world.clock
        self.interrupt = -1
        self.typed = bytearray()
        self.buffer = self
        self._line = b""
        self.held = False  # no KeyboardInterrupt now: on a chip it comes between two bytecodes only
        self._interrupted = False
        self.terminal = None
        if number is not None:
            self.terminal = open(number, "r+b")
            self._poll = select.poll()
            self._poll.register(self.terminal, select.POLLIN)

    def connected(self):
        """Somebody has the terminal open. What has been typed is taken in, a byte at a time: a read of
        more would wait for all of it."""
        if not self.terminal:
            return False
        while True:
            flags = 0
            for _, flags in self._poll.poll(0):
                pass
            if self._interrupted and not self.held:
                self._interrupted = False
                raise KeyboardInterrupt
            if not flags & select.POLLIN:
                return not flags & select.POLLHUP
            try:
                data = self.terminal.read(1)
            except OSError:  # closed this very moment
                return False
            if data[0] == self.interrupt:
                self.typed[:] = b""
                self._interrupted = True
            else:
                self.typed.extend(data)

    def type(self, byte):
        """Somebody, or noise, on the receive line."""
        if byte == self.interrupt:
            raise KeyboardInterrupt
        self.typed.append(byte)

    def ioctl(self, request, flags):
        if request != _POLL:
            return -1  # it has no file number
        self.connected()
        return flags & select.POLLIN if self.typed else 0

    def read(self, _=1):
        """One byte; waits for it, in real time while somebody is there."""
        while not self.typed:
            if self.connected():
                self._poll.poll(1)
                self._clock.advance(1000)
            else:
                self._clock.advance(_SLICE_US)
        byte = bytes(self.typed[:1])
        self.typed[:] = self.typed[1:]
        self._clock.advance(_BYTE_US)
        return byte

    def write(self, text):
        """To the terminal; when nobody has it open to stdout, in whole lines."""
        if not self.terminal:
            return sys.stdout.write(text)
        data = text.encode() if isinstance(text, str) else text
        if self.connected():
            self.terminal.write(data)
        else:
            self._line += data
            *whole, self._line = self._line.split(b"\n")
            for line in whole:
                sys.stdout.write(line + b"\n")
        self._clock.advance(_BYTE_US * len(data))
        return len(text)

    def line(self, text):
        """print: the port makes \\r\\n of \\n."""
        self.write(text.replace("\n", "\r\n"))


class Sys:
    """The module `sys`, with this console; of a chip where it has a terminal."""

    def __init__(self, console):
        self.stdin = self.stdout = console
        if console.terminal:
            self.platform = "esp32"

    def __getattr__(self, name):
        return getattr(sys, name)

    def print_exception(self, error, file=None):
        text = io.StringIO()
        sys.print_exception(error, text)
        (file or self.stdout).write(text.getvalue())


class Micropython:
    """The module `micropython`, of which kbd_intr is the console's."""

    def __init__(self, console):
        self._console = console

    def __getattr__(self, name):
        return getattr(micropython, name)

    def kbd_intr(self, character):
        self._console.interrupt = character


def install(world, number):
    """Console on this file descriptor, None for no terminal, in the place of the port's own."""
    console = Console(world, number)
    sys.modules["sys"] = Sys(console)
    sys.modules["micropython"] = Micropython(console)
    if console.terminal:
        real = builtins.print

        def to_console(*words, sep=" ", end="\n", file=None):
            text = io.StringIO()
            real(*words, sep=sep, end=end, file=text)
            (file.write if file else console.line)(text.getvalue())

        builtins.print = to_console
    return console
