"""Labels that a user may give to the series of a check."""

import re
from collections.abc import Iterable, Iterator

RESERVED_LABELS = frozenset(
    [
        "check",
        "kind",
        "instance",
        "job",
        "agent",
        "root",
        "severity",
        "alertname",
        "le",
        "quantile",
        "reason",
        "cause",
        "level",
        "metric",
        "selector",
        "op",
        "survey",
    ]
)
"""Labels that probe, Prometheus or the shipped rules set themselves."""

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def unfit(labels: Iterable[str], taken: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The labels that can't be, each with why; `taken` are those of the check's own metrics."""
    reserved = RESERVED_LABELS.union(taken)
    for label in labels:
        if label in reserved or label.startswith("__"):
            yield label, f'label "{label}" is reserved; choose another name'
        elif not _LABEL.fullmatch(label):
            yield label, f'"{label}" is no label name; use letters, digits and _'
