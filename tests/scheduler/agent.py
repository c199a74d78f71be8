"""The smallest agent, run as a process of its own by test_signals.py: `python -m tests.scheduler.agent KIND LOOP`."""

import asyncio
import ctypes
import sys
import time
from contextlib import suppress
from functools import partial

import uvloop

from probe.check import Check, Run
from probe.runner import Runner
from probe.scheduler import Scheduler, Signals, Watchdog

GRACE = 1.0
PATIENCE = 1.5
say = partial(print, flush=True)


class Sound(Check, kind="sound"):
    """It answers."""

    async def run(self, run: Run) -> None:
        say("running")


class Blocking(Check, kind="blocking"):
    """It blocks the loop."""

    async def run(self, run: Run) -> None:
        say("running")
        time.sleep(60)  # noqa: ASYNC251  # the very thing


class Deaf(Check, kind="deaf"):
    """It blocks the loop in a C call that no signal interrupts, so Python's signal handlers never run."""

    async def run(self, run: Run) -> None:
        say("running")
        mutex = ctypes.create_string_buffer(64)  # zeroes: PTHREAD_MUTEX_INITIALIZER
        for _ in range(2):
            ctypes.CDLL(None).pthread_mutex_lock(mutex)


class Stubborn(Check, kind="stubborn"):
    """It ignores its cancellation."""

    async def run(self, run: Run) -> None:
        say("running")
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)


async def main(check: Check) -> None:
    """Run one check, its first time at once, until a signal comes."""
    stopped = asyncio.Event()
    runner = Runner()
    scheduler = Scheduler(runner, lambda check, result, counted: None)
    watchdog = Watchdog(scheduler.figures)
    signals = Signals(on_stop=stopped.set, on_reload=lambda: say("reloaded"), patience=PATIENCE)
    signals.install()
    watchdog.start()
    await scheduler.start({check.name: check})
    scheduler.confirm(check.name)
    await stopped.wait()
    say("stopping")
    await scheduler.stop(GRACE)
    await runner.close()
    watchdog.stop()
    say("stopped")


LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
KINDS: dict[str, type[Check]] = {kind.kind: kind for kind in (Sound, Blocking, Deaf, Stubborn)}

if __name__ == "__main__":
    kind, loop = sys.argv[1:]
    with asyncio.Runner(loop_factory=LOOPS[loop]) as run_in_loop:
        run_in_loop.run(main(KINDS[kind](name="it", interval="1m", timeout="30s")))
