"""An update that is cut short, by the power or by the cable, leaves an old or a new firmware, whole.

What the device writes to its flash during an update is noted, and its flash is put together again as it
was after each of these writes, and in the middle of each. The cable is pulled at some of the computer's.
"""

import json
import struct

import pytest
import serial

from micropython_port import run_script
from pilotwire import deploy
from pilotwire.cli import main
from serial_device import Device, build, files_of, newer, tiny
from test_deploy import READY, self_proved
from test_image import RAM

BIG = 0x100000

# As main.py and selftest.py look at it: which slot runs, and are its files those of its manifest.
LOOK = RAM + """
import struct
def whole(path, digest):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).digest().hex() == digest

def look():
    vfs.mount(Ram(), "/flash")
    os.chdir("/flash")
    try:
        slot = open("slot").read()
    except OSError:
        slot = "a"
    root = "b/" if slot[:1] == "b" else ""
    with open(root + "manifest.txt") as file:
        *lines, last = file.read().splitlines()
    good = last == "# %d" % len(lines) and all([whole(root + line[66:], line[:64]) for line in lines])
    with open(root + "pilotwire/start.py") as file:
        version = file.read().split("pilotwire ")[1].split()[0]
    json.loads(open("config.json").read())
    json.loads(open("board.json").read())
    vfs.umount("/flash")
    print(json.dumps([slot, version, good]))

with open(sys.argv[2], "rb") as file:
    log = file.read()
look()
at = 0
while at < len(log):
    address, length = struct.unpack_from("<II", log, at)
    data = log[at + 8 : at + 8 + length]
    at += 8 + length
    if not length:
        flash[address : address + 4096] = b"\\xff" * 4096
        look()
    for part in (data[: length // 2], data) if length else ():
        for k in range(len(part)):
            flash[address + k] &= part[k]
        look()
"""


@pytest.fixture
def send(monkeypatch, capsys):
    """send(device, tree): status of an update to this firmware, what was said."""

    def send(device, tree):
        monkeypatch.setattr(deploy, "compile_tree", lambda *_, **__: tree)
        monkeypatch.setattr(deploy, "_ARCH", "x64")
        capsys.readouterr()
        status = main(["deploy", "--no-wait", "--port", device.port])
        said = capsys.readouterr()
        return status, said.out + said.err

    return send


def states(tmp_path, files):
    """(slot, version, whole) of the flash before an update, and after each half write of it."""
    (tmp_path / "before").write_bytes(files)
    args = (str(tmp_path / "before"), str(tmp_path / "log"))
    return [json.loads(line) for line in run_script(LOOK, heap="8M", args=args).splitlines()]


def runs(states):
    """What ran, in the order of time, each once."""
    return [state for at, state in enumerate(states) if not at or states[at - 1] != state]


def test_at_every_write_to_flash_an_old_or_a_new_firmware_is_whole(tmp_path, send):
    files = files_of(tiny(tmp_path / "old", "0.0.1"), tmp_path / "files")
    with Device(tmp_path / "s", files, vfs_log=str(tmp_path / "log")) as device:
        device.charger.advance(2)
        assert send(device, tiny(tmp_path / "new", "0.0.2"))[0] == 0
    found = states(tmp_path, files)
    assert len(found) > 300
    assert runs(found)[:2] == [["a", "0.0.1", True], ["b+", "0.0.2", True]]
    assert {(version, whole) for _, version, whole in found} == {("0.0.1", True), ("0.0.2", True)}


@pytest.mark.parametrize("proved", [True, False])
def test_the_same_on_the_way_back_and_when_one_on_trial_is_given_up(tmp_path, send, proved):
    files = files_of(tiny(tmp_path / "old", "0.0.1"), tmp_path / "files")
    with Device(tmp_path / "1", files) as device:
        device.charger.advance(2)
        assert send(device, tiny(tmp_path / "two", "0.0.2"))[0] == 0
        if proved:
            self_proved(device)
        files = device.flash.read_bytes()
    with Device(tmp_path / "2", files, vfs_log=str(tmp_path / "log")) as device:
        device.charger.advance(2)
        assert send(device, tiny(tmp_path / "three", "0.0.3"))[0] == 0
    found = states(tmp_path, files)
    assert len(found) > 300
    ran = [(slot.rstrip("+"), version, whole) for slot, version, whole in runs(found)]
    assert ran[0] == ("b", "0.0.2", True)
    assert ran[-1] == (("a" if proved else "b"), "0.0.3", True)
    between = set() if proved else {("a", "0.0.1", True)}
    assert set(ran) == {ran[0], ran[-1]} | between


