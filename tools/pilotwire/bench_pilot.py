"""The control pilot's figures: how soon the contactor is commanded, and that noise commands nothing.

The whole firmware runs on the virtual charger, in virtual time: its loop, with MQTT, display, journal
and collections going on, half of the trials at the costs of each of the chip's clocks.
"""

from collections import Counter

from pilotwire import bench_lives, bench_peers
from pilotwire.bench_device import figure

_LIVES = 100
_COUNT = 100  # trials of each kind in a life
_NOISE_LIVES = 20  # a state
_TICKS = 1_000_000  # a state
_STATES = "ABCDEF"
_CLOCKS = (240, 160)

# figure: (kind of trial, least and most ms, what the peers need, limit in ms). See rig/trials.py.
_FIGURES = {
    "pilot_ca": ("ca", 0, 30, bench_peers.UNPLUG, bench_peers.LIMIT_UNPLUG_MS),
    "pilot_ca_stall": ("ca_stall", 0, 70, bench_peers.UNPLUG, bench_peers.LIMIT_UNPLUG_MS),
    "pilot_da": ("da", 0, 30, bench_peers.UNPLUG, bench_peers.LIMIT_UNPLUG_MS),
    "pilot_cb": ("cb", 50, 90, bench_peers.STOP, bench_peers.LIMIT_STOP_MS),
    "pilot_cb_stall": ("cb_stall", 0, 90, bench_peers.STOP, bench_peers.LIMIT_STOP_MS),
    "pilot_ce": ("ce", 0, 30, bench_peers.SHORT, bench_peers.LIMIT_SHORT_MS),
    "pilot_bc": ("bc", 500, 700, bench_peers.NONE, bench_peers.LIMIT_CLOSE_MS),
}
_EACH_CLOSING = "bc"  # every trial begins with one
_CLOSED_ONLY = ("cb",)  # the kind to run when nothing but closings is asked for


def measure(
    _folder, seed, only="", *, lives=_LIVES, count=_COUNT, ticks=_TICKS, firmware=None, **options
):
    """Figures whose names begin with `only`. `options`: more of them for rig/trials.py."""
    wanted = [name for name in _FIGURES if name.startswith(only)]
    if wanted:
        kinds = [_FIGURES[name][0] for name in wanted if _FIGURES[name][0] != _EACH_CLOSING]
        reports = bench_lives.run("pilot", "rig.trials", [
            {**bench_lives.options_of(seed * 1000 + k, k), "kinds": kinds or _CLOSED_ONLY,
             "count": count, **options} for k in range(lives)
        ], firmware)
        for name in wanted:
            yield _latency(name, reports)
    if "pilot_false".startswith(only):
        yield _false(seed, min(lives, _NOISE_LIVES), ticks, firmware)


def _latency(name, reports):
    kind, least, most, peers, limit_ms = _FIGURES[name]
    by_clock = {mhz: [] for mhz in _CLOCKS}
    failed = []
    for report in reports:
        by_clock[report["mhz"]] += report["taken_us"].get(kind, ())
        failed += [
            f"{why} (seed {report['seed']}, {at_us / 1e6:.3f} s)" for what, why, at_us in report["failed"]
            if what == kind or kind == _EACH_CLOSING
        ]
        if report["not_run"]:
            failed.append(f"seed {report['seed']} gave up")
    taken = sorted(us / 1000 for times in by_clock.values() for us in times)
    ok = bool(taken) and not failed and least <= taken[0] and taken[-1] <= most
    worst = taken[-1] if taken and not failed else None
    parts = []
    if failed:
        parts.append(f"{len(failed)} of {len(taken) + len(failed)} failed: {failed[0]}")
    if taken:
        clocks = ", ".join(f"{max(t) / 1000:.1f} at {mhz} MHz" for mhz, t in by_clock.items() if t)
        parts.append(f"worst of {len(taken)}: {clocks}; median {taken[len(taken) // 2]:.1f}, "
                     f"least {taken[0]:.1f}")
    long = [us for report in reports for us in report["taken_us"]["bc_tls"]]
    if kind == _EACH_CLOSING and long:
        parts.append(f"{len(long)} more met a step of an EC handshake: worst {max(long) / 1000:.0f}")
    parts.append(bench_peers.said(peers, limit_ms))
    return {
        **figure(name, worst, "ms", f"{least}..{most}" if least else f"<= {most}", ok, "; ".join(parts)),
        "trials": len(taken), "failed": failed, "limit_ms": limit_ms, "peers_derived_ms": peers,
        "worst_by_mhz": {mhz: max(t) / 1000 for mhz, t in by_clock.items() if t},
        "histogram": sorted([ms, n] for ms, n in Counter(map(int, taken)).items()),
        "load": _load(reports),
    }


def _load(reports):
    """What the firmware did meanwhile, all lives together."""
    names = ("connections", "messages", "handshakes", "programs", "erases", "tell_errors")
    return {name: sum(report[name] for report in reports) for name in names}


def _false(seed, lives, ticks, firmware):
    """Changes of the letter, and faults, in states that do not change."""
    each = -(-ticks // lives)
    reports = bench_lives.run("pilot_false", "rig.noise", [
        {**bench_lives.options_of(seed * 1000 + 100 * n + k, k), "state": state, "ticks": each}
        for n, state in enumerate(_STATES) for k in range(lives)
    ], firmware)
    states, wrong = dict.fromkeys(_STATES, 0), []
    for report in reports:
        states[report["state"]] += report["ticks"]
        where = f"(seed {report['seed']}, {report['state']})"
        wrong += [f"{before} to {after} {where}" for _, before, after, *_ in report["changes"]]
        if report["faults"] != report["faults_due"]:
            wrong.append(f"{report['faults']} {where}")
    count = sum(report["count"] for report in reports) + sum(
        report["faults"] != report["faults_due"] for report in reports
    )
    least = min(states.values())
    return {
        **figure(
            "pilot_false", count, "changes", "0", count == 0,
            (f"{wrong[0]}; " if wrong else "")
            + f"{least} ticks in each of {', '.join(states)}: 30 mV rms, spikes of 2..8 V, duty 8..97 %",
        ),
        "ticks": states, "wrong": wrong, "load": _load(reports),
    }
