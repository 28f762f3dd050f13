"""Fixed-point numbers as JSON text, without floats."""


def amps(ma):
    """mA as amps with one decimal, rounded half up."""
    return tenths((ma + 50) // 100)


def tenths(value):
    """Tenths as a decimal number, also below zero."""
    return "%s%d.%d" % ("-" if value < 0 else "", abs(value) // 10, abs(value) % 10)
