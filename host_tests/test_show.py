"""`pilotwire show`: the firmware's own LED and display, as text and as a picture."""

import re

import pytest
from PIL import Image

from pilotwire import codes, show, show_draw
from pilotwire.charger import ROOT
from pilotwire.cli import main

ROWS = {row["code"]: row for row in codes.rows()}
BOARD = "reference-3p"
DIGITS = "reference-1p-digits"


def board(name):
    return ROOT / "boards" / name / "board.json"


def counts(led, cycle_ms):
    """Flashes in each group of one cycle; the charger's own light has no red in it."""
    groups, end_ms = [], None
    for (since, rgb), (until, _) in zip(led, [*led[1:], [cycle_ms, ""]], strict=True):
        if rgb[:2] != "00":
            if end_ms is None or since > end_ms + 800:
                groups.append(0)
            if since != end_ms:  # a soft pulse has many levels
                groups[-1] += 1
            end_ms = until
    return groups


@pytest.mark.parametrize("name", [BOARD, DIGITS])
@pytest.mark.parametrize("code", ["1-2", "4-3", "8-2", "8-4", "7-7"])
def test_the_led_seen_blinks_the_code(name, code):
    seen = show.watch(code, board(name), "en")
    assert counts(seen["led"], seen["cycle_ms"]) == [int(n) for n in code.split("-")]
    assert seen["red"] == (ROWS[code]["severity"] == "red")
    assert seen["name"] == ROWS[code]["name"]


@pytest.mark.parametrize("code, language, pages", [
    ("1-1", "en", [["FAULT E1-1", "Cable or plug", "short circuit", "", "Unplug, check",
                    "plug for dirt or", "water", "Offline"]]),
    ("1-3", "de", [["STOERUNG E1-3", "Signal zum Auto", "unklar", "", "Warten oder neu", "einstecken",
                    "Weiter in   1:00", "Offline"]]),
    ("8-4", "en", [["NOTE E8-4", "Lid is open", "", "Charging goes", "on. Tell the", "operator", "",
                    "Offline"],
                   ["READY", "Plug in the car", "", "Up to     63.0 A", "by this charger", "", "",
                    "Offline"]]),
])
def test_the_display_seen_says_it_in_its_language(code, language, pages):
    seen = show.watch(code, board(BOARD), language)
    assert [[line.rstrip() for line in page["text"]] for page in seen["pages"]] == pages


def test_text_on_a_wide_terminal_has_the_pixels_and_the_blinks(capsys):
    assert main(["show", "E1-2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "E1-2 red: Car signal not safe. Unplug, then plug in again."
    assert "LED, red: 1 blink, pause, 2 blinks; again after 5.00 s" in lines
    assert "    0 s  ██        ██  ██" in lines
    assert "         rr        rr  rr" in lines
    picture = lines[lines.index("Display") + 2 :]
    assert len(picture) == 32 and all(len(line) == 128 for line in picture)


def test_text_on_a_narrow_terminal_has_the_display_in_a_box():
    row = ROWS["8-1"]
    seen = show.watch("8-1", board(BOARD), "en")
    lines = list(show_draw.as_text(row, seen, "en", 80))
    assert "|NOTE E8-1       |" in lines and "|READY           |" in lines
    assert max(map(len, lines)) <= 9 + 80
    letters = "".join(line[9:] for line in lines if re.fullmatch(r"[ grab]+", line))
    assert set(letters) == {"g", "a", " "}


def test_a_terminal_with_colours_gets_those_of_the_led():
    row = ROWS["1-1"]
    seen = show.watch("1-1", board(BOARD), "en")
    text = "\n".join(show_draw.as_text(row, seen, "en", 80, colours=True))
    assert "\x1b[38;2;255;0;0m█" in text


def test_four_digits_are_drawn_as_segments(capsys):
    assert main(["show", "1-2", "--board", DIGITS]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("Display") + 2
    assert lines[at : at + 3] == [" _           _", "|_    |  _   _|", "|_    |     |_"]


@pytest.mark.parametrize("name, lit", [(BOARD, (196, 228, 255)), (DIGITS, (255, 64, 48))])
def test_the_picture_has_blinks_and_display(tmp_path, name, lit):
    file = tmp_path / "code.png"
    assert main(["show", "1-2", "--board", name, "--png", str(file)]) == 0
    image = Image.open(file)
    strip = image.crop((40, 160, 1100, 161))  # one row of dots through the light's first line
    lengths, last = [], None
    for x in range(strip.width):
        colour = strip.getpixel((x, 0))
        if colour == (255, 0, 0):
            if last == colour:
                lengths[-1] += 1
            else:
                lengths.append(1)
        last = colour
    assert len(lengths) == 3 and all(abs(length - 26) <= 1 for length in lengths)  # 250 ms of 10 s
    dots = {colour: count for count, colour in image.getcolors(1 << 16)}
    assert dots[lit] > 3000


def test_a_board_without_led_and_display_says_so(tmp_path, capsys):
    spec = board(BOARD).read_text()
    spec = re.sub(r',\s+"led".*\}', "", spec, flags=re.S) + "\n}"
    file = tmp_path / "board.json"
    file.write_text(spec)
    assert main(["show", "1-2", "--board", str(file), "--png", str(tmp_path / "x.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "LED: this board has none" in lines and "Display: this board has none" in lines
    assert Image.open(tmp_path / "x.png").width == 1140


@pytest.mark.parametrize("args, words", [
    (("9-9",), "there is no code '9-9'; there are 1-1 1-2"),
    (("1-2x",), "there is no code '1-2x'; there are"),
    (("1-2", "--board", "nope"), "there is no board 'nope'; there are"),
    (("1-2", "--png", "/dev/null/x.png"), "/dev/null/x.png cannot be written"),
    (("1-2", "--png", "x.nonsense/"), "cannot be written"),
])
def test_what_cannot_be_shown_is_said_in_one_line(args, words, capsys):
    assert main(["show", *args]) == 2
    said = capsys.readouterr()
    assert said.out == "" and words in said.err and said.err.count("\n") == 1
    assert said.err.startswith("pilotwire show: ")


def test_a_code_is_taken_with_and_without_its_e(capsys):
    for code in ("e7-3", "E7-3", "7-3"):
        assert main(["show", code]) == 0
        assert capsys.readouterr().out.startswith("E7-3 red: Power switch stuck on.")
