"""Somebody asks for faults to be cleared: a backend, or a person at the button. Loaded for this."""

from pilotwire import once
from pilotwire.decide import fault_rows
from pilotwire.decide.faults import CLEARED, NOT_THERE, STILL_THERE

_NOTE_S = 8
# What only a start looks at: to ask for these is to ask for a start.
_AT_START = (fault_rows.FIRMWARE, fault_rows.CONFIG, fault_rows.PILOT_GENERATOR)
_TESTED_AGAIN = 6  # after the answers of decide/faults.py


def command(c, code, service):
    """`code`: major << 4 | minor, 0 = all that may be. None, or why nothing was cleared.

    `service` is the right to clear what waits for service: whoever may publish commands has it.
    """
    rows = range(len(c.faults.codes))
    if code:
        row = c.faults.codes.find(bytes((code,)))
        if row < 0:
            return "no fault has that code"
        rows = (row,)
    answer = _clear(c.faults, rows, service)
    if _test_again(c, rows) or answer == CLEARED:
        return None
    return _words("en", answer)


def pressed(c, panel):
    """The button was held: clear what may be, and say on the display what became of it.

    A fault that holds on is the news, for it is what the display goes on showing.
    """
    faults = c.faults
    worst = faults.worst
    if worst < 0:
        return
    _clear(faults, range(len(faults.codes)), False)
    answer = faults.clear(worst) if faults.holds(worst) else CLEARED
    if answer == STILL_THERE and _test_again(c, (worst,)):
        answer = _TESTED_AGAIN
    panel.note = _words(c.config.language, answer)
    panel.note_until_s = c.clock.up_s + _NOTE_S


def _clear(faults, rows, service):
    """CLEARED when something was; else why the worst was not."""
    answer = NOT_THERE
    cleared = False
    for row in rows:
        if faults.holds(row):
            this = faults.clear(row, service)
            cleared = cleared or this == CLEARED
            if answer == NOT_THERE:
                answer = this
    return CLEARED if cleared else answer


def _test_again(c, rows):
    """Restart when one of `rows` holds that a start tests; whether one does. They block charging."""
    for row in _AT_START:
        if row in rows and c.faults.holds(row):
            if c.restart_s < 0:
                c.restart_s = 0
            return True
    return False


def _words(language, answer):
    return once.call("tell.clear_" + language, "words", answer)
