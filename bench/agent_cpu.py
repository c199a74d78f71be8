"""CPU of a run: the agent against the exporter that people use today, in turns, on one server, at one pace.

    python -m bench.agent_cpu [http] [redis] [postgres] [--rounds N]

The agent is scraped once an interval, an exporter for every run, both as Prometheus does (gzip). Needs Debian's
prometheus-{blackbox,redis,postgres}-exporter, redis-server and postgresql; run by hand on a quiet machine.
"""

import argparse
import asyncio
import glob
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import NamedTuple

import aiohttp
import uvloop

from bench import processes
from probe.demo.postgres import Postgres
from probe.demo.process import free_port
from probe.demo.valkey import Valkey
from probe.kinds.http import Http
from probe.runner import Runner

INTERVAL = 5
"""Seconds between two runs of a check, and two scrapes of the agent."""
SETTLE, MEASURE = 16, 20
"""Seconds: first runs, also of surveys, come within 15; then it is measured."""
PASSWORD = "sesame"

_DURATION = re.compile(r"^probe_duration_seconds\{.*\} (\S+)$", re.MULTILINE)
_RUNS = re.compile(r"^probe_run_duration_seconds_count\{.*\} (\S+)$", re.MULTILINE)
_AS_PROMETHEUS = {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "gzip"}


class Rival(NamedTuple):
    """An exporter, the check that does its work, and how many runs a second both make."""

    name: str
    check: str
    """The fields of the check, as YAML in one line."""
    start: Callable[[], AbstractContextManager[processes.Measured]]
    path: str
    """What a scrape asks the exporter for."""
    paces: Sequence[int]


class Ours(NamedTuple):
    """What a run costs the agent (seconds of CPU), and the durations that it reports (seconds)."""

    cpu: float
    durations: Sequence[float]
    rss: float


class Theirs(NamedTuple):
    """What a scrape costs an exporter (seconds of CPU)."""

    cpu: float
    rss: float


