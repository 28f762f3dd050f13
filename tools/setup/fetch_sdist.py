"""Downloads one source archive from the package index: fetch_sdist.py PROJECT VERSION FILE.

umqtt.py runs it in .venv, since it needs pypi-simple, and checks the digest itself. It asks the
index that pip is set to ask, and trusts the certificates that pip trusts. A failure is one line
on stderr.
"""

import os
import subprocess
import sys

import requests
from pypi_simple import PYPI_SIMPLE_ENDPOINT, NoSuchProjectError, PyPISimple

_TIMEOUT_S = 30


def pip_setting(name):
    """pip's setting `name`, from its environment variables or its files; None when unset."""
    set_outside = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if set_outside:
        return set_outside
    done = subprocess.run(
        [sys.executable, "-I", "-m", "pip", "config", "get", "global." + name],
        capture_output=True, text=True, check=False,
    )
    return done.stdout.strip() or None


def fetch(project, version, path):
    with PyPISimple(pip_setting("index-url") or PYPI_SIMPLE_ENDPOINT) as index:
        for package in index.get_project_page(project, timeout=_TIMEOUT_S).packages:
            if package.version == version and package.package_type == "sdist":
                # verify=True refuses an index that states no digests; the caller checks anyway.
                index.download_package(package, path, verify=False, timeout=_TIMEOUT_S)
                return
    raise LookupError(f"the index has no source archive of {project} {version}")


def main():
    certificates = pip_setting("cert")
    if certificates:
        # In the environment, because requests prefers that to what its session is told.
        os.environ["REQUESTS_CA_BUNDLE"] = certificates
    try:
        fetch(*sys.argv[1:])
    except requests.exceptions.SSLError:
        sys.exit("the index's certificate is not trusted, set PIP_CERT to yours")
    except requests.ConnectionError:
        sys.exit("no network")
    except (requests.RequestException, NoSuchProjectError, LookupError) as error:
        sys.exit(" ".join(str(error).split()))


if __name__ == "__main__":
    main()
