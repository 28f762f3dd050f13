"""Makes this clone ready: .venv from the pins in requirements.txt, and build/lib/umqtt/simple.py.

Every make target runs it first (`python3 tools/setup`), with the system's python3 and nothing but
its standard library. It may touch .venv, build/ and the cache of downloads,
${XDG_CACHE_HOME:-~/.cache}/pilotwire. When there is nothing to do it says nothing and starts no
other process. Each failure is one line that says what to do, and exit status 2.
"""

import sys

import environment
import umqtt
from common import ROOT, SetupError, cache_folder, locked, say

OLDEST_PYTHON = (3, 11)


def is_ready():
    return environment.is_ready() and umqtt.is_ready()


def set_up():
    if sys.version_info < OLDEST_PYTHON:
        raise SetupError(
            "Python " + sys.version.split()[0] + " is too old: install Python 3.11 or newer, "
            "or name one: make PYTHON=python3.12"
        )
    if is_ready():
        return
    with locked(ROOT / ".setup.lock", "another set-up is at work in this folder: waiting for it"):
        if is_ready():
            return
        cache = cache_folder()
        with locked(cache / ".lock", f"another set-up is filling {cache}: waiting for it"):
            if not environment.is_ready():
                environment.build(cache)
            if not umqtt.is_ready():
                umqtt.place(cache)
    say("ready")


def main():
    try:
        set_up()
    except SetupError as error:
        line = str(error)
    except KeyboardInterrupt:
        line = "interrupted: the next make begins again"
    except OSError as error:
        where = error.filename or "the system"
        line = f"{where}: {error.strerror or error}: put that right and run make again"
    else:
        return 0
    print("setup: " + line, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
