"""One state to the lines of its series, as bytes: the same bytes in both formats, so this is done once a run."""

import re
from collections.abc import Iterator
from functools import lru_cache
from math import inf
from typing import NamedTuple

from probe.check import Check
from probe.exporter import families
from probe.exporter.families import Described
from probe.state.values import BUCKETS, REASONS, LimitState, State, Tally

_SPECIAL = re.compile(r'[\\"\n\0]')
_REASONS = tuple(reason.value for reason in REASONS)
_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\0": "\ufffd"}


class Rendered(NamedTuple):
    """The lines of one check, by family, in the order in which they were emitted.

    The buckets of the durations come before their sum and count, as a family of their own: whether they are shown is
    up to the whole board, for a family has one type.
    """

    parts: tuple[tuple[Described, bytes], ...]


def render(check: Check, state: State) -> Rendered:
    """All series of one check. Called once for each state that a fold touched."""
    lines = _Lines(check)
    _of_runs(lines, check, state)
    _of_durations(lines, check, state.tally)
    for standing in state.limits:
        _of_limit(lines, standing)
    for root in state.roots:
        lines.add(families.CAUSED_BY, 1.0, root)
    for survey in check.active_surveys:
        _of_survey(lines, check, state, survey)
    for sample in state.result.samples if state.result else ():
        lines.add(sample.metric, sample.value, *sample.labels)
    return Rendered(tuple(lines))


def number(value: float) -> str:
    """A float as both formats write it."""
    if value - value == 0.0:  # finite
        return repr(float(value))
    if value != value:  # noqa: PLR0124  # only NaN is unequal to itself
        return "NaN"
    return "+Inf" if value > 0 else "-Inf"


def escaped(text: str) -> str:
    """A label value between its quotes. A NUL, which ends the text for Prometheus' parser, becomes `\ufffd`."""
    if _SPECIAL.search(text):
        return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], text)
    return text


@lru_cache(maxsize=4096)
def _own_labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Labels beside the check's own, as they stand in a line: most are the same for every check and every run."""
    return "".join([f',{name}="{escaped(value)}"' for name, value in zip(names, values, strict=True)])


class _Lines:
    """The lines of one check in the making."""

    def __init__(self, check: Check) -> None:
        labels = {"check": check.name, "kind": check.kind, **check.labels}
        self._identity = ",".join([f'{name}="{escaped(value)}"' for name, value in labels.items()])
        self._found: dict[str, tuple[Described, list[str]]] = {}

    def __iter__(self) -> Iterator[tuple[Described, bytes]]:
        for family, lines in self._found.values():
            yield family, "".join(lines).encode(errors="replace")

    def add(self, family: Described, value: float, *labels: str) -> None:
        """One series with the values of the family's own labels."""
        own = _own_labels(family.labels, labels)
        self._of(family, family.name).append(f"{family.name}{{{self._identity}{own}}} {number(value)}\n")

    def add_durations(self, tally: Tally) -> None:
        """The `_sum` and `_count` of a summary, which stand in a histogram too, after its buckets."""
        name = families.DURATIONS.name
        self._of(families.DURATIONS, name).extend(
            (
                f"{name}_sum{{{self._identity}}} {number(tally.seconds)}\n",
                f"{name}_count{{{self._identity}}} {number(tally.count)}\n",
            )
        )

    def add_bucket(self, bound: float, count: int) -> None:
        """One bucket of a histogram of durations."""
        name = f"{families.DURATION_BUCKETS.name}_bucket"
        line = f'{name}{{{self._identity},le="{number(bound)}"}} {number(count)}\n'
        self._of(families.DURATION_BUCKETS, name).append(line)

    def _of(self, family: Described, key: str) -> list[str]:
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = (family, [])
        return found[1]


def _of_runs(lines: _Lines, check: Check, state: State) -> None:
    if state.result is not None:
        lines.add(families.SUCCESS, float(state.result.ok))
        lines.add(families.LAST_DURATION, state.result.duration)
        lines.add(families.LAST_RUN, state.result.at)
    if state.ever_succeeded:
        lines.add(families.LAST_SUCCESS, state.last_success_at)
    lines.add(families.HEALTH, float(state.health))
    for reason, count in zip(_REASONS, state.tally.runs, strict=True):
        lines.add(families.RUNS, count, reason)
    lines.add(families.INTERVAL, check.interval)


def _of_durations(lines: _Lines, check: Check, tally: Tally) -> None:
    if check.histogram:
        for bound, count in zip(BUCKETS, tally.buckets, strict=True):
            lines.add_bucket(bound, count)
    lines.add_bucket(inf, tally.count)
    lines.add_durations(tally)


def _of_limit(lines: _Lines, standing: LimitState) -> None:
    limit = standing.limit
    if standing.value is None and not limit.by_user:
        return  # a kind's default limit on a number that this server does not give
    lines.add(families.LIMIT, limit.bound, limit.metric, limit.selected, limit.op, limit.level)
    lines.add(families.LIMIT_CROSSED, float(standing.crossed), limit.metric, limit.selected, limit.level)


def _of_survey(lines: _Lines, check: Check, state: State, survey: str) -> None:
    lines.add(families.SURVEY_INTERVAL, check.interval_of(survey), survey)
    standing = state.surveys.get(survey)
    if standing is None:
        return
    lines.add(families.SURVEY_SUCCESS, float(standing.result.complete), survey)
    lines.add(families.SURVEY_DURATION, standing.result.duration, survey)
    lines.add(families.SURVEY_LAST_RUN, standing.result.at, survey)
    if standing.last_success_at:
        lines.add(families.SURVEY_LAST_SUCCESS, standing.last_success_at, survey)
    for sample in standing.samples:
        lines.add(sample.metric, sample.value, *sample.labels)
