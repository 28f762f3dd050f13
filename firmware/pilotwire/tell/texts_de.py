"""Everything the display says, in German: see texts_en.py.

Plain ASCII, ae for a umlaut, ss for sharp s: the font in the stock image has nothing else.
"""

STARTING, READY, CONNECTED, CHARGING, PAUSED, STOPPED = range(6)
TITLES = ("STARTET", "BEREIT", "VERBUNDEN", "LAEDT", "PAUSE", "GESTOPPT")
FAULT = "STOERUNG"
WARNING = "HINWEIS"
FOUR = "----FrEIAuto    PAUSStoP"

WHY = (
    "Laedt",
    "Auto einstecken",
    "Das Auto fordert keinen Strom an",
    "Pause per Fernbefehl",
    "Abgeschaltet per Fernbefehl",
    "Kurze Ruhe, dann geht es weiter",
    "Prueft das Auto",
    "Durch Stoerung gestoppt",
    "Das Auto braucht Belueftung",
    "Ladung endet",
    "Startet, bitte warten",
    "Zurzeit weniger als 6 A frei",
    "Phasenwechsel, gleich weiter",
)

LIMITS = {
    "board": "von der Station",
    "installation": "vom Hausnetz",
    "cable": "vom Kabel",
    "config": "laut Einstellung",
    "command": "per Fernbefehl",
    "lease": "Strom geteilt",
    "schedule": "nach Zeitplan",
    "temperature": "es ist zu warm",
    "imbalance": "Phasen ungleich",
    "fail-safe": "Vorgabe fehlt",
    "meter": "Zaehler stumm",
    "wiring": "Zuleitung pruef.",
}
CAR_TAKES_LESS = "Auto nimmt wenig"

UP_TO = "Bis zu"
COST = "Preis"
AGAIN_IN = "Weiter in"

OFFLINE = "Offline"
OFFLINE_KEPT = "Offline %d hier"
TO_SEND = "%d zu senden"
CLOCK_NOT_SET = "Ohne Uhrzeit"
ONLINE = "Online"
