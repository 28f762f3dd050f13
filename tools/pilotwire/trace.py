"""Measured traces: rows of a real car's charging become a scenario's actions. Pure arithmetic.

Rows are steps: a row holds until the next one. Values are whole cV, mA and mW; times whole us.
"""

import csv
import json
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from pilotwire.scenario import Action, BadFile, Scenario, Wrong, number, scaled, shown

_VOLTS, _AMPS, _WATTS = (
    [f"{letter}{phase}_{unit}" for phase in (1, 2, 3)]
    for letter, unit in (("v", "v"), ("i", "a"), ("p", "w"))
)
COLUMNS = ["t_s", "pilot_a", *_VOLTS, *_AMPS, *_WATTS, "p_total_w"]

# column: (lowest, highest, whole units in one)
_RANGES = {
    "t_s": (0, 10_000_000, 1_000_000),
    "pilot_a": (0, 100, 1000),
    **dict.fromkeys(_VOLTS, (0, 1000, 100)),
    **dict.fromkeys(_AMPS, (0, 1000, 1000)),
    **dict.fromkeys([*_WATTS, "p_total_w"], (-100_000, 100_000, 1000)),
}

_S = 1_000_000  # us
_PRE_ROLL_US = 10 * _S  # the contactor has closed when the trace begins: B->C takes up to 3 s
_FIRST_LIMIT_US = 200_000
_PLUG_US = 500_000
_READY_US = 1 * _S
_HOLD_US = 1 * _S  # a last row with power in it lasts as long as one sample
_UNPLUG_US = 2 * _S  # after not_ready
_END_US = 3 * _S  # after not_ready
_LIMIT_SPARE_S = 60  # a limit never expires before the trace has ended
_NOMINAL_CV = 23000
_NO_VOLTS_CV = 5000  # below it nothing was measured: loggers write 0 when a car sleeps
_MOST_CV = 40000  # a quotient P/I above it says more about the current than about the volts
_LEAST_MA = 1000  # below it the quotient P/I is noise


@dataclass(frozen=True)
class Row:
    """One row with its gaps filled. `pilot_ma` is None where the trace says nothing."""

    t_us: int
    pilot_ma: int | None
    v_cv: tuple
    i_ma: tuple
    p_mw: tuple
    p_total_mw: int
    line: int


def scenario(path, columns, lines):
    """The Scenario that plays a trace; `lines` are [(line number, text)], the header first."""
    rows = read_rows(path, columns, lines[1:])
    if not rows:
        raise BadFile(path, lines[0][0], "nothing follows the header", "a line per measurement")
    played = actions(rows)
    last_us = rows[-1].t_us + _hold_us(rows)
    wh = energy_wh(rows, 0, Fraction(last_us, _S))
    return Scenario(Path(path).stem, "trace", played, played[-1].t_us, float(wh))


def read_rows(path, columns, lines):
    """[Row] from the text below a header. Raises BadFile with the line."""
    rows, last_cv = [], (_NOMINAL_CV,) * 3
    for line, text in lines:
        row = _fill(_cells(path, columns, line, text), last_cv, line)
        if rows and row.t_us < rows[-1].t_us:
            raise BadFile(path, line, f"time goes back from {rows[-1].t_us / _S:g} s",
                          "times that never decrease")
        last_cv = row.v_cv
        rows.append(row)
    return rows


def _cells(path, columns, line, text):
    """{column: whole number or None where the cell is empty}."""
    try:
        cells = next(csv.reader([text]))
    except csv.Error:
        raise BadFile(path, line, f"{shown(text)} is not CSV", "comma-separated numbers") from None
    if len(cells) != len(columns):
        raise BadFile(path, line, f"{len(cells)} columns", f"{len(columns)} as in the header")
    texts, values = dict(zip(columns, cells, strict=True)), {}
    for column, (low, high, per_unit) in _RANGES.items():
        cell = texts[column].strip()
        try:
            values[column] = scaled(number(cell, low, high), per_unit) if cell else None
        except Wrong as wrong:
            raise BadFile(path, line, f"{column}: {wrong}",
                          f"a number from {low} to {high}, or nothing") from None
    if values["t_s"] is None:
        raise BadFile(path, line, "t_s is empty", "seconds")
    return values


def _fill(cells, last_cv, line):
    """A Row without gaps: last good volts, power shared by current, the rest from P = V x I."""
    volts = [cells[c] for c in _VOLTS]
    amps = [cells[c] for c in _AMPS]
    watts = [cells[c] for c in _WATTS]
    measured = [v is not None and v >= _NO_VOLTS_CV for v in volts]
    volts = [v if ok else last for v, ok, last in zip(volts, measured, last_cv, strict=True)]
    _fill_watts(watts, volts, amps, cells["p_total_w"])
    for k in range(3):
        if not measured[k] and (amps[k] or 0) >= _LEAST_MA and watts[k] > 0:
            quotient = _divide(watts[k] * 100, amps[k])
            if _NO_VOLTS_CV <= quotient <= _MOST_CV:
                volts[k] = quotient
        if amps[k] is None:
            amps[k] = _divide(abs(watts[k]) * 100, volts[k])
    total = cells["p_total_w"]
    if total is None:
        total = sum(watts)
    return Row(
        cells["t_s"], cells["pilot_a"], tuple(volts), tuple(amps), tuple(watts), total, line
    )


