"""Days of the whole agent in a minute: nothing is lost, and nothing stays of what is over."""

import asyncio
import gc
import logging
import os
import threading
import tracemalloc
from itertools import count
from random import Random

import pytest

from probe.agent import Agent
from probe.check import Check
from probe.model import Health, Reason
from tests.agent.grid import due_runs, slots
from tests.agent.moody import Mood, Moody, moody
from tests.agent.stage import config, on_stage, postcard, runner_of
from tests.simulated import STARTED_AT, SimulatedLoop

HOUR = 3600.0
DAY = 24 * HOUR
LATE = 0.05
"""Seconds by which a start may be late: those of its slot start in groups."""


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Days of flapping are told in so many lines that pytest, who keeps them, would seem to leak."""
    caplog.set_level(logging.CRITICAL, "probe")


def counts(agent: Agent, name: str) -> dict[Reason, int]:
    """How many runs of a check counted, by the reasons that there were."""
    return {reason: count for reason, count in zip(Reason, agent.board[name].tally.runs, strict=True) if count}


def holdings() -> tuple[int, int, int]:
    """Asyncio tasks, file descriptors and threads."""
    return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd")), threading.active_count()


def traced() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def forty_nine() -> list[Moody]:
    """Many that are frequent, and some that are rare; some fail, hang, or need one that does."""
    seconds = [15, 30, *[60] * 6, *[300] * 12, *[900] * 12, *[3600] * 11, *[86400] * 6]
    moods: dict[int, Mood] = {3: "flapping", 5: "slow", 6: "hanging", 7: "stubborn", 8: "broken", 20: "hanging"}
    needs = {4: ("c3",), 9: ("c8",), 10: ("c9", "c3"), 32: ("c20",)}
    return [
        moody(f"c{number}", moods.get(number, "well"), interval=f"{interval}s", needs=needs.get(number, ()))
        for number, interval in enumerate(seconds)
    ]


def test_seventy_two_hours_of_fifty_checks_lose_no_run_and_leak_nothing() -> None:
    checks = forty_nine()

    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        await asyncio.sleep(25 * HOUR + 7)
        early = holdings()
        await asyncio.sleep(42 * HOUR)
        tracemalloc.start()
        await asyncio.sleep(3 * HOUR)  # what was there before gives way to what is counted
        before = traced()
        await asyncio.sleep(2 * HOUR)
        assert traced() - before < 30_000, "of 1,900 runs, not even sixteen bytes each"
        tracemalloc.stop()
        assert holdings() == early
        assert_that_all_ran(agent, checks, loop.wall())
        assert counts(agent, "silent") == {Reason.UNHEALTHY: (72 * HOUR + 7 - 5) // 600}
        assert agent.figures.skipped == 0
        assert agent.figures.abandoned == Moody.paces["c7"].runs

    on_stage(story, *checks, postcard("silent", interval="10m", timeout="5s"))
    assert Moody.open_links == set()


def assert_that_all_ran(agent: Agent, checks: list[Moody], now: float) -> None:
    """Each as often as the grid says, neither doubled nor late, and each run counted for what it was."""
    needed = {need for check in checks for need in check.needs}
    for check in checks:
        pace, due = Moody.paces[check.name], due_runs(check.name, check.interval, STARTED_AT, now)
        assert pace.longest < check.interval + LATE
        assert agent.board[check.name].tally.count == due
        assert pace.runs == due or (check.name in needed and pace.runs > due), "needs also run to confirm"
        assert Moody.paces[f"{check.name}/usage"].runs == due_runs(f"{check.name}/usage", HOUR, STARTED_AT, now)
        if check.mood in ("hanging", "stubborn"):
            assert counts(agent, check.name) == {Reason.TIMEOUT: due}
        elif check.name not in needed:
            ended = {Reason.OK: pace.runs - pace.broken, Reason.UNHEALTHY: pace.broken}
            assert counts(agent, check.name) == {reason: runs for reason, runs in ended.items() if runs}


def test_intervals_of_a_second_and_of_a_day_are_kept_side_by_side() -> None:
    """The frequent ones are there whenever the rare ones are due, and spared us in between."""
    frequent = [moody(f"every{interval}", interval=f"{interval}s", timeout="1s") for interval in (1, 7, 15)]
    frequent += [moody("hung1", "hanging", interval="1s", timeout="900ms"), moody("hung7", "hanging", interval="7s")]
    rare = [moody(_due_soon(interval), interval=f"{interval}s") for interval in (3600, 43200, 86400)]

    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        for days in range(1, 4):
            appeared = loop.wall()
            await agent.reload(config(*frequent, *rare))
            await asyncio.sleep(300)
            for check in frequent:
                pace = Moody.paces.pop(check.name)
                assert pace.runs == due_runs(check.name, check.interval, appeared, loop.wall())
                assert (pace.shortest, pace.longest) == pytest.approx((check.interval, check.interval), abs=LATE)
            for check in rare:
                pace = Moody.paces[check.name]
                assert pace.runs == due_runs(check.name, check.interval, STARTED_AT, loop.wall())
                assert slots(check.name, check.interval, appeared, loop.wall()) == 1
                assert pace.longest < check.interval + LATE
            await agent.reload(config(*rare))
            await asyncio.sleep(STARTED_AT + days * DAY - loop.wall())
        assert agent.figures.skipped == 0
        assert agent.figures.delay.largest < LATE

    on_stage(story, *rare)


def _due_soon(interval: int) -> str:
    """A name by which a check is due a minute or two after the simulation begins."""
    names = (f"every{interval}-{number}" for number in count())
    return next(name for name in names if slots(name, interval, STARTED_AT + 60, STARTED_AT + 120))


def test_a_reload_every_minute_under_load_loses_and_doubles_no_run_of_what_stays() -> None:
    chance = Random(4)
    moods: dict[str, Mood] = {"stays": "well", "slow": "slow", "hangs": "hanging", "broken": "broken"}

    def read_anew() -> list[Moody]:
        return [
            moody(f"{name}{number}", mood, interval="15s", needs=("broken1",) if name == "hangs" else ())
            for name, mood in moods.items()
            for number in range(8)
        ]

    staying = read_anew()

    def another(number: int) -> list[Check]:
        """Some are new, some are gone, some have other thresholds, and most are the same."""
        passing = [
            moody(f"passes{at}", chance.choice(["well", "broken"]), interval=chance.choice(["10s", "1h"]))
            for at in range(number, number + 8)
        ]
        changing = [moody(f"changes{at}", interval="15s", failure_threshold=1 + number % 3) for at in range(8)]
        return chance.sample([*read_anew(), *changing, *passing], 48)

    def verdicts(agent: Agent) -> list[tuple[Health, float, tuple[str, ...]]]:
        states = [agent.board[check.name] for check in staying]
        return [(state.health, state.since_at, state.roots) for state in states]

    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        await asyncio.sleep(60)
        early, in_flight = verdicts(agent), 0
        for number in range(30):
            before = {state.check: state.tally.count for state in agent.board}
            in_flight += sum(runner_of(agent).is_busy(check.name) for check in staying)
            await agent.reload(config(*another(number)))
            kept = before.keys() & agent.board.checks.keys()
            assert [name for name in kept if agent.board[name].tally.count < before[name]] == []
            await asyncio.sleep(chance.uniform(55, 65))
        assert in_flight > 80, "there was load, and these runs are counted"
        assert verdicts(agent) == early
        for check in staying:
            due = due_runs(check.name, 15, STARTED_AT, loop.wall())
            assert Moody.paces[check.name].longest < 15 + LATE
            assert agent.board[check.name].tally.count == due - runner_of(agent).is_busy(check.name)
            assert Moody.paces[check.name].runs == due or check.name == "broken1", "which also ran to confirm"
        assert agent.figures.skipped == 0
        assert {*agent.rendered} == {*agent.board.checks} >= {*runner_of(agent)._memories}
        assert len(Moody.open_links) <= len(agent.board), "what was of a former config is closed when it is left"

    on_stage(story, *staying)
    assert Moody.open_links == set()
