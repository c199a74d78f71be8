"""Asyncio tasks that a run starts: SystemExit in one does not end the agent, and each is named like the run."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

from probe.check import ContractBroken

in_run: ContextVar[str] = ContextVar("probe_in_run", default="")
"""The name of a run's asyncio task, set in its context, which those that it starts inherit; empty outside of runs."""


def contain(loop: asyncio.AbstractEventLoop) -> None:
    """From now on contain what runs start on this loop; a factory that somebody else has set goes on making tasks."""
    former = loop.get_task_factory()
    if not isinstance(former, _Factory):
        loop.set_task_factory(_Factory(former))


class _Factory:
    """Makes asyncio tasks as ever; where a run asks for one, contained and with the run's name, for the watchdog."""

    def __init__(self, former: Callable[..., Any] | None) -> None:
        self._make = former or _plain

    def __call__(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> Any:
        name = in_run.get()
        if not name:
            return self._make(loop, work, **options)
        task = self._make(loop, _Contained(work), **options)
        task.set_name(name)
        return task


def _plain(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    return asyncio.Task(work, loop=loop, **options)


class _Contained(Coroutine[Any, Any, Any]):
    """A coroutine that raises ContractBroken for what asyncio lets through to whoever runs the loop.

    No `async def` around it: that, cancelled before its start, would leave the coroutine behind, never awaited.
    """

    def __init__(self, inner: Coroutine[Any, Any, Any]) -> None:
        self._inner = inner

    def send(self, value: Any) -> Any:
        return self._tamed(self._inner.send, value)

    def throw(self, *error: Any) -> Any:
        return self._tamed(self._inner.throw, *error)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Any:
        return self._inner.__await__()

    @staticmethod
    def _tamed(step: Callable[..., Any], *given: Any) -> Any:
        try:
            return step(*given)
        except (SystemExit, KeyboardInterrupt) as error:
            raise ContractBroken(f"{type(error).__name__} in an asyncio task of its own") from error
