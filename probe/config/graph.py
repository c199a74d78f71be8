"""What only all checks together can get wrong: needs that lead nowhere or in a circle, metrics declared twice."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from probe.check import suggestion
from probe.config.checks import Written
from probe.config.places import Complaint, quoted
from probe.model import Metric

MOST_CIRCLES = 10
"""Circles that are reported: each is looked for anew in what is left of the graph."""

MOST_LISTED = 20
"""Names among which a suggestion is looked for by listing or comparing them all."""


def complaints_of_needs(written: Mapping[str, Written]) -> Iterator[Complaint]:
    """Needs of nobody, of oneself, in a circle."""
    graph: dict[str, list[str]] = {}
    unknown = 0
    for name, one in written.items():
        graph[name] = []
        for index, need in enumerate(one.needs):
            place = one.place("needs", index)
            if need == name:
                yield Complaint(place, f"{quoted(name)} needs itself; remove it from its needs")
            elif need in written:
                graph[name].append(need)
            elif need:
                unknown += 1
                guess = (
                    suggestion(need, [other for other in written if other != name]) if unknown <= MOST_LISTED else ""
                )
                yield Complaint(place, f"no check {quoted(one.text('needs', index))}{_short(guess, len(written))}")
    yield from _circles(graph, written)


def complaints_of_metrics(written: Mapping[str, Written]) -> Iterator[Complaint]:
    """Metrics that two checks declare differently: a family has one type, one help and one set of labels."""
    first: dict[str, tuple[Metric, str]] = {}
    kinds: set[int] = set()
    for name, one in written.items():
        if one.check is None or id(metrics := one.check.metrics_declared) in kinds:
            continue
        if metrics is one.check.declared:
            kinds.add(id(metrics))
        for metric in metrics.values():
            known, owner = first.setdefault(metric.name, (metric, name))
            if difference := _difference(known, metric):
                message = (
                    f"{metric.name} is declared by {quoted(name)} with {difference[1]} and by {quoted(owner)} "
                    f"({written[owner].entry.place}) with {difference[0]}; rename one"
                )
                yield Complaint(one.entry.place, one.check.redact(message))


def _difference(known: Metric, metric: Metric) -> tuple[str, str] | None:
    if known is metric:
        return None
    if known.type != metric.type:
        return f"type {known.type}", f"type {metric.type}"
    if known.labels != metric.labels:
        return _labels(known), _labels(metric)
    if known.help != metric.help:
        return f"help {quoted(known.help)}", f"help {quoted(metric.help)}"
    return None


def _labels(metric: Metric) -> str:
    return f"labels {', '.join(metric.labels)}" if metric.labels else "no labels"


def _circles(graph: dict[str, list[str]], written: Mapping[str, Written]) -> Iterator[Complaint]:
    order = {name: index for index, name in enumerate(written)}
    for _ in range(MOST_CIRCLES):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][:0:-1]  # each needs the next; the last is the first again
            start = circle.index(min(circle, key=order.__getitem__))
            circle = circle[start:] + circle[:start]
            one = written[circle[0]]
            place = one.place("needs", one.needs.index(circle[1]))
            way = " → ".join([*circle, circle[0]])
            yield Complaint(place, f"needs go in a circle: {way}; remove one of them")
            graph = {name: [n for n in needs if n not in circle] for name, needs in graph.items() if name not in circle}
        else:
            return


def _short(guess: str, names: int) -> str:
    return guess if names <= MOST_LISTED or "did you mean" in guess else ""
