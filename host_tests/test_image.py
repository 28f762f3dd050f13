"""`pilotwire image`: what is in the file, that it boots and charges, and what is refused.

No chip has seen such an image. The stock .bin is made up (stock_bin.py).
"""

import hashlib
import json
import stat
import struct

import pytest

from micropython_port import run_script
from pilotwire import file_system, image, partitions, stock
from pilotwire.charger import ROOT
from pilotwire.cli import main
from pilotwire.device_build import compile_tree, write_manifest
from pilotwire.esp_image import ImageError
from station import BOARD, Lonely, variant
from stock_bin import PARTITIONS, WITHOUT_VFS, application, esp_image, stock_bin, table

BEGIN = 0x1000
TABLE = 0x8000 - BEGIN
APP = 0x10000 - BEGIN
GREETING = b"MicroPython v1.16-237-g1613dc8a1 on 2021-08-30; Generic ESP32 module with ESP32\0"
CONFIG = {"device": "garage", "installation_a": 16, "ssid": "", "wifi_password": "very secret"}

# A partition's bytes for MicroPython's own littlefs, mounted as the chip's _boot.py does.
RAM = """
import hashlib, json, os, sys, vfs
with open(sys.argv[1], "rb") as file:
    flash = bytearray(file.read())

class Ram:
    def readblocks(self, block, buf, offset=0):
        at = block * 4096 + offset
        buf[:] = memoryview(flash)[at : at + len(buf)]
    def writeblocks(self, block, buf, offset=None):
        at = block * 4096 + (offset or 0)
        flash[at : at + len(buf)] = buf
    def ioctl(self, command, argument):
        if command == 6:
            flash[argument * 4096 : argument * 4096 + 4096] = b"\\xff" * 4096
        return {4: len(flash) // 4096, 5: 4096}.get(command, 0)
"""

# Copies all files out.
UNPACK = RAM + """
def copy(at, to):
    for name, kind, *_ in os.ilistdir(at):
        if kind == 0x4000:
            os.mkdir(to + "/" + name)
            copy(at + "/" + name, to + "/" + name)
        else:
            with open(at + "/" + name, "rb") as one, open(to + "/" + name, "wb") as other:
                other.write(one.read())

vfs.mount(Ram(), "/flash")
copy("/flash", sys.argv[2])
block, _, blocks, free = os.statvfs("/flash")[:4]
with open("/flash/config.good.json", "w") as file:
    file.write("{}")
times = [os.stat("/flash/" + name)[8] for name in ("boot.py", "main.py", "board.json")]
print(json.dumps([block, blocks, free, times, sorted(os.listdir("/flash"))]))
"""

# The new file system is written over the old one, a block at a time; the SHA-256 of all files before, and
# after each, and whether the firmware would pass its own and could read its settings.
OVERWRITE = RAM + """
with open(sys.argv[2], "rb") as file:
    new = file.read()

def sums(at, found):
    for name, kind, *_ in os.ilistdir(at):
        if kind == 0x4000:
            sums(at + "/" + name, found)
        else:
            with open(at + "/" + name, "rb") as file:
                found[at[6:] + "/" + name] = hashlib.sha256(file.read()).digest().hex()
    return found

def look():
    try:
        vfs.mount(Ram(), "/flash")
        found = sums("/flash", {})
        with open("/flash/manifest.txt") as file:
            listed = [line.split() for line in file if line[0] != "#"]
        for name in ("board", "config"):
            with open("/flash/" + name + ".json") as file:
                json.load(file)
        print(json.dumps([found, all(found.get("/" + name) == digest for digest, name in listed)]))
    except (OSError, ValueError):
        print(json.dumps([None, False]))
    try:
        vfs.umount("/flash")
    except OSError:
        pass

look()
for block in range(0, len(new), 4096):
    if flash[block : block + 4096] != new[block : block + 4096]:
        flash[block : block + 4096] = new[block : block + 4096]
        look()
"""


