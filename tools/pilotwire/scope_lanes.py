"""What `pilotwire scope` has recorded, as steps and lanes that can be drawn. Pure.

PNG (scope_png.py) and text (scope_text.py) show the same: volts over milliseconds since the cause, the
bands A to F, the ADC's reads, the plateaus that the firmware found in them, and below, in lanes, what it
made of them.
"""

# IEC 61851-1 Table A.4 at the station, V, as in decide/letters.py; F is the low plateau too.
BANDS = (("A", 11, 13), ("B", 8, 10), ("C", 5, 7), ("D", 2, 4), ("E", -1, 1), ("F", -13, -11))
LANES = ("loop", "letter", "offer", "command", "contacts")
_GAP_US = 100  # between two reads of a burst there is less


def offer_text(ma):
    """What the pilot carries: a current, or a steady level."""
    return f"{ma / 1000:.1f} A" if ma > 0 else "+12 V" if ma == 0 else "-12 V"


def spans(points, from_us, to_us, first=None):
    """[(from, to, value)] from [(us, value)], each value holding until the next; clipped, merged."""
    merged = [] if first is None else [(from_us, first)]
    for us, value in points:
        if merged and (us <= from_us or merged[-1][1] == value):
            if us <= from_us:
                merged[-1] = (from_us, value)
            continue
        merged.append((max(us, from_us), value))
    if not merged:
        return []
    ends = [us for us, _ in merged[1:]] + [to_us]
    return [(us, end, value) for (us, value), end in zip(merged, ends, strict=True)
            if us < end and us < to_us]


def bursts(reads):
    """[(first us, last us)] of reads that follow one another at once."""
    found = []
    for us, _ in reads:
        if found and us - found[-1][1] <= _GAP_US:
            found[-1][1] = us
        else:
            found.append([us, us])
    return found


def lanes(c):
    """{lane: [(from, to, value)]} of letter, offer, command and contacts."""
    ticks = [(t[0], t) for t in c.ticks]
    return {
        "letter": spans([(us, "ABCDEF"[t[4]]) for us, t in ticks], c.from_us, c.to_us),
        "offer": spans([(us, t[5]) for us, t in ticks if t[5] is not None], c.from_us, c.to_us),
        "command": spans(c.command, c.from_us, c.to_us, False),
        "contacts": [] if c.contacts is None else spans(c.contacts, c.from_us, c.to_us, False),
    }


def plateaus(c):
    """([(from, to, mV)] of the high plateau, the same of the low one); None where none was found."""
    return tuple(
        spans([(t[0], t[at] if t[1] else None) for t in c.ticks], c.from_us, c.to_us)
        for at in (2, 3)
    )


def true_levels(c):
    """[(from, to, (high mV, low mV, high 0.1 us, period 0.1 us))] at the pilot's pin."""
    return spans([(us, tuple(rest)) for us, *rest in c.levels], c.from_us, c.to_us)


def _step_ms(span_ms, most):
    """Distance of the time axis' labels: 1, 2 or 5 times a power of ten."""
    step = 0.1
    while True:
        for factor in (1, 2, 5):
            if span_ms / (step * factor) <= most:
                return step * factor
        step *= 10


def time_labels(c, most):
    """[(us, text)] in ms since the cause."""
    step = _step_ms((c.to_us - c.from_us) / 1000, most)
    k = int(-(-(c.from_us - c.zero_us) / 1000 // step))
    labels = []
    while (us := c.zero_us + round(k * step * 1000)) < c.to_us:
        labels.append((us, f"{k * step:.10g}"))
        k += 1
    return labels
