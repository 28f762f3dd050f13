"""`pilotwire board check`: all that is wrong with a board.json, each with its signal, GPIO and remedy.

An error is what the firmware refuses, what cannot work on an ESP32, or what could not be trusted. A
warning is what hardware must make good, in plain words. The device itself checks less: it has no memory
for more (firmware/pilotwire/board.py).
"""

from pilotwire import board_pins, board_spec
from pilotwire.board_spec import Problem, member
from pilotwire.charger import ROOT
from pilotwire.codes import firmware_module

_LEAST_SPAN = 2112  # counts, as firmware/pilotwire/board.py has it
_LINEAR_MV = (150, 2450)
_METER_MA = {"atm90e32": 65535}  # of its current registers; none is known of others
_SOCKET_A = 63  # the highest coding of a plug's cable, IEC 61851-1 Table B.2


def check(path):
    """[Problem] of a file, errors first; board_spec.Unreadable."""
    spec, found = board_spec.read(path)
    found += problems(spec)
    if path.resolve().parent.parent == ROOT / "boards" and "name" in spec:
        folder = path.resolve().parent.name
        if spec["name"] != folder:
            found.append(Problem("error", "name", f"the folder is called {folder}", "Make them the same"))
    return sorted(found, key=lambda one: one.severity)


def errors(path):
    """Those of check() that are errors."""
    return [one for one in check(path) if one.severity == "error"]


def problems(spec):
    """[Problem] of an object."""
    found = board_spec.misfits(spec)
    found += board_pins.problems(board_spec.uses(spec))
    for rule in _RULES:
        found += rule(spec)
    return found


def millivolts(count):
    """At the pin, by the ADC's line at 11 dB."""
    return round(count * 0.8056 + 142)


def _error(signal, says, remedy=""):
    return Problem("error", signal, says, remedy)


def _warning(signal, says, remedy=""):
    return Problem("warning", signal, says, remedy)


def _has(spec, path):
    return member(spec, path, object) is not None


# Levels -------------------------------------------------------------------------------------------


def _pilot(spec):
    low, high = (member(spec, f"pilot.counts_at_{end}12") for end in ("minus", "plus"))
    least, most = _LINEAR_MV
    for end, count in (("minus", low), ("plus", high)):
        if count is not None and not 10 <= count <= 2865:
            yield _error(
                f"pilot.counts_at_{end}12",
                f"{count} counts are {millivolts(count)} mV at the pin; at 11 dB the ADC is linear from"
                f" {least} to {most} mV only",
                "Change the divider: -12 V at 200 mV (72 counts), +12 V at 2400 mV (2802 counts)",
            )
    if low is not None and high is not None and high - low < _LEAST_SPAN:
        yield _error(
            "pilot", f"-12 V and +12 V are {high - low} counts apart: the bands of 3 V would blur",
            f"At least {_LEAST_SPAN} counts, 1701 mV at the pin",
        )


