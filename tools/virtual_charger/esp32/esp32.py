"""`esp32` of an ESP32, as far as the firmware uses it: the journal's partition on NOR flash."""

from plant import flash

HEAP_DATA = 4

_ADDRESS = 0x3E0000  # of the last 128 KB of 4 MB
_SUBTYPE = 6  # data that ESP-IDF has no use for, as `pilotwire image` makes it
_LABEL = "journal"


def idf_heap_info(capabilities):
    """No heaps of its own: the virtual charger has no system beside MicroPython."""
    return []


class Partition:
    """Blocks of 4096 bytes; signatures and effects as ports/esp32/esp32_partition.c has them."""

    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, label):
        if flash.chip is None or label != _LABEL:
            raise OSError(2)
        self._chip = flash.chip

    @staticmethod
    def find(type=TYPE_APP, subtype=0xFF, label=None, block_size=4096):
        there = flash.chip is not None and type == Partition.TYPE_DATA
        if there and subtype in (0xFF, _SUBTYPE) and label in (None, _LABEL):
            return [Partition(_LABEL)]
        return []

    def info(self):
        return (self.TYPE_DATA, _SUBTYPE, _ADDRESS, self._chip.size, _LABEL, False)

    def readblocks(self, block, buf, offset=0):
        self._chip.read(block * self._chip.sector + offset, buf)

    def writeblocks(self, block, buf, offset=None):
        """Erases first, unless there is an offset."""
        if offset is None:
            for n in range((len(buf) + self._chip.sector - 1) // self._chip.sector):
                self._chip.erase(block + n)
            offset = 0
        self._chip.program(block * self._chip.sector + offset, buf)

    def ioctl(self, command, argument):
        if command in (1, 2, 3):
            return 0
        if command == 4:
            return self._chip.size // self._chip.sector
        if command == 5:
            return self._chip.sector
        if command == 6:
            self._chip.erase(argument)
            return 0
        return None
