"""What a run may do to others: nothing. Each kind here does one bad thing, beside a neighbour that must not notice."""

import asyncio
import errno
import gc
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest

import probe.runner.run
from probe.check import (
    Check,
    Denied,
    Duration,
    Failures,
    Garbled,
    Run,
    Secret,
    Unfinished,
    Unhealthy,
    survey,
)
from probe.check.run import MOST_SAMPLES
from probe.model import Metric, Reason, Result, gauge
from probe.runner import Runner

PATIENCE = 0.1
"""Seconds that a cancelled run has here, instead of ABANDON_AFTER."""


class Oddity(BaseException):
    """What no library raises."""


class DriverError(Exception):
    """A driver's, which the kind below knows."""


class OddDriverError(Exception):
    """A driver's, which the kind below reads a code from that this one does not have."""


class Patient(Check, kind="patient"):
    """Waits for 50 ms, then for some turns of the loop, as reading an answer takes, and says 1."""

    class metrics:
        answer = gauge("What came.")

    async def run(self, run: Run) -> None:
        await asyncio.sleep(0.05)
        for _ in range(5):
            await asyncio.sleep(0)
        run.emit(self.metrics.answer, 1)


class Rogue(Check, kind="rogue"):
    """Does what it is told, however bad."""

    password: Secret = Secret("hunter2/+=")
    """A secret of its own."""
    usage_interval: Duration = 60.0
    """Time between surveys."""
    usage_timeout: Duration = 0.3
    """Deadline of a survey."""

    class metrics:
        size = gauge("A number.", "part")
        total = gauge("Another number.", survey="usage")

    failures: ClassVar[Failures] = {DriverError: Reason.AUTH, OddDriverError: lambda error: error.code}
    deed: ClassVar[Any] = None
    """What it does: an async function of check and run."""
    opener: ClassVar[Any] = None
    """Its session, if any."""

    async def run(self, run: Run) -> None:
        await type(self).deed(self, run)

    @survey(interval="usage_interval", timeout="usage_timeout")
    async def usage(self, run: Run) -> None:
        await type(self).deed(self, run)

    def session(self) -> Any:
        return type(self).opener() if type(self).opener else None


Deed = Callable[[Rogue, Run], Any]


def rogue(deed: Deed, **fields: Any) -> Rogue:
    made: Any = type("Rogue", (Rogue,), {"deed": staticmethod(deed), "__module__": __name__}, kind="rogue")
    return made(**{"name": "rogue", "timeout": "300ms", **fields})  # type: ignore[no-any-return]


@pytest.fixture
async def runner(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Runner]:
    monkeypatch.setattr(probe.runner.run, "ABANDON_AFTER", PATIENCE)
    runner = Runner()
    yield runner
    await runner.close()


async def beside_a_neighbour(runner: Runner, check: Rogue, survey: str = "", patience: str = "10s") -> Result:
    """The result of the rogue, after its neighbour was seen to be well."""
    neighbour = Patient(name="neighbour", timeout=patience)
    well, result = await asyncio.gather(runner.run(neighbour), runner.run(check, survey))
    assert (well.reason, well.message, well.value("answer")) == (Reason.OK, "", 1)
    assert not runner.is_busy("neighbour")
    return result


# Bad deeds


async def test_one_that_blocks_the_loop_costs_its_neighbour_no_verdict(runner: Runner) -> None:
    async def block(check: Rogue, run: Run) -> None:
        time.sleep(0.5)  # noqa: ASYNC251  # that is the deed

    result = await beside_a_neighbour(runner, rogue(block), patience="200ms")
    assert result.duration >= 0.5


async def test_one_that_ignores_its_cancellation_is_abandoned_and_waited_for(runner: Runner) -> None:
    over = asyncio.Event()

    async def ignore(check: Rogue, run: Run) -> None:
        while not over.is_set():
            try:
                with run.step("login"):
                    await over.wait()
            except asyncio.CancelledError:
                continue

    check = rogue(ignore)
    result = await beside_a_neighbour(runner, check)
    assert (result.reason, result.message) == (Reason.TIMEOUT, "no answer within 300 ms (in login)")
    assert (result.step, result.abandoned) == ("login", True)
    assert result.duration < 0.3 + PATIENCE + 1

    assert runner.is_busy("rogue")
    with pytest.raises(RuntimeError, match="still under way"):
        await runner.run(check)
    over.set()
    await asyncio.sleep(0.01)
    assert not runner.is_busy("rogue")
    assert (await runner.run(check)).ok


