"""A simulator of stacks and outages: it drives the real fold as the agent does and counts pages as the alert would.

A check's truth: it fails while it is broken itself, or while a need it feels is (up to `lag` seconds late both
ways). Runs take 0.05 s, or 5 s when the failure hangs. Needs that a verdict waits for are run at once, uncounted.
"""

import heapq
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from probe.model import Health, Reason, Result
from probe.state import Ended, Fold, fold, opened
from tests.state.stories import EPOCH, Scripted

ALERT_FOR = 30.0
"""Seconds that a check has to be unhealthy without a cause before somebody is called (the shipped rule)."""


@dataclass(frozen=True)
class Outage:
    """A check that is broken itself for a while (seconds of the story); `hangs`: its failing runs take 5 s."""

    check: str
    begins: float
    ends: float
    hangs: bool = False


@dataclass
class World:
    """The stack, what is broken when, and what the agent made of it."""

    checks: Mapping[str, Scripted]
    outages: list[Outage]
    lags: Mapping[str, tuple[float, float]]
    pages: list[tuple[str, float]] = field(default_factory=list)
    roots: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)

    def play(self, until: float) -> None:
        """Run everything, in order of time."""
        self.board = opened(self.checks, 0.0, EPOCH)
        self._queue: list[tuple[float, int, str, Result | None, bool]] = []
        self._flying: dict[str, bool] = {}
        self._number = 0
        self._since: dict[str, float] = {}
        for name, check in self.checks.items():
            self._push(random.Random(name).uniform(0, check.interval), name)
        while self._queue and self._queue[0][0] < until:
            at, _, name, ended, is_slot = heapq.heappop(self._queue)
            if ended is not None:
                counted = self._flying.pop(name)
                self._take(fold(self.board, [Ended(ended, counted)]), at)
            elif is_slot:
                self._push(at + self.checks[name].interval, name)
                self._begin(name, at, counted=True)

    def _begin(self, name: str, at: float, *, counted: bool) -> None:
        if name in self._flying:
            self._flying[name] = self._flying[name] or counted
            return
        broken = self._broken(name, at)
        took = 5.0 if broken is not None and broken.hangs else 0.05
        reason = Reason.OK if broken is None else Reason.TIMEOUT if broken.hangs else Reason.CONNECT
        self._flying[name] = counted
        self._push(at + took, name, Result(name, reason, at=EPOCH + at, began=at, ended=at + took))

    def _broken(self, name: str, at: float) -> Outage | None:
        for outage in self.outages:
            late_begin, late_end = (0.0, 0.0) if outage.check == name else self._lag(name, outage.check)
            if outage.begins + late_begin <= at < outage.ends + late_end:
                return outage
        return None

    def _lag(self, name: str, root: str) -> tuple[float, float]:
        """The sum of lags on the way to the root; infinity where there is none."""
        best = (float("inf"), -float("inf"))
        for need in self.checks[name].needs:
            below = (0.0, 0.0) if need == root else self._lag(need, root)
            own = self.lags[name]
            if below[0] < float("inf"):
                best = (min(best[0], below[0] + own[0]), max(best[1], below[1] + own[1]))
        return best

    def _take(self, folded: Fold, at: float) -> None:
        self.board = folded.board
        for change in folded.changes:
            if change.after.health is Health.UNHEALTHY:
                self.roots.setdefault(change.check, set()).add(change.roots)
        for name in folded.touched:
            self._watch(name, at)
        for need in folded.wanted:
            self._begin(need, at, counted=False)

    def _watch(self, name: str, at: float) -> None:
        state = self.board[name]
        if state.health is Health.UNHEALTHY and not state.causes:
            self._since.setdefault(name, at)
        elif name in self._since and at - self._since.pop(name) >= ALERT_FOR:
            self.pages.append((name, at))

    def _push(self, at: float, name: str, ended: Result | None = None) -> None:
        self._number += 1
        heapq.heappush(self._queue, (at, self._number, name, ended, ended is None))
