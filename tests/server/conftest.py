"""A served agent and a client for it, over real sockets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest

from probe.config.settings import Web
from probe.server import View, make_app, serve
from tests.server.scene import Agent

Serving = Callable[..., Awaitable[aiohttp.ClientSession]]


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    """Call it with an agent and web settings: a client whose paths lead to that agent's server on loopback."""
    async with AsyncExitStack() as stack:

        async def start(agent: View | None = None, web: Web | None = None) -> aiohttp.ClientSession:
            runner = await serve(make_app(agent or Agent(), web or Web()), ("127.0.0.1", 0))
            stack.push_async_callback(runner.cleanup)
            origin = "http://{}:{}".format(*runner.addresses[0])
            timeout = aiohttp.ClientTimeout(total=10)
            return await stack.enter_async_context(
                aiohttp.ClientSession(
                    origin, timeout=timeout, headers={"Accept-Encoding": "identity"}, auto_decompress=False
                )
            )

        yield start