def cut(files, log, writes):
    """The file system as after so many writes, and half of the next one."""
    flash, at, count = bytearray(files), 0, 0
    while at < len(log) and count <= writes:
        address, length = struct.unpack_from("<II", log, at)
        data = log[at + 8 : at + 8 + length]
        at += 8 + length
        if not length:
            flash[address : address + 4096] = b"\xff" * 4096
        if count == writes:
            data = data[: length // 2]
        for k, byte in enumerate(data):
            flash[address + k] &= byte
        count += 1
    return bytes(flash)


@pytest.fixture(scope="module")
def update(tmp_path_factory):
    """(file system before, the writes, their number, after them) of an update of the real firmware."""
    folder = tmp_path_factory.mktemp("update")
    files = files_of(build(), folder / "files", size=BIG)
    new = newer(folder / "new")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deploy, "compile_tree", lambda *_, **__: new)
        patch.setattr(deploy, "_ARCH", "x64")
        with Device(folder / "s", files, vfs_log=str(folder / "log")) as device:
            device.charger.advance(2)
            assert main(["deploy", "--no-wait", "--port", device.port]) == 0
    log = (folder / "log").read_bytes()
    at = count = 0
    while at < len(log):
        at += 8 + struct.unpack_from("<II", log, at)[1]
        count += 1
    return files, log, count, (folder / "s/vfs.bin").read_bytes()


@pytest.mark.parametrize("place", [0.02, 0.5, 0.97, 1])
def test_cut_there_the_firmware_starts_and_charges(update, tmp_path, place):
    files, log, count, _ = update
    with Device(tmp_path / "s", cut(files, log, int(place * count))) as device:
        device.charger.advance(8)
        version = READY.match(device.said()[0]).groups()
        assert version == (("0.1.9", "b", "passed") if place == 1 else ("0.1.0", "a", "passed"))
        device.charge(seconds=6)


@pytest.fixture
def pull(monkeypatch):
    """pull(n): the cable is pulled at the n-th write from now on; its rest are left."""
    real = serial.Serial.write

    def pull(writes):
        left = [writes]

        def write_until_cut(port, data):
            left[0] -= 1
            if left[0] < 0:
                port.close()
                raise serial.SerialException("write failed: [Errno 5] Input/output error")
            return real(port, data)

        monkeypatch.setattr(serial.Serial, "write", write_until_cut)
        return left

    return pull


@pytest.mark.parametrize("write", [3, pytest.param(40, marks=pytest.mark.soak), 150])
def test_when_the_cable_is_pulled_it_restarts_by_itself_and_charges(send, tmp_path, write, pull):
    files = files_of(build(), tmp_path / "files", size=BIG)
    new = newer(tmp_path / "new")
    with Device(tmp_path / "s", files) as device:
        device.charger.advance(8)
        device.said()
        pull(write)
        status, said = send(device, new)
        assert status == 1 and "connection to" in said and "was lost" in said
        assert write < 10 or "old firmware, and starts it by itself within a minute" in said
        device.charger.look()  # it has gone on by itself
        # Stopped, and not yet told to listen for a minute: the ten minutes of its prompt.
        device.charger.advance(605 if write < 10 else 65)
        ready = [found.groups() for found in map(READY.match, device.said()) if found]
        assert ready[-1] == ("0.1.0", "a", "passed")
        device.charger.advance(35)
        device.charge(seconds=6)
        device.charger.do("unplug")
        device.charger.advance(5)
        pull(1 << 30)
        assert send(device, new)[0] == 0


@pytest.mark.soak
def test_pulled_at_every_single_write_it_starts_the_old_or_the_new_one(send, tmp_path, pull):
    """Until an update gets through; each begins with what the one before has left."""
    files = files_of(tiny(tmp_path / "old", "0.0.1"), tmp_path / "files")
    new = tiny(tmp_path / "new", "0.0.2")
    with Device(tmp_path / "s", files) as device:
        device.charger.advance(2)
        for writes in range(1000):
            device.charger.look()
            device.charger.do("power", "off")
            device.charger.advance(1)
            device.said()
            device.charger.do("power", "on")
            device.charger.advance(3)
            (ready,) = filter(None, map(READY.search, device.said()))
            assert ready.groups() == ("0.0.1", "a", "passed"), writes
            left = pull(writes)
            if send(device, new)[0] == 0 and left[0] >= 0:
                break
        assert 50 < writes < 1000


def test_the_notes_of_the_flash_are_what_is_in_it(update):
    """Else the tests above would look at something else."""
    files, log, count, after = update
    assert files != cut(files, log, count) == after
