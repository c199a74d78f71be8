"""A stage for the agent: lamps that work or fail as a story wants, on simulated time or on real."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import cached_property
from threading import Event
from typing import Any, ClassVar

from probe.agent import Agent
from probe.check import Check, Run
from probe.config import Config
from probe.model import Limit, gauge
from probe.runner import Runner
from tests.simulated import SimulatedLoop, simulate


class Lamp(Check, kind="lamp"):
    """It shines, or fails with its `trouble`."""

    trouble: ClassVar[dict[str, Exception]] = {}
    """By name."""
    held: ClassVar[dict[str, asyncio.Event]] = {}
    """By name: the run goes on when this is set."""

    class metrics:
        watts = gauge("What it takes.")

    async def run(self, run: Run) -> None:
        await asyncio.sleep(0.01)
        if (held := self.held.get(self.name)) is not None:
            await held.wait()
        run.emit(self.metrics.watts, 40)
        if (trouble := self.trouble.get(self.name)) is not None:
            raise trouble


class Candle(Lamp, kind="candle"):
    """Another kind with the same numbers."""


class Postcard(Check, kind="postcard"):
    """Its results arrive."""

    passive = True


class Ponderous(Lamp, kind="ponderous"):
    """Takes its time to say what its limits are, as ten thousand checks do."""

    go_on: ClassVar[Event] = Event()
    asked: ClassVar[Event] = Event()

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        self.asked.set()
        self.go_on.wait(10)
        return ()


def lamp(name: str, **fields: Any) -> Lamp:
    """One that is written as in a config."""
    return Lamp(name=name, **fields)


def postcard(name: str, **fields: Any) -> Postcard:
    """The same for what arrives."""
    return Postcard(name=name, **fields)


def config(*checks: Check) -> Config:
    return Config({check.name: check for check in checks})


def on_stage(story: Callable[[Agent, SimulatedLoop], Coroutine[Any, Any, None]], *checks: Check) -> None:
    """Play a story on simulated time with an agent that runs these checks; it is stopped in the end."""
    loop = SimulatedLoop()

    async def play() -> None:
        agent = Agent(config(*checks), clock=loop.clock)
        await agent.start()
        try:
            await story(agent, loop)
        finally:
            await agent.stop()

    simulate(play(), loop)


async def until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait, on simulated time or on real. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # what is waited for says nothing of itself
            await asyncio.sleep(0.01)


def text_of(agent: Agent, check: str) -> str:
    """The exposition of one check."""
    return b"".join(lines for _, lines in agent.rendered[check].parts).decode()


def runner_of(agent: Agent) -> Runner:
    return agent._runner
