"""On real time: a thread watches a real loop."""

import asyncio
import logging
import time

import pytest

from probe.check import Check, Run
from probe.runner import Runner
from probe.scheduler import Figures, Watchdog


class Blocking(Check, kind="blocking"):
    """Its run does not let the loop turn."""

    async def run(self, run: Run) -> None:
        time.sleep(1.2)  # noqa: ASYNC251  # the very thing


async def test_the_watchdog_names_the_check_that_blocks_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    figures, runner = Figures(), Runner()
    watchdog = Watchdog(figures)
    watchdog.start()
    try:
        await asyncio.sleep(0.3)
        assert caplog.messages == []
        await runner.run(Blocking(name="slow"))
        await asyncio.sleep(0.3)
    finally:
        watchdog.stop()
        await runner.close()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.messages[0].startswith(f"check slow blocks the loop at {__file__}:")
    assert figures.blocked == 1
    assert figures.lag.largest > 0.9


async def test_the_watchdog_names_whoever_blocks_the_loop_outside_of_runs(caplog: pytest.LogCaptureFixture) -> None:
    figures = Figures()
    watchdog = Watchdog(figures)
    watchdog.start()
    try:
        await asyncio.sleep(0.3)
        asyncio.get_running_loop().call_soon(time.sleep, 1.2)
        await asyncio.sleep(0.3)
    finally:
        watchdog.stop()
    assert caplog.messages[0].startswith("a callback blocks the loop at ")
    assert figures.blocked == 1
