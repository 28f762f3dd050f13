"""What the parts of the set-up share: paths, saying a line, locks, running a tool with a log."""

import contextlib
import fcntl
import hashlib
import os
import shlex
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LOG = ROOT / "build" / "setup.log"


class SetupError(Exception):
    """What went wrong and what to do about it, in one line."""


def say(line):
    print("setup: " + line, flush=True)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def cache_folder():
    """The folder of downloads, shared by all clones; XDG says to ignore a relative path."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()) / "pilotwire"


@contextlib.contextmanager
def locked(path, waiting):
    """Hold the lock file `path`; say `waiting` when another set-up has it.

    Children inherit the lock: a pip that outlives a killed set-up ends before the next one begins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(waiting)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(*command):
    """Run `command` and return (exit status, what it wrote); the log gets all of it."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace", close_fds=False, check=False,
    )
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with open(LOG, "a", encoding="utf-8") as log:
        log.write(f"$ {shlex.join(words)}\n{done.stdout}\n")
    return done.returncode, done.stdout


def last_error(text):
    """The line of a tool's output that says best what failed."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["no reason given"])[-1].removeprefix("ERROR: ").rstrip(".")


def tool_failed(what, text):
    """The SetupError for a tool that failed for a reason of its own."""
    return SetupError(f"{what}: {last_error(text)} (all of it: {LOG.relative_to(ROOT)})")
