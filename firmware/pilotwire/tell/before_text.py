"""The half second before a fault as JSON, for its event. Loaded when there is one (pilotwire.once)."""

_TICK = 3  # numbers; what they mean is in decide/recorder.py
_SNAPSHOT = 6
_UNREAD = -32768


def build(ring, meter):
    """JSON object of what recorder.copy() gave.

    Lists and texts with a place a tick, oldest first, the last is the fault's own:
    ms         0 at the last
    high_mv, low_mv  plateaus of the pilot, null where none were found
    state, closed    a character a tick: A..F, and 1 where the contactor was told to be closed
    And `meter`, its snapshots: ms (null: before the first tick), volts L1..L3, amps L1..L3.
    """
    ms, high, low, snapshots = [], [], [], []
    state = closed = ""
    at_ms = 0
    meter_at = len(meter) - _SNAPSHOT
    for at in range(len(ring) - _TICK, -1, -_TICK):
        bits = ring[at + 2]
        if bits < 32:
            break  # no ms: there was none yet
        ms.append("%d" % at_ms)
        high.append(_volts(ring[at], ring[at]))
        low.append(_volts(ring[at], ring[at + 1]))
        state = "ABCDEF"[bits & 7] + state
        closed = "01"[bits >> 3 & 1] + closed
        if bits & 16 and meter_at >= 0:
            snapshots.append(_snapshot(meter, meter_at, at_ms))
            meter_at -= _SNAPSHOT
        at_ms -= bits >> 5
    if meter_at >= 0 and meter[meter_at]:
        snapshots.append(_snapshot(meter, meter_at, "null"))
    return '{"ms":%s,"high_mv":%s,"low_mv":%s,"state":"%s","closed":"%s","meter":%s}' % (
        _list(ms), _list(high), _list(low), state, closed, _list(snapshots),
    )


def _list(items):
    items.reverse()
    return "[" + ",".join(items) + "]"


def _volts(found, mv):
    return "null" if found == _UNREAD else "%d" % mv


def _snapshot(meter, at, ms):
    values = ["%d.%02d" % (value // 100, value % 100) for value in meter[at : at + _SNAPSHOT]]
    return "[%s,%s]" % (ms, ",".join(values))
