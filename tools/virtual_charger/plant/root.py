"""The chip's file system: a littlefs on its partition of NOR flash, as / of this process.

The computer's own files are below /host from then on.
"""

import builtins
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

    def __init__(self, world, path, size, log=None):
        self._chip = flash.Nor(world.clock, path, size)
        self._log = open(log, "wb") if log else None
        self._world = world

    def _note(self, address, data=b""):
        if self._log:
            self._log.write(struct.pack("<II", address, len(data)))
            self._log.write(data)

    def _held(self, call, *args):
        console = self._world.console
        console.held = True
        try:
            return call(*args)
        finally:
            console.held = False

    def readblocks(self, block, buf, offset=0):
        self._held(super().readblocks, block, buf, offset)

    def writeblocks(self, block, buf, offset):
        self._note(block * self._chip.sector + offset, buf)
        self._held(super().writeblocks, block, buf, offset)

    def ioctl(self, command, argument):
        if command == 6:
            self._note(argument * self._chip.sector)
        return self._held(super().ioctl, command, argument)


class Root:
    """The mounted file system, and which files of it are open."""

    def __init__(self, world, path, size, log=None):
        """Mounts what an image has put there; the firmware is looked for there, as on a chip."""
        self._partition = Vfs(world, path, size, log)
        self._files = []
        self._lost = []  # of earlier lives: not to be closed, also not by a collection of garbage
        self._open = builtins.open
        vfs.mount(vfs.VfsPosix("/"), _HOST)
        vfs.umount("/")
        self._mount()
        tools = [_HOST + folder for folder in sys.path if folder.startswith("/")]
        sys.path[:] = ["", ".frozen", "/lib"] + tools
        for module in sys.modules.values():
            if getattr(module, "__path__", "").startswith("/"):  # a package that will load more
                module.__path__ = _HOST + module.__path__
        builtins.open = self._opened

    def _mount(self):
        self._system = vfs.VfsLfs2(self._partition)
        vfs.mount(self._system, "/")

    def _opened(self, *args, **options):
        file = self._open(*args, **options)
        self._files.append(file)
        return file

    def restart(self, soft):
        """A soft reset closes all files. After another one nothing is left but what is in the flash."""
        if soft:
            for file in self._files:
                try:
                    file.close()
                except OSError:  # the flash is full
                    pass
            self._files.clear()
            return
        self._lost.append((self._system, self._files))
        self._files = []
        vfs.umount("/")
        self._mount()
