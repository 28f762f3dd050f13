"""What `deploy` believes of a new firmware: not that it is ready, but its first line of health."""

import json

import pytest

import test_deploy
from pilotwire import deploy, ending, first_minute
from pilotwire.device_build import write_manifest
from pilotwire.first_minute import Console, Ended, Health, come_through
from pilotwire.serial_port import DeviceError
from serial_device import CONFIG, tiny
from test_deploy import look

device, send = test_deploy.device, test_deploy.send

READY = "pilotwire 0.0.2 ready in b, self-test passed\r\n"
LINE = "health us=6250/8000/9000 in=led late=0 heap=70000/60000 net=0 wear=1 up=60 boot=soft clock=U"
END = 'Traceback (most recent call last):\r\n  File "a.py", line 1, in run\r\nMemoryError: no\r\n'


class Played:
    """A serial port on which this is said, in small pieces, and then nothing."""

    port, timeout, in_waiting = "/dev/ttyX", None, 5

    def __init__(self, text):
        self._left = text.encode()

    def read(self, most):
        piece, self._left = self._left[:most], self._left[most:]
        return piece


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(first_minute, "_MINUTE_S", 0.1)


@pytest.mark.parametrize("text, health, blocked, words", [
    (f"{LINE} rec=0 f=[]", Health(()), [], ", without a fault"),
    (f'noise\xff\r\n{LINE} rec=0 f=["8-4"]', Health(("8-4",)), [], ", with 8-4 on its display"),
    (f'{LINE} rec=0 f=["7-3","8-4","2', Health(("7-3", "8-4"), False), ["7-3"],
     ", with 7-3, 8-4 on its display"),
    (f'{LINE} rec=0 f=["7', Health((), False), [], ""),
    (LINE, Health((), False), [], ""),
])
def test_the_line_of_health_says_what_keeps_it_on_trial(text, health, blocked, words):
    found = come_through(Console(Played(text + "\r\n")))
    assert found == health and found.blocked == blocked
    assert str(found) == "it has run for a minute" + words


@pytest.mark.parametrize("text, kind, words", [
    (END, Ended, "does not run: it ends with MemoryError: no"),
    (END + READY + LINE + "\r\n", Ended, "MemoryError"),
    (READY + LINE + "\r\n", Ended, "has started again by itself"),
    ("what\r\n>>> ", DeviceError, "no word from the firmware in its first minute; it says: >>>"),
    ("", DeviceError, "no word from the firmware in its first minute"),
])
def test_an_end_a_second_start_and_silence_are_no_good_minute(text, kind, words):
    with pytest.raises(kind, match=words):
        come_through(Console(Played(text)))


def test_a_cable_that_is_pulled_meanwhile_is_told_as_elsewhere(monkeypatch):
    def read(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Played, "read", read)
    with pytest.raises(DeviceError, match="the connection to /dev/ttyX was lost"):
        come_through(Console(Played("")))


def test_how_long_it_has_waited_is_seen_at_a_terminal_alone(capsys, monkeypatch):
    Console(Played(LINE + "\r\n")).wait(1, Health, what="waiting")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    Console(Played(LINE + "\r\n")).wait(1, Health, what="waiting")
    shown = capsys.readouterr().err
    assert "waiting: 0 s" in shown and shown.endswith(" \r")


# Through `deploy` -------------------------------------------------------------------------------------


def lives(faults="", then="raise KeyboardInterrupt"):
    """What a small firmware does: a minute of five seconds, its line of health, then this."""
    return f"__import__('time').sleep(5); print({LINE!r}, 'rec=0 f=[{faults}]'); {then}"


PROVES = "open('slot', 'w').write('b'); __import__('time').sleep(9); raise KeyboardInterrupt"


@pytest.fixture
def one(device, tmp_path, monkeypatch):
    monkeypatch.setattr(first_minute, "_MINUTE_S", 75)
    monkeypatch.setattr(deploy, "_SETTLED_S", 0.1)
    return device(tiny(tmp_path / "old", "0.0.1"), seconds=2, size=0x40000)


def test_one_that_crashes_in_its_loop_is_no_success(one, send, tmp_path):
    new = tiny(tmp_path / "new", "0.0.2", run="raise MemoryError('no')")
    status, said = send(one, new, wait=True)
    assert status == 1 and "does not run: it ends with MemoryError" in said
    assert "runs 0.0.1 in slot a" in said and ending.OLD_IS_BACK.text in said
    assert "proved" not in said


def test_one_that_starts_again_by_itself_is_no_success(one, send, tmp_path):
    new = tiny(tmp_path / "new", "0.0.2", run="__import__('machine').reset()")
    status, said = send(one, new, wait=True)
    assert status == 1 and "has started again by itself" in said and ending.OLD_IS_BACK.text in said


