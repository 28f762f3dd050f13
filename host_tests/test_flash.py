"""`pilotwire flash`: an image onto a chip's loader, and the firmware's first word.

With the real esptool where it is installed, against a loader that is played (rom_loader.py); what it says
when something is wrong is also played by a stand-in for it, in its own words of v5.6.
"""

import json
import os
import shutil
import stat
import subprocess
from types import SimpleNamespace

import pytest
import serial

from pilotwire import device, ending, first_minute, flash, halt, image
from pilotwire.cli import main
from pilotwire.first_minute import Console
from rom_loader import ESP32_S2, Loader
from serial_device import BOARD, CONFIG, Device, build, files_of, open_terminal
from stock_bin import stock_bin
from test_first_minute import END, LINE, Played
from test_image import GOOD, damaged

VFS = slice(0x200000, 0x3E0000)
REAL = shutil.which("esptool") or shutil.which("esptool.py")
UNTOUCHED, HALF_IMAGE = ending.UNTOUCHED.text, ending.HALF_IMAGE.text
needs_esptool = pytest.mark.skipif(not REAL, reason="esptool is not installed: pip install esptool")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A loader is silent anyway, and the firmware is built for this computer, once."""
    monkeypatch.setattr(halt, "_ANSWER_S", 0.2)
    monkeypatch.setattr(flash, "_READY_S", 20)
    monkeypatch.setattr(
        image, "compile_tree", lambda tree, **_: shutil.copytree(build(), tree, dirs_exist_ok=True)
    )


@pytest.fixture
def files(tmp_path):
    """Words for a stock MicroPython with a board and settings."""
    (tmp_path / "stock.bin").write_bytes(stock_bin())
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    return [str(tmp_path / "stock.bin"), "--board", "reference-3p", "--config",
            str(tmp_path / "config.json")]


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """stand_in(what it says, its exit status): a program called esptool that only says that; the words
    that it was given are in the file `asked`."""

    def make(text, status, version="esptool v5.6.0"):
        folder = tmp_path / "stand-in"
        folder.mkdir()
        (folder / "said").write_text(text)
        program = folder / "esptool"
        program.write_text(
            f'#!/bin/sh\n[ "$1" = version ] && echo "{version}" && exit\n'
            f'echo "$@" > {folder}/asked\ncat {folder}/said\nexit {status}\n'
        )
        program.chmod(0o755)
        monkeypatch.setattr(flash, "esptool", lambda: [str(program)])
        return folder / "asked"

    return make


class Chip(Loader):
    """The loader, and when it has been written and reset the device that is in its flash."""

    def __init__(self, folder, **options):
        self.device = None
        self._folder = folder
        super().__init__(on_reset=self._start, **options)

    def _start(self, master):
        files = bytes(self.flash[VFS])
        self.device = Device(self._folder, files, board=BOARD, terminal=(master, self.port))

    def __exit__(self, *_):
        super().__exit__()
        if self.device:
            self.device.charger.stop()


# With the real one ------------------------------------------------------------------------------------


@needs_esptool
def test_stock_board_and_settings_become_a_device_that_reports_and_charges(tmp_path, files, capsys):
    with Chip(tmp_path / "s") as chip:
        assert main(["flash", *files, "--port", chip.port, "--no-wait"]) == 0
        said = capsys.readouterr().out
        assert "Hash of data verified" in said
        assert said.splitlines()[-2] == "the device runs 0.1.0, self-test passed"
        assert "started, not yet proved" in said
        assert set(chip.flash[0x3E0000:]) == {0xFF}  # the journal is left alone
        chip.device.charger.advance(8)
        chip.device.charge(seconds=6)
    assert not [path for path in tmp_path.rglob("pilotwire.bin")]


@needs_esptool
def test_a_whole_image_is_taken_as_it_is(tmp_path, files, capsys):
    out = tmp_path / "out.bin"
    assert main(["image", *files, "-o", str(out)]) == 0
    with Chip(tmp_path / "s") as chip:
        assert main(["flash", str(out), "--port", chip.port, "--no-wait"]) == 0
        data = out.read_bytes()
        assert chip.flash[0x1000 : 0x200000] == data[: 0x1FF000]
        assert "self-test passed" in capsys.readouterr().out


@needs_esptool
@pytest.mark.parametrize("options, words, state", [
    ({"magic": ESP32_S2}, "the chip is an ESP32-S2", UNTOUCHED),
    ({"damage": True}, "what is in the flash is not what was sent", HALF_IMAGE),
    ({"cut": 1}, "was lost", HALF_IMAGE),
], ids=["another chip", "damaged", "cable pulled"])
def test_what_can_go_wrong_is_told_with_the_state_of_the_chip(files, capsys, options, words, state):
    with Loader(**options) as loader:
        assert main(["flash", *files, "--port", loader.port]) == 1
        said = capsys.readouterr().err
        assert words in said and state in said, said
        assert (set(loader.flash) == {0xFF}) == (state == UNTOUCHED)


# What it says, played ---------------------------------------------------------------------------------


def told(text):
    """What is said when esptool has failed with these words."""
    return ending.line(flash.trouble(text, "/dev/ttyX"), flash.come_to(text))


WRITING = "Compressed 4059136 bytes to 130000...\nWriting at 0x00010000 [===>    ] 30.0%\n"
FATAL = "ERROR: A fatal error occurred: "


@pytest.mark.parametrize("text, words, state", [
    (FATAL + "This chip is ESP32-S3, not ESP32. Wrong chip argument?", "an ESP32-S3", UNTOUCHED),
    (FATAL + "This chip is ESP32-C3 not ESP32. Wrong --chip argument?", "an ESP32-C3", UNTOUCHED),
    (FATAL + "Failed to connect to ESP32: No serial data received.", "hold its boot", UNTOUCHED),
    (FATAL + "Could not open /dev/ttyUSB0, the port is busy or doesn't exist.\n([Errno 16] busy)",
     "another program", UNTOUCHED),
    (FATAL + "Could not open /dev/ttyUSB0, the port is busy or doesn't exist.\n([Errno 13] Permission",
     "dialout", UNTOUCHED),
    (WRITING + FATAL + "Packet content transfer stopped (received 8 bytes)", "lost", HALF_IMAGE),
    (WRITING + "A serial exception error occurred: device disconnected", "lost", HALF_IMAGE),
    (WRITING + FATAL + "No serial data received.", "does not answer", HALF_IMAGE),
    (WRITING + FATAL + "MD5 of file does not match data in flash!", "not what was sent", HALF_IMAGE),
    (FATAL + "the moon is full", "the moon is full. Nothing", UNTOUCHED),
])
def test_its_troubles_in_plain_words(text, words, state):
    said = told("WARNING: The device may be disconnected\n" + text)
    assert words.lower() in said.lower() and state in said
    assert (UNTOUCHED in said) != (HALF_IMAGE in said)


@pytest.mark.parametrize("version, word", [
    ("esptool v5.6.0", "write-flash"), ("esptool.py v4.7.0", "write_flash"),
])
def test_its_command_line_is_that_of_its_version(stand_in, version, word):
    stand_in("", 0, version)
    command = flash.words(flash.esptool(), "/dev/ttyX", 460800, "a.bin")
    assert command[1:] == [
        "--chip", "esp32", "--port", "/dev/ttyX", "--baud", "460800", word, "0x1000", "a.bin"]


def test_one_that_has_not_compared_is_not_believed(stand_in, files, capsys):
    asked = stand_in(WRITING, 0)
    with Loader() as loader:
        assert main(["flash", *files, "--port", loader.port]) == 1
    assert "did not say that it has compared" in capsys.readouterr().err
    assert "write-flash 0x1000" in asked.read_text()


READY = "pilotwire 0.1.0 ready in a, self-test passed\r\n"


@pytest.mark.parametrize("said, words", [
    (READY + LINE + " rec=0 f=[]\r\n", "run for a minute, without a fault"),
    (READY + LINE + ' rec=0 f=["7-6"]\r\n', "run for a minute, with 7-6 on its display"),
    (END, "the firmware does not start: MemoryError: no"),
    (READY + END + READY, "the firmware does not run: it ends with MemoryError: no"),
    (READY, "no word from the firmware in its first minute"),
])
def test_the_first_line_of_health_is_waited_for(monkeypatch, capsys, said, words):
    monkeypatch.setattr(first_minute, "_MINUTE_S", 0.3)
    with ending.Ending("flash", ending.IMAGE) as end:
        end.status = flash._report(SimpleNamespace(no_wait=False), Console(Played(said)))
    told = capsys.readouterr()
    assert end.status == (0 if "run for a minute" in words else 1)
    assert words in told.out + told.err
    assert (ending.IMAGE.text in told.err) == (end.status == 1)


def test_nobody_else_may_listen_meanwhile():
    master, port = open_terminal()
    with serial.Serial(port, exclusive=True):
        with pytest.raises(device.DeviceError, match="another program has it open"):
            flash._listen(SimpleNamespace(no_wait=True), port)
    os.close(master)


def test_silence_after_writing_is_told(stand_in, files, capsys, monkeypatch):
    stand_in("Hash of data verified.\n", 0)
    monkeypatch.setattr(flash, "_READY_S", 0.3)
    with Loader() as loader:
        assert main(["flash", *files, "--port", loader.port]) == 1
    said = capsys.readouterr().err
    assert "no word from the firmware" in said and "Press EN" in said


def test_what_is_written_holds_the_settings_and_is_the_owners_alone(stand_in, files, monkeypatch):
    modes = []

    def run(command, *_):
        modes.append(stat.S_IMODE(os.stat(command[-1]).st_mode))
        raise device.DeviceError("seen")

    stand_in("", 0)
    monkeypatch.setattr(flash, "_run", run)
    with Loader() as loader:
        main(["flash", *files, "--port", loader.port])
    assert modes == [0o600]


# What is refused before ---------------------------------------------------------------------------------


@pytest.mark.parametrize("data, words", [
    (damaged(GOOD, 100), "damaged"),
    (b"\x7fELF" + GOOD[4:], "no ESP32 image"),
    (b"", "too short"),
])
def test_a_wrong_file_is_named_before_any_port_is_opened(tmp_path, capsys, data, words):
    path = tmp_path / "file"
    path.write_bytes(data)
    assert main(["flash", str(path), "--board", "reference-3p", "--port", "/dev/ttyNONE7"]) == 2
    said = capsys.readouterr().err
    assert words in said and "Nothing was changed" in said and "ttyNONE7" not in said


def test_a_stock_file_needs_a_board_and_an_image_none(tmp_path, files, capsys):
    assert main(["flash", files[0]]) == 2
    assert "--board" in capsys.readouterr().err
    assert main(["image", *files, "-o", str(tmp_path / "out.bin")]) == 0
    assert main(["flash", str(tmp_path / "out.bin"), "--board", "reference-3p"]) == 2
    assert "whole image" in capsys.readouterr().err


def test_without_esptool_one_line_says_how_to_get_it(files, capsys, monkeypatch):
    monkeypatch.setattr(flash, "_NAMES", ("no-such-esptool",))
    assert main(["flash", *files, "--port", "/dev/null"]) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and "pip install esptool" in said


def test_a_port_that_is_not_there_is_told_with_those_that_are(stand_in, files, capsys):
    stand_in("", 0)
    assert main(["flash", *files, "--port", "/dev/ttyNONE7"]) == 1
    assert "there is no /dev/ttyNONE7" in capsys.readouterr().err


def test_a_station_that_charges_is_not_written(stand_in, tmp_path, files, capsys, monkeypatch):
    monkeypatch.setattr(halt, "_ANSWER_S", 2.5)
    asked = stand_in("Hash of data verified.\n", 0)
    with Device(tmp_path / "s", files_of(build(), tmp_path / "files", size=0x100000)) as one:
        one.charger.advance(7)
        one.charge(seconds=6)
        assert main(["flash", *files, "--port", one.port]) == 1
        assert "it is charging. Nothing was changed" in capsys.readouterr().err
        one.charger.advance(3)
        assert one.charger.look()["closed"] and not asked.exists()


@needs_esptool
def test_a_silent_chip_is_told_by_the_real_one_too():
    master, port = open_terminal()
    words = flash.words([REAL], port, 460800, __file__)
    words[1:1] = ["--connect-attempts", "1"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    os.close(master)
    said = told(done.stdout + done.stderr)
    assert "Hold its BOOT button" in said and UNTOUCHED in said
