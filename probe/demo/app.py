"""The demo's application: a small API that really uses the demo's database and cache, and says so when it can't."""

from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
import redis.asyncio
from aiohttp import web
from redis.exceptions import RedisError

PATIENCE = 2.0
"""Seconds that it waits for its database, and for its cache."""

PAGE = """<!doctype html><meta name="viewport" content="width=device-width"><title>demo-api</title>
<h1>demo-api</h1><p>An application of <code>probe demo</code>. It uses a database and a cache;
<a href="/health">/health</a> says whether it can.</p>"""


class App:
    """The application's server, in our own event loop."""

    def __init__(self, dsn: str, cache_url: str) -> None:
        """`dsn` of the database, `cache_url` of the cache (`redis://…`)."""
        self.port = 0
        self._dsn = dsn
        self._cache_url = cache_url
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the port of the first start. Does nothing when it runs."""
        if self._runner is not None:
            return
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/health", self._health)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.port = runner.addresses[0][1]
        self._runner = runner

    async def stop(self) -> None:
        """Refuse connections. Does nothing when it does not run."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def _health(self, request: web.Request) -> web.Response:
        for part, ask in (("Database", self._ask_database), ("Cache", self._ask_cache)):
            if trouble := await _trouble(ask):
                return web.json_response({"detail": f"{part} connection failed: {trouble}"}, status=503)
        return web.json_response({"status": "healthy", "service": "demo-api", "version": "0.1.0"})

    async def _ask_database(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=PATIENCE, command_timeout=PATIENCE)
        try:
            await connection.fetchval("SELECT count(*) FROM pg_catalog.pg_class")
        finally:
            await connection.close(timeout=PATIENCE)

    async def _ask_cache(self) -> None:
        cache = redis.asyncio.Redis.from_url(self._cache_url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
        async with cache:
            await cache.incr("demo-api:visits")


async def _trouble(ask: Callable[[], Coroutine[Any, Any, None]]) -> str:
    """Why a part can't be used; empty when it can."""
    try:
        await ask()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, RedisError) as error:
        return str(error) or type(error).__name__
    return ""
