"""`pilotwire flash`: an image onto a chip, with esptool, and then a look at what the chip says.

esptool is a tool of its own that is not installed with the others: on PyPI it has no wheel. It looks at
the kind of chip before it writes, and compares MD5 sums of what is in flash afterwards. What it says is
passed on, and told in plain words when something went wrong.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import serial

from pilotwire import ending, image, image_check, serial_port, stock, stock_fetch
from pilotwire.ending import HALF_IMAGE, UNTOUCHED, Ending
from pilotwire.esp_image import ImageError
from pilotwire.first_minute import NOT_PROVED, Console, come_through, started
from pilotwire.halt import BAUD, hold, let_go
from pilotwire.run import board_file
from pilotwire.serial_port import DeviceError, choose

_NAMES = ("esptool", "esptool.py")
_READY_S = 60  # what is left of esptool, and a first start
_GET_IT = ".venv/bin/pip install esptool (or: sudo apt install esptool)"
_VERIFIED = "Hash of data verified"
_WRITING = re.compile(r"Writing at 0x|Wrote \d+ bytes|Erasing flash|Compressed \d+ bytes")

# What esptool says; what it means, of this port and of what the pattern has found. In this order.
_TROUBLES = (
    (r"[Tt]his chip is (?:an? )?(ESP[\w-]+),? not", lambda _, chip: serial_port.other_chip(chip)),
    (r"Unexpected chip ID|not an? ESP32 image|not for ESP32", lambda _: DeviceError(
        "the image is not for this chip")),
    (r"MD5 of file does not match|digest mismatch", lambda _: DeviceError(
        "what is in the flash is not what was sent")),
    (r"Errno 13|Permission denied", serial_port.denied),
    (r"[Pp]ort is busy|Could not exclusively lock|Errno 16", serial_port.taken),
    (r"Failed to connect|No serial data received|Wrong boot mode", lambda _: DeviceError(
        "the chip's loader does not answer",
        "Hold its BOOT button, press EN, let BOOT go, and try again")),
    (r"disconnected|Errno 5|Input/output|Serial port error|could not open|stopped|[Tt]imed out",
     serial_port.lost),
)


def esptool():
    """The command, as a list; DeviceError when there is none."""
    for name in _NAMES:
        beside = Path(sys.executable).with_name(name)
        found = str(beside) if beside.exists() else shutil.which(name)
        if found:
            return [found]
    raise DeviceError("esptool is not here", _GET_IT)


def words(tool, port, baud, path):
    """esptool's command line: v5 has dashes where v4 has underscores."""
    said = subprocess.run([*tool, "version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"(\d+)\.\d+", said)
    write = "write-flash" if not number or int(number[1]) >= 5 else "write_flash"
    return [
        *tool, "--chip", "esp32", "--port", port, "--baud", str(baud), write, hex(stock.BEGIN), str(path),
    ]


def prepared(args, folder):
    """Path of an image: the file itself, if it is a whole one, or one in `folder` that is made of it;
    ImageError."""
    if not (args.file or args.board):
        raise ImageError("say which image; or which board with --board, and its image is made")
    data, name, _ = stock_fetch.obtain(args.file, args.stock, args.sha256)
    try:
        whole = image_check.is_image(data)
        if whole:
            image_check.check(data)
    except ImageError as problem:
        raise ImageError(f"{name}: {problem}") from None
    if whole:
        if args.board or args.config:
            raise ImageError(f"{name} is a whole image: --board and --config are for a stock MicroPython")
        return Path(args.file)
    base = image.parsed(data, name)
    if not args.board:
        raise ImageError(f"{name} is a stock MicroPython: say which board with --board")
    path = Path(folder) / "pilotwire.bin"
    image.write(path, image.build(base, board_file(args.board), args.config).data, secret=True)
    return path


def come_to(said, before=UNTOUCHED):
    """The State that the chip is in when esptool has said all this."""
    if _VERIFIED in said:
        return ending.IMAGE
    return HALF_IMAGE if _WRITING.search(said) else before


def trouble(said, port):
    """DeviceError: what went wrong, from all that esptool has said."""
    end = said[max(0, said.rfind("error occurred")) :]  # before it are warnings of all kinds
    for pattern, meaning in _TROUBLES:
        found = re.search(pattern, end)
        if found:
            return meaning(port, *found.groups())
    last = [line.strip() for line in said.splitlines() if line.strip()][-1:] or ["nothing"]
    return DeviceError(f"esptool has failed and said: {last[0]}")


def _run(command, port, end):
    """Run esptool, pass on what it says, tell the Ending how far it has come; DeviceError."""
    text, before = "", end.state
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    ) as process:
        try:
            while piece := process.stdout.read1(4096).decode(errors="replace"):
                text += piece
                end.state = come_to(text, before)
                sys.stdout.write(piece)
                sys.stdout.flush()
        except BaseException:
            process.terminate()  # it would go on by itself
            end.state = come_to(text + process.stdout.read().decode(errors="replace"), before)
            raise
    if process.returncode:
        raise trouble(text, port)
    if _VERIFIED not in text:
        raise DeviceError("esptool did not say that it has compared what it wrote")


def _listen(args, port):
    """What the chip says when it starts; the exit status."""
    opened = serial.Serial()
    opened.port, opened.baudrate, opened.exclusive = port, BAUD, True
    opened.dtr = opened.rts = False  # on most boards they would hold it in reset, or start its loader
    try:
        opened.open()
    except OSError:
        raise serial_port.busy(port) from None
    with opened:
        return _report(args, Console(opened))


def _report(args, console):
    ready = started(console, _READY_S)
    print(f"the device runs {ready.version}, self-test {ready.selftest}")
    print(NOT_PROVED if args.no_wait else come_through(console))
    return ready.status


def command(args):
    """0 when the firmware has reported; 1 when the device refuses or fails, 2 when there is no image."""
    with Ending("flash") as end, tempfile.TemporaryDirectory(prefix="pilotwire-flash-") as folder:
        path = prepared(args, folder)
        tool = esptool()
        port = choose(args.port)
        serial_port.check(port)
        command_line = words(tool, port, args.baud, path)
        held = hold(port, end)
        try:
            _run(command_line, port, end)
        finally:
            if held and end.state is ending.STOPPING:  # a station that was well
                let_go(port)
                end.state = UNTOUCHED
        end.status = _listen(args, port)
    return end.status
