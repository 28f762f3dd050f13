"""`pilotwire deploy` against a device on a serial port: what it does, and what it refuses."""

import re

import pytest
from mpremote.transport_serial import SerialTransport

from pilotwire import deploy
from pilotwire import device as deploy_device
from pilotwire.cli import main
from serial_device import CONFIG, Device, build, files_of, newer, tiny

READY = re.compile(r"pilotwire (\S+) ready in ([ab]), self-test (\w+)")


@pytest.fixture
def device(tmp_path):
    """device(tree=the built one, **options of files_of): on its port, started."""
    open_ones = []

    def start(tree=None, seconds=4, **options):
        files = files_of(tree or build(), tmp_path / "files", **{"size": 0x100000, **options})
        open_ones.append(Device(tmp_path / "s", files))
        open_ones[-1].charger.advance(seconds)
        return open_ones[-1]

    yield start
    for one in open_ones:
        one.__exit__()


@pytest.fixture
def send(monkeypatch, capsys):
    """send(device, tree, *words): status, what was said. Without its first minute, unless wait."""

    def send(device, tree, *words, wait=False):
        monkeypatch.setattr(deploy, "compile_tree", lambda *_, **__: tree)
        monkeypatch.setattr(deploy, "_ARCH", "x64")
        capsys.readouterr()
        port = device if isinstance(device, str) else device.port
        status = main(["deploy", "--port", port, *words, *["--no-wait"] * (not wait)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return send


def look(device, *names):
    """Contents of the device's files, None for one that is not there; it is restarted afterwards."""
    transport = SerialTransport(device.port, timeout=5)
    transport.enter_raw_repl()
    found = [
        bytes(transport.fs_readfile(name)).decode("latin-1") if transport.fs_exists(name) else None
        for name in names
    ]
    transport.exec_raw_no_follow("import machine; machine.reset()")
    transport.close()
    device.charger.advance(4)
    return found


def tree_of(folder, version, **options):
    return tiny(folder / version, version, **options)


# The device itself --------------------------------------------------------------------------------


def test_mpremote_finds_prompt_files_and_errors_as_on_a_chip(device):
    one = device()
    transport = SerialTransport(one.port, timeout=5)
    transport.enter_raw_repl()
    assert transport.eval("__import__('sys').platform") == "esp32"
    assert "main.py" in [entry.name for entry in transport.fs_listdir()]
    transport.fs_writefile("deep", bytes(range(256)) * 9)
    assert transport.fs_readfile("deep") == bytes(range(256)) * 9
    with pytest.raises(OSError):
        transport.fs_readfile("none")
    transport.exit_raw_repl()
    transport.serial.write(b"\x04")
    assert "ready in a" in transport.read_until(1, b"passed\r\n").decode()
    transport.close()
    assert [event["cause"] for event in one.seen("boot")] == ["power"]
    one.charger.advance(40)
    assert [event["cause"] for event in one.seen("boot")] == ["power", "soft", "soft"]
    one.charge(seconds=8)


# What it does -------------------------------------------------------------------------------------


def test_a_newer_firmware_runs_from_the_other_slot_charges_and_is_proved(device, send, tmp_path):
    one = device()
    status, said = send(one, newer(tmp_path / "new"), "--board", "reference-3p", wait=True)
    assert (status, "runs 0.1.9 in slot b, self-test passed" in said) == (0, True), said
    assert "it has run for a minute, without a fault: it is proved as soon as no car" in said
    sent = int(re.search(r"(\d+) files sent", said)[1])
    copied = int(re.search(r"(\d+) copied", said)[1])
    assert sent < 8 < 40 < copied
    assert not one.shows("7-5", 8)
    one.charge(seconds=8)
    one.charger.do("unplug")
    one.charger.advance(3)
    assert look(one, "slot") == ["b"]


def test_updates_go_to_and_fro_and_only_what_differs_is_sent(device, send, tmp_path):
    one = device(tree_of(tmp_path, "0.0.1"), size=0x40000)
    for number, slot in ((2, "b"), (3, "a"), (4, "b")):
        if look(one, "slot") != [None]:  # as if proved
            self_proved(one)
        status, said = send(one, tree_of(tmp_path, f"0.0.{number}"))
        assert (status, f"runs 0.0.{number} in slot {slot}, self-test" in said) == (0, True), said
        assert "3 files sent, 2 copied" in said or "3 files sent, 0 copied" in said
        assert look(one, "slot")[0].strip("+") == slot


def self_proved(device):
    transport = SerialTransport(device.port, timeout=5)
    transport.enter_raw_repl()
    slot = transport.fs_readfile("slot")[:1]
    transport.fs_writefile("slot", bytes(slot))
    transport.close()


def test_all_of_it_takes_longer_than_the_watchdog_and_arrives(device, send, tmp_path, monkeypatch):
    helpers = deploy_device.HELPERS.replace("timeout=60000", "timeout=4000")
    monkeypatch.setattr(deploy_device, "HELPERS", helpers)
    one = device(tree_of(tmp_path, "0.0.1"))
    before_us = one.charger.us
    status, said = send(one, build())
    assert status == 0 and "0 copied" in said and "runs 0.1.0 in slot b, self-test passed" in said
    one.charger.look()
    assert one.charger.us - before_us > 15_000_000


def test_the_same_firmware_is_not_sent_again(device, send):
    one = device()
    status, said = send(one, build())
    assert status == 0 and "has this one" in said and "in slot a" in said
    assert look(one, "slot") == [None]


@pytest.mark.parametrize("slot, text", [(None, None), ("b", None), ("b", "# damaged\n")])
def test_a_manifest_that_is_lost_is_sent_again(device, send, tmp_path, slot, text):
    tree = tree_of(tmp_path, "0.0.1")
    one = device(tree, seconds=2, size=0x40000)
    path = "manifest.txt"
    if slot:
        tree, path = tree_of(tmp_path, "0.0.2"), "b/manifest.txt"
        assert send(one, tree)[0] == 0
        self_proved(one)
    good = look(one, path)
    transport = SerialTransport(one.port, timeout=5)
    transport.enter_raw_repl()
    transport.exec(f"import os\nos.remove({path!r})")
    if text:
        transport.fs_writefile(path, text.encode())
    transport.close()
    status, said = send(one, tree)
    assert status == 0 and "its manifest.txt was missing or wrong, and is sent" in said
    assert look(one, path) == good
    assert "nothing was changed" in send(one, tree)[1]


def test_an_authority_with_two_dots_is_seen_on_the_device(device, send, tmp_path):
    tree = tree_of(tmp_path, "0.0.1")
    (tree / "my.ca.der").write_bytes(b"0\x82")
    config = {**CONFIG, "broker": {"host": "h", "tls": True, "ca": "my.ca.der"}}
    one = device(tree, seconds=2, size=0x40000, config=config)
    status, said = send(one, tree_of(tmp_path, "0.0.2"))
    assert status == 0, said


def test_settings_that_a_cut_has_left_half_sent_are_taken_away(device, send, tmp_path):
    tree = tree_of(tmp_path, "0.0.1")
    for name in ("config.json.new", "config.new.json"):
        (tree / name).write_text('{"wifi_password": "very')
    one = device(tree, seconds=2, size=0x40000)
    assert send(one, tree)[0] == 0
    assert look(one, "config.json.new", "config.new.json") == [None, None]


def test_the_station_runs_on_while_its_firmware_is_built(device, tmp_path, monkeypatch):
    def build_meanwhile(*_, arch, **__):
        built.append(arch)
        one.charger.advance(1)
        assert [event["e"] for event in one.events if event["e"] in ("boot", "stopped")] == ["boot"]
        return tree_of(tmp_path, "0.0.2")

    built = []
    one = device(tree_of(tmp_path, "0.0.1", run="__import__('time').sleep(30)"), seconds=2, size=0x40000)
    monkeypatch.setattr(deploy, "compile_tree", build_meanwhile)
    main(["deploy", "--port", one.port, "--no-wait"])
    assert built == ["xtensawin"]


def test_a_firmware_on_trial_is_replaced_and_the_proved_one_stays(device, send, tmp_path):
    one = device(tree_of(tmp_path, "0.0.1"), size=0x40000)
    send(one, tree_of(tmp_path, "0.0.2"))
    status, said = send(one, tree_of(tmp_path, "0.0.3"))
    assert status == 0 and "runs 0.0.3 in slot b" in said
    slot, old = look(one, "slot", "pilotwire/start.py")
    assert slot[0] == "b" and "0.0.1" in old


def test_one_that_does_not_start_is_told_and_the_old_one_is_back(device, send, tmp_path):
    one = device(tree_of(tmp_path, "0.0.1"), size=0x40000)
    status, said = send(one, tree_of(tmp_path, "0.0.2", start="raise ValueError('no good')"))
    assert status == 1
    assert "ValueError: no good" in said and "runs 0.0.1 in slot a" in said and "old one is back" in said
