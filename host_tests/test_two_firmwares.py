"""main.py and its two firmwares: which one runs, and that one which does not prove itself is taken back.

Played in plain folders; that the file system of a chip bears it, test_deploy_cuts.py tells.
"""

import re
import shutil

import pytest

from pilotwire.device_build import write_manifest
from serial_device import build, newer, tiny
from station import Lonely

READY = re.compile(r"pilotwire (\S+) ready in ([ab]), self-test (\w+)")


@pytest.fixture
def station(tmp_path):
    """station(new, slot): the old firmware is the built one, the new one, a tree, lies in b."""
    open_ones = []

    def start(new, slot):
        folder = tmp_path / "s"
        folder.mkdir()
        if new:
            shutil.copytree(new, folder / "b")
            manifest = folder / "b/manifest.txt"
            text = manifest.read_text()
            for name in ("boot.py", "main.py"):
                shutil.copyfile(new / name, folder / name)
                text = text.replace(f"  {name}", f"  ../{name}")
            manifest.write_text(text)
        if slot is not None:
            (folder / "slot").write_text(slot)
        open_ones.append(Lonely(folder, firmware=build()))
        return open_ones[-1]

    yield start
    for one in open_ones:
        one.charger.stop()


def starts(station):
    """(version, slot, self-test) of each start that came to its end."""
    return [READY.fullmatch(line).groups() for line in station.charger.console if READY.match(line)]


def slot(station):
    return (station.folder / "slot").read_text()


def restart(station):
    station.charger.do("power", "off")
    station.charger.advance(1)
    station.charger.do("power", "on")
    station.charger.advance(4)


@pytest.mark.parametrize("text", [None, "", "a", "x"])
def test_without_a_word_for_b_the_one_at_the_root_runs(station, tmp_path, text):
    s = station(newer(tmp_path / "new"), text)
    s.charger.advance(4)
    assert starts(s) == [("0.1.0", "a", "passed")]


def test_b_runs_charges_and_tests_its_own_files(station, tmp_path):
    s = station(newer(tmp_path / "new"), "b")
    s.charger.advance(7)
    s.charge(seconds=8)
    assert starts(s) == [("0.1.9", "b", "passed")]
    assert slot(s) == "b"


def test_a_changed_file_in_b_is_7_7_there(station, tmp_path):
    new = newer(tmp_path / "new")
    path = new / "pilotwire/tell/faults_en.mpy"
    path.write_bytes(path.read_bytes().replace(b"Lid is open", b"Lid is Open"))
    s = station(new, "b")
    s.charger.advance(4)
    assert starts(s) == [("0.1.9", "b", "failed")]
    assert s.shows("7-7")


def test_a_changed_start_file_is_7_7_in_b_too(station, tmp_path):
    s = station(newer(tmp_path / "new"), "b")
    path = s.folder / "main.py"
    path.write_text(path.read_text() + "\n")
    s.charger.advance(4)
    assert starts(s)[0][2] == "failed"


def test_a_new_one_is_proved_after_a_minute_without_a_car(station, tmp_path):
    s = station(newer(tmp_path / "new"), "b+")
    s.charger.advance(50)
    assert slot(s) == "b++"
    s.charge(seconds=40)
    assert slot(s) == "b++"
    s.charger.do("unplug")
    s.charger.advance(3)
    assert slot(s) == "b"
    for _ in range(5):
        restart(s)
    assert {which for _, which, _ in starts(s)} == {"b"}


def test_a_minute_with_a_fault_proves_nothing(station, tmp_path):
    s = station(newer(tmp_path / "new"), "b+")
    s.charger.do("mains_v", [28000])
    s.charger.advance(90)
    assert slot(s) == "b++"
    s.charger.do("mains_v", [23000])
    s.charger.advance(100)
    assert slot(s) == "b"