def _proximity(spec):
    up_ohm, supply_mv = member(spec, "proximity.pull_up_ohm"), member(spec, "proximity.supply_mv")
    if up_ohm and supply_mv and min(up_ohm, supply_mv) > 0:
        ends = [supply_mv * ohm // (ohm + up_ohm) for ohm in (75, 2200)]
        if ends[0] < _LINEAR_MV[0] or not supply_mv * 2200 <= _LINEAR_MV[1] * (2200 + up_ohm):
            yield _error(
                "proximity.pull_up_ohm",
                f"the codings of 75 to 2200 Ohm would be {ends[0]} to {ends[1]} mV at the pin, and the"
                " ADC is linear from 150 to 2450 mV only", "1 kOhm to 3.3 V does",
            )
    if _has(spec, "proximity") and not _has(spec, "lock"):
        yield _error(
            "lock", "a socket (proximity) without a lock: the plug can be pulled under load",
            "Add lock, or take proximity out if the cable is fixed",
        )
    rated_a = member(spec, "rated_a")
    if _has(spec, "proximity") and rated_a and rated_a > _SOCKET_A:
        yield _warning("rated_a", f"{rated_a} A: no plug's coding says more than {_SOCKET_A} A")


def _ntc(spec):
    ntc = member(spec, "ntc", dict) or {}
    values = [member(ntc, key) for key in ("ohm_25", "beta", "pull_up_ohm", "supply_mv")]
    if all(value and value > 0 for value in values):
        try:
            firmware_module("sense/heat_table").table(ntc)
        except (ValueError, ArithmeticError):
            yield _error(
                "ntc.pull_up_ohm", "the divider leaves the ADC's range between -20 and 110 degC, where it"
                " matters", "10 kOhm with an NTC of 10 kOhm, beta 3380, to 3.3 V does",
            )


# Ratings ------------------------------------------------------------------------------------------


def _ratings(spec):
    rated_a, carries_a = member(spec, "rated_a"), member(spec, "contactor.rated_a")
    if _has(spec, "contactor") and not _has(spec, "contactor.rated_a"):
        yield _error("contactor.rated_a", "it is missing: rated_a may be more than the contactor carries",
                     "Write the A that its data sheet allows for hours (AC-1): \"rated_a\": 40")
    elif rated_a is not None and carries_a is not None and rated_a > carries_a:
        yield _error("rated_a", f"{rated_a} A are more than the contactor's {carries_a} A",
                     f"At most {carries_a}")
    chip = member(spec, "meter.chip", str)
    most_ma = _METER_MA.get(chip)
    if rated_a is None or most_ma is None:
        return
    gains = [gain for gain in member(spec, "meter.igain", list) or [] if isinstance(gain, int)]
    if gains:  # full scale of its ADC, as the driver has it, as an effective value
        most_ma = min(most_ma, (4095 * min(gains) >> 10) * 1000 // 1414)
    if rated_a * 1000 > most_ma:
        yield _error("rated_a", f"{rated_a} A are more than the meter can measure, {most_ma / 1000:.1f}"
                     " A: over-current would not be seen",
                     f"At most {most_ma // 1000}, or other current transformers")


def _meter(spec):
    phases, measured = member(spec, "phases") or 3, member(spec, "meter.phases")
    chip = member(spec, "meter.chip", str)
    if chip in (None, "none"):
        yield _warning("meter", "there is none: no energy, and over-current is not seen")
    elif chip in board_spec.meters() and not board_spec.has_driver(chip):
        yield _warning("meter.chip", f"{chip} has no driver yet: it runs without a meter, no energy, and"
                       " over-current is not seen")
    if measured is not None and measured < phases:
        yield _warning("meter.phases", f"{measured} of {phases} are measured: on the others neither"
                       " energy nor over-current is seen")
    for name in ("ugain", "igain"):
        gains = member(spec, "meter." + name, list)
        if gains is not None and measured is not None and len(gains) < measured:
            yield _error("meter." + name, f"{len(gains)} for {measured} phases", "One a phase")


# What hardware must make good -----------------------------------------------------------------------


def _drive(spec):
    if not _has(spec, "contactor"):
        return
    if member(spec, "contactor.drive", str) != "dynamic":
        yield _warning(
            "contactor.drive", "level: the coil follows the pin, and stays on while nothing is in charge:"
            " about 3 s after a hang, and for as long as the chip does not reach boot.py",
            "A dynamic drive drops out by itself: boards/reference-1p",
        )
    elif not _has(spec, "contactor.enable_pin"):
        yield _warning("contactor.enable_pin", "without it an opening waits for the drop-out of 80 ms:"
                       " 128 ms in all, and IEC 61851-1 allows 100")
    if not _has(spec, "contactor.aux_pin") and not _has(spec, "contactor.load_pin"):
        seen = "by the meter only, if at all" if board_spec.has_driver(member(spec, "meter.chip", str)) \
            else "by nobody"
        yield _warning("contactor.aux_pin", "neither auxiliary contact nor load_pin: a welded contactor"
                       f" is seen {seen}")
    if _has(spec, "contactor.phase_pin") and not _has(spec, "contactor.phase_aux_pin"):
        yield _warning("contactor.phase_aux_pin", "without it contacts that do not open are seen only"
                       " when a car draws on them")


def _lacks(spec):
    if not _has(spec, "rcm"):
        yield _warning("rcm", "there is no residual current monitor: all protection against leakage, AC"
                       " and DC, is in hardware, and the firmware does not see it")
    if not _has(spec, "ntc"):
        yield _warning("ntc", "there is no temperature sensor: nothing charges more slowly in a hot box")


def _broken_wire(spec):
    """Levels at which a wire that came off reads as well."""
    for path, bad, says in (
        ("rcm.trip_level", 0, "with a pull-up a broken wire or a dead monitor reads as no trip"),
        ("inputs.pe_missing", 0, "with a pull-up a broken wire reads as earth that is there"),
        ("inputs.pen_open", 0, "with a pull-up a broken wire reads as a sound PEN"),
        ("lock.locked_level", 1, "with a pull-up a broken wire reads as locked"),
    ):
        if member(spec, path) == bad:
            yield _warning(path, says, f"{1 - bad} is safer, where the hardware can")


_RULES = (_pilot, _proximity, _ntc, _ratings, _meter, _drive, _lacks, _broken_wire)
