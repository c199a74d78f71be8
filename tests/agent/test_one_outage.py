"""The simulator's histories, played by the real agent: its schedule, runs and deadlines, not only its fold."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from random import Random
from typing import ClassVar

import pytest

from probe.agent import Agent
from probe.check import Run, Unreachable
from probe.config import Config
from probe.state import Board
from tests.simulated import SimulatedLoop, simulate
from tests.state.findings import SETTLES_IN, Findings, findings
from tests.state.histories import History, Shape, chain, diamonds, tangle
from tests.state.onlooker import Onlooker, unwell
from tests.state.operator import Needs
from tests.state.simulator import Truth
from tests.state.stories import Scripted

HISTORIES = 25


class Acting(Scripted, kind="acting"):
    """Does what the truth says at this second of the story."""

    truth: ClassVar[Truth] = {}
    began_at: ClassVar[float] = 0.0

    @property
    def active_surveys(self) -> tuple[str, ...]:
        return ()

    async def run(self, run: Run) -> None:
        now = asyncio.get_running_loop().time() - self.began_at
        trouble = next((one for one in self.truth.get(self.name, ()) if one.begins <= now < one.ends), None)
        if trouble is not None and trouble.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(0.05)
        if trouble is not None:
            raise Unreachable("refused")


def acting(checks: Mapping[str, Scripted]) -> Config:
    """The same checks, acting."""
    return Config({name: Acting(name=name).model_copy(update=dict(check)) for name, check in checks.items()})


def played(history: History) -> tuple[Board, Onlooker]:
    """What the agent made of it, and what was noted of that, second by second."""
    loop, noted = SimulatedLoop(), Onlooker()
    Acting.truth, Acting.began_at = history.truth, loop.time()
    (_, first), *others = history.configs

    async def story() -> Board:
        agent = Agent(acting(first), clock=loop.clock)
        await agent.start()
        for second in range(int(history.over + SETTLES_IN)):
            await asyncio.sleep(1)
            while others and others[0][0] <= second:
                await agent.reload(acting(others.pop(0)[1]))
            for state in agent.board:
                noted.look(state, second, optional=agent.board.checks[state.check].optional)
            if second > history.over and not unwell(agent.board):
                break
        await agent.stop()
        noted.end(second)
        return agent.board

    return simulate(story(), loop), noted


@pytest.mark.parametrize("shape", [chain, diamonds, tangle])
def test_one_outage_is_one_incident_of_the_whole_agent(
    shape: Callable[[Random], Needs], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "probe")
    for number in range(HISTORIES):
        history = History(Shape(shape, optional=True, reloads=True), number)
        found = findings(history, *played(history))
        assert found == Findings(trackless=found.trackless), f"history {number}"
