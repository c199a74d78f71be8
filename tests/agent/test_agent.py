"""Runs are folded into the board, and a failure is explained, on simulated time."""

import asyncio
import logging

import pytest

from probe.agent import Agent
from probe.check import Unhealthy, Unreachable
from probe.model import Health, Reason, Result
from tests.agent.stage import Lamp, config, lamp, on_stage, postcard, text_of, until
from tests.simulated import SimulatedLoop


def test_runs_are_folded_rendered_and_told(caplog: pytest.LogCaptureFixture) -> None:
    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        assert not agent.is_ready
        assert "probe_success" not in text_of(agent, "hall")
        await asyncio.sleep(31)
        assert agent.is_ready
        assert {state.check: state.health for state in agent.board} == {"hall": Health.HEALTHY, "attic": Health.HEALTHY}
        assert 'probe_success{check="hall",kind="lamp"} 1.0\n' in text_of(agent, "hall")
        assert 'probe_lamp_watts{check="hall",kind="lamp"} 40.0\n' in text_of(agent, "hall")
        Lamp.trouble["hall"] = Unhealthy("it flickers")
        await asyncio.sleep(45)
        assert agent.board["hall"].health is Health.UNHEALTHY
        assert 'probe_runs_total{check="hall",kind="lamp",reason="unhealthy"} 3.0\n' in text_of(agent, "hall")
        assert [str(change.after.health) for change in agent.changes] == ["healthy", "healthy", "unhealthy"]

    with caplog.at_level(logging.INFO, "probe.agent"):
        on_stage(story, lamp("hall"), lamp("attic"))
    assert sorted(caplog.messages[:2]) == ["attic: unknown -> healthy", "hall: unknown -> healthy"]
    assert caplog.messages[2:] == ["hall: healthy -> unhealthy (unhealthy): it flickers"]


def test_a_failed_need_is_confirmed_at_once_and_named_as_the_cause(caplog: pytest.LogCaptureFixture) -> None:
    """The fuse would be asked an hour later; the lamp's failure waits for one more run of it, and no longer."""

    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        await asyncio.sleep(20)
        runs_before = agent.board["fuse"].tally.count
        for name in ("fuse", "lamp"):
            Lamp.trouble[name] = Unreachable(f"no current in the {name}")
        await until(lambda: agent.board["lamp"].health is Health.UNHEALTHY, 15)
        lamp, fuse = agent.board["lamp"], agent.board["fuse"]
        assert (lamp.verdict.reason, lamp.roots) == ("connect", ("fuse",))
        assert (fuse.health, fuse.roots) == (Health.UNHEALTHY, ())
        assert lamp.began < fuse.began < loop.time() < lamp.began + 0.1
        assert fuse.tally.count == runs_before, "a confirmation counts in no total"
        assert 'probe_caused_by{check="lamp",kind="lamp",cause="fuse"} 1.0\n' in text_of(agent, "lamp")

    with caplog.at_level(logging.WARNING, "probe.agent"):
        on_stage(
            story,
            lamp("fuse", interval="1h"),
            lamp("lamp", interval="10s", needs=("fuse",), failure_threshold=1),
        )
    assert caplog.messages == [
        "fuse: healthy -> unhealthy (connect): no current in the fuse",
        "lamp: healthy -> unhealthy (connect): no current in the lamp; caused by fuse",
    ]


def test_a_failed_run_is_repeated_after_retry_interval_until_it_is_unhealthy() -> None:
    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        await asyncio.sleep(61)
        Lamp.trouble["hall"] = Unhealthy("dark")
        began: list[float] = []
        while len(began) < 4:
            await asyncio.sleep(0.1)
            if (state := agent.board["hall"]).result and not state.result.ok and state.began not in began:
                began.append(state.began)
        first, second, third, fourth = began
        assert (second - first, third - second) == pytest.approx((5, 5), abs=0.1)
        assert fourth - first == pytest.approx(60, abs=0.1), "once it is unhealthy, its slot is soon enough"

    on_stage(story, lamp("hall", interval="1m", retry_interval="5s"))


def test_a_passive_check_that_hears_nothing_is_unhealthy_and_keeps_nobody_waiting() -> None:
    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        assert not agent.is_ready
        await asyncio.sleep(16)
        assert agent.is_ready, "nobody asks a postcard to come"
        assert agent.board["mail"].health is Health.UNKNOWN
        await asyncio.sleep(60)
        mail = agent.board["mail"]
        assert (mail.health, mail.verdict.message) == (Health.UNHEALTHY, "nothing heard for 1m 5s")

    on_stage(story, lamp("hall"), postcard("mail", interval="1m"))


def test_a_passive_check_that_falls_silent_is_unhealthy_after_one_silence() -> None:
    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        await asyncio.sleep(30)
        now = loop.time()
        result = Result("mail", Reason.OK, at=loop.wall(), began=now, ended=now)
        agent._run_ended(agent.config.checks["mail"], result, counted=True)
        agent._scheduler.heard("mail", now)
        await asyncio.sleep(64)
        assert agent.board["mail"].health is Health.HEALTHY
        await asyncio.sleep(2)
        mail = agent.board["mail"]
        assert (mail.health, mail.verdict.message) == (Health.UNHEALTHY, "nothing heard for 1m 5s")

    on_stage(story, postcard("mail", interval="1m"))


def test_what_ends_in_the_grace_is_folded_and_what_does_not_is_cancelled() -> None:
    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        Lamp.held |= {"slow": asyncio.Event(), "hung": asyncio.Event()}
        await asyncio.sleep(16)
        assert agent.figures.in_flight == 2
        loop.call_later(3, Lamp.held["slow"].set)
        asked = loop.time()
        await agent.stop()
        assert loop.time() - asked == pytest.approx(5, abs=0.1)
        assert agent.board["slow"].health is Health.HEALTHY
        assert agent.board["hung"].result is None

    on_stage(
        story,
        *(lamp(name, interval="1h", timeout="10m") for name in ("slow", "hung")),
    )


def test_the_scheduler_is_late_only_when_it_stands_still() -> None:
    async def story(agent: Agent, loop: SimulatedLoop) -> None:
        await asyncio.sleep(60)
        assert agent.late < 0.1
        loop.stall(90)
        assert agent.late > 60

    on_stage(story, lamp("hall"))


def test_reasons_that_no_run_had_are_zero_from_the_beginning() -> None:
    agent = Agent(config(lamp("hall")))
    for reason in Reason:
        assert f'probe_runs_total{{check="hall",kind="lamp",reason="{reason}"}} 0.0\n' in text_of(agent, "hall")
