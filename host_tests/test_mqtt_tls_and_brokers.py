"""The MQTT link over TLS, and through brokers that others wrote: amqtt, mosquitto."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time

import paho.mqtt.client as paho
import pytest

from mqtt_peer import broker, device, hello, publish
from pilotwire.broker import Broker


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A throw-away CA and a certificate of it for `charger.test`: folder of ca.der, server.*."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    (folder / "extensions").write_text("subjectAltName=DNS:charger.test\n")
    new = "openssl req -newkey rsa:2048 -nodes -sha256 -keyout"
    for command in (
        f"{new} ca.key -x509 -days 2 -subj /CN=Throw-away -out ca.pem",
        f"{new} server.key -subj /CN=charger.test -out server.csr",
        "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
        " -extfile extensions -out server.pem",
        "openssl x509 -in ca.pem -outform DER -out ca.der",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


def server_context(folder, ciphers):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    return context


def trusted(folder, name="charger.test"):
    return {"ca": (folder / "ca.der").read_bytes(), "server_name": name}


def test_tls_prefers_the_suite_that_the_chip_does_fast(certificates):
    suites = []

    def scene(peer):
        suites.append(peer.sock.cipher()[0])
        peer.greet()
        peer.send(publish(b"t", bytes(900), 3) + publish(b"t", bytes(9000), 4))
        assert [peer.packet()[1] for _ in (1, 2)] == [b"\0\3", b"\0\4"]
        peer.until_closed()

    script = "until(lambda: len(events) == 2 and link.room())\ntell(len(events))"
    context = server_context(certificates, "ECDHE+AESGCM:AES128-GCM-SHA256")
    with broker(scene, tls=context) as port:
        assert device(port, script, tls=trusted(certificates)) == [(2,)]
    assert suites == ["AES128-GCM-SHA256"]


def test_tls_falls_back_to_the_suites_the_server_has(certificates):
    script = "until(lambda: link.why)\nskip(3000)\nuntil(up)\ntell(link.reconnects)"
    context = server_context(certificates, "ECDHE+AESGCM")
    with broker(hello, hello, tls=context) as port:
        assert device(port, script, tls=trusted(certificates)) == [(0,)]


@pytest.mark.parametrize("wrong", ["name", "ca"])
def test_tls_refuses_a_server_it_cannot_trust(certificates, wrong):
    tls = trusted(certificates, "other.test" if wrong == "name" else "charger.test")
    if wrong == "ca":
        subprocess.run(
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout o.key -days 2 -subj /CN=Other"
            " -outform DER -out other.der".split(),
            cwd=certificates, check=True, capture_output=True,
        )  # fmt: skip
        tls["ca"] = (certificates / "other.der").read_bytes()
    script = "until(lambda: link.why)\ntell(link.state, link.why)"
    with broker(hello, tls=server_context(certificates, "AES128-GCM-SHA256")) as port:
        ((state, why),) = device(port, script, tls=tls)
    assert state == 0
    assert "CERT" in why.upper()


def test_no_tls_handshake_runs_while_the_contactor_is_closed(certificates):
    script = """
until(lambda: link.state == mqtt.HANDSHAKE)
step(False)
for _ in range(50):
    step(False)
    skip(1000)
tell(link.state == mqtt.DOWN, link.why)
until(up)
"""
    context = server_context(certificates, "AES128-GCM-SHA256")
    abandoned = contextlib.suppress(OSError)
    with broker(hello, hello, tls=context) as port, abandoned:
        assert device(port, script, tls=trusted(certificates)) == [(True, "")]


@pytest.mark.parametrize("secure", [False, True])
def test_a_broker_that_reads_nothing_blocks_no_step_and_loses_no_byte(request, secure):
    gates = [threading.Event(), threading.Event()]

    def scene(peer):
        peer.greet()
        assert gates[0].wait(20)
        peer.send(publish(b"c", b"heard", 5))
        assert gates[1].wait(20)
        count = acknowledged = 0
        while (packet := peer.packet()) != (0x30, b"\0\1end"):
            if packet == (0x40, b"\0\5"):
                acknowledged += 1
                continue
            assert packet == (0x30, b"\0\1t" + count.to_bytes(2, "big") * 950)
            count += 1
        peer.send(publish(b"c", b"%d %d" % (count, acknowledged)))
        peer.until_closed()

    script = """
