"""Following the config: what changes on disk is validated first, then swapped in whole, or refused and said."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from probe.config import Config, ConfigError, Source, changed
from probe.exporter import Reloads

LOOK_EVERY = 2.0
"""Seconds between two looks at the files."""

RETRY_AFTER = 60.0
"""Seconds until the next look after an error that says nothing of the config: no memory, no thread, no folder."""

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
        self._told = ""
        """The last error that was no ConfigError, until the config was read again."""

    def ask(self) -> None:
        """Read the config again soon, changed or not (SIGHUP)."""
        self._asked.set()

    async def follow(self) -> None:
        """Until cancelled, whatever reading the files and swapping the config may raise."""
        while True:
            asked = await self._is_asked_within(RETRY_AFTER if self._told else LOOK_EVERY)
            [error] = await asyncio.gather(self._look(asked=asked), return_exceptions=True)
            if isinstance(error, ConfigError):
                self._refuse(error)
            elif error is not None:
                self._refuse_for_now(error)

    async def _is_asked_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._asked.wait(), seconds)
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    async def _look(self, *, asked: bool) -> None:
        if not (await asyncio.to_thread(changed, self._sources) or asked or self._told):
            return
        config = await asyncio.to_thread(self._read)
        await self._swap(config)
        self._sources, self._told = config.sources, ""
        self.reloads = replace(self.reloads, ok=self.reloads.ok + 1, last_is_ok=True, in_force_since=time.time())
        _log.info("the config was read again: %d checks", len(config.checks))

    def _refuse(self, error: ConfigError) -> None:
        _log.error("the config is bad and the former one stays in force:\n%s", error)
        self._sources, self._told = error.sources, ""
        self.reloads = replace(self.reloads, failed=self.reloads.failed + 1, last_is_ok=False)

    def _refuse_for_now(self, error: BaseException) -> None:
        """Say it once, and not in the error's own words: they may quote a secret that the log does not know yet."""
        why = error.strerror.lower() if isinstance(error, OSError) and error.strerror else type(error).__name__
        if why != self._told:
            _log.error(
                "the config can't be read again (%s) and the former one stays in force; `probe validate` may tell more",
                why,
            )
        self._told = why
        self.reloads = replace(self.reloads, failed=self.reloads.failed + 1, last_is_ok=False)