def _fill_watts(watts, volts, amps, total):
    """Give every phase a power, in place. What p_total has beyond the measured phases is shared by
    current among the others, all on the first of them when none carries any."""
    missing = [k for k in range(3) if watts[k] is None]
    if total is None:
        for k in missing:
            watts[k] = _divide(volts[k] * (amps[k] or 0), 100)
        return
    rest = total - sum(w for w in watts if w is not None)
    weight = sum(amps[k] or 0 for k in missing)
    for k in missing:
        share = amps[k] or 0
        watts[k] = _divide(rest * share, weight) if weight else rest if k == missing[0] else 0
        rest, weight = rest - watts[k], weight - share


def _divide(a, b):
    return round(Fraction(a, b))


def _hold_us(rows):
    return _HOLD_US if rows[-1].p_total_mw > 0 else 0


def actions(rows):
    """The Actions that play `rows`: plug in, 10 s later the rows, then unplug.

    A last row with power in it holds for 1 s more; a row without power follows and S2 opens in the
    same instant, so that not one sample more is drawn than the trace says.
    """
    last = rows[-1]
    done_us = _PRE_ROLL_US + last.t_us + _hold_us(rows)
    end_us = done_us + _END_US
    pilots = [row for row in rows if row.pilot_ma is not None]
    played, sent_ma, shown_row = [], None, None
    if pilots and pilots[0].pilot_ma > 0:
        sent_ma = pilots[0].pilot_ma
        played.append(_limit(_FIRST_LIMIT_US, sent_ma, end_us, pilots[0].line))
    played.append(Action(_PLUG_US, "plug", "trace", rows[0].line))
    played.append(Action(_READY_US, "ready", None, rows[0].line))
    for row in rows:
        t_us = _PRE_ROLL_US + row.t_us
        if row.pilot_ma is not None and row.pilot_ma != sent_ma:
            sent_ma = row.pilot_ma
            played.append(_limit(t_us, sent_ma, end_us, row.line))
        load = (row.v_cv, row.i_ma, row.p_mw)
        if load != shown_row:
            shown_row = load
            played.append(_row(t_us, *load, row.line))
    nothing = (0, 0, 0)
    if shown_row[1:] != (nothing, nothing):
        played.append(_row(done_us, last.v_cv, nothing, nothing, last.line))
    played.append(Action(done_us, "not_ready", None, last.line))
    played.append(Action(done_us + _UNPLUG_US, "unplug", None, last.line))
    played.append(Action(end_us, "end", None, last.line))
    return played


def _row(t_us, v_cv, i_ma, p_mw, line):
    return Action(t_us, "row", {"v_cv": [*v_cv], "i_ma": [*i_ma], "p_mw": [*p_mw]}, line)


def _limit(t_us, limit_ma, end_us, line):
    amps = limit_ma // 1000 if limit_ma % 1000 == 0 else float(Decimal(limit_ma) / 1000)
    for_s = -((t_us - end_us) // _S) + _LIMIT_SPARE_S
    payload = json.dumps({"a": amps, "for_s": for_s})
    return Action(t_us, "cmd", {"topic": "cmd/limit", "payload": payload}, line)


def energy_wh(rows, from_s, to_s, *, trapezoid=False):
    """The exact integral of p_total from `from_s` to `to_s` of trace time, a Fraction in Wh.

    Steps by default: a row holds until the next. With `trapezoid` power runs straight from row to
    row. After the last row its power holds for 1 s when it is positive, and is 0 from then on.
    """
    from_us, to_us = Fraction(from_s) * _S, Fraction(to_s) * _S
    ends = [row.t_us for row in rows[1:]] + [rows[-1].t_us + _hold_us(rows)]
    after = [row.p_total_mw for row in rows[1:]] + [rows[-1].p_total_mw]
    mw_us = Fraction(0)
    for row, end_us, next_mw in zip(rows, ends, after, strict=True):
        begin, end = max(from_us, row.t_us), min(to_us, end_us)
        if begin >= end:
            continue
        power = Fraction(row.p_total_mw)
        if trapezoid:
            middle = (begin + end) / 2 - row.t_us
            power += (next_mw - power) * middle / (end_us - row.t_us)
        mw_us += power * (end - begin)
    return mw_us / (1000 * 3600 * _S)
