"""The port's own sockets, for scripts of test_mqtt_*.py."""

from usocket import *  # noqa: F403
