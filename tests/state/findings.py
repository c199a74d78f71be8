"""What is wrong with what the agent made of a history."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from probe.state import Board
from probe.state.causes import EXONERATED_AFTER, RECOVERY_GRACE, patience
from tests.state.histories import History, Outage, history
from tests.state.onlooker import ALERT_FOR, Blame, Onlooker, unwell
from tests.state.operator import reachable
from tests.state.simulator import FIRST_RUN_WITHIN
from tests.state.stories import Scripted

SETTLES_IN = 1200.0
"""Seconds after the last trouble in which all has to be well."""

TOLD_WITHIN = 60.0
"""Seconds, beside `failure_threshold` intervals, after which an outage that lasts has called somebody."""


class Findings(NamedTuple):
    """The first five are empty when one outage was one incident; what the other two tell nobody can help."""

    wrong: tuple[Blame, ...] = ()
    """Somebody was called for a check that was not broken itself."""
    doubles: tuple[str, ...] = ()
    """Somebody was called twice for the same outage."""
    missed: tuple[Outage, ...] = ()
    """It lasted, nothing else could be to blame, and nobody was called in time."""
    misled: tuple[Blame, ...] = ()
    """An unhealthy check had a cause, if only for a moment, that was not broken itself."""
    unwell: tuple[str, ...] = ()
    """What was not well again long after all was over."""
    trackless: tuple[Blame, ...] = ()
    """Like `wrong`, but nobody could know: no way led from the check to what was broken over checks that were seen to
    fail. The outage was too short for one of them to be run while it lasted; or one is passive, so can't be asked, and
    had not said so yet."""
    late: tuple[Outage, ...] = ()
    """Somebody was called in time only as of when another outage, which could explain it, was over."""


def findings(history: History, settled: Board, noted: Onlooker) -> Findings:
    """Judge what an onlooker noted, and the board long after all was over."""
    broken = {outage.check for outage in history.outages}
    calls = [blame for blame in noted.calls if blame.check not in broken]
    excused = {blame.root for blame in noted.blames if not _has_track(history, noted, blame)}
    told = [blame for blame in noted.blames if (blame.check, blame.root) in noted.told and blame.check != blame.root]
    untold = [outage for outage in history.outages if not _is_told(history, settled, noted, outage, outage.begins)]
    missed = [one for one in untold if not _is_told(history, settled, noted, one, _alone_from(history, one))]
    times = Counter(call.check for call in noted.calls if not _is_forgotten(history, call))
    return Findings(
        wrong=tuple(blame for blame in calls if blame.root not in excused),
        doubles=tuple(name for name in sorted(broken) if times[name] > 1),
        missed=tuple(missed),
        misled=tuple(blame for blame in told if blame.root not in {*excused, *broken}),
        unwell=tuple(unwell(settled)),
        trackless=tuple(blame for blame in calls if blame.root in excused),
        late=tuple(outage for outage in untold if outage not in missed),
    )


def simulated(number: int) -> Findings:
    """What the simulator finds in one history."""
    story = history(number)
    world = story.play(SETTLES_IN)
    return findings(story, world.board, world.onlooker)


def _has_track(history: History, noted: Onlooker, blame: Blame) -> bool:
    """Whether ways lead from who is blamed to all that it ever felt, over checks that were known to fail.

    Of those that are asked: at any time, as the agent is to ask them in time. Of passive ones: then. One that was
    silent over a restart is excused: the agent waits for it anew, and tells of it when what caused it may be over.
    """
    checks = history.config_at(blame.at)
    if checks[blame.root].passive and any(restart.at < blame.at for restart in history.restarts):
        return False
    known = {name for name, check in checks.items() if name in (blame.failing if check.passive else noted.seen)}
    ways = {name: tuple(known & {*check.needs}) for name, check in checks.items()}
    found = {*reachable(ways, blame.root), blame.root}
    return all(trouble.root in found for trouble in history.truth.get(blame.root, ()))


def _is_forgotten(history: History, call: Blame) -> bool:
    """Whether a kill lost the recovery of a passive check, which nobody can ask for it anew."""
    backs = [restart.at + restart.away for restart in history.restarts]
    return call.at in backs and history.config_at(call.at)[call.check].passive


def _is_told(history: History, settled: Board, noted: Onlooker, outage: Outage, since: float) -> bool:
    """Whether somebody was called in time, or it was over by then; nothing else being to blame since then."""
    due = min([_due(history, outage, since), *_due_by_others(history, settled, outage)])
    return outage.ends <= due or any(call.check == outage.check and call.at + ALERT_FOR <= due for call in noted.calls)


def _due(history: History, outage: Outage, since: float) -> float:
    """The last second for a call: `failure_threshold` intervals and a minute after it begins.

    The minute is for the alert's 30 s, a last run that hangs until its timeout, and the needs that it waits for;
    a retry, which may come sooner, is not needed. Beside that: a start period, if it never was well; for each restart
    the seconds that nobody looked, those that were forgotten, and those to the first runs. A passive check is silent
    anew from a restart on.
    """
    own = _versions(history, outage.check)
    takes = max(check.failure_threshold * check.interval for check in own) + TOLD_WITHIN
    due = since + takes + (max(check.start_period for check in own) if outage.begins < FIRST_RUN_WITHIN else 0)
    for restart in history.restarts:
        if restart.at <= due:
            back = restart.at + restart.away
            is_passive = any(check.passive for check in own)
            due = back + takes if is_passive else due + restart.away + restart.lost + FIRST_RUN_WITHIN
    return due


def _due_by_others(history: History, settled: Board, outage: Outage) -> Iterator[float]:
    """The same by who feels it, as what is named as a cause is unhealthy at once, its needs having had time to answer.

    Only where one config is in force and everything can be asked.
    """
    if len(history.configs) > 1 or len(history.outages) > 1 or any(check.passive for check in _versions(history)):
        return
    for name, troubles in history.truth.items():
        for trouble in troubles:
            if trouble.root == outage.check != name and outage.begins > FIRST_RUN_WITHIN:
                felt = Outage(name, trouble.begins, trouble.ends)
                yield _due(history, felt, felt.begins) + patience(settled, name)


def _alone_from(history: History, outage: Outage) -> float:
    """From when on nothing that it needs can be to blame any more."""
    alone = outage.begins
    for other in history.outages:
        below = set(chain.from_iterable(reachable(graph, outage.check) for graph in history.graphs))
        if other != outage and other.check in below and not _is_exonerated(history, outage, other):
            troubles = [one for name in below for one in history.truth.get(name, ()) if one.root == other.check]
            until_seen = max(check.interval for check in _versions(history) if check.name in below)
            alone = max(alone, max(one.ends for one in troubles) + until_seen + RECOVERY_GRACE)
    return alone


def _is_exonerated(history: History, outage: Outage, other: Outage) -> bool:
    """Whether the check has shown, before it broke, that it is well though the other is broken."""
    (own, *changed) = _versions(history, outage.check)
    graph = history.graphs[0]
    if changed or any(trouble.root == other.check for trouble in history.truth[outage.check]):
        return False
    ways = [need for need in own.needs if other.check in {need, *reachable(graph, need)}]
    failing = [one.begins for need in ways for one in history.truth.get(need, ()) if one.root == other.check]
    if not failing:
        return True
    until_seen = max(check.interval + check.timeout for check in _versions(history) if check.name in ways)
    shown = max(failing) + until_seen + EXONERATED_AFTER + (own.failure_threshold + 2) * own.interval
    return outage.begins > shown


def _versions(history: History, name: str | None = None) -> list[Scripted]:
    """A check, or all, as in each config that was in force."""
    return [check for _, checks in history.configs for check in checks.values() if name in (None, check.name)]
