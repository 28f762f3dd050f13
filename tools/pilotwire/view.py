"""What a person sees of a run: plain lines, or a live picture at a terminal."""

import json

from pilotwire.live import Picture

_QUIET_TOPICS = ("meter", "health", "session/active", "session/ack", "info", "session/last")


def sentence(event):
    """One event in plain words, or None when it is not worth a line."""
    kind = event["e"]
    if kind == "contactor":
        return "contactor told to " + ("close" if event["on"] else "open")
    if kind == "pilot":
        if not event["driven"]:
            return "pilot dead"
        if event["duty"] in (0, 100000):
            return "pilot steady " + ("+12 V" if event["duty"] else "-12 V")
        return f"pilot offers, duty {event['duty'] / 1000:.2f} %"
    if kind == "phase_contacts":
        return "three phases connected" if event["closed"] else "one phase connected"
    if kind == "car_at_risk":
        return "the phases have changed under the car's pilot: this may damage a car"
    if kind == "lock":
        return "the plug is " + ("locked" if event["locked"] else "free")
    if kind == "held":
        return f"the lock holds the plug: {event['event']} does nothing"
    if kind == "scenario" and event["event"] not in ("row", "end"):
        value = event["value"]
        if event["event"] == "cmd":
            value = f"{value['topic']} {value['payload']}"
        return f"scenario: {event['event']} {'' if value is None else value}".rstrip()
    if kind == "message":
        topic = event["topic"]
        if topic in _QUIET_TOPICS or topic == "state":
            return None
        payload = event["payload"]
        if topic == "session/record":
            record = json.loads(payload)
            return f"mqtt: session/record {record['id']}, {record['energy_wh']} Wh"
        return f"mqtt: {topic} {payload[:120]}"
    if kind == "display":
        return "display: " + " | ".join(line.strip() for line in event["text"] if line.strip())
    if kind in ("boot", "reset"):
        return f"{kind}, cause {event['cause']}"
    if kind == "power":
        return "power " + ("on" if event["on"] else "off")
    return f"device says: {event['text']}" if kind == "console" else None


class Lines:
    """A line an event worth telling; for logs and pipes."""

    def __init__(self, scenario, out):
        self._scenario = scenario
        self._out = out
        self._last_display = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def note(self, text):
        print(text, file=self._out, flush=True)

    def event(self, event):
        if event["e"] == "display":
            if event["text"][0] == self._last_display:
                return  # figures run on; a new title is news
            self._last_display = event["text"][0]
        text = sentence(event)
        if text:
            print(f"{event['t_s']:9.2f} s  {text}", file=self._out, flush=True)

    def show(self, run):
        pass

    def end(self, run):
        from pilotwire.run import main_record_line, relative

        if run.record is None:
            waiting = run.state().get("waiting", 0)
            print(f"no session record was received; {waiting} wait on the charger's flash",
                  file=self._out)
        print(f"kept in {relative(run.keep)}", file=self._out)
        if run.record is not None:
            print(main_record_line(run), flush=True)


class Live(Lines):
    """A calm picture, a few times a second; notes and the end are plain lines below it."""

    def __init__(self, scenario, keep):
        import sys

        super().__init__(scenario, sys.stdout)
        self._picture = Picture(scenario, keep)

    def __enter__(self):
        self._picture.start()
        return self

    def __exit__(self, *_):
        self._picture.stop()
        return False

    def note(self, text):
        self._picture.say(text)

    def event(self, event):
        text = sentence(event)
        if text and event["e"] != "display":
            self._picture.say(f"{event['t_s']:8.1f} s  {text}")

    def show(self, run):
        self._picture.show(run)

    def end(self, run):
        from pilotwire.run import relative

        if run.record is None:
            print("no session record was received")
        else:
            from rich import print_json

            print("The session record, as the backend received it over MQTT:")
            print_json(data=run.record)
        print(f"kept in {relative(run.keep)}: records, journal.bin, configuration")
