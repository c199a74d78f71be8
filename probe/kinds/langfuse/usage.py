"""What a project did in a window of time: the queries that ask for it, and their rows read.

Two queries a cut (the whole, by environment, by model): sums by level, which can be added up, and percentiles,
which can't. Keys of a row are `<aggregation>_<measure>`; its numbers may come as strings; an empty window has no rows.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from probe.check import Garbled
from probe.exchange.answer import excerpt
from probe.kinds.langfuse.generations import Generation, Rows

MOST_ROWS = 1000
"""Rows of one answer; Langfuse allows no more."""

CUTS = {"environment": "environment", "model": "providedModelName"}
"""Langfuse's dimension for each word of the config's `by`."""

SPENDING = (
    ("count", "count"),
    ("inputTokens", "sum"),
    ("outputTokens", "sum"),
    ("totalTokens", "sum"),
    ("totalCost", "sum"),
)
LATENCY = (("count", "count"), ("latency", "p50"), ("latency", "p95"))


@dataclass
class Usage:
    """The numbers of the whole project, or of one environment or model. None: there is no such number."""

    traces: float | None = 0.0
    observations: float = 0.0
    errors: float = 0.0
    tokens: float = 0.0
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    cost_usd: float = 0.0
    latency_p50_seconds: float | None = None
    latency_p95_seconds: float | None = None

    @property
    def error_ratio(self) -> float | None:
        return self.errors / self.observations if self.observations else None

    def numbers(self) -> Iterator[tuple[str, float]]:
        """Names, as the kind's metrics have them, and values of the numbers there are."""
        for name, value in (*vars(self).items(), ("error_ratio", self.error_ratio)):
            if value is not None:
                yield name, value


@dataclass(frozen=True)
class Window:
    """From when to when, in unix seconds."""

    since: float
    until: float

    def query(
        self, view: str, dimensions: Sequence[str], metrics: Sequence[tuple[str, str]], filters: Sequence[Any] = ()
    ) -> dict[str, Any]:
        """A query of either generation's metrics API; the rows with most observations come first."""
        return {
            "view": view,
            "dimensions": [{"field": field} for field in dimensions],
            "metrics": [{"measure": measure, "aggregation": aggregation} for measure, aggregation in metrics],
            "filters": list(filters),
            "timeDimension": None,
            "fromTimestamp": _iso(self.since),
            "toTimestamp": _iso(self.until),
            "orderBy": [{"field": "count_count", "direction": "desc"}],
            "config": {"row_limit": MOST_ROWS},
        }

    def spending(self, by: str = "") -> dict[str, Any]:
        """The sums by level, and by a cut."""
        return self.query("observations", ["level", *_dimensions(by)], SPENDING)

    def latency(self, generation: Generation, by: str = "") -> dict[str, Any]:
        """How long traces took; for models, which a trace has none of, how long their calls took."""
        if by == "model":
            return self.query("observations", _dimensions(by), LATENCY)
        return self.query(generation.traces_view, _dimensions(by), LATENCY, generation.traces_filters)


def read(spending: Rows, latency: Rows, by: str = "") -> dict[str, Usage]:
    """Usage by the values of a cut (the whole: under the empty one), from the rows of the two queries."""
    found: dict[str, Usage] = defaultdict(Usage)
    for row in spending:
        usage = found[_part(row, by)]
        count = number(row, "count_count")
        usage.observations += count
        usage.errors += count if row.get("level") == "ERROR" else 0
        usage.tokens += number(row, "sum_totalTokens")
        usage.input_tokens += number(row, "sum_inputTokens")
        usage.output_tokens += number(row, "sum_outputTokens")
        usage.cost_usd += number(row, "sum_totalCost")
    for row in latency:
        usage = found[_part(row, by)]
        usage.traces = number(row, "count_count")
        usage.latency_p50_seconds = _seconds(row, "p50_latency")
        usage.latency_p95_seconds = _seconds(row, "p95_latency")
    if by == "model":
        found.pop("", None)  # what called no model
        for usage in found.values():
            usage.traces = None
    return found


def number(row: Mapping[str, Any], key: str) -> float:
    """A number of a row, 0 where the database found nothing to add up. Raises Garbled for what is no number."""
    value = row.get(key)
    try:
        read = float(value) if value is not None else 0.0
    except (TypeError, ValueError, OverflowError):
        read = math.nan
    if not math.isfinite(read):
        raise Garbled(f"{key} of a metrics query is {excerpt(repr(value))}, no number")
    return read


def _seconds(row: Mapping[str, Any], key: str) -> float | None:
    """Langfuse's milliseconds in seconds; None where nothing ended, which is no 0."""
    return None if row.get(key) is None else number(row, key) / 1000


def _part(row: Mapping[str, Any], by: str) -> str:
    return str(row.get(CUTS[by]) or "") if by else ""


def _dimensions(by: str) -> list[str]:
    return [CUTS[by]] if by else []


def _iso(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
