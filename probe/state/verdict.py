"""The verdict on one check, from its settled runs, its limits and its needs."""

from dataclasses import replace

from probe.check import Check
from probe.model import Health, Reason, Verdict
from probe.state import causes, limits
from probe.state.values import Board, Outcome, State

NOT_RUN, ABSENT, STARTING = "not run", "absent", "starting"
UNDECIDED = (NOT_RUN, ABSENT, STARTING)
"""Reasons of a verdict that is none yet: after these, one run decides."""


def settled(board: Board, name: str, now: float, *, wait: bool = True) -> State:
    """The state with the verdict that can be passed now (monotonic seconds); the same object when none changed."""
    state = _released(board, board[name], now, wait)
    if state.standing is None:
        return state
    if state.standing.reason is Reason.OK:
        return _of_good(state, board.checks[name])
    return _of_failed(board, state, state.standing, now)


def _released(board: Board, state: State, now: float, wait: bool) -> State:
    """Without the held runs that need not wait any longer for fresh runs of the needs."""
    check = board.checks[state.check]
    wait = wait and _may_wait(board, state, check, now)
    while state.held and not (wait and not causes.is_ripe(board, check, state.held[0])):
        outcome = state.held[0]
        state = replace(
            state,
            held=state.held[1:],
            standing=outcome,
            failing_since=min(state.failing_since, outcome.ended),
            good_since=float("inf"),
            causes=causes.counted_against(board, state, outcome) if outcome.counted else state.causes,
        )
    return state


def _may_wait(board: Board, state: State, check: Check, now: float) -> bool:
    """Whether runs may be held: the first `failure_threshold` of a failure, and more while the needs may still answer.

    Without that respite, a check that is retried sooner than its hanging needs can answer
    went unhealthy on its own.
    """
    if not state.held or state.failures <= check.failure_threshold:
        return True
    is_decided = state.failures - sum(held.counted for held in state.held) >= check.failure_threshold
    return not is_decided and now < state.held[0].ended + causes.patience(board, state.check)


def _of_good(state: State, check: Check) -> State:
    if state.down and state.successes < check.success_threshold:
        return state
    return _with(state, limits.verdict(state.limits), down=False)


def _of_failed(board: Board, state: State, failed: Outcome, now: float) -> State:
    check = board.checks[state.check]
    if check.optional and not state.ever_succeeded and failed.reason in (Reason.DNS, Reason.CONNECT):
        return _with(state, Verdict(Health.UNKNOWN, ABSENT, failed.message), down=False)
    named = causes.named(board, state)
    state = state if named == state.causes else replace(state, causes=named)
    if not state.down and _is_starting(board, state, check, now):
        return _with(state, Verdict(Health.UNKNOWN, STARTING, failed.message), down=False)
    if state.down or _is_decided(board, state, check):
        return _with(state, Verdict(Health.UNHEALTHY, failed.reason, failed.message), down=True)
    return _with(state, limits.verdict(state.limits), down=False)


def _is_decided(board: Board, state: State, check: Check) -> bool:
    """Whether its failures make it unhealthy: enough of them, the first of all, or it is somebody's cause."""
    failures = state.failures - sum(held.counted for held in state.held)
    is_first = state.verdict.reason in UNDECIDED
    return failures >= check.failure_threshold or is_first or causes.is_blamed(board, state.check)


def _is_starting(board: Board, state: State, check: Check, now: float) -> bool:
    """Whether it may still be coming up, or fails together with a need that may.

    It is not decided by the clock alone while it is open what a need's failure means.
    """
    if not state.ever_succeeded and now < state.appeared + check.start_period:
        return True
    if state.verdict.reason == STARTING and any(board[need].held for need in board.needs(state.check)):
        return True
    together = {*state.roots, *(need.check for need in causes.explaining(board, state))}
    return any(board[name].verdict.reason == STARTING for name in together if name in board.states)


def _with(state: State, verdict: Verdict, *, down: bool) -> State:
    good = state.standing is not None and state.standing.reason is Reason.OK
    kept = () if good and not down else state.causes
    rootless = state.rootless or (down and not kept)
    if (verdict, down, kept, rootless) == (state.verdict, state.down, state.causes, state.rootless):
        return state
    return replace(state, verdict=verdict, down=down, causes=kept, rootless=rootless)
