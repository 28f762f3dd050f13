"""docs/boards.md, the pictures and the READMEs of boards follow from board.json and its schema."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest
from PIL import ImageFont

from pilotwire import board_docs, board_spec, board_wiring
from pilotwire.board_parts import parts
from pilotwire.charger import ROOT
from pilotwire.cli import main

NAMES = [path.parent.name for path in board_spec.board_files()]
SPECS = {path.parent.name: json.loads(path.read_text()) for path in board_spec.board_files()}
DOC = board_docs.DOC.read_text()
_SVG = "{http://www.w3.org/2000/svg}"
# How much wider DejaVu Sans, the widest font, is than Pillow's own at worst: as in test_codes.
_WIDER = {False: 1.17, True: 1.38}


# The document -------------------------------------------------------------------------------------


def test_the_generated_parts_are_what_boards_and_schema_say():
    assert board_docs.generated(DOC) == DOC, "run python -m pilotwire.board_docs"


def test_each_member_of_the_schema_has_its_row():
    for section, form in board_spec.sections().items():
        table = re.search(rf"^### {section or 'board.json'}\n(.*?)(?=^### |^<!-- )", DOC, re.S | re.M)[1]
        found = re.findall(r"^\| `(\w+)`", table, re.M)
        assert found == list(form["properties"])


def test_a_member_that_changed_is_written_anew():
    assert "50 to 500" not in board_docs.generated(DOC.replace("50 to 400", "50 to 500"))


@pytest.mark.parametrize("name, cells", [
    ("reference-1p", "32 A x 1 | dynamic, with enable | auxiliary contact, voltage"
     " | one line for AC and DC | PEN | yes | button | fixed | atm90e32 | ws2812 | ssd1306"),
    ("reference-1p-digits", "32 A x 1 | dynamic, with enable | auxiliary contact | **none** | none"
     " | **none** | neither | fixed | atm90e32 | rgb | tm1637"),
    ("reference-3p", "63 A x 3 | level | auxiliary contact, voltage | two lines | earth | yes"
     " | lid, button | fixed | atm90e32 | ws2812 | ssd1306"),
    ("reference-3p-socket", "63 A x 3 | level | auxiliary contact | one line for AC and DC | earth | yes"
     " | button | socket, locked | atm90e32 | ws2812 | ssd1306"),
    ("smartevse-v3", "32 A x 3 | level | **nothing** | **none** | none | **none** | neither | fixed"
     " | sdm630: no driver yet | single | none"),
])
def test_the_table_of_boards_says_what_each_has(name, cells):
    assert f"| [{name}](../boards/{name}/README.md) | {cells} |" in DOC


def test_the_divider_for_the_pilot_gives_what_it_says():
    up, supply, down = map(float, re.search(
        r"([\d.]+) kΩ from the pilot, ([\d.]+) kΩ from\s3.3 V, ([\d.]+) kΩ to ground", DOC).groups())
    said = re.search(r"\+12 V gives (\d+) mV, -12 V (\d+) mV, \+12.6 V (\d+) mV", DOC).groups()
    whole = 1 / up + 1 / supply + 1 / down
    gives_mv = [round((volts / up + 3.3 / supply) / whole * 1000) for volts in (12, -12, 12.6)]
    assert gives_mv == list(map(int, said))


# The boards' READMEs --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_shows_the_picture_and_names_every_gpio(name):
    text = (ROOT / "boards" / name / "README.md").read_text()
    assert "(wiring.svg)" in text
    for base in re.findall(r"\(\.\./([\w-]+)/README\.md\)", text):
        text += (ROOT / "boards" / base / "README.md").read_text()
    for use in board_spec.uses(SPECS[name]):
        assert re.search(rf"\b{use.pin}\b", text), use


@pytest.mark.parametrize("name", NAMES)
def test_links_in_the_readme_exist(name):
    folder = ROOT / "boards" / name
    for target in re.findall(r"\]\(([^)#]+)\)", (folder / "README.md").read_text()):
        assert target.startswith("https://") or (folder / target).exists(), target


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("reference")])
def test_a_board_of_others_says_what_was_not_verified_and_that_it_does_not_fit_as_sold(name):
    text = " ".join((ROOT / "boards" / name / "README.md").read_text().split())
    for words in ("does not fit as it is", "## Not verified", "## Left out", "## Parts", "no driver yet",
                  "## What the hardware must do on its own", "https://github.com/"):
        assert words in text, words


# The picture ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_beside_the_board_is_that_of_its_board_json(name):
    kept = (ROOT / "boards" / name / "wiring.svg").read_text()
    assert kept == board_wiring.drawing(SPECS[name]), "run python -m pilotwire.board_docs"


def boxes(root):
    """[(left, top, right, bottom, text)] of all texts, in mm."""
    font = ImageFont.load_default(100)
    for element in root.iter(_SVG + "text"):
        at = element.attrib
        size, x, y = float(at["font-size"]), float(at["x"]), float(at["y"])
        wide = font.getlength(element.text) / 100 * size * _WIDER["font-weight" in at]
        left = x - wide * {"start": 0, "middle": 0.5, "end": 1}[at["text-anchor"]]
        yield left, y - 0.75 * size, left + wide, y + 0.2 * size, element.text


@pytest.mark.parametrize("name", NAMES)
def test_no_text_overlaps_another_leaves_the_sheet_or_is_crossed_by_a_line(name):
    root = ElementTree.fromstring(board_wiring.drawing(SPECS[name]))
    high = float(root.attrib["viewBox"].split()[3])
    found = list(boxes(root))
    for k, (left, top, right, bottom, text) in enumerate(found):
        assert left >= 2 and top >= 2 and right <= board_wiring.WIDE - 2 and bottom <= high - 2, text
        for other in found[k + 1 :]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart, (text, other[4])
    for line in root.iter(_SVG + "line"):
        x1, x2, y = (float(line.attrib[key]) for key in ("x1", "x2", "y1"))
        if line.attrib["stroke"] == board_wiring._INK:  # that of the mains goes behind its boxes
            for left, top, right, bottom, text in found:
                assert not (top < y < bottom and left < max(x1, x2) and right > min(x1, x2)), text


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_has_each_gpio_once_and_each_part(name):
    root = ElementTree.fromstring(board_wiring.drawing(SPECS[name]))
    texts = [element.text for element in root.iter(_SVG + "text")]
    drawn = sorted(int(text[5:]) for text in texts if text.startswith("GPIO "))
    assert drawn == sorted(use.pin for use in board_spec.uses(SPECS[name]))
    for part in parts(SPECS[name]):
        assert part.title in texts
    assert texts.count("has a mains side") == sum(bool(part.mains) for part in parts(SPECS[name]))
    assert "MAINS VOLTAGE" in texts


def test_the_command_writes_where_it_is_told(tmp_path, capsys):
    out = tmp_path / "w.svg"
    assert main(["board", "wiring", "reference-1p", "-o", str(out)]) == 0
    assert out.read_text() == board_wiring.drawing(SPECS["reference-1p"])
    assert capsys.readouterr().out == f"{out}\n"
    board = tmp_path / "b/board.json"
    board.parent.mkdir()
    board.write_text(json.dumps(SPECS["reference-1p"]))
    assert main(["board", "wiring", str(board)]) == 0
    assert (tmp_path / "b/wiring.svg").read_text() == out.read_text()


@pytest.mark.parametrize("spec, words", [
    ({**SPECS["reference-3p"], "led": {"kind": "ws2812", "pin": 2}}, "led.pin, GPIO 2"),
    ({**SPECS["reference-3p"], "contactor": {}}, "contactor.pin: it is missing"),
    ("{", "is no JSON"),
])
def test_a_board_with_an_error_is_not_drawn(spec, words, tmp_path, capsys):
    file = tmp_path / "board.json"
    file.write_text(spec if isinstance(spec, str) else json.dumps(spec))
    assert main(["board", "wiring", str(file)]) == 2
    said = capsys.readouterr().err
    assert words in said and len(said.splitlines()) == 1 and not (tmp_path / "wiring.svg").exists()


def test_a_picture_that_cannot_be_written_is_said_in_one_line(capsys):
    assert main(["board", "wiring", "reference-1p", "-o", "/dev/null/x.svg"]) == 2
    assert re.fullmatch(r"pilotwire board: /dev/null/x.svg: .+\n", capsys.readouterr().err)


def test_list_has_a_line_for_each_board(capsys):
    assert main(["board", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    for line, spec in zip(lines, SPECS.values(), strict=True):
        assert f"{spec['rated_a']} A x {spec['phases']}" in line and spec["title"] in line
    (modbus,) = [line for line in lines if line.startswith("reference-3p-modbus")]
    assert "sdm630: no driver yet" in modbus
