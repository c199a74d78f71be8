"""The main path of the agent.

    config -> Scheduler -> Runner -> fold -> render -> who looks

Runs that end within 20 ms are folded together; a state's lines are rendered when it was touched. The
board is swapped whole: who reads it sees one moment.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from immutables import Map

from probe.check import Check
from probe.config import Config
from probe.exporter import Rendered, render
from probe.model import SYSTEM_CLOCK, Change, Clock, Health, Result
from probe.runner import Runner
from probe.scheduler import Figures, Scheduler
from probe.state import Board, Ended, Fold, fold, opened, reloaded

MOST_CHANGES = 200
"""Changes of verdict that are remembered for the page."""

FOLD_EVERY = 0.02
"""Seconds in which runs that end are gathered: folding costs a tenth less of the CPU when many are folded at a time,
and disturbs fewer of those that are measured meanwhile."""

PORTION = 50
"""Runs folded before the loop turns again, where many have ended while a config was swapped: a few milliseconds."""

_log = logging.getLogger(__name__)


class Agent:
    """Runs the checks of a config and keeps the board of what came of them."""

    def __init__(self, config: Config, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.config = config
        self.board: Board = opened(config.checks, clock.monotonic(), clock.wall())
        self.rendered: Map[str, Rendered] = Map()
        self.changes: deque[Change] = deque(maxlen=MOST_CHANGES)
        """Newest last."""
        self._clock = clock
        self._runner = Runner(clock)
        self._scheduler = Scheduler(self._runner, self._run_ended, clock=clock)
        self._ended: list[tuple[Check, Ended]] = []
        self._is_swapping = False
        self._render(config.checks)

    @property
    def figures(self) -> Figures:
        """What the scheduler counts."""
        return self._scheduler.figures

    @property
    def is_ready(self) -> bool:
        """Whether the first run of every check that is asked for has ended."""
        return all(state.result is not None or self.board.checks[state.check].passive for state in self.board)

    @property
    def late(self) -> float:
        """Seconds by which the most overdue slot is late; the scheduler stands still when that grows."""
        return self._scheduler.late

    def restore(self, board: Board) -> None:
        """Begin with the history of a former agent; only before `start`."""
        self.board = board
        self._render(board.checks)

    async def start(self) -> None:
        """Run the checks from now on."""
        await self._scheduler.start(self.config.checks)

    async def stop(self) -> None:
        """Start no more runs, give those in flight the grace, fold what they said, close what is open."""
        await self._scheduler.stop()
        self._fold_ended()
        await self._runner.close()

    async def reload(self, config: Config) -> None:
        """Swap the config, whole. The loop goes on turning; runs that end meanwhile are folded afterwards."""
        former = self.board.checks
        self._is_swapping = True
        try:
            folded, rendered = await asyncio.to_thread(self._reloaded, config)
            self.config, self.rendered = config, rendered
            self._take(folded)
        finally:
            self._is_swapping = False
        while self._ended:  # of ten thousand checks thousands have
            self._fold_ended(PORTION)
            await asyncio.sleep(0)
        await self._scheduler.replace(config.checks)
        for name, check in former.items():
            if name not in config.checks or config.checks[name].kind != check.kind:
                await self._runner.forget(name)

    def _reloaded(self, config: Config) -> tuple[Fold, Map[str, Rendered]]:
        folded = reloaded(self.board, config.checks, self._clock.monotonic(), self._clock.wall())
        rendered = {
            name: render(check, folded.board[name]) if name in folded.touched else self.rendered[name]
            for name, check in config.checks.items()
        }
        return folded, Map(rendered)

    def _run_ended(self, check: Check, result: Result, counted: bool) -> None:
        if not self._ended:
            asyncio.get_running_loop().call_later(FOLD_EVERY, self._fold_ended)
        self._ended.append((check, Ended(result, counted)))

    def _fold_ended(self, most: int | None = None) -> None:
        if self._is_swapping or not self._ended:
            return
        taken = self._ended[:most]
        self._ended = self._ended[len(taken) :]
        ended = [run for check, run in taken if self._is_known(check, run.result)]
        folded = fold(self.board, ended)
        self._take(folded)
        self._render(folded.touched)
        for run in ended:
            if not (run.result.ok or run.result.survey or self.board[run.result.check].down):
                self._scheduler.retry(run.result.check, run.result.began)

    def _is_known(self, check: Check, result: Result) -> bool:
        """Whether it is of the check of this name that is on the board, not of one that had the name before."""
        present, state = self.board.checks.get(check.name), self.board.states.get(check.name)
        if present is None or state is None:
            return False
        return present.kind == check.kind and result.began >= state.appeared

    def _take(self, folded: Fold) -> None:
        self.board = folded.board
        for change in folded.changes:
            self.changes.append(change)
            _tell(change)
        for need in folded.wanted:
            self._scheduler.confirm(need)

    def _render(self, names: Iterable[str]) -> None:
        board, former = self.board, self.rendered
        fresh = {name: render(board.checks[name], board[name], former.get(name)) for name in names}
        self.rendered = self.rendered.update(fresh)


def _tell(change: Change) -> None:
    """One line of the log: `api: healthy -> unhealthy (unhealthy): expected 200, got 503; caused by db`."""
    level = logging.INFO if change.after.health <= Health.UNKNOWN else logging.WARNING
    reason = f" ({change.after.reason})" if change.after.reason else ""
    message = f": {change.after.message}" if change.after.message else ""
    caused = f"; caused by {', '.join(change.roots)}" if change.roots else ""
    before, after = change.before.health, change.after.health
    _log.log(level, "%s: %s -> %s%s%s%s", change.check, before, after, reason, message, caused)
