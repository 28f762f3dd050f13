"""`pilotwire bench`: a row a figure, measured now. Ratios and virtual time, worst cases too."""

import json
import sys
import tempfile
from pathlib import Path

from pilotwire import (
    bench_device,
    bench_faults,
    bench_latency,
    bench_overcurrent,
    bench_pilot,
    bench_run,
)
from pilotwire.charger import ChargerError

# (name, what yields its figures). A figure is (name, value, unit, bound, ok, remark), and more in JSON.
SUITES = (
    ("tick", bench_device.tick),
    ("heap_import", bench_device.heap),
    ("build_names", bench_device.build),
    ("pilot", bench_pilot.measure),
    ("unplug_to_off", bench_latency.unplug),
    ("fault_overcurrent", bench_overcurrent.over_current),
    ("fault_rcd", bench_faults.residual),
    ("fault_weld", bench_faults.weld),
    ("sim_speed", bench_run.speed),
)
_PARTS = ("pilot",)  # suites that can measure a part of their figures: they take `only` too


def figures(only, seed, folder):
    """Figures whose names begin with `only`, one after another as they are measured."""
    for name, measure in SUITES:
        if not (name.startswith(only) or only.startswith(name)):
            continue
        for figure in measure(folder, seed, only) if name in _PARTS else measure(folder, seed):
            if figure["name"].startswith(only):
                yield figure


def row(figure):
    mark = "ok" if figure["ok"] else "SHORT"
    value = figure["value"]
    shown = f"{value:.2f}" if isinstance(value, float) else "none" if value is None else str(value)
    return (f"{figure['name']:<18}{shown:>10} {figure['unit']:<12}"
            f"{figure['bound']:<12}{mark:<6}{figure['remark']}")


def command(args):
    """Measure as the command line says; 1 if a figure falls short, 2 if one cannot be measured."""
    out, status = [], 0
    try:
        with tempfile.TemporaryDirectory(prefix="pilotwire-bench-") as folder:
            for figure in figures(args.only, args.seed, Path(folder)):
                out.append(figure)
                if not figure["ok"]:
                    status = 1
                if not args.json:
                    print(row(figure), flush=True)
    except ChargerError as error:
        print(f"pilotwire bench: {error}", file=sys.stderr)
        return 2
    if not out:
        print(f"pilotwire bench: no figure begins with {args.only!r}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(out, indent=1))
    return status
