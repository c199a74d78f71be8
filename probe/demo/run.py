"""The demo from start to end: the stack, the agent on it, and perhaps a part that breaks and is mended."""

import asyncio
import shlex
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from probe import log
from probe.agent import RunOptions, run_agent
from probe.config import Config, Web, load
from probe.demo import PARTS
from probe.demo.folder import own_folder
from probe.demo.stack import Stack

BREAK_AFTER = 10.0
"""Seconds from the start to the failure."""

MEND_AFTER = 60.0
"""Seconds from the failure to its end."""

Say = Callable[[str], None]


def example() -> Path:
    """The example config: the checkout's, or the copy in the wheel."""
    here = Path(__file__).parent
    checkout = here.parent.parent / "config.yaml"
    return checkout if checkout.exists() else here / "config.yaml"


async def run_demo(listen: str, broken: str | None, say: Say, masking: log.Masking) -> None:
    """Run until SIGTERM, Ctrl-C or the end of the terminal. Raises StartFailed, StartError and ConfigError.

    Raises KeyboardInterrupt when it is told to end before it has begun.
    """
    _end_as_by_ctrl_c()
    with own_folder() as folder:
        async with AsyncExitStack() as ending:
            say("starting PostgreSQL, Valkey, an S3 server, a stand-in for Langfuse, and an app on them…")
            stack = Stack(folder)
            ending.push_async_callback(stack.stop)
            await stack.start()
            env_file = folder / "env"
            env_file.touch(mode=0o600)
            env_file.write_text("".join(f"{name}={value}\n" for name, value in stack.variables.items()))
            config = await asyncio.to_thread(_read, env_file)
            options = RunOptions(
                lambda: _read(env_file),
                lambda web: Web(**{**dict(web), "listen": listen}),
                lambda url: _welcome(url, env_file, stack, say),
                ends_on_hangup=True,
            )
            if broken is not None:
                breaking = asyncio.create_task(_break_and_mend(stack, broken, say), name="breaking")
                ending.push_async_callback(_cancel, breaking)
            await run_agent(config, options, masking)
            say("stopping the stack…")


def _end_as_by_ctrl_c() -> None:
    """Take SIGTERM and SIGHUP for a Ctrl-C, which asyncio makes the end of the main task, until the agent listens."""
    interrupt = signal.getsignal(signal.SIGINT)
    if callable(interrupt):  # a shell that runs us in the background has it ignored
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, interrupt)


def _read(env_file: Path) -> Config:
    """The example on this stack alone: variables of the same name in the environment are somebody else's."""
    return load([example()], allow=frozenset(), environ={}, env_files=[env_file])


def _welcome(url: str, env_file: Path, stack: Stack, say: Say) -> None:
    probe = shlex.quote(sys.argv[0]) if Path(sys.argv[0]).name == "probe" else f"{shlex.quote(sys.executable)} -m probe"
    say(
        f"""
  status page   {url}/
  metrics       {url}/metrics
  once, for CI  {probe} check --config {shlex.quote(str(example()))} --env-file {shlex.quote(str(env_file))}
  break a part  {probe} demo --break db   (or {", ".join(PARTS[1:])})

  Everything is real, from Python wheels{_but_for(stack)}; Langfuse is a stand-in that answers as its API says.
  The agent logs below what changes. Ctrl-C ends it all and leaves nothing behind.
"""
    )


def _but_for(stack: Stack) -> str:
    return " (S3 is moto's server)" if stack.bucket.flavour == "moto" else ", and the MinIO on your PATH"


async def _break_and_mend(stack: Stack, name: str, say: Say) -> None:
    await asyncio.sleep(BREAK_AFTER)
    say(f"--- breaking {name}: watch what fails, why, and what is said to be the cause ---")
    await stack.parts[name].stop()
    await asyncio.sleep(MEND_AFTER)
    say(f"--- mending {name} ---")
    await stack.parts[name].start()


async def _cancel(breaking: asyncio.Task[None]) -> None:
    breaking.cancel()
    with suppress(asyncio.CancelledError):
        await breaking
