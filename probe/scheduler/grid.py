"""APScheduler, as far as we need it: call back whenever a slot is due. Nothing else knows that it is there.

Its defaults are made for cron jobs: a run that is a second late is dropped silently (`misfire_grace_time`), the local
time zone decides, plain functions go to a pool of threads. Ours are told below. It does not notice that the wall
clock stepped back and sleeps on until its old time comes: `move` tells it.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from probe.scheduler.plan import Slot

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _EverySlot(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Due at the slot's next time, however many were missed: they are never made up for one by one."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        latest = max(previous_fire_time or now, now)
        return _EPOCH + self._slot.microsecond_after((latest - _EPOCH) // _MICROSECOND) * _MICROSECOND


class Grid:
    """Calls `due(slot)` in the loop whenever a slot is due: one APScheduler job for each slot that was added."""

    def __init__(self, due: Callable[[Slot], None]) -> None:
        self._due = due
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={"default": DebugExecutor()},  # calls it there and then, without a thread or an asyncio task
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # at INFO it tells of every job, twice

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Call nothing back any more."""
        self._scheduler.pause()
        self._scheduler.shutdown(wait=False)

    def add(self, slot: Slot, due: float) -> None:
        """Call back at `due` (unix seconds) and then whenever the slot is due."""
        self._scheduler.add_job(self._due, _EverySlot(slot), args=(slot,), id=_id(slot), next_run_time=_moment(due))

    def move(self, slot: Slot, due: float) -> None:
        """Call back at `due` instead of when it was thought to be due."""
        self._scheduler.modify_job(_id(slot), next_run_time=_moment(due))

    def remove(self, slot: Slot) -> None:
        """Don't call back for this slot any more."""
        self._scheduler.remove_job(_id(slot))

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Make many changes for one wake-up."""
        self._scheduler.pause()
        try:
            yield
        finally:
            self._scheduler.resume()


def _id(slot: Slot) -> str:
    return f"{slot.interval}+{slot.offset}"


def _moment(unix: float) -> datetime:
    return _EPOCH + round(unix * 1_000_000) * _MICROSECOND
