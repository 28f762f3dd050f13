"""One drawing of the live picture: figures become lines on a terminal of any size."""

from dataclasses import dataclass, field

from rich.console import Group
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

_WIDE, _HIGH = 132, 48  # from here the display's pixels fit, with at least four messages
_BESIDE = 72  # from here its text fits beside the figures
_COLUMNS = 128
_HALVES = " ▀▄█"
_ASCII = str.maketrans("●○─", "*o-")
SCALES_MA = (16000, 32000, 63000, 80000)  # ends of the bars; they only grow, so nothing jumps

_HUES = {
    "white": (255, 255, 255), "green": (0, 255, 0), "blue": (0, 0, 255),
    "amber": (255, 96, 0), "red": (255, 0, 0),
}  # fmt: skip
_LETTERS = {
    "A": "no car", "B": "car connected", "C": "car ready", "D": "car ready, wants ventilation",
    "E": "pilot at 0 V", "F": "charger not available",
}  # fmt: skip
_UNHEARD = "not heard"


def halves(pixels):
    """The display's 64 rows as 32 lines of half blocks.

    pixels: hex of the SSD1306's 1024 bytes, a page of 128 columns after the other, bit 0 on top.
    """
    ram = bytes.fromhex(pixels)
    return [
        "".join(_HALVES[ram[y // 4 * _COLUMNS + x] >> y % 4 * 2 & 3] for x in range(_COLUMNS))
        for y in range(32)
    ]


def hue(rgb):
    """The word for a lamp's colour 'rrggbb' at any brightness."""
    levels = bytes.fromhex(rgb)
    top = max(levels)
    if not top:
        return "off"
    full = [level * 255 // top for level in levels]
    return min(_HUES, key=lambda n: sum((a - b) ** 2 for a, b in zip(full, _HUES[n], strict=True)))


def lamp(colours):
    """What a lamp did that showed these colours in turn: 'blue, pulsing'."""
    words = [word for word in map(hue, colours) if word != "off"]
    if not words:
        return "off"
    return f"{words[-1]}, {'steady' if len(set(colours)) == 1 else 'pulsing'}"


def _dot(rgb, word):
    """The lamp as it is at this instant. PWM is linear in light, a terminal's colour is not."""
    if hue(rgb) == "off":
        return Text("○ " + word)
    shown = bytes(round(255 * (level / 255) ** (1 / 2.2)) for level in bytes.fromhex(rgb))
    return Text("● ", style="#" + shown.hex()).append(word, style="default")


def clean(text):
    """`text` on one line, with nothing in it that steers a terminal."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def _clock(seconds):
    minutes, s = divmod(max(0, int(seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{s:02}"


def _line(*columns):
    """One line: (content, options of its column) each; one with a ratio takes what is left."""
    grid = Table.grid(padding=(0, 1), expand=True)
    for _, options in columns:
        grid.add_column(no_wrap=True, overflow="crop", **options)
    grid.add_row(*(content for content, _ in columns))
    return grid


@dataclass
class Frame:
    """All that one drawing shows; every dict may be empty."""

    name: str = ""
    t_s: float = 0.0
    end_s: float = 0.0
    speed: float = 0
    look: dict = field(default_factory=dict)  # plant/driver.py: look
    state: dict = field(default_factory=dict)  # the device's newest `state`
    active: dict = field(default_factory=dict)  # its `session/active`
    status: str = ""
    lamp: str = "off"
    scale_ma: int = SCALES_MA[0]
    messages: list = field(default_factory=list)

    def __rich_console__(self, console, options):
        height = options.size.height - 1  # the last line stays free: no terminal scrolls then
        wide = options.max_width >= _WIDE and options.size.height >= _HIGH
        pixels = wide and not options.ascii_only and self.look.get("pixels")
        upper = Group(self._progress(), self._by_pixels() if pixels else self._by_text(options))
        lines = console.render_lines(upper, options, pad=False)
        room = height - len(lines) - 1
        if room > 0:
            said = [Text(m, no_wrap=True, overflow="crop") for m in self.messages[-room:]]
            lines += console.render_lines(Group(Rule(style="dim"), *said), options, pad=False)
        for line in lines[:height]:
            for text, style, control in line:
                if options.ascii_only:
                    text = text.translate(_ASCII).encode("ascii", "replace").decode()
                yield Segment(text, style, control)
            yield Segment.line()

    def _progress(self):
        end = max(self.end_s, 0.001)
        speed = f"{self.speed:g} x" if self.speed else "full speed"
        return _line(
            (Text(self.name, style="bold"), {"max_width": 24}),
            (self._bar(self.t_s, end, "cyan"), {"ratio": 1}),
            (f"{_clock(self.t_s)} of {_clock(end)} simulated, {speed}", {}),
        )

    def _bar(self, value, full, style):
        value = max(0, min(value, full))
        return ProgressBar(full, value, complete_style=style, finished_style=style)

    def _by_pixels(self):
        display = Text("\n".join(halves(self.look["pixels"])), style="bright_white on black")
        both = Table.grid(padding=(0, 2), expand=True)
        both.add_column(ratio=1)
        both.add_column(ratio=1)
        both.add_row(self._grid(self._facts()), self._grid(self._figures()))
        return Group(Panel(display, title="display", width=_COLUMNS + 2, padding=0), both)

    def _by_text(self, options):
        figures = self._grid(self._facts() + self._figures())
        if options.max_width < _BESIDE:
            return figures
        lines = [clean(line)[:16].ljust(16) for line in self.look.get("text", ())][:8]
        lines += [" " * 16] * (8 - len(lines))
        display = Text("\n".join(lines), style="bright_white on black")
        both = Table.grid(padding=(0, 1), expand=True)
        both.add_column(ratio=1)
        both.add_column(width=20)
        both.add_row(figures, Panel(display, title="display", width=20))
        return both

    def _grid(self, rows):
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(style="dim", width=9, no_wrap=True)
        grid.add_column(ratio=1, no_wrap=True, overflow="crop")
        for label, value in rows:
            grid.add_row(label, clean(value) if isinstance(value, str) else value)
        return grid

    def _facts(self):
        faults = self.state.get("faults")
        if faults:
            shown = Text(clean(", ".join(map(str, faults))), style="bold red")
        else:
            shown = _UNHEARD if faults is None else "none"
        return (
            ("Device", self._device()),
            ("LED", _dot(self.look.get("rgb", "000000"), self.lamp)),
            ("Pilot", self._pilot()),
            ("Charging", self._charging()),
            ("Limit", self._limit()),
            ("Contactor", self._contactor()),
            ("Faults", shown),
        )

    def _device(self):
        if self.look.get("powered") is False:
            return "no power"
        waiting = self.state.get("waiting", 0)
        records = f", {waiting} record{'s' * (waiting != 1)} not acknowledged" if waiting else ""
        return (self.status or _UNHEARD) + records

    def _pilot(self):
        letter = str(self.state.get("pilot", ""))
        said = f"{letter} {_LETTERS.get(letter[:1], '')}" if letter else _UNHEARD
        if "high_mv" not in self.look:
            return said
        high_mv, low_mv = self.look["high_mv"], self.look["low_mv"]
        if self.look.get("duty") in (0, 100000):  # no square wave: one voltage
            return f"{said}, {high_mv / 1000:+.1f} V"
        return f"{said}, {high_mv / 1000:+.1f} V / {low_mv / 1000:+.1f} V"

    def _charging(self):
        if "charging" not in self.state:
            return _UNHEARD
        why, wait_s = self.state.get("why", "none"), self.state.get("wait_s", -1)
        reason = "" if why == "none" else f", {why.replace('_', ' ')}"
        return self.state["charging"] + reason + (f", {wait_s} s to wait" if wait_s > 0 else "")

    def _limit(self):
        if "limit" not in self.state:
            return _UNHEARD
        return f"{self.state.get('limit_a', 0):.1f} A, held by {self.state['limit']}"

    def _contactor(self):
        if "closed" not in self.look:
            return _UNHEARD
        return "{}, coil {}".format(
            "closed" if self.look["closed"] else "open", "on" if self.look.get("coil") else "off"
        )

    def _figures(self):
        currents, volts = self.look.get("i_ma", ()), self.look.get("v_cv", ())
        rows = [("Offered", self._amps(self.look.get("car_offer_ma", 0), "blue"))]
        for phase, (i_ma, v_cv) in enumerate(zip(currents, volts, strict=False), 1):
            rows.append((f"Drawn L{phase}", self._amps(i_ma, "green", f"{v_cv / 100:.1f} V")))
        power = f"{sum(self.look.get('p_mw', ())) / 1e6:.2f} kW"
        highest = f"{max(currents, default=0) / 1000:.1f} A on the highest phase"
        return (*rows, ("Power", f"{power}, {highest}"), ("Session", self._session()))

    def _amps(self, ma, style, after=""):
        return _line(
            (f"{ma / 1000:.1f} A", {"width": 6, "justify": "right"}),
            (self._bar(ma, self.scale_ma, style), {"ratio": 1}),
            (after, {"width": 7, "justify": "right"}),
        )

    def _session(self):
        if not self.active:
            return "none open"
        energy_wh, cost = self.active.get("energy_wh"), self.active.get("cost_minor")
        energy = "no meter" if energy_wh is None else f"{energy_wh / 1000:.3f} kWh"
        if cost is None:
            return energy
        return f"{energy}, {cost / 100:.2f} {self.active.get('currency', '')}"