def test_the_fourth_start_of_one_that_is_not_proved_is_the_old_ones(station, tmp_path):
    s = station(newer(tmp_path / "new"), "b+")
    s.charger.advance(4)
    for _ in range(4):
        restart(s)
    assert [which for _, which, _ in starts(s)] == ["b", "b", "b", "a", "a"]
    assert slot(s) == "a"
    s.charger.advance(5)
    s.charge(seconds=5)


def test_b_takes_the_place_of_a_that_is_not_proved(station, tmp_path):
    s = station(newer(tmp_path / "new"), "a++++")
    s.charger.advance(4)
    assert starts(s) == [("0.1.9", "b", "passed")]
    assert slot(s) == "b"


def test_a_start_that_cannot_be_counted_is_the_proved_ones_and_ends_the_trial(station, tmp_path):
    """Flash that takes no `slot`: were the new one started, nothing would ever take it back."""
    s = station(newer(tmp_path / "new"), "b+")
    (s.folder / "slot.new").mkdir()
    s.charger.advance(4)
    assert starts(s) == [("0.1.0", "a", "passed")]
    (s.folder / "slot.new").rmdir()
    s.charger.advance(70)
    assert slot(s) == "a"  # it has proved itself, not the one that it knows nothing of


def test_settings_that_cannot_be_copied_do_not_keep_a_new_one_on_trial(station, tmp_path):
    s = station(newer(tmp_path / "new"), "b+")
    (s.folder / "config.new.json").mkdir()
    s.charger.advance(65)
    assert slot(s) == "b"
    (s.folder / "config.new.json").rmdir()
    s.charger.advance(65)
    assert (s.folder / "config.good.json").exists()


def test_a_new_one_that_may_not_charge_ends_its_trial_by_itself(station, tmp_path):
    new = newer(tmp_path / "new")
    path = new / "pilotwire/tell/faults_en.mpy"
    path.write_bytes(path.read_bytes().replace(b"Lid is open", b"Lid is Open"))
    s = station(new, "b+")
    s.charger.advance(3 * 190)
    assert [which for _, which, _ in starts(s)] == ["b", "b", "b", "a"]
    s.charger.advance(31)
    s.charge(seconds=5)


def crashing(folder):
    """A whole firmware that ends with an exception in run()."""
    newer(folder)
    path = folder / "pilotwire/control.mpy"
    assert b"kbd_intr" in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(b"kbd_intr", b"kbd_intx"))
    write_manifest(folder)
    return folder


def test_the_old_one_is_not_to_blame_for_the_ends_of_a_trial(station, tmp_path):
    """Three ends within ten minutes are 7-5, which asks for a visit: not when they were of a trial."""
    s = station(crashing(tmp_path / "new"), "b+")
    s.charger.advance(20)
    assert [which for _, which, _ in starts(s)] == ["b", "b", "b", "a"]
    s.charger.advance(31)
    s.charge(seconds=5)


def test_a_proved_one_that_hangs_at_its_start_is_started_again(station, tmp_path):
    s = station(tiny(tmp_path / "new", "0.9.9", start=HANG), "b")
    s.charger.advance(200)
    assert 3 <= len(s.seen("boot")) <= 4


HANG = "while True: __import__('time').sleep(1)"


@pytest.mark.parametrize("kind", [
    {"start": "raise ValueError('no good')"},
    {"start": HANG},
    {"run": "raise MemoryError"},
    {"run": HANG},
], ids=["fails to start", "hangs at the start", "ends", "hangs"])
def test_one_that_crashes_or_hangs_is_taken_back_without_help(station, tmp_path, kind):
    s = station(tiny(tmp_path / "new", "0.9.9", **kind), "b+")
    s.charger.advance(4 * 63)
    assert starts(s)[-1] == ("0.1.0", "a", "passed")
    assert len(s.seen("boot")) == 4
    assert slot(s) == "a"
    s.charger.advance(31)
    s.charge(seconds=5)
