"""A device on a serial port, for tests: a pseudo-terminal with MicroPython's prompt and a chip's flash.

The firmware runs on the virtual charger, from a littlefs like that of `pilotwire image`. Virtual time is
stepped by the test, and goes on by itself while somebody has the port open.
"""

import atexit
import json
import os
import pty
import shutil
import tempfile
import tty
from functools import cache
from pathlib import Path

from pilotwire import file_system
from pilotwire.charger import Charger
from pilotwire.device_build import compile_tree, write_manifest
from pilotwire.run import EPOCH_S
from station import BOARD, Lonely

CONFIG = {"device": "garage", "installation_a": 16, "ssid": "", "wifi_password": "very secret"}


SMALL = 0x40000  # bytes of a file system for a firmware of a few files

# A firmware that only says that it starts, and leaves the prompt. run: what it does then.
START = """
class Charger:
    def run(self):
        {run}
    def safe(self, why=1):
        pass

def charger():
    import sys
    slot = "b" if sys.path[0] == "b" else "a"
    {start}
    print("pilotwire {version} ready in %s, self-test passed" % slot)
    return Charger()
"""


@cache
def build():
    """The firmware of this folder, for this computer; once for all tests."""
    folder = tempfile.TemporaryDirectory(prefix="pilotwire-build-")
    atexit.register(folder.cleanup)
    return compile_tree(Path(folder.name) / "device", umqtt=False)


def newer(folder):
    """The same, but it calls itself 0.1.9."""
    shutil.copytree(build(), folder)
    for path in folder.rglob("*.mpy"):
        path.write_bytes(path.read_bytes().replace(b"0.1.0", b"0.1.9"))
    write_manifest(folder)
    return folder


def tiny(folder, version, start="pass", run="raise KeyboardInterrupt", more=3):
    """A firmware of START and some more files, with the start files of the real one."""
    (folder / "pilotwire/more").mkdir(parents=True)
    for name in ("boot.py", "main.py"):
        shutil.copyfile(build() / name, folder / name)
    (folder / "pilotwire/__init__.py").write_text("")
    (folder / "pilotwire/start.py").write_text(START.format(version=version, start=start, run=run))
    for number in range(more):
        text = f"# of {version}\n" if number else "# the same\n"
        (folder / f"pilotwire/more/{number}.py").write_text(text * 700 * number)
    write_manifest(folder)
    return folder


def files_of(tree, folder, *, size=SMALL, board=BOARD, config=CONFIG):
    """The bytes of a file system with this firmware, the board's file and these settings."""
    shutil.copytree(tree, folder)
    shutil.copyfile(board, folder / "board.json")
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return file_system.make(folder, size)[0]


def open_terminal():
    """(file descriptor, path) of a pseudo-terminal that nobody has open."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    os.close(slave)
    return master, path


class Device(Lonely):
    """`port`: what a person would call /dev/ttyUSB0. terminal: (file descriptor, path) of another one."""

    def __init__(self, folder, files, *, board=BOARD, terminal=None, **options):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.flash = folder / "vfs.bin"
        if files is not None:
            self.flash.write_bytes(files)
        (folder / "board.json").write_bytes(board.read_bytes())  # for the plant
        self.events = []
        self._master, self.port = terminal or open_terminal()
        self.charger = Charger(
            folder, epoch_s=EPOCH_S, on_event=self.events.append, firmware=folder, console=self._master,
            vfs=str(self.flash), vfs_bytes=self.flash.stat().st_size, **options,
        )

    def __exit__(self, *_):
        super().__exit__()
        os.close(self._master)

    def said(self):
        """What the console has said while nobody had it open, and since this was last asked."""
        lines = list(self.charger.console)
        self.charger.console.clear()
        return lines
