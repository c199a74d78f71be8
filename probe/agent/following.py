"""Following the config: what changes on disk is validated first, then swapped in whole, or refused and said."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from probe.config import Config, ConfigError, Source, changed
from probe.exporter import Reloads

LOOK_EVERY = 2.0
"""Seconds between two looks at the files."""

_log = logging.getLogger(__name__)


class Following:
    """Reads the config again when it is asked to, or when a file of it changed."""

    def __init__(self, config: Config, read: Callable[[], Config], swap: Callable[[Config], Awaitable[None]]) -> None:
        """`read` is called in a thread and raises ConfigError; `swap` takes a config that is good."""
        self.reloads = Reloads(ok=1, in_force_since=time.time())
        self._read = read
        self._swap = swap
        self._sources: tuple[Source, ...] = config.sources
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Read the config again soon, changed or not (SIGHUP)."""
        self._asked.set()

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            asked = await self._is_asked_within(LOOK_EVERY)
            if await asyncio.to_thread(changed, self._sources) or asked:
                await self._reload()

    async def _is_asked_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._asked.wait(), seconds)
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    async def _reload(self) -> None:
        former = self.reloads
        try:
            config = await asyncio.to_thread(self._read)
        except ConfigError as error:
            self._sources = error.sources
            self.reloads = Reloads(former.ok, former.failed + 1, False, former.in_force_since)
            _log.error("the config is bad and the former one stays in force:\n%s", error)
            return
        await self._swap(config)
        self._sources = config.sources
        self.reloads = Reloads(former.ok + 1, former.failed, True, time.time())
        _log.info("the config was read again: %d checks", len(config.checks))