def arguments(tmp_path, data=None, *, config=None, board="reference-3p"):
    (tmp_path / "stock.bin").write_bytes(stock_bin() if data is None else data)
    words = ["image", str(tmp_path / "stock.bin"), "--board", str(board), "-o", str(tmp_path / "out.bin")]
    if config is not None:
        text = config if isinstance(config, str) else json.dumps(config)
        (tmp_path / "config.json").write_text(text)
        words += ["--config", str(tmp_path / "config.json")]
    return words


def refused(words, capsys):
    """The one line that is said; nothing is written."""
    capsys.readouterr()
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("pilotwire image: ")
    assert len(said.err.splitlines()) == 1, said.err
    return said.err


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(stock, image) for the chip, with a configuration, made by the command."""
    folder = tmp_path_factory.mktemp("image")
    assert main(arguments(folder, config=CONFIG)) == 0
    return (folder / "stock.bin").read_bytes(), (folder / "out.bin").read_bytes()


def unpack(data, folder, at=PARTITIONS[3][3]):
    """What MicroPython's littlefs says of the vfs in an image; its files lie in folder/device."""
    folder.mkdir(exist_ok=True)
    (folder / "vfs.bin").write_bytes(data[at - BEGIN :])
    (folder / "device").mkdir()
    return json.loads(run_script(
        UNPACK, heap="16M", args=(str(folder / "vfs.bin"), str(folder / "device"))
    ))


# What is in it ------------------------------------------------------------------------------


def test_the_same_input_makes_the_same_bytes(made, tmp_path):
    assert main(arguments(tmp_path, config=CONFIG)) == 0
    assert (tmp_path / "out.bin").read_bytes() == made[1]


def test_bootloader_and_application_are_untouched(made):
    before, after = made
    assert after[: 0x8000 - BEGIN] == before[: 0x8000 - BEGIN]
    assert after[0x9000 - BEGIN : len(before)] == before[0x9000 - BEGIN :]
    assert set(after[len(before) : 0x200000 - BEGIN]) == {0xFF}


def test_the_new_table_is_whole_and_gives_the_end_of_vfs_to_the_journal(made):
    found = made[1][0x8000 - BEGIN :][:0xC00]
    rows = []
    while found[:2] == b"\xaa\x50":
        _, kind, subtype, at, size, name, flags = struct.unpack("<HBBII16sI", found[:32])
        rows.append((name.rstrip(b"\0").decode(), kind, subtype, at, size))
        assert flags == 0
        found = found[32:]
    assert rows == [
        *PARTITIONS[:3], ("vfs", 1, 0x81, 0x200000, 0x1E0000), ("journal", 1, 6, 0x3E0000, 0x20000),
    ]
    entries = made[1][0x8000 - BEGIN :][: 32 * len(rows)]
    assert found[:32] == b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(entries).digest()
    assert set(found[32:]) == {0xFF}


@pytest.mark.parametrize("given, at", [
    (WITHOUT_VFS, 0x200000), ((*WITHOUT_VFS[:2], ("factory", 0, 0, 0x10000, 0x210000)), 0x220000),
])
def test_files_lie_where_a_micropython_whose_table_has_no_vfs_would_make_it(given, at, tmp_path):
    made = image.build(stock.parse(stock_bin(partitions=table(given))), BOARD)
    rows = [(p.name, p.type, p.subtype, p.at, p.size) for p in partitions.parse(made.data[TABLE:])]
    assert rows == [*given, ("vfs", 1, 0x81, at, 0x3E0000 - at), ("journal", 1, 6, 0x3E0000, 0x20000)]
    assert len(made.data) + BEGIN == 0x3E0000
    assert unpack(made.data, tmp_path / "u", at)[1] == (0x3E0000 - at) // 4096
    assert (tmp_path / "u/device/board.json").read_bytes() == BOARD.read_bytes()


def test_it_ends_before_the_journal_so_that_records_stay(made):
    assert len(made[1]) + BEGIN == 0x3E0000


