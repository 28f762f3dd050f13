"""`pilotwire doctor`: asked about stations that are well and that are not, from outside."""

import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import threading

import pytest
import serial

from doctor_told import INFO, STATE, WELL
from pilotwire import doctor_broker, doctor_checks
from pilotwire.charger import ROOT, SOURCES
from pilotwire.cli import main, parser
from pilotwire.device_build import write_manifest
from pilotwire.doctor_sources import line
from station import Connected
from test_after_a_restart import cut_power

LINE = 'health us=6250/8000/18139 in=link late=29 heap=14000/9000 net=1 wear=12 up=86400 boot=power' \
    ' clock=S rec=0 f=[]'


def url(station, who="backend"):
    user, password = station.run.broker.login(who)
    return f"mqtt://{user}:{password}@{station.backend._address[0]}:{station.backend._address[1]}"


def doctor(capsys, *words):
    """(exit status, what it says, on stderr)"""
    status = main(["doctor", *map(str, words)])
    out, err = capsys.readouterr()
    return status, out, err


def watched(station, capsys, *words):
    """doctor(), while the station goes on."""
    over = threading.Event()

    def live():
        while not over.is_set():
            station.advance(2)

    going_on = threading.Thread(target=live)
    going_on.start()
    try:
        return doctor(capsys, "--broker", url(station), *words)
    finally:
        over.set()
        going_on.join()


def said(out, level):
    """[what] of the lines of that level."""
    return [line[5:].split("  ")[0] for line in out.splitlines() if line.startswith(f"{level:<5}")]


# From a broker ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def well(tmp_path_factory):
    """A station as it is after two minutes of a good day; its files are those of its manifest."""
    folder = tmp_path_factory.mktemp("well")
    shutil.copytree(SOURCES, folder / "f", ignore=shutil.ignore_patterns("__pycache__"))
    write_manifest(folder / "f")
    with Connected(folder / "s", firmware=folder / "f") as station:
        station.charge(seconds=20)
        station.charger.do("unplug")
        station.advance(110)
        yield station


def test_a_station_that_is_well_is_told_to_be(well, capsys):
    status, out, err = watched(well, capsys)
    assert (status, said(out, "look"), said(out, "bad")) == (0, [], [])
    assert out.startswith("virtual: ok (") and len(said(out, "ok")) >= 15
    assert {"fault", "clock", "records", "selftest", "config", "loop", "heap", "restarts"} <= set(
        said(out, "ok"))
    assert "listening at" in err


def test_the_broker_may_be_named_by_a_variable(well, capsys, monkeypatch):
    monkeypatch.setenv("PILOTWIRE_BROKER", url(well))
    assert "virtual: " in doctor(capsys, "--device", "virtual", "--timeout", 1.5)[1]


def test_it_sends_nothing(well, capsys):
    before = len(well.run.broker.published)
    assert "virtual: " in doctor(capsys, "--broker", url(well), "--timeout", 1.5)[1]
    assert len(well.run.broker.published) == before


def test_what_the_broker_has_kept_is_not_taken_for_news(well, capsys, monkeypatch):
    """The station stands still: what it told last could be months old."""
    status, out, _ = doctor(capsys, "--broker", url(well), "--timeout", 1.5)
    assert status == 1 and said(out, "look") == ["link"] and re.search(r"nothing new in \d+ s", out)
    monkeypatch.setattr(doctor_broker, "_NEW_S", 0.5)
    monkeypatch.setattr(doctor_broker, "PROGRESS_S", 0.2)
    monkeypatch.setattr(doctor_checks, "SILENT_S", 1)
    status, out, err = doctor(capsys, "--broker", url(well))  # it does not wait in vain for 75 s
    assert status == 2 and said(out, "bad") == ["link"]
    assert "virtual has not told anything new" in err


def test_the_report_has_all_of_it_and_no_secret_and_is_for_its_owner_only(well, capsys, tmp_path):
    path = tmp_path / "report.json"
    path.touch(0o644)
    assert watched(well, capsys, "--report", path)[0] == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    told = json.loads(text)["devices"]["virtual"]
    assert set(told) == {"status", "info", "state", "health"}
    user, password = well.run.broker.login("backend")
    assert password not in text and f'"{user}"' not in text
    again = doctor(capsys, "--file", path)
    assert again[0] == 0 and said(again[1], "bad") == []


