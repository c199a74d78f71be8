"""The contract of a kind: one frozen class that is both the configuration and the runnable check."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from probe.check.failure import Failures
from probe.check.fields import Duration
from probe.check.labels import unfit
from probe.check.limits import OFF, LimitError, read_key, read_limit, written_twice
from probe.check.run import Run
from probe.check.secrets import secrets_in
from probe.check.surveys import Survey
from probe.model import Level, Limit, Metric, Reason, gauge, named
from probe.redact import Redactor

DURATION = gauge(
    "How long the last run took, in seconds, from its start (not from when it was due).", name="probe_duration_seconds"
)
"""The one number that every run of every kind has."""

Problem = tuple[tuple[str | int, ...], str]
"""Where in a check's config something is wrong, as keys from the check downwards, and what and how to mend it."""


class Check(BaseModel):
    """One entry of config.yaml, frozen. A kind subclasses it in a module that is named like the kind.

    A kind gives: fields with docstrings, a nested class `metrics`, `failures`, `run`, perhaps surveys and a
    session. The class's own docstring is its description in `probe kinds`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, ignored_types=(Metric,))

    kind: ClassVar[str] = ""
    passive: ClassVar[bool] = False
    """Its results arrive instead of being asked for."""
    failures: ClassVar[Failures] = {}
    """The driver's exceptions and the reason each stands for."""
    reasons: ClassVar[Mapping[Reason, str]] = {}
    """What this kind's reasons mean where that is not plain, for `probe kinds` and the docs."""
    permissions: ClassVar[str] = ""
    """The least rights it needs, ready to paste (GRANT, ACL, policy), for `probe kinds` and the docs."""
    example: ClassVar[str] = ""
    """A config with such a check, ready to paste, for `probe kinds` and the docs."""
    declared: ClassVar[Mapping[str, Metric]] = {}
    """The class's metrics by key, shared ones included; made from `metrics`."""
    _declared_by_survey: ClassVar[Mapping[str, Mapping[str, Metric]]] = {}
    surveys: ClassVar[Mapping[str, Survey]] = {}
    """The class's surveys by name; made from the methods marked with `@survey`."""

    name: str = Field(default="", exclude=True)
    """The key of this check in the config."""

    interval: Duration = Field(default=15.0, ge=1)
    """Time from one run to the next."""
    timeout: Duration = Field(default=5.0, gt=0)
    """The deadline of one run; what has not come by then is a failure."""
    retry_interval: Duration | None = Field(default=None, ge=1)
    """Time to the next run after a failed one, while the check is not unhealthy yet. Default: the interval."""
    needs: tuple[str, ...] = ()
    """Names of checks that this one can't work without; one of them that fails is the cause of its failure."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    """Labels added to every series of this check."""
    warn: Mapping[str, str] = Field(default_factory=dict)
    """Limits that make the check degraded, as `metric: "> 0.8"`; `off` removes a default one."""
    fail: Mapping[str, str] = Field(default_factory=dict)
    """Limits that make the check unhealthy, as `metric: "> 0.95"`; `off` removes a default one."""
    failure_threshold: int = Field(default=3, ge=1)
    """Failed runs in a row that make it unhealthy."""
    success_threshold: int = Field(default=1, ge=1)
    """Good runs in a row that make it healthy again."""
    start_period: Duration = Field(default=0.0, ge=0)
    """For so long after the check first appears, or until its first success, failed runs leave it unknown."""
    optional: bool = False
    """While it was never seen healthy and its name or port does not answer, it is unknown and nobody is called."""
    histogram: bool = False
    """Export the durations of its runs as a histogram too."""

    _secrets: frozenset[str] = PrivateAttr(default=frozenset())

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Take `kind=` for pydantic's hook below; object's own takes nothing."""

    @classmethod
    def __pydantic_init_subclass__(cls, kind: str = "", **kwargs: Any) -> None:
        """Name the kind after its module (or `kind=`), and its metrics after the kind."""
        super().__pydantic_init_subclass__(**kwargs)
        cls.kind = kind or cls.__module__.rpartition(".")[2]
        own = {
            key: value for key, value in _members(getattr(cls, "metrics", None)).items() if isinstance(value, Metric)
        }
        cls.declared = {DURATION.key: DURATION} | named(own, f"probe_{cls.kind}_")
        cls._declared_by_survey = _by_survey(cls.declared)
        for attribute, metric in own.items():
            if not metric.name:
                setattr(cls.metrics, attribute, cls.declared[attribute])  # type: ignore[attr-defined]  # a kind's own
        found = (getattr(member, "__survey__", None) for member in _members(cls).values())
        cls.surveys = {mark.name: mark for mark in found if mark is not None}
        if cls.passive:  # one silence is enough: three would be told three intervals later
            cls.model_fields["failure_threshold"].default = 1
            cls.model_rebuild(force=True)

    def __repr__(self) -> str:
        return self.redact(super().__repr__())

    __str__ = __repr__  # pydantic's own would show the URL's password

    async def run(self, run: Run) -> None:
        """Check once. Returning is ok; raising is not, and the class of the error tells the reason."""
        raise NotImplementedError

    def session(self) -> AbstractAsyncContextManager[Any] | None:
        """A client that is dear to build: opened once, given to each run, thrown away after a failed one."""
        return None

    @property
    def metrics_declared(self) -> Mapping[str, Metric]:
        """All metrics that this check may emit, by key. A kind whose fields declare some overrides it."""
        return self.declared

    @property
    def active_surveys(self) -> tuple[str, ...]:
        """The surveys that its fields ask for; all of them, unless a kind says otherwise."""
        return tuple(self.surveys)

    def metrics_of(self, survey: str) -> Mapping[str, Metric]:
        """The metrics of one survey, or of the run itself (empty name); the duration is the runner's to give."""
        metrics = self.metrics_declared
        by_survey = self._declared_by_survey if metrics is self.declared else _by_survey(metrics)
        return by_survey.get(survey, {})

    def interval_of(self, survey: str) -> float:
        """Seconds from one run (or survey) to the next."""
        return float(getattr(self, self.surveys[survey].interval)) if survey else self.interval

    def timeout_of(self, survey: str) -> float:
        """Seconds that one run (or survey) may take."""
        return float(getattr(self, self.surveys[survey].timeout)) if survey else self.timeout

    def shorthands(self) -> Mapping[Level, Mapping[str, str]]:
        """Limits that a kind's own fields stand for (`max_duration`), as a user would write them."""
        return {}

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """Every limit in force: the kind's defaults, changed or turned off by the user's. Raises LimitError."""
        chosen: dict[tuple[str, str, tuple[tuple[str, str], ...]], Limit] = {}
        metrics = self.metrics_declared
        for by_user, (level, key, text) in [
            *((False, default) for default in self._default_limits()),
            *((True, written) for written in self._written_limits()),
        ]:
            metric, selector = read_key(key, metrics)
            place = (level, metric.name, selector)
            if text == OFF:
                chosen.pop(place, None)
            else:
                chosen[place] = read_limit(level, key, text, metrics, by_user=by_user)
        return tuple(chosen.values())

    def problems(self) -> Iterator[Problem]:
        """What the fields say that can't hold together. A kind may add its own rules."""
        if self.timeout > self.interval:
            yield (
                ("timeout",),
                f"timeout ({self.timeout:g}s) is longer than the interval ({self.interval:g}s); make it shorter",
            )
        for name, mark in self.surveys.items():
            if self.timeout_of(name) > self.interval_of(name):
                yield (mark.timeout,), f"{mark.timeout} is longer than {mark.interval}; make it shorter"
        taken = {label for metric in self.metrics_declared.values() for label in metric.labels}
        for label, problem in unfit(self.labels, taken):
            yield ("labels", label), problem
        yield from self._problems_of_limits()

    def _problems_of_limits(self) -> Iterator[Problem]:
        for level, key, text in self._written_limits():
            try:
                metric, _ = read_key(key, self.metrics_declared)
                if text != OFF:
                    read_limit(level, key, text, self.metrics_declared)
                    self._must_be_measured(metric)
            except LimitError as error:
                yield (level, key), str(error)
        for level, limits in (("warn", self.warn), ("fail", self.fail)):
            for key, former in written_twice(limits, self.metrics_declared):
                yield (level, key), f"{key} is the same limit as {former}; remove one of them"

    def asks_the_same_as(self, other: "Check") -> bool:
        """Whether one may go on from what the other left: the fields of the kind itself are equal."""
        own = type(self).model_fields.keys() - Check.model_fields.keys()
        return type(self) is type(other) and all(getattr(self, field) == getattr(other, field) for field in own)

    @cached_property
    def redact(self) -> Redactor:
        """Masks in any text what of this check is secret."""
        secrets, logins = set(self._secrets), set()
        for found_secrets, found_logins in secrets_in(self):
            secrets |= found_secrets
            logins |= found_logins
        return Redactor(secrets, logins)

    def with_secrets(self, secrets: frozenset[str]) -> "Check":
        """The same check, knowing that these texts (from `${file:…}`) are secret too."""
        copy = self.model_copy()
        copy.__dict__.pop("redact", None)  # made before it knew them
        copy._secrets = secrets  # noqa: SLF001  # its own, on a copy
        return copy

    def _must_be_measured(self, metric: Metric) -> None:
        if metric.survey and metric.survey not in self.active_surveys:
            raise LimitError(
                f'{metric.key} is never measured: it comes from the survey "{metric.survey}", '
                "which nothing in this check asks for"
            )

    def _default_limits(self) -> Iterator[tuple[Level, str, str]]:
        for key, metric in self.metrics_declared.items():
            if metric.survey and metric.survey not in self.active_surveys:
                continue
            if metric.warn is not None:
                yield "warn", key, metric.warn
            if metric.fail is not None:
                yield "fail", key, metric.fail

    def _written_limits(self) -> Iterator[tuple[Level, str, str]]:
        for level, limits in self.shorthands().items():
            for key, text in limits.items():
                yield level, key, text
        for key, value in self.warn.items():
            yield "warn", key, value
        for key, value in self.fail.items():
            yield "fail", key, value


def _members(place: object) -> dict[str, Any]:
    """The attributes of a class and its bases, in order of definition, bases first."""
    found: dict[str, Any] = {}
    for parent in reversed(getattr(place, "__mro__", ())):
        found |= vars(parent)
    return found


def _by_survey(metrics: Mapping[str, Metric]) -> Mapping[str, Mapping[str, Metric]]:
    """Metrics by the survey that emits them; those of the run itself by the empty name. Without the duration."""
    found: dict[str, dict[str, Metric]] = {}
    for key, metric in metrics.items():
        if metric is not DURATION:
            found.setdefault(metric.survey, {})[key] = metric
    return found
