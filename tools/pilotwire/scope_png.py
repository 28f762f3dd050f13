"""Draws what `pilotwire scope` has recorded (scope_lanes.py) as a PNG."""

from PIL import Image, ImageDraw, ImageFont

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

BAND_COLOURS = {
    "A": (216, 240, 220), "B": (252, 242, 196), "C": (212, 229, 251), "D": (233, 220, 246),
    "E": (251, 219, 214), "F": (226, 229, 233),
}
LETTER_COLOURS = {
    "A": (123, 200, 138), "B": (240, 208, 98), "C": (116, 169, 238), "D": (184, 146, 226),
    "E": (239, 139, 126), "F": (164, 172, 182),
}
READ_COLOUR = (27, 52, 90)
HIGH_COLOUR = (217, 72, 15)
LOW_COLOUR = (11, 132, 145)
_TRUE = (150, 160, 173)
_INK = (38, 45, 56)
_FAINT = (110, 120, 133)
_GRID = (229, 233, 238)
_CAUSE = (201, 24, 74)
_REACTION = (46, 111, 64)
_ON = (88, 168, 110)
_BURST = (140, 158, 184)

SIZE = (1400, 880)
_FINE = 2  # drawn so much larger, then scaled down: smooth lines
_LEFT, _RIGHT, _TOP, _BOTTOM = 112, 1350, 146, 600
_LANE_TOP, _LANE, _LANE_GAP = 622, 30, 10
_TOP_V, _BOTTOM_V = 13.6, -13.6


class _Sheet:
    """A drawing in final pixels, enlarged by _FINE."""

    def __init__(self, c):
        self.c = c
        self.image = Image.new("RGB", (SIZE[0] * _FINE, SIZE[1] * _FINE), "white")
        self.pen = ImageDraw.Draw(self.image)
        self._fonts = {}

    def x(self, us):
        span = self.c.to_us - self.c.from_us
        return _LEFT + (us - self.c.from_us) * (_RIGHT - _LEFT) / span

    def y(self, mv):
        return _TOP + (_TOP_V - mv / 1000) * (_BOTTOM - _TOP) / (_TOP_V - _BOTTOM_V)

    def line(self, points, colour, width=1.0):
        self.pen.line([(x * _FINE, y * _FINE) for x, y in points], colour,
                      max(1, round(width * _FINE)))

    def box(self, x0, y0, x1, y1, colour):
        self.pen.rectangle([v * _FINE for v in (x0, y0, max(x1, x0 + 0.5), y1)], colour)

    def veil(self, x0, y0, x1, y1, colour):
        """A box through which what is behind can be seen."""
        at = tuple(round(v * _FINE) for v in (x0, y0, x1, y1))
        behind = self.image.crop(at)
        self.image.paste(Image.blend(behind, Image.new("RGB", behind.size, colour), 0.3), at)

    def dot(self, x, y, radius, colour):
        self.pen.ellipse([v * _FINE for v in (x - radius, y - radius, x + radius, y + radius)],
                         colour)

    def words(self, x, y, text, size=14, colour=_INK, anchor="lm", back=None):
        font = self._fonts.setdefault(size, ImageFont.load_default(size * _FINE))
        at = (x * _FINE, y * _FINE)
        if back:
            left, top, right, bottom = self.pen.textbbox(at, text, font, anchor)
            edge = 4 * _FINE
            self.pen.rectangle((left - edge, top - edge, right + edge, bottom + edge), back)
        self.pen.text(at, text, colour, font, anchor)

    def width(self, text, size):
        font = self._fonts.setdefault(size, ImageFont.load_default(size * _FINE))
        return font.getlength(text) / _FINE


def png(c, path):
    """Draw a Capture into a PNG file of SIZE pixels. OSError when it cannot be written."""
    sheet = _Sheet(c)
    _paper(sheet)
    _truth(sheet)
    _found(sheet)
    _draw_lanes(sheet)
    _marks(sheet)
    _heading(sheet)
    sheet.image.reduce(_FINE).save(path, format="PNG")


