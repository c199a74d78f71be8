"""Answers leave nothing behind: old boards of ten thousand checks are large, and garbage is looked for rarely."""

import gc
import weakref

import pytest

from probe.state import opened
from tests.agent.stage import until
from tests.exporter.boards import Shop
from tests.server.conftest import Serving
from tests.server.scene import Agent

PATHS = (
    "/",
    "/metrics",
    "/checks/shop",
    "/checks/none",
    "/api/v1/checks",
    "/api/v1/checks/shop",
    "/api/v1/checks/none",
)


@pytest.mark.parametrize("path", PATHS)
async def test_no_answer_keeps_the_board_that_it_is_of(serving: Serving, path: str) -> None:
    check = Shop(name="shop")
    alive = weakref.ref(check)
    agent = Agent(board=opened({"shop": check}, 0.0, 0.0), changes=[])
    client = await serving(agent)
    gc.disable()
    try:
        async with client.get(path) as answer:
            await answer.read()
        async with client.get("/-/healthy"):  # so that the connection's last request is another
            del check
            agent.board = opened({}, 0.0, 0.0)
            await until(lambda: alive() is None)  # the thread that made it lets go of it soon
    finally:
        gc.enable()