async def test_one_that_ends_late_but_by_itself_is_no_stray(runner: Runner) -> None:
    async def tidy_up(check: Rogue, run: Run) -> None:
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0.02)

    result = await beside_a_neighbour(runner, rogue(tidy_up))
    assert (result.reason, result.message) == (Reason.TIMEOUT, "no answer within 300 ms")
    assert not result.abandoned
    assert not runner.is_busy("rogue")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt: "),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (Oddity("odd"), "Oddity: odd"),
        (BaseExceptionGroup("several", [SystemExit(3)]), "SystemExit: 3"),
    ],
)
async def test_what_nobody_declared_is_a_bug_and_ends_nothing(
    runner: Runner, error: BaseException, message: str
) -> None:
    async def throw(check: Rogue, run: Run) -> None:
        raise error

    result = await beside_a_neighbour(runner, rogue(throw))
    assert (result.reason, result.message) == (Reason.INTERNAL, message.strip())


@pytest.mark.parametrize("how", ["by its task", "by raising"])
async def test_one_that_cancels_itself_is_a_bug(runner: Runner, how: str) -> None:
    async def give_up(check: Rogue, run: Run) -> None:
        if how == "by raising":
            raise asyncio.CancelledError
        own = asyncio.current_task()
        assert own
        own.cancel()
        await asyncio.sleep(1)

    result = await beside_a_neighbour(runner, rogue(give_up))
    assert (result.reason, result.message) == (Reason.INTERNAL, "the run cancelled itself")


