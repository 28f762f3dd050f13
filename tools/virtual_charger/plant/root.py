"""The chip's file system: a littlefs on its partition of NOR flash, as / of this process.

The computer's own files are below /host from then on.
"""

import sys

import vfs
from esp32 import Partition
from plant import flash

_HOST = "/host"


class Vfs(Partition):
    """The partition `vfs`, in a file of the computer's: what was written outlives this process."""

    def __init__(self, clock, path, size):
        self._chip = flash.Nor(clock, path, size)


def mount(world, path, size):
    """Mounts what an image has put there; the firmware is looked for there, as on a chip."""
    partition = Vfs(world.clock, path, size)
    vfs.mount(vfs.VfsPosix("/"), _HOST)
    vfs.umount("/")
    vfs.mount(vfs.VfsLfs2(partition), "/")
    tools = [_HOST + folder for folder in sys.path if folder.startswith("/")]
    sys.path[:] = ["", ".frozen", "/lib"] + tools
    for module in sys.modules.values():
        if getattr(module, "__path__", "").startswith("/"):  # a package that will load more
            module.__path__ = _HOST + module.__path__
    return partition
