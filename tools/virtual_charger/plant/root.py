"""The chip's file system: a littlefs on its partition of NOR flash, as / of this process.

The computer's own files are below /host from then on.
"""

import struct
import sys

import vfs
from esp32 import Partition
from plant import flash

_HOST = "/host"


class Vfs(Partition):
    """The partition `vfs`, in a file of the computer's: what was written outlives this process.

    log: a file for each program and erase: address, length (0: a sector is erased), the data.
    """

    def __init__(self, clock, path, size, log=None):
        self._chip = flash.Nor(clock, path, size)
        self._log = open(log, "wb") if log else None

    def _note(self, address, data=b""):
        if self._log:
            self._log.write(struct.pack("<II", address, len(data)))
            self._log.write(data)

    def writeblocks(self, block, buf, offset):
        self._note(block * self._chip.sector + offset, buf)
        super().writeblocks(block, buf, offset)

    def ioctl(self, command, argument):
        if command == 6:
            self._note(argument * self._chip.sector)
        return super().ioctl(command, argument)


def mount(world, path, size, log=None):
    """Mounts what an image has put there; the firmware is looked for there, as on a chip."""
    partition = Vfs(world.clock, path, size, log)
    vfs.mount(vfs.VfsPosix("/"), _HOST)
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(partition), "/")
    tools = [_HOST + folder for folder in sys.path if folder.startswith("/")]
    sys.path[:] = ["", ".frozen", "/lib"] + tools
    for module in sys.modules.values():
        if getattr(module, "__path__", "").startswith("/"):  # a package that will load more
            module.__path__ = _HOST + module.__path__
    return partition
