"""`pilotwire config`: the guided set-up at a terminal, check, explain, and a device's settings."""

import json
import os
import pty
import re
import select
import stat
import subprocess
import sys
import time

import pytest
from mpremote.transport_serial import SerialTransport

from pilotwire import config as rules
from pilotwire import image, settings, settings_table
from pilotwire.charger import ROOT, SOURCES
from pilotwire.cli import main
from pilotwire.esp_image import ImageError
from pilotwire.secret_names import is_secret
from serial_device import CONFIG, Device, build, files_of, tiny

ENV = {**os.environ, "PYTHONPATH": str(ROOT / "tools"), "TERM": "dumb"}
BAD = [
    ("{", "cannot be read"),
    ("[]", "must hold an object"),
    ('{"installation_a": 16}', "device must be"),
    ('{"device": "garage", "installation_a": "16"}', "installation_a must be a number"),
    ('{"device": "garage", "installation_a": 16, "limit_A": 6}', "limit_A is not known"),
    ('{"device": "garage", "installation_a": 16, "wifi_password": "***"}', "wifi_password is ***"),
    ('{"device": "garage", "installation_a": 16, "broker": {"host": "h", "tls": true, "ca": "no.der"}}',
     "broker.ca must name a file"),
]
# What MicroPython's JSON takes, or that of another version.
LOOSE = [
    ('{"device": "garage",\n "installation_a": 16,\n}', "line 2: a comma too many"),
    ('{"device": "garage"\n "installation_a": 16}', "line 1: a comma is missing"),
    ('{"device": "garage", "installation_a": 16, "limit_a": 16, "limit_a": 80}', "limit_a stands twice"),
    ('{"device": "garage", "installation_a": 16, "broker": {"host": "a", "host": "b"}}',
     "host stands twice"),
    ('{"device": "garage", "installation_a": NaN}', "NaN is no number"),
    ('\ufeff{"device": "garage", "installation_a": 16}', "byte order mark"),
    ("[" * 100_000, "too many brackets"),
]
LEAST = {"device": "garage", "installation_a": 16}
# What would pass as a number, a name or a text, and fail when it is used.
USELESS = [
    ({"broker": {"host": "h", "port": 1883.5}}, "broker.port must be a whole number"),
    ({"broker": {"host": "h", "port": 1883.0}}, "broker.port must be a whole number"),
    ({"broker": {"host": "h", "passwd": "geheim"}}, "broker.passwd is not known"),
    ({"broker": {"host": "h", "usr": "u"}}, "broker.usr is not known"),
    ({"night": {"from": "22:00", "to": "06:00", "utc_ofset": 60}}, "night.utc_ofset is not known"),
    ({"phases": 3.0}, "phases must be 1 or 3"),
    ({"wifi_password": "7 signs"}, "wifi_password must be 8 to 63"),
    ({"wifi_password": "x" * 64}, "wifi_password must be 8 to 63"),
    ({"wifi_password": "\u00fc" * 32}, "wifi_password must be 8 to 63"),  # 64 bytes
]


def written(path, spec):
    path.write_text(spec if isinstance(spec, str) else json.dumps(spec))
    return str(path)


# The guided set-up ----------------------------------------------------------------------------------


def guided(path, answers):
    """(exit status, all that the terminal showed) of a set-up with an answer to each of its questions; a
    function is called for it."""
    number, terminal = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "pilotwire.cli", "config", "-o", str(path)], env=ENV, stdin=terminal,
        stdout=terminal, stderr=terminal, start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
    )
    os.close(terminal)
    seen, asked, end_s = "", 0, time.monotonic() + 60
    while time.monotonic() < end_s:
        if select.select([number], [], [], 0.2)[0]:
            try:
                seen += os.read(number, 4096).decode(errors="replace")
            except OSError:  # it has ended
                break
        if asked < len(answers) and re.search(r": $", seen[-3:]):
            answer = answers[asked] if isinstance(answers[asked], str) else answers[asked]()
            os.write(number, answer.encode(errors="surrogateescape") + b"\n")
            asked += 1
            seen += "\0"  # this question is answered
    os.close(number)
    return done.wait(10), seen


