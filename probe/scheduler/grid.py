"""APScheduler, as far as we need it: call back whenever a slot is due. Nothing else knows that it is there.

Its defaults are made for cron jobs: a run that is a second late is dropped silently (`misfire_grace_time`), the local
time zone decides, plain functions go to a pool of threads, and it is woken as if from another thread. Ours
are told below. It does not notice that the wall clock stepped back and sleeps on until its old time comes: `move`
tells it.
"""

import asyncio
import logging
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import BaseJobStore
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.base import BaseTrigger

from probe.scheduler.plan import Slot

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_LATE = 0.0015
"""Seconds; uvloop's timers count whole milliseconds, from one that has begun: sooner, each slot would wake us twice."""


class _EverySlot(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Due at the slot's next time, however many were missed: they are never made up for one by one."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        latest = max(previous_fire_time or now, now)
        return _EPOCH + self._slot.microsecond_after((latest - _EPOCH) // _MICROSECOND) * _MICROSECOND


class _Soonest(BaseJobStore):  # type: ignore[misc]  # the library has no types
    """The jobs by when they are due. The library's own takes each moment apart into calendar fields, thrice a slot."""

    def __init__(self) -> None:
        super().__init__()
        self._jobs: dict[str, tuple[datetime, Job]] = {}
        self._queue: list[tuple[datetime, str]] = []

    def lookup_job(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id, (None, None))[1]

    def get_due_jobs(self, now: datetime) -> list[Job]:
        return [self._jobs[job_id][1] for _, job_id in takewhile(lambda first: first[0] <= now, self._queue)]

    def get_next_run_time(self) -> datetime | None:
        return self._queue[0][0] if self._queue else None

    def get_all_jobs(self) -> list[Job]:
        return [job for _, job in self._jobs.values()]

    def add_job(self, job: Job) -> None:
        self._jobs[job.id] = job.next_run_time, job
        insort(self._queue, (job.next_run_time, job.id))

    def update_job(self, job: Job) -> None:
        self.remove_job(job.id)
        self.add_job(job)

    def remove_job(self, job_id: str) -> None:
        due, _ = self._jobs.pop(job_id)
        del self._queue[bisect_left(self._queue, (due, job_id))]

    def remove_all_jobs(self) -> None:
        self._jobs.clear()
        self._queue.clear()


class _AtOnce(BaseExecutor):  # type: ignore[misc]  # the library has no types
    """Calls it there and then, without a thread or an asyncio task; none can overlap itself, so none is counted."""

    def submit_job(self, job: Job, run_times: Sequence[datetime]) -> None:
        job.func(*job.args)

    _do_submit_job = submit_job


class _InLoop(BaseScheduler):  # type: ignore[misc]  # the library has no types
    """Wakes up in the loop that it was started in; AsyncIOScheduler, for threads' sake, does so by its self-pipe."""

    def start(self, *args: Any, **options: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle | None = None
        super().start(*args, **options)

    def shutdown(self, wait: bool = True) -> None:
        super().shutdown(wait)
        self._stop_timer()

    def wakeup(self) -> None:
        self._stop_timer()
        self._timer = self._loop.call_soon(self._look)

    def _look(self) -> None:
        delay = self._process_jobs()
        if delay is not None:
            self._stop_timer()  # what was due may have moved others
            self._timer = self._loop.call_later(delay + _LATE, self._look)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Grid:
    """Calls `due(slot)` in the loop whenever a slot is due: one APScheduler job for each slot that was added."""

    def __init__(self, due: Callable[[Slot], None]) -> None:
        self._due = due
        self._scheduler = _InLoop(
            timezone=UTC,
            jobstores={"default": _Soonest()},
            executors={"default": _AtOnce()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # at INFO it tells of every job, twice

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Call nothing back any more."""
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
