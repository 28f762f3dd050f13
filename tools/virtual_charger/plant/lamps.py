"""The status LED as an onlooker sees it: one colour, 0xRRGGBB."""

import micropython

colour = 0
on_change = None  # called with the new colour


def set(new):
    """The LED shows `new`."""
    global colour
    if new != colour:
        colour = new
        if on_change:
            on_change(new)


@micropython.native
def drive(spec, pin, on):
    """A pin of an on/off LED changes; `spec` is board.json's "led". Other pins are ignored."""
    if not spec:
        return
    if spec["kind"] == "single" and pin == spec["pin"]:
        set(0xFFFFFF if on else 0)
    elif spec["kind"] == "rgb" and pin in spec["pins"]:
        channel = 0xFF0000 >> 8 * spec["pins"].index(pin)
        set(colour | channel if on else colour & ~channel)
