"""Earth, PEN conductor and lid: inputs whose word counts when it lasts. Pure."""

from array import array

from micropython import const

from pilotwire.decide.fault_rows import EARTH, OPEN_PEN, TAMPER

# Bit of Reading.lines, row, and how long it must be so (ms). BS 7671 722.411.4.1: a PEN fault opens
# within 5 s, and need not for events shorter than 4 s.
_LASTING = ((16, EARTH, 1000), (32, OPEN_PEN, 4000), (64, TAMPER, 1000))
_GAP_MS = const(100)  # a bad contact that is well for less than this is not well


class Earth:
    """step() once a tick; needless while `quiet` and none of the bits is 1."""

    def __init__(self):
        self._ms = array("H", [0] * len(_LASTING))  # since it began
        self._well_ms = bytearray(len(_LASTING))
        self.quiet = True

    def step(self, r, faults, dt_ms):
        look_ms = dt_ms if dt_ms < 20 else 20
        self.quiet = True
        k = 0
        for bit, row, lasts_ms in _LASTING:
            if r.lines & bit:
                self._well_ms[k] = 0
                if self._ms[k] < lasts_ms:
                    self._ms[k] += look_ms
                else:
                    faults.raise_(row)
            elif self._ms[k]:
                self._well_ms[k] += look_ms
                if self._well_ms[k] >= _GAP_MS:
                    self._ms[k] = 0
                    faults.gone(row)
            if self._ms[k]:
                self.quiet = False
            k += 1
