"""Ten thousand http checks at 15 s: what they cost beside their requests, how late they start, scrapes, reloads.

    python -m bench.scale [checks] [--seconds 180]

About eight minutes; run by hand on a quiet machine. The page that is asked runs in a process of its own, as does the
agent; the requests themselves are measured first, by a loop that does nothing but ask, with the same client code at
the same moments. What a scrape does to the loop is told by the agent's own probe_agent_loop_lag_seconds.
"""

import argparse
import asyncio
import gc
import os
import re
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import aiohttp
import uvloop

from bench import processes
from probe.check import Run
from probe.cli import RARELY
from probe.config import load
from probe.exchange import Request, ask, request
from probe.model import SYSTEM_CLOCK

INTERVAL = 15
"""Seconds between two runs of a check, and two scrapes."""
SETTLE = 20
"""Seconds after the first runs."""
SLOT, GROUP, PAUSE = 0.05, 4, 0.002
"""How the agent starts runs: those of a slot (seconds) in groups, a pause (seconds) apart."""


class Reading(NamedTuple):
    """What the agent said and cost at one moment."""

    text: str
    cpu: float
    at: float

    def value(self, series: str) -> float:
        return processes.value(self.text, series)

    def buckets(self, name: str) -> Mapping[float, float]:
        """Cumulative counts by upper bound."""
        found = re.findall(rf'^{name}_bucket{{le="(\S+)"}} (\S+)$', self.text, re.MULTILINE)
        return {float(bound): float(count) for bound, count in found}


def config(checks: int, url: str, label: str = "one") -> str:
    entries = "".join(f"  check-{number}: {{kind: http, url: '{url}'}}\n" for number in range(checks))
    return f"defaults: {{interval: {INTERVAL}s, timeout: 5s, labels: {{team: {label}}}}}\nchecks:\n{entries}"


def quantile(first: Reading, last: Reading, name: str, share: float) -> str:
    """Between which bounds of its histogram (milliseconds) the quantile of what came in between lies."""
    before, after = first.buckets(name), last.buckets(name)
    counts = {bound: after[bound] - before[bound] for bound in after}
    below, total = 0.0, max(counts.values())
    for bound, count in counts.items():
        if count >= share * total:
            return f"{below * 1e3:g} to {bound * 1e3:g} ms"
        below = bound
    return "none"


async def bare(checks: int, url: str, seconds: float) -> float:
    """Seconds of CPU a second that the requests alone cost."""
    asked = request(url, method="GET", headers=None, body=None, tls=None, family="any", proxy=None)
    await _ask_for(min(seconds, 5), checks, asked)
    before, began = time.process_time(), time.monotonic()
    await _ask_for(seconds, checks, asked)
    return (time.process_time() - before) / (time.monotonic() - began)


async def _ask_for(seconds: float, checks: int, asked: Request) -> None:
    began, started = time.monotonic(), 0
    async with asyncio.TaskGroup() as group:
        while (passed := time.monotonic() - began) < seconds:
            for number in range(started, round(passed * checks / INTERVAL)):
                group.create_task(_once(asked))
                started = number + 1
                if started % GROUP == 0:
                    await asyncio.sleep(PAUSE)
            await asyncio.sleep(SLOT - (time.monotonic() - began) % SLOT)


async def _once(asked: Request) -> None:
    answer = await ask(Run({}, SYSTEM_CLOCK, time.monotonic() + 5), asked)
    assert answer.status == 200


async def measure(measured: processes.Measured, client: aiohttp.ClientSession, seconds: float, alone: float) -> None:
    first = await read(measured, client)
    rss = 0.0
    for _ in range(round(seconds / INTERVAL)):
        await asyncio.sleep(INTERVAL)
        await scrape(client, "gzip")
        rss = max(rss, measured.rss)
    last = await read(measured, client)
    runs = 'probe_run_duration_seconds_count{check="check-0",kind="http",team="one"}'
    cost, passed = last.cpu - first.cpu, last.at - first.at
    print(
        f"for {passed:.0f} s, scraped every {INTERVAL} s; check-0 ran {last.value(runs) - first.value(runs):.0f} times"
    )
    print(
        f"  CPU     {cost / passed:.2f} of a core, {cost / passed - alone:.2f} beside the requests alone ({alone:.2f})"
    )
    print(f"  delay   p50 {_of(first, last, 'start_delay', 0.5)}, p99 {_of(first, last, 'start_delay', 0.99)}")
    print(f"  lag     p50 {_of(first, last, 'loop_lag', 0.5)}, p99 {_of(first, last, 'loop_lag', 0.99)}")
    for counter in ("skipped_runs", "abandoned_runs", "loop_blocked"):
        print(f"  {counter:<16} {last.value(f'probe_agent_{counter}_total'):.0f} since the start")
    print(f"  RSS     {rss:.0f} MB", flush=True)


