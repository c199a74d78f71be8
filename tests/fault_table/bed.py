"""The real servers of all kinds, and a row of the table run on them as the agent would."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from probe.check import Check
from probe.model import Reason
from probe.runner import Runner
from tests.fault_table import leftovers
from tests.fault_table.everywhere import FAULTS
from tests.fault_table.rows import Own
from tests.fault_table.table import Row, rows_of, server_of

DEADLINE = 1.0
"""Seconds that a check has whose server never comes to an end."""

ENOUGH = 10.0
"""Seconds that a check has which the fault itself ends."""


class Said(NamedTuple):
    """What the run (empty name) and the surveys of a check said, after how many seconds, and what they left behind."""

    reasons: dict[str, Reason]
    messages: dict[str, str]
    took: float
    left: set[str]


class Bed:
    """Servers that work, by the kind that they are of."""

    def __init__(self, ports: Mapping[str, int], folder: Path) -> None:
        self._ports = ports
        self._folder = folder

    async def said(self, row: Row) -> Said:
        """What a check of the row's kind says of the row's fault."""
        return await watched(self.broken(row), deadline_of(row))

    @asynccontextmanager
    async def broken(self, row: Row) -> AsyncIterator[Check]:
        rows = rows_of(row.kind)
        own = rows.own.get(row.fault)
        if isinstance(own, Own):
            with TemporaryDirectory(dir=self._folder) as folder:
                async with own.make(Path(folder)) as check:
                    yield check
        elif row.fault in FAULTS:
            async with FAULTS[row.fault].happens(rows, self._ports[row.kind]) as place:
                yield rows.pointed_at(place.host, place.port, place.tls)
        else:
            [port] = [port for kind, port in self._ports.items() if server_of(kind) == row.fault]
            yield rows.pointed_at("127.0.0.1", port, None)


@asynccontextmanager
async def made(kinds: list[str], folder: Path) -> AsyncIterator[Bed]:
    """The servers, started all at once."""
    async with AsyncExitStack() as stack:

        async def start(kind: str) -> int:
            own = folder / kind
            own.mkdir()
            return await stack.enter_async_context(rows_of(kind).healthy(own))

        ports = await asyncio.gather(*(start(kind) for kind in kinds))
        yield Bed(dict(zip(kinds, ports, strict=True)), folder)


def deadline_of(row: Row) -> float:
    """Seconds for the run and each survey."""
    expected = row.expected.values() if isinstance(row.expected, Mapping) else [row.expected]
    return DEADLINE if any(reason in (Reason.TIMEOUT, Reason.DNS) for reason in expected) else ENOUGH


async def watched(broken: AbstractAsyncContextManager[Check], deadline: float) -> Said:
    """What the check says in its broken world, and what is left of it afterwards."""
    tasks, sockets = leftovers.tasks(), leftovers.sockets()
    async with broken as check:
        threads = leftovers.threads()
        told = await run_all(check, deadline)
        left = await leftovers.left_over(threads, leftovers.threads)
    left |= await leftovers.left_over(tasks, leftovers.tasks)
    left |= await leftovers.left_over(sockets, leftovers.sockets)
    return told._replace(left=left)


async def run_all(check: Check, deadline: float) -> Said:
    """What a run and each survey of a check say, at the same time as they may come in the agent."""
    timeouts = {"timeout", *(mark.timeout for mark in check.surveys.values())}
    hurried = check.model_copy(update=dict.fromkeys(timeouts, deadline))
    runner, began = Runner(), time.monotonic()
    try:
        results = await asyncio.gather(*(runner.run(hurried, survey) for survey in ("", *check.active_surveys)))
    finally:
        await runner.close()
    return Said(
        {result.survey: result.reason for result in results},
        {result.survey: result.message for result in results},
        time.monotonic() - began,
        set(),
    )
