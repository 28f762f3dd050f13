"""Downloads a stock MicroPython and keeps it: nothing is used whose SHA-256 is not the one expected.

A download is whole in memory, and its sum right, before anything is written; then it goes to the cache
under another name and is renamed. What the cache has is summed again each time it is used.
"""

import hashlib
import http.client
import os
import socket
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from pilotwire import stock_release
from pilotwire.esp_image import ImageError

BASE = stock_release.table()["base"]
_SILENT_S = 20  # without an answer, or without more of it
_WHOLE_S = 300  # 1.8 MB at 6 KB/s
_MOST = 0x400000  # bytes; no more fits a chip's flash
_PIECE = 0x4000


class _Failed(Exception):
    """Why there is no download; a few words."""


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, file, code, message, headers, url):
        if urlsplit(url).scheme != "https":
            raise _Failed(f"it redirects to {url}, which is no https")
        return super().redirect_request(request, file, code, message, headers, url)


def cache_folder():
    """Where the set-up keeps its downloads, too: tools/setup/common.py."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()) / "pilotwire"


def obtain(file=None, wanted=None, sha256=None):
    """(bytes of a stock MicroPython, what it is called, where it is from and what its sum says);
    ImageError. wanted, sha256: see stock_release.choose."""
    if file is None:
        release = stock_release.choose(wanted, sha256)
        data, whence = fetch(release)
        return data, release.file, whence
    if wanted:
        raise ImageError("--stock is for a download: leave the file away, or --stock")
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise ImageError(f"{file} cannot be read: {error.strerror}") from None
    try:
        return data, str(file), stock_release.described(data, sha256)
    except ImageError as problem:
        raise ImageError(f"{file}: {problem}") from None


def fetch(release, *, folder=None, clock=time.monotonic):
    """(bytes of a Release, where they are from), of the cache or of micropython.org; ImageError."""
    path = (folder or cache_folder()) / release.file
    by = "as you say" if not release.seen else "as known"
    try:
        data = path.read_bytes()
    except OSError:
        pass
    else:
        if _sum(data) == release.sha256:
            return data, f"from {path.parent}, its SHA-256 is {by}"
        _say(f"{path} is deleted: expected is the SHA-256 {release.sha256}, it has {_sum(data)}")
        _try(path.unlink)
    data = _download(release, clock)
    _try(lambda: _keep(path, data))
    return data, f"from {urlsplit(BASE).hostname}, its SHA-256 is {by}"


def _download(release, clock):
    url = BASE + release.file
    try:
        data = _answer(url, clock)
    except (_Failed, OSError, http.client.HTTPException) as problem:
        raise ImageError(f"{url} cannot be downloaded: {_why(problem)}. {_by_hand()}") from None
    if _sum(data) != release.sha256:
        raise ImageError(
            f"{url} is refused, and nothing of it is kept: expected is the SHA-256 {release.sha256}, what"
            f" came has {_sum(data)}. {_by_hand()}"
        )
    return data


def _by_hand():
    return f"Try again, or get it by hand from {stock_release.table()['page']} and give the file"


def _answer(url, clock):
    """The bytes there, all of them; _Failed, OSError, HTTPException."""
    opener = urllib.request.build_opener(_OnlyHttps)  # and the proxies of the environment
    request = urllib.request.Request(url, headers={"User-Agent": "pilotwire"})
    end_s = clock() + _WHOLE_S
    with opener.open(request, timeout=_SILENT_S) as answer:
        length = answer.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        data = bytearray()
        try:
            while piece := answer.read1(_PIECE):  # as it comes, so that a drip is not waited for
                data += piece
                _progress(url, len(data), total)
                if len(data) > _MOST:
                    raise _Failed(f"more than {_MOST >> 10} KB come")
                if clock() > end_s:
                    raise _Failed(f"after {_WHOLE_S} s only {len(data)} bytes have come")
        finally:
            if data:
                _progress(url, None, total)
    if total is not None and len(data) != total:
        raise _Failed(f"it was cut off: {len(data)} of {total} bytes came")
    return bytes(data)


def _why(problem):
    if isinstance(problem, urllib.error.HTTPError):
        problem.close()
        return f"it answers {problem.code}, {problem.reason}"
    reason = getattr(problem, "reason", problem)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "its certificate is not trusted on this computer"
    if isinstance(reason, TimeoutError):
        return f"nothing comes for {_SILENT_S} s"
    if isinstance(reason, socket.gaierror):
        return "no network, or no name service"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


def _keep(path, data):
    """Whole or not at all, also when two do it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, new = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
    try:
        with open(number, "wb") as file:
            file.write(data)
        os.replace(new, path)
    finally:
        Path(new).unlink(missing_ok=True)


def _try(step):
    """The cache is for the next time: what was downloaded is good without it."""
    try:
        step()
    except OSError as error:
        _say(f"the cache cannot be changed: {error.filename}: {error.strerror}")


def _progress(url, got, total):
    """On a terminal only; got: None at the end."""
    if sys.stderr.isatty():
        of = f" of {total >> 10}" if total else ""
        print("" if got is None else f"\r{url.rpartition('/')[2]}: {got >> 10}{of} KB",
              end="\n" if got is None else "", file=sys.stderr, flush=True)


def _say(line):
    print("pilotwire: " + line, file=sys.stderr)


def _sum(data):
    return hashlib.sha256(data).hexdigest()
