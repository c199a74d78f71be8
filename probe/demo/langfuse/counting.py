"""How Langfuse counts: its metrics query language over made-up observations, as far as the stand-in needs it."""

import math
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

EVERY = 20
"""Seconds between the traces of `steady_traffic`."""

MOST_SLOTS = 10_000


class BadQuery(Exception):
    """A query that Langfuse would answer with 400."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One step of a trace. `root` marks the trace's first; `latency` is in milliseconds, as Langfuse counts it."""

    at: float
    root: bool = False
    level: str = "DEFAULT"
    environment: str = "production"
    model: str | None = None
    latency: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0


def steady_traffic(since: float, until: float) -> Iterator[Observation]:
    """A trace every 20 s, always the same ones for the same time: a root and a call of a model, some of which fail."""
    first, last = math.ceil(since / EVERY), math.floor(until / EVERY)
    for slot in range(max(first, last - MOST_SLOTS), last + 1):
        dice = zlib.crc32(str(slot).encode())
        environment = "staging" if dice % 5 == 0 else "production"
        latency = 400.0 + dice % 2600
        failed = dice % 33 == 0
        model, price = ("gpt-5-mini", 1e-6) if dice % 3 else ("claude-sonnet-5", 6e-6)
        tokens_in, tokens_out = 200 + dice % 1800, 0 if failed else 40 + dice % 700
        yield Observation(slot * EVERY, root=True, environment=environment, latency=latency)
        yield Observation(
            slot * EVERY,
            level="ERROR" if failed else "DEFAULT",
            environment=environment,
            model=model,
            latency=latency * 0.9,
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cost=(tokens_in + tokens_out) * price,
        )


DIMENSIONS: Mapping[str, Callable[[Observation], object]] = {
    "level": lambda seen: seen.level,
    "environment": lambda seen: seen.environment,
    "providedModelName": lambda seen: seen.model,
    "isRootObservation": lambda seen: seen.root,
}
MEASURES: Mapping[str, Callable[[Observation], float]] = {
    "count": lambda seen: 1,
    "latency": lambda seen: seen.latency,
    "inputTokens": lambda seen: seen.input_tokens,
    "outputTokens": lambda seen: seen.output_tokens,
    "totalTokens": lambda seen: seen.input_tokens + seen.output_tokens,
    "totalCost": lambda seen: seen.cost,
}


def answer_query(
    query: Any, generation: str, traffic: Callable[[float, float], Iterable[Observation]]
) -> list[dict[str, object]]:
    """The rows for a metrics query; none for a window in which nothing happened. Raises BadQuery."""
    try:
        since, until = (datetime.fromisoformat(query[key]).timestamp() for key in ("fromTimestamp", "toTimestamp"))
        dimensions = [entry["field"] for entry in query.get("dimensions") or []]
        metrics = [(entry["measure"], entry["aggregation"]) for entry in query["metrics"]]
        seen = _viewed(query["view"], generation, traffic(since, until))
        for condition in query.get("filters") or []:
            seen = [one for one in seen if DIMENSIONS[condition["column"]](one) == condition["value"]]
        groups: dict[tuple[object, ...], list[Observation]] = defaultdict(list)
        for one in seen:
            groups[tuple(DIMENSIONS[name](one) for name in dimensions)].append(one)
        rows = [dict(zip(dimensions, key, strict=True)) | _measured(group, metrics) for key, group in groups.items()]
        limit = (query.get("config") or {}).get("row_limit", 100)
    except (KeyError, TypeError, ValueError) as error:
        raise BadQuery(f"Invalid request data: {error}") from None
    if since >= until or not 1 <= limit <= 1000 or not metrics:
        raise BadQuery("Invalid request data")
    return _ordered(rows, query.get("orderBy") or [])[:limit]


def _viewed(view: str, generation: str, seen: Iterable[Observation]) -> list[Observation]:
    """The observations of a view: `traces` (of the old generation only) is one for each root."""
    if view == "traces" and generation == "v3":
        return [one for one in seen if one.root]
    if view != "observations":
        raise ValueError(f"no view {view!r}")
    return list(seen)


def _measured(group: Sequence[Observation], metrics: Sequence[tuple[str, str]]) -> dict[str, object]:
    """`<aggregation>_<measure>` of each metric; whole numbers as strings, as ClickHouse gives its UInt64."""
    found: dict[str, object] = {}
    for measure, aggregation in metrics:
        values = sorted(MEASURES[measure](one) for one in group)
        value = _aggregated(values, aggregation)
        found[f"{aggregation}_{measure}"] = str(value) if isinstance(value, int) else value
    return found


def _aggregated(values: Sequence[float], aggregation: str) -> float:
    if aggregation == "count":
        return len(values)
    if aggregation == "sum":
        return sum(values)
    if aggregation in ("p50", "p95"):
        place = (len(values) - 1) * int(aggregation[1:]) / 100
        below, part = math.floor(place), place % 1
        return values[below] + (values[math.ceil(place)] - values[below]) * part
    raise ValueError(f"no aggregation {aggregation!r}")


def _ordered(rows: list[dict[str, object]], order: Sequence[Mapping[str, str]]) -> list[dict[str, object]]:
    for entry in reversed(order):
        rows.sort(key=lambda row: float(str(row[entry["field"]])), reverse=entry["direction"] == "desc")
    return rows
