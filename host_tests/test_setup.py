"""The set-up that every make target runs first, from outside: what it leaves, says and returns.

Each test has a small project of its own, with one pinned wheel, a cache and no way to the network.
"""

import fcntl
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parent.parent / "tools" / "setup"
PYTHON = getattr(sys, "_base_executable", sys.executable)  # the system's, as make would use
WHEEL = "spark-1.0-py3-none-any.whl"
SDIST = "toy-umqtt-1.0.tar.gz"
SIMPLE_PY = b"class MQTTClient: pass\n"
NOWHERE = "http://127.0.0.1:9/simple/"  # the discard port: refused at once


def wheel_bytes():
    data = io.BytesIO()
    info = "spark-1.0.dist-info/"
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("spark.py", "COLOUR = 'blue'\n")
        archive.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: spark\nVersion: 1.0\n")
        archive.writestr(
            info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(info + "RECORD", f"spark.py,,\n{info}METADATA,,\n{info}WHEEL,,\n")
    return data.getvalue()


def sdist_bytes():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        member = tarfile.TarInfo("toy-umqtt-1.0/umqtt/simple.py")
        member.size = len(SIMPLE_PY)
        archive.addfile(member, io.BytesIO(SIMPLE_PY))
    return data.getvalue()


WHEEL_DATA, SDIST_DATA = wheel_bytes(), sdist_bytes()  # once: archives hold the time


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Project:
    """A clone in `folder` with a filled cache; `set_up()` runs its set-up to the end."""

    def __init__(self, folder):
        self.root = folder / "a clone"  # with a space, as people have them
        self.cache = folder / "cache" / "pilotwire"
        self.venv = self.root / ".venv"
        self.command = [PYTHON, "-B", "tools/setup"]
        self.env = {
            "PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"),
            "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": NOWHERE, "LANG": "C.UTF-8",
        }
        self.cache.mkdir(parents=True)
        (self.cache / WHEEL).write_bytes(WHEEL_DATA)
        (self.cache / SDIST).write_bytes(SDIST_DATA)
        shutil.copytree(SETUP, self.root / "tools" / "setup")
        cli = self.root / "tools" / "pilotwire" / "cli.py"
        cli.parent.mkdir()
        cli.write_text("import sys, spark\ndef main():\n    print(spark.COLOUR, sys.argv[1:])\n")
        (self.root / "requirements.txt").write_text(
            f"spark==1.0 \\\n    --hash=sha256:{digest(WHEEL_DATA)}\n"
        )
        (self.root / "pyproject.toml").write_text(
            '[tool.pilotwire.umqtt]\nproject = "toy-umqtt"\nversion = "1.0"\n'
            f'sdist_sha256 = "{digest(SDIST_DATA)}"\nsimple_py_sha256 = "{digest(SIMPLE_PY)}"\n'
        )

    def start(self):
        return subprocess.Popen(
            self.command, cwd=self.root, env=self.env, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    def set_up(self):
        return subprocess.run(
            self.command, cwd=self.root, env=self.env, text=True, capture_output=True, timeout=200,
            check=False,
        )

    def pilotwire(self, *args):
        return subprocess.run(
            [self.venv / "bin" / "pilotwire", *args], text=True, capture_output=True, check=False
        ).stdout

    def pretend_built(self):
        """A .venv that counts as whole, with this Python's packages: quicker than building one."""
        code = (
            "import sys; sys.path.insert(0, 'tools/setup'); import environment as e\n"
            "e.PYTHON.parent.mkdir(parents=True); e._COMMAND.touch()\n"
            "e._STAMP.write_text(e.fingerprint())"
        )
        subprocess.run([PYTHON, "-B", "-c", code], cwd=self.root, env=self.env, check=True)
        python = self.venv / "bin" / "python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def assert_refused(done, *words):
    """`done` ended with status 2 and one line on stderr that holds each of `words`."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


def kill(process):
    """As a power cut would: the set-up and whatever it has started, at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def snapshot(folder):
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_cache_alone_makes_a_working_command(project):
    done = project.set_up()
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.pilotwire("run", "two words") == "blue ['run', 'two words']\n"
    assert (project.root / "build/lib/umqtt/simple.py").read_bytes() == SIMPLE_PY

    # A second time it says nothing, starts nothing (the log would grow) and changes nothing.
    before = snapshot(project.root)
    again = project.set_up()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert snapshot(project.root) == before


@pytest.mark.parametrize("spoil", ["nothing", "no stamp", "moved", "new pins", "no python"])
def test_venv_that_is_not_whole_or_not_of_this_clone_is_built_again(project, spoil):
    project.pretend_built()
    if spoil == "no stamp":
        (project.venv / "set-up-complete").unlink()
    elif spoil == "moved":
        project.root = project.root.rename(project.root.with_name("moved"))
    elif spoil == "new pins":
        with open(project.root / "requirements.txt", "a") as requirements:
            requirements.write("# one more line\n")
    elif spoil == "no python":
        (project.venv / "bin" / "python").unlink()
    begun = project.start()
    first_line = begun.stdout.readline()
    kill(begun)
    assert ("making .venv" in first_line) == (spoil != "nothing")


def test_killed_set_up_is_finished_by_the_next(project):
    killed = project.start()
    assert "making .venv" in killed.stdout.readline()
    kill(killed)
    assert "making .venv" in project.set_up().stdout
    assert project.pilotwire() == "blue []\n"


def test_second_set_up_waits_for_the_first(project):
    with open(project.root / ".setup.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = project.start()
        assert "waiting" in second.stdout.readline()
        project.pretend_built()
    out, err = second.communicate(timeout=200)
    assert second.returncode == 0, err
    assert "making .venv" not in out  # the first has done it


def test_damaged_wheel_is_dropped_and_named(project):
    (project.cache / WHEEL).write_bytes(WHEEL_DATA[:100])
    assert_refused(project.set_up(), "no network", "spark 1.0")
    assert not (project.cache / WHEEL).exists()


def test_umqtt_with_another_digest_in_the_cache_is_refused(project):
    project.pretend_built()
    (project.cache / SDIST).write_bytes(b"something else")
    done = project.set_up()
    assert f"{SDIST} in the cache is refused" in done.stdout
    assert_refused(done, "toy-umqtt 1.0", "no network")
    assert not (project.root / "build/lib").exists()


@pytest.fixture
def index(project):
    """A package index on the loopback that serves `index.sdist`; the project is set to ask it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            page = f'<html><body><a href="/{SDIST}">{SDIST}</a></body></html>'.encode()
            body = server.sdist if self.path == "/" + SDIST else page
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    project.env["PIP_INDEX_URL"] = f"http://127.0.0.1:{server.server_port}/simple/"
    project.pretend_built()
    (project.cache / SDIST).unlink()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_umqtt_comes_from_the_index_that_pip_is_set_to(project, index):
    index.sdist = SDIST_DATA
    done = project.set_up()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project.root / "build/lib/umqtt/simple.py").read_bytes() == SIMPLE_PY
    assert digest((project.cache / SDIST).read_bytes()) == digest(index.sdist)


def test_umqtt_with_another_digest_from_the_index_is_refused(project, index):
    index.sdist = b"something else"
    assert_refused(project.set_up(), "toy-umqtt 1.0", "refused", digest(index.sdist))
    assert not (project.cache / SDIST).exists()
    assert not (project.root / "build/lib").exists()


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ("sys.version_info = (3, 9, 18)", ("too old", "3.11")),
        ("sys.modules['ensurepip'] = None", ("apt install python3-venv",)),
    ],
)
def test_python_that_cannot_do_it_is_told_what_to_install(project, patch, words):
    code = f"import runpy, sys; {patch}; runpy.run_path('tools/setup', run_name='__main__')"
    project.command = [PYTHON, "-B", "-c", code]
    assert_refused(project.set_up(), *words)
    assert not project.venv.exists()


def test_cache_that_cannot_be_made_is_named(project):
    file = project.root / "requirements.txt"
    project.env["XDG_CACHE_HOME"] = str(file)
    assert_refused(project.set_up(), str(file / "pilotwire"), "Not a directory")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_clone_that_cannot_be_written_is_named(project):
    project.root.chmod(0o555)
    try:
        assert_refused(project.set_up(), str(project.root), "Permission denied")
    finally:
        project.root.chmod(0o755)
