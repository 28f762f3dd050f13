"""7-7: the firmware's files against the manifest that was made with them."""

import json
import shutil
import subprocess

import pytest

from pilotwire.charger import SOURCES
from pilotwire.device_build import compile_tree
from station import Connected, Lonely


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return compile_tree(tmp_path_factory.mktemp("build") / "device")


@pytest.fixture
def tree(built, tmp_path):
    shutil.copytree(built, tmp_path / "device")
    return tmp_path / "device"


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x20
    path.write_bytes(data)


def flip_a_letter(tree):
    """In a text, so that the file can still be imported."""
    path = tree / "pilotwire/tell/faults_en.mpy"
    flip(path, path.read_bytes().index(b"Lid is open"))


def remove_a_file(tree):
    (tree / "pilotwire/tell/tm1637.mpy").unlink()  # this board does not need it


def append_a_byte(tree):
    with (tree / "main.py").open("a") as file:
        file.write("\n")


def truncate_the_manifest(tree):
    path = tree / "manifest.txt"
    path.write_text("".join(path.read_text().splitlines(True)[:-4]))


def shorten_the_manifest(tree):
    lines = (tree / "manifest.txt").read_text().splitlines(True)
    (tree / "manifest.txt").write_text("".join(lines[5:]))


def empty_the_manifest(tree):
    (tree / "manifest.txt").write_text("")


@pytest.mark.parametrize("spoil", [
    flip_a_letter, remove_a_file, append_a_byte, truncate_the_manifest, shorten_the_manifest,
    empty_the_manifest,
])
def test_a_changed_file_is_7_7_for_this_life_and_the_contactor_never_closes(tree, tmp_path, spoil):
    spoil(tree)
    with Lonely(tmp_path / "s", firmware=tree) as station:
        charger = station.charger
        charger.advance(7)
        charger.do("plug", "generic")
        charger.do("ready")
        charger.advance(60)
        charger.do("unplug")
        charger.advance(20)
        assert station.shows("7-7") and station.shows("Software is damaged")
        assert not station.seen("contactor")


def test_it_passes_as_it_was_built_and_says_so(built, tmp_path):
    with Connected(tmp_path / "s", firmware=built) as station:
        station.charge(seconds=10)
        assert json.loads(station.backend.last["info"])["selftest"] == "passed"
        assert station.state()["faults"] == []


def test_the_next_start_of_a_repaired_tree_is_well(tree, built, tmp_path):
    flip_a_letter(tree)
    with Connected(tmp_path / "s", firmware=tree) as station:
        station.advance(10)
        assert station.state()["faults"] == ["7-7"]
        assert json.loads(station.backend.last["info"])["selftest"] == "failed"
        shutil.copyfile(built / "pilotwire/tell/faults_en.mpy", tree / "pilotwire/tell/faults_en.mpy")
        station.charger.do("power", "off")
        station.advance(1)
        station.charger.do("power", "on")
        station.advance(10)
        assert station.state()["faults"] == []


def test_sources_have_no_manifest_and_say_so(tmp_path):
    with Connected(tmp_path / "s", firmware=SOURCES) as station:
        station.advance(8)
        info = json.loads(station.backend.last["info"])
        assert (info["selftest"], info["config"]) == ("none", "own")


def test_the_manifest_names_each_file_once_and_sha256sum_agrees(built):
    lines = (built / "manifest.txt").read_text().splitlines()
    names = [line[66:] for line in lines[:-1]]
    there = [*(built / "pilotwire").rglob("*"), built / "boot.py", built / "main.py"]
    there = [path.relative_to(built).as_posix() for path in there if path.is_file()]
    assert sorted(names) == sorted(there) and lines[-1] == f"# {len(names)}"
    (built / "sums").write_text("\n".join(lines[:-1]) + "\n")
    subprocess.run(["sha256sum", "--quiet", "-c", "sums"], cwd=built, check=True)
    (built / "sums").unlink()
