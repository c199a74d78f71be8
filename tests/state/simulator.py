"""A simulator of the agent: a truth drives the real fold and store, and an onlooker notes what is made of it.

    Truth   what really fails, when, and how long a failing run takes
    World   the agent: its schedule, confirmations, retries, silences, reloads and restarts

Its schedule does what probe/scheduler does, without the grid and the pacing; tests/agent/test_one_outage.py has the
real one.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from probe.model import Change, Reason, Result
from probe.state import Board, Ended, Fold, fold, opened, reloaded
from probe.state.store import FILE_NAME, encode, restored
from tests.state.onlooker import Onlooker, unwell
from tests.state.stories import EPOCH, Scripted

TAKES = 0.05
"""Seconds of a run that does not hang."""

FIRST_RUN_WITHIN = 15.0
"""Seconds after which every check has had its first start (probe.scheduler.plan)."""

FOLD_EVERY = 0.02
"""Seconds in which runs that end are gathered (probe.agent.agent)."""

MOST_LOST = 5.0
"""Seconds of history that a kill -9 can lose (probe.agent.keeping.KEEP_EVERY)."""


class Trouble(NamedTuple):
    """From when to when a check fails, whose outage it is, and the seconds that its failing runs take."""

    begins: float
    ends: float
    root: str
    takes: float

    @property
    def hangs(self) -> bool:
        return self.takes > 1


Truth = Mapping[str, Sequence[Trouble]]
"""By check; what is not here is well. Seconds of the story."""


@dataclass(eq=False, slots=True)
class _Flight:
    began: float
    counted: bool
    by_slot: bool


@dataclass(eq=False, slots=True)
class _Entry:
    check: Scripted
    flight: _Flight | None = None
    extra: float | None = None
    heard: float = 0.0
    told: float = -inf
    gone: bool = False

    @property
    def silent_at(self) -> float:
        """When the silence of a passive check is told."""
        interval, timeout = self.check.interval, self.check.timeout
        return max(self.heard + interval + timeout, self.told + interval)


class _Kept(NamedTuple):
    at: float
    ahead: float
    board: Board


class World:
    """The agent in a truth. `seed` decides the phases of the checks, which stay over reloads and restarts."""

    def __init__(self, checks: Mapping[str, Scripted], truth: Truth, seed: int = 0) -> None:
        self.onlooker = Onlooker()
        self.board = opened(checks, 0.0, EPOCH)
        self.now = 0.0
        self.changes: list[tuple[float, Change]] = []
        """Each with its second of the story."""
        self._truth = truth
        self._seed = seed
        self._ahead = 0.0
        """How far this process' monotonic clock is ahead of the story's."""
        self._number = 0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._entries: dict[str, _Entry] = {}
        self._ended: list[Ended] = []
        self._file = b""
        self._kept = [_Kept(0.0, 0.0, self.board)]
        self._schedule(checks)

    def play(self, until: float, well_after: float) -> None:
        """Go on until this second, or until all is well after `well_after`."""
        while self._queue and self._queue[0][0] < until and (self.now <= well_after or unwell(self.board)):
            self.now, _, act = heapq.heappop(self._queue)
            act()
        self.onlooker.end(self.now)

    def reload(self, checks: Mapping[str, Scripted], at: float) -> None:
        """At this second take another config, as the agent does."""
        self._at(at, partial(self._reload, checks))

    def restart(self, at: float, away: float, lost: float) -> None:
        """At this second kill -9: the last `lost` seconds are forgotten. It is back after `away` seconds."""
        self._at(at, partial(self._kill, lost))
        self._at(at + away, self._be_back)

    def _reload(self, checks: Mapping[str, Scripted]) -> None:
        for name in self._entries.keys() - checks.keys():
            self.onlooker.forget(name, self.now)
        self._take(reloaded(self.board, checks, self.now + self._ahead, EPOCH + self.now))
        self._schedule(checks)

    def _kill(self, lost: float) -> None:
        kept = next((kept for kept in reversed(self._kept) if kept.at <= self.now - lost), self._kept[0])
        self._file = encode(kept.board, kept.at + kept.ahead, EPOCH + kept.at)
        self._checks = {name: entry.check for name, entry in self._entries.items()}
        self._ended = []
        self._schedule({})

    def _be_back(self) -> None:
        self._ahead = Random(self.now).uniform(-1000, 1000)
        now, at = self.now + self._ahead, EPOCH + self.now
        with TemporaryDirectory() as folder:
            Path(folder, FILE_NAME).write_bytes(self._file)
            self.board = restored(Path(folder), opened(self._checks, now, at), now, at)
        self._keep()
        self._look(self._checks)
        self._schedule(self._checks)

    def _schedule(self, checks: Mapping[str, Scripted]) -> None:
        """What is as it was goes on; what is new or changed runs within 15 s."""
        former, self._entries = self._entries, {}
        for name, check in checks.items():
            known = former.get(name)
            if known is not None and known.check == check:
                self._entries[name] = former.pop(name)
            else:
                heard, told = (known.heard, known.told) if known else (self.now, -inf)
                self._entries[name] = _Entry(check, heard=heard, told=told)
                self._enter(self._entries[name])
        for entry in former.values():
            entry.gone = True

    def _enter(self, entry: _Entry) -> None:
        check, slot = entry.check, self._next_slot(entry.check)
        if check.passive:
            self._at(slot, partial(self._send, entry))
            self._at(max(self.now, entry.silent_at), partial(self._listen, entry))
            return
        self._at(slot, partial(self._slot, entry))
        if slot > self.now + FIRST_RUN_WITHIN:
            self._run_beside(entry, self.now + slot % FIRST_RUN_WITHIN)

    def _at(self, seconds: float, act: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._queue, (seconds, self._number, act))

    def _slot(self, entry: _Entry) -> None:
        if entry.gone:
            return
        self._at(self.now + entry.check.interval, partial(self._slot, entry))
        if entry.flight is None or not entry.flight.by_slot:
            entry.extra = None
        if entry.flight is None:
            self._begin(entry, counted=True, by_slot=True)
        else:
            entry.flight.counted = entry.flight.by_slot = True

    def _run_beside(self, entry: _Entry, at: float) -> None:
        entry.extra = at
        self._at(at, partial(self._extra, entry, at))

    def _extra(self, entry: _Entry, at: float) -> None:
        if entry.gone or entry.extra != at:
            return
        entry.extra = None
        if entry.flight is None:
            self._begin(entry, counted=True)
        else:
            entry.flight.counted = True

    def _begin(self, entry: _Entry, *, counted: bool, by_slot: bool = False) -> None:
        trouble = self._trouble(entry.check.name)
        flight = entry.flight = _Flight(self.now, counted, by_slot)
        self._at(self.now + (trouble.takes if trouble else TAKES), partial(self._end, entry, flight, trouble))

    def _end(self, entry: _Entry, flight: _Flight, trouble: Trouble | None) -> None:
        if entry.gone:
            return
        entry.flight = None
        reason = Reason.OK if trouble is None else Reason.TIMEOUT if trouble.hangs else Reason.CONNECT
        self._run_ended(entry.check, reason, flight.began, counted=flight.counted)

    def _retry(self, name: str, began: float) -> None:
        entry = self._entries.get(name)
        if entry is None or entry.extra is not None or entry.check.retry_interval is None:
            return
        at = max(self.now, began - self._ahead + entry.check.retry_interval)
        if at < self._next_slot(entry.check):
            self._run_beside(entry, at)

    def _next_slot(self, check: Scripted) -> float:
        phase = Random(f"{self._seed}{check.name}").uniform(0, check.interval)
        return (self.now - phase) // check.interval * check.interval + phase + check.interval

    def _send(self, entry: _Entry) -> None:
        """A passive check's own sender: in trouble it says so, or says nothing."""
        if entry.gone:
            return
        self._at(self.now + entry.check.interval, partial(self._send, entry))
        trouble = self._trouble(entry.check.name)
        if trouble is None or not trouble.hangs:
            entry.heard = self.now
            self._run_ended(entry.check, Reason.OK if trouble is None else Reason.UNHEALTHY, self.now)

    def _listen(self, entry: _Entry) -> None:
        if entry.gone:
            return
        if self.now < entry.silent_at:
            self._at(entry.silent_at, partial(self._listen, entry))
            return
        entry.told = self.now
        self._at(self.now + entry.check.interval, partial(self._listen, entry))
        self._run_ended(entry.check, Reason.UNHEALTHY, self.now)

    def _trouble(self, name: str) -> Trouble | None:
        return next((one for one in self._truth.get(name, ()) if one.begins <= self.now < one.ends), None)

    def _run_ended(self, check: Scripted, reason: Reason, began: float, *, counted: bool = True) -> None:
        if not self._ended:
            self._at(self.now + FOLD_EVERY, self._fold_ended)
        ahead = self._ahead
        result = Result(check.name, reason, at=EPOCH + began, began=began + ahead, ended=self.now + ahead)
        self._ended.append(Ended(result, counted))

    def _fold_ended(self) -> None:
        ended, self._ended = [run for run in self._ended if run.result.check in self._entries], []
        self._take(fold(self.board, ended))
        for result, _ in ended:
            if not (result.ok or self.board[result.check].down):
                self._retry(result.check, result.began)

    def _take(self, folded: Fold) -> None:
        self.board = folded.board
        self.changes += [(self.now, change) for change in folded.changes]
        self._keep()
        self._look(folded.touched)
        for need in sorted(folded.wanted):
            entry = self._entries.get(need)
            if entry is not None and entry.flight is None:
                self._begin(entry, counted=False)

    def _look(self, names: Iterable[str]) -> None:
        for name in sorted(names):
            self.onlooker.look(self.board[name], self.now, optional=self.board.checks[name].optional)

    def _keep(self) -> None:
        self._kept.append(_Kept(self.now, self._ahead, self.board))
        while self._kept[1].at < self.now - MOST_LOST:
            del self._kept[0]
