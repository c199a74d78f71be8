"""The fault table: each kind, pointed at each fault, says why it failed, in time, and leaves nothing behind.

A kind is found by the registry; what the table must know of it, its own test module says (tests/fault_table/rows.py).
Runs are on uvloop, as the agent's are; a check's surveys run beside its run.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import uvloop

from probe.check import Check, Run
from tests.fault_table import leftovers
from tests.fault_table import table as rows
from tests.fault_table.bed import Bed, deadline_of, made, watched
from tests.fault_table.dead_dns import DeadDns
from tests.fault_table.table import DEAD_DNS, Row, table
from tests.installed import is_installed

LATE = 2.0
"""Seconds after its deadline by which every run is over."""


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield runner


@pytest.fixture(scope="module")
def kinds() -> list[str]:
    return [row.kind for row in table() if row.fault == DEAD_DNS]


@pytest.fixture(scope="module")
def dead_dns(kinds: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeadDns | None]:
    if not is_installed("namespaces"):
        yield None
        return
    child = DeadDns(tmp_path_factory.mktemp("dns"), kinds)
    yield child
    child.end()


@pytest.fixture(scope="module")
def bed(
    kinds: list[str], loop: asyncio.Runner, dead_dns: DeadDns | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bed]:
    making = made(kinds, tmp_path_factory.mktemp("bed"))
    yield loop.run(making.__aenter__())
    loop.run(making.__aexit__(None, None, None))


def marked(row: Row) -> object:
    marks = [pytest.mark.service(row.service)] if row.service else []
    return pytest.param(row, marks=marks, id=f"{row.kind}: {row.fault}")


@pytest.mark.parametrize("row", [marked(row) for row in table()])
def test_every_kind_says_why(row: Row, bed: Bed, dead_dns: DeadDns | None, loop: asyncio.Runner) -> None:
    if row.problem:
        pytest.fail(row.problem, pytrace=False)
    said = dead_dns.said(row.kind) if dead_dns and row.fault == DEAD_DNS else loop.run(bed.said(row))
    assert said.reasons == {name: row.reason_of(name) for name in said.reasons}, said.messages
    assert all(row.words in message for message in said.messages.values()), said.messages
    assert said.took < deadline_of(row) + LATE
    assert said.left == set()


class Leaky(Check):
    """Leaves behind what a kind must not."""

    async def run(self, run: Run) -> None:
        held.append(socket.socket())
        held.append(asyncio.create_task(asyncio.sleep(3600), name="forgotten"))
        thread = threading.Thread(target=released.wait, name="forgotten", daemon=True)
        thread.start()


held: list[Any] = []
released = threading.Event()


def test_what_is_left_behind_is_seen(loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "PATIENCE", 0.1)
    said = loop.run(watched(nullcontext(Leaky(name="leaky")), 1.0))
    opened, forgotten = held
    opened.close()
    forgotten.cancel()
    released.set()
    assert {left.partition(":[")[0] for left in said.left} == {"socket", "task forgotten", "thread forgotten"}


def test_a_kind_without_its_rows_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "KINDS", (*rows.KINDS, "nginx"))
    [row] = [row for row in rows.table() if row.kind == "nginx"]
    assert row.problem == "tests.kinds.test_nginx must define ROWS, as tests/fault_table/rows.py describes"
