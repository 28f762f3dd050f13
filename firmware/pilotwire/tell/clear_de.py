"""What became of asking that a fault be cleared, in German; as clear_en.py."""

_WORDS = (
    "Zurueckgesetzt",
    "Diese Stoerung gibt es nicht",
    "Die Ursache ist noch da",
    "Geht von selbst vorbei",
    "Endet beim Abstecken des Autos",
    "Das darf nur der Service",
    "Startet neu und prueft noch einmal",
)


def words(answer):
    return _WORDS[answer]
