"""The words of probe: frozen values that every layer speaks of. Standard library only.

Nothing here knows how a check runs, where its config stands or how it is shown.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Literal, NamedTuple


class Reason(StrEnum):
    """How one run ended. The only words about an outcome that ever become label values."""

    OK = "ok"
    DNS = "dns"
    """No address, also when the DNS server is slow or dead."""
    CONNECT = "connect"
    """Not one byte of an answer came: refused, reset, unreachable, closed at once."""
    TLS = "tls"
    """The handshake failed: expired, unknown CA, wrong name, plain where TLS is due."""
    TIMEOUT = "timeout"
    """The deadline passed after connecting began."""
    AUTH = "auth"
    """Login or permission."""
    PROTOCOL = "protocol"
    """Bytes that are not the protocol, an answer cut off, too large, or of another service."""
    UNHEALTHY = "unhealthy"
    """A proper answer that says no."""
    INTERNAL = "internal"
    """A bug of ours."""

    @property
    def explains(self) -> bool:
        """Whether a need that failed so can be the cause of somebody else's failure."""
        return self not in (Reason.OK, Reason.INTERNAL)


class Health(IntEnum):
    """What the folded history of a check says. max() of several is the worst."""

    HEALTHY = 0
    UNKNOWN = 1
    DEGRADED = 2
    UNHEALTHY = 3

    def __str__(self) -> str:
        return self.name.lower()


Level = Literal["warn", "fail"]
"""What crossing a limit makes of a check: `warn` degraded, `fail` unhealthy."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that a kind may emit, declared once, beside the code that measures it.

    `name` is the full Prometheus name, `key` what people call it in a limit. A kind's own metrics get theirs when
    the class is made (`probe_<kind>_<attribute>` and the attribute); shared ones are born with a name, and that is
    their key too. `survey` names the survey that emits it; empty: the run does.
    `warn` and `fail` are the kind's default limits, as a user would write them (`"> 0.8"`).
    """

    type: Literal["gauge", "counter"]
    help: str
    labels: tuple[str, ...] = ()
    name: str = ""
    survey: str = ""
    warn: str | None = None
    fail: str | None = None
    key: str = ""

    @property
    def is_time(self) -> bool:
        """Whether the value is a point in time (unix seconds): limits on it are an age or a time left."""
        return self.name.endswith("_timestamp_seconds") or self.name in CERTIFICATE_EXPIRIES

    @property
    def unit(self) -> Literal["time", "seconds", "bytes", "ratio", ""]:
        """What its values are counted in, told by the name's ending; empty: a plain number."""
        if self.is_time:
            return "time"
        for unit in ("seconds", "bytes", "ratio"):
            if self.name.removesuffix("_total").endswith("_" + unit):
                return unit
        return ""


CERTIFICATE_EXPIRIES = ("probe_ssl_earliest_cert_expiry",)
"""blackbox_exporter's names for points in time that do not end in `_timestamp_seconds`."""


def gauge(
    help: str,
    *labels: str,
    name: str = "",
    survey: str = "",
    warn: str | None = None,
    fail: str | None = None,
) -> Metric:
    """Declare a number that goes up and down. See `Metric` for the arguments."""
    return Metric("gauge", help, labels, name, survey, warn, fail, key=name)


def counter(help: str, *labels: str, name: str = "", survey: str = "") -> Metric:
    """Declare a number that only grows (its name ends in `_total`); limits can't stand on it."""
    return Metric("counter", help, labels, name, survey, key=name)


class Sample(NamedTuple):
    """One number of a metric; `labels` are the values of `metric.labels`, in their order."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


class Step(NamedTuple):
    """A named part of a run and how long it took (seconds; the same name twice adds up)."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """What one run, or one survey, of a check found. What was emitted before a failure is kept.

    `began` and `ended` are monotonic seconds and order runs; `at` is when it began as unix time, to show.
    `step` is the part that the run failed in. `notes` are what a good run has to say for people (a number that
    a permission hides). `abandoned`: it ignored its cancellation and may still be running. `unfinished`: a survey
    did its share and goes on next time; the numbers of its last complete pass stay.
    """

    check: str
    reason: Reason
    survey: str = ""
    message: str = ""
    at: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    samples: tuple[Sample, ...] = ()
    steps: tuple[Step, ...] = ()
    step: str = ""
    notes: tuple[str, ...] = ()
    abandoned: bool = False
    unfinished: bool = False

    @property
    def ok(self) -> bool:
        return self.reason is Reason.OK

    @property
    def complete(self) -> bool:
        """Whether it found all that it was to find: ok, and not a survey that goes on next time."""
        return self.ok and not self.unfinished

    @property
    def duration(self) -> float:
        """Seconds from the start of the run to its end; waiting for a start is not in it."""
        return self.ended - self.began

    def values(self, metric: str) -> dict[tuple[str, ...], float]:
        """Every series of a metric, named by its key, by label values."""
        return {sample.labels: sample.value for sample in self.samples if sample.metric.key == metric}

    def value(self, metric: str, **labels: str) -> float:
        """The one sample of a metric (by its key) with these labels. Raises LookupError, saying what there is."""
        found = [
            sample.value
            for sample in self.samples
            if sample.metric.key == metric
            and labels.items() <= dict(zip(sample.metric.labels, sample.labels, strict=True)).items()
        ]
        if len(found) != 1:
            there = ", ".join(sorted({sample.metric.key for sample in self.samples})) or "no sample at all"
            raise LookupError(f"{len(found)} samples of {metric} with {labels}; there are: {there}")
        return found[0]


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that a metric should not cross.

    `metric` is the full name, `selector` the label values it is narrowed to (none: every series, the worst
    wins), `bound` is in base units (seconds, bytes, a ratio's fraction). On a point in time the bound is an age
    (`>`) or a time left (`<`). `by_user`: written in the config, so that its number is missed when it is absent.
    `key` is what the config calls the metric, to tell people; the limit is the same by another of its names.
    """

    metric: str
    op: Literal[">", ">=", "<", "<=", "==", "!="]
    bound: float
    level: Level
    selector: tuple[tuple[str, str], ...] = ()
    on_time: bool = False
    survey: str = ""
    by_user: bool = False
    key: str = field(default="", compare=False)

    @property
    def selected(self) -> str:
        """The selector as `a=b,c="d,e"`; empty without one."""
        return ",".join(f'{name}="{value}"' if "," in value else f"{name}={value}" for name, value in self.selector)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is held of a check at one moment.

    `reason` is empty when healthy, else a Reason's word, `limit`, `not evaluated`, `absent`, `starting`
    or `not run`; `message` is for people.
    """

    health: Health = Health.UNKNOWN
    reason: str = "not run"
    message: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A verdict that became another. `roots` are the causes named with it; none: it is its own root."""

    check: str
    before: Verdict
    after: Verdict
    roots: tuple[str, ...] = ()
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the time comes from: the system's, or a simulated one in tests."""

    wall: Callable[[], float] = time.time
    """Unix seconds; may jump."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that never run backwards; equal to the event loop's time()."""


SYSTEM_CLOCK = Clock()


def named(metrics: Mapping[str, Metric], prefix: str) -> dict[str, Metric]:
    """The metrics by key, with names: those without one get `prefix` and their attribute's name."""
    complete = (
        metric if metric.name else replace(metric, name=prefix + attribute, key=attribute)
        for attribute, metric in metrics.items()
    )
    return {metric.key: metric for metric in complete}
