import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from probe.model import Reason
from probe.scheduler.plan import slot_of
from tests.scheduler.stage import Scripted, Stage, Surveyed, answers_at_once, checks, hangs_until_timeout, on_stage


def test_every_check_runs_once_an_interval_at_its_own_phase() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("api", "db", "cache", interval="15s"))
        await asyncio.sleep(600.5)

    stage = on_stage(story)
    for name in ("api", "db", "cache"):
        runs = [start.wall for start in stage.starts if start.check == name]
        assert len(runs) == 40
        phase = slot_of(name, 15.0).offset / 1e6
        assert {round(wall - phase, 3) % 15 for wall in runs} == {0.0}
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
    assert stage.scheduler.figures.delay.largest == pytest.approx(0.004, abs=0.0005)


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


def test_a_thousand_hung_checks_delay_none_of_the_others() -> None:
    async def half_of_them_hang(check: str) -> Reason | None:
        return await (hangs_until_timeout(check) if check.startswith("hung") else answers_at_once(check))

    async def story(stage: Stage, hung: int) -> None:
        names = [*(f"sound-{n}" for n in range(1000)), *(f"hung-{n}" for n in range(hung))]
        await stage.scheduler.start(checks(*names, interval="15s"))
        await asyncio.sleep(60.5)

    alone = on_stage(lambda stage: story(stage, 0), half_of_them_hang)
    beside = on_stage(lambda stage: story(stage, 1000), half_of_them_hang)
    runs = Counter(start.check for start in beside.starts if start.check.startswith("sound"))
    assert runs == Counter(start.check for start in alone.starts)
    assert set(runs.values()) == {4, 5}
    assert beside.scheduler.figures.skipped == 0
    assert beside.scheduler.figures.delay.largest < 0.02


def test_seventy_two_hours_lose_no_run_and_leak_nothing() -> None:
    """The intervals of real configs, from a second to a day; nothing of a run may stay, however many there were."""
    seconds = [1, 9, 10, 15, *[30] * 2, *[60] * 4, *[300] * 10, *[900] * 10, *[3600] * 10, *[86400] * 9, 7200, 43200]
    hours = 72

    async def story(stage: Stage) -> None:
        everything = {
            f"check-{number}": Scripted(name=f"check-{number}", interval=f"{interval}s")
            for number, interval in enumerate(seconds)
        }
        await stage.scheduler.start(everything)
        await asyncio.sleep(3600)
        early = len(asyncio.all_tasks())
        await asyncio.sleep((hours - 1) * 3600)
        assert len(asyncio.all_tasks()) <= early + 1

    stage = on_stage(story)
    for number, interval in enumerate(seconds):
        runs = stage.of(f"check-{number}")
        gaps = [later - earlier for earlier, later in pairwise(runs)][1:]
        assert all(abs(gap - interval) < 0.01 for gap in gaps), interval
        assert hours * 3600 - 15 <= len(gaps) * interval + 2 * interval, interval
    assert stage.scheduler.figures.skipped == 0
    assert stage.scheduler.figures.in_flight == 0
    assert len(stage.folded) == len(stage.starts)
