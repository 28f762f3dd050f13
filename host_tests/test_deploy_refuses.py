"""What `pilotwire deploy` refuses, in plain words: nothing is changed, and the station runs on."""

import json
import os
import pty
import tty
from types import SimpleNamespace

import pytest
from mpremote.transport_serial import SerialTransport

import test_deploy
from pilotwire import deploy
from pilotwire import device as deploy_device
from pilotwire.charger import ROOT
from pilotwire.esp_image import ImageError
from serial_device import BOARD, CONFIG, build, newer
from test_deploy import READY, look, tree_of

device, send = test_deploy.device, test_deploy.send


def test_a_device_that_charges_is_not_stopped_and_says_so(device, send, tmp_path):
    one = device(seconds=7)
    one.charge(seconds=8)
    status, said = send(one, newer(tmp_path / "new"))
    assert status == 1 and "it is charging. Nothing was changed" in said
    one.charger.advance(5)
    assert one.charger.look()["closed"] and len(one.seen("boot")) == 1


def test_mpremote_cannot_stop_a_charge_either(device):
    one = device(seconds=7)
    one.charge(seconds=8)
    transport = SerialTransport(one.port, timeout=1)
    with pytest.raises(Exception, match="could not enter raw repl"):
        transport.enter_raw_repl(timeout_overall=2)
    transport.close()
    one.charger.advance(5)
    assert one.charger.look()["closed"]


@pytest.mark.parametrize("options, words, text", [
    ({"config": {**CONFIG, "installation_a": 99}}, (), "config.json: installation_a must be a number"),
    ({}, ("--board", "reference-1p"), "the device is a board reference-3p, not reference-1p"),
    ({"size": 0x20000}, (), "the device's file system is full"),
])
def test_what_cannot_work_is_told_and_nothing_is_changed(device, send, tmp_path, options, words, text):
    tree = tree_of(tmp_path, "0.0.1")
    one = device(tree, **{"size": 0x40000, **options})
    status, said = send(one, tree_of(tmp_path, "0.0.2", more=5), *words)
    assert status in (1, 2) and text in said and "othing was changed" in said, said
    one.charger.look()
    one.charger.advance(3)
    assert one.seen("boot")[-1]["cause"] == "hard", "it runs again at once"
    assert look(one, "slot", "b/manifest.txt") == [None, None]


def test_a_file_system_that_fills_up_meanwhile_leaves_the_old_one(device, send, tmp_path, monkeypatch):
    one = device(tree_of(tmp_path, "0.0.1"), size=0x20000)
    monkeypatch.setattr(deploy.Update, "_check_room", lambda *_: None)
    status, said = send(one, tree_of(tmp_path, "0.0.2", more=5))
    assert status == 1 and "became full" in said and "old firmware" in said and "Try again" in said
    one.charger.look()
    one.charger.do("reset", "hard")
    one.charger.advance(3)
    assert [READY.search(line).groups() for line in one.said() if READY.search(line)][-1] == (
        "0.0.1", "a", "passed")


def test_other_start_files_are_no_matter_of_an_update(device, send, tmp_path):
    one = device(tree_of(tmp_path, "0.0.1"), size=0x40000)
    tree = tree_of(tmp_path, "0.0.2")
    (tree / "main.py").write_text("# another one\n")
    status, said = send(one, tree)
    assert status == 1 and "the device's main.py" in said and "pilotwire flash" in said


def test_bad_settings_are_refused_before_anything_is_sent(device, send, tmp_path):
    one = device(tree_of(tmp_path, "0.0.1"), size=0x40000)
    (tmp_path / "bad.json").write_text('{"device": "garage", "installation_a": 16, "limit_A": 6}')
    words = ("--config", str(tmp_path / "bad.json"))
    status, said = send(one, tree_of(tmp_path, "0.0.2"), *words, wait=True)
    assert status == 2 and "limit_A is not known" in said
    assert json.loads(look(one, "config.json")[0]) == CONFIG


def test_a_micropython_without_pilotwire_is_left_alone_and_runs_again(device, send, tmp_path):
    tree = tree_of(tmp_path, "0.0.1")
    one = device(tree, size=0x40000)
    transport = SerialTransport(one.port, timeout=5)
    transport.enter_raw_repl()
    transport.exec("import os\nos.rename('pilotwire', 'pilot')")
    transport.close()
    status, said = send(one, tree)
    assert status == 1 and "no Pilotwire on it. Nothing was changed. pilotwire flash" in said
    one.charger.look()
    one.charger.advance(3)
    assert one.seen("boot")[-1]["cause"] == "hard"


@pytest.mark.parametrize("machine, text", [
    ("Generic ESP32S3 module with ESP32S3", "the chip is an ESP32S3. Nothing was changed. "),
    ("Feather S3 with ESP32-S3-FN8", "the chip is an ESP32-S3."),
    ("ESP32C3 module with ESP32C3", "the chip is an ESP32C3."),
    ("ESP32-S3 look-alike with SPIRAM with ESP32", "runs 0.0.2 in slot b"),
])
def test_other_chips_of_the_family_are_refused_by_name_and_run_again(
    device, send, tmp_path, monkeypatch, machine, text,
):
    monkeypatch.setattr(
        deploy_device, "WHO", deploy_device.WHO.replace("_i._machine", repr(machine)))
    one = device(tree_of(tmp_path, "0.0.1"), seconds=2, size=0x40000)
    status, said = send(one, tree_of(tmp_path, "0.0.2"))
    assert (status == 0) == ("slot b" in text) and text in said
    one.charger.look()
    one.charger.advance(3)
    assert [event["cause"] for event in one.seen("boot")] == ["power", "soft", "hard"]


@pytest.mark.parametrize("port, text", [
    ("/dev/ttyNONE7", "there is no /dev/ttyNONE7"),
    (str(ROOT / "README.md"), "is no serial port"),
])
def test_a_port_that_is_none_is_named_with_those_that_are(send, port, text):
    status, said = send(port, build())
    assert status == 1 and text in said and "USB serial port" in said


def test_a_port_that_may_not_be_opened_says_who_may(send, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    status, said = send("/dev/null", build())
    assert status == 1 and "dialout" in said


def test_a_port_that_another_program_has_is_busy(device, send):
    one = device()
    transport = SerialTransport(one.port, timeout=5)
    status, said = send(one, build())
    transport.close()
    assert status == 1 and "another program has it open" in said


def test_a_device_that_says_nothing_is_told_with_what_to_do(send, monkeypatch):
    monkeypatch.setattr("pilotwire.device._ANSWER_S", 0.5)
    master, slave = pty.openpty()
    tty.setraw(slave)
    status, said = send(os.ttyname(slave), build())
    assert status == 1 and "answers nothing" in said and "supply" in said
    os.close(master)
    os.close(slave)


def test_a_devices_own_settings_are_looked_at_with_its_own_authority():
    config = {**CONFIG, "broker": {"host": "h", "tls": True, "ca": "my.ca.der"}}
    files = {"board.json": BOARD.read_bytes(), "config.json": json.dumps(config).encode(),
             "my.ca.der": b"0\x82"}
    one = SimpleNamespace(names=list(files), read=files.get)
    assert deploy.check_settings(one, None)["name"] == "reference-3p"
    files["my.ca.der"] = b"-----BEGIN"
    with pytest.raises(ImageError, match="broker.ca must name a file"):
        deploy.check_settings(one, None)
