"""How `flash`, `deploy` and `config` end when something goes wrong: the same words for the same cause,
the state that the device is in, how to go on, and the exit status."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest
import serial
from mpremote.transport_serial import SerialTransport

from pilotwire import deploy, device, ending, flash, halt, image
from pilotwire.cli import main
from pilotwire.first_minute import Console
from serial_device import CONFIG, Device, build, files_of, open_terminal, tiny
from stock_bin import stock_bin

COMMANDS = ("flash", "deploy", "config read", "config write")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No firmware is built, no esptool needed, and nobody is waited for."""
    monkeypatch.setattr(image, "build", lambda base, *_: image.Image(base.data, base, [], 0, 0, 0))
    monkeypatch.setattr(flash, "esptool", lambda: ["true"])
    monkeypatch.setattr(halt, "_ANSWER_S", 0.2)
    monkeypatch.setattr(deploy, "compile_tree", lambda *_, **__: build())
    monkeypatch.setattr(deploy, "_ARCH", "x64")


@pytest.fixture
def said(tmp_path, capsys):
    """said(command, port, *words): exit status, and the line on stderr without the command's name."""
    (tmp_path / "stock.bin").write_bytes(stock_bin())
    (tmp_path / "new.json").write_text(json.dumps({**CONFIG, "installation_a": 10}))

    def said(command, port, *words):
        files = {"flash": [str(tmp_path / "stock.bin"), "--board", "reference-3p"],
                 "config write": [str(tmp_path / "new.json")]}
        capsys.readouterr()
        status = main([*command.split(), *files.get(command, []), "--port", port, *words])
        err = capsys.readouterr().err
        assert err.startswith("\n") == (status == 130)  # behind the ^C of a terminal
        lines = err.strip().splitlines()
        begin = f"pilotwire {command.split()[0]}: "
        assert len(lines) == 1 and lines[0].startswith(begin), lines
        return status, lines[0].removeprefix(begin)

    return said


@pytest.fixture
def one(tmp_path, monkeypatch):
    """A device with a small firmware, started, and the next one of it for `deploy`."""
    new = tiny(tmp_path / "new", "0.0.2")
    monkeypatch.setattr(deploy, "compile_tree", lambda *_, **__: new)
    with Device(tmp_path / "s", files_of(tiny(tmp_path / "old", "0.0.1"), tmp_path / "files")) as one:
        one.charger.advance(2)
        yield one


def told(cause, state, then=None):
    return ". ".join(part for part in (cause, state.text, state.then if then is None else then) if part)


