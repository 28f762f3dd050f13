"""What the display says: four pages of eight lines, made from the panel and one table of texts.

May touch the display through ssd1306.py, and reads the panel; nothing else.

* The waiting page: may I plug in, and why is it not charging.
* The charging page: how fast, how much so far, what it costs, why not faster.
* The code page: the code the LED blinks, what is wrong, what to do, and for how long.
  With a code it takes turns with one of the others: 6 s and 3 s. A fault before any energy
  flowed stays.
* The note page, for some seconds: what became of the button.
"""

import time

from micropython import const
from pilotwire.tell.ssd1306 import Ssd1306

_COLUMNS = const(16)
_ROWS = const(8)
_ADVICE_ROWS = const(6)
_LOOK_MS = const(500)  # the display follows the panel at most twice a second
_TURN = const(18)  # looks: one turn of the code page and the other
_CODE_TURN = const(12)  # of which the code page has these
_REFRESH = const(120)  # looks, a minute or more: then the chip is set up again
_WARNING = const(5)
_FAULT = const(6)
_NO_CAR = const(1)  # a `why` of the panel
_FAULT_STATE = const(5)
_CHARGING_STATE = const(3)

# What a warning leaves the charger doing, by `why`: an index of texts.TITLES.
_STATE_OF_WHY = b"\x03\x01\x02\x04\x04\x02\x02\x05\x02\x02\x00\x04\x04"

# Everything on the display is made from these.
_WATCHED = (
    "mode", "why", "code_major", "code_minor", "fault_text", "fault_do", "more_faults", "wait_s",
    "drawn_ma", "p_w", "offered_ma", "limit_name", "rating_ma", "session_wh", "charge_s",
    "cost_minor", "currency", "link_up", "records_waiting", "clock_ok", "note",
)  # fmt: skip


def wrap(text):
    """`text` as a list of lines of 16 columns, broken at spaces."""
    lines = []
    while text:
        end = len(text)
        if end > _COLUMNS:
            end = text.rfind(" ", 0, _COLUMNS + 1)
            if end <= 0:
                end = _COLUMNS
        lines.append(text[:end])
        text = text[end:].lstrip()
    return lines


def _spread(left, right):
    room = _COLUMNS - len(right)
    return left[:room] + " " * (room - len(left)) + right


