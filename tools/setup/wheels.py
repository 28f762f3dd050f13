"""The cache of wheels: which pins of requirements.txt it lacks, and filling it with pip."""

import re

from common import ROOT, SetupError, say, sha256, tool_failed

REQUIREMENTS = ROOT / "requirements.txt"
_NAMES_SHOWN = 3


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins():
    """{(name, version): SHA-256 digests} from requirements.txt."""
    wanted = {}
    for block in re.split(r"\n(?=\S)", REQUIREMENTS.read_text()):
        head = re.match(r"([\w.-]+)==([^\s\\]+)", block)
        if head:
            wanted[canonical(head[1]), head[2]] = set(re.findall(r"--hash=sha256:(\w+)", block))
    return wanted


def missing_from(cache):
    """The pins without a file in `cache`; a damaged file is deleted and counts as missing."""
    wanted = pins()
    found = set()
    for wheel in cache.glob("*.whl"):
        name, _, rest = wheel.name.partition("-")
        pin = canonical(name), rest.partition("-")[0]
        if pin not in wanted:
            continue  # of another clone
        if sha256(wheel) in wanted[pin]:
            found.add(pin)
        else:
            say(f"{wheel.name} in the cache is damaged: deleted")
            wheel.unlink()
    return sorted(f"{name} {version}" for name, version in wanted.keys() - found)


def fill(cache, missing, pip):
    """Fetch every pinned wheel into `cache` from wherever pip is set to look.

    `pip(*words)` runs it. `missing` are the names for the error; when the cache has files, but for
    another Python, there are none, and pip names one.
    """
    say(f"fetching the packages (51 MB) into {cache}")
    status, text = pip(
        "--retries", "2", "download", "--only-binary", ":all:", "--dest", cache, "-r", REQUIREMENTS
    )
    if status == 0:
        return
    if "CERTIFICATE_VERIFY_FAILED" in text:
        raise SetupError("the package index's certificate is not trusted: set PIP_CERT to yours")
    if "Retrying (" not in text:
        raise tool_failed("pip cannot fetch the packages", text)
    names = missing or re.findall(r"No matching distribution found for (\S+)", text)
    shown = ", ".join(names[:_NAMES_SHOWN])
    if len(names) > _NAMES_SHOWN:
        shown += f" and {len(names) - _NAMES_SHOWN} more"
    raise SetupError(
        f"no network, and the cache {cache} lacks {shown}: connect once and run make again"
    )
