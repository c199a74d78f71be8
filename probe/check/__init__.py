"""The contract of a kind, public and typed: all that a file in kinds/, or a user's own kind, needs to import."""

from probe.check.contract import DURATION, Check, Problem
from probe.check.failure import (
    Denied,
    Failure,
    Failures,
    Garbled,
    Overdue,
    Unfinished,
    Unhealthy,
    Unreachable,
    Unresolved,
    Untrusted,
    reason_of,
)
from probe.check.fields import Duration, Part, Ratio, Secret, Size, Url
from probe.check.labels import RESERVED_LABELS
from probe.check.limits import OFF, LimitError, read_limit, suggestion
from probe.check.run import ContractBroken, Run
from probe.check.surveys import Survey, survey

__all__ = [
    "DURATION",
    "OFF",
    "RESERVED_LABELS",
    "Check",
    "ContractBroken",
    "Denied",
    "Duration",
    "Failure",
    "Failures",
    "Garbled",
    "LimitError",
    "Overdue",
    "Part",
    "Problem",
    "Ratio",
    "Run",
    "Secret",
    "Size",
    "Survey",
    "Unfinished",
    "Unhealthy",
    "Unreachable",
    "Unresolved",
    "Untrusted",
    "Url",
    "read_limit",
    "reason_of",
    "suggestion",
    "survey",
]
