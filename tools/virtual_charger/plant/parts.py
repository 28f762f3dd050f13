"""The parts behind the pins, made and wired as board.json says."""

from plant import flash, lamps, ntc
from plant.car import Car
from plant.contactor import Contactor
from plant.lines import Lines
from plant.lock import Lock
from plant.mains import Feed
from plant.phases import PhaseContactor
from plant.pilot import PilotNode
from plant.proximity import ProximityPin
from plant.ssd1306 import Ssd1306
from plant.tm1637 import Tm1637


class Net:
    """What the site's network does."""

    def __init__(self):
        self.wifi = True
        self.ntp = True
        self.dns = True
        self.epoch_s = 0  # UTC when the process started, seconds since 1970


class Board:
    """Pins of the chip: levels outlive a reset, not a power cut."""

    def __init__(self):
        self.level = {}
        self.output = {}
        self.pull = {}  # Pin.PULL_UP, Pin.PULL_DOWN or None
        self.hang = False


def make(world, options):
    """Give the world its parts; `options` as World.set_up has them. Their order is that of the random
    numbers: another one makes another unit of each seed."""
    board, tolerance = world.spec, options.get("tolerance", True)
    world.net = Net()
    world.net.epoch_s = options["epoch_s"]
    world.board = Board()
    world.node = node = PilotNode(world.clock, world.random)
    if tolerance:  # one real unit: 1 % resistors, +-0.6 V generator
        node.gain_ppm = world.random() % 4001 - 2000
        node.plus_mv += world.random() % 401 - 200
        node.minus_mv += world.random() % 401 - 200
    world.feed = Feed(world.clock, board.get("phases", 3))
    world.contactor = Contactor(world, board["contactor"].get("drive", "level"))
    world.lines = Lines(world)
    world.car = Car(node, world.feed)
    world.lock = Lock(world, board.get("lock"))
    world.second = PhaseContactor(world, board["contactor"])
    spec = board.get("proximity")
    world.proximity = ProximityPin(
        world.clock, world.random, world.car, spec, world.cost["adc"], spec is not None and tolerance
    )
    shown = board.get("display") or {}
    world.digits_at = (shown.get("clk"), shown.get("dio"))
    world.display = Tm1637() if shown.get("kind") == "tm1637" else Ssd1306()
    lamps.on_change = lambda colour: world.emit("led", rgb="%06x" % colour)
    world.meter = _meter(world, board.get("meter"))
    world.ntc = ntc.Thermistor(world, board.get("ntc"), tolerance)
    flash.chip = None
    size = options.get("flash_kb", 128) * 1024
    if size:
        flash.chip = flash.Nor(world.clock, options["dir"] + "/journal.bin", size)
    if options.get("watch"):
        from plant.watch import Watch

        Watch(world)


def _meter(world, spec):
    if not spec or spec["chip"] == "none":
        return None
    try:
        module = __import__("plant.meters." + spec["chip"], None, None, ("Chip",))
    except ImportError:  # no such meter is simulated: whoever asks it hears nothing
        return None
    chip = module.Chip(
        world.clock, world.feed, nominal_ugain=spec.get("ugain"), nominal_igain=spec.get("igain")
    )
    world.feed.chips.append(chip)
    return chip
