"""What a user writes under `warn` and `fail`, read against the metrics that the kind declares."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, cast

from probe import units
from probe.model import Level, Limit, Metric

_KEY = re.compile(r"(?P<metric>[^{}\s]+)\s*(?:\{(?P<selector>[^{}]*)\})?")
_BOUND = re.compile(r"(?P<op>>=|<=|==|!=|>|<)\s*(?P<bound>.+)")
_PARTS = re.compile(r'(?:[^,"]|"[^"]*"?)+')
"""What stands between the commas of a selector; a comma in quotes is part of a value."""
_PAIR = re.compile(r'\s*(?P<label>[A-Za-z_]\w*)\s*=\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^",]*?))\s*')

Op = Literal[">", ">=", "<", "<=", "==", "!="]


class LimitError(ValueError):
    """A limit that can't stand; the message says why and how to mend it."""


OFF = "off"
"""Written in place of a bound, it removes the kind's default limit."""


def read_key(key: str, metrics: Mapping[str, Metric]) -> tuple[Metric, tuple[tuple[str, str], ...]]:
    """Metric and selector of a limit's key (`database_size_bytes{datname=app}`). Raises LimitError."""
    found = _KEY.fullmatch(key.strip())
    if found is None:
        raise LimitError(f"{key!r} is not a metric with an optional selector; write metric or metric{{label=value}}")
    metric = _metric(found["metric"], metrics)
    return metric, _selector(found["selector"], metric)


def read_limit(level: Level, key: str, text: str, metrics: Mapping[str, Metric], *, by_user: bool = True) -> Limit:
    """One limit from its key and its bound (`> 50GiB`). Raises LimitError."""
    metric, selector = read_key(key, metrics)
    bound = _BOUND.fullmatch(text.strip())
    if bound is None:
        raise LimitError(f'{text!r} is not a limit; write an operator and a number, as in "> 0.8", or {OFF}')
    op = cast(Op, bound["op"])
    if metric.is_time and op not in (">", ">=", "<", "<="):
        raise LimitError(f'{metric.key} is a point in time; limit its age ("> 26h") or the time left ("< 21d")')
    try:
        value = units.PARSERS[metric.unit](bound["bound"])
    except units.UnitError as error:
        raise LimitError(f"{metric.key}: {error}") from None
    written = key.partition("{")[0].strip()
    return Limit(metric.name, op, value, level, selector, metric.is_time, metric.survey, by_user, written)


def written_twice(keys: Iterable[str], metrics: Mapping[str, Metric]) -> Iterator[tuple[str, str]]:
    """Keys that mean the same as one before them (`heat_ratio`, `probe_engine_heat_ratio`), each with that one."""
    first: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
    for key in keys:
        try:
            metric, selector = read_key(key, metrics)
        except LimitError:
            continue
        if (former := first.setdefault((metric.name, selector), key)) is not key:
            yield key, former


def suggestion(wrong: str, known: Mapping[str, object] | list[str]) -> str:
    """`; did you mean "x"?` when something known is close, else what there is."""
    close = difflib.get_close_matches(wrong, list(known), n=1)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; there are: {', '.join(sorted(known))}" if known else ""


def _metric(name: str, metrics: Mapping[str, Metric]) -> Metric:
    by_name = {metric.name: metric for metric in metrics.values()}
    metric = metrics.get(name) or by_name.get(name)
    if metric is None:
        raise LimitError(f'no metric "{name}"{suggestion(name, metrics)}')
    if metric.type == "counter":
        raise LimitError(
            f"{name} is a counter, which only grows, so it would cross any limit for good; "
            f"alert on its rate instead: rate({metric.name}[5m])"
        )
    return metric


def _selector(text: str | None, metric: Metric) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for part in _PARTS.findall(text or ""):
        if not part.strip():
            continue
        found = _PAIR.fullmatch(part)
        if found is None:
            raise LimitError(f"{part.strip()!r} is not label=value")
        if found["label"] not in metric.labels:
            raise LimitError(
                f'{metric.key} has no label "{found["label"]}"{suggestion(found["label"], list(metric.labels))}'
            )
        if found["label"] in dict(pairs):
            raise LimitError(f'the label "{found["label"]}" stands twice in the selector; a series has one value of it')
        pairs.append((found["label"], found["bare"] if found["quoted"] is None else found["quoted"]))
    return tuple(sorted(pairs))
