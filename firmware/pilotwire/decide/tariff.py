"""What the energy costs, in integer minor units (cents). Pure."""


def cost_minor(wh, price_c):
    """Cost of `wh` at `price_c` hundredths of a minor unit per kWh, rounded half up.

    30.25 ct/kWh is 3025. Exact: 0.001 kWh x 0.01 ct steps, rounded once at the end.
    """
    whole = wh // 1000 * price_c  # hundredths of a minor unit
    rest = wh % 1000 * price_c  # thousandths of those
    return (whole * 10 + rest // 100 + 500) // 1000