@pytest.fixture
def sick(tmp_path):
    """Three watchdog resets in ten minutes, no clock, three records that nobody acknowledges."""
    with Connected(tmp_path / "s", acknowledge=False) as station:
        station.charger.do("fault", {"name": "ntp_silent", "value": None})
        cut_power(station)
        station.advance(10)
        for _ in range(3):
            station.charge(seconds=8)
            station.charger.do("unplug")
            station.advance(8)
        for _ in range(3):
            station.charger.do("reset", "wdt")
            station.advance(10)
        station.advance(60)
        yield station


def test_planted_troubles_are_found_each_with_what_to_do(sick, capsys):
    status, out, _ = watched(sick, capsys)
    assert status == 2
    assert set(said(out, "bad")) == {"fault", "restarts"}
    assert {"clock", "records"} <= set(said(out, "look"))
    assert "7-5 Charger restarted itself" in out and "3 by watchdog" in out
    assert "3 not acknowledged" in out and "UDP 123" in out
    assert out.count("do: ") == out.count("should be: ") == len(said(out, "bad")) + len(said(out, "look"))


def test_an_offline_station_is_bad(tmp_path, capsys):
    with Connected(tmp_path / "s") as station:
        station.advance(2)
        station.charger.kill()
        assert station.backend.wait_for(lambda: station.backend.last["status"] == b"offline", 10)
        status, out, _ = doctor(capsys, "--broker", url(station), "--timeout", 5)
        assert status == 2 and "link" in said(out, "bad") and "offline" in out


def test_what_has_not_been_told_is_waited_for_and_then_missed(tmp_path, capsys):
    with Connected(tmp_path / "s") as station:
        station.advance(2)
        status, out, err = doctor(capsys, "--broker", url(station), "--timeout", 1.5)
        assert status == 1 and "nothing in health" in out and "1.5 s at the most" in err


