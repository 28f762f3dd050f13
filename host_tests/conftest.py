"""Lets CPython import the firmware's pure files, and makes random tests repeatable.

The same examples are tried each time. `pytest --hypothesis-profile=explore` tries new ones;
PILOTWIRE_SEED=n starts the lives of random cars (any_car.py) elsewhere. What fails prints how to see
it again.

PILOTWIRE_FIRMWARE=shrunk plays every test on the virtual charger with the firmware as the device gets
it, compiled and with short names. Tests that take a part of the sources by itself are not changed.
"""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "host_tests" / "stubs")]

import pilotwire  # noqa: E402

# The tools and the firmware are two packages of one name; here they are one. The tools' modules win.
pilotwire.__path__.append(str(ROOT / "firmware" / "pilotwire"))

pytest.register_assert_rewrite("fault_life", "cable_desk")

settings.register_profile("same", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("same")


def pytest_configure(config):
    kind = os.environ.get("PILOTWIRE_FIRMWARE", "sources")
    if kind not in ("sources", "shrunk"):
        raise pytest.UsageError("PILOTWIRE_FIRMWARE must be sources or shrunk")
    if kind == "shrunk":
        from pilotwire import charger, device_build

        folder = tempfile.TemporaryDirectory(prefix="pilotwire-shrunk-")
        config.add_cleanup(folder.cleanup)
        charger.FIRMWARE = device_build.compile_tree(Path(folder.name) / "device")


@pytest.fixture
def bench():
    """A test bench for decide/, with nobody there."""
    from bench_car import Bench

    return Bench()


@pytest.fixture
def charging():
    """The same, with a car that charges."""
    from bench_car import Bench

    return Bench().charge()


def pytest_report_header():
    seed = os.environ.get("PILOTWIRE_SEED", "0")
    return f"pilotwire: random cars start from seed {seed} (PILOTWIRE_SEED)"
