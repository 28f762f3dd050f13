"""`pilotwire board wiring`: which GPIO goes where, as SVG, from board.json alone. Pure: spec to text.

The ESP32 stands in the middle, each part beside it, and each signal is one straight line, so that none
crosses another. Below, apart from all that, is the mains side. A4 across. It is no circuit diagram:
resistors, supplies and protection are in the board's README.
"""

from xml.sax.saxutils import escape

from pilotwire.board_parts import LEFT, RIGHT, TO_PART, parts

WIDE = 297  # mm
_MARGIN = 8
_TOP = 22
_BOX, _CHIP = 88, 44  # widths of a part and of the ESP32
_HEAD, _ROW, _GAP, _FOOT = 7.5, 9.2, 4, 1.8  # of a part
_CHIP_AT = (WIDE - _CHIP) / 2
_BAND = 42  # height of the mains side
_INK, _FAINT, _LINE, _RED, _PALE = "#1c222b", "#5a6470", "#8b94a0", "#b00018", "#fdecec"
_FONT = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_EM = 0.6  # the widest of the fonts takes so much a letter, nearly
_LEGEND = ("An arrow is the way of the signal. Levels are at the GPIO: 3.3 V and 0 V. No circuit diagram:"
           " see the README for resistors, supplies and protection.")


def _text(x, y, size, text, *, fill=_INK, bold=False, anchor="start"):
    weight = ' font-weight="bold"' if bold else ""
    return (f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size}" fill="{fill}" '
            f'text-anchor="{anchor}"{weight}>{escape(text)}</text>')


def _rect(x, y, wide, high, *, fill="white", stroke=_INK, width=0.35, dash=""):
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (f'<rect x="{x:.2f}" y="{y:.2f}" width="{wide:.2f}" height="{high:.2f}" rx="1.5" '
            f'fill="{fill}" stroke="{stroke}" stroke-width="{width}"{dashed}/>')


def _line(x1, y1, x2, y2, *, stroke=_INK, width=0.4):
    return (f'<line x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}" stroke="{stroke}" '
            f'stroke-width="{width}"/>')


def _arrow(x, y, right):
    """Its point at x."""
    back = -2.2 if right else 2.2
    return (f'<polygon points="{x:.2f},{y:.2f} {x + back:.2f},{y - 1:.2f} {x + back:.2f},{y + 1:.2f}" '
            f'fill="{_INK}"/>')


def _high(part):
    return _HEAD + _ROW * len(part.signals) + _FOOT


def _column(found, side):
    return sum(_high(part) + _GAP for part in found if part.side == side) - _GAP


def _part(part, x, y):
    """A part's box, its lines to the ESP32 and the GPIOs there."""
    left = part.side == LEFT
    yield _rect(x, y, _BOX, _high(part))
    yield _text(x + 2.5, y + 5.2, 3.6, part.title, bold=True)
    if part.mains:
        yield _text(x + _BOX - 2.5, y + 5.2, 2.7, "has a mains side", fill=_RED, anchor="end")
    edge, chip = (x + _BOX, _CHIP_AT) if left else (x, _CHIP_AT + _CHIP)
    for place, signal in enumerate(part.signals):
        middle = y + _HEAD + _ROW * place + _ROW / 2
        yield _text(x + 2.5, middle - 0.4, 3.2, signal.name)
        yield _text(x + 2.5, middle + 3.2, 2.7, signal.level, fill=_FAINT)
        yield _line(edge, middle, chip, middle)
        out = signal.way == TO_PART
        yield _arrow(edge if out else chip, middle, left != out)
        yield _text(chip + 2 if left else chip - 2, middle + 1.1, 3.2, f"GPIO {signal.pin}", bold=True,
                    anchor="start" if left else "end")


def _chain(spec, found):
    """What stands on the mains side, in the order of the current: (text, is it of this board)."""
    yield "supply|L1" + ("" if spec.get("phases", 3) == 1 else ", L2, L3") + ", N, PE", False
    yield "breaker|RCD type B, or type A and 6 mA DC", False
    order = ("earth", "residual", "meter", "contactor", "second")
    mains = [part.mains for part in found if part.mains]
    for word in order:
        yield from ((text, True) for text in mains if text.startswith(word))
    plug = "socket Type 2" if "proximity" in spec else "fixed cable and plug"
    yield f"{plug}|{spec['rated_a']} A", False


def lines(text, wide, size):
    """`text` in lines that fit into `wide` mm."""
    made, most = [""], int(wide / (size * _EM))
    for word in text.split():
        if made[-1] and len(made[-1]) + 1 + len(word) > most:
            made.append("")
        made[-1] = (made[-1] + " " + word).strip()
    return made


def _mains(spec, found, y):
    yield _rect(_MARGIN, y, WIDE - 2 * _MARGIN, _BAND, fill=_PALE, stroke=_RED, width=0.9, dash="4 2")
    yield _text(_MARGIN + 4, y + 7, 4.2, "MAINS VOLTAGE", fill=_RED, bold=True)
    yield _text(_MARGIN + 52, y + 7, 2.9, "kept apart from everything above by insulation and distance."
                " PE is never switched. Grey: not of this board, and needed.", fill=_RED)
    chain = list(_chain(spec, found))
    pitch = (WIDE - 2 * _MARGIN - 8) / len(chain)
    middle = y + 25
    yield _line(_MARGIN + 4, middle, WIDE - _MARGIN - 4, middle, stroke=_RED, width=0.9)
    for place, (text, own) in enumerate(chain):
        wide = pitch - 4
        x = _MARGIN + 4 + pitch * place + 2
        yield _rect(x, middle - 12, wide, 24, stroke=_RED if own else _LINE, width=0.5 if own else 0.35)
        rows = [row for part in text.split("|") for row in lines(part, wide - 2, 3)]
        for number, row in enumerate(rows):
            at = middle + 1 + (number - (len(rows) - 1) / 2) * 3.9
            yield _text(x + wide / 2, at, 3, row, anchor="middle", bold=own)


def drawing(spec):
    """The SVG document of a board without errors."""
    found = parts(spec)
    chip = max(_column(found, LEFT), _column(found, RIGHT))
    high = _TOP + chip + 12 + _BAND + _MARGIN
    made = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}mm" height="{high:.1f}mm" '
        f'viewBox="0 0 {WIDE} {high:.1f}" font-family="{_FONT}">',
        f"<title>{escape(spec['name'])}: wiring</title>",
        f'<rect width="{WIDE}" height="{high:.1f}" fill="white"/>',
        _text(_MARGIN, 11, 5.5, spec["name"], bold=True),
        _text(_MARGIN, 17, 2.9, _LEGEND, fill=_FAINT),
        _rect(_CHIP_AT, _TOP, _CHIP, chip, fill="#eef2f7", width=0.5),
        _text(WIDE / 2, _TOP + 5.2, 4, "ESP32", bold=True, anchor="middle"),
    ]
    for side, x in ((LEFT, _MARGIN), (RIGHT, WIDE - _MARGIN - _BOX)):
        y = _TOP
        for part in found:
            if part.side == side:
                made += _part(part, x, y)
                y += _high(part) + _GAP
    made += _mains(spec, found, _TOP + chip + 12)
    return "\n".join([*made, "</svg>"]) + "\n"