def test_a_broker_that_cannot_be_used_is_bad_and_says_why(well, capsys):
    host, port = well.backend._address
    status, _, err = doctor(capsys, "--broker", f"mqtt://backend:wrong@{host}:{port}", "--timeout", 5)
    assert status == 2 and "refuses" in err and "wrong" not in err
    status, _, err = doctor(capsys, "--broker", url(well), "--device", "other", "--timeout", 1.5)
    assert status == 2 and "nothing below pilotwire/other/" in err
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        status, _, err = doctor(capsys, "--broker", f"mqtt://127.0.0.1:{unused.getsockname()[1]}")
    assert status == 2 and "no broker at" in err
    assert doctor(capsys, "--broker", "http://x")[0] == 2


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """(port, folder of own.pem, own.der, other.pem) of a broker with TLS that lets nobody in."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    for name in ("own", "other"):
        subprocess.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -addext"
            f" subjectAltName=IP:127.0.0.1 -subj /CN={name} -keyout {name}.key -out {name}.pem".split(),
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
    subprocess.run("openssl x509 -in own.pem -outform der -out own.der".split(), cwd=folder, check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem", folder / "own.key")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                peer = server.accept()[0]
                if over.is_set():
                    return
                with contextlib.suppress(OSError), context.wrap_socket(peer, server_side=True) as one:
                    one.recv(1000)
                    one.sendall(b"\x20\x02\x00\x05")  # CONNACK: not authorised
                    one.recv(1000)

        over, serving = threading.Event(), threading.Thread(target=serve)
        serving.start()
        yield server.getsockname()[1], folder
        over.set()
        socket.create_connection(server.getsockname()).close()
        serving.join()


@pytest.mark.parametrize("authority, words", [
    (None, "this computer does not trust the certificate"), ("other.pem", "other.pem does not trust"),
    ("own.pem", "refuses (not authorized)"), ("own.der", "refuses (not authorized)"),
    ("own.key", "is no certificate"), ("none.pem", "cannot be read (No such file"),
])
def test_an_authority_of_ones_own_is_trusted_when_it_is_named(secure, capsys, authority, words):
    port, folder = secure
    more = ["--ca", folder / authority] if authority else []
    status, _, err = doctor(capsys, "--broker", f"mqtts://127.0.0.1:{port}", "--timeout", 20, *more)
    assert status == 2 and words in err
    assert ("--ca FILE names its authority" in err) == ("does not trust" in words)


def test_an_authority_for_a_link_without_tls_is_refused(capsys):
    status, _, err = doctor(capsys, "--broker", "mqtt://127.0.0.1", "--ca", "own.pem")
    assert status == 2 and "--ca goes with mqtts:// only" in err


def test_without_a_place_to_look_it_says_so(capsys, monkeypatch):
    monkeypatch.delenv("PILOTWIRE_BROKER", raising=False)
    status, _, err = doctor(capsys)
    assert status == 2 and "--broker, --serial, --file" in err


# From the console ---------------------------------------------------------------------------------


@pytest.fixture
def console():
    """(path of a serial port, say(text): what the device writes there)"""
    ours, theirs = os.openpty()
    timers = []

    def say(text):
        timers.append(threading.Timer(0.3, os.write, (ours, text.encode())))
        timers[-1].start()

    yield os.ttyname(theirs), say, ours
    for timer in timers:
        timer.join()
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("text, status, words", [
    (LINE, 0, "ok   loop            8000 us"),
    (LINE.replace("f=[]", 'f=["1-2","8-4"]'), 2, "1-2 Car signal not safe"),
    (LINE.replace("f=[]", 'f=["8-4","8'), 1, "8-4 Lid is open"),
    (LINE.replace("boot=power", "boot=watchdog"), 1, "1 by watchdog"),
    (LINE.replace("/9000", "/2000"), 2, "2000 bytes"),
    (LINE.replace("clock=S", "clock=U"), 1, "UDP 123"),
])
def test_the_line_on_the_console_is_enough(console, capsys, text, status, words):
    port, say, ours = console
    say(f"rst:0x1\r\nhealth us=1\r\n{text}\r\n")
    got, out, err = doctor(capsys, "--serial", port, "--timeout", 20)
    assert (got, words in out, f"reading {port}" in err) == (status, True, True), out
    os.set_blocking(ours, False)
    with pytest.raises(BlockingIOError):
        os.read(ours, 1)  # nothing was sent


def test_a_silent_console_is_bad(console, capsys, tmp_path):
    status, _, err = doctor(capsys, "--serial", console[0], "--timeout", 1)
    assert status == 2 and "no line of health in 1 s" in err
    status, _, err = doctor(capsys, "--serial", tmp_path / "none")
    assert status == 2 and "cannot be read" in err


def test_a_port_that_another_program_has_is_left_to_it(console, capsys):
    with serial.Serial(console[0], exclusive=True):
        status, _, err = doctor(capsys, "--serial", console[0], "--timeout", 1)
        assert status == 2 and "cannot be read (another program has it open)" in err


def test_nobody_else_gets_the_port_while_it_listens(console, capsys, monkeypatch):
    port, say, _ = console
    held, opened, really = [], threading.Event(), serial.Serial.open
    monkeypatch.setattr(serial.Serial, "open", lambda self: (really(self), opened.set()))

    def ask():
        opened.wait(20)
        try:
            serial.Serial(port, exclusive=True).close()
        except serial.SerialException as error:
            held.append(error)
        say(LINE + "\r\n")

    asking = threading.Thread(target=ask)
    asking.start()
    assert doctor(capsys, "--serial", port, "--timeout", 20)[0] == 0
    asking.join()
    assert held


# From files ---------------------------------------------------------------------------------------


def saved(folder, **payloads):
    paths = []
    for name, payload in payloads.items():
        paths.append(folder / f"{name}.json")
        paths[-1].write_text(payload if isinstance(payload, str) else json.dumps(payload))
    return paths


def test_saved_payloads_are_one_device(tmp_path, capsys):
    status, out, _ = doctor(capsys, "--file", *saved(tmp_path, health=WELL, state=STATE, info=INFO))
    assert status == 0 and out.startswith("garage: ok")


def test_of_a_consoles_output_the_newest_line_counts(tmp_path, capsys):
    text = LINE.replace("/9000", "/1000") + "\nTraceback\n" + LINE + "\n"
    assert doctor(capsys, "--file", *saved(tmp_path, console=text))[0] == 0


@pytest.mark.parametrize("text", [
    "", "{}", "[1]", "health us=1", '{"devices": {"a": 1}}', '{"devices": []}', '{"devices": {}}',
    '{"devices": {"a": {}}}', "[" * 100_000,
])
def test_other_files_are_refused_by_name(tmp_path, capsys, text):
    status, _, err = doctor(capsys, "--file", *saved(tmp_path, odd=text))
    assert status == 2 and "odd.json: neither" in err


def test_a_report_of_files_with_secrets_has_none(tmp_path, capsys):
    info = {**INFO, "ssid": "home net", "wifi_password": "w1", "key": "ab", "at": "mqtt://anna:pw@host:1"}
    nested = {**STATE, "broker": {"user": "anna", "password": "pw", "host": "h"}, "token": "t"}
    report = tmp_path / "r.json"
    doctor(capsys, "--file", *saved(tmp_path, state=nested, info=info), "--report", report)
    text = report.read_text()
    for secret in ("home net", '"w1"', "anna", '"pw"', "pw@", '"ab"', '"t"'):
        assert secret not in text, secret
    assert '"host": "h"' in text and "mqtt://host:1" in text


def test_what_is_odd_in_a_report_ends_nothing(tmp_path, capsys):
    told = {"a": {"health": 5, "state": None, "info": [], "status": 1, "more": 2}}
    status, out, _ = doctor(capsys, "--file", *saved(tmp_path, odd={"devices": told}))
    assert status == 1 and "a: look" in out and "cannot be understood" in out


def test_a_broker_that_is_not_asked_may_be_wrong_and_its_login_stays_out(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PILOTWIRE_BROKER", "mqtt://anna:pass word@[x")
    report = tmp_path / "r.json"
    state = {**STATE, "why": "anna said pass word"}
    doctor(capsys, "--file", *saved(tmp_path, state=state), "--report", report)
    text = report.read_text()
    assert "anna" not in text and "pass word" not in text
    monkeypatch.setenv("PILOTWIRE_BROKER", "mqtt://[x")
    assert doctor(capsys)[0] == 2


def test_a_user_of_one_letter_spoils_no_other_word(tmp_path, capsys, monkeypatch):
    paths = saved(tmp_path, state={**STATE, "why": "a: an actor"}, info=INFO, health=WELL)
    reports = []
    for number, url in enumerate(("mqtt://h", "mqtt://a:bc@h")):
        monkeypatch.setenv("PILOTWIRE_BROKER", url)
        reports.append(tmp_path / f"{number}.json")
        doctor(capsys, "--file", *paths, "--report", reports[-1])
    plain, without = (json.loads(path.read_text()) for path in reports)
    assert without["devices"]["garage"]["state"]["why"] == "(removed): an actor"
    plain["devices"]["garage"]["state"]["why"] = without["devices"]["garage"]["state"]["why"]
    assert without["devices"] == plain["devices"] and without["findings"] == plain["findings"]


def test_a_report_does_not_follow_a_link(tmp_path, capsys):
    target = tmp_path / "precious"
    target.write_text("mine")
    link = tmp_path / "r.json"
    link.symlink_to(target)
    status, _, err = doctor(capsys, "--file", *saved(tmp_path, health=WELL), "--report", link)
    assert status == 2 and "cannot be written" in err and target.read_text() == "mine"


def test_what_is_no_text_for_a_terminal_is_not_printed(tmp_path, capsys):
    health = {**WELL, "tell_errors": 1, "tell_error": "\x1b[2J\u202egood"}
    _, out, _ = doctor(capsys, "--file", *saved(tmp_path, health=health))
    assert "\x1b" not in out and "\u202e" not in out and "?[2J?good" in out


# What the documents say ---------------------------------------------------------------------------


def test_the_commands_of_the_documents_are_ones_the_parser_takes():
    texts = (ROOT / "README.md").read_text() + (ROOT / "docs/doctor.md").read_text()
    commands = re.findall(r"^\.venv/bin/pilotwire (doctor .*)$", texts, re.M)
    assert len(commands) == 5
    for command in commands:
        parser().parse_args(command.split())


def test_the_line_of_the_documents_is_one_that_is_understood():
    (text,) = re.findall(r"^health .*$", (ROOT / "docs/doctor.md").read_text(), re.M)
    assert line(text)["health"]["worst_in"] == "second" and line(text)["state"]["faults"] == []