# Before anything is changed ---------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_a_port_that_is_none_or_not_yours_is_told_by_all_in_the_same_words(command, said, monkeypatch):
    monkeypatch.setattr("pilotwire.serial_port.ports", lambda: [("/dev/ttyS7", "a cable")])
    assert said(command, "/dev/ttyNONE7") == (
        1, told("there is no /dev/ttyNONE7; there are: /dev/ttyS7 (a cable)", ending.UNTOUCHED))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert said(command, "/dev/null") == (1, told(
        "you may not open /dev/null", ending.UNTOUCHED,
        "sudo usermod -aG dialout $USER, then log out and in again"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_charge_is_told_by_all_in_the_same_words(command, said):
    master, port = open_terminal()

    def answer():
        held = os.open(port, os.O_RDWR | os.O_NOCTTY)
        while b"\x03" not in os.read(master, 100):
            pass
        os.write(master, b"\r\npilotwire: charging\r\n")
        os.close(held)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    assert said(command, port) == (
        1, told("it is charging", ending.UNTOUCHED, "Try again when the car has stopped"))
    thread.join()
    os.close(master)


@pytest.mark.parametrize("command, words, cause", [
    ("deploy", ("--config", "/none.json"), "/none.json: No such file or directory"),
    ("deploy", ("--board", "none"), "there is no board 'none'; there are"),
    ("flash", ("--board", "none"), "there is no board 'none'; there are"),
    ("flash", ("--board", "BAD"), "BAD is no JSON: "),
])
def test_what_cannot_be_sent_has_a_status_of_its_own(command, words, cause, said, tmp_path, monkeypatch):
    monkeypatch.undo()  # a real build reads the board's file
    monkeypatch.chdir(tmp_path)
    (tmp_path / "BAD").write_text("{")
    status, line = said(command, "/dev/ttyNONE7", *words)
    assert status == 2 and line.startswith(cause) and line.endswith(". Nothing was changed")


def test_a_broken_file_of_settings_is_told_before_the_device_is_asked(said, tmp_path):
    (tmp_path / "new.json").write_text("{")
    status, line = said("config write", "/dev/ttyNONE7")
    assert status == 1 and line.startswith("config.json cannot be read") and line.endswith(
        ". Nothing was changed")


# While something is changed -----------------------------------------------------------------------------


def stop(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize("command, words, where, state", [
    ("config read", (), (device.Device, "read"), ending.STOPPED),
    ("config write", (), (device.Device, "replace"), ending.EITHER_SETTINGS),
    ("deploy", (), (deploy.Update, "plan"), ending.STOPPED),
    ("deploy", (), (device.Device, "write"), ending.OLD_FIRMWARE),
    ("deploy", (), (deploy.Update, "switch"), ending.EITHER_FIRMWARE),
    ("deploy", (), (Console, "wait"), ending.ON_TRIAL),
])
def test_ctrl_c_is_told_what_it_leaves_behind(
    command, words, where, state, one, said, tmp_path, monkeypatch,
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(*where, stop)
    assert said(command, one.port, *words) == (130, told("stopped", state))
    one.charger.look()
    one.charger.advance(3)
    causes = [event["cause"] for event in one.seen("boot")]
    assert causes == ["power", "soft", "hard"], "soft: for the raw prompt; then it runs again, once"


@pytest.mark.parametrize("command", ["deploy", "config read"])
def test_ctrl_c_before_it_is_told_to_listen_for_a_minute_leaves_it_ten(command, one, said, monkeypatch):
    monkeypatch.setattr(device.Device, "_identify", stop)
    assert said(command, one.port) == (130, told("stopped", ending.STOPPING))


@pytest.fixture
def esptool(tmp_path, monkeypatch):
    """esptool(script): a program of that name that does this, asked to write."""

    def make(script):
        program = tmp_path / "esptool"
        program.write_text(f"#!/bin/sh\n[ $1 = version ] && exit\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(flash, "esptool", lambda: [str(program)])

    return make


def test_a_station_that_esptool_does_not_reach_starts_again(one, said, esptool):
    esptool("echo 'A fatal error occurred: Failed to connect to ESP32'; exit 1")
    status, line = said("flash", one.port)
    assert status == 1 and "loader does not answer. Nothing was changed" in line
    one.charger.look()
    one.charger.advance(3)
    assert [event["cause"] for event in one.seen("boot")] == ["power", "hard"]


@pytest.mark.parametrize("asked", [2, 3])
def test_a_charge_is_heard_of_also_when_the_first_question_was_lost(said, asked):
    master, port = open_terminal()
    held = os.open(port, os.O_RDWR | os.O_NOCTTY)

    def answer():
        heard = b""
        while heard.count(b"\x03") < asked:
            heard += os.read(master, 100)
        os.write(master, b"\r\npilotwire: charging\r\n")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    assert said("flash", port)[1].startswith("it is charging. Nothing was changed")
    thread.join()
    os.close(held)
    os.close(master)


# What esptool has said when somebody presses Ctrl-C, and what is left then.
CONNECTED = "Connecting....\nChip type: ESP32\n"
WRITING = CONNECTED + "Writing at 0x00010000 [==>   ] 10.0%\n"


@pytest.mark.parametrize("text, state", [
    ("", ending.UNTOUCHED), (CONNECTED, ending.UNTOUCHED), (WRITING, ending.HALF_IMAGE),
    (WRITING + "Hash of data verified.\n", ending.IMAGE),
])
def test_ctrl_c_while_flashing_is_told_what_it_leaves_behind(
    text, state, one, said, esptool, monkeypatch,
):
    esptool(f"printf %s '{text}.'; exec sleep 9")
    real, pressed = flash.come_to, []

    def come_to(heard, before):
        if heard.endswith(".") and not pressed:
            pressed.append(stop)
            stop()
        return real(heard, before)

    monkeypatch.setattr(flash, "come_to", come_to)
    assert said("flash", one.port) == (130, told("stopped", state))
    one.charger.look()
    one.charger.advance(3)
    assert len(one.seen("boot")) == (2 if state == ending.UNTOUCHED else 1)


def test_ctrl_c_before_and_after_esptool_too(said, monkeypatch):
    monkeypatch.setattr(halt, "ask", stop)
    assert said("flash", "/dev/ptmx") == (130, told("stopped", ending.STOPPING))
    monkeypatch.setattr(flash, "hold", lambda *_: False)
    monkeypatch.setattr(flash, "_run", lambda *_: setattr(_[-1], "state", ending.IMAGE))
    monkeypatch.setattr(flash, "_listen", stop)
    assert said("flash", "/dev/null") == (130, told("stopped", ending.IMAGE))


def test_sigterm_leaves_no_folder_with_passwords(said, tmp_path, monkeypatch):
    def run(command, *_):
        assert Path(command[-1]).exists()
        left.append(command[-1])
        os.kill(os.getpid(), signal.SIGTERM)

    left = []
    monkeypatch.setattr(flash, "hold", lambda *_: False)
    monkeypatch.setattr(flash, "_run", run)
    before = signal.getsignal(signal.SIGTERM)
    assert said("flash", "/dev/null")[0] == 130
    assert left and not Path(left[0]).exists() and not Path(left[0]).parent.exists()
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_cable_that_is_pulled_while_settings_are_sent_leaves_whole_ones(one, said, monkeypatch):
    real = serial.Serial.write

    def write(port, data):
        if b"os.rename" in data:
            port.close()
            raise serial.SerialException("write failed: [Errno 5] Input/output error")
        return real(port, data)

    monkeypatch.setattr(serial.Serial, "write", write)
    assert said("config write", one.port) == (
        1, told(f"the connection to {one.port} was lost", ending.EITHER_SETTINGS))
    monkeypatch.setattr(serial.Serial, "write", real)
    one.charger.look()
    one.charger.advance(65)
    assert [event["cause"] for event in one.seen("boot")][-1] == "wdt"
    transport = SerialTransport(one.port, timeout=5)
    transport.enter_raw_repl()
    assert json.loads(transport.fs_readfile("config.json")) == CONFIG
    transport.close()


# Afterwards -------------------------------------------------------------------------------------------


@pytest.fixture
def silence(monkeypatch):
    """After a restart only this is said."""

    def wait(console, *_, **__):
        console.last = "why"

    monkeypatch.setattr(Console, "wait", wait)
    monkeypatch.setattr(device, "listen", lambda *_: (None, "\r\nTraceback\r\n  why\r\n"))


@pytest.mark.parametrize("command, state", [
    ("deploy", ending.ON_TRIAL), ("config write", ending.SETTINGS), ("flash", ending.IMAGE),
])
def test_silence_is_told_by_all_in_the_same_words(command, state, one, said, silence, monkeypatch):
    real, restarts = device.Device.restart, []
    monkeypatch.setattr(device.Device, "restart", lambda self: restarts.append(real(self)))
    monkeypatch.setattr(flash, "hold", lambda *_: False)
    monkeypatch.setattr(flash, "_run", lambda *_: setattr(_[-1], "state", ending.IMAGE))
    assert said(command, one.port) == (1, told("no word from the firmware; it says: why", state))
    assert len(restarts) == (command != "flash")


def test_silence_after_settings_alone_speaks_of_them(one, said, silence, tmp_path, monkeypatch):
    monkeypatch.setattr(deploy, "compile_tree", lambda *_, **__: tmp_path / "old")
    assert said("deploy", one.port, "--config", str(tmp_path / "new.json")) == (
        1, told("no word from the firmware; it says: why", ending.SETTINGS))


def test_settings_that_the_device_does_not_take_are_told_with_its_words(one, said, monkeypatch):
    monkeypatch.setattr(device, "listen", lambda *_: (("1", "a", "passed"), "ConfigError: no\r\n"))
    status, line = said("config write", one.port)
    assert status == 1 and line.startswith("the device does not take it: ConfigError: no. The new ")
    assert "it shows 7-6 and does not charge" in line and line.endswith(" right, and write it again")


def test_a_cause_that_knows_better_has_the_last_word():
    problem = device.DeviceError("this", "do that", ending.OLD_IS_BACK)
    assert ending.line(problem, ending.STOPPED) == "this. The old one is back, and runs. do that"
    assert ending.line(device.DeviceError("this"), None) == "this"


def test_a_question_ends_with_its_own_mark(monkeypatch, capsys):
    monkeypatch.setattr("pilotwire.serial_port.ports", list)
    assert main(["deploy", "--port", "/dev/nope"]) != 0
    assert "is the cable one for data? Nothing was changed" in capsys.readouterr().err
