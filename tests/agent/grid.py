"""When checks are due, worked out anew: the schedule is no witness in its own case."""

from hashlib import blake2b

GRID = 50_000
"""Microseconds between two phases."""

FIRST_RUN_WITHIN = 15.0
"""Seconds from its appearance to the first run of a check, whatever its interval."""


def slots(name: str, interval: float, after: float, until: float) -> int:
    """How often a check (or `check/survey`) was due after one moment, and until another (unix seconds)."""
    every = round(interval * 1_000_000)
    phase = int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) % (every // GRID) * GRID
    first, last = ((round(moment * 1_000_000) - phase) // every for moment in (after, until))
    return last - first


def due_runs(name: str, interval: float, appeared: float, until: float) -> int:
    """How often it should have begun by itself: at its slots, and once before the first if that is far away.

    For intervals that are multiples of 15 s, or shorter.
    """
    is_far = slots(name, interval, appeared, appeared + FIRST_RUN_WITHIN) == 0
    return slots(name, interval, appeared, until) + is_far
