"""How many messages a backend may send in a second before nobody answers them."""

import pytest

from micropython_port import run_script

_SCRIPT = """
from pilotwire.tell import link

class Broker:  # in the place of the connection
    up = True
    def __init__(self, *a, **k):
        pass
    def want(self, topic):
        pass

class Records:
    def second(self):
        pass

class Events:
    told = 0
    def rejected(self, command, name, reason):
        self.told += 1

class Config:
    device, broker, ack = "a", {"host": "192.0.2.1"}, "backend"

link.Mqtt = Broker
events = Events()
link = link.Link(Config, None, Records(), events)
for second in (1, 2):
    link.second(second, False)
    for _ in range(100):
        link._message(b"pilotwire/a/TOPIC", b"no number", False)
    print(events.told)
"""


@pytest.mark.parametrize("topic, told", [("session/ack", [5, 10]), ("cmd/limit", [6, 12])])
def test_what_is_wrong_is_told_a_few_times_a_second(topic, told):
    """Of commands one more: that there are too many."""
    assert [int(line) for line in run_script(_SCRIPT.replace("TOPIC", topic)).split()] == told