def test_one_that_says_nothing_is_told_with_what_the_device_will_do(one, send, tmp_path, monkeypatch):
    monkeypatch.setattr(first_minute, "_MINUTE_S", 0.3)
    status, said = send(one, tiny(tmp_path / "new", "0.0.2"), wait=True)
    assert status == 1 and "no word from the firmware in its first minute" in said
    assert ending.ON_TRIAL.text in said


def test_a_good_minute_is_told_and_not_called_proved(one, send, tmp_path):
    status, said = send(one, tiny(tmp_path / "new", "0.0.2", run=lives()), wait=True)
    assert status == 0 and "for a minute, without a fault: it is proved as soon as no car" in said
    assert look(one, "slot") == ["b++"]


def test_a_fault_keeps_it_on_trial_and_is_no_failure(one, send, tmp_path):
    status, said = send(one, tiny(tmp_path / "new", "0.0.2", run=lives('"5-1"')), wait=True)
    assert status == 0 and "with 5-1 on its display: that keeps it on trial" in said


def test_whoever_does_not_wait_is_told_that_nothing_is_proved(one, send, tmp_path):
    status, said = send(one, tiny(tmp_path / "new", "0.0.2", run="raise MemoryError('no')"))
    assert status == 0 and "started, not yet proved" in said


# Settings with it -------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path):
    """Words for other settings with an authority, and what is in them."""
    (tmp_path / "my.ca.der").write_bytes(b"0\x82")
    spec = {**CONFIG, "installation_a": 10, "broker": {"host": "h", "tls": True, "ca": "my.ca.der"}}
    (tmp_path / "new.json").write_text(json.dumps(spec))
    return ("--config", str(tmp_path / "new.json")), spec


def test_settings_follow_when_the_firmware_is_proved_with_the_old_ones(one, send, tmp_path, settings):
    words, spec = settings
    status, said = send(one, tiny(tmp_path / "new", "0.0.2", run=lives(then=PROVES)), *words, wait=True)
    assert status == 0 and "firmware: proved" in said and "settings: sent" in said, said
    text, authority, slot = look(one, "config.json", "my.ca.der", "slot")
    assert json.loads(text) == spec and authority == "0\x82" and slot == "b"


@pytest.mark.parametrize("run, cause", [
    (lives('"5-1"'), "the settings are not sent"),
    (lives(), "a car or a fault keeps the firmware on trial"),
    ("raise MemoryError('no')", "does not run"),
], ids=["a fault", "a car", "an end"])
def test_without_proof_the_settings_stay_as_they_are(one, send, tmp_path, settings, run, cause):
    status, said = send(one, tiny(tmp_path / "new", "0.0.2", run=run), *settings[0], wait=True)
    assert status == 1 and cause in said
    assert (ending.FIRMWARE_ONLY.text in said) == (cause != "does not run")
    text, authority = look(one, "config.json", "my.ca.der")
    assert json.loads(text) == CONFIG and authority is None


def test_a_firmware_that_does_not_take_the_old_settings_is_not_sent_with_new_ones(
    device, send, tmp_path, settings,
):
    config = {**CONFIG, "limit_A": 6}
    one = device(tiny(tmp_path / "old", "0.0.1"), seconds=2, size=0x40000, config=config)
    status, said = send(one, tiny(tmp_path / "new", "0.0.2"), *settings[0], wait=True)
    assert status == 1 and "limit_A is not known" in said and "First pilotwire config write" in said
    assert look(one, "slot", "my.ca.der") == [None, None]


def test_whoever_does_not_wait_may_not_send_settings_with_it(one, send, tmp_path, settings):
    status, said = send(one, tiny(tmp_path / "new", "0.0.2"), *settings[0])
    assert status == 2 and "not with --no-wait. Nothing was changed" in said


def test_ctrl_c_before_the_settings_tells_that_the_firmware_is_there(
    one, send, tmp_path, settings, monkeypatch,
):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(deploy, "send_config", stop)
    new = tiny(tmp_path / "new", "0.0.2", run=lives(then=PROVES))
    status, said = send(one, new, *settings[0], wait=True)
    assert status == 130 and ending.stopped(ending.FIRMWARE_ONLY.text).text in said
    assert look(one, "slot")[0] == "b"


def test_settings_that_the_device_does_not_take_are_no_success(one, send, tmp_path, settings):
    old = tmp_path / "old/pilotwire/start.py"
    told = old.read_text().replace("    import sys\n", "    import sys\n    print('ConfigError: no')\n")
    new = tiny(tmp_path / "new", "0.0.2", run=lives(then=PROVES))
    (new / "pilotwire/start.py").write_text(told)
    write_manifest(new)
    assert send(one, new)[0] == 0
    test_deploy.self_proved(one)
    status, said = send(one, new, *settings[0], wait=True)
    assert status == 1 and "the device does not take them: ConfigError: no. The new settings are" in said


def test_settings_alone_go_at_once(one, send, tmp_path, settings):
    status, said = send(one, tmp_path / "old", *settings[0], wait=True)
    assert status == 0 and "settings: sent" in said
    assert json.loads(look(one, "config.json")[0]) == settings[1]