async def agent_at(pace: int, check: str) -> Ours:
    """The agent, `pace` checks of this kind a second."""
    checks = "".join(f"  check-{number}: {check}\n" for number in range(pace * INTERVAL))
    config = f"defaults: {{interval: {INTERVAL}s, timeout: 2s}}\nchecks:\n{checks}"
    with processes.agent(config) as measured:
        async with aiohttp.ClientSession(measured.url, headers=_AS_PROMETHEUS) as client:
            await asyncio.sleep(SETTLE)
            first = await scrape(client, "/metrics")
            runs, before, durations = runs_in(first), measured.cpu, []
            text = first
            for _ in range(MEASURE // INTERVAL):
                await asyncio.sleep(INTERVAL)
                text = await scrape(client, "/metrics")
                durations += [float(found) for found in _DURATION.findall(text)]
            spent = measured.cpu - before
        assert 'reason="ok"' in text, text
        return Ours(spent / (runs_in(text) - runs), durations, measured.rss)


async def exporter_at(pace: int, rival: Rival) -> Theirs:
    """The exporter, asked at the same pace."""
    with rival.start() as measured:
        async with aiohttp.ClientSession(measured.url, headers=_AS_PROMETHEUS) as client:
            await asked(client, rival.path, pace, pace * INTERVAL)
            before = measured.cpu
            await asked(client, rival.path, pace, pace * MEASURE)
            return Theirs((measured.cpu - before) / (pace * MEASURE), measured.rss)


async def asked(client: aiohttp.ClientSession, path: str, pace: int, times: int) -> None:
    """Ask so often, evenly spread."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(times):
            await asyncio.sleep(max(0.0, began + number / pace - time.monotonic()))
            group.create_task(scrape(client, path))


async def scrape(client: aiohttp.ClientSession, path: str) -> str:
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


def runs_in(exposition: str) -> float:
    return sum(float(found) for found in _RUNS.findall(exposition))


async def lone(url: str) -> float:
    """Seconds that one request takes (p50), asked for every 50 ms and for nothing else."""
    runner, check, taken = Runner(), Http(name="lone", url=url), []
    for _ in range(200):
        taken.append((await runner.run(check)).duration)
        await asyncio.sleep(0.05)
    await runner.close()
    return median(taken)


async def compare(rival: Rival, rounds: int, alone: float | None = None) -> None:
    for pace in rival.paces:
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(await agent_at(pace, rival.check))
            theirs.append(await exporter_at(pace, rival))
        mine, other = median(one.cpu for one in ours), median(one.cpu for one in theirs)
        ratios = sorted(one.cpu / two.cpu for one, two in zip(ours, theirs, strict=True))
        print(
            f"{rival.name:<18} {pace:>4}/s  ratio {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})   "
            f"agent {mine * 1e6:,.0f} us a run, {ours[-1].rss:.0f} MB   "
            f"exporter {other * 1e6:,.0f} us a scrape, {theirs[-1].rss:.0f} MB",
            flush=True,
        )
        if alone is not None:
            cuts = quantiles([each for one in ours for each in one.durations], n=100)
            print(
                f"  the durations that it reports: p50 {cuts[49] * 1e3:.2f} ms, p99 {cuts[98] * 1e3:.2f} ms; "
                f"a lone request's p50 {alone * 1e3:.2f} ms"
            )


async def http(rounds: int) -> None:
    port = free_port()
    with processes.page() as url, TemporaryDirectory() as folder:
        modules = Path(folder) / "blackbox.yml"
        modules.write_text("modules: {http_2xx: {prober: http, http: {preferred_ip_protocol: ip4}}}\n")
        command = [
            "prometheus-blackbox-exporter",
            f"--config.file={modules}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
        rival = Rival(
            "blackbox_exporter",
            f"{{kind: http, url: '{url}'}}",
            lambda: processes.server(command, port),
            f"/probe?module=http_2xx&target={url}",
            (100, 400),
        )
        await compare(rival, rounds, await lone(url))


async def redis(rounds: int) -> None:
    port = free_port()
    with TemporaryDirectory() as folder:
        server = Valkey(Path(folder), program=Path("redis-server"), password=PASSWORD)
        async with running(server):
            command = [
                "prometheus-redis-exporter",
                f"-redis.addr=redis://127.0.0.1:{server.port}",
                f"-web.listen-address=127.0.0.1:{port}",
            ]
            rival = Rival(
                "redis_exporter",
                f"{{kind: redis, url: '{server.url}'}}",
                lambda: processes.server(command, port, REDIS_PASSWORD=PASSWORD),
                "/metrics",
                (20, 100),
            )
            await compare(rival, rounds)


async def postgres(rounds: int) -> None:
    port = free_port()
    with TemporaryDirectory() as folder:
        server = Postgres(Path(folder) / "server", programs=Path(max(glob.glob("/usr/lib/postgresql/*/bin"))))
        async with running(server):
            await server.make_role("probe", PASSWORD, member_of=["pg_monitor"])
            command = ["prometheus-postgres-exporter", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
            dsn = server.dsn("probe", PASSWORD)
            rival = Rival(
                "postgres_exporter",
                f"{{kind: postgres, dsn: '{dsn}'}}",
                lambda: processes.server(command, port, DATA_SOURCE_NAME=f"{dsn}?sslmode=disable"),
                "/metrics",
                (20,),
            )
            await compare(rival, rounds)


@asynccontextmanager
async def running(server: Valkey | Postgres) -> AsyncIterator[None]:
    await server.start()
    try:
        yield
    finally:
        await server.stop()


COMPARISONS: dict[str, Callable[[int], Awaitable[None]]] = {"http": http, "redis": redis, "postgres": postgres}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(COMPARISONS))
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for kind in given.kinds or COMPARISONS:
        await COMPARISONS[kind](given.rounds)


if __name__ == "__main__":
    uvloop.run(main())
