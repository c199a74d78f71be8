"""What a kind gets to work with during one run."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from hashlib import blake2b
from typing import Any

from probe.model import Clock, Metric, Sample, Step
from probe.redact import Redactor, hidden

MOST_SAMPLES = 20_000
"""Samples that one run may emit: what a scrape of 50 such checks can still carry in 50 ms (bench/scrape.py)."""

LONGEST_LABEL = 256
"""Characters of a label value; what is longer is cut and ends in `…` and a digest, so that two stay two."""

MOST_NOTES = 20
_NOTHING = Redactor()


class ContractBroken(Exception):
    """A kind did what its declaration does not allow: a bug of the kind, so the run is `internal`."""


class Run:
    """One run of one check: emit numbers, name steps, read what the previous run left.

    Made by the runner, which also ends it: a kind neither times nor catches.
    """

    __slots__ = (
        "_clock",
        "_deadline",
        "_declared",
        "_failed",
        "_notes",
        "_open",
        "_samples",
        "_seconds",
        "memory",
        "redact",
        "session",
    )

    def __init__(
        self,
        declared: Mapping[str, Metric],
        clock: Clock,
        deadline: float,
        memory: Any = None,
        session: Any = None,
        *,
        redact: Redactor = _NOTHING,
    ) -> None:
        """`declared`: the metrics that may be emitted, by key. `deadline`: monotonic seconds."""
        self.memory = memory
        """An immutable value of the previous run, None at first; set it to leave one for the next."""
        self.session = session
        """What the kind's `session` yielded, if it has one."""
        self.redact = redact
        """Masks what is secret of the check, and what `hide` was told."""
        self._declared = declared
        self._clock = clock
        self._deadline = deadline
        self._samples: dict[tuple[str, tuple[str, ...]], Sample] = {}
        self._seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._notes: list[str] = []
        self._failed = ""

    @property
    def remaining(self) -> float:
        """Seconds until the deadline, never below 0; the runner enforces it, a server may like to know it."""
        return max(0.0, self._deadline - self._clock.monotonic())

    @property
    def now(self) -> float:
        """Unix time in seconds, for ages and windows."""
        return self._clock.wall()

    def emit(self, metric: Metric, value: float, **labels: object) -> None:
        """Report a number of a declared metric. Raises ContractBroken on any other, and on other or used labels."""
        declared = self._declared.get(metric.key)
        if declared is None:
            raise ContractBroken(f"{metric.name or 'a metric without a name'} is not declared for this run")
        if tuple(labels) != declared.labels and labels.keys() != set(declared.labels):
            raise ContractBroken(f"{declared.name} has the labels {declared.labels}, not {tuple(labels)}")
        values = tuple([_label(labels[name], self.redact) for name in declared.labels]) if labels else ()
        key = declared.name, values
        if key in self._samples:
            raise ContractBroken(f"{declared.name} was emitted twice with {labels}")
        if len(self._samples) >= MOST_SAMPLES:
            raise ContractBroken(f"more than {MOST_SAMPLES} samples in one run")
        self._samples[key] = Sample(declared, float(value), values)

    def step(self, name: str) -> AbstractContextManager[None]:
        """A named, timed part of the run (`login`, `query`): makes "timeout in login", and is shown with the run."""
        return _Step(self, name)

    def spent(self, name: str, seconds: float) -> None:
        """Add a step that was measured elsewhere."""
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def note(self, text: str) -> None:
        """Say something to people that is no failure: a number that a permission hides, and how to grant it."""
        if len(self._notes) < MOST_NOTES and str(text) not in self._notes:
            self._notes.append(str(text))

    def hide(self, text: str) -> None:
        """Mask this too, from now on in this run: what was made from a secret and is sent, a token say."""
        self.redact = self.redact.and_also(text)
        hidden.set(self.redact)

    @property
    def samples(self) -> tuple[Sample, ...]:
        return tuple(self._samples.values())

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(Step(name, seconds) for name, seconds in self._seconds.items())

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    @property
    def at_step(self) -> str:
        """The innermost step that is open now, or that the last failure left; empty outside of any."""
        return self._open[-1] if self._open else self._failed

    def _begin(self, step: str) -> float:
        self._open.append(step)
        self._failed = ""
        return self._clock.monotonic()

    def _end(self, step: str, began: float, *, failed: bool) -> None:
        self._open.pop()
        if failed:
            self._failed = self._failed or step
        self.spent(step, self._clock.monotonic() - began)


class _Step(AbstractContextManager[None]):
    __slots__ = ("_began", "_name", "_run")

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self._name = name
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = self._run._begin(self._name)  # noqa: SLF001  # a part of the run

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._run._end(self._name, self._began, failed=error is not None)  # noqa: SLF001


def _label(value: object, redact: Redactor) -> str:
    text = str(value)
    if not text.isascii():  # then it may have halves of surrogate pairs, which no exposition can carry
        text = text.encode(errors="backslashreplace").decode()
    if len(text) <= LONGEST_LABEL:
        return text
    text = redact.for_names(text)  # nobody would know a part of a secret
    digest = blake2b(text.encode(), digest_size=4).hexdigest()
    return f"{text[: LONGEST_LABEL - 1 - len(digest)]}…{digest}"
