"""From whatever ended a run to a reason and a line for people."""

import os
import re

from probe.check import Failures, reason_of
from probe.model import Reason, Sample
from probe.redact import Redactor
from probe.units import show_seconds

RESOLVE = "resolve"
"""The step in which a name becomes an address: a deadline that passes in it means `dns`."""

LONGEST_MESSAGE = 500
"""Characters; a message names a place and a value, it is no log."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def cleaned(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """One printable line of at most `longest` characters."""
    line = _UNPRINTABLE.sub(" ", text.encode(errors="replace").decode()).strip()
    return line if len(line) <= longest else line[: longest - 1] + "…"


def shown(redact: Redactor, text: str) -> str:
    """A text of a check's for people: one line, without its secrets."""
    part = text[: LONGEST_MESSAGE * 8]
    return cleaned(redact(text) if len(part) == len(text) else redact.beginning(part))


def without_secrets(samples: tuple[Sample, ...], redact: Redactor) -> tuple[Sample, ...]:
    """The same, should a server have said a secret where a label stands; of those that then are one the first."""
    said = " ".join({label for sample in samples for label in sample.labels if label})
    if redact(said) == said:
        return samples
    masked: dict[tuple[str, tuple[str, ...]], Sample] = {}
    for sample in samples:
        labels = tuple([redact.for_names(label) for label in sample.labels])
        masked.setdefault((sample.metric.name, labels), sample._replace(labels=labels))
    return tuple(masked.values())


def of_error(failures: Failures, error: BaseException, redact: Redactor) -> tuple[Reason, str]:
    """Reason and message of what a run raised."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    reason = reason_of(error, failures)
    return reason, shown(redact, _told(error, reason))


def of_deadline(timeout: float, step: str) -> tuple[Reason, str]:
    """Reason and message of a run that was not over in time."""
    if step == RESOLVE:
        return Reason.DNS, f"no answer from DNS within {show_seconds(timeout)}"
    return Reason.TIMEOUT, f"no answer within {show_seconds(timeout)}" + (f" (in {step})" if step else "")


def _told(error: BaseException, reason: Reason) -> str:
    if reason is Reason.INTERNAL:
        return f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) and error.errno and type(error).__module__ == "builtins":
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__
