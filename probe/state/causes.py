"""Who is to blame: the failed needs that explain a failure, and for how long they do.

Three rules make one outage one incident (each has a simulated count of wrong pages without it):
a verdict waits for a fresh run of each need (`ripe`); a cause once named stays until its dependant is well again,
or has failed often enough after it (`named`); and a check that went unhealthy on its own stays on its own
(`State.rootless`).
"""

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from probe.check import Check
from probe.model import Health, Reason
from probe.state.values import Board, Cause, Outcome, State, Well

EXONERATED_AFTER = 300.0
"""Seconds that a check has to run well under a need's failure before that failure explains nothing of it."""


RECOVERY_GRACE = 30.0
"""Seconds after a cause's first good run in which its dependants may still fail without that speaking against it.

Without it, a dependant with a threshold of 1 that recovers a moment later than its cause is paged for: 8 of 1,000
simulated outages (tests/state/simulator.py, late by up to 8 s), 0 with it.
"""


def awaited(board: Board, check: Check) -> list[State]:
    """The needs of a check whose fresh run its failed run waits for: all that can be asked for one."""
    needs = [board[need] for need in board.needs(check.name)]
    return [need for need in needs if not board.checks[need.check].passive and not need.is_stuck]


def is_ripe(board: Board, check: Check, held: Outcome) -> bool:
    """Whether each need has had a run, its verdict settled, that began after this failed run began.

    Of a passive one the last word stands, once settled.
    """
    is_open = any(board.checks[need].passive and board[need].held for need in board.needs(check.name))
    return not is_open and all(need.settled >= held.began for need in awaited(board, check))


def patience(board: Board, name: str) -> float:
    """Seconds in which all that the verdict on a check waits for has run: on each storey, a run in flight, and one."""
    needed: dict[str, float] = {name: 0.0}
    for need in sorted(reachable(board, name), key=board.depth.__getitem__):
        below = max((needed[further] for further in board.needs(need)), default=0.0)
        needed[need] = below + 2 * (board.checks[need].timeout + 1)
    return max(needed.values())


def wanted(board: Board, name: str) -> set[str]:
    """The needs that must run at once for a verdict that waits; one that has run since settles by itself."""
    state = board[name]
    return {need.check for need in awaited(board, board.checks[name]) if need.began < state.held[-1].began}


def named(board: Board, state: State) -> tuple[Cause, ...]:
    """The causes of a check whose last settled run failed: those that stay, and those that are new."""
    if state.rootless or not _is_explicable(state):
        return ()
    stay = {cause.check: cause for cause in state.causes if _stays(board, state, cause)}
    for need in explaining(board, state):
        for root in _roots(board, need, _judged_at(state)):
            stay.setdefault(root, Cause(root))
    return tuple(sorted(stay.values(), key=lambda cause: cause.check))


def explaining(board: Board, state: State) -> Iterator[State]:
    """The failed needs that explain the failure of a check's last settled run, themselves explained or not."""
    if _is_explicable(state):
        threshold = board.checks[state.check].failure_threshold
        for need in _failed_needs(board, state.check, _judged_at(state)):
            if not _is_exonerated(state, need, threshold):
                yield need


def concerned(before: Board, after: Board, name: str) -> Iterator[str]:
    """Who may have another verdict after a run of this need: who has none yet, and who fails if it looks otherwise now.

    Ten thousand may need it, and be well.
    """
    old = before.states.get(name)
    looks_the_same = old is not None and _face(old) == _face(after[name])
    for dependant in after.dependants.get(name, ()):
        state = after[dependant]
        is_open = state.held or state.health is Health.UNKNOWN
        if is_open or (not looks_the_same and state.standing is not None and state.standing.reason is not Reason.OK):
            yield dependant


def _face(need: State) -> tuple[object, ...]:
    """What the verdicts on those who need a check depend on, its last run's time aside."""
    has_failed = bool(need.failed) and need.failed[0].reason.explains
    return need.explains, has_failed, need.failing_since, need.good_since, need.causes, need.verdict.reason


