"""Notices that the wall clock stepped, that the machine slept, or that the process was stopped."""

from probe.model import Clock

TICK = 1.0
"""Seconds: the longest that usually passes between two looks at the clocks."""

STEP = 2.0
"""Seconds; a smaller step only makes a run that much early or late, once."""


class ClockWatch:
    """Compares the wall clock to the monotonic one, which neither steps nor counts the time of a sleep."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall = clock.wall()
        self._monotonic = clock.monotonic()

    def jumped(self) -> bool:
        """Whether since the last call the clocks went apart, or nothing ran for longer than a step."""
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        passed = monotonic - self._monotonic
        apart = abs((wall - self._wall) - passed)
        self._wall, self._monotonic = wall, monotonic
        return apart > STEP or passed > TICK + STEP

    @property
    def steady_wall(self) -> float:
        """Unix seconds, as if the wall clock had not stepped since the last look."""
        return self._wall + self._clock.monotonic() - self._monotonic
