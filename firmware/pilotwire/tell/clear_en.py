"""What became of asking that a fault be cleared, in English; another language is another such file.

Plain ASCII, six lines of 16 columns at the most. Loaded when somebody asks (pilotwire.once).
"""

_WORDS = (  # by the answers of decide/faults.py: clear()
    "Cleared",
    "There is no such fault",
    "Its cause is still there",
    "It clears by itself",
    "It clears when the car is unplugged",
    "Only service may clear it",
    "Restarts to test it again",
)


def words(answer):
    return _WORDS[answer]
