"""Real PostgreSQL servers for tests: 18 and 16 from the demo's wheel, Debian's (15), and npm's where they are there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
import pytest

from probe.demo.postgres import Postgres as Server
from probe.demo.postgres import bundled
from probe.kinds.postgres import Postgres
from probe.model import Reason, Result
from tests.harness import run
from tests.installed import debians_postgresql, postgresql

DEBIAN = pytest.mark.service("postgresql")
_AT_HAND = ["18", "16", pytest.param("debian", marks=DEBIAN)]
_OF_NPM = [pytest.param(f"npm-{of}", marks=pytest.mark.service(f"postgresql-{of}")) for of in ("13", "14", "16", "17")]

EACH = pytest.mark.parametrize("version", _AT_HAND)
EVERY_MAJOR = pytest.mark.parametrize("version", [*_AT_HAND, *_OF_NPM])
PASSWORD = "sesame"


def programs_of(version: str) -> Path:
    if version == "debian":
        return debians_postgresql()
    if version.startswith("npm-"):
        return postgresql(version.removeprefix("npm-"))
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


@asynccontextmanager
async def following(primary: Server, version: str = "18") -> AsyncIterator[Server]:
    """A standby that streams by the slot `standby`."""
    with TemporaryDirectory() as folder:
        standby = Server(Path(folder) / "standby", password=primary.password, programs=programs_of(version))
        (Path(folder) / "standby").mkdir()
        source = ("-d", primary.dsn(database="postgres"), "--create-slot", "--slot=standby", "--checkpoint=fast")
        await standby.program("pg_basebackup", "-D", Path(folder) / "standby/data", "-R", "--no-sync", *source)
        await standby.start()
        try:
            yield standby
        finally:
            await standby.stop()


@asynccontextmanager
async def starting_up() -> AsyncIterator[Server]:
    """A server that replays what it has and lets nobody in (57P03): a standby that is not a hot one."""
    with TemporaryDirectory() as folder:
        server = Server(Path(folder), programs=programs_of("18"))
        await server.start()
        await server.stop()
        (Path(folder) / "data/standby.signal").touch()
        closed = Server(Path(folder), programs=programs_of("18"), settings={"hot_standby": "off"})
        starting = asyncio.create_task(closed.start())  # which waits in vain for it to let somebody in
        try:
            await until(watching(closed), lambda result: result.reason is not Reason.CONNECT)
            yield closed
        finally:
            starting.cancel()
            with suppress(asyncio.CancelledError):
                await starting


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
