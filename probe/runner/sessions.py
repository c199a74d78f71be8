"""Clients that are dear to build: opened once a check, shared by its runs, thrown away after a failed one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from probe.check import Check


class Sessions:
    """The open sessions, by check name. A session closes when its last user is done with it."""

    def __init__(self) -> None:
        self._open: dict[str, _Session] = {}

    @asynccontextmanager
    async def lease(self, check: Check) -> AsyncIterator[Any]:
        """What the check's session yields, opened if need be; None for a kind without one."""
        session = self._open.get(check.name)
        if session is None or session.check is not check:
            opener = check.session()
            if opener is None:
                yield None
                return
            await self.forget(check.name)
            session = self._open[check.name] = _Session(check, opener)
        session.users += 1
        try:
            yield await session.value()
        except BaseException:
            self._drop(session)
            raise
        finally:
            session.users -= 1
            if session.users == 0 and self._open.get(check.name) is not session:
                await session.close()

    async def forget(self, name: str) -> None:
        """Close the session of a check that changed or went, once nobody uses it."""
        session = self._open.pop(name, None)
        if session is not None and session.users == 0:
            await session.close()

    async def close(self) -> None:
        """Close all of them."""
        for name in list(self._open):
            await self.forget(name)

    def _drop(self, session: "_Session") -> None:
        if self._open.get(session.check.name) is session:
            del self._open[session.check.name]


class _Session:
    def __init__(self, check: Check, opener: AbstractAsyncContextManager[Any]) -> None:
        self.check = check
        self.users = 0
        self._opener = opener
        self._opening = asyncio.Lock()
        self._opened = False
        self._value: Any = None

    async def value(self) -> Any:
        async with self._opening:
            if not self._opened:
                self._value = await self._opener.__aenter__()
                self._opened = True
        return self._value

    async def close(self) -> None:
        if self._opened:
            self._opened = False
            await self._opener.__aexit__(None, None, None)
