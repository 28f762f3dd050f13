"""How named cars behave, measured where it says so; currents in mA, times in ms, rates in mA/s.

Sources: Tinkerforge WARP current-ramp logs (warp_*), evcc and OpenEVSE issue threads.
"""

GENERIC = {
    "want_ma": (32000, 32000, 32000),  # what it would draw on each phase
    "s2_ms": 200,  # from a valid pilot to S2 closing
    "start_ms": 1500,  # from the contactor to the first current
    "rise_ma_s": 4000,
    "lag_ms": 1500,  # from a lower offer to the first reaction
    "fall_ma_s": 6000,
    "over_ma": 0,  # draws this much more than offered, for good
    "parked_ma": 0,  # reactive current with nothing to charge
    "blip_ma": 0,  # for 1.5 s right after the contactor closes
    "step_ma": 0,  # coarse current steps
    "stops": True,  # follows a stop request (pilot to +12 V)
    "s2": True,  # has an S2 at all
    "asleep": False,  # does not answer a pilot
}


def car(**differences):
    return dict(GENERIC, **differences)


CARS = {
    "generic": GENERIC,
    # Zoe ZE50 R110: 32 A on three phases, parks with 6.4 A reactive at a 6 A offer.
    "zoe_ze50": car(want_ma=(31000, 31000, 31000), parked_ma=6420, blip_ma=7000, lag_ms=2500),
    # Leaf ZE1: one phase, about 0.1 A over a 13.2 A offer for good.
    "leaf_ze1": car(want_ma=(29000, 0, 0), over_ma=100, lag_ms=2000),
    "model_3": car(want_ma=(16000, 16000, 16000), rise_ma_s=2500),
    "ioniq_5": car(want_ma=(15700, 15700, 15700), step_ma=100),
    "corsa_e": car(want_ma=(30000, 0, 0), over_ma=-900),
    "slow": car(lag_ms=8000, fall_ma_s=2000),
    "ignores_stop": car(stops=False),
    "no_s2": car(want_ma=(10000, 0, 0), s2=False),
    "asleep": car(asleep=True),
    # Its current and power come row by row from a measured trace.
    "trace": car(want_ma=(0, 0, 0)),
}
