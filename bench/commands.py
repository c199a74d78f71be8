"""How long `probe check` takes, the whole process, and what memory `probe run` has with a check of each kind.

    python -m bench.commands [--times 20]

On the stack of `probe demo`: one check of an http service, then the example config, which has all six kinds. Run by
hand on a quiet machine.
"""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from bench import processes
from probe.demo.folder import own_folder
from probe.demo.process import free_port
from probe.demo.run import example
from probe.demo.stack import Stack

SETTLE = 60
"""Seconds until every check and survey has run several times."""
PROBE = (sys.executable, "-m", "probe")
ONE, EXAMPLE = "one.yaml", "config.yaml"
COMMANDS: Mapping[str, Sequence[str]] = {
    "its libraries' import alone": (sys.executable, "-c", "import aiohttp, click, pydantic.main, uvloop, yaml"),
    "--help": (*PROBE, "--help"),
    "validate, one http check": (*PROBE, "validate", "--config", ONE),
    "check, one http check": (*PROBE, "check", "--config", ONE),
    "check, six kinds": (*PROBE, "check", "--config", EXAMPLE),
}
"""What is timed; the first is what `probe check` of an http service can't be faster than."""


def timed(name: str, times: int, command: Sequence[str | Path], variables: Mapping[str, str] | None = None) -> None:
    """Print the seconds, and the seconds of CPU, of a whole process; the first, which may compile modules, not."""
    walls, cpus = [], []
    environment = {**os.environ, **(variables or {})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its modules compiled
    for _ in range(times + 1):
        before, began = _spent(), time.perf_counter()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        walls.append(time.perf_counter() - began)
        cpus.append(_spent() - before)
    print(
        f"{name:<28} {median(walls[1:]) * 1e3:5.0f} ms ({min(walls[1:]) * 1e3:.0f} to {max(walls[1:]) * 1e3:.0f}), "
        f"{median(cpus[1:]) * 1e3:.0f} ms of CPU",
        flush=True,
    )


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory(stack: Stack) -> None:
    """Print the agent's, when it has run for a while."""
    port = free_port()
    command: list[str | Path] = [
        *PROBE,
        "run",
        "--config",
        example(),
        "--listen",
        f"127.0.0.1:{port}",
        "--log-level",
        "error",
    ]
    with processes.server(command, port, **stack.variables) as measured:
        time.sleep(SETTLE)
        text = processes.get(f"{measured.url}/metrics")
        assert 'probe_success{check="langfuse",kind="langfuse"} 1.0' in text, text
        print(f"{'run, six kinds':<28} {measured.rss:5.0f} MB after {SETTLE} s")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    with own_folder() as folder, processes.page() as url:
        one = folder / ONE
        one.write_text(f"checks: {{page: {{kind: http, url: '{url}'}}}}\n")
        stack = Stack(folder / "stack")
        await stack.start()
        try:
            for name, command in COMMANDS.items():
                given = [example() if word == EXAMPLE else one if word == ONE else word for word in command]
                await asyncio.to_thread(timed, name, times, given, stack.variables)
            await asyncio.to_thread(memory, stack)
        finally:
            await stack.stop()


if __name__ == "__main__":
    asyncio.run(main())
