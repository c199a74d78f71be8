"""What is kept of every check, as frozen values. Times without `at` in their name are monotonic seconds."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from immutables import Map

from probe.check import Check
from probe.model import Health, Limit, Reason, Result, Sample, Verdict

REASONS = tuple(Reason)
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram of durations (seconds): the defaults of Prometheus' clients."""

STRIP_LENGTH = 50
"""Past runs that are remembered of a check."""

FAILURES_KEPT = 3
"""Failed runs that are remembered with their steps and messages."""

_PAST = struct.Struct("<dfB")


@dataclass(frozen=True, slots=True)
class Tally:
    """What only grows: runs by reason (in the order of Reason), their seconds, and the histogram's counts."""

    runs: tuple[int, ...] = (0,) * len(REASONS)
    seconds: float = 0.0
    buckets: tuple[int, ...] = (0,) * len(BUCKETS)

    @property
    def count(self) -> int:
        return sum(self.runs)

    def plus(self, reason: Reason, seconds: float) -> "Tally":
        """One more run."""
        index = REASONS.index(reason)
        return Tally(
            (*self.runs[:index], self.runs[index] + 1, *self.runs[index + 1 :]),
            self.seconds + seconds,
            tuple([count + (seconds <= bound) for count, bound in zip(self.buckets, BUCKETS, strict=True)]),
        )


class Past(NamedTuple):
    """A past run: when it began (unix time), how long it took (seconds), how it ended."""

    at: float
    duration: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Strip:
    """The last runs, oldest first, 13 bytes each: ten thousand checks remember half a million runs."""

    packed: bytes = b""

    def plus(self, result: Result) -> "Strip":
        """With one more run, the oldest forgotten where it is full."""
        more = _PAST.pack(result.at, result.duration, REASONS.index(result.reason))
        return Strip((self.packed + more)[-STRIP_LENGTH * _PAST.size :])

    def __iter__(self) -> Iterator[Past]:
        return (Past(at, duration, REASONS[index]) for at, duration, index in _PAST.iter_unpack(self.packed))

    def __len__(self) -> int:
        return len(self.packed) // _PAST.size


@dataclass(frozen=True, slots=True)
class LimitState:
    """One limit and where it stands. `crossed` is what health counts; `value` the worst number that came last.

    `against`: numbers in a row that said otherwise than `crossed`. `missing`: the last good run gave no number.
    For a point in time `value` is its age or the time left, in seconds.
    """

    limit: Limit
    crossed: bool = False
    value: float | None = None
    against: int = 0
    missing: bool = False

    @property
    def not_evaluated(self) -> bool:
        """A limit that the user wrote and that found no number: silence would be a lie."""
        return self.missing and self.limit.by_user


@dataclass(frozen=True, slots=True)
class SurveyState:
    """The last run of a survey, and the numbers that stand: those of the last complete one, none after a failure."""

    result: Result
    samples: tuple[Sample, ...] = ()
    last_success_at: float = 0.0


