"""Days of schedule in seconds: an event loop whose time leaps to the next timer, and clocks that may be set.

Real code runs on it, APScheduler too; only the time is made up. Nothing real may be waited for: a socket whose answer
is not there yet would never get its turn. What goes into a thread (`asyncio.to_thread`) is done at once, in no time.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any, TypeVar
from unittest import mock

from probe.model import Clock

Outcome = TypeVar("Outcome")

STARTED_AT = 1_700_000_000.0
"""Unix time at which a simulation begins (a Tuesday in November 2023, 22:13:20 UTC)."""


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`time()` is simulated seconds since the machine started; `wall()` may be stepped against it."""

    def __init__(self) -> None:
        self._leaping = _LeapingSelector()
        super().__init__(self._leaping)
        self._ahead = STARTED_AT - self.time()
        self.set_default_executor(_AtOnce())

    def time(self) -> float:
        return self._leaping.now

    def wall(self) -> float:
        """Unix seconds."""
        return self.time() + self._ahead

    @property
    def clock(self) -> Clock:
        return Clock(wall=self.wall, monotonic=self.time)

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock forward, or back; so does a machine that slept, in the eyes of a process."""
        self._ahead += seconds

    def stall(self, seconds: float) -> None:
        """Let time pass and nothing run, as when somebody blocks the loop or stops the process."""
        self._leaping.now += seconds


class _AtOnce(ThreadPoolExecutor):
    """Has no threads: what it is given is done when `submit` returns."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args, **options))
        except Exception as error:  # noqa: BLE001  # as a thread would pass it on
            done.set_exception(error)
        return done


class _LeapingSelector(selectors.DefaultSelector):
    """Where a loop would sleep, leaps."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("the simulation waits for what never comes")
        if not ready and timeout:
            self.now += timeout
        return ready


def simulate(story: Coroutine[Any, Any, Outcome], loop: SimulatedLoop) -> Outcome:
    """Run `story` on a simulated loop, with APScheduler on its wall clock. Asserts that no asyncio task is left."""
    try:
        with _apscheduler_on(loop):
            outcome = loop.run_until_complete(story)
            left = asyncio.all_tasks(loop)
        assert not left, f"left behind: {left}"
        return outcome
    finally:
        loop.close()


@contextmanager
def _apscheduler_on(loop: SimulatedLoop) -> Iterator[None]:
    class SimulatedDatetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "SimulatedDatetime":
            return cls.fromtimestamp(loop.wall(), tz)

    with mock.patch("apscheduler.schedulers.base.datetime", SimulatedDatetime):
        yield
