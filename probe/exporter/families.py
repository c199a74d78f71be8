"""The families that every check has, declared once: the exposition and the docs read this table."""

from dataclasses import dataclass
from typing import Literal, Protocol

from probe.check import DURATION


class Described(Protocol):
    """What a family says of itself: a `Family` here, or a kind's own `Metric`."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Family:
    """A name under which series stand together. `labels` are its own; before them come check, kind and the user's."""

    name: str
    type: Literal["gauge", "counter", "summary", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


SUCCESS = Family(
    "probe_success", "gauge", "Whether the last run of the check was ok (1) or not (0); limits don't count."
)
LAST_DURATION = Family(DURATION.name, "gauge", DURATION.help)
HEALTH = Family(
    "probe_health",
    "gauge",
    "What the runs and limits of the check add up to: 0 healthy, 1 unknown, 2 degraded, 3 unhealthy.",
)
RUNS = Family(
    "probe_runs_total", "counter", "Runs of the check since the agent knows it, by how they ended.", ("reason",)
)
DURATIONS = Family(
    "probe_run_duration_seconds",
    "summary",
    "Durations of all runs of the check, added up, in seconds; with buckets where it says histogram: true.",
)
DURATION_BUCKETS = Family(DURATIONS.name, "histogram", DURATIONS.help)
LAST_RUN = Family("probe_last_run_timestamp_seconds", "gauge", "When the last run began, as unix time.")
LAST_SUCCESS = Family(
    "probe_last_success_timestamp_seconds",
    "gauge",
    "When the last run that was ok began, as unix time; absent before the first.",
)
INTERVAL = Family("probe_interval_seconds", "gauge", "Time from one run to the next, in seconds, from the config.")
LIMIT = Family(
    "probe_limit",
    "gauge",
    "The number that the metric should not cross (warn: degraded, fail: unhealthy), in the metric's unit, "
    "from the config or the kind's defaults; for a point in time an age or a time left in seconds.",
    ("metric", "selector", "op", "level"),
)
LIMIT_CROSSED = Family(
    "probe_limit_crossed",
    "gauge",
    "Whether the limit is crossed (1) or not (0), as health counts it.",
    ("metric", "selector", "level"),
)
CAUSED_BY = Family(
    "probe_caused_by",
    "gauge",
    "1 for each failed need that explains why the check fails (needs: in the config).",
    ("cause",),
)
SURVEY_SUCCESS = Family(
    "probe_survey_success",
    "gauge",
    "Whether the last run of the survey found all it was to find (1) or not (0): it failed, or goes on next time.",
    ("survey",),
)
SURVEY_DURATION = Family(
    "probe_survey_duration_seconds", "gauge", "How long the last run of the survey took, in seconds.", ("survey",)
)
SURVEY_LAST_RUN = Family(
    "probe_survey_last_run_timestamp_seconds",
    "gauge",
    "When the last run of the survey began, as unix time.",
    ("survey",),
)
SURVEY_LAST_SUCCESS = Family(
    "probe_survey_last_success_timestamp_seconds",
    "gauge",
    "When the last complete run of the survey began, as unix time; absent before the first.",
    ("survey",),
)
SURVEY_INTERVAL = Family(
    "probe_survey_interval_seconds",
    "gauge",
    "Time from one run of the survey to the next, in seconds, from the config.",
    ("survey",),
)

FAMILIES = (
    SUCCESS,
    LAST_DURATION,
    HEALTH,
    RUNS,
    DURATIONS,
    LAST_RUN,
    LAST_SUCCESS,
    INTERVAL,
    LIMIT,
    LIMIT_CROSSED,
    CAUSED_BY,
    SURVEY_SUCCESS,
    SURVEY_DURATION,
    SURVEY_LAST_RUN,
    SURVEY_LAST_SUCCESS,
    SURVEY_INTERVAL,
)
"""In the order of the exposition; the kinds' own follow by name."""
