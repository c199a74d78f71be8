"""A stage for the scheduler: scripted runs on simulated time, and what came of them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from probe.check import Check, Duration, Run, survey
from probe.model import Reason, Result
from probe.scheduler import Scheduler
from tests.simulated import SimulatedLoop, simulate


class Scripted(Check, kind="scripted"):
    """What its run does is the stage's business."""

    note: str = ""

    async def run(self, run: Run) -> None:
        raise AssertionError("the stage runs it")


class Surveyed(Scripted, kind="surveyed"):
    """It has a survey, once a minute."""

    usage_interval: Duration = 60.0
    usage_timeout: Duration = 10.0

    @survey(interval="usage_interval", timeout="usage_timeout")
    async def usage(self, run: Run) -> None:
        raise AssertionError("the stage runs it")


class Arriving(Scripted, kind="arriving"):
    """Its results come by themselves."""

    passive = True


Script = Callable[[str], Awaitable[Any]]
"""What a run of this check does; returning a Reason makes it fail with that."""


async def answers_at_once(check: str) -> None:
    await asyncio.sleep(0.001)


async def hangs_until_timeout(check: str) -> Reason:
    await asyncio.sleep(5)
    return Reason.TIMEOUT


@dataclass
class Start:
    check: str
    wall: float
    monotonic: float


@dataclass
class Stage:
    """Stands in for the runner and for the fold; `starts`, `folded` and `uncounted` tell what happened."""

    loop: SimulatedLoop
    script: Script = answers_at_once
    starts: list[Start] = field(default_factory=list)
    folded: list[Result] = field(default_factory=list)
    uncounted: list[Result] = field(default_factory=list)
    strays: set[str] = field(default_factory=set)
    on_fold: Callable[[Result], object] = lambda result: None

    def __post_init__(self) -> None:
        self._start = asyncio.Event()
        self.scheduler = Scheduler(self, self._fold, clock=self.loop.clock)

    def is_busy(self, check: str, survey: str = "") -> bool:
        return check in self.strays

    async def run(self, check: Check, survey: str = "") -> Result:
        began = self.loop.time()
        self.starts.append(Start(check.name, self.loop.wall(), began))
        self._start.set()
        reason = await self.script(check.name) or Reason.OK
        return Result(check.name, reason, survey, began=began, ended=self.loop.time())

    async def started(self, count: int) -> None:
        """Wait until so many runs began."""
        while len(self.starts) < count:
            self._start.clear()
            await self._start.wait()

    def of(self, check: str) -> list[float]:
        """When runs of this check began, in monotonic seconds."""
        return [start.monotonic for start in self.starts if start.check == check]

    def _fold(self, check: Check, result: Result, counted: bool) -> None:
        (self.folded if counted else self.uncounted).append(result)
        self.on_fold(result)


def on_stage(story: Callable[[Stage], Coroutine[Any, Any, None]], script: Script = answers_at_once) -> Stage:
    """Play a story on simulated time, then stop the scheduler."""
    loop = SimulatedLoop()
    stage = Stage(loop, script)

    async def play() -> None:
        await story(stage)
        await stage.scheduler.stop()

    simulate(play(), loop)
    return stage


def checks(*names: str, **fields: Any) -> Mapping[str, Check]:
    """Checks of one sort by name."""
    return {name: Scripted(name=name, **fields) for name in names}
