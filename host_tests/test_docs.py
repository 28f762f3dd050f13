"""The documents stay true: generated parts are the code's, each code has hints, what is named exists."""

import json
import re

import pytest

from pilotwire import codes, troubleshooting
from pilotwire.charger import ROOT

DOCS = [*sorted((ROOT / "docs").glob("*.md")), *(ROOT / f"{name}.md" for name in (
    "CHANGELOG", "CONTRIBUTING", "SECURITY"))]
TROUBLE = troubleshooting.DOC.read_text()
CODES = [row["code"] for row in codes.rows()]
INSTALLATION = (ROOT / "docs/installation.md").read_text()
SAFETY = (ROOT / "docs/safety.md").read_text()
BOARDS = {
    path.parent.name: json.loads(path.read_text()) for path in sorted(ROOT.glob("boards/*/board.json"))
}


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


def test_each_member_of_a_board_json_is_in_its_table():
    table = rows(section(INSTALLATION, "board.json"))
    for board in BOARDS.values():
        for member, value in board.items():
            (row,) = [line for first, line in table.items() if f"`{member}`" in first]
            for name in value if isinstance(value, dict) else ():
                assert f"`{name}`" in row, f"{member}.{name}"


def test_what_each_board_has_is_what_its_board_json_says():
    table = rows(section(SAFETY, "What each board has"))
    cells = {first: [cell.strip() for cell in line.split("|")[2:-1]] for first, line in table.items()}
    assert cells[""] == list(BOARDS)

    def has(first):
        return [not re.match(r"no\b|neither|\*\*none", cell) for cell in cells[first]]

    def there(section, *keys):
        return [any(key in board.get(section, ()) for key in keys) for board in BOARDS.values()]

    assert [cell.startswith("dynamic") for cell in cells["contactor drive"]] == [
        board["contactor"].get("drive") == "dynamic" for board in BOARDS.values()]
    assert has("auxiliary contact") == there("contactor", "aux_pin")
    assert has("voltage behind the contactor") == there("contactor", "load_pin")
    assert has("residual current monitor") == there("rcm", "test_pin")
    assert [cell == "two lines" for cell in cells["residual current monitor"]] == there("rcm", "dc_pin")
    assert has("earth monitor") == there("inputs", "pe_pin")
    assert has("PEN monitor") == there("inputs", "pen_pin")
    assert has("temperature") == there("ntc", "adc_pin")
    assert [cell in ("button", "both") for cell in cells["lid, button"]] == there("inputs", "button_pin")
    assert [cell == "both" for cell in cells["lid, button"]] == there("inputs", "lid_pin")
    assert has("lock, cable coding") == there("lock", "pins") == there("proximity", "adc_pin")
