"""The frames that start an ATM90E32AS: soft reset, a look at its registers, settings read back.

Needed once, when the driver is made (pilotwire.once). Touches nothing.
Register map: datasheet 90E32AS, April 2013.
"""

from micropython import const

_FRAMES = const(3)  # SPI frames of 4 bytes a tick
_READ = const(0x80)  # first byte of a read frame; no register used here lies above 0xFF
_METER_EN = const(0x00)
_PL_CONST_H = const(0x31)
_M_MODE_0 = const(0x33)
_M_MODE_1 = const(0x34)
_P_START_TH = const(0x35)
_P_PHASE_TH = const(0x38)
_GAINS = const(0x61)  # Ugain, Igain of phase A; B and C follow at steps of four
_SOFT_RESET = const(0x70)
_LAST_SPI_DATA = const(0x78)
_CFG_ACCESS = const(0x7F)
_SIGNATURE = const(0x0861)  # PLconstH, after a reset and as we want it; a shifted bit shows
_RUNNING = const(0x00FF)  # MeterEn while we meter; 0 after any reset of the chip

# What registers hold after a reset: there is no identity register. 0x05 also has the peak window
# we want, 20 ms, and 0x31/0x32 the 3200 pulses/kWh that make an energy count 1/320 Wh.
_AFTER_RESET = (
    (0x01, 0x0210), (0x02, 0x0654), (0x05, 0x143F), (0x06, 0xC000),
    (0x08, 0x1000), (0x09, 0x0400), (_PL_CONST_H, _SIGNATURE), (0x32, 0xC468),
)


def frames(spec):
    """Soft reset and all frames after it: a write, or a read (first byte 0x80) whose last two
    bytes say what must come back."""
    words = [(0, _SOFT_RESET, 0x789A)]
    words += [(_READ, address, word) for address, word in _AFTER_RESET]
    words += [(0, _CFG_ACCESS, 0x55AA), (_READ, _LAST_SPI_DATA, 0x55AA)]
    wanted = [
        (_M_MODE_0, 0x1087 if spec["hz"] == 60 else 0x0087),
        (_M_MODE_1, (0x00, 0x15, 0x2A)[spec.get("pga", 0)]),
        (_P_START_TH, 0x1D4C),  # no-load thresholds as ESPHome sets them, against creep
        (_P_PHASE_TH, 0x02EE),
    ]
    for k in range(spec["phases"]):
        wanted.append((_GAINS + 4 * k, spec["ugain"][k]))
        wanted.append((_GAINS + 4 * k + 1, spec["igain"][k]))
    wanted.append((_METER_EN, _RUNNING))
    for address, word in wanted:
        words += [(0, address, word), (_READ, address, word)]
    words += [(0, _CFG_ACCESS, 0xA5A5), (_READ, _LAST_SPI_DATA, 0xA5A5)]
    while len(words) % _FRAMES != 1:  # the reset has a tick of its own
        words.append((_READ, _PL_CONST_H, _SIGNATURE))
    return b"".join([bytes((kind, at, word >> 8, word & 0xFF)) for kind, at, word in words])