def _tenths(milli):
    return "%d.%d" % (milli // 1000, milli % 1000 // 100)


def _energy(wh):
    if wh >= 100_000:
        return _tenths(wh) + " kWh"
    return "%d.%02d kWh" % (wh // 1000, wh % 1000 // 10)


def _state(p):
    if p.mode == _FAULT:
        return _FAULT_STATE
    return _STATE_OF_WHY[p.why] if p.mode == _WARNING else p.mode


# A line: (panel, texts, row) -> string of up to 16 characters.


def _title(p, texts, row):
    return texts.TITLES[_state(p)]


def _line(text, row):
    lines = wrap(text)
    return lines[row - 1] if row <= len(lines) else ""


def _why(p, texts, row):
    return _line(texts.WHY[p.why], row)


def _note(p, texts, row):
    return _line(p.note, row)


def _rate(p, texts, row):
    return _spread(_tenths(p.p_w) + " kW", _tenths(p.drawn_ma) + " A")


def _session(p, texts, row):
    if not p.session_wh and not p.charge_s:
        return ""
    minutes = p.charge_s // 60
    return _spread(_energy(p.session_wh), "%d:%02dh" % (minutes // 60, minutes % 60))


def _cost(p, texts, row):
    if p.cost_minor < 0:
        return ""
    money = "%d.%02d %s" % (p.cost_minor // 100, p.cost_minor % 100, p.currency)
    return _spread(texts.COST, money)


def _offer(p, texts, row):
    ma = p.rating_ma if p.why == _NO_CAR and not p.offered_ma else p.offered_ma
    return _spread(texts.UP_TO, _tenths(ma) + " A") if ma else ""


def _holder(p, texts, row):
    if _state(p) == _CHARGING_STATE and p.drawn_ma < p.offered_ma - p.offered_ma // 8:
        return texts.CAR_TAKES_LESS
    return texts.LIMITS.get(p.limit_name, p.limit_name)


def _countdown(p, texts, row):
    if p.wait_s < 0:
        return ""
    return _spread(texts.AGAIN_IN, "%d:%02d" % (p.wait_s // 60, p.wait_s % 60))


def _countdown_or_holder(p, texts, row):
    return _countdown(p, texts, row) or _holder(p, texts, row)


def _code(p, texts, row):
    name = texts.FAULT if p.mode == _FAULT else texts.WARNING
    title = "%s E%d-%d" % (name, p.code_major, p.code_minor)
    return _spread(title, "+%d" % p.more_faults) if p.more_faults else title


def _advice(p, texts, row):
    """Rows 1 to 6: what is wrong, then what to do; a countdown takes the last."""
    waits = p.wait_s >= 0
    if waits and row == _ADVICE_ROWS:
        return _countdown(p, texts, row)
    lines = wrap(p.fault_text)
    todo = wrap(p.fault_do)
    if len(lines) + len(todo) < _ADVICE_ROWS - waits:
        lines.append("")
    lines += todo
    return lines[row - 1] if row <= len(lines) else ""


def _link(p, texts, row):
    kept = p.records_waiting if p.records_waiting < 999 else 999
    if not p.link_up:
        return texts.OFFLINE_KEPT % kept if kept else texts.OFFLINE
    if not p.clock_ok:
        return texts.CLOCK_NOT_SET
    return texts.TO_SEND % kept if kept else texts.ONLINE


def _blank(p, texts, row):
    return ""


_WAITING_PAGE = (_title, _why, _why, _offer, _countdown_or_holder, _session, _cost, _link)
_CHARGING_PAGE = (_title, _rate, _session, _cost, _blank, _offer, _holder, _link)
_NOTE_PAGE = (_title, _note, _note, _note, _note, _note, _note, _link)
_CODE_PAGE = (_code, _advice, _advice, _advice, _advice, _advice, _advice, _link)


class Display:
    """The pages on the chip of `spec`, in the language of `texts` (a module like texts_en)."""

    WORDS = True  # of faults are shown

    def __init__(self, spec, texts):
        self._chip = Ssd1306(spec)
        self._texts = texts
        self._lines = [""] * _ROWS
        self._seen = [None] * len(_WATCHED)
        self._page = _WAITING_PAGE
        self._row = _ROWS  # next line to make; _ROWS: none
        self._started = False
        self._looked_ms = 0
        self._looks = 0
        self._turn = 0
        self._code = 0

    @property
    def ok(self):
        """The display answers."""
        return self._chip.ok

    def step(self, p, t_ms):
        """Make one line, or send one piece, or look whether anything changed.

        `t_ms` is any clock with the wrap of ticks_ms. True when the bus was used; raises nothing.
        """
        if self._row < _ROWS:
            self._compose(p)
            return False
        chip = self._chip
        if not chip.ok or chip.busy():
            return chip.step(t_ms)
        if self._started and time.ticks_diff(t_ms, self._looked_ms) < _LOOK_MS:
            return False
        self._started = True
        self._looked_ms = t_ms
        self._look(p)
        return False

    def _look(self, p):
        """Begin to make the lines again if the panel, or whose turn it is, has changed."""
        self._looks += 1
        if self._looks == _REFRESH:
            self._looks = 0
            self._chip.start_over()
        page = self._page
        self._page = self._choose(p)
        changed = self._page is not page
        seen = self._seen
        i = 0
        for name in _WATCHED:
            value = getattr(p, name)
            if value != seen[i]:
                seen[i] = value
                changed = True
            i += 1
        if changed:
            self._row = 0
        self._chip.dim(p.night)

    def _choose(self, p):
        if p.note:
            return _NOTE_PAGE
        code = p.code_major << 4 | p.code_minor
        self._turn = (self._turn + 1) % _TURN if code == self._code else 0
        self._code = code
        if code or p.mode == _FAULT:
            if self._turn < _CODE_TURN or (p.mode == _FAULT and not p.session_wh):
                return _CODE_PAGE
        return _CHARGING_PAGE if _state(p) == _CHARGING_STATE else _WAITING_PAGE

    def _compose(self, p):
        """Make the next line, and draw it if it is not what is shown."""
        row = self._row
        self._row += 1
        line = self._page[row](p, self._texts, row)[:_COLUMNS]
        old = self._lines[row]
        if line == old:
            return
        self._lines[row] = line
        title = row == 0
        half = _COLUMNS // 2
        frame = self._chip.frame
        frame.fill_rect(0, row * 8, 128, 8, title)
        frame.text(line, 0, row * 8, not title)
        if title or line[:half] != old[:half]:
            self._chip.dirty |= 1 << 2 * row
        if title or line[half:] != old[half:]:
            self._chip.dirty |= 2 << 2 * row