def test_micropython_mounts_the_files_and_they_are_all_there(made, tmp_path):
    block, blocks, free, times, names = unpack(made[1], tmp_path / "u")
    assert (block, blocks) == (4096, 0x1E0000 // 4096)
    assert free * 4 >= blocks
    assert times == [0, 0, 0]
    assert names == [
        "board.json", "boot.py", "config.good.json", "config.json", "main.py", "manifest.txt",
        "pilotwire",
    ]
    device = tmp_path / "u/device"
    assert (device / "board.json").read_bytes() == BOARD.read_bytes()
    assert json.loads((device / "config.json").read_text()) == CONFIG
    lines = (device / "manifest.txt").read_text().splitlines()
    for line in lines[:-1]:
        assert hashlib.sha256((device / line[66:]).read_bytes()).hexdigest() == line[:64]
    code = sorted(device.rglob("*.mpy"))
    assert lines[-1] == f"# {len(code) + 2}"
    native = [file for file in code if file.read_bytes()[2] >> 2 & 0x3F]
    assert {file.read_bytes()[2] >> 2 & 0x3F for file in native} == {10}, "native code is xtensawin"


def test_cut_short_over_an_older_image_it_never_leaves_a_mixture_that_passes_for_whole(
    made, tmp_path, monkeypatch,
):
    """Whatever passes the self-test and has settings that can be read is all of one image."""

    def older(tree, **options):
        compile_tree(tree, **options)
        for file in tree.rglob("*.mpy"):
            file.write_bytes(file.read_bytes() + b"\0")
        write_manifest(tree)

    monkeypatch.setattr(image, "compile_tree", older)
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, "installation_a": 32}))
    board = tmp_path / "board.json"  # of the same length, as are the settings
    board.write_text(BOARD.read_text().replace('"rated_a": 63', '"rated_a": 32'))
    old = image.build(stock.parse(stock_bin()), board, tmp_path / "config.json")
    for name, data in (("old", old.data), ("new", made[1])):
        (tmp_path / name).write_bytes(data[0x200000 - BEGIN :])
    out = run_script(OVERWRITE, heap="32M", args=(str(tmp_path / "old"), str(tmp_path / "new")))
    steps = [json.loads(line) for line in out.splitlines()]
    before, after = steps[0][0], steps[-1][0]
    assert steps[0][1] and steps[-1][1] and len(before) == len(after) == 57
    differ = {name for name in before if before[name] != after[name]}
    assert {"/board.json", "/config.json", "/manifest.txt"} < differ
    assert sum(not passes for _, passes in steps) > 30
    assert all(files in (before, after) for files, passes in steps if passes)


def test_its_boot_and_main_charge_a_car_from_that_file_system(tmp_path):
    """The same, but native code for this computer; the journal holds what a stock device left there."""
    base = stock.parse(stock_bin())
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    unpack(image.build(base, BOARD, tmp_path / "config.json", arch="x64").data, tmp_path / "u")
    device = tmp_path / "u/device"
    (tmp_path / "s").mkdir()
    (tmp_path / "s/journal.bin").write_bytes((b"\xf0\x0f\xff\xf7littlefs" * 11000)[:0x20000])
    station = Lonely(
        tmp_path / "s", firmware=device, board=device / "board.json",
        config=json.loads((device / "config.json").read_text()),
    )
    with station:
        station.charger.advance(7)
        station.charge(amps=16, seconds=20)
        assert "16.0 A" in station.text()
        station.charger.do("unplug")
        station.charger.advance(5)
        assert not station.charger.look()["closed"]
        said = [event["text"] for event in station.seen("console")]
        assert said == ["pilotwire 0.1.0 ready in a, self-test passed"]


# What is said, and who may read it ----------------------------------------------------------


def test_it_says_what_it_made_and_how_to_write_it(tmp_path, capsys):
    assert main(arguments(tmp_path)) == 0
    said = capsys.readouterr().out
    for words in (
        "4059136 bytes for 0x1000", "micropython v1.24.1", "1920 KB", "% free", "journal, 128 KB",
        "left out: the stock firmware has it", "7-6", "cable is pulled", "real device",
        f"esptool --chip esp32 --port PORT --baud 460800 write-flash 0x1000 {tmp_path}/out.bin",
    ):
        assert words in said, words


