"""One state to the lines of its series, as bytes: the same bytes in both formats, so this is done once a run."""

import re
from collections.abc import Iterable
from functools import lru_cache
from math import inf
from typing import NamedTuple

from probe.check import Check
from probe.exporter import families
from probe.exporter.families import Described
from probe.model import Sample
from probe.state.values import BUCKETS, REASONS, LimitState, State, Tally

_SPECIAL = re.compile(r'[\\"\n\0]')
_REASONS = tuple(reason.value for reason in REASONS)
_ESCAPES = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\0": "\ufffd"}


Parts = tuple[tuple[Described, bytes], ...]


class Surveyed(NamedTuple):
    """The lines of one survey's samples."""

    identity: str
    samples: tuple[Sample, ...]
    parts: Parts


class Rendered(NamedTuple):
    """The lines of one check, by family, in the order in which they were emitted.

    The buckets of the durations come before their sum and count, as a family of their own: whether they are shown is
    up to the whole board, for a family has one type.
    """

    parts: Parts
    surveys: tuple[Surveyed, ...] = ()
    """Those whose lines are among the parts: between two surveys there are many runs, and hundreds of lines stand."""


def render(check: Check, state: State, former: Rendered | None = None) -> Rendered:
    """All series of one check. Called once for each state that a fold touched; `former` is what it was before."""
    lines = _Lines(_identity(check))
    _of_runs(lines, check, state)
    buckets = zip(BUCKETS, state.tally.buckets, strict=True) if check.histogram else ()
    lines.add_durations((*buckets, (inf, state.tally.count)), state.tally)
    for standing in state.limits:
        _of_limit(lines, standing)
    for root in state.roots:
        lines.add(families.CAUSED_BY, 1.0, root)
    for survey in check.active_surveys:
        _of_survey(lines, check, state, survey)
    for sample in state.result.samples if state.result else ():
        lines.add(sample.metric, sample.value, *sample.labels)
    known = former.surveys if former is not None else ()
    found = [state.surveys[survey].samples for survey in check.active_surveys if survey in state.surveys]
    surveys = tuple([_surveyed(lines.identity, samples, known) for samples in found if samples])
    return Rendered(lines.parts() + tuple([part for survey in surveys for part in survey.parts]), surveys)


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


def _identity(check: Check) -> str:
    """The labels that each line of a check has."""
    labels = {"check": check.name, "kind": check.kind, **check.labels}
    return ",".join([f'{name}="{escaped(value)}"' for name, value in labels.items()])


class _Lines:
    """Lines of one check in the making."""

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self._found: dict[str, tuple[Described, list[str]]] = {}

    def parts(self) -> Parts:
        return tuple([(family, "".join(lines).encode("utf-8", "replace")) for family, lines in self._found.values()])

    def add(self, family: Described, value: float, *labels: str) -> None:
        """One series with the values of the family's own labels."""
        name = family.name
        own = _own_labels(family.labels, labels) if labels else ""
        line = f"{name}{{{self.identity}{own}}} {number(value)}\n"
        found = self._found.get(name)
        if found is None:
            self._found[name] = family, [line]
        else:
            found[1].append(line)

    def add_runs(self, tally: Tally) -> None:
        """The runs by how they ended: a third of all lines, and all alike."""
        start = f"{families.RUNS.name}{{{self.identity},reason="
        lines = [f'{start}"{reason}"}} {float(count)}\n' for reason, count in zip(_REASONS, tally.runs, strict=True)]
        self._found[families.RUNS.name] = families.RUNS, lines

    def add_durations(self, buckets: Iterable[tuple[float, int]], tally: Tally) -> None:
        """A histogram's buckets, then the `_sum` and `_count` of a summary, which stand in a histogram too."""
        name, identity = families.DURATIONS.name, self.identity
        self._found[f"{name}_bucket"] = (
            families.DURATION_BUCKETS,
            [f'{name}_bucket{{{identity},le="{number(bound)}"}} {float(count)}\n' for bound, count in buckets],
        )
        self._found[name] = (
            families.DURATIONS,
            [
                f"{name}_sum{{{identity}}} {number(tally.seconds)}\n",
                f"{name}_count{{{identity}}} {float(tally.count)}\n",
            ],
        )


def _of_runs(lines: _Lines, check: Check, state: State) -> None:
    if state.result is not None:
        lines.add(families.SUCCESS, float(state.result.ok))
        lines.add(families.LAST_DURATION, state.result.duration)
        lines.add(families.LAST_RUN, state.result.at)
    if state.ever_succeeded:
        lines.add(families.LAST_SUCCESS, state.last_success_at)
    lines.add(families.HEALTH, float(state.health))
    lines.add_runs(state.tally)
    lines.add(families.INTERVAL, check.interval)


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


def _surveyed(identity: str, samples: tuple[Sample, ...], known: Iterable[Surveyed]) -> Surveyed:
    for survey in known:
        if survey.samples is samples and survey.identity == identity:
            return survey
    lines = _Lines(identity)
    for sample in samples:
        lines.add(sample.metric, sample.value, *sample.labels)
    return Surveyed(identity, samples, lines.parts())
