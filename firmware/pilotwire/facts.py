"""What does not change in one life and what records and messages repeat."""

from pilotwire import version
from pilotwire.decide import charging, fault_table, tariff


class Facts:
    def __init__(self, board, config, meter_name):
        self.device = config.device
        self.key = config.key
        self.meter = meter_name
        self.firmware = version.FIRMWARE
        self.price_c = config.price_c
        self.currency = config.currency
        self.cost = tariff.cost_minor
        self.whys = charging.WHY
        self.limits = '{"board":%d,"installation":%d}' % (
            board.rating_ma // 1000, config.installation_ma // 1000,
        )

    def codes(self, mask):
        """JSON list of the codes of the fault rows in `mask`."""
        names = [
            '"' + fault_table.code(row) + '"'
            for row in range(fault_table.COUNT) if mask >> row & 1
        ]
        return "[" + ",".join(names) + "]"
