"""The stack: each part breaks alone, is mended on its port with its data, and none outlives a start that failed."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from probe.api import run_checks
from probe.check import Check
from probe.config import load
from probe.demo import PARTS
from probe.demo.process import StartFailed
from probe.demo.run import example
from probe.demo.stack import Stack
from probe.demo.valkey import Valkey
from probe.model import Health
from tests.demo.processes import that_name


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    stack = Stack(tmp_path)
    await stack.start()
    yield stack
    await stack.stop()
    assert that_name(tmp_path) == {}


def checks_of(stack: Stack) -> Mapping[str, Check]:
    return load([example()], allow=frozenset(), environ=stack.variables).checks


async def outcome(check: Check) -> tuple[Health, str]:
    state = (await run_checks({check.name: check}))[check.name]
    return state.health, state.result.reason if state.result else ""


async def test_each_part_breaks_and_is_mended(stack: Stack) -> None:
    checks = checks_of(stack)
    assert [name for name in checks if name not in PARTS] == ["front"]
    for name in PARTS:
        await stack.parts[name].stop()
        await stack.parts[name].stop()
        assert await outcome(checks[name]) == (Health.UNHEALTHY, "connect"), name
        await stack.parts[name].start()
        await stack.parts[name].start()
    board = await run_checks(checks)
    assert {state.check: state.verdict.message for state in board if state.result and not state.result.ok} == {}


async def test_what_did_start_is_stopped_when_a_part_does_not(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.cache = Valkey(tmp_path / "cache", program=Path("/bin/false"))
    stack.parts = {**stack.parts, "cache": stack.cache}
    with pytest.raises(StartFailed, match="/bin/false did not start; its last words:"):
        await stack.start()
    assert that_name(tmp_path) == {}
    assert not _is_open(stack.db.port)
    assert not _is_open(stack.bucket.port)
    assert not _is_open(stack.langfuse.port)


async def test_what_was_about_to_start_is_stopped_by_a_cancellation(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    starting = asyncio.create_task(stack.start())
    while not that_name(tmp_path):  # noqa: ASYNC110  # a process says nothing of itself
        await asyncio.sleep(0.01)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert that_name(tmp_path) == {}
    assert not _is_open(stack.bucket.port)


def _is_open(port: int) -> bool:
    with socket.socket() as caller:
        return port != 0 and caller.connect_ex(("127.0.0.1", port)) == 0
