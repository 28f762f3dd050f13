"""Which stock MicroPython a person wants: a file that is there, a release of stock_releases.toml, or
another one whose SHA-256 the person knows.

No file is taken for a release because of its name: what it is says its SHA-256 alone.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pilotwire.esp_image import ImageError

_TABLE = Path(__file__).with_name("stock_releases.toml")
_FILE = re.compile(r"ESP32_GENERIC-\d{8}-(v\d+\.\d+\.\d+)\.bin")  # as micropython.org calls them


@dataclass(frozen=True)
class Release:
    file: str  # its name on micropython.org, and in the cache
    sha256: str
    seen: tuple = ()  # where the sum comes from; () when a person vouches for it

    @property
    def version(self):
        return _FILE.fullmatch(self.file)[1]


@cache
def table():
    return tomllib.loads(_TABLE.read_text())


@cache
def known():
    """(Release, ...) of the table, the newest last."""
    return tuple(Release(r["file"], r["sha256"], tuple(r["seen"])) for r in table()["release"])


def choose(wanted=None, sha256=None):
    """The Release that is meant by a version or by a file's name on micropython.org; ImageError.

    wanted: None for the table's default. sha256: a person's own, in hex.
    """
    wanted = wanted or table()["default"]
    names = ", ".join(r.version for r in known())
    found = [r for r in known() if wanted in (r.version, r.version[1:], r.file)]
    if found:
        if sha256 and sha256 != found[0].sha256:
            raise ImageError(f"{found[0].file} has the SHA-256 {found[0].sha256} here, not {sha256}")
        return found[0]
    if not _FILE.fullmatch(wanted):
        raise ImageError(
            f"no stock release {wanted!r} is known here; there are {names}. Another one needs its whole"
            " file name, ESP32_GENERIC-DATE-vX.Y.Z.bin, and --sha256"
        )
    if not sha256:
        raise ImageError(
            f"the SHA-256 of {wanted} is not known here: say it with --sha256, or take one of {names}"
        )
    return Release(wanted, sha256)


def described(data, sha256=None):
    """What these bytes of a given file are, for people; ImageError: they have another SHA-256."""
    got = hashlib.sha256(data).hexdigest()
    if sha256 and got != sha256:
        raise ImageError(f"it is refused: expected is the SHA-256 {sha256}, it has {got}")
    same = [r.file for r in known() if r.sha256 == got]
    if same:
        return f"its SHA-256 is that of {same[0]}"
    return "its SHA-256 is as you say" if sha256 else "its SHA-256 is none of those known here"


def sha256(text):
    """For the command line: 64 hexadecimal digits; ValueError."""
    text = text.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError("64 hexadecimal digits")
    return text


def add_options(parser):
    parser.add_argument(
        "--stock", metavar="VERSION", help="without a file: the release to download, of "
        f"{', '.join(r.version for r in known())} (default: {table()['default']}); or the name of a file "
        "on micropython.org, with --sha256")
    parser.add_argument("--sha256", type=sha256, metavar="HEX",
                        help="refuse a MicroPython, given or downloaded, that has another one")
