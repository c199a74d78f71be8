"""Clients that are dear to build: opened once a check, shared by its runs, thrown away after a failed one."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from probe.check import Check


class Sessions:
    """The open sessions, by check name. One that nobody uses any more waits in `closings` for whoever closes it.

    Closing is never a part of a run: it may hang, and would then change the run's outcome.
    """

    def __init__(self) -> None:
        self._open: dict[str, _Session] = {}
        self._unused: list[_Session] = []

    def lease(self, check: Check) -> AbstractAsyncContextManager[Any] | None:
        """What gives what the check's session yields, opened if need be; None for a kind without one."""
        session = self._open.get(check.name)
        if session is None or session.check is not check:
            opener = check.session()
            if opener is None:
                return None
            self.forget(check.name)
            session = self._open[check.name] = _Session(check, opener)
        return self._leased(session)

    @asynccontextmanager
    async def _leased(self, session: "_Session") -> AsyncIterator[Any]:
        session.users += 1
        try:
            yield await session.value()
        except BaseException:
            self._drop(session)
            raise
        finally:
            session.users -= 1
            self._let_go(session)

    def forget(self, name: str) -> None:
        """Drop the session of a check that changed or went."""
        if (session := self._open.get(name)) is not None:
            self._drop(session)
            self._let_go(session)

    def forget_all(self) -> None:
        for name in list(self._open):
            self.forget(name)

    def closings(self) -> Iterator[Coroutine[Any, Any, None]]:
        """What is to be awaited, once each, to close what was dropped and is no longer used."""
        while self._unused:
            yield self._unused.pop().close()

    def _drop(self, session: "_Session") -> None:
        if self._open.get(session.check.name) is session:
            del self._open[session.check.name]

    def _let_go(self, session: "_Session") -> None:
        if session.users == 0 and self._open.get(session.check.name) is not session:
            self._unused.append(session)


class _Session:
    def __init__(self, check: Check, opener: AbstractAsyncContextManager[Any]) -> None:
        self.check = check
        self.users = 0
        self._opener: AbstractAsyncContextManager[Any] | None = opener
        self._opening = asyncio.Lock()
        self._open = AsyncExitStack()
        self._is_open = False
        self._value: Any = None

    async def value(self) -> Any:
        async with self._opening:
            if not self._is_open:
                # Who waited while it failed to open for another tries anew: an opener can be entered only once.
                opener, self._opener = self._opener or self.check.session(), None
                if opener is not None:
                    self._value = await self._open.enter_async_context(opener)
                self._is_open = True
        return self._value

    async def close(self) -> None:
        await self._open.aclose()
