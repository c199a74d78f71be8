"""What the scheduler says of itself: plain numbers, read by the exporter for `probe_agent_*`."""

from bisect import bisect_left
from dataclasses import dataclass, field

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Buckets:
    """A histogram of seconds. `counts[i]` are the values up to `bounds[i]` and above the bound before it.

    One more count, the last, is for what is above every bound. A cumulative view is the exporter's to make.
    """

    bounds: tuple[float, ...] = _SECONDS
    counts: list[int] = field(default_factory=lambda: [0] * (len(_SECONDS) + 1))
    sum: float = 0.0
    largest: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds
        self.largest = max(self.largest, seconds)

    @property
    def count(self) -> int:
        return sum(self.counts)


@dataclass(slots=True)
class Figures:
    """Counters since the start, and `in_flight` now.

    `blocked` is written by the watchdog's thread, the rest by the loop.
    """

    starts: int = 0
    """Runs and surveys that were started."""
    in_flight: int = 0
    """Runs and surveys that were started and have not ended."""
    skipped: int = 0
    """Slots that passed because the check still ran, or had not ended since it was abandoned."""
    abandoned: int = 0
    """Runs that ignored their cancellation."""
    clock_steps: int = 0
    """Times that the wall clock stepped, the machine slept, or the process was stopped, for over 2 s."""
    blocked: int = 0
    """Times that the loop did not turn for over 0.5 s."""
    delay: Buckets = field(default_factory=Buckets)
    """From when a run was due to when it started; no part of its duration."""
    lag: Buckets = field(default_factory=Buckets)
    """By how much the watchdog's timer came late: how long the loop was busy with something else."""
