"""build/lib/umqtt/simple.py, from the source archive that pyproject.toml pins.

The archive has no setup.py, so pip refuses it: it is fetched by name and digest instead.
"""

import hashlib
import tarfile

import environment
from common import ROOT, SetupError, last_error, run, say, sha256

_MODULE = ROOT / "build" / "lib" / "umqtt" / "simple.py"


def _pin():
    """[tool.pilotwire.umqtt] of pyproject.toml: project, version and the two digests."""
    import tomllib  # here, so that an older Python lives to be told that it is too old

    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pilotwire"]["umqtt"]


def is_ready():
    return _MODULE.is_file() and sha256(_MODULE) == _pin()["simple_py_sha256"]


def place(cache):
    """Unpack the one file that is wanted; no other path in the archive is used."""
    pin = _pin()
    stem = f"{pin['project']}-{pin['version']}"
    archive = cache / (stem + ".tar.gz")
    if archive.exists() and sha256(archive) != pin["sdist_sha256"]:
        say(f"{archive.name} in the cache is refused, its SHA-256 is not the pinned one: deleted")
        archive.unlink()
    if not archive.exists():
        _fetch(pin, archive)
    with tarfile.open(archive) as files:
        data = files.extractfile(stem + "/umqtt/simple.py").read()
    if hashlib.sha256(data).hexdigest() != pin["simple_py_sha256"]:
        raise SetupError("pyproject.toml: simple_py_sha256 is not that of the archive: correct it")
    _MODULE.parent.mkdir(parents=True, exist_ok=True)
    part = _MODULE.with_suffix(".part")
    part.write_bytes(data)
    part.replace(_MODULE)


def _fetch(pin, archive):
    what = f"{pin['project']} {pin['version']}"
    say("fetching " + what)
    part = archive.with_suffix(".part")
    script = ROOT / "tools" / "setup" / "fetch_sdist.py"
    status, text = run(environment.PYTHON, "-I", script, pin["project"], pin["version"], part)
    if status:
        raise SetupError(
            f"the cache {archive.parent} lacks {what}, and it cannot be fetched "
            f"({last_error(text)}): connect once and run make again"
        )
    digest = sha256(part)
    if digest != pin["sdist_sha256"]:
        part.unlink()
        raise SetupError(
            f"{what} from the package index is refused: its SHA-256 is {digest}, pinned is "
            f"{pin['sdist_sha256']}: check which index pip is set to use"
        )
    part.replace(archive)