import socket
def gate():
    socket.socket().connect(socket.getaddrinfo("127.0.0.1", %d)[0][-1])

posted = idle = 0
until(up)
while idle < 200:
    if posted < 65000 and link.room():
        posted += link.post(b"t", bytes((posted >> 8, posted & 255)) * 950) + 1
    idle = 0 if link.step(now(), True) else idle + 1
gate()
until(lambda: events)
gate()
until(link.room)
link.post(b"e", b"nd")
until(lambda: len(events) == 2)
tell(posted, events)
"""
    options, context = {}, None
    if secure:
        folder = request.getfixturevalue("certificates")
        options["tls"], context = trusted(folder), server_context(folder, "AES128-GCM-SHA256")
    with broker(scene, tls=context) as port, socket.create_server(("127.0.0.1", 0)) as server:

        def open_gates():
            for event in gates:
                server.accept()[0].close()
                event.set()

        threading.Thread(target=open_gates, daemon=True).start()
        ((posted, events),) = device(port, script % server.getsockname()[1], **options)
    assert posted > 20
    assert [payload for _, payload, _ in events] == [b"heard", b"%d 1" % posted]


def test_a_round_trip_and_the_will_through_amqtt():
    server = Broker()
    server.start()
    seen = []
    backend = paho.Client(paho.CallbackAPIVersion.VERSION2)
    backend.username_pw_set(*server.login("backend"))
    backend.on_message = lambda _c, _u, m: seen.append((m.topic, m.payload))
    subscribed = threading.Event()
    backend.on_subscribe = lambda *_: subscribed.set()
    try:
        backend.connect(server.host, server.port)
        backend.loop_start()
        backend.subscribe("d/#", 1)
        assert subscribed.wait(10)
        user, password = (text.encode() for text in server.login("device"))
        script = """
link.want(b"d/cmd")
until(up)
link.post(b"d/status", b"online", True, 1)
until(lambda: events)
link.post(b"d/cmd", b"go", False, 1)
until(lambda: len(events) == 3 and link.room())
tell(*sorted(events, key=str))
"""
        will = {"will_topic": b"d/status", "will": b"offline"}
        (got,) = device(server.port, script, user=user, password=password, **will)
        assert (b"d/cmd", b"go", False) in got
        deadline = time.monotonic() + 10
        while ("d/status", b"offline") not in seen and time.monotonic() < deadline:
            time.sleep(0.01)
        assert seen == [("d/status", b"online"), ("d/cmd", b"go"), ("d/status", b"offline")]
        # The will has replaced the retained status; a new subscriber is told that it is old.
        script = 'link.want(b"d/status")\nuntil(lambda: events)\ntell(*events)'
        got = device(server.port, script, user=user, password=password)
        assert got == [((b"d/status", b"offline", True),)]
        got = device(server.port, "until(lambda: link.why)\ntell(link.why)", user=b"nobody")
        assert got[0][0] in ("wrong user or password", "not authorised", "closed by the broker")
    finally:
        backend.loop_stop()
        server.stop()


@pytest.mark.mosquitto
@pytest.mark.skipif(shutil.which("mosquitto") is None, reason="mosquitto is not installed")
@pytest.mark.parametrize("secure", [False, True])
def test_a_round_trip_through_mosquitto(tmp_path, request, secure):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "user root"]
    options = {"will_topic": b"s", "will": b"offline"}
    if secure:
        folder = request.getfixturevalue("certificates")
        lines += [f"certfile {folder}/server.pem", f"keyfile {folder}/server.key"]
        options["tls"] = trusted(folder)
    (tmp_path / "m.conf").write_text("\n".join(lines) + "\n")
    script = """
link.want(b"s")
until(up)
link.post(b"s", b"online", True, 1)
until(lambda: len(events) == 2)
tell(*sorted(events, key=str))
"""
    again = 'link.want(b"s")\nuntil(lambda: events)\ntell(*events)'
    command = ["mosquitto", "-c", tmp_path / "m.conf"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as it:
        try:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
            assert (b"s", b"online", False) in device(port, script, **options)[0]
            options["will_topic"] = None
            assert device(port, again, **options) == [((b"s", b"offline", True),)]
        finally:
            it.terminate()
