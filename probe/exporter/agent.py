"""What the agent says of itself, `probe_agent_*` and `process_*`: plain figures, read at each scrape."""

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from probe.exporter.families import Family
from probe.exporter.render import number


class Buckets(Protocol):
    """A histogram of seconds: `counts` are not cumulative, and one longer than `bounds`."""

    @property
    def bounds(self) -> tuple[float, ...]: ...
    @property
    def counts(self) -> Sequence[int]: ...
    @property
    def sum(self) -> float: ...


class Figures(Protocol):
    """What the scheduler counts, from its start on; `in_flight` is now."""

    @property
    def in_flight(self) -> int: ...
    @property
    def skipped(self) -> int: ...
    @property
    def abandoned(self) -> int: ...
    @property
    def clock_steps(self) -> int: ...
    @property
    def blocked(self) -> int: ...
    @property
    def delay(self) -> Buckets: ...
    @property
    def lag(self) -> Buckets: ...


@dataclass(frozen=True, slots=True)
class Reloads:
    """How reading the config went: at the start, and each time that it changed since."""

    ok: int = 0
    failed: int = 0
    last_is_ok: bool = True
    in_force_since: float = 0.0
    """Unix time at which the config in force was read."""


BUILD = Family("probe_agent_build_info", "gauge", "Always 1; the labels tell what runs.", ("version", "python"))
DELAY = Family(
    "probe_agent_start_delay_seconds",
    "histogram",
    "How much later than due runs and surveys started, in seconds; no part of their durations.",
)
IN_FLIGHT = Family("probe_agent_runs_in_flight", "gauge", "Runs and surveys under way now.")
SKIPPED = Family(
    "probe_agent_skipped_runs_total", "counter", "Runs and surveys not started because the former one was not over."
)
ABANDONED = Family("probe_agent_abandoned_runs_total", "counter", "Runs and surveys that ignored their cancellation.")
LAG = Family(
    "probe_agent_loop_lag_seconds",
    "histogram",
    "How long the event loop was busy with something else when a timer was due, in seconds.",
)
BLOCKED = Family("probe_agent_loop_blocked_total", "counter", "Times that the event loop did not turn for over 0.5 s.")
CLOCK_STEPS = Family(
    "probe_agent_clock_steps_total",
    "counter",
    "Times that the wall clock stepped, or the process was stopped, for over 2 s.",
)
RELOADS = Family(
    "probe_agent_config_reads_total", "counter", "Times that the config was read, by how it ended.", ("result",)
)
RELOAD_OK = Family(
    "probe_agent_config_last_reload_successful",
    "gauge",
    "Whether the config is in force as it stands in its files (1), or they are bad and the former one is (0).",
)
RELOAD_AT = Family(
    "probe_agent_config_last_reload_success_timestamp_seconds",
    "gauge",
    "When the config in force was read, as unix time.",
)

AGENT_FAMILIES = (
    BUILD,
    DELAY,
    IN_FLIGHT,
    SKIPPED,
    ABANDONED,
    LAG,
    BLOCKED,
    CLOCK_STEPS,
    RELOADS,
    RELOAD_OK,
    RELOAD_AT,
)
"""The agent's own, in the order of the exposition; `process_*` follow."""


def agent_registry(version: str, figures: Figures, reloads: Callable[[], Reloads]) -> CollectorRegistry:
    """A registry of its own that reads the figures at each scrape; with the process' CPU, memory and files."""
    registry = CollectorRegistry()
    registry.register(_Agent(version, figures, reloads))
    ProcessCollector(registry=registry)
    return registry


class _Agent(Collector):
    def __init__(self, version: str, figures: Figures, reloads: Callable[[], Reloads]) -> None:
        self._version = version
        self._figures = figures
        self._reloads = reloads

    def describe(self) -> Iterable[Metric]:
        return [Metric(family.name, family.help, family.type) for family in AGENT_FAMILIES]

    def collect(self) -> Iterable[Metric]:
        figures, reloads = self._figures, self._reloads()
        yield _gauge(BUILD, 1, self._version, platform.python_version())
        yield _histogram(DELAY, figures.delay)
        yield _gauge(IN_FLIGHT, figures.in_flight)
        yield _counter(SKIPPED, {(): figures.skipped})
        yield _counter(ABANDONED, {(): figures.abandoned})
        yield _histogram(LAG, figures.lag)
        yield _counter(BLOCKED, {(): figures.blocked})
        yield _counter(CLOCK_STEPS, {(): figures.clock_steps})
        yield _counter(RELOADS, {("ok",): reloads.ok, ("failed",): reloads.failed})
        yield _gauge(RELOAD_OK, reloads.last_is_ok)
        yield _gauge(RELOAD_AT, reloads.in_force_since)


def _gauge(family: Family, value: float, *labels: str) -> Metric:
    made = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    made.add_metric(labels, value)
    return made


def _counter(family: Family, values: Mapping[tuple[str, ...], float]) -> Metric:
    made = CounterMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        made.add_metric(labels, value)
    return made


def _histogram(family: Family, seconds: Buckets) -> Metric:
    made = HistogramMetricFamily(family.name, family.help)
    cumulative = zip((*seconds.bounds, inf), accumulate(seconds.counts), strict=True)
    made.add_metric([], [(number(bound), count) for bound, count in cumulative], seconds.sum)
    return made