def is_blamed(board: Board, name: str) -> bool:
    """Whether an unhealthy check names this one as its cause."""
    ahead = list(board.dependants.get(name, ()))
    seen = set(ahead)
    while ahead:
        dependant = board[ahead.pop()]
        if dependant.health is Health.UNHEALTHY and name in dependant.roots:
            return True
        above = [above for above in board.dependants.get(dependant.check, ()) if above not in seen]
        seen.update(above)
        ahead.extend(above)
    return False


def counted_against(board: Board, state: State, failed: Outcome) -> tuple[Cause, ...]:
    """The causes after one more counted failure: it speaks against those that had recovered before it began."""
    causes = []
    for cause in state.causes:
        root = board.states.get(cause.check)
        if root is None or root.explains:
            causes.append(replace(cause, failures=0))
        elif failed.began > root.good_since + RECOVERY_GRACE:
            causes.append(replace(cause, failures=cause.failures + 1))
        else:
            causes.append(cause)
    return tuple(causes)


def well_after_good_run(board: Board, state: State, began: float, ended: float) -> dict[str, Well]:
    """What the check has shown about its failing needs, after a good run."""
    shown: dict[str, Well] = {}
    for name in board.needs(state.check):
        need = board[name]
        if began <= need.failing_since:  # not failing (inf), or it began to fail later
            continue
        before = state.well.get(name)
        if before is None or before.failing_since != need.failing_since:
            before = Well(need.failing_since, began, ended, 0)
        shown[name] = replace(before, until=ended, runs=before.runs + 1)
    return shown


def well_after_failed_run(board: Board, state: State) -> dict[str, Well]:
    """What stays shown after a failed run: only what was proven."""
    threshold = board.checks[state.check].failure_threshold
    return {name: well for name, well in state.well.items() if _is_proven(well, threshold)}


def reachable(board: Board, name: str) -> set[str]:
    """All checks that are reached from this one by needs."""
    found: set[str] = set()
    ahead = list(board.needs(name))
    while ahead:
        need = ahead.pop()
        if need not in found:
            found.add(need)
            ahead.extend(board.needs(need))
    return found


def without_lost(board: Board) -> Board:
    """The board of another config, without the causes that needs lead to no more."""
    for state in board:
        if state.causes:
            found = reachable(board, state.check)
            stay = tuple([cause for cause in state.causes if cause.check in found])
            board = board if stay == state.causes else board.put(replace(state, causes=stay))
    return board


def _judged_at(state: State) -> float:
    """Who fails without a cause may have it from a need that was well again when this run began (monotonic seconds)."""
    return state.settled if not state.causes else inf


def _failed_needs(board: Board, name: str, began: float) -> list[State]:
    """The needs of a check that fail, or had only just recovered when a run of it began."""
    needs = [board[need] for need in board.needs(name)]
    return [need for need in needs if need.explains or _has_just_recovered(need, began)]


def _has_just_recovered(need: State, began: float) -> bool:
    is_well = need.standing is not None and need.standing.reason is Reason.OK
    has_failed = bool(need.failed) and need.failed[0].reason.explains
    return is_well and has_failed and began < need.good_since + RECOVERY_GRACE


def _roots(board: Board, need: State, began: float) -> set[str]:
    """What a failed need blames, itself at last; of one that has recovered, what it may have blamed."""
    if need.explains:
        return set(need.roots) or {need.check}
    below = [_roots(board, further, began) for further in _failed_needs(board, need.check, began)]
    return set().union(*below) or {need.check}


def _is_explicable(state: State) -> bool:
    return state.standing is not None and state.standing.reason.explains


def _stays(board: Board, state: State, cause: Cause) -> bool:
    root = board.states.get(cause.check)
    if root is None or root.is_absent or root.causes:  # which are the causes then
        return False
    return cause.failures < board.checks[state.check].failure_threshold


def _is_exonerated(state: State, need: State, failure_threshold: int) -> bool:
    well = state.well.get(need.check)
    return well is not None and well.failing_since == need.failing_since and _is_proven(well, failure_threshold)


def _is_proven(well: Well, failure_threshold: int) -> bool:
    return well.until - well.since >= EXONERATED_AFTER and well.runs >= failure_threshold
