"""Runs on their way: each waits for its turn, is run, and what comes of it is folded.

However long one takes, no other waits for it: what is paced is starts.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from probe.check import Check
from probe.model import Clock, Result
from probe.scheduler.entry import Key
from probe.scheduler.figures import Figures
from probe.scheduler.pacer import Pacer

_log = logging.getLogger(__name__)


class Runs(Protocol):
    """What runs a check: `probe.runner.Runner`."""

    def is_busy(self, check: str, survey: str = "") -> bool: ...
    async def run(self, check: Check, survey: str = "") -> Result: ...


@dataclass(slots=True, eq=False)
class Flight:
    """A run that waits for its turn or is under way.

    `due` is in monotonic seconds. `counted`: it counts as one of the check's own runs, which a mere confirmation does
    not. `by_slot`: it is the run of a slot; when not, the next slot that finds it under way adopts it.
    """

    check: Check
    survey: str
    due: float
    counted: bool
    by_slot: bool
    dropped: bool = False
    task: asyncio.Task[None] | None = None

    def adopt(self) -> None:
        """Make it the run of the slot that has just come."""
        self.counted = self.by_slot = True


class Flights:
    """Those under way: one of each check and one of each of its surveys, at most."""

    def __init__(self, runs: Runs, fold: Callable[[Check, Result, bool], None], figures: Figures, clock: Clock) -> None:
        self._runs = runs
        self._fold = fold
        self._figures = figures
        self._clock = clock
        self._pacer = Pacer()
        self._flights: dict[Key, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, key: Key) -> Flight | None:
        """The one of this check or survey, if there is one."""
        return self._flights.get(key)

    def is_stray(self, key: Key) -> bool:
        """Whether none is under way, and yet an abandoned run has not ended."""
        return key not in self._flights and self._runs.is_busy(*key)

    def start(
        self, check: Check, survey: str, due: float, *, counted: bool = True, by_slot: bool = False, first: bool = False
    ) -> None:
        """Run it in its turn, or `first` of all that wait. None of it may be under way, nor stray."""
        flight = Flight(check, survey, due, counted, by_slot)
        self._flights[check.name, survey] = flight
        self._pacer.put(partial(self._take_off, flight), first=first)

    def drop_unless(self, wanted: Callable[[Check], bool]) -> None:
        """End the runs of checks that are not wanted any more, and fold nothing of them."""
        for key, flight in list(self._flights.items()):
            if not wanted(flight.check):
                del self._flights[key]
                flight.dropped = True
                if flight.task is not None:
                    flight.task.cancel()

    async def stop(self, grace: float) -> None:
        """Start nothing any more, wait `grace` seconds for what is under way, cancel the rest."""
        self._pacer.clear()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._flights.clear()

    def _take_off(self, flight: Flight) -> None:
        if flight.dropped:
            return
        self._figures.starts += 1
        self._figures.in_flight += 1
        self._figures.delay.add(max(0.0, self._clock.monotonic() - flight.due))
        task = asyncio.create_task(self._run_and_fold(flight), name=f"schedule:{flight.check.name}")
        flight.task = task
        self._tasks.add(task)
        task.add_done_callback(self._landed)

    async def _run_and_fold(self, flight: Flight) -> None:
        key = flight.check.name, flight.survey
        try:
            result = await self._runs.run(flight.check, flight.survey)
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]
        self._figures.abandoned += result.abandoned
        if not flight.dropped:
            self._fold(flight.check, result, flight.counted)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._figures.in_flight -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s: a bug: its result was lost", task.get_name().partition(":")[2], exc_info=error)