def _of(first: Reading, last: Reading, name: str, share: float) -> str:
    return quantile(first, last, f"probe_agent_{name}_seconds", share)


async def scraped(measured: processes.Measured, client: aiohttp.ClientSession, seconds: int, coding: str) -> None:
    """What scrapes, one a second, do to the loop."""
    first = await read(measured, client)
    taken, size = [], 0
    for _ in range(seconds):
        await asyncio.sleep(1)
        began = time.monotonic()
        size = len(await scrape(client, coding)) if coding else 0
        taken.append(time.monotonic() - began)
    last = await read(measured, client)
    lag = f"lag p50 {_of(first, last, 'loop_lag', 0.5)}, p99 {_of(first, last, 'loop_lag', 0.99)}"
    told = f"{sorted(taken)[seconds // 2] * 1e3:.0f} ms (p50), {max(taken) * 1e3:.0f} ms (max), {size:,} bytes"
    print(f"  {coding or 'not scraped':<12} {lag}{f'; a scrape takes {told}' if coding else ''}", flush=True)


async def reload(measured: processes.Measured, client: aiohttp.ClientSession, text: str, what: str) -> None:
    """From the changed file and the signal until the board has the new config; and how long the loop stood."""
    fresh = f"fresh-{time.monotonic_ns()}"
    config_of(measured).write_text(f"{text}  {fresh}: {{kind: http, url: 'http://127.0.0.1:9/'}}\n")
    first, stalls = await read(measured, client), [0.0]
    os.kill(measured.pid, signal.SIGHUP)
    began = time.monotonic()
    while await status(client, f"/api/v1/checks/{fresh}") == 404:  # noqa: ASYNC110  # another process's
        await asyncio.sleep(0.02)
    taken = time.monotonic() - began
    looking = asyncio.create_task(look(client, stalls))
    await asyncio.sleep(5)
    looking.cancel()
    last = await read(measured, client)
    print(
        f"  {what:<24} in force after {taken:.1f} s, {last.cpu - first.cpu:.1f} s of CPU; lag p99 "
        f"{_of(first, last, 'loop_lag', 0.99)}; an answer took {max(stalls) * 1e3:.0f} ms at most just after",
        flush=True,
    )


async def look(client: aiohttp.ClientSession, stalls: list[float]) -> None:
    """Keep how long the cheapest answer takes, again and again."""
    while True:
        began = time.monotonic()
        await status(client, "/-/healthy")
        stalls.append(time.monotonic() - began)
        await asyncio.sleep(0.01)


def config_of(measured: processes.Measured) -> Path:
    """The file that the agent was started on."""
    return Path(Path(f"/proc/{measured.pid}/cmdline").read_text().split("\0")[-2])


async def read(measured: processes.Measured, client: aiohttp.ClientSession) -> Reading:
    text = (await scrape(client, "identity")).decode()
    return Reading(text, measured.cpu, time.monotonic())


async def scrape(client: aiohttp.ClientSession, coding: str) -> bytes:
    async with client.get("/metrics", headers={"Accept-Encoding": coding}) as answer:
        return await answer.read()


async def status(client: aiohttp.ClientSession, path: str) -> int:
    async with client.get(path) as answer:
        return answer.status


def read_config(text: str) -> float:
    """Seconds that reading it takes, at best of three, garbage looked for as rarely as `probe` does."""
    gc.set_threshold(RARELY)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(text)
        taken = []
        for _ in range(3):
            began = time.perf_counter()
            load([path], allow=frozenset(), environ={})
            taken.append(time.perf_counter() - began)
    return min(taken)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", type=int, nargs="?", default=10_000)
    parser.add_argument("--seconds", type=int, default=180)
    given = parser.parse_args()
    with processes.page() as url:
        text = config(given.checks, url)
        print(f"{given.checks:,} checks: the config is read in {read_config(text):.2f} s", flush=True)
        alone = await bare(given.checks, url, min(given.seconds, 60))
        began = time.monotonic()
        with processes.agent(text) as measured:
            print(f"it serves after {time.monotonic() - began:.1f} s", flush=True)
            async with aiohttp.ClientSession(measured.url, auto_decompress=False) as client:
                while await status(client, "/-/ready") != 200:  # noqa: ASYNC110  # another process's
                    await asyncio.sleep(0.5)
                print(f"every check has run after {time.monotonic() - began:.1f} s", flush=True)
                await asyncio.sleep(SETTLE)
                await measure(measured, client, given.seconds, alone)
                print("scraped every second")
                for coding in ("", "identity", "gzip"):
                    await scraped(measured, client, min(given.seconds, 60), coding)
                print("reloaded")
                await reload(measured, client, text, "one check more")
                await reload(measured, client, config(given.checks, url, "two"), "every check changed")
                print(f"  RSS     {measured.rss:.0f} MB", flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        uvloop.run(main())
