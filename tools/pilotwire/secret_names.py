"""What looks like a secret, for what is shown or sent on: `config` and the report of `doctor`."""

import re

_NAME = re.compile(r"pass|pwd|secret|token|^key|_key|ssid|wifi|user|login|auth|credential", re.I)
_IN_URL = re.compile(r"(\w+://)[^/\s]+@")


def is_secret(name):
    """Is what goes by this name a secret, or half of one?"""
    return bool(_NAME.search(str(name)))


def without_login(text):
    """A text without users and passwords in its URLs."""
    return _IN_URL.sub(r"\1", text)
