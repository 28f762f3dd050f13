"""Memory runs short while something is told: the link still listens, and goes on when there is some."""

from micropython_port import run_script

_SCRIPT = """
from pilotwire.tell import link

class Broker:  # in the place of the connection
    up, state = True, 5
    def __init__(self, *a, **k):
        self.steps, self.posted = 0, []
    def want(self, topic):
        pass
    def room(self):
        return True
    def post(self, topic, payload, *a):
        self.posted.append(topic)
        return 7
    def step(self, now_ms, may_stall):
        self.steps += 1
        return False

class Records:
    waiting, full = 1, True
    def next(self):
        return 0
    def read(self, index):
        if self.full:
            raise MemoryError
        return b"{}"
    def seq_of(self, index):
        return 1

class Events:
    waiting = []
    def ready(self, may_stall):
        return 0

class Config:
    device, broker, ack = "a", {"host": "192.0.2.1"}, "backend"

link.Mqtt = Broker
records = Records()
link = link.Link(Config, None, records, Events())
errors = 0
for k in range(100):
    try:
        link.step(30 * k, True)
    except MemoryError:
        errors += 1
print(errors, link.mqtt.steps, link.mqtt.posted)
records.full = False
link.step(3000, True)
print(link.mqtt.posted)
"""


def test_a_record_that_cannot_be_read_for_want_of_memory_does_not_make_the_link_deaf():
    before, after = run_script(_SCRIPT).splitlines()
    assert before == "100 100 []"
    assert after == "[b'pilotwire/a/session/record']"
