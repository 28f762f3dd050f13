"""Integers that refuse to leave the chip's small ints, which have 31 bits."""

BOUND = 1 << 30


class Small(int):
    """An int whose sums, products and quotients are checked, and are Small again."""

    def __new__(cls, value):
        assert -BOUND <= value < BOUND, f"{value} is no small int on the chip"
        return super().__new__(cls, value)


def _checked(name):
    plain = getattr(int, name)
    return lambda self, other: Small(plain(self, other))


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "floordiv", "rfloordiv", "mod", "rmod"):
    setattr(Small, f"__{_name}__", _checked(f"__{_name}__"))


def numbers(thing):
    """(name, value) of every integer an object holds, arrays of them included."""
    for name, value in vars(thing).items():
        if isinstance(value, int):
            yield name, value
        elif hasattr(value, "typecode"):
            yield from ((name, item) for item in value)


def too_large(*things):
    """Names of the integers that are no small ints."""
    return sorted({
        f"{type(thing).__name__}.{name}"
        for thing in things for name, value in numbers(thing) if not -BOUND <= value < BOUND
    })
