"""What the kinds emitted in the whole session, and against what: for `test_every_metric.py`, which runs last."""

import glob
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from probe.check import Check
from probe.demo.process import Process
from probe.exchange import resolve
from probe.model import Reason, Result
from probe.runner import Runner
from tests.installed import is_installed

LAST = "test_every_metric.py"

SERVERS = {"postgres": ("postgres",), "redis": ("valkey-server", "redis-server"), "s3": ("minio", "moto.server")}
"""Programs that are the real thing for a kind; for http and tcp anything is that takes connections."""

LISTENING = "0A"
"""TCP_LISTEN, as /proc/net/tcp has it."""

_asked: ContextVar[set[int]] = ContextVar("asked")
"""Ports that the run at hand connected to."""


@dataclass
class Recorded:
    """Keys of metrics by kind. `bugs`: runs of kinds that come with probe that ended as `internal`."""

    emitted: dict[str, set[str]] = field(default_factory=dict)
    by_real_servers: dict[str, set[str]] = field(default_factory=dict)
    bugs: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Test files that were not asked for, and tests that -k, -m or their like left out."""
    not_installed: set[str] = field(default_factory=set)
    """Servers that tests of this session need."""
    _processes: list[Process] = field(default_factory=list)

    def started(self, process: Process) -> None:
        self._processes.append(process)

    def note(self, check: Check, result: Result, ports: set[int]) -> None:
        if not type(check).__module__.startswith("probe.kinds."):
            return
        if result.reason is Reason.INTERNAL:
            self.bugs.append(f"{check.kind}: {result.message}")
        keys = {sample.metric.key for sample in result.samples}
        self.emitted.setdefault(check.kind, set()).update(keys)
        known = self.by_real_servers.setdefault(check.kind, set())
        if keys - known and ports and self._are_real(check.kind, ports):
            known.update(keys)

    def _are_real(self, kind: str, ports: set[int]) -> bool:
        """Whether a real server of the kind, which a test started and which runs, listens on each of the ports."""
        if kind in ("http", "tcp"):
            return True
        self._processes = [process for process in self._processes if process._child is not None]
        real = (process for process in self._processes if process_is(process, SERVERS.get(kind, ())))
        return ports <= set().union(*(ports_of(process.pid) for process in real))


def process_is(process: Process, programs: Sequence[str]) -> bool:
    return any(Path(word).name in programs for word in process._command)


def ports_of(pid: int) -> set[int]:
    """The TCP ports that a process listens on; none when it has ended."""
    own = set()
    for number in glob.glob(f"/proc/{pid}/fd/*"):
        with suppress(FileNotFoundError):  # closed meanwhile
            own.add(os.readlink(number))
    lines = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    return {
        int(at.rpartition(":")[2], 16)
        for _, at, _, state, *_, inode in (line[:10] for line in lines[1:])
        if state == LISTENING and f"socket:[{inode}]" in own
    }


RECORDED = Recorded()


@pytest.fixture(scope="session", autouse=True)
def _recording() -> Iterator[None]:
    run, start = Runner.run, Process.start

    async def recorded_run(runner: Runner, check: Check, survey: str = "") -> Result:
        ports = set[int]()
        _asked.set(ports)
        result = await run(runner, check, survey)
        RECORDED.note(check, result, ports)
        return result

    async def recorded_start(process: Process, *arguments: Any, **options: Any) -> None:
        RECORDED.started(process)
        await start(process, *arguments, **options)

    async def recorded_resolve(run: Any, host: str, port: int, *more: Any) -> Any:
        _asked.get(set()).add(port)
        return await resolve(run, host, port, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Runner, "run", recorded_run)
        patch.setattr(Process, "start", recorded_start)
        patch.setattr("probe.exchange.sockets.resolve", recorded_resolve)
        yield


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the test that looks at the record run last, and note what it will not see."""
    items.sort(key=lambda item: item.path.name == LAST)
    asked = {item.path for item in items}
    RECORDED.left_out += [str(path) for path in Path(__file__).parent.rglob("test_*.py") if path not in asked]
    needed = {mark.args[0] for item in items for mark in item.iter_markers("service")}
    RECORDED.not_installed |= {name for name in needed if not is_installed(name)}


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Note what -k, -m and their like leave out."""
    RECORDED.left_out += [item.nodeid for item in items]
