"""Who is to blame: the failed needs that explain a failure, and for how long they do.

Three rules make one outage one incident (each has a simulated count of wrong pages without it):
a verdict waits for a fresh run of each need (`ripe`); a cause once named stays until its dependant is well again,
or has failed often enough after it (`named`); and a check that went unhealthy on its own stays on its own
(`State.rootless`).
"""

from dataclasses import replace

from probe.check import Check
from probe.model import Health
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
    """Whether each need has had a run, its verdict settled, that began after this failed run began."""
    return all(need.settled >= held.began for need in awaited(board, check))


def wanted(board: Board, name: str) -> set[str]:
    """The needs that must run at once for the verdict on a check; one that has run since settles by itself."""
    state = board[name]
    if not state.held:
        return set()
    return {need.check for need in awaited(board, board.checks[name]) if need.began < state.held[-1].began}


def named(board: Board, state: State) -> tuple[Cause, ...]:
    """The causes of a check whose last settled run failed: those that stay, and those that are new."""
    if state.rootless or state.standing is None or not state.standing.reason.explains:
        return ()
    threshold = board.checks[state.check].failure_threshold
    stay = {cause.check: cause for cause in state.causes if _stays(board, state, cause)}
    for need_name in board.needs(state.check):
        need = board[need_name]
        if need.explains and not _is_exonerated(state, need, threshold):
            for root in need.roots or (need.check,):
                stay.setdefault(root, Cause(root))
    return tuple(sorted(stay.values(), key=lambda cause: cause.check))


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


def _stays(board: Board, state: State, cause: Cause) -> bool:
    return cause.check in board.states and cause.failures < board.checks[state.check].failure_threshold


def _is_exonerated(state: State, need: State, failure_threshold: int) -> bool:
    well = state.well.get(need.check)
    return well is not None and well.failing_since == need.failing_since and _is_proven(well, failure_threshold)


def _is_proven(well: Well, failure_threshold: int) -> bool:
    return well.until - well.since >= EXONERATED_AFTER and well.runs >= failure_threshold
