"""Real Redis servers for tests: Valkey from the demo's wheel, and Debian's redis-server where there is one."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from probe.demo.valkey import Valkey, valkey_server
from probe.kinds.redis import Redis
from probe.model import Reason, Result
from tests.harness import run

BOTH = pytest.mark.parametrize(
    "software", ["valkey", pytest.param("redis", marks=pytest.mark.service("redis-server"))], scope="function"
)


def program_of(software: str) -> Path:
    return valkey_server() if software == "valkey" else Path(shutil.which("redis-server") or "redis-server")


@asynccontextmanager
async def serving(
    folder: Path, software: str | Path = "valkey", *, password: str = "", **settings: str
) -> AsyncIterator[Valkey]:
    """A server that ends with the test; settings as valkey.conf has them, with `_` for `-`."""
    server = Valkey(
        folder,
        password=password,
        program=software if isinstance(software, Path) else program_of(software),
        settings={"save": '""'} | {name.replace("_", "-"): value for name, value in settings.items()},
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def following(primary: Valkey, folder: Path, software: str = "valkey") -> AsyncIterator[Valkey]:
    """A replica of another server."""
    settings = {"replicaof": f"127.0.0.1 {primary.port}", "masterauth": primary.password}
    async with serving(folder, software, **settings) as replica:
        yield replica


@asynccontextmanager
async def full(server: Valkey) -> AsyncIterator[None]:
    """It has all the clients that it may have."""
    await tell(server, "CONFIG", "SET", "maxclients", 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"PING\r\n")
    await reader.readline()
    yield
    writer.close()
    await writer.wait_closed()


@asynccontextmanager
async def loading(folder: Path, software: str = "valkey") -> AsyncIterator[Valkey]:
    """A server that reads its data for a second or two, once started again; it is up when this ends."""
    slow = {"key_load_delay": "2000", "loading_process_events_interval_bytes": "1024"}
    kept = {"save": "3600 1", "appendonly": "no"}  # a whole snapshot when it stops
    async with serving(folder, software, enable_debug_command="yes", **slow, **kept) as server:
        await tell(server, "DEBUG", "POPULATE", 1000, "key", 100)
        await server.stop()
        starting = asyncio.create_task(server.start())
        await until(Redis(url=server.url), lambda result: result.reason is not Reason.CONNECT)
        yield server
        await starting


async def tell(server: Valkey, *command: str | int, db: int = 0) -> Any:
    """What the server says to one command."""
    client = redis.asyncio.Redis(port=server.port, password=server.password, db=db)
    try:
        return await client.execute_command(*command)  # type: ignore[no-untyped-call]
    finally:
        await client.aclose()


async def tell_line(server: Valkey, line: str) -> Any:
    """The same for a line as one would paste it."""
    return await tell(server, *line.split())


def logged_in(server: Valkey, user: str, password: str = "secret", **fields: Any) -> Redis:
    """A check that logs in as this user."""
    return Redis(host="127.0.0.1", port=server.port, username=user, password=password, **fields)


async def until(check: Redis, is_so: Callable[[Result], bool]) -> Result:
    """The first result of which something is true, within ten seconds."""
    async with asyncio.timeout(10):
        while not is_so(result := await run(check)):  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.05)
    return result
