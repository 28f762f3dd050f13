"""The live picture of `pilotwire run`: lamp, display, pilot and power of the charger.

Looks at the run a few times a second of wall time and draws on the terminal; changes neither.
"""

import json
import os
import time
from collections import deque

from rich.console import Console
from rich.live import Live

from pilotwire.charger import ChargerError
from pilotwire.frame import SCALES_MA, Frame, clean, lamp

_EVERY_S = 0.2  # calm for the eye, and a look costs the charger little
_LAMP_S = 4  # longer than the dark between two showings of a blink code
_MESSAGES = 6
_DARK = "00" * 1024


class Picture:
    """The drawing at a terminal, from start() to stop(). Nothing else may write there then."""

    def __init__(self, scenario, keep, *, console=None, clock=time.monotonic):
        self._frame = Frame(name=clean(scenario.name), end_s=scenario.end_us / 1e6)
        self._console = console or Console(highlight=False)
        self._clock = clock
        self._messages = deque(maxlen=_MESSAGES)
        self._lamps = deque()  # (when, colour)
        self._run = self._live = self._size = self._meaning = None
        self._latest_s = -_EVERY_S
        self.say(f"keeps its files in {os.path.relpath(keep)}")

    def start(self):
        self._size = self._console.size
        self._live = Live(
            get_renderable=lambda: self._frame, console=self._console, auto_refresh=False
        )
        self._live.start(refresh=True)

    def stop(self):
        """Leave the last picture on the terminal, and the terminal as it was."""
        try:
            if self._run:
                self._look(self._run)
        except ChargerError:
            pass  # it has died: its last look stays, and the run says why
        finally:
            if self._live:
                self._live.stop()

    def say(self, text):
        """Put a line below the picture."""
        self._messages.append(clean(text))
        self._frame.messages = list(self._messages)

    def show(self, run):
        """Draw anew if it is time to; may be called at any rate."""
        self._run = run
        if self._clock() - self._latest_s < _EVERY_S:
            return
        self._latest_s = self._clock()
        self._look(run)
        if self._console.size != self._size:  # the terminal has moved the old lines: start afresh
            self._live.stop()
            self._console.clear()
            self.start()
        self._live.refresh()

    def _look(self, run):
        look, state, last = run.charger.look(), run.state(), run.backend.last
        if look.get("powered") is False:  # its last words hold no longer
            look, state = {**look, "rgb": "000000", "text": (), "pixels": _DARK}, {}
        try:
            active = json.loads(last.get("session/active") or b"{}")
        except ValueError:
            active = {}
        top_ma = max(self._frame.scale_ma, look.get("car_offer_ma", 0), *look.get("i_ma", ()))
        self._frame = Frame(
            name=self._frame.name, t_s=run.t_s(run.charger.us), end_s=self._frame.end_s,
            speed=run.speed, look=look, state=state, active=active,
            status=clean((last.get("status") or b"").decode(errors="replace")),
            lamp=self._lamp(look, [state.get(k) for k in ("charging", "why", "faults")]),
            scale_ma=next((full for full in SCALES_MA if full >= top_ma), top_ma),
            messages=list(self._messages),
        )

    def _lamp(self, look, meaning):
        if meaning != self._meaning:  # a new light: what it was before says nothing about it
            self._meaning = meaning
            self._lamps.clear()
        now = self._clock()
        self._lamps.append((now, look.get("rgb", "000000")))
        while self._lamps[0][0] < now - _LAMP_S:
            self._lamps.popleft()
        return lamp([colour for _, colour in self._lamps])
