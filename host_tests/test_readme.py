"""README stays true: its tables are the code's, its commands run, its output is real."""

import json
import re
import shlex
import subprocess

import pytest

from pilotwire import readme
from pilotwire.charger import ROOT
from pilotwire.cli import main

TEXT = readme.README.read_text()
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.S) for line in block.splitlines() if line
]


def test_generated_parts_are_what_the_code_says():
    assert readme.generated(TEXT) == TEXT


def test_the_readme_names_commands():
    assert "make run" in COMMANDS and "make test" in COMMANDS
    assert any("pilotwire run examples/" in command for command in COMMANDS)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_make_knows_the_targets(command):
    words = ["make", "-n", *command.split()[1:]]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if "pilotwire run" in c])
def test_run_commands_run(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)[1:]
    words[1] = str(ROOT / words[1])
    assert main([*words, "--keep", str(tmp_path / "keep")]) == 0
    record = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert record["energy_wh"] > 0 and record["v"] == 1


@pytest.mark.parametrize("command", [c for c in COMMANDS if "pilotwire scope" in c])
def test_the_scope_command_draws(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)[1:]) == 0
    assert "contactor command off" in capsys.readouterr().out
    assert (tmp_path / "unplug.png").stat().st_size > 10_000


@pytest.mark.parametrize("command, file", [
    ("pilotwire show", "code.png"), ("pilotwire codes", "lid.svg"),
])
def test_the_commands_that_draw_codes_do(command, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (words,) = [shlex.split(c)[1:] for c in COMMANDS if command in c]
    assert main(words) == 0
    assert (tmp_path / file).stat().st_size > 5_000


def test_the_light_of_a_code_is_as_shown(capsys):
    shown = re.search(r"```text\n(LED, .*?)```", TEXT, re.S)[1]
    assert main(["show", "1-2"]) == 0
    assert shown in capsys.readouterr().out


def test_the_bench_command_is_one_the_parser_takes():
    from pilotwire.cli import parser

    (command,) = [c for c in COMMANDS if "pilotwire bench" in c]
    assert parser().parse_args(shlex.split(command)[1:]).only == "tick"


SERIAL = [c for c in COMMANDS if re.search("pilotwire (image|flash|deploy|config)", c)]


def test_all_ways_onto_the_chip_are_shown():
    assert {command.split()[1] for command in SERIAL} == {"image", "flash", "deploy", "config"}


@pytest.mark.parametrize("command", SERIAL)
def test_the_commands_for_a_chip_are_ones_the_parser_takes(command):
    from pilotwire.cli import parser

    words = shlex.split(command)[1:]
    assert parser().parse_args(words).command == words[0]


def test_the_sample_record_has_the_fields_of_a_real_one(tmp_path, capsys):
    sample = json.loads(re.search(r'^\{"v":1,.*$', TEXT, re.M)[0])
    assert main(["run", str(ROOT / "examples/evening.csv"), "--keep", str(tmp_path / "keep")]) == 0
    real = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(sample) == list(real)
    assert {k: type(v) for k, v in sample.items()} == {k: type(v) for k, v in real.items()}


@pytest.mark.parametrize("command", [c for c in COMMANDS if "pilotwire board" in c])
def test_the_board_commands_run(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)[1:]) == 0
    assert "wiring" not in command or (tmp_path / "wiring.svg").stat().st_size > 5_000
    shown = re.search(r"```text\n(boards/.*?)```", TEXT, re.S)[1]
    assert "check" not in command or shown in capsys.readouterr().out


def test_links_and_paths_in_the_readme_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
    for path in re.findall(r"^(\S+/)\s{2,}\S", TEXT, re.M):
        assert (ROOT / path).is_dir(), path
