"""What `pilotwire doctor` looks at, a check each; the bounds and what to do are in doctor_bounds.py.

Told: {"status": text, "info", "state", "health": the payloads, or {}}, and "only_kept_s" where nothing
came but what the broker had kept: so long somebody listened. A console's line gives `health` and a part
of `state`. A check yields Finding; what was not told yields nothing, but for _told().
"""

import re
from collections import namedtuple

from pilotwire import codes
from pilotwire.doctor_bounds import (
    BAD,
    CHORES,
    CONFIG,
    ENDS,
    FIGURES,
    LEAST,
    LEVELS,
    LOOK,
    NOTICES,
    OK,
    SELFTEST,
    SILENT_S,
    STALL_US,
    WORST_US,
)

TOPICS = ("status", "info", "state", "health")

# figure: what was found; bound: what it is measured against; do: "" where nothing is to be done.
Finding = namedtuple("Finding", "level what figure bound do")


def _number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _level(value, look, bad):
    return BAD if value >= bad else LOOK if value >= look else OK


def _finding(level, what, figure, bound, do):
    return Finding(level, what, figure, bound, "" if level == OK else do)


def _told(told, wanted):
    """Is it there, and has it said all that was asked for?"""
    if told["status"] == "offline":
        yield Finding(BAD, "link", "offline", "online", "supply, WiFi and broker: it does not answer")
    elif "only_kept_s" in told:
        silent_s = told["only_kept_s"]
        yield Finding(
            BAD if silent_s >= SILENT_S else LOOK, "link",
            f"nothing new in {silent_s} s: all else here was kept by the broker, and may be old",
            "a state every 10 s", "is it switched on? Supply, WiFi; or listen for longer: --timeout",
        )
    elif told["status"] == "online":
        yield Finding(OK, "link", "online", "online", "")
    for topic in wanted:
        if not told[topic]:
            yield Finding(LOOK, "told", f"nothing in {topic}", "each minute at the latest",
                          "wait, and look again; then: is this the device's name?")


def _figures(told, _):
    health = told["health"]
    for what, (member, look, bad, unit, bound, do) in FIGURES.items():
        value = health.get(member)
        if _number(value):
            if member == "tell_errors" and value:
                unit = f"{unit}, the last one {health.get('tell_error')}"
            yield _finding(_level(value, look, bad), what, f"{value} {unit}", bound, do)
    for what, (member, look, bad, unit, bound, do) in LEAST.items():
        value = health.get(member)
        if _number(value):
            level = BAD if value < bad else LOOK if value < look else OK
            yield _finding(level, what, f"{value} {unit}", bound, do)


def _worst(told, _):
    health = told["health"]
    worst, chore = health.get("tick_worst_us"), health.get("worst_in")
    if _number(worst):
        most = WORST_US.get(chore, STALL_US)
        yield _finding(
            _level(worst, most + 1, max(2_000_000, most) + 1), "worst turn",
            f"{worst} us, with {CHORES.get(chore, chore)}", f"{most} us",
            "once is no harm; if it comes each minute, send the report",
        )


def _late(told, _):
    """Of the turns of a minute; a console's line does not say how many those were."""
    health = told["health"]
    late, ticks = health.get("late"), health.get("ticks") or 6000
    if not _number(late):
        return
    share = 100 * late / ticks
    stalls = sorted((health.get("stalls") or {}).items(), key=lambda item: -item[1])
    causes = ", ".join(f"{CHORES.get(name, name)} {count}" for name, count in stalls)
    yield _finding(
        _level(share, 2, 10), "late", f"{late} of {ticks} turns" + (f": {causes}" if causes else ""),
        "2 in 100", "look at what takes so long; a chip that runs at 160 MHz is too slow",
    )


def _reconnects(told, _):
    count, up_s = told["health"].get("reconnects"), told["health"].get("up_s")
    if _number(count) and _number(up_s):
        hourly = count * 3600 / max(up_s, 3600)
        yield _finding(
            _level(hourly, 3, 12), "reconnects", f"{count} in {up_s / 3600:.1f} h", "below 3 an hour",
            "WiFi, the broker's log; two devices of one name throw each other off",
        )


