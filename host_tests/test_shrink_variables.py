"""Short names at build time: globals, arguments and locals do not hide one another."""

from shrink_pair import left, play


def test_argument_that_is_given_by_its_name_keeps_it(tmp_path):
    shrunk = play(tmp_path, {
        "one.py": """
            def offer(zz_amps, zz_phases=1, *, zz_why="none"):
                return zz_amps, zz_phases, zz_why
            def passed_on(*zz_rest, **zz_options):
                return offer(*zz_rest, **zz_options)
            def listed(zz_options):
                return offer(**zz_options)
            """,
        "main.py": """
            import one
            print(one.offer(6, zz_phases=3), one.passed_on(7, zz_why="b"))
            print(one.listed({"zz_amps": 8}))
            """,
    })
    assert left(shrunk, "one.py") - {"zz_rest", "zz_options"} == {"zz_amps", "zz_phases", "zz_why"}


def test_global_is_not_hidden_by_an_argument_or_a_local(tmp_path):
    play(tmp_path, {
        "one.py": """
            first, second, third = ["first"], ["second"], ["third"]
            def both(a, b, c):
                local = a
                return [first, second, third, a, b, c, local]
            def shadowed(first):
                second = first
                return [first, second, third]
            def given(third=third, *, second=second):
                return second, third
            def stock(x):
                IN = RX = TX = 5  # names of the chip, the first to be given to something
                return x, IN, RX, TX
            """,
        "main.py": "import one\nprint(one.both(1, 2, 3), one.shadowed(4), one.given(), one.stock(6))\n",
    })


def test_global_that_a_class_body_uses_is_not_hidden_by_the_class(tmp_path):
    play(tmp_path, {
        "one.py": """
            first = ["global"]
            class Thing:
                one = two = three = four = five = six = "the class's"
                def method(self, given=first):
                    return given
                def other(self):
                    return "other"
                taken = first
                again = other
            """,
        "main.py": "from one import Thing\nt = Thing()\nprint(t.method(), t.taken, t.again())\n",
    })


def test_functions_inside_functions_see_the_arguments_around_them(tmp_path):
    play(tmp_path, {
        "one.py": """
            def outer(one, two):
                def inner(three, four=two):
                    nonlocal one
                    one += 1
                    return [one, two, three, four] + [one + x for x in range(two)]
                return inner(5), (lambda six, *rest: (one, six, rest))(6, 7, 8)
            """,
        "main.py": "import one\nprint(one.outer(1, 2))\n",
    })


def test_globals_attributes_and_arguments_can_be_changed_in_place(tmp_path):
    play(tmp_path, {
        "one.py": """
            total = 0
            class Count:
                step = 2
                def __init__(self):
                    self.value = 0
                def add(self, amount):
                    global total, made_here
                    amount *= self.step
                    self.value += amount
                    total += amount
                    made_here = total
                    return self
            def tell():
                return total, made_here
            def deep():
                total = 50
                def deeper():
                    global total
                    total += 1
                deeper()
                return total
            """,
        "main.py": """
            import one
            c = one.Count().add(3).add(4)
            print(one.deep(), c.value, one.tell(), one.total)
            """,
    })


def test_properties_static_and_class_methods_and_loops_over_attributes(tmp_path):
    play(tmp_path, {
        "one.py": """
            class Thing:
                made = 0
                levels = (1, 2)
                doubled = [2 * level for level in levels]
                def __init__(self):
                    self._value = 1
                @property
                def value(self):
                    return self._value
                @value.setter
                def value(self, new):
                    self._value = new
                @staticmethod
                def twice(number):
                    return number * 2
                @classmethod
                def make(cls):
                    cls.made += 1
                    return cls()
                def last(self):
                    for self.at in range(3):
                        pass
                    with self:
                        self.low, (self.high, *self.rest) = 1, (2, 3, 4)
                    return self.at, self.low, self.high, self.rest
                def __enter__(self):
                    return self
                def __exit__(self, *_):
                    self.left = True
            """,
        "main.py": """
            from one import Thing
            t = Thing.make()
            t.value = t.twice(t.value)
            print(t.value, Thing.made, t.last(), t.left, t.doubled)
            """,
    })


def test_viper_and_native_code_keep_their_types_and_builtins(tmp_path):
    shrunk = play(tmp_path, {
        "fast.py": """
            from array import array
            import micropython
            from micropython import const
            _MANY = const(4)
            SHIFT = const(2)
            @micropython.viper
            def zz_sum(zz_buffer: ptr16, zz_out: ptr32) -> int:
                zz_total = 0
                k = 0
                while k < _MANY:
                    zz_total += int(zz_buffer[k]) >> SHIFT
                    k += 1
                zz_out[0] = zz_total
                return zz_total
            @micropython.native
            def zz_fill(zz_read, zz_buffer):
                for k in range(_MANY):
                    zz_buffer[k] = zz_read()
            """,
        "main.py": """
            import fast
            from array import array
            buffer, out = array("H", [0] * 4), array("i", [0])
            fast.zz_fill(lambda: 40, buffer)
            print(fast.zz_sum(buffer, out), out[0])
            """,
    })
    assert ": ptr16, " in shrunk.texts["fast.py"]
    assert left(shrunk, "fast.py") == {"zz_total"}  # a local has no name in the compiled code


def test_exceptions_keep_the_names_that_people_read(tmp_path):
    shrunk = play(tmp_path, {
        "one.py": """
            class ZzError(ValueError):
                pass
            class ZzBroken(ZzError):
                pass
            try:
                raise ZzError("early")
            except ZzError as early:
                seen = str(early)
            def fail(error):
                try:
                    raise error("why")
                except ZzError as zz_caught:
                    zz_caught.zz_id = 5
                    return type(zz_caught).__name__, str(zz_caught), zz_caught.zz_id, seen
            """,
        "main.py": "import one\nprint(one.fail(one.ZzBroken), one.fail(one.ZzError))\n",
    })
    assert {"ZzError", "ZzBroken"} <= left(shrunk, "one.py")


def test_two_values_at_once_still_make_no_tuple(tmp_path):
    """MicroPython makes one of what stands in parentheses, and the loop may not allocate."""
    shrunk = play(tmp_path, {
        "one.py": """
            import gc, micropython
            class Pair:
                def __init__(self):
                    self.a, self.b = 1, 2
                def swap(self):
                    one, two = self.a, self.b
                    self.a, self.b = two, one
            def grown(pair):
                pair.swap()
                micropython.heap_lock()
                try:
                    pair.swap()
                finally:
                    micropython.heap_unlock()
                return pair.a, pair.b
            """,
        "main.py": "import one\nprint(one.grown(one.Pair()))\n",
    })
    assert shrunk.said == "(1, 2)\n"