@pytest.mark.parametrize("how", ["in a group", "left alone"])
async def test_one_whose_own_asyncio_task_calls_exit_ends_nothing(
    runner: Runner, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def leave() -> None:
        raise SystemExit(3)

    async def start_a_task(check: Rogue, run: Run) -> None:
        if how == "in a group":
            async with asyncio.TaskGroup() as group:
                group.create_task(leave())
        else:
            left_alone = asyncio.create_task(leave())
            await asyncio.sleep(0)
            assert (left_alone.done(), left_alone.get_name()) == (True, "probe:rogue")

    result = await beside_a_neighbour(runner, rogue(start_a_task))
    if how == "in a group":
        told = "ContractBroken: SystemExit in an asyncio task of its own"
        assert (result.reason, result.message) == (Reason.INTERNAL, told)
    else:
        gc.collect()
        assert "Task exception was never retrieved" in caplog.text


async def test_an_asyncio_task_of_a_run_that_never_starts_leaves_nothing_behind(runner: Runner) -> None:
    async def never() -> None:
        raise AssertionError("not reached")

    async def change_its_mind(check: Rogue, run: Run) -> None:
        asyncio.create_task(never()).cancel()
        await asyncio.sleep(0)
        gc.collect()  # where a coroutine that was never awaited is told of, as an error

    assert (await beside_a_neighbour(runner, rogue(change_its_mind))).ok


class Unspeakable(Exception):
    """An error that fails to say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Unspeakable(), "Unspeakable, and telling of it raised ValueError"),
        (OddDriverError(), "OddDriverError, and telling of it raised AttributeError"),
    ],
)
async def test_an_error_that_nobody_can_tell_of_is_a_bug_and_not_silence(
    runner: Runner, error: Exception, message: str
) -> None:
    async def throw(check: Rogue, run: Run) -> None:
        raise error

    result = await beside_a_neighbour(runner, rogue(throw))
    assert (result.reason, result.message) == (Reason.INTERNAL, message)


async def test_a_group_of_errors_counts_as_its_first(runner: Runner) -> None:
    async def fail_together(check: Rogue, run: Run) -> None:
        raise ExceptionGroup("both", [ExceptionGroup("inner", [DriverError("no entry")]), ValueError("late")])

    result = await beside_a_neighbour(runner, rogue(fail_together))
    assert (result.reason, result.message) == (Reason.AUTH, "no entry")


STRANGE = Metric("gauge", "Nobody declared it.", name="probe_rogue_strange", key="strange")


@pytest.mark.parametrize(
    ("emit", "message"),
    [
        (lambda check, run: run.emit(STRANGE, 1), "probe_rogue_strange is not declared for this run"),
        (lambda check, run: run.emit(check.metrics.total, 1), "probe_rogue_total is not declared for this run"),
        (lambda check, run: run.emit(check.metrics.size, 1), "probe_rogue_size has the labels ('part',), not ()"),
        (lambda check, run: run.emit(check.metrics.size, 1, colour="red"), "not ('colour',)"),
        (lambda check, run: run.emit(check.metrics.size, 2, part="a"), "probe_rogue_size was emitted twice with"),
    ],
)
async def test_numbers_other_than_declared_are_a_bug_and_leave_what_was_right(
    runner: Runner, emit: Callable[[Rogue, Run], None], message: str
) -> None:
    async def emit_both(check: Rogue, run: Run) -> None:
        run.emit(check.metrics.size, 1, part="a")
        emit(check, run)

    result = await beside_a_neighbour(runner, rogue(emit_both))
    assert result.reason is Reason.INTERNAL
    assert message in result.message
    assert result.values("size") == {("a",): 1}


async def test_ten_million_samples_end_at_the_cap(runner: Runner) -> None:
    async def flood(check: Rogue, run: Run) -> None:
        for nth in range(10_000_000):
            run.emit(check.metrics.size, nth, part=str(nth))

    result = await beside_a_neighbour(runner, rogue(flood))
    assert (result.reason, result.message) == (
        Reason.INTERNAL,
        f"ContractBroken: more than {MOST_SAMPLES} samples in one run",
    )
    assert len(result.samples) == MOST_SAMPLES


async def test_closing_leaves_nobody_waiting(runner: Runner) -> None:
    over = asyncio.Event()

    async def ignore(check: Rogue, run: Run) -> None:
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue

    waiting = asyncio.create_task(runner.run(rogue(ignore, timeout="10s")))
    await asyncio.sleep(0.01)
    await asyncio.wait_for(runner.close(), PATIENCE + 1)
    over.set()
    assert (await waiting).check == "rogue"


async def test_who_no_longer_waits_for_a_run_ends_it(runner: Runner) -> None:
    async def wait(check: Rogue, run: Run) -> None:
        await asyncio.sleep(10)

    waiting = asyncio.create_task(runner.run(rogue(wait, timeout="15s")))
    await asyncio.sleep(0.01)
    assert runner.is_busy("rogue")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0.01)
    assert not runner.is_busy("rogue")


# What people read


async def test_a_deadline_that_passes_while_a_name_is_looked_up_is_dns(runner: Runner) -> None:
    async def look_up(check: Rogue, run: Run) -> None:
        with run.step("resolve"):
            await asyncio.sleep(10)

    result = await beside_a_neighbour(runner, rogue(look_up))
    assert (result.reason, result.message) == (Reason.DNS, "no answer from DNS within 300 ms")
    assert (result.step, [step.name for step in result.steps]) == ("resolve", ["resolve"])


async def test_an_error_of_the_system_is_told_in_its_words(runner: Runner) -> None:
    async def be_unreachable(check: Rogue, run: Run) -> None:
        raise OSError(errno.EHOSTUNREACH, "whatever")

    result = await beside_a_neighbour(runner, rogue(be_unreachable))
    assert (result.reason, result.message) == (Reason.CONNECT, "no route to host")


async def test_messages_and_notes_are_one_line_without_secrets(
    runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    async def tell(check: Rogue, run: Run) -> None:
        run.note("granted with\nhunter2/+= only")
        raise Garbled("got\r\n\x1b[31mhunter2/+= and hunter2%2F%2B%3D " + "x" * 1000)

    result = await beside_a_neighbour(runner, rogue(tell))
    assert result.message.startswith("got [31m*** and *** xxx")
    assert (len(result.message), result.message[-1]) == (500, "…")
    assert result.notes == ("granted with *** only",)

    async def fall(check: Rogue, run: Run) -> None:
        raise ValueError("hunter2/+= is wrong")

    with caplog.at_level(logging.DEBUG):
        result = await runner.run(rogue(fall))
    assert result.message == "ValueError: *** is wrong"
    assert "hunter2" not in caplog.text
    assert "rogue: a bug" in caplog.text
    assert "raise ValueError" in caplog.text


async def test_an_unfinished_survey_is_no_failure(runner: Runner) -> None:
    async def do_a_share(check: Rogue, run: Run) -> None:
        run.memory = (run.memory or 0) + 1
        raise Unfinished(f"page {run.memory} with hunter2/+=")

    check = rogue(do_a_share)
    for page in (1, 2):
        result = await runner.run(check, "usage")
        assert (result.reason, result.message) == (Reason.OK, f"page {page} with ***")
        assert (result.survey, result.unfinished) == ("usage", True)


# What lives between runs


async def test_memory_is_kept_after_failures_but_not_after_bugs(runner: Runner) -> None:
    seen: list[object] = []
    ends: list[BaseException | None] = [None, Denied("no"), ValueError("bug"), None]

    async def remember(check: Rogue, run: Run) -> None:
        seen.append(run.memory)
        run.memory = (run.memory or 0) + 1
        if (error := ends.pop(0)) is not None:
            raise error

    check = rogue(remember)
    for _ in range(4):
        await runner.run(check)
    assert seen == [None, 1, 2, 2]

    ends[:] = [None, None]
    await runner.run(check, "usage")
    await runner.forget("rogue")
    await runner.run(check)
    assert seen[4:] == [None, None]


async def test_memory_is_for_who_asks_the_same(runner: Runner) -> None:
    seen: list[object] = []

    async def remember(check: Rogue, run: Run) -> None:
        seen.append(run.memory)
        run.memory = check.password.get_secret_value()

    check = rogue(remember, password="one")
    for change in ({}, {"interval": 30.0, "labels": {"team": "core"}}, {"password": Secret("two")}, {"timeout": 0.2}):
        check = check.model_copy(update=change)
        await runner.run(check)
    assert seen == [None, "one", None, "two"]


class Door:
    """A session that counts how often it was opened and closed."""

    def __init__(self) -> None:
        self.opened = self.closed = 0
        self.hangs = False

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[int]:
        self.opened += 1
        number = self.opened
        try:
            yield number
        finally:
            self.closed += 1
            if self.hangs:
                await asyncio.Event().wait()


def with_session(deed: Deed, door: Door) -> Rogue:
    check = rogue(deed)
    type(check).opener = staticmethod(door)
    return check


async def test_a_session_is_shared_by_run_and_survey_and_thrown_away_after_a_failure(runner: Runner) -> None:
    door, seen, fails = Door(), [], [False]

    async def use(check: Rogue, run: Run) -> None:
        seen.append(run.session)
        await asyncio.sleep(0.01)
        if fails[0]:
            raise Unhealthy("no")

    check = with_session(use, door)
    await asyncio.gather(runner.run(check), runner.run(check, "usage"))
    await runner.run(check)
    assert (seen, door.opened, door.closed) == ([1, 1, 1], 1, 0)

    fails[0] = True
    assert (await runner.run(check)).message == "no"
    await asyncio.sleep(0.01)
    assert (door.opened, door.closed) == (1, 1)

    fails[0] = False
    assert (await runner.run(check)).ok
    assert seen[-1] == 2

    await runner.forget("rogue")
    assert (door.opened, door.closed) == (2, 2)

    await runner.run(check)
    await runner.run(check.model_copy())  # as after a reload
    await runner.close()
    assert (door.opened, door.closed) == (4, 4)


async def test_a_session_that_somebody_else_still_uses_stays_open_until_they_are_done(runner: Runner) -> None:
    door, done = Door(), asyncio.Event()

    async def use(check: Rogue, run: Run) -> None:
        if run.memory == "fails":
            raise Unhealthy("no")
        await done.wait()
        assert door.closed == 0

    check = with_session(use, door)
    runner._memories["rogue"] = check, {"": "fails"}
    survey = asyncio.create_task(runner.run(check, "usage"))
    await asyncio.sleep(0.01)
    assert not (await runner.run(check)).ok
    assert door.closed == 0
    done.set()
    assert (await survey).ok
    await asyncio.sleep(0.01)
    assert door.closed == 1


async def test_a_session_that_does_not_open_fails_the_run(runner: Runner) -> None:
    @asynccontextmanager
    async def locked() -> AsyncIterator[None]:
        raise DriverError("locked")
        yield

    async def never(check: Rogue, run: Run) -> None:
        raise AssertionError("not reached")

    check = rogue(never)
    type(check).opener = staticmethod(locked)
    result = await beside_a_neighbour(runner, check)
    assert (result.reason, result.message) == (Reason.AUTH, "locked")


async def test_who_waited_for_a_session_that_did_not_open_tries_anew(runner: Runner) -> None:
    opened = 0

    @asynccontextmanager
    async def slow_at_first() -> AsyncIterator[int]:
        nonlocal opened
        opened += 1
        if opened == 1:
            await asyncio.sleep(0.05)
            raise DriverError("locked")
        yield opened

    async def look(check: Rogue, run: Run) -> None:
        assert run.session == 2

    check = rogue(look)
    type(check).opener = staticmethod(slow_at_first)
    failed, good = await asyncio.gather(runner.run(check), runner.run(check, "usage"))
    assert (failed.reason, failed.message) == (Reason.AUTH, "locked")
    assert (good.reason, good.message) == (Reason.OK, "")


async def test_a_session_that_fails_to_close_changes_no_verdict(runner: Runner) -> None:
    @asynccontextmanager
    async def jammed() -> AsyncIterator[None]:
        yield
        raise DriverError("jammed")

    async def fail(check: Rogue, run: Run) -> None:
        raise Unhealthy("no")

    check = rogue(fail)
    type(check).opener = staticmethod(jammed)
    assert (await beside_a_neighbour(runner, check)).message == "no"
    assert (await runner.run(check)).message == "no"


async def test_a_session_that_hangs_on_close_changes_no_verdict_and_holds_up_nobody(runner: Runner) -> None:
    door = Door()
    door.hangs = True

    async def fail(check: Rogue, run: Run) -> None:
        raise Unhealthy("no")

    check = with_session(fail, door)
    result = await beside_a_neighbour(runner, check)
    assert (result.reason, result.message) == (Reason.UNHEALTHY, "no")
    assert result.duration < 0.3
    assert (await runner.run(check)).message == "no"
    assert door.opened == 2
    await asyncio.wait_for(runner.close(), PATIENCE + 1)
