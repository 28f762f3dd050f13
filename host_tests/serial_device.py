"""A device on a serial port, for tests: a pseudo-terminal with MicroPython's prompt and a chip's flash.

The firmware runs on the virtual charger, from a littlefs that `pilotwire image` has made. Virtual time is
stepped by the test, and goes on by itself while somebody has the port open.
"""

import json
import os
import pty
import tty

from pilotwire import image, stock
from pilotwire.charger import Charger
from pilotwire.run import EPOCH_S
from station import BOARD, Lonely
from stock_bin import PARTITIONS, stock_bin

CONFIG = {"device": "garage", "installation_a": 16, "ssid": "", "wifi_password": "very secret"}
VFS_AT = PARTITIONS[3][3]


def files_of(folder, *, board=BOARD, config=CONFIG):
    """The bytes of a new device's file system, with native code for this computer."""
    (folder / "config.json").write_text(json.dumps(config))
    made = image.build(stock.parse(stock_bin()), board, folder / "config.json", arch="x64")
    return made.data[VFS_AT - stock.BEGIN :]


class Device(Lonely):
    """`port`: what a person would call /dev/ttyUSB0."""

    def __init__(self, folder, files, *, board=BOARD, **options):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.flash = folder / "vfs.bin"
        if files is not None:
            self.flash.write_bytes(files)
        (folder / "board.json").write_bytes(board.read_bytes())  # for the plant
        self.events = []
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self.charger = Charger(
            folder, epoch_s=EPOCH_S, on_event=self.events.append, firmware=folder, console=self._master,
            vfs=str(self.flash), vfs_bytes=self.flash.stat().st_size, **options,
        )
        os.close(slave)  # nobody has it open from here on

    def __exit__(self, *_):
        super().__exit__()
        os.close(self._master)
