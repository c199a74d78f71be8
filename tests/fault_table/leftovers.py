"""What a run must not leave behind: asyncio tasks, threads, sockets."""

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PATIENCE = 2.0
"""Seconds in which what was closed may end: a socket in the loop's next turns, a look-up with its answer."""


def tasks() -> set[str]:
    return {f"task {task.get_name()}" for task in asyncio.all_tasks()}


def threads() -> set[str]:
    return {f"thread {thread.name}" for thread in threading.enumerate()}


def sockets() -> set[str]:
    """Every socket of this process, by its number in the kernel."""
    found = set()
    for number in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the listing's own
            found.add(os.readlink(number))
    return {name for name in found if name.startswith("socket:")}


async def left_over(before: set[str], now: Callable[[], set[str]]) -> set[str]:
    """What is there now and was not before, once what is about to go has gone."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while (left := now() - before) and loop.time() < deadline:  # noqa: ASYNC110  # nothing tells
        await asyncio.sleep(0.01)
    return left
