"""`probe run`: the agent, its server, its files and its signals, from start to end."""

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from probe import log
from probe.agent.agent import Agent
from probe.agent.following import Following
from probe.agent.garbage import Garbage
from probe.agent.keeping import Keeping
from probe.check import Check
from probe.config import Config, Web
from probe.exporter import agent_registry
from probe.model import SYSTEM_CLOCK
from probe.scheduler import Signals, Watchdog
from probe.server import CannotListen, Snapshot, make_app, serve, tls_context
from probe.state.store import StoreError, restored

VERSION = version("stackprobe")

STANDSTILL = 60.0
"""Seconds by which a slot may be late before the agent calls itself ill."""

SWITCH_INTERVAL = 0.001
"""Seconds until a thread that wants to go on gets its turn. Python's own 5 ms are what the loop would wait for, each
time that it turns, while another thread reads a config or joins a scrape of ten thousand checks."""

_log = logging.getLogger(__name__)


class StartError(Exception):
    """The agent can't start as configured; the message says why and how to mend it."""


@dataclass(frozen=True)
class RunOptions:
    """How the operator started it. `read` reads the config (in a thread; raises ConfigError).

    `web` takes the config's settings and gives those to use. `started` is told the address once it serves.
    """

    read: Callable[[], Config]
    web: Callable[[Web], Web] = lambda web: web
    started: Callable[[str], None] = lambda url: None
    ends_on_hangup: bool = False
    """End when the terminal closes, instead of reading the config again on SIGHUP."""


class AgentView:
    """The agent as its server sees it."""

    def __init__(self, agent: Agent, following: Following) -> None:
        self.version = VERSION
        self.started_at = time.time()
        self.registry = agent_registry(VERSION, agent.figures, lambda: following.reloads)
        self._agent = agent

    def snapshot(self) -> Snapshot:
        agent = self._agent
        return Snapshot(agent.board, agent.rendered, tuple(reversed(agent.changes)), SYSTEM_CLOCK.wall())

    def is_ready(self) -> bool:
        return self._agent.is_ready

    def ailment(self) -> str:
        late = self._agent.late
        return f"the scheduler stands still: a run is {late:.0f} s late" if late > STANDSTILL else ""


async def run_agent(config: Config, options: RunOptions, masking: log.Masking) -> None:
    """Run the agent until SIGTERM or Ctrl-C. Raises StartError when it can't start."""
    stopped = asyncio.Event()
    garbage = Garbage()
    sys.setswitchinterval(SWITCH_INTERVAL)
    async with AsyncExitStack() as ending:
        agent = _agent(config)
        keeping = Keeping(config.state_dir, lambda: agent.board, SYSTEM_CLOCK) if config.state_dir else None

        def read() -> Config:
            with garbage.unsought():
                return options.read()

        async def swap(fresh: Config) -> None:
            if fresh.web != agent.config.web or fresh.state_dir != agent.config.state_dir:
                _log.warning("web and state_dir are read at the start: restart the agent for what changed there")
            with garbage.unsought():
                await asyncio.to_thread(mask, masking, [*agent.config.checks.values(), *fresh.checks.values()])
                await agent.reload(fresh)

        mask(masking, config.checks.values())
        following = Following(config, read, swap)
        watchdog = Watchdog(agent.figures)
        Signals(on_stop=stopped.set, on_reload=stopped.set if options.ends_on_hangup else following.ask).install()
        await _serve(ending, AgentView(agent, following), options.web(config.web), options.started)
        watchdog.start()
        ending.callback(watchdog.stop)
        if keeping is not None:
            ending.callback(keeping.keep_now)
        ending.push_async_callback(agent.stop)
        await agent.start()
        _log.info("%d check%s", len(config.checks), "" if len(config.checks) == 1 else "s")
        beside = [_beside(following.follow(), "following")]
        if keeping is not None:
            beside.append(_beside(keeping.keep(), "keeping"))
            ending.callback(keeping.keep_now)  # before what may hang on the way down, and once more after it
        ending.push_async_callback(_cancel, beside)
        await stopped.wait()
        _log.info("stopping")


def mask(masking: log.Masking, checks: Iterable[Check]) -> None:
    """Mask in the log what is secret in these checks."""
    log.mask(masking, (check.redact for check in checks))


def _agent(config: Config) -> Agent:
    agent = Agent(config)
    if config.state_dir is not None:
        try:
            agent.restore(
                restored(config.state_dir, agent.board, SYSTEM_CLOCK.monotonic(), SYSTEM_CLOCK.wall()),
            )
        except StoreError as error:
            raise StartError(str(error)) from None
    return agent


async def _serve(ending: AsyncExitStack, view: AgentView, web: Web, started: Callable[[str], None]) -> None:
    try:
        tls = tls_context(web.tls.cert, web.tls.key) if web.tls else None
        runner = await serve(make_app(view, web), web.address, tls)
    except CannotListen as error:
        raise StartError(str(error)) from None
    ending.push_async_callback(runner.cleanup)
    host, port = runner.addresses[0][:2]
    started(f"{'https' if web.tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}")


def _beside(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Work that goes on beside the checks. Should a bug end it, the log says so at once."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_landed)
    return task


def _landed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s: a bug has ended it; restart the agent", task.get_name(), exc_info=error)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
