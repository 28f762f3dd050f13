"""What `pilotwire doctor` measures figures against, and what is to be done then: for doctor_checks.py."""

OK, LOOK, BAD = "ok", "look", "bad"
LEVELS = (OK, LOOK, BAD)

_ERASE_US = 400_000  # the longest erase of a flash sector
_NAME_US = 10_000_000  # a name server that does not answer
SILENT_S = 20  # `state` comes every 10 s
STALL_US = 40_000  # the longest that is allowed while charging
# How long the worst tick may have taken, by what was done in it: erases, and looking up names, happen
# only while the contactor is open.
WORST_US = {"journal": _ERASE_US, "link": _NAME_US, "site": _NAME_US, "second": _NAME_US}

CHORES = {
    "gc": "collecting garbage", "journal": "flash", "link": "the broker's link", "site": "WiFi and time",
    "led": "the LED", "display": "the display", "second": "the work of each second", "none": "sensing",
}
_MEMORY = "do without what needs most (TLS, a display), or use a chip with more memory"

# what: (member of health, from here on look, from here on bad, unit, what the bound is, what to do)
FIGURES = {
    "loop": ("tick_p99_us", 10_001, 20_000, "us, 99 of 100 turns", "a turn has 10000 us",
             "see the line `late`: it names what takes so long"),
    "flash": ("flash_wear", 50_000, 90_000, "erases of the most used sector", "flash is made for 100000",
              "plan for a new module; acknowledge records, so that the journal is not written in vain"),
    "flash errors": ("flash_errors", 1, 100, "errors since the start", "0",
                     "if it comes again after a restart, replace the module: records are in danger"),
    "lost": ("lost_records", 1, 1, "records lost", "0",
             "the backend must send session/ack in time: docs, What a backend gets"),
    "telling": ("tell_errors", 1, 100, "exceptions while telling", "0",
                "send the report: this is an error of the firmware"),
    "contactor": ("hot_openings", 30_000, 100_000, "openings under load",
                  "a small relay is made for about 30000, a contactor for 100000",
                  "have the contactor replaced; its data sheet has the exact figure"),
    "contactor moves": ("cold_openings", 300_000, 1_000_000, "openings without load",
                        "contactors are made for about 1000000", "have the contactor replaced"),
}
# What stays when things get worse downwards.
LEAST = {
    "heap": ("heap_least", 4096, 2048, "bytes, the least there was",
             "a record needs 2048, and two seconds of messages 4096", _MEMORY),
    "signal": ("rssi", -75, -85, "dBm", "-75 is good, below -85 links break",
               "move the access point or the antenna nearer"),
}
# cause: (from here on look, bad, what to do)
ENDS = {
    "watchdog": (1, 3, "the loop hung: send the report, with the console's output if there is some"),
    "exception": (1, 3, "an error of the firmware, or a broken part: the console has a traceback"),
    "brown_out": (1, 3, "measure the 5 V supply while the contactor pulls in"),
    "console": (1, 5, "if nobody pressed Ctrl-C, it is noise: shorten or shield the serial line"),
}
NOTICES = {
    "under_charging": (
        LOOK, "the car takes less than half of what is offered", "nothing, if the car is known for it",
    ),
    "loose_connection": (
        BAD, "the supply's resistance is too high", "have terminals and plug checked: they get hot",
    ),
    "full": (OK, "the car is full and still plugged in", ""),
    "phase_rotation": (OK, "the phases turn the other way", ""),
    "config_copy": (
        LOOK, "config.json cannot be used: the last good one is", "put config.json right, restart",
    ),
}
SELFTEST = {
    "passed": (OK, ""),
    "none": (LOOK, "there is no manifest.txt: put a build on it, not the sources"),
    "failed": (BAD, "files are damaged: put the build on it again"),
}
CONFIG = {
    "own": (OK, ""),
    "copy": (LOOK, "config.json cannot be used: put it right"),
    "safe": (BAD, "neither config.json nor its copy can be used: write a new one"),
}
