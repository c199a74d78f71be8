"""Asyncio tasks that a run starts: a SystemExit in one of them ends that task, not the loop and with it the agent."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

from probe.check import ContractBroken

in_run: ContextVar[bool] = ContextVar("probe_in_run", default=False)
"""Set in the context of a run, which the asyncio tasks that it starts inherit."""


def contain(loop: asyncio.AbstractEventLoop) -> None:
    """From now on contain what runs start on this loop; a factory that somebody else has set goes on making tasks."""
    former = loop.get_task_factory()
    if not isinstance(former, _Factory):
        loop.set_task_factory(_Factory(former))


class _Factory:
    """Makes asyncio tasks as ever, of contained coroutines where a run asks for one."""

    def __init__(self, former: Callable[..., Any] | None) -> None:
        self._make = former or _plain

    def __call__(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> Any:
        return self._make(loop, _Contained(work) if in_run.get() else work, **options)


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