def _resets(told, _):
    resets = told["health"].get("resets") or {}
    for cause, (look, bad, do) in ENDS.items():
        count = resets.get(cause, 0)
        if not resets and told["health"].get("boot_cause") == cause:
            count = 1  # the console's line has the last one only
        if count:
            yield _finding(_level(count, look, bad), "restarts", f"{count} by {cause}",
                           "0 since the supply was on", do)
    if resets and not any(resets.get(cause) for cause in ENDS):
        yield Finding(OK, "restarts", "none that was not ordered", "0 since the supply was on", "")


def _faults(told, _):
    rows = {row["code"]: row for row in codes.rows()}
    for code in told["state"].get("faults", ()):
        row = rows.get(code)
        if row is None:
            yield Finding(BAD, "fault", code, "none", "a code of a newer firmware")
            continue
        level = BAD if row["severity"] == "red" else LOOK
        yield Finding(level, "fault", f"{code} {row['says']['en']}", "none",
                      f"{row['do']['en']} (docs/troubleshooting.md)")
    if "faults" in told["state"] and not told["state"]["faults"]:
        yield Finding(OK, "fault", "none", "none", "")


def _state(told, _):
    state = told["state"]
    quality = state.get("q")
    if quality:
        words = {"S": "synchronised", "I": "kept by the chip since the restart", "U": "unknown"}
        yield _finding(
            {"S": OK, "I": OK}.get(quality, LOOK), "clock", words.get(quality, quality), "synchronised",
            "records have no time: is the time server of config.json reachable (UDP 123)?",
        )
    notices = state.get("notices", ())
    waiting = state.get("waiting")
    if _number(waiting):
        level = BAD if "records_waiting" in notices or waiting > 20 else LOOK if waiting > 2 else OK
        yield _finding(level, "records", f"{waiting} not acknowledged", "2, none for an hour",
                       "is the backend there, and does it send session/ack?")
    for notice in notices:
        if notice in NOTICES:
            level, figure, do = NOTICES[notice]
            yield _finding(level, "notice", figure, "none", do)
    if state.get("enabled") is False:
        yield Finding(LOOK, "orders", "switched off by cmd/enable", "on", "send true to cmd/enable")
    if state.get("limit") == "command" and state.get("limit_a") == 0:
        yield Finding(LOOK, "orders", "paused by cmd/limit", "no pause", "send amps to cmd/limit")


def _info(told, _):
    info = told["info"]
    for member, table, bound in (("selftest", SELFTEST, "passed"), ("config", CONFIG, "own")):
        value = info.get(member)
        if value is not None:
            level, do = table.get(value, (LOOK, "a value of a newer firmware"))
            yield _finding(level, member, value, bound, do)
    if "firmware" in info:
        ours = re.search(r'FIRMWARE = "(.*)"', (codes.FIRMWARE / "version.py").read_text())[1]
        yield _finding(OK if info["firmware"] == ours else LOOK, "firmware", info["firmware"],
                       f"{ours}, as these tools", "use the tools of that version, or update the device")
    if info.get("contract", 1) != 1:
        yield Finding(LOOK, "contract", str(info["contract"]), "1", "use the tools of that version")


_CHECKS = (_told, _faults, _info, _state, _figures, _worst, _late, _reconnects, _resets)


def findings(told, wanted=TOPICS):
    """[Finding] of what a device has told, by checks; `wanted`: topics that it should have told."""
    told = {"status": "", "info": {}, "state": {}, "health": {}, **told}
    found = []
    for check in _CHECKS:
        try:
            found += list(check(told, wanted))
        except (TypeError, ValueError, AttributeError, KeyError):  # not of our firmware
            found.append(Finding(
                LOOK, check.__name__[1:], "cannot be understood", "docs/contract", "who publishes it?",
            ))
    return found


def worst(found):
    """The level of the worst of them."""
    return max((finding.level for finding in found), key=LEVELS.index, default=OK)
