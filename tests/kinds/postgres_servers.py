"""Real PostgreSQL servers for tests: 18 and 16 from the demo's wheel, and Debian's where there is one."""

import asyncio
import glob
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import pytest

from probe.demo.postgres import Postgres as Server
from probe.demo.postgres import bundled
from probe.kinds.postgres import Postgres
from probe.model import Result
from tests.harness import run

DEBIAN = pytest.mark.service("postgresql")
EACH = pytest.mark.parametrize("version", ["18", "16", pytest.param("debian", marks=DEBIAN)])
PASSWORD = "sesame"


def programs_of(version: str) -> Path:
    if version == "debian":
        return Path(max(glob.glob("/usr/lib/postgresql/*/bin")))
    return bundled(int(version))


@asynccontextmanager
async def serving(version: str = "18", **settings: str) -> AsyncIterator[Server]:
    """A server that ends with the test, with the roles probe (pg_monitor) and app (nothing special)."""
    with TemporaryDirectory() as folder:
        server = Server(Path(folder) / "server", programs=programs_of(version), settings=settings)
        await server.start()
        try:
            await server.make_role("probe", PASSWORD, member_of=["pg_monitor"])
            await server.make_role("app", PASSWORD)
            yield server
        finally:
            await server.stop()


def watching(server: Server, user: str = "probe", **fields: Any) -> Postgres:
    """A check that logs in as this role."""
    return Postgres(name="db", dsn=server.dsn(user, PASSWORD), **fields)


@asynccontextmanager
async def sessions(server: Server, count: int, user: str = "app", database: str = "") -> AsyncIterator[list[Any]]:
    """Clients that are logged in."""
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(count):
            session = await asyncpg.connect(server.dsn(user, PASSWORD, database), ssl=False)
            stack.callback(session.terminate)
            opened.append(session)
        yield opened


async def ask(server: Server, question: str) -> Any:
    """The superuser's answer to a question of one value."""
    session = await asyncpg.connect(server.dsn(), ssl=False)
    try:
        return await session.fetchval(question)
    finally:
        await session.close()


async def until(check: Postgres, is_so: Callable[[Result], bool]) -> Result:
    """The first result of which something is true, within ten seconds."""
    async with asyncio.timeout(10):
        while not is_so(result := await run(check)):  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.05)
    return result


def keys_of(result: Result) -> set[str]:
    return {sample.metric.key for sample in result.samples}
