"""What does not change in one life and what records and messages repeat."""

from pilotwire import version
from pilotwire.decide import charging, tariff
from pilotwire.decide.fault_rows import COUNT


class Facts:
    def __init__(self, board, config, meter_name, codes):
        """`codes`: of the fault rows, major << 4 | minor."""
        self.device = config.device
        self.key = config.key
        self.meter = meter_name
        self.firmware = version.FIRMWARE
        self.price_c = config.price_c
        self.currency = config.currency
        self.cost = tariff.cost_minor
        self.whys = charging.WHY
        self._codes = codes
        self.limits = '{"board":%d,"installation":%d}' % (
            board.rating_ma // 1000, config.installation_ma // 1000,
        )

    def codes(self, mask):
        """JSON list of the codes of the fault rows in `mask`."""
        if not mask:
            return "[]"  # nearly always; 30 rows cost a tenth of a tick
        names = ['"%s"' % self.code(row) for row in range(COUNT) if mask >> row & 1]
        return "[" + ",".join(names) + "]"

    def code(self, row):
        """The code a person reads: "1-2"."""
        return "%d-%d" % (self._codes[row] >> 4, self._codes[row] & 15)
