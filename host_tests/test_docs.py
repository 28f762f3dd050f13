"""The documents stay true: generated parts are the code's, each code has hints, what is named exists."""

import re

import pytest

from pilotwire import codes, troubleshooting
from pilotwire.charger import ROOT

DOCS = [*sorted((ROOT / "docs").glob("*.md")), *(ROOT / f"{name}.md" for name in (
    "CHANGELOG", "CONTRIBUTING", "SECURITY"))]
TROUBLE = troubleshooting.DOC.read_text()
CODES = [row["code"] for row in codes.rows()]
INSTALLATION = (ROOT / "docs/installation.md").read_text()


def section(text, heading):
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.S | re.M)[1]


def rows(text):
    """{first cell: the row} of a Markdown table."""
    return {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| ")}


# docs/troubleshooting.md ------------------------------------------------------------------------


def test_the_generated_parts_are_what_the_code_says():
    assert troubleshooting.generated(TROUBLE) == TROUBLE, "run python -m pilotwire.troubleshooting"


def test_no_code_is_there_that_the_table_has_not():
    assert re.findall(r"<!-- (\d-\d) -->", TROUBLE) == CODES


@pytest.mark.parametrize("code", CODES)
def test_owner_and_electrician_have_a_hint(code):
    hints = troubleshooting.hints(TROUBLE)[code]
    assert set(hints) == {"Owner", "Electrician"}
    assert all(len(hint.split()) >= 4 for hint in hints.values())


def test_a_missing_hint_would_be_noticed():
    start = TROUBLE.index("<!-- 1-2 -->")
    at = TROUBLE.index("* Electrician:", start)
    without = TROUBLE[:at] + TROUBLE[TROUBLE.index("<!-- 1-3 -->"):]
    assert set(troubleshooting.hints(without)["1-2"]) == {"Owner"}
    assert set(troubleshooting.hints(without)["1-3"]) == {"Owner", "Electrician"}


def test_a_code_without_a_place_is_named():
    with pytest.raises(SystemExit, match="docs/troubleshooting.md has no place for 1-2"):
        troubleshooting.generated(TROUBLE.replace("<!-- 1-2 -->", ""))


# What documents name ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_tests_and_files_exist(path):
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (path.parent / target).exists(), target
    for name in re.findall(r"`(?:host_tests/)?(\w+\.py)`", text):
        assert name.startswith(("boot", "main")) or list(ROOT.glob(f"*/**/{name}")), name
    for name in re.findall(r"`((?:sense|decide|act|tell)/\w+\.py)`", text):
        assert (ROOT / "firmware/pilotwire" / name).exists(), name


def test_each_member_of_config_json_is_in_its_table_and_no_other():
    source = (ROOT / "firmware/pilotwire/config.py").read_text()
    taken = set(re.findall(r'(?:spec, |spec\.get\()"(\w+)"', source))
    within = {"from", "to", "utc_offset_min", "host", "port", "user", "password", "tls", "ca"}
    listed = "".join(rows(section(INSTALLATION, "config.json")))
    assert set(re.findall(r"`(\w+)`", listed)) == taken - within