def _paper(s):
    lanes_end = _LANE_TOP + len(LANES) * (_LANE + _LANE_GAP) - _LANE_GAP
    for name, low, high in BANDS:
        s.box(_LEFT, s.y(high * 1000), _RIGHT, s.y(low * 1000), BAND_COLOURS[name])
        s.words(_RIGHT + 20, s.y((low + high) * 500), name, 22, LETTER_COLOURS[name], "mm")
    for us, text in time_labels(s.c, 14):
        s.line([(s.x(us), _TOP), (s.x(us), lanes_end)], _GRID)
        s.words(s.x(us), lanes_end + 16, text, 14, _FAINT, "mm")
    for volts in range(-12, 13, 3):
        s.line([(_LEFT - 6, s.y(volts * 1000)), (_LEFT, s.y(volts * 1000))], _FAINT)
        s.words(_LEFT - 11, s.y(volts * 1000), f"{volts:+d}" if volts else "0", 14, _FAINT, "rm")
    s.words(_LEFT - 62, (_TOP + _BOTTOM) / 2, "V", 16, _FAINT, "mm")
    since = "milliseconds since the cause" if s.c.cause else "milliseconds"
    s.words(_RIGHT, lanes_end + 40, since, 14, _FAINT, "rm")
    s.words(_LEFT, lanes_end + 40, "loop: a burst of reads, then a line where the tick has decided",
            14, _FAINT)
    s.line([(_LEFT, _TOP), (_LEFT, _BOTTOM), (_RIGHT, _BOTTOM)], _FAINT)


def _truth(s):
    """The voltage at the pin. Where its periods are too dense to be seen: the area they fill."""
    pixels_per_us = (_RIGHT - _LEFT) / (s.c.to_us - s.c.from_us)
    before = None
    for begin, end, (high_mv, low_mv, high_dus, period_dus) in true_levels(s.c):
        if high_mv != low_mv and pixels_per_us * period_dus / 10 < 6:
            s.veil(s.x(begin), s.y(high_mv), s.x(end), s.y(low_mv), _TRUE)
            before = None
            continue
        points = [before] if before else []
        for us, high in _edges(begin, end, high_mv != low_mv, high_dus, period_dus):
            if points:
                points.append((s.x(us), points[-1][1]))
            points.append((s.x(us), s.y(high_mv if high else low_mv)))
        points.append((s.x(end), points[-1][1]))
        s.line(points, _TRUE, 1.2)
        before = points[-1]


def _edges(begin, end, moves, high_dus, period_dus):
    """(us, is high) of each edge of the generator, from `begin` on; its phase is that of time."""
    phase = begin * 10 % period_dus
    yield begin, phase < high_dus
    if moves:
        start_dus = begin * 10 - phase
        while start_dus < end * 10:
            for dus, high in ((start_dus, True), (start_dus + high_dus, False)):
                if begin < dus / 10 < end:
                    yield dus / 10, high
            start_dus += period_dus


def _found(s):
    """Plateaus from the instant at which the firmware had them, and the reads."""
    high, low = plateaus(s.c)
    for steps, colour in ((low, LOW_COLOUR), (high, HIGH_COLOUR)):
        before = None
        for begin, end, mv in steps:
            if mv is None:
                before = None
                continue
            points = [(s.x(begin), s.y(mv)), (s.x(end), s.y(mv))]
            s.line(([before] if before else []) + points, colour, 3)
            before = points[-1]
    for us, mv in s.c.reads:
        s.dot(s.x(us), s.y(mv), 1.7, READ_COLOUR)


