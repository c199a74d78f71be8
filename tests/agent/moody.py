"""Checks for long stories: each talks over a real socket, and is well, ill or in between, as its mood is."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, Literal

from probe.check import Check, Duration, Run, Unhealthy, survey
from probe.model import gauge

Link = tuple[asyncio.StreamReader, asyncio.StreamWriter, socket.socket]
Mood = Literal["well", "slow", "flapping", "broken", "hanging", "stubborn"]


@dataclass
class Pace:
    """How often a check ran, and the shortest and longest time from one start to the next (monotonic seconds)."""

    runs: int = 0
    broken: int = 0
    last: float = -inf
    shortest: float = inf
    longest: float = 0.0

    def step(self, now: float) -> None:
        if self.runs:
            self.shortest, self.longest = min(self.shortest, now - self.last), max(self.longest, now - self.last)
        self.runs, self.last = self.runs + 1, now


class Moody(Check, kind="moody"):
    """Slow, it answers after 2 s; flapping, it is broken for ten minutes in every twenty; hanging, it never answers.

    Stubborn, it goes on for 3 s after it was cancelled.
    """

    mood: Mood = "well"
    wired: bool = True
    """Without a socket there may be thousands."""
    usage_interval: Duration = 3600.0
    usage_timeout: Duration = 10.0

    paces: ClassVar[dict[str, Pace]] = {}
    """By name, that of a survey as `check/survey`."""
    open_links: ClassVar[set[int]] = set()

    class metrics:
        answers = gauge("How many came, by their sort.", "sort", warn="> 100")
        used_bytes = gauge("A number of the survey.", survey="usage")

    def session(self) -> AbstractAsyncContextManager[Link] | None:
        return self._link() if self.wired else None

    @asynccontextmanager
    async def _link(self) -> AsyncIterator[Link]:
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours)
            self.open_links.add(theirs.fileno())
            try:
                yield reader, writer, theirs
            finally:
                self.open_links.remove(theirs.fileno())
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    async def run(self, run: Run) -> None:
        pace = self._step(self.name)
        run.memory = (run.memory or 0) + 1
        with run.step("ask"):
            answer = await (self._asked(run.session) if self.wired else self._imagined())
        run.emit(self.metrics.answers, run.memory % 7, sort=answer)
        if self.mood == "broken" or (self.mood == "flapping" and run.now % 1200 < 600):
            pace.broken += 1
            raise Unhealthy(f"answer {run.memory} is no good")

    @survey(interval="usage_interval", timeout="usage_timeout")
    async def usage(self, run: Run) -> None:
        self._step(f"{self.name}/usage")
        run.emit(self.metrics.used_bytes, 2.0**20)

    def _step(self, name: str) -> Pace:
        pace = self.paces.setdefault(name, Pace())
        pace.step(asyncio.get_running_loop().time())
        return pace

    async def _imagined(self) -> str:
        if self.mood == "hanging":
            await asyncio.Event().wait()
        return "fine"

    async def _asked(self, link: Any) -> str:
        reader, writer, theirs = link
        writer.write(b"how are you?\n")
        await writer.drain()
        if self.mood == "hanging":
            await reader.readline()
        if self.mood == "stubborn":
            with suppress(asyncio.CancelledError):
                await reader.readline()
            await asyncio.sleep(3)
        asyncio.get_running_loop().call_later(2 if self.mood == "slow" else 0, _answer, theirs)
        answer: bytes = await reader.readline()
        return answer.decode().strip()


def _answer(theirs: socket.socket) -> None:
    with suppress(OSError):  # who was asked may be gone
        theirs.recv(100)
        theirs.send(b"fine\n")


def moody(name: str, mood: Mood = "well", **fields: Any) -> Moody:
    """One that is written as in a config."""
    return Moody(name=name, mood=mood, **fields)
