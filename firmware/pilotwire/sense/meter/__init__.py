"""Energy meters: one file a chip, found by the name in board.json.

A driver is `class Meter(spec)` with `step(r, now_ms)`: one tick's share of reading, no waiting, no
allocation, no exception. It adds energy to r.wh and r.wh_part and counts r.meter_fresh.
"""


def open_meter(spec):
    """Driver for board.json's "meter", or None for a board without one; ImportError: no such driver."""
    if not spec or spec["chip"] == "none":
        return None
    module = __import__("pilotwire.sense.meter." + spec["chip"], None, None, ("Meter",))
    return module.Meter(spec)