ANSWERS = [
    "nope", "reference-3p",  # board
    "My Garage", "-", "\udcff", "garage",
    "99", "sixteen", "inf", "nan", "1e999", "-", "16",
    "10,5",  # limit_a
    "fr", "de",
    "home", "wifi secret",
    "broker.example", "70000", "1883", "garage", "mqtt secret",
    "EURO", "EUR", "0.30",
]


def test_each_answer_is_checked_before_the_next_and_secrets_are_not_shown(tmp_path):
    path = tmp_path / "config.json"
    status, seen = guided(path, ANSWERS)
    assert status == 0, seen
    spec = json.loads(path.read_text())
    key = spec.pop("key")
    assert spec == {
        "device": "garage", "installation_a": 16, "limit_a": 10.5, "language": "de", "ssid": "home",
        "wifi_password": "wifi secret", "currency": "EUR", "price_per_kwh": 0.3,
        "broker": {"host": "broker.example", "port": 1883, "user": "garage", "password": "mqtt secret"},
    }
    assert re.fullmatch("[0-9a-f]{64}", key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for words in ("there is no board 'nope'", "device must be 1 to 32 of a-z", "must be a number from 6",
                  "language must be en or de", "currency must be three letters", "rated for 63 A",
                  "cannot be printed"):
        assert words in seen, words
    assert seen.count("it must be there") == 2 and seen.count("must be a number from 6") == 5
    assert not re.search("wifi secret|mqtt secret|" + key, seen)


def test_enter_keeps_what_a_file_has_and_a_dash_takes_it_away(tmp_path):
    path = tmp_path / "config.json"
    before = {**CONFIG, "ssid": "home", "limit_a": 10, "key": "ab", "loose_ohm": 0.5}
    written(path, before)
    status, seen = guided(path, ["reference-1p", "", "", "-", "", "", "", "", "", ""])
    assert status == 0, seen
    del before["limit_a"]
    assert json.loads(path.read_text()) == before
    assert "very secret" not in seen


BROKER = {"host": "h", "port": 1, "user": "u", "password": "mqtt secret", "tls": True, "ca": "ca.der"}


@pytest.mark.parametrize("answers, broker", [
    (["-"], None), (["", "", "-"], {name: BROKER[name] for name in ("host", "port", "tls", "ca")}),
], ids=["host", "user"])
def test_with_an_answer_goes_what_means_nothing_without_it(tmp_path, answers, broker):
    path = tmp_path / "config.json"
    (tmp_path / "ca.der").write_bytes(b"0\x82")
    before = {**CONFIG, "ssid": "home", "key": "ab"}
    written(path, {**before, "broker": BROKER})
    status, seen = guided(path, ["reference-1p", *[""] * 6, *answers, "", ""])
    assert status == 0, seen
    assert json.loads(path.read_text()) == before | ({"broker": broker} if broker else {})


@pytest.mark.parametrize("again", [True, False])
def test_what_was_typed_is_not_lost_when_it_cannot_be_written(tmp_path, again):
    """The authority's file goes away meanwhile: every further answer would be refused for that."""
    path, authority = tmp_path / "config.json", tmp_path / "ca.der"
    before = {**CONFIG, "ssid": "home", "key": "ab", "broker": BROKER}
    written(path, before)
    authority.write_bytes(b"0\x82")

    def goes():
        authority.unlink()
        return "20"

    def comes():
        authority.write_bytes(b"0\x82")
        return ""

    end = [comes, *[""] * 12] if again else ["w", ""]
    status, seen = guided(path, ["reference-1p", "", goes, *[""] * 10, *end])
    assert "Not written: config.json: broker.ca must name a file" in seen and "secret" not in seen
    kept = path if again else tmp_path / "config.json.draft"
    assert json.loads(kept.read_text()) == {**before, "installation_a": 20}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert status == (0 if again else 1)
    assert again or json.loads(path.read_text()) == before and f"config check {kept}" in seen


def test_a_folder_that_is_not_there_is_said_before_the_first_question(tmp_path):
    status, seen = guided(tmp_path / "none/config.json", [])
    assert status == 1 and "nothing was asked" in seen and "Board" not in seen


def test_an_end_in_between_writes_nothing(tmp_path):
    status, seen = guided(tmp_path / "config.json", ["reference-3p", "garage", "\x04"])
    assert status == 1 and "nothing was written" in seen
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_it_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", open(os.devnull))
    assert main(["config", "-o", str(tmp_path / "c")]) == 1
    assert "needs a terminal" in capsys.readouterr().err


# Check and explain ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text, words", BAD + LOOSE)
def test_check_says_in_one_line_what_the_device_would_not_take(tmp_path, capsys, text, words):
    assert main(["config", "check", written(tmp_path / "c.json", text)]) == 1
    said = capsys.readouterr()
    assert words in said.err and len(said.err.splitlines()) == 1 and said.out == ""


def test_image_flash_and_deploy_read_as_strictly(tmp_path):
    path = tmp_path / "c.json"
    for text, words in LOOSE[:3]:
        path.write_text(text)
        with pytest.raises(ImageError, match=words):
            image.authority(path)


@pytest.mark.parametrize("more, words", USELESS)
def test_what_would_fail_later_is_refused_at_once(tmp_path, capsys, more, words):
    assert main(["config", "check", written(tmp_path / "c.json", {**LEAST, **more})]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("password", ["", "8 signs.", "x" * 63])
def test_a_wifi_password_of_a_usable_length_is_taken(password):
    settings.check(json.dumps({**LEAST, "wifi_password": password}))


# Ours are written anew: config.good.json after a minute, slot.new at a start, *.new by `deploy`.
@pytest.mark.parametrize("name", [
    "config.json", "config.good.json", "config.new.json", "slot", "slot.new", "x.der.new", "board.json",
    "boot.py", "manifest.txt", "ca.pem",
])
@pytest.mark.parametrize("tls", [True, False])
def test_no_file_but_one_of_its_own_kind_is_the_authority(tmp_path, monkeypatch, name, tls):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(b"0\x82")
    with pytest.raises(rules.ConfigError, match="broker.ca must name a file"):
        rules.settings({**LEAST, "broker": {"host": "h", "tls": tls, "ca": name}})


def test_an_authority_as_pem_is_refused_with_how_to_convert_it(tmp_path, capsys):
    (tmp_path / "ca.der").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n")
    path = written(tmp_path / "c.json", {**LEAST, "broker": {"host": "h", "tls": True, "ca": "ca.der"}})
    assert main(["config", "check", path]) == 1
    assert "openssl x509 -in X.pem -outform der -out X.der" in capsys.readouterr().err
    (tmp_path / "ca.der").write_bytes(b"0\x82")
    assert main(["config", "check", path]) == 0


def test_check_shows_a_good_file_without_its_secrets(tmp_path, capsys):
    (tmp_path / "ca.der").write_bytes(b"0")
    spec = {**CONFIG, "key": "abcdef12", "broker": {
        "host": "h", "user": "u", "password": "hidden too", "tls": True, "ca": "ca.der"}}
    path = written(tmp_path / "c.json", spec)
    os.chmod(path, 0o644)
    assert main(["config", "check", path]) == 0
    said = capsys.readouterr().out
    assert said.count('"***"') == 4 and "would take it" in said and "chmod 600" in said
    assert not re.search("very secret|abcdef12|hidden too", said)
    os.chmod(path, 0o600)
    main(["config", "check", path])
    assert "chmod" not in capsys.readouterr().out


@pytest.mark.parametrize("hidden", [
    {"passwd": "geheim"}, {"wifi_pasword": "geheim"}, {"brocker": {"password": "geheim"}},
    {"broker": {"host": "h", "passwd": "geheim"}}, {"broker": "mqtt://anna:geheim@h"}, {"ssid": "geheim"},
    {"broker": {"host": "mqtt://a:p@geheim@h"}}, {"limit_a": ["geheim"]}, {"key": 5, "x": "geheim"},
])
def test_what_is_not_known_or_called_like_a_secret_is_not_shown(hidden):
    said = settings.shown({**LEAST, **hidden})
    assert "geheim" not in said and '"device": "garage"' in said


def test_what_is_typed_unseen_is_called_like_a_secret():
    assert all(is_secret(one.name) for one in settings_table.SETTINGS if one.secret)


def test_half_a_character_can_be_shown():
    assert "\\ud800" in settings.shown({**LEAST, "time_server": "\ud800"})


def test_what_is_explained_is_what_the_device_knows():
    source = (SOURCES / "pilotwire/config.py").read_text()
    known = re.search(r"_KNOWN = \((.*?)\)", source, re.S)[1].replace('"', " ").split()
    assert {setting.path[0] for setting in settings_table.SETTINGS} == set(known)
    for name in ("night", "broker"):
        within = re.search(rf'_IN_{name.upper()} = "(.*)"', source)[1].split()
        listed = {s.path[1] for s in settings_table.SETTINGS if s.path[0] == name}
        assert listed == set(within)


def test_defaults_are_the_devices_own():
    least = {"device": "x", "installation_a": 6}
    full = least
    for setting in settings_table.SETTINGS:
        if setting.default not in (None, "") and "." not in setting.name:
            full = settings_table.put(full, setting.name, setting.default)
    assert len(full) > 12
    assert vars(rules.settings(full)) == vars(rules.settings(least))


def test_explain_tells_all_names_or_one_and_refuses_others(capsys):
    assert main(["config", "explain"]) == 0
    said = capsys.readouterr().out
    assert all(re.search(rf"^{re.escape(s.name)} ", said, re.M) for s in settings_table.SETTINGS)
    assert main(["config", "explain", "fail_safe_a"]) == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 2 and re.search(r"fail_safe_a +A +6 +when an order expires", said)
    assert main(["config", "explain", "fail_safe"]) == 1
    assert "fail_safe_a" in capsys.readouterr().err


# A device's settings --------------------------------------------------------------------------------


@pytest.fixture
def device(tmp_path):
    """A device with a firmware that only reports, and settings."""
    files = files_of(tiny(tmp_path / "tree", "0.0.1"), tmp_path / "files")
    with Device(tmp_path / "s", files) as one:
        one.charger.advance(2)
        yield one


def on_device(device, name):
    transport = SerialTransport(device.port, timeout=5)
    transport.enter_raw_repl()
    found = transport.fs_readfile(name) if transport.fs_exists(name) else None
    transport.close()
    return found


def test_read_shows_stars_and_keeps_a_copy_for_its_owner_alone(device, tmp_path, capsys):
    assert main(["config", "read", "--port", device.port]) == 0
    said = capsys.readouterr().out
    assert json.loads(said) == {**CONFIG, "wifi_password": "***"}
    assert main(["config", "read", "--port", device.port, "-o", str(tmp_path / "kept.json")]) == 0
    assert json.loads((tmp_path / "kept.json").read_text()) == CONFIG
    assert stat.S_IMODE((tmp_path / "kept.json").stat().st_mode) == 0o600
    device.charger.advance(3)
    assert [event["cause"] for event in device.seen("boot")][-1] == "hard"


# Is there a last good one?
INSTEAD = {True: "it runs with config.good.json", False: "it shows 7-6 and does not charge"}


@pytest.mark.parametrize("good", INSTEAD)
def test_read_says_what_a_device_does_without_settings_that_can_be_used(tmp_path, capsys, good):
    tree = tiny(tmp_path / "tree", "0.0.1")
    if good:
        written(tree / "config.good.json", CONFIG)
    with Device(tmp_path / "s", files_of(tree, tmp_path / "files", config=None)) as device:
        device.charger.advance(2)
        assert main(["config", "read", "--port", device.port]) == 1
        assert f"no config.json: {INSTEAD[good]}" in capsys.readouterr().out
        transport = SerialTransport(device.port, timeout=5)
        transport.enter_raw_repl()
        transport.fs_writefile("config.json", b'{"wifi_password": "very secret",}')
        transport.close()
        assert main(["config", "read", "--port", device.port, "-o", str(tmp_path / "kept")]) == 1
        said = capsys.readouterr().out
        assert "line 1: a comma too many" in said and "A device may take it or not" in said
        assert INSTEAD[good] in said and "very secret" not in said
        assert (tmp_path / "kept").read_text() == '{"wifi_password": "very secret",}'


@pytest.mark.parametrize("good", INSTEAD)
def test_what_a_device_does_not_take_is_said_with_what_runs_now_and_how_to_go_on(tmp_path, capsys, good):
    """It has another version of the rules than the ones here."""
    tree = tiny(tmp_path / "tree", "0.0.1", start="print('ConfigError: config.json: x is not known')")
    if good:
        written(tree / "config.good.json", CONFIG)
    path = written(tmp_path / "c.json", CONFIG)
    with Device(tmp_path / "s", files_of(tree, tmp_path / "files")) as device:
        device.charger.advance(2)
        assert main(["config", "write", path, "--port", device.port]) == 1
    said = capsys.readouterr().err
    assert "does not take it: ConfigError: config.json: x is not known. The new settings are " in said
    assert INSTEAD[good] in said
    assert f"Put {path} right, and write it again" in said


@pytest.mark.parametrize("text", [text for text, _ in BAD + LOOSE])
def test_a_broken_file_is_refused_before_anything_is_sent(tmp_path, capsys, text):
    """The port is none: it is not even opened."""
    path = written(tmp_path / "c.json", text)
    assert main(["config", "write", path, "--port", "/dev/ttyNONE7"]) == 1
    assert "ttyNONE7" not in capsys.readouterr().err


def test_write_takes_effect_and_the_last_good_copy_stays(tmp_path, capsys):
    files = files_of(build(), tmp_path / "files", size=0x100000)
    new = {**CONFIG, "installation_a": 10}
    with Device(tmp_path / "s", files) as device:
        device.charger.advance(65)  # the first settings are good ones
        assert main(["config", "write", written(tmp_path / "c.json", new), "--port", device.port]) == 0
        said = capsys.readouterr().out
        assert "***" in said and "very secret" not in said and "last good one stays" in said
        device.charger.advance(40)
        device.charge(seconds=6)
        assert 9900 <= device.charger.look()["car_offer_ma"] <= 10000
        device.charger.do("unplug")
        device.charger.advance(3)
        assert json.loads(on_device(device, "config.good.json")) == CONFIG
        assert json.loads(on_device(device, "config.json")) == new


def test_a_device_that_charges_is_given_no_settings(tmp_path, capsys):
    files = files_of(build(), tmp_path / "files", size=0x100000)
    with Device(tmp_path / "s", files) as device:
        device.charger.advance(7)
        device.charge(seconds=6)
        path = written(tmp_path / "c.json", CONFIG)
        assert main(["config", "write", path, "--port", device.port]) == 1
        assert "it is charging. Nothing was changed" in capsys.readouterr().err
        device.charger.advance(3)
        assert device.charger.look()["closed"]


def test_settings_check_takes_the_files_folder_for_the_authority(tmp_path):
    spec = {**CONFIG, "broker": {"host": "h", "tls": True, "ca": "ca.der"}}
    with pytest.raises(settings.SettingsError, match="ca must name"):
        settings.check(json.dumps(spec), tmp_path)
    (tmp_path / "ca.der").write_bytes(b"0")
    settings.check(json.dumps(spec), tmp_path)
