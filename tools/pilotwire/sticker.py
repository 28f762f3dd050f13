"""The sticker for the inside of the lid: what each rhythm of the light means. Pure: rows to SVG.

A panel is A5 across: 7 pt is the least that is read standing in front of an open box; printed on A6
it is 5 pt. Two languages make two panels, one below the other, on A4 to be cut. A flash is drawn as
long as it lasts: a blink as a dot, a pulse as a bar, so that colour is not needed on paper either.
"""

from xml.sax.saxutils import escape

from pilotwire.codes import spelled

WIDE, HIGH = 210, 148  # mm
_MARGIN = 6
_TOP = 30.5  # of the first row
_ROW = 6.9  # at least; what is there is shared out
_COLUMN = (WIDE - 2 * _MARGIN) / 2
_TEXT_AT = 31  # from the left of a column
_FLASHES = {"red": (1.5, 2.0), "amber": (1.9, 2.3)}  # width and pitch; 1.5 high
_BETWEEN = 2.0  # added between the two counts
_INK, _FAINT, _LINE = "#1c222b", "#5a6470", "#c9ced6"
_RED, _AMBER, _GREEN, _BLUE = "#d0021b", "#f08c00", "#1e9e44", "#1f5fd6"
_FONT = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif"
WHAT_MM, DO_MM = 2.6, 2.3  # heights of the letters' bodies
DO_WIDE = _COLUMN - _TEXT_AT - 2

_WORDS = {
    "en": {
        "title": "What the light says",
        "rule": "Red blinks or amber pulses: count the first group, a short dark, count the second.",
        "red": "red, short blinks: charging has stopped",
        "amber": "amber, long soft pulses: a note, charging goes on",
        "lights": (
            ("white", "even flashes", "starting"), (_GREEN, "steady, breathing a little", "ready"),
            (_BLUE, "steady", "car connected"), (_BLUE, "breathing", "charging"),
            (_BLUE, "steady, short dips", "paused"),
        ),
    },
    "de": {
        "title": "Was das Licht sagt",
        "rule": "Rotes Blinken, gelbes Leuchten: erste Gruppe zählen, kurz dunkel, zweite Gruppe zählen.",
        "red": "rot, kurzes Blinken: das Laden ist gestoppt",
        "amber": "gelb, langes sanftes Leuchten: ein Hinweis, es lädt weiter",
        "lights": (
            ("white", "blinkt gleichmäßig", "startet"), (_GREEN, "leuchtet, atmet leicht", "bereit"),
            (_BLUE, "leuchtet", "Auto verbunden"), (_BLUE, "atmet", "lädt"),
            (_BLUE, "leuchtet, setzt kurz aus", "Pause"),
        ),
    },
}  # fmt: skip


def wrapped(text, size_mm, wide_mm):
    """`text` in lines that fit: in DejaVu Sans, the widest of the fonts, a letter takes 0.54 em."""
    lines, most = [""], int(wide_mm / (size_mm * 0.54))
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append("")
        lines[-1] = (lines[-1] + " " + word).strip()
    return lines


def _text(x, y, size, text, *, fill=_INK, bold=False, anchor="start"):
    weight = ' font-weight="bold"' if bold else ""
    return (f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size}" fill="{fill}" '
            f'text-anchor="{anchor}"{weight}>{escape(text)}</text>')


def _flash(x, y, severity):
    """One flash, its left at `x`, its middle at `y`."""
    wide, _ = _FLASHES[severity]
    if severity == "red":
        return f'<circle cx="{x + wide / 2:.2f}" cy="{y:.2f}" r="{wide / 2}" fill="{_RED}"/>'
    return (f'<rect x="{x:.2f}" y="{y - 0.55:.2f}" width="{wide}" height="1.1" rx="0.55" '
            f'fill="{_AMBER}"/>')


def flashes(x, y, code, severity):
    """The two counts of a code side by side."""
    major, minor = map(int, code.split("-"))
    _, pitch = _FLASHES[severity]
    for k in range(major + minor):
        yield _flash(x + k * pitch + (_BETWEEN if k >= major else 0), y, severity)


def _row(x, y, high, row, language):
    """One fault, the top of its row at `y`, `high` mm high."""
    tell = spelled if language == "de" else str
    yield _text(x, y + 3.1, 3.3, "E" + row["code"], bold=True)
    yield from flashes(x, y + 5.3, row["code"], row["severity"])
    todo = wrapped(tell(row["do"][language]), DO_MM, DO_WIDE)
    top, step = y + (2.7 if len(todo) == 1 else 2.2), 2.9 if len(todo) == 1 else 2.3
    yield _text(x + _TEXT_AT, top, WHAT_MM, tell(row["says"][language]), bold=True)
    for k, line in enumerate(todo):
        yield _text(x + _TEXT_AT, top + (k + 1) * step, DO_MM, line)
    yield (f'<line x1="{x:.2f}" y1="{y + high - 0.35:.2f}" x2="{x + _COLUMN - 3:.2f}" '
           f'y2="{y + high - 0.35:.2f}" stroke="{_LINE}" stroke-width="0.15"/>')


def _head(words):
    yield _text(_MARGIN, 10.5, 6.2, words["title"], bold=True)
    x = _MARGIN
    for colour, how, what in words["lights"]:
        yield (f'<circle cx="{x + 1.3:.2f}" cy="16.2" r="1.3" fill="{colour}" stroke="{_LINE}" '
               f'stroke-width="0.2"/>')
        yield _text(x + 3.6, 15.7, 2.6, what, bold=True)
        yield _text(x + 3.6, 18.7, 2.3, how, fill=_FAINT)
        x += (WIDE - 2 * _MARGIN) / len(words["lights"])
    yield _text(_MARGIN, 23.4, 2.6, words["rule"])
    x = _MARGIN
    for severity in ("red", "amber"):
        yield _flash(x, 26.6, severity)
        yield _text(x + 2.4, 27.4, 2.6, words[severity], fill=_FAINT)
        x += _COLUMN
    yield (f'<line x1="{_MARGIN}" y1="{_TOP - 1.2}" x2="{WIDE - _MARGIN}" y2="{_TOP - 1.2}" '
           f'stroke="{_INK}" stroke-width="0.3"/>')


def panel(rows, language):
    """One language's panel: elements within WIDE x HIGH."""
    lines = -(-len(rows) // 2)
    high = (HIGH - _TOP - 3.5) / lines
    if high < _ROW:
        raise ValueError(f"there is no room for {len(rows)} codes")
    yield (f'<rect x="1" y="1" width="{WIDE - 2}" height="{HIGH - 2}" rx="3" fill="white" '
           f'stroke="{_LINE}" stroke-width="0.3"/>')
    yield from _head(_WORDS[language])
    for k, row in enumerate(rows):
        column, line = divmod(k, lines)
        yield from _row(_MARGIN + column * (_COLUMN + 3), _TOP + line * high, high, row, language)


def sheet(rows, languages):
    """The SVG document with a panel a language."""
    high = HIGH * len(languages)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}mm" height="{high}mm" '
        f'viewBox="0 0 {WIDE} {high}" font-family="{_FONT}">',
        "<title>Pilotwire: " + escape(" / ".join(_WORDS[at]["title"] for at in languages)) + "</title>",
    ]
    for k, language in enumerate(languages):
        parts.append(f'<g transform="translate(0 {HIGH * k})">')
        parts += panel(rows, language)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"
