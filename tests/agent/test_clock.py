"""The whole agent while its clocks step, its machine sleeps, or its process is stopped."""

import asyncio
from pathlib import Path
from random import Random

from probe.agent import Agent
from probe.model import Health, Reason
from probe.state.store import encode, restored, write
from tests.agent.moody import Moody, moody
from tests.agent.stage import Lamp, lamp, on_stage, postcard
from tests.simulated import SimulatedLoop

HOUR = 3600.0
LATE = 0.05
"""Seconds by which a start may be late: those of its slot start in groups."""

NOTICED = 1.0
"""Seconds within which a step of a clock is noticed."""


def some(count: int, interval: float) -> list[Moody]:
    return [moody(f"well{number}", interval=f"{interval:g}s") for number in range(count)]


def test_a_wall_clock_that_steps_an_hour_back_and_forth_changes_no_verdict_and_loses_no_run() -> None:
    """What a step jumps over is made up for half an interval from the slots, which stay where they were."""
    chance = Random(1)
    steps = 20

    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        began = loop.time()
        await asyncio.sleep(60)
        agent.changes.clear()
        for _ in range(steps):
            loop.step_wall(chance.choice([HOUR, -HOUR]))
            await asyncio.sleep(chance.uniform(10, 100))
            starting = agent.board["starting"].health
            assert starting is (Health.UNKNOWN if loop.time() < began + 600 else Health.UNHEALTHY), "for ten minutes"
            durations = [past.duration for state in agent.board for past in state.strip]
            assert 0 <= min(durations) <= max(durations) < 5 + LATE, "as long as it took, not an hour more or less"
        elapsed = loop.time() - began
        for name in (*(f"well{number}" for number in range(50)), "hanging"):
            pace, state = Moody.paces[name], agent.board[name]
            assert 7.5 - LATE < pace.shortest <= pace.longest < 1.5 * 15 + NOTICED + LATE
            assert elapsed // 15 <= pace.runs <= elapsed // 15 + 1 + steps
            assert state.tally.count in (pace.runs, pace.runs - 1)
            assert 0 <= loop.wall() - list(state.strip)[-1].at < 1.5 * 15 + NOTICED + 5 + LATE, "by the clock as it is"
            assert name == "hanging" or state.last_success_at == list(state.strip)[-1].at
        assert agent.board["letter"].result is None, "nor is an hour over for what is waited for"
        assert {change.check for change in agent.changes} == {"starting"}, "what fails is told all the same"
        assert agent.figures.clock_steps == steps
        assert agent.figures.skipped == 0

    on_stage(
        story,
        *some(50, 15),
        moody("hanging", "hanging", interval="15s"),
        moody("starting", "broken", interval="1s", timeout="1s", start_period="10m"),
        postcard("letter", interval="40m"),
    )


def test_a_machine_that_slept_goes_on_where_it_was() -> None:
    """Asleep, its monotonic clock stands still; the wall clock is a day ahead when it wakes."""

    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        await asyncio.sleep(100)
        agent.changes.clear()
        runs = {name: pace.runs for name, pace in Moody.paces.items()}
        loop.step_wall(24 * HOUR)
        assert agent.late < LATE, "it does not call itself ill"
        await asyncio.sleep(1)
        assert sum(Moody.paces[name].runs - before for name, before in runs.items()) < 30, "no burst"
        await asyncio.sleep(15)
        assert {Moody.paces[name].runs - before for name, before in runs.items()} <= {1, 2, 3}, "none forgotten"
        assert {Moody.paces[f"rare{number}"].runs - runs[f"rare{number}"] for number in range(10)} == {1}
        healths = {state.check: state.health for state in agent.board}
        assert healths.pop("letter") is Health.UNKNOWN
        assert {*healths.values()} == {Health.HEALTHY}
        assert all(loop.wall() - agent.board[name].last_success_at < 16 for name in healths)
        assert not agent.changes
        assert agent.figures.clock_steps == 1

    rare = [moody(f"rare{number}", interval="24h") for number in range(10)]
    on_stage(story, *some(90, 15), *rare, postcard("letter", interval="1h"))


def test_a_process_that_was_stopped_for_an_hour_blames_nobody() -> None:
    """Both clocks went on; the deadlines of the runs in flight passed, and their answers are read only now."""

    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        await asyncio.sleep(60)
        agent.changes.clear()
        for _ in range(3):
            await asyncio.sleep(61.7)
            assert agent.figures.in_flight > 0
            before = agent.figures.starts
            loop.stall(HOUR)
            await asyncio.sleep(1)
            assert agent.figures.starts - before < 60, "no burst of what was missed"
            assert agent.late < 1
        await asyncio.sleep(30)
        assert [state.tally.runs for state in agent.board if any(state.tally.runs[1:])] == []
        assert {state.health for state in agent.board} == {Health.HEALTHY}
        assert not agent.changes

    on_stage(story, *some(100, 15), *(moody(f"slow{number}", "slow", interval="15s") for number in range(100)))


def test_an_agent_that_comes_back_under_a_clock_set_back_goes_on(tmp_path: Path) -> None:
    """What was kept lies an hour ahead then; runs count all the same, and verdicts wait for runs of their needs."""

    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        await asyncio.sleep(100)
        Lamp.trouble["fuse"] = Lamp.trouble["hall"] = ConnectionRefusedError()
        await asyncio.sleep(60)
        Lamp.trouble.clear()
        await asyncio.sleep(60)
        write(tmp_path, encode(agent.board, loop.time(), loop.wall()))
        loop.step_wall(-HOUR)
        heir = Agent(agent.config, clock=loop.clock)
        heir.restore(restored(tmp_path, heir.board, loop.time(), loop.wall()))
        await heir.start()
        try:
            await asyncio.sleep(45)
            assert heir.board["hall"].tally.count == agent.board["hall"].tally.count
            Lamp.trouble["hall"] = ConnectionRefusedError()
            await asyncio.sleep(15)
            hall = heir.board["hall"]
            assert (hall.health, hall.verdict.reason, hall.roots) == (Health.UNHEALTHY, Reason.CONNECT, ())
            assert heir.board["fuse"].settled > hall.settled, "the need was asked, and is well"
        finally:
            await heir.stop()

    on_stage(story, lamp("fuse", interval="1h"), lamp("hall", interval="15s", needs=("fuse",), failure_threshold=1))
