"""What other firmwares need for the same, and what the standard allows.

Derived from the source code of each (constants and control flow, worst case, change of the pilot to the
command that opens the contactor), never measured:

OpenEVSE      OpenEVSE/open_evse @ 8e49298
SmartEVSE     dingo35/SmartEVSE-3.5 @ 2d95cf0; a display redraw in the same tick comes on top
esp32-evse    dzurikmiroslav/esp32-evse @ c3cd0bc, without and with its ADC energy meter
WARP          Tinkerforge/evse-v2-bricklet @ 14b1455; up to 550 ms more just after a duty change
EVerest       EVerest/everest-core @ 23c9dac, ChargeBridge by its configuration; the MCU is not published
"""

# (least, most) of the worst case, ms.
UNPLUG = {"OpenEVSE": (65, 125), "SmartEVSE": (37, 37), "esp32-evse": (60, 105), "WARP": (75, 100),
          "EVerest": (20, 30)}
STOP = {"OpenEVSE": (325, 375), "SmartEVSE": (37, 37), "esp32-evse": (60, 105), "WARP": (100, 100),
        "EVerest": (20, 30)}
SHORT = {"OpenEVSE": (355, 430), "SmartEVSE": (545, 545), "esp32-evse": (75, 114), "WARP": (100, 100),
         "EVerest": (20, 30)}
NONE = {}

# IEC 61851-1 Table A.6: sequences 2.2, 8.1, 12 and 4.
LIMIT_UNPLUG_MS = 100
LIMIT_STOP_MS = 100
LIMIT_SHORT_MS = 3000
LIMIT_CLOSE_MS = 3000


def said(peers, limit_ms):
    """One phrase: the peers' figures and the limit."""
    parts = [name + " " + (f"{least}" if least == most else f"{least}-{most}")
             for name, (least, most) in peers.items()]
    limit = f"IEC limit {limit_ms}"
    return f"{limit}; derived from source: {', '.join(parts)}" if parts else limit
