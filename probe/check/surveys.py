"""Surveys: what a check looks at more seldom than it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Survey:
    """A slow or dear second method of a check: the names of its method and of the fields that pace and bound it."""

    name: str
    interval: str
    timeout: str


def survey(*, interval: str, timeout: str) -> Callable[[Method], Method]:
    """Make a method of a kind a survey. `interval` and `timeout` name the fields (seconds) that it is run by."""

    def mark(method: Method) -> Method:
        method.__survey__ = Survey(method.__name__, interval, timeout)  # type: ignore[attr-defined]
        return method

    return mark
