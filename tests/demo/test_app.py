"""The demo's application over the demo's own database and cache."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from probe.demo.app import App
from probe.demo.postgres import Postgres
from probe.demo.valkey import Valkey


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[tuple[Postgres, Valkey, App]]:
    database, cache = Postgres(tmp_path / "postgres"), Valkey(tmp_path / "valkey")
    app = App(database.dsn(), cache.url)
    parts = (database, cache, app)
    try:
        for part in parts:
            await part.start()
        yield parts
    finally:
        for part in reversed(parts):
            await part.stop()


async def asked(app: App, path: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(app.url + path) as answer:
        return answer.status, await (answer.json() if "json" in answer.content_type else answer.text())


async def test_is_healthy_as_long_as_its_database_and_cache_are(stack: tuple[Postgres, Valkey, App]) -> None:
    database, cache, app = stack
    healthy = (200, {"status": "healthy", "service": "demo-api", "version": "0.1.0"})
    assert await asked(app, "/health") == healthy
    assert "/health" in (await asked(app, "/"))[1]

    await cache.stop()
    status, told = await asked(app, "/health")
    assert status == 503
    assert told["detail"].startswith("Cache connection failed: ")

    await database.stop()
    status, told = await asked(app, "/health")
    assert status == 503
    assert told["detail"].startswith("Database connection failed: ")
    assert database.password not in told["detail"]

    await cache.start()
    await database.start()
    assert await asked(app, "/health") == healthy


async def test_comes_back_on_the_port_it_had() -> None:
    app = App("postgresql://nobody@127.0.0.1:1/none", "redis://127.0.0.1:1/0")
    await app.start()
    await app.start()
    address = app.url
    await app.stop()
    await app.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await asked(app, "/health")
    await app.start()
    assert app.url == address
    assert (await asked(app, "/health"))[0] == 503
    await app.stop()