def _draw_lanes(s):
    tops = {name: _LANE_TOP + k * (_LANE + _LANE_GAP) for k, name in enumerate(LANES)}
    for name, top in tops.items():
        s.words(_LEFT - 11, top + _LANE / 2, name, 15, _INK, "rm")
        s.line([(_LEFT, top + _LANE), (_RIGHT, top + _LANE)], _GRID)
    top = tops["loop"]
    for first, last in bursts(s.c.reads):
        s.box(s.x(first), top + 12, s.x(last), top + _LANE, _BURST)
    for tick in s.c.ticks:
        if tick[0] >= s.c.from_us:
            s.line([(s.x(tick[0]), top), (s.x(tick[0]), top + _LANE)], _INK, 1.6)
    found = lanes(s.c)
    for begin, end, letter in found["letter"]:
        _block(s, tops["letter"], begin, end, letter, LETTER_COLOURS[letter])
    for begin, end, ma in found["offer"]:
        colour = (190, 206, 232) if ma > 0 else BAND_COLOURS["A" if ma == 0 else "F"]
        _block(s, tops["offer"], begin, end, offer_text(ma), colour)
    for name, words in (("command", ("off", "on")), ("contacts", ("open", "closed"))):
        for begin, end, on in found[name]:
            _block(s, tops[name], begin, end, words[on], _ON if on else (240, 242, 245))


def _block(s, top, begin, end, text, colour):
    x0, x1 = s.x(begin), s.x(end)
    s.box(x0, top, x1, top + _LANE, colour)
    s.line([(x0, top), (x0, top + _LANE)], _INK, 1.2)
    if x1 - x0 > s.width(text, 15) + 14:
        s.words(x0 + 8, top + _LANE / 2, text, 15)


def _marks(s):
    c = s.c
    lanes_end = _LANE_TOP + len(LANES) * (_LANE + _LANE_GAP) - _LANE_GAP
    rows = ((c.cause, _CAUSE, 0), (c.reaction, _REACTION, 0), (c.arrival, _FAINT, 1))
    for mark, colour, row in rows:
        if not mark or not c.from_us <= mark.us < c.to_us:
            continue
        x, y = s.x(mark.us), _TOP - 40 + row * 24
        s.line([(x, y), (x, lanes_end)], colour, 1.8)
        width = s.width(mark.text, 16) + 12
        left = mark is c.cause and x - width > _LEFT or x + width > _RIGHT
        s.words(x - 6 if left else x + 6, y + 2, mark.text, 16, colour, "rm" if left else "lm")
    for mark, colour, mv in ((c.reaction, _REACTION, -3500), (c.arrival, _FAINT, -6800)):
        if mark and c.cause and c.from_us <= c.cause.us and mark.us < c.to_us:
            _arrow(s, s.x(c.cause.us), s.x(mark.us), s.y(mv), colour)
            _latency(s, mark, s.y(mv), colour)


def _arrow(s, x0, x1, y, colour):
    s.line([(x0, y), (x1, y)], colour, 1.8)
    for x, inward in ((x0, 8), (x1, -8)):
        s.line([(x + inward, y - 4), (x, y), (x + inward, y + 4)], colour, 1.8)


def _latency(s, mark, y, colour):
    text = f"{s.c.latency_ms(mark):.1f} ms"
    x0, x1 = s.x(s.c.cause.us), s.x(mark.us)
    if x1 - x0 > s.width(text, 18) + 40:
        s.words((x0 + x1) / 2, y, text, 18, colour, "mm", "white")
    else:
        s.words(x1 + 12, y, text, 18, colour, "lm", "white")


def _heading(s):
    s.words(24, 34, s.c.verdict(), 24)
    s.words(24, 66, s.c.title, 15, _FAINT)
    x = _RIGHT
    for text, colour in (("true voltage", _TRUE), ("low plateau", LOW_COLOUR),
                         ("high plateau", HIGH_COLOUR), ("ADC read", READ_COLOUR)):
        x -= s.width(text, 14)
        s.words(x, 66, text, 14, _FAINT)
        x -= 10
        if text == "ADC read":
            s.dot(x - 4, 66, 3, colour)
        else:
            s.line([(x - 22, 66), (x, 66)], colour, 2.6)
        x -= 44
