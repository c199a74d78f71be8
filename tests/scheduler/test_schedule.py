"""When checks run. Days of it, and thousands of checks, are played by the whole agent (tests/agent)."""

import asyncio
from itertools import pairwise

import pytest

from probe.scheduler.plan import slot_of
from tests.scheduler.stage import Stage, Surveyed, checks, on_stage


def test_every_check_runs_once_an_interval_at_its_own_phase() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("api", "db", "cache", interval="15s"))
        await asyncio.sleep(600.5)

    stage = on_stage(story)
    for name in ("api", "db", "cache"):
        runs = [start.wall for start in stage.starts if start.check == name]
        assert len(runs) == 40
        phase = slot_of(name, 15.0).offset / 1e6
        assert max(round(wall - phase, 3) % 15 for wall in runs) < 0.0025, "never early"
    assert stage.scheduler.figures.starts == len(stage.folded) == 120
    assert stage.scheduler.figures.skipped == 0


def test_the_first_run_of_a_rare_check_comes_within_fifteen_seconds() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks(*(f"daily-{number}" for number in range(60)), interval="24h"))
        await asyncio.sleep(15)

    stage = on_stage(story)
    assert {start.check for start in stage.starts} == {f"daily-{number}" for number in range(60)}
    assert len({start.monotonic for start in stage.starts}) > 40


def test_what_is_due_at_once_starts_in_groups_of_four_two_milliseconds_apart() -> None:
    together = [f"check-{n}" for n in range(5000) if slot_of(f"check-{n}", 15.0).offset == 0][:10]

    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks(*together, interval="15s"))
        await asyncio.sleep(15)

    stage = on_stage(story)
    first = stage.starts[0].monotonic
    after = [round((start.monotonic - first) * 1000, 3) for start in stage.starts]
    assert after == [0, 0, 0, 0, 2, 2, 2, 2, 4, 4]
    assert stage.scheduler.figures.delay.largest == pytest.approx(0.005, abs=0.001)


def test_a_check_that_still_runs_at_its_slot_is_skipped_and_counted() -> None:
    async def two_and_a_half_intervals(check: str) -> None:
        await asyncio.sleep(25)

    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("slow", interval="10s"))
        await asyncio.sleep(99)

    stage = on_stage(story, two_and_a_half_intervals)
    assert {round(later - earlier, 3) for earlier, later in pairwise(stage.of("slow"))} == {30}
    assert stage.scheduler.figures.skipped == 6


def test_a_check_whose_abandoned_run_has_not_ended_waits_for_it() -> None:
    async def story(stage: Stage) -> None:
        stage.strays.add("stray")
        await stage.scheduler.start(checks("stray", interval="10s"))
        await asyncio.sleep(35)
        stage.strays.clear()
        await asyncio.sleep(10)

    stage = on_stage(story)
    assert len(stage.of("stray")) == 1
    assert stage.scheduler.figures.skipped == 3


def test_a_run_that_raises_is_told_and_hurts_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def raises(check: str) -> None:
        if check == "broken":
            raise ZeroDivisionError("a bug in the runner")

    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("broken", "sound", interval="10s"))
        await asyncio.sleep(100.5)

    stage = on_stage(story, raises)
    assert len(stage.of("broken")) == len(stage.of("sound")) == 10
    assert {result.check for result in stage.folded} == {"sound"}
    assert "broken: a bug: its result was lost" in caplog.text


def test_a_survey_has_an_interval_and_a_phase_of_its_own() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start({"bucket": Surveyed(name="bucket", interval="15s")})
        await asyncio.sleep(600.5)

    stage = on_stage(story)
    assert sum(result.survey == "" for result in stage.folded) == 40
    assert sum(result.survey == "usage" for result in stage.folded) in (10, 11)  # one a minute, and the first
