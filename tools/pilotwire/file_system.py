"""A littlefs2 as MicroPython's VfsLfs2 makes it, holding the files of a folder.

In a fixed order, no times: the same files make the same bytes. No file lies in the metadata, however
small, so each has its place in the order. Read and program 32 bytes, cache four times that, 32 bytes to
look ahead, 100 erases before a block of metadata moves (extmod/vfs_lfsx.c).
"""

from pathlib import Path

from littlefs import LittleFS, LittleFSError, UserContext

from pilotwire.esp_image import ImageError

BLOCK = 4096
_NO_INLINE = 0xFFFFFFFF
_SMALLEST = 32  # bytes that are read or programmed at once
FREE_SHARE = 4  # one in so many blocks must stay free: littlefs copies before it erases


def make(folder, size, first=()):
    """(the file system's `size` bytes, blocks in use, files); ImageError when it is too full.

    first: files of the folder itself that lie before all others, in this order.
    """
    folder = Path(folder)
    blocks = size // BLOCK
    system = LittleFS(
        block_size=BLOCK, block_count=blocks, read_size=_SMALLEST, prog_size=_SMALLEST,
        cache_size=4 * _SMALLEST, lookahead_size=_SMALLEST, block_cycles=100,
        inline_max=_NO_INLINE, mount=False,
    )
    paths = sorted(folder.rglob("*"), key=lambda path: (_rank(path, folder, first), path))
    files = 0
    try:
        system.format()
        system.mount()
        for path in paths:
            below = path.relative_to(folder).as_posix()
            if path.is_dir():
                system.mkdir(below)
            else:
                with system.open(below, "wb") as file:
                    file.write(path.read_bytes())
                files += 1
        used = system.used_block_count
        system.unmount()
    except LittleFSError as error:
        if error.code != LittleFSError.Error.LFS_ERR_NOSPC:
            raise ImageError(f"the file system cannot be made: {error}") from None
        raise ImageError(f"the file system is full: {size >> 10} KB are too few") from None
    if (blocks - used) * FREE_SHARE < blocks:
        raise ImageError(
            f"the file system is full: {used} of {blocks} blocks are used, and a quarter must stay free"
        )
    return bytes(system.context.buffer), used, files


def _rank(path, folder, first):
    return first.index(path.name) if path.parent == folder and path.name in first else len(first)


def read(data):
    """{path: bytes} of all files of a file system; ImageError when it cannot be read."""
    context = UserContext(len(data))
    context.buffer = bytearray(data)
    try:
        system = LittleFS(
            context=context, block_size=BLOCK, block_count=len(data) // BLOCK, read_size=_SMALLEST,
            prog_size=_SMALLEST, cache_size=4 * _SMALLEST, lookahead_size=_SMALLEST, mount=False,
        )
        system.mount()
        found = {}
        for folder, _, names in system.walk("/"):
            for name in names:
                path = f"{folder.rstrip('/')}/{name}"
                with system.open(path, "rb") as file:
                    found[path[1:]] = file.read()
        return found
    except (LittleFSError, UnicodeDecodeError) as error:
        raise ImageError(f"the file system is damaged: {error}") from None
