"""A small language for histories: checks that need each other, runs at given seconds, and what the board says then."""

from typing import Any

from probe.check import Check, Duration, Run, survey
from probe.model import Change, Health, Metric, Reason, Result, Sample, gauge
from probe.state import Board, Ended, Fold, fold, opened, reloaded

EPOCH = 1_800_000_000.0
"""Unix time of second 0 of every story."""


class Scripted(Check, kind="scripted"):
    """A check whose results the story writes."""

    usage_interval: Duration = 3600.0
    usage_timeout: Duration = 60.0

    class metrics:
        load_ratio = gauge("A number to limit.")
        size_bytes = gauge("A number of several series.", "datname")
        used_bytes = gauge("A number of a survey.", survey="usage")
        made_timestamp_seconds = gauge("A point in time.")

    async def run(self, run: Run) -> None:
        raise AssertionError("stories do not run checks")

    @survey(interval="usage_interval", timeout="usage_timeout")
    async def usage(self, run: Run) -> None:
        raise AssertionError("stories do not run surveys")


class Arriving(Scripted, kind="arriving"):
    """The same, passive: its results arrive."""

    passive = True


LOAD: Metric = Scripted.declared["load_ratio"]


def check(name: str, *needs: str, **fields: Any) -> Scripted:
    """A check of this name with these needs."""
    return Scripted(name=name, needs=needs, **fields)


def result(
    name: str,
    at: float,
    reason: Reason = Reason.OK,
    *,
    took: float = 0.1,
    samples: tuple[Sample, ...] = (),
    survey: str = "",
    **more: Any,
) -> Result:
    """A run that began at this second of the story."""
    message = "" if reason is Reason.OK else f"{name}: {reason}"
    return Result(
        name,
        reason,
        message=more.pop("message", message),
        survey=survey,
        at=EPOCH + at,
        began=at,
        ended=at + took,
        samples=samples,
        **more,
    )


class Story:
    """A board as it goes through a history."""

    def __init__(self, *checks: Check, now: float = 0.0) -> None:
        self.board: Board = opened({check.name: check for check in checks}, now, EPOCH + now)
        self.changes: list[Change] = []
        self.wanted: frozenset[str] = frozenset()

    def run(self, name: str, at: float, reason: Reason = Reason.OK, *, counted: bool = True, **more: Any) -> Fold:
        """Fold one run; by default it took 0.1 s."""
        return self._take(fold(self.board, [Ended(result(name, at, reason, **more), counted)]))

    def reload(self, *checks: Check, at: float) -> Fold:
        return self._take(reloaded(self.board, {check.name: check for check in checks}, at, EPOCH + at))

    def _take(self, folded: Fold) -> Fold:
        self.board, self.wanted = folded.board, folded.wanted
        self.changes.extend(folded.changes)
        return folded

    def health(self, name: str) -> Health:
        return self.board[name].health

    def roots(self, name: str) -> tuple[str, ...]:
        return self.board[name].roots
