"""What only the start needs is given back when the start is over: memory is the tightest budget.

As a source it does nothing. The build step finds what no later code can reach, most of it __init__ of
what is made once, and writes the functions here (tools/pilotwire/shrink_start.py).
"""


def after_parts():
    """All is put together but the link, which is loaded next and wants the room."""


def after_link():
    """The link is too: from here on the loop runs."""
