"""What a scrape of 100,000 series takes, and what it does to the loop of the agent that is scraped.

    python -m bench.scrape [samples] [--seconds 30]

Joining lines that were rendered before, against prometheus_client on the same samples; then the real server, asked
once a second by another process while its board changes. Prints seconds and ratios; run by hand on a quiet machine.
"""

import argparse
import asyncio
import gzip
import json
import sys
import time
import urllib.request
from collections.abc import Callable
from statistics import median, quantiles

import uvloop
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from probe.check import Check, Run
from probe.config import Web
from probe.exporter import Format, exposition, render
from probe.model import Reason, Result, Sample, gauge
from probe.server import Snapshot, make_app, serve
from probe.server.aside import GZIP_LEVEL
from probe.state import Ended, fold, opened

SAMPLES_A_CHECK = 25
LINE = b"\n"
TICK = 0.005
"""Seconds between two looks at how late the loop is."""


class Http(Check, kind="http"):
    """As many samples as an HTTP check has."""

    class metrics:
        phase_seconds = gauge("A phase.", "phase")

    async def run(self, run: Run) -> None:
        raise NotImplementedError


class Plain(Collector):
    """The same samples by prometheus_client's custom collector."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def collect(self) -> list[Metric]:
        family = GaugeMetricFamily("probe_http_phase_seconds", "A phase.", labels=("check", "kind", "phase"))
        for name in self._names:
            for number in range(SAMPLES_A_CHECK):
                family.add_metric((name, "http", str(number)), 0.001 * number)
        return [family]


class Agent:
    """A board of so many checks, as the server sees it; each fold is of one more run."""

    version = "bench"
    started_at = 0.0

    def __init__(self, checks: int) -> None:
        self.names = [f"check-{number}" for number in range(checks)]
        self.checks = {name: Http(name=name) for name in self.names}
        self.registry = CollectorRegistry()
        metric = Http.declared["phase_seconds"]
        self._samples = tuple(Sample(metric, 0.001 * number, (str(number),)) for number in range(SAMPLES_A_CHECK))
        self.board = opened(self.checks, 0.0, 0.0)
        self.board = fold(self.board, [self._ended(name) for name in self.names]).board
        self.rendered = {name: render(check, self.board[name]) for name, check in self.checks.items()}

    def run_one(self) -> None:
        name = self.names[0]
        self.board = fold(self.board, [self._ended(name)]).board
        self.rendered = {**self.rendered, name: render(self.checks[name], self.board[name])}

    def snapshot(self) -> Snapshot:
        return Snapshot(self.board, self.rendered)

    def is_ready(self) -> bool:
        return True

    def ailment(self) -> str:
        return ""

    def _ended(self, name: str) -> Ended:
        return Ended(Result(name, Reason.OK, at=1.0, ended=0.01, samples=self._samples))


def best_of(times: int, work: Callable[[], object]) -> float:
    """Seconds of the fastest of some calls."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def compare(agent: Agent) -> None:
    plain = CollectorRegistry()
    plain.register(Plain(agent.names))
    text = exposition(agent.board, agent.rendered, Format.TEXT, agent.registry)
    joined = best_of(5, lambda: exposition(agent.board, agent.rendered, Format.TEXT, agent.registry))
    zipped = best_of(5, lambda: gzip.compress(text, GZIP_LEVEL))
    theirs = best_of(3, lambda: generate_latest(plain))
    one = best_of(200, lambda: render(agent.checks["check-0"], agent.board["check-0"]))
    samples = text.count(b"probe_http_phase_seconds{")
    print(f"{len(agent.names)} checks, {samples:,} samples of kinds, {text.count(LINE):,} lines, {len(text):,} bytes")
    print(f"join    {joined * 1000:8.1f} ms")
    print(f"gzip {GZIP_LEVEL}  {zipped * 1000:8.1f} ms  (in a thread)")
    print(f"render  {one * 1e6:8.1f} us a check, when its run is folded")
    print(f"prometheus_client, the samples of kinds alone: {theirs * 1000:.0f} ms = {theirs / joined:.0f} x the join")


async def serve_and_ask(agent: Agent, seconds: int) -> None:
    """How late the loop is while another process asks once a second."""
    runner = await serve(make_app(agent, Web()), ("127.0.0.1", 0))
    port = runner.addresses[0][1]
    for coding in ("", "identity", "gzip"):
        late: list[float] = []
        looking = asyncio.create_task(look(agent, late))
        command = [sys.executable, "-m", "bench.scrape", "--ask", f"http://127.0.0.1:{port}/metrics"]
        asking = await asyncio.create_subprocess_exec(
            *command, "--seconds", str(seconds), "--coding", coding, stdout=asyncio.subprocess.PIPE
        )
        taken, size = json.loads((await asking.communicate())[0])
        looking.cancel()
        cuts = quantiles(late, n=100)
        told = f"a scrape {median(taken) * 1e3:.0f} ms (p50), {max(taken) * 1e3:.0f} ms (max), {size:,} bytes"
        print(
            f"{coding or 'not scraped':<12} the loop is late by {cuts[49] * 1e3:.1f} ms (p50), {cuts[98] * 1e3:.1f} ms "
            f"(p99), {max(late) * 1e3:.1f} ms (max){f'; {told}' if coding else ''}",
            flush=True,
        )
    await runner.cleanup()


async def look(agent: Agent, late: list[float]) -> None:
    """Keep how late each tick comes; a run is folded now and then, so that no two scrapes are of one board."""
    for number in range(sys.maxsize):
        began = time.perf_counter()
        await asyncio.sleep(TICK)
        late.append(time.perf_counter() - began - TICK)
        if number % 20 == 0:
            agent.run_one()


def ask(url: str, coding: str, seconds: int) -> None:
    """Ask once a second; print how long each answer took, and its size."""
    taken, size = [], 0
    for _ in range(seconds):
        began = time.perf_counter()
        if coding:
            with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept-Encoding": coding})) as answer:
                size = len(answer.read())
        taken.append(time.perf_counter() - began)
        time.sleep(max(0.0, 1 - taken[-1]))
    print(json.dumps([taken, size]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=int, nargs="?", default=100_000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--ask", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--coding", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        ask(given.ask, given.coding, given.seconds)
        return
    agent = Agent(given.samples // SAMPLES_A_CHECK)
    compare(agent)
    uvloop.run(serve_and_ask(agent, given.seconds))


if __name__ == "__main__":
    main()
