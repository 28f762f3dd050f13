"""The texts of every language: complete, short enough for their place, plain, and without blame."""

import re

import pytest

from display_desk import at_desk
from pilotwire import config
from pilotwire.charger import ROOT
from pilotwire.decide import charging, fault_table, limits
from pilotwire.tell import faults_de, faults_en, texts_de, texts_en

LANGUAGES = ("en", "de")
TEXTS = {"en": texts_en, "de": texts_de}
FAULTS = {"en": faults_en, "de": faults_de}
ROW_OF = {fault_table.code(row): row for row in range(fault_table.COUNT)}
# Whoever reads this stands in the rain and has done nothing wrong.
BLAME = {
    "en": r"you|your|user|driver|wrongly|must|forgot|misuse|illegal|invalid|error",
    "de": r"sie|du|ihr|ihre|nutzer|fahrer|falsch|muss|vergessen|schuld|unzulaessig|fehler",
}

each_language = pytest.mark.parametrize("language", LANGUAGES)


def names(language):
    """The constants of a language's texts; the indices of TITLES are none of them."""
    return {k: v for k, v in vars(TEXTS[language]).items() if k.isupper() and not isinstance(v, int)}


def faults(language):
    """{code: (what is wrong, what to do)}"""
    rows = [line.split("|") for line in FAULTS[language].TABLE.splitlines()]
    return {code: (what, todo) for code, what, todo in rows}


def every_text(language):
    for name, value in names(language).items():
        if name != "FOUR":
            texts = value.values() if isinstance(value, dict) else value
            yield from (value,) if isinstance(value, str) else texts
    for texts in faults(language).values():
        yield from texts


def test_the_languages_are_those_of_the_configuration(tmp_path):
    for kind in ("texts", "faults"):
        found = {path.stem for path in (ROOT / "firmware/pilotwire/tell").glob(kind + "_*.py")}
        assert found == {f"{kind}_{language}" for language in LANGUAGES}
    file = tmp_path / "config.json"
    file.write_text('{"device": "x", "installation_a": 16, "language": "xx"}')
    with pytest.raises(config.ConfigError, match="language must be " + " or ".join(LANGUAGES)):
        config.load(str(file))


@each_language
def test_a_language_has_the_names_shapes_and_codes_of_english(language):
    def shape(value):
        if isinstance(value, str):
            return value.count("%d")
        return sorted(value) if isinstance(value, dict) else len(value)

    shapes = [{k: shape(v) for k, v in names(at).items()} for at in (language, "en")]
    assert shapes[0] == shapes[1]
    assert list(faults(language)) == sorted(ROW_OF)
    for code, texts in faults(language).items():
        assert FAULTS[language].words(code) == list(texts)


def test_every_reason_and_every_limit_has_a_text():
    assert len(texts_en.WHY) == len(charging.WHY)
    assert set(texts_en.LIMITS) == set(limits.NAMES)


@each_language
def test_all_texts_are_there_and_ascii(language):
    for text in every_text(language):
        assert text and text.isascii() and text.isprintable() and text == text.strip(), text


@each_language
def test_nothing_blames_the_reader(language):
    for text in every_text(language):
        assert not re.search(rf"\b({BLAME[language]})\b", text, re.I), text


@each_language
def test_short_texts_fit_their_line_with_their_figures(language):
    texts = TEXTS[language]
    lines = [v for k, v in names(language).items() if isinstance(v, str) and k != "FOUR"]
    for line in [*texts.TITLES, *texts.LIMITS.values(), *lines]:
        assert len(line.replace("%d", "999")) <= 16, line
    assert len(texts.UP_TO + " 32.0 A") <= 16
    assert len(texts.AGAIN_IN + " 15:00") <= 16  # the longest wait of the table is 900 s
    assert len(texts.COST + " 999.99 EUR") <= 16
    for name in (texts.FAULT, texts.WARNING):
        assert len(name + " E8-4 +9") <= 16


@each_language
def test_every_mode_and_every_reason_is_shown_whole(language):
    """All modes with all reasons: up to two lines for the reason, nothing cut off."""
    reasons, seen = at_desk(
        f"""
texts = LANGUAGES[{language!r}]
seen = []
for mode in range(5):
    for why in range(len(texts.WHY)):
        seen.append((mode, why, show(texts, mode=mode, why=why)))
out(([wrap(text) for text in texts.WHY], seen))
"""
    )
    assert all(1 <= len(reason) <= 2 for reason in reasons)
    for mode, why, text in seen:
        assert text[0].strip() and "?" not in "".join(text)
        if mode != 3:
            assert [line.rstrip() for line in text[1:3]] == (reasons[why] + [""])[:2]


@each_language
def test_every_fault_is_shown_whole(language):
    """In six lines; five where a countdown takes the last, in either profile."""
    def waits(code):
        row = ROW_OF[code]
        cells = (fault_table.cell(row, fault_table.CLEARS), fault_table.cell(row, fault_table.UL))
        return cells[0] in "AT" or cells[1][0] in "AT"

    panels = [
        {"mode": 6, "why": 7, "code_major": int(code[0]), "code_minor": int(code[2]),
         "fault_text": what, "fault_do": todo, "wait_s": 899 if waits(code) else -1}
        for code, (what, todo) in faults(language).items()
    ]
    pages = at_desk(f"out([show(LANGUAGES[{language!r}], **panel) for panel in {panels!r}])")
    for (code, texts), page in zip(faults(language).items(), pages, strict=True):
        lines = [line.rstrip() for line in page]
        assert lines[0] == f"{TEXTS[language].FAULT} E{code}"
        if waits(code):
            assert lines.pop(6).startswith(TEXTS[language].AGAIN_IN)
        assert " ".join(line for line in lines[1:-1] if line) == " ".join(texts), page
