"""`os` of the port, with random numbers of this run's seed: a run is the same each time."""

from uos import *  # noqa: F403


def urandom(n):
    from plant.world import world  # plant imports os: not at the top

    return bytes([world.random() >> 8 & 255 for _ in range(n)])
