"""`pilotwire codes`: the table in every format, the sticker, and what --check finds."""

import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest
from jsonschema import Draft202012Validator
from PIL import ImageFont

from pilotwire import codes, sticker
from pilotwire.charger import ROOT
from pilotwire.cli import main
from pilotwire.decide import fault_table

ROWS = codes.rows()
CODES = [row["code"] for row in ROWS]


def printed(capsys, *args, status=0):
    assert main(["codes", *args]) == status
    return capsys.readouterr().out


# Formats ------------------------------------------------------------------------------------


def test_json_has_every_row_with_all_columns_and_follows_its_schema(capsys):
    made = json.loads(printed(capsys, "--format", "json"))
    schema = json.loads(codes.SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(made)
    assert [row["code"] for row in made] == CODES == sorted(CODES) and len(made) == fault_table.COUNT
    short = {row["code"]: row for row in made}["1-1"]
    assert short["led"]["en"] == "red: 1 blink, pause, 1 blink"
    assert short["says"] == {"en": "Cable or plug short circuit",
                             "de": "Kurzschluss in Kabel oder Stecker"}
    assert (short["ocpp16"], short["ocpp2"], short["mrec"], short["everest"]) == (
        "EVCommunicationError", "CPPWMController.State", "CX014", "MREC14PilotFault")
    assert (short["opens"], short["within_ms"], short["pilot"]) == ("at once", 30, "x1")


def test_a_schema_that_misses_a_code_would_be_noticed():
    schema = json.loads(codes.SCHEMA.read_text())
    schema["$defs"]["code"]["enum"].remove("1-1")
    assert not Draft202012Validator(schema).is_valid(ROWS)


@pytest.mark.parametrize("code, severity, language, words", [
    ("1-2", "red", "en", "red: 1 blink, pause, 2 blinks"),
    ("8-1", "amber", "en", "amber: 8 pulses, pause, 1 pulse"),
    ("1-2", "red", "de", "rot: 1-mal blinken, Pause, 2-mal blinken"),
    ("8-1", "amber", "de", "gelb: 8-mal sanft leuchten, Pause, 1-mal sanft leuchten"),
])
def test_the_led_in_words(code, severity, language, words):
    assert codes.led_in_words(code, severity, language) == words


@pytest.mark.parametrize("language, words", [
    ("en", {"1-1": "unplug", "1-3": "by itself after 60 s, 3 times; then unplug",
            "7-5": "by itself after 30 s; 3 in 10 min: button, or switch off and on",
            "7-1": "button, or switch off and on; 3 times: service", "4-1": "with its cause"}),
    ("de", {"1-1": "ausstecken", "1-3": "von selbst nach 60 s, 3-mal; dann ausstecken",
            "7-5": "von selbst nach 30 s; 3 in 10 min: Taste, oder aus- und einschalten",
            "7-1": "Taste, oder aus- und einschalten; 3-mal: Service", "4-1": "mit der Ursache"}),
])
def test_how_a_row_clears_in_words(language, words):
    said = {row["code"]: row["clears"][language] for row in ROWS}
    assert {code: said[code] for code in words} == words


@pytest.mark.parametrize("lang", ["en", "de", "both"])
def test_text_says_of_each_code_everything(capsys, lang):
    text = printed(capsys, "--lang", lang)
    paragraphs = re.split(r"\n(?=\d)", text)
    assert len(paragraphs) == len(ROWS)
    for row, paragraph in zip(ROWS, paragraphs, strict=True):
        assert paragraph.startswith(row["code"] + "  " + row["name"])
        for at in ("en", "de") if lang == "both" else (lang,):
            for words in (row["led"][at], row["says"][at], row["do"][at], row["clears"][at]):
                assert words in paragraph
        for words in (row["detect"], row["ocpp16"], row["ocpp2"], row["mrec"] or "none", row["everest"],
                      row["stop"], f"pilot: {row['pilot']}"):
            assert words in paragraph
        assert ("de" in lang or lang == "both") == (row["says"]["de"] in paragraph)


@pytest.mark.parametrize("lang, columns", [("en", 13), ("de", 13), ("both", 17)])
def test_markdown_is_one_table_with_a_row_a_code(capsys, lang, columns):
    lines = printed(capsys, "--format", "md", "--lang", lang).splitlines()
    assert len(lines) == 2 + len(ROWS)
    assert all(len(re.split(r"(?<!\\)\|", line)) == columns + 2 for line in lines)
    assert [line.split()[1] for line in lines[2:]] == CODES


# Sticker ------------------------------------------------------------------------------------


def drawn(*languages):
    return ElementTree.fromstring(sticker.sheet(ROWS, languages))


_SVG = "{http://www.w3.org/2000/svg}"
# How much wider DejaVu Sans, the widest font that the sticker may be shown in, is than Pillow's own
# at worst over these texts: measured.
_WIDER = {False: 1.17, True: 1.38}


def boxes(group):
    """[(left, top, right, bottom, text)] of everything but lines and the frame, in mm."""
    font = ImageFont.load_default(100)
    found = []
    for element in group:
        kind, at = element.tag.removeprefix(_SVG), element.attrib
        if kind == "text":
            size, x, y = float(at["font-size"]), float(at["x"]), float(at["y"])
            wide = font.getlength(element.text) / 100 * size * _WIDER["font-weight" in at]
            found.append((x, y - 0.75 * size, x + wide, y + 0.2 * size, element.text))
        elif kind == "circle":
            x, y, r = (float(at[key]) for key in ("cx", "cy", "r"))
            found.append((x - r, y - r, x + r, y + r, ""))
        elif kind == "rect" and float(at["width"]) < 100:
            x, y = float(at["x"]), float(at["y"])
            found.append((x, y, x + float(at["width"]), y + float(at["height"]), ""))
    return found


def test_the_sticker_says_when_it_is_full():
    with pytest.raises(ValueError, match="no room for 34 codes"):
        sticker.sheet(ROWS + ROWS[: 34 - len(ROWS)], ("en",))


@pytest.mark.parametrize("language", ["en", "de"])
def test_on_the_sticker_nothing_overlaps_and_nothing_leaves_it(language):
    found = boxes(drawn(language)[1])
    for box in found:
        assert box[0] >= 4 and box[1] >= 4 and box[2] <= sticker.WIDE - 4, box
        assert box[3] <= sticker.HIGH - 2, box
    for k, (left, top, right, bottom, text) in enumerate(found):
        for other in found[k + 1 :]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart, (text, other[4])


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_sticker_shows_each_code_with_its_flashes_and_its_texts(language):
    group = drawn(language)[1]
    words = " ".join(element.text for element in group.iter(_SVG + "text"))
    spelled = codes.spelled if language == "de" else str
    for row in ROWS:
        for part in ("E" + row["code"], row["says"][language], row["do"][language]):
            assert spelled(part) in words
    dots = sum(1 for e in group.iter(_SVG + "circle") if float(e.attrib["r"]) < 1)
    bars = sum(1 for e in group.iter(_SVG + "rect") if float(e.attrib["width"]) < 3)
    wanted = {"red": 1, "amber": 1}  # the two that explain them
    for row in ROWS:
        wanted[row["severity"]] += sum(map(int, row["code"].split("-")))
    assert (dots, bars) == (wanted["red"], wanted["amber"])


def test_two_languages_are_two_panels_on_a4(tmp_path, capsys):
    file = tmp_path / "lid.svg"
    assert printed(capsys, "--sticker", str(file), "--lang", "both") == ""
    root = ElementTree.parse(file).getroot()
    assert (root.attrib["width"], root.attrib["height"]) == ("210mm", "296mm")
    assert len(root.findall(_SVG + "g")) == 2


def test_german_is_printed_with_its_own_letters():
    """Each word that the display must spell with ae, oe, ue or ss for an umlaut is known."""
    kept = {"Kurzschluss", "Ausstecken", "lassen", "anfassen", "misst", "ausstecken"}
    for row in ROWS:
        for word in re.findall(r"\w+", row["says"]["de"] + " " + row["do"]["de"]):
            if re.search("ae|oe|ue|ss", word, re.I) and word not in kept:
                assert word in codes.SPELLED, word


# Check --------------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path):
    """A copy of what --check looks at; copy.check() is (status, lines), copy.edit() changes a file."""
    for folder in ("tools/pilotwire", "firmware/pilotwire"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "README.md", tmp_path / "README.md")

    class Copy:
        @staticmethod
        def edit(path, old, new):
            file = tmp_path / path
            text = file.read_text()
            assert text.count(old) >= 1
            file.write_text(text.replace(old, new, 1))

        @staticmethod
        def check():
            done = subprocess.run(
                [sys.executable, "-m", "pilotwire.cli", "codes", "--check"], cwd=tmp_path,
                env={"PYTHONPATH": str(tmp_path / "tools")}, capture_output=True, text=True, check=False,
            )
            assert not done.stderr
            return done.returncode, done.stdout.splitlines()

        root = tmp_path

    return Copy


def test_check_says_that_all_agree(copy):
    status, lines = copy.check()
    assert status == 0
    assert lines == [
        f"{fault_table.COUNT} codes: table, README, texts (en, de) and schema agree"
    ]


_TABLE = "firmware/pilotwire/decide/fault_table.py"
_TELL = "firmware/pilotwire/tell/"
_SCHEMA = "tools/pilotwire/codes.schema.json"


@pytest.mark.parametrize("path, old, new, words", [
    (_TABLE, "|red|2|300|f|P|", "|pink|2|300|f|P|", "7-3: severity may not be 'pink'"),
    (_TABLE, "\n7-7|", "\n7-6|", "7-6 is there twice"),
    (_TABLE, "CaseAccessSensor.Active|", "", "8-4 has 16 cells of 17"),
    (_TABLE, "4-1|warm|amber|0|", "4-1|warm|amber|2|", "4-1 warns in amber"),
    ("firmware/pilotwire/decide/fault_rows.py", "COUNT = const(", "COUNT = const(1 + ",
     f"{fault_table.COUNT} rows, but fault_rows.py counts {fault_table.COUNT + 1}"),
    (_TELL + "faults_de.py", "\n2-1|", "\n2-7|", "faults_de.py: 2-1 has no text"),
    (_TELL + "faults_de.py", "\n2-1|", "\n9-9|a|b\n2-1|", "faults_de.py: 9-9 is no fault of the table"),
    (_TELL + "faults_en.py", "|Lid is open|", "|Lid is open, close it, and if it cannot be closed wait|",
     "faults_en.py: 8-4 takes 7 lines of 16, there are 6"),
    (_TELL + "faults_de.py", "Deckel ist offen", "Gehäuse offen", "8-4 must say in ASCII"),
    (_TELL + "texts_de.py", 'COST = "Preis"\n', "", "texts_de.py: COST is not as in English"),
    (_TELL + "texts_de.py", '"meter": ', '"metre": ', "texts_de.py: LIMITS is not as in English"),
    (_SCHEMA, '"7-3", ', "", "codes.schema.json: 7-3 is missing"),
    (_SCHEMA, '"7-3", ', '"7-3", "9-9", ', "codes.schema.json: 9-9 is no fault of the table"),
    (_SCHEMA, '["en", "de"]', '["en", "fr"]', "codes.schema.json: its languages are en, fr"),
    (_SCHEMA, '["pwm", "x1", "f"]', '["pwm", "x1"]', "codes.schema.json: 7-3: 'f' is not one of"),
    ("README.md", "| Lid is open |", "| Lid is off |", "README.md: its table is not the code's"),
    ("README.md", "<!-- faults -->", "", "README.md has no place for faults"),
])
def test_check_names_each_difference_and_fails(copy, path, old, new, words):
    copy.edit(path, old, new)
    status, lines = copy.check()
    assert status == 1
    assert any(words in line for line in lines), lines
    assert all(len(line) < 200 for line in lines)


def test_check_misses_no_language_without_its_display_texts(copy):
    (copy.root / _TELL / "texts_de.py").unlink()
    status, lines = copy.check()
    assert (status, lines[0]) == (1, "tell/texts_de.py is missing")


# Command line -------------------------------------------------------------------------------


def test_a_sticker_that_cannot_be_written_is_said_in_one_line(capsys):
    assert main(["codes", "--sticker", "/dev/null/x.svg"]) == 2
    assert re.fullmatch(r"pilotwire codes: /dev/null/x.svg cannot be written: .+\n",
                        capsys.readouterr().err)


@pytest.mark.parametrize("args", [
    ("--check", "--format", "md"), ("--check", "--sticker", "x.svg"), ("--format", "xml"),
    ("--lang", "fr"),
])
def test_what_does_not_go_together_is_refused_with_the_usage(args, capsys):
    with pytest.raises(SystemExit) as left:
        main(["codes", *args])
    assert left.value.code == 2 and "usage:" in capsys.readouterr().err
