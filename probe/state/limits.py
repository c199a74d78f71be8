"""Where limits stand after a run or a survey. Only a number changes a limit's verdict."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from probe.check import DURATION, Check
from probe.model import Health, Limit, Result, Sample, Verdict
from probe.state.values import LimitState, State
from probe.units import show

_CROSSES: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


def fresh(check: Check) -> tuple[LimitState, ...]:
    """The limits of a check that nothing was measured against yet."""
    return tuple([LimitState(limit) for limit in check.limits])


def after(state: State, check: Check, result: Result) -> tuple[LimitState, ...]:
    """The limits after a run (or survey) that counts. Those of other runs stand as they stood."""
    if not any(standing.limit.survey == result.survey for standing in state.limits):
        return state.limits
    samples = _wanted(result, state.limits)
    return tuple(
        [
            _measured(standing, check, result, samples) if standing.limit.survey == result.survey else standing
            for standing in state.limits
        ]
    )


def carried(state: State, check: Check) -> tuple[LimitState, ...]:
    """The limits of a check whose config changed: known ones as they stood, new ones by what came last."""
    known = {standing.limit: standing for standing in state.limits}
    numbers = [replace(survey.result, samples=survey.samples) for survey in state.surveys.values()]
    results = [state.result, *numbers]
    limits = []
    for standing in fresh(check):
        result = next((r for r in results if r is not None and r.survey == standing.limit.survey), None)
        if (kept := known.get(standing.limit)) is not None:
            limits.append(replace(kept, limit=standing.limit))
        else:
            limits.append(_measured(standing, check, result, _wanted(result, [standing])) if result else standing)
    return tuple(limits)


def verdict(limits: Iterable[LimitState]) -> Verdict:
    """What the limits alone make of a check whose runs are good."""
    worst: tuple[Health, LimitState] | None = None
    for standing in limits:
        health = _health(standing)
        if health > Health.HEALTHY and (worst is None or health > worst[0]):
            worst = health, standing
    if worst is None:
        return Verdict(Health.HEALTHY, "", "")
    health, standing = worst
    if standing.crossed:
        return Verdict(health, "limit", told(standing))
    return Verdict(health, "not evaluated", f"{_series(standing.limit)} has a limit, and no number came")


def told(standing: LimitState) -> str:
    """A limit and its number for people: `connections_ratio is 97%, limit > 95%`."""
    limit = standing.limit
    unit = "time" if limit.on_time else _unit(limit)
    value = "unknown" if standing.value is None else show(standing.value, unit)
    what = ("time left of " if limit.op[0] == "<" else "age of ") if limit.on_time else ""
    return f"{what}{_series(limit)} is {value}, limit {limit.op} {show(limit.bound, unit)}"


def _health(standing: LimitState) -> Health:
    if standing.crossed:
        return Health.UNHEALTHY if standing.limit.level == "fail" else Health.DEGRADED
    return Health.DEGRADED if standing.not_evaluated else Health.HEALTHY


def _wanted(result: Result, limits: Iterable[LimitState]) -> Mapping[str, Sequence[Sample]]:
    """The samples that limits are about, by the full name of their metric; few of many, so looked for once."""
    metrics = {standing.limit.metric for standing in limits}
    samples: dict[str, list[Sample]] = {}
    for sample in result.samples:
        if sample.metric.name in metrics:
            samples.setdefault(sample.metric.name, []).append(sample)
    return samples


def _measured(
    standing: LimitState, check: Check, result: Result, samples: Mapping[str, Sequence[Sample]]
) -> LimitState:
    value = _worst(standing.limit, result, samples)
    if value is None:
        return standing if standing.missing or not result.complete else replace(standing, missing=True)
    crosses = _CROSSES[standing.limit.op](value, standing.limit.bound)
    if crosses == standing.crossed:
        if value == standing.value and not standing.against and not standing.missing:
            return standing
        return replace(standing, value=value, against=0, missing=False)
    against = standing.against + 1
    is_first = standing.value is None
    needed = check.failure_threshold if crosses else check.success_threshold
    if is_first or result.survey or against >= needed:
        return replace(standing, crossed=crosses, value=value, against=0, missing=False)
    return replace(standing, value=value, against=against, missing=False)


def _worst(limit: Limit, result: Result, samples: Mapping[str, Sequence[Sample]]) -> float | None:
    """The number that is worst for this limit; an age or a time left where it is about a point in time."""
    if limit.metric == DURATION.name:
        values = [result.duration] if result.ok else []  # a refusal is quick, and nothing is well for that
    else:
        values = [sample.value for sample in samples.get(limit.metric, ()) if _is_selected(limit, sample)]
    values = [value for value in values if value == value]  # noqa: PLR0124  # not NaN: that is no number
    if not values:
        return None
    if limit.on_time:
        ended_at = result.at + result.duration
        values = [ended_at - value if limit.op[0] == ">" else value - ended_at for value in values]
    if limit.op in ("==", "!="):
        crosses = _CROSSES[limit.op]
        return next((value for value in values if crosses(value, limit.bound)), values[0])
    return max(values) if limit.op[0] == ">" else min(values)


def _is_selected(limit: Limit, sample: Sample) -> bool:
    if not limit.selector:
        return True
    labels = dict(zip(sample.metric.labels, sample.labels, strict=True))
    return all(labels[name] == value for name, value in limit.selector)


def _series(limit: Limit) -> str:
    return f"{limit.key}{{{limit.selected}}}" if limit.selector else limit.key


def _unit(limit: Limit) -> str:
    return next((unit for unit in ("seconds", "bytes", "ratio") if limit.metric.endswith("_" + unit)), "")
