"""Draws what `pilotwire show` has seen: as text, and as a picture. Pure: figures to lines and pixels."""

from PIL import Image, ImageDraw, ImageFont

from pilotwire.frame import halves, hue

_CELL_MS = 125  # of the text's timeline: half a blink
_CELLS = 80  # in a line: 10 s
_BARS = " ▁▂▃▄▅▆▇█"
_PIXELS = 128  # columns of the display


def level(rgb):
    """Brightness 0..1 as the eye has it, of 'rrggbb' linear in light."""
    return (max(bytes.fromhex(rgb)) / 255) ** (1 / 2.2)


def shade(rgb):
    """A lamp's colour on a screen: PWM is linear in light, a screen is not."""
    return tuple(round(255 * (part / 255) ** (1 / 2.2)) for part in bytes.fromhex(rgb))


def cells(seen):
    """'rrggbb' in the middle of each _CELL_MS of one cycle; a steady light shows for a second."""
    shown, at = [], 0
    changes = seen["led"]
    for t_ms in range(_CELL_MS // 2, max(seen["cycle_ms"], 1000), _CELL_MS):
        while at + 1 < len(changes) and changes[at + 1][0] <= t_ms:
            at += 1
        shown.append(changes[at][1])
    return shown


# Text -----------------------------------------------------------------------------------------


def _timeline(seen, colours):
    """Lines of ten seconds: bars as high as it is bright, below them the first letter of the hue."""
    shown = cells(seen)
    for start in range(0, len(shown), _CELLS):
        part = shown[start : start + _CELLS]
        bars = [_BARS[round(8 * level(rgb))] for rgb in part]
        if colours:
            bars = [f"\x1b[38;2;{';'.join(map(str, shade(rgb)))}m{bar}\x1b[0m"
                    for rgb, bar in zip(part, bars, strict=True)]
        yield f"  {start * _CELL_MS // 1000:>3} s  " + "".join(bars).rstrip()
        letters = "".join(" " if hue(rgb) == "off" else hue(rgb)[0] for rgb in part)
        if letters.strip():
            yield "         " + letters.rstrip()


def seven(segments):
    """Three lines of characters for bytes of segments, bit 0 on top, clockwise, 6 the middle."""
    rows = ["", "", ""]
    for byte in segments:
        def on(bit, mark, byte=byte):
            return mark if byte >> bit & 1 else " "

        rows[0] += " " + on(0, "_") + "  "
        rows[1] += on(5, "|") + on(6, "_") + on(1, "|") + " "
        rows[2] += on(4, "|") + on(3, "_") + on(2, "|") + on(7, ".")
    return [row.rstrip() for row in rows]


def _page(page, wide):
    if page["segments"]:
        return seven(bytes.fromhex(page["segments"]))
    if wide >= _PIXELS:
        return halves(page["pixels"])
    edge = "+" + "-" * 16 + "+"
    return [edge, *(f"|{line:16}|" for line in page["text"]), edge]


def as_text(row, seen, language, wide, *, colours=False):
    """Lines for a terminal `wide` columns wide; the display's pixels from 128 columns on."""
    yield f"E{row['code']} {row['severity']}: {row['says'][language]}. {row['do'][language]}."
    yield ""
    if seen["led"]:
        yield f"LED, {row['led']['en']}; again after {seen['cycle_ms'] / 1000:.2f} s"
        yield from _timeline(seen, colours)
    else:
        yield "LED: this board has none"
    yield ""
    pages = seen["pages"]
    if not pages:
        yield "Display: this board has none"
    elif len(pages) == 1:
        yield "Display"
    else:
        yield f"Display, {len(pages)} pages by turns"
    for page in pages:
        yield ""
        yield from _page(page, wide)


# Picture --------------------------------------------------------------------------------------

_DOT = 4  # pixels of a display's dot
_LINE_S = 10
_WIDE, _EDGE = 1140, 40
_STRIP = 54  # height of a line of the timeline
_PAPER, _INK, _FAINT = (250, 250, 248), (28, 34, 43), (110, 118, 130)
_DARK, _GLOW = (18, 20, 24), (196, 228, 255)


def _font(size):
    return ImageFont.load_default(size)


def picture(row, seen, language):
    """A PIL image: the code in words, the LED over one cycle, each page of the display."""
    lines = -(-max(seen["cycle_ms"], 1000) // (_LINE_S * 1000)) if seen["led"] else 0
    pages = [_page_image(page) for page in seen["pages"]]
    columns = 2
    rows = [pages[k : k + columns] for k in range(0, len(pages), columns)]
    strip_top = 132
    pages_top = strip_top + lines * (_STRIP + 22) + 44
    high = pages_top + sum(max(page.height for page in line) + 20 for line in rows) + 20
    image = Image.new("RGB", (_WIDE, high), _PAPER)
    pen = ImageDraw.Draw(image)
    pen.text((_EDGE, 24), f"E{row['code']}   {row['says'][language]}", _INK, _font(32))
    pen.text((_EDGE, 66), row["do"][language], _INK, _font(20))
    said = row["led"]["en"] + f"; again after {seen['cycle_ms'] / 1000:.2f} s"
    pen.text((_EDGE, strip_top - 30), "LED   " + (said if lines else "none on this board"), _FAINT,
             _font(18))
    _strips(pen, seen, strip_top, lines)
    pen.text((_EDGE, pages_top - 32), "Display" if pages else "Display   none on this board", _FAINT,
             _font(18))
    y = pages_top
    for line in rows:
        for k, page in enumerate(line):
            image.paste(page, (_EDGE + k * (_PIXELS * _DOT + 36), y))
        y += max(page.height for page in line) + 20
    return image


def _strips(pen, seen, top, lines):
    """Bars in the LED's colours, as high as it is bright; a line is ten seconds."""
    scale = (_WIDE - 2 * _EDGE) / (_LINE_S * 1000)
    end_ms = max(seen["cycle_ms"], 1000)
    changes = [*seen["led"], [end_ms, ""]]
    for line in range(lines):
        y, from_ms = top + line * (_STRIP + 22), line * _LINE_S * 1000
        to_ms = min(end_ms, from_ms + _LINE_S * 1000)
        pen.rectangle((_EDGE, y, _EDGE + (to_ms - from_ms) * scale, y + _STRIP), _DARK)
        for second in range(from_ms // 1000, to_ms // 1000 + 1):
            x = _EDGE + (second * 1000 - from_ms) * scale
            pen.line((x, y + _STRIP, x, y + _STRIP + 4), _FAINT)
            pen.text((x, y + _STRIP + 6), f"{second} s", _FAINT, _font(12), anchor="ma")
        for (since, rgb), (until, _) in zip(changes, changes[1:], strict=False):
            left, right = max(since, from_ms), min(until, to_ms)
            if left < right and any(bytes.fromhex(rgb)):
                x, to_x = (_EDGE + (ms - from_ms) * scale for ms in (left, right))
                high = (_STRIP - 6) * level(rgb)
                pen.rectangle((x, y + _STRIP - high, max(x, to_x - 1), y + _STRIP), shade(rgb))


def _page_image(page):
    if page["segments"]:
        return _digits_image(bytes.fromhex(page["segments"]))
    ram = bytes.fromhex(page["pixels"])
    dots = Image.new("1", (_PIXELS, 64))
    dots.putdata([255 * (ram[y // 8 * _PIXELS + x] >> y % 8 & 1) for y in range(64)
                  for x in range(_PIXELS)])
    image = Image.new("RGB", (_PIXELS * _DOT, 64 * _DOT), _DARK)
    image.paste(_GLOW, mask=dots.resize(image.size, Image.Resampling.NEAREST))
    return image


# Ends of the segments a to g in units of a digit's width, y down; a digit is 1 wide and 2 high.
_SEGMENTS = (
    (0, 0, 1, 0), (1, 0, 1, 1), (1, 1, 1, 2), (0, 2, 1, 2), (0, 1, 0, 2), (0, 0, 0, 1), (0, 1, 1, 1),
)  # fmt: skip
_LIT, _UNLIT = (255, 64, 48), (48, 26, 26)


def _digits_image(segments):
    unit, gap, edge = 64, 52, 40
    wide = 2 * edge + len(segments) * (unit + gap) - gap + 20
    image = Image.new("RGB", (wide, 2 * unit + 2 * edge), _DARK)
    pen = ImageDraw.Draw(image)
    for k, byte in enumerate(segments):
        left = edge + k * (unit + gap)
        for bit, (x, y, to_x, to_y) in enumerate(_SEGMENTS):
            colour = _LIT if byte >> bit & 1 else _UNLIT
            inset = 7
            flat = y == to_y
            pen.line((left + x * unit + inset * flat, edge + y * unit + inset * (not flat),
                      left + to_x * unit - inset * flat, edge + to_y * unit - inset * (not flat)),
                     colour, 10)
        point = (left + unit + 14, edge + 2 * unit - 6, left + unit + 26, edge + 2 * unit + 6)
        pen.ellipse(point, _LIT if byte & 0x80 else _UNLIT)
    return image
