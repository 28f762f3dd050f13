"""The transitions of IEC 61851-1 Table A.6, to be held against the standard. Compiled once. Pure.

`lasts`: how long (ms) the new state must be seen before it is believed; 0 = at the second look of
the same tick. `then`: what a closed contactor does when it is believed. Seq. 3 and 9 (the station
starts and stops offering) and 10 (a stop that the car does not follow) are no changes of the pilot's
voltage: charging.py has them, with the times of seq. 4, 5 and 10.2.
"""

# What a closed contactor does; charging.py knows these by their place.
THEN = (
    "keeps",  # stays closed
    "unplugged",  # opens
    "stopped",  # opens: the car has stopped, or followed a stop that the station began
    "broken",  # opens, and rests as after a fault
    "unvented",  # opens unless the board has ventilation
)

# seq, from, to, contactor, lasts, then
TABLE = (
    ("1.1", "A", "B", "open", 50, "keeps"),  # plugged in, S2 open; 50 ms: bounce of the plug
    ("1.2", "A", "CD", "open", 50, "keeps"),  # plugged in, S2 closed or none (simplified pilot)
    ("2.1", "BCD", "A", "open", 50, "keeps"),  # unplugged, nothing flows
    ("2.2", "CD", "A", "closed", 0, "unplugged"),  # unplugged under load: 100 ms at the most
    ("4", "B", "CD", "open", 50, "keeps"),  # the car asks; closing needs 500 ms of it
    ("7, 11", "CD", "B", "open", 50, "keeps"),  # it asks no more; or toggles BCB, 200..400 ms a pulse
    ("8.1, 8.2", "CD", "B", "closed", 50, "stopped"),  # with PWM, and without: 50..90 ms
    ("-", "C", "D", "closed", 50, "unvented"),  # asks for ventilation while charging
    ("-", "D", "C", "closed", 50, "keeps"),
    ("-", "C", "D", "open", 50, "keeps"),
    ("-", "D", "C", "open", 50, "keeps"),
    ("12", "CD", "EF", "closed", 0, "broken"),  # short, or the generator has died
    ("12", "ABCD", "EF", "open", 50, "keeps"),
    ("12", "EF", "ABCD", "open", 50, "keeps"),  # +12 V is held meanwhile: the car is seen to leave
)
_LETTERS = "ABCDEF"


def compiled():
    """(open, closed, then): ms by 6 x from + to for each position of the contactor; then by to."""
    lasts = bytearray(b"\xff" * 36), bytearray(36)
    then = bytearray(6)
    for _, before, after, contactor, ms, what in TABLE:
        for old in before:
            for new in after:
                at = _LETTERS.index(old) * 6 + _LETTERS.index(new)
                lasts[contactor == "closed"][at] = ms
                if contactor == "closed":
                    then[_LETTERS.index(new)] = THEN.index(what)
    return bytes(lasts[0]), bytes(lasts[1]), bytes(then)
