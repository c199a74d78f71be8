"""Folding results into the board.

    fold(board, ended)
      record    numbers, tallies and streaks: what the run was, at once
      settle    the verdict, as soon as every need has had a fresh run; then the verdicts that waited for this one

Nothing else decides anew what happened: the log, the page and the metrics read the board and its changes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from math import inf
from typing import Any, NamedTuple

from probe.check import Check
from probe.model import Change, Health, Result
from probe.state import causes, limits
from probe.state.values import FAILURES_KEPT, Board, Outcome, State, SurveyState
from probe.state.verdict import settled


@dataclass(frozen=True, slots=True)
class Fold:
    """What one event made of the board.

    `touched`: the checks whose states changed. `wanted`: needs whose run a verdict waits for, to be run at once.
    """

    board: Board
    changes: tuple[Change, ...] = ()
    touched: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()


def opened(checks: Mapping[str, Check], now: float, at: float) -> Board:
    """A board of checks that have not run yet. `now` in monotonic seconds, `at` as unix time."""
    return Board.of(checks, {name: _new(check, now, at) for name, check in checks.items()})


class Ended(NamedTuple):
    """A run or survey that ended. One made only to confirm another's failure is not `counted`."""

    result: Result
    counted: bool = True


def fold(board: Board, ended: Iterable[Ended]) -> Fold:
    """Fold runs that ended, in the order of their ends, needs first where that is the same moment.

    Results of checks that are not on the board change nothing.
    """
    known = [run for run in ended if run.result.check in board.states]
    changes: list[Change] = []
    touched: set[str] = set()
    for result, counted in sorted(known, key=lambda run: _order(board, run.result)):
        recorded = board.put(_recorded(board, result, counted))
        board, so_changed, so_touched = _settle(
            board, recorded, {result.check}, result.ended, result.at + result.duration
        )
        changes += so_changed
        touched |= so_touched
    return Fold(board, tuple(changes), frozenset(touched), _wanted(board, touched))


def _order(board: Board, result: Result) -> tuple[float, int, str, str]:
    """By the end, then needs first, then by name: the same for results that arrive in another order."""
    return result.ended, board.depth[result.check], result.check, result.survey


def reloaded(board: Board, checks: Mapping[str, Check], now: float, at: float) -> Fold:
    """The board of a new config: what has the same name and kind keeps its history, under its new limits.

    Slow for thousands of checks: call it in a thread.
    """
    states = {}
    for name, check in checks.items():
        former = board.checks.get(name)
        if former is None or former.kind != check.kind:
            states[name] = _new(check, now, at)
        elif former == check:
            states[name] = board[name]
        else:
            states[name] = replace(board[name], limits=limits.carried(board[name], check))
    after = causes.without_lost(Board.of(checks, states))
    changed = {name for name, check in checks.items() if board.checks.get(name) != check}
    changed |= {name for name in states if after[name] is not states[name]}
    after, changes, touched = _settle(board, after, changed, now, at)
    return Fold(after, tuple(changes), frozenset(touched), _wanted(after, touched))


def one_shot(checks: Mapping[str, Check], results: Iterable[Result]) -> Board:
    """The board after exactly one run of each check: thresholds, start period and waiting do not apply."""
    decisive = {"failure_threshold": 1, "success_threshold": 1, "start_period": 0.0}
    board = opened({name: check.model_copy(update=decisive) for name, check in checks.items()}, 0.0, 0.0)
    for result in results:
        board = board.put(_recorded(board, result, counted=True))
    for name in sorted(checks, key=board.depth.__getitem__):
        board = board.put(settled(board, name, 0.0, wait=False))
    return replace(board, checks=checks)


def _new(check: Check, now: float, at: float) -> State:
    return State(check.name, appeared=now, since_at=at, limits=limits.fresh(check))


