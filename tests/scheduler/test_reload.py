import asyncio
from contextlib import suppress
from itertools import pairwise

import pytest

from tests.scheduler.stage import Scripted, Stage, checks, hangs_until_timeout, on_stage


def test_a_reload_keeps_the_phase_of_what_stays() -> None:
    reloaded_at: list[float] = []

    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("stays", "goes", interval="15s"))
        await asyncio.sleep(100)
        await stage.scheduler.replace(checks("stays", "comes", interval="15s"))
        reloaded_at.append(stage.loop.time())
        await asyncio.sleep(100)

    stage = on_stage(story)
    before = {start.check for start in stage.starts if start.monotonic < reloaded_at[0]}
    after = {start.check for start in stage.starts if start.monotonic > reloaded_at[0]}
    assert (before, after) == ({"stays", "goes"}, {"stays", "comes"})
    assert all(later - earlier == pytest.approx(15, abs=0.01) for earlier, later in pairwise(stage.of("stays")))


def test_a_new_check_first_runs_within_fifteen_seconds() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("old", interval="1h"))
        await asyncio.sleep(100)
        await stage.scheduler.replace(checks("old", "new", interval="1h"))
        await asyncio.sleep(15)

    stage = on_stage(story)
    assert len(stage.of("old")) == 1
    assert len(stage.of("new")) == 1


def test_of_a_check_that_went_nothing_is_folded_any_more() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("goes", "stays", interval="15s"))
        await stage.started(2)
        await stage.scheduler.replace(checks("stays", interval="15s"))
        await asyncio.sleep(0.1)
        assert stage.scheduler.figures.in_flight == 1
        await asyncio.sleep(14)

    async def takes_a_whole_interval(check: str) -> None:
        await asyncio.sleep(14.9)

    stage = on_stage(story, takes_a_whole_interval)
    assert {start.check for start in stage.starts} == {"goes", "stays"}
    assert {result.check for result in stage.folded} == {"stays"}


def test_a_run_that_answers_its_cancellation_is_not_folded_either() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("goes", interval="15s"))
        await stage.started(1)
        await stage.scheduler.replace({})
        await asyncio.sleep(1)
        assert stage.scheduler.figures.in_flight == 0

    async def answers_its_cancellation(check: str) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(5)

    assert on_stage(story, answers_its_cancellation).folded == []


def test_a_check_that_changed_is_run_anew_and_keeps_its_phase() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start({"db": Scripted(name="db", interval="1h")})
        await asyncio.sleep(100)
        await stage.scheduler.replace({"db": Scripted(name="db", interval="1h", note="another password")})
        await asyncio.sleep(7200)

    stage = on_stage(story)
    first, changed, *slots = stage.of("db")
    assert changed - first < 116
    assert len(slots) == 2
    assert slots[0] - first < 3600
    assert slots[1] - slots[0] == pytest.approx(3600)


def test_a_changed_check_whose_former_run_ignores_its_cancellation_waits_for_that() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start({"db": Scripted(name="db", interval="1h")})
        await asyncio.sleep(20)
        stage.strays.add("db")
        await stage.scheduler.replace({"db": Scripted(name="db", interval="1h", note="another password")})
        await asyncio.sleep(60)
        assert len(stage.of("db")) == 1
        stage.strays.clear()
        await asyncio.sleep(1)

    stage = on_stage(story)
    assert len(stage.of("db")) == 2


def test_a_reload_of_ten_thousand_checks_lets_the_loop_turn() -> None:
    turns: list[float] = []

    async def story(stage: Stage) -> None:
        names = [f"check-{number}" for number in range(10_000)]
        await stage.scheduler.start(checks(*names, interval="15s"))
        reloading = asyncio.ensure_future(stage.scheduler.replace(checks(*names, interval="30s")))
        while not reloading.done():
            turns.append(stage.loop.time())
            await asyncio.sleep(0)

    on_stage(story, hangs_until_timeout)
    assert len(turns) > 500
