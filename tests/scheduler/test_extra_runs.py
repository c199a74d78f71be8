"""Runs beside the slots: confirmations, retries, and the results of checks that nobody asks."""

import asyncio

import pytest

from probe.model import Reason, Result
from probe.scheduler.plan import slot_of
from tests.scheduler.stage import Arriving, Scripted, Stage, checks, hangs_until_timeout, on_stage
from tests.simulated import STARTED_AT


def test_a_confirmation_runs_at_once_and_is_not_counted() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("db", interval="1h"))
        await asyncio.sleep(60)
        assert stage.scheduler.confirm("db")
        await asyncio.sleep(0.1)

    stage = on_stage(story)
    assert stage.starts[-1].monotonic == pytest.approx(1060)
    assert (len(stage.folded), len(stage.uncounted)) == (1, 1)


def test_a_run_in_flight_is_not_confirmed_by_another() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("db", interval="1h"))
        await stage.started(1)
        assert not stage.scheduler.confirm("db")
        await asyncio.sleep(10)
        assert stage.scheduler.confirm("db")
        assert not stage.scheduler.confirm("db")
        assert not stage.scheduler.confirm("nobody")
        await asyncio.sleep(10)
        stage.strays.add("db")
        assert not stage.scheduler.confirm("db")

    stage = on_stage(story, hangs_until_timeout)
    assert (len(stage.folded), len(stage.uncounted)) == (1, 1)


def test_a_slot_adopts_the_confirmation_that_it_finds_in_flight() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start(checks("db", interval="15s"))
        slot = slot_of("db", 15.0).after(STARTED_AT + 15)
        await asyncio.sleep(slot - 1 - STARTED_AT)
        stage.folded.clear()
        assert stage.scheduler.confirm("db")
        await asyncio.sleep(5.1)

    stage = on_stage(story, hangs_until_timeout)
    assert (len(stage.folded), len(stage.uncounted)) == (1, 0)
    assert len(stage.starts) == 2
    assert stage.scheduler.figures.skipped == 0


def test_a_failed_check_is_retried_sooner_than_its_slot_until_it_is_given_up() -> None:
    async def story(stage: Stage) -> None:
        def retry_twice(result: Result) -> None:
            if len(stage.folded) < 3:
                stage.scheduler.retry(result.check, result.began)

        stage.on_fold = retry_twice
        await stage.scheduler.start(checks("db", interval="1h", retry_interval="10s"))
        await asyncio.sleep(1000)

    stage = on_stage(story, hangs_until_timeout)
    first, *retries = stage.of("db")
    assert [retry - first for retry in retries] == [pytest.approx(10), pytest.approx(20)]
    assert len(stage.folded) == 3


def test_a_retry_never_comes_later_than_the_slot() -> None:
    async def story(stage: Stage) -> None:
        stage.on_fold = lambda result: stage.scheduler.retry(result.check, result.began)
        await stage.scheduler.start(checks("db", interval="15s", retry_interval="40s"))
        await asyncio.sleep(150)

    stage = on_stage(story, hangs_until_timeout)
    assert len(stage.of("db")) == 10


def test_without_a_retry_interval_nothing_comes_sooner() -> None:
    async def story(stage: Stage) -> None:
        stage.on_fold = lambda result: stage.scheduler.retry(result.check, result.began)
        await stage.scheduler.start(checks("db", interval="15s"))
        await asyncio.sleep(150)

    assert len(on_stage(story, hangs_until_timeout).of("db")) == 10


def test_a_passive_check_is_not_run_and_fails_for_each_interval_that_stays_silent() -> None:
    async def story(stage: Stage) -> None:
        await stage.scheduler.start({"backup": Arriving(name="backup", interval="1m", timeout="10s")})
        assert not stage.scheduler.confirm("backup")
        await asyncio.sleep(60)
        stage.scheduler.heard("backup", stage.loop.time())
        await asyncio.sleep(69)
        assert stage.folded == []
        await asyncio.sleep(2)
        assert len(stage.folded) == 1
        await asyncio.sleep(60)
        stage.scheduler.heard("backup", stage.loop.time())
        await asyncio.sleep(69)

    stage = on_stage(story)
    assert stage.starts == []
    assert [(result.reason, result.message) for result in stage.folded] == [
        (Reason.UNHEALTHY, "nothing heard for 1m 10s"),
        (Reason.UNHEALTHY, "nothing heard for 2m 10s"),
    ]
    assert stage.folded[0].at == pytest.approx(STARTED_AT + 130)


def test_a_silence_that_was_told_is_not_told_again_by_a_reload() -> None:
    async def story(stage: Stage) -> None:
        backup = Arriving(name="backup", interval="1m", timeout="10s")
        await stage.scheduler.start({"backup": backup})
        await asyncio.sleep(71)
        for _ in range(5):
            await stage.scheduler.replace({"backup": backup})
            await asyncio.sleep(10)
        assert len(stage.folded) == 1
        await asyncio.sleep(10)

    assert len(on_stage(story).folded) == 2


def test_what_arrived_while_the_process_was_stopped_is_read_before_silence_is_told() -> None:
    async def story(stage: Stage) -> None:
        letter = Arriving(name="letter", interval="1m", timeout="10s")
        await stage.scheduler.start({"letter": letter, "lost": Arriving(name="lost", interval="1m", timeout="10s")})
        await asyncio.sleep(30)
        stage.loop.stall(3600)
        await asyncio.sleep(1)
        stage.scheduler.heard("letter", stage.loop.time())
        await asyncio.sleep(10)

    folded = on_stage(story).folded
    assert [(result.check, result.message) for result in folded] == [("lost", "nothing heard for 1h")]


def test_one_silence_is_enough_and_no_run_is() -> None:
    assert Arriving(name="backup").failure_threshold == 1
    assert Scripted(name="db").failure_threshold == 3


def test_a_passive_check_is_listened_to_across_a_reload() -> None:
    async def story(stage: Stage) -> None:
        backup = Arriving(name="backup", interval="1m", timeout="10s")
        await stage.scheduler.start({"backup": backup})
        await asyncio.sleep(50)
        await stage.scheduler.replace({"backup": backup, "db": Scripted(name="db", interval="15s")})
        await asyncio.sleep(21)
        assert [result.check for result in stage.folded if not result.ok] == ["backup"]
        await stage.scheduler.replace({"db": Scripted(name="db", interval="15s")})
        stage.scheduler.heard("backup", 0.0)
        await asyncio.sleep(200)

    stage = on_stage(story)
    assert [result.check for result in stage.folded if not result.ok] == ["backup"]
