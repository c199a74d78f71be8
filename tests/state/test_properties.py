"""What holds for every history: hypothesis looks for one where it does not."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from probe.model import Health, Reason, Result
from probe.state import Board, Ended, fold
from probe.state.causes import patience, reachable
from tests.state.stories import Scripted, Story, check, result

NAMES = ("a", "b", "c", "d", "e")
REASONS = st.sampled_from([Reason.OK, Reason.OK, Reason.OK, Reason.CONNECT, Reason.UNHEALTHY, Reason.INTERNAL])


@st.composite
def stacks(draw: st.DrawFn) -> tuple[Scripted, ...]:
    """Checks that need only earlier ones, so that there is no cycle."""
    return tuple(
        check(
            name,
            *draw(st.sets(st.sampled_from(NAMES[:index]), max_size=3) if index else st.just(set())),
            failure_threshold=draw(st.integers(1, 4)),
            success_threshold=draw(st.integers(1, 2)),
            optional=draw(st.booleans()),
            start_period=draw(st.sampled_from(["0s", "40s"])),
        )
        for index, name in enumerate(NAMES)
    )


EVENTS = st.lists(st.tuples(st.sampled_from(NAMES), REASONS, st.booleans()), max_size=60)


def played(checks: tuple[Scripted, ...], events: list[tuple[str, Reason, bool]]) -> Story:
    """The events five seconds apart."""
    story = Story(*checks)
    for number, (name, reason, counted) in enumerate(events):
        story.run(name, 5.0 * number, reason, counted=counted)
        lawful(story.board)
    return story


def lawful(board: Board) -> None:
    for state in board:
        own = board.checks[state.check]
        settled_failures = state.failures - sum(held.counted for held in state.held)
        if settled_failures >= own.failure_threshold:
            assert state.health in (Health.UNHEALTHY, Health.UNKNOWN)
            assert state.health is Health.UNHEALTHY or state.verdict.reason in ("absent", "starting")
        if state.standing is None:
            assert state.verdict.reason == "not run"
        for cause in state.causes:
            assert cause.check in reachable(board, state.check)
            assert board[cause.check].failed, "a cause has failed itself"
        if state.failures > own.failure_threshold and state.held:
            assert state.held[-1].ended < state.held[0].ended + patience(board, state.check)
        if state.health is Health.HEALTHY:
            assert not state.down
            assert not state.causes or state.failures > 0 or not state.result or not state.result.ok


@given(stacks(), EVENTS)
@settings(max_examples=200, deadline=None)
def test_never_healthy_while_failing_and_every_cause_is_a_need_that_failed(
    checks: tuple[Scripted, ...], events: list[tuple[str, Reason, bool]]
) -> None:
    played(checks, events)


@given(stacks(), EVENTS, st.lists(REASONS, min_size=3, max_size=3), st.permutations(NAMES))
@settings(max_examples=200, deadline=None)
def test_the_order_of_runs_that_end_at_the_same_time_does_not_matter(
    checks: tuple[Scripted, ...],
    events: list[tuple[str, Reason, bool]],
    reasons: list[Reason],
    names: list[str],
) -> None:
    before = played(checks, events).board
    at = 5.0 * len(events) + 1
    together = [
        result(name, at - 0.3 * index, reason, took=0.9 + 0.3 * index)
        for index, (name, reason) in enumerate(zip(names, reasons, strict=False))
    ]
    outcomes = [verdicts(before, order) for order in permutations(together)]
    assert all(outcome == outcomes[0] for outcome in outcomes)


def verdicts(board: Board, results: tuple[Result, ...]) -> dict[str, object]:
    board = fold(board, [Ended(run) for run in results]).board
    return {state.check: (state.verdict, state.roots, state.down, state.rootless, state.held) for state in board}