def test_only_the_owner_may_read_an_image_with_settings(tmp_path):
    (tmp_path / "out.bin").write_bytes(b"old")
    (tmp_path / "out.bin").chmod(0o644)
    assert main(arguments(tmp_path, config=CONFIG)) == 0
    assert stat.S_IMODE((tmp_path / "out.bin").stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.json", "out.bin", "stock.bin"]


def test_umqtt_goes_in_where_the_stock_firmware_has_none(tmp_path, capsys):
    assert main(arguments(tmp_path, stock_bin(app=application(frozen=b"")))) == 0
    assert "put in" in capsys.readouterr().out
    unpack((tmp_path / "out.bin").read_bytes(), tmp_path / "u")
    assert (tmp_path / "u/device/umqtt/simple.mpy").is_file()


def test_the_authority_that_the_settings_name_goes_along(tmp_path):
    (tmp_path / "ca.der").write_bytes(b"\x30\x82")
    config = {**CONFIG, "broker": {"host": "h", "tls": True, "ca": "ca.der"}}
    assert main(arguments(tmp_path, config=config)) == 0
    unpack((tmp_path / "out.bin").read_bytes(), tmp_path / "u")
    assert (tmp_path / "u/device/ca.der").read_bytes() == b"\x30\x82"


# What is refused ----------------------------------------------------------------------------


def parts(*, without=(), **sizes):
    """PARTITIONS with other (offset, size)."""
    return table([(name, kind, sub, *sizes.get(name, (at, size)))
                  for name, kind, sub, at, size in PARTITIONS if name not in without])


def damaged(data, at):
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


GOOD = stock_bin()


@pytest.mark.parametrize("data, words", [
    (b"", "too short: the bootloader is missing"),
    (b"\x7fELF" + GOOD[4:], "no ESP32 image: the bootloader begins with 0x7F, not 0xE9"),
    (stock_bin(bootloader=esp_image(b"s3", chip=9)), "this is for the ESP32-S3, not for the ESP32"),
    (stock_bin(bootloader=esp_image(b"c3", chip=5)), "this is for the ESP32-C3, not for the ESP32"),
    (stock_bin(bootloader=esp_image(b"?", chip=77)), "this is for the chip 77, not for the ESP32"),
    (stock_bin(app=application(chip=2)), "this is for the ESP32-S2, not for the ESP32"),
    (damaged(GOOD, 100), "the bootloader is damaged: its checksum is wrong"),
    (GOOD[:TABLE], "too short: the partition table at 0x8000 is missing"),
    (stock_bin(bootloader=esp_image(bytes(0x7000))[:0x7000]), "too short: the bootloader is cut off"),
    (stock_bin(partitions=b"\xff" * 0xC00), "there is no partition table at 0x8000"),
    (damaged(GOOD, TABLE + 8), "the partition table is damaged: its MD5 is missing or wrong"),
    (stock_bin(partitions=parts(without=("vfs",), factory=(0x10000, 0x3E0000))), "vfs has 64 KB: too"),
    (stock_bin(partitions=table((*PARTITIONS[:2], PARTITIONS[3]))), "has no application"),
    (stock_bin(partitions=parts(factory=(0x10000, 0x1F1000))), "partitions factory and vfs overlap"),
    (stock_bin(partitions=parts(nvs=(0x8000, 0x6000))), "nvs overlaps the partition table"),
    (stock_bin(bootloader=esp_image(b"2 MB", flash=1)), "vfs ends behind the 2 MB of flash"),
    (stock_bin(partitions=parts(factory=(0x10000, 0x4000))), "the application overlaps: 20368 bytes"),
    (GOOD[:-1], "too short: the application is cut off"),
    (GOOD[:APP], "too short: the application is missing"),
    (damaged(GOOD, APP + 5000), "the application is damaged: its checksum is wrong"),
    (damaged(GOOD, len(GOOD) - 1), "the application is damaged: its SHA-256 is wrong"),
    (stock_bin(app=application("v1.23.0")), "micropython v1.23.0 is too old: v1.24 or newer"),
    (stock_bin(app=esp_image(b"\0" * 200 + GREETING)), "micropython v1.16-237-g1613dc8a1 is too old"),
    (GOOD.ljust(0x200000 - BEGIN, b"\xff") + b"files", "this is no stock image"),
    (stock_bin(partitions=table((*PARTITIONS, ("journal", 1, 6, 0x400000, 0)))), "no stock image"),
    (stock_bin(partitions=parts(vfs=(0x200000, 0x20000))), "vfs has 128 KB: too small"),
    (stock_bin(partitions=parts(vfs=(0x200000, 0x40000))), "the file system is full"),
])
def test_a_bad_stock_image_is_named_in_one_line(data, words, tmp_path, capsys):
    said = refused(arguments(tmp_path, data), capsys)
    assert words in said
    assert not (tmp_path / "out.bin").exists()


def test_a_quarter_of_the_file_system_stays_free(tmp_path):
    (tmp_path / "files").mkdir()
    for number in range(10):
        (tmp_path / f"files/{number}").write_bytes(bytes(4096))
    assert file_system.make(tmp_path / "files", 16 * 4096)[1:] == (12, 10)  # 2 are the root's
    (tmp_path / "files/more").write_bytes(bytes(4096))
    with pytest.raises(ImageError, match="13 of 16 blocks are used, and a quarter must stay free"):
        file_system.make(tmp_path / "files", 16 * 4096)


def test_files_that_are_not_there_are_named(tmp_path, capsys):
    words = arguments(tmp_path, config=CONFIG)
    missing = {1: "nothing.bin", 3: "nothing", 7: "nothing.json", 5: "/dev/null/out.bin"}
    said = {at: refused([*words[:at], name, *words[at + 1 :]], capsys) for at, name in missing.items()}
    assert "nothing.bin cannot be read: No such file" in said[1]
    assert "there is no board 'nothing'; there are " in said[3]
    assert "nothing.json cannot be read" in said[7]
    assert "/dev/null/out.bin cannot be written" in said[5]


def test_the_image_does_not_replace_what_it_is_made_of(tmp_path, capsys):
    words = arguments(tmp_path)
    assert "is what the image is made of" in refused([*words[:5], words[1]], capsys)
    assert (tmp_path / "stock.bin").read_bytes() == GOOD


@pytest.mark.parametrize("changes, words", [
    ({"rated_a": 100}, "board.json: rated_a: it must be 6 to 80, not 100"),
    ({"contactor": {"pin": 4}}, "contactor.pin, GPIO 4: boot.py does not let it go first"),
    ({"meter": {"chip": "atm90e23"}}, "board.json: meter.chip: it must be atm90e32 or"),
    ({"rcm": 5}, "board.json: rcm: it must be an object, not 5"),
    ({"rated_a": 100, "rcm": 5}, "(and 3 more: pilotwire board check)"),
    ({"led": {"kind": "ws2812", "pin": 2}}, "led.pin, GPIO 2: it is a strapping pin"),
])
def test_a_board_with_an_error_is_refused_with_its_first_one(changes, words, tmp_path, capsys):
    assert words in refused(arguments(tmp_path, board=variant(tmp_path / "b", **changes)), capsys)


@pytest.mark.parametrize("config, words", [
    ({"device": "garage"}, "config.json: installation_a must be a number from 6 to 80"),
    ({**CONFIG, "device": "My Garage"}, "config.json: device must be 1 to 32 of a-z, 0-9 and -"),
    ({**CONFIG, "broker": {"host": "h", "tls": True, "ca": "ca.der"}}, "broker.ca must name a file"),
    ("{", "config.json cannot be read: "),
    ("[]", "config.json must hold an object"),
])
def test_settings_that_the_firmware_refuses_are_refused_in_its_words(config, words, tmp_path, capsys):
    assert words in refused(arguments(tmp_path, config=config), capsys)


def test_the_readme_has_the_command_and_says_that_no_device_has_seen_it():
    text = (ROOT / "README.md").read_text()
    assert ".venv/bin/pilotwire image " in text
    assert "has never been written to a real device" in " ".join(text.split())
