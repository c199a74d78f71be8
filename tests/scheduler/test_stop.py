import asyncio

import pytest

from probe.scheduler.plan import slot_of
from tests.scheduler.stage import Stage, checks, on_stage

TOGETHER = [f"check-{number}" for number in range(5000) if slot_of(f"check-{number}", 15.0).offset == 0][:2]


def test_runs_that_end_in_the_grace_are_folded_and_nothing_starts_any_more() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks(*TOGETHER, interval="15s"))
        await stage.started(2)
        asked = stage.loop.time()
        await stage.scheduler.stop()
        assert stage.loop.time() - asked < 4
        assert {result.check for result in stage.folded} == set(TOGETHER)
        assert not stage.scheduler.confirm(TOGETHER[0])
        stage.scheduler.retry(TOGETHER[0], asked)
        await stage.scheduler.replace(checks("late", interval="15s"))
        await asyncio.sleep(100)
        assert len(stage.starts) == 2

    async def answers_in_three_seconds(check: str) -> None:
        await asyncio.sleep(3)

    on_stage(story, answers_in_three_seconds)


def test_runs_that_hang_are_cancelled_after_the_grace() -> None:
    async def hangs(check: str) -> None:
        await asyncio.sleep(3600)

    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks(*(f"hung-{number}" for number in range(500)), interval="2h"))
        await asyncio.sleep(16)
        assert stage.scheduler.figures.in_flight == 500
        asked = stage.loop.time()
        await stage.scheduler.stop()
        assert stage.loop.time() - asked == pytest.approx(5, abs=0.01)

    stage = on_stage(story, hangs)
    assert stage.scheduler.figures.in_flight == 0
    assert stage.folded == []
