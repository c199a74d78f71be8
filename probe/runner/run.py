"""One run: the one place that owns deadline, timing, cancellation and classification."""

import asyncio
import logging
import traceback
from collections.abc import Coroutine
from typing import Any, TypeVar

from probe.check import Check, Run, Unfinished
from probe.model import SYSTEM_CLOCK, Clock, Reason, Result
from probe.redact import hidden
from probe.runner import outcome
from probe.runner.contained import contain, in_run
from probe.runner.patience import done_within
from probe.runner.sessions import Sessions

ABANDON_AFTER = 1.0
"""Seconds that a run has to end after it was cancelled; then it is abandoned."""

_TIMER_SLACK = 0.05
"""Seconds by which a timer comes late when nobody blocks the loop, generously (p99 of a busy agent: 0.01)."""

_log = logging.getLogger(__name__)
Returned = TypeVar("Returned")
Key = tuple[str, str]
"""A check's name and a survey's; the survey's is empty for the run itself."""


class Runner:
    """Runs checks, one run (and one of each survey) of a check at a time, and keeps what lives between runs."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._memories: dict[str, tuple[Check, dict[str, Any]]] = {}
        """By check: whose they are, and they by survey."""
        self._sessions = Sessions()
        self._tasks: dict[Key, asyncio.Task[BaseException | None]] = {}
        self._closings: set[asyncio.Task[None]] = set()

    def is_busy(self, check: str, survey: str = "") -> bool:
        """Whether a run is in flight, or was abandoned and has not ended yet."""
        return (check, survey) in self._tasks

    async def run(self, check: Check, survey: str = "") -> Result:
        """One run, or one survey, of a check. Never raises for what the check does; over by its deadline + 1 s.

        Raises RuntimeError when one is still under way: ask `is_busy` first.
        """
        key = (check.name, survey)
        if key in self._tasks:
            raise RuntimeError(f"a run of {check.name} is still under way")
        timeout = check.timeout_of(survey)
        at, began = self._clock.wall(), self._clock.monotonic()
        memories = self._memories_of(check)
        memory = memories.get(survey)
        run = Run(check.metrics_of(survey), self._clock, began + timeout, memory, redact=check.redact)
        contain(asyncio.get_running_loop())
        task = asyncio.create_task(_attempt(self._session_and_run(check, survey, run)), name=_named(check))
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._over(key))
        try:
            reason, message, step = await self._ended(check, survey, run, task)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if reason is not Reason.INTERNAL:
            memories[survey] = run.memory
        return Result(
            check=check.name,
            reason=reason,
            survey=survey,
            message=message,
            at=at,
            began=began,
            ended=self._clock.monotonic(),
            samples=outcome.without_secrets(run.samples, run.redact),
            steps=run.steps,
            step=step,
            notes=tuple([outcome.shown(run.redact, note) for note in run.notes]),
            abandoned=not task.done(),
            unfinished=reason is Reason.OK and bool(message),
        )

    async def forget(self, check: str) -> None:
        """Drop what is kept for a check that went, or that became another kind."""
        self._memories.pop(check, None)
        self._sessions.forget(check)
        await self._close_sessions()

    async def close(self) -> None:
        """Cancel what runs, give it a second, close the sessions."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=ABANDON_AFTER)
        self._sessions.forget_all()
        await self._close_sessions()

    def _memories_of(self, check: Check) -> dict[str, Any]:
        """What its runs left. A check that was changed to ask something else begins with nothing."""
        former, memories = self._memories.get(check.name, (check, {}))
        if former is not check and not check.asks_the_same_as(former):
            memories = {}
        self._memories[check.name] = check, memories
        return memories

    async def _session_and_run(self, check: Check, survey: str, run: Run) -> None:
        in_run.set(_named(check))  # in this asyncio task's own context
        hidden.set(run.redact)
        work = getattr(check, survey) if survey else check.run
        session = self._sessions.lease(check)
        if session is None:
            await work(run)
        else:
            async with session as run.session:
                await work(run)

    async def _ended(
        self, check: Check, survey: str, run: Run, task: asyncio.Task[BaseException | None]
    ) -> tuple[Reason, str, str]:
        """Reason, message and step of the failure; a message beside ok means that a survey is unfinished."""
        timeout = check.timeout_of(survey)
        if not await self._done_in_time(task, timeout):
            step = run.at_step
            task.cancel()
            await asyncio.wait({task}, timeout=ABANDON_AFTER)
            if not task.done():
                _log.error("%s ignores its cancellation; it waits until its run ends", check.name)
            return *outcome.of_deadline(timeout, step), step
        if task.cancelled():
            return Reason.INTERNAL, "the run cancelled itself", run.at_step
        error = task.result()
        if error is None:
            return Reason.OK, "", ""
        told = await _attempt(_told(check, survey, run, error))
        if isinstance(told, BaseException):
            told = Reason.INTERNAL, f"{type(error).__name__}, and telling of it raised {type(told).__name__}"
        reason, message = told
        if reason is Reason.OK:
            return reason, message, ""
        if reason is Reason.INTERNAL:
            # Not exc_info: what raised may have said a secret.
            _log.error("%s: a bug: %s\n%s", check.name, message, run.redact(_traced(error)))
        return reason, message, run.at_step

    async def _done_in_time(self, task: asyncio.Task[Any], timeout: float) -> bool:
        deadline = self._clock.monotonic() + timeout
        await done_within(timeout, task)
        late = self._clock.monotonic() - deadline
        if not task.done() and late > _TIMER_SLACK:
            # Somebody blocked the loop across this deadline: the answer may be there, unread.
            await asyncio.wait({task}, timeout=late)
        return task.done()

    def _over(self, key: Key) -> None:
        """A run has really ended: its check may run again, and sessions that it was the last to use close."""
        self._tasks.pop(key, None)
        for closing in self._sessions.closings():
            task = asyncio.create_task(self._close_quietly(closing))
            self._closings.add(task)
            task.add_done_callback(self._closings.discard)

    async def _close_sessions(self) -> None:
        closing = [self._close_quietly(each) for each in self._sessions.closings()]
        await asyncio.gather(*closing, *self._closings)

    async def _close_quietly(self, closing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_attempt(closing))
        done, _ = await asyncio.wait({task}, timeout=ABANDON_AFTER)
        if not done:
            task.cancel()
        elif not task.cancelled() and (error := task.result()) is not None:
            _log.debug("closing a session failed: %s", type(error).__name__)


async def _attempt(work: Coroutine[Any, Any, Returned]) -> Returned | BaseException:
    """What `work` returned or raised: the one place that catches everything, and what would end the loop."""
    try:
        return await work
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001  # see above
        return error


async def _told(check: Check, survey: str, run: Run, error: BaseException) -> tuple[Reason, str]:
    """Reason and message; a coroutine for `_attempt`, as an error's text and a kind's `failures` may raise."""
    if survey and isinstance(error, Unfinished):
        return Reason.OK, outcome.shown(run.redact, str(error)) or "unfinished"
    return outcome.of_error(check.failures, error, run.redact)


def _named(check: Check) -> str:
    """The asyncio task's name, which the watchdog understands."""
    return f"probe:{check.name}"


def _traced(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
