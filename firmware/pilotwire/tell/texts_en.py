"""Everything the display says, in English. Another language is another table with the same names.

Plain ASCII, since the font in the stock image has nothing else. A line has 16 columns; WHY may take
two lines, wrapped at words. Only the language of config.json is loaded, only by a board with a
display. What is said of faults is in faults_en.py.
"""

# By what the charger does, at most 16 columns.
STARTING, READY, CONNECTED, CHARGING, PAUSED, STOPPED = range(6)
TITLES = ("STARTING", "READY", "CONNECTED", "CHARGING", "PAUSED", "STOPPED")
FAULT = "FAULT"  # with the code after it
WARNING = "NOTE"
# The same on four digits (tm1637.py), four characters a title; while charging they show amps.
FOUR = "----FrEECAr     PAUSStoP"

# Why the car is not charging, in the order of the numbers that decide/ gives.
WHY = (
    "Charging",
    "Plug in the car",
    "The car is not asking for power",
    "Paused by remote command",
    "Switched off by remote command",
    "A short rest, then it goes on",
    "Checking the car",
    "Stopped by a fault",
    "The car needs a ventilated place",
    "Stopping",
    "Starting up, please wait",
    "Less than 6 A is free now",
    "Changing phases, then it goes on",
)

# Which limit holds the current down; a name that is missing here is shown as it is.
LIMITS = {
    "board": "by this charger",
    "installation": "by the house",
    "cable": "by the cable",
    "config": "by the settings",
    "command": "by remote",
    "lease": "shared with site",
    "schedule": "by the schedule",
    "temperature": "it is too warm",
    "imbalance": "phases uneven",
    "fail-safe": "no recent order",
    "meter": "meter is silent",
    "wiring": "weak supply wire",
}
CAR_TAKES_LESS = "car takes less"

UP_TO = "Up to"
COST = "Cost"
AGAIN_IN = "Again in"

OFFLINE = "Offline"
OFFLINE_KEPT = "Offline %d kept"  # up to 999 session records
TO_SEND = "%d to send"
CLOCK_NOT_SET = "Clock not set"
ONLINE = "Online"
