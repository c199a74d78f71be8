"""How long a scrape takes: joining lines that were rendered before, against prometheus_client on the same samples.

    python -m bench.scrape [samples]

Prints seconds and ratios; run by hand on a quiet machine.
"""

import gzip
import sys
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from probe.check import Check, Run
from probe.exporter import Format, exposition, render
from probe.model import Reason, Result, Sample, gauge
from probe.state import Ended, fold, opened

SAMPLES_A_CHECK = 25


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


def best_of(times: int, work: Callable[[], object]) -> float:
    """Seconds of the fastest of some calls."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    names = [f"check-{number}" for number in range(wanted // SAMPLES_A_CHECK)]
    checks = {name: Http(name=name) for name in names}
    metric = Http.declared["phase_seconds"]
    samples = tuple(Sample(metric, 0.001 * number, (str(number),)) for number in range(SAMPLES_A_CHECK))
    board = opened(checks, 0.0, 0.0)
    board = fold(board, [Ended(Result(name, Reason.OK, at=1.0, ended=0.01, samples=samples)) for name in names]).board
    rendered = {name: render(check, board[name]) for name, check in checks.items()}
    own, plain = CollectorRegistry(), CollectorRegistry()
    plain.register(Plain(names))

    text = exposition(board, rendered, Format.TEXT, own)
    joined = best_of(5, lambda: exposition(board, rendered, Format.TEXT, own))
    zipped = best_of(5, lambda: gzip.compress(text, 1))
    theirs = best_of(3, lambda: generate_latest(plain))
    one = best_of(200, lambda: render(checks[names[0]], board[names[0]]))
    print(f"{len(names)} checks, {text.count(b'probe_http_phase_seconds{'):,} samples of kinds, {len(text):,} bytes")
    print(f"join    {joined * 1000:8.1f} ms")
    print(f"gzip 1  {zipped * 1000:8.1f} ms  (in a thread)")
    print(f"render  {one * 1e6:8.1f} us a check, when its run is folded")
    print(f"prometheus_client, the samples of kinds alone: {theirs * 1000:.0f} ms = {theirs / joined:.0f} x the join")


if __name__ == "__main__":
    main()
