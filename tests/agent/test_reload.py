"""Another config, swapped in whole while the checks run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from probe.agent import Agent
from probe.check import Check, Unhealthy
from probe.model import Health
from tests.agent.stage import Candle, Lamp, Ponderous, config, lamp, runner_of, text_of, until


@asynccontextmanager
async def running(*checks: Check) -> AsyncIterator[Agent]:
    agent = Agent(config(*checks))
    await agent.start()
    try:
        yield agent
    finally:
        await agent.stop()


async def begun(agent: Agent, name: str) -> None:
    """A run of the check is under way."""
    agent._scheduler.confirm(name)
    await until(lambda: runner_of(agent).is_busy(name))


async def test_a_reload_keeps_history_and_takes_labels_and_limits_at_once() -> None:
    async with running(lamp("hall", interval="1s"), lamp("attic", interval="1h")) as agent:
        await until(lambda: agent.board["hall"].result is not None)
        before = agent.board["hall"]
        await agent.reload(config(lamp("hall", interval="1h", labels={"floor": "1"}, warn={"watts": "> 30"})))
        hall = agent.board["hall"]
        assert hall.tally.count >= before.tally.count
        assert hall.last_success_at >= before.last_success_at > 0
        assert (hall.health, hall.verdict.reason) == (Health.DEGRADED, "limit")
        assert 'probe_lamp_watts{check="hall",kind="lamp",floor="1"} 40.0\n' in text_of(agent, "hall")
        assert [*agent.rendered] == ["hall"], "nothing of the attic is left"


async def test_a_reload_removes_and_adds_checks() -> None:
    async with running(lamp("hall", interval="1s"), lamp("attic", interval="1s")) as agent:
        await until(lambda: agent.is_ready)
        await agent.reload(config(lamp("cellar", interval="1s"), lamp("hall", interval="1s")))
        assert [state.check for state in agent.board] == ["cellar", "hall"]
        assert not agent.is_ready
        assert sorted(agent.rendered) == ["cellar", "hall"]
        await until(lambda: agent.is_ready)


async def test_a_check_that_becomes_another_kind_begins_anew() -> None:
    async with running(lamp("hall", interval="1s")) as agent:
        await until(lambda: agent.is_ready)
        await agent.reload(config(Candle(name="hall")))
        assert (agent.board["hall"].result, agent.board["hall"].tally.count) == (None, 0)
        assert "probe_lamp_watts" not in text_of(agent, "hall")


async def test_results_that_end_while_a_reload_swaps_are_folded_afterwards() -> None:
    hall = lamp("hall", interval="1h")
    Lamp.held["hall"] = asyncio.Event()
    async with running(hall) as agent:
        await begun(agent, "hall")
        reload = asyncio.create_task(agent.reload(config(hall, Ponderous(name="slow"))))
        await asyncio.to_thread(Ponderous.asked.wait, 5)
        Lamp.held["hall"].set()
        await until(lambda: not runner_of(agent).is_busy("hall"))
        await asyncio.sleep(0.05)
        assert agent.board["hall"].result is None, "the board stands still while it is swapped"
        Ponderous.go_on.set()
        await reload
        assert agent.board["hall"].health is Health.HEALTHY
        assert 'probe_success{check="hall",kind="lamp"} 1.0\n' in text_of(agent, "hall")


async def test_a_run_of_the_former_kind_that_began_while_a_reload_swapped_is_not_folded() -> None:
    Lamp.trouble["hall"] = Unhealthy("dark")
    async with running(lamp("hall", interval="1h")) as agent:
        reload = asyncio.create_task(agent.reload(config(Candle(name="hall"), Ponderous(name="slow"))))
        await asyncio.to_thread(Ponderous.asked.wait, 5)
        await begun(agent, "hall")
        await until(lambda: not runner_of(agent).is_busy("hall"))
        Ponderous.go_on.set()
        await reload
        assert agent.board["hall"].result is None


async def test_of_a_check_that_became_another_kind_meanwhile_nothing_is_folded_any_more() -> None:
    Lamp.held["hall"] = asyncio.Event()
    Lamp.trouble["hall"] = Unhealthy("dark")
    async with running(lamp("hall", interval="1h")) as agent:
        await begun(agent, "hall")
        reload = asyncio.create_task(agent.reload(config(Candle(name="hall"), Ponderous(name="slow"))))
        await asyncio.to_thread(Ponderous.asked.wait, 5)
        Lamp.held["hall"].set()
        await until(lambda: not runner_of(agent).is_busy("hall"))
        Ponderous.go_on.set()
        await reload
        assert agent.board["hall"].result is None
        assert "probe_lamp_watts" not in text_of(agent, "hall")
