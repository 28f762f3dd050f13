"""Row numbers of the fault table (fault_table.py). Checkpoints keep them: rows are never renumbered.

The order is the order of importance: the first row that holds is the one that is shown.
"""

from micropython import const

WELDED = const(0)
FIRMWARE = const(1)
CONFIG = const(2)
RCD_TEST = const(3)
RCD_AC = const(4)
RCD_DC = const(5)
EARTH = const(6)
OPEN_PEN = const(7)
PILOT_GENERATOR = const(8)
NO_CLOSE = const(9)
OVER_CURRENT = const(10)
PILOT_SHORT = const(11)
DIODE = const(12)
LOCK = const(13)
PROXIMITY = const(14)
PILOT_NOISY = const(15)
OVER_VOLTAGE = const(16)
UNDER_VOLTAGE = const(17)
PHASE_LOSS = const(18)
TOO_HOT = const(19)
METER_WRONG = const(20)
NOT_STOPPING = const(21)
SOFT_OVER_CURRENT = const(22)
VENTILATION = const(23)
RESETS = const(24)
WARM = const(25)
TEMP_SENSOR = const(26)
METER_LOST = const(27)
STORAGE = const(28)
TAMPER = const(29)
COUNT = const(30)
