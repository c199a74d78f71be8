"""`probe.api`: the same checks from a program, once."""

import asyncio
from typing import ClassVar

import pytest

from probe.api import Health, passes, run_checks
from probe.check import Check, Duration, Run, Unfinished, Unhealthy, Unreachable, survey
from probe.cli import board
from probe.kinds.tcp import Tcp
from probe.model import gauge
from probe.state.document import described
from tests import faults


class Part(Check, kind="part"):
    """Does what its field says."""

    does: str = "works"
    sizes_interval: Duration = 300.0
    sizes_timeout: Duration = 60.0
    in_flight: ClassVar[int] = 0
    most_in_flight: ClassVar[int] = 0

    class metrics:
        load_ratio = gauge("How busy it is.")
        size_bytes = gauge("How large it is.", survey="sizes")

    async def run(self, run: Run) -> None:
        Part.in_flight += 1
        Part.most_in_flight = max(Part.in_flight, Part.most_in_flight)
        await asyncio.sleep(0.1)
        Part.in_flight -= 1
        run.emit(self.metrics.load_ratio, 0.9)
        if self.does == "fails":
            raise Unhealthy("no")
        if self.does == "is away":
            raise Unreachable("connection refused by part:1")

    @survey(interval="sizes_interval", timeout="sizes_timeout")
    async def sizes(self, run: Run) -> None:
        if self.does == "is large":
            raise Unfinished("counted 1000 of many")
        run.emit(self.metrics.size_bytes, 100)


class Letter(Check, kind="letter"):
    """Its results arrive."""

    passive = True


def parts(*checks: Check) -> dict[str, Check]:
    return {check.name: check for check in checks}


async def test_one_run_decides() -> None:
    result = await run_checks(
        parts(
            Part(name="good", failure_threshold=3),
            Part(name="bad", does="fails", failure_threshold=3, start_period="1h"),
            Part(name="busy", warn={"load_ratio": "> 0.8"}),
        )
    )
    assert {state.check: (str(state.health), state.verdict.reason) for state in result} == {
        "good": ("healthy", ""),
        "bad": ("unhealthy", "unhealthy"),
        "busy": ("degraded", "limit"),
    }
    assert result["bad"].verdict.message == "no"
    assert result["good"].surveys["sizes"].result.ok
    assert result.health is Health.UNHEALTHY


async def test_causes_are_worked_out_among_those_that_ran() -> None:
    api, web = Part(name="api", does="fails", needs=("db",)), Part(name="web", does="fails", needs=("api",))
    db = Part(name="db", does="is away")
    result = await run_checks(parts(web, api, db))
    assert {state.check: state.roots for state in result} == {"web": ("db",), "api": ("db",), "db": ()}
    assert (await run_checks(parts(api)))["api"].roots == ()


async def test_surveys_run_unless_told_not_to() -> None:
    result = await run_checks(parts(Part(name="small"), Part(name="large", does="is large")))
    assert [sample.value for sample in result["small"].surveys["sizes"].samples] == [100]
    assert result["large"].surveys["sizes"].samples == ()
    assert result["large"].surveys["sizes"].result.unfinished
    assert passes(result), "a survey never fails a run"
    assert (await run_checks(parts(Part(name="small")), surveys=False))["small"].surveys == {}


async def test_all_run_at_the_same_time() -> None:
    Part.most_in_flight = 0
    await run_checks(parts(*(Part(name=f"part-{number}") for number in range(40))))
    assert Part.most_in_flight > 20


async def test_who_passes() -> None:
    good, busy = Part(name="good"), Part(name="busy", warn={"load_ratio": "> 0.8"})
    away = Part(name="away", does="is away", optional=True)
    letter = Letter(name="letter")
    result = await run_checks(parts(good, busy, away, letter))
    assert (result["away"].verdict.reason, result["letter"].verdict.reason) == ("absent", "not run")
    assert (passes(result), passes(result, strict=True)) == (True, False)
    assert passes(await run_checks(parts(good, away, letter)), strict=True), "absent and not asked count for nothing"
    assert not passes(await run_checks(parts(Part(name="bad", does="fails", optional=True))))
    assert passes(await run_checks({})), "nothing is wrong with nothing"


async def test_a_passive_check_is_shown_as_not_asked(capsys: pytest.CaptureFixture[str]) -> None:
    result = await run_checks(parts(Letter(name="letter")))
    documents = [described(result, "letter", reveals=True)]
    board.show(documents, "plain")
    assert capsys.readouterr().out == "letter\tletter\tunknown\tnot asked\t\t\n1 unknown\n"
    assert board.exit_code(documents, strict=True) == 0


async def test_a_run_that_hangs_ends_by_its_own_deadline_and_leaves_nothing() -> None:
    tasks = asyncio.all_tasks()
    async with faults.black_hole() as port:
        hole = Tcp(name="hole", address=f"127.0.0.1:{port}", timeout="1s")
        result = await run_checks(parts(hole, Part(name="good")))
    assert (result["hole"].verdict.reason, str(result["good"].health)) == ("timeout", "healthy")
    assert asyncio.all_tasks() == tasks