class Outcome(NamedTuple):
    """How a run ended, as far as the verdict is concerned. `counted`: not a run made only to confirm another's."""

    began: float
    ended: float
    reason: Reason
    message: str = ""
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause once named: it stays. `failures`: runs that failed although they began after its first good one."""

    check: str
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Well:
    """How a check ran under the present failure of a need, which is told by when that failure began."""

    failing_since: float
    since: float
    until: float
    runs: int


@dataclass(frozen=True, slots=True)
class State:
    """The folded history of one check."""

    check: str
    appeared: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)
    since_at: float = 0.0
    """Unix time since which the health has been what it is."""
    result: Result | None = None
    """The last run."""
    surveys: Mapping[str, SurveyState] = field(default_factory=dict)
    limits: tuple[LimitState, ...] = ()
    causes: tuple[Cause, ...] = ()
    tally: Tally = field(default_factory=Tally)
    strip: Strip = field(default_factory=Strip)
    failed: tuple[Result, ...] = ()
    """The last failed runs, newest first, without their samples."""
    last_success_at: float = 0.0
    """Unix time at which the last good run began; 0: none yet."""

    failures: int = 0
    """Counted failed runs in a row, those included whose verdict waits."""
    successes: int = 0
    """Good runs in a row."""
    held: tuple[Outcome, ...] = ()
    """Failed runs whose verdict waits for runs of the check's needs that began after they began."""
    standing: Outcome | None = None
    """The last run whose verdict does not wait; None before the first."""
    down: bool = False
    """Unhealthy by its runs, whatever its limits say."""
    rootless: bool = False
    """Unhealthy without a cause: it gets none before its next good run."""
    failing_since: float = inf
    """When the first run of the present failure ended."""
    good_since: float = inf
    """When the first good run after a failure, or of all, ended."""
    well: Mapping[str, Well] = field(default_factory=dict)
    """How it ran under the failures of its needs, by need."""

    @property
    def health(self) -> Health:
        return self.verdict.health

    @property
    def began(self) -> float:
        """When the last run began; -inf before the first."""
        return self.result.began if self.result else -inf

    @property
    def is_stuck(self) -> bool:
        """Its last run ignored its cancellation: nobody can wait for another one."""
        return self.result is not None and self.result.abandoned

    @property
    def has_stuck_survey(self) -> bool:
        """Whether the last run of a survey ignored its cancellation."""
        return any(survey.result.abandoned for survey in self.surveys.values())

    @property
    def ever_succeeded(self) -> bool:
        return self.last_success_at > 0

    @property
    def roots(self) -> tuple[str, ...]:
        """The names of its causes."""
        return tuple([cause.check for cause in self.causes])

    @property
    def settled(self) -> float:
        """When the last run began whose verdict does not wait; -inf before the first."""
        return self.standing.began if self.standing else -inf

    @property
    def explains(self) -> bool:
        """Whether its failure, as it stands, can explain the failure of a check that needs it."""
        return self.standing is not None and self.standing.reason.explains and not self.is_absent

    @property
    def is_absent(self) -> bool:
        """Whether it is optional and nobody has seen it: it pages nobody, and nobody may hide behind it."""
        return self.verdict.reason == "absent"


@dataclass(frozen=True, slots=True)
class Board:
    """All states, and the checks they are of, in the order of the config."""

    checks: Mapping[str, Check]
    states: Map[str, State]
    dependants: Mapping[str, tuple[str, ...]]
    """Who needs a check, directly."""
    depth: Mapping[str, int]
    """The longest way down through needs: who comes later can depend only on who came before."""

    @classmethod
    def of(cls, checks: Mapping[str, Check], states: Mapping[str, State]) -> "Board":
        """A board of these checks; `needs` must hold no cycle, and may name checks that are not here."""
        dependants: dict[str, list[str]] = {}
        for name, check in checks.items():
            for need in check.needs:
                dependants.setdefault(need, []).append(name)
        depth: dict[str, int] = {}
        for name in checks:
            _measure_depth(name, checks, depth)
        return cls(checks, Map(states), {need: tuple(names) for need, names in dependants.items()}, depth)

    def __getitem__(self, name: str) -> State:
        return self.states[name]

    def __iter__(self) -> Iterator[State]:
        return (self.states[name] for name in self.checks)

    def __len__(self) -> int:
        return len(self.checks)

    def needs(self, name: str) -> tuple[str, ...]:
        """The direct needs of a check that are on the board."""
        return tuple([need for need in self.checks[name].needs if need in self.checks])

    def put(self, state: State) -> "Board":
        """With this state in place of its former one."""
        return Board(self.checks, self.states.set(state.check, state), self.dependants, self.depth)

    def counts(self, state: State) -> bool:
        """Whether a check's health counts: that of an absent optional one and of a passive one never heard does not."""
        never_heard = self.checks[state.check].passive and state.result is None
        return not (state.is_absent or never_heard)

    @property
    def health(self) -> Health:
        """The worst health of all that count. Healthy when there is none."""
        return max((state.health for state in self if self.counts(state)), default=Health.HEALTHY)


def _measure_depth(name: str, checks: Mapping[str, Check], depth: dict[str, int]) -> None:
    """Fill in the depth of a check and of all it needs, without recursion: chains may be long."""
    ahead = [name]
    while ahead:
        needs = [need for need in checks[ahead[-1]].needs if need in checks]
        unknown = [need for need in needs if need not in depth]
        if unknown:
            ahead.extend(unknown)
        else:
            depth[ahead.pop()] = 1 + max((depth[need] for need in needs), default=0)