def _recorded(board: Board, result: Result, counted: bool) -> State:
    """The state after a run or survey, its verdict aside: what it was worth is known at once."""
    state, check = board[result.check], board.checks[result.check]
    if result.survey:
        return _after_survey(state, check, result)
    changes: dict[str, Any] = {"result": result}
    if counted or state.result is None:  # the first numbers decide, whoever asked for them
        changes["limits"] = limits.after(state, check, result)
    if counted:
        changes["tally"], changes["strip"] = state.tally.plus(result.reason, result.duration), state.strip.plus(result)
    streak = _of_good_run(board, state, result) if result.ok else _of_failed_run(board, state, result, counted)
    return replace(state, **changes, **streak)  # at once: it costs more than all the rest here


def _after_survey(state: State, check: Check, result: Result) -> State:
    before = state.surveys.get(result.survey)
    kept = before.samples if before is not None and result.unfinished else ()
    survey = SurveyState(
        result=replace(result, samples=()),
        samples=result.samples if result.complete else kept,
        last_success_at=result.at if result.complete else before.last_success_at if before is not None else 0.0,
    )
    return replace(state, surveys={**state.surveys, result.survey: survey}, limits=limits.after(state, check, result))


def _of_good_run(board: Board, state: State, result: Result) -> dict[str, Any]:
    return {
        "last_success_at": result.at,
        "failures": 0,
        "successes": state.successes + 1,
        "held": (),
        "standing": Outcome(result.began, result.ended, result.reason),
        "rootless": False,
        "failing_since": inf,
        "good_since": result.ended if state.held else min(state.good_since, result.ended),
        "well": causes.well_after_good_run(board, state, result.began, result.ended),
    }


def _of_failed_run(board: Board, state: State, result: Result, counted: bool) -> dict[str, Any]:
    outcome = Outcome(result.began, result.ended, result.reason, result.message, counted)
    return {
        "failures": state.failures + counted,
        "successes": 0,
        "held": (*state.held, outcome),
        "failed": (replace(result, samples=()), *state.failed)[:FAILURES_KEPT],
        "well": causes.well_after_failed_run(board, state),
    }


def _settle(
    before: Board, after: Board, recorded: set[str], now: float, at: float
) -> tuple[Board, list[Change], set[str]]:
    """Pass every verdict that can be passed now, needs first; and what changed thereby, and which states it touched."""
    touched = set(recorded)
    ahead = _NeedsFirst(after, recorded)
    for name in ahead:
        state = settled(after, name, now)
        if state is not after[name]:
            after = after.put(state if state.health is after[name].health else replace(state, since_at=at))
            touched.add(name)
            if state.health is Health.UNHEALTHY:
                ahead.add(root for root in state.roots if not after[root].down)
        if name in touched:
            ahead.add(causes.concerned(before, after, name))
    changes = [change for name in sorted(touched) if (change := _change(before, after, name, at)) is not None]
    return after, changes, touched


class _NeedsFirst:
    """Names to settle, those that others need first; more may be added on the way."""

    def __init__(self, board: Board, names: Iterable[str]) -> None:
        self._depth = board.depth
        self._heap: list[tuple[int, str]] = []
        self._waiting: set[str] = set()
        self.add(names)

    def add(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._waiting:
                self._waiting.add(name)
                heappush(self._heap, (self._depth[name], name))

    def __iter__(self) -> Iterator[str]:
        while self._heap:
            _, name = heappop(self._heap)
            self._waiting.discard(name)
            yield name


def _wanted(board: Board, touched: set[str]) -> frozenset[str]:
    waiting = touched.union(*(board.dependants.get(name, ()) for name in touched))
    return frozenset(need for name in waiting if board[name].held for need in causes.wanted(board, name))


def _change(before: Board, after: Board, name: str, at: float) -> Change | None:
    """The change of a check's verdict: another health, or another cause of being unhealthy."""
    old, new = before.states.get(name), after[name]
    if old is None:
        return None
    same_roots = old.roots == new.roots or new.health is not Health.UNHEALTHY
    if old.health is new.health and same_roots:
        return None
    return Change(name, old.verdict, new.verdict, new.roots, at)
