"""sim_speed: how many seconds of charging are simulated in a second, broker and backend included."""

import time

from pilotwire import scenario as scenarios
from pilotwire.bench_device import figure
from pilotwire.charger import names
from pilotwire.run import BUILT_IN, Run, board_file

_LEAST = 60


def speed(folder, seed):
    cars, faults = names()
    scenario = scenarios.load(BUILT_IN, cars=cars, faults=faults)
    keep = folder / "speed"
    keep.mkdir()
    run = Run(scenario, board_file("reference-3p"), keep, seed=seed)
    try:
        run.start()
        began, from_us = time.monotonic(), run.charger.us
        run.play()
        took = time.monotonic() - began
        simulated = (run.charger.us - from_us) / 1e6
    finally:
        run.stop()
    yield figure("sim_speed", round(simulated / took, 1), "s/s", f">= {_LEAST}",
                 simulated / took >= _LEAST, f"{simulated:.0f} s of the built-in scenario")
