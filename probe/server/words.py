"""Numbers and moments as the pages say them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Literal, NamedTuple

from probe.check import Check
from probe.model import Level, Limit
from probe.state import LimitState
from probe.units import show, show_seconds


class Moment(NamedTuple):
    """A point in time: how long ago, for people, and the time itself for a title."""

    ago: str
    exactly: str


def moment(at: float, now: float) -> Moment | None:
    """None for a time that never was (0)."""
    if at <= 0:
        return None
    exactly = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    age = round(now - at)
    return Moment("a moment" if age < 1 else f"{age} s" if age < 60 else show_seconds(age), exactly)


class Bound(NamedTuple):
    """One limit on a number: its level, how it is written, and where it stands."""

    level: Level
    text: str
    crossed: bool


class Tick(NamedTuple):
    """Where a limit stands on a gauge, in percent of its width."""

    level: Level
    at: float


@dataclass(frozen=True, slots=True)
class Limited:
    """A number that limits stand on, with all of them. `fill`: percent of the gauge; None where none can be drawn."""

    what: str
    value: str
    bounds: tuple[Bound, ...]
    ticks: tuple[Tick, ...]
    fill: float | None
    worst: Level | Literal[""]
    """The level of the worst limit that is crossed; a written one without a number warns; empty: all is well."""


def limited(check: Check, limits: tuple[LimitState, ...]) -> Iterator[Limited]:
    """The numbers of a check that have limits, each once."""
    by_number: dict[tuple[str, str], list[LimitState]] = {}
    for standing in limits:
        if standing.value is not None or standing.limit.by_user:
            by_number.setdefault((standing.limit.metric, standing.limit.selected), []).append(standing)
    for standings in by_number.values():
        yield _limited(check, standings)


def _limited(check: Check, standings: list[LimitState]) -> Limited:
    first = standings[0]
    key = first.limit.metric.removeprefix(f"probe_{check.kind}_")
    unit = _unit(check, first.limit, key)
    bounds = [
        Bound(each.limit.level, f"{each.limit.op} {show(each.limit.bound, unit)}", each.crossed) for each in standings
    ]
    ticks, fill = _gauge(standings, unit)
    return Limited(_what(first.limit, key), _value(first, unit), tuple(bounds), ticks, fill, _worst(standings))


def _what(limit: Limit, key: str) -> str:
    series = f"{key}{{{limit.selected}}}" if limit.selector else key
    if not limit.on_time:
        return series
    return f"{series} (time left)" if limit.op[0] == "<" else f"{series} (age)"


def _value(standing: LimitState, unit: str) -> str:
    if standing.value is None or standing.missing:
        return "no number"
    return show(standing.value, unit) if isfinite(standing.value) else str(standing.value)


def _worst(standings: list[LimitState]) -> Level | Literal[""]:
    levels = {standing.limit.level for standing in standings if standing.crossed}
    if "fail" in levels:
        return "fail"
    return "warn" if levels or any(standing.not_evaluated for standing in standings) else ""


def _gauge(standings: list[LimitState], unit: str) -> tuple[tuple[Tick, ...], float | None]:
    """Ticks and fill of a gauge from 0 to a bit more than the highest bound, for numbers that should stay below."""
    value = standings[0].value
    bounds = [standing.limit.bound for standing in standings]
    stays_below = all(standing.limit.op[0] == ">" and standing.limit.bound > 0 for standing in standings)
    if not stays_below or value is None or not isfinite(value):
        return (), None
    full = 1.0 if unit == "ratio" and max(bounds) <= 1 else max(bounds) * 1.25
    ticks = tuple(Tick(each.limit.level, round(100 * each.limit.bound / full, 1)) for each in standings)
    return ticks, round(100 * min(1.0, max(0.0, value / full)), 1)


def _unit(check: Check, limit: Limit, key: str) -> str:
    metric = check.metrics_declared.get(key) or check.metrics_declared.get(limit.metric)
    return metric.unit if metric is not None else ""
