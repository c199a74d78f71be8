"""Who looks at the board, and calls somebody by the rule in README: unhealthy without a cause, for 30 s."""

from dataclasses import dataclass, field
from typing import NamedTuple

from probe.model import Health
from probe.state import Board, State

ALERT_FOR = 30.0
"""Seconds that a check has to be unhealthy without a cause before somebody is called."""


class Blame(NamedTuple):
    """A check and its root, itself where it is unhealthy without a cause, from this second of the story on."""

    check: str
    root: str
    at: float
    failing: frozenset[str]
    """What was known to fail then."""


@dataclass
class Onlooker:
    """Looks at states, and notes for whom somebody is called. The agent's restart resolves nothing."""

    blames: list[Blame] = field(default_factory=list)
    """All, if only for a moment."""
    calls: list[Blame] = field(default_factory=list)
    """Those without a cause that lasted; somebody is called 30 s after their seconds."""
    told: set[tuple[str, str]] = field(default_factory=set)
    """Those of unhealthy checks, with their roots."""
    seen: set[str] = field(default_factory=set)
    """Checks that were seen to fail, and were not absent."""
    _failing: set[str] = field(default_factory=set)
    _alone: dict[str, Blame] = field(default_factory=dict)
    _roots: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def look(self, state: State, at: float, *, optional: bool) -> None:
        if state.failed and (state.ever_succeeded or not optional):
            self.seen.add(state.check)
        (self._failing.add if state.failures else self._failing.discard)(state.check)
        roots = state.roots or ((state.check,) if state.health is Health.UNHEALTHY else ())
        fresh = [
            Blame(state.check, root, at, frozenset(self._failing)) for root in roots if not self._knows(state, root)
        ]
        self._roots[state.check] = roots
        self.blames += fresh
        if state.health is Health.UNHEALTHY:
            self.told |= {(state.check, root) for root in roots}
        if roots != (state.check,):
            self.forget(state.check, at)
        elif fresh:
            self._alone[state.check] = fresh[0]

    def forget(self, name: str, at: float) -> None:
        """It is well, or explained, or gone."""
        blame = self._alone.pop(name, None)
        if blame is not None and at - blame.at >= ALERT_FOR:
            self.calls.append(blame)

    def end(self, at: float) -> None:
        for name in list(self._alone):
            self.forget(name, at)

    def _knows(self, state: State, root: str) -> bool:
        return root in self._roots.get(state.check, ())


def unwell(board: Board) -> list[str]:
    """What is unhealthy, has a cause or fails, unless it is absent."""
    return [
        state.check
        for state in board
        if (state.health is Health.UNHEALTHY or state.causes or state.failures) and state.verdict.reason != "absent"
    ]
