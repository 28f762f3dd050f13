"""Draws what `pilotwire scope` has recorded (scope_lanes.py) as text for the terminal. Pure."""

import textwrap

from pilotwire.scope_lanes import (
    BANDS,
    LANES,
    bursts,
    lanes,
    offer_text,
    plateaus,
    time_labels,
    true_levels,
)

_ROWS_V = (12, 10.5, 9, 7.5, 6, 4.5, 3, 1.5, 0, -3, -6, -9, -12)
_MARGIN = 11
_GLYPHS = {  # plain ASCII, and what a UTF-8 terminal can show
    "read": "o•", "high": "=━", "low": "=━", "true": ".·", "mark": "||", "edge": "|│",
    "on": "#█", "off": "_▁", "burst": "m▄",
}


def _glyph(name, plain):
    return _GLYPHS[name][0 if plain else -1]


def text(c, width, plain):
    """Lines of at most `width` columns; `plain`: ASCII only."""
    columns = width - _MARGIN
    span = c.to_us - c.from_us

    def column(us):
        return min(columns - 1, max(0, (us - c.from_us) * columns // span))

    marks = [m for m in (c.cause, c.reaction, c.arrival) if m and c.from_us <= m.us < c.to_us]
    lines = [c.title[:width], *textwrap.wrap(c.verdict(), width)]
    lines.append(_text_marks(c, marks, columns, column))
    lines += _text_plot(c, columns, column, marks, plain)
    lines.append(_axis(c, columns, column))
    lines += _text_lanes(c, columns, column, plain)
    return [line.rstrip() for line in lines]


def _text_marks(c, marks, columns, column):
    """Each mark's name above its line, as far as there is room."""
    line = [" "] * columns
    free = 0
    for mark in marks:
        at = column(mark.us)
        later = "" if mark is c.cause or not c.cause else f"+{c.latency_ms(mark):.1f}"
        for label in (f"{mark.text} {later}".rstrip(), later):
            if at >= free and at + len(label) <= columns:
                line[at:at + len(label)] = label
                free = at + len(label) + 1
                break
    return " " * _MARGIN + "".join(line)


def _row(mv):
    """The row of the plot nearest to a voltage."""
    return min(range(len(_ROWS_V)), key=lambda k: abs(_ROWS_V[k] * 1000 - mv))


def _text_plot(c, columns, column, marks, plain):
    grid = [[" "] * columns for _ in _ROWS_V]

    def put(first, last, mv, name):
        row = grid[_row(mv)]
        for at in range(column(first), column(last) + 1):
            row[at] = _glyph(name, plain)

    for mark in marks:
        for row in grid:
            row[column(mark.us)] = _glyph("mark", plain)
    for begin, end, (high_mv, low_mv, *_) in true_levels(c):
        put(begin, end - 1, high_mv, "true")
        put(begin, end - 1, low_mv, "true")
    for name, steps in zip(("low", "high"), reversed(plateaus(c)), strict=True):
        for begin, end, mv in steps:
            if mv is not None:
                put(begin, end - 1, mv, name)
    for us, mv in c.reads:
        put(us, us, mv, "read")
    letters = {(low + high) / 2: name for name, low, high in BANDS}
    return [f"{f'{volts:+g} V' if volts else '0 V':>7} {letters.get(volts, ' ')} "
            f"{_glyph('edge', plain)}" + "".join(row)
            for volts, row in zip(_ROWS_V, grid, strict=True)]


def _axis(c, columns, column):
    line = [" "] * columns
    for us, label in time_labels(c, columns // 9):
        at = column(us)
        if at + len(label) <= columns:
            line[at:at + len(label)] = label
    return f"{'ms':>9}  " + "".join(line)


def _text_lanes(c, columns, column, plain):
    found = lanes(c)
    loop = [" "] * columns
    for first, last in bursts(c.reads):
        for at in range(column(first), column(last) + 1):
            loop[at] = _glyph("burst", plain)
    rows = {"loop": "".join(loop), "letter": _strip(found["letter"], columns, column, str)}
    rows["offer"] = _strip(found["offer"], columns, column, offer_text)
    for name in ("command", "contacts"):
        row = [" "] * columns
        for begin, end, on in found[name]:
            for at in range(column(begin), column(end - 1) + 1):
                row[at] = _glyph("on" if on else "off", plain)
        rows[name] = "".join(row)
    return [f"{name:>9} {_glyph('edge', plain)}" + rows[name] for name in LANES]


def _strip(steps, columns, column, words):
    """A lane of words, each standing where its value begins; letters fill their time."""
    row = [" "] * columns
    for begin, end, value in steps:
        label = words(value)
        first, last = column(begin), column(end - 1) + 1
        room = last - first
        shown = label * room if len(label) == 1 else f"{label} ".ljust(room, "-")[:room]
        row[first:last] = shown[:room]
    return "".join(row)
