import asyncio
from itertools import pairwise

import pytest

from probe.scheduler.plan import slot_of
from tests.scheduler.stage import Stage, checks, on_stage

INTERVAL = 15.0


def gaps(stage: Stage, name: str) -> list[float]:
    """Monotonic seconds between the runs of a check."""
    return [later - earlier for earlier, later in pairwise(stage.of(name))]


def started_between(stage: Stage, earliest: float, latest: float) -> int:
    return sum(earliest <= start.monotonic < latest for start in stage.starts)


@pytest.mark.parametrize("step", [3600.0, -3600.0, 3607.3, -3607.3, 2.5, -2.5, 400 * 86400.0, -400 * 86400.0])
def test_a_step_of_the_wall_clock_loses_no_run_and_makes_no_burst(step: float) -> None:
    names = [f"check-{number}" for number in range(100)]
    stepped_at: list[float] = []

    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks(*names, interval="15s"))
        await asyncio.sleep(100.3)
        stepped_at.append(stage.loop.time())
        stage.loop.step_wall(step)
        await asyncio.sleep(100)

    stage = on_stage(story)
    for name in names:
        phase_stays = step % INTERVAL == 0  # then at worst it is made up for, half an interval after it was noticed
        assert max(gaps(stage, name)) < (1.5 if phase_stays else 2) * INTERVAL + 1.1
        last = [start.wall for start in stage.starts if start.check == name][-1]
        assert last % INTERVAL == pytest.approx(slot_of(name, INTERVAL).offset / 1e6, abs=0.01)
    expected = 100 / INTERVAL
    assert started_between(stage, stepped_at[0], stepped_at[0] + 1) < 3 * expected
    assert started_between(stage, stepped_at[0], stepped_at[0] + INTERVAL) < 2 * len(names)
    assert stage.scheduler.figures.clock_steps == 1
    assert stage.scheduler.figures.skipped == 0


def test_an_hour_forth_and_back_leaves_the_phases_as_they_were() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("db", interval="15s"))
        for step in (3600, -3600, 3600, -3600):
            await asyncio.sleep(60)
            stage.loop.step_wall(step)
        await asyncio.sleep(60)

    stage = on_stage(story)
    phase = slot_of("db", INTERVAL).offset / 1e6
    assert sum(start.wall % INTERVAL == pytest.approx(phase, abs=0.01) for start in stage.starts) == 20
    assert len(stage.starts) <= 22  # and one for each time that slots were jumped over
    assert max(gaps(stage, "db")) < INTERVAL + 0.01
    assert stage.scheduler.figures.clock_steps == 4


def test_a_rare_check_whose_slot_was_jumped_over_runs_soon_and_not_a_day_later() -> None:
    names = [f"daily-{number}" for number in range(40)]

    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks(*names, interval="24h"))
        await asyncio.sleep(60)
        stage.starts.clear()
        stage.loop.step_wall(86400)  # the machine slept for a day
        await asyncio.sleep(20)

    stage = on_stage(story)
    assert {start.check for start in stage.starts} == set(names)
    assert len({start.monotonic for start in stage.starts}) > 30


def test_a_process_that_was_stopped_goes_on_without_a_burst() -> None:
    names = [f"check-{number}" for number in range(200)]

    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks(*names, interval="15s"))
        await asyncio.sleep(60)
        stage.starts.clear()
        stage.loop.stall(3600)
        await asyncio.sleep(INTERVAL)

    stage = on_stage(story)
    first = stage.starts[0].monotonic
    assert {start.check for start in stage.starts} == set(names)
    assert started_between(stage, first, first + 1) < 3 * len(names) / INTERVAL
    assert stage.scheduler.figures.clock_steps == 1


def test_a_check_that_blocks_the_loop_time_and_again_starves_no_other() -> None:
    names = [f"check-{number}" for number in range(30)]

    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks(*names, interval="15s"))
        for _ in range(20):
            await asyncio.sleep(11)
            stage.loop.stall(4)

    stage = on_stage(story)
    for name in names:
        assert max(gaps(stage, name)) < 2 * INTERVAL
        assert len(stage.of(name)) >= 19


def test_it_says_how_late_it_is_and_a_step_of_the_clock_is_no_lateness() -> None:
    async def story(stage: Stage) -> None:
        assert stage.scheduler.late == 0
        await stage.scheduler.start(checks("db", interval="15s"))
        for _ in range(60):
            await asyncio.sleep(0.5)
            assert stage.scheduler.late < 0.01
        stage.loop.step_wall(3600)
        assert stage.scheduler.late < 0.01
        stage.loop.stall(90)
        assert 75 < stage.scheduler.late <= 90
        await asyncio.sleep(0.01)
        assert stage.scheduler.late == 0

    on_stage(story)
